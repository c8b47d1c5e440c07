//! What it costs to make events of a body of another shape, beside one of the gateway's own:
//! `cargo bench --bench mapping`.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use agent_gateway::conversation::{Decoder, Delivered, Kind};
use agent_gateway::source::amqp::{Circumstances, Mapping};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use time::OffsetDateTime;

/// The body of an example.
fn body(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("amqp/examples");
    let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
    let example: Value = serde_json::from_str(&text).unwrap_or_default();
    example["body"].to_string()
}

fn delivered(body: &str) -> Delivered<'_> {
    Delivered {
        kind: Kind::InboundMessage,
        body: body.as_bytes(),
        encoding: None,
        sent_at: None,
        arrived_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn mapping(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mapping");
    let decoder = Decoder::default();
    let plain = body("good-text.json");
    group.throughput(Throughput::Elements(1));
    group.bench_function("none", |bencher| {
        bencher.iter(|| decoder.decode(&delivered(black_box(&plain))));
    });
    let evolution = r#"{"event":"messages.upsert","instance":"acme","data":{"key":{"remoteJid":"34600000001@s.whatsapp.net","fromMe":false,"id":"3EB0A"},"pushName":"Ada","message":{"conversation":"The driver says that nobody was at home"},"messageType":"conversation","messageTimestamp":1714557600},"apikey":"none"}"#;
    let wuzapi = r#"{"type":"Message","instanceName":"acme","userID":"1","event":{"Info":{"Chat":"34600000001@s.whatsapp.net","Sender":"34600000001:3@s.whatsapp.net","IsFromMe":false,"ID":"3EB0A","PushName":"Ada","Timestamp":"2024-05-01T10:00:00Z"},"Message":{"conversation":"The driver says that nobody was at home"}}}"#;
    for (name, program, body, events) in [
        (
            "cloud_api, a text",
            "cloud_api",
            body("cloud_api/text.json"),
            1,
        ),
        (
            "cloud_api, a status",
            "cloud_api",
            body("cloud_api/status-read.json"),
            1,
        ),
        (
            "cloud_api, twelve at once",
            "cloud_api",
            body("cloud_api/twelve-at-once.json"),
            12,
        ),
        (
            "cloud_api, ignored",
            "cloud_api",
            body("cloud_api/account-update.json"),
            0,
        ),
        ("evolution, a text", "evolution", evolution.to_owned(), 1),
        ("wuzapi, a text", "wuzapi", wuzapi.to_owned(), 1),
    ] {
        let Ok(mapping) = Mapping::load(program) else {
            continue;
        };
        let circumstances = Circumstances::default();
        let apply = || mapping.apply(&decoder, &delivered(black_box(&body)), &circumstances);
        // A bench of a failure would look fast.
        assert_eq!(apply().map(|mapped| mapped.events.len()).ok(), Some(events));
        group.bench_function(name, |bencher| bencher.iter(apply));
    }
    group.finish();
}

criterion_group!(benches, mapping);
criterion_main!(benches);
