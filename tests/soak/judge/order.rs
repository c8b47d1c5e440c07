//! Whether what came is the next of what was published, and of what others have seen.

use super::heard::Meta;
use super::verdict::{Fault, Judged, verdict};
use super::{GenerationRecord, Record};
use crate::script::{Kind, STATUSES, Script, Subject};

impl Record {
    pub(super) fn check_script(
        &mut self,
        kind: Kind,
        subject: Subject,
        shared: &mut GenerationRecord,
    ) -> Judged {
        let lane = kind as usize;
        let mut script = self.conversation.script(kind);
        let began_by = shared.began_by[lane];
        let possible: Vec<usize> = if self.reached[lane].is_empty() {
            let lines = script.lines().iter().enumerate();
            let at = lines.filter(|(_, line)| line.subject == subject);
            at.map(|(at, _)| at).collect()
        } else {
            let reached = self.reached[lane].iter();
            reached
                .filter_map(|&after| follow(&script, after, subject))
                .collect()
        };
        // A repeat is an event only if what it repeats belongs to an earlier process generation.
        let covered = |&at: &usize| match script.lines()[at].covered_by {
            Some(by) => shared.first || began_by.is_some_and(|began_by| by >= began_by),
            None => false,
        };
        // Nothing comes twice on one connection, whatever was told in between.
        let again = |&at: &usize| self.seen_upto[lane].is_some_and(|seen| at <= seen);
        let at: Vec<usize> = possible
            .into_iter()
            .filter(|at| !covered(at) && !again(at))
            .collect();
        let (Some(&first), Some(&last)) = (at.first(), at.last()) else {
            return self.explain(kind, subject, &script);
        };
        script.see(subject);
        drop(script);
        if self.reached[lane].is_empty() {
            self.from[lane] = first;
        }
        shared.began_by[lane] = Some(began_by.map_or(last, |began_by| began_by.min(last)));
        self.seen_upto[lane] = Some(first);
        self.reached[lane] = at;
        Ok(())
    }

    /// Why no line of the script can be what came.
    fn explain(&self, kind: Kind, subject: Subject, script: &Script) -> Judged {
        let lane = kind as usize;
        let upto = self.reached[lane].iter().max().copied();
        let upto = upto.or(self.seen_upto[lane]).unwrap_or_default();
        let same = |at: &usize| script.lines()[*at].subject == subject;
        let seen = self.from[lane]..=upto;
        if !(0..script.lines().len()).any(|at| same(&at)) {
            return verdict(Fault::Foreign, "it has not been published");
        }
        if seen.clone().any(|at| same(&at)) {
            return verdict(Fault::SeenTwice, "it came before");
        }
        let newer = |at: usize| {
            let other = script.lines()[at].subject;
            other.number == subject.number && other.rank > subject.rank
        };
        if kind == Kind::Status && seen.clone().any(newer) {
            return verdict(Fault::WentBack, "a higher status came before");
        }
        if (0..upto).any(|at| same(&at)) {
            return verdict(Fault::OutOfOrder, "it was published before the last one");
        }
        let missing: Vec<_> = script.lines()[upto + 1..]
            .iter()
            .take_while(|line| line.subject != subject)
            .filter(|line| line.covered_by.is_none())
            .map(|line| {
                let id = self.conversation.message_id(kind, line.subject.number);
                match kind {
                    Kind::Message => id,
                    Kind::Status => format!("{id} {}", STATUSES[usize::from(line.subject.rank)]),
                }
            })
            .collect();
        let some = &missing[..missing.len().min(5)];
        let detail = format!("{} before it, such as {some:?}", missing.len());
        verdict(Fault::Lost, detail)
    }

    pub(super) fn check_cursors(
        &self,
        kind: Kind,
        subject: Subject,
        meta: &Meta,
        shared: &mut GenerationRecord,
    ) -> Judged {
        let cursor = meta.cursor.as_str();
        let event = (kind, subject, meta.at);
        let known = shared.events.entry(cursor.to_owned()).or_insert(event);
        if *known != event {
            let detail = format!("others have {known:?} at the same cursor");
            return verdict(Fault::Contract, detail);
        }
        let own = || cursor.to_owned();
        let place = shared.cursors.entry((kind, subject)).or_insert_with(own);
        if place != cursor {
            let detail = format!("for others it stands at {place}");
            return verdict(Fault::Contract, detail);
        }
        for place in &self.stands_at {
            let after = shared.after.entry(place.clone());
            let after = after.or_insert_with(|| cursor.to_owned());
            if after != cursor {
                let detail = format!("others have {after} after {place}");
                return verdict(Fault::Lost, detail);
            }
            if shared.events.contains_key(place) {
                let before = shared.before.entry(cursor.to_owned());
                let before = before.or_insert_with(|| place.clone());
                if before != place {
                    let detail = format!("others have {before} before it, not {place}");
                    return verdict(Fault::Lost, detail);
                }
            }
        }
        Ok(())
    }
}

/// The line after `after` at which the subject may come: all between are repeats or stale.
fn follow(script: &Script, after: usize, subject: Subject) -> Option<usize> {
    for (at, line) in script.lines().iter().enumerate().skip(after + 1) {
        if line.subject == subject {
            return Some(at);
        }
        line.covered_by?;
    }
    None
}
