//! What may happen next.

use super::reading::Tail;
use super::state::{Action, State};
use super::{Fault, World};

impl World {
    /// What the gateway does by itself.
    pub(super) fn progress(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        for number in [0, 1] {
            let replica = &state.replicas[number];
            let source = &replica.source;
            let mut offer = |is_possible: bool, action| {
                if is_possible {
                    actions.push(action);
                }
            };
            offer(source.is_lost, Action::Notice(number));
            let may_consume = replica.is_ready && !source.consumes && !source.leaves;
            offer(
                may_consume && state.broker.is_free(),
                Action::Consume(number),
            );
            let may_take = !source.leaves && !source.inbox.is_empty();
            offer(may_take, Action::Take(number));
            let is_done = source.acks.waiting() > 0;
            offer(is_done && !source.is_lost, Action::Acknowledge(number));
            let has_finished = source.leaves && source.is_idle();
            offer(has_finished && !source.is_lost, Action::Finish(number));
            offer(replica.tail == Tail::Away, Action::Attach(number));
            offer(state.reads(number), Action::Read(number));
            offer(replica.has_more(), Action::Append(number));
        }
        if let Some(at) = state.client.at {
            let replica = &state.replicas[at];
            if replica.hub.is_behind() {
                match replica.hub.waits(replica.is_current) {
                    false => actions.push(Action::Serve),
                    true if actions.is_empty() => actions.push(Action::GiveUpWaiting),
                    true => {}
                }
            }
        }
        if actions.is_empty() && self.later && state.time == 0 {
            actions.push(Action::Publish);
        }
        actions
    }

    /// What may go wrong.
    pub(super) fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        for kind in self.kinds {
            if matches!(kind, Fault::Rewrite | Fault::Remake) {
                let counts = match kind {
                    Fault::Rewrite => 1..=2,
                    _ => u64::MAX..=u64::MAX,
                };
                actions.extend(counts.map(Action::Crash));
                continue;
            }
            for number in [0, 1] {
                let replica = &state.replicas[number];
                match kind {
                    Fault::Source if replica.source.consumes && !replica.source.is_lost => {
                        actions.push(Action::LoseSource(number));
                    }
                    Fault::Appender if replica.appends => {
                        let mut rest = replica.clone();
                        let more = std::iter::from_fn(|| rest.next()).take(2).count();
                        let all = (0..=more).map(|taken| Action::LoseAppender(number, taken));
                        actions.extend(all);
                    }
                    Fault::Tail if replica.tail != Tail::Away => {
                        actions.push(Action::LoseTail(number));
                    }
                    Fault::Kill => actions.push(Action::Kill(number)),
                    Fault::Leave if replica.source.consumes && !replica.source.leaves => {
                        actions.push(Action::Leave(number));
                    }
                    Fault::Full if state.client.at == Some(number) => {
                        let is_served = replica.hub.is_behind();
                        let waits = replica.hub.waits(replica.is_current);
                        if is_served && !waits {
                            actions.push(Action::ServeFull);
                        }
                        if !is_served && state.reads(number) {
                            actions.push(Action::ReadFull(number));
                        }
                    }
                    Fault::Impatience
                        if state.client.at == Some(number)
                            && replica.hub.is_behind()
                            && replica.hub.waits(replica.is_current) =>
                    {
                        actions.push(Action::GiveUpEarly);
                    }
                    _ => {}
                }
            }
        }
    }
}
