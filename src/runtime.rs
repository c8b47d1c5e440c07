//! The Tokio runtime, and which thread runs its tasks.
//!
//! On few cores the runtime has one thread, and lapin has another, which reads what the broker sends. To
//! hand a delivery from one to the other costs more than the delivery itself: a wake-up, a
//! switch, and often a core that has to be woken. So, while deliveries follow one another, lapin's thread
//! [borrows](Borrowed) the runtime and runs the tasks itself until there is something to read, as a program of one
//! thread would; the main thread sleeps meanwhile.
//!
//! Tokio itself sees to it that one thread at a time runs the tasks (`Runtime::block_on` of a
//! `current_thread` runtime may be called by several threads). What is here only decides which one, so
//! that a mistake costs time and no task. A borrower that has run no task for [`STALL`] is not
//! waited for: the main thread runs them again.

use std::io;
use std::num::NonZero;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, available_parallelism};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::Notify;

use crate::lock::Mutex;

/// The largest number of cores on which one thread serves better than one a core. The broker runs beside
/// it, and what is handed from one worker to another costs two wake-ups: docs/performance.md has the figures.
const SINGLE_THREAD_CORES: usize = 2;

/// How long a borrower may run no task until the main thread does.
const STALL: Duration = Duration::from_millis(50);

/// The runtime of the process, while it can be borrowed.
static SHARED: Mutex<Weak<SharedRuntime>> = Mutex::new(Weak::new());

/// Runs the process's main future to its end, on the runtime that fits the cores which the process may use.
///
/// # Errors
/// When the operating system has no thread, no `epoll` instance or the like for the runtime.
pub(crate) fn run<T>(main: impl Future<Output = T>) -> io::Result<T> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let mut builder = match cores {
        ..=SINGLE_THREAD_CORES => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    Ok(run_on(builder.enable_all().build()?, main))
}

/// Runs the process's main future to its end on this runtime.
pub(crate) fn run_on<T>(runtime: Runtime, main: impl Future<Output = T>) -> T {
    // Workers of their own run the tasks of the others.
    let can_be_lent = runtime.handle().runtime_flavor() == RuntimeFlavor::CurrentThread;
    let shared = Arc::new(SharedRuntime::new(runtime));
    if can_be_lent {
        *SHARED.lock() = Arc::downgrade(&shared);
    }
    let result = shared.run(main);
    // Tasks that still run are not waited for: the grace has passed.
    if let Some(shared) = Arc::into_inner(shared) {
        shared.runtime.shutdown_background();
    }
    result
}

/// A runtime whose tasks another thread than the main one can run.
struct SharedRuntime {
    runtime: Runtime,
    main_thread: Thread,
    /// The main thread runs the tasks, or is about to.
    main_runs: AtomicBool,
    /// Some other thread has it.
    is_lent: AtomicBool,
    /// How often that one has begun to run tasks.
    turns: AtomicUsize,
    /// Has the main thread stop running tasks.
    wanted: Notify,
}

impl SharedRuntime {
    /// For the thread that calls this as the main one.
    fn new(runtime: Runtime) -> Self {
        Self {
            runtime,
            main_thread: thread::current(),
            main_runs: AtomicBool::new(false),
            is_lent: AtomicBool::new(false),
            turns: AtomicUsize::new(0),
            wanted: Notify::new(),
        }
    }

    /// Runs the main future to its end, and the tasks as long as nobody else does.
    fn run<T>(&self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        loop {
            let result = self.run_tasks(main.as_mut());
            if let Some(result) = result.or_else(|| self.wait_for_return(main.as_mut())) {
                return result;
            }
        }
    }

    /// Runs the tasks until somebody else wants to, or to the main future's end.
    fn run_tasks<T>(&self, mut main: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        self.main_runs.store(true, Ordering::SeqCst);
        let result = self.runtime.block_on(async {
            tokio::select! {
                biased;
                result = &mut main => Some(result),
                () = self.wanted.notified() => None,
            }
        });
        self.main_runs.store(false, Ordering::SeqCst);
        result
    }

    /// Sleeps until the borrower has returned the runtime, or does nothing with it. The main future goes on.
    fn wait_for_return<T>(&self, mut main: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let _context = self.runtime.enter();
        let waker = Waker::from(Arc::new(Unpark(self.main_thread.clone())));
        let (mut turns, mut since) = (self.turns.load(Ordering::SeqCst), Instant::now());
        loop {
            if let Poll::Ready(result) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(result);
            }
            if !self.is_lent.load(Ordering::SeqCst) {
                return None;
            }
            thread::park_timeout(STALL);
            let turns_now = self.turns.load(Ordering::SeqCst);
            if turns_now != turns {
                (turns, since) = (turns_now, Instant::now());
            } else if since.elapsed() >= STALL {
                return None;
            }
        }
    }

    fn borrow(self: &Arc<Self>) -> Option<Borrowed> {
        let was_lent = self.is_lent.swap(true, Ordering::SeqCst);
        (!was_lent).then(|| Borrowed(self.clone()))
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The runtime in the hands of a thread that is not the main one.
pub(crate) struct Borrowed(Arc<SharedRuntime>);

impl Borrowed {
    /// Takes this runtime; `None` when its tasks have threads of their own, another thread has it, or this
    /// thread runs a future.
    pub(crate) fn take(runtime: &Handle) -> Option<Self> {
        if Handle::try_current().is_ok() {
            return None;
        }
        let shared = SHARED.lock().upgrade()?;
        let is_this = shared.runtime.handle().id() == runtime.id();
        is_this.then(|| shared.borrow()).flatten()
    }

    /// Runs the tasks until the future is done.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let Self(shared) = self;
        shared.turns.fetch_add(1, Ordering::SeqCst);
        if shared.main_runs.load(Ordering::SeqCst) {
            shared.wanted.notify_one();
        }
        shared.runtime.block_on(future)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let Self(shared) = self;
        shared.is_lent.store(false, Ordering::SeqCst);
        shared.main_thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::ThreadId;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    fn shared() -> Arc<SharedRuntime> {
        let runtime = Builder::new_current_thread().enable_all().build();
        Arc::new(SharedRuntime::new(runtime.unwrap()))
    }

    /// On which thread a task runs.
    async fn task_thread() -> ThreadId {
        let task = tokio::spawn(async { thread::current().id() });
        task.await.unwrap()
    }

    #[test]
    fn the_borrower_runs_the_tasks_and_the_main_future_goes_on() {
        let shared = shared();
        let (ask, mut asked) = tokio::sync::mpsc::channel::<oneshot::Sender<ThreadId>>(1);
        let borrower = thread::spawn({
            let shared = shared.clone();
            move || {
                let borrowed = shared.borrow().unwrap();
                // The main thread may still be at it for the first ones.
                while borrowed.block_on(task_thread()) != thread::current().id() {}
                borrowed.block_on(async {
                    let (answer, main_thread) = oneshot::channel();
                    ask.send(answer).await.unwrap();
                    (task_thread().await, main_thread.await.unwrap())
                })
            }
        });
        let borrower_thread = borrower.thread().id();
        shared.run(async {
            let asker = asked.recv().await.unwrap();
            asker.send(thread::current().id()).unwrap();
        });
        let (of_task, of_main) = borrower.join().unwrap();
        assert_eq!(of_task, borrower_thread);
        assert_eq!(of_main, thread::current().id());
    }

    #[test]
    fn the_main_thread_runs_the_tasks_when_the_borrower_has_returned_the_runtime() {
        let shared = shared();
        let (returned, has_returned) = oneshot::channel();
        let borrower = thread::spawn({
            let shared = shared.clone();
            move || {
                for _ in 0..100 {
                    let borrowed = shared.borrow().unwrap();
                    assert!(shared.borrow().is_none(), "it was lent twice");
                    borrowed.block_on(yield_now());
                }
                returned.send(()).unwrap();
            }
        });
        let of_task = shared.run(async {
            has_returned.await.unwrap();
            task_thread().await
        });
        borrower.join().unwrap();
        assert_eq!(of_task, thread::current().id());
    }

    #[test]
    fn a_borrower_that_does_nothing_holds_up_no_task() {
        let shared = shared();
        let (lent, is_lent) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let borrower = thread::spawn({
            let shared = shared.clone();
            move || {
                let borrowed = shared.borrow().unwrap();
                borrowed.block_on(yield_now());
                lent.send(()).unwrap();
                ended.recv().unwrap();
                // It can go on where it was.
                while borrowed.block_on(task_thread()) != thread::current().id() {}
            }
        });
        let of_task = shared.run(async {
            is_lent.await.unwrap();
            let of_task = task_thread().await;
            end.send(()).unwrap();
            let joined = tokio::task::spawn_blocking(move || borrower.join());
            joined.await.unwrap().unwrap();
            of_task
        });
        assert_eq!(of_task, thread::current().id());
    }
}
