//! What `check` and `doctor` have found, step by step: as lines or as JSON.

use std::io::Write as _;

use anyhow::{Context as _, anyhow};
use serde::Serialize;

use super::CommandError;

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// The gateway works with it.
    Warning,
    /// It does not work.
    Failed,
    /// A step before it has failed.
    NotReached,
    /// It cannot be seen, or does not apply.
    NotLookedAt,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotReached => "not reached",
            Self::NotLookedAt => "not looked at",
        }
    }
}

#[derive(Debug, Serialize)]
struct Step {
    /// Where `/readyz` has a check for the same, it is called the same.
    step: &'static str,
    state: State,
    detail: String,
}

/// The steps, in their order.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Step>);

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    steps: &'a [Step],
}

impl Report {
    pub(super) fn add(&mut self, step: &'static str, state: State, detail: impl Into<String>) {
        self.0.push(Step {
            step,
            state,
            detail: detail.into(),
        });
    }

    pub(super) fn not_reached(&mut self, step: &'static str) {
        self.add(step, State::NotReached, "a step before it has failed");
    }

    /// Prints it; an error when a step has failed.
    pub(super) fn print(&self, json: bool) -> Result<(), CommandError> {
        let failed = self.0.iter().filter(|step| step.state == State::Failed);
        let failed = failed.count();
        let mut text = if json {
            let document = Document {
                ok: failed == 0,
                steps: &self.0,
            };
            serde_json::to_string_pretty(&document).context("the report")?
        } else {
            self.lines().join("\n")
        };
        text.push('\n');
        let mut output = std::io::stdout().lock();
        output
            .write_all(text.as_bytes())
            .context("standard output")?;
        output.flush().context("standard output")?;
        match failed {
            0 => Ok(()),
            1 => Err(anyhow!("one step failed").into()),
            several => Err(anyhow!("{several} steps failed").into()),
        }
    }

    fn lines(&self) -> Vec<String> {
        let steps = self.0.iter();
        let line = |step: &Step| {
            let (state, name) = (step.state.as_str(), step.step.replace('_', " "));
            format!("{state:13}  {name:17}  {}", step.detail)
        };
        steps.map(line).collect()
    }
}
