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

macro_rules! variables {
    ($($field:ident $name:literal $($secret:ident)?),* $(,)?) => {
        /// The variables as they are set. `envy` stops at the first mistake and names fields, so
        /// that it is given nothing that it could stop at.
        #[derive(Default, Deserialize)]
        pub(super) struct Variables {
            $(pub(super) $field: Option<String>,)*
        }

        impl Variables {
            pub(super) const NAMES: &'static [Variable] = &[$(Variable {
                name: $name,
                file: file!($name $($secret)?),
            }),*];
        }
    };
}

variables! {
    host "HOST", port "PORT",
    internal_host "INTERNAL_HOST", internal_port "INTERNAL_PORT",
    amqp_url "AMQP_URL" secret,
    amqp_exchange "AMQP_EXCHANGE",
    amqp_inbound_queue "AMQP_INBOUND_QUEUE",
    amqp_status_queue "AMQP_STATUS_QUEUE",
    amqp_dead_letter_queue "AMQP_DEAD_LETTER_QUEUE",
    amqp_queue_type "AMQP_QUEUE_TYPE",
    amqp_declare "AMQP_DECLARE",
    amqp_inbound_bindings "AMQP_INBOUND_BINDINGS",
    amqp_status_bindings "AMQP_STATUS_BINDINGS",
    amqp_mapping "AMQP_MAPPING",
    amqp_prefetch "AMQP_PREFETCH",
    amqp_journal_stream "AMQP_JOURNAL_STREAM",
    media_url_template "MEDIA_URL_TEMPLATE",
    history_url_template "HISTORY_URL_TEMPLATE",
    journal "JOURNAL",
    cursor_secret "CURSOR_SECRET" secret,
    replay_window_seconds "REPLAY_WINDOW_SECONDS",
    replay_max_events "REPLAY_MAX_EVENTS",
    replay_max_bytes "REPLAY_MAX_BYTES",
    max_lag_bytes "MAX_LAG_BYTES",
    jwt_secret "JWT_SECRET" secret,
    jwt_previous_secret "JWT_PREVIOUS_SECRET" secret,
    jwt_public_key "JWT_PUBLIC_KEY" secret,
    jwt_jwks_url "JWT_JWKS_URL",
    jwt_issuer "JWT_ISSUER",
    jwt_audience "JWT_AUDIENCE",
    jwt_leeway_seconds "JWT_LEEWAY_SECONDS",
    jwt_tenant_claim "JWT_TENANT_CLAIM",
    auth_introspection_url "AUTH_INTROSPECTION_URL",
    auth_introspection_client_id "AUTH_INTROSPECTION_CLIENT_ID",
    auth_introspection_client_secret "AUTH_INTROSPECTION_CLIENT_SECRET" secret,
    internal_api_keys "INTERNAL_API_KEYS" secret,
    metrics_keys "METRICS_KEYS" secret,
    public_url "PUBLIC_URL",
    allowed_origins "ALLOWED_ORIGINS",
    frame_ancestors "FRAME_ANCESTORS",
    ping_interval_ms "PING_INTERVAL_MS",
    ping_timeout_ms "PING_TIMEOUT_MS",
    max_connections "MAX_CONNECTIONS",
    max_connections_per_ip "MAX_CONNECTIONS_PER_IP",
    connection_rate_per_ip "CONNECTION_RATE_PER_IP",
    trusted_proxies "TRUSTED_PROXIES",
    shutdown_grace_seconds "SHUTDOWN_GRACE_SECONDS",
    log_format "LOG_FORMAT",
    rust_log "RUST_LOG",
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
