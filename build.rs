//! Has cargo build the program again when the front end, which it embeds, has been built, and gives it the words
//! by which `--version` tells builds apart.

use std::path::Path;
use std::process::Command;

use time::OffsetDateTime;

/// What becomes part of the program: a change to it that is in no commit makes the commit's name a lie.
const SOURCES: [&str; 6] = [
    "Cargo.lock",
    "Cargo.toml",
    "amqp",
    "build.rs",
    "src",
    "static",
];

fn main() {
    println!("cargo::rerun-if-changed=static/dist");
    println!("cargo::rerun-if-changed=build.rs");
    let number = env!("CARGO_PKG_VERSION");
    // A debug build is for whoever works on the sources, and is not to be built anew for each commit.
    let version = if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        watch();
        let of = |name: &str| std::env::var(name).ok();
        let build = Build::new(
            Path::new("."),
            of("GATEWAY_COMMIT"),
            of("SOURCE_DATE_EPOCH"),
        );
        build.version(number)
    } else {
        format!("{number} (debug build)")
    };
    println!("cargo::rustc-env=GATEWAY_VERSION={version}");
}

/// Has this run again when one of its answers may be another.
fn watch() {
    for variable in ["GATEWAY_COMMIT", "SOURCE_DATE_EPOCH"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(Path::new("."), &["rev-parse", "--git-path", file]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// Which build this is. Nothing in it comes from the clock: the same sources give the same program.
pub(crate) struct Build {
    commit: Option<String>,
    date: Option<String>,
}

impl Build {
    /// What `checkout` says of itself, if it is one of git's. An image is built without that, and is told the
    /// `commit`; `epoch` is the date that whoever wants the same bytes again has chosen
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>).
    pub(crate) fn new(checkout: &Path, commit: Option<String>, epoch: Option<String>) -> Self {
        let told = commit.filter(|commit| !commit.is_empty());
        let commit = told.or_else(|| {
            let commit = git(checkout, &["rev-parse", "--short=12", "HEAD"])?;
            let mut changes = vec!["status", "--porcelain", "--"];
            changes.extend(SOURCES);
            let is_changed = git(checkout, &changes).is_none_or(|changes| !changes.is_empty());
            Some(if is_changed {
                format!("{commit} and changes")
            } else {
                commit
            })
        });
        let epoch = epoch.or_else(|| git(checkout, &["log", "-1", "--format=%ct"]));
        let date = epoch
            .and_then(|epoch| epoch.trim().parse().ok())
            .and_then(|epoch| OffsetDateTime::from_unix_timestamp(epoch).ok())
            .map(|at| at.date().to_string());
        Self { commit, date }
    }

    /// Such as `0.1.0 (0123456789ab, 2026-01-31)`.
    pub(crate) fn version(self, number: &str) -> String {
        let known: Vec<_> = [self.commit, self.date].into_iter().flatten().collect();
        match &*known {
            [] => number.to_owned(),
            known => format!("{number} ({})", known.join(", ")),
        }
    }
}

/// What git answers; nothing without git, or outside of a checkout.
fn git(checkout: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .current_dir(checkout)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
