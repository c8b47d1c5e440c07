//! Tokens: keys, key sets, introspection, and what is logged of those that are rejected.

mod introspection;
mod key_set;
mod key_set_tls;
mod public_key;
mod refusal_log;
pub(crate) mod server;
pub(crate) mod signer;
