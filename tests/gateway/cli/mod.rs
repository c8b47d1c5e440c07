//! The command line.

mod commands;
mod help;
mod mapping_commands;
mod service_manager;
mod version;
