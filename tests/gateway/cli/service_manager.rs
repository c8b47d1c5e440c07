//! What systemd would be told, on a socket as systemd listens on.

use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::harness::{Broker, DEADLINE, Folder, Signal, TestGateway};

/// The socket of a service manager.
struct ServiceManager {
    socket: UnixDatagram,
    folder: Folder,
}

impl ServiceManager {
    fn new() -> Self {
        let folder = Folder::new();
        let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
        Self { socket, folder }
    }

    fn path(&self) -> String {
        self.folder.path("notify")
    }

    /// The next that it is told, a line each.
    async fn told(&self) -> Vec<String> {
        let mut datagram = [0; 1024];
        let received = timeout(DEADLINE, self.socket.recv(&mut datagram)).await;
        let length = received.expect("nothing is told").unwrap();
        let text = std::str::from_utf8(&datagram[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The same, but for signs of life.
    async fn told_but_alive(&self) -> Vec<String> {
        loop {
            let told = self.told().await;
            if told != ["WATCHDOG=1"] {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn the_service_manager_is_told_of_start_reload_and_end() {
    let broker = Broker::new().await;
    let manager = ServiceManager::new();
    let variables = [("NOTIFY_SOCKET", &*manager.path())];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    let status = format!("STATUS=listening on {}", gateway.address());
    assert_eq!(manager.told().await, ["READY=1", &status]);
    // What it is told of is true: requests are taken.
    assert_eq!(gateway.get("/healthz").await.0, 200);

    gateway.signal(Signal::HUP);
    let told = manager.told().await;
    assert_eq!(told[0], "RELOADING=1");
    let at = told[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(at.parse::<u64>().unwrap() > 0, "{told:?}");
    assert_eq!(manager.told().await, ["READY=1"]);

    gateway.signal(Signal::TERM);
    let told = manager.told().await;
    assert_eq!(told, ["STOPPING=1", "STATUS=shutting down"]);
    assert!(gateway.ended().await.status.success());
}

#[tokio::test]
async fn the_watchdog_hears_of_the_gateway_again_and_again() {
    let broker = Broker::new().await;
    let manager = ServiceManager::new();
    let variables = [
        ("NOTIFY_SOCKET", &*manager.path()),
        ("WATCHDOG_USEC", "100000"),
    ];
    let gateway = TestGateway::start_with(&broker, &variables).await;
    assert_eq!(manager.told_but_alive().await[0], "READY=1");
    for _ in 0..5 {
        assert_eq!(manager.told().await, ["WATCHDOG=1"]);
    }
    gateway.signal(Signal::TERM);
    let told = manager.told_but_alive().await;
    assert_eq!(told[0], "STOPPING=1");
    assert!(gateway.ended().await.status.success());
}

#[tokio::test]
async fn a_service_manager_that_is_gone_costs_a_warning() {
    let broker = Broker::new().await;
    let variables = [("NOTIFY_SOCKET", "/nowhere/notify")];
    let gateway = TestGateway::ready_with(&broker, &variables).await;
    gateway.signal(Signal::TERM);
    let ended = gateway.ended().await;
    assert!(ended.status.success());
    let told = "the service manager was not told what the gateway does";
    assert!(ended.log.contains(told), "{}", ended.log);
}
