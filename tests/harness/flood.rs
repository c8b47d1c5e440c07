//! Floods that attackers send, without a token: bounded, over ten connections that are opened
//! again whenever the gateway has closed them.

use std::io;

use engineio_client::frame::Opcode;
use engineio_client::{POLLING, UPGRADE, WEBSOCKET, WebSocket};
use futures_util::future::join_all;
use tokio::net::TcpStream;

use super::Raw;

const CONNECTIONS: usize = 10;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    /// CONNECTs to namespaces that nobody has heard of.
    Connects,
    /// Packets that mean nothing, or not what they seem to.
    Malformed,
    /// Frames and bodies that are too large, or claim to be.
    Oversized,
    /// HTTP requests that are begun and not ended.
    #[allow(
        dead_code,
        reason = "the siege measures these; slow_requests.rs tests them"
    )]
    HalfOpen,
}

impl Flood {
    /// Sends `amount` of it to the gateway at `address`.
    pub(crate) async fn run(self, address: &str, amount: usize) {
        let share = amount.div_ceil(CONNECTIONS);
        let attackers = (0..CONNECTIONS).map(|_| {
            let address = address.to_owned();
            tokio::spawn(async move {
                match self {
                    Self::Connects => connects(&address, share).await,
                    Self::Malformed => malformed(&address, share).await,
                    Self::Oversized => oversized(&address, share).await,
                    Self::HalfOpen => half_open(&address, share).await,
                }
            })
        });
        for attacker in join_all(attackers).await {
            attacker.unwrap();
        }
    }
}

async fn open(address: &str) -> WebSocket {
    loop {
        // A gateway that has no room says so, and is asked again.
        let stream = TcpStream::connect(address).await;
        if let Ok(stream) = stream
            && let Ok(socket) = WebSocket::connect(stream, address, WEBSOCKET).await
        {
            return socket;
        }
        tokio::task::yield_now().await;
    }
}

/// What a frame is, whether it is a message's last, and what it carries.
type Frame<'a> = (Opcode, bool, &'a [u8]);

fn text(text: &str) -> Frame<'_> {
    (Opcode::Text, true, text.as_bytes())
}

async fn send_all(socket: &mut WebSocket, frames: &[Frame<'_>]) -> io::Result<()> {
    for &(opcode, last, payload) in frames {
        socket.feed(opcode, last, payload);
    }
    socket.flush().await
}

/// Ten of each session's are looked at; the others are on their way when the gateway closes it.
async fn connects(address: &str, amount: usize) {
    const PER_SESSION: usize = 100;
    for _ in 0..amount.div_ceil(PER_SESSION) {
        let mut socket = open(address).await;
        let packets = (0..PER_SESSION).map(|number| {
            let (tenant, conversation) = (rand::random::<u64>(), rand::random::<u64>());
            let auth = match number % 2 {
                0 => "{}",
                _ => r#"{"token":"garbage"}"#,
            };
            format!("40/tenant/{tenant:x}/conv/{conversation:x},{auth}")
        });
        let packets: Vec<_> = packets.collect();
        let frames: Vec<_> = packets.iter().map(|packet| text(packet)).collect();
        send_all(&mut socket, &frames).await.ok();
        end(&mut socket).await;
    }
}

/// Waits until the gateway has hung up.
async fn end(socket: &mut WebSocket) {
    while let Ok(Some(_)) = socket.next().await {}
}

/// Ignored words first, then one that ends the session.
async fn malformed(address: &str, amount: usize) {
    const IGNORED: [&str; 6] = [
        "42/tenant/acme/conv/c-1,[\"inbound_message\",{}]",
        "41/tenant/acme/conv/c-1,",
        "43/tenant/acme/conv/c-1,99999999999999999999[]",
        "4518446744073709551615-/x,[]",
        "44{\"message\":\"Forbidden\"}",
        "b////",
    ];
    const FATAL: [&str; 6] = ["4", "47", "\u{0}", "0{\"sid\":\"x\"}", "4é", "6"];
    const PER_SESSION: usize = 50;
    for session in 0..amount.div_ceil(PER_SESSION) {
        let ignored = IGNORED.iter().cycle().take(PER_SESSION - 1);
        let fatal = FATAL[session % FATAL.len()];
        if session.is_multiple_of(5) {
            let packets: Vec<_> = ignored.copied().chain([fatal]).collect();
            polling(address, &packets.join("\x1e")).await;
            continue;
        }
        let mut socket = open(address).await;
        let mut frames: Vec<_> = ignored.map(|packet| text(packet)).collect();
        frames.insert(7, (Opcode::Binary, true, &[0xff; 100]));
        frames.push(text(fatal));
        send_all(&mut socket, &frames).await.ok();
        end(&mut socket).await;
    }
}

/// A session that posts this, and is forgotten.
async fn polling(address: &str, body: &str) {
    let mut raw = Raw::open(address).await;
    let open = raw.ask(&format!("GET {POLLING}"), &[]).await.json();
    let target = format!("{POLLING}&sid={}", open["sid"].as_str().unwrap());
    raw.begin_post(&target, body.len()).await;
    raw.send(body).await;
    raw.answer_if_any().await;
}

async fn oversized(address: &str, amount: usize) {
    const LIMIT: usize = 64 << 10;
    let large = "x".repeat(LIMIT + 1);
    let piece = &large.as_bytes()[..LIMIT / 4];
    for number in 0..amount {
        let frames = match number % 4 {
            0 => vec![text(&large)],
            1 => {
                let mut pieces = vec![(Opcode::Text, false, piece)];
                pieces.extend([(Opcode::Continuation, false, piece); 4]);
                pieces
            }
            // Announced: as much as a frame can be, of which little comes.
            2 => {
                announce(
                    address,
                    &[&[0x81, 0xff, 0x7f], &[0xff; 7][..], &[0; 4]].concat(),
                )
                .await;
                continue;
            }
            _ => {
                polling(address, &large).await;
                continue;
            }
        };
        let mut socket = open(address).await;
        send_all(&mut socket, &frames).await.ok();
        end(&mut socket).await;
    }
}

/// A WebSocket over which these bytes go.
async fn announce(address: &str, bytes: &[u8]) {
    let mut raw = Raw::open(address).await;
    let line = format!("GET {WEBSOCKET}");
    assert_eq!(raw.ask(&line, &UPGRADE).await.status, 101);
    raw.send(bytes).await;
    raw.send([b'x'; 1_000]).await;
    raw.ended().await;
}

/// All at once, until the gateway has ended them.
async fn half_open(address: &str, amount: usize) {
    let mut begun = Vec::with_capacity(amount);
    for number in 0..amount {
        let mut raw = Raw::open(address).await;
        raw.send(match number % 3 {
            0 => "",
            1 => "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\n",
            _ => "POST /internal/emit HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{",
        })
        .await;
        begun.push(raw);
    }
    join_all(begun.iter_mut().map(Raw::ended)).await;
}
