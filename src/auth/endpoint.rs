//! The address of a key set or of the auth service.

use std::fmt;
use std::time::Duration;

use anyhow::{bail, ensure};
use reqwest::{Client, Response, StatusCode, redirect};
use tracing::warn;
use url::{Host, Url};

use crate::throttle::Throttle;

/// An https URL, or an http one of this machine: its answers decide who is admitted, so that
/// nobody in between may forge them.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence that does not repeat the text: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| "must be an https:// URL".to_owned())?;
        let endpoint = Self(url);
        match endpoint.0.scheme() {
            "https" => {}
            "http" if endpoint.is_local() => {}
            "http" => return Err("must be an https:// URL (http only to loopback)".to_owned()),
            _ => return Err("must be an https:// URL".to_owned()),
        }
        if !endpoint.0.username().is_empty() || endpoint.0.password().is_some() {
            return Err("must not hold a user name or a password".to_owned());
        }
        Ok(endpoint)
    }

    /// Whether this machine itself answers.
    pub fn is_local(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Its URL, of which only [`Endpoint`]'s `Display` may get into a log.
    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }

    /// A client for it, which fails after `timeout`, answer included. The variables for proxies
    /// count, but not for this machine.
    ///
    /// # Errors
    /// When the system has no certificates of authorities, and TLS needs them.
    pub(super) fn client(&self, timeout: Duration) -> reqwest::Result<Client> {
        let mut builder = Client::builder()
            .user_agent(concat!("agent-gateway/", env!("CARGO_PKG_VERSION")))
            // Whoever may redirect could name a host that nobody has configured.
            .redirect(redirect::Policy::none())
            .timeout(timeout);
        if self.is_local() {
            builder = builder.no_proxy();
        }
        if self.0.scheme() == "https" {
            builder = builder.https_only(true);
        } else {
            // Without TLS, certificates of authorities need not be there.
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    }
}

/// Scheme, host and port: a path or a query may hold a key.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The body of an answer that must be 200 and of at most `limit` bytes.
///
/// # Errors
/// Without the URL.
pub(super) async fn body(
    response: reqwest::Result<Response>,
    limit: usize,
) -> anyhow::Result<Vec<u8>> {
    let mut response = response.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    ensure!(status == StatusCode::OK, "the answer is {status}");
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)?
    {
        if body.len() + chunk.len() > limit {
            bail!("the answer has more than {limit} bytes");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Logs that an endpoint fails, every 30 seconds and not for each agent who connects.
#[derive(Debug, Default)]
pub(super) struct Outage(Throttle<(), 30>);

impl Outage {
    /// Counts a failure.
    pub(super) fn note(&self, endpoint: &Endpoint, error: &anyhow::Error) {
        if self.0.note(&()).is_some() {
            warn!(%endpoint, error = format!("{error:#}"), "the auth service does not answer as it should");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for good in [
            "https://auth.example.com/introspect?v=2",
            "https://127.0.0.1:8443/",
            "http://127.0.0.1:8080/keys",
            "http://127.1.2.3/",
            "http://[::1]:8080/keys",
            "http://localhost/keys",
        ] {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "keys.json",
            "http://auth.example.com/introspect",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "http://0.0.0.0/",
            "ftp://localhost/",
            "file:///keys.json",
            "data:text/plain,x",
            "https://user:hidden@auth.example.com/",
            "https://hidden@auth.example.com/",
        ] {
            let reason = Endpoint::parse(bad).unwrap_err();
            assert!(!reason.contains("hidden"), "{reason}");
        }
    }

    #[test]
    fn only_scheme_and_host_are_logged() {
        let endpoint = Endpoint::parse("https://auth.example.com:8443/secret?key=secret").unwrap();
        assert_eq!(endpoint.to_string(), "https://auth.example.com:8443");
        assert_eq!(format!("{endpoint:?}"), "https://auth.example.com:8443");
    }
}
