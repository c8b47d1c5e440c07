//! A Prometheus with a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{Folder, http, until};

/// How long promtool may take.
const PROMTOOL_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it scrapes and judges, where the configuration that is shipped takes its time.
const OFTEN: &str = "1s";

pub(crate) struct Prometheus {
    url: String,
    http: reqwest::Client,
    /// Ended when it is dropped, and before its folder is removed.
    _child: Child,
    _folder: Folder,
}

/// An alert, as Prometheus knows it.
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) state: String,
}

fn program() -> PathBuf {
    let path = std::env::var_os("PROMETHEUS");
    path.expect("PROMETHEUS is not set: make observability sets it")
        .into()
}

/// Has promtool look at a file, which it must find good.
pub(crate) async fn promtool(command: &[&str], file: &Path) {
    let promtool = program().with_file_name("promtool");
    let output = Command::new(promtool)
        .args(command)
        .arg(file)
        .kill_on_drop(true)
        .output();
    let output = timeout(PROMTOOL_TIMEOUT, output).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    println!("{}", said.trim());
}

impl Prometheus {
    /// Starts it with the configuration that is shipped, but for its target and its pace.
    pub(crate) async fn start(deploy: &Path, target: &str) -> Self {
        let shipped = deploy.join("prometheus");
        let read = |name: &str| std::fs::read_to_string(shipped.join(name)).unwrap();
        let config = read("prometheus.yml");
        for known in [
            "gateway:3013",
            "scrape_interval: 15s",
            "evaluation_interval: 15s",
        ] {
            assert!(config.contains(known), "{known} in {config}");
        }
        let config = config
            .replace("gateway:3013", target)
            .replace("interval: 15s", &format!("interval: {OFTEN}"));
        let folder = Folder::new();
        let file = folder.write("prometheus.yml", config);
        folder.write("alerts.yml", read("alerts.yml"));
        // Bound and let go: Prometheus does not say which port it has got.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let data = Path::new(&file).with_file_name("data");
        let child = Command::new(program())
            .arg(format!("--config.file={file}"))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg("--storage.tsdb.retention.size=64MB")
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let prometheus = Self {
            url: format!("http://{address}"),
            http: http(),
            _child: child,
            _folder: folder,
        };
        until("Prometheus is ready", async || {
            let ready = prometheus.http.get(format!("{}/-/ready", prometheus.url));
            ready
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        prometheus
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await;
        let answer: Value = answer.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The series that an expression has now, as text. What is no number does not count.
    pub(crate) async fn query(&self, expression: &str) -> Vec<String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("query", expression);
        let data = self.get(&format!("/api/v1/query?{}", query.finish())).await;
        let series = data["result"].as_array().unwrap().iter();
        let series = series.filter(|one| one["value"][1] != "NaN");
        let series = series.map(|one| format!("{} = {}", one["metric"], one["value"][1]));
        series.collect()
    }

    /// What it judges.
    pub(crate) async fn alerts(&self) -> Vec<Alert> {
        let data = self.get("/api/v1/rules?type=alert").await;
        let groups = data["groups"].as_array().unwrap().iter();
        let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
        let rules = rules.map(|rule| {
            assert_ne!(rule["health"], "err", "{rule}");
            let text = |name: &str| rule[name].as_str().unwrap().to_owned();
            Alert {
                name: text("name"),
                expression: text("query"),
                state: text("state"),
            }
        });
        rules.collect()
    }
}
