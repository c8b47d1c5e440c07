//! HTTP/1.1 as far as a gateway needs it: requests as bytes, responses whose body has a
//! `content-length` or goes on to the end of the connection.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Error;

/// A request with these header lines, a `host` unless they name one, and a `content-length` if there
/// is a body.
#[must_use]
pub fn request(
    method: &str,
    target: &str,
    host: &str,
    headers: &[&str],
    body: Option<&str>,
) -> String {
    let mut request = format!("{method} {target} HTTP/1.1\r\n");
    if !headers.iter().any(|header| header.starts_with("host:")) {
        request += &format!("host: {host}\r\n");
    }
    for header in headers {
        request += header;
        request += "\r\n";
    }
    if let Some(body) = body {
        request += &format!("content-length: {}\r\n", body.len());
    }
    request + "\r\n" + body.unwrap_or_default()
}

/// A response up to its body.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) status: u16,
    lines: std::str::Lines<'a>,
    /// How many bytes it takes up.
    pub(crate) length: usize,
}

impl<'a> Head<'a> {
    /// The head at the beginning of `bytes`, unless the rest of it is still to come.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Error> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(end) = bytes.windows(END.len()).position(|window| window == END) else {
            return Ok(None);
        };
        let head = str::from_utf8(&bytes[..end]).ok();
        let mut lines = head.unwrap_or_default().lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let Some(status) = status.and_then(|status| status.parse().ok()) else {
            return Err(Error::protocol("no HTTP response"));
        };
        Ok(Some(Self {
            status,
            lines,
            length: end + END.len(),
        }))
    }

    fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.lines.clone().filter_map(|line| line.split_once(": "))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers();
        let header = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value)
    }
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// A header's only value.
    ///
    /// # Panics
    /// When it has several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| &**value);
        assert!(values.next().is_none(), "{name} twice in {self:?}");
        value
    }

    /// The body as JSON, or what of it follows the type of an Engine.IO packet. Null: it is neither.
    #[must_use]
    pub fn json(&self) -> Value {
        let json = self.body.strip_prefix('0').unwrap_or(&self.body);
        serde_json::from_str(json).unwrap_or_default()
    }
}

/// A connection to a server, over which nothing has gone yet.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether a response has no body, whatever its headers say of one.
    pub without_body: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When the server does not take the connection.
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
            unsent: Vec::new(),
            without_body: false,
        })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unsent.extend_from_slice(bytes);
        self.flush().await
    }

    /// Goes on with what an earlier `send` was dropped in the middle of.
    async fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let sent = self.stream.write(&self.unsent).await?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }

    /// The next response; none: the connection has ended before the end of its head. Nothing is
    /// lost when this is dropped.
    ///
    /// # Errors
    /// When the connection ends within a body, or what comes is no response.
    pub async fn response(&mut self) -> Result<Option<Response>, Error> {
        loop {
            if let Some(response) = self.take_response(false)? {
                return Ok(Some(response));
            }
            if !self.read().await {
                return self.take_response(true);
            }
        }
    }

    /// The response that has come; `ended`: nothing follows.
    fn take_response(&mut self, ended: bool) -> Result<Option<Response>, Error> {
        let Some(head) = Head::parse(&self.received)? else {
            return Ok(None);
        };
        let body = if self.without_body || matches!(head.status, 101 | 204 | 304) {
            Some(0)
        } else if let Some(length) = head.header("content-length") {
            Some(
                length
                    .parse()
                    .map_err(|_| Error::protocol("content-length"))?,
            )
        } else if head.header("transfer-encoding").is_some() {
            return Err(Error::protocol("a transfer-encoding"));
        } else {
            ended.then(|| self.received.len() - head.length)
        };
        let end = body.map(|length| head.length + length);
        let Some(end) = end.filter(|&end| end <= self.received.len()) else {
            return if ended { Err(Error::ended()) } else { Ok(None) };
        };
        let headers = head.headers();
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let (status, headers, length) = (head.status, headers.collect(), head.length);
        let body = String::from_utf8(self.received[length..end].to_vec());
        let response = Response {
            status,
            headers,
            body: body.map_err(|_| Error::protocol("a body that is not UTF-8"))?,
        };
        self.received.drain(..end);
        Ok(Some(response))
    }

    /// Waits for more bytes; `false`: the connection has ended.
    pub async fn read(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.received).await;
        read.unwrap_or(0) > 0
    }

    /// Whether the server neither has closed the connection nor sent anything unasked for.
    fn is_idle(&self) -> bool {
        let nothing = self.stream.try_read(&mut [0]);
        self.received.is_empty()
            && nothing.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Requests to one server, one after the other, over a connection that is kept while the server keeps it.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    address: String,
    connection: Option<Connection>,
    /// Whether the response to a request is still to come.
    pending: bool,
}

impl KeepAlive {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            connection: None,
            pending: false,
        }
    }

    /// Sends a request, unless one's response is still to come, and waits for the response. Dropped
    /// meanwhile, it is continued by the next call.
    pub(crate) async fn exchange(&mut self, request: &str) -> Result<Response, Error> {
        let idle = |connection: &Connection| self.pending || connection.is_idle();
        let mut connection = match self.connection.take().filter(idle) {
            Some(connection) => connection,
            None => {
                self.pending = false;
                Connection::open(&self.address).await?
            }
        };
        if !std::mem::replace(&mut self.pending, true) {
            connection.unsent.extend_from_slice(request.as_bytes());
        }
        let connection = self.connection.insert(connection);
        let response = async {
            connection.flush().await?;
            connection.response().await?.ok_or_else(Error::ended)
        };
        let response = response.await;
        self.pending = false;
        let kept = response.as_ref().is_ok_and(|response| {
            let close = response.header("connection");
            !close.is_some_and(|close| close.eq_ignore_ascii_case("close"))
        });
        if !kept {
            self.connection = None;
        }
        response
    }
}
