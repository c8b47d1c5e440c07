//! `POST /internal/emit` over keep-alive connections, as an HTTP client of few words.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, anyhow, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::agent;
use crate::mark::Mark;
use crate::server::API_KEY;

/// The connections; each has one request at a time under way, and more in a queue of its own.
pub(crate) struct Relay {
    queues: Vec<mpsc::UnboundedSender<Mark>>,
    connections: JoinSet<anyhow::Result<()>>,
    answered: Arc<AtomicU64>,
}

impl Relay {
    /// Opens the connections.
    pub(crate) async fn connect(address: SocketAddr, connections: usize) -> anyhow::Result<Self> {
        let mut relay = Self {
            queues: Vec::new(),
            connections: JoinSet::new(),
            answered: Arc::default(),
        };
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (queue, marks) = mpsc::unbounded_channel();
            relay.queues.push(queue);
            let answered = relay.answered.clone();
            relay.connections.spawn(call(stream, marks, answered));
        }
        Ok(relay)
    }

    /// Has a message sent. One room's always go over the same connection, so that their order is kept.
    pub(crate) fn send(&mut self, mark: Mark) -> anyhow::Result<()> {
        if let Some(ended) = self.connections.try_join_next() {
            return Err(match ended {
                Ok(Err(error)) => error.context("/internal/emit"),
                _ => anyhow!("/internal/emit: a connection has ended"),
            });
        }
        let queue = &self.queues[mark.room as usize % self.queues.len()];
        queue.send(mark).ok().context("a connection has ended")
    }

    /// How many requests have been answered with 200.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Acquire)
    }
}

/// Sends one request after the other, until there are no more.
async fn call(
    mut stream: TcpStream,
    mut marks: mpsc::UnboundedReceiver<Mark>,
    answered: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut answer = Vec::new();
    while let Some(mark) = marks.recv().await {
        let body = agent::emit(mark);
        let request = format!(
            "POST /internal/emit HTTP/1.1\r\nHost: 127.0.0.1\r\nx-internal-api-key: {API_KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        while !is_whole(&answer)? {
            let read = stream.read_buf(&mut answer).await?;
            ensure!(read > 0, "the server has closed a connection");
        }
        answered.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

/// Whether the answer, which has to be 200 and to name its length, has come to its end.
fn is_whole(answer: &[u8]) -> anyhow::Result<bool> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = answer.windows(END.len()).position(|window| window == END) else {
        return Ok(false);
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.lines();
    match lines.next() {
        Some(status) if status.starts_with("HTTP/1.1 200 ") => {}
        status => bail!("answered with {status:?}"),
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let length = length.context("an answer without a length")?;
    Ok(answer.len() >= end + END.len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_the_last_byte_of_its_body() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";
        for part in 0..answer.len() {
            assert!(!is_whole(&answer[..part]).unwrap(), "{part}");
        }
        assert!(is_whole(answer).unwrap());
    }

    #[test]
    fn an_answer_that_refuses_is_an_error() {
        let answer = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
        let error = is_whole(answer).unwrap_err();
        assert!(error.to_string().contains("401"), "{error}");
    }
}
