//! A public key as operators have it: PEM (RFC 7468).

use super::key::{Key, KeyError};

impl Key {
    /// The public key in a PEM text. Literal `\n` stand for line breaks, as files of environment
    /// variables often have them.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let blocks = pem::parse_many(text).map_err(|_| KeyError::NotPem)?;
        // Before anything else is found wrong: a private key must not stay where it is.
        if blocks
            .iter()
            .any(|block| block.tag().ends_with("PRIVATE KEY"))
        {
            return Err(KeyError::Private);
        }
        let [block] = blocks.as_slice() else {
            return Err(if blocks.is_empty() {
                KeyError::NotPem
            } else {
                KeyError::Several
            });
        };
        match block.tag() {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::from_der(block.contents()),
            "CERTIFICATE" => Err(KeyError::Certificate),
            _ => Err(KeyError::NotPem),
        }
    }
}
