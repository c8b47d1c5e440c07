//! Posts: a client's packets, which pass to the library one by one.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::answers::{overlap, taken, too_much};
use super::request::posting;
use super::{CLOSE, EngineIoService, SEPARATOR};
use crate::engineio::frame_filter::PREFIX;
use crate::engineio::protocol::{Protocol, Verdict};
use crate::engineio::session::Session;
use crate::engineio::{INBOUND_LIMIT, POST_TIMEOUT};

impl<P: Protocol> EngineIoService<P> {
    /// Hands what the client posts to the library, packet by packet, as far as it may pass.
    pub(super) async fn post(&self, session: &Arc<Session<P>>, request: Request) -> Response {
        // Two posts at once have no order.
        let Some(_permit) = session.begin_post() else {
            session.close();
            return overlap();
        };
        let (parts, body) = request.into_parts();
        let head = Request::from_parts(parts, Body::empty());
        let body = match Limited::new(body, INBOUND_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                session.close();
                let (status, reason) = match error.is::<LengthLimitError>() {
                    true => (StatusCode::PAYLOAD_TOO_LARGE, "the packets are too large"),
                    false => (StatusCode::BAD_REQUEST, "the packets did not come whole"),
                };
                return (status, reason).into_response();
            }
        };
        let mut deadline = Instant::now() + POST_TIMEOUT;
        let mut passed = Vec::new();
        let mut leaves = false;
        for packet in body.split(|&byte| byte == SEPARATOR) {
            let beginning = &packet[..packet.len().min(PREFIX)];
            let mut verdict = session.inbound(beginning);
            if matches!(verdict, Verdict::Wait(_)) {
                // What it waits for may be among the packets before it.
                if !passed.is_empty() {
                    let batch = std::mem::take(&mut passed);
                    let response = self.library(posting(&head, batch.into())).await;
                    if !response.status().is_success() {
                        return response;
                    }
                }
                // Many conversations and a long way: the deadline is each packet's own.
                verdict = decided(session, beginning, deadline).await;
                deadline = Instant::now() + POST_TIMEOUT;
            }
            match verdict {
                Verdict::Ignore => {}
                Verdict::Pass => {
                    if !passed.is_empty() {
                        passed.push(SEPARATOR);
                    }
                    passed.extend_from_slice(packet);
                    leaves |= packet == CLOSE.as_bytes();
                }
                Verdict::Wait(_) => {
                    session.close();
                    return too_much();
                }
            }
        }
        if passed.is_empty() && !body.is_empty() {
            return taken();
        }
        let response = self.library(posting(&head, passed.into())).await;
        if leaves {
            session.left();
        }
        response
    }
}

/// Waits until a packet may pass or not, or for the deadline.
async fn decided<P: Protocol>(
    session: &Arc<Session<P>>,
    beginning: &[u8],
    deadline: Instant,
) -> Verdict {
    let mut verdict = Verdict::Wait(None);
    while let Verdict::Wait(until) = verdict
        && Instant::now() < deadline
    {
        let until = until.map_or(deadline, |until| deadline.min(until.into()));
        let change = session.wait_for(|| {
            verdict = session.inbound(beginning);
            !matches!(verdict, Verdict::Wait(_))
        });
        // After the timeout, it is decided once more.
        timeout_at(until, change).await.ok();
    }
    verdict
}
