//! A broker under a private authority that wants a certificate of its clients.

use tokio::process::Command;

use super::tls::{free_port, listener_for_certified, write_pair};
use crate::amqp::authority::Authority;
use crate::harness::{Broker, Folder, PrivateBroker, Signal, TestGateway, until};

/// The user that the broker reads in the certificate.
const USER: &str = "gateway-by-certificate";

#[tokio::test]
async fn a_private_authority_and_a_client_certificate_come_from_files() {
    let folder = Folder::for_broker();
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let port = free_port();
    let settings = listener_for_certified(&folder, &authority, port);
    let private = PrivateBroker::start_with(&settings).await;
    let broker = Broker::at(private.url()).await;
    let at = |access: &str| format!("amqps://{access}:{port}/%2f");
    let ca = folder.path("ca.pem");
    let other_ca = folder.write("other-ca.pem", other.certificate());
    let client = write_pair(&folder, "client", authority.client(USER));
    let stranger = write_pair(&folder, "stranger", other.client(USER));
    let start = async |url: &str, ca: &str, client: Option<&(String, String)>| {
        let mut variables = vec![("AMQP_URL", url), ("AMQP_CA_FILE", ca)];
        if let Some((certificate, key)) = client {
            variables.push(("AMQP_CLIENT_CERT_FILE", certificate));
            variables.push(("AMQP_CLIENT_KEY_FILE", key));
        }
        TestGateway::start_with(&broker, &variables).await
    };
    let url = at("guest:guest@localhost");

    let gateway = start(&url, &ca, Some(&client)).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    // Commands have the same way in.
    let published = Command::new(env!("CARGO_BIN_EXE_agent-gateway"))
        .args(["publish", "inbound", "--tenant", "acme"])
        .args([
            "--conversation",
            "c-1",
            "--text",
            "x",
            "--message-id",
            "m-2",
        ])
        .env_clear()
        .envs([
            ("AMQP_URL", &*url),
            ("AMQP_EXCHANGE", &broker.names.exchange),
            ("AMQP_CA_FILE", &ca),
            ("AMQP_CLIENT_CERT_FILE", &client.0),
            ("AMQP_CLIENT_KEY_FILE", &client.1),
        ])
        .output()
        .await
        .unwrap();
    assert!(published.status.success(), "{published:?}");
    assert_eq!(agent.event().await.message_id(), "m-2");
    // What is not acknowledged would come again.
    gateway.signal(Signal::TERM);
    assert!(gateway.ended().await.status.success());

    for (url, ca, client, words) in [
        (
            &*url,
            &*other_ca,
            Some(&client),
            ["is not trusted", "AMQP_CA_FILE"],
        ),
        (
            &at("guest:guest@127.0.0.1"),
            &ca,
            Some(&client),
            ["is not trusted", "another host name"],
        ),
        (
            &url,
            &ca,
            None,
            ["client certificate", "AMQP_CLIENT_CERT_FILE"],
        ),
        (
            &url,
            &ca,
            Some(&stranger),
            ["client certificate", "AMQP_CLIENT_CERT_FILE"],
        ),
    ] {
        let gateway = start(url, ca, client).await;
        let said = gateway.degraded("broker", &words).await;
        until("its log says the same", async || {
            gateway.log().iter().any(|line| line.contains(words[1]))
        })
        .await;
        assert!(said.contains(&port.to_string()), "{said}");
    }

    // What a file says counts from the next connection on.
    let trusted = folder.write("trusted.pem", other.certificate());
    let gateway = start(&url, &trusted, Some(&client)).await;
    gateway.degraded("broker", &["is not trusted"]).await;
    folder.replace("trusted.pem", authority.certificate());
    gateway.ready().await;
    let log = gateway.logged("files have changed: secrets and keys were read again");
    assert_eq!(log[0]["changed"], "AMQP_CA_FILE");
    drop(gateway);

    // The broker takes the user from the certificate, when it has been told to and knows the user.
    let external = at("localhost").replace("%2f", "%2f?auth_mechanism=external");
    let gateway = start(&external, &ca, Some(&client)).await;
    let words = ["login by client certificate", "rabbitmq_auth_mechanism_ssl"];
    gateway.degraded("broker", &words).await;
    private.enable_plugin("rabbitmq_auth_mechanism_ssl").await;
    private.ctl(&["add_user", USER, "of-no-use"]).await;
    private.permit("/", USER, [".*"; 3]).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-3").await;
}
