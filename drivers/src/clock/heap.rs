//! Virtual time: a heap of what waits, and a hand that leaps from one entry to the next when nothing else can run.
//!
//! Entries of one moment come in the order in which they were set: a run with the same seed is the same run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use twin::Moment;

pub(super) struct Virtual(Mutex<Heap>);

struct Heap {
    now: Moment,
    sequence: u64,
    entries: BinaryHeap<Reverse<Entry>>,
    /// Set when nothing is left to wake: the run is stuck or done.
    idle: Option<Waker>,
    /// Woken with every entry, so that an entry that makes no task ready does not let the runtime sleep for good.
    pump: Option<Waker>,
    stalled: bool,
}

struct Entry {
    at: Moment,
    sequence: u64,
    then: Then,
}

enum Then {
    Wake(Waker),
    Run(Box<dyn FnOnce() + Send>),
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl Heap {
    fn push(&mut self, at: Moment, then: Then) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.entries.push(Reverse(Entry { at, sequence, then }));
    }
}

impl Virtual {
    pub(super) fn from(start: Moment) -> Self {
        let heap = Heap { now: start, sequence: 0, entries: BinaryHeap::new(), idle: None, pump: None, stalled: false };
        Virtual(Mutex::new(heap))
    }

    fn lock(&self) -> MutexGuard<'_, Heap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Moment {
        self.lock().now
    }

    pub(super) fn sleep_until(&self, at: Moment) -> impl Future<Output = ()> {
        Sleep { time: self, at, set: false }
    }

    pub(super) fn run_at(&self, at: Moment, then: Box<dyn FnOnce() + Send>) {
        self.lock().push(at, Then::Run(then));
    }

    /// Returns once nothing can run and nobody sleeps.
    pub(super) async fn stalled(&self) {
        std::future::poll_fn(|cx| {
            let mut heap = self.lock();
            if heap.stalled {
                return Poll::Ready(());
            }
            heap.idle = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Moves time to the next entry and sets it off.
    pub(super) fn leap(&self) {
        let then = {
            let mut heap = self.lock();
            match heap.entries.pop() {
                Some(Reverse(entry)) => {
                    heap.now = heap.now.max(entry.at);
                    if let Some(pump) = &heap.pump {
                        pump.wake_by_ref();
                    }
                    entry.then
                }
                None => {
                    heap.stalled = true;
                    match heap.idle.take() {
                        Some(waker) => Then::Wake(waker),
                        None => return,
                    }
                }
            }
        };
        match then {
            Then::Wake(waker) => waker.wake(),
            Then::Run(run) => run(),
        }
    }

    /// Never ends. It is woken with every entry, and once it has been polled the runtime comes back to `leap`.
    pub(super) async fn pump(&self) {
        std::future::poll_fn(|cx| {
            self.lock().pump = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    }
}

struct Sleep<'a> {
    time: &'a Virtual,
    at: Moment,
    set: bool,
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let time = self.time;
        let mut heap = time.lock();
        if heap.now >= self.at {
            return Poll::Ready(());
        }
        if !self.set {
            heap.push(self.at, Then::Wake(cx.waker().clone()));
            self.set = true;
        }
        Poll::Pending
    }
}
