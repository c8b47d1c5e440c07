//! HTTP/1.1 on accepted connections, with a time for everything that a client owes.
//!
//! A connection costs its client next to nothing, so that it is not kept for one that only begins:
//! the head and the body of a request have ten seconds each, and their sizes are bounded. What
//! has been asked for is worked on for as long as it takes; a poll waits for events.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CACHE_CONTROL, CONNECTION};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::TimelyBody;
use super::connection::Connection;
use super::deadlines::{self, Deadlines};
use super::listener::{Listener, Peer};

/// The largest head of a request, in bytes: what Node's server takes, and more than browsers send.
/// Past it, or with more than a hundred fields (the library's own bound): 431.
const HEAD_LIMIT: usize = 16 * 1024;

/// The most that is read at once, or gathered to be written, in bytes. A head that comes in one
/// piece is only held against this.
const BUFFER_LIMIT: usize = 32 * 1024;

/// In the extensions of an answer that switches protocols: it is not sent until
/// [the connection](Connection::upgrade) has something to send with it.
#[derive(Debug, Clone, Copy)]
pub struct Corked;

/// What answers requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers a request.
    fn answer(&self, request: Request<Body>) -> impl Future<Output = Response> + Send;
}

/// Serves until `closing`, then until the last request is answered. Requests carry
/// `ConnectInfo<`[`Peer`]`>`.
pub async fn serve(listener: Listener, handler: impl Handler, closing: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let (connection, peer) = tokio::select! {
            biased;
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        connections.spawn(attend(connection, peer, handler.clone(), closing.clone()));
    }
    // Nobody is to wait in its queue for a server that has ended.
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves one connection until it ends, or speaks something else.
async fn attend(
    connection: Connection,
    peer: Peer,
    handler: impl Handler,
    closing: CancellationToken,
) {
    let deadlines = connection.deadlines();
    let service = service_fn(|request| answer(request, peer, &handler, &closing, &deadlines));
    let http = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(BUFFER_LIMIT)
        .serve_connection(TokioIo::new(connection), service)
        .with_upgrades();
    let mut http = pin!(http);
    let mut ending = pin!(closing.cancelled());
    let mut alarm = pin!(sleep(deadlines::HEAD));
    let mut ends = false;
    loop {
        tokio::select! {
            biased;
            // A client that broke the rules, or the connection: there is nobody left to answer.
            _ = http.as_mut() => return,
            () = &mut ending, if !ends => {
                ends = true;
                http.as_mut().graceful_shutdown();
                // What has begun and is not there yet is not waited for.
                if deadlines.is_half_open() {
                    return;
                }
            }
            () = poll_fn(|cx| deadlines.poll_overdue(alarm.as_mut(), cx)) => return,
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    handler: &impl Handler,
    closing: &CancellationToken,
    deadlines: &Deadlines,
) -> Result<Response, Infallible> {
    deadlines.began();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(ConnectInfo(peer));
    let (body, late) = if body.is_end_stream() {
        (Body::empty(), None)
    } else {
        let (body, late) = TimelyBody::new(body, closing.clone());
        (Body::new(body), Some(late))
    };
    let mut response = handler.answer(Request::from_parts(parts, body)).await;
    // Whatever the handler made of the piece that it got.
    if late.is_some_and(|late| late.get()) {
        let headers = [(CONNECTION, "close"), (CACHE_CONTROL, "no-store")];
        response = (StatusCode::REQUEST_TIMEOUT, headers).into_response();
    }
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => {
            deadlines.upgraded(response.extensions().get::<Corked>().is_some());
        }
        _ => deadlines.answered(),
    }
    Ok(response)
}
