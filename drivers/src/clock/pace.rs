//! How fast a clock may go that leaps only when all is at rest: no faster than it was asked to, and no faster than what it
//! has woken is dealt with.
//!
//! While anything is under way, on the site's runtime or on a thread that holds the clock, time stands, as it does in
//! virtual time. Where nothing comes to rest for a second, because callers leave it no pause, it goes on as the machine's
//! does: never slower than on a real floor.

use super::Speed;
use super::wall::Machine;
use futures::future::BoxFuture;
use std::collections::VecDeque;
use twin::{Moment, Span};

/// So much of the machine's time is caught up; what is lost beyond that makes the clock slower.
const CATCH_UP_MAX: Span = Span::from_ms(500);
/// Time stands no longer than this of the machine's.
const STAND_MAX: Span = Span::from_secs(1);
/// How often somebody looks whether it stands for too long.
const WATCH_EVERY: Span = Span::from_ms(20);
/// The speed that is kept is told of so much of the machine's time.
const KEPT_OVER: Span = Span::from_secs(5);
const KEPT_EVERY: Span = Span::from_ms(500);

/// What the clock said when the machine said so.
#[derive(Clone, Copy)]
struct Reading {
    machine: Moment,
    site: Moment,
}

/// What to do when no task can run.
#[derive(Debug, PartialEq)]
pub(super) enum Go {
    /// The next entry is due.
    Leap,
    /// Look once more at what can run, then ask again.
    Again,
    /// Nothing is due, or something is under way elsewhere.
    Stand,
}

pub(super) struct Pace {
    machine: Box<dyn Machine>,
    speed: f64,
    /// From here on it goes at full speed.
    from: Reading,
    /// When all was at rest last.
    rested: Reading,
    /// How much is under way on other threads.
    held: usize,
    /// Some of that was let go since the runtime last looked what can run: it may have made a task ready.
    let_go: bool,
    /// No task can run: time flows.
    resting: bool,
    /// When by the machine's time the runtime is woken, and how long until then where nobody has set that alarm yet.
    due: Option<Moment>,
    alarm: Option<Span>,
    kept: VecDeque<Reading>,
}

impl Pace {
    pub(super) fn new(machine: Box<dyn Machine>, speed: f64, start: Moment) -> Self {
        let began = Reading { machine: machine.steady(), site: start };
        let kept = VecDeque::new();
        Pace { machine, speed, from: began, rested: began, held: 0, let_go: false, resting: false, due: None, alarm: None, kept }
    }

    /// How far the clock would be by now.
    fn wanted(&self, machine: Moment) -> Moment {
        self.from.site + times(machine - self.from.machine, self.speed)
    }

    /// When by the machine's time the clock would be there.
    fn machine_at(&self, site: Moment) -> Moment {
        self.from.machine + Span(((site - self.from.site).0 as f64 / self.speed).ceil() as i64)
    }

    fn flows(&self) -> bool {
        self.resting && self.held == 0 && !self.let_go
    }

    pub(super) fn rests(&self) -> bool {
        self.resting
    }

    /// The time after `now` while all is at rest: up to the `first` entry, which is the runtime's to set off.
    pub(super) fn flow(&mut self, now: Moment, first: Option<Moment>) -> Moment {
        if !self.flows() {
            return now;
        }
        let machine = self.machine.steady();
        let wanted = self.wanted(machine);
        let site = first.map_or(wanted, |first| first.min(wanted)).max(now);
        self.rested = Reading { machine, site };
        site
    }

    /// No task can run: the time that it is, and what to do. Nothing is due before the `first` entry.
    pub(super) fn at_rest(&mut self, now: Moment, first: Option<Moment>) -> (Moment, Go) {
        if self.held > 0 {
            return (now, Go::Stand);
        }
        if std::mem::take(&mut self.let_go) {
            return (now, Go::Again);
        }
        let machine = self.machine.steady();
        if self.kept.is_empty() {
            // It begins when its runtime does.
            self.from = Reading { machine, site: now };
        }
        // What flowed is in `now`; the rest is what time stood for.
        let (wanted, most) = (self.wanted(machine), now + times(CATCH_UP_MAX, self.speed));
        if wanted > most {
            self.from = Reading { machine, site: most };
        }
        let wanted = wanted.min(most);
        let site = first.map_or(wanted, |first| first.min(wanted)).max(now);
        self.rested = Reading { machine, site };
        self.note(site, machine);
        let Some(first) = first else {
            (self.due, self.resting) = (None, true);
            return (site, Go::Stand);
        };
        if first <= wanted {
            return (site, Go::Leap);
        }
        let due = self.machine_at(first);
        if self.due != Some(due) {
            (self.due, self.alarm) = (Some(due), Some(due - machine));
            return (site, Go::Again);
        }
        self.resting = true;
        (site, Go::Stand)
    }

    /// Tasks may run again.
    pub(super) fn stir(&mut self) {
        self.resting = false;
    }

    pub(super) fn hold(&mut self) {
        self.held += 1;
    }

    /// Says whether that was the last.
    pub(super) fn let_go(&mut self) -> bool {
        self.held = self.held.saturating_sub(1);
        self.let_go |= self.held == 0;
        self.held == 0
    }

    /// The alarm that is to be set, if it is another than before.
    pub(super) fn alarm(&mut self) -> Option<BoxFuture<'static, ()>> {
        self.alarm.take().map(|left| self.machine.wait(left))
    }

    pub(super) fn rang(&mut self) {
        self.due = None;
    }

    pub(super) fn watch(&self) -> BoxFuture<'static, ()> {
        self.machine.wait(WATCH_EVERY)
    }

    /// How far time goes although something is under way; nothing where it has not stood for long.
    pub(super) fn late(&self) -> Option<Moment> {
        let beyond = self.machine.steady() - (self.rested.machine + STAND_MAX);
        let late = !self.flows() && beyond > Span::ZERO;
        late.then(|| self.rested.site + times(beyond, self.speed.min(1.0)))
    }

    fn note(&mut self, site: Moment, machine: Moment) {
        if self.kept.back().is_none_or(|last| machine - last.machine >= KEPT_EVERY) {
            self.kept.push_back(Reading { machine, site });
        }
        while self.kept.get(1).is_some_and(|second| machine - second.machine >= KEPT_OVER) {
            self.kept.pop_front();
        }
    }

    /// What was asked, and what is kept: all of it before there is anything to tell.
    pub(super) fn speed(&mut self, now: Moment) -> Speed {
        let machine = self.machine.steady();
        if !self.kept.is_empty() {
            self.note(now, machine);
        }
        let passed = |since: &Reading| (machine - since.machine, now - since.site);
        let kept = match self.kept.front().map(passed) {
            Some((machine, site)) if machine >= KEPT_EVERY => site.0 as f64 / machine.0 as f64,
            _ => self.speed,
        };
        Speed { asked: self.speed, kept: kept.min(self.speed) }
    }
}

fn times(span: Span, factor: f64) -> Span {
    Span((span.0 as f64 * factor) as i64)
}

#[cfg(test)]
mod tests;
