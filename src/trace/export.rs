//! Export by OTLP, as OpenTelemetry's own variables ask for it
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>). Its library reads those; what would
//! make it fail is told here, at the start.

mod client;
mod variables;

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
    TraceFlags, TraceId, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::{TraceContext, TraceMistake};
use client::Client;
use variables::Wanted;

/// How long the end of the process may wait for the last spans.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What spans are made with. There is one for the process, as there is one log.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Exports spans until it is stopped.
#[derive(Debug)]
pub struct Exporter(SdkTracerProvider);

/// Begins to export, if a collector is named. Must be called within a Tokio runtime, and once.
///
/// # Errors
/// A variable that cannot be.
pub fn start() -> Result<Option<Exporter>, TraceMistake> {
    let Some(wanted) = variables::wanted(|name| std::env::var(name).ok())? else {
        return Ok(None);
    };
    let Wanted {
        variable, endpoint, ..
    } = &wanted;
    let client = Client::new(&wanted).map_err(|error| TraceMistake {
        variable,
        reason: format!("needs TLS, which there is not: {error}"),
    })?;
    let collector = endpoint.origin().ascii_serialization();
    // The library's own words could repeat the address and what is in it.
    let exporter = SpanExporter::builder().with_http().with_http_client(client);
    let exporter = exporter.build().map_err(|_| TraceMistake {
        variable,
        reason: "cannot be used with the other OTEL_EXPORTER_OTLP_ variables".to_owned(),
    })?;
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let resource = match variables::names_service(|name| std::env::var(name).ok()) {
        true => resource,
        false => resource.with_service_name("agent-gateway"),
    };
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    // A second one in the same process would be told from this one by nothing.
    TRACER.get_or_init(|| provider.tracer("agent-gateway"));
    info!(collector, "traces are exported");
    Ok(Some(Exporter(provider)))
}

impl Exporter {
    /// Exports what there still is, and nothing more.
    pub async fn stop(self) {
        let stopped = spawn_blocking(move || self.0.shutdown_with_timeout(STOP_TIMEOUT)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            warn!("not all traces were exported");
        }
    }
}

/// A span that is recorded.
#[derive(Debug)]
pub(super) struct Recording(Box<opentelemetry_sdk::trace::Span>);

impl Recording {
    /// Begins a span, unless nothing is exported or the sampler leaves it out.
    pub(super) fn begin(
        cause: Option<TraceContext>,
        beginning: impl FnOnce() -> SpanBuilder,
    ) -> Option<Self> {
        let tracer = TRACER.get()?;
        let parent = match cause {
            Some(cause) => Context::new().with_remote_span_context(cause.into()),
            None => Context::new(),
        };
        let span = tracer.build_with_context(beginning(), &parent);
        span.is_recording().then(|| Self(Box::new(span)))
    }

    /// The conventions' words for a delivery
    /// (<https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/>).
    pub(super) fn delivery(queue: &str) -> SpanBuilder {
        SpanBuilder::from_name(format!("process {queue}"))
            .with_kind(SpanKind::Consumer)
            .with_attributes([
                KeyValue::new("messaging.system", "rabbitmq"),
                KeyValue::new("messaging.operation.type", "process"),
                KeyValue::new("messaging.operation.name", "process"),
                KeyValue::new("messaging.destination.name", queue.to_owned()),
            ])
    }

    /// The conventions' words for a request
    /// (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>).
    pub(super) fn request(method: &str, route: &str) -> SpanBuilder {
        SpanBuilder::from_name(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method.to_owned()),
                KeyValue::new("http.route", route.to_owned()),
            ])
    }

    pub(super) fn context(&self) -> TraceContext {
        let context = self.0.span_context();
        TraceContext {
            trace: context.trace_id().to_bytes(),
            span: context.span_id().to_bytes(),
            flags: context.trace_flags().to_u8(),
        }
    }

    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(KeyValue::new(name, value));
    }

    pub(super) fn fail(&mut self, kind: &str) {
        self.set("error.type", kind.to_owned());
        self.0.set_status(Status::error(kind.to_owned()));
    }
}

impl From<TraceContext> for SpanContext {
    fn from(context: TraceContext) -> Self {
        Self::new(
            TraceId::from_bytes(context.trace),
            SpanId::from_bytes(context.span),
            TraceFlags::new(context.flags),
            true,
            Default::default(),
        )
    }
}
