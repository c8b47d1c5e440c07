//! The gateway's probes over HTTP, and its WebSocket.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Client, StatusCode, Upgraded, redirect};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::Role;
use url::{Host, Url};

use crate::cli::report::{Report, State};

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The parts of the broker's side without which no probe comes through: `/readyz` names them.
const ON_THE_WAY: [&str; 3] = ["broker", "exchange", "inbound_queue"];

/// A running gateway.
pub(super) struct Gateway {
    url: Url,
    client: Client,
}

impl Gateway {
    pub(super) fn new(url: Url) -> reqwest::Result<Self> {
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let mut builder = Client::builder()
            .user_agent(concat!("agent-gateway/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none());
        if is_local {
            builder = builder.no_proxy();
        }
        if url.scheme() == "http" {
            // Without TLS, certificates of authorities need not be there.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        Ok(Self { url, client })
    }

    /// Asks `/healthz` and `/readyz`; whether it consumes, as far as it says.
    pub(super) async fn probes(&self, report: &mut Report) -> bool {
        match self.get("/healthz").await {
            Ok((StatusCode::OK, _)) => report.add("healthz", State::Ok, "200"),
            Ok((status, _)) => {
                let detail = format!(
                    "{} answers {status}: another program may be there, or a proxy that hands \
                     nothing on",
                    self.at("/healthz")
                );
                report.add("healthz", State::Failed, detail);
            }
            Err(error) => {
                report.add("healthz", State::Failed, format!("{error:#}"));
                report.not_reached("readyz");
                return false;
            }
        }
        let (status, ready) = match self.get("/readyz").await {
            Ok(answer) => answer,
            Err(error) => {
                report.add("readyz", State::Failed, format!("{error:#}"));
                return false;
            }
        };
        let word = ready["status"].as_str().unwrap_or_default();
        match (status, word) {
            (StatusCode::OK, "ready") => {
                report.add("readyz", State::Ok, "ready");
                true
            }
            (StatusCode::OK, _) => {
                let checks = ready["checks"].as_object().into_iter().flatten();
                let down: Vec<_> = checks
                    .filter_map(|(part, check)| Some((part, check.as_str()?)))
                    .filter(|(_, check)| *check != "up")
                    .collect();
                let detail = down.iter().map(|(part, check)| format!("{part}: {check}"));
                let detail = detail.collect::<Vec<_>>().join("; ");
                report.add("readyz", State::Failed, format!("{word}: {detail}"));
                !down
                    .iter()
                    .any(|(part, _)| ON_THE_WAY.contains(&part.as_str()))
            }
            (status, word) => {
                let detail =
                    format!("{status} {word}: it starts, shuts down, or is another program");
                report.add("readyz", State::Failed, detail);
                false
            }
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let url = self.at(path);
        let asked = async {
            let response = self.client.get(url.clone()).send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        };
        let answer = timeout(ANSWER_TIMEOUT, asked).await;
        let (status, body) = answer
            .with_context(|| format!("no answer from {url} within {} s", ANSWER_TIMEOUT.as_secs()))?
            .map_err(reqwest::Error::without_url)
            .with_context(|| {
                format!("{url} does not answer: is the gateway there, and nothing in between?")
            })?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Opens a WebSocket for Socket.IO, with this in its query.
    pub(super) async fn websocket(
        &self,
        query: &[(&str, &str)],
    ) -> anyhow::Result<WebSocketStream<Upgraded>> {
        let mut url = self.at("/socket.io/");
        let engine = [("EIO", "4"), ("transport", "websocket")];
        url.query_pairs_mut()
            .extend_pairs(engine.iter().chain(query));
        let key = generate_key();
        let request = self
            .client
            .get(url)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let opening = async {
            let response = request.send().await.map_err(reqwest::Error::without_url)?;
            let status = response.status();
            if status != StatusCode::SWITCHING_PROTOCOLS {
                bail!(
                    "the answer to the WebSocket's request is {status}: a proxy in between must \
                     hand on Upgrade and Connection (deploy/README.md)"
                );
            }
            let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
            let accepted =
                accepted.is_some_and(|accept| accept == &derive_accept_key(key.as_bytes()));
            ensure!(accepted, "what answers is no WebSocket");
            let upgraded = response.upgrade().await?;
            Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await)
        };
        let opened = timeout(ANSWER_TIMEOUT, opening).await;
        opened.context("no WebSocket in time")?
    }

    /// The address of a path below the gateway's own.
    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let below = url.path().trim_end_matches('/');
        url.set_path(&format!("{below}{path}"));
        url.set_query(None);
        url.set_fragment(None);
        url
    }
}
