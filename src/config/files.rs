//! Reading secrets and keys from their files again, while the program runs.

use std::fmt;

use super::access::TOGETHER;
use super::environment::{Environment, TextFile};
use super::reader::VariableReader;
use super::stamp::Stamp;
use super::{Config, Mistake, Mistakes, Needs};

/// The files that variables' texts come from, and the environment around them, which stays as it was
/// when the process began.
#[derive(Clone)]
pub struct Files {
    environment: Environment,
    needs: Needs,
}

impl fmt::Debug for Files {
    // Secrets appear in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.environment.files.iter().map(|file| file.named_by);
        f.debug_list().entries(named).finish()
    }
}

/// What has been read again.
#[derive(Debug)]
pub struct Reading {
    /// The configuration as it is now, if anything in the files has changed.
    pub config: Option<Config>,
    /// The variables whose texts are new, by the names that are set.
    pub changed: Vec<&'static str>,
    /// Those that keep what they had, because the file cannot be read or says what cannot be.
    pub kept: Vec<Mistake>,
}

impl Files {
    pub(super) fn new(environment: Environment, needs: Needs) -> Self {
        Self { environment, needs }
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.environment.files.is_empty()
    }

    /// What each file is like now that is not what it was like when it was last read, whatever came
    /// of that. It waits for the disk.
    pub fn new_stamps(&self) -> Vec<Option<Stamp>> {
        let files = self.environment.files.iter();
        files.map(TextFile::new_stamp).collect()
    }

    /// Reads every file. It waits for the disk.
    pub fn read_again(&mut self) -> Reading {
        let mut new = self.environment.clone();
        let mut changed = Vec::new();
        let mut kept = Vec::new();
        for file in &mut new.files {
            match file.read_again() {
                Ok(text) if new.texts.get(file.variable) == Some(&text) => {}
                Ok(text) => {
                    new.texts.insert(file.variable, text);
                    changed.push(file.variable);
                }
                Err(reason) => kept.push(Mistake {
                    variable: file.named_by,
                    reason,
                }),
            }
        }
        let mut config = None;
        while config.is_none() && !changed.is_empty() {
            match VariableReader::again(new.clone(), self.needs) {
                Ok(read) => config = Some(read),
                Err(mistakes) => self.keep(&mut new, &mut changed, &mut kept, mistakes),
            }
        }
        self.environment = new;
        let named_by = |variable| self.environment.named_by(variable);
        Reading {
            config,
            changed: changed.into_iter().map(named_by).collect(),
            kept,
        }
    }

    /// Puts back what those say that are mistaken, and what counts only together with them; all, if the
    /// mistake is nobody's in particular.
    fn keep(
        &self,
        new: &mut Environment,
        changed: &mut Vec<&'static str>,
        kept: &mut Vec<Mistake>,
        mistakes: Mistakes,
    ) {
        let is_named = |variable: &&'static str| {
            let named_by = self.environment.named_by(variable);
            mistakes
                .0
                .iter()
                .any(|mistake| mistake.variable == named_by)
        };
        let is_mistaken = |variable: &&'static str| {
            let is_together = TOGETHER.contains(variable) && TOGETHER.iter().any(is_named);
            is_named(variable) || is_together
        };
        let mistaken: Vec<_> = changed.iter().copied().filter(is_mistaken).collect();
        let back = match mistaken.is_empty() {
            true => std::mem::take(changed),
            false => mistaken,
        };
        changed.retain(|variable| !back.contains(variable));
        for variable in back {
            if let Some(old) = self.environment.texts.get(variable) {
                new.texts.insert(variable, old.clone());
            }
        }
        kept.extend(mistakes.0);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const OLD: &str = "the old secret, of 32 bytes or more";
    const NEW: &str = "the new secret, of 32 bytes or more";

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = format!("gateway-files-{:016x}", rand::random::<u64>());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: &str) -> String {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    fn config(vars: &[(&str, &str)]) -> Result<Config, Mistakes> {
        let vars = vars.iter().map(|(name, value)| (name.into(), value.into()));
        Config::from_vars(vars, Needs::Tokens)
    }

    #[test]
    fn what_has_changed_is_taken_and_what_cannot_be_keeps_the_old_value() {
        let folder = Folder::new();
        let secret = folder.write("secret", OLD);
        let keys = folder.write("keys", "the first key 1234\nthe second key 1234\n");
        let url = folder.write("url", "amqp://guest:guest@old.example/%2f");
        let mut config = config(&[
            ("JWT_SECRET_FILE", &secret),
            ("INTERNAL_API_KEYS_FILE", &keys),
            ("AMQP_URL_FILE", &url),
        ])
        .unwrap();
        let reading = config.files.read_again();
        assert!(reading.config.is_none() && reading.changed.is_empty() && reading.kept.is_empty());

        folder.write("secret", NEW);
        folder.write("url", "hidden://new.example");
        std::fs::remove_file(folder.0.join("keys")).unwrap();
        let reading = config.files.read_again();
        let read = reading.config.unwrap();
        assert_eq!(read.auth.secrets, [NEW]);
        assert_eq!(read.amqp.address(), "old.example:5672");
        assert_eq!(reading.changed, ["JWT_SECRET_FILE"]);
        let kept: Vec<_> = reading.kept.iter().map(|kept| kept.variable).collect();
        assert_eq!(kept, ["INTERNAL_API_KEYS_FILE", "AMQP_URL_FILE"]);
        let kept = format!("{:?}", reading.kept);
        assert!(!kept.contains("hidden"), "{kept}");

        // What is still wrong is reported again, and what is mended is taken.
        folder.write("keys", "the third key 1234");
        let reading = config.files.read_again();
        assert_eq!(reading.changed, ["INTERNAL_API_KEYS_FILE"]);
        assert_eq!(reading.kept.len(), 1);
        assert_eq!(reading.config.unwrap().auth.secrets, [NEW]);
    }

    #[test]
    fn a_secret_that_becomes_too_short_leaves_everything_as_it_was() {
        let folder = Folder::new();
        let secret = folder.write("secret", OLD);
        let mut config = config(&[("JWT_SECRET_FILE", &secret)]).unwrap();
        for text in ["hidden", "", "\"hidden, and of 32 bytes or even more\""] {
            folder.write("secret", text);
            let reading = config.files.read_again();
            assert!(reading.config.is_none() && reading.changed.is_empty());
            let [kept] = reading.kept.as_slice() else {
                panic!("{:?}", reading.kept);
            };
            assert_eq!(kept.variable, "JWT_SECRET_FILE");
            assert!(!kept.reason.contains("hidden"), "{}", kept.reason);
        }
        // A new text that is the old one is none.
        folder.write("secret", &format!("{OLD}\n"));
        assert!(config.files.read_again().kept.is_empty());
    }

    #[test]
    fn a_public_key_by_its_path_is_read_again_as_well() {
        const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWI=\n-----END PUBLIC KEY-----\n";
        let folder = Folder::new();
        let path = folder.write("key", KEY);
        for name in ["JWT_PUBLIC_KEY", "JWT_PUBLIC_KEY_FILE"] {
            folder.write("key", KEY);
            let mut config = config(&[(name, &path)]).unwrap();
            folder.write("key", &KEY.replace("YWJh", "AAAA"));
            let reading = config.files.read_again();
            assert_eq!((reading.changed, reading.kept.len()), (vec![name], 0));
            folder.write(
                "key",
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            );
            let reading = config.files.read_again();
            assert!(reading.config.is_none());
            assert_eq!(reading.kept[0].variable, name);
            assert!(reading.kept[0].reason.contains("private"));
        }
        let config = config(&[("JWT_PUBLIC_KEY", KEY)]).unwrap();
        assert!(config.files.is_empty());
    }

    /// A certificate and its key, as PEM text.
    fn certified() -> (String, String) {
        let text = |tag, contents: &[u8]| pem::encode(&pem::Pem::new(tag, contents));
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (
            text("CERTIFICATE", certificate.der()),
            text("PRIVATE KEY", &key.serialize_der()),
        )
    }

    #[test]
    fn a_certificate_counts_with_its_key_and_leaves_alone_what_is_not_about_the_broker() {
        let folder = Folder::new();
        let [(old_cert, old_key), (new_cert, new_key)] = [certified(), certified()];
        let secret = folder.write("secret", OLD);
        let (cert, key) = (
            folder.write("cert", &old_cert),
            folder.write("key", &old_key),
        );
        let mut config = config(&[
            ("JWT_SECRET_FILE", &secret),
            ("AMQP_URL", "amqps://guest:guest@example.com/%2f"),
            ("AMQP_CLIENT_CERT_FILE", &cert),
            ("AMQP_CLIENT_KEY_FILE", &key),
        ])
        .unwrap();
        // One has been written and the other not yet.
        folder.write("secret", NEW);
        folder.write("cert", &new_cert);
        let reading = config.files.read_again();
        assert_eq!(reading.changed, ["JWT_SECRET_FILE"]);
        assert_eq!(reading.kept.len(), 1);
        assert_eq!(reading.kept[0].variable, "AMQP_CLIENT_KEY_FILE");
        assert_eq!(reading.config.unwrap().auth.secrets, [NEW]);
        folder.write("key", &new_key);
        let reading = config.files.read_again();
        assert_eq!(
            reading.changed,
            ["AMQP_CLIENT_CERT_FILE", "AMQP_CLIENT_KEY_FILE"]
        );
        assert!(reading.kept.is_empty());
    }

    #[test]
    fn a_file_is_looked_at_without_reading_it() {
        let folder = Folder::new();
        let secret = folder.write("secret", OLD);
        let mut config = config(&[("JWT_SECRET_FILE", &secret)]).unwrap();
        assert_eq!(config.files.new_stamps(), [None]);
        std::fs::remove_file(&secret).unwrap();
        let missing = config.files.new_stamps();
        assert!(missing[0].is_some());
        // What has been tried is not tried again.
        assert_eq!(config.files.read_again().kept.len(), 1);
        assert_eq!(config.files.new_stamps(), [None]);
        folder.write("secret", NEW);
        assert_ne!(config.files.new_stamps(), missing);
        assert_eq!(config.files.read_again().changed, ["JWT_SECRET_FILE"]);
        assert_eq!(config.files.new_stamps(), [None]);
    }
}
