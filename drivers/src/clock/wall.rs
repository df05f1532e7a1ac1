//! What a wall clock makes of the machine's: the journal's time, which never goes back, and the date, which follows.
//!
//! The machine's clock may be set while the site runs. Nothing here remembers such a step: every reading looks at the
//! machine anew, so a step is followed by the first reading after it. Only [`Wall::steps`] compares, in order to tell.

use futures::future::BoxFuture;
use std::sync::{Mutex, PoisonError};
use twin::{Moment, Span};

/// The machine under a clock. Tests put one in its place whose clock they can set.
pub(super) trait Machine: Send + Sync {
    /// What the machine's clock says. May go anywhere when somebody sets it.
    fn date(&self) -> Moment;
    /// Time that never goes back and that nobody can set, counted from anywhere.
    fn steady(&self) -> Moment;
    /// Ends once the steady time has gone on by `span`.
    fn wait(&self, span: Span) -> BoxFuture<'static, ()>;
}

/// How often somebody who waits for an hour looks whether the machine's clock was set.
pub(super) const LOOK_EVERY: Span = Span::from_ms(500);
/// Differences below this are no step: ntpd and its like slew them, and two clocks are never read at the same instant.
const STEP_MIN: Span = Span::from_ms(100);
/// Two readings further apart than this (the process did not run in between) say nothing about each other.
const BESIDE_MAX: Span = Span::from_ms(10);
/// While the journal is ahead of the date it goes on by nine tenths.
const SLEW: (i64, i64) = (9, 10);

pub(super) struct Wall {
    machine: Box<dyn Machine>,
    /// What [`Wall::steady`] counts from: `now` when the machine's own was `began`.
    started: Moment,
    began: Moment,
    course: Course,
}

enum Course {
    /// Runs this many times as fast as the machine, and follows nothing.
    Free(f64),
    Follows(Mutex<Anchor>),
}

/// The last reading of the journal's time at which it agreed with the date.
#[derive(Clone, Copy)]
struct Anchor {
    steady: Moment,
    now: Moment,
}

impl Wall {
    pub(super) fn following(machine: Box<dyn Machine>, not_before: Moment) -> Self {
        let (started, began) = (machine.date().max(not_before), machine.steady());
        Wall { machine, started, began, course: Course::Follows(Mutex::new(Anchor { steady: began, now: started })) }
    }

    pub(super) fn free(machine: Box<dyn Machine>, speed: f64, not_before: Moment) -> Self {
        let (started, began) = (machine.date().max(not_before), machine.steady());
        Wall { machine, started, began, course: Course::Free(speed.max(0.001)) }
    }

    /// The date where that is not behind; else it goes on from the last agreement, slower, until the date has caught up.
    pub(super) fn now(&self) -> Moment {
        let Course::Follows(anchor) = &self.course else { return self.steady() };
        // Both are read under the lock, so that who reads later reads no earlier time.
        let mut anchor = anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let date = self.machine.date();
        let steady = self.machine.steady();
        let least = anchor.now + Span(((steady - anchor.steady) * SLEW.0).0 / SLEW.1);
        if date >= least {
            *anchor = Anchor { steady, now: date };
            return date;
        }
        least
    }

    pub(super) fn date(&self) -> Moment {
        match self.course {
            Course::Free(_) => self.steady(),
            Course::Follows(_) => self.machine.date(),
        }
    }

    pub(super) fn steady(&self) -> Moment {
        let elapsed = self.machine.steady() - self.began;
        match self.course {
            Course::Free(speed) => self.started + Span((elapsed.0 as f64 * speed) as i64),
            Course::Follows(_) => self.started + elapsed,
        }
    }

    /// How many times as fast as the machine's steady time.
    pub(super) fn speed(&self) -> f64 {
        match self.course {
            Course::Free(speed) => speed,
            Course::Follows(_) => 1.0,
        }
    }

    /// Real time, whatever the machine's clock is set to meanwhile.
    pub(super) fn wait(&self, span: Span) -> BoxFuture<'static, ()> {
        let span = span.0.max(0);
        self.machine.wait(Span(match self.course {
            Course::Free(speed) => (span as f64 / speed) as i64,
            Course::Follows(_) => span,
        }))
    }

    /// Waits a part of `left`, short enough that a step of the machine's clock is noticed within a second.
    fn wait_part(&self, left: Span) -> BoxFuture<'static, ()> {
        match self.course {
            Course::Free(_) => self.wait(left),
            Course::Follows(_) => self.wait(left.min(LOOK_EVERY)),
        }
    }

    pub(super) async fn sleep_until(&self, at: Moment) {
        loop {
            let left = at - self.now();
            if left <= Span::ZERO {
                return;
            }
            self.wait_part(left).await;
        }
    }

    /// Waits until the date has come to what `next` finds after `seen`; where the date is set back, `next` is asked again.
    /// Says whether there is such a date at all.
    pub(super) async fn sleep_until_next(&self, mut seen: Moment, next: impl Fn(Moment) -> Option<Moment>) -> bool {
        let Some(mut due) = next(seen) else { return false };
        loop {
            let date = self.date();
            if date < seen {
                due = next(date).map_or(due, |sooner| sooner.min(due));
            }
            seen = date;
            let left = due - date;
            if left <= Span::ZERO {
                return true;
            }
            self.wait_part(left).await;
        }
    }

    /// Calls `stepped` with the size of each step of the machine's clock, below zero where it was set back. Never ends.
    pub(super) async fn steps(&self, mut stepped: impl FnMut(Span)) {
        if matches!(self.course, Course::Free(_)) {
            return std::future::pending().await;
        }
        let mut before = self.offset();
        loop {
            self.machine.wait(LOOK_EVERY).await;
            let Some(offset) = self.offset() else { continue };
            let step = Span(offset.0 - before.unwrap_or(offset).0);
            before = Some(offset);
            if step.0.abs() >= STEP_MIN.0 {
                stepped(step);
            }
        }
    }

    /// How far the date is from the machine's steady time; nothing where the two could not be read one beside the other.
    fn offset(&self) -> Option<Span> {
        let steady = self.machine.steady();
        let date = self.machine.date();
        (self.machine.steady() - steady <= BESIDE_MAX).then(|| date - steady)
    }
}

#[cfg(test)]
mod tests;
