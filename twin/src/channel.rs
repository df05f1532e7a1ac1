//! A channel: one service of one carrier account, with its limits and, where the carrier has no rate API, its tariff.
//! And what is asked of it: a quote, a label, news of a parcel.

use crate::money::{Currency, Decimal};
use crate::{Address, CarrierId, ChannelId, Dims, Grams, Moment, Money, ParcelId, TimeZone, TrackingNumber, WarehouseId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One service of one carrier account. What allocation chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// By which chutes and records name it: `usps/ground-advantage`.
    pub id: ChannelId,
    /// Whose service it is: a carrier of this file.
    pub carrier: CarrierId,
    /// As people call it: `USPS Ground Advantage`.
    pub name: String,
    /// The carrier's own code for the service: `USPS_GROUND_ADVANTAGE`, `P`.
    pub service: SmolStr,
    /// Warehouses it collects from.
    pub origins: Vec<WarehouseId>,
    /// Countries it serves; empty means every country but the ones in `not_to`.
    #[serde(default)]
    pub to: Vec<SmolStr>,
    /// Countries it does not serve.
    #[serde(default)]
    pub not_to: Vec<SmolStr>,
    /// What it accepts.
    #[serde(default)]
    pub limits: Limits,
    /// Present: we rate the channel ourselves. Absent: the carrier is asked.
    #[serde(default)]
    pub tariff: Option<Tariff>,
    /// In place of `tariff`: a file that holds it, as `parceltwin tariff import` writes one; seen from the site file.
    #[serde(default)]
    pub tariff_file: Option<String>,
    /// Considered only where no other channel takes the parcel, so that its carrier is not asked in vain.
    #[serde(default)]
    pub last_resort: bool,
    /// Promised days to the door, used where the carrier's quote names none.
    #[serde(default)]
    pub days: Option<u16>,
    /// Which days `days` counts, from the one after the pickup on.
    #[serde(default)]
    pub days_count: DaysCount,
}

/// Which days a promise counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaysCount {
    /// All of them.
    #[default]
    Calendar,
    /// Those on which the carrier works.
    Working,
}

/// What a channel accepts. Zero or absent means no limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The heaviest parcel.
    pub weight_g_max: Grams,
    /// The longest side, whichever it is declared as.
    pub length_mm_max: u32,
    /// The second longest side.
    pub width_mm_max: u32,
    /// The shortest side.
    pub height_mm_max: u32,
    /// The longest side and twice the two others.
    pub length_plus_girth_mm_max: u32,
    /// It takes goods that are or contain batteries.
    pub battery: bool,
    /// It delivers to doors only, not to post-office boxes and lockers.
    pub no_po_box: bool,
}

impl Limits {
    /// The most that each side may measure, longest first; 0 is no limit.
    pub fn sides_mm_max(&self) -> [u32; 3] {
        [self.length_mm_max, self.width_mm_max, self.height_mm_max]
    }

    /// Takes these sides as a limit too, whichever is which; where one is known already, the lesser holds. A 0 limits nothing.
    pub fn within_sides(&mut self, mut sides_mm: [u32; 3]) {
        sides_mm.sort_unstable_by(|a, b| b.cmp(a));
        for (limit, side_mm) in [&mut self.length_mm_max, &mut self.width_mm_max, &mut self.height_mm_max].into_iter().zip(sides_mm) {
            *limit = if *limit == 0 || side_mm == 0 { (*limit).max(side_mm) } else { (*limit).min(side_mm) };
        }
    }
}

/// A rate sheet: zones by destination, each with weight bands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Of all its prices.
    pub currency: Currency,
    /// Where the sheet comes from and when it took effect; shown with every price made from it.
    pub source: String,
    /// How actual and volumetric weight become the weight that is charged.
    #[serde(default)]
    pub weight: ChargeableWeight,
    /// Destinations with their prices. The one with the longest fitting postcode prefix counts, the first of equals.
    pub zones: Vec<Zone>,
    /// Added to every price that they fit.
    #[serde(default)]
    pub surcharges: Vec<Surcharge>,
}

/// How actual and volumetric weight become the weight that is charged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChargeableWeight {
    /// Volumetric kg = L·W·H (cm) / divisor. 0: only actual weight counts.
    pub divisor: u32,
    /// Volumetric weight counts only from this many times the actual (in tenths: 20 = twice). 0: always.
    pub volumetric_from_tenths: u32,
    /// Volumetric weight counts only for parcels larger than this. 0: for all. One cubic foot is 28,317 cm³.
    pub volumetric_above_cm3: u32,
    /// In place of `divisor`, as posts of the United States count: volumetric lb = in³ / this, in whole pounds, sides rounded up to
    /// the hundredth of an inch as they are declared. 0: no. USPS 166.
    pub in3_per_lb: u32,
    /// With `in3_per_lb`: only for parcels larger than this. One cubic foot is 1,728 in³.
    pub volumetric_above_in3: u32,
    /// Rounded up to a multiple of this. 0 or 1: to the gram.
    pub step_g: Grams,
    /// No parcel is charged for less.
    pub minimum_g: Grams,
}

impl Default for ChargeableWeight {
    fn default() -> Self {
        ChargeableWeight {
            divisor: 0,
            volumetric_from_tenths: 0,
            volumetric_above_cm3: 0,
            in3_per_lb: 0,
            volumetric_above_in3: 0,
            step_g: 1,
            minimum_g: 0,
        }
    }
}

/// Destinations that share prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// As the sheet calls it; shown with every price.
    pub name: SmolStr,
    /// ISO countries; empty: any country no earlier zone names.
    #[serde(default)]
    pub countries: Vec<SmolStr>,
    /// Postcode prefixes within those countries; empty: all.
    #[serde(default)]
    pub postcode_prefixes: Vec<SmolStr>,
    /// Prices by chargeable weight. A weight in none of them has no price.
    pub bands: Vec<Band>,
}

/// Weight in `(above_g, up_to_g]` of chargeable weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// This weight is not in it.
    pub above_g: Grams,
    /// This weight is.
    pub up_to_g: Grams,
    /// A fixed price for the band (or a registration fee, 挂号费, where `per_kg` is set too).
    #[serde(default)]
    pub flat: Decimal,
    /// Price per chargeable kilogram.
    #[serde(default)]
    pub per_kg: Decimal,
    /// Price per chargeable pound, each begun pound whole (1 lb = 453.59237 g).
    #[serde(default)]
    pub per_lb: Decimal,
    /// Raises the chargeable weight within this band.
    #[serde(default)]
    pub minimum_g: Grams,
}

/// Added to the base price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surcharge {
    /// As the price's breakdown names it.
    pub name: SmolStr,
    /// Percent of the base price.
    #[serde(default)]
    pub percent: Decimal,
    /// A fixed amount.
    #[serde(default)]
    pub flat: Decimal,
    /// Only for these postcode prefixes; empty: always.
    #[serde(default)]
    pub postcode_prefixes: Vec<SmolStr>,
}

/// One parcel to be priced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteRequest {
    pub from: Address,
    pub to: Address,
    pub weight_g: Grams,
    pub dims: Dims,
    pub value: Money,
    pub battery: bool,
    /// The pickup at which it will be handed over.
    pub ship_at: Moment,
    /// At `from`: carriers want dates as the warehouse has them.
    pub time_zone: TimeZone,
}

/// A channel's price for one parcel, with its breakdown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// The carrier's own service code; the caller matches it to a channel.
    pub service: SmolStr,
    pub total: Money,
    pub breakdown: Vec<(SmolStr, Money)>,
    pub days: Option<u16>,
    /// What was charged for, where the carrier says it.
    pub chargeable_g: Option<Grams>,
    pub zone: SmolStr,
}

/// A label to be bought. `key` makes the request idempotent: the same key never buys twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelRequest {
    pub key: SmolStr,
    pub parcel: ParcelId,
    pub service: SmolStr,
    /// Whose address and time zone these are.
    pub warehouse: WarehouseId,
    pub from: Address,
    pub to: Address,
    pub weight_g: Grams,
    pub dims: Dims,
    pub value: Money,
    /// In plain words, for customs.
    pub contents: SmolStr,
    pub battery: bool,
    /// The pickup at which it will be handed over.
    pub ship_at: Moment,
    /// At `from`: carriers want dates as the warehouse has them.
    pub time_zone: TimeZone,
}

/// What the carrier answered: its number, its price, and the label to print.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub tracking: TrackingNumber,
    /// Another number on it by which a scanner may know the parcel, where it has one: DHL's licence plate of the piece.
    pub plate: Option<TrackingNumber>,
    pub charged: Option<Money>,
    /// ZPL II.
    pub zpl: Vec<u8>,
}

/// Where a parcel is, in one vocabulary for all carriers (a superset of 17TRACK's, AfterShip's, UPU's and IATA's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackStatus {
    /// Label known to the carrier, parcel not yet seen.
    InfoReceived,
    /// The carrier has the parcel.
    Accepted,
    ReceivedAtHub,
    ExportCleared,
    DepartedOrigin,
    InFlight,
    Arrived,
    Customs,
    ImportCleared,
    LastMile,
    OutForDelivery,
    Delivered,
    /// Tried and not handed over; the carrier tries again.
    DeliveryFailed,
    AvailableForPickup,
    /// Something is wrong: damage, delay, refusal, missing papers.
    Exception,
    Returning,
    Returned,
    Lost,
}

/// One line of a carrier's tracking answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackEvent {
    pub at: Moment,
    pub status: TrackStatus,
    /// The carrier's own code: `OF`, `PU`.
    pub code: SmolStr,
    pub text: SmolStr,
    pub place: SmolStr,
}

impl TrackEvent {
    /// By what a carrier's event is known when it comes again: time, code, place and text. Its status is ours, and may be
    /// another once more events are known.
    pub fn mark(&self) -> u32 {
        mark(&[&self.at.0.to_le_bytes(), self.code.as_bytes(), self.place.as_bytes(), self.text.as_bytes()])
    }
}

/// A small number for a text in parts, by which it is known again (as FNV-1a, eight bytes at a time). Not for what must not
/// collide. States hold it: another function makes them anew.
pub fn mark(parts: &[&[u8]]) -> u32 {
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let hash = parts.iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| {
        let (words, rest) = part.as_chunks::<8>();
        let hash = words.iter().fold(hash, |hash, word| step(hash, u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length keeps parts from running into one another.
        step(step(hash, u64::from_le_bytes(last)), part.len() as u64)
    });
    (hash ^ (hash >> 32)) as u32
}

/// What a carrier said of one number, oldest event first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    pub number: TrackingNumber,
    pub events: Vec<TrackEvent>,
}
