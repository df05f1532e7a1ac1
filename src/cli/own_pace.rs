//! A simulated site at more than the machine's speed has a thread of its own: there its clock sees when all is at rest,
//! and what callers ask of the API keeps nobody from it.

use crate::api::board::SpeedView;
use anyhow::Context;
use drivers::Clock;
use std::future::Future;
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use twin::Span;

/// Where the actors run.
pub struct Stage {
    handle: Handle,
    own: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Stage {
    /// The runtime that this is called on.
    pub fn shared() -> Self {
        Stage { handle: Handle::current(), own: None }
    }

    /// A thread of its own, for a paced clock.
    pub fn of_its_own(clock: &Clock) -> anyhow::Result<Self> {
        let runtime = drivers::clock::paced_runtime(clock).context("the site's clock cannot be set up")?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        // It ends when it is told to, and when there is nobody left to tell it.
        let run = move || drop(runtime.block_on(ended));
        let thread = std::thread::Builder::new().name("site".into()).spawn(run).context("the site's thread cannot be started")?;
        Ok(Stage { handle, own: Some((end, thread)) })
    }

    /// Does something of the site, where its clock sees it.
    pub async fn run<T: Send + 'static>(&self, what: impl Future<Output = T> + Send + 'static) -> anyhow::Result<T> {
        self.handle.spawn(what).await.context("the site broke off")
    }

    /// The same, and nobody waits for it.
    pub fn begin(&self, what: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(what);
    }

    /// Lets go of whatever still runs there.
    pub async fn end(self) {
        if let Some((end, thread)) = self.own {
            drop(end);
            // It is waited for where that holds up nobody; what it fell over was said when it did.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// How often the speed is looked at, by the machine's time.
const LOOK_EVERY: Span = Span::from_secs(1);
/// Another word when it has changed by this factor since the last.
const MUCH: f64 = 2.0;

/// Says in the log when the speed that is kept is clearly below what was asked, when that changes much, and when it is over.
pub async fn tell_speed(clock: Clock) {
    let (machine, mut told) = (Clock::free(1.0, twin::Moment::default()), None);
    // What the start takes is no measure.
    machine.sleep(LOOK_EVERY * 5).await;
    while let Some(speed) = clock.speed() {
        if let Some(word) = word(SpeedView::of(speed), &mut told) {
            tracing::warn!("{word}");
        }
        machine.sleep(LOOK_EVERY).await;
    }
}

/// What is to be said of it, where `told` is the speed that was told last.
fn word(speed: SpeedView, told: &mut Option<f64>) -> Option<String> {
    let SpeedView { asked, kept } = speed;
    if !speed.is_short() {
        return told.take().map(|_| format!("the site goes at the speed of {asked} again that was asked for"));
    }
    let much = told.is_none_or(|told| kept > told * MUCH || kept < told / MUCH);
    much.then(|| {
        *told = Some(kept);
        format!("the site is asked to go {asked} times as fast as the machine's clock and keeps {kept}: time waits for what is under way")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use drivers::clock::Speed;

    #[test]
    fn the_speed_that_is_kept_is_said_once_and_when_it_changes_much() {
        let mut told = None;
        let mut say = |kept| word(SpeedView::of(Speed { asked: 1_000.0, kept }), &mut told);
        assert_eq!(say(1_000.0), None);
        assert_eq!(say(950.0), None);
        assert!(say(400.0).unwrap().contains("keeps 400"));
        assert_eq!(say(350.0), None);
        assert_eq!(say(600.0), None);
        assert!(say(12.345).unwrap().contains("keeps 12.35"));
        assert!(say(990.0).unwrap().contains("again"));
        assert_eq!(say(990.0), None);
    }
}
