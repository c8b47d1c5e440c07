//! An HTTP server for key sets and introspection that counts its requests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// What the server says to a request's body.
type Reply = Box<dyn Fn(&str) -> Response<Body> + Send>;

pub(crate) struct AuthServer {
    address: String,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    reply: Mutex<Reply>,
    asked: Mutex<Vec<Asked>>,
    waiting: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl AuthServer {
    pub(crate) async fn start(reply: impl Fn(&str) -> Response<Body> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            reply: Mutex::new(Box::new(reply)),
            asked: Mutex::default(),
            waiting: watch::Sender::new(0),
            open: watch::Sender::new(true),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            shared,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// One that answers whatever it is asked with this.
    pub(crate) async fn with(body: &Value) -> Self {
        Self::start(ok(body)).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/path?query=hidden", self.address)
    }

    pub(crate) fn set(&self, reply: impl Fn(&str) -> Response<Body> + Send + 'static) {
        *self.shared.reply.lock().unwrap() = Box::new(reply);
    }

    /// From now on requests wait.
    pub(crate) fn hold(&self) {
        self.shared.open.send_replace(false);
    }

    /// Answers those that wait.
    pub(crate) fn release(&self) {
        self.shared.open.send_replace(true);
    }

    /// Waits until so many requests wait for an answer.
    pub(crate) async fn waiting(&self, count: usize) {
        let mut waiting = self.shared.waiting.subscribe();
        let waited = waiting.wait_for(|now| *now == count);
        let waited = tokio::time::timeout(crate::harness::DEADLINE, waited).await;
        assert!(waited.is_ok(), "not {count} requests are waiting");
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many requests have come so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let asked = Asked {
        headers,
        body: body.clone(),
    };
    shared.asked.lock().unwrap().push(asked);
    shared.waiting.send_modify(|waiting| *waiting += 1);
    let mut open = shared.open.subscribe();
    open.wait_for(|open| *open).await.unwrap();
    shared.waiting.send_modify(|waiting| *waiting -= 1);
    shared.reply.lock().unwrap()(&body)
}

/// Says this to everybody.
pub(crate) fn ok(body: &Value) -> impl Fn(&str) -> Response<Body> + Send + 'static {
    always(200, body.to_string())
}

pub(crate) fn always(
    status: u16,
    body: String,
) -> impl Fn(&str) -> Response<Body> + Send + 'static {
    move |_| {
        let response = Response::builder().status(status);
        response.body(Body::from(body.clone())).unwrap()
    }
}

/// Sends everybody elsewhere.
pub(crate) fn redirect(location: String) -> impl Fn(&str) -> Response<Body> + Send + 'static {
    move |_| {
        let response = Response::builder()
            .status(307)
            .header("location", &location);
        response.body(Body::empty()).unwrap()
    }
}
