//! How a part of the broker's side is doing, for the readiness probe and for monitoring.

/// One part of the broker's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It has not been tried yet.
    Starting,
    /// It works.
    Up,
    /// It does not, for this reason.
    Down(String),
}
