//! Virtual time: a heap of what waits, and a hand that leaps from one entry to the next when nothing else can run.
//!
//! Entries of one moment come in the order in which they were set: a run with the same seed is the same run. With a
//! [`Pace`] the hand leaps no sooner than the machine's time allows it.

use super::Speed;
use super::pace::{Go, Pace};
use futures::future::BoxFuture;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use twin::Moment;

pub(super) struct Virtual {
    heap: Mutex<Heap>,
    pub(super) paced: bool,
}

struct Heap {
    now: Moment,
    pace: Option<Pace>,
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

impl Then {
    fn go(self) {
        match self {
            Then::Wake(waker) => waker.wake(),
            Then::Run(run) => run(),
        }
    }
}

impl Heap {
    fn first(&self) -> Option<Moment> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    fn push(&mut self, at: Moment, then: Then) {
        self.flow();
        // Somebody outside sets it while the runtime sleeps until a later one.
        if self.pace.as_ref().is_some_and(Pace::rests) && self.first().is_none_or(|first| at < first) {
            self.wake_pump();
        }
        self.sequence += 1;
        let sequence = self.sequence;
        self.entries.push(Reverse(Entry { at, sequence, then }));
    }

    /// With a pace, time goes on by itself while all is at rest, up to the next entry.
    fn flow(&mut self) {
        let first = self.first();
        if let Some(pace) = &mut self.pace {
            self.now = pace.flow(self.now, first);
        }
    }

    fn wake_pump(&self) {
        if let Some(pump) = &self.pump {
            pump.wake_by_ref();
        }
    }

    /// Moves time to the next entry, which it takes out.
    fn take(&mut self) -> Option<Then> {
        let Reverse(entry) = self.entries.pop()?;
        self.now = self.now.max(entry.at);
        self.wake_pump();
        Some(entry.then)
    }

    /// What is to be set off now that nothing can run.
    fn next(&mut self) -> Option<Then> {
        let first = self.first();
        if let Some(pace) = &mut self.pace {
            let (now, go) = pace.at_rest(self.now, first);
            self.now = now;
            return match go {
                Go::Leap => self.take(),
                Go::Again => {
                    self.wake_pump();
                    None
                }
                Go::Stand => None,
            };
        }
        self.take().or_else(|| {
            self.stalled = true;
            self.idle.take().map(Then::Wake)
        })
    }
}

impl Virtual {
    pub(super) fn from(start: Moment) -> Self {
        Virtual::with(start, None)
    }

    /// One that keeps to a pace.
    pub(super) fn paced(start: Moment, pace: Pace) -> Self {
        Virtual::with(start, Some(pace))
    }

    fn with(start: Moment, pace: Option<Pace>) -> Self {
        let (paced, entries) = (pace.is_some(), BinaryHeap::new());
        let heap = Heap { now: start, pace, sequence: 0, entries, idle: None, pump: None, stalled: false };
        Virtual { heap: Mutex::new(heap), paced }
    }

    fn lock(&self) -> MutexGuard<'_, Heap> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Moment {
        let mut heap = self.lock();
        heap.flow();
        heap.now
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

    /// Moves time to the next entry and sets it off, as far as the pace allows. Called when no task can run.
    pub(super) fn leap(&self) {
        let then = self.lock().next();
        if let Some(then) = then {
            then.go();
        }
    }

    /// Called when tasks may run again.
    pub(super) fn unpark(&self) {
        let mut heap = self.lock();
        heap.flow();
        if let Some(pace) = &mut heap.pace {
            pace.stir();
        }
    }

    /// Something is under way on another thread; time stands until as many are let go.
    pub(super) fn hold(&self) {
        let mut heap = self.lock();
        heap.flow();
        if let Some(pace) = &mut heap.pace {
            pace.hold();
        }
    }

    pub(super) fn let_go(&self) {
        let mut heap = self.lock();
        if heap.pace.as_mut().is_some_and(Pace::let_go) {
            heap.wake_pump();
        }
    }

    pub(super) fn speed(&self) -> Option<Speed> {
        let mut heap = self.lock();
        heap.flow();
        let now = heap.now;
        heap.pace.as_mut().map(|pace| pace.speed(now))
    }

    /// Never ends. It is woken with every entry, and once it has been polled the runtime comes back to `leap`. With a pace
    /// it also wakes the runtime when the next entry is due, and looks after time that has stood for too long.
    pub(super) async fn pump(&self) {
        let (mut alarm, mut watch): (Option<BoxFuture<'static, ()>>, Option<BoxFuture<'static, ()>>) = (None, None);
        std::future::poll_fn(|cx| {
            {
                let mut heap = self.lock();
                heap.pump = Some(cx.waker().clone());
                let Some(pace) = &mut heap.pace else { return Poll::<()>::Pending };
                alarm = pace.alarm().or(alarm.take());
                watch = watch.take().or_else(|| Some(pace.watch()));
            }
            if ready(&mut alarm, cx)
                && let Some(pace) = &mut self.lock().pace
            {
                pace.rang();
            }
            if ready(&mut watch, cx) {
                self.go_on();
                // To set the next one.
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
    }

    /// Where nothing comes to rest for too long, time goes on all the same, as slowly as the machine's.
    fn go_on(&self) {
        loop {
            let then = {
                let mut heap = self.lock();
                let Some(until) = heap.pace.as_ref().and_then(Pace::late) else { return };
                if heap.first().is_none_or(|first| first > until) {
                    heap.now = heap.now.max(until);
                    return;
                }
                heap.take()
            };
            if let Some(then) = then {
                then.go();
            }
        }
    }
}

/// Whether it is over; then it is taken away.
fn ready(timer: &mut Option<BoxFuture<'static, ()>>, cx: &mut Context<'_>) -> bool {
    let over = timer.as_mut().is_some_and(|left| left.as_mut().poll(cx).is_ready());
    if over {
        *timer = None;
    }
    over
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
        heap.flow();
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
