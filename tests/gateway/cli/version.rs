//! `--version`, and what a build says of itself.

#[allow(dead_code, reason = "cargo calls what else is in the build script")]
#[path = "../../../build.rs"]
mod build;

use std::path::Path;
use std::process::Command;

use crate::harness::Folder;

/// Such as those of whoever runs the tests, who may sign commits or have hooks.
fn git(folder: &Folder, arguments: &[&str]) {
    let at = "2026-01-31T23:30:00Z";
    let output = Command::new("git")
        .current_dir(folder.path(""))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_DATE", at), ("GIT_COMMITTER_DATE", at)])
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
}

fn version(checkout: &Path, commit: Option<&str>, epoch: Option<&str>) -> String {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    build::Build::new(checkout, owned(commit), owned(epoch)).version("1.2.3")
}

#[test]
fn a_build_is_named_by_commit_and_date_and_says_when_the_commit_is_not_all() {
    let folder = Folder::new();
    let root = folder.path("");
    let root = Path::new(&root);
    git(&folder, &["init", "--quiet"]);
    folder.write("Cargo.toml", "[package]");
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "--message", "first"]);
    let named = version(root, None, None);
    let commit = named.strip_prefix("1.2.3 (").unwrap();
    let commit = commit.strip_suffix(", 2026-01-31)").unwrap();
    assert_eq!(commit.len(), 12);
    assert!(commit.chars().all(|one| one.is_ascii_hexdigit()), "{named}");
    // The same again, at any time and with any date asked for.
    assert_eq!(version(root, None, None), named);
    let dated = version(root, None, Some("0"));
    assert_eq!(dated, format!("1.2.3 ({commit}, 1970-01-01)"));

    folder.write("notes.txt", "no part of the program");
    assert_eq!(version(root, None, None), named);
    folder.write("Cargo.toml", "[package] # changed");
    let changed = format!("1.2.3 ({commit} and changes, 2026-01-31)");
    assert_eq!(version(root, None, None), changed);
}

#[test]
fn without_git_a_build_says_what_it_is_told() {
    let folder = Folder::new();
    let root = folder.path("");
    let root = Path::new(&root);
    assert_eq!(version(root, None, None), "1.2.3");
    assert_eq!(version(root, Some(""), Some("")), "1.2.3");
    assert_eq!(version(root, None, Some("86400")), "1.2.3 (1970-01-02)");
    let told = version(root, Some("abc"), Some("86400"));
    assert_eq!(told, "1.2.3 (abc, 1970-01-02)");
    assert_eq!(version(&root.join("nowhere"), None, None), "1.2.3");
}

#[test]
fn the_program_says_its_version() {
    for argument in ["--version", "-V"] {
        let output = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
            .arg(argument)
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success());
        let told = String::from_utf8(output.stdout).unwrap();
        let number = env!("CARGO_PKG_VERSION");
        // A release names commit and date: `scripts/deb check` looks at one.
        let (named, build) = told.split_at(format!("agent-gateway {number} (").len());
        assert_eq!(named, format!("agent-gateway {number} ("));
        assert!(build.ends_with(")\n"), "{told}");
    }
}
