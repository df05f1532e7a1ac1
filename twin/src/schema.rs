//! The numbers under which everything is written, for ever.
//!
//! A number once given keeps its meaning: it is never changed and never used again. What a new version adds gets a new
//! number; its type is an `Option`, or has a default that means "not told". What is no longer written stays here as long
//! as it can be read, or its line in `docs/journal-numbers.txt` is marked as retired. A test compares the two.

use crate::address::{Address, Place};
use crate::allocation::{Candidate, Decision};
use crate::channel::{TrackEvent, TrackStatus};
use crate::charges::{Basis, ChargeKind, Rate};
use crate::declaration::{Draft, Goods, Incoterm, Missing, Purpose};
use crate::defect::{Defect, Wrong};
use crate::device::DeviceKind;
use crate::field::numbered;
use crate::hold::Detail;
use crate::keys::Sealed;
use crate::order::{Hold, Line};
use crate::parcel::{Interception, Plan};
use crate::personal::Personal;
use crate::station::StationKind;
use crate::verdict::{NoOffer, Unfit, Verdict};
use crate::{
    BagId, CarrierId, ChannelId, DeviceId, Dims, Grams, Hash, ManifestId, Moment, Money, OrderId, ParcelId, Sku, StationId, TrackingNumber,
    WarehouseId,
};
use crate::{bag, carrier, charges, declaration, device, manifest, order, parcel, station, stock, warehouse};
use rust_decimal::Decimal;
use smol_str::SmolStr;

numbered! {
    struct "address" Address {
        0 name: SmolStr, 1 street: SmolStr, 2 city: SmolStr, 3 region: SmolStr, 4 postcode: SmolStr, 5 country: SmolStr,
        6 company: SmolStr, 7 street2: SmolStr, 8 phone: SmolStr, 9 email: SmolStr, 10 tax_id: SmolStr,
    }
    struct "place" Place { 0 country: SmolStr, 1 region: SmolStr, 2 postcode: SmolStr }
    struct "personal" Personal {
        0 name: SmolStr, 1 company: SmolStr, 2 street: SmolStr, 3 street2: SmolStr, 4 city: SmolStr, 5 phone: SmolStr, 6 email: SmolStr,
        7 tax_id: SmolStr,
    }
    struct "sealed" Sealed { 0 key: u64, 1 document: Hash }
    struct "line" Line { 0 sku: Sku, 1 quantity: u32, 2 unit_price: Decimal, 3 weight_g: Grams, 4 dims: Dims, 5 battery: bool }
    struct "candidate" Candidate {
        0 warehouse: WarehouseId, 1 channel: Option<ChannelId>, 2 cost: Option<Money>, 3 days: Option<u16>, 5 verdict: Verdict,
    }
    struct "defect" Defect { 0 field: SmolStr, 1 what: Wrong }
    enum "wrong" Wrong {
        1 Empty {}, 2 EmptyForCustoms {}, 3 Zero {}, 4 ZeroSide { 0 dims: Dims }, 5 Bytes { 0 bytes: u32, 1 limit: u32 },
        6 Unprintable { 0 sign: u32 }, 7 NoCountry { 0 given: SmolStr }, 8 NoCountryCode { 0 given: SmolStr },
        9 NoneOf { 0 given: SmolStr, 1 country: SmolStr }, 10 ZipTellsNoState { 0 zip: SmolStr }, 11 ZipInNoState { 0 zip: SmolStr },
        12 ZipElsewhere { 0 zip: SmolStr, 1 state: SmolStr, 2 region: SmolStr }, 13 NoState { 0 given: SmolStr },
        14 NoZip { 0 given: SmolStr }, 15 Characters { 0 characters: u32, 1 limit: u32 },
        16 Lines { 0 characters: u32, 1 lines: u32, 2 limit: u32 }, 17 TwoNames { 0 characters: u32, 1 limit: u32 },
        18 TellsNothing { 0 given: SmolStr }, 19 Heavy { 0 weight_g: Grams, 1 limit_g: Grams }, 20 NotUsd { 0 value: Money },
        21 Filing { 0 value: Money, 1 limit: u32 }, 22 NotCollected { 0 country: SmolStr },
    }
    enum "unfit" Unfit {
        1 Origin { 0 from: WarehouseId }, 2 Country { 0 country: SmolStr }, 3 Weight { 0 weight_g: Grams, 1 limit_g: Grams },
        4 Length { 0 length_mm: u32, 1 limit_mm: u32 }, 5 Width { 0 width_mm: u32, 1 limit_mm: u32 },
        6 Height { 0 height_mm: u32, 1 limit_mm: u32 }, 7 LengthPlusGirth { 0 sum_mm: u32, 1 limit_mm: u32 }, 8 Battery {}, 9 PoBox {},
    }
    enum "no_offer" NoOffer {
        1 Unfit { 0 why: Unfit }, 2 Misfit { 0 carrier: CarrierId, 1 defect: Defect }, 3 NotAsked {}, 4 NoZone { 0 to: SmolStr },
        5 NoBand { 0 chargeable_g: Grams, 1 zone: SmolStr }, 6 SheetGivesNothing { 0 chargeable_g: Grams, 1 zone: SmolStr, 2 total: Money },
        7 SheetTooLarge { 0 chargeable_g: Grams, 1 zone: SmolStr }, 8 Free { 0 total: Money }, 9 NoRate { 0 from: SmolStr, 1 to: SmolStr },
        10 NoService { 0 carrier: CarrierId, 1 service: SmolStr }, 11 QuotedTwice {},
        12 ServiceUnreadable { 0 carrier: CarrierId, 1 service: SmolStr, 2 said: SmolStr }, 13 Paused {},
        14 Timeout { 0 host: SmolStr, 1 timeout_ms: u64 }, 15 Unreachable { 0 host: SmolStr, 1 said: SmolStr },
        16 AnswerTooLarge { 0 host: SmolStr, 1 limit_bytes: u32 }, 17 Unauthorized { 0 carrier: CarrierId, 1 said: SmolStr },
        18 Throttled { 0 carrier: CarrierId, 1 retry_after_ms: u64 },
        19 Answered { 0 carrier: CarrierId, 1 status: u16, 2 code: SmolStr, 3 said: SmolStr },
        20 Unreadable { 0 carrier: CarrierId, 1 what: SmolStr, 2 said: SmolStr }, 21 NotOffered { 0 carrier: CarrierId, 1 said: SmolStr },
    }
    enum "verdict" Verdict {
        1 Chosen {}, 2 Dearer { 0 by: Money }, 3 Slower { 0 days: u16, 1 against: u16 }, 4 DaysUnknown {}, 5 LaterByName {},
        6 Short { 0 sku: Sku, 1 there: u32, 2 wanted: u32, 3 more: u32 }, 7 NoOffer { 0 why: NoOffer },
    }
    struct "decision" Decision {
        0 rule: SmolStr, 1 warehouse: WarehouseId, 2 channel: ChannelId, 3 cost: Money, 4 candidates: Vec<Candidate>, 5 count: u32,
        6 all: Option<Hash>,
    }
    enum "hold" Hold {
        1 Unpaid {}, 2 AddressInvalid {}, 3 UnknownSku {}, 4 NoStock {}, 5 NoChannel {}, 6 Oversize {}, 7 ForbiddenGoods {}, 8 Duplicate {},
        9 Manual {},
    }
    enum "detail" Detail {
        1 Said { 0 text: SmolStr }, 2 Unpaid {}, 3 Address { 0 faults: Vec<Defect> }, 4 Unknown { 0 skus: Vec<Sku> }, 5 NoValue {},
        6 NoOffer { 0 rule: SmolStr, 1 candidates: Vec<Candidate>, 2 count: u32, 3 all: Option<Hash> }, 7 NothingToChoose {},
    }
    enum "order" order::Event {
        1 Received {
            0 platform: SmolStr, 1 shop: SmolStr, 2 placed_at: Moment, 3 ship_to: Box<Place>, 4 buyer: Option<Box<Sealed>>, 5 lines: Vec<Line>,
            6 currency: SmolStr,
        },
        2 Held { 0 reason: Hold, 2 detail: Detail },
        3 HoldCleared { 0 reason: Hold },
        4 Allocated { 0 decision: Box<Decision>, 1 parcel: ParcelId },
        5 Released {},
        6 Packed {},
        7 Shipped {},
        8 Delivered {},
        9 Returned {},
        10 Cancelled { 0 reason: SmolStr },
        11 Forgotten {},
    }
    enum "interception" Interception {
        1 Weight { 0 declared_g: Grams, 1 measured_g: Grams },
        2 Size { 0 declared: Dims, 1 measured: Dims },
        3 DuplicateLabel {},
        4 OrderCancelled {},
        5 NotWeighed {},
        6 NoChute {},
        7 WrongChute { 0 planned: u16, 1 actual: u16 },
        8 Manual { 0 why: SmolStr },
    }
    struct "plan" Plan {
        0 order: OrderId, 1 warehouse: WarehouseId, 2 carrier: CarrierId, 3 channel: ChannelId, 4 service: SmolStr, 5 ship_to: Place,
        6 buyer: Option<Sealed>, 7 declared_g: Grams, 8 declared: Dims, 9 value: Option<Money>, 10 estimate: Option<Money>,
        11 contents: SmolStr, 12 battery: bool,
    }
    enum "track_status" TrackStatus {
        1 InfoReceived {}, 2 Accepted {}, 3 ReceivedAtHub {}, 4 ExportCleared {}, 5 DepartedOrigin {}, 6 InFlight {}, 7 Arrived {},
        8 Customs {}, 9 ImportCleared {}, 10 LastMile {}, 11 OutForDelivery {}, 12 Delivered {}, 13 DeliveryFailed {},
        14 AvailableForPickup {}, 15 Exception {}, 16 Returning {}, 17 Returned {}, 18 Lost {},
    }
    struct "track_event" TrackEvent { 0 at: Moment, 1 status: TrackStatus, 2 code: SmolStr, 3 text: SmolStr, 4 place: SmolStr }
    enum "parcel" parcel::Event {
        1 Created { 0 plan: Box<Plan> },
        2 LabelRequested { 0 key: SmolStr },
        3 LabelBought { 0 tracking: TrackingNumber, 1 label: Hash, 2 charged: Option<Money>, 3 plate: Option<TrackingNumber> },
        4 LabelRefused { 0 why: SmolStr },
        5 Printed { 0 printer: DeviceId },
        6 Packed {},
        7 Inducted { 0 station: StationId },
        8 Measured { 0 weight_g: Grams, 1 dims: Option<Dims> },
        9 Verified {},
        10 Sorted { 0 chute: u16 },
        11 Bagged { 0 bag: BagId },
        12 Intercepted { 0 why: Interception, 1 chute: Option<u16> },
        13 Reworked { 0 note: SmolStr, 1 declared: Option<(Grams, Dims)> },
        14 HandedOver { 0 bag: BagId },
        15 Tracked { 0 event: TrackEvent },
        16 ExceptionRaised { 0 what: SmolStr },
        17 ExceptionCleared {},
        19 Cancelled { 0 reason: SmolStr },
    }
    enum "charge_kind" ChargeKind {
        1 Estimate {}, 2 Label {}, 3 Freight {}, 4 Adjustment {}, 5 Duty {}, 6 Tax {}, 7 Handling {}, 8 Surcharge {}, 9 Insurance {},
        10 Return {},
    }
    enum "basis" Basis {
        1 Quote {}, 2 Tariff { 0 zone: SmolStr, 1 weight_g: Grams, 2 chargeable_g: Grams, 3 source: SmolStr },
        3 Label { 0 tracking: TrackingNumber }, 4 Estimate { 0 gap: Option<NoOffer> }, 5 Settled { 0 before: Money },
        6 GivenBack { 0 tracking: TrackingNumber }, 7 Hand { 0 reason: SmolStr, 1 reference: SmolStr },
    }
    struct "rate" Rate { 0 base: SmolStr, 1 per_base: Decimal, 2 as_of: Moment }
    enum "charges" charges::Event {
        1 Charged { 0 kind: ChargeKind, 1 amount: Money, 2 basis: Basis, 3 settings: u32, 4 rate: Option<Rate> },
    }
    enum "purpose" Purpose { 1 Sale {}, 2 Return {} }
    enum "incoterm" Incoterm { 1 Dap {}, 2 Ddp {} }
    struct "goods" Goods {
        0 sku: Sku, 1 description: SmolStr, 2 hs_code: SmolStr, 3 origin: SmolStr, 4 quantity: u32, 5 weight_g: Grams, 6 unit_value: Decimal,
    }
    enum "missing" Missing {
        1 Goods {}, 2 Description { 0 line: u16 }, 3 HsCode { 0 line: u16 }, 4 Origin { 0 line: u16 }, 5 Weight { 0 line: u16 },
        6 Value { 0 line: u16 },
    }
    struct "draft" Draft {
        0 from: SmolStr, 1 to: SmolStr, 2 purpose: Purpose, 3 goods: Vec<Goods>, 4 currency: SmolStr, 5 incoterm: Option<Incoterm>,
        6 ioss: SmolStr, 7 voec: SmolStr, 8 eori: SmolStr,
    }
    enum "declaration" declaration::Event {
        1 Drafted { 0 draft: Box<Draft>, 1 missing: Vec<Missing> },
        2 Lodged { 0 tracking: TrackingNumber },
        3 Presented { 0 at: Moment, 1 said: SmolStr },
        4 Cleared { 0 at: Moment, 1 said: SmolStr },
        5 Withdrawn {},
    }
    enum "stock" stock::Event {
        1 Counted { 0 on_hand: u32, 1 safety: u32 },
        2 Received { 0 quantity: u32, 1 reference: SmolStr },
        3 Reserved { 0 order: OrderId, 1 quantity: u32 },
        4 Released { 0 order: OrderId, 1 quantity: u32 },
        5 Picked { 0 order: OrderId, 1 quantity: u32 },
    }
    enum "warehouse" warehouse::Event { 1 Opened { 0 address: Box<Address> } }
    enum "station_kind" StationKind { 1 Bench {}, 2 Line {}, 3 Dock {}, 4 Rework {} }
    enum "station" station::Event {
        1 Opened { 0 kind: StationKind },
        2 BagPlaced { 0 chute: u16, 1 bag: BagId },
        3 BagRemoved { 0 chute: u16 },
        4 ManifestOpened { 0 manifest: ManifestId },
        5 Rejected { 0 pic: u32, 1 chute: u16, 2 code: Option<SmolStr>, 3 why: SmolStr },
    }
    enum "device_kind" DeviceKind { 1 Scanner {}, 2 Scale {}, 3 Sorter {}, 4 Printer {} }
    enum "device" device::Event {
        1 Connected { 0 kind: DeviceKind, 1 identity: SmolStr },
        2 Disconnected { 0 why: SmolStr },
        3 FaultRaised { 0 what: SmolStr },
        4 FaultCleared {},
        5 FaultRepeated { 0 what: SmolStr, 1 times: u32 },
    }
    enum "carrier" carrier::Event { 1 Suspended { 0 why: SmolStr }, 2 Resumed {} }
    enum "bag" bag::Event {
        1 Opened { 0 warehouse: WarehouseId, 1 station: StationId, 2 chute: u16, 3 channel: ChannelId },
        2 Added { 0 parcel: ParcelId, 1 weight_g: Grams },
        3 Closed { 0 why: SmolStr },
        4 HandedOver { 0 manifest: ManifestId },
    }
    enum "manifest" manifest::Event {
        1 Opened { 0 warehouse: WarehouseId, 1 carrier: CarrierId },
        2 Loaded { 0 bag: BagId, 1 parcels: u32, 2 weight_g: Grams },
        3 Closed {},
    }
}
