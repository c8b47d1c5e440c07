//! The program as a child process.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use agent_gateway::net;
use rustix::process::{Pid, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::{API_KEY, Broker, Client, DEADLINE, Proxy, SECRET, Signal, claims, sign, until};

pub(crate) struct TestGateway {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
    /// Ends when all of the log has been read.
    reading: JoinHandle<()>,
    http: reqwest::Client,
}

/// How the program ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) log: String,
}

impl TestGateway {
    /// Starts it, and waits until it consumes.
    pub(crate) async fn start(broker: &Broker) -> Self {
        Self::ready_with(broker, &[]).await
    }

    /// The same, with more variables.
    pub(crate) async fn ready_with(broker: &Broker, variables: &[(&str, &str)]) -> Self {
        let gateway = Self::start_with(broker, variables).await;
        gateway.ready().await;
        gateway
    }

    /// Makes the topology, as an operator would who runs the gateway once with more rights. Another
    /// may take a queue as soon as it is there.
    pub(crate) async fn set_up(broker: &Broker) {
        let gateway = Self::start_with(broker, &[]).await;
        until("everything is declared and bound", async || {
            let ready = gateway.get("/readyz").await.1;
            let is_there = |part: &str| {
                let check = ready["checks"][part].as_str().unwrap_or_default();
                check == "up" || check.contains("another consumer holds")
            };
            let parts = [
                "exchange",
                "inbound_queue",
                "status_queue",
                "dead_letter_queue",
            ];
            ready["status"] == "ready" || parts.iter().all(|part| is_there(part))
        })
        .await;
        gateway.signal(Signal::TERM);
        assert!(gateway.ended().await.status.success());
    }

    /// Starts it with a proxy between it and the broker, and waits until it consumes.
    pub(crate) async fn behind_proxy(broker: &Broker) -> (Self, Proxy) {
        let proxy = Proxy::to_broker().await;
        let url = proxy.broker_url();
        let gateway = Self::ready_with(broker, &[("AMQP_URL", &url)]).await;
        (gateway, proxy)
    }

    /// Starts it with more variables, and waits until it listens.
    pub(crate) async fn start_with(broker: &Broker, variables: &[(&str, &str)]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_agent-gateway"));
        Self::start_program(program, broker, variables).await
    }

    /// Starts another build of it, or a copy.
    pub(crate) async fn start_program(
        program: &Path,
        broker: &Broker,
        variables: &[(&str, &str)],
    ) -> Self {
        // For tests with thousands of connections, of which each has two ends: the soft limit is
        // often 1,024. The program raises its own.
        net::raise_descriptors().unwrap();
        let names = &broker.names;
        let mut env: BTreeMap<&str, String> = [
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("AMQP_EXCHANGE", &names.exchange),
            ("AMQP_INBOUND_QUEUE", &names.inbound),
            ("AMQP_STATUS_QUEUE", &names.status),
            ("AMQP_DEAD_LETTER_QUEUE", &names.dead_letters),
            ("AMQP_JOURNAL_STREAM", &names.journal),
            ("JWT_SECRET", SECRET),
            ("INTERNAL_API_KEYS", API_KEY),
            ("LOG_FORMAT", "json"),
            // The small clients answer a ping when they are asked for the next packet, and not
            // before: nobody is sent away while something else takes as long as it takes.
            ("PING_TIMEOUT_MS", "600000"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        env.insert("AMQP_URL", broker.url().to_owned());
        env.extend(
            variables
                .iter()
                .map(|&(name, value)| (name, value.to_owned())),
        );
        let mut child = Command::new(program)
            .env_clear()
            .envs(env)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (listening, mut addresses) = tokio::sync::mpsc::unbounded_channel();
        let written = log.clone();
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let fields: Value = serde_json::from_str(&line).unwrap_or_default();
                if fields["message"] == "listening" {
                    let address = fields["address"].as_str().unwrap().to_owned();
                    listening.send(address).ok();
                }
                written.lock().unwrap().push(line);
            }
        });
        let address = tokio::time::timeout(DEADLINE, addresses.recv()).await;
        let Ok(Some(address)) = address else {
            panic!("it does not listen:\n{}", log.lock().unwrap().join("\n"));
        };
        Self {
            child,
            address,
            log,
            reading,
            http: super::http(),
        }
    }

    pub(crate) async fn ready(&self) {
        until("the gateway is ready", async || {
            self.get("/readyz").await.1["status"] == "ready"
        })
        .await;
    }

    /// Waits until it is degraded and says all of this of a part of the broker's side; with
    /// everything that it says of it.
    pub(crate) async fn degraded(&self, part: &str, words: &[&str]) -> String {
        let mut check = String::new();
        until(&format!("{part} tells {words:?}"), async || {
            let (status, ready) = self.get("/readyz").await;
            check = ready["checks"][part]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            status == 200
                && ready["status"] == "degraded"
                && words.iter().all(|word| check.contains(word))
        })
        .await;
        check
    }

    /// What `/metrics` says.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.address);
        let request = self.http.get(url).header("x-internal-api-key", API_KEY);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// A sample of `/metrics`, by its name and labels; by its name alone, the sum of all labels.
    pub(crate) async fn metric(&self, sample: &str) -> f64 {
        let page = self.metrics().await;
        let samples = page.lines().filter_map(|line| {
            let rest = line.strip_prefix(sample.trim_end())?;
            let value = rest.rsplit_once(' ')?.1;
            rest.starts_with([' ', '{'])
                .then(|| value.parse::<f64>().unwrap())
        });
        let samples: Vec<_> = samples.collect();
        assert!(!samples.is_empty(), "no {sample} in\n{page}");
        samples.iter().sum()
    }

    /// The address it listens on for internal calls.
    pub(crate) async fn internal_address(&self) -> String {
        const MESSAGE: &str = "listening for internal calls";
        let mut lines = Vec::new();
        until(MESSAGE, async || {
            lines = self.logged(MESSAGE);
            !lines.is_empty()
        })
        .await;
        lines[0]["address"].as_str().unwrap().to_owned()
    }

    /// The address it listens on.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        answer(self.http.get(url)).await
    }

    /// The same, with the right key.
    pub(crate) async fn get_with_key(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        let request = self.http.get(url).header("x-internal-api-key", API_KEY);
        answer(request).await
    }

    /// `POST /internal/emit` with the right key.
    pub(crate) async fn emit(&self, body: &Value) -> (u16, Value) {
        let request = self
            .post("/internal/emit")
            .header("x-internal-api-key", API_KEY)
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(request).await
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("http://{}{path}", self.address))
    }

    /// An agent that has joined, and has been told so.
    pub(crate) async fn agent(&self, tenant: &str, conversation: &str) -> Client {
        let mut client = self.join(tenant, conversation).await;
        client.joined().await;
        client
    }

    /// An agent that joins by the root namespace.
    pub(crate) async fn join(&self, tenant: &str, conversation: &str) -> Client {
        self.resume(tenant, conversation, Value::Null).await
    }

    /// An agent that joins with more in its `auth`, such as a cursor.
    pub(crate) async fn resume(&self, tenant: &str, conversation: &str, auth: Value) -> Client {
        let mut auth = match auth {
            Value::Null => serde_json::json!({}),
            auth => auth,
        };
        auth["token"] = sign(&claims(tenant)).into();
        let mut client = Client::open(&self.address, &query(tenant, conversation)).await;
        client.connect("/", &auth).await;
        client
    }

    /// An agent that has joined, and does not read what comes then, or not before it has to.
    pub(crate) async fn stalled_agent(&self, tenant: &str, conversation: &str) -> Client {
        let query = query(tenant, conversation);
        let mut client = Client::open_narrow(&self.address, &query).await;
        let auth = serde_json::json!({"token": sign(&claims(tenant))});
        client.connect("/", &auth).await;
        client.joined().await;
        client
    }

    /// Somebody who comes to acme's conversation c-1 with this token.
    pub(crate) async fn enter(&self, token: &str) -> Client {
        let query = "&tenantId=acme&conversationId=c-1";
        let mut client = Client::open(&self.address, query).await;
        let auth = serde_json::json!({"token": token});
        client.connect("/", &auth).await;
        client
    }

    /// The lines of its log that have been read so far. What it has just done may be logged later.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The lines of its log with this message, by their fields.
    pub(crate) fn logged(&self, message: &str) -> Vec<Value> {
        let lines = self.log();
        let lines = lines
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter(|fields: &Value| fields["message"] == message)
            .collect()
    }

    /// Waits until a line of its log has this in it.
    pub(crate) async fn logs(&self, text: &str) {
        until(text, async || {
            self.log().iter().any(|line| line.contains(text))
        })
        .await;
    }

    /// How much memory it has, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
        kilobytes.parse::<usize>().unwrap() * 1024
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.pid().try_into().ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let status = status.expect("it does not end").unwrap();
        // Its last words may still be on their way.
        let read = tokio::time::timeout(DEADLINE, &mut self.reading).await;
        read.expect("its log does not end").unwrap();
        let log = self.log().join("\n");
        Ended { status, log }
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log().join("\n"));
        }
    }
}

fn query(tenant: &str, conversation: &str) -> String {
    format!("&tenantId={tenant}&conversationId={conversation}")
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
