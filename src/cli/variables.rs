//! `variables`: the environment variables, by what they belong to.

use std::io::Write as _;

use anyhow::Context as _;

use super::{CommandError, help};
use crate::config::{Variable, variables};

#[derive(Debug, clap::Args)]
#[command(after_help = help::VARIABLES)]
pub(super) struct Args {
    /// As tables, which docs/configuration.md has.
    #[arg(long)]
    markdown: bool,
    /// Only those with this in their name.
    name: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    let part = args.name.as_deref().unwrap_or_default().to_uppercase();
    let matching: Vec<_> = variables()
        .iter()
        .filter(|variable| variable.name.contains(&part))
        .collect();
    if matching.is_empty() {
        let mistake = format!("NAME: no variable has {part} in its name");
        return Err(CommandError::Usage(mistake));
    }
    let text = list(&matching, args.markdown);
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .context("standard output")?;
    output.flush().context("standard output")?;
    Ok(())
}

fn list(variables: &[&Variable], markdown: bool) -> String {
    let mut list = String::new();
    let mut section = "";
    for variable in variables {
        if variable.section != section {
            section = variable.section;
            let gap = if list.is_empty() { "" } else { "\n" };
            list += gap;
            list += &if markdown {
                format!("### {section}\n\n| variable | default | |\n|---|---|---|\n")
            } else {
                format!("{section}\n")
            };
        }
        let Variable { name, default, .. } = variable;
        let text = variable.text.trim();
        let names = match variable.file {
            Some(file) if markdown => format!("`{name}`, `{file}`"),
            Some(file) => format!("{name}, {file}"),
            None if markdown => format!("`{name}`"),
            None => (*name).to_owned(),
        };
        list += &if markdown {
            let default = default.map_or("unset".to_owned(), |default| format!("`{default}`"));
            format!("| {names} | {default} | {text} |\n")
        } else {
            let default = default.map_or(String::new(), |default| format!(" [{default}]"));
            format!("  {names}{default}\n      {}\n", without_links(text))
        };
    }
    list
}

/// A text of which links leave what they say.
fn without_links(text: &str) -> String {
    let mut left = text.to_owned();
    while let Some((before, said, after)) = link(&left) {
        left = format!("{before}{said}{after}");
    }
    left
}

/// The first `[…](…)`: what is before it, what it says, what is behind it.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (begin, rest) = text.split_once("](")?;
    let (before, said) = begin.rsplit_once('[')?;
    let (_, after) = rest.split_once(')')?;
    Some((before, said, after))
}
