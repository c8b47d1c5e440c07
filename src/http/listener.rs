//! Accepting connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::serve::ListenerExt as _;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Binds the address.
///
/// # Errors
/// What the operating system says, with the address.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// Serves until `shutdown`, then until the last request is answered.
///
/// What a client has not acknowledged within `patience` ends its connection: a client that stops
/// reading would otherwise keep its session, since the task that writes to it waits for good.
///
/// # Errors
/// None that is known; a connection's errors end that connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let listener = listener.tap_io(move |stream| {
        if let Err(error) = tune(stream, patience) {
            // The client may be gone already.
            debug!(%error, "socket options not set");
        }
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

fn tune(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    // An event is one small packet: it must not wait for the next.
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_user_timeout(Some(patience))
}
