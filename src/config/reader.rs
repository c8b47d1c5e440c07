//! Reads the variables one after the other, and collects every mistake on the way.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::environment::Environment;
use super::tokens::secret;
use super::values::{api_keys, ip, is_shared, log_filter, log_format, number, origins, size, time};
use super::variables::Variables;
use super::{Config, Files, Log, Mistake, Mistakes, Needs};
use crate::conversation::{CursorKey, Decoder, Gap, UrlTemplate, WindowLimits};
use crate::journal::{self, Greeting, StreamSettings};
use crate::source::amqp;
use crate::{auth, http, net, socketio};

/// What is set, and what has been found wrong with it so far.
#[derive(Default)]
pub(super) struct VariableReader {
    environment: Environment,
    mistakes: Vec<Mistake>,
}

impl VariableReader {
    /// The known ones among `vars`.
    pub(super) fn variables(
        &mut self,
        vars: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Variables {
        self.environment = Environment::read(vars, Variables::NAMES);
        Variables::of(&self.environment)
    }

    /// What an environment says in which the texts of some files are new.
    pub(super) fn again(environment: Environment, needs: Needs) -> Result<Config, Mistakes> {
        let mut vars = Variables::of(&environment);
        // It stays as it was compiled, whatever its file says now.
        vars.amqp_mapping = None;
        let reader = Self {
            environment,
            ..Self::default()
        };
        reader.config(vars, needs)
    }

    /// Everything that they say.
    pub(super) fn config(mut self, vars: Variables, needs: Needs) -> Result<Config, Mistakes> {
        let clients = self.clients(&vars);
        let http = self.http(&vars, &clients);
        let ping_interval = self.value("PING_INTERVAL_MS", &vars.ping_interval_ms, || 25_000, time);
        let ping_timeout = self.value("PING_TIMEOUT_MS", &vars.ping_timeout_ms, || 20_000, time);
        let auth = self.auth(&vars, needs);
        let amqp = self.amqp(&vars);
        let cursor_key = self.cursor_key(&vars, &auth);
        let media_urls = |text: &str| UrlTemplate::parse(text, &[Gap::MediaId]);
        let media_urls = self.optional("MEDIA_URL_TEMPLATE", &vars.media_url_template, media_urls);
        let limits = self.limits(&vars, &amqp);
        let grace = number(0, 3600);
        let grace = self.value(
            "SHUTDOWN_GRACE_SECONDS",
            &vars.shutdown_grace_seconds,
            || 10,
            grace,
        );
        let log = Log {
            json: self.value("LOG_FORMAT", &vars.log_format, || false, log_format),
            filter: self.value(
                "RUST_LOG",
                &vars.rust_log,
                || Log::default().filter,
                log_filter,
            ),
        };
        let shared = self.value("JOURNAL", &vars.journal, || false, is_shared);
        let stream = self.journal_stream(&vars, &amqp);
        if shared && cursor_key.is_none() && !self.has_mistake("CURSOR_SECRET") {
            self.mistake(
                "CURSOR_SECRET",
                "must be set with JOURNAL=stream: there is no JWT_SECRET that replicas could derive it \
                 from",
            );
        }
        let journal = match (shared, &cursor_key) {
            (true, Some(key)) => journal::Settings::Stream(StreamSettings {
                uri: amqp.uri.clone(),
                stream,
                declare: amqp.declare,
                age: limits.age,
                greeting: Greeting {
                    replica: format!("{:016x}", rand::random::<u64>()),
                    leaving: false,
                    prefetch: amqp.prefetch,
                    window: limits.age.as_secs(),
                    remembered: limits.remembered,
                    cursor_key: key.fingerprint(),
                    tokens: auth.fingerprint(),
                },
            }),
            _ => journal::Settings::Memory,
        };
        let limits = WindowLimits { shared, ..limits };
        self.unusable();
        if !self.mistakes.is_empty() {
            return Err(Mistakes(self.mistakes, self.environment.unknown));
        }
        Ok(Config {
            http,
            socket: socketio::Settings {
                ping_interval: Duration::from_millis(ping_interval),
                ping_timeout: Duration::from_millis(ping_timeout),
                limits: clients,
            },
            auth,
            amqp,
            decoder: Decoder::new(media_urls),
            cursor_key,
            journal,
            limits,
            shutdown_grace: Duration::from_secs(grace),
            log,
            unknown: self.environment.unknown.clone(),
            explicit_max_connections: vars.max_connections.is_some(),
            files: Files::new(self.environment, needs),
        })
    }

    fn http(&mut self, vars: &Variables, clients: &net::Limits) -> http::Settings {
        let all = || IpAddr::from([0, 0, 0, 0]);
        let loopback = || IpAddr::from([127, 0, 0, 1]);
        let internal_host = self.value("INTERNAL_HOST", &vars.internal_host, loopback, ip);
        let internal_port = self.optional("INTERNAL_PORT", &vars.internal_port, number(0, 65_535));
        let origins = self.optional("ALLOWED_ORIGINS", &vars.allowed_origins, origins);
        let origins = origins.unwrap_or_default();
        let ancestors = self.value(
            "FRAME_ANCESTORS",
            &vars.frame_ancestors,
            || http::Ancestors::of(&origins),
            http::Ancestors::parse,
        );
        let history = |text: &str| UrlTemplate::parse(text, &[Gap::ConversationId]);
        let history = self.optional("HISTORY_URL_TEMPLATE", &vars.history_url_template, history);
        let public_urls = self.optional("PUBLIC_URL", &vars.public_url, http::PublicUrls::parse);
        let public = SocketAddr::new(
            self.value("HOST", &vars.host, all, ip),
            self.value("PORT", &vars.port, || 3012, number(0, 65_535)),
        );
        let internal = internal_port.map(|port| SocketAddr::new(internal_host, port));
        if internal.is_some_and(|internal| collide(public, internal)) {
            self.mistake("INTERNAL_PORT", "must not be the public listener's");
        }
        http::Settings {
            public,
            internal,
            api_keys: self
                .optional("INTERNAL_API_KEYS", &vars.internal_api_keys, api_keys)
                .unwrap_or_default()
                .as_slice()
                .into(),
            metrics_keys: self
                .optional("METRICS_KEYS", &vars.metrics_keys, api_keys)
                .unwrap_or_default()
                .as_slice()
                .into(),
            origins,
            public_urls: public_urls.unwrap_or_default(),
            proxies: clients.proxies,
            ancestors,
            history,
        }
    }

    fn clients(&mut self, vars: &Variables) -> net::Limits {
        let some = || number(1, 10_000_000);
        let any = || number(0, 10_000_000);
        net::Limits {
            sessions: net::Bounds {
                all: self.value("MAX_CONNECTIONS", &vars.max_connections, || 50_000, some()),
                address: self.value(
                    "MAX_CONNECTIONS_PER_IP",
                    &vars.max_connections_per_ip,
                    || 0,
                    any(),
                ),
                rate: self.value(
                    "CONNECTION_RATE_PER_IP",
                    &vars.connection_rate_per_ip,
                    || 0,
                    number(0, 1_000_000),
                ),
            },
            proxies: self.value(
                "TRUSTED_PROXIES",
                &vars.trusted_proxies,
                || 0,
                number(0, 16),
            ),
        }
    }

    /// What cursors are sealed under: the same on all replicas that have the same secrets.
    fn cursor_key(&mut self, vars: &Variables, auth: &auth::Settings) -> Option<CursorKey> {
        let own = self.optional("CURSOR_SECRET", &vars.cursor_secret, secret);
        let introspection = auth.introspection.as_ref();
        let client = introspection.and_then(|introspection| introspection.client.as_ref());
        let secret = own.as_ref().or(auth.secrets.first());
        let secret = secret.or(client.map(|client| &client.secret));
        secret.map(|secret| CursorKey::derived(secret))
    }

    fn limits(&mut self, vars: &Variables, amqp: &amqp::Settings) -> WindowLimits {
        let week = 7 * 24 * 3600;
        let events = self.value(
            "REPLAY_MAX_EVENTS",
            &vars.replay_max_events,
            || 256,
            number(0, 1_000_000),
        );
        let age = self.value(
            "REPLAY_WINDOW_SECONDS",
            &vars.replay_window_seconds,
            || 600,
            number(1, week),
        );
        WindowLimits {
            age: Duration::from_secs(age),
            events,
            bytes: self.value(
                "REPLAY_MAX_BYTES",
                &vars.replay_max_bytes,
                || 268_435_456,
                size,
            ),
            lag_bytes: self.value("MAX_LAG_BYTES", &vars.max_lag_bytes, || 8_388_608, size),
            // A lost connection brings back all that is unacknowledged, of both queues.
            remembered: WindowLimits::MIN_REMEMBERED
                .max(events)
                .max(2 * usize::from(amqp.prefetch)),
            shared: false,
        }
    }

    pub(super) fn value<T>(
        &mut self,
        variable: &'static str,
        value: &Option<String>,
        default: impl FnOnce() -> T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.optional(variable, value, parse)
            .unwrap_or_else(default)
    }

    pub(super) fn optional<T>(
        &mut self,
        variable: &'static str,
        value: &Option<String>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Some(text) = value else {
            // In its place among the others, and not again in the end.
            let unusable = self.environment.unusable.get(variable).cloned();
            self.mistakes.extend(unusable);
            return None;
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(reason) if self.environment.is_in_file(variable) => {
                self.mistake(variable, format!("in the file: {reason}"));
                None
            }
            Err(reason) => {
                self.mistake(variable, reason);
                None
            }
        }
    }

    pub(super) fn has_mistake(&self, variable: &'static str) -> bool {
        let named_by = self.environment.named_by(variable);
        self.mistakes
            .iter()
            .any(|mistake| mistake.variable == named_by)
    }

    /// Whether somebody has meant to set the variable.
    pub(super) fn is_set(&self, variable: &str, value: &Option<String>) -> bool {
        value.is_some() || self.environment.unusable.contains_key(variable)
    }

    pub(super) fn mistake(&mut self, variable: &'static str, reason: impl Into<String>) {
        self.mistakes.push(Mistake {
            variable: self.environment.named_by(variable),
            reason: reason.into(),
        });
    }

    /// What could not be used of the variables that nothing else looks into.
    fn unusable(&mut self) {
        let all = self.environment.unusable.values();
        let missing = all.filter(|mistake| !self.mistakes.contains(mistake));
        let missing: Vec<_> = missing.cloned().collect();
        self.mistakes.extend(missing);
    }
}

/// Whether no process can listen on both.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port()
        && one.port() != 0
        && (a == b || a.is_unspecified() || b.is_unspecified())
}
