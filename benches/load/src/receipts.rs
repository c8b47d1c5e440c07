//! What one socket has received of its room.

use std::ops::{AddAssign, Range};

/// The numbers of a room's messages, as they come.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    /// The number after the greatest that has come.
    next: u32,
    /// Numbers before that which have not come, in ascending order.
    gaps: Vec<Range<u32>>,
    repeated: u64,
    disordered: u64,
}

/// What went wrong, in events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Did not come.
    pub(crate) missing: u64,
    /// Came again.
    pub(crate) repeated: u64,
    /// Came after a later one.
    pub(crate) disordered: u64,
}

impl Receipts {
    /// The message of this number has come.
    pub(crate) fn note(&mut self, sequence: u32) {
        if sequence >= self.next {
            if sequence > self.next {
                self.gaps.push(self.next..sequence);
            }
            self.next = sequence + 1;
        } else if self.fill(sequence) {
            self.disordered += 1;
        } else {
            self.repeated += 1;
        }
    }

    /// Whether the number had been left out.
    fn fill(&mut self, sequence: u32) -> bool {
        let Some(at) = self.gaps.iter().position(|gap| gap.contains(&sequence)) else {
            return false;
        };
        let gap = self.gaps[at].clone();
        let parts = [gap.start..sequence, sequence + 1..gap.end];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        self.gaps.splice(at..=at, parts);
        true
    }

    /// What went wrong, of a room in which so many have been published.
    pub(crate) fn faults(&self, published: u32) -> Faults {
        let skipped: u64 = self.gaps.iter().map(|gap| gap.len() as u64).sum();
        Faults {
            missing: skipped + u64::from(published.saturating_sub(self.next)),
            repeated: self.repeated,
            disordered: self.disordered,
        }
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.missing += other.missing;
        self.repeated += other.repeated;
        self.disordered += other.disordered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(sequences: &[u32], published: u32) -> Faults {
        let mut receipts = Receipts::default();
        for &sequence in sequences {
            receipts.note(sequence);
        }
        receipts.faults(published)
    }

    fn expected(missing: u64, repeated: u64, disordered: u64) -> Faults {
        Faults {
            missing,
            repeated,
            disordered,
        }
    }

    #[test]
    fn what_comes_in_order_is_without_fault() {
        assert_eq!(faults(&[0, 1, 2, 3], 4), expected(0, 0, 0));
        assert_eq!(faults(&[], 0), expected(0, 0, 0));
    }

    #[test]
    fn what_does_not_come_is_missing_wherever_it_was() {
        assert_eq!(faults(&[2, 3, 6], 9), expected(6, 0, 0));
        assert_eq!(faults(&[], 3), expected(3, 0, 0));
    }

    #[test]
    fn what_comes_again_is_repeated() {
        assert_eq!(faults(&[0, 1, 1, 0], 2), expected(0, 2, 0));
    }

    #[test]
    fn what_comes_late_is_disordered_and_not_missing() {
        assert_eq!(faults(&[0, 4, 2, 1, 3], 5), expected(0, 0, 3));
        assert_eq!(faults(&[0, 4, 2, 2], 5), expected(2, 1, 1));
    }
}
