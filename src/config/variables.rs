//! The variables, by name.

use serde::Deserialize;

use super::environment::{Environment, Variable};

/// The variable that may name a file with the value of `name`: there is one of each secret.
macro_rules! file {
    ($name:literal) => {
        None
    };
    ($name:literal secret) => {
        Some(concat!($name, "_FILE"))
    };
}

/// The default of a variable, as it would be written.
macro_rules! default {
    () => {
        None
    };
    ($default:literal) => {
        Some($default)
    };
}

macro_rules! variables {
    ($($section:literal {$(
        $(#[doc = $text:literal])*
        $field:ident $name:literal $($secret:ident)? $(= $default:literal)?
    ),* $(,)?})*) => {
        /// The variables as they are set. `envy` stops at the first mistake and names fields, so
        /// that it is given nothing that it could stop at.
        #[derive(Default, Deserialize)]
        pub(super) struct Variables {
            $($(pub(super) $field: Option<String>,)*)*
        }

        impl Variables {
            pub(super) const NAMES: &'static [Variable] = &[$($(Variable {
                name: $name,
                file: file!($name $($secret)?),
                section: $section,
                default: default!($($default)?),
                text: concat!($($text),*),
            }),*),*];
        }
    };
}

// What stands here is what `agent-gateway variables` prints and docs/configuration.md shows.
variables! {
    "Addresses" {
        /// Where HTTP, WebSocket and the widget are, on one port
        host "HOST" = "0.0.0.0",
        /// Its port; `0` takes a free one, which the log names
        port "PORT" = "3012",
        /// Where the listener of `INTERNAL_PORT` is
        internal_host "INTERNAL_HOST" = "127.0.0.1",
        /// Moves `/internal/*` and `/metrics` to a listener of their own, where `/metrics` takes no key
        internal_port "INTERNAL_PORT",
        /// What browsers call the gateway, such as `https://gateway.example.com` or
        /// `https://portal.example.com/realtime`; comma-separated, all with the same path. Its own origins are
        /// then these alone, and the path may be handed on or taken away by the proxy. Unset: by Host, and by what
        /// trusted proxies say. `dev` takes no notice of it
        public_url "PUBLIC_URL",
        /// How many proxies write X-Forwarded-For before a request is here; with fewer entries than that, the
        /// connection's own address counts. The outermost one's word for the host counts as well (`Forwarded`,
        /// X-Forwarded-Host, -Proto, -Port), never the client's. The gateway must then be reached by way of them only
        trusted_proxies "TRUSTED_PROXIES" = "0",
    }
    "RabbitMQ" {
        /// The broker; `amqps://` too; `?heartbeat=` in seconds, 10 if absent. No path means the vhost `/`; `/`,
        /// `#`, `?` and `%` in user and password are percent-encoded (`%23` for `#`). With
        /// `?auth_mechanism=external` the broker takes the user from `AMQP_CLIENT_CERT_FILE`
        amqp_url "AMQP_URL" secret = "amqp://guest:guest@127.0.0.1:5672/%2f",
        /// For `amqps://`: the authorities' certificates (PEM) that the broker's has to come from, and no others.
        /// Unset: the system's
        amqp_ca_file "AMQP_CA_FILE",
        /// For a broker that wants a certificate of its clients (`verify_peer`): ours (PEM), and those that lead
        /// from it to an authority
        amqp_client_cert_file "AMQP_CLIENT_CERT_FILE",
        /// Its key (PEM, without a passphrase); set together or not at all
        amqp_client_key_file "AMQP_CLIENT_KEY_FILE",
        /// The exchange that publishers publish to
        amqp_exchange "AMQP_EXCHANGE" = "whatsapp.events",
        /// The queue of customers' messages
        amqp_inbound_queue "AMQP_INBOUND_QUEUE" = "gateway.inbound_message",
        /// The queue of ticks
        amqp_status_queue "AMQP_STATUS_QUEUE" = "gateway.status_update",
        /// The queue of what cannot be delivered
        amqp_dead_letter_queue "AMQP_DEAD_LETTER_QUEUE" = "gateway.dead_letters",
        /// Or `classic`
        amqp_queue_type "AMQP_QUEUE_TYPE" = "quorum",
        /// `false`: exchange, queues and bindings are somebody else's, nothing is declared or bound, and what is
        /// missing is named by `/readyz`
        amqp_declare "AMQP_DECLARE" = "true",
        /// Comma-separated routing keys, by which the queue of messages is bound to the exchange
        amqp_inbound_bindings "AMQP_INBOUND_BINDINGS" = "inbound_message.#",
        /// The same for the queue of ticks
        amqp_status_bindings "AMQP_STATUS_BINDINGS" = "status_update.#",
        /// Bodies of another shape: `cloud_api` (Meta's webhooks), `evolution`, `wuzapi`, or the path of a jq program
        /// ([amqp/README.md](../amqp/README.md#bodies-of-other-shapes))
        amqp_mapping "AMQP_MAPPING",
        /// Unacknowledged deliveries per queue
        amqp_prefetch "AMQP_PREFETCH" = "256",
        /// Makes the `mediaUrl` of media that come with the provider's id alone: an https URL (http only to loopback)
        /// with `{mediaId}` in it, and perhaps `{tenantId}` and `{conversationId}`, percent-encoded into its path or
        /// query
        media_url_template "MEDIA_URL_TEMPLATE",
    }
    "What is kept" {
        /// Where events get their order: in this process, or with `stream` in a RabbitMQ stream that several replicas share
        /// ([scaling](scaling.md#several-that-serve-at-once))
        journal "JOURNAL" = "memory",
        /// The stream's name, with `JOURNAL=stream`
        amqp_journal_stream "AMQP_JOURNAL_STREAM" = "gateway.journal",
        /// What clients' cursors are sealed with, 32 bytes at least. Unset: `JWT_SECRET`'s, else the auth service's, else
        /// one that is drawn at start. `JOURNAL=stream` needs one that all replicas have
        cursor_secret "CURSOR_SECRET" secret,
        /// The window: how old an event in it may be
        replay_window_seconds "REPLAY_WINDOW_SECONDS" = "600",
        /// The window: how many events of a conversation
        replay_max_events "REPLAY_MAX_EVENTS" = "256",
        /// The window: how many bytes in all (`256MiB` and `256MB` are sizes too, of 2^20 and 10^6 bytes each)
        replay_max_bytes "REPLAY_MAX_BYTES" = "268435456",
        /// What a conversation keeps beyond that for members that are catching up
        max_lag_bytes "MAX_LAG_BYTES" = "8388608",
    }
    "Tokens" {
        /// For HS256, 32 bytes at least. `serve` needs this, `JWT_PUBLIC_KEY`, `JWT_JWKS_URL` or
        /// `AUTH_INTROSPECTION_URL`, and they go together
        jwt_secret "JWT_SECRET" secret,
        /// The one before, whose tokens still open
        jwt_previous_secret "JWT_PREVIOUS_SECRET" secret,
        /// PEM text (`\n` may stand for line breaks) or a file: RS256 (2048 bits at least), ES256 or EdDSA, by the key
        jwt_public_key "JWT_PUBLIC_KEY" secret,
        /// A key set for the same: https URL (http only to loopback), or a file. Loaded again every 10 minutes, and on
        /// an unknown `kid` at most once a minute; the last keys stay in use while it is down. A token without `kid`
        /// opens only if the set has one key of its kind
        jwt_jwks_url "JWT_JWKS_URL",
        /// What `iss` has to be, if anything
        jwt_issuer "JWT_ISSUER",
        /// What `aud` has to be or hold, if anything
        jwt_audience "JWT_AUDIENCE",
        /// How far clocks may differ
        jwt_leeway_seconds "JWT_LEEWAY_SECONDS" = "5",
        /// The claim that holds the tenant's id
        jwt_tenant_claim "JWT_TENANT_CLAIM" = "tenantId",
        /// The auth service (RFC 7662), asked about tokens that no key vouches for: https, or http to loopback; 2 s
        /// timeout, positive answers kept up to 30 s. Its answer needs the same claims, `exp` too
        auth_introspection_url "AUTH_INTROSPECTION_URL",
        /// The gateway's name there; needed unless it is on loopback
        auth_introspection_client_id "AUTH_INTROSPECTION_CLIENT_ID",
        /// Its secret there; needed unless it is on loopback
        auth_introspection_client_secret "AUTH_INTROSPECTION_CLIENT_SECRET" secret,
    }
    "Keys" {
        /// Comma-separated (or on lines of their own), 16 characters at least. Unset: every call of `/internal/*` is
        /// refused
        internal_api_keys "INTERNAL_API_KEYS" secret,
        /// The same for keys that open `/metrics` on the public listener and nothing else: what scrapes need not be able
        /// to emit
        metrics_keys "METRICS_KEYS" secret,
    }
    "Pages" {
        /// Whose pages may use Socket.IO and load `/client.js` and, with `crossorigin`, `/embed.js`: comma-separated,
        /// such as `https://portal.example.com` or an app's `capacitor://localhost`. `ws` and `wss` count as `http` and
        /// `https`; `*`, `null` and `file://` are refused. Unset: the gateway's own
        allowed_origins "ALLOWED_ORIGINS",
        /// Who may have the widget in a frame: origins, `https://*.example.com`, `'self'`, `'none'`; a host of one word is
        /// written with its scheme. Unset: `'self'` and `ALLOWED_ORIGINS`
        frame_ancestors "FRAME_ANCESTORS",
        /// Where a standalone widget asks for older messages: an https URL (http only to loopback) with
        /// `{conversationId}` and perhaps `{tenantId}` after the host, filled in percent-encoded; a GET with the
        /// agent's token as bearer ([static/README.md](../static/README.md#history))
        history_url_template "HISTORY_URL_TEMPLATE",
    }
    "Limits" {
        /// Socket.IO sessions; one too many gets `Too many connections`. Each needs a descriptor: with fewer than that
        /// (`ulimit -n`, `LimitNOFILE=`) there is a warning if this is set
        max_connections "MAX_CONNECTIONS" = "50000",
        /// The same of one address, of which an IPv6 network (/64) is one; `0` is off
        max_connections_per_ip "MAX_CONNECTIONS_PER_IP" = "0",
        /// New sessions a second, and as many at once; `0` is off. Of those beyond, 256 at a time get `Too many
        /// connections` (128 of an address over WebSockets, 8 that poll), the rest get an HTTP error
        connection_rate_per_ip "CONNECTION_RATE_PER_IP" = "0",
        /// Between two pings of a client
        ping_interval_ms "PING_INTERVAL_MS" = "25000",
        /// Until one counts as lost
        ping_timeout_ms "PING_TIMEOUT_MS" = "20000",
        /// How long the shutdown may take
        shutdown_grace_seconds "SHUTDOWN_GRACE_SECONDS" = "10",
    }
    "Log" {
        /// Or `json`: one object a line
        log_format "LOG_FORMAT" = "text",
        /// Which lines: a level, or `target=level` of several, as tracing's filters have it
        rust_log "RUST_LOG" = "info",
    }
}

impl Variables {
    /// The variables as `environment` has them.
    pub(super) fn of(environment: &Environment) -> Self {
        let set = environment.texts.iter();
        let set = set.map(|(name, text)| ((*name).to_owned(), text.clone()));
        // Of strings that are there or not, every environment is one.
        envy::from_iter(set).unwrap_or_default()
    }
}
