//! Consumers that are slower than the clock was asked to go, on the real machine; and the pace alone, on one that is set.

use super::*;
use crate::clock::{Clock, ThisMachine, paced_runtime};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use tokio::sync::mpsc::unbounded_channel;

const SECOND: Span = Span::from_secs(1);
const MS: Span = Span::from_ms(1);

/// Keeps the processor busy.
fn work(span: Span) {
    let machine = ThisMachine::new();
    while machine.steady() < Moment(span.0) {}
}

#[test]
fn time_never_leaps_over_what_is_due_and_the_speed_that_is_kept_is_told() {
    // A wake-up each second: a tenth of a millisecond of the machine's, and whoever is woken works for a whole one.
    let clock = Clock::paced(10_000.0, Moment(0));
    let runtime = paced_runtime(&clock).unwrap();
    assert_eq!(clock.speed().unwrap(), Speed { asked: 10_000.0, kept: 10_000.0 });
    let wakened = |first: Span| {
        let clock = clock.clone();
        runtime.spawn(async move {
            let mut due = clock.now() + first;
            for _ in 0..400 {
                clock.sleep_until(due).await;
                assert_eq!(clock.now(), due, "woken when it was due");
                work(MS);
                tokio::task::yield_now().await;
                assert_eq!(clock.now(), due, "time stands while it works");
                due += SECOND;
            }
        })
    };
    let consumers = [wakened(SECOND), wakened(Span(SECOND.0 / 2)), wakened(SECOND)];
    runtime.block_on(futures::future::try_join_all(consumers)).unwrap();
    let Speed { asked, kept } = clock.speed().unwrap();
    assert_eq!(asked, 10_000.0);
    assert!(kept > 1.0 && kept < 1_000.0, "three milliseconds for each second are {kept} times the machine's at most");
}

#[test]
fn time_waits_for_a_thread_that_holds_it() {
    let clock = Clock::paced(1_000_000.0, Moment(0));
    let runtime = paced_runtime(&clock).unwrap();
    let (ask, asked) = std::sync::mpsc::channel();
    let (answer, mut answers) = unbounded_channel();
    std::thread::spawn(move || {
        for (n, hold) in asked {
            if n % 100 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            answer.send(n).unwrap();
            drop(hold);
        }
    });
    // Something is always due next.
    let ticks = clock.clone();
    runtime.spawn(async move {
        loop {
            ticks.sleep(MS).await;
        }
    });
    let asking = clock.clone();
    let done = runtime.spawn(async move {
        for n in 0..2_000 {
            asking.sleep(MS * 3).await;
            let before = asking.now();
            ask.send((n, asking.hold())).unwrap();
            assert_eq!(answers.recv().await, Some(n));
            assert_eq!(asking.now(), before, "the {n}th answer");
        }
    });
    runtime.block_on(done).unwrap();
}

#[test]
fn at_rest_it_goes_at_the_speed_that_was_asked_for() {
    let clock = Clock::paced(1_000.0, Moment(0));
    let start = clock.now();
    let runtime = paced_runtime(&clock).unwrap();
    let machine = ThisMachine::new();
    // Whoever reads it from another thread sees it flow, and never go back.
    let (reading, over) = (clock.clone(), Arc::new(AtomicBool::new(false)));
    let (ends, pushed) = (over.clone(), Arc::new(AtomicI64::new(0)));
    let rang = pushed.clone();
    let reader = std::thread::spawn(move || {
        let (mut last, mut seen) = (reading.now(), 0);
        while !ends.load(Ordering::SeqCst) {
            let now = reading.now();
            assert!(now >= last);
            seen += i32::from(now > last);
            last = now;
            if seen == 10 {
                // Sooner than anything that the runtime waits for.
                let (then, rang) = (reading.clone(), rang.clone());
                reading.after(SECOND * 10, move || rang.store((then.now() - now).0, Ordering::SeqCst));
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        seen
    });
    let sleeper = clock.clone();
    runtime.block_on(runtime.spawn(async move { sleeper.sleep(SECOND * 700).await })).unwrap();
    let passed = machine.steady();
    over.store(true, Ordering::SeqCst);
    assert!(reader.join().unwrap() > 10);
    assert_eq!(clock.now() - start, SECOND * 700);
    assert!(passed >= Moment(0) + MS * 700, "{passed:?} of the machine's time");
    let late = pushed.load(Ordering::SeqCst) - SECOND.0 * 10;
    assert!((0..SECOND.0).contains(&late), "what another thread set came {late} us late");
    let Speed { kept, .. } = clock.speed().unwrap();
    assert!(kept > 500.0, "{kept} kept of 1,000");
}

#[test]
fn where_nothing_comes_to_rest_time_goes_on_as_the_machines() {
    let clock = Clock::paced(1_000.0, Moment(0));
    let runtime = paced_runtime(&clock).unwrap();
    let machine = ThisMachine::new();
    let restless = runtime.spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let sleeper = clock.clone();
    runtime.block_on(runtime.spawn(async move { sleeper.sleep(MS * 100).await })).unwrap();
    let passed = machine.steady() - Moment(0);
    assert!(passed >= STAND_MAX && passed < SECOND * 10, "{passed:?}");
    restless.abort();
}

/// A machine whose time is set.
#[derive(Clone, Default)]
struct Set(Arc<AtomicI64>);

impl Set {
    fn pass(&self, span: Span) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Machine for Set {
    fn date(&self) -> Moment {
        self.steady()
    }
    fn steady(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
    fn wait(&self, _: Span) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_little_is_caught_up_and_the_rest_makes_it_slower() {
    let machine = Set::default();
    let mut pace = Pace::new(Box::new(machine.clone()), 100.0, Moment(0));
    let mut now = Moment(0);
    // Each second of the site's time takes a second of the machine's.
    for second in 1..=10 {
        let due = Moment(SECOND.0 * second);
        let (at, go) = pace.at_rest(now, Some(due));
        if go != Go::Leap {
            machine.pass(MS * 10);
        }
        now = due.max(at);
        pace.stir();
        machine.pass(SECOND);
    }
    let kept = pace.speed(now).kept;
    assert!((0.75..1.1).contains(&kept), "{kept}");
    // Now it could go at full speed again: half a second's worth comes at once, no more.
    let (at, go) = pace.at_rest(now, Some(now + SECOND * 1_000));
    assert_eq!((at, go), (now + SECOND * 50, Go::Again));
    assert_eq!(pace.at_rest(at, Some(now + SECOND * 1_000)).1, Go::Stand);
    machine.pass(SECOND);
    assert_eq!(pace.flow(at, Some(now + SECOND * 1_000)), at + SECOND * 100);
}

#[test]
fn what_is_held_or_was_just_let_go_is_waited_for() {
    let machine = Set::default();
    let mut pace = Pace::new(Box::new(machine.clone()), 100.0, Moment(0));
    pace.at_rest(Moment(0), None);
    pace.stir();
    machine.pass(SECOND);
    let due = Some(Moment(1));
    pace.hold();
    pace.hold();
    assert!(!pace.let_go());
    assert_eq!(pace.at_rest(Moment(0), due), (Moment(0), Go::Stand));
    assert!(pace.let_go());
    // It may have made a task ready after the runtime looked.
    assert_eq!(pace.at_rest(Moment(0), due), (Moment(0), Go::Again));
    assert_eq!(pace.at_rest(Moment(0), due), (Moment(1), Go::Leap));
    // Held by somebody outside while all is at rest, it stands, and for no longer than a second.
    assert_eq!(pace.at_rest(Moment(1), None).1, Go::Stand);
    machine.pass(MS);
    pace.flow(Moment(1), None);
    pace.hold();
    machine.pass(SECOND);
    assert_eq!(pace.late(), None);
    machine.pass(SECOND);
    assert!(pace.late().is_some());
}
