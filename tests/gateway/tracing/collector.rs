//! A collector that takes spans by OTLP over HTTP, and keeps them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::harness::until;

/// What has come so far.
#[derive(Default)]
struct Kept {
    spans: Vec<Exported>,
    headers: Vec<HeaderMap>,
}

pub(super) struct Collector {
    address: String,
    kept: Arc<Mutex<Kept>>,
    _task: AbortOnDropHandle<()>,
}

/// A span, and what it is said to be of.
#[derive(Debug, Clone)]
pub(super) struct Exported {
    pub(super) span: Span,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) resource: BTreeMap<String, String>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let router = Router::new().route("/v1/traces", post(take));
        let router = router.with_state(kept.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            kept,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The headers of the last request.
    pub(super) fn headers(&self) -> HeaderMap {
        self.kept.lock().unwrap().headers.last().unwrap().clone()
    }

    pub(super) fn spans(&self) -> Vec<Exported> {
        self.kept.lock().unwrap().spans.clone()
    }

    /// Waits until so many spans of this name have come.
    pub(super) async fn named(&self, name: &str, count: usize) -> Vec<Exported> {
        let named = || {
            let mut spans = self.spans();
            spans.retain(|exported| exported.span.name == name);
            spans
        };
        until(name, async || named().len() >= count).await;
        named()
    }
}

async fn take(
    State(kept): State<Arc<Mutex<Kept>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), StatusCode> {
    if headers["content-type"] != "application/x-protobuf" {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut kept = kept.lock().unwrap();
    kept.headers.push(headers);
    for resource_spans in request.resource_spans {
        let resource = texts(&resource_spans.resource.unwrap_or_default().attributes);
        let scopes = resource_spans.scope_spans.into_iter();
        let spans = scopes.flat_map(|scope| scope.spans);
        kept.spans.extend(spans.map(|span| Exported {
            attributes: texts(&span.attributes),
            span,
            resource: resource.clone(),
        }));
    }
    Ok(())
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let texts = attributes.iter().map(|attribute| {
        let value = attribute.value.clone().and_then(|value| value.value);
        let text = match value {
            Some(Value::StringValue(text)) => text,
            Some(Value::IntValue(number)) => number.to_string(),
            other => panic!("{other:?} as {}", attribute.key),
        };
        (attribute.key.clone(), text)
    });
    texts.collect()
}
