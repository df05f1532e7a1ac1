//! Time is the first device: everything that waits or asks the hour does it here.
//!
//! [`Clock::wall`] follows the machine's clock, at a speed factor. [`Clock::virtual_from`] stands still while any task
//! can run and leaps to the next sleeper when none can; the runtime says when that is ([`virtual_runtime`]).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use twin::{Moment, Span};

/// Cheap to clone; all clones tell the same time.
#[derive(Clone)]
pub struct Clock(Arc<Face>);

enum Face {
    Wall { started: Moment, origin: tokio::time::Instant, speed: f64 },
    Virtual(Mutex<Heap>),
}

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

fn lock(heap: &Mutex<Heap>) -> MutexGuard<'_, Heap> {
    heap.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock and waits on it")]
impl Clock {
    /// The machine's clock, running `speed` times as fast from now on. Needs a tokio runtime with time enabled.
    pub fn wall(speed: f64) -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let started = Moment(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX));
        Clock(Arc::new(Face::Wall { started, origin: tokio::time::Instant::now(), speed: speed.max(0.001) }))
    }

    /// A clock that stands at `start` and moves only through [`virtual_runtime`].
    pub fn virtual_from(start: Moment) -> Self {
        let heap = Heap { now: start, sequence: 0, entries: BinaryHeap::new(), idle: None, pump: None, stalled: false };
        Clock(Arc::new(Face::Virtual(Mutex::new(heap))))
    }

    pub fn is_virtual(&self) -> bool {
        matches!(*self.0, Face::Virtual(_))
    }

    pub fn now(&self) -> Moment {
        match &*self.0 {
            Face::Wall { started, origin, speed } => {
                let elapsed_us = origin.elapsed().as_micros() as f64 * speed;
                *started + Span(elapsed_us as i64)
            }
            Face::Virtual(heap) => lock(heap).now,
        }
    }

    /// Waits until `at`; a moment already past returns at once.
    pub async fn sleep_until(&self, at: Moment) {
        match &*self.0 {
            Face::Wall { speed, .. } => tokio::time::sleep(wall_wait(at - self.now(), *speed)).await,
            Face::Virtual(_) => Sleep { clock: self, at, set: false }.await,
        }
    }

    pub async fn sleep(&self, span: Span) {
        self.sleep_until(self.now() + span).await;
    }

    /// Runs `then` at `at`. Lighter than a task that sleeps; must not block.
    pub fn at(&self, at: Moment, then: impl FnOnce() + Send + 'static) {
        match &*self.0 {
            Face::Wall { speed, .. } => {
                let wait = wall_wait(at - self.now(), *speed);
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    then();
                });
            }
            Face::Virtual(heap) => lock(heap).push(at, Then::Run(Box::new(then))),
        }
    }

    pub fn after(&self, span: Span, then: impl FnOnce() + Send + 'static) {
        self.at(self.now() + span, then);
    }

    /// The future's output, or `None` when `limit` passes first.
    pub async fn timeout<F: Future>(&self, limit: Span, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        let mut sleep = std::pin::pin!(self.sleep(limit));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(out) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(out));
            }
            sleep.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    /// Virtual time only: returns once nothing can run and nobody sleeps, which no amount of time will change.
    /// On a wall clock it never returns.
    pub async fn stalled(&self) {
        match &*self.0 {
            Face::Wall { .. } => std::future::pending().await,
            Face::Virtual(heap) => {
                std::future::poll_fn(|cx| {
                    let mut heap = lock(heap);
                    if heap.stalled {
                        return Poll::Ready(());
                    }
                    heap.idle = Some(cx.waker().clone());
                    Poll::Pending
                })
                .await;
            }
        }
    }

    /// Moves virtual time to the next entry and sets it off.
    fn leap(&self) {
        let Face::Virtual(heap) = &*self.0 else { return };
        let then = {
            let mut heap = lock(heap);
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

    /// Never ends. It is woken with every entry, and once it has been polled the runtime comes back to [`Clock::leap`].
    async fn pump(self) {
        std::future::poll_fn(|cx| {
            if let Face::Virtual(heap) = &*self.0 {
                lock(heap).pump = Some(cx.waker().clone());
            }
            Poll::<()>::Pending
        })
        .await;
    }
}

impl Heap {
    fn push(&mut self, at: Moment, then: Then) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.entries.push(Reverse(Entry { at, sequence, then }));
    }
}

fn wall_wait(span: Span, speed: f64) -> std::time::Duration {
    std::time::Duration::from_micros((span.0.max(0) as f64 / speed) as u64)
}

struct Sleep<'a> {
    clock: &'a Clock,
    at: Moment,
    set: bool,
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Face::Virtual(heap) = &*self.clock.0 else { return Poll::Ready(()) };
        let mut heap = lock(heap);
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

/// A single-threaded runtime that moves `clock` (which must be virtual) whenever no task can run.
pub fn virtual_runtime(clock: &Clock) -> std::io::Result<tokio::runtime::Runtime> {
    let leaping = clock.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().on_thread_park(move || leaping.leap()).build()?;
    runtime.spawn(clock.clone().pump());
    Ok(runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_sleepers_wake_in_order_and_a_day_takes_no_time() {
        let clock = Clock::virtual_from(Moment(0));
        let order = Arc::new(Mutex::new(Vec::new()));
        virtual_runtime(&clock).unwrap().block_on(async {
            let tasks = [3, 1, 2].map(|h| {
                let (clock, order) = (clock.clone(), order.clone());
                tokio::spawn(async move {
                    clock.sleep(Span::from_hours(h)).await;
                    order.lock().unwrap().push((h, clock.now()));
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
        });
        let seen = order.lock().unwrap().clone();
        assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(seen[2].1, Moment(Span::from_hours(3).0));
    }

    #[test]
    fn a_timeout_is_kept_in_virtual_time() {
        let clock = Clock::virtual_from(Moment(0));
        virtual_runtime(&clock).unwrap().block_on(async {
            assert_eq!(clock.timeout(Span::from_ms(10), std::future::pending::<()>()).await, None);
            assert_eq!(clock.now(), Moment(10_000));
            assert_eq!(clock.timeout(Span::from_ms(10), async { 7 }).await, Some(7));
        });
    }

    #[test]
    fn a_run_with_nothing_left_to_do_is_told_so() {
        let clock = Clock::virtual_from(Moment(0));
        virtual_runtime(&clock).unwrap().block_on(async {
            let ran = Arc::new(Mutex::new(false));
            let flag = ran.clone();
            clock.after(Span::from_secs(1), move || *flag.lock().unwrap() = true);
            clock.stalled().await;
            assert!(*ran.lock().unwrap());
        });
    }
}
