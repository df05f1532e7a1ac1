//! A time limit that can be moved for nothing: it sets a timer only when the limit moves nearer, and otherwise looks again
//! when the timer it has goes off. Never sets more than one timer at a time.

use crate::Clock;
use futures::future::BoxFuture;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use twin::Moment;

/// Rings once the clock's steady time has passed `due`; nothing is due while it is `None`.
pub(super) struct Alarm {
    clock: Clock,
    pub(super) due: Option<Moment>,
    timer: Option<(Moment, BoxFuture<'static, ()>)>,
}

impl Alarm {
    pub(super) fn new(clock: &Clock) -> Self {
        Alarm { clock: clock.clone(), due: None, timer: None }
    }

    /// Waits until the moment that is due, then forgets it. May be dropped and called again without loss.
    pub(super) async fn ring(&mut self) {
        poll_fn(|cx| self.poll_ring(cx)).await
    }

    fn poll_ring(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(due) = self.due else { return Poll::Pending };
            match &mut self.timer {
                Some((at, timer)) if *at <= due => {
                    ready!(timer.as_mut().poll(cx));
                    self.timer = None;
                    if self.clock.steady() >= due {
                        self.due = None;
                        return Poll::Ready(());
                    }
                }
                _ => {
                    let clock = self.clock.clone();
                    self.timer = Some((due, Box::pin(async move { clock.sleep(due - clock.steady()).await })));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::virtual_runtime;
    use twin::Span;

    #[test]
    fn a_limit_that_keeps_moving_away_rings_once_at_the_end() {
        let clock = Clock::virtual_from(Moment(0));
        virtual_runtime(&clock).unwrap().block_on(async {
            let mut alarm = Alarm::new(&clock);
            alarm.due = Some(Moment(10));
            for n in 1..=5 {
                assert_eq!(clock.timeout(Span(5), alarm.ring()).await, None);
                alarm.due = Some(Moment(10 + n * 5));
            }
            alarm.ring().await;
            assert_eq!(clock.now(), Moment(35));
            assert_eq!(alarm.due, None);
        });
    }

    #[test]
    fn a_limit_that_moves_nearer_rings_earlier() {
        let clock = Clock::virtual_from(Moment(0));
        virtual_runtime(&clock).unwrap().block_on(async {
            let mut alarm = Alarm::new(&clock);
            alarm.due = Some(Moment(1_000));
            assert_eq!(clock.timeout(Span(5), alarm.ring()).await, None);
            alarm.due = Some(Moment(20));
            alarm.ring().await;
            assert_eq!(clock.now(), Moment(20));
        });
    }
}
