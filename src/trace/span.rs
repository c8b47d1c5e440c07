//! A piece of work: a delivery, a call.

use std::fmt::Display;

use super::TraceContext;
use super::export::Recording;

/// A span, which ends when it is dropped. Mostly nobody records it, and it only remembers its cause.
#[derive(Debug)]
pub struct Span {
    cause: Option<TraceContext>,
    recording: Option<Recording>,
}

impl Span {
    /// Begins to work on a queue's delivery.
    pub fn of_delivery(queue: &str, cause: Option<TraceContext>) -> Self {
        let recording = Recording::begin(cause, || Recording::delivery(queue));
        Self { cause, recording }
    }

    /// Begins to answer a request for this route.
    pub fn of_request(method: &str, route: &str, cause: Option<TraceContext>) -> Self {
        let recording = Recording::begin(cause, || Recording::request(method, route));
        Self { cause, recording }
    }

    /// The cause of what this work brings about: the span itself, if it is recorded.
    pub fn context(&self) -> Option<TraceContext> {
        match &self.recording {
            Some(recording) => Some(recording.context()),
            None => self.cause,
        }
    }

    /// Whether what is said about it is heard.
    pub fn is_recorded(&self) -> bool {
        self.recording.is_some()
    }

    /// Says something about it. Never a token, a key or a message's text.
    pub fn set(&mut self, name: &'static str, value: impl Display) {
        if let Some(recording) = &mut self.recording {
            recording.set(name, value.to_string());
        }
    }

    /// The same, of a number.
    pub fn set_number(&mut self, name: &'static str, value: u64) {
        if let Some(recording) = &mut self.recording {
            recording.set(name, i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// It has failed, by a fault of this kind.
    pub fn fail(&mut self, kind: &str) {
        if let Some(recording) = &mut self.recording {
            recording.fail(kind);
        }
    }
}
