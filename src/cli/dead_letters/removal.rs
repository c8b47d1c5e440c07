//! `dead-letters retry` and `drop`.
//!
//! A letter leaves the queue when the broker has confirmed it in the other one, so that nothing is lost
//! whenever this ends. One that was confirmed and not yet taken out is sent back again by the next
//! call: the gateway knows a messageId that it has had.

use std::io::Write as _;

use anyhow::{Context as _, anyhow};
use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::progress::Progress;
use super::selection::Which;
use super::summary::Summary;
use super::{CommandError, open};
use crate::broker::PublishError;
use crate::config::Config;
use crate::journal;
use crate::source::amqp::{DeadLetterQueue, Letter};

/// What becomes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    Retry,
    Drop,
}

impl Removal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "sent back",
            Self::Drop => "dropped",
        }
    }
}

/// What has become of those that were selected.
#[derive(Debug, Default)]
struct Tally {
    removed: u32,
    kept: u32,
}

/// Whoever wants it to end.
struct Interruption(Signal, Signal);

impl Interruption {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(
            signal(SignalKind::terminate()).context("SIGTERM")?,
            signal(SignalKind::interrupt()).context("SIGINT")?,
        ))
    }

    fn has_come(&mut self) -> bool {
        [&mut self.0, &mut self.1]
            .into_iter()
            .any(|signal| signal.recv().now_or_never().is_some())
    }
}

pub(super) async fn run(
    config: &Config,
    which: &Which,
    removal: Removal,
) -> Result<(), CommandError> {
    let mut interruption = Interruption::new()?;
    let queue = open(config).await?;
    let mut tally = Tally::default();
    let ended = remove_all(
        config,
        which,
        removal,
        &queue,
        &mut tally,
        &mut interruption,
    )
    .await;
    let closed = queue.close().await;
    let Tally { removed, kept } = tally;
    let done = match which.dry_run {
        true => "would be ".to_owned() + removal.as_str(),
        false => removal.as_str().to_owned(),
    };
    let mut output = std::io::stdout().lock();
    writeln!(output, "{removed} {done}, {kept} kept").context("standard output")?;
    output.flush().context("standard output")?;
    let interrupted = ended?;
    closed.map_err(anyhow::Error::from)?;
    if interrupted {
        return Err(anyhow!("interrupted: the rest is where it was").into());
    }
    if removed + kept == 0 && !which.filter.message_ids().is_empty() {
        let ids = which.filter.message_ids().join(", ");
        return Err(anyhow!("no dead letter has the messageId {ids}").into());
    }
    if kept > 0 {
        return Err(anyhow!("some letters were kept, for the reasons above").into());
    }
    Ok(())
}

/// Goes through the letters that are there at the beginning: whether it was interrupted. Those that
/// come meanwhile, such as a letter that is refused again, are the next call's.
async fn remove_all(
    config: &Config,
    which: &Which,
    removal: Removal,
    queue: &DeadLetterQueue,
    tally: &mut Tally,
    interruption: &mut Interruption,
) -> anyhow::Result<bool> {
    let mut next = queue.next().await?;
    let depth = next.as_ref().map_or(0, |letter| letter.behind() + 1);
    let mut progress = Progress::new(depth);
    let mut taken = 1;
    while let Some(letter) = next {
        if interruption.has_come() {
            return Ok(true);
        }
        let handled = handle(config, which, removal, queue, &letter, tally, &mut progress);
        // The next one is asked for while the broker confirms this one.
        let following = async {
            match taken < depth {
                true => queue.next().await,
                false => Ok(None),
            }
        };
        let (handled, following) = tokio::join!(handled, following);
        handled?;
        next = following?;
        taken += 1;
    }
    Ok(false)
}

/// Does with a letter what is to be done with it.
async fn handle(
    config: &Config,
    which: &Which,
    removal: Removal,
    queue: &DeadLetterQueue,
    letter: &Letter,
    tally: &mut Tally,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let summary = Summary::new(config, letter);
    progress.step();
    if !which.filter.lets_through(&summary) {
        return leave(queue, letter).await;
    }
    let obstacle = match removal {
        Removal::Retry => obstacle(config, letter),
        Removal::Drop => None,
    };
    let kept = match obstacle {
        Some(reason) => Some(reason),
        None if which.dry_run => None,
        None => remove(queue, letter, removal).await?,
    };
    if let Some(reason) = kept {
        progress.wipe();
        eprintln!("agent-gateway: kept: {reason}: {}", summary.line());
        tally.kept += 1;
        return leave(queue, letter).await;
    }
    tally.removed += 1;
    if which.dry_run {
        progress.wipe();
        println!("{}", summary.line());
        return leave(queue, letter).await;
    }
    Ok(())
}

/// Why a letter cannot go back.
fn obstacle(config: &Config, letter: &Letter) -> Option<String> {
    let Some(queue) = letter.queue() else {
        return Some("no header says which queue it came from".to_owned());
    };
    // Headers are whoever's who has published it.
    let is_journal = match &config.journal {
        journal::Settings::Stream(stream) => stream.stream == queue,
        journal::Settings::Memory => false,
    };
    if queue == config.amqp.dead_letter_queue || is_journal {
        return Some(format!(
            "it says that it came from {queue}, where nothing is delivered from"
        ));
    }
    None
}

/// Removes it; a reason: it has to stay, and others need not.
async fn remove(
    queue: &DeadLetterQueue,
    letter: &Letter,
    removal: Removal,
) -> anyhow::Result<Option<String>> {
    match removal {
        Removal::Drop => queue.remove(letter).await?,
        Removal::Retry => match queue.send_back(letter).await {
            Ok(()) => {}
            Err(PublishError::Unroutable { routing_key, .. }) => {
                return Ok(Some(format!("there is no queue {routing_key}")));
            }
            Err(error) => return Err(error).context("a letter cannot be sent back"),
        },
    }
    Ok(None)
}

async fn leave(queue: &DeadLetterQueue, letter: &Letter) -> anyhow::Result<()> {
    queue
        .leave(letter)
        .await
        .context("a letter that was looked at often cannot be given another place")
}
