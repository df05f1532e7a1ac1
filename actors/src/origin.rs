//! On whose account something is done: the [`Origin`] of the message that is being handled. It goes along with every
//! message to a seat and into every [`crate::Work`], so that no message type and no call has to name it.
//!
//! It holds while a message is handled or an output of the ledger runs, across awaits, and nowhere else: a timer or a task
//! that is set off meanwhile does not inherit it, and acts as the house itself, because of nothing. Who wants it to last
//! keeps a [`Told`], which takes it along when it is made.

use std::future::Future;
use std::sync::Arc;
use twin::{Because, By, Origin};

tokio::task_local! {
    static CURRENT: Cause;
}

/// An [`Origin`] as it travels: every message carries one, and most are because of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cause {
    /// The house itself, because of nothing.
    #[default]
    Nothing,
    /// The house itself, because of this record.
    Record(u64),
    Told(Arc<Origin>),
}

impl From<Origin> for Cause {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin { by: By::System, because: Because::Nothing } => Cause::Nothing,
            Origin { by: By::System, because: Because::Record(seq) } => Cause::Record(seq),
            told => Cause::Told(Arc::new(told)),
        }
    }
}

impl Cause {
    pub fn origin(&self) -> Origin {
        match self {
            Cause::Nothing => Origin::default(),
            Cause::Record(seq) => Origin::record(*seq),
            Cause::Told(origin) => Origin::clone(origin),
        }
    }
}

/// What is being done right now comes of this.
pub fn cause() -> Cause {
    CURRENT.try_with(Cause::clone).unwrap_or_default()
}

/// The origin of what is being done right now.
pub fn current() -> Origin {
    cause().origin()
}

/// Does something on this account.
pub fn within<T>(cause: impl Into<Cause>, act: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(cause.into(), act)
}

/// Does something that waits on this account.
pub fn during<F: Future>(cause: impl Into<Cause>, act: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(cause.into(), act)
}

/// In an output of a work: a consequence of the record so many before the work's last one.
pub fn earlier(back: usize) -> Cause {
    match current() {
        Origin { because: Because::Record(last), .. } => Cause::Record(last - back as u64),
        unwritten => unwritten.into(),
    }
}

/// A message with the cause it had when it was sent.
#[derive(Debug)]
pub struct Told<M> {
    pub cause: Cause,
    pub message: M,
}

impl<M> From<M> for Told<M> {
    fn from(message: M) -> Self {
        Told { cause: cause(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_the_message_and_ends_with_its_handling() {
        let scale = Origin::by(By::Device("L/scale".into()));
        let told = within(scale.clone(), || Told::from(7));
        assert_eq!((told.cause.origin(), current()), (scale.clone(), Origin::default()));
        within(told.cause, || {
            assert_eq!(within(Origin::record(3), current), Origin::record(3));
            assert_eq!(current(), scale, "the inner one is over");
        });
        assert_eq!(within(Origin::record(9), || earlier(2)), Cause::Record(7));
        assert_eq!(within(scale.clone(), || earlier(2)), scale.into(), "nothing was written");
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
