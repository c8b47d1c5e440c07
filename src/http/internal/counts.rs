//! Calls of `/internal/*`, for the metrics.

use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::ApiError;
use crate::counter::CounterSet;
use crate::histogram::{Histogram, SHORT};

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Route {
    Emit,
    Disconnect,
    Conversation,
}

/// The statuses that calls are answered with.
const STATUSES: [(u16, &str); 8] = [
    (200, "200"),
    (400, "400"),
    (401, "401"),
    (413, "413"),
    (415, "415"),
    (422, "422"),
    (500, "500"),
    (503, "503"),
];

/// Counts since the start, by route.
#[derive(Debug)]
pub(in crate::http) struct RequestCounts([(Route, RouteCounts); 3]);

/// Those of one route.
#[derive(Debug)]
pub(in crate::http) struct RouteCounts {
    pub(in crate::http) name: &'static str,
    pub(in crate::http) statuses: CounterSet<u16, 8>,
    /// From the request's head to its answer.
    pub(in crate::http) time: Histogram<15>,
}

impl Default for RequestCounts {
    fn default() -> Self {
        let named = [
            (Route::Emit, "emit"),
            (Route::Disconnect, "disconnect"),
            (Route::Conversation, "conversation"),
        ];
        Self(named.map(|(route, name)| {
            let counts = RouteCounts {
                name,
                statuses: CounterSet::new(STATUSES),
                time: Histogram::new(&SHORT),
            };
            (route, counts)
        }))
    }
}

impl RequestCounts {
    /// Has a call answered, and counts it.
    pub(in crate::http) async fn counted<T: Serialize>(
        &self,
        route: Route,
        call: impl Future<Output = Result<T, ApiError>>,
    ) -> Response {
        let begun = Instant::now();
        let answer = call.await;
        let response = answer.map(Json).into_response();
        self.note(route, response.status(), begun.elapsed());
        response
    }

    fn note(&self, route: Route, status: StatusCode, after: Duration) {
        for (_, counts) in self.0.iter().filter(|(known, _)| *known == route) {
            counts.statuses.count(&status.as_u16());
            counts.time.observe(after);
        }
    }

    /// Those of each route.
    pub(in crate::http) fn all(&self) -> impl Iterator<Item = &RouteCounts> {
        self.0.iter().map(|(_, counts)| counts)
    }
}
