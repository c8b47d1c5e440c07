//! Tenant isolation: no event, duplicate or cursor of one tenant reaches another, whatever its ids look like,
//! and nobody can tell what exists.

mod program;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_gateway::auth::{Authenticator, Settings};
use agent_gateway::conversation::{
    Accepted, Batch, ConversationKey, Cursor, CursorKey, Entry, Epoch, Event, EventName, Hub, Id,
    Identity, Join, Joined, Offer, Outlet, Participant, Position, Published, ResetNotice, Resume,
    WindowLimits,
};
use agent_gateway::socketio::handshake::{self, ConnectError};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::harness::{SECRET, sign};

fn authenticator() -> Authenticator {
    Authenticator::new(Settings {
        secrets: vec![SECRET.to_owned()],
        ..Settings::default()
    })
    .unwrap()
}

/// Short texts of few parts, so that many are alike, and pairs of them run together alike.
fn id() -> impl Strategy<Value = String> {
    const PARTS: [&str; 20] = [
        "a", "a", "a", "b", "b", "A", ".", ":", "-", "@", "=", "+", "/", "%2f", "%00", "\0", " ",
        "*", "conv", "а",
    ];
    proptest::collection::vec(proptest::sample::select(&PARTS[..]), 0..4)
        .prop_map(|parts| parts.concat())
}

/// What could pass for `text`, or is it.
fn like(text: &str, how: u8) -> String {
    match how {
        0..=5 => text.to_owned(),
        6 => text.to_uppercase(),
        7 => text.to_lowercase(),
        8 => format!("{text}."),
        9 => format!("{text}\0"),
        10 => format!(" {text}"),
        11 => format!("{text}/../{text}"),
        12 => text.replace('a', "%61"),
        13 => text.replace('a', "а"),
        14 => text.chars().skip(1).collect(),
        _ => format!("{text}{text}"),
    }
}

/// Few letters, so that pairs of ids run together alike.
fn good_id() -> impl Strategy<Value = Id> {
    "[ab]{1,2}|[ab.:]{1,3}".prop_map(|text| Id::parse(&text).unwrap())
}

fn key() -> impl Strategy<Value = ConversationKey> {
    (good_id(), good_id()).prop_map(|(tenant, conversation)| ConversationKey {
        tenant,
        conversation,
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn a_token_grants_its_exact_ids_and_no_similar_ones(
        (tenant, granted) in (id(), proptest::option::of(proptest::collection::vec(id(), 0..3))),
        (conversation, like_tenant, like_granted) in (id(), 0_u8..17, 0_u8..17),
        by_root in any::<bool>(),
        escaped in any::<bool>(),
    ) {
        let asked = like(&tenant, like_tenant);
        let first = granted.as_ref().and_then(|granted| granted.first());
        let conversation = first.map_or(conversation, |first| like(first, like_granted));
        let mut claims = json!({"sub": "ada", "exp": 4_102_444_800_i64, "tenantId": tenant});
        if let Some(granted) = &granted {
            claims["conversations"] = json!(granted);
        }
        let mut auth = json!({"token": sign(&claims)});
        let (namespace, query) = match (by_root, escaped) {
            (false, _) => (format!("/tenant/{asked}/conv/{conversation}"), String::new()),
            (true, true) => {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("tenantId", &asked).append_pair("conversationId", &conversation);
                ("/".to_owned(), query.finish())
            }
            (true, false) => {
                auth["tenantId"] = json!(asked);
                auth["conversationId"] = json!(conversation);
                ("/".to_owned(), "tenantId=b&conversationId=b".to_owned())
            }
        };
        let authenticator = authenticator();
        let admission = handshake::admit(&authenticator, &namespace, Some(&query), &auth);
        let admission = block_on(admission);
        // Read in another way than the gateway does: by what it is to mean.
        let is_id = |text: &str| Id::parse(text).is_ok();
        let is_granted = granted.is_none_or(|granted| granted.contains(&conversation));
        match admission {
            Ok(admission) => {
                prop_assert_eq!(admission.key.tenant.as_str(), &asked);
                prop_assert_eq!(admission.key.conversation.as_str(), &conversation);
                prop_assert_eq!(&asked, &tenant);
                prop_assert!(is_granted);
            }
            Err(ConnectError::InvalidToken) => prop_assert_eq!(tenant, ""),
            Err(ConnectError::InvalidConversation) => {
                prop_assert!(!is_id(&asked) || !is_id(&conversation));
            }
            Err(ConnectError::Forbidden) => prop_assert!(asked != tenant || !is_granted),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// What a member has seen.
#[derive(Default)]
struct Seen {
    joined: Option<(Resume, usize)>,
    texts: Vec<String>,
}

struct Recorder {
    participant: Participant,
    seen: Mutex<Seen>,
}

impl Outlet for Recorder {
    fn joined(&self, joined: &Joined) -> Offer {
        self.seen.lock().unwrap().joined = Some((joined.resume, joined.replaying));
        Offer::Taken
    }

    fn event(&self, entry: &Entry, _replayed: bool) -> Offer {
        let text = entry.payload().to_owned();
        self.seen.lock().unwrap().texts.push(text);
        Offer::Taken
    }

    fn reset(&self, _notice: &ResetNotice) -> Offer {
        Offer::Taken
    }

    // It has room for everything, and keeps it at once.
    fn flush(&self) {}

    fn room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn participant(&self) -> &Participant {
        &self.participant
    }

    fn disconnect(&self) -> bool {
        false
    }
}

fn recorder() -> Arc<Recorder> {
    Arc::new(Recorder {
        participant: Participant {
            agent: "ada".to_owned(),
            name: None,
            connected_at: OffsetDateTime::UNIX_EPOCH,
        },
        seen: Mutex::default(),
    })
}

/// An event with the same messageId and eventId in whatever conversation; only its text says whose
/// it is.
fn event(key: &ConversationKey, number: usize) -> Event {
    Event {
        key: key.clone(),
        name: EventName::InboundMessage,
        payload: serde_json::value::to_raw_value(&text(key, number)).unwrap(),
        identity: Some(Identity::Inbound(format!("m-{number}").into())),
        event_id: Some(format!("e-{number}").into()),
        trace: None,
    }
}

fn text(key: &ConversationKey, number: usize) -> Value {
    json!([key.tenant.as_str(), key.conversation.as_str(), number])
}

fn limits() -> WindowLimits {
    WindowLimits {
        age: Duration::from_secs(600),
        events: 256,
        bytes: 1 << 20,
        lag_bytes: 1 << 20,
        remembered: WindowLimits::MIN_REMEMBERED,
        shared: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn conversations_share_neither_events_nor_deduplication_nor_cursors(
        keys in proptest::collection::vec(key(), 2..8),
        order in proptest::collection::vec(0_usize..8, 1..60),
    ) {
        let mut keys = keys;
        keys.sort_by(|one, other| (&one.tenant, &one.conversation).cmp(&(&other.tenant, &other.conversation)));
        keys.dedup();
        block_on(async {
            let hub = Arc::new(Hub::new(Epoch(7), &CursorKey::random(), limits()));
            let members: Vec<_> = keys.iter().map(|key| {
                let member = recorder();
                hub.join(key, Join::Fresh { replay: true }, member.clone());
                member
            }).collect();
            let mut counts = vec![0; keys.len()];
            let mut cursors: Vec<Option<Cursor>> = vec![None; keys.len()];
            for (head, which) in (1..).zip(order) {
                let which = which % keys.len();
                let applied = hub.apply(
                    event(&keys[which], counts[which]),
                    || Position(head),
                    Accepted::now(),
                    &mut Batch::default(),
                );
                let Published::New(cursor) = applied else {
                    panic!("{:?} is taken for a repeat: {applied:?}", keys[which]);
                };
                counts[which] += 1;
                cursors[which] = Some(cursor);
                tokio::task::yield_now().await;
            }
            // Whoever has been cut off comes back with a cursor of each conversation in turn.
            let mut returned = Vec::new();
            for (own, key) in keys.iter().enumerate() {
                for (whose, cursor) in cursors.iter().enumerate() {
                    if let Some(cursor) = *cursor {
                        let member = recorder();
                        hub.join(key, Join::Resume(cursor), member.clone());
                        returned.push((own, whose, member));
                    }
                }
            }
            while hub.catching_up() > 0 {
                tokio::task::yield_now().await;
            }
            let all = |which: usize| -> Vec<_> {
                (0..counts[which]).map(|number| text(&keys[which], number).to_string()).collect()
            };
            for (which, member) in members.iter().enumerate() {
                assert_eq!(member.seen.lock().unwrap().texts, all(which));
            }
            for (own, whose, member) in returned {
                let seen = member.seen.lock().unwrap();
                let (resume, replaying) = seen.joined.unwrap();
                if own == whose {
                    assert_eq!((resume, replaying), (Resume::Resumed, 0));
                } else {
                    assert_eq!((resume, replaying), (Resume::Reset, counts[own]));
                    assert_eq!(seen.texts, all(own));
                }
            }
        });
    }
}
