//! What the judge says.

use std::fmt;

/// What is wrong with what a member saw.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) fault: Fault,
    pub(crate) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    Lost,
    SeenTwice,
    OutOfOrder,
    WentBack,
    Foreign,
    /// Told `reset` although everything after its cursor was there.
    NeedlessReset,
    /// Anything else that the contract excludes.
    Contract,
}

impl Fault {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Lost, "lost"),
        (Self::SeenTwice, "seen twice"),
        (Self::OutOfOrder, "out of order"),
        (Self::WentBack, "status went back"),
        (Self::Foreign, "of another conversation"),
        (Self::NeedlessReset, "needless reset"),
        (Self::Contract, "against the contract"),
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(fault, _)| fault == self);
        f.write_str(named.map_or("", |(_, name)| name))
    }
}

pub(super) type Judged<T = ()> = Result<T, Verdict>;

pub(super) fn verdict<T>(fault: Fault, detail: impl Into<String>) -> Judged<T> {
    let detail = detail.into();
    Err(Verdict { fault, detail })
}
