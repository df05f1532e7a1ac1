//! The numbers under which everything is written, for ever.
//!
//! A number once given keeps its meaning: it is never changed and never used again. What a new version adds gets a new
//! number; its type is an `Option`, or has a default that means "not told". What is no longer written stays here as long
//! as it can be read, or its line in `docs/journal-numbers.txt` is marked as retired. A test compares the two.

use crate::address::{Address, Place};
use crate::allocation::{Candidate, Decision};
use crate::channel::{TrackEvent, TrackStatus};
use crate::charges::{Basis, ChargeKind, Rate};
use crate::declaration::{Declared, Draft, Incoterm, Missing, Purpose};
use crate::defect::{Defect, Wrong};
use crate::device::DeviceKind;
use crate::entity::{Key, Kind};
use crate::field::numbered;
use crate::goods::{BatteryKind, Facts, Goods};
use crate::hold::{Detail, Unmapped};
use crate::keys::Sealed;
use crate::new_order::{TaxIds, Terms};
use crate::order::{Content, Hold, Line, Share};
use crate::parcel::{Interception, Item, Plan};
use crate::personal::Personal;
use crate::problem::{Cause, Severity};
use crate::returns::{Condition, Expected, Outcome, Returned};
use crate::seller::Shop;
use crate::sku_map::Component;
use crate::station::StationKind;
use crate::verdict::{NoOffer, Unfit, Verdict};
use crate::{
    BagId, CarrierId, ChannelId, DeviceId, Dims, Grams, Hash, ManifestId, Moment, Money, OrderId, ParcelId, SellerId, Sku, StationId,
    TrackingNumber, WarehouseId,
};
use crate::{
    bag, carrier, charges, declaration, device, manifest, order, parcel, problem, product, returns, seller, settings, sku_map, station,
    stock, tracking, warehouse,
};
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
        7 tax_id: SmolStr, 8 gift_note: SmolStr,
    }
    struct "sealed" Sealed { 0 key: u64, 1 document: Hash }
    enum "battery_kind" BatteryKind { 1 None {}, 2 Contained {}, 3 PackedWith {}, 4 Alone {} }
    struct "facts" Facts {
        0 weight_g: Grams, 1 dims: Dims, 2 battery: BatteryKind, 3 liquid: bool, 4 category: SmolStr, 5 hs_code: SmolStr, 6 origin: SmolStr,
        7 description: SmolStr, 8 declared_value: Option<Money>,
    }
    struct "goods" Goods { 0 sku: Sku, 1 quantity: u32, 2 facts: Facts }
    struct "line" Line { 0 sku: Sku, 1 quantity: u32, 2 unit_price: Decimal, 6 goods: Vec<Goods> }
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
        22 TakenOut { 0 said: SmolStr }, 23 LabelRefused { 0 said: SmolStr },
    }
    enum "verdict" Verdict {
        1 Chosen {}, 2 Dearer { 0 by: Money }, 3 Slower { 0 days: u16, 1 against: u16 }, 4 DaysUnknown {}, 5 LaterByName {},
        6 Short { 0 sku: Sku, 1 there: u32, 2 wanted: u32, 3 more: u32 }, 7 NoOffer { 0 why: NoOffer },
    }
    struct "decision" Decision {
        0 rule: SmolStr, 1 warehouse: WarehouseId, 2 channel: ChannelId, 3 cost: Money, 4 candidates: Vec<Candidate>, 5 count: u32,
        6 all: Option<Hash>, 7 settings: u32,
    }
    enum "hold" Hold {
        1 Unpaid {}, 2 AddressInvalid {}, 3 UnknownSku {}, 4 NoStock {}, 5 NoChannel {}, 6 Oversize {}, 7 ForbiddenGoods {}, 8 Duplicate {},
        9 Manual {},
    }
    struct "tax_ids" TaxIds { 0 ioss: SmolStr, 1 voec: SmolStr, 2 eori: SmolStr, 3 other: SmolStr }
    struct "terms" Terms {
        0 ship_by: Option<Moment>, 1 deliver_by: Option<Moment>, 2 service: SmolStr, 3 tax: TaxIds,
    }
    struct "content" Content {
        0 platform: SmolStr, 1 shop: SmolStr, 2 placed_at: Moment, 3 updated_at: Option<Moment>, 4 ship_to: Place, 5 buyer: Option<Sealed>,
        6 lines: Vec<Line>, 7 currency: SmolStr, 8 paid: bool, 9 held: Option<SmolStr>, 10 terms: Terms, 11 seller: SellerId,
    }
    struct "share" Share { 0 line: u16, 1 quantity: u32 }
    enum "unmapped" Unmapped {
        1 Unknown { 0 sku: Sku }, 2 Retired { 0 sku: Sku }, 3 Part { 0 sku: Sku, 1 part: Sku },
        4 Unweighed { 0 sku: Sku, 1 part: Sku },
    }
    enum "detail" Detail {
        1 Said { 0 text: SmolStr }, 2 Unpaid {}, 3 Address { 0 faults: Vec<Defect> }, 4 Unknown { 1 lines: Vec<Unmapped> }, 5 NoValue {},
        6 NoOffer { 0 rule: SmolStr, 1 candidates: Vec<Candidate>, 2 count: u32, 3 all: Option<Hash>, 4 settings: u32 },
        7 NothingToChoose {}, 8 ByHand { 0 why: SmolStr },
    }
    enum "order" order::Event {
        2 Held { 0 reason: Hold, 2 detail: Detail },
        3 HoldCleared { 0 reason: Hold, 1 why: SmolStr },
        4 Allocated { 0 decision: Box<Decision>, 1 parcel: ParcelId, 2 shares: Vec<Share>, 3 with: Vec<OrderId> },
        10 Cancelled { 0 reason: SmolStr },
        11 Forgotten {},
        12 Received { 0 content: Box<Content> },
        13 Picked { 0 parcel: ParcelId },
        14 Dropped { 0 parcel: ParcelId, 1 reason: SmolStr, 2 refused: bool },
        20 Identified { 0 seller: SellerId, 1 goods: Vec<(u32, Vec<Goods>)> },
        21 AddressPut { 0 ship_to: Place, 1 buyer: Option<Sealed>, 2 why: SmolStr },
        22 Paid { 0 why: SmolStr },
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
        9 NumberTaken { 0 number: TrackingNumber, 1 by: ParcelId },
        10 Stopped { 0 why: SmolStr },
        11 Out { 0 what: SmolStr },
    }
    struct "item" Item { 0 order: OrderId, 1 line: u16, 2 sku: Sku, 3 quantity: u32 }
    struct "plan" Plan {
        0 order: OrderId, 1 warehouse: WarehouseId, 2 carrier: CarrierId, 3 channel: ChannelId, 4 service: SmolStr, 5 ship_to: Place,
        6 buyer: Option<Sealed>, 7 declared_g: Grams, 8 declared: Dims, 9 value: Option<Money>, 10 estimate: Option<Money>,
        11 contents: SmolStr, 12 battery: bool, 13 items: Vec<Item>, 14 seller: SellerId,
    }
    enum "track_status" TrackStatus {
        1 InfoReceived {}, 2 Accepted {}, 3 ReceivedAtHub {}, 4 ExportCleared {}, 5 DepartedOrigin {}, 6 InFlight {}, 7 Arrived {},
        8 Customs {}, 9 ImportCleared {}, 10 LastMile {}, 11 OutForDelivery {}, 12 Delivered {}, 13 DeliveryFailed {},
        14 AvailableForPickup {}, 15 Exception {}, 16 Returning {}, 17 Returned {}, 18 Lost {},
    }
    struct "track_event" TrackEvent { 0 at: Moment, 1 status: TrackStatus, 2 code: SmolStr, 3 text: SmolStr, 4 place: SmolStr }
    enum "parcel" parcel::Event {
        1 Created { 0 plan: Box<Plan>, 1 key: Option<SmolStr> },
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
        16 ExceptionRaised { 0 what: SmolStr },
        19 Cancelled { 0 reason: SmolStr, 1 order: Option<OrderId> },
        20 Passed { 0 weight_g: Option<Grams>, 1 dims: Option<Dims>, 2 chute: u16 },
        21 LabelUnused { 0 tracking: TrackingNumber, 1 charged: Option<Money> },
        22 Voided { 0 tracking: Option<TrackingNumber> },
        23 VoidRefused { 0 tracking: Option<TrackingNumber>, 1 why: SmolStr },
        24 VoidAsked {},
        25 LabelWrittenOff { 0 why: SmolStr },
        26 LabelLost { 0 why: SmolStr, 1 decide: bool },
        27 Stopped { 0 why: SmolStr },
        28 LetGo { 0 why: SmolStr },
        29 Settled { 0 why: SmolStr },
        30 ReprintAsked { 0 why: SmolStr },
    }
    enum "tracking" tracking::Event {
        1 Begun { 0 carrier: CarrierId, 1 number: TrackingNumber },
        2 Tracked { 0 news: Vec<TrackEvent> },
        3 ExceptionRaised { 0 what: SmolStr },
        4 ExceptionCleared {},
        5 Settled { 0 why: SmolStr },
    }
    enum "condition" Condition { 1 Sellable {}, 2 Opened {}, 3 Damaged {}, 4 Missing {} }
    enum "outcome" Outcome { 1 Restocked {}, 2 WrittenOff {}, 3 SentAgain {}, 4 Withdrawn {} }
    struct "expected" Expected { 0 sku: Sku, 1 quantity: u32 }
    struct "returned" Returned { 0 sku: Sku, 1 quantity: u32, 2 condition: Condition }
    enum "return" returns::Event {
        1 Announced { 0 expected: Vec<Expected>, 1 reason: SmolStr },
        2 Withdrawn {},
        3 Arrived { 0 warehouse: WarehouseId },
        4 Received { 0 warehouse: WarehouseId, 1 items: Vec<Returned> },
        5 Decided { 0 outcome: Outcome, 1 note: SmolStr },
        6 Restocked {},
    }
    enum "product" product::Event { 1 Described { 0 facts: Box<Facts> }, 2 Retired {} }
    struct "component" Component { 0 sku: Sku, 1 quantity: u32 }
    enum "sku_map" sku_map::Event { 1 Mapped { 0 components: Vec<Component> }, 2 Unmapped {} }
    struct "shop" Shop { 0 platform: SmolStr, 1 shop: SmolStr }
    enum "seller" seller::Event { 1 Described { 0 name: SmolStr, 1 shops: Vec<Shop> } }
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
    struct "declared" Declared {
        0 sku: Sku, 1 description: SmolStr, 2 hs_code: SmolStr, 3 origin: SmolStr, 4 quantity: u32, 5 weight_g: Grams, 6 unit_value: Decimal,
    }
    enum "missing" Missing {
        1 Goods {}, 2 Description { 0 line: u16 }, 3 HsCode { 0 line: u16 }, 4 Origin { 0 line: u16 }, 5 Weight { 0 line: u16 },
        6 Value { 0 line: u16 },
    }
    struct "draft" Draft {
        0 from: SmolStr, 1 to: SmolStr, 2 purpose: Purpose, 3 goods: Vec<Declared>, 4 currency: SmolStr, 5 incoterm: Option<Incoterm>,
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
        6 TakenOut { 0 why: SmolStr },
        7 PutBack { 0 why: SmolStr },
        8 ChuteTakenOut { 0 chute: u16, 1 why: SmolStr },
        9 ChutePutBack { 0 chute: u16, 1 why: SmolStr },
        10 RejectsCleared { 0 rejected: u64, 1 why: SmolStr },
    }
    enum "device_kind" DeviceKind { 1 Scanner {}, 2 Scale {}, 3 Sorter {}, 4 Printer {} }
    enum "device" device::Event {
        1 Connected { 0 kind: DeviceKind, 1 identity: SmolStr },
        2 Disconnected { 0 why: SmolStr },
        3 FaultRaised { 0 what: SmolStr },
        4 FaultCleared {},
        5 FaultRepeated { 0 what: SmolStr, 1 times: u32 },
        6 TakenOut { 0 why: SmolStr },
        7 PutBack { 0 why: SmolStr },
    }
    enum "carrier" carrier::Event {
        1 Suspended { 0 why: SmolStr }, 2 Resumed {}, 3 ChannelTakenOut { 0 channel: ChannelId, 1 why: SmolStr },
        4 ChannelPutBack { 0 channel: ChannelId, 1 why: SmolStr }, 5 AskedAgain { 0 why: SmolStr },
    }
    enum "bag" bag::Event {
        1 Opened { 0 warehouse: WarehouseId, 1 station: StationId, 2 chute: u16, 3 channel: ChannelId },
        2 Added { 0 parcel: ParcelId, 1 weight_g: Grams },
        3 Closed { 0 why: SmolStr },
        4 HandedOver { 0 manifest: ManifestId },
        5 ExceptionRaised { 0 what: SmolStr },
        6 Removed { 0 parcel: ParcelId, 1 weight_g: Grams },
        7 Settled { 0 why: SmolStr },
    }
    enum "manifest" manifest::Event {
        1 Opened { 0 warehouse: WarehouseId, 1 carrier: CarrierId },
        2 Loaded { 0 bag: BagId, 1 parcels: u32, 2 weight_g: Grams },
        3 Closed {},
    }
    struct "key" Key { 0 kind: Kind, 1 id: SmolStr }
    enum "cause" Cause {
        1 Held {}, 2 Intercepted {}, 3 LabelLost {}, 4 LabelKept {}, 5 Stopped {}, 6 Alarm {}, 7 News {}, 8 Offline {}, 9 Faulty {},
        10 Suspended {}, 11 Rejects {},
    }
    enum "severity" Severity { 1 Watch {}, 2 Act {}, 3 Urgent {} }
    enum "problem" problem::Event {
        1 Opened { 0 subject: Key, 1 cause: Cause, 2 severity: Severity, 3 what: SmolStr },
        2 Changed { 0 severity: Severity, 1 what: SmolStr },
        3 Closed {},
        4 Acknowledged { 0 by: SmolStr, 1 note: SmolStr },
        5 Assigned { 0 to: SmolStr, 1 by: SmolStr, 2 note: SmolStr },
        6 Snoozed { 0 until: Moment, 1 by: SmolStr, 2 note: SmolStr },
        7 Commented { 0 by: SmolStr, 1 note: SmolStr },
    }
    enum "settings" settings::Event {
        1 Drafted { 0 parts: Vec<(SmolStr, Hash)>, 1 note: SmolStr },
        2 Planned { 0 from: Moment, 1 reason: SmolStr },
        3 Activated { 0 from: Moment, 1 reason: SmolStr },
        4 Archived { 0 why: SmolStr },
    }
}
