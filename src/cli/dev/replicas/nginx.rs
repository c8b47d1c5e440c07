//! The nginx in front of the replicas: the example of `deploy/`, with other ports and without TLS.

use std::env::{temp_dir, var_os};
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::replica::Replica;
use super::{LOOK, secret};

const EXAMPLE: &str = include_str!("../../../../deploy/nginx-replicas.conf");

/// Where its servers begin, which are under host names, with TLS.
const SERVERS: &str = "\n    server {\n";

/// The port of the first replica in the example.
const FIRST_PORT: usize = 3012;

/// Where the example writes a line for each request.
const ACCESS_LOG: &str = "access_log /var/log/nginx/gateway.log without_query;";

/// Runs, and has a folder, until it is dropped.
pub(super) struct Nginx {
    child: Mutex<Child>,
    /// Ends it when this process is killed.
    _guard: Child,
    folder: PathBuf,
}

impl Nginx {
    /// Starts it, and waits until it listens. `$NGINX` says which, if set; Debian has it where users'
    /// PATH does not lead.
    pub(super) async fn start(
        public: SocketAddr,
        supervisor: SocketAddr,
        replicas: &[Arc<Replica>],
    ) -> anyhow::Result<Self> {
        let folder = temp_dir().join(format!("agent-gateway-{}", secret()));
        fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let file = folder.join("nginx.conf");
        let addresses: Vec<_> = replicas.iter().map(|replica| replica.address()).collect();
        fs::write(&file, configuration(public, supervisor, &addresses)?)?;
        let program = var_os("NGINX").unwrap_or_else(|| "nginx".into());
        let mut path = var_os("PATH").unwrap_or_default();
        path.push(":/usr/sbin");
        let spawned = Command::new(&program)
            .env("PATH", path)
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr", "-g"])
            // One process, which ends with its id.
            .arg("daemon off; master_process off; pid nginx.pid; error_log stderr crit;")
            // It takes a variable of this name for sockets that it is to go on with.
            .env_remove("NGINX")
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let child = spawned.with_context(|| not_there(&program))?;
        let nginx = Self {
            _guard: guard(&child).context("no shell to guard nginx with")?,
            child: Mutex::new(child),
            folder,
        };
        while TcpStream::connect(public).await.is_err() {
            tokio::select! {
                error = nginx.ended() => return Err(error),
                () = sleep(LOOK) => {}
            }
        }
        Ok(nginx)
    }

    /// Waits until it has ended, which it should not.
    pub(super) async fn ended(&self) -> anyhow::Error {
        let status = self.child.lock().await.wait().await;
        let status = status.map(|status| status.to_string()).unwrap_or_default();
        anyhow::anyhow!("nginx has ended ({status})")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It lies among what the system removes by itself.
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A shell that waits for the end of its standard input, which is this process's.
fn guard(child: &Child) -> std::io::Result<Child> {
    let id = child.id().map(|id| id.to_string()).unwrap_or_default();
    Command::new("sh")
        .args(["-c", "read -r _; kill \"$1\"", "sh", &id])
        .stdin(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn not_there(program: &OsString) -> String {
    let program = program.display();
    format!(
        "{program} cannot be run: install nginx (Debian: nginx-light), or set NGINX to its path"
    )
}

/// The example, for these replicas.
fn configuration(
    public: SocketAddr,
    supervisor: SocketAddr,
    replicas: &[SocketAddr],
) -> anyhow::Result<String> {
    let Some((shared, _)) = EXAMPLE.split_once(SERVERS) else {
        bail!("deploy/nginx-replicas.conf has no servers");
    };
    let mut text = shared.replace(ACCESS_LOG, "access_log off;");
    for (index, address) in replicas.iter().enumerate() {
        let example = format!("server 127.0.0.1:{} ", FIRST_PORT + index);
        if !text.contains(&example) {
            bail!("deploy/nginx-replicas.conf has no \"{example}\"");
        }
        text = text.replace(&example, &format!("server {address} "));
    }
    for folder in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        text.push_str(&format!("\n    {folder}_temp_path {folder};"));
    }
    text.push_str(&format!(
        "\n    server {{\n        listen {public};\n        \
         location / {{ proxy_pass http://$replicas; }}\n        \
         location /playground/replicas {{ proxy_pass http://{supervisor}; }}\n    }}\n}}\n"
    ));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_used_with_the_replicas_ports_and_without_its_servers() {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let replicas = [address(4001), address(4002), address(4003)];
        let text = configuration(address(4000), address(4004), &replicas).unwrap();
        for port in 4001..=4003 {
            assert_eq!(text.matches(&format!("127.0.0.1:{port} ")).count(), 2);
        }
        for (word, count) in [
            ("listen ", 1),
            ("ssl", 0),
            ("/var/log", 0),
            ("least_conn;", 1),
            ("301", 0),
        ] {
            assert_eq!(text.matches(word).count(), count, "{word} in {text}");
        }
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
