use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread;

use async_rs::traits::Reactor as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::*;
use crate::runtime::run_on;

struct Woken(mpsc::Sender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.send(()).ok();
    }
}

/// How many deliveries there are between two acknowledgements.
const PREFETCH: usize = 10;

const DELIVERY: &[u8] = b"delivery";

/// Consumes as lapin does: it sleeps when there is nothing, until it is woken. Returns how much there
/// was; `has_borrowed` says whether it has had the runtime.
fn consume(mut stream: IoThreadStream, has_borrowed: &AtomicBool) -> usize {
    let (wake, woken) = mpsc::channel();
    let waker = Waker::from(Arc::new(Woken(wake)));
    let mut cx = Context::from_waker(&waker);
    let (mut total, mut acknowledged) = (0, 0);
    loop {
        let read = Pin::new(&mut stream).poll_read(&mut cx, &mut [0; 64]);
        has_borrowed.fetch_or(stream.borrowed.is_some(), Ordering::Relaxed);
        match read {
            Poll::Ready(Ok(0)) => return total,
            Poll::Ready(read) => total += read.unwrap(),
            Poll::Pending => {
                if woken.try_recv().is_err() {
                    assert!(
                        stream.borrowed.is_none(),
                        "it sleeps, and nobody runs the tasks"
                    );
                    woken.recv().unwrap();
                }
            }
        }
        if total - acknowledged >= PREFETCH * DELIVERY.len() {
            acknowledged += PREFETCH * DELIVERY.len();
            let written = Pin::new(&mut stream).poll_write(&mut cx, b"!");
            assert!(matches!(written, Poll::Ready(Ok(1))), "{written:?}");
        }
    }
}

/// Delivers, and waits for acknowledgements as a broker does.
struct Broker {
    connection: tokio::net::TcpStream,
    delivered: usize,
}

impl Broker {
    async fn deliver(&mut self, pause: Duration) {
        self.connection.write_all(DELIVERY).await.unwrap();
        self.delivered += 1;
        if self.delivered.is_multiple_of(PREFETCH) {
            let acknowledged = timeout(Duration::from_secs(20), self.connection.read_u8());
            acknowledged.await.expect("no acknowledgement").unwrap();
        }
        sleep(pause).await;
    }
}

/// Delivers closely, and about as far apart as the thread waits: what comes is in time, just so, or too
/// late. `borrows`: until the thread has had the runtime.
async fn deliver(borrows: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stream = super::super::runtime().tcp_connect_addr(address);
    let stream = stream.await.unwrap();
    let (connection, _) = listener.accept().await.unwrap();
    connection.set_nodelay(true).unwrap();
    let mut broker = Broker {
        connection,
        delivered: 0,
    };
    let has_borrowed = Arc::new(AtomicBool::new(false));
    let consumer = thread::spawn({
        let has_borrowed = has_borrowed.clone();
        move || consume(stream, &has_borrowed)
    });
    for _ in 0..3 {
        has_borrowed.store(!borrows, Ordering::Relaxed);
        for _ in 0..30 {
            broker.deliver(BUSY / 5).await;
        }
        while !has_borrowed.load(Ordering::Relaxed) {
            broker.deliver(BUSY / 5).await;
        }
        for number in 0..40 {
            broker.deliver(BUSY + BUSY * number / 160).await;
        }
    }
    drop(broker.connection);
    let consumed = spawn_blocking(move || consumer.join()).await.unwrap();
    assert_eq!(consumed.unwrap(), broker.delivered * DELIVERY.len());
}

#[test]
fn the_runtime_is_given_back_before_the_thread_sleeps() {
    let runtime = Builder::new_current_thread().enable_all().build();
    run_on(runtime.unwrap(), deliver(true));
}

#[test]
fn the_thread_waits_alone_where_the_runtime_has_threads_of_its_own() {
    let runtime = Builder::new_multi_thread().enable_all().build();
    run_on(runtime.unwrap(), deliver(false));
}
