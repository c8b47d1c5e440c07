//! The broker as publishers see it: with several servers, they go on at another when theirs has gone.

use std::sync::Arc;
use std::time::Duration;

use lapin::BasicProperties;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::cluster;
use super::plan::Plan;
use crate::harness::broker::{Names, url};
use crate::harness::{Broker, Proxy};

/// A broker that confirms nothing for so long is left for another of its servers.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Brokers {
    pub(crate) names: Names,
    /// One for each server.
    urls: Vec<String>,
    /// Removes what the run has made, in the end.
    first: Arc<Broker>,
    present: Mutex<Arc<Broker>>,
}

impl Brokers {
    pub(crate) async fn start(plan: &Plan) -> Self {
        let urls = match plan.brokers {
            1 => vec![url()],
            _ => cluster::up().await,
        };
        let first = Arc::new(Broker::shared_at(&urls[0]).await);
        Self {
            names: first.names.clone(),
            urls,
            present: Mutex::new(first.clone()),
            first,
        }
    }

    pub(crate) const fn are_several(&self) -> bool {
        self.urls.len() > 1
    }

    /// The first connection, which knows where the run began.
    pub(crate) fn first(&self) -> &Broker {
        &self.first
    }

    /// A connection to any of the servers.
    pub(crate) async fn present(&self) -> Arc<Broker> {
        self.present.lock().await.clone()
    }

    /// A way to the servers, to this one as long as it is there.
    pub(crate) async fn way(&self, preferred: usize) -> Proxy {
        let mut addresses: Vec<_> = self.urls.iter().map(|url| address(url)).collect();
        let preferred = preferred % addresses.len();
        addresses.rotate_left(preferred);
        Proxy::to_any(addresses).await
    }

    /// The URL of the servers behind this proxy.
    pub(crate) fn url_by_way_of(&self, proxy: &Proxy) -> String {
        proxy.url_of(&self.urls[0])
    }

    /// Publishes, and waits for all confirms. Where servers come and go, one delivery is confirmed before
    /// the next is published: of several that are on their way when a queue loses its leader, any may be
    /// missing. One that is not confirmed is published again.
    pub(crate) async fn publish_all(
        &self,
        routing_key: &str,
        deliveries: Vec<(Vec<u8>, BasicProperties)>,
    ) {
        if self.urls.len() == 1 {
            self.first.publish_all(routing_key, deliveries).await;
            return;
        }
        for delivery in deliveries {
            loop {
                let broker = self.present().await;
                let publishing = broker.try_publish_all(routing_key, [delivery.clone()]);
                match timeout(PATIENCE, publishing).await {
                    Ok(Ok(true)) => break,
                    // The queue is without a leader.
                    Ok(Ok(false)) => sleep(Duration::from_millis(50)).await,
                    Ok(Err(_)) | Err(_) => self.leave(&broker).await,
                }
            }
        }
    }

    /// Goes on at another server, unless that has happened.
    async fn leave(&self, broker: &Arc<Broker>) {
        let mut present = self.present.lock().await;
        if !Arc::ptr_eq(&present, broker) {
            return;
        }
        loop {
            for url in &self.urls {
                if let Some(again) = broker.try_again_at(url).await {
                    *present = Arc::new(again);
                    return;
                }
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}

fn address(url: &str) -> String {
    let uri: lapin::uri::AMQPUri = url.parse().unwrap();
    format!("{}:{}", uri.authority.host, uri.authority.port)
}
