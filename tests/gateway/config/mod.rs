//! Configuration: environment, files, reload, and what is logged.

mod environment;
mod log_redaction;
mod reload;
