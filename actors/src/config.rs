//! The plan of a site: its warehouses, stations and devices, its carriers and channels, its thresholds. Read from a file
//! once; what happens goes into the twin, not here.

use drivers::carriers::{self, CarrierKind, CarrierSettings};
use drivers::devices::sorter::Names;
use drivers::wire::WireAddress;
use rules::check::Thresholds;
use rules::fx::Rates;
use rules::pickups::Pickups;
use rules::sorting::SortingPlan;
use rules::working_days::{Weekday, WorkingDays};
use serde::Deserialize;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use twin::channel::Channel;
use twin::device::DeviceKind;
use twin::parts::Parts;
use twin::station::StationKind;

use twin::{Address, CarrierId, Date, DeviceId, Moment, Span, StationId, TimeZone, WarehouseId};

/// A site as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    /// As people call it; the journal is known by it.
    pub name: String,
    /// When a measured parcel is not the one that was declared.
    #[serde(default)]
    pub checks: Thresholds,
    /// Exchange rates, by which prices in different currencies are compared.
    pub fx: Rates,
    /// Bounds on work in progress.
    #[serde(default)]
    pub limits: Bounds,
    /// At least one.
    #[serde(rename = "warehouse")]
    pub warehouses: Vec<WarehouseConfig>,
    /// At least one.
    #[serde(rename = "carrier")]
    pub carriers: Vec<CarrierConfig>,
    /// At least one.
    #[serde(rename = "channel")]
    pub channels: Vec<Channel>,
}

/// Bounds on work in progress.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Parcel actors awake at once before the longest at rest is put to sleep.
    pub parcels_awake_max: usize,
    /// Labels printed at one bench and not yet packed.
    pub bench_parcels_max: usize,
    /// In one bag; then it is closed and another begun.
    pub bag_parcels_max: usize,
    /// The same by weight.
    pub bag_weight_g_max: u32,
    /// HTTP calls under way to one carrier.
    pub carrier_calls_max: usize,
    /// Parcels waiting for a label from one carrier; more are refused for now.
    pub carrier_queue_max: usize,
    /// Other channels that an order tries by itself when a carrier sells no label for it; 0: a person decides.
    pub other_channels_max: usize,
    /// Items between scanner and divert on one line.
    pub line_items_max: usize,
    /// Seconds between two looks at an idle device.
    pub keepalive_s: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            parcels_awake_max: 16_384,
            bench_parcels_max: 40,
            bag_parcels_max: 60,
            bag_weight_g_max: 20_000,
            carrier_calls_max: 64,
            carrier_queue_max: 100_000,
            other_channels_max: 2,
            line_items_max: 64,
            keepalive_s: 30,
        }
    }
}

/// A building with its stations: at least a bench, a line and a dock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarehouseConfig {
    /// Short, and for ever: stock and records are known by it.
    pub id: WarehouseId,
    /// As people call it.
    pub name: String,
    /// What parcels come from. Put right when it is read, like a buyer's when an order comes in.
    #[serde(deserialize_with = "put_right")]
    pub address: Address,
    /// Whose clock and calendar it goes by: `Europe/Berlin`, by its name in the tz database.
    pub time_zone: TimeZone,
    /// Days of the week on which it works and carriers can collect there.
    #[serde(default = "every_day")]
    pub working_days: BTreeSet<Weekday>,
    /// Dates on which it does not, by its own calendar.
    #[serde(default)]
    pub holidays: BTreeSet<Date>,
    /// What stood in older files in place of `time_zone`: refused, with what to write.
    #[serde(default, rename = "utc_offset_h", deserialize_with = "offset_is_gone")]
    pub offset_is_gone: (),
    /// Where its people and machines work.
    #[serde(rename = "station")]
    pub stations: Vec<StationConfig>,
}

fn every_day() -> BTreeSet<Weekday> {
    Weekday::ALL.into()
}

/// An offset would be an hour wrong half of the year in most places, so it is not taken for a zone silently.
fn offset_is_gone<'de, D: serde::Deserializer<'de>>(offset: D) -> Result<(), D::Error> {
    let hours = i8::deserialize(offset)?;
    Err(serde::de::Error::custom(format!(
        "utc_offset_h is gone: write time_zone = \"Europe/Berlin\", the name of the warehouse's zone in the tz database, \
         or time_zone = \"{hours:+03}:00\" if its clock never changes"
    )))
}

impl WarehouseConfig {
    /// The days on which it works.
    pub fn days(&self) -> WorkingDays {
        WorkingDays { weekdays: self.working_days.clone(), holidays: self.holidays.clone() }
    }
}

fn put_right<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Address, D::Error> {
    let mut address = Address::deserialize(text)?;
    address.put_right();
    Ok(address)
}

/// A place with devices. A bench and a rework bench have one printer and one scanner, a line one of each kind, a dock one scanner.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationConfig {
    /// In the whole site, no other has it: `SZX/line-1`.
    pub id: StationId,
    /// What is done there.
    pub kind: StationKind,
    /// What stands there.
    #[serde(rename = "device")]
    pub devices: Vec<DeviceConfig>,
    /// Lines only, which need it: how far its devices are apart, and which chute is for what.
    #[serde(default)]
    pub line: Option<LineConfig>,
}

/// An unattended line: scanner, scale and sorter along one belt. Times are milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineConfig {
    /// From the scanner to the scale's settled reading.
    pub scan_to_weight_ms: i64,
    /// From the scanner to the sorter's question.
    pub scan_to_ask_ms: i64,
    /// How far off these an item may be: under half the gap between items.
    pub tolerance_ms: i64,
    /// GS1 company prefix (7 to 10 digits) that this line's bag tags start with; no two lines may share one.
    pub sscc_prefix: SmolStr,
    /// Which chute is for what.
    pub sorting: SortingPlan,
}

impl LineConfig {
    pub fn scan_to_weight(&self) -> Span {
        Span::from_ms(self.scan_to_weight_ms)
    }
    pub fn scan_to_ask(&self) -> Span {
        Span::from_ms(self.scan_to_ask_ms)
    }
    pub fn tolerance(&self) -> Span {
        Span::from_ms(self.tolerance_ms)
    }
}

/// A device at the end of a wire.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// In the whole site, no other has it: `SZX/line-1/scale`.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// How it is reached.
    pub address: WireAddress,
    /// What a sorter's control calls its chutes and errors, where it was not planned by us.
    #[serde(default)]
    pub names: Arc<Names>,
}

/// One account with one carrier: how it is reached, and when it collects.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarrierConfig {
    /// How it is reached.
    pub api: CarrierSettings,
    /// Local times at which it collects, `16:30`, by warehouse-local clock. None: it comes when it is called.
    pub cutoffs: Vec<SmolStr>,
    /// Days of the week on which it collects and delivers.
    #[serde(default = "every_day")]
    pub working_days: BTreeSet<Weekday>,
    /// Dates on which it does neither, wherever it collects.
    #[serde(default)]
    pub holidays: BTreeSet<Date>,
    /// Further dates on which it collects nothing at one warehouse, and which its promises from there do not count:
    /// `{ LAX = ["2026-11-26"] }`.
    #[serde(default)]
    pub holidays_at: BTreeMap<WarehouseId, BTreeSet<Date>>,
    /// Hours between two looks at a parcel's tracking.
    #[serde(default = "six")]
    pub track_every_h: u32,
    /// A parcel whose way has ended is looked at once more after so many days, since what was delivered may come back. 0: never.
    #[serde(default = "seven")]
    pub look_again_after_d: u32,
}

fn six() -> u32 {
    6
}

fn seven() -> u32 {
    7
}

/// A label bought now is on a parcel that is packed and sorted after this: a pickup before that will not take it.
const HANDLING: Span = Span::from_mins(10);

/// The pickup that a parcel will make whose label is bought now: the first that is far enough away. Never the present: by the
/// time the carrier reads it, that is the past.
pub fn next_pickup(pickups: &Pickups, now: Moment) -> Moment {
    pickups.first_for(now + HANDLING)
}

impl CarrierConfig {
    /// When it collects at this warehouse.
    pub fn pickups(&self, warehouse: &WarehouseConfig) -> Pickups {
        let mut transit_days = WorkingDays { weekdays: self.working_days.clone(), holidays: self.holidays.clone() };
        transit_days.holidays.extend(self.holidays_at.get(&warehouse.id).into_iter().flatten());
        Pickups {
            time_zone: warehouse.time_zone.clone(),
            // A plan whose cut-offs cannot be read was refused at the start.
            cutoffs: self.cutoff_spans().unwrap_or_default(),
            days: transit_days.with(&warehouse.days()),
            transit_days,
        }
    }

    pub fn id(&self) -> &CarrierId {
        &self.api.id
    }

    /// Cut-offs as spans after local midnight, sorted.
    pub fn cutoff_spans(&self) -> Result<Vec<Span>, String> {
        let mut spans = Vec::new();
        for text in &self.cutoffs {
            let parsed = text.split_once(':').and_then(|(h, m)| Some((h.parse::<i64>().ok()?, m.parse::<i64>().ok()?)));
            match parsed {
                Some((h @ 0..=23, m @ 0..=59)) => spans.push(Span::from_mins(h * 60 + m)),
                _ => return Err(format!("carrier {}: cut-off {text:?} is not a time of day such as 16:30", self.id())),
            }
        }
        spans.sort_unstable();
        Ok(spans)
    }
}

impl SiteConfig {
    /// What a site can go by of settings in parts: read and checked as a whole, as a start does it.
    pub fn of(parts: &Parts) -> Result<SiteConfig, String> {
        let config = SiteConfig::deserialize(parts.joined()).map_err(|e| e.to_string())?;
        if let Some(channel) = config.channels.iter().find(|c| c.tariff_file.is_some()) {
            return Err(format!("channel {}: tariff_file has no folder here", channel.id));
        }
        config.fault().map_or(Ok(config), Err)
    }

    /// What is wrong with the plan, in words that name the place.
    pub fn fault(&self) -> Option<String> {
        if self.warehouses.is_empty() || self.carriers.is_empty() || self.channels.is_empty() {
            return Some("a site needs at least one warehouse, one carrier and one channel".into());
        }
        if let Some(fault) = self.fx.fault() {
            return Some(format!("fx: {fault}"));
        }
        let warehouses: BTreeSet<_> = self.warehouses.iter().map(|w| &w.id).collect();
        let carriers: BTreeSet<_> = self.carriers.iter().map(|c| c.id()).collect();
        let channels: BTreeSet<_> = self.channels.iter().map(|c| &c.id).collect();
        if warehouses.len() < self.warehouses.len() || carriers.len() < self.carriers.len() || channels.len() < self.channels.len() {
            return Some("two warehouses, carriers or channels share one id".into());
        }
        for channel in &self.channels {
            // A country that does not exist would never match, and nobody would notice.
            let zones = channel.tariff.iter().flat_map(|t| &t.zones).flat_map(|z| &z.countries);
            let mut named = channel.to.iter().chain(&channel.not_to).chain(zones);
            if let Some(odd) = named.find(|code| twin::address::countries::country(code).is_none()) {
                return Some(format!("channel {}: {odd:?} is no country of ISO 3166", channel.id));
            }
            if !carriers.contains(&channel.carrier) {
                return Some(format!("channel {}: there is no carrier {}", channel.id, channel.carrier));
            }
            if let Some(origin) = channel.origins.iter().find(|o| !warehouses.contains(o)) {
                return Some(format!("channel {}: there is no warehouse {origin}", channel.id));
            }
        }
        // Settings are kept for ever and shown to whoever asks; what opens an account is in the environment alone.
        if let Some(open) = self.carriers.iter().find(|c| holds_secret(&c.api.base_url)) {
            return Some(format!(
                "carrier {}: api.base_url has a user, a password or a query: what opens the account stands in secret_env",
                open.id()
            ));
        }
        if let Some(fault) = self.carriers.iter().find_map(|c| c.cutoff_spans().err()) {
            return Some(fault);
        }
        if let Some(fault) = self.days_fault(&warehouses) {
            return Some(fault);
        }
        let (mut stations, mut devices, mut prefixes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for warehouse in &self.warehouses {
            if warehouse.id.as_str().contains(':') {
                return Some(format!("warehouse {}: its id has a : in it, which parts it from whose stock it is", warehouse.id));
            }
            if let Some(fault) = warehouse.address.fault() {
                return Some(format!("warehouse {}: {fault}", warehouse.id));
            }
            for kind in [StationKind::Bench, StationKind::Line, StationKind::Dock] {
                if !warehouse.stations.iter().any(|s| s.kind == kind) {
                    return Some(format!("warehouse {}: it has no {}", warehouse.id, kind.as_str()));
                }
            }
            for station in &warehouse.stations {
                if !stations.insert(&station.id) {
                    return Some(format!("station {} is there twice", station.id));
                }
                if let Some(twice) = station.devices.iter().find(|d| !devices.insert(&d.id)) {
                    return Some(format!("device {} is there twice", twice.id));
                }
                for device in &station.devices {
                    if device.kind != DeviceKind::Sorter && *device.names != Names::default() {
                        return Some(format!("device {}: only a sorter has names", device.id));
                    }
                    if let Some(fault) = device.names.fault() {
                        return Some(format!("device {}: {fault}", device.id));
                    }
                }
                for kind in needed(station.kind) {
                    if station.devices.iter().filter(|d| d.kind == *kind).count() != 1 {
                        return Some(format!("station {}: a {} needs exactly one {}", station.id, station.kind.as_str(), kind.as_str()));
                    }
                }
                match (&station.line, station.kind) {
                    (None, StationKind::Line) => return Some(format!("station {}: a line needs a [line] table", station.id)),
                    (Some(line), StationKind::Line) => {
                        if let Some(fault) = line.sorting.fault() {
                            return Some(format!("station {}: {fault}", station.id));
                        }
                        if let Some(rule) = line.sorting.chutes.iter().find(|r| !channels.contains(&r.channel)) {
                            return Some(format!(
                                "station {}: chute {} is for channel {}, which there is not",
                                station.id, rule.chute, rule.channel
                            ));
                        }
                        let digits = line.sscc_prefix.len();
                        if !(7..=10).contains(&digits) || !line.sscc_prefix.bytes().all(|b| b.is_ascii_digit()) {
                            return Some(format!("station {}: sscc_prefix {:?} must be 7 to 10 digits", station.id, line.sscc_prefix));
                        }
                        if !prefixes.insert(&line.sscc_prefix) {
                            return Some(format!("station {}: sscc_prefix {} belongs to another line", station.id, line.sscc_prefix));
                        }
                    }
                    (Some(_), _) => return Some(format!("station {}: only a line has a [line] table", station.id)),
                    (None, _) => {}
                }
            }
        }
        self.channels.iter().find_map(|channel| self.origin_fault(channel))
    }

    /// What the plan may have as it is, and what will come of it: said once at the start.
    pub fn advice(&self) -> Vec<String> {
        let ships_from = |channel: &Channel, w: &WarehouseConfig| channel.origins.is_empty() || channel.origins.contains(&w.id);
        let dhl = |channel: &&Channel| self.carriers.iter().any(|c| *c.id() == channel.carrier && c.api.kind == CarrierKind::Mydhl);
        let silent = self.warehouses.iter().filter(|w| w.address.phone.is_empty());
        let told = silent.filter_map(|w| {
            let channel = self.channels.iter().filter(dhl).find(|channel| ships_from(channel, w))?;
            Some(format!(
                "warehouse {}: address.phone is empty. {} requires one: what goes by channel {} is held until it is given",
                w.id, channel.carrier, channel.id
            ))
        });
        told.collect()
    }

    /// The field of a warehouse's address for which the channel's carrier would refuse every parcel. A channel that names no
    /// origins goes from wherever it can.
    fn origin_fault(&self, channel: &Channel) -> Option<String> {
        let carrier = self.carriers.iter().find(|c| *c.id() == channel.carrier)?;
        let named = |w: &&WarehouseConfig| channel.origins.is_empty() || channel.origins.contains(&w.id);
        let unfit = |w: &WarehouseConfig| {
            let unfit = carriers::origin_fault(carrier.api.kind, &w.address)?;
            Some(format!("warehouse {}: {unfit}, and channel {} of carrier {} needs it", w.id, channel.id, channel.carrier))
        };
        let mut faults = self.warehouses.iter().filter(named).map(unfit);
        if channel.origins.is_empty() {
            let faults: Vec<_> = faults.collect();
            return if faults.iter().all(Option::is_some) { faults.into_iter().flatten().next() } else { None };
        }
        faults.find_map(|fault| fault)
    }

    /// A carrier that no day is left for at a warehouse where it should collect would never come.
    fn days_fault(&self, warehouses: &BTreeSet<&WarehouseId>) -> Option<String> {
        for carrier in &self.carriers {
            if let Some(odd) = carrier.holidays_at.keys().find(|id| !warehouses.contains(id)) {
                return Some(format!("carrier {}: holidays_at: there is no warehouse {odd}", carrier.id()));
            }
            for warehouse in &self.warehouses {
                let collects = |c: &&Channel| c.carrier == *carrier.id() && c.origins.contains(&warehouse.id);
                if self.channels.iter().any(|c| collects(&c)) && carrier.pickups(warehouse).days.weekdays.is_empty() {
                    return Some(format!(
                        "carrier {}: none of its working_days is one of warehouse {}, where it should collect",
                        carrier.id(),
                        warehouse.id
                    ));
                }
            }
        }
        None
    }

    /// Lists of holidays that are over: whoever wrote them has forgotten the new year, in words that name the place.
    pub fn holidays_run_out(&self, now: Moment) -> Vec<String> {
        let mut over = Vec::new();
        for warehouse in &self.warehouses {
            let today = warehouse.time_zone.date(now);
            let mut say = |whose: String, holidays: &BTreeSet<Date>| {
                if let Some(last) = holidays.last().filter(|last| **last < today) {
                    over.push(format!("{whose}: the last of its holidays was {last}"));
                }
            };
            say(format!("warehouse {}", warehouse.id), &warehouse.holidays);
            for carrier in
                self.carriers.iter().filter(|c| self.channels.iter().any(|k| k.carrier == *c.id() && k.origins.contains(&warehouse.id)))
            {
                let mut all = carrier.holidays.clone();
                all.extend(carrier.holidays_at.get(&warehouse.id).into_iter().flatten());
                say(format!("carrier {} at {}", carrier.id(), warehouse.id), &all);
            }
        }
        over
    }

    /// When each carrier collects at each warehouse.
    pub fn all_pickups(&self) -> BTreeMap<CarrierId, BTreeMap<WarehouseId, Pickups>> {
        let at = |carrier: &CarrierConfig| self.warehouses.iter().map(|w| (w.id.clone(), carrier.pickups(w))).collect();
        self.carriers.iter().map(|c| (c.id().clone(), at(c))).collect()
    }

    pub fn warehouse(&self, id: &WarehouseId) -> Option<&WarehouseConfig> {
        self.warehouses.iter().find(|w| w.id == *id)
    }

    pub fn carrier(&self, id: &CarrierId) -> Option<&CarrierConfig> {
        self.carriers.iter().find(|c| c.id() == id)
    }

    pub fn channel(&self, id: &twin::ChannelId) -> Option<&Channel> {
        self.channels.iter().find(|c| c.id == *id)
    }

    /// Every device with the station it belongs to.
    pub fn devices(&self) -> impl Iterator<Item = (&StationConfig, &DeviceConfig)> {
        self.warehouses.iter().flat_map(|w| &w.stations).flat_map(|s| s.devices.iter().map(move |d| (s, d)))
    }
}

/// A URL with something in it that may open an account: `https://user:password@host`, `…?key=…`.
fn holds_secret(url: &str) -> bool {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind_scheme.split('/').next().is_some_and(|host| host.contains('@')) || url.contains('?')
}

fn needed(kind: StationKind) -> &'static [DeviceKind] {
    match kind {
        StationKind::Bench | StationKind::Rework => &[DeviceKind::Printer, DeviceKind::Scanner],
        StationKind::Line => &[DeviceKind::Scanner, DeviceKind::Scale, DeviceKind::Sorter, DeviceKind::Printer],
        StationKind::Dock => &[DeviceKind::Scanner],
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
