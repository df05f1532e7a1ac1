//! The board as callers and the console see it: counts, what wants a look, each station with its devices and chutes, and
//! the parcels that changed lately. Reads the plan and the twin; counts nothing itself.

use super::limits::{BOARD_AGE_MAX, RECENT_PARCELS_MAX, RECENT_SCAN, TROUBLE_SCAN};
use super::problem::Problem;
use super::problems::{self, ProblemView, Problems, Wanted};
use super::{Api, AppState};
use actors::InForce;
use actors::config::{DeviceConfig, StationConfig, WarehouseConfig};
use axum::Json;
use axum::extract::State;
use drivers::clock::Speed;
use rules::pickups::Pickups;
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::bag::Bag;
use twin::carrier::Carrier;
use twin::device::{self, Device};
use twin::parcel::Parcel;
use twin::station::Station;
use twin::tracking::Tracking;
use twin::{CarrierId, Entity, Event, Key, Kind, Moment, StationId, Twin, TwinError, Way};
use utoipa::ToSchema;

/// Problems that the board shows.
const BOARD_PROBLEMS_MAX: usize = 200;

/// The stages of an order as the board counts them: a received order that waits for something counts as held.
pub const ORDER_STAGES: [&str; 9] =
    ["received", "held", "allocated", "released", "packed", "shipped", "delivered", "returned", "cancelled"];

/// A board that several callers may share for a moment.
pub type Kept = tokio::sync::Mutex<Option<(Moment, Arc<BoardView>)>>;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BoardView {
    /// The site's.
    pub name: String,
    /// What the site's wall clock says, RFC 3339.
    pub now: String,
    /// How many times as fast as the machine's time the site's clock goes.
    pub speed: Option<SpeedView>,
    /// Records in the journal.
    pub records: u64,
    /// What the journal's hash chain comes to.
    pub hash: String,
    /// Orders by stage.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub orders: BTreeMap<SmolStr, u64>,
    /// Parcels by where they are: those in the house by stage, those that left by the status of their tracking.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub parcels: BTreeMap<SmolStr, u64>,
    /// Returns by stage.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub returns: BTreeMap<SmolStr, u64>,
    /// Bags by stage.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub bags: BTreeMap<SmolStr, u64>,
    /// Since the process began, by reason.
    pub interceptions: BTreeMap<&'static str, u64>,
    /// Since the process began, by reason.
    pub holds: BTreeMap<&'static str, u64>,
    /// What is wrong now, by the twin: the most urgent first, and of those the oldest. What was put off is left out.
    pub problems: Vec<ProblemView>,
    /// How many those are, also where the list is cut.
    pub problems_open: u64,
    /// What is wrong with the twin itself, since the process began, newest first.
    pub alarms: Vec<AlarmView>,
    pub warehouses: Vec<WarehouseView>,
    /// Channels that people took out.
    pub channels_out: Vec<ChannelOutView>,
    /// Parcels that changed lately, newest first.
    pub recent: Vec<RecentParcel>,
}

/// A channel over which nothing new is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChannelOutView {
    pub channel: String,
    pub carrier: String,
    /// As whoever took it out said it.
    pub why: String,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SpeedView {
    /// With `--speed`; 1 where the clock is the machine's.
    pub asked: f64,
    /// What became of it in the last five seconds: less, where the machine cannot deal in time with what is due.
    pub kept: f64,
}

impl SpeedView {
    /// Below this share of what was asked it is worth a word.
    const CLEARLY_BELOW: f64 = 0.9;

    /// To three digits or so: it is measured.
    pub fn of(speed: Speed) -> Self {
        let Speed { asked, kept } = speed;
        SpeedView { asked, kept: if kept >= 100.0 { kept.round() } else { (kept * 100.0).round() / 100.0 } }
    }

    pub fn is_short(self) -> bool {
        self.kept < self.asked * Self::CLEARLY_BELOW
    }
}

/// Something that is wrong with the twin itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmView {
    pub at: String,
    pub what: String,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct WarehouseView {
    pub id: String,
    pub name: String,
    /// Whose clock it goes by: its name in the tz database.
    pub time_zone: String,
    /// What its own clock and calendar say: `Mon 2026-11-30 16:12`.
    pub local_time: String,
    /// When each carrier collects next, the soonest first. One that comes when it is called is not there.
    pub cutoffs: Vec<CutoffView>,
    pub stations: Vec<StationView>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CutoffView {
    pub carrier: String,
    /// RFC 3339.
    pub at: String,
    /// By the warehouse's clock and calendar: `Mon 2026-11-30 17:00`.
    pub local: String,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct StationView {
    pub id: String,
    /// `bench`, `line`, `dock` or `rework`.
    pub kind: &'static str,
    /// Why a person took it out; nothing where it is in use.
    pub out: Option<String>,
    pub devices: Vec<DeviceView>,
    /// Lines only.
    pub chutes: Vec<ChuteView>,
    /// Items sent to the reject chute that no parcel answered for.
    pub rejected: u64,
    /// Of those, the ones that nobody has dealt with yet.
    pub rejects_open: u64,
    /// Items on the belt, where the floor is simulated.
    pub moving: Option<usize>,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct DeviceView {
    pub id: String,
    pub kind: &'static str,
    /// `online`, `offline`, `faulty`, `out`, or `degraded`: it works, and says much that cannot be read.
    pub state: &'static str,
    /// Why a person took it out.
    pub out: Option<String>,
    /// What is wrong with it, in its own words.
    pub fault: Option<String>,
    /// Where it is not online: why.
    pub why: Option<String>,
    /// Where it is not online: since when, RFC 3339.
    pub since: Option<String>,
    pub identity: String,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ChuteView {
    pub chute: u16,
    /// Where intercepted, unreadable and undecided parcels go.
    pub reject: bool,
    /// Why a person took it out.
    pub out: Option<String>,
    pub channel: Option<String>,
    /// As people call the channel.
    pub channel_name: String,
    /// ISO countries; empty: any.
    pub countries: Vec<String>,
    /// The open bag under it.
    pub bag: Option<String>,
    pub parcels: usize,
    pub parcels_max: usize,
    pub weight_g: u32,
    pub weight_g_max: u32,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecentParcel {
    pub id: String,
    pub order: String,
    /// Where it is: its stage in the house, or the status of its tracking.
    pub stage: &'static str,
    pub channel: String,
    pub tracking: Option<String>,
    pub declared_g: u32,
    pub measured_g: Option<u32>,
    pub changed_at: String,
    /// Why it was stopped, or what the carrier says is wrong.
    pub trouble: Option<String>,
}

/// The whole site at a glance
#[utoipa::path(get, path = "/api/v1/board", tag = "board", responses((status = 200, description = "At most half a second old", body = BoardView)))]
pub async fn board(State(api): State<Api>) -> Result<Json<Arc<BoardView>>, Problem> {
    current(&api).await.map(Json)
}

/// The board, made anew if the last one is too old.
pub async fn current(api: &Api) -> Result<Arc<BoardView>, Problem> {
    let mut kept = api.board.lock().await;
    let now = api.clock.now();
    if let Some((made, board)) = &*kept
        && now - *made <= BOARD_AGE_MAX
    {
        return Ok(board.clone());
    }
    let app = api.app.clone();
    let board = Arc::new(api.read(move |twin| make(&app, twin)).await?);
    *kept = Some((now, board.clone()));
    Ok(board)
}

fn make(app: &AppState, twin: &Twin) -> Result<BoardView, TwinError> {
    let house = &app.house;
    let (counts, in_force) = (twin.board(), house.in_force());
    let moving: BTreeMap<StationId, usize> = app.moving.as_ref().map(|moving| moving().into_iter().collect()).unwrap_or_default();
    let moving = app.moving.is_some().then_some(&moving);
    let alarms = counts.alarms.iter().map(|alarm| AlarmView { at: alarm.at.to_string(), what: alarm.what.to_string() }).collect();
    let Problems { problems, open, .. } = problems::open(twin, house.clock.now(), &Wanted::default(), BOARD_PROBLEMS_MAX)?;
    Ok(BoardView {
        name: app.name.clone(),
        now: house.clock.date().to_string(),
        speed: house.clock.speed().map(SpeedView::of),
        records: counts.head.records,
        hash: counts.head.hash.to_string(),
        orders: counts.stages(Kind::Order).collect(),
        parcels: counts.whereabouts(),
        returns: counts.stages(Kind::Return).collect(),
        bags: counts.stages(Kind::Bag).collect(),
        problems,
        problems_open: open,
        alarms,
        warehouses: in_force.config.warehouses.iter().map(|w| warehouse(app, &in_force, twin, w, moving)).collect::<Result<_, _>>()?,
        channels_out: channels_out(&in_force, twin)?,
        recent: recent(twin, counts.head.records)?,
        interceptions: counts.interceptions,
        holds: counts.holds,
    })
}

/// Of the channels in force, those that are out.
fn channels_out(in_force: &InForce, twin: &Twin) -> Result<Vec<ChannelOutView>, TwinError> {
    let mut all = Vec::new();
    for carrier in &in_force.config.carriers {
        let Some((_, Carrier { channels_out, .. })) = twin.load::<Carrier>(carrier.id().text())? else { continue };
        let used = |channel| in_force.config.channel(channel).is_some_and(|c| c.carrier == *carrier.id());
        all.extend(channels_out.iter().filter(|(channel, _)| used(channel)).map(|(channel, why)| ChannelOutView {
            channel: channel.to_string(),
            carrier: carrier.id().to_string(),
            why: why.to_string(),
        }));
    }
    Ok(all)
}

fn warehouse(
    app: &AppState,
    in_force: &InForce,
    twin: &Twin,
    config: &WarehouseConfig,
    moving: Option<&BTreeMap<StationId, usize>>,
) -> Result<WarehouseView, TwinError> {
    let stations = config.stations.iter().map(|s| station(in_force, twin, s, moving)).collect::<Result<_, _>>()?;
    let (site, now) = (&in_force.config, app.house.clock.date());
    let collect = |carrier: &CarrierId| site.channels.iter().any(|c| c.carrier == *carrier && c.origins.contains(&config.id));
    let pickups = site.carriers.iter().filter(|c| collect(c.id())).filter_map(|c| Some((c.id(), in_force.pickups(c.id(), &config.id)?)));
    let mut next: Vec<_> = pickups.filter_map(|(carrier, pickups)| Some((pickups.next_cutoff(now)?, carrier, pickups))).collect();
    next.sort_unstable_by_key(|(at, carrier, _)| (*at, *carrier));
    let cutoff = |(at, carrier, pickups): (Moment, &CarrierId, &Pickups)| CutoffView {
        carrier: carrier.to_string(),
        at: at.to_string(),
        local: pickups.said(at),
    };
    Ok(WarehouseView {
        id: config.id.to_string(),
        name: config.name.clone(),
        time_zone: config.time_zone.to_string(),
        local_time: rules::working_days::said(&config.time_zone, now),
        cutoffs: next.into_iter().map(cutoff).collect(),
        stations,
    })
}

fn station(
    in_force: &InForce,
    twin: &Twin,
    config: &StationConfig,
    moving: Option<&BTreeMap<StationId, usize>>,
) -> Result<StationView, TwinError> {
    let state = twin.load::<Station>(config.id.text())?.unwrap_or_default().1;
    let devices = config.devices.iter().map(|d| device(twin, d)).collect::<Result<_, TwinError>>()?;
    Ok(StationView {
        id: config.id.to_string(),
        kind: config.kind.as_str(),
        out: state.out.as_ref().map(|why| why.to_string()),
        devices,
        chutes: chutes(in_force, twin, config, &state)?,
        rejected: state.rejected,
        rejects_open: state.rejects_open(),
        moving: moving.and_then(|m| config.line.as_ref().map(|_| m.get(&config.id).copied().unwrap_or(0))),
    })
}

fn device(twin: &Twin, config: &DeviceConfig) -> Result<DeviceView, TwinError> {
    let (version, device) = twin.load::<Device>(config.id.text())?.unwrap_or_default();
    // One that cannot be reached is not well because its last fault was another.
    let state = if device.online || device.out.is_some() { device.stage_word() } else { "offline" };
    let mut view = DeviceView {
        id: config.id.to_string(),
        kind: config.kind.as_str(),
        state,
        fault: device.fault.as_ref().map(|f| f.to_string()),
        out: device.out.as_ref().map(|why| why.to_string()),
        identity: device.identity.to_string(),
        ..DeviceView::default()
    };
    if let Some(out) = &device.out {
        view.why = Some(format!("taken out: {out}"));
        view.since = Some(device.since.to_string());
    } else if version == 0 {
        view.why = Some("it has not answered yet".into());
    } else if state != "online" {
        let (why, since) = trouble(twin, config, &device)?;
        (view.why, view.since) = (Some(why), Some(since.to_string()));
    }
    Ok(view)
}

/// Why a device is not well and since when, as its last records tell.
fn trouble(twin: &Twin, config: &DeviceConfig, device: &Device) -> Result<(String, Moment), TwinError> {
    let key = Key { kind: Kind::Device, id: config.id.text().clone() };
    for record in twin.history(&[key], Way::NEWEST_FIRST).take(TROUBLE_SCAN) {
        let record = record?;
        match &record.event {
            Event::Device(device::Event::Disconnected { why }) if !device.online => return Ok((why.to_string(), record.at)),
            Event::Device(device::Event::FaultRaised { what }) if device.online && device.fault.as_ref() == Some(what) => {
                return Ok((what.to_string(), record.at));
            }
            _ => {}
        }
    }
    Ok((device.fault.as_deref().unwrap_or("it is not connected").to_owned(), device.since))
}

fn chutes(in_force: &InForce, twin: &Twin, config: &StationConfig, state: &Station) -> Result<Vec<ChuteView>, TwinError> {
    let Some(line) = &config.line else { return Ok(Vec::new()) };
    let (site, limits) = (&in_force.config, &in_force.config.limits);
    let mut views = Vec::with_capacity(line.sorting.chutes.len() + 1);
    for rule in &line.sorting.chutes {
        let bag = state.bags.get(&rule.chute);
        let held = match bag {
            Some(bag) => twin.load::<Bag>(bag.text())?.unwrap_or_default().1,
            None => Bag::default(),
        };
        views.push(ChuteView {
            chute: rule.chute,
            reject: false,
            out: state.chutes_out.get(&rule.chute).map(|why| why.to_string()),
            channel: Some(rule.channel.to_string()),
            channel_name: site.channel(&rule.channel).map_or_else(|| rule.channel.to_string(), |c| c.name.clone()),
            countries: rule.countries.iter().map(|c| c.to_string()).collect(),
            bag: bag.map(|b| b.to_string()),
            parcels: held.parcels.len(),
            parcels_max: limits.bag_parcels_max,
            weight_g: held.weight_g,
            weight_g_max: limits.bag_weight_g_max,
        });
    }
    views.push(ChuteView { chute: line.sorting.reject, reject: true, channel_name: "rejects".into(), ..ChuteView::default() });
    Ok(views)
}

/// The parcels in the newest stretch of the journal, the one that changed last first.
fn recent(twin: &Twin, head: u64) -> Result<Vec<RecentParcel>, TwinError> {
    let mut last: BTreeMap<smol_str::SmolStr, u64> = BTreeMap::new();
    for record in twin.records(head.saturating_sub(RECENT_SCAN)) {
        let record = record?;
        if matches!(record.key.kind, Kind::Parcel | Kind::Tracking) {
            last.insert(record.key.id, record.seq);
        }
    }
    let mut order: Vec<_> = last.into_iter().map(|(id, seq)| (seq, id)).collect();
    order.sort_unstable_by(|a, b| b.cmp(a));
    order.truncate(RECENT_PARCELS_MAX);
    let mut parcels = Vec::with_capacity(order.len());
    for (_, id) in order {
        let Some((_, parcel)) = twin.load::<Parcel>(&id)? else { continue };
        let way = twin.load::<Tracking>(&id)?.map(|(_, way)| way);
        let stopped = parcel.interception.as_ref().map(|why| why.to_string());
        let said = way.as_ref().and_then(|way| way.exception.clone());
        let changed_at = way.as_ref().map_or(parcel.changed_at, |way| way.changed_at.max(parcel.changed_at));
        parcels.push(RecentParcel {
            id: id.to_string(),
            order: parcel.plan.order.to_string(),
            stage: way.map_or(parcel.stage.as_str(), |way| way.stage.as_str()),
            channel: parcel.plan.channel.to_string(),
            tracking: parcel.tracking.as_ref().map(|t| t.to_string()),
            declared_g: parcel.plan.declared_g,
            measured_g: parcel.measured_g,
            changed_at: changed_at.to_string(),
            trouble: stopped.or(said.or(parcel.exception).or(parcel.label_refused).map(|why| why.to_string())),
        });
    }
    Ok(parcels)
}
