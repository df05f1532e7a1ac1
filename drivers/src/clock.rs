//! Time is the first device: everything that waits or asks the hour does it here.
//!
//! A clock has three readings, which agree in virtual time and on a simulated site. [`Clock::now`] is the journal's time
//! and dates its records; [`Clock::date`] is what the wall says, for hours of the day and dates that others read;
//! [`Clock::steady`] is for lengths of time within a run. [`Clock::wall`] is the clock of a real site, [`Clock::free`] runs
//! by itself and waits for nobody. [`Clock::virtual_from`] stands still while any task can run and leaps to the next sleeper when
//! none can; the runtime says when that is ([`virtual_runtime`]). [`Clock::paced`] does the same no faster than it is asked to: so
//! a simulated site goes at a speed that the machine may not be able to keep, and never outruns its actors.

mod heap;
mod pace;
mod wall;

use futures::future::BoxFuture;
use heap::Virtual;
use pace::Pace;
use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use twin::{Moment, Span};
use wall::{Machine, Wall};

/// Cheap to clone; all clones tell the same time.
#[derive(Clone)]
pub struct Clock(Arc<Face>);

enum Face {
    Wall(Wall),
    Virtual(Virtual),
}

/// How many times as fast as the machine's time a clock goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    pub asked: f64,
    /// What became of it in the last five seconds of the machine's time.
    pub kept: f64,
}

/// Something that time waits for, until it is dropped.
pub struct Hold(Option<Clock>);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(Face::Virtual(time)) = self.0.as_ref().map(|clock| &*clock.0) {
            time.let_go();
        }
    }
}

impl Clock {
    /// The clock of a real site. The date is the machine's, also after somebody has set that. The journal's time is too,
    /// but never goes back, neither in this process nor behind `not_before`, the time of the journal's last record: while
    /// it is ahead of the date it goes slower by a tenth. Needs a tokio runtime with time enabled.
    pub fn wall(not_before: Moment) -> Self {
        Clock(Arc::new(Face::Wall(Wall::following(Box::new(ThisMachine::new()), not_before))))
    }

    /// A clock that runs by itself, `speed` times as fast as the machine's, from what that says now or from `not_before`
    /// if that is later. All its readings are one. It goes on whether or not anybody keeps up with it: a site that is to go
    /// faster than the machine's clock has [`Clock::paced`]. Needs a tokio runtime with time enabled.
    pub fn free(speed: f64, not_before: Moment) -> Self {
        Clock(Arc::new(Face::Wall(Wall::free(Box::new(ThisMachine::new()), speed, not_before))))
    }

    /// A clock that runs by itself, up to `speed` times as fast as the machine's, from what that says now or from `not_before`
    /// if that is later. It sets off what is due one by one, and stands while anything that it woke is under way, on its
    /// runtime ([`paced_runtime`]) or under a [`Hold`]: where that takes longer it goes slower ([`Clock::speed`]). All its
    /// readings are one. May be read and waited for from any thread.
    pub fn paced(speed: f64, not_before: Moment) -> Self {
        let machine = ThisMachine::new();
        let start = machine.date().max(not_before);
        Clock(Arc::new(Face::Virtual(Virtual::paced(start, Pace::new(Box::new(machine), speed.max(0.001), start)))))
    }

    /// A clock that stands at `start` and moves only through [`virtual_runtime`].
    pub fn virtual_from(start: Moment) -> Self {
        Clock(Arc::new(Face::Virtual(Virtual::from(start))))
    }

    pub fn is_virtual(&self) -> bool {
        matches!(&*self.0, Face::Virtual(time) if !time.paced)
    }

    /// Keeps a paced clock from going on while something that it led to is under way on another thread than its runtime's.
    /// Any other clock waits for nobody.
    pub fn hold(&self) -> Hold {
        match &*self.0 {
            Face::Virtual(time) if time.paced => {
                time.hold();
                Hold(Some(self.clone()))
            }
            _ => Hold(None),
        }
    }

    /// How fast it was asked to go, and how fast it goes. Virtual time has no speed.
    pub fn speed(&self) -> Option<Speed> {
        match &*self.0 {
            Face::Wall(wall) => Some(Speed { asked: wall.speed(), kept: wall.speed() }),
            Face::Virtual(time) => time.speed(),
        }
    }

    /// The journal's time: what records are dated with. Never goes back, and leaps when the machine's clock is set forward.
    pub fn now(&self) -> Moment {
        match &*self.0 {
            Face::Wall(wall) => wall.now(),
            Face::Virtual(time) => time.now(),
        }
    }

    /// What the wall says: for cut-offs, ship dates and whatever else a person or a carrier reads as the hour or the day.
    /// It goes back when the machine's clock is set back.
    pub fn date(&self) -> Moment {
        match &*self.0 {
            Face::Wall(wall) => wall.date(),
            Face::Virtual(time) => time.now(),
        }
    }

    /// For lengths of time: it went on by what really passed, whatever the machine's clock was set to meanwhile. Means
    /// nothing beside another reading or in another process, so it never goes into a record.
    pub fn steady(&self) -> Moment {
        match &*self.0 {
            Face::Wall(wall) => wall.steady(),
            Face::Virtual(time) => time.now(),
        }
    }

    /// Waits until [`Clock::now`] says `at`; a moment already past returns at once.
    pub async fn sleep_until(&self, at: Moment) {
        match &*self.0 {
            Face::Wall(wall) => wall.sleep_until(at).await,
            Face::Virtual(time) => time.sleep_until(at).await,
        }
    }

    /// Waits for a length of time, whatever the machine's clock is set to meanwhile.
    pub async fn sleep(&self, span: Span) {
        match &*self.0 {
            Face::Wall(wall) => wall.wait(span).await,
            Face::Virtual(time) => time.sleep_until(time.now() + span).await,
        }
    }

    /// Runs `then` when [`Clock::now`] says `at`. Lighter than a task that sleeps; must not block.
    pub fn at(&self, at: Moment, then: impl FnOnce() + Send + 'static) {
        match &*self.0 {
            Face::Wall(_) => {
                let clock = self.clone();
                tokio::spawn(async move {
                    clock.sleep_until(at).await;
                    then();
                });
            }
            Face::Virtual(time) => time.run_at(at, Box::new(then)),
        }
    }

    /// Runs `then` after a length of time, whatever the machine's clock is set to meanwhile.
    pub fn after(&self, span: Span, then: impl FnOnce() + Send + 'static) {
        match &*self.0 {
            Face::Wall(wall) => {
                let wait = wall.wait(span);
                tokio::spawn(async move {
                    wait.await;
                    then();
                });
            }
            Face::Virtual(time) => time.run_at(time.now() + span, Box::new(then)),
        }
    }

    /// Runs `then` once [`Clock::date`] has come to the first date after now that `next` finds: `next` is given a date and
    /// answers with the one to wait for, such as the next 17:00. If the date leaps over it, it has come; if the date is set
    /// back, `next` is asked again, and an hour that so comes again is kept again: the first time it had come by a clock that
    /// was wrong. That is the machine's clock, in UTC. An hour that the people's clock shows twice, in the night when summer
    /// ends, is another matter: `next` answers with one moment of it (see [`twin::TimeZone::first_at`]), and it is kept once.
    /// Nothing happens if `next` finds none.
    pub fn at_next(&self, next: impl Fn(Moment) -> Option<Moment> + Send + 'static, then: impl FnOnce() + Send + 'static) {
        let date = self.date();
        match &*self.0 {
            Face::Wall(_) => {
                let clock = self.clone();
                tokio::spawn(async move {
                    if let Face::Wall(wall) = &*clock.0
                        && wall.sleep_until_next(date, next).await
                    {
                        then();
                    }
                });
            }
            Face::Virtual(time) => {
                if let Some(at) = next(date) {
                    time.run_at(at, Box::new(then));
                }
            }
        }
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

    /// Tells, within a second, of every step of the machine's clock: how far it was set forward, or back (below zero). The
    /// readings follow without it. Never returns; a clock that follows nothing has nothing to tell.
    pub async fn steps(&self, stepped: impl FnMut(Span)) {
        match &*self.0 {
            Face::Wall(wall) => wall.steps(stepped).await,
            Face::Virtual(_) => std::future::pending().await,
        }
    }

    /// Virtual time only: returns once nothing can run and nobody sleeps, which no amount of time will change.
    /// On a wall clock it never returns.
    pub async fn stalled(&self) {
        match &*self.0 {
            Face::Wall(_) => std::future::pending().await,
            Face::Virtual(time) => time.stalled().await,
        }
    }
}

/// The machine that this process runs on.
struct ThisMachine {
    origin: tokio::time::Instant,
}

impl ThisMachine {
    fn new() -> Self {
        ThisMachine { origin: tokio::time::Instant::now() }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock and waits on it")]
impl Machine for ThisMachine {
    fn date(&self) -> Moment {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> Moment {
        Moment(i64::try_from(self.origin.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    fn wait(&self, span: Span) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(std::time::Duration::from_micros(span.0.max(0) as u64)))
    }
}

/// A single-threaded runtime that moves `clock` (which must be virtual) whenever no task can run.
pub fn virtual_runtime(clock: &Clock) -> std::io::Result<tokio::runtime::Runtime> {
    driving(clock, &mut tokio::runtime::Builder::new_current_thread())
}

/// A single-threaded runtime that moves `clock` (which must be paced) whenever no task can run. What it is given with
/// `block_on` is not waited for: whatever the clock wakes must be a task of it, or hold the clock.
pub fn paced_runtime(clock: &Clock) -> std::io::Result<tokio::runtime::Runtime> {
    let stirring = clock.clone();
    let stir = move || {
        if let Face::Virtual(time) = &*stirring.0 {
            time.unpark();
        }
    };
    driving(clock, tokio::runtime::Builder::new_current_thread().enable_all().on_thread_unpark(stir))
}

fn driving(clock: &Clock, builder: &mut tokio::runtime::Builder) -> std::io::Result<tokio::runtime::Runtime> {
    let leaping = clock.clone();
    let leap = move || {
        if let Face::Virtual(time) = &*leaping.0 {
            time.leap();
        }
    };
    let runtime = builder.on_thread_park(leap).build()?;
    let pumping = clock.clone();
    runtime.spawn(async move {
        if let Face::Virtual(time) = &*pumping.0 {
            time.pump().await;
        }
    });
    Ok(runtime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

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
