//! `parceltwin live`: a site on an embedded twin, its API and its console.

use super::own_pace::{self, Stage};
use super::temporary::Temporary;
use super::{Answer, LiveFlags, environment, keep, products, screen, settings};
use crate::api;
use crate::query::Query;
use crate::query::follow::Follower;
use crate::router;
use actors::config::SiteConfig;
use actors::ledger::Pace;
use actors::order_desk::DeskMsg;
use actors::site::{Site, World};
use actors::{Caller, Delivery};
use anyhow::{Context, bail};
use drivers::platforms::{MapRow, ProductRow, read_maps, read_products, read_stock};
use drivers::wire::WireAddress;
use drivers::{Clock, ReqwestWire};
use sim::carriers::LatencyModel;
use sim::demand::{self, DemandSettings};
use sim::site_file::SiteFile;
use sim::world::{Setup, SimWorld};
use std::path::Path;
use std::sync::Arc;
use twin::entity::Kind;
use twin::stock::{Counted, Stock};
use twin::{Moment, Span, Twin, TwinError};

/// The base URL of a carrier that is simulated.
const SIMULATED: &str = "sim:";
/// A journal this far ahead of the machine's clock at the start is worth a word.
const JOURNAL_AHEAD: Span = Span::from_secs(1);
/// More than any machine keeps.
const SPEED_MAX: f64 = 100_000.0;
/// Event streams never end by themselves; they get this long of the machine's time.
const STREAMS_END_WITHIN: Span = Span::from_secs(2);
const QUICK_START: &str = include_str!("../../scenarios/quick-start/site.toml");

/// What a site sells and what of it lies where.
struct Goods {
    products: Vec<ProductRow>,
    maps: Vec<MapRow>,
    stock: Vec<Counted>,
}

pub fn run(flags: LiveFlags) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(live(flags))
}

async fn live(flags: LiveFlags) -> anyhow::Result<Answer> {
    let simulated = flags.simulated || flags.site.is_none();
    if !(flags.speed > 0.0 && flags.speed <= SPEED_MAX) {
        bail!("--speed {} is not between 0 and {SPEED_MAX}", flags.speed);
    }
    let file = match &flags.site {
        Some(path) => SiteFile::read(path)?,
        None => SiteFile::of_toml(QUICK_START, "quick-start")?,
    };
    // Before there is a twin it is the file that says what is real; later, what is in force.
    if flags.take || flags.data.as_ref().is_none_or(|data| !data.exists()) {
        let mut site = file.config.clone();
        if simulated {
            simulate(&mut site);
        }
        speed_fits(&site, &flags)?;
    }
    let temporary = if flags.data.is_none() { Some(Temporary::make()?) } else { None };
    let data = flags.data.as_deref().or(temporary.as_ref().map(|t| t.path())).context("there is no folder for the twin")?;
    let (folder, accept_loss, name) = (data.to_owned(), flags.accept_loss, file.config.name.clone());
    let home = Arc::new(tokio::task::spawn_blocking(move || keep::open(&folder, accept_loss, Some(&name))).await??);
    let twin = home.twin.clone();
    let (settled, path, parts, take) = (twin.clone(), flags.site.clone(), file.parts, flags.take);
    let mut opening = tokio::task::spawn_blocking(move || settings::at_start(&settled, path.as_deref(), &parts, take)).await??;
    if simulated {
        simulate(&mut opening.config);
    }
    let site = opening.config.clone();
    speed_fits(&site, &flags)?;
    let real = real(&site);
    keep::look_after(&home);
    let clock = clock(&flags, real.is_some(), twin.head().at);
    let demand = DemandSettings { orders: demand::ORDERS_MAX.min(1_000_000), ..DemandSettings::default() };
    let goods = goods(&flags, &site, &demand)?;
    let labels_before = twin.board().stages(Kind::Parcel).map(|(_, n)| n).sum();
    let mut setup = Setup { seed: flags.seed, labels_before, ..Setup::default() };
    setup.wires.carrier_latency = LatencyModel { base_ms: flags.carrier_latency_ms, jitter_ms: 0 };
    let world = SimWorld::build(&site, setup, clock.clone(), &goods.products);
    let outside = wire(&site, &world, &clock, &twin)?;
    let uncounted = twin.all::<Stock>().next().is_none();
    let metrics = api::metrics::install()?;
    let listener = tokio::net::TcpListener::bind(flags.listen).await.with_context(|| format!("cannot listen on {}", flags.listen))?;
    let address = listener.local_addr()?;
    let hosts = api::hosts::Hosts::new(address, &flags.host).map_err(|why| anyhow::anyhow!("--host {why}"))?;
    let news = products::news(&twin, &goods.products, &goods.maps, flags.take_products)?;
    let stage = if flags.speed > 1.0 { Stage::of_its_own(&clock)? } else { Stage::shared() };
    let mut running = stage.run(Site::start(opening, outside)).await??;
    running.describe(news);
    if uncounted {
        running.count(goods.stock.clone());
    }
    if simulated && flags.orders_per_hour > 0 {
        stage.begin(buy(&running, &clock, &flags, &demand, &goods));
    }
    if flags.speed > 1.0 {
        tokio::spawn(own_pace::tell_speed(clock.clone()));
    }
    // Nobody needs it to be there: what it lacks at a start it makes while the site runs.
    let query = Arc::new(Query::of(data));
    let follower = Follower::start(query.clone(), twin.clone()).context("cannot start the query side")?;
    let floor = world.floor.clone();
    let state = api::AppState {
        house: running.house.clone(),
        moving: Some(Arc::new(move || floor.moving())),
        metrics,
        name: running.house.in_force().config.name.clone(),
        hosts,
        query,
    };
    screen::print(&welcome(&running, address, data, temporary.is_some(), simulated))?;
    let doubted = home.clone();
    // One thread of those for the disk: the site has the others.
    let mut recount = tokio::task::spawn_blocking(move || doubted.recount());
    let (stop, stopping) = tokio::sync::watch::channel(());
    let server = tokio::spawn(router::serve(listener, state, stopping));
    let outcome = tokio::select! {
        biased;
        () = interrupted() => Ok(Answer::Yes),
        why = running.ended() => Err(anyhow::anyhow!("the site stopped: {why}")),
        why = found_wrong(&mut recount) => Err(anyhow::anyhow!("the site stopped: {why}; it is made anew at the next start")),
    };
    stop.send_replace(());
    let records = running.house.twin.head().records;
    Clock::free(1.0, Moment::default()).timeout(STREAMS_END_WITHIN, server).await;
    running.stop().await;
    tokio::task::spawn_blocking(move || drop(follower)).await?;
    if let Err(error) = tokio::task::spawn_blocking(move || home.settle()).await? {
        tracing::warn!(%error, "the live twin was not written to its end; it catches up at the next start");
    }
    stage.end().await;
    screen::print(&format!("stopped; the journal has {records} records\n"))?;
    outcome
}

/// Returns only where the live twin turns out not to be what its journal says.
async fn found_wrong(recount: &mut tokio::task::JoinHandle<Result<(), TwinError>>) -> TwinError {
    match recount.await {
        Ok(Err(why)) => why,
        // Whole, or the process ends.
        _ => std::future::pending().await,
    }
}

/// Everything simulated, whatever the settings say.
fn simulate(site: &mut SiteConfig) {
    for device in site.warehouses.iter_mut().flat_map(|w| &mut w.stations).flat_map(|s| &mut s.devices) {
        device.address = WireAddress::Sim;
    }
    for carrier in &mut site.carriers {
        carrier.api.base_url = SIMULATED.into();
    }
}

/// Only what is simulated throughout may go at another speed.
fn speed_fits(site: &SiteConfig, flags: &LiveFlags) -> anyhow::Result<()> {
    match real(site).filter(|_| flags.speed != 1.0) {
        Some(real) => bail!("--speed changes the clock, and {real} is real: leave it out, or add --simulated"),
        None => Ok(()),
    }
}

/// The first device or carrier of the plan that is not simulated, in words.
fn real(site: &SiteConfig) -> Option<String> {
    let device = site.devices().find(|(_, d)| d.address != WireAddress::Sim).map(|(_, d)| format!("device {}", d.id));
    device.or_else(|| site.carriers.iter().find(|c| c.api.base_url != SIMULATED).map(|c| format!("carrier {}", c.id())))
}

/// A real site goes by the machine's clock and says when somebody sets that; a simulated one goes by itself, and where it
/// is to go faster than the machine's, no faster than its actors.
fn clock(flags: &LiveFlags, real: bool, last_at: Moment) -> Clock {
    if !real && flags.speed > 1.0 {
        return Clock::paced(flags.speed, last_at);
    }
    if !real {
        return Clock::free(flags.speed, last_at);
    }
    let clock = Clock::wall(last_at);
    let ahead = last_at - clock.date();
    if ahead > JOURNAL_AHEAD {
        tracing::warn!(
            ahead_s = ahead.as_secs_f64(),
            "the journal's last record is later than the machine's clock: dates go by the clock, the journal goes on slower until both agree"
        );
    }
    let watched = clock.clone();
    tokio::spawn(async move { watched.steps(stepped).await });
    clock
}

/// The machine's clock was set by so much.
fn stepped(step: Span) {
    let seconds = step.as_secs_f64().abs();
    let direction = if step < Span::ZERO { "back" } else { "forward" };
    metrics::counter!(api::metrics::CLOCK_STEPS, "direction" => direction).increment(1);
    if step < Span::ZERO {
        tracing::warn!("the machine's clock was set back by {seconds:.3} s: dates follow it, the journal goes on slower until both agree");
    } else {
        tracing::warn!("the machine's clock was set forward by {seconds:.3} s: dates and the journal follow it");
    }
}

/// `products.csv`, `sku_maps.csv` and `stock.csv` beside the site file; made up where the site is simulated and there are none.
fn goods(flags: &LiveFlags, site: &SiteConfig, settings: &DemandSettings) -> anyhow::Result<Goods> {
    let folder = flags.site.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let (products_csv, stock, maps) = (folder.join("products.csv"), folder.join("stock.csv"), folder.join("sku_maps.csv"));
    if flags.site.is_some() && products_csv.exists() {
        let open = |path: &Path| std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()));
        let catalogue = products::good(read_products(&products_csv.display().to_string(), open(&products_csv)?)?);
        let stock = if stock.exists() { read_stock(&stock.display().to_string(), open(&stock)?)? } else { Vec::new() };
        let maps = if maps.exists() { products::good(read_maps(&maps.display().to_string(), open(&maps)?)?) } else { Vec::new() };
        return Ok(Goods { products: catalogue, maps, stock });
    }
    if flags.site.is_some() && !flags.simulated {
        bail!(
            "{} is not there: a site needs its product master (sku,category,weight_g,length_mm,width_mm,height_mm,battery)",
            products_csv.display()
        );
    }
    let products = demand::catalogue(flags.seed, settings);
    let warehouses: Vec<_> = site.warehouses.iter().map(|w| w.id.clone()).collect();
    let stock = demand::stock(flags.seed, settings, &products, &warehouses);
    Ok(Goods { products, maps: Vec::new(), stock })
}

/// Every device and carrier, real or simulated, as the site file says.
fn wire(site: &SiteConfig, world: &SimWorld, clock: &Clock, twin: &Arc<Twin>) -> anyhow::Result<World> {
    let mut dials = world.dials();
    for (_, device) in site.devices().filter(|(_, d)| d.address != WireAddress::Sim) {
        dials.insert(device.id.clone(), drivers::wire::dial(&device.address)?);
    }
    let mut carriers = world.drivers(site);
    let real: Vec<_> = site.carriers.iter().filter(|c| c.api.base_url != SIMULATED).collect();
    if !real.is_empty() {
        let network = Arc::new(ReqwestWire::new()?);
        for carrier in real {
            let driver = drivers::carriers::driver(&carrier.api, environment::secret(&carrier.api)?, network.clone(), clock.clone());
            carriers.insert(carrier.id().clone(), driver);
        }
    }
    Ok(World { clock: clock.clone(), twin: twin.clone(), pace: Pace::Disk, delivery: Delivery::Mailbox, dials, drivers: carriers })
}

/// Simulated buyers, who go on where an earlier run of the same twin stopped.
fn buy(site: &Site, clock: &Clock, flags: &LiveFlags, settings: &DemandSettings, goods: &Goods) -> impl Future<Output = ()> + use<> {
    let known = site.house.twin.board().stages(twin::Kind::Order).map(|(_, n)| n as usize).sum();
    let orders = demand::orders(flags.seed, settings, &goods.products, clock.now()).skip(known);
    let (clock, desk) = (clock.clone(), site.house.desk.clone());
    let (seed, mean_us) = (flags.seed, 3_600_000_000 / i64::from(flags.orders_per_hour));
    async move {
        let mut luck = sim::luck::Luck::of(seed, "buyers", "live");
        let mut next = clock.now();
        for (_, mut order) in orders {
            next += Span(luck.exponential_us(mean_us));
            clock.sleep_until(next).await;
            order.placed_at = clock.date();
            desk.cast(DeskMsg::Receive(vec![order], Caller::nobody()));
        }
    }
}

fn welcome(site: &Site, address: std::net::SocketAddr, data: &Path, temporary: bool, simulated: bool) -> String {
    let keeps = if temporary { "for this run only; keep it with --data DIR" } else { "kept" };
    let kind = if simulated { "simulated devices, carriers and buyers" } else { "devices and carriers as in the site file" };
    format!(
        "site {}: {kind}\n\n  console   http://{address}/\n  API       http://{address}/api/v1/docs\n  metrics   http://{address}/metrics\n\n  twin      {} ({keeps})\n\nCtrl-C ends it.\n",
        site.house.in_force().config.name,
        data.display(),
    )
}

/// Ctrl-C, or what a service manager sends.
async fn interrupted() {
    let mut terminated = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return drop(tokio::signal::ctrl_c().await),
    };
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
