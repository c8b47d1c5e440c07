//! The commands of the documents run as they stand there, or the document says who runs them.
//!
//! Before a block of commands that no test can run there is a comment: `<!-- not run: why -->`, or
//! `<!-- run by: a file or a target of make -->`.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{documents, read, root};
use crate::harness::{API_KEY, Broker, Folder, SECRET, TestGateway};

/// A block of commands in a document.
struct Block {
    /// Where it is, as `file:line`.
    place: String,
    kind: Kind,
}

enum Kind {
    /// The comment before it says why not.
    NotRun(String),
    /// The comment before it says by what.
    RunBy(String),
    /// Nothing but variables and their values.
    Variables(Vec<String>),
    Commands(String),
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for path in documents() {
        let page = read(&path);
        let mut comment = "";
        let mut lines = page.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if ["```sh", "```console"].contains(&line.trim()) {
                let inside = lines.by_ref().map(|(_, line)| line);
                let text: Vec<_> = inside.take_while(|line| line.trim() != "```").collect();
                let place = format!("{}:{}", path.display(), index + 1);
                let kind = kind(comment, &text.join("\n"));
                blocks.push(Block { place, kind });
            }
            if !line.is_empty() {
                comment = if line.starts_with("<!-- ") { line } else { "" };
            }
        }
    }
    blocks
}

fn kind(comment: &str, text: &str) -> Kind {
    let comment = comment.trim_start_matches("<!-- ");
    let comment = comment.trim_end_matches(" -->");
    if let Some(why) = comment.strip_prefix("not run: ") {
        return Kind::NotRun(why.to_owned());
    }
    if let Some(what) = comment.strip_prefix("run by: ") {
        return Kind::RunBy(what.to_owned());
    }
    let words: Vec<_> = text
        .lines()
        .map(without_comment)
        .flat_map(str::split_whitespace)
        .collect();
    let names: Option<Vec<_>> = words.iter().map(|word| variable(word)).collect();
    names.map_or_else(|| Kind::Commands(commands(text)), Kind::Variables)
}

/// The name, if a word gives a variable its value.
fn variable(word: &str) -> Option<String> {
    let (name, _) = word.split_once('=')?;
    let is_name = name
        .bytes()
        .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    is_name.then(|| name.to_owned())
}

fn without_comment(line: &str) -> &str {
    line.split(" #").next().unwrap().trim_end()
}

/// What is to be typed: in a `console` block, what follows a prompt.
fn commands(text: &str) -> String {
    if !text.contains("$ agent-gateway") {
        return text.to_owned();
    }
    let typed = text.lines().filter_map(|line| line.strip_prefix("$ "));
    typed.collect::<Vec<_>>().join("\n")
}

fn programs(names: &[&str]) {
    let installed = Command::new(root().join("scripts/programs"))
        .args(names)
        .status();
    assert!(installed.unwrap().success(), "{names:?}");
}

/// Runs a script as its reader would, beside a gateway that serves.
fn run(script: &str, folder: &Folder, broker: &Broker, gateway: &TestGateway) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_agent-gateway"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let names = &broker.names;
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder.path("."))
        .envs([
            ("PATH", &*path),
            // There is curl's own configuration.
            ("CURL_HOME", &folder.path(".")),
            ("AMQP_URL", broker.url()),
            ("AMQP_EXCHANGE", &names.exchange),
            ("AMQP_INBOUND_QUEUE", &names.inbound),
            ("AMQP_STATUS_QUEUE", &names.status),
            ("AMQP_DEAD_LETTER_QUEUE", &names.dead_letters),
            ("JWT_SECRET", SECRET),
            ("INTERNAL_API_KEYS", API_KEY),
            ("PORT", gateway.address().rsplit(':').next().unwrap()),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[tokio::test]
async fn the_commands_of_the_documents_run() {
    programs(&["curl", "openssl"]);
    let broker = Broker::new().await;
    let gateway = TestGateway::start(&broker).await;
    let folder = Folder::new();
    folder.write(".curlrc", "fail\nno-progress-meter\nshow-error\n");
    let example: Value = serde_json::from_str(&read("amqp/examples/cloud_api/text.json")).unwrap();
    folder.write("webhook.json", example["body"].to_string());
    let mut ran = 0;
    for Block { place, kind } in blocks() {
        let Kind::Commands(commands) = kind else {
            continue;
        };
        // The gateway that the document has started is the test's.
        let lines = commands
            .lines()
            .filter(|line| without_comment(line) != "agent-gateway &");
        let script = lines.collect::<Vec<_>>().join("\n");
        let script = script.replace("127.0.0.1:3012", gateway.address());
        let Output {
            status,
            stdout,
            stderr,
        } = run(&script, &folder, &broker, &gateway);
        let (stdout, stderr) = (
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr),
        );
        assert!(status.success(), "{place}\n{script}\n{stdout}\n{stderr}");
        ran += 1;
    }
    assert!(ran >= 5, "{ran} blocks ran");
}

#[test]
fn variables_in_the_documents_are_known() {
    let output = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .arg("variables")
        .env_clear()
        .output();
    let known = String::from_utf8(output.unwrap().stdout).unwrap();
    for Block { place, kind } in blocks() {
        let Kind::Variables(names) = kind else {
            continue;
        };
        for name in names {
            let is_known = known
                .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
                .any(|word| word == name);
            assert!(is_known, "{place}: {name} is no variable");
        }
    }
}

#[test]
fn what_runs_the_other_commands_is_there() {
    let targets = read("Makefile");
    for Block { place, kind } in blocks() {
        match kind {
            Kind::RunBy(what) => {
                let is_there = match what.strip_prefix("make ") {
                    Some(target) => targets.contains(&format!("\n{target}:")),
                    None => root().join(&what).is_file(),
                };
                assert!(is_there, "{place}: there is no {what}");
            }
            Kind::NotRun(why) => assert!(why.len() > 10, "{place}: why is it not run?"),
            Kind::Variables(_) | Kind::Commands(_) => {}
        }
    }
}
