//! agent-gateway carries WhatsApp events from RabbitMQ to support agents' browsers: every event
//! reaches every agent of the conversation once, in order, or the agent gets `reset`.
//!
//! ```text
//!  RabbitMQ queues ─ source::amqp ──┐                                   ┌─ member (socket)
//!                                   ├─ Event ─ Journal ─ Entry ─ Hub ───┼─ member
//!  POST /internal/emit ─ source::relay ─┘                               └─ member
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`source`] | turns bytes into events, and acknowledges only after the journal has them |
//! | [`journal`] | gives events one order and positions |
//! | [`conversation`] | the window of recent events, the members, who gets what |
//! | [`socketio`] | what a session says: namespaces, admission, members' sockets |
//! | [`engineio`] | what carries a session: polls and WebSockets, what waits for a client, limits |
//! | [`auth`] | token in, agent out |
//! | [`broker`] | what every user of RabbitMQ shares: connections, topology, confirms, errors |
//! | [`net`] | accepted connections, HTTP on them, how many there may be |
//! | [`http`] | the relay's endpoint, the probes, the metrics, the widget; which pages may talk to the gateway |
//! | [`config`] | the environment |
//! | [`counter`], [`histogram`], [`throttle`] | counts and durations for the metrics; rate limits for the log |
//! | [`trace`] | where an event comes from and goes to, across programs; its export |
//! | `runtime` | the Tokio runtime, and which thread runs its tasks |
//! | [`gateway`] | puts it all together |
//! | [`cli`] | the commands |
//!
//! Imports run one way: `counter`, `frame`, `histogram`, `lock` and `throttle` import no other, and
//! `trace` imports `throttle`; `conversation` imports only these; `runtime` imports `lock`; `journal`,
//! `socketio` and `source` import `conversation`; `source` and `journal` import `broker`, which
//! imports `runtime`; `source` imports `journal`; `source` and `socketio` do not import each other;
//! `socketio` imports `engineio`, which imports `net`; only `gateway` imports all.

pub mod auth;
pub mod broker;
pub mod cli;
pub mod config;
pub mod conversation;
pub mod counter;
pub mod engineio;
mod frame;
pub mod gateway;
pub mod histogram;
pub mod http;
pub mod journal;
mod lock;
#[cfg(test)]
mod model;
pub mod net;
mod runtime;
pub mod socketio;
pub mod source;
pub mod throttle;
pub mod trace;
