//! Tenant isolation of the running program: many tenants at once, and an agent of another tenant.

use engineio_client::packet::split;
use engineio_client::{POLLING, WEBSOCKET, WebSocket};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::harness::{API_KEY, Broker, Client, Raw, Received, TestGateway, claims, message, sign};

const TENANTS: [&str; 8] = ["a", "ab", "a.b", "a:b", "A", "a-", "tenant", "a@b"];
const CONVERSATIONS: [&str; 3] = ["c", "b:c", "conv"];

/// An agent by one of the namespaces, over one of the transports.
struct Agent(Client);

impl Agent {
    async fn join(gateway: &TestGateway, number: usize, key: (&str, &str), cursor: &Value) -> Self {
        let (tenant, conversation) = key;
        let address = gateway.address();
        let auth = json!({"token": sign(&claims(tenant)), "cursor": cursor});
        let (query, namespace) = match number % 2 {
            0 => (
                format!("&tenantId={tenant}&conversationId={conversation}"),
                "/".to_owned(),
            ),
            _ => (
                String::new(),
                format!("/tenant/{tenant}/conv/{conversation}"),
            ),
        };
        let mut client = match number % 4 {
            0 | 1 => Client::open(address, &query).await,
            _ => Client::open_polling(address, &query).await,
        };
        client.connect(&namespace, &auth).await;
        Self(client)
    }

    /// The next event's name and arguments.
    async fn event(&mut self) -> (String, Vec<Value>) {
        loop {
            match self.0.next().await {
                Received::Connected(_) => {}
                Received::Event { name, args, .. } => return (name, args),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_with_equal_conversation_and_message_ids_get_only_their_own_events() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let keys: Vec<_> = TENANTS
        .iter()
        .flat_map(|&tenant| CONVERSATIONS.map(|conversation| (tenant, conversation)))
        .collect();
    let mut agents = Vec::new();
    for (number, &key) in keys.iter().enumerate() {
        let mut agent = Agent::join(&gateway, number, key, &Value::Null).await;
        let (name, args) = agent.event().await;
        assert_eq!(
            (name.as_str(), &args[0]["tenantId"]),
            ("joined", &json!(key.0))
        );
        agents.push(agent);
    }
    for number in 0..4 {
        for &(tenant, conversation) in &keys {
            let own = format!("{number} of {tenant} in {conversation}");
            let mut body = message(tenant, conversation, &format!("m-{number}"));
            body["text"] = own.clone().into();
            if number % 2 == 0 {
                broker.publish("inbound_message", &body).await;
                continue;
            }
            let payload = json!({"messageId": format!("m-{number}"), "text": own});
            let emit = json!({"tenantId": tenant, "conversationId": conversation,
                "event": "inbound_message", "payload": payload, "eventId": format!("e-{number}")});
            let (status, answer) = gateway.emit(&emit).await;
            assert_eq!(
                (status, &answer["duplicate"]),
                (200, &json!(false)),
                "{own}"
            );
        }
    }
    let mut cursors = Vec::new();
    for (agent, (tenant, conversation)) in agents.iter_mut().zip(&keys) {
        // The relay and the broker have no order between them.
        let mut texts = Vec::new();
        for _ in 0..4 {
            let (name, args) = agent.event().await;
            assert_eq!(name, "inbound_message");
            texts.push(args[0]["text"].as_str().unwrap().to_owned());
            cursors.push(args[1]["cursor"].clone());
        }
        texts.sort();
        let own = (0..4).map(|number| format!("{number} of {tenant} in {conversation}"));
        assert_eq!(texts, own.collect::<Vec<_>>());
    }
    // The others' cursors are nobody's.
    for (number, &key) in keys.iter().enumerate() {
        let other = &cursors[(4 * (number + 1)) % cursors.len()];
        let mut agent = Agent::join(&gateway, number, key, other).await;
        let (_, joined) = agent.event().await;
        assert_eq!(joined[0]["resume"], "reset", "{key:?}");
        for _ in 0..4 {
            let (_, args) = agent.event().await;
            let text = args[0]["text"].as_str().unwrap();
            assert!(
                text.ends_with(&format!(" of {} in {}", key.0, key.1)),
                "{text}"
            );
        }
    }
    let key = format!("x-internal-api-key: {API_KEY}");
    let page = crate::harness::raw::ask(gateway.address(), "GET /metrics", &[&key]).await;
    let labels: Vec<_> = page.body.split('"').skip(1).step_by(2).collect();
    for id in TENANTS
        .iter()
        .chain(&CONVERSATIONS)
        .chain(&["agent-1", "m-0", "e-1"])
    {
        assert!(!labels.contains(id), "{id} in {labels:?}");
    }
    for cursor in &cursors {
        assert!(!page.body.contains(cursor.as_str().unwrap()));
    }
}

/// What a session is told over a WebSocket, to the byte, when it says this; pings aside.
async fn websocket_answers(gateway: &TestGateway, query: &str, packets: &[String]) -> Vec<String> {
    let address = gateway.address();
    let stream = TcpStream::connect(address).await.unwrap();
    let target = format!("{WEBSOCKET}{query}");
    let socket = WebSocket::connect(stream, address, &target);
    let mut socket = socket.await.unwrap();
    let mut answers = Vec::new();
    for packet in packets.iter().map(|packet| &**packet).chain(["40/end"]) {
        socket.send(packet).await.unwrap();
        // Only CONNECTs and what wants an answer have one.
        if packet.starts_with("40") {
            answers.push(loop {
                let text = socket.text().await.unwrap();
                if text.starts_with('4') {
                    break text;
                }
            });
        }
    }
    answers
}

/// The same over polling: the body of each POST's answer, then what comes.
async fn polling_answers(gateway: &TestGateway, query: &str, packets: &[String]) -> Vec<String> {
    let mut raw = Raw::open(gateway.address()).await;
    let open = raw.ask(&format!("GET {POLLING}{query}"), &[]).await.json();
    let target = format!("{POLLING}&sid={}", open["sid"].as_str().unwrap());
    let mut answers = Vec::new();
    for packet in packets.iter().map(|packet| &**packet).chain(["40/end"]) {
        let answer = raw.post(&target, packet).await;
        answers.push(format!("{} {}", answer.status, answer.body));
        let mut answered = !packet.starts_with("40");
        while !answered {
            let answer = raw.ask(&format!("GET {target}"), &[]).await;
            let packets = split(&answer.body).filter(|packet| packet.starts_with('4'));
            let before = answers.len();
            answers.extend(packets.map(str::to_owned));
            answered = answers.len() > before;
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn existing_and_missing_conversations_answer_another_tenant_with_the_same_bytes() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    // Followed, and with a window; nobody's; of a tenant that there is not.
    let mut member = gateway.agent("acme", "there").await;
    let mut by_namespace = Client::open(gateway.address(), "").await;
    let auth = json!({"token": sign(&claims("acme"))});
    by_namespace.connect("/tenant/acme/conv/there", &auth).await;
    by_namespace.joined().await;
    broker
        .publish("inbound_message", &message("acme", "there", "m-1"))
        .await;
    assert_eq!(member.event().await.message_id(), "m-1");
    let event = by_namespace.event().await;
    let cursor = event.cursor();
    let conversations = [
        ("acme", "there"),
        ("acme", "elsewhere"),
        ("nobody", "there"),
    ];
    let stranger = sign(&claims("stranger"));
    let mut narrow = claims("acme");
    narrow["conversations"] = json!(["mine"]);
    for token in [
        json!(null),
        json!("x"),
        json!(stranger),
        json!(sign(&narrow)),
    ] {
        let mut answers = Vec::new();
        for (tenant, conversation) in conversations {
            // A token of acme says which tenant it is of: there is nothing to find out.
            if tenant == "nobody" && token == json!(sign(&narrow)) {
                continue;
            }
            let auth = json!({"token": token, "cursor": cursor});
            let query = format!("&tenantId={tenant}&conversationId={conversation}");
            let namespace = format!("/tenant/{tenant}/conv/{conversation}");
            let root = [
                format!("40{auth}"),
                "42[\"refresh_token\",{}]".to_owned(),
                "41".to_owned(),
            ];
            let own = [
                format!("42{namespace},[\"x\"]"),
                format!("42{namespace},1[\"refresh_token\",{{\"token\":{token}}}]"),
                format!("41{namespace},"),
                format!("43{namespace},1[]"),
                format!("40{namespace},{auth}"),
                format!("42{namespace},2[\"refresh_token\",{{\"token\":{token}}}]"),
                format!("40{namespace},{auth}"),
                format!("41{namespace},"),
            ];
            let mut all = websocket_answers(&gateway, &query, &root).await;
            all.extend(websocket_answers(&gateway, "", &own).await);
            all.extend(polling_answers(&gateway, &query, &root).await);
            all.extend(polling_answers(&gateway, "", &own).await);
            // Its own words come back to it.
            let all: Vec<_> = all
                .iter()
                .map(|text| text.replace(&namespace, "NAMESPACE"))
                .collect();
            answers.push(all);
        }
        assert!(
            answers.windows(2).all(|two| two[0] == two[1]),
            "{answers:#?}"
        );
        assert!(
            answers[0]
                .iter()
                .any(|text| text.starts_with("44{\"message\":"))
        );
    }
    // A member that shows a token of elsewhere learns as little, and stays.
    for (number, tenant) in (0..).zip(["stranger", "nobody"]) {
        let refresh = json!(["refresh_token", {"token": sign(&claims(tenant))}]);
        by_namespace
            .ask("/tenant/acme/conv/there", number, &refresh)
            .await;
        let answer = Received::Ack {
            namespace: "/tenant/acme/conv/there".to_owned(),
            id: number,
            args: vec![json!({"ok": false, "error": "Forbidden"})],
        };
        assert_eq!(by_namespace.next().await, answer);
    }
    broker
        .publish("inbound_message", &message("acme", "there", "m-2"))
        .await;
    assert_eq!(by_namespace.event().await.message_id(), "m-2");
}
