//! The variables for tokens. Values stay out of every reason: they would end in a log.

use std::path::PathBuf;

use url::Url;

use super::Needs;
use super::reader::VariableReader;
use super::values::number;
use super::variables::Variables;
use crate::auth::{
    ClientCredentials, Endpoint, IntrospectionSettings, Key, KeySource, Rules, Settings,
};

impl VariableReader {
    pub(super) fn auth(&mut self, vars: &Variables, needs: Needs) -> Settings {
        let signs = self.is_set("JWT_SECRET", &vars.jwt_secret);
        let checks = [
            ("JWT_SECRET", &vars.jwt_secret),
            ("JWT_PREVIOUS_SECRET", &vars.jwt_previous_secret),
            ("JWT_PUBLIC_KEY", &vars.jwt_public_key),
            ("JWT_JWKS_URL", &vars.jwt_jwks_url),
            ("AUTH_INTROSPECTION_URL", &vars.auth_introspection_url),
        ]
        .into_iter()
        .any(|(variable, value)| self.is_set(variable, value));
        match needs {
            Needs::Tokens if !checks => self.mistake(
                "JWT_SECRET",
                "must be set, or else JWT_PUBLIC_KEY, JWT_JWKS_URL or AUTH_INTROSPECTION_URL: \
                 agents' tokens are checked with it",
            ),
            Needs::Secret if !signs => self.mistake(
                "JWT_SECRET",
                "must be set: agents' tokens are signed with it",
            ),
            _ => {}
        }
        let current = self.optional("JWT_SECRET", &vars.jwt_secret, secret);
        let previous = self.optional("JWT_PREVIOUS_SECRET", &vars.jwt_previous_secret, secret);
        Settings {
            secrets: current.into_iter().chain(previous).collect(),
            public_key: self.optional("JWT_PUBLIC_KEY", &vars.jwt_public_key, public_key),
            key_set: self.optional("JWT_JWKS_URL", &vars.jwt_jwks_url, key_source),
            rules: Rules {
                issuer: vars.jwt_issuer.clone(),
                audience: vars.jwt_audience.clone(),
                leeway: self.value(
                    "JWT_LEEWAY_SECONDS",
                    &vars.jwt_leeway_seconds,
                    || Rules::default().leeway,
                    number(0, 3600),
                ),
                tenant_claim: vars
                    .jwt_tenant_claim
                    .clone()
                    .unwrap_or_else(|| Rules::default().tenant_claim),
            },
            introspection: self.introspection(vars),
        }
    }

    fn introspection(&mut self, vars: &Variables) -> Option<IntrospectionSettings> {
        const URL: &str = "AUTH_INTROSPECTION_URL";
        const ID: &str = "AUTH_INTROSPECTION_CLIENT_ID";
        const SECRET: &str = "AUTH_INTROSPECTION_CLIENT_SECRET";
        let has_url = self.is_set(URL, &vars.auth_introspection_url);
        let has_id = self.is_set(ID, &vars.auth_introspection_client_id);
        let has_secret = self.is_set(SECRET, &vars.auth_introspection_client_secret);
        let taken = |text: &str| Ok(text.to_owned());
        let endpoint = self.optional(URL, &vars.auth_introspection_url, Endpoint::parse);
        let id = self.optional(ID, &vars.auth_introspection_client_id, taken);
        let secret = self.optional(SECRET, &vars.auth_introspection_client_secret, taken);
        if !has_url {
            for (name, is_set) in [(ID, has_id), (SECRET, has_secret)] {
                if is_set {
                    self.mistake(name, format!("is of no use without {URL}"));
                }
            }
            return None;
        }
        let client = match (id, secret) {
            (Some(id), Some(secret)) => Some(ClientCredentials { id, secret }),
            _ if has_id && !has_secret => {
                self.mistake(SECRET, format!("must be set: {ID} is"));
                None
            }
            _ if has_secret && !has_id => {
                self.mistake(ID, format!("must be set: {SECRET} is"));
                None
            }
            _ if has_id && has_secret => None,
            _ => {
                // RFC 7662, section 2.1: whoever may ask could otherwise try tokens out.
                if endpoint
                    .as_ref()
                    .is_some_and(|endpoint| !endpoint.is_local())
                {
                    for name in [ID, SECRET] {
                        self.mistake(name, format!("must be set unless {URL} is on loopback"));
                    }
                }
                None
            }
        };
        Some(IntrospectionSettings {
            endpoint: endpoint?,
            client,
            keep: IntrospectionSettings::KEEP,
            timeout: IntrospectionSettings::TIMEOUT,
        })
    }
}

pub(super) fn secret(text: &str) -> Result<String, String> {
    if text.len() < Settings::MIN_SECRET {
        return Err(format!("must have at least {} bytes", Settings::MIN_SECRET));
    }
    Ok(text.to_owned())
}

fn public_key(text: &str) -> Result<Key, String> {
    Key::from_pem(text).map_err(|error| error.to_string())
}

/// A URL, or the path of a file. The file need not be there yet.
fn key_source(text: &str) -> Result<KeySource, String> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "file" => url
            .to_file_path()
            .map(KeySource::File)
            .map_err(|()| "must name a file of this machine".to_owned()),
        Ok(_) => Endpoint::parse(text).map(KeySource::Url),
        Err(_) if text.contains("://") => {
            Err("must be an https:// URL or the path of a file".to_owned())
        }
        Err(_) => Ok(KeySource::File(PathBuf::from(text))),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::{Config, Mistakes};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    // Nobody has the private one.
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWI=\\n-----END PUBLIC KEY-----\\n";

    fn read(needs: Needs, vars: &[(&str, &str)]) -> Result<Settings, Mistakes> {
        let vars = vars
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::from_vars(vars, needs).map(|config| config.auth)
    }

    fn mistaken(vars: &[(&str, &str)]) -> Vec<&'static str> {
        let mistakes = read(Needs::Tokens, vars).unwrap_err();
        assert!(!mistakes.to_string().contains("hidden"), "{mistakes}");
        mistakes.0.iter().map(|mistake| mistake.variable).collect()
    }

    #[test]
    fn serving_needs_one_way_to_check_tokens_and_issuing_the_secret() {
        for (name, value) in [
            ("JWT_SECRET", SECRET),
            ("JWT_PREVIOUS_SECRET", SECRET),
            ("JWT_PUBLIC_KEY", PUBLIC),
            ("JWT_JWKS_URL", "https://auth.example.com/keys"),
            ("JWT_JWKS_URL", "/run/keys.json"),
            ("AUTH_INTROSPECTION_URL", "http://localhost/introspect"),
        ] {
            assert!(read(Needs::Tokens, &[(name, value)]).is_ok(), "{name}");
            let issues = read(Needs::Secret, &[(name, value)]).is_ok();
            assert_eq!(issues, name == "JWT_SECRET", "{name}");
        }
        assert_eq!(mistaken(&[]), ["JWT_SECRET"]);
        assert_eq!(mistaken(&[("JWT_ISSUER", "portal")]), ["JWT_SECRET"]);
    }

    #[test]
    fn a_public_key_is_text_or_a_file_and_nothing_of_it_is_repeated() {
        for value in [
            "/hidden/no-such-file.pem",
            "/dev/null",
            "/",
            "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\nhidden\n-----END PUBLIC KEY-----",
        ] {
            assert_eq!(mistaken(&[("JWT_PUBLIC_KEY", value)]), ["JWT_PUBLIC_KEY"]);
        }
    }

    #[test]
    fn a_key_set_is_a_url_or_a_file() {
        let source = |value| {
            let vars = [("JWT_JWKS_URL", value)];
            read(Needs::Tokens, &vars).unwrap().key_set.unwrap()
        };
        let path = || KeySource::File(PathBuf::from("/run/a b.json"));
        assert_eq!(source("/run/a b.json"), path());
        assert_eq!(source("file:///run/a%20b.json"), path());
        assert_eq!(source("keys.json"), KeySource::File("keys.json".into()));
        let url = "https://auth.example.com/keys?of=gateway";
        assert_eq!(source(url), KeySource::Url(Endpoint::parse(url).unwrap()));
        for bad in [
            "http://auth.example.com/hidden",
            "https://hidden@auth.example.com/",
            "file://elsewhere/hidden",
            "ftp://auth.example.com/hidden",
            "https://",
        ] {
            assert_eq!(
                mistaken(&[("JWT_JWKS_URL", bad)]),
                ["JWT_JWKS_URL"],
                "{bad}"
            );
        }
    }

    #[test]
    fn the_auth_service_is_asked_with_credentials_unless_it_is_on_this_machine() {
        const URL: &str = "AUTH_INTROSPECTION_URL";
        const ID: &str = "AUTH_INTROSPECTION_CLIENT_ID";
        const SECRET: &str = "AUTH_INTROSPECTION_CLIENT_SECRET";
        let remote = (URL, "https://auth.example.com/introspect?key=hidden");
        let local = (URL, "http://127.0.0.1:8080/introspect");
        let both = [(ID, "gateway"), (SECRET, "hidden")];
        for good in [
            &[remote, both[0], both[1]][..],
            &[local, both[0], both[1]],
            &[local],
        ] {
            let settings = read(Needs::Tokens, good).unwrap();
            let shown = format!("{settings:?}");
            let asked = settings.introspection.unwrap();
            assert_eq!(asked.client.is_some(), good.len() == 3);
            assert_eq!(asked.timeout.as_secs(), 2);
            assert_eq!(asked.keep.as_secs(), 30);
            assert!(!shown.contains("hidden"), "{shown}");
        }
        assert_eq!(mistaken(&[remote]), [ID, SECRET]);
        assert_eq!(mistaken(&[remote, both[0]]), [SECRET]);
        assert_eq!(mistaken(&[local, both[1]]), [ID]);
        let other = ("JWT_PREVIOUS_SECRET", super::tests::SECRET);
        assert_eq!(mistaken(&[other, both[0], both[1]]), [ID, SECRET]);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let vars = [("JWT_SECRET", "hidden, and of 32 bytes or more, too")];
        let shown = format!("{:?}", read(Needs::Secret, &vars).unwrap());
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
