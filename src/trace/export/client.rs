//! The exporter's way to the collector.

use std::pin::Pin;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::redirect;
use tokio::runtime::Handle;
use tracing::warn;
use url::{Host, Url};

use super::variables::Wanted;
use crate::throttle::Throttle;

/// Sends what the exporter's thread gives it from the runtime, where HTTP is at home.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    runtime: Handle,
    failures: Throttle<(), 60>,
}

impl Client {
    /// A client for the collector.
    ///
    /// # Errors
    /// When the system has no certificates of authorities, and TLS needs them.
    pub(super) fn new(wanted: &Wanted) -> reqwest::Result<Self> {
        let endpoint = &wanted.endpoint;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("agent-gateway/", env!("CARGO_PKG_VERSION")))
            .timeout(wanted.timeout)
            .redirect(redirect::Policy::none());
        if endpoint.scheme() == "http" {
            // Without TLS, certificates of authorities need not be there.
            builder = builder.tls_certs_only([]);
        }
        if is_local(endpoint) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            runtime: Handle::current(),
            failures: Throttle::default(),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = self
            .http
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        let sending = async move {
            // The address may hold a key.
            let response = request.send().await.map_err(reqwest::Error::without_url)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response
                .bytes()
                .await
                .map_err(reqwest::Error::without_url)?;
            Ok::<_, reqwest::Error>((status, headers, body))
        };
        let (status, headers, body) = self.runtime.spawn(sending).await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Whether the collector is on this machine, which no proxy stands before.
fn is_local(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'sending>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'client: 'sending,
        Self: 'sending,
    {
        Box::pin(async move {
            let sent = self.send(request).await;
            let failure = match &sent {
                Ok(response) if response.status().is_success() => return sent,
                Ok(response) => format!("the answer is {}", response.status()),
                Err(error) => error.to_string(),
            };
            if let Some(failures) = self.failures.note(&()) {
                warn!(error = failure, failures, "traces cannot be exported");
            }
            sent
        })
    }
}
