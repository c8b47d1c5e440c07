//! What is measured.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// A load with a name by which it is chosen.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) load: Load,
}

/// What a server has to do. Sockets are spread over the rooms evenly.
#[derive(Debug, Clone)]
pub(crate) enum Load {
    /// Messages through the broker, to one room after the other, at a rate.
    Rate { rooms: Rooms, rate: u32, span: Span },
    /// Messages that wait in the queue already; the first `warm` are not measured.
    Drain {
        rooms: Rooms,
        warm: u32,
        messages: u32,
    },
    /// Messages to one room as fast as they can be published, again and again.
    Bursts {
        members: u32,
        size: u32,
        warm: u32,
        bursts: u32,
    },
    /// Requests to the relay, over each connection as soon as the one before is answered.
    Relay {
        rooms: Rooms,
        connections: u32,
        span: Span,
    },
    /// Sockets that connect and join, as many at a time as [`Crowd`](crate::crowd::Crowd) lets.
    Connects { warm: u32, sockets: u32 },
    /// Sockets to which nothing happens.
    Idle {
        warm: u32,
        sockets: u32,
        settle: Duration,
    },
}

/// Rooms, and the sockets in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rooms {
    pub(crate) rooms: u32,
    pub(crate) members: u32,
}

/// How long a load at a rate lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Before anything is measured.
    pub(crate) warm: Duration,
    pub(crate) measured: Duration,
}

/// Many conversations, each with two agents who look at it.
const PAIRS: Rooms = Rooms {
    rooms: 500,
    members: 2,
};

impl Scenario {
    /// All of them, or a shorter form of each.
    pub(crate) fn all(quick: bool) -> Vec<Self> {
        let shorter = |full: u32, short: u32| if quick { short } else { full };
        let room_of = |members| Rooms { rooms: 1, members };
        let span = Span::new(quick);
        let rate = |rooms, rate| Load::Rate { rooms, rate, span };
        [
            ("rooms-1000", rate(PAIRS, 1_000)),
            ("rooms-4000", rate(PAIRS, 4_000)),
            (
                "drain",
                Load::Drain {
                    rooms: PAIRS,
                    warm: shorter(10_000, 5_000),
                    messages: shorter(100_000, 20_000),
                },
            ),
            ("room-of-1000", rate(room_of(1_000), 50)),
            ("room-of-5000", rate(room_of(5_000), 10)),
            (
                "bursts",
                Load::Bursts {
                    members: 500,
                    size: 500,
                    warm: 1,
                    bursts: shorter(6, 2),
                },
            ),
            (
                "relay",
                Load::Relay {
                    rooms: PAIRS,
                    connections: 16,
                    span,
                },
            ),
            (
                "connects",
                Load::Connects {
                    warm: shorter(1_000, 500),
                    sockets: shorter(5_000, 1_500),
                },
            ),
            (
                "idle",
                Load::Idle {
                    warm: 500,
                    sockets: shorter(10_000, 3_000),
                    settle: Duration::from_secs(shorter(5, 2).into()),
                },
            ),
        ]
        .map(|(name, load)| Self {
            name: name.to_owned(),
            load,
        })
        .into()
    }

    /// The scenario of this name; or one at a rate, named `500x2@1000`: rooms, sockets in each,
    /// messages a second.
    pub(crate) fn named(name: &str, quick: bool) -> anyhow::Result<Self> {
        let all = Self::all(quick);
        if let Some(known) = all.iter().find(|scenario| scenario.name == name) {
            return Ok(known.clone());
        }
        let names: Vec<_> = all.iter().map(|known| known.name.as_str()).collect();
        let (rooms, rate) = parse_rate(name).with_context(|| {
            format!(
                "SCENARIOS: {name:?} is none of {}, and not of the form 500x2@1000",
                names.join(", ")
            )
        })?;
        ensure!(
            rooms.rooms > 0 && rooms.members > 0 && (1..=1_000_000).contains(&rate),
            "SCENARIOS: {name:?} has no rooms, no sockets or an impossible rate"
        );
        Ok(Self {
            name: name.to_owned(),
            load: Load::Rate {
                rooms,
                rate,
                span: Span::new(quick),
            },
        })
    }
}

fn parse_rate(name: &str) -> Option<(Rooms, u32)> {
    let (rooms, rate) = name.split_once('@')?;
    let (rooms, members) = rooms.split_once('x')?;
    let rooms = Rooms {
        rooms: rooms.parse().ok()?,
        members: members.parse().ok()?,
    };
    Some((rooms, rate.parse().ok()?))
}

impl Span {
    fn new(quick: bool) -> Self {
        let (warm, measured) = if quick { (1, 3) } else { (3, 10) };
        Self {
            warm: Duration::from_secs(warm),
            measured: Duration::from_secs(measured),
        }
    }
}

impl Load {
    /// How many sockets it needs.
    pub(crate) fn sockets(&self) -> u32 {
        match *self {
            Self::Rate { rooms, .. } | Self::Drain { rooms, .. } | Self::Relay { rooms, .. } => {
                rooms.sockets()
            }
            Self::Bursts { members, .. } => members,
            Self::Connects { warm, sockets } | Self::Idle { warm, sockets, .. } => warm + sockets,
        }
    }

    /// Of what the cost is.
    pub(crate) fn unit(&self) -> &'static str {
        match self {
            Self::Connects { .. } => "µs a connect",
            Self::Idle { .. } => "KiB a connection",
            _ => "µs an event",
        }
    }
}

impl Rooms {
    /// How many sockets are in them.
    pub(crate) fn sockets(self) -> u32 {
        self.rooms.saturating_mul(self.members)
    }
}

impl fmt::Display for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rooms {
            1 => write!(f, "one room of {}", grouped(self.members)),
            rooms => write!(f, "{} rooms of {}", grouped(rooms), grouped(self.members)),
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate { rooms, rate, .. } => write!(f, "{rooms}, {} msg/s", grouped(*rate)),
            Self::Drain {
                rooms, messages, ..
            } => write!(f, "drain {} messages into {rooms}", grouped(*messages)),
            Self::Bursts { members, size, .. } => {
                write!(f, "bursts of {size} into one room of {members}")
            }
            Self::Relay {
                rooms, connections, ..
            } => write!(f, "relay, {rooms}, {connections} connections"),
            Self::Connects { sockets, .. } => {
                write!(f, "{} authenticated connects and joins", grouped(*sockets))
            }
            Self::Idle { sockets, .. } => write!(f, "{} idle connections", grouped(*sockets)),
        }
    }
}

/// A number as people read it: 10,000.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_have_names_that_find_them() {
        for quick in [false, true] {
            for scenario in Scenario::all(quick) {
                let found = Scenario::named(&scenario.name, quick).unwrap();
                assert_eq!(found.load.to_string(), scenario.load.to_string());
            }
        }
    }

    #[test]
    fn a_rate_can_be_chosen_freely() {
        let scenario = Scenario::named("1500x4@250", true).unwrap();
        assert_eq!(scenario.load.to_string(), "1,500 rooms of 4, 250 msg/s");
        assert_eq!(scenario.load.sockets(), 6_000);
    }

    #[test]
    fn what_is_no_scenario_is_an_error_that_says_what_there_is() {
        for name in ["drains", "500x2", "0x2@1", "1x0@1", "1x1@0", "1x1@x"] {
            let error = format!("{:#}", Scenario::named(name, false).unwrap_err());
            assert!(error.starts_with("SCENARIOS: "), "{error}");
            assert!(error.contains(name), "{error}");
        }
    }
}
