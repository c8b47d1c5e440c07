//! How far a command is, for whoever watches it on a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Between two pictures of the bar.
const INTERVAL: Duration = Duration::from_millis(100);

/// How wide the bar is, in characters.
const WIDTH: u32 = 30;

/// A bar on standard error, if that is a terminal.
pub(super) struct Progress {
    all: u32,
    done: u32,
    drawn_at: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new(all: u32) -> Self {
        Self {
            all,
            done: 0,
            drawn_at: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// One more is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        if !self.is_terminal || self.drawn_at.is_some_and(|at| at.elapsed() < INTERVAL) {
            return;
        }
        self.drawn_at = Some(Instant::now());
        let filled = u64::from(WIDTH) * u64::from(self.done) / u64::from(self.all.max(1));
        let bar: String = (0..u64::from(WIDTH))
            .map(|place| if place < filled { '#' } else { '.' })
            .collect();
        let (done, all) = (self.done, self.all);
        let mut terminal = std::io::stderr().lock();
        write!(terminal, "\r[{bar}] {done} of {all}").ok();
        terminal.flush().ok();
    }

    /// Wipes it, so that what is printed next stands alone.
    pub(super) fn wipe(&mut self) {
        if self.drawn_at.take().is_some() {
            let mut terminal = std::io::stderr().lock();
            write!(terminal, "\r\x1b[K").ok();
            terminal.flush().ok();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}
