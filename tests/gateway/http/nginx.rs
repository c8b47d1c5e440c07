//! The files of deploy/ for nginx, as they are but for ports and certificates: nginx ends TLS in front of
//! the gateway.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use reqwest::StatusCode;
use reqwest::header::{CONNECTION, LOCATION, UPGRADE};
use tokio::process::{Child, Command};

use crate::harness::{Broker, TestGateway, random_name, until};

const PORT: u16 = 8443;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An nginx with one of the files, in front of a gateway.
struct Nginx {
    _nginx: Child,
    _gateway: TestGateway,
    _broker: Broker,
    directory: std::path::PathBuf,
    /// What a browser calls the gateway, without a path.
    origin: String,
    http: reqwest::Client,
}

impl Nginx {
    /// `path` is where the gateway is, if not at the host.
    async fn start(file: &str, host: &str, path: &str) -> Self {
        // A port that is free may be another's a moment later. All of 127.0.0.0/8 is this machine, and
        // nobody else has this address.
        let [_, a, b, c] = rand::random::<[u8; 4]>();
        let address = SocketAddr::from(([127, a, b, c.clamp(2, 254)], PORT));
        let origin = format!("https://{host}:{PORT}");
        let url = format!("{origin}{path}");
        let mut variables = vec![("TRUSTED_PROXIES", "1")];
        if !path.is_empty() {
            variables.push(("PUBLIC_URL", &url));
        }
        let broker = Broker::new().await;
        let gateway = TestGateway::start_with(&broker, &variables).await;
        let directory = std::env::temp_dir().join(format!("agent-gateway-nginx-{}", random_name()));
        std::fs::create_dir(&directory).unwrap();
        let config = configure(file, host, address, gateway.address(), &directory);
        let nginx = Command::new(program())
            .arg("-c")
            .arg(config)
            .arg("-p")
            .arg(&directory)
            // One process, which ends when it is killed.
            .args(["-e", "stderr", "-g"])
            .arg("daemon off; master_process off; pid nginx.pid;")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .resolve(host, address)
            .tls_danger_accept_invalid_certs(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let this = Self {
            _nginx: nginx,
            _gateway: gateway,
            _broker: broker,
            directory,
            origin,
            http,
        };
        until("nginx answers", async || {
            let request = this.http.get(format!("{url}/healthz"));
            let answer = request.send().await;
            answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
        })
        .await;
        this
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.http.get(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

fn program() -> String {
    let found = std::process::Command::new(Path::new(ROOT).join("scripts/nginx"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(found.status.success(), "scripts/nginx finds none");
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// Writes the file with what is of this machine in it.
fn configure(
    file: &str,
    host: &str,
    address: SocketAddr,
    gateway: &str,
    to: &Path,
) -> std::path::PathBuf {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    for (name, tag, der) in [
        ("crt", "CERTIFICATE", cert.der().to_vec()),
        ("key", "PRIVATE KEY", signing_key.serialize_der()),
    ] {
        let text = pem::encode(&pem::Pem::new(tag, der));
        std::fs::write(to.join(name), text).unwrap();
    }
    let mut text = std::fs::read_to_string(Path::new(ROOT).join("deploy").join(file)).unwrap();
    let name = host.split('.').next().unwrap();
    let files: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!(" {what}_temp_path temp_{what};"))
        .concat();
    for (there, here) in [
        ("listen 443 ", format!("listen {address} ")),
        ("server 127.0.0.1:3012;", format!("server {gateway};")),
        (&format!("/etc/nginx/{name}.crt"), path(to, "crt")),
        (&format!("/etc/nginx/{name}.key"), path(to, "key")),
        ("/var/log/nginx/gateway.log", path(to, "log")),
        ("http {", format!("http {{{files}")),
    ] {
        assert!(text.contains(there), "{file} has no {there}");
        text = text.replace(there, &here);
    }
    let config = to.join("nginx.conf");
    std::fs::write(&config, text).unwrap();
    config
}

fn path(directory: &Path, name: &str) -> String {
    directory.join(name).to_str().unwrap().to_owned()
}

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

/// The gateway is all there at this path, and its own page is let in.
async fn serves(nginx: &Nginx, path: &str) {
    let own = ("origin", &*nginx.origin);
    let answer = nginx.get(&format!("{path}{HANDSHAKE}"), &[own]).await;
    assert_eq!(answer.status(), 200);
    let websocket = format!("{path}/socket.io/?EIO=4&transport=websocket");
    let upgrade = [
        own,
        (CONNECTION.as_str(), "Upgrade"),
        (UPGRADE.as_str(), "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = nginx.get(&websocket, &upgrade).await;
    assert_eq!(answer.status(), 101);
    for (origin, headers) in [
        ("https://evil.example", vec![]),
        (
            "https://evil.example",
            vec![("x-forwarded-host", "evil.example")],
        ),
        (
            "https://evil.example",
            vec![("forwarded", "host=evil.example")],
        ),
        (&nginx.origin.replace("https:", "http:"), vec![]),
    ] {
        let mut headers = headers;
        headers.push(("origin", origin));
        let answer = nginx.get(&format!("{path}{HANDSHAKE}"), &headers).await;
        assert_eq!(answer.status(), 403, "{headers:?}");
    }
    let home = nginx.get(&format!("{path}/"), &[]).await;
    assert_eq!(home.status(), 307);
    let asked = home.url().join(home.headers()[LOCATION].to_str().unwrap());
    assert_eq!(asked.unwrap().path(), format!("{path}/widget"));
    // Query strings name tenants and conversations.
    until("nginx has logged", async || {
        let log = std::fs::read_to_string(nginx.directory.join("log"));
        log.is_ok_and(|log| log.contains("/socket.io/") && !log.contains("EIO"))
    })
    .await;
}

#[tokio::test]
async fn nginx_proxies_a_host_of_its_own() {
    let nginx = Nginx::start("nginx.conf", "gateway.example.com", "").await;
    serves(&nginx, "").await;
}

#[tokio::test]
async fn nginx_proxies_a_path_prefix_kept_or_stripped() {
    for file in ["nginx-path.conf", "nginx-path-stripped.conf"] {
        let nginx = Nginx::start(file, "portal.example.com", "/realtime").await;
        serves(&nginx, "/realtime").await;
    }
}
