//! The edge of a live site over HTTP: orders in, questions answered, events out.
//!
//! It reads requests, hands them to the cast, and writes answers. It decides nothing about an order or a parcel, and every
//! answer to a change comes only when the change is durable. [`crate::router`]
//! says what is asked where.

pub mod board;
pub mod by_hand;
pub mod charges;
pub mod connections;
pub mod decisions;
pub mod docs;
pub mod entities;
pub mod events;
pub mod feed;
pub mod gate;
pub mod health;
pub mod hosts;
pub mod idempotency;
pub mod limits;
pub mod lists;
pub mod metrics;
pub mod order_form;
mod order_remedies;
pub mod orders;
pub mod parcel_remedies;
pub mod problem;
pub mod problems;
pub mod product_form;
pub mod products;
pub mod remedies;
pub mod request_id;
pub mod returns;
pub mod serve;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod versions;

use crate::query::Query;
use actors::House;
use drivers::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use problem::Problem;
use std::ops::Deref;
use std::sync::Arc;
use twin::{Moment, StationId, Twin, TwinError};

/// How many items are on each line.
pub type Moving = Arc<dyn Fn() -> Vec<(StationId, usize)> + Send + Sync>;

/// What the edge needs of the site it stands before.
#[derive(Clone)]
pub struct AppState {
    pub house: Arc<House>,
    /// Where the floor is simulated: what is on the belts.
    pub moving: Option<Moving>,
    /// From [`metrics::install`].
    pub metrics: PrometheusHandle,
    /// The site's name, shown to people.
    pub name: String,
    /// By which names it may be asked.
    pub hosts: hosts::Hosts,
    pub query: Arc<Query>,
}

/// What every handler shares.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

pub struct Shared {
    pub app: AppState,
    /// Time as callers feel it: the machine's, also where the site's clock runs faster.
    pub clock: Clock,
    pub gate: gate::Gate,
    pub limits: Arc<limits::LimitLog>,
    pub feed: Arc<feed::Feed>,
    pub keys: Arc<idempotency::Keys>,
    pub board: board::Kept,
    pub numbers: request_id::Numbers,
}

impl Deref for Api {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    pub(crate) fn new(app: AppState) -> Self {
        let clock = if app.house.clock.is_virtual() { app.house.clock.clone() } else { Clock::free(1.0, Moment::default()) };
        let (gate, keys, board) = (gate::Gate::default(), Arc::default(), board::Kept::default());
        let numbers = request_id::Numbers::behind(app.house.twin.head().records);
        let limits = Arc::new(limits::LimitLog::by(clock.clone()));
        let feed = Arc::new(feed::Feed::new(limits.clone()));
        Api(Arc::new(Shared { app, clock, gate, limits, feed, keys, board, numbers }))
    }

    /// Asks the twin where waiting for its disk holds up nobody.
    pub async fn read<T: Send + 'static>(&self, ask: impl FnOnce(&Twin) -> Result<T, TwinError> + Send + 'static) -> Result<T, Problem> {
        let twin = self.app.house.twin.clone();
        match tokio::task::spawn_blocking(move || ask(&twin)).await {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                tracing::error!(%error, "a question to the twin broke off");
                Err(Problem::internal())
            }
        }
    }
}
