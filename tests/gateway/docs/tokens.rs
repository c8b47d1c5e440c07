//! The samples of docs/tokens.md make tokens that open what they say, and nothing else.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{read, root};
use crate::harness::{Broker, Client, Folder, Received, SECRET, TestGateway};

/// What one of the page's fences in a language holds.
fn sample(language: &str) -> String {
    let page = read("docs/tokens.md");
    let begin = format!("\n```{language}\n");
    let (_, rest) = page.split_once(&begin).unwrap();
    rest.split_once("\n```\n").unwrap().0.to_owned()
}

/// What a program prints that is run with the gateway's secret.
fn run(program: impl AsRef<Path>, file: &str) -> String {
    let output = Command::new(program.as_ref())
        .arg(file)
        .env("JWT_SECRET", SECRET)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file}: {told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The PHP of this machine, which scripts/php installs where there is none.
fn php() -> String {
    let found = Command::new(root().join("scripts/php"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(found.status.success(), "scripts/php finds none");
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn tokens_of_the_samples_open_their_conversation_alone() {
    let broker = Broker::new().await;
    let gateway = TestGateway::start_with(&broker, &[]).await;
    let folder = Folder::new();
    for (language, program) in [("js", "node".to_owned()), ("php", php())] {
        let file = folder.write(&format!("sample.{language}"), sample(language));
        let auth = json!({"token": run(program, &file)});
        let mut client = Client::open(gateway.address(), "").await;
        client.connect("/tenant/acme/conv/c-1", &auth).await;
        let joined = client.joined().await;
        let agent = json!({"id": "ada", "name": "Ada"});
        assert_eq!(joined["agent"], agent, "{language}");
        client.connect("/tenant/acme/conv/c-2", &auth).await;
        let refused = Received::Refused("Forbidden".to_owned());
        assert_eq!(client.next().await, refused, "{language}");
    }
}
