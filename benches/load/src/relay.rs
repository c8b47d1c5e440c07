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
use crate::turns::Turns;

/// The connections; each has one request at a time under way.
pub(crate) struct Relay {
    queues: Vec<mpsc::Sender<Mark>>,
    /// To which rooms each of them goes. They share none, so that a room's order is kept.
    turns: Vec<Turns>,
    /// The numbers of connections that have nothing to do.
    free: mpsc::UnboundedReceiver<usize>,
    connections: JoinSet<anyhow::Result<()>>,
    answered: Arc<AtomicU64>,
}

impl Relay {
    /// Opens the connections, and divides the rooms among them.
    pub(crate) async fn connect(
        address: SocketAddr,
        connections: u32,
        rooms: u32,
    ) -> anyhow::Result<Self> {
        let (freed, free) = mpsc::unbounded_channel();
        let share = |number: u32| number * rooms / connections;
        let shares = (0..connections).map(|number| share(number)..share(number + 1));
        let mut relay = Self {
            queues: Vec::new(),
            turns: shares.map(Turns::new).collect(),
            free,
            connections: JoinSet::new(),
            answered: Arc::default(),
        };
        for number in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (queue, marks) = mpsc::channel(1);
            relay.queues.push(queue);
            let (freed, answered) = (freed.clone(), relay.answered.clone());
            let number = number as usize;
            relay.connections.spawn(async move {
                let mut connection = Connection { stream, marks };
                while freed.send(number).is_ok() && connection.call().await? {
                    answered.fetch_add(1, Ordering::AcqRel);
                }
                Ok(())
            });
        }
        Ok(relay)
    }

    /// Waits for a connection that has nothing to do, and says which it is and whose turn there.
    pub(crate) async fn free(&mut self) -> anyhow::Result<(usize, u32)> {
        tokio::select! {
            Some(number) = self.free.recv() => Ok((number, self.turns[number].next_room())),
            ended = self.connections.join_next() => Err(match ended {
                Some(Ok(Err(error))) => error.context("/internal/emit"),
                _ => anyhow!("/internal/emit: a connection has ended"),
            }),
        }
    }

    /// Has the connection, which has nothing to do, send a message.
    pub(crate) async fn send(&self, connection: usize, mark: Mark) -> anyhow::Result<()> {
        let sending = self.queues[connection].send(mark);
        sending.await.ok().context("a connection has ended")
    }

    /// How many requests have been answered with 200.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Acquire)
    }
}

struct Connection {
    stream: TcpStream,
    marks: mpsc::Receiver<Mark>,
}

impl Connection {
    /// Sends the next message and reads the answer, unless there are no more.
    async fn call(&mut self) -> anyhow::Result<bool> {
        let Some(mark) = self.marks.recv().await else {
            return Ok(false);
        };
        let body = agent::emit(mark);
        let request = format!(
            "POST /internal/emit HTTP/1.1\r\nHost: 127.0.0.1\r\nx-internal-api-key: {API_KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !is_whole(&answer)? {
            let read = self.stream.read_buf(&mut answer).await?;
            ensure!(read > 0, "the server has closed a connection");
        }
        Ok(true)
    }
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
