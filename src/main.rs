//! Parses the command and runs it. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent_gateway::cli::main()
}
