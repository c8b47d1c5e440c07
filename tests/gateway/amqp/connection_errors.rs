//! Connection errors of the broker and what is logged of them: user, vhost, cause and remedy.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::{Broker, PrivateBroker, TestGateway};

/// Starts a gateway that goes there, and sees that its probe and its log say all of this.
async fn tells(broker: &Broker, url: &str, words: &[&str]) -> TestGateway {
    let gateway = TestGateway::start_with(broker, &[("AMQP_URL", url)]).await;
    let reported = gateway.degraded("broker", words).await;
    gateway.logs("not connected to the broker").await;
    let log = gateway.log();
    let line = log.iter().find(|line| line.contains("not connected to"));
    for word in words {
        assert!(line.unwrap().contains(word), "{word}: {line:?}");
    }
    assert!(!reported.contains("its-password"), "{reported}");
    gateway
}

#[tokio::test]
async fn a_refused_login_is_logged_with_the_user_and_a_hint() {
    let broker = Broker::new().await;
    let (_, address) = broker.url().rsplit_once('@').unwrap();
    let url = format!("amqp://nobody:its-password@{address}");
    let words = ["login of user nobody", "user and password in AMQP_URL"];
    tells(&broker, &url, &words).await;
    let url = format!("amqp://guest:its-password@{address}");
    let words = ["login of user guest", "own machine only"];
    tells(&broker, &url, &words).await;
}

#[tokio::test]
async fn a_missing_or_refused_vhost_is_logged_with_the_command_that_fixes_it() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let (url, user) = private.user(&vhost, [".*"; 3]).await;
    let missing = private.url_of(&user, "its-password", "nowhere");
    let words = ["no vhost nowhere", "rabbitmqctl add_vhost nowhere", &user];
    tells(&broker, &missing, &words).await;

    private
        .ctl(&["clear_permissions", "-p", &vhost, &user])
        .await;
    let refusal = format!("user {user} may not use vhost {vhost}");
    let command = format!("rabbitmqctl set_permissions -p {vhost} {user}");
    let gateway = tells(&broker, &url, &[&refusal, &command]).await;
    private.permit(&vhost, &user, [".*"; 3]).await;
    gateway.ready().await;
}

#[tokio::test]
async fn a_vhost_at_its_connection_limit_is_logged() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let limit = r#"{"max-connections":1}"#;
    private
        .ctl(&["set_vhost_limits", "-p", &vhost, limit])
        .await;
    let words = [&*vhost, "as many connections", "set_vhost_limits"];
    tells(&broker, &url, &words).await;
}

#[tokio::test]
async fn unreachable_addresses_are_logged_with_their_cause() {
    let broker = Broker::new().await;
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = unused.local_addr().unwrap().to_string();
    drop(unused);
    let words = ["no address is known", "no-such-host.invalid", "AMQP_URL"];
    tells(&broker, "amqp://no-such-host.invalid/%2f", &words).await;
    let words = ["nothing listens at", &nobody, "AMQP_URL"];
    tells(&broker, &format!("amqp://{nobody}/%2f"), &words).await;
}

#[tokio::test]
async fn a_port_of_another_protocol_is_logged_as_not_amqp() {
    let broker = Broker::new().await;
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = web.local_addr().unwrap().to_string();
    let serving = async {
        loop {
            let (mut stream, _) = web.accept().await.unwrap();
            let mut greeting = [0; 8];
            stream.read_exact(&mut greeting).await.ok();
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.ok();
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
    };
    let url = format!("amqp://{address}/%2f");
    let words = [&*address, "does not speak AMQP"];
    tokio::select! {
        _ = tells(&broker, &url, &words) => {}
        () = serving => {}
    }
}
