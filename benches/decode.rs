//! What it costs to make an event of a delivery's body: `cargo bench --bench decode`.

use std::hint::black_box;

use agent_gateway::conversation::{Delivered, Kind};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use time::OffsetDateTime;

/// As webhook services publish them, and one that no retry helps.
const BODIES: [(&str, Kind, &str); 4] = [
    (
        "message",
        Kind::InboundMessage,
        r#"{"tenantId":"acme","conversationId":"c-1","messageId":"wamid.HBgMMzQ2MDAwMDAwMDE1","text":"The driver says that nobody was at home yesterday, can you send the parcel again on Friday?","from":"34600000001","timestamp":1714557600}"#,
    ),
    (
        "message with a picture",
        Kind::InboundMessage,
        r#"{"tenantId":"acme","conversationId":"c-1","messageId":"wamid.HBgMMzQ2MDAwMDAwMDE2","text":"This is the damage","mediaUrl":"https://media.example.com/acme/photo.jpg","mediaType":"image/jpeg","from":"34600000001","timestamp":"2024-05-01T10:00:00Z"}"#,
    ),
    (
        "status",
        Kind::StatusUpdate,
        r#"{"tenantId":"acme","conversationId":"c-1","messageId":"wamid.HBgMMzQ2MDAwMDAwMDE3","status":"delivered","timestamp":1714557600}"#,
    ),
    (
        "invalid",
        Kind::InboundMessage,
        r#"{"tenantId":"acme","conversationId":"c-1","messageId":"wamid.HBgMMzQ2MDAwMDAwMDE4","timestamp":1714557600}"#,
    ),
];

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, kind, body) in BODIES {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let delivered = Delivered {
                    kind,
                    body: black_box(body).as_bytes(),
                    encoding: None,
                    sent_at: None,
                    arrived_at: OffsetDateTime::UNIX_EPOCH,
                };
                delivered.decode()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
