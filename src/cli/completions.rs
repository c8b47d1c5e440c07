//! `completions`: the script by which a shell completes commands and options.

use std::io::Write as _;

use anyhow::Context as _;
use clap_complete::Shell;

use super::{CommandError, NAME, help};

#[derive(Debug, clap::Args)]
#[command(after_help = help::COMPLETIONS)]
pub(super) struct Args {
    /// The shell that is to read it.
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    // The generator panics where it cannot write, and whoever pipes it into `head` has done nothing wrong.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), NAME, &mut script);
    let mut output = std::io::stdout().lock();
    output.write_all(&script).context("standard output")?;
    output.flush().context("standard output")?;
    Ok(())
}
