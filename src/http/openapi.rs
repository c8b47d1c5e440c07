//! `GET /openapi.json`, on the listener for internal calls: what can be called there.
//!
//! Answers are described by the very types that are answered. Bodies are read field by field, by a
//! decoder of its own, and so their descriptions stand here; the tests hold both against the program.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, Schema};
use utoipa::{Modify, OpenApi as _, ToSchema};

use super::{health, internal, keys, metrics};

/// What an id looks like.
const ID: &str = "^[A-Za-z0-9._~:@+=-]{1,128}$";

/// The description of the internal listener.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "agent-gateway",
        description = "What the portal and the operator call. Agents speak Socket.IO, and publishers AMQP: that is \
                       described by amqp/asyncapi.yaml.",
    ),
    paths(
        internal::emit,
        internal::disconnect,
        internal::conversation,
        health::healthz,
        health::readyz,
        metrics::metrics,
    ),
    modifiers(&Keys),
    tags(
        (name = "relay", description = "What the portal calls, with a key."),
        (name = "operation", description = "Probes and metrics."),
    )
)]
struct Document;

/// The ways in which a key may come.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let header = ApiKeyValue::new(keys::HEADER);
        let header = SecurityScheme::ApiKey(ApiKey::Header(header));
        components.add_security_scheme("key", header);
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", bearer);
    }
}

pub(super) async fn document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        // Strings, numbers and lists: there is nothing that could not be written.
        serde_json::to_string(&Document::openapi()).unwrap_or_default()
    });
    ([(CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// The body of `POST /internal/emit`.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct EmitRequest {
    /// The customer account.
    #[schema(schema_with = id)]
    pub tenant_id: String,
    /// The conversation in it.
    #[schema(schema_with = id)]
    pub conversation_id: String,
    /// The Socket.IO event that agents receive: none of the names that Socket.IO or the gateway have
    /// for events of their own.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,63}$", example = "note")]
    pub event: String,
    /// What they receive with it. Of `inbound_message` and `status_update`, the fields of the deliveries of
    /// that name in amqp/asyncapi.yaml, without the ids.
    #[schema(schema_with = any_object)]
    pub payload: String,
    /// Makes a repeat in the same conversation, within the window, answer with the first cursor.
    #[schema(schema_with = event_id, required = false)]
    pub event_id: Option<String>,
}

/// The body of `POST /internal/disconnect`.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DisconnectRequest {
    /// The customer account.
    #[schema(schema_with = id)]
    pub tenant_id: String,
    /// Only members of this conversation.
    #[schema(schema_with = optional_id, required = false)]
    pub conversation_id: Option<String>,
    /// Only members who are this agent.
    #[schema(schema_with = agent_id, required = false)]
    pub agent_id: Option<String>,
}

/// An id, or an integer, whose decimal digits count.
fn id() -> Schema {
    any_of([text_id(), number()])
}

fn optional_id() -> Schema {
    any_of([text_id(), number(), kind(Type::Null).build().into()])
}

fn text_id() -> Schema {
    let text = kind(Type::String).pattern(Some(ID));
    text.build().into()
}

fn number() -> Schema {
    kind(Type::Integer).build().into()
}

fn event_id() -> Schema {
    optional_text(128)
}

fn agent_id() -> Schema {
    optional_text(65_536)
}

fn optional_text(most: usize) -> Schema {
    let text = kind(Type::String)
        .min_length(Some(1))
        .max_length(Some(most));
    any_of([text.build().into(), kind(Type::Null).build().into()])
}

/// Any JSON object.
fn any_object() -> Schema {
    let object = kind(Type::Object);
    let object = object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)));
    object.build().into()
}

fn kind(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

fn any_of(schemas: impl IntoIterator<Item = Schema>) -> Schema {
    let all = schemas.into_iter();
    let any = all.fold(AnyOfBuilder::new(), |any, schema| any.item(schema));
    any.build().into()
}
