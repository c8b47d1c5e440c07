//! What all parts of a run share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::judge::{Fault, GenerationRecord, Record, Verdict};
use super::plan::Plan;
use super::script::{Conversation, Kind};

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) began: Instant,
    pub(crate) conversations: Vec<Arc<Conversation>>,
    /// The gateways to connect to, of which each is as good as any other.
    pub(crate) sites: watch::Sender<Vec<Site>>,
    /// The processes that run, by their number: gateways are counted from 0.
    pub(crate) processes: Mutex<BTreeMap<u32, u32>>,
    pub(crate) phase: watch::Sender<Phase>,
    /// How many conversations all members together follow, and how many of these they have joined.
    pub(crate) follows: AtomicUsize,
    pub(crate) joined: watch::Sender<usize>,
    /// How many members have seen the end of each conversation of theirs, and who was the last.
    pub(crate) arrived: watch::Sender<(usize, String)>,
    generations: Mutex<GenerationRecords>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    /// The longest time that a member was without an event, and which member.
    longest_pause: Mutex<(Duration, String)>,
    findings: Mutex<Vec<Finding>>,
}

/// By the gateway's generation and the conversation's tag.
type GenerationRecords = HashMap<(u32, usize), Arc<Mutex<GenerationRecord>>>;

/// Where a gateway is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site {
    /// Which of the process generations it is; those that share a stream are one.
    pub(crate) generation: u32,
    /// Its own address, and those of the proxies in front of it.
    pub(crate) addresses: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    Running,
    /// No more faults; everybody stays, and gets what is left.
    Draining,
    Over,
}

/// A verdict, and who brought it about.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) fault: Fault,
    report: String,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            began: Instant::now(),
            conversations: Plan::conversations().into_iter().map(Arc::new).collect(),
            sites: watch::Sender::default(),
            processes: Mutex::default(),
            phase: watch::Sender::new(Phase::Running),
            follows: AtomicUsize::new(usize::MAX),
            joined: watch::Sender::default(),
            arrived: watch::Sender::default(),
            generations: Mutex::default(),
            counts: Mutex::default(),
            faults: Mutex::default(),
            longest_pause: Mutex::default(),
            findings: Mutex::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until every member has joined each conversation of its.
    pub(crate) async fn all_have_joined(&self) {
        let mut joined = self.joined.subscribe();
        let all = joined.wait_for(|&joined| joined >= self.follows.load(Ordering::Acquire));
        tokio::select! {
            // Fails only when the world has ended.
            _ = all => {}
            () = self.reaches(Phase::Draining) => {}
        }
    }

    /// Waits until the run is in this phase or in a later one.
    pub(crate) async fn reaches(&self, phase: Phase) {
        let mut phases = self.phase.subscribe();
        // Fails only when the world has ended.
        phases.wait_for(|&now| now >= phase).await.ok();
    }

    pub(crate) fn generation_record(
        &self,
        generation: u32,
        conversation: &Conversation,
    ) -> Arc<Mutex<GenerationRecord>> {
        let mut generations = self.generations.lock().unwrap();
        // Nobody is connected to those any more.
        generations.retain(|&(other, _), _| other + 3 > generation);
        let shared = generations.entry((generation, conversation.tag));
        let new = || {
            Arc::new(Mutex::new(match self.plan.kept() {
                Some(kept) => GenerationRecord::of_stream(kept),
                None => GenerationRecord::new(generation == 0),
            }))
        };
        shared.or_insert_with(new).clone()
    }

    pub(crate) fn count(&self, what: &'static str) {
        self.count_many(what, 1);
    }

    pub(crate) fn count_many(&self, what: &'static str, many: u64) {
        *self.counts.lock().unwrap().entry(what).or_default() += many;
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        let counts = self.counts.lock().unwrap();
        counts.get(what).copied().unwrap_or_default()
    }

    /// A member was without an event for so long.
    pub(crate) fn paused(&self, member: &str, time: Duration) {
        let mut longest = self.longest_pause.lock().unwrap();
        if time > longest.0 {
            let at = self.began.elapsed().as_secs_f64();
            *longest = (time, format!("{member}, until {at:.1} s"));
        }
    }

    /// The longest time that a member was without an event, and which member.
    pub(crate) fn longest_pause(&self) -> (Duration, String) {
        self.longest_pause.lock().unwrap().clone()
    }

    /// Counts a fault and, unless it is one of the many between members and gateway, says so.
    pub(crate) fn fault(&self, what: &'static str, time: Duration) {
        *self.faults.lock().unwrap().entry(what).or_default() += 1;
        if what.starts_with("clients") {
            return;
        }
        match time.is_zero() {
            true => self.say(what),
            false => self.say(&format!("{what} for {:.1} s", time.as_secs_f64())),
        }
    }

    /// How often each fault was brought about.
    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.faults.lock().unwrap().clone()
    }

    /// Takes a verdict down.
    pub(crate) fn find(&self, member: &str, record: &Record, verdict: Verdict) {
        let conversation = &record.conversation;
        let latest: Vec<_> = record
            .latest
            .iter()
            .map(|line| format!("    {line}"))
            .collect();
        let report = format!(
            "{:.1} s: {member} in {} of {}: {}: {}\n  the last that it saw:\n{}",
            self.began.elapsed().as_secs_f64(),
            conversation.id,
            conversation.tenant,
            verdict.fault,
            verdict.detail,
            latest.join("\n")
        );
        self.find_at_large(verdict.fault, report);
    }

    /// Takes down what is nobody's in particular.
    pub(crate) fn find_at_large(&self, fault: Fault, report: String) {
        let mut findings = self.findings.lock().unwrap();
        findings.push(Finding { fault, report });
    }

    /// How many events nobody saw. Everybody whom they could have reached was told `reset`: a gateway
    /// that is killed takes along what it had in hand, and one that begins with more than its window
    /// holds has let go of the rest before the first member has come.
    pub(crate) fn unseen(&self) -> usize {
        let unseen = |conversation: &Arc<Conversation>| {
            let scripts = Kind::ALL.map(|kind| conversation.script(kind).unseen());
            scripts.iter().sum::<usize>()
        };
        self.conversations.iter().map(unseen).sum()
    }

    pub(crate) fn has_findings(&self) -> bool {
        !self.findings.lock().unwrap().is_empty()
    }

    pub(crate) fn found(&self, fault: Fault) -> usize {
        let findings = self.findings.lock().unwrap();
        findings.iter().filter(|found| found.fault == fault).count()
    }

    /// The first few, to be read by people.
    pub(crate) fn reports(&self) -> Vec<String> {
        let findings = self.findings.lock().unwrap();
        findings
            .iter()
            .take(5)
            .map(|found| found.report.clone())
            .collect()
    }

    /// Says what happens, with the time.
    pub(crate) fn say(&self, what: &str) {
        println!("{:>7.1} s  {what}", self.began.elapsed().as_secs_f64());
    }
}
