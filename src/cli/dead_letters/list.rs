//! `dead-letters list`.

use std::io::Write as _;

use anyhow::Context as _;

use super::progress::Progress;
use super::selection::Filter;
use super::summary::Summary;
use super::{CommandError, open};
use crate::config::Config;

pub(super) async fn run(
    config: &Config,
    limit: usize,
    json: bool,
    filter: &Filter,
) -> Result<(), CommandError> {
    let queue = open(config).await?;
    let mut listed = Vec::new();
    let mut next = queue.next().await.map_err(anyhow::Error::from)?;
    // Those that are there now: copies that take a letter's place come behind them.
    let depth = next.as_ref().map_or(0, |letter| letter.behind() + 1);
    let mut progress = Progress::new(depth);
    let (mut seen, mut unseen) = (0, depth);
    while let Some(letter) = next {
        seen += 1;
        if listed.len() < limit {
            let summary = Summary::new(config, &letter);
            if filter.lets_through(&summary) {
                listed.push(summary);
            }
            unseen = depth.saturating_sub(seen);
        }
        queue
            .leave(&letter)
            .await
            .context("a letter that was looked at often cannot be given another place")?;
        progress.step();
        let keeps_order = queue.must_go_on_behind(&letter);
        next = match seen < depth && (listed.len() < limit || keeps_order) {
            true => queue.next().await.map_err(anyhow::Error::from)?,
            false => None,
        };
    }
    drop(progress);
    let name = queue.name().to_owned();
    queue.close().await.map_err(anyhow::Error::from)?;
    print(&listed, json).context("standard output")?;
    if !json {
        let shown = listed.len();
        eprintln!("agent-gateway: {shown} shown, {unseen} more behind them in {name}");
    }
    Ok(())
}

fn print(listed: &[Summary], json: bool) -> std::io::Result<()> {
    let mut text = String::new();
    if json {
        let mut letters = Vec::with_capacity(listed.len());
        for letter in listed {
            letters.push(serde_json::to_string(letter)?);
        }
        // An element a line.
        text = match letters.is_empty() {
            true => "[]\n".to_owned(),
            false => format!("[\n{}\n]\n", letters.join(",\n")),
        };
    } else {
        for letter in listed {
            text += &letter.line();
            text.push('\n');
        }
    }
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}
