//! One run of a scenario in virtual time: the same actors as a live site, a simulated world, a journal in memory, one
//! thread. The same scenario and seed give the same journal, to the last hash.

use crate::demand;
use crate::floor::tally::Tally;
use crate::kpis::{Kpis, PickupPlan, percent};
use crate::scenario::{FileError, Scenario};
use crate::site_file::SiteFile;
use crate::world::{Setup, SimWorld};
use actors::catalog::Change;
use actors::config::SiteConfig;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::settings::{Opening, SettingsFault};
use actors::site::{Site, SiteError, World};
use actors::{Caller, Delivery};
use drivers::Clock;
use drivers::platforms::{MapRow, OrderFile, ProductRow};
use rules::check::Thresholds;
use std::sync::Arc;
use twin::NewOrder;
use twin::entity::Kind;
use twin::parts::Parts;
use twin::stock::Counted;
use twin::{Moment, Span, Twin, TwinError};

/// How often a run looks whether it is done, and says how far it is.
const LOOK_EVERY: Span = Span::from_mins(30);

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub now: Moment,
    pub orders: u64,
    pub of: u64,
    /// Parcels that are where they stay.
    pub ended: u64,
    pub parcels: u64,
}

/// A finished run.
pub struct Run {
    pub kpis: Kpis,
    pub twin: Arc<Twin>,
    pub site: SiteConfig,
    pub start: Moment,
    /// Messages between its actors.
    pub messages: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Twin(#[from] TwinError),
    #[error(transparent)]
    Settings(#[from] SettingsFault),
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error("the virtual clock cannot be set up: {0}")]
    Runtime(#[from] std::io::Error),
    #[error("the site stopped at {at}: {why}")]
    Stopped { at: Moment, why: String },
    #[error("nothing was left to do at {at} and the run was not over: an actor waits for what nobody will say")]
    Stalled { at: Moment },
}

/// What is sold, what of it there is, and who buys it.
struct Trade {
    products: Vec<ProductRow>,
    maps: Vec<MapRow>,
    stock: Vec<Counted>,
    orders: Box<dyn Iterator<Item = (Moment, NewOrder)> + Send>,
    count: u64,
    start: Moment,
}

/// Runs the scenario once; `orders` replaces its demand. Where the scenario asks for it, the same day runs again without
/// checks, and its outcome stands beside the first.
pub fn run(scenario: &Scenario, seed: u64, orders: Option<&OrderFile>, progress: &mut dyn FnMut(Progress)) -> Result<Run, RunError> {
    run_with(Delivery::Turns, scenario, seed, orders, progress)
}

/// The same with another way to its parcels, which changes nothing but what it costs.
pub fn run_with(
    delivery: Delivery,
    scenario: &Scenario,
    seed: u64,
    orders: Option<&OrderFile>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Run, RunError> {
    let SiteFile { config: site, parts } = scenario.read_site_file()?;
    let mut once = |site| once(delivery, scenario, &parts, site, seed, orders, progress);
    let mut run = once(site.clone())?;
    if scenario.without_checks {
        let anything = Thresholds { weight_g: u32::MAX, side_mm: u32::MAX, ..site.checks };
        let control = once(SiteConfig { checks: anything, ..site })?;
        run.0.kpis.labels.wrong_left_without_checks = Some(control.1.wrong_left);
        run.0.kpis.labels.wrong_left_without_checks_pct = Some(percent(control.1.wrong_left, control.1.left));
    }
    Ok(run.0)
}

fn once(
    delivery: Delivery,
    scenario: &Scenario,
    parts: &Parts,
    mut site: SiteConfig,
    seed: u64,
    orders: Option<&OrderFile>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Run, Tally), RunError> {
    let trade = trade(scenario, &site, seed, orders);
    site.limits.keepalive_s = scenario.wires.keepalive_s;
    let clock = Clock::virtual_from(trade.start);
    let start = trade.start;
    let twin = Arc::new(Twin::in_memory(&scenario.name));
    // The first version is what the site file says; what the scenario has otherwise it has from outside.
    let settings = Opening::take(&twin, parts, clock.now(), "the scenario begins with it")?;
    let settings = Opening { config: site.clone(), ..settings };
    let runtime = drivers::clock::virtual_runtime(&clock)?;
    let before = actors::seat::messages_sent();
    let tally = runtime.block_on(play(delivery, scenario, settings, seed, trade, &clock, &twin, progress))?;
    // Nothing runs after this: the actors are dropped where they stand, and what stands in the journal stays as it is.
    drop(runtime);
    let kpis = Kpis::read(&scenario.name, seed, &twin, &tally, &site.fx, &PickupPlan::of(&site))?;
    let messages = actors::seat::messages_sent() - before;
    Ok((Run { kpis, twin, site, start, messages }, tally))
}

fn trade(scenario: &Scenario, site: &SiteConfig, seed: u64, file: Option<&OrderFile>) -> Trade {
    let Some(file) = file else {
        let products = demand::catalogue(seed, &scenario.demand);
        let warehouses: Vec<_> = site.warehouses.iter().map(|w| w.id.clone()).collect();
        let stock = demand::stock(seed, &scenario.demand, &products, &warehouses);
        let orders = demand::orders(seed, &scenario.demand, &products, scenario.start);
        let count = orders.len() as u64;
        return Trade { products, maps: Vec::new(), stock, orders: Box::new(orders), count, start: scenario.start };
    };
    let products = file.catalogue_or_derived();
    // Without a stock file every warehouse has plenty of everything.
    let plenty = || {
        let all = |w: &actors::config::WarehouseConfig| {
            let warehouse = w.id.clone();
            let all =
                move |p: &ProductRow| Counted { warehouse: warehouse.clone(), owner: p.owner.clone(), sku: p.sku.clone(), on_hand: 1_000 };
            products.iter().map(all).collect::<Vec<_>>()
        };
        site.warehouses.iter().flat_map(all).collect()
    };
    let stock = file.stock.clone().unwrap_or_else(plenty);
    let stock = stock.into_iter().filter(|r| site.warehouse(&r.warehouse).is_some()).collect();
    let mut orders: Vec<_> = file.orders.iter().map(|o| (o.placed_at, o.clone())).collect();
    orders.sort_by_key(|(at, _)| *at);
    let start = orders.first().map_or(scenario.start, |(at, _)| *at - LOOK_EVERY);
    let count = orders.len() as u64;
    Trade { products, maps: file.maps.clone(), stock, orders: Box::new(orders.into_iter()), count, start }
}

#[allow(clippy::too_many_arguments)]
async fn play(
    delivery: Delivery,
    scenario: &Scenario,
    settings: Opening,
    seed: u64,
    trade: Trade,
    clock: &Clock,
    twin: &Arc<Twin>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Tally, RunError> {
    let setup = Setup { seed, floor: scenario.floor.clone(), devices: scenario.devices, wires: scenario.wires, labels_before: 0 };
    let site = &settings.config;
    let world = SimWorld::build(site, setup, clock.clone(), &trade.products);
    let pace = Pace::Modelled(Span::from_ms(i64::from(scenario.wires.durable_ms)));
    let outside = World { clock: clock.clone(), twin: twin.clone(), pace, delivery, dials: world.dials(), drivers: world.drivers(site) };
    let mut live = Site::start(settings, outside).await?;
    live.describe(trade.products.into_iter().map(Change::from).chain(trade.maps.into_iter().map(Change::from)).collect());
    live.count(trade.stock);
    world.schedule(&scenario.faults, trade.start);
    let (desk, buying) = (live.house.desk.clone(), clock.clone());
    let orders = trade.orders;
    tokio::spawn(async move {
        for (at, order) in orders {
            buying.sleep_until(at).await;
            desk.cast(DeskMsg::Receive(vec![order], Caller::nobody()));
        }
    });
    let end = trade.start + Span::from_hours(24 * i64::from(scenario.days_max));
    tokio::select! {
        biased;
        () = watch(clock, twin, &world, trade.count, end, progress) => Ok(world.floor.tally()),
        why = live.ended() => Err(RunError::Stopped { at: clock.now(), why }),
        () = clock.stalled() => Err(RunError::Stalled { at: clock.now() }),
    }
}

/// Returns when every order is decided and every parcel is where it stays, or at `end`.
async fn watch(clock: &Clock, twin: &Twin, world: &SimWorld, orders: u64, end: Moment, progress: &mut dyn FnMut(Progress)) {
    while clock.now() < end {
        clock.sleep(LOOK_EVERY).await;
        let board = twin.board();
        let (mut received, mut waiting) = (0, 0);
        for (stage, n) in board.stages(Kind::Order) {
            received += n;
            waiting += if stage == "received" { n } else { 0 };
        }
        let (mut parcels, mut ended) = (0, 0);
        for (place, n) in board.whereabouts() {
            parcels += n;
            ended += if matches!(place.as_str(), "delivered" | "returned" | "lost" | "cancelled" | "intercepted") { n } else { 0 };
        }
        progress(Progress { now: clock.now(), orders: received, of: orders, ended, parcels });
        if received >= orders && waiting == 0 && parcels == ended && world.floor.is_idle() {
            return;
        }
    }
}
