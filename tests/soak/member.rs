//! An agent's browser: it joins, reads in its own way, leaves, loses its connection, and comes
//! back with its cursor.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engineio_client::packet::{self, CLOSE, EngineType, PONG, Packet, SocketType};
use engineio_client::{Error, Session, WEBSOCKET};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use url::form_urlencoded;

use super::judge::{Asked, Fault, Joined, Meta, Millis, Payload, Record, Verdict};
use super::plan::{PING_INTERVAL, PING_TIMEOUT, between, ms};
use super::script::Kind;
use super::world::{Phase, Site, World};
use crate::harness::{claims, sign};

/// A client that hears nothing for so long takes the connection for lost.
const SILENCE: Duration = PING_INTERVAL.saturating_add(PING_TIMEOUT);

pub(crate) struct Member {
    world: Arc<World>,
    name: String,
    chance: StdRng,
    habits: Habits,
    records: Vec<Record>,
    /// In each of its conversations: whether it has joined, and when it had the last event.
    has_joined: Vec<bool>,
    had: Vec<Option<Instant>>,
    /// How many of its conversations it has followed to the end.
    arrived: usize,
}

/// What a member keeps to all the time.
#[derive(Debug)]
struct Habits {
    polling: bool,
    /// Which of the gateway's addresses: 0 is its own, others are proxies'.
    route: usize,
    /// Comes in by `/` instead of the namespaces of its conversations.
    root: bool,
    reads: Reads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    Promptly,
    /// Stops for seconds, then goes on.
    WithNaps,
    /// Takes its time for every packet, now and then.
    Slowly,
}

/// Where each conversation's scripts end, by its tag.
pub(crate) type Ends = watch::Receiver<Vec<[usize; 2]>>;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It could not be made.
    Unreachable,
    Lost,
    Left,
    Over,
}

/// What a packet asks of the member.
enum Next {
    Read,
    Answer,
    End,
}

impl Member {
    pub(crate) fn new(world: Arc<World>, number: usize) -> Self {
        let mut chance = world.plan.chance("member", number);
        let routes = 3;
        let mut habits = Habits {
            polling: chance.random_bool(0.2),
            route: chance.random_range(0..routes + 1) % routes,
            root: chance.random_bool(0.5),
            reads: match chance.random_range(0..4) {
                0 => Reads::WithNaps,
                1 => Reads::Slowly,
                _ => Reads::Promptly,
            },
        };
        // Every conversation has a member that reads promptly and without faults on its way.
        let conversations = world.conversations.len();
        if number < conversations || world.plan.drill.is_some() {
            habits = Habits {
                polling: habits.polling && number >= conversations,
                route: 0,
                reads: Reads::Promptly,
                ..habits
            };
        }
        let mut records = vec![Record::new(
            world.conversations[number % conversations].clone(),
        )];
        if !habits.root && chance.random_bool(0.3) {
            let another = number + chance.random_range(1..conversations);
            records.push(Record::new(
                world.conversations[another % conversations].clone(),
            ));
        }
        let name = format!(
            "member {number} ({}, {}, {}, reads {})",
            if habits.polling {
                "polling"
            } else {
                "WebSocket"
            },
            ["direct", "proxy 1", "proxy 2"][habits.route],
            if habits.root { "root" } else { "namespace" },
            match habits.reads {
                Reads::Promptly => "promptly",
                Reads::WithNaps => "with naps",
                Reads::Slowly => "slowly",
            }
        );
        Self {
            world,
            name,
            chance,
            habits,
            has_joined: vec![false; records.len()],
            had: vec![None; records.len()],
            records,
            arrived: 0,
        }
    }

    /// How many conversations it follows.
    pub(crate) fn follows(&self) -> usize {
        self.records.len()
    }

    /// The conversations that it has not followed to the end, with what it saw last.
    pub(crate) fn lags(&self) -> Option<String> {
        let lagging = self.arrived < self.records.len();
        lagging.then(|| {
            let records = self.records.iter();
            let latest = records.flat_map(|record| &record.latest);
            let latest: Vec<_> = latest.map(|line| format!("\n    {line}")).collect();
            format!("{} has not come to the end:{}", self.name, latest.concat())
        })
    }

    /// Why its record is not everything that was published in its conversations, in one piece.
    pub(crate) fn incomplete(&self) -> Option<String> {
        let incomplete = self.records.iter().find_map(Record::incomplete);
        incomplete.map(|why| format!("{}: {why}", self.name))
    }

    /// Lives until the run is over. `ends` are the lines to be reached, once there are any.
    pub(crate) async fn run(mut self, ends: Ends) -> Self {
        // They do not all come at once.
        let late = between(&mut self.chance, ms(0), ms(5_000));
        sleep(late).await;
        loop {
            let end = self.connect(&ends).await;
            let away = match end {
                End::Over => return self,
                End::Unreachable => between(&mut self.chance, ms(100), ms(700)),
                End::Lost => {
                    self.world.count("connections lost");
                    between(&mut self.chance, ms(20), ms(1_000))
                }
                End::Left => match self.chance.random_range(0..20) {
                    0 => between(&mut self.chance, ms(30_000), ms(60_000)),
                    1..=4 => between(&mut self.chance, ms(3_000), ms(15_000)),
                    _ => between(&mut self.chance, ms(0), ms(2_000)),
                },
            };
            let world = self.world.clone();
            tokio::select! {
                () = sleep(away) => {}
                // Who is away comes back for the end.
                () = world.reaches(Phase::Draining) => sleep(ms(300)).await,
            }
        }
    }

    /// One connection, from the first packet to the last.
    async fn connect(&mut self, ends: &Ends) -> End {
        if self.world.phase() == Phase::Over {
            return End::Over;
        }
        let Some(site) = self.choose_site() else {
            return End::Unreachable;
        };
        let address = site.addresses[self.habits.route].clone();
        let query = self.query();
        let opening = async {
            if self.habits.polling {
                Session::polling(&address, &query).await
            } else {
                let small = self.habits.reads == Reads::Slowly;
                websocket(&address, &query, small).await
            }
        };
        let mut session = match timeout(SILENCE, opening).await {
            Ok(Ok(session)) => session,
            refused => {
                self.world.count(match refused {
                    Ok(_) => "connections refused",
                    Err(_) => "connections not answered in time",
                });
                return End::Unreachable;
            }
        };
        self.world.count("connections");
        let world = self.world.clone();
        let end = tokio::select! {
            end = self.follow(&mut session, &site, ends) => end,
            () = world.reaches(Phase::Over) => End::Over,
        };
        if end == End::Left && self.chance.random_bool(0.5) {
            // With a word; otherwise the connection just ends.
            send(&mut session, CLOSE).await.ok();
        }
        end
    }

    /// One of several is any of them; one that has gone is none.
    fn choose_site(&mut self) -> Option<Site> {
        let sites = self.world.sites.borrow();
        match self.world.plan.replicas {
            None => sites.first().cloned(),
            Some(_) => sites.choose(&mut self.chance).cloned(),
        }
    }

    fn query(&self) -> String {
        if !self.habits.root {
            return String::new();
        }
        let conversation = &self.records[0].conversation;
        let ids = form_urlencoded::Serializer::new(String::new())
            .append_pair("tenantId", &conversation.tenant)
            .append_pair("conversationId", &conversation.id)
            .finish();
        format!("&{ids}")
    }

    async fn follow(&mut self, session: &mut Session, site: &Site, ends: &Ends) -> End {
        for membership in 0..self.records.len() {
            let packet = self.ask(membership, site);
            if send(session, &packet).await.is_err() {
                return End::Lost;
            }
        }
        let leave_at = Instant::now() + between(&mut self.chance, ms(2_000), ms(60_000));
        let mut nap_at = Instant::now() + between(&mut self.chance, ms(500), ms(15_000));
        loop {
            let draining = self.world.phase() >= Phase::Draining || self.world.plan.drill.is_some();
            if !draining && Instant::now() >= leave_at {
                return End::Left;
            }
            let read = timeout(SILENCE, session.next());
            let packet = tokio::select! {
                packet = read => packet,
                () = sleep(leave_at.saturating_duration_since(Instant::now())), if !draining => continue,
            };
            // `Err`: nothing has come for too long, not even a heartbeat.
            let Ok(Some(packet)) = packet else {
                return End::Lost;
            };
            match self.take(&packet) {
                Next::Read => {}
                Next::Answer => {
                    if send(session, PONG).await.is_err() {
                        return End::Lost;
                    }
                }
                Next::End => return End::Lost,
            }
            self.report_arrival(&ends.borrow());
            if !draining && let Some(pause) = self.pause(&mut nap_at) {
                let world = self.world.clone();
                tokio::select! {
                    () = sleep(pause) => {}
                    () = world.reaches(Phase::Draining) => {}
                }
            }
        }
    }

    /// How long it does not read now.
    fn pause(&mut self, nap_at: &mut Instant) -> Option<Duration> {
        let due = Instant::now() >= *nap_at;
        match self.habits.reads {
            Reads::Promptly => None,
            Reads::WithNaps if due => {
                self.world.count("naps");
                let nap = between(&mut self.chance, ms(500), ms(9_000));
                *nap_at = Instant::now() + nap + between(&mut self.chance, ms(3_000), ms(20_000));
                Some(nap)
            }
            // Some seconds slow, some seconds not. Slower than this, and the heartbeat would come
            // too late, behind everything else.
            Reads::Slowly if due => {
                if nap_at.elapsed() > ms(8_000) {
                    *nap_at = Instant::now() + between(&mut self.chance, ms(3_000), ms(8_000));
                }
                Some(between(&mut self.chance, ms(1), ms(6)))
            }
            Reads::WithNaps | Reads::Slowly => None,
        }
    }

    /// The CONNECT packet of one of its conversations.
    fn ask(&mut self, membership: usize, site: &Site) -> String {
        let draining = self.world.phase() >= Phase::Draining || self.world.plan.drill.is_some();
        let others = self.records[membership].conversation.tag + 1;
        let others = &self.world.conversations[others % self.world.conversations.len()];
        let record = &mut self.records[membership];
        let conversation = record.conversation.clone();
        let mut auth = json!({"token": sign(&claims(&conversation.tenant))});
        // Drawn whatever the member holds, so that the decisions do not depend on it.
        let (whim, silent) = (
            self.chance.random_range(0..20),
            self.chance.random_bool(0.3),
        );
        let asked = match record.cursor() {
            Some(_) if !draining && whim > 15 && record.outdated().is_some() => {
                auth["cursor"] = record.outdated().into();
                Asked::Nonsense
            }
            Some(cursor) if draining || whim > 1 => {
                auth["cursor"] = cursor.into();
                Asked::Resume
            }
            Some(_) if whim == 1 => {
                // It looks like a cursor, and is none.
                auth["cursor"] = format!("{:A<32}", others.tag).into();
                Asked::Nonsense
            }
            _ => {
                let replay = draining || !silent;
                auth["replay"] = replay.into();
                Asked::Fresh { replay }
            }
        };
        self.world.count("CONNECTs");
        let shared = self.world.generation_record(site.generation, &conversation);
        record.connect(site.generation, shared, asked, now());
        match self.habits.root {
            true => packet::connect("/", auth),
            false => packet::connect(&namespace(record), auth),
        }
    }

    fn take(&mut self, packet: &str) -> Next {
        match EngineType::of(packet.as_bytes()) {
            Some(EngineType::Ping) => Next::Answer,
            Some(EngineType::Message) => self.take_packet(packet),
            Some(EngineType::Noop) => Next::Read,
            _ => Next::End,
        }
    }

    /// A Socket.IO packet.
    fn take_packet(&mut self, packet: &str) -> Next {
        let contract = || Verdict {
            fault: Fault::Contract,
            detail: format!("packet {packet}"),
        };
        let parsed = Packet::parse(packet);
        let namespace_of = parsed.map_or("/", |packet| packet.namespace);
        let root = self.habits.root;
        let membership = self.records.iter().position(|record| match root {
            true => namespace_of == "/",
            false => namespace_of == namespace(record),
        });
        let Some(membership) = membership else {
            let report = format!("{}: a packet for {namespace_of}", self.name);
            self.world.find_at_large(Fault::Foreign, report);
            return Next::End;
        };
        let judged = match parsed.map(|packet| (packet.kind, packet.data)) {
            Some((SocketType::Connect, _)) => Ok(Next::Read),
            Some((SocketType::Event, data)) => {
                self.take_event(membership, data).map(|()| Next::Read)
            }
            Some((SocketType::ConnectError, data)) if data.contains("Service unavailable") => {
                self.world.count("refused by a gateway that shuts down");
                Ok(Next::End)
            }
            _ => Err(contract()),
        };
        judged.unwrap_or_else(|verdict| {
            self.world
                .find(&self.name, &self.records[membership], verdict);
            Next::End
        })
    }

    fn take_event(&mut self, membership: usize, data: &str) -> Result<(), Verdict> {
        let unreadable = |detail: String| Verdict {
            fault: Fault::Contract,
            detail,
        };
        let args: Vec<&RawValue> =
            serde_json::from_str(data).map_err(|error| unreadable(format!("{error}: {data}")))?;
        let text = |at: usize| args.get(at).map_or("null", |raw| raw.get());
        let name: Cow<'_, str> = serde_json::from_str(text(0))
            .map_err(|error| unreadable(format!("{error}: {data}")))?;
        let record = &mut self.records[membership];
        let world = &self.world;
        if let Some(kind) = Kind::of(&name) {
            let payload: Payload = read(text(1))?;
            let meta: Meta = read(text(2))?;
            record.event(kind, &payload, &meta)?;
            if world.plan.drill.is_some() && world.phase() == Phase::Running {
                let had = self.had[membership].replace(Instant::now());
                if let Some(had) = had {
                    world.paused(&self.name, had.elapsed());
                }
            }
            world.count("delivered");
            if meta.replayed {
                world.count("replayed");
            }
            return Ok(());
        }
        match &*name {
            "joined" => {
                let joined: Joined = read(text(1))?;
                record.joined(&joined, now())?;
                if !std::mem::replace(&mut self.has_joined[membership], true) {
                    world.joined.send_modify(|joined| *joined += 1);
                }
                world.count(match &*joined.resume {
                    "fresh" => "joined fresh",
                    "resumed" => "joined resumed",
                    _ => "joined reset",
                });
                Ok(())
            }
            "reset" => {
                let reset: Value = read(text(1))?;
                world.count("reset on the way");
                let text = |name: &str| reset[name].as_str().unwrap_or_default();
                record.reset(text("cursor"), text("reason"))
            }
            _ => Err(unreadable(format!("event {name}"))),
        }
    }

    /// Says so when it has come to the end of one more of its conversations.
    fn report_arrival(&mut self, ends: &[[usize; 2]]) {
        if ends.is_empty() {
            return;
        }
        let here = self.records.iter().filter(|record| {
            let end = ends[record.conversation.tag];
            record.is_joined()
                && Kind::ALL
                    .into_iter()
                    .all(|kind| record.has_reached(kind, end[kind as usize]))
        });
        let here = here.count();
        if here > self.arrived {
            let more = here - self.arrived;
            self.arrived = here;
            self.world.arrived.send_modify(|(arrived, last)| {
                *arrived += more;
                last.clone_from(&self.name);
            });
        }
    }
}

/// Opens a WebSocket. With a `small_buffer` the kernel takes hardly anything that is not read.
async fn websocket(address: &str, query: &str, small_buffer: bool) -> Result<Session, Error> {
    let socket = TcpSocket::new_v4()?;
    if small_buffer {
        socket.set_recv_buffer_size(4096)?;
    }
    let stream = socket.connect(address.parse().unwrap()).await?;
    Session::websocket(stream, address, &format!("{WEBSOCKET}{query}")).await
}

/// Sends a packet, unless that takes too long.
async fn send(session: &mut Session, packet: &str) -> Result<(), Error> {
    let sending = timeout(SILENCE, session.send(packet));
    let silent = |_| Error::Io(std::io::ErrorKind::TimedOut.into());
    sending.await.map_err(silent)?
}

fn now() -> Millis {
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
    (nanoseconds / 1_000_000) as Millis
}

fn namespace(record: &Record) -> String {
    let conversation = &record.conversation;
    format!("/tenant/{}/conv/{}", conversation.tenant, conversation.id)
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Verdict> {
    serde_json::from_str(json).map_err(|error| Verdict {
        fault: Fault::Contract,
        detail: format!("{error}: {json}"),
    })
}
