//! A TCP proxy that breaks the network on purpose: it cuts, stalls, delays and throttles, each
//! direction for itself, and is switched while connections are open.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// Stands in front of a server on loopback. Its connections end when it is dropped.
pub(crate) struct Proxy {
    address: String,
    open: watch::Sender<bool>,
    flows: [watch::Sender<Flow>; 2],
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];
}

/// How bytes get through in one direction.
#[derive(Debug, Clone, Copy)]
enum Flow {
    Free,
    /// They are taken, and held.
    Stalled,
    /// Each chunk comes so much later.
    Delayed(Duration),
    /// So many at a time, and then nothing for so long.
    Throttled(usize, Duration),
}

/// The most that is read at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// How many chunks are on their way in one direction before the sender is no longer read from:
/// enough for a delay to be one, few enough that a slow reader is still felt by the sender.
const ON_THE_WAY: usize = 16;

impl Proxy {
    /// A proxy in front of the broker.
    pub(crate) async fn to_broker() -> Self {
        let uri: lapin::uri::AMQPUri = super::broker::url().parse().unwrap();
        let authority = uri.authority;
        Self::to(format!("{}:{}", authority.host, authority.port)).await
    }

    pub(crate) async fn to(target: String) -> Self {
        Self::to_any(vec![target]).await
    }

    /// A proxy in front of several servers, of which a connection is with the first that takes it.
    pub(crate) async fn to_any(targets: Vec<String>) -> Self {
        let targets: Arc<[String]> = targets.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (open, mut watching) = watch::channel(true);
        let flows = [(); 2].map(|()| watch::channel(Flow::Free).0);
        let [to_server, to_client] = flows.each_ref().map(watch::Sender::subscribe);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    // Never satisfied: it ends with the proxy.
                    _ = watching.wait_for(|_| false) => return,
                };
                let Ok((client, _)) = accepted else { return };
                let (targets, open) = (targets.clone(), watching.clone());
                tokio::spawn(carry(
                    client,
                    targets,
                    open,
                    to_server.clone(),
                    to_client.clone(),
                ));
            }
        });
        Self {
            address,
            open,
            flows,
        }
    }

    /// The address it listens on.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The broker's URL, by way of this proxy.
    pub(crate) fn broker_url(&self) -> String {
        self.url_of(&super::broker::url())
    }

    /// The URL of a broker behind this proxy.
    pub(crate) fn url_of(&self, broker: &str) -> String {
        let uri: lapin::uri::AMQPUri = broker.parse().unwrap();
        let user = &uri.authority.userinfo;
        format!(
            "amqp://{}:{}@{}/{}",
            user.username,
            user.password,
            self.address,
            uri.vhost.replace('/', "%2f")
        )
    }

    /// Ends all connections and lets none through.
    pub(crate) fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Lets connections through again.
    pub(crate) fn restore(&self) {
        self.open.send_replace(true);
    }

    /// Holds what comes, without closing anything. Connections can still be made.
    pub(crate) fn stall(&self, directions: impl IntoIterator<Item = Direction>) {
        self.set(directions, Flow::Stalled);
    }

    /// Lets every chunk come later, in the order in which they came.
    pub(crate) fn delay(&self, directions: impl IntoIterator<Item = Direction>, by: Duration) {
        self.set(directions, Flow::Delayed(by));
    }

    /// Lets `bytes` through at a time, then nothing for the time of `pause`.
    pub(crate) fn throttle(
        &self,
        directions: impl IntoIterator<Item = Direction>,
        bytes: usize,
        pause: Duration,
    ) {
        self.set(directions, Flow::Throttled(bytes.max(1), pause));
    }

    /// Ends stall, delay and throttle in both directions; what was held gets through.
    pub(crate) fn resume(&self) {
        self.set(Direction::BOTH, Flow::Free);
    }

    fn set(&self, directions: impl IntoIterator<Item = Direction>, flow: Flow) {
        for direction in directions {
            self.flows[direction as usize].send_replace(flow);
        }
    }
}

async fn carry(
    client: TcpStream,
    targets: Arc<[String]>,
    mut open: watch::Receiver<bool>,
    to_server: watch::Receiver<Flow>,
    to_client: watch::Receiver<Flow>,
) {
    if !*open.borrow_and_update() {
        return;
    }
    let Some(server) = connect(&targets).await else {
        return;
    };
    // Small packets must not wait for one another: the gateway and its clients do not let them.
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let (from_client, into_client) = client.into_split();
    let (from_server, into_server) = server.into_split();
    // However either side ends it: the other sees its connection closed.
    let both = async {
        tokio::try_join!(
            pump(from_client, into_server, to_server),
            pump(from_server, into_client, to_client),
        )
    };
    tokio::select! {
        _ = both => {}
        _ = open.changed() => {}
    }
}

async fn connect(targets: &[String]) -> Option<TcpStream> {
    for target in targets {
        if let Ok(server) = TcpStream::connect(target).await {
            return Some(server);
        }
    }
    None
}

/// A chunk, and when it may arrive.
type Chunk = (Vec<u8>, Instant);

/// Carries one direction to its end.
async fn pump(
    from: OwnedReadHalf,
    into: OwnedWriteHalf,
    flow: watch::Receiver<Flow>,
) -> io::Result<()> {
    let (chunks, arriving) = mpsc::channel(ON_THE_WAY);
    let take = take(from, chunks, flow.clone());
    let ((), given) = tokio::join!(take, give(arriving, into, flow));
    given
}

/// Reads until the sender has ended, or the receiver has gone.
async fn take(mut from: OwnedReadHalf, chunks: mpsc::Sender<Chunk>, flow: watch::Receiver<Flow>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = chunks.closed() => return,
        };
        // A reset is an end like any other, and is held like any other.
        let Ok(length @ 1..) = read else { return };
        let delay = match *flow.borrow() {
            Flow::Delayed(delay) => delay,
            _ => Duration::ZERO,
        };
        let chunk = (buffer[..length].to_vec(), Instant::now() + delay);
        if chunks.send(chunk).await.is_err() {
            return;
        }
    }
}

/// Writes what arrives as the flow allows, and hands the end on.
async fn give(
    mut arriving: mpsc::Receiver<Chunk>,
    mut into: OwnedWriteHalf,
    mut flow: watch::Receiver<Flow>,
) -> io::Result<()> {
    while let Some((chunk, at)) = arriving.recv().await {
        sleep_until(at).await;
        let mut rest = &*chunk;
        while !rest.is_empty() {
            let (bytes, pause) = match flowing(&mut flow).await {
                Flow::Throttled(bytes, pause) => (bytes.min(rest.len()), pause),
                _ => (rest.len(), Duration::ZERO),
            };
            let (now, later) = rest.split_at(bytes);
            into.write_all(now).await?;
            rest = later;
            if !pause.is_zero() {
                // A throttle that is turned off does not hold the bytes of its last pause.
                tokio::select! {
                    () = sleep(pause) => {}
                    _ = flow.changed() => {}
                }
            }
        }
    }
    flowing(&mut flow).await;
    into.shutdown().await
}

/// Waits for the end of a stall.
async fn flowing(flow: &mut watch::Receiver<Flow>) -> Flow {
    match flow.wait_for(|flow| !matches!(flow, Flow::Stalled)).await {
        Ok(flow) => *flow,
        // The proxy has been dropped, and the connection ends.
        Err(_) => Flow::Free,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::harness::DEADLINE;

    const SHORT: Duration = Duration::from_millis(150);

    /// A client and a server with the proxy between them.
    async fn pair() -> (Proxy, TcpStream, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::to(server.local_addr().unwrap().to_string()).await;
        let client = TcpStream::connect(proxy.address()).await.unwrap();
        let (server, _) = server.accept().await.unwrap();
        (proxy, client, server)
    }

    async fn receive(stream: &mut TcpStream, count: usize) -> String {
        let mut bytes = vec![0; count];
        timeout(DEADLINE, stream.read_exact(&mut bytes))
            .await
            .expect("it does not come")
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    async fn nothing_comes(stream: &mut TcpStream) {
        let read = timeout(SHORT, stream.read_u8()).await;
        assert!(read.is_err(), "{read:?}");
    }

    #[tokio::test]
    async fn a_stalled_direction_buffers_and_the_other_forwards() {
        let (proxy, mut client, mut server) = pair().await;
        proxy.stall([Direction::ToServer]);
        client.write_all(b"held").await.unwrap();
        server.write_all(b"free").await.unwrap();
        assert_eq!(receive(&mut client, 4).await, "free");
        nothing_comes(&mut server).await;
        proxy.resume();
        assert_eq!(receive(&mut server, 4).await, "held");
    }

    #[tokio::test]
    async fn eof_is_forwarded_after_the_stalled_bytes() {
        let (proxy, mut client, mut server) = pair().await;
        proxy.stall(Direction::BOTH);
        client.write_all(b"last").await.unwrap();
        drop(client);
        nothing_comes(&mut server).await;
        proxy.resume();
        let mut rest = String::new();
        server.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "last");
    }

    #[tokio::test]
    async fn delayed_chunks_arrive_later_and_in_order() {
        let (proxy, mut client, mut server) = pair().await;
        proxy.delay([Direction::ToClient], SHORT);
        let sent = Instant::now();
        for word in ["one ", "two ", "three"] {
            server.write_all(word.as_bytes()).await.unwrap();
        }
        assert_eq!(receive(&mut client, 13).await, "one two three");
        assert!(sent.elapsed() >= SHORT);
    }

    #[tokio::test]
    async fn a_throttled_proxy_is_slow_until_the_throttle_is_removed() {
        let (proxy, mut client, mut server) = pair().await;
        proxy.throttle([Direction::ToServer], 2, SHORT);
        let sent = Instant::now();
        client.write_all(b"abcdef").await.unwrap();
        assert_eq!(receive(&mut server, 6).await, "abcdef");
        assert!(sent.elapsed() >= 2 * SHORT);
        proxy.throttle([Direction::ToServer], 1, 100 * DEADLINE);
        client.write_all(b"ghi").await.unwrap();
        assert_eq!(receive(&mut server, 1).await, "g");
        proxy.resume();
        assert_eq!(receive(&mut server, 2).await, "hi");
    }

    #[tokio::test]
    async fn a_cut_closes_connections_and_rejects_new_ones_until_restored() {
        let (proxy, mut client, mut server) = pair().await;
        proxy.stall(Direction::BOTH);
        client.write_all(b"lost").await.unwrap();
        proxy.cut();
        assert_eq!(client.read(&mut [0]).await.unwrap_or(0), 0);
        assert_eq!(server.read(&mut [0]).await.unwrap_or(0), 0);
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0);
    }
}
