//! HTTP as bytes: requests that no client library would send, or not to the end.

use std::time::Duration;

use engineio_client::http::{Connection, request};
use tokio::time::{Instant, sleep, timeout};

use super::DEADLINE;

pub(crate) use engineio_client::http::Response as Answer;

/// A connection to the gateway, over which nothing has gone yet.
pub(crate) struct Raw {
    connection: Connection,
}

/// Whether the gateway hears another connection.
pub(crate) async fn is_accepted(address: &str) -> bool {
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
        let connection = Connection::open(address).await.unwrap();
        Self { connection }
    }

    /// Sends a request without a body; `host` if the headers name none.
    pub(crate) async fn ask(&mut self, line: &str, headers: &[&str]) -> Answer {
        let (method, target) = line.split_once(' ').unwrap();
        self.connection.without_body = method == "HEAD";
        let host = "gateway.test";
        self.send(request(method, target, host, headers, None))
            .await;
        self.answer().await
    }

    /// Posts a body, and reads the answer.
    pub(crate) async fn post(&mut self, target: &str, body: &str) -> Answer {
        self.begin_post(target, body.len()).await;
        self.send(body).await;
        self.answer().await
    }

    /// Sends the head of a post, whose body is still to come.
    pub(crate) async fn begin_post(&mut self, target: &str, length: usize) {
        let head = format!("POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}");
        self.send(head + "\r\n\r\n").await;
    }

    /// Sends bytes. The gateway may have ended the connection.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.connection.send(bytes.as_ref()).await.ok();
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let answer = self.answer_if_any().await;
        answer.expect("the connection ends without an answer")
    }

    /// The answer, unless the gateway ends the connection without one.
    pub(crate) async fn answer_if_any(&mut self) -> Option<Answer> {
        let answer = timeout(DEADLINE, self.connection.response()).await;
        answer.expect("nothing comes").unwrap()
    }

    /// How long it took the gateway to end the connection. What comes before is let go by.
    pub(crate) async fn ended(&mut self) -> Duration {
        let begun = Instant::now();
        while self.more().await {}
        begun.elapsed()
    }

    /// Sends a byte now and then until the gateway has ended the connection.
    pub(crate) async fn trickle_until_closed(&mut self) {
        let trickling = async {
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
        timeout(DEADLINE, trickling).await.expect("it is not ended");
    }

    /// Whether something came before the end.
    async fn more(&mut self) -> bool {
        let reading = timeout(DEADLINE, self.connection.read()).await;
        reading.expect("nothing comes")
    }
}
