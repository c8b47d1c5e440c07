//! What has to be so.

use stateright::Property;

use super::World;
use super::broker::new_events;
use super::record::Stored;
use super::state::State;

/// A member gets each new event once, in order, or is told; and replicas call the same a repeat, and
/// have the same entries at the same positions.
pub(super) const TOLD: &str = "once, in order, or told";
pub(super) const AGREE: &str = "replicas that are current agree with the stream";
pub(super) const ORDER: &str = "the stream has the queue's order";
pub(super) const ACKNOWLEDGED: &str = "what was acknowledged is in the stream";
/// Where nothing more happens, nothing is missing.
pub(super) const COMPLETE: &str = "everything comes to its end";

/// Each of them.
pub(super) fn all() -> Vec<Property<World>> {
    vec![
        Property::always(TOLD, |_, state: &State| state.wrong.is_none()),
        Property::always(AGREE, |_, state: &State| {
            let stream = &state.broker.stream;
            let agrees = |(offset, stored): &(u64, Stored)| stream.at(*offset) == Some(*stored);
            let current = state.replicas.iter().filter(|replica| replica.is_current);
            current.flat_map(|replica| &replica.hub.read).all(agrees)
        }),
        Property::always(ORDER, |_, state: &State| {
            let stream = &state.broker.stream;
            let news = new_events(&stream.before(stream.end()));
            let first = news.iter().filter(|(_, stored)| stored.time == 0);
            first.map(|(_, stored)| stored.message).is_sorted()
        }),
        Property::always(ACKNOWLEDGED, |_, state: &State| {
            state.broker.acknowledged & !(state.appended() | state.broker.lost) == 0
        }),
        Property::always(COMPLETE, |world: &World, state: &State| {
            state.wrong.is_some() || !world.progress(state).is_empty() || is_complete(state)
        }),
    ]
}

/// Whether everything has come to a good end.
fn is_complete(state: &State) -> bool {
    let stream = &state.broker.stream;
    let news = new_events(&stream.before(stream.end()));
    let are_current = state.replicas.iter().all(|replica| replica.is_current);
    let has_all = state.client.at.is_none_or(|_| {
        let last = news.last().map(|(offset, _)| *offset);
        state.client.has.map(|(offset, _)| offset) >= last
    });
    state.broker.is_drained() && are_current && has_all
}
