//! A build without OTLP: traces are handed on, and nothing of them is recorded.

use std::convert::Infallible;

use super::{TraceContext, TraceMistake};

/// Nothing.
#[derive(Debug)]
pub struct Exporter(Infallible);

/// Refuses what asks for an export.
///
/// # Errors
/// A collector is named.
pub fn start() -> Result<Option<Exporter>, TraceMistake> {
    let variables = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ];
    let named = |variable: &&str| std::env::var_os(variable).is_some_and(|text| !text.is_empty());
    match variables.into_iter().find(named) {
        None => Ok(None),
        Some(variable) => Err(TraceMistake {
            variable,
            reason: "this build has no export of traces (the feature otlp)".to_owned(),
        }),
    }
}

impl Exporter {
    /// There is none.
    pub async fn stop(self) {
        match self.0 {}
    }
}

/// What nobody records.
#[derive(Debug)]
pub(super) struct Recording(Infallible);

/// What there would be to record.
pub(super) struct Beginning;

impl Recording {
    pub(super) fn begin(
        _cause: Option<TraceContext>,
        _beginning: impl FnOnce() -> Beginning,
    ) -> Option<Self> {
        None
    }

    pub(super) fn delivery(_queue: &str) -> Beginning {
        Beginning
    }

    pub(super) fn request(_method: &str, _route: &str) -> Beginning {
        Beginning
    }

    pub(super) fn context(&self) -> TraceContext {
        match self.0 {}
    }

    pub(super) fn set<T>(&mut self, _name: &'static str, _value: T) {
        match self.0 {}
    }

    pub(super) fn fail(&mut self, _kind: &str) {
        match self.0 {}
    }
}
