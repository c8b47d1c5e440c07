//! The probes: `/healthz` (can the process serve?) and `/readyz` (should traffic come here?).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::broker::Check;

/// The phases of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ProcessPhase {
    /// Not everything runs yet.
    Starting,
    /// It serves.
    Serving,
    /// It finishes what it has in hand.
    Draining,
}

/// The phase, shared.
#[derive(Debug)]
pub struct Health(AtomicU8);

impl Default for Health {
    fn default() -> Self {
        Self(AtomicU8::new(ProcessPhase::Starting as u8))
    }
}

impl Health {
    /// Enters a phase.
    pub fn enter(&self, phase: ProcessPhase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    /// Whether nothing new is taken any more.
    pub fn is_draining(&self) -> bool {
        self.is(ProcessPhase::Draining)
    }

    fn is(&self, phase: ProcessPhase) -> bool {
        self.0.load(Ordering::Acquire) == phase as u8
    }
}

/// How it is.
#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    /// `ok`, `ready`, `degraded`, `starting` or `draining`.
    status: &'static str,
    /// When it is degraded: each part of the broker's side, `up` or with what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    checks: Option<BTreeMap<&'static str, String>>,
}

impl Report {
    const fn of(status: &'static str) -> Json<Self> {
        Json(Self {
            status,
            checks: None,
        })
    }
}

/// Says that the process can serve.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "operation",
    responses((status = 200, description = "It can.", body = Report))
)]
pub(super) async fn healthz() -> Json<Report> {
    Report::of("ok")
}

/// Says whether traffic should come here.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "operation",
    responses(
        (status = 200, description = "It should: `ready`, or `degraded` while sockets and the relay work.", body = Report),
        (status = 503, description = "It should not: `starting` or `draining`.", body = Report),
    )
)]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, Json<Report>) {
    if app.health.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, Report::of("draining"));
    }
    let mut checks = app.broker.checks();
    checks.extend(app.journal.checks());
    // The first attempt at the broker decides between ready and degraded. A journal that has been
    // reached is read first.
    let is_starting = |part| checks.get(part) == Some(&Check::Starting);
    let starting = is_starting("broker") || is_starting("journal");
    if starting || !app.health.is(ProcessPhase::Serving) {
        return (StatusCode::SERVICE_UNAVAILABLE, Report::of("starting"));
    }
    if checks.values().all(|check| *check == Check::Up) {
        return (StatusCode::OK, Report::of("ready"));
    }
    let checks = checks.into_iter().map(|(part, check)| {
        let state = match check {
            Check::Up => "up".to_owned(),
            Check::Starting => "starting".to_owned(),
            Check::Down(reason) => reason,
        };
        (part, state)
    });
    let report = Report {
        status: "degraded",
        checks: Some(checks.collect()),
    };
    (StatusCode::OK, Json(report))
}
