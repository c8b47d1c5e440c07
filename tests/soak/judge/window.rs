//! Whether a reset was needed, and whether who begins with the window gets all of it.

use super::heard::{Meta, Millis};
use super::verdict::{Fault, Judged, verdict};
use super::{GenerationRecord, Record};

/// How far two readings of the clock may be apart that are compared.
const SLACK: Millis = 1_000;

/// The cursor of a member that was reset.
#[derive(Debug)]
pub(super) struct GivenUp {
    pub(super) cursor: String,
    /// The first that has followed.
    pub(super) first: Option<String>,
    /// Whether it is known what came before that.
    pub(super) judged: bool,
    /// Whether the replica had waited for the stream in vain: then what the cursor names comes later.
    pub(super) waited: bool,
}

/// A member that has begun with the window.
#[derive(Debug)]
pub(super) struct Begun {
    /// When it was told.
    pub(super) at: Millis,
    /// How many events were to follow.
    pub(super) replaying: usize,
    /// The first that has followed, and whether it was replayed.
    pub(super) first: Option<(String, bool)>,
}

impl Record {
    /// Whether the reset before this event was needed.
    pub(super) fn check_reset(&mut self, meta: &Meta, shared: &GenerationRecord) -> Judged {
        let Some(given_up) = &mut self.given_up else {
            return Ok(());
        };
        if given_up.cursor == meta.cursor {
            // A replica that had not read as far as the cursor may come to it later.
            if given_up.waited && !meta.replayed && shared.kept.is_some() {
                return Ok(());
            }
            return verdict(
                Fault::NeedlessReset,
                "the cursor that it held was still in the window",
            );
        }
        let first = || meta.cursor.clone();
        let first = given_up.first.get_or_insert_with(first);
        if given_up.judged || given_up.waited {
            return Ok(());
        }
        // Somebody else may tell only later.
        let Some(before) = shared.before.get(first) else {
            return Ok(());
        };
        given_up.judged = true;
        if *before == given_up.cursor {
            return verdict(
                Fault::NeedlessReset,
                "what follows is what came after the cursor that it held",
            );
        }
        Ok(())
    }

    /// Whether a member that began with the window has got all of it: unless it is full, only what is too old
    /// may be missing.
    pub(super) fn check_window(&mut self, meta: &Meta, shared: &GenerationRecord) -> Judged {
        let (Some(kept), Some(begun)) = (shared.kept, &mut self.begun) else {
            return Ok(());
        };
        let first = || (meta.cursor.clone(), meta.replayed);
        let (first, is_replayed) = begun.first.get_or_insert_with(first);
        if begun.replaying >= kept.events || *is_replayed != (begun.replaying > 0) {
            return Ok(());
        }
        // Somebody else may tell only later.
        let Some((.., at)) = shared
            .before
            .get(first)
            .and_then(|at| shared.events.get(at))
        else {
            return Ok(());
        };
        let (age, replaying) = (begun.at - at, begun.replaying);
        self.begun = None;
        if age >= kept.age - SLACK {
            return Ok(());
        }
        let fault = match self.given_up {
            Some(_) => Fault::NeedlessReset,
            None => Fault::Lost,
        };
        let detail =
            format!("{replaying} events follow, and not the one before them, of {age} ms ago");
        verdict(fault, detail)
    }
}
