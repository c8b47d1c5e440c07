//! `check` over TLS, which is the gateway's own way in.

use super::check::Checked;
use crate::amqp::authority::Authority;
use crate::amqp::tls::{free_port, listener_for_certified, write_pair};
use crate::harness::{Broker, Folder, PrivateBroker};

/// The user that the broker reads in the certificate.
const USER: &str = "check-by-certificate";

#[tokio::test]
async fn what_tls_lacks_is_told_and_with_all_of_it_everything_is_ok() {
    let folder = Folder::for_broker();
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let port = free_port();
    let settings = listener_for_certified(&folder, &authority, port);
    let private = PrivateBroker::start_with(&settings).await;
    let broker = Broker::at(private.url()).await;
    let ca = folder.path("ca.pem");
    let other_ca = folder.write("other-ca.pem", other.certificate());
    let (certificate, key) = write_pair(&folder, "client", authority.client(USER));
    let (strange_certificate, strange_key) = write_pair(&folder, "stranger", other.client(USER));
    let client = [
        ("AMQP_CLIENT_CERT_FILE", &*certificate),
        ("AMQP_CLIENT_KEY_FILE", &*key),
    ];
    let stranger = [
        ("AMQP_CLIENT_CERT_FILE", &*strange_certificate),
        ("AMQP_CLIENT_KEY_FILE", &*strange_key),
    ];
    let at = |access: &str| format!("amqps://{access}:{port}/%2f");
    let (url, by_address) = (at("guest:guest@localhost"), at("guest:guest@127.0.0.1"));
    let with = async |url: &str, ca: &str, client: &[(&str, &str)]| {
        let way_in = [("AMQP_URL", url), ("AMQP_CA_FILE", ca)];
        Checked::with(&broker, &[&way_in, client].concat()).await
    };

    let checked = with(&url, &other_ca, &client).await;
    checked.ends_at("tls", &["is not trusted", "AMQP_CA_FILE", "localhost"]);
    let checked = with(&by_address, &ca, &client).await;
    checked.ends_at("tls", &["is not trusted", "another host name"]);
    let checked = with(&url, &ca, &[]).await;
    checked.ends_at("tls", &["client certificate", "AMQP_CLIENT_CERT_FILE"]);
    let checked = with(&url, &ca, &stranger).await;
    checked.ends_at("tls", &["client certificate", "AMQP_CLIENT_CERT_FILE"]);
    let plain = url.replace("amqps://", "amqp://");
    let checked = Checked::with(&broker, &[("AMQP_URL", &plain)]).await;
    checked.ends_at("address", &["amqps://"]);

    let checked = with(&url, &ca, &client).await;
    assert!(checked.ok, "{}", checked.steps);
    checked.tells("tls", "ok", &["is trusted", "AMQP_CLIENT_CERT_FILE"]);
    checked.tells("login", "ok", &["user guest"]);

    // The broker takes the user from the certificate, once it can and knows the user.
    let external = at("localhost").replace("%2f", "%2f?auth_mechanism=external");
    let checked = with(&external, &ca, &client).await;
    checked.ends_at("login", &["rabbitmq_auth_mechanism_ssl"]);
    private.enable_plugin("rabbitmq_auth_mechanism_ssl").await;
    private.ctl(&["add_user", USER, "of-no-use"]).await;
    private.permit("/", USER, ["^$"; 3]).await;
    let checked = with(&external, &ca, &client).await;
    checked.tells("login", "ok", &["AMQP_CLIENT_CERT_FILE"]);
    checked.tells("permissions", "failed", &["set_permissions -p / USER '"]);
    private.permit("/", USER, [".*"; 3]).await;
    let checked = with(&external, &ca, &client).await;
    assert!(checked.ok, "{}", checked.steps);
}
