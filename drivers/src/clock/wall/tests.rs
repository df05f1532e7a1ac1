//! A machine whose clock can be set, and whose time is virtual: hours of it take no time.

use super::*;
use crate::clock::{Clock, Face, virtual_runtime};
use proptest::prelude::*;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const SECOND: Span = Span::from_secs(1);
const HOUR: Span = Span::from_hours(1);

/// The machine: its steady time is `time`, its date is `set` ahead of that.
#[derive(Clone)]
struct Settable {
    time: Clock,
    set: Arc<AtomicI64>,
}

impl Settable {
    fn at(start: &str) -> Self {
        Settable { time: Clock::virtual_from(start.parse().unwrap()), set: Arc::default() }
    }

    fn step(&self, by: Span) {
        self.set.fetch_add(by.0, Ordering::SeqCst);
    }

    fn clock(&self, not_before: Moment) -> Clock {
        Clock(Arc::new(Face::Wall(Wall::following(Box::new(self.clone()), not_before))))
    }

    fn run<T>(&self, what: impl Future<Output = T>) -> T {
        virtual_runtime(&self.time).unwrap().block_on(what)
    }

    async fn pass(&self, span: Span) {
        self.time.sleep(span).await;
    }
}

impl Machine for Settable {
    fn date(&self) -> Moment {
        self.time.now() + Span(self.set.load(Ordering::SeqCst))
    }
    fn steady(&self) -> Moment {
        self.time.now()
    }
    fn wait(&self, span: Span) -> BoxFuture<'static, ()> {
        let time = self.time.clone();
        Box::pin(async move { time.sleep(span).await })
    }
}

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

/// The next 17:00 UTC.
fn five(date: Moment) -> Option<Moment> {
    let day = 24 * HOUR.0;
    let today = Moment(date.0.div_euclid(day) * day) + HOUR * 17;
    Some(if today > date { today } else { today + HOUR * 24 })
}

#[test]
fn a_step_forward_moves_both_readings() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    let clock = machine.clock(Moment(0));
    machine.run(async {
        machine.pass(SECOND).await;
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T10:00:01Z"), at("2026-11-09T10:00:01Z")));
        machine.step(HOUR * 3);
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T13:00:01Z"), at("2026-11-09T13:00:01Z")));
        assert_eq!(clock.steady(), at("2026-11-09T10:00:01Z"));
    });
}

#[test]
fn after_a_step_back_the_date_is_right_at_once_and_the_journal_waits_for_it() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    let clock = machine.clock(Moment(0));
    machine.run(async {
        assert_eq!(clock.now(), at("2026-11-09T10:00:00Z"));
        machine.step(Span::from_mins(-6));
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T10:00:00Z"), at("2026-11-09T09:54:00Z")));
        // However often somebody asks, it goes on by nine tenths.
        for _ in 0..600 {
            machine.pass(SECOND).await;
            clock.now();
        }
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T10:09:00Z"), at("2026-11-09T10:04:00Z")));
        assert_eq!(clock.steady(), at("2026-11-09T10:10:00Z"));
        machine.pass(Span::from_mins(49)).await;
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T10:53:06Z"), at("2026-11-09T10:53:00Z")));
        machine.pass(Span::from_mins(2)).await;
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T10:55:00Z"), at("2026-11-09T10:55:00Z")));
    });
}

#[test]
fn a_site_goes_on_from_a_journal_that_is_ahead_of_the_wall() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    let clock = machine.clock(at("2026-11-09T11:00:00Z"));
    machine.run(async {
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T11:00:00Z"), at("2026-11-09T10:00:00Z")));
        machine.pass(HOUR).await;
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T11:54:00Z"), at("2026-11-09T11:00:00Z")));
        machine.pass(HOUR * 9).await;
        assert_eq!((clock.now(), clock.date()), (at("2026-11-09T20:00:00Z"), at("2026-11-09T20:00:00Z")));
    });
    let behind = machine.clock(at("2020-01-01T00:00:00Z"));
    assert_eq!(behind.now(), at("2026-11-09T20:00:00Z"));
}

#[test]
fn a_free_clock_follows_nothing_and_goes_on_from_its_journal() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    let free = |speed, not_before| Clock(Arc::new(Face::Wall(Wall::free(Box::new(machine.clone()), speed, not_before))));
    let (slow, fast) = (free(1.0, Moment(0)), free(60.0, at("2026-11-09T12:00:00Z")));
    machine.run(async {
        machine.step(HOUR * -2);
        machine.pass(Span::from_mins(1)).await;
        machine.step(HOUR * 7);
        for (clock, says) in [(&slow, "2026-11-09T10:01:00Z"), (&fast, "2026-11-09T13:00:00Z")] {
            assert_eq!((clock.now(), clock.date(), clock.steady()), (at(says), at(says), at(says)));
        }
        fast.sleep_until(at("2026-11-09T14:00:00Z")).await;
        assert_eq!(fast.now(), at("2026-11-09T14:00:00Z"));
        assert_eq!(slow.timeout(HOUR, slow.steps(|_| panic!("it follows nothing"))).await, None);
    });
}

/// What rang, and when by the machine's steady time.
type Rung = Arc<Mutex<Vec<(&'static str, Moment)>>>;

fn bell(rung: &Rung, time: &Clock, name: &'static str) -> impl FnOnce() + Send + 'static {
    let (rung, time) = (rung.clone(), time.clone());
    move || rung.lock().unwrap().push((name, time.now()))
}

#[test]
fn lengths_of_time_know_nothing_of_steps() {
    for step in [HOUR * 5, HOUR * -5] {
        let machine = Settable::at("2026-11-09T10:00:00Z");
        let (clock, rung) = (machine.clock(Moment(0)), Rung::default());
        machine.run(async {
            clock.after(HOUR, bell(&rung, &machine.time, "after"));
            let slept = tokio::spawn({
                let (clock, bell) = (clock.clone(), bell(&rung, &machine.time, "slept"));
                async move {
                    clock.sleep(HOUR).await;
                    assert_eq!(clock.timeout(HOUR, std::future::pending::<()>()).await, None);
                    bell();
                }
            });
            machine.pass(SECOND).await;
            machine.step(step);
            slept.await.unwrap();
        });
        let rung = rung.lock().unwrap().clone();
        assert_eq!(rung, [("after", at("2026-11-09T11:00:00Z")), ("slept", at("2026-11-09T12:00:00Z"))]);
    }
}

#[test]
fn a_moment_of_the_journal_comes_when_the_journal_says_so() {
    // What is waited for an hour and a minute from now, and how long it takes after a step in between.
    let cases = [
        (HOUR * 2, Span::ZERO),
        (Span::from_mins(30), Span::from_mins(31)),
        (Span::ZERO, Span::from_mins(61)),
        // Nine tenths of ten minutes are nine; then the wall has caught up.
        (Span::from_mins(-1), Span::from_mins(62)),
        // It has not yet.
        (HOUR * -9, Span::from_secs(61 * 60 * 10 / 9)),
    ];
    for (step, expected) in cases {
        let machine = Settable::at("2026-11-09T10:00:00Z");
        let clock = machine.clock(Moment(0));
        machine.run(async {
            let waiting = tokio::spawn({
                let clock = clock.clone();
                async move { clock.sleep_until(at("2026-11-09T11:01:00Z")).await }
            });
            machine.pass(Span(1)).await;
            machine.step(step);
            waiting.await.unwrap();
            let late = machine.time.now() - at("2026-11-09T10:00:00Z") + Span(-expected.0);
            assert!(late >= Span::ZERO && late <= SECOND, "{step:?}: {late:?}");
            assert!(clock.now() >= at("2026-11-09T11:01:00Z"));
        });
    }
}

#[test]
fn a_cut_off_at_five_comes_at_five_after_a_step_either_way() {
    // The step itself comes ten seconds after the start.
    let forward_over_it = ("2026-11-09T16:00:00Z", HOUR * 3, "2026-11-09T19:00:10Z");
    let forward = ("2026-11-09T12:00:00Z", HOUR * 3, "2026-11-09T17:00:00Z");
    let back = ("2026-11-09T16:00:00Z", HOUR * -2, "2026-11-09T17:00:00Z");
    // It had come and gone by a clock that was wrong: it comes once more by the right one.
    let back_over_it = ("2026-11-09T17:30:00Z", HOUR * -1, "2026-11-09T17:00:00Z");
    let a_day_back = ("2026-11-09T16:00:00Z", HOUR * -24, "2026-11-08T17:00:00Z");
    for (start, step, comes) in [forward_over_it, forward, back, back_over_it, a_day_back] {
        let machine = Settable::at(start);
        let clock = machine.clock(Moment(0));
        machine.run(async {
            let (tell, told) = tokio::sync::oneshot::channel();
            let its = clock.clone();
            clock.at_next(five, move || tell.send(its.date()).unwrap());
            machine.pass(Span::from_secs(10)).await;
            machine.step(step);
            let late = told.await.unwrap() - at(comes);
            assert!(late >= Span::ZERO && late <= SECOND, "{start} {step:?}: {late:?}");
        });
    }
}

#[test]
fn a_cut_off_in_the_hour_that_comes_twice_is_kept_once() {
    // Berlin's clock shows 02:30 at 00:30Z and at 01:30Z.
    let berlin: twin::TimeZone = "Europe/Berlin".parse().unwrap();
    let half_past_two = move |date: Moment| {
        let days = std::iter::successors(Some(berlin.date(date)), |day| day.tomorrow().ok());
        days.filter_map(|day| berlin.first_at(day, Span::from_mins(150))).find(|at| *at > date)
    };
    let machine = Settable::at("2026-10-24T12:00:00Z");
    let clock = machine.clock(Moment(0));
    machine.run(async {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..2 {
            let (tell, its) = (tell.clone(), clock.clone());
            clock.at_next(half_past_two.clone(), move || tell.send(its.date()).unwrap());
            let late = told.recv().await.unwrap();
            let hours = (late - at("2026-10-25T00:30:00Z")).0 / HOUR.0;
            assert!(hours == 0 || hours == 25, "{late}");
        }
        assert!(clock.date() >= at("2026-10-26T01:30:00Z"));
    });
}

#[test]
fn no_next_hour_never_comes() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    let (clock, rung) = (machine.clock(Moment(0)), Rung::default());
    machine.run(async {
        clock.at_next(|_| None, bell(&rung, &machine.time, "never"));
        machine.time.at_next(|_| None, bell(&rung, &machine.time, "never"));
        machine.pass(HOUR).await;
    });
    assert!(rung.lock().unwrap().is_empty());
}

#[test]
fn each_step_is_told_within_a_second_and_drift_is_not() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    let clock = machine.clock(Moment(0));
    machine.run(async {
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = tokio::spawn({
            let (told, clock) = (told.clone(), clock.clone());
            async move { clock.steps(move |step| told.lock().unwrap().push(step)).await }
        });
        let mut expected = Vec::new();
        for step in [HOUR * 2, HOUR * -3, Span::from_ms(-150), Span::from_ms(100)] {
            machine.pass(Span::from_mins(7)).await;
            machine.step(step);
            machine.pass(SECOND).await;
            expected.push(step);
            assert_eq!(*told.lock().unwrap(), expected);
        }
        for _ in 0..600 {
            machine.pass(SECOND).await;
            machine.step(Span::from_ms(1));
        }
        assert_eq!(*told.lock().unwrap(), expected);
        telling.abort();
    });
}

#[test]
fn who_reads_after_another_thread_reads_no_earlier_time() {
    let machine = Settable::at("2026-11-09T10:00:00Z");
    // The real machine's steady time under a date that is set all the time.
    struct Shaken(crate::clock::ThisMachine, Arc<AtomicI64>);
    impl Machine for Shaken {
        fn date(&self) -> Moment {
            Machine::date(&self.0) + Span(self.1.load(Ordering::SeqCst))
        }
        fn steady(&self) -> Moment {
            Machine::steady(&self.0)
        }
        fn wait(&self, span: Span) -> BoxFuture<'static, ()> {
            Machine::wait(&self.0, span)
        }
    }
    let shaken = Shaken(crate::clock::ThisMachine::new(), machine.set.clone());
    let wall = Wall::following(Box::new(shaken), Moment(0));
    let latest = AtomicI64::new(i64::MIN);
    std::thread::scope(|threads| {
        for n in 0..4 {
            let (wall, latest, machine) = (&wall, &latest, &machine);
            threads.spawn(move || {
                for turn in 0..20_000_i64 {
                    let before = latest.load(Ordering::SeqCst);
                    let now = wall.now().0;
                    assert!(now >= before, "{before} was read, and then {now}");
                    latest.fetch_max(now, Ordering::SeqCst);
                    if n == 0 {
                        machine.step(Span((turn * 7_919) % 2_001 - 1_000));
                    }
                }
            });
        }
    });
}

proptest! {
    /// Whatever is done to the machine's clock: the journal's time never goes back, nor slower than by a tenth, it is never
    /// behind the date, and where it is not the date it is as slow as it can be.
    #[test]
    fn the_journals_time_never_goes_back(turns in proptest::collection::vec((0..5_000_000_i64, -9_000_000..9_000_000_i64), 1..60), ahead in 0..20_000_000_i64) {
        let machine = Settable::at("2026-11-09T10:00:00Z");
        let clock = machine.clock(machine.time.now() + Span(ahead));
        machine.run(async {
            let mut before = (machine.time.now(), clock.now());
            for (wait, step) in turns {
                machine.pass(Span(wait)).await;
                if step % 3 == 0 {
                    machine.step(Span(step));
                }
                let (now, date) = (clock.now(), clock.date());
                let least = (machine.time.now() - before.0).0 * 9 / 10;
                assert!(now >= date);
                assert!((now - before.1).0 >= least - 1);
                assert!(now == date || (now - before.1).0 <= least + 1);
                before = (machine.time.now(), now);
            }
        });
    }
}
