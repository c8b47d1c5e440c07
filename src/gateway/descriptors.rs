//! Whether there are descriptors enough for the connections that there may be.

use tracing::{debug, warn};

use crate::config::Config;
use crate::net::raise_descriptors;

/// Below this many sessions, a warning is logged, also when MAX_CONNECTIONS is not set.
const FEW_SESSIONS: usize = 1_000;

/// How many descriptors the process may have. A warning is logged if they are too few for
/// MAX_CONNECTIONS; few installations need as many as its default.
pub(super) fn descriptors(config: &Config) -> usize {
    let limits = &config.socket.limits;
    let needed = limits.descriptors();
    match raise_descriptors() {
        Ok(available) => {
            let sessions = limits
                .sessions
                .all
                .saturating_sub(needed.saturating_sub(available));
            if available >= needed {
                debug!(available, needed, "there are descriptors enough");
            } else if config.explicit_max_connections || sessions < FEW_SESSIONS {
                warn!(
                    available,
                    needed,
                    sessions,
                    "the process may have too few descriptors for MAX_CONNECTIONS: raise the limit to \
                     what is needed (ulimit -n; LimitNOFILE= in a systemd unit; ulimits: nofile in \
                     Compose), or set MAX_CONNECTIONS to the sessions that there is room for"
                );
            } else {
                debug!(
                    available,
                    needed, sessions, "descriptors bound the number of sessions"
                );
            }
            available
        }
        Err(error) => {
            warn!(%error, "the limit of descriptors stays as it is");
            usize::MAX
        }
    }
}
