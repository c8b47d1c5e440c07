//! A RabbitMQ that one test has for itself, and may end: a RabbitMQ 4 when `BROKER=4` says so, as for the script.

use std::env::var_os;
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Weak};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::sync::Mutex;

use super::random_name;

pub(crate) struct PrivateBroker {
    folder: PathBuf,
    /// Where it looks for a free port first.
    port: u16,
    url: String,
}

impl PrivateBroker {
    /// One that tests have together, each in a vhost of its own, as long as any of them runs.
    pub(crate) async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<PrivateBroker>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    /// Starts one, by the project's own script, in a folder of its own.
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same, with more lines in its rabbitmq.conf.
    pub(crate) async fn start_with(settings: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("broker-{}", random_name()));
        let project = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        for part in ["scripts", "amqp"] {
            fs::create_dir_all(folder.join(part)).unwrap();
            for file in fs::read_dir(project.join(part)).unwrap() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    fs::copy(file.path(), folder.join(part).join(file.file_name())).unwrap();
                }
            }
        }
        let more = folder.join(state()).join("conf.d");
        fs::create_dir_all(&more).unwrap();
        fs::write(more.join("test.conf"), settings).unwrap();
        let mut broker = Self {
            folder,
            port: rand::random_range(26_000..29_000),
            url: String::new(),
        };
        broker.up().await;
        broker
    }

    /// Starts it again after it has ended, at the same address.
    pub(crate) async fn up(&mut self) {
        // A port that is free for two is taken by one: they start one after the other.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
        let _turn = ONE_AT_A_TIME.lock().await;
        let output = self.script(&["up", "--own"]).await;
        let url = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no broker of our own: {stderr}");
        let url = url.trim().to_owned();
        assert!(
            self.url.is_empty() || self.url == url,
            "{url} is not {}",
            self.url
        );
        self.url = url;
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&self) {
        let pid = fs::read_to_string(self.folder.join(state()).join("pid")).unwrap();
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), Signal::KILL).unwrap();
    }

    /// Runs rabbitmqctl.
    pub(crate) async fn ctl(&self, arguments: &[&str]) {
        let arguments: Vec<_> = ["ctl"].iter().chain(arguments).copied().collect();
        let output = self.script(&arguments).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
    }

    /// Turns one of its plugins on, while it runs: what `rabbitmq-plugins enable` does.
    pub(crate) async fn enable_plugin(&self, plugin: &str) {
        let file = self.folder.join(state()).join("enabled_plugins");
        fs::write(&file, format!("[{plugin}].\n")).unwrap();
        let ensure = format!("rabbit_plugins:ensure(\"{}\").", file.display());
        self.ctl(&["eval", &ensure]).await;
    }

    /// A new vhost in which guest may do everything; with its name.
    pub(crate) async fn vhost(&self) -> (String, String) {
        let vhost = format!("test-{}", random_name());
        self.ctl(&["add_vhost", &vhost]).await;
        self.permit(&vhost, "guest", [".*"; 3]).await;
        (self.url_of("guest", "guest", &vhost), vhost)
    }

    /// A new user with these rights to configure, write and read there; with its name.
    pub(crate) async fn user(&self, vhost: &str, rights: [&str; 3]) -> (String, String) {
        let user = format!("user-{}", random_name());
        self.ctl(&["add_user", &user, "its-password"]).await;
        self.permit(vhost, &user, rights).await;
        (self.url_of(&user, "its-password", vhost), user)
    }

    pub(crate) async fn permit(&self, vhost: &str, user: &str, rights: [&str; 3]) {
        let [configure, write, read] = rights;
        let command = ["set_permissions", "-p", vhost, user, configure, write, read];
        self.ctl(&command).await;
    }

    pub(crate) fn url_of(&self, user: &str, password: &str, vhost: &str) -> String {
        let (_, address) = self.url.rsplit_once('@').unwrap();
        let (address, _) = address.split_once('/').unwrap();
        format!("amqp://{user}:{password}@{address}/{vhost}")
    }

    async fn script(&self, arguments: &[&str]) -> Output {
        let mut command = Command::from(self.command());
        command.args(arguments).output().await.unwrap()
    }

    fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(self.folder.join("scripts/broker"));
        let url = match &*self.url {
            "" => format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port),
            url => url.to_owned(),
        };
        // Where the checkout has a RabbitMQ 4: one that every test makes for itself would take a minute.
        let made = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".broker-4/root");
        let root = var_os("BROKER_ROOT").unwrap_or(made.into());
        command.env("AMQP_URL", url).env("BROKER_ROOT", root);
        // With what tests name in its settings, such as certificates.
        command.env("BROKER_SHARED", env!("CARGO_TARGET_TMPDIR"));
        command
    }
}

/// Where the script keeps what belongs to the server.
fn state() -> &'static str {
    match var_os("BROKER") {
        Some(chosen) if chosen == "4" => ".broker-4",
        _ => ".broker",
    }
}

impl Drop for PrivateBroker {
    fn drop(&mut self) {
        let ended = self.command().arg("down").output();
        let ended = ended.is_ok_and(|output| output.status.success());
        let removed = fs::remove_dir_all(&self.folder).is_ok();
        if !std::thread::panicking() {
            assert!(ended && removed, "the private broker is left behind");
        }
    }
}
