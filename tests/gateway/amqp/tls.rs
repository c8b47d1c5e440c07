//! `amqps://`, and TLS errors.

use crate::amqp::authority::Authority;
use crate::harness::{Broker, Folder, PrivateBroker, TestGateway};

/// Lines of a rabbitmq.conf by which it listens with TLS, under a certificate for `localhost`.
pub(crate) fn listener(folder: &Folder, authority: &Authority, port: u16) -> String {
    let (certificate, key) = authority.server("localhost");
    format!(
        "listeners.ssl.test = 127.0.0.1:{port}\nssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\nssl_options.keyfile = {}\n",
        folder.write("ca.pem", authority.certificate()),
        folder.write("server.pem", certificate),
        folder.write("server-key.pem", key),
    )
}

/// The same, and it wants a certificate of its clients, in whose common name it finds a user that logs in by
/// that.
pub(crate) fn listener_for_certified(folder: &Folder, authority: &Authority, port: u16) -> String {
    listener(folder, authority, port)
        + "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n\
           auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\n\
           ssl_cert_login_from = common_name\n"
}

/// Writes a certificate and its key to files, and says where they are.
pub(crate) fn write_pair(
    folder: &Folder,
    name: &str,
    (certificate, key): (String, String),
) -> (String, String) {
    let key = folder.write(&format!("{name}-key.pem"), key);
    (folder.write(&format!("{name}.pem"), certificate), key)
}

pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn amqps_connects_with_tls_and_every_tls_failure_is_logged_with_its_cause() {
    let folder = Folder::for_broker();
    let port = free_port();
    let settings = listener(&folder, &Authority::new("an authority"), port);
    let private = PrivateBroker::start_with(&settings).await;
    let broker = Broker::at(private.url()).await;
    let start = async |url: &str, more: &[(&str, &str)]| {
        let mut variables = vec![("AMQP_URL", url)];
        variables.extend(more);
        TestGateway::start_with(&broker, &variables).await
    };
    let tls = format!("amqps://guest:guest@localhost:{port}/%2f");

    let authority = folder.path("ca.pem");
    let trusting = [("SSL_CERT_FILE", &*authority)];
    let gateway = start(&tls, &trusting).await;
    gateway.ready().await;
    let mut agent = gateway.agent("acme", "c-1").await;
    broker.delivers(&mut agent, "m-1").await;
    drop(gateway);

    let gateway = start(&tls, &[]).await;
    let words = ["is not trusted", "SSL_CERT_FILE", &port.to_string()];
    gateway.degraded("broker", &words).await;

    // The name in the certificate is another.
    let by_address = format!("amqps://guest:guest@127.0.0.1:{port}/%2f");
    let gateway = start(&by_address, &trusting).await;
    let words = ["is not trusted", "host name"];
    gateway.degraded("broker", &words).await;

    // Some brokers hang up, others send an alert of TLS first.
    let plain = format!("amqp://guest:guest@localhost:{port}/%2f");
    let gateway = start(&plain, &[]).await;
    let words = ["a TLS port", "amqps://", &port.to_string()];
    gateway.degraded("broker", &words).await;

    let url = private.url().replace("amqp://", "amqps://");
    let gateway = start(&url, &[]).await;
    let words = ["does not speak TLS", "amqp://"];
    gateway.degraded("broker", &words).await;
}
