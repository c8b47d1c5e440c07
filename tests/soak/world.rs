//! What all parts of a run share.

use std::collections::{BTreeMap, HashMap};
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
    /// The gateway to connect to.
    pub(crate) site: watch::Sender<Site>,
    pub(crate) phase: watch::Sender<Phase>,
    /// How many members have seen the end of each conversation of theirs, and who was the last.
    pub(crate) arrived: watch::Sender<(usize, String)>,
    generations: Mutex<GenerationRecords>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    findings: Mutex<Vec<Finding>>,
}

/// By the gateway's generation and the conversation's tag.
type GenerationRecords = HashMap<(u32, usize), Arc<Mutex<GenerationRecord>>>;

/// Where the present gateway is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site {
    /// Gateways are counted from 0; 0 is also what there is before the first.
    pub(crate) generation: u32,
    pub(crate) pid: u32,
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
            site: watch::Sender::default(),
            phase: watch::Sender::new(Phase::Running),
            arrived: watch::Sender::default(),
            generations: Mutex::default(),
            counts: Mutex::default(),
            faults: Mutex::default(),
            findings: Mutex::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
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
        let new = || Arc::new(Mutex::new(GenerationRecord::new(generation == 0)));
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
