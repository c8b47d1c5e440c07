//! `check` of a user's rights.

use super::check::Checked;
use crate::harness::{Broker, PrivateBroker, TestGateway};

/// The rights in the command that the step `permissions` has.
fn rights(detail: &str) -> [&str; 3] {
    let (_, command) = detail
        .split_once("rabbitmqctl set_permissions -p ")
        .unwrap();
    let quoted: Vec<_> = command.split('\'').skip(1).step_by(2).take(3).collect();
    quoted.try_into().unwrap()
}

#[tokio::test]
async fn a_missing_permission_is_told_with_the_command_that_gives_it() {
    let private = PrivateBroker::shared().await;
    let (url, vhost) = private.vhost().await;
    let broker = Broker::at(&url).await;
    let (url, user) = private.user(&vhost, ["^$"; 3]).await;
    let variables = [("AMQP_URL", &*url)];
    let checked = Checked::with(&broker, &variables).await;
    checked.tells("exchange", "failed", &["the right to configure"]);
    let names = &broker.names;
    let words = [
        format!("configure exchange {}", names.exchange),
        format!("configure queue {}", names.dead_letters),
        format!("read queue {}", names.status),
        format!("bind queue {}", names.inbound),
        "write to exchange amq.default".to_owned(),
        format!("set_permissions -p {vhost} {user}"),
    ];
    checked.tells(
        "permissions",
        "failed",
        &words.each_ref().map(String::as_str),
    );

    // With what the command gives, nothing is missing, and the gateway is ready.
    let detail = checked.step("permissions").1.to_owned();
    private.permit(&vhost, &user, rights(&detail)).await;
    let checked = Checked::with(&broker, &variables).await;
    assert!(checked.ok, "{}", checked.steps);
    checked.tells("permissions", "ok", &[&user]);
    drop(TestGateway::ready_with(&broker, &variables).await);

    // What is there need not be declared.
    let looking = ["^$", "^amq\\.default$", ".*"];
    private.permit(&vhost, &user, looking).await;
    let checked = Checked::with(&broker, &variables).await;
    assert!(checked.ok, "{}", checked.steps);
    checked.tells("inbound_queue", "warning", &["not compared"]);
    checked.tells("bindings", "not_looked_at", &["list_bindings"]);
    checked.tells(
        "permissions",
        "warning",
        &["bind queue", "AMQP_DECLARE=false"],
    );
    let declare = [variables[0], ("AMQP_DECLARE", "false")];
    let checked = Checked::with(&broker, &declare).await;
    assert!(checked.ok, "{}", checked.steps);
    checked.tells("permissions", "ok", &[]);
    private.permit(&vhost, &user, ["^$", "^$", "^$"]).await;
    let checked = Checked::with(&broker, &declare).await;
    let detail = checked.step("permissions").1.to_owned();
    private.permit(&vhost, &user, rights(&detail)).await;
    assert!(Checked::with(&broker, &declare).await.ok);
}
