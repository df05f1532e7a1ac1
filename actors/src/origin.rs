//! On whose account something is done: the [`Origin`] of the message that is being handled. It goes along with every
//! message to a seat and into every [`crate::Work`], so that no message type and no call has to name it.
//!
//! It holds while a message is handled or an output of the ledger runs, across awaits, and nowhere else: a timer or a task
//! that is set off meanwhile does not inherit it, and acts as the house itself, because of nothing. Who wants it to last
//! keeps a [`Told`], which takes it along when it is made.

use std::future::Future;
use twin::{Because, Origin};

tokio::task_local! {
    static CURRENT: Origin;
}

/// The origin of what is being done right now.
pub fn current() -> Origin {
    CURRENT.try_with(Origin::clone).unwrap_or_default()
}

/// Does something on this account.
pub fn within<T>(origin: Origin, act: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(origin, act)
}

/// Does something that waits on this account.
pub fn during<F: Future>(origin: Origin, act: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(origin, act)
}

/// In an output of a work: a consequence of the record so many before the work's last one.
pub fn earlier(back: usize) -> Origin {
    match current() {
        Origin { because: Because::Record(last), .. } => Origin::record(last - back as u64),
        unwritten => unwritten,
    }
}

/// A message with the origin it had when it was sent.
#[derive(Debug)]
pub struct Told<M> {
    pub origin: Origin,
    pub message: M,
}

impl<M> From<M> for Told<M> {
    fn from(message: M) -> Self {
        Told { origin: current(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::By;

    #[test]
    fn it_goes_with_the_message_and_ends_with_its_handling() {
        let scale = Origin::by(By::Device("L/scale".into()));
        let told = within(scale.clone(), || Told::from(7));
        assert_eq!((&told.origin, current()), (&scale, Origin::default()));
        within(told.origin, || {
            assert_eq!(within(Origin::record(3), current), Origin::record(3));
            assert_eq!(current(), scale, "the inner one is over");
        });
        assert_eq!(within(Origin::record(9), || earlier(2)), Origin::record(7));
        assert_eq!(within(scale.clone(), || earlier(2)), scale, "nothing was written");
    }

    #[tokio::test]
    async fn it_lasts_across_awaits_and_spawned_tasks_have_none() {
        let others = during(Origin::record(5), async {
            let spawned = tokio::spawn(async { current() });
            tokio::task::yield_now().await;
            assert_eq!(current(), Origin::record(5));
            spawned.await.unwrap()
        });
        assert_eq!(others.await, Origin::default());
        assert_eq!(current(), Origin::default());
    }
}
