//! The variables as they are set: trimmed, without what cannot be, and secrets out of their files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::Mistake;
use super::misspelt::{Unknown, unknown};
use super::secret_file;
use super::stamp::Stamp;

/// A variable that is known.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The variable that may name a file with the value instead, if this one is secret.
    pub file: Option<&'static str>,
    /// What it belongs to.
    pub section: &'static str,
    /// What counts while it is not set, if that can be written.
    pub default: Option<&'static str>,
    /// What it is for, in Markdown. A line break is not there, and every part begins with a space.
    pub text: &'static str,
}

/// This one may hold the path of a file as well as the text itself.
const TEXT_OR_PATH: (&str, &str) = ("JWT_PUBLIC_KEY", "-----BEGIN");

/// These hold the paths of files, whose texts count.
const PATHS: [&str; 3] = [
    "AMQP_CA_FILE",
    "AMQP_CLIENT_CERT_FILE",
    "AMQP_CLIENT_KEY_FILE",
];

/// These may begin and end with quotes that are their own: the keywords of a content security policy.
const KEYWORDS: (&str, [&str; 2]) = ("FRAME_ANCESTORS", ["'self'", "'none'"]);

/// Where a variable's text has been read from.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    /// The variable whose text it is.
    pub(super) variable: &'static str,
    /// The variable that names the file.
    pub(super) named_by: &'static str,
    path: PathBuf,
    /// As it was just before it was read.
    stamp: Stamp,
}

impl TextFile {
    fn new(variable: &'static str, named_by: &'static str, path: PathBuf) -> Self {
        let stamp = Stamp::of(&path);
        Self {
            variable,
            named_by,
            path,
            stamp,
        }
    }

    /// What it says.
    fn read(&self) -> Result<String, String> {
        let limit = match PATHS.contains(&self.variable) {
            true => secret_file::CERTIFICATE_BYTES,
            false => secret_file::SECRET_BYTES,
        };
        secret_file::read(&self.path, limit)
    }

    /// What it says now.
    pub(super) fn read_again(&mut self) -> Result<String, String> {
        self.stamp = Stamp::of(&self.path);
        self.read()
    }

    /// What it is like now, if that is not what it was like when it was last read.
    pub(super) fn new_stamp(&self) -> Option<Stamp> {
        let stamp = Stamp::of(&self.path);
        (stamp != self.stamp).then_some(stamp)
    }
}

/// What is set. The texts are secret, and so there is no `Debug`.
#[derive(Clone, Default)]
pub(super) struct Environment {
    pub(super) texts: BTreeMap<&'static str, String>,
    pub(super) files: Vec<TextFile>,
    /// Variables that are set and cannot be used, each with the reason.
    pub(super) unusable: BTreeMap<&'static str, Mistake>,
    /// Names that look like a known one.
    pub(super) unknown: Vec<Unknown>,
}

impl Environment {
    /// Takes the known ones out of `vars`, and reads the files that they name.
    pub(super) fn read(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
        known: &'static [Variable],
    ) -> Self {
        let mut environment = Self::default();
        let mut paths = BTreeMap::new();
        for (name, value) in vars {
            let Some(name) = name.to_str() else {
                continue;
            };
            let is_named = |variable: &&Variable| variable.name == name;
            let is_file_named = |variable: &&Variable| variable.file == Some(name);
            if let Some(variable) = known.iter().find(is_named) {
                environment.set(variable.name, variable.name, value, |environment, text| {
                    environment.texts.insert(variable.name, text);
                });
            } else if let Some(variable) = known.iter().find(is_file_named) {
                let file = variable.file.unwrap_or(variable.name);
                environment.set(variable.name, file, value, |_, text| {
                    paths.insert(variable.name, PathBuf::from(text));
                });
            } else if let Some(unknown) = unknown(name, &value, known) {
                environment.unknown.push(unknown);
            }
        }
        environment.unknown.sort();
        for Variable { name, file, .. } in known {
            match file.zip(paths.remove(name)) {
                Some((file, _)) if environment.texts.contains_key(name) => {
                    let reason = format!("is set, and so is {name}: only one of them can be");
                    environment.refuse(name, file, reason);
                    environment.texts.remove(name);
                }
                Some((file, path)) => environment.read_file(name, file, path),
                None => environment.follow(name),
            }
        }
        environment
    }

    /// By which name the operator has set the variable.
    pub(super) fn named_by(&self, variable: &'static str) -> &'static str {
        let file = self.files.iter().find(|file| file.variable == variable);
        file.map_or(variable, |file| file.named_by)
    }

    /// Whether the variable's text comes from a file.
    pub(super) fn is_in_file(&self, variable: &str) -> bool {
        self.files.iter().any(|file| file.variable == variable)
    }

    fn set(
        &mut self,
        variable: &'static str,
        named: &'static str,
        value: OsString,
        keep: impl FnOnce(&mut Self, String),
    ) {
        match value.into_string().as_deref().map(str::trim) {
            Ok("") => {}
            Ok(text) if is_quoted(named, text) => self.refuse(variable, named, QUOTED),
            Ok(text) => keep(self, text.to_owned()),
            Err(_) => self.refuse(variable, named, "is not valid UTF-8"),
        }
    }

    fn read_file(&mut self, variable: &'static str, named_by: &'static str, path: PathBuf) {
        let file = TextFile::new(variable, named_by, path);
        match file.read() {
            Ok(text) => {
                self.texts.insert(variable, text);
                self.files.push(file);
            }
            Err(reason) => self.refuse(variable, named_by, reason),
        }
    }

    /// Reads the file that the variable's own text names, if it names one.
    fn follow(&mut self, variable: &'static str) {
        let (text_or_path, mark) = TEXT_OR_PATH;
        let is_path = |text: &str| {
            PATHS.contains(&variable) || variable == text_or_path && !text.contains(mark)
        };
        match self.texts.get(variable) {
            Some(text) if is_path(text) => {
                let path = PathBuf::from(text);
                self.texts.remove(variable);
                self.read_file(variable, variable, path);
            }
            _ => {}
        }
    }

    fn refuse(&mut self, variable: &'static str, named: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        let mistake = Mistake {
            variable: named,
            reason,
        };
        self.unusable.insert(variable, mistake);
    }
}

/// What is said of a value with quotes around it. A shell takes them off; `docker --env-file` and
/// most files of variables do not.
pub(super) const QUOTED: &str =
    "has quotes around its value, which count as a part of it here: take them off";

/// Whether quotes stand around the whole of the text.
pub(super) fn is_quoted(name: &str, text: &str) -> bool {
    let (policy, keywords) = KEYWORDS;
    let begins_with_keyword = || {
        let word = text.split([' ', ',']).next();
        word.is_some_and(|word| keywords.contains(&word))
    };
    let around = |quote| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    around('"') || around('\'') && !(name == policy && begins_with_keyword())
}
