//! How many clients there may be, and what follows from that for connections and descriptors.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::permits::Bounds;

/// How many clients there may be, and how they are distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of Engine.IO sessions: what is counted, since one that polls has many connections.
    pub sessions: Bounds,
    /// How many proxies there are in front, each of which adds to X-Forwarded-For.
    pub proxies: usize,
}

/// Connections that are not a session's: probes, the relay, pages that are being loaded.
const BESIDES: usize = 1024;

/// How many connections a browser has to one host, its sessions besides.
const BROWSER: usize = 8;

/// How many connections the listener for internal calls has. It has its own bound, so that agents
/// cannot take up what the portal and the monitoring need.
const INTERNAL: usize = 1024;

/// Descriptors that are not a client's connection: the broker, the listeners, the runtime.
const OWN_DESCRIPTORS: usize = 64;

impl Limits {
    /// For the public listener of a process that may have so many descriptors. A session that
    /// polls has two connections most of the time. Connections of one address are bounded if
    /// its sessions are, and only where it is a client's and not a proxy's.
    pub fn connections(&self, descriptors: usize) -> Bounds {
        let Bounds { all, address, .. } = self.sessions;
        let wanted = all.saturating_mul(2).saturating_add(BESIDES);
        let available = descriptors.saturating_sub(OWN_DESCRIPTORS + INTERNAL);
        Bounds {
            // However few there are, it is better to run out of them than to serve nobody.
            all: wanted.min(available.max(BESIDES)),
            address: match (address, self.proxies) {
                (0, _) | (_, 1..) => 0,
                (sessions, 0) => sessions.saturating_add(4).saturating_mul(BROWSER),
            },
            rate: 0,
        }
    }

    /// For the listener for internal calls.
    pub const fn internal_connections() -> Bounds {
        Bounds {
            all: INTERNAL,
            address: 0,
            rate: 0,
        }
    }

    /// How many descriptors as many sessions need, each with one connection.
    pub fn descriptors(&self) -> usize {
        let besides = BESIDES + INTERNAL + OWN_DESCRIPTORS;
        self.sessions.all.saturating_add(besides)
    }
}

/// Has the process use as many descriptors as it may (the soft limit, usually 1,024, is a
/// courtesy to programs that use `select`), and says how many that is.
///
/// # Errors
/// As the operating system reports them.
pub fn raise_descriptors() -> io::Result<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if current != maximum {
        setrlimit(Resource::Nofile, raised)?;
    }
    // None: without a limit.
    Ok(maximum.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(all: usize, address: usize, proxies: usize, descriptors: usize) -> Bounds {
        let sessions = Bounds {
            all,
            address,
            rate: 7,
        };
        Limits { sessions, proxies }.connections(descriptors)
    }

    #[test]
    fn connections_are_bounded_by_sessions_and_by_descriptors() {
        assert_eq!(connections(50_000, 0, 0, 1 << 20).all, 101_024);
        assert_eq!(connections(50_000, 0, 0, 20_000).all, 18_912);
        assert_eq!(connections(1, 0, 0, 20_000).all, 1_026);
        assert_eq!(connections(1, 0, 0, 10).all, 1_024);
        assert_eq!(connections(1, 0, 0, 20_000).rate, 0);
    }

    #[test]
    fn connections_of_an_address_are_bounded_only_if_it_is_a_clients() {
        assert_eq!(connections(50_000, 0, 0, 20_000).address, 0);
        assert_eq!(connections(50_000, 10, 0, 20_000).address, 112);
        assert_eq!(connections(50_000, 10, 1, 20_000).address, 0);
    }
}
