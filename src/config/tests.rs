//! What the environment says becomes a configuration, or mistakes that name the variable.

use super::*;

const SECRET: (&str, &str) = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");

fn read(vars: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let vars = vars.iter().map(|(name, value)| (name.into(), value.into()));
    Config::from_vars(vars, Needs::Tokens)
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = read(&[SECRET]).unwrap();
    assert_eq!(config.http.public.to_string(), "0.0.0.0:3012");
    assert_eq!(config.http.internal, None);
    assert!(config.http.api_keys.is_empty());
    assert_eq!(
        config.amqp.uri.get(),
        "amqp://guest:guest@127.0.0.1:5672/%2f".parse().unwrap()
    );
    assert_eq!(config.amqp.exchange, "whatsapp.events");
    assert_eq!(config.amqp.prefetch, 256);
    assert_eq!(config.limits.age, Duration::from_secs(600));
    assert_eq!(config.limits.events, 256);
    assert_eq!(config.limits.bytes, 256 << 20);
    assert_eq!(config.limits.lag_bytes, 8 << 20);
    assert_eq!(config.limits.remembered, 4096);
    assert_eq!(config.socket.ping_interval, Duration::from_millis(25_000));
    assert_eq!(config.shutdown_grace, Duration::from_secs(10));
    let sessions = config.socket.limits.sessions;
    assert_eq!(
        (sessions.all, sessions.address, sessions.rate),
        (50_000, 0, 0)
    );
    assert_eq!(config.socket.limits.proxies, 0);
    assert!(config.http.origins.is_empty());
    assert_eq!(config.http.proxies, 0);
    assert_eq!(config.http.public_urls, http::PublicUrls::default());
    assert_eq!(config.http.ancestors.to_string(), "'self'");
    assert!(matches!(config.journal, journal::Settings::Memory));
}

/// All that a configuration says but for where it comes from.
fn said(config: &Config) -> String {
    let Config {
        http,
        socket,
        auth,
        amqp,
        decoder,
        limits,
        shutdown_grace,
        log,
        ..
    } = config;
    // What is logged of it leaves most out.
    let amqp::Settings {
        uri,
        exchange,
        inbound_queue,
        status_queue,
        dead_letter_queue,
        queue_type,
        declare,
        inbound_bindings,
        status_bindings,
        prefetch,
        mapping: _,
    } = amqp;
    let uri = uri.get();
    let queues = [inbound_queue, status_queue, dead_letter_queue];
    let bindings = [inbound_bindings, status_bindings];
    format!(
        "{http:?} {socket:?} {auth:?} {decoder:?} {limits:?} {shutdown_grace:?} {log:?} {uri:?} \
         {exchange} {queues:?} {queue_type:?} {declare} {bindings:?} {prefetch}"
    )
}

#[test]
fn every_variable_has_a_text_and_its_default_is_what_counts_without_it() {
    let unset = said(&read(&[SECRET]).unwrap());
    let mut defaults = 0;
    for variable in variables() {
        let Variable { name, text, .. } = variable;
        assert!(text.len() > 5, "{name} has no text");
        assert!(!text.ends_with('.'), "{name}");
        if let Some(default) = variable.default {
            let set = read(&[SECRET, (name, default)]).unwrap();
            assert_eq!(said(&set), unset, "{name}");
            defaults += 1;
        }
    }
    assert!(defaults > 25);
    // What it is held against tells one from another.
    let other = read(&[SECRET, ("AMQP_PREFETCH", "255")]).unwrap();
    assert_ne!(said(&other), unset);
}

#[test]
fn who_may_frame_the_widget_is_who_may_talk_to_the_gateway_unless_it_is_said() {
    let origins = ("ALLOWED_ORIGINS", "https://a.example, http://B.example:80");
    let config = read(&[SECRET, origins, ("TRUSTED_PROXIES", "1")]).unwrap();
    assert_eq!(config.http.origins.len(), 2);
    assert_eq!(config.http.proxies, 1);
    let ancestors = config.http.ancestors.to_string();
    assert_eq!(ancestors, "'self' https://a.example http://b.example");
    let config = read(&[SECRET, origins, ("FRAME_ANCESTORS", "'none'")]).unwrap();
    assert_eq!(config.http.ancestors.to_string(), "'none'");
}

#[test]
fn origins_are_named_one_by_one() {
    for origins in [
        "*",
        "https://a.example,",
        "https://a.example/",
        "https://a.example/path",
        "https://*.a.example",
        "a.example",
        "null",
        "https://user@a.example",
        "https://a.example https://b.example",
        "file://",
        "data:text/html,x",
        "javascript://x",
        "blob:https://a.example/1",
        "capacitor://",
        "capacitor://localhost/",
    ] {
        let mistakes = read(&[SECRET, ("ALLOWED_ORIGINS", origins)]).unwrap_err();
        let message = mistakes.to_string();
        assert!(
            message.starts_with("ALLOWED_ORIGINS: "),
            "{origins}: {message}"
        );
        assert_eq!(mistakes.0.len(), 1);
    }
}

#[test]
fn every_mistake_is_reported_by_its_variables_name() {
    let mistakes = read(&[
        ("PORT", "70000"),
        ("HOST", "nowhere"),
        ("AMQP_URL", "http://x"),
        ("AMQP_PREFETCH", "0"),
        ("AMQP_QUEUE_TYPE", "fast"),
        ("AMQP_STATUS_QUEUE", "gateway.inbound_message"),
        ("JOURNAL", "paper"),
        ("REPLAY_WINDOW_SECONDS", "-1"),
        ("JWT_SECRET", "short"),
        ("INTERNAL_API_KEYS", "0123456789abcdef,short"),
        ("METRICS_KEYS", "short"),
        ("JWT_PUBLIC_KEY", "no-such-file"),
        ("JWT_JWKS_URL", "http://example.com/jwks"),
        ("JWT_LEEWAY_SECONDS", "short"),
        ("AUTH_INTROSPECTION_URL", "http://example.com/introspect"),
        ("AUTH_INTROSPECTION_CLIENT_ID", "short"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "=loud="),
        ("PING_INTERVAL_MS", "1"),
        ("MAX_CONNECTIONS", "0"),
        ("MAX_CONNECTIONS_PER_IP", "-1"),
        ("CONNECTION_RATE_PER_IP", "0.5"),
        ("TRUSTED_PROXIES", "many"),
        ("ALLOWED_ORIGINS", "*"),
        ("PUBLIC_URL", "https://a.example/x?y"),
        ("FRAME_ANCESTORS", "self; script-src *"),
        ("HISTORY_URL_TEMPLATE", "https://portal.example/messages"),
    ])
    .unwrap_err();
    let named: Vec<_> = mistakes.0.iter().map(|mistake| mistake.variable).collect();
    assert_eq!(
        named,
        [
            "MAX_CONNECTIONS",
            "MAX_CONNECTIONS_PER_IP",
            "CONNECTION_RATE_PER_IP",
            "TRUSTED_PROXIES",
            "ALLOWED_ORIGINS",
            "FRAME_ANCESTORS",
            "HISTORY_URL_TEMPLATE",
            "PUBLIC_URL",
            "HOST",
            "PORT",
            "INTERNAL_API_KEYS",
            "METRICS_KEYS",
            "PING_INTERVAL_MS",
            "JWT_SECRET",
            "JWT_PUBLIC_KEY",
            "JWT_JWKS_URL",
            "JWT_LEEWAY_SECONDS",
            "AUTH_INTROSPECTION_URL",
            "AUTH_INTROSPECTION_CLIENT_SECRET",
            "AMQP_STATUS_QUEUE",
            "AMQP_URL",
            "AMQP_QUEUE_TYPE",
            "AMQP_PREFETCH",
            "REPLAY_WINDOW_SECONDS",
            "LOG_FORMAT",
            "RUST_LOG",
            "JOURNAL",
        ]
    );
    assert!(!mistakes.to_string().contains("short"), "{mistakes}");
}

#[test]
fn the_listeners_have_ports_of_their_own() {
    for (vars, collide) in [
        (&[("INTERNAL_PORT", "3012")][..], true),
        (&[("PORT", "80"), ("INTERNAL_PORT", "80")], true),
        (&[("HOST", "127.0.0.1"), ("INTERNAL_PORT", "3012")], true),
        (&[("HOST", "10.0.0.1"), ("INTERNAL_PORT", "3012")], false),
        (&[("PORT", "0"), ("INTERNAL_PORT", "0")], false),
        (&[("INTERNAL_PORT", "3013")], false),
    ] {
        let message = read(&[&[SECRET], vars].concat()).map_err(|mistakes| mistakes.to_string());
        let expected = "INTERNAL_PORT: must not be the public listener's";
        assert_eq!(
            message.err().as_deref(),
            collide.then_some(expected),
            "{vars:?}"
        );
    }
}

#[test]
fn a_word_that_is_no_level_does_not_silence_the_log() {
    for filter in [
        "debug",
        "WARN",
        "off",
        "3",
        "agent_gateway",
        "agent_gateway=trace",
        "info,hyper=warn",
        "warn,agent_gateway::auth=debug",
        "agent_gateway[span{field}]=debug,info",
    ] {
        assert!(read(&[SECRET, ("RUST_LOG", filter)]).is_ok(), "{filter}");
    }
    for filter in [
        "loud",
        "warning",
        "6",
        "info,verbose",
        "agent-gateway",
        "=loud=",
    ] {
        let message = read(&[SECRET, ("RUST_LOG", filter)]).unwrap_err();
        assert!(message.to_string().starts_with("RUST_LOG: "), "{filter}");
    }
}

#[test]
fn the_topology_is_declared_unless_it_is_said_otherwise() {
    assert!(read(&[SECRET]).unwrap().amqp.declare);
    let config = read(&[SECRET, ("AMQP_DECLARE", "false")]).unwrap();
    assert!(!config.amqp.declare);
    let mistakes = read(&[SECRET, ("AMQP_DECLARE", "no")]).unwrap_err();
    let message = "AMQP_DECLARE: must be true or false";
    assert_eq!(mistakes.to_string(), message);
}

#[test]
fn a_shared_journal_needs_a_secret_that_all_replicas_have() {
    let stream = ("JOURNAL", "stream");
    let read_stream = |vars: &[(&str, &str)]| read(&[&[stream], vars].concat());
    let config = read_stream(&[SECRET]).unwrap();
    assert!(config.limits.shared);
    let journal::Settings::Stream(settings) = &config.journal else {
        panic!("{:?}", config.journal);
    };
    assert_eq!(settings.stream, "gateway.journal");
    // Twice the window, and what clocks may differ by.
    assert_eq!(settings.reach(), Duration::from_secs(1320));
    let issuer = ("AUTH_INTROSPECTION_URL", "http://127.0.0.1:1/");
    let mistakes = read_stream(&[issuer]).unwrap_err().to_string();
    assert!(
        mistakes.starts_with("CURSOR_SECRET: must be set"),
        "{mistakes}"
    );
    let short = ("CURSOR_SECRET", "short");
    let mistakes = read_stream(&[issuer, short]).unwrap_err().to_string();
    assert_eq!(mistakes, "CURSOR_SECRET: must have at least 32 bytes");
    let secret = ("CURSOR_SECRET", "another secret, of 32 bytes or more");
    let own = read_stream(&[SECRET, secret]).unwrap().cursor_key.unwrap();
    let derived = config.cursor_key.unwrap();
    assert_ne!(own.fingerprint(), derived.fingerprint());
    assert!(read_stream(&[issuer, secret]).is_ok());
    let queue = ("AMQP_JOURNAL_STREAM", "gateway.dead_letters");
    let mistakes = read_stream(&[SECRET, queue]).unwrap_err().to_string();
    assert_eq!(mistakes, "AMQP_JOURNAL_STREAM: must not be a queue's");
}

#[test]
fn publishing_needs_nothing_of_that() {
    assert!(read(&[]).is_err());
    assert!(read(&[("JWT_SECRET", "")]).is_err());
    assert!(Config::from_vars([], Needs::Nothing).is_ok());
}

#[test]
fn what_is_not_utf8_is_a_mistake_only_where_it_is_read() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = || OsString::from_vec(vec![0xff]);
    let secret = || (OsString::from(SECRET.0), OsString::from(SECRET.1));
    assert!(Config::from_vars([secret(), ("OTHER".into(), bytes())], Needs::Secret).is_ok());
    assert!(Config::from_vars([secret(), ("HOST".into(), bytes())], Needs::Secret).is_err());
}
