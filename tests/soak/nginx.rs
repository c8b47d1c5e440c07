//! Debian's nginx with deploy/nginx-replicas.conf, in which only ports, files and TLS are others: members
//! come to it without TLS, which the small clients do not speak.

use std::path::Path;
use std::process::Stdio;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::harness::{Folder, until};

/// The port of the first replica in the example.
const FIRST_PORT: u16 = 3012;

pub(crate) struct Nginx {
    /// Where members connect to.
    pub(crate) address: String,
    /// The ports of the three replicas behind it.
    pub(crate) replicas: [u16; 3],
    _process: Child,
    _folder: Folder,
}

impl Nginx {
    pub(crate) async fn start() -> Self {
        let folder = Folder::new();
        let [port, replicas @ ..] = free_ports().await;
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx-replicas.conf");
        let mut configuration = std::fs::read_to_string(example).unwrap();
        let mut replace = |from: &str, to: &str| {
            assert!(configuration.contains(from), "{from:?} is in the example");
            configuration = configuration.replace(from, to);
        };
        replace(
            "listen 443 ssl http2;",
            &format!("listen 127.0.0.1:{port};"),
        );
        replace("ssl_certificate ", "# ssl_certificate ");
        replace("ssl_certificate_key ", "# ssl_certificate_key ");
        replace("/var/log/nginx/gateway.log", &folder.path("access.log"));
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|what| format!("{what}_temp_path {what};"));
        replace("http {", &format!("http {{ {}", temporary.join(" ")));
        for (port, example) in replicas.iter().zip(FIRST_PORT..) {
            replace(
                &format!("127.0.0.1:{example} "),
                &format!("127.0.0.1:{port} "),
            );
        }
        let file = folder.write("nginx.conf", configuration);
        let program = std::env::var("NGINX").unwrap_or_else(|_| "/usr/sbin/nginx".to_owned());
        // One process, which ends with the run.
        let process = Command::new(program)
            .arg("-p")
            .arg(folder.path("."))
            .arg("-c")
            .arg(file)
            .args(["-e", "stderr", "-g"])
            .arg("daemon off; master_process off; pid nginx.pid; error_log stderr crit;")
            // It takes a variable of this name for sockets that it is to go on with.
            .env_remove("NGINX")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = format!("127.0.0.1:{port}");
        until("nginx takes connections", async || {
            TcpStream::connect(&address).await.is_ok()
        })
        .await;
        Self {
            address,
            replicas,
            _process: process,
            _folder: folder,
        }
    }
}

/// Ports that nobody listens on at the moment. Of those that the system gives to whoever connects to
/// anything, one might be taken while a replica starts again: these are below.
async fn free_ports() -> [u16; 4] {
    let mut free = Vec::new();
    while free.len() < 4 {
        let port = rand::random_range(20_000..25_000);
        if !free.contains(&port) && TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            free.push(port);
        }
    }
    [free[0], free[1], free[2], free[3]]
}
