//! Calls of `/internal/*`, for the metrics.

use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::ApiError;
use crate::counter::CounterSet;
use crate::histogram::{Histogram, SHORT};
use crate::trace::{self, Span, TraceContext};

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

impl Route {
    /// Begins to answer a call.
    pub(in crate::http) fn begin(self, headers: &HeaderMap) -> Call {
        let cause = headers.get(trace::HEADER);
        let cause = cause.and_then(|value| TraceContext::parse(value.as_bytes()));
        let (method, path) = match self {
            Self::Emit => ("POST", "/internal/emit"),
            Self::Disconnect => ("POST", "/internal/disconnect"),
            Self::Conversation => ("GET", "/internal/conversations/{tenantId}/{conversationId}"),
        };
        Call {
            begun: Instant::now(),
            span: Span::of_request(method, path, cause),
        }
    }
}

/// A call that is being answered.
pub(in crate::http) struct Call {
    begun: Instant,
    pub(in crate::http) span: Span,
}

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
    /// Answers a call of `route` that began then, and counts it.
    pub(in crate::http) fn answer<T: Serialize>(
        &self,
        route: Route,
        call: Call,
        answer: Result<T, ApiError>,
    ) -> Response {
        let Call { begun, mut span } = call;
        let response = answer.map(Json).into_response();
        let status = response.status();
        self.note(route, status, begun.elapsed());
        span.set_number("http.response.status_code", status.as_u16().into());
        // The conventions leave a server's span well when the client is to blame.
        if status.is_server_error() {
            span.fail(status.as_str());
        }
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
