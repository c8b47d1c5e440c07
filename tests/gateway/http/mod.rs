//! HTTP: pages, headers, origins, metrics, the internal API, and the proxies in front.

mod embedding;
mod health;
mod internal_api;
mod metrics;
mod nginx;
mod openapi;
mod origins;
mod public_url;
mod relay;
mod response_headers;
