//! What a client has posted that has to wait for its WebSocket.
//!
//! Once a session's WebSocket has come, the engine answers polls with nothing: what was emitted
//! stays where it is until the upgrade is done, and the client finishes that only when its posts
//! have been answered. A post that waited for room meanwhile would wait in vain, and the client
//! for it. So what finds no room is kept, and heard when it can be: over the WebSocket, before
//! whatever comes that way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

use super::INBOUND_LIMIT;
use super::frames::push_text;

/// Packets that wait for the upgrade of their session.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// The packets, each with a separator after it.
    packets: Vec<u8>,
    stage: Stage,
}

/// How far the upgrade is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The client has not said anything over a WebSocket, and may go on posting for long.
    #[default]
    Before,
    /// Its probe has come. When it hears that, it posts nothing more, and waits for its posts.
    Probed,
    /// The WebSocket carries the session.
    Done,
}

/// Whether packets could be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// They are.
    Kept,
    /// There are too many.
    TooMuch,
    /// This is not the time: no client waits for the answer.
    NotNow,
}

/// Between the packets of a payload
/// (<https://socket.io/docs/v4/engine-io-protocol/#http-long-polling-1>).
pub(super) const SEPARATOR: u8 = 0x1e;

/// How much is kept, in bytes: a post that was under way when the probe came, and one that the
/// client began before it heard of that.
const LIMIT: usize = 2 * (INBOUND_LIMIT + 1);

impl Held {
    /// The client's probe has come.
    pub(super) fn probed(&self) {
        let mut waiting = self.lock();
        if waiting.stage == Stage::Before {
            waiting.stage = Stage::Probed;
        }
    }

    /// Whether anything waits, which what comes after it has to do as well.
    pub(super) fn waits(&self) -> bool {
        !self.lock().packets.is_empty()
    }

    /// Keeps all of these, or none.
    pub(super) fn keep<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) -> Hold {
        let mut waiting = self.lock();
        if waiting.stage != Stage::Probed {
            return Hold::NotNow;
        }
        let before = waiting.packets.len();
        for packet in packets {
            waiting.packets.extend_from_slice(packet);
            waiting.packets.push(SEPARATOR);
        }
        if waiting.packets.len() > LIMIT {
            waiting.packets.truncate(before);
            return Hold::TooMuch;
        }
        Hold::Kept
    }

    /// The session has been upgraded: everything that waits, in frames as its client would send
    /// them over the WebSocket.
    pub(super) fn take(&self) -> BytesMut {
        let mut waiting = self.lock();
        waiting.stage = Stage::Done;
        let packets = std::mem::take(&mut waiting.packets);
        let mut frames = BytesMut::new();
        for packet in packets.split_inclusive(|&byte| byte == SEPARATOR) {
            let packet = &packet[..packet.len() - 1];
            push_text(&mut frames, packet);
        }
        frames
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Buf as _;
    use tungstenite::protocol::frame::FrameHeader;
    use tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    /// The texts of the frames.
    fn texts(mut frames: BytesMut) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        while !frames.is_empty() {
            let mut cursor = Cursor::new(&frames[..]);
            let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
            assert!(header.is_final && header.opcode == OpCode::Data(Data::Text));
            assert_eq!(header.mask, Some([0; 4]));
            frames.advance(cursor.position() as usize);
            texts.push(frames.split_to(length as usize).to_vec());
        }
        texts
    }

    fn keep(held: &Held, packets: &[Vec<u8>]) -> Hold {
        held.keep(packets.iter().map(Vec::as_slice))
    }

    #[test]
    fn packets_of_every_size_come_out_as_they_went_in() {
        let sizes = [0, 1, 125, 126, 20_000, 0, INBOUND_LIMIT];
        let packets = sizes.map(|size| vec![b'4'; size]);
        let held = Held::default();
        held.probed();
        assert_eq!(keep(&held, &packets[..3]), Hold::Kept);
        assert_eq!(keep(&held, &packets[3..]), Hold::Kept);
        assert!(held.waits());
        assert_eq!(texts(held.take()), packets);
        assert!(!held.waits());
    }

    #[test]
    fn what_is_too_much_is_not_kept_in_part() {
        let held = Held::default();
        held.probed();
        let packets = [vec![b'4'; INBOUND_LIMIT], vec![b'4'; INBOUND_LIMIT]];
        assert_eq!(keep(&held, &packets[..1]), Hold::Kept);
        assert_eq!(keep(&held, &[vec![], packets[1].clone()]), Hold::TooMuch);
        assert_eq!(keep(&held, &packets[1..]), Hold::Kept);
        assert_eq!(texts(held.take()), packets);
    }

    #[test]
    fn before_the_probe_and_after_the_upgrade_nothing_is_kept() {
        let held = Held::default();
        assert_eq!(keep(&held, &[vec![b'4']]), Hold::NotNow);
        held.probed();
        held.take();
        held.probed();
        assert_eq!(keep(&held, &[vec![b'4']]), Hold::NotNow);
        assert!(!held.waits());
    }
}
