use serde_json::{Value, json};

use super::*;

/// What a program that comes with the gateway makes of a body: names, conversations and payloads.
fn events(mapping: &str, body: &Value) -> Vec<(String, String, Value)> {
    let mapping = Mapping::load(mapping).unwrap();
    let body = body.to_string();
    let delivered = Delivered::now(Kind::InboundMessage, body.as_bytes());
    let circumstances = Circumstances::default();
    let mapped = mapping.apply(&Decoder::default(), &delivered, &circumstances);
    let mapped = mapped.unwrap();
    assert_eq!(mapped.rejection, None, "{body}");
    let events = mapped.events.into_iter().map(|decoded| {
        assert!(decoded.left_out.is_empty(), "{:?}", decoded.left_out);
        let event = decoded.event;
        assert_eq!(event.key.tenant.as_str(), "acme");
        let payload = serde_json::from_str(event.payload.get()).unwrap();
        let conversation = event.key.conversation.to_string();
        (event.name.as_str().to_owned(), conversation, payload)
    });
    events.collect()
}

/// The one event, without what all of them have.
fn one(mapping: &str, body: &Value) -> (String, String, Value) {
    let mut events = events(mapping, body);
    assert_eq!(events.len(), 1, "{body}");
    let (name, conversation, mut payload) = events.remove(0);
    let fields = payload.as_object_mut().unwrap();
    for common in ["messageId", "timestamp", "from", "fromName"] {
        fields.remove(common);
    }
    (name, conversation, payload)
}

const JID: &str = "34600000001@s.whatsapp.net";
const GROUP: &str = "120363000000000001@g.us";

/// The parts of a message that both services take from WhatsApp Web, with what they become.
fn messages() -> Vec<(Value, Value)> {
    let card =
        "BEGIN:VCARD\nFN:Bob\nitem1.TEL;waid=1:+1 2\r\nTEL:3\nEMAIL;type=x:b@c.test\nEND:VCARD";
    vec![
        (
            json!({"conversation": "hi"}),
            json!({"type": "text", "text": "hi"}),
        ),
        (
            json!({"extendedTextMessage": {"text": "hi", "contextInfo": {"isForwarded": true}}}),
            json!({"type": "text", "text": "hi", "forwarded": true}),
        ),
        (
            json!({"ephemeralMessage": {"message": {"viewOnceMessage": {"message": {"conversation": "hi"}}}}}),
            json!({"type": "text", "text": "hi"}),
        ),
        (
            json!({"imageMessage": {"mimetype": "image/jpeg", "caption": "c", "fileLength": 7, "url": "https://x.enc"}}),
            json!({"type": "image", "mediaId": "m-1", "mediaType": "image/jpeg", "text": "c", "fileSize": 7}),
        ),
        (
            json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"fileName": "a.pdf", "caption": "c"}}}}),
            json!({"type": "document", "mediaId": "m-1", "fileName": "a.pdf", "text": "c"}),
        ),
        (
            json!({"videoMessage": {}}),
            json!({"type": "video", "mediaId": "m-1"}),
        ),
        (
            json!({"audioMessage": {"seconds": 3}}),
            json!({"type": "audio", "mediaId": "m-1"}),
        ),
        (
            json!({"audioMessage": {"ptt": true}}),
            json!({"type": "voice", "mediaId": "m-1"}),
        ),
        (
            json!({"stickerMessage": {"mimetype": "image/webp"}}),
            json!({"type": "sticker", "mediaId": "m-1", "mediaType": "image/webp"}),
        ),
        (
            json!({"locationMessage": {"degreesLatitude": 1.5, "degreesLongitude": -2, "name": "n"}}),
            json!({"type": "location", "location": {"latitude": 1.5, "longitude": -2, "name": "n"}}),
        ),
        (
            json!({"contactMessage": {"displayName": "Bob", "vcard": card}}),
            json!({"type": "contacts", "contacts": [{"name": "Bob", "phones": ["+1 2", "3"], "emails": ["b@c.test"]}]}),
        ),
        (
            json!({"contactsArrayMessage": {"contacts": [{"displayName": "A"}, {"displayName": "B"}]}}),
            json!({"type": "contacts", "contacts": [{"name": "A"}, {"name": "B"}]}),
        ),
        (
            json!({"reactionMessage": {"key": {"id": "m-0"}, "text": "👍"}}),
            json!({"type": "reaction", "target": "m-0", "emoji": "👍"}),
        ),
        (
            json!({"reactionMessage": {"key": {"id": "m-0"}, "text": ""}}),
            json!({"type": "reaction", "target": "m-0"}),
        ),
        (
            json!({"protocolMessage": {"type": 0, "key": {"id": "m-0"}}}),
            json!({"type": "delete", "target": "m-0"}),
        ),
        (
            json!({"editedMessage": {"message": {"protocolMessage": {
                "type": 14, "key": {"id": "m-0"},
                "editedMessage": {"extendedTextMessage": {"text": "new"}},
            }}}}),
            json!({"type": "edit", "target": "m-0", "text": "new"}),
        ),
        (
            json!({"templateButtonReplyMessage": {"selectedDisplayText": "Yes"}}),
            json!({"type": "button", "text": "Yes"}),
        ),
        (
            json!({"listResponseMessage": {"title": "One"}}),
            json!({"type": "interactive", "text": "One"}),
        ),
        (
            json!({"pollCreationMessageV3": {"name": "When?", "options": [{"optionName": "Mon"}, {"optionName": "Tue"}]}}),
            json!({"type": "poll", "text": "When?\n- Mon\n- Tue"}),
        ),
        (
            json!({"somethingNewMessage": {}}),
            json!({"type": "unsupported"}),
        ),
    ]
}

fn evolution(key: &Value, message: &Value) -> Value {
    json!({
        "event": "messages.upsert", "instance": "acme", "apikey": "k",
        "data": {"key": key, "pushName": "Ada", "message": message, "messageTimestamp": 1_714_557_600},
    })
}

fn wuzapi(info: &Value, message: &Value) -> Value {
    let mut all = json!({
        "Chat": JID, "Sender": "34600000001:3@s.whatsapp.net", "ID": "m-1", "PushName": "Ada",
        "IsFromMe": false, "Timestamp": "2024-05-01T10:00:00Z",
    });
    let more = info.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    json!({
        "type": "Message", "instanceName": "acme", "userID": "1",
        "event": {"Info": all, "Message": message},
    })
}

#[test]
fn both_services_of_whatsapp_web_are_understood_in_every_part() {
    for (message, expected) in messages() {
        let expected = ("inbound_message".into(), "34600000001".into(), expected);
        let key = json!({"remoteJid": JID, "fromMe": false, "id": "m-1"});
        let body = evolution(&key, &message);
        assert_eq!(one("evolution", &body), expected, "{message}");
        let body = wuzapi(&json!({}), &message);
        assert_eq!(one("wuzapi", &body), expected, "{message}");
    }
}

#[test]
fn who_wrote_and_where_is_told_by_the_jids() {
    let message = json!({"conversation": "hi"});
    let sender = |payload: &Value| (payload["from"].clone(), payload["fromName"].clone());
    for (key, info, name, conversation, from) in [
        (
            json!({"remoteJid": JID, "fromMe": true, "id": "m-1"}),
            json!({"IsFromMe": true}),
            "outbound_message",
            "34600000001",
            (Value::Null, Value::Null),
        ),
        (
            json!({"remoteJid": GROUP, "participant": "34600000002:7@s.whatsapp.net", "id": "m-1"}),
            json!({"Chat": GROUP, "IsGroup": true, "Sender": "34600000002:7@s.whatsapp.net"}),
            "inbound_message",
            GROUP,
            (json!("34600000002"), json!("Ada")),
        ),
        (
            json!({"remoteJid": "99@lid", "remoteJidAlt": JID, "id": "m-1"}),
            json!({"Chat": "99@lid", "Sender": "99:1@lid", "SenderAlt": JID}),
            "inbound_message",
            "34600000001",
            (json!("34600000001"), json!("Ada")),
        ),
        (
            json!({"remoteJid": "99@lid", "id": "m-1"}),
            json!({"Chat": "99@lid", "Sender": "99@lid"}),
            "inbound_message",
            "99@lid",
            (json!("99@lid"), json!("Ada")),
        ),
    ] {
        for (mapping, body) in [
            ("evolution", evolution(&key, &message)),
            ("wuzapi", wuzapi(&info, &message)),
        ] {
            let (is, place, payload) = events(mapping, &body).remove(0);
            assert_eq!((&*is, &*place), (name, conversation), "{mapping} {key}");
            assert_eq!(sender(&payload), from, "{mapping} {key}");
            assert_eq!(payload["timestamp"], "2024-05-01T10:00:00Z");
        }
    }
}

#[test]
fn a_quote_has_its_text_and_a_stored_medium_its_address() {
    let key = json!({"remoteJid": JID, "id": "m-1"});
    let quoted = json!({"imageMessage": {"caption": "this one"}});
    let context = json!({"stanzaId": "m-0", "participant": JID, "quotedMessage": quoted});
    let reply = json!({"messageId": "m-0", "text": "this one", "from": "34600000001"});
    let body = evolution(
        &key,
        &json!({"extendedTextMessage": {"text": "yes", "contextInfo": context}}),
    );
    assert_eq!(one("evolution", &body).2["replyTo"], reply);
    // As newer versions have it: beside the message.
    let mut body = evolution(&key, &json!({"conversation": "yes"}));
    body["data"]["contextInfo"] = context;
    assert_eq!(one("evolution", &body).2["replyTo"], reply);
    let context = json!({"stanzaID": "m-0", "participant": JID, "quotedMessage": quoted});
    let message = json!({"imageMessage": {"contextInfo": context}});
    let mut body = wuzapi(&json!({}), &message);
    body["s3"] = json!({"url": "https://s3.test/1.jpg", "mimeType": "image/jpeg", "size": 9});
    let payload = one("wuzapi", &body).2;
    assert_eq!(payload["replyTo"], reply);
    let medium = ["mediaUrl", "mediaId", "mediaType", "fileSize"].map(|name| payload[name].clone());
    let expected = [
        json!("https://s3.test/1.jpg"),
        json!("m-1"),
        json!("image/jpeg"),
        json!(9),
    ];
    assert_eq!(medium, expected);
    // Halves of a 64-bit number, and digits.
    for length in [json!({"low": 9, "high": 0, "unsigned": true}), json!("9")] {
        let message = json!({
            "imageMessage": {"mimetype": "image/jpeg", "fileLength": length},
            "mediaUrl": "https://s3.test/1.jpg",
        });
        let mut body = evolution(&key, &message);
        body["data"]["messageTimestamp"] = json!({"low": 1_714_557_600, "high": 0});
        let payload = events("evolution", &body).remove(0).2;
        let medium =
            ["mediaUrl", "mediaId", "mediaType", "fileSize"].map(|name| payload[name].clone());
        assert_eq!(medium, expected);
        assert_eq!(payload["timestamp"], "2024-05-01T10:00:00Z");
    }
}

#[test]
fn ticks_are_those_of_the_agents_messages() {
    let update =
        |data: Value| json!({"event": "messages.update", "instance": "acme", "data": data});
    for (status, expected) in [
        (json!("SERVER_ACK"), Some("sent")),
        (json!("DELIVERY_ACK"), Some("delivered")),
        (json!("READ"), Some("read")),
        (json!("PLAYED"), Some("read")),
        (json!("ERROR"), Some("failed")),
        (json!(3), Some("delivered")),
        (json!("PENDING"), None),
        (json!(null), None),
    ] {
        let data = json!({"keyId": "m-1", "remoteJid": JID, "fromMe": true, "status": status});
        let list = json!([{"key": {"id": "m-1", "remoteJid": JID, "fromMe": true}, "update": {"status": status}}]);
        for body in [update(data), update(list)] {
            let told = events("evolution", &body);
            assert_eq!(told.len(), usize::from(expected.is_some()), "{body}");
            for (name, conversation, payload) in told {
                assert_eq!((&*name, &*conversation), ("status_update", "34600000001"));
                assert_eq!(payload["status"].as_str(), expected);
                assert_eq!(payload["messageId"], "m-1");
            }
        }
    }
    let theirs = json!({"keyId": "m-1", "remoteJid": JID, "fromMe": false, "status": "READ"});
    assert!(events("evolution", &update(theirs)).is_empty());

    for (kind, state, expected) in [
        ("read", "Read", Some("read")),
        ("", "Delivered", Some("delivered")),
        ("played", "", Some("read")),
        ("read-self", "ReadSelf", None),
    ] {
        let body = json!({
            "type": "ReadReceipt", "state": state, "instanceName": "acme",
            "event": {
                "Chat": JID, "IsFromMe": false, "MessageIDs": ["m-1", "m-2"], "Type": kind,
                "Timestamp": "2024-05-01T10:00:00Z",
            },
        });
        let told = events("wuzapi", &body);
        let told: Vec<_> = told
            .iter()
            .map(|(.., payload)| payload["status"].as_str())
            .collect();
        let all = [expected; 2];
        assert_eq!(told, &all[..expected.map_or(0, |_| 2)], "{kind}");
    }
}

#[test]
fn edits_and_deletions_have_events_of_their_own_and_the_rest_is_ignored() {
    let of = |event: &str, data: &Value| json!({"event": event, "instance": "acme", "data": data});
    let data = json!({
        "key": {"remoteJid": JID, "fromMe": false, "id": "m-1"}, "type": "MESSAGE_EDIT",
        "editedMessage": {"conversation": "new"}, "timestampMs": "1714557600000",
    });
    let (.., payload) = events("evolution", &of("messages.edited", &data)).remove(0);
    assert_eq!(payload["messageId"], "m-1.edited.1714557600000");
    assert_eq!(
        (&payload["target"], &payload["text"]),
        (&json!("m-1"), &json!("new"))
    );
    let data = json!({"remoteJid": JID, "fromMe": true, "id": "m-1", "status": "DELETED"});
    let (name, _, payload) = events("evolution", &of("MESSAGES_DELETE", &data)).remove(0);
    assert_eq!(name, "outbound_message");
    assert_eq!(
        (&payload["type"], &payload["target"]),
        (&json!("delete"), &json!("m-1"))
    );
    for event in [
        "presence.update",
        "contacts.upsert",
        "connection.update",
        "chats.set",
    ] {
        assert!(events("evolution", &of(event, &data)).is_empty(), "{event}");
    }
    let story = evolution(
        &json!({"remoteJid": "status@broadcast", "id": "m-1"}),
        &json!({"conversation": "hi"}),
    );
    assert!(events("evolution", &story).is_empty());
    let presence = json!({"type": "Presence", "instanceName": "acme", "event": {"From": JID}});
    assert!(events("wuzapi", &presence).is_empty());
}

#[test]
fn levels_are_those_of_brackets_outside_of_strings() {
    for (json, expected) in [
        ("1", 0),
        ("[]", 1),
        (r#"{"a":[{}],"b":[]}"#, 3),
        (r#"["[[[","\"[[",{"{":1}]"#, 2),
        (r#"["\\",[]]"#, 2),
    ] {
        assert_eq!(levels(json.as_bytes()), expected, "{json}");
    }
}
