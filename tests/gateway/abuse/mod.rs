//! Input of attackers, and the limits that bound what they can take.

mod client_packets;
mod connection_limits;
mod flood;
mod hostile_input;
mod memory_bounds;
mod slow_requests;
mod tenant_isolation;
