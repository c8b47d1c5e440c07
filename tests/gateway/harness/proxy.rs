//! A TCP proxy that can be cut and restored.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands in front of a server on loopback.
pub(crate) struct Proxy {
    address: String,
    open: watch::Sender<bool>,
}

impl Proxy {
    /// A proxy in front of the broker.
    pub(crate) async fn to_broker() -> Self {
        let uri: lapin::uri::AMQPUri = super::broker::url().parse().unwrap();
        let authority = uri.authority;
        Self::to(format!("{}:{}", authority.host, authority.port)).await
    }

    pub(crate) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (open, watching) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.clone(), watching.clone()));
            }
        });
        Self { address, open }
    }

    /// The broker's URL, by way of this proxy.
    pub(crate) fn broker_url(&self) -> String {
        let mut uri: lapin::uri::AMQPUri = super::broker::url().parse().unwrap();
        let (host, port) = self.address.rsplit_once(':').unwrap();
        uri.authority.host = host.to_owned();
        uri.authority.port = port.parse().unwrap();
        let user = &uri.authority.userinfo;
        format!(
            "amqp://{}:{}@{}/{}",
            user.username,
            user.password,
            self.address,
            uri.vhost.replace('/', "%2f")
        )
    }

    /// Ends all connections and refuses new ones.
    pub(crate) fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Lets connections through again.
    pub(crate) fn restore(&self) {
        self.open.send_replace(true);
    }
}

async fn carry(mut client: TcpStream, target: String, mut open: watch::Receiver<bool>) {
    if !*open.borrow_and_update() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    // However either side ends it: the other sees its connection closed.
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = open.changed() => {}
    }
}
