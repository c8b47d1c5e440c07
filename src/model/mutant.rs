//! Faults in the gateway that are put in, to see that they are found.

/// A fault in the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// The consumer is cancelled before what it has in hand is done and its channel closed.
    CancelsFirst,
    /// A delivery is acknowledged when it was submitted.
    AcknowledgesEarly,
    /// What was not confirmed is forgotten with the connection.
    NothingAgain,
    /// What the tail needs is appended only once.
    NoticesOnce,
    /// Positions are counted by each replica.
    LocalPositions,
    /// When something was accepted is when it was read.
    LocalClock,
    /// A tail goes on without a look at what it has read last.
    NoVerification,
    /// A cursor is taken for what it says.
    NoMarks,
    /// It is also taken from another life of the stream.
    NoMarksAndEpochs,
}
