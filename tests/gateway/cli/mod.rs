//! The command line.

mod commands;
mod mapping_commands;
