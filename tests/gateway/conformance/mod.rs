//! What the protocols ask of a server, clause by clause, each as bytes on the wire: Engine.IO 4
//! (<https://socket.io/docs/v4/engine-io-protocol/>) and, on top of it, Socket.IO 5
//! (<https://socket.io/docs/v4/socket-io-protocol/>).
//!
//! Where the gateway asks for more, the clause stands in the form that is left: nobody is let in
//! without a token, events of clients are heard in one case only, and what else they may say
//! without meaning anything here is let go by.

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
const QUICK: [(&str, &str); 2] = [("PING_INTERVAL_MS", "300"), ("PING_TIMEOUT_MS", "200")];

/// Pings soon, and waits for as long as a busy machine may take to answer.
const PATIENT: [(&str, &str); 2] = [("PING_INTERVAL_MS", "300"), ("PING_TIMEOUT_MS", "600000")];

/// Does not ping: whatever comes is the answer to something.
const SILENT: [(&str, &str); 1] = [("PING_INTERVAL_MS", "600000")];

async fn start(variables: &[(&str, &str)]) -> (Broker, TestGateway) {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, variables).await;
    (broker, gateway)
}
