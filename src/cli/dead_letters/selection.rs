//! Which letters a command is about.

use super::summary::Summary;

/// What a letter must be; all of it counts.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Filter {
    /// Only those with this messageId; may be repeated. The one in the body counts, and the AMQP
    /// property message-id.
    #[arg(long)]
    message_id: Vec<String>,
    /// Only those with this reason, such as invalid_event or delivery_limit.
    #[arg(long)]
    reason: Option<String>,
    /// Only those that came from this queue.
    #[arg(long)]
    queue: Option<String>,
}

/// The letters that are to leave the queue.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["all", "message_id"])))]
pub(in crate::cli) struct Which {
    /// All that the filters let through.
    #[arg(long)]
    all: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten, next_help_heading = "Filters")]
    pub(super) filter: Filter,
}

impl Filter {
    pub(super) fn lets_through(&self, letter: &Summary) -> bool {
        let is_named = self.message_id.is_empty()
            || letter
                .message_ids()
                .any(|id| self.message_id.iter().any(|wanted| wanted == id));
        let is_equal = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        is_named
            && is_equal(&self.reason, &letter.reason)
            && is_equal(&self.queue, letter.queue.as_deref().unwrap_or_default())
    }

    /// The messageIds that are asked for.
    pub(super) fn message_ids(&self) -> &[String] {
        &self.message_id
    }
}
