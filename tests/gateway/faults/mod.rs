//! The broker, the network or the gateway fails.

mod broker_connection;
mod broker_process;
mod gateway_process;
