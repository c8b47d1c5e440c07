//! Which records are still to be appended, and who waits for their places: a pure step.

use std::collections::BTreeMap;

use super::record::RecordId;

/// The records that were made here and have not been read in the stream; `W` is who waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted<W>(BTreeMap<RecordId, (Purpose, Option<W>)>);

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// The event of a delivery, which comes again when nobody waits any more.
    Delivery,
    /// The event of a call of the relay, which is appended whether somebody waits or not.
    Event,
    /// The same of a disconnect.
    Disconnect,
    /// What the tail needs to find its way in the stream that it reads.
    Notice,
}

impl<W> Default for Wanted<W> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<W> Wanted<W> {
    /// A record was made.
    pub(crate) fn add(&mut self, id: RecordId, purpose: Purpose, waiting: Option<W>) {
        self.0.insert(id, (purpose, waiting));
    }

    /// Whether a record is still to be appended; `waits` says of one who waits whether that is still so.
    pub(crate) fn is_wanted(&mut self, id: RecordId, waits: impl FnOnce(&W) -> bool) -> bool {
        let is_wanted = match self.0.get(&id) {
            None => false,
            Some((Purpose::Delivery, waiting)) => waiting.as_ref().is_some_and(waits),
            Some((Purpose::Event | Purpose::Disconnect | Purpose::Notice, _)) => true,
        };
        if !is_wanted {
            self.0.remove(&id);
        }
        is_wanted
    }

    /// A record was read in the stream: who waits for that, if it is one of these.
    pub(crate) fn read(&mut self, id: RecordId) -> Option<(Purpose, Option<W>)> {
        self.0.remove(&id)
    }

    /// The stream that was read is none any more. Deliveries are to be submitted again, and what its
    /// reader has said counts no more; what the portal has sent is appended once more, though nobody
    /// learns what has become of an event.
    pub(crate) fn give_up(&mut self) {
        self.0.retain(|_, (purpose, waiting)| match purpose {
            Purpose::Delivery | Purpose::Notice => false,
            Purpose::Event => {
                *waiting = None;
                true
            }
            Purpose::Disconnect => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_wanted_as_long_as_somebody_waits_and_other_things_until_they_are_read() {
        let mut wanted = Wanted::default();
        let id = |number: u8| format!("{number:x}").parse().unwrap();
        wanted.add(id(1), Purpose::Delivery, Some(()));
        wanted.add(id(2), Purpose::Event, Some(()));
        wanted.add(id(3), Purpose::Notice, None);
        assert!(
            [1, 2, 3]
                .into_iter()
                .all(|number| wanted.is_wanted(id(number), |()| true))
        );
        assert!(!wanted.is_wanted(id(1), |()| false));
        assert!(wanted.is_wanted(id(2), |()| false));
        wanted.give_up();
        assert!(wanted.is_wanted(id(2), |()| false));
        assert!(!wanted.is_wanted(id(3), |()| true));
        assert_eq!(wanted.read(id(2)), Some((Purpose::Event, None)));
        assert!(!wanted.is_wanted(id(2), |()| true));
    }
}
