//! HTTP as bytes: requests that no client library would send, or not to the end.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::DEADLINE;

/// A connection to the gateway, over which nothing has gone yet.
pub(crate) struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
    /// Whether the body of the answer is only spoken of.
    head: bool,
}

/// What a request was answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// A header's only value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| &**value);
        assert!(values.next().is_none(), "{name} twice in {self:?}");
        value
    }

    /// The body, or what stands in it behind the mark of an Engine.IO packet.
    pub(crate) fn json(&self) -> Value {
        let json = self.body.strip_prefix('0').unwrap_or(&self.body);
        serde_json::from_str(json).unwrap_or_default()
    }
}

/// Whether the gateway hears another connection.
pub(crate) async fn is_heard(address: &str) -> bool {
    let mut raw = Raw::open(address).await;
    raw.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    raw.answer_if_any().await.is_some()
}

/// Sends one request with these header lines to its end, and reads the answer.
pub(crate) async fn ask(address: &str, line: &str, headers: &[&str]) -> Answer {
    let mut raw = Raw::open(address).await;
    raw.ask(line, headers).await
}

impl Raw {
    pub(crate) async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self {
            stream,
            read: Vec::new(),
            head: false,
        }
    }

    /// Sends a request without a body; `host` if the headers name none.
    pub(crate) async fn ask(&mut self, line: &str, headers: &[&str]) -> Answer {
        self.head = line.starts_with("HEAD ");
        let mut head = format!("{line} HTTP/1.1\r\n");
        if !headers.iter().any(|header| header.starts_with("host:")) {
            head += "host: gateway.test\r\n";
        }
        for header in headers {
            head += &format!("{header}\r\n");
        }
        self.send(head + "\r\n").await;
        self.answer().await
    }

    /// Sends bytes. The gateway may have ended the connection.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.ok();
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let answer = self.answer_if_any().await;
        answer.expect("the connection ends without an answer")
    }

    /// The answer, unless the gateway ends the connection without one.
    pub(crate) async fn answer_if_any(&mut self) -> Option<Answer> {
        let head = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break self.take(end + 4);
            }
            if !self.more().await {
                return None;
            }
        };
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let status = status.parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        answer.body = self.body(&answer).await;
        Some(answer)
    }

    async fn body(&mut self, answer: &Answer) -> String {
        if self.head || matches!(answer.status, 101 | 204 | 304) {
            return String::new();
        }
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().unwrap();
            while self.read.len() < length {
                assert!(self.more().await, "half an answer: {answer:?}");
            }
            return self.take(length);
        }
        assert_ne!(answer.header("transfer-encoding"), Some("chunked"));
        while self.more().await {}
        self.take(self.read.len())
    }

    /// How long it took the gateway to end the connection. What comes before is let go by.
    pub(crate) async fn ended(&mut self) -> Duration {
        let begun = Instant::now();
        while self.more().await {}
        begun.elapsed()
    }

    /// Sends a byte now and then until the gateway has ended the connection.
    pub(crate) async fn drip_until_ended(&mut self) {
        let dripping = async {
            loop {
                let ended = tokio::select! {
                    more = self.more() => !more,
                    () = sleep(Duration::from_millis(200)) => false,
                };
                if ended {
                    return;
                }
                self.send("x").await;
            }
        };
        timeout(DEADLINE, dripping).await.expect("it is not ended");
    }

    /// Whether something came before the end.
    async fn more(&mut self) -> bool {
        let reading = self.stream.read_buf(&mut self.read);
        let read = timeout(DEADLINE, reading).await.expect("nothing comes");
        read.unwrap_or(0) > 0
    }

    fn take(&mut self, length: usize) -> String {
        let rest = self.read.split_off(length);
        String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap()
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
