//! What `dev` makes of bodies: those of the contract are taken as they are, and those of Meta's
//! Cloud API as its mapping has them, in the one conversation that there is.

use std::sync::Arc;

use anyhow::anyhow;
use serde_json::json;

use crate::source::amqp::Mapping;

/// The mapping that comes with the gateway.
const CLOUD_API: &str = include_str!("../../../amqp/mappings/cloud_api.jq");

/// A mapping for both shapes of body.
pub(super) fn either(tenant: &str, conversation: &str) -> anyhow::Result<Arc<Mapping>> {
    let code = format!(
        "def cloud_api:\n{CLOUD_API}\n;\n\
         if type == \"object\" and .object == \"whatsapp_business_account\"\n\
         then cloud_api | .tenantId = {} | .conversationId = {}\n\
         else . end",
        json!(tenant),
        json!(conversation)
    );
    let mapping = Mapping::compile("dev", &code);
    Ok(Arc::new(mapping.map_err(|error| anyhow!("dev: {error}"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_compiles() {
        let mapping = either("demo", "maria").unwrap();
        assert_eq!(mapping.name(), "dev");
    }
}
