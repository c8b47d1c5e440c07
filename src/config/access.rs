//! The way to the broker and in: the URL, and what `amqps://` is spoken with.

use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};

use super::amqp_url::amqp_url;
use super::reader::VariableReader;
use super::values::default_broker;
use super::variables::Variables;
use crate::broker::{PemError, SharedUri, Tls};

const URL: &str = "AMQP_URL";
const CA: &str = "AMQP_CA_FILE";
const CERT: &str = "AMQP_CLIENT_CERT_FILE";
const KEY: &str = "AMQP_CLIENT_KEY_FILE";

/// What is good only together: of files that are read again, all of these count or none.
pub(super) const TOGETHER: [&str; 4] = [URL, CA, CERT, KEY];

impl VariableReader {
    pub(super) fn broker(&mut self, vars: &Variables) -> SharedUri {
        let uri = self.value(URL, &vars.amqp_url, default_broker, amqp_url);
        // Of a URL that is a mistake itself, nothing else can be said.
        if !self.has_mistake(URL) {
            self.fits(&uri, vars);
        }
        let tls = self.authorities(vars, Tls::default());
        SharedUri::new(uri, self.identity(vars, tls))
    }

    /// Whether the URL has a use for the files, and what it needs of them.
    fn fits(&mut self, uri: &AMQPUri, vars: &Variables) {
        if uri.scheme == AMQPScheme::AMQP {
            for (name, value) in [
                (CA, &vars.amqp_ca_file),
                (CERT, &vars.amqp_client_cert_file),
                (KEY, &vars.amqp_client_key_file),
            ] {
                if self.is_set(name, value) {
                    self.mistake(
                        name,
                        format!("is of no use with amqp://: {URL} must begin with amqps://"),
                    );
                }
            }
        }
        if uri.query.auth_mechanism == Some(SASLMechanism::External)
            && !self.is_set(CERT, &vars.amqp_client_cert_file)
        {
            self.mistake(
                CERT,
                format!(
                    "must be set: with auth_mechanism=external in {URL}, the broker takes the user \
                     from it"
                ),
            );
        }
    }

    fn authorities(&mut self, vars: &Variables, tls: Tls) -> Tls {
        let trusting = |text: &str| tls.clone().trusting(text);
        let trusting = |text: &str| trusting(text).map_err(|error| error.to_string());
        self.optional(CA, &vars.amqp_ca_file, trusting)
            .unwrap_or(tls)
    }

    fn identity(&mut self, vars: &Variables, tls: Tls) -> Tls {
        let has_cert = self.is_set(CERT, &vars.amqp_client_cert_file);
        let has_key = self.is_set(KEY, &vars.amqp_client_key_file);
        let text = |text: &str| Ok(text.to_owned());
        let cert = self.optional(CERT, &vars.amqp_client_cert_file, text);
        let key = self.optional(KEY, &vars.amqp_client_key_file, text);
        match (cert, key) {
            (Some(cert), Some(key)) => match tls.clone().identified_by(&cert, &key) {
                Ok(identified) => return identified,
                Err(PemError::Certificate(said)) => self.mistake(CERT, in_the_file(&said)),
                Err(PemError::Key(said)) => self.mistake(KEY, in_the_file(&said)),
            },
            _ if has_cert && !has_key => self.mistake(KEY, format!("must be set: {CERT} is")),
            _ if has_key && !has_cert => self.mistake(CERT, format!("must be set: {KEY} is")),
            _ => {}
        }
        tls
    }
}

fn in_the_file(said: &str) -> String {
    format!("in the file: {said}")
}
