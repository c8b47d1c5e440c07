//! Tokens that the auth service knows (RFC 7662).
//!
//! A token that it calls active is believed for a while, by its hash; any other answer is asked for
//! anew. Agents who come with the same token at once cause one question.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwapOption;
use moka::future::Cache;
use moka::policy::EvictionPolicy;
use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::form_urlencoded;

use super::agent::{Agent, Grant};
use super::claims::Rules;
use super::counts::{Answer, AuthCounts};
use super::endpoint::{self, Endpoint, Outage};
use super::now;
use super::rejection::{TokenDefect, TokenError};

/// How many questions the auth service is asked at once; the others wait for a permit.
const MAX_QUESTIONS: usize = 64;

/// The largest answer, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// How much is remembered: a token counts as one, and so do each [`CONVERSATIONS`] that it lists.
const MAX_KNOWN: u64 = 10_000;

/// See [`MAX_KNOWN`].
const CONVERSATIONS: usize = 16;

/// The auth service.
#[derive(Clone)]
pub struct IntrospectionSettings {
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// The gateway's credentials there.
    pub client: Option<ClientCredentials>,
    /// How long a positive answer is believed, at most: a token that is revoked meanwhile still
    /// opens.
    pub keep: Duration,
    /// How long a question may take, from the wait for a permit to the end of the answer.
    pub timeout: Duration,
}

/// What the gateway proves itself to the auth service with.
#[derive(Clone)]
pub struct ClientCredentials {
    /// `client_id`
    pub id: String,
    /// `client_secret`
    pub secret: String,
}

impl IntrospectionSettings {
    /// How long a positive answer is believed, if nothing else is wanted.
    pub const KEEP: Duration = Duration::from_secs(30);

    /// How long a question may take, if nothing else is wanted.
    pub const TIMEOUT: Duration = Duration::from_secs(2);
}

impl fmt::Debug for IntrospectionSettings {
    // Secrets appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionSettings")
            .field("endpoint", &self.endpoint)
            .field("client", &self.client.is_some())
            .field("keep", &self.keep)
            .field("timeout", &self.timeout)
            .finish()
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials").finish_non_exhaustive()
    }
}

/// Asks the auth service.
#[derive(Debug)]
pub(super) struct Introspection {
    settings: IntrospectionSettings,
    client: ArcSwapOption<ClientCredentials>,
    rules: Rules,
    http: Client,
    permits: Semaphore,
    known: Cache<[u8; 32], Agent>,
    outage: Outage,
    counts: Arc<AuthCounts>,
}

impl Introspection {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub(super) fn new(
        settings: IntrospectionSettings,
        rules: Rules,
        counts: Arc<AuthCounts>,
    ) -> reqwest::Result<Self> {
        let known = Cache::builder()
            .max_capacity(MAX_KNOWN)
            .weigher(|_, agent: &Agent| weight(agent))
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(settings.keep)
            .build();
        Ok(Self {
            http: settings.endpoint.client(settings.timeout)?,
            client: ArcSwapOption::from_pointee(settings.client.clone()),
            settings,
            rules,
            permits: Semaphore::new(MAX_QUESTIONS),
            known,
            outage: Outage::default(),
            counts,
        })
    }

    /// Takes in other credentials, for the next question.
    pub(super) fn renew(&self, client: Option<ClientCredentials>) {
        self.client.store(client.map(Arc::new));
    }

    /// The agent that the auth service knows the token of.
    pub(super) async fn agent(&self, token: &str) -> Result<Agent, TokenError> {
        // RFC 6749, appendix A.12: nothing else was ever a token.
        if !token.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(TokenError::Rejected(TokenDefect::Malformed.into()));
        }
        let hash = Sha256::digest(token).into();
        let agent = self
            .known
            .try_get_with(hash, self.ask(token))
            .await
            .map_err(|error: Arc<TokenError>| TokenError::clone(&error))?;
        if agent.expires_at <= now() {
            return Err(TokenError::Expired);
        }
        Ok(agent)
    }

    async fn ask(&self, token: &str) -> Result<Agent, TokenError> {
        let asked = Instant::now();
        let answer = timeout(self.settings.timeout, self.answer(token)).await;
        let answer = answer.context("it takes too long").flatten();
        let outcome = match &answer {
            Ok(Some(_)) => Answer::Active,
            Ok(None) => Answer::Inactive,
            Err(_) => Answer::Failed,
        };
        self.counts.introspection(outcome, asked.elapsed());
        match answer {
            Ok(Some(claims)) => self.rules.agent(&claims, now()),
            Ok(None) => Err(TokenError::Rejected(TokenDefect::Inactive.into())),
            Err(error) => {
                self.outage.note(&self.settings.endpoint, &error);
                Err(TokenError::Unavailable)
            }
        }
    }

    /// What the auth service says about the token, if that is active.
    async fn answer(&self, token: &str) -> anyhow::Result<Option<Map<String, Value>>> {
        let _permit = self.permits.acquire().await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        let mut request = self
            .http
            .post(self.settings.endpoint.url())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(ClientCredentials { id, secret }) = self.client.load().as_deref() {
            request = request.basic_auth(encoded(id), Some(encoded(secret)));
        }
        let json = endpoint::body(request.send().await, MAX_BYTES).await?;
        // The parser's own words would repeat what it was given.
        let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(&json) else {
            bail!("the answer is not a JSON object");
        };
        match claims.get("active") {
            Some(Value::Bool(true)) => Ok(Some(claims)),
            Some(Value::Bool(false)) => Ok(None),
            _ => bail!("the answer does not say whether the token is active"),
        }
    }
}

/// RFC 6749, section 2.3.1: a colon in an id must not end it.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn weight(agent: &Agent) -> u32 {
    let conversations = match &agent.grant {
        Grant::All => 0,
        Grant::Only(conversations) => conversations.len(),
    };
    u32::try_from(1 + conversations / CONVERSATIONS).unwrap_or(u32::MAX)
}
