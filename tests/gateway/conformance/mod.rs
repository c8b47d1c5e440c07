//! What the protocols ask of a server, clause by clause, each as bytes on the wire: Engine.IO 4
//! (<https://socket.io/docs/v4/engine-io-protocol/>) and, on top of it, Socket.IO 5
//! (<https://socket.io/docs/v4/socket-io-protocol/>).
//!
//! Where the gateway is stricter, the clause is tested in the form that is left: a CONNECT without a
//! token is rejected, `refresh_token` is the only event of a client that is processed, and its other
//! packets are ignored.

mod close;
mod connect;
mod disconnect;
mod events;
mod handshake;
mod heartbeat;
mod invalid;
mod old_clients;
mod polling;
mod upgrade;
mod websocket;
mod wire;

use crate::harness::{Broker, TestGateway};

/// As the protocols' own test suites want it.
const SHORT_HEARTBEAT: [(&str, &str); 2] =
    [("PING_INTERVAL_MS", "300"), ("PING_TIMEOUT_MS", "200")];

/// Pings soon, and waits for as long as a busy machine may take to answer.
const LONG_PING_TIMEOUT: [(&str, &str); 2] =
    [("PING_INTERVAL_MS", "300"), ("PING_TIMEOUT_MS", "600000")];

/// Does not ping: whatever comes is the answer to something.
const NO_PINGS: [(&str, &str); 1] = [("PING_INTERVAL_MS", "600000")];

async fn start(variables: &[(&str, &str)]) -> (Broker, TestGateway) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, variables).await;
    (broker, gateway)
}
