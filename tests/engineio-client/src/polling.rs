//! HTTP long-polling over Tokio.

use std::collections::VecDeque;

use crate::http::{self, KeepAlive, Response};
use crate::packet::split;
use crate::{Error, POLLING};

/// A session over HTTP long-polling. Polls and posts have a connection each.
#[derive(Debug)]
pub struct Polling {
    poster: Poster,
    polls: KeepAlive,
    /// What of the last poll's answer has not been taken.
    packets: VecDeque<String>,
}

/// The posts of a session, which another task may send.
#[derive(Debug)]
pub struct Poster {
    address: String,
    target: String,
    posts: KeepAlive,
}

impl Polling {
    /// Opens a session; `query` is added to that of each of its requests, as the official client does.
    ///
    /// # Errors
    /// When the server opens none.
    pub async fn open(address: &str, query: &str) -> Result<Self, Error> {
        let mut polls = KeepAlive::new(address);
        let handshake = http::request("GET", &format!("{POLLING}{query}"), address, &[], None);
        let open = polls.exchange(&handshake).await?;
        if open.status != 200 {
            return Err(Error::Status(open.status));
        }
        let Some(sid) = open.json()["sid"].as_str().map(str::to_owned) else {
            return Err(Error::protocol(format!("no OPEN packet: {}", open.body)));
        };
        Ok(Self {
            poster: Poster::new(address, query, &sid),
            polls,
            packets: VecDeque::new(),
        })
    }

    /// The next packet; polls when none is left of the last answer. Nothing is lost when this is
    /// dropped.
    ///
    /// # Errors
    /// `Status`: the session has ended. Others: the connection is lost.
    pub async fn next(&mut self) -> Result<String, Error> {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return Ok(packet);
            }
            let answer = self.polls.exchange(&self.poster.request("GET", None)).await;
            self.packets.extend(packets(answer)?);
        }
    }

    /// Posts packets as a client does that polls all the time: what is posted may have to wait for
    /// what is polled.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn send(&mut self, payload: &str) -> Result<(), Error> {
        let poll = self.poster.request("GET", None);
        let post = self.poster.post(payload);
        tokio::pin!(post);
        let status = loop {
            tokio::select! {
                status = &mut post => break status?,
                answer = self.polls.exchange(&poll) => self.packets.extend(packets(answer)?),
            }
        };
        match status {
            200..300 => Ok(()),
            status => Err(Error::Status(status)),
        }
    }

    /// Posts packets without polling meanwhile, and answers the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&mut self, payload: &str) -> Result<u16, Error> {
        self.poster.post(payload).await
    }

    /// More posts for the same session, over a connection of their own.
    #[must_use]
    pub fn poster(&self) -> Poster {
        Poster {
            address: self.poster.address.clone(),
            target: self.poster.target.clone(),
            posts: KeepAlive::new(&self.poster.address),
        }
    }
}

/// What a poll is answered with.
fn packets(answer: Result<Response, Error>) -> Result<Vec<String>, Error> {
    match answer? {
        Response {
            status: 200, body, ..
        } => Ok(split(&body).map(str::to_owned).collect()),
        Response { status, .. } => Err(Error::Status(status)),
    }
}

impl Poster {
    fn new(address: &str, query: &str, sid: &str) -> Self {
        Self {
            address: address.to_owned(),
            target: format!("{POLLING}{query}&sid={sid}"),
            posts: KeepAlive::new(address),
        }
    }

    fn request(&self, method: &str, body: Option<&str>) -> String {
        http::request(method, &self.target, &self.address, &[], body)
    }

    /// Posts packets, and answers the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&mut self, payload: &str) -> Result<u16, Error> {
        let answer = self
            .posts
            .exchange(&self.request("POST", Some(payload)))
            .await?;
        Ok(answer.status)
    }
}
