//! The log of refused connects.

use std::net::IpAddr;

use tracing::{debug, info};

use super::handshake::ConnectError;
use crate::conversation::Id;
use crate::throttle::Throttle;

/// Logs each at `debug`, and one of each kind every ten seconds at `info`: anybody can connect and
/// be refused.
#[derive(Debug, Default)]
pub(super) struct RefusedConnects(Throttle<ConnectError>);

impl RefusedConnects {
    /// Logs one. `tenant` is the one that was asked for; what is no id could be anything, a
    /// token too, and is not repeated.
    pub(super) fn note(&self, refusal: ConnectError, address: IpAddr, tenant: Option<&Id>) {
        let tenant = tenant.map_or("(none, or no id)", Id::as_str);
        debug!(%refusal, %address, tenant, "connect refused");
        if let Some(connects) = self.0.note(&refusal) {
            info!(%refusal, %address, tenant, connects, "connects are refused, the last of them this one");
        }
    }
}
