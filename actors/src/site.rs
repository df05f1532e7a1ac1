//! The root of the cast, and the one place where everything is wired: plan and world in, a running site out.

use crate::carrier::{CarrierActor, CarrierArguments};
use crate::catalog::{CatalogMsg, Change, Outcome};
use crate::config::SiteConfig;
use crate::in_force::InForce;
use crate::intake::Receipt;
use crate::ledger::{Ledger, LedgerArguments, Pace};
use crate::order_desk::{DeskMsg, OrderDesk};
use crate::parcels::{Parcels, ParcelsArguments};
use crate::problems::Problems;
use crate::settings::keeper::KeeperArguments;
use crate::settings::{Keeper, Opening};
use crate::supervision::{Children, Start};
use crate::warehouse::{WarehouseActor, WarehouseArguments};
use crate::{Caller, Delivery, House};
use drivers::Clock;
use drivers::carriers::CarrierDriver;
use drivers::wire::Dial;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;
use twin::stock::Counted;
use twin::{CarrierId, DeviceId, NewOrder, Twin};

/// Everything outside that a site needs.
pub struct World {
    pub clock: Clock,
    pub twin: Arc<Twin>,
    pub pace: Pace,
    pub delivery: Delivery,
    pub dials: BTreeMap<DeviceId, Dial>,
    pub drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>,
}

/// A running site.
pub struct Site {
    pub house: Arc<House>,
    root: ActorRef<SiteMsg>,
    ended: Option<oneshot::Receiver<String>>,
}

/// Why a site did not start or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("the site's plan is faulty: {0}")]
    Plan(String),
    #[error("the site did not start: {0}")]
    Start(#[from] SpawnErr),
    #[error("the site has stopped")]
    Stopped,
}

impl Site {
    pub async fn start(settings: impl Into<Opening>, world: World) -> Result<Site, SiteError> {
        let Opening { version, since, written, config, past } = settings.into();
        if let Some(fault) = config.fault() {
            return Err(SiteError::Plan(fault));
        }
        config.advice().iter().for_each(|advice| tracing::warn!("{advice}"));
        for over in config.holidays_run_out(world.clock.date()) {
            tracing::warn!("{}; pickups are planned on every working day after it", over);
        }
        let World { clock, twin, pace, delivery, dials, drivers } = world;
        let in_force = InForce { past, ..InForce::new(version, since, config) };
        let house = Arc::new(House::new(clock, twin, delivery, dials, drivers, in_force));
        let (tell, ended) = oneshot::channel();
        let (root, _) = SiteActor::spawn(None, SiteActor, (house.clone(), pace, Arc::new(written), tell)).await?;
        Ok(Site { house, root, ended: Some(ended) })
    }

    /// Hands orders in; the answer comes when they are durable. Faulty ones must be kept out before.
    pub async fn receive(&self, orders: Vec<NewOrder>) -> Result<Vec<Receipt>, SiteError> {
        receive(&self.house, orders).await
    }

    /// Sets stock to what was counted.
    pub fn count(&self, rows: Vec<Counted>) {
        self.house.desk.cast(DeskMsg::Count(rows, Caller::new(|outcomes| warn_of_refused("a count", outcomes))));
    }

    /// Tells the house what is sold. Orders that come after it know it.
    pub fn describe(&self, changes: Vec<Change>) {
        self.house
            .desk
            .cast(DeskMsg::Catalog(CatalogMsg::Change(changes, Caller::new(|outcomes| warn_of_refused("what is sold", outcomes)))));
    }

    /// Waits until the site ends by itself, and says why. Whoever stops waiting may wait again; it is said once.
    pub async fn ended(&mut self) -> String {
        let Some(ended) = &mut self.ended else { return std::future::pending().await };
        let why = ended.await.unwrap_or_else(|_| "it was stopped".into());
        self.ended = None;
        why
    }

    pub async fn stop(self) {
        self.house.ledger.close();
        // A site that has fallen already is stopped enough.
        let _ = self.root.stop_and_wait(None, None).await;
    }
}

/// Of what is refused the first is told, and how much there is.
fn warn_of_refused(what: &str, outcomes: Vec<Result<Outcome, String>>) {
    let mut refused = outcomes.into_iter().filter_map(Result::err);
    if let Some(first) = refused.next() {
        tracing::warn!(refused = refused.count() + 1, %first, "{} was refused in part", what);
    }
}

pub async fn receive(house: &House, orders: Vec<NewOrder>) -> Result<Vec<Receipt>, SiteError> {
    let (caller, answer) = Caller::waiting();
    house.desk.cast(DeskMsg::Receive(orders, caller));
    answer.await.map_err(|_| SiteError::Stopped)
}

enum SiteMsg {
    Restart(usize),
}

struct SiteActor;

struct SiteState {
    house: Arc<House>,
    children: Children,
    ledger: ActorCell,
    tell: Option<oneshot::Sender<String>>,
}

impl Drop for SiteState {
    /// However the site ended, nothing leaves it any more.
    fn drop(&mut self) {
        self.house.ledger.close();
    }
}

impl Actor for SiteActor {
    type Msg = SiteMsg;
    type State = SiteState;
    type Arguments = (Arc<House>, Pace, Arc<SiteConfig>, oneshot::Sender<String>);

    async fn pre_start(
        &self,
        myself: ActorRef<SiteMsg>,
        (house, pace, written, tell): Self::Arguments,
    ) -> Result<SiteState, ActorProcessingErr> {
        let ledger = LedgerArguments { house: house.clone(), pace };
        let ledger = Ledger::spawn_linked(None, Ledger, ledger, myself.get_cell()).await?.0.get_cell();
        let mut children = Children::default();
        let all = house.clone();
        let start: Start = Arc::new(move |supervisor| {
            let arguments = KeeperArguments { house: all.clone(), started: written.clone() };
            Box::pin(async move { Ok(Keeper::spawn_linked(None, Keeper, arguments, supervisor).await?.0.get_cell()) })
        });
        children.start(myself.get_cell(), "keeper of the settings", start).await?;
        let all = house.clone();
        let start: Start = Arc::new(move |supervisor| {
            let house = all.clone();
            Box::pin(async move { Ok(Problems::spawn_linked(None, Problems, house, supervisor).await?.0.get_cell()) })
        });
        children.start(myself.get_cell(), "list of problems", start).await?;
        let in_force = house.in_force();
        for config in &in_force.config.carriers {
            let (house, config) = (house.clone(), config.clone());
            let name = format!("carrier {}", config.id());
            let start: Start = Arc::new(move |supervisor| {
                let arguments = CarrierArguments { house: house.clone(), config: config.clone() };
                Box::pin(async move { Ok(CarrierActor::spawn_linked(None, CarrierActor, arguments, supervisor).await?.0.get_cell()) })
            });
            children.start(myself.get_cell(), name, start).await?;
        }
        for config in &in_force.config.warehouses {
            let (house, config) = (house.clone(), config.clone());
            let name = format!("warehouse {}", config.id);
            let start: Start = Arc::new(move |supervisor| {
                let arguments = WarehouseArguments { house: house.clone(), config: config.clone() };
                Box::pin(async move { Ok(WarehouseActor::spawn_linked(None, WarehouseActor, arguments, supervisor).await?.0.get_cell()) })
            });
            children.start(myself.get_cell(), name, start).await?;
        }
        let (all, fresh) = (house.clone(), AtomicBool::new(true));
        let start: Start = Arc::new(move |supervisor| {
            let arguments = ParcelsArguments { house: all.clone(), fresh: fresh.swap(false, Ordering::Relaxed) };
            Box::pin(async move { Ok(Parcels::spawn_linked(None, Parcels, arguments, supervisor).await?.0.get_cell()) })
        });
        children.start(myself.get_cell(), "parcels", start).await?;
        let all = house.clone();
        let start: Start = Arc::new(move |supervisor| {
            let house = all.clone();
            Box::pin(async move { Ok(OrderDesk::spawn_linked(None, OrderDesk, house, supervisor).await?.0.get_cell()) })
        });
        children.start(myself.get_cell(), "order desk", start).await?;
        Ok(SiteState { house, children, ledger, tell: Some(tell) })
    }

    async fn handle(&self, myself: ActorRef<SiteMsg>, message: SiteMsg, state: &mut SiteState) -> Result<(), ActorProcessingErr> {
        let SiteMsg::Restart(child) = message;
        state.children.restart(child, &state.house, &myself, SiteMsg::Restart).await.map(drop)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SiteMsg>,
        event: SupervisionEvent,
        state: &mut SiteState,
    ) -> Result<(), ActorProcessingErr> {
        // Without a ledger nothing may leave the house, so the house closes.
        let outcome = match event {
            SupervisionEvent::ActorFailed(cell, why) if cell.get_id() == state.ledger.get_id() => {
                Err(format!("the ledger cannot write: {why}").into())
            }
            event => state.children.on_event(event, &state.house, &myself, SiteMsg::Restart),
        };
        if let Err(why) = &outcome
            && let Some(tell) = state.tell.take()
        {
            tracing::error!(%why, "the site stops");
            // Nobody waits for the reason any more when the site is being stopped from outside.
            let _ = tell.send(why.to_string());
        }
        outcome
    }
}
