//! Running futures step by step: what would wait for ever is seen to, and fails.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Whether a future asked to be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs a future to its end. One that nobody will wake any more panics, where another executor would wait for ever.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    while woken.0.swap(false, Ordering::SeqCst) {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
    }
    panic!("it waits for what never comes");
}

/// A future that a test runs as far as it goes, lies down and takes up again, or drops.
pub(crate) struct Task<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    woken: Arc<Woken>,
    answer: Option<T>,
}

impl<'a, T> Task<'a, T> {
    /// A future that has not been polled yet.
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self { future: Box::pin(future), woken: Arc::new(Woken(AtomicBool::new(true))), answer: None }
    }

    /// A future that has gone as far as it could.
    pub(crate) fn started(future: impl Future<Output = T> + 'a) -> Self {
        let mut task = Self::new(future);
        task.run();
        task
    }

    /// Polls it once if somebody woke it; whether anybody had.
    pub(crate) fn step(&mut self) -> bool {
        if self.answer.is_some() || !self.woken.0.swap(false, Ordering::SeqCst) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        if let Poll::Ready(answer) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.answer = Some(answer);
        }
        true
    }

    /// Polls it as long as somebody wakes it; what it came to, if it has.
    pub(crate) fn run(&mut self) -> Option<&T> {
        while self.step() {}
        self.answer.as_ref()
    }

    /// What it came to, if it has.
    pub(crate) fn answer(&self) -> Option<&T> {
        self.answer.as_ref()
    }
}
