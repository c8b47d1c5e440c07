//! Distributed tracing: whose doing an event is, across the programs that it passes through.
//!
//! A delivery's header and a request's header `traceparent` (W3C Trace Context) say which trace they are
//! part of. The log has its id as `trace_id`, and agents get the whole of it as `meta.trace`. Where
//! OpenTelemetry's own variables name a collector, each delivery and each call of the relay is a span,
//! which is exported there by OTLP.
//!
//! Without either, an event costs a look at headers that are mostly not there.

mod context;
#[cfg(feature = "otlp")]
mod export;
#[cfg(not(feature = "otlp"))]
#[path = "no_export.rs"]
mod export;
mod span;

pub use context::TraceContext;
pub use export::{Exporter, start};
pub use span::Span;

/// The name of the header, of deliveries as of requests.
pub const HEADER: &str = "traceparent";

/// What asks for an export, and cannot be had.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct TraceMistake {
    /// The variable.
    pub variable: &'static str,
    /// A sentence without its subject, and without the value, which may hold a key.
    pub reason: String,
}
