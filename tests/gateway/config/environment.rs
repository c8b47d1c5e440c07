//! Environment variables: white space, quotes, sizes, misspelt names, secrets in files, and the errors that
//! are reported.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use serde_json::json;
use tokio::process::Command;

use crate::amqp::authority::Authority;
use crate::harness::{
    API_KEY, Broker, Folder, Received, SECRET, Signal, TestGateway, claims, sign,
};

/// What must be in no line.
const HIDDEN: &str = "hidden-5058f1af8388633f609cadb75a75dc9d";

async fn serve(variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .await
        .unwrap()
}

/// What it says about variables that cannot be.
async fn mistakes(variables: &[(&str, &str)]) -> Vec<String> {
    let output = serve(variables).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(
        !stderr.contains(HIDDEN) && !stderr.contains("listening"),
        "{stderr}"
    );
    let lines = stderr.lines();
    lines
        .map(|line| line.strip_prefix("agent-gateway: ").unwrap().to_owned())
        .collect()
}

async fn opens(gateway: &TestGateway) {
    let token = sign(&claims("acme"));
    let answer = gateway.enter(&token).await.next().await;
    assert!(matches!(answer, Received::Connected(_)), "{answer:?}");
}

#[tokio::test]
async fn white_space_around_a_value_is_trimmed() {
    let broker = Broker::new().await;
    let url = format!("\t{}\n", broker.url());
    let variables = [
        ("JWT_SECRET", &*format!("{SECRET}\n")),
        ("JWT_PREVIOUS_SECRET", " \n"),
        ("INTERNAL_API_KEYS", &format!(" {API_KEY} \r\n")),
        ("AMQP_URL", &url),
        ("HOST", " 127.0.0.1 "),
        ("LOG_FORMAT", "json\n"),
        ("RUST_LOG", "info\r\n"),
        ("AMQP_QUEUE_TYPE", "quorum\n"),
        ("REPLAY_MAX_BYTES", "8MiB\n"),
        ("MAX_LAG_BYTES", "512 KiB"),
        ("FRAME_ANCESTORS", " 'self' https://portal.example "),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    opens(&gateway).await;
    let emit = json!({"tenantId": "acme", "conversationId": "c", "event": "note", "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
}

#[tokio::test]
async fn quotes_around_a_value_are_reported() {
    for quote in ['"', '\''] {
        let quoted = |value: &str| format!("{quote}{value}{quote}");
        let secret = quoted(HIDDEN);
        let variables = [
            ("JWT_SECRET", &*secret),
            ("INTERNAL_API_KEYS", &secret),
            ("AMQP_URL", &quoted("amqp://guest:guest@127.0.0.1/%2f")),
            ("AMQP_EXCHANGE", &quoted("whatsapp.events")),
            ("JWT_ISSUER", &quoted("https://portal.example")),
            ("JWT_PUBLIC_KEY_FILE", &quoted("/run/key.pem")),
            ("FRAME_ANCESTORS", &quoted("https://portal.example")),
            ("PORT", &quoted("3012")),
            ("RUST_LOG", &quoted("info")),
        ];
        let errors = mistakes(&variables).await;
        assert_eq!(errors.len(), variables.len(), "{errors:#?}");
        for (name, _) in variables {
            let line = format!("{name}: has quotes around its value");
            let found = errors.iter().find(|errors| errors.starts_with(&line));
            let found = found.unwrap_or_else(|| panic!("{name} in {errors:#?}"));
            assert!(found.contains("take them off"), "{found}");
        }
    }
    // Those of a content security policy's keywords are its own.
    let broker = Broker::new().await;
    for ancestors in ["'none'", "'self'", "'self' https://a.example 'self'"] {
        let variables = [("FRAME_ANCESTORS", ancestors)];
        let gateway = TestGateway::start_with(&broker, &variables).await;
        gateway.signal(Signal::TERM);
        assert_eq!(gateway.ended().await.status.code(), Some(0));
    }
}

#[tokio::test]
async fn every_secret_can_be_read_from_a_file() {
    let broker = Broker::new().await;
    let folder = Folder::new();
    let secret = folder.write("secret", format!("{SECRET}\n"));
    let previous = folder.write("previous", "another secret, of 32 bytes or more\r\n");
    let keys = folder.write("keys", format!("one-more-key-of-16\n\n{API_KEY},\n"));
    let url = folder.write("url", format!("\u{feff}{}\n", broker.url()));
    let variables = [
        ("JWT_SECRET", ""),
        ("JWT_SECRET_FILE", &*secret),
        ("JWT_PREVIOUS_SECRET_FILE", &previous),
        ("INTERNAL_API_KEYS", ""),
        ("INTERNAL_API_KEYS_FILE", &keys),
        ("AMQP_URL", " "),
        ("AMQP_URL_FILE", &url),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    opens(&gateway).await;
    let emit = json!({"tenantId": "acme", "conversationId": "c", "event": "note", "payload": {}});
    assert_eq!(gateway.emit(&emit).await.0, 200);
}

#[tokio::test]
async fn an_unusable_secret_file_is_reported_with_its_variable_and_the_reason() {
    let folder = Folder::new();
    let short = folder.write("short", &HIDDEN[..9]);
    let secret = folder.write("secret", HIDDEN);
    for (content, reason) in [
        (None, "names a file that cannot be read: "),
        (Some(Vec::new()), "names a file that is empty"),
        (Some(b" \n".to_vec()), "names a file that is empty"),
        (Some(vec![0xff; 40]), "names a file that is not valid UTF-8"),
        (
            Some(vec![b'x'; 65_537]),
            "names a file of more than 65536 bytes",
        ),
        (
            Some(format!("\"{HIDDEN}\"").into_bytes()),
            "names a file that has quotes around its value",
        ),
    ] {
        let path = match content {
            Some(content) => folder.write("file", content),
            None => folder.path(HIDDEN),
        };
        for name in [
            "JWT_SECRET_FILE",
            "JWT_PREVIOUS_SECRET_FILE",
            "JWT_PUBLIC_KEY_FILE",
            "JWT_PUBLIC_KEY",
            "INTERNAL_API_KEYS_FILE",
            "AMQP_URL_FILE",
        ] {
            let others = match name {
                "JWT_SECRET_FILE" => &[][..],
                _ => &[("JWT_SECRET", HIDDEN)],
            };
            let errors = mistakes(&[others, &[(name, &*path)]].concat()).await;
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(
                errors[0].starts_with(&format!("{name}: {reason}")),
                "{errors:?}"
            );
        }
    }
    // What a file says is judged like a value.
    let errors = mistakes(&[("JWT_SECRET_FILE", &short), ("AMQP_URL_FILE", &secret)]).await;
    assert_eq!(
        errors[0],
        "JWT_SECRET_FILE: in the file: must have at least 32 bytes"
    );
    assert!(
        errors[1].starts_with("AMQP_URL_FILE: in the file: must be"),
        "{errors:?}"
    );
    let both = [("JWT_SECRET", HIDDEN), ("JWT_SECRET_FILE", &secret)];
    assert_eq!(
        mistakes(&both).await,
        ["JWT_SECRET_FILE: is set, and so is JWT_SECRET: only one of them can be"]
    );
}

#[tokio::test]
async fn a_misspelt_variable_is_logged_with_the_nearest_name_and_foreign_ones_are_not() {
    let broker = Broker::new().await;
    let variables = [
        ("AMQP_INBOUND_QUEU", HIDDEN),
        ("ALOWED_ORIGINS", HIDDEN),
        ("JOURNAL_STREAM", "8:1234"),
        ("HOSTNAME", "gateway-0"),
        ("LOG_LEVEL", "debug"),
        ("RUST_BACKTRACE", "0"),
        ("AGENT_GATEWAY_PORT", "tcp://10.0.0.1:3012"),
        ("AMQP_PORT_5672_TCP", "tcp://10.0.0.2:5672"),
    ];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    let logged = gateway.logged("is set, but there is no variable of that name: it is not used");
    let logged: Vec<_> = logged
        .iter()
        .map(|line| (&line["level"], &line["variable"], &line["nearest"]))
        .collect();
    let warning = json!("WARN");
    assert_eq!(
        logged,
        [
            (
                &warning,
                &json!("ALOWED_ORIGINS"),
                &json!("ALLOWED_ORIGINS")
            ),
            (
                &warning,
                &json!("AMQP_INBOUND_QUEU"),
                &json!("AMQP_INBOUND_QUEUE")
            ),
        ]
    );
    assert!(!gateway.log().join("\n").contains(HIDDEN));
    // It may be the reason of a mistake.
    let errors = mistakes(&[("JWT_SECRT", HIDDEN)]).await;
    assert!(
        errors[0].starts_with("JWT_SECRET: must be set"),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with("JWT_SECRT: is not known"),
        "{errors:?}"
    );
    assert!(errors[1].ends_with("JWT_SECRET"), "{errors:?}");
}

#[tokio::test]
async fn an_invalid_size_is_reported() {
    for size in ["8MiBB", "-8MiB", "16EiB", "many"] {
        let variables = [("JWT_SECRET", HIDDEN), ("MAX_LAG_BYTES", size)];
        let errors = mistakes(&variables).await;
        assert!(
            errors[0].starts_with("MAX_LAG_BYTES: must be "),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn too_few_descriptors_for_the_wanted_connections_are_logged_with_a_remedy() {
    const WARNING: &str = "too few descriptors";
    let broker = Broker::new().await;
    let folder = Folder::new();
    let program = |limit: usize| {
        let gateway = env!("CARGO_BIN_EXE_agent-gateway");
        let script = format!("#!/bin/sh\nulimit -n {limit}\nexec {gateway} \"$@\"\n");
        let path = folder.write(&limit.to_string(), script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    };
    for (limit, asked, sessions) in [
        // What many systems give: no reason to say anything unless more is wanted.
        (4_096, None, None),
        (4_096, Some("1000"), None),
        (4_096, Some("20000"), Some(1_984)),
        (2_200, None, Some(88)),
    ] {
        let path = program(limit);
        let variables: Vec<_> = asked
            .map(|asked| ("MAX_CONNECTIONS", asked))
            .into_iter()
            .collect();
        let gateway = TestGateway::start_program(Path::new(&path), &broker, &variables).await;
        let log = gateway.log();
        let logged = log.iter().find(|line| line.contains(WARNING));
        assert_eq!(
            logged.is_some(),
            sessions.is_some(),
            "{limit} {asked:?}: {logged:?}"
        );
        let (Some(line), Some(sessions)) = (logged, sessions) else {
            continue;
        };
        let fields: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(fields["sessions"], sessions, "{line}");
        for remedy in ["ulimit -n", "LimitNOFILE=", "MAX_CONNECTIONS"] {
            assert!(line.contains(remedy), "{line}");
        }
    }
}

#[tokio::test]
async fn build_errors_are_reported_before_the_listening_line() {
    let variables = [
        ("HOST", "127.0.0.1"),
        ("PORT", "0"),
        ("JWT_JWKS_URL", "https://127.0.0.1:1/keys"),
        // A system without certificates of authorities.
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ];
    let output = serve(&variables).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the key set's client"), "{stderr}");
    assert!(!stderr.contains("listening"), "{stderr}");
}

#[tokio::test]
async fn files_for_tls_are_reported_by_the_variable_that_names_them() {
    let folder = Folder::new();
    let authority = Authority::new("an authority");
    let (cert, key) = authority.client("a client");
    let (_, other) = authority.client("another client");
    let ca = folder.write("ca", authority.certificate());
    let (cert, key) = (folder.write("cert", cert), folder.write("key", &key));
    let other = folder.write("other", other);
    let text = folder.write("text", HIDDEN);
    let encrypted = key_under_passphrase(&folder, &key);
    let [url, ca_file, cert_file, key_file] = [
        "AMQP_URL",
        "AMQP_CA_FILE",
        "AMQP_CLIENT_CERT_FILE",
        "AMQP_CLIENT_KEY_FILE",
    ];
    let tls = (url, "amqps://guest:guest@127.0.0.1:1/%2f");
    let plain = (url, "amqp://guest:guest@127.0.0.1:1/%2f");
    let external = (url, "amqps://127.0.0.1:1/%2f?auth_mechanism=external");
    let missing = folder.path("missing");
    for (variables, name, reason) in [
        (&[tls, (ca_file, &missing)][..], ca_file, "cannot be read: "),
        (&[tls, (ca_file, &text)], ca_file, "there is no certificate"),
        (&[tls, (ca_file, &key)], ca_file, "there is no certificate"),
        (&[tls, (cert_file, &cert)], key_file, "must be set: "),
        (&[tls, (key_file, &key)], cert_file, "must be set: "),
        (
            &[tls, (cert_file, &cert), (key_file, &other)],
            key_file,
            "is not the key of the certificate",
        ),
        (
            &[tls, (cert_file, &text), (key_file, &key)],
            cert_file,
            "there is no certificate",
        ),
        (
            &[tls, (cert_file, &cert), (key_file, &text)],
            key_file,
            "there is no private key",
        ),
        (
            &[tls, (cert_file, &cert), (key_file, &encrypted)],
            key_file,
            "passphrase",
        ),
        (
            &[tls, (cert_file, &cert), (key_file, &missing)],
            key_file,
            "cannot be read: ",
        ),
        (
            &[plain, (ca_file, &ca)],
            ca_file,
            "must begin with amqps://",
        ),
        (&[(ca_file, &ca)], ca_file, "must begin with amqps://"),
        (&[external], cert_file, "auth_mechanism=external"),
    ] {
        let secret = [("JWT_SECRET", SECRET)];
        let errors = mistakes(&[&secret, variables].concat()).await;
        let [line] = errors.as_slice() else {
            panic!("{variables:?}: {errors:#?}");
        };
        assert!(
            line.starts_with(&format!("{name}: ")) && line.contains(reason),
            "{line}"
        );
    }
    // Each of them, where none is of use.
    let all = [(ca_file, &*ca), (cert_file, &cert), (key_file, &key)];
    let errors = mistakes(&[&[("JWT_SECRET", SECRET), plain], &all[..]].concat()).await;
    assert_eq!(errors.len(), 3, "{errors:#?}");
}

/// The same key, as OpenSSL writes it under a passphrase.
fn key_under_passphrase(folder: &Folder, key: &str) -> String {
    let path = folder.path("encrypted");
    let status = std::process::Command::new("openssl")
        .args(["pkey", "-aes256", "-passout", "pass:a passphrase"])
        .args(["-in", key, "-out", &path])
        .status();
    assert!(status.expect("openssl").success());
    path
}
