//! The way in: the address, TLS, the login and the vhost.

use crate::broker::{BrokerConnection, BrokerError, SharedUri, TlsUse, Traffic, reach};
use crate::cli::report::{Report, State};

/// The steps on the way in, in this order.
const STEPS: [&str; 4] = ["address", "tls", "login", "vhost"];

/// Connects; `None` when a step has failed.
pub(super) async fn connect(uri: &SharedUri, report: &mut Report) -> Option<BrokerConnection> {
    let reached = match reach(uri).await {
        Ok(address) => address,
        Err(error) => {
            failed("address", &error, uri, report);
            return None;
        }
    };
    match BrokerConnection::open(uri, "check", Traffic::Deliveries).await {
        Ok(connection) => {
            passed(STEPS.len(), uri, Some(&reached), report);
            Some(connection)
        }
        Err(error) => {
            failed(refused_at(&error), &error, uri, report);
            None
        }
    }
}

/// The step that an attempt to connect has ended at.
const fn refused_at(error: &BrokerError) -> &'static str {
    match error {
        BrokerError::NotTls { .. }
        | BrokerError::Certificate { .. }
        | BrokerError::OtherHost { .. }
        | BrokerError::NoClientCertificate { .. }
        | BrokerError::ClientCertificate { .. }
        | BrokerError::HungUpTls { .. }
        | BrokerError::Tls { .. } => "tls",
        BrokerError::Login { .. } | BrokerError::ExternalLogin { .. } => "login",
        BrokerError::NoSuchVhost { .. }
        | BrokerError::VhostRefused { .. }
        | BrokerError::TooMany { .. } => "vhost",
        // What takes a connection there is no broker, or does not answer as one.
        _ => "address",
    }
}

/// The steps before it are well, and those behind it cannot be tried.
fn failed(step: &'static str, error: &BrokerError, uri: &SharedUri, report: &mut Report) {
    let index = STEPS.iter().position(|&known| known == step).unwrap_or(0);
    passed(index, uri, None, report);
    report.add(step, State::Failed, error.to_string());
    for step in STEPS.iter().skip(index + 1) {
        report.not_reached(step);
    }
}

/// The first `count` steps are well.
fn passed(count: usize, uri: &SharedUri, reached: Option<&str>, report: &mut Report) {
    let settings = uri.get();
    let authority = &settings.authority;
    for &step in STEPS.iter().take(count) {
        let (state, detail) = match step {
            "address" => {
                let reached = reached.map(|at| format!(", at {at}")).unwrap_or_default();
                let (host, port) = (&authority.host, authority.port);
                let detail = format!("{host}:{port} takes connections{reached}");
                (State::Ok, detail)
            }
            "tls" => {
                let (state, detail) = tls(TlsUse::of(uri));
                (state, detail.to_owned())
            }
            "login" => (State::Ok, format!("user {}", uri.user())),
            _ => (State::Ok, settings.vhost.clone()),
        };
        report.add(step, state, detail);
    }
}

const fn tls(tls: TlsUse) -> (State, &'static str) {
    match tls {
        TlsUse::Off => (
            State::NotLookedAt,
            "AMQP_URL says amqp://, which is without TLS",
        ),
        TlsUse::OneSided => (State::Ok, "the broker's certificate is trusted"),
        TlsUse::Mutual => (
            State::Ok,
            "the broker's certificate is trusted, and it was shown the one of AMQP_CLIENT_CERT_FILE",
        ),
    }
}
