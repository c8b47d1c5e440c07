//! The choice between `resumed` and `reset`, and what follows: a pure step.

use super::cursor::Position;
use super::member::Resume;
use super::window::Window;

/// What a joining member asks for, as far as its cursor could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It has no cursor. `replay`: whether the window is to be sent.
    Fresh {
        /// Whether the client wants the window.
        replay: bool,
    },
    /// To go on after this position.
    After(Position),
    /// To go on from where this journal has never been.
    Unknown,
}

/// Where a member begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// How much it can rely on having.
    pub resume: Resume,
    /// The entries after this position follow.
    pub after: Position,
    /// Where it stands once those have come that are there now.
    pub newest: Position,
}

impl Beginning {
    /// The beginning of a member that asks for this, of a conversation with this window, when the
    /// journal's newest entry is at `head`; `events` is how many entries are replayed at most.
    pub fn of(asked: Asked, window: &Window, head: Position, events: usize) -> Self {
        let newest = match window.entries().len() {
            // Nothing of this conversation comes between here and the journal's newest, and the
            // newer a cursor is, the longer it is good.
            0 => head.max(window.newest()),
            _ => window.newest(),
        };
        let replay_start = window.replay_start(events).min(newest);
        let (resume, after) = match asked {
            Asked::Fresh { replay: true } => (Resume::Fresh, replay_start),
            Asked::Fresh { replay: false } => (Resume::Fresh, newest),
            Asked::After(position) if window.reaches_back_to(position) && position <= head => {
                (Resume::Resumed, position)
            }
            Asked::After(_) | Asked::Unknown => (Resume::Reset, replay_start),
        };
        Self {
            resume,
            after,
            newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_window_resumes_from_its_floor_to_the_head_and_no_further() {
        let window = Window::new(Position(5));
        let begin = |asked| Beginning::of(asked, &window, Position(9), 10);
        for (position, resume) in [
            (4, Resume::Reset),
            (5, Resume::Resumed),
            (9, Resume::Resumed),
            (10, Resume::Reset),
        ] {
            let beginning = begin(Asked::After(Position(position)));
            assert_eq!(beginning.resume, resume, "{position}");
            assert_eq!(beginning.newest, Position(9));
        }
        assert_eq!(begin(Asked::Unknown).resume, Resume::Reset);
        let fresh = begin(Asked::Fresh { replay: false });
        assert_eq!((fresh.resume, fresh.after), (Resume::Fresh, Position(9)));
    }
}
