//! The numbers under which everything is written, for ever.
//!
//! A number once given keeps its meaning: it is never changed and never used again. What a new version adds gets a new
//! number; its type is an `Option`, or has a default that means "not told". What is no longer written stays here as long
//! as it can be read, or its line in `docs/journal-numbers.txt` is marked as retired. A test compares the two.

use crate::address::{Address, Place};
use crate::allocation::{Candidate, Decision};
use crate::channel::{TrackEvent, TrackStatus};
use crate::device::DeviceKind;
use crate::field::numbered;
use crate::goods::{BatteryKind, Facts, Goods};
use crate::keys::Sealed;
use crate::order::{Hold, Line};
use crate::parcel::{Interception, Plan};
use crate::personal::Personal;
use crate::seller::Shop;
use crate::sku_map::Component;
use crate::station::StationKind;
use crate::{
    BagId, CarrierId, ChannelId, DeviceId, Dims, Grams, Hash, ManifestId, Moment, Money, OrderId, ParcelId, SellerId, Sku, StationId,
    TrackingNumber, WarehouseId,
};
use crate::{bag, carrier, device, manifest, order, parcel, product, seller, sku_map, station, stock, warehouse};
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
    enum "battery_kind" BatteryKind { 1 None {}, 2 Contained {}, 3 PackedWith {}, 4 Alone {} }
    struct "facts" Facts {
        0 weight_g: Grams, 1 dims: Dims, 2 battery: BatteryKind, 3 liquid: bool, 4 category: SmolStr, 5 hs_code: SmolStr, 6 origin: SmolStr,
        7 description: SmolStr, 8 declared_value: Option<Money>,
    }
    struct "goods" Goods { 0 sku: Sku, 1 quantity: u32, 2 facts: Facts }
    struct "line" Line { 0 sku: Sku, 1 quantity: u32, 2 unit_price: Decimal, 6 goods: Vec<Goods> }
    struct "candidate" Candidate {
        0 warehouse: WarehouseId, 1 channel: Option<ChannelId>, 2 cost: Option<Money>, 3 days: Option<u16>, 4 verdict: SmolStr,
    }
    struct "decision" Decision {
        0 rule: SmolStr, 1 warehouse: WarehouseId, 2 channel: ChannelId, 3 cost: Money, 4 candidates: Vec<Candidate>,
    }
    enum "hold" Hold {
        1 Unpaid {}, 2 AddressInvalid {}, 3 UnknownSku {}, 4 NoStock {}, 5 NoChannel {}, 6 Oversize {}, 7 ForbiddenGoods {}, 8 Duplicate {},
        9 Manual {},
    }
    enum "order" order::Event {
        1 Received {
            0 platform: SmolStr, 1 shop: SmolStr, 2 placed_at: Moment, 3 ship_to: Box<Place>, 4 buyer: Option<Box<Sealed>>, 5 lines: Vec<Line>,
            6 currency: SmolStr, 7 seller: SellerId,
        },
        2 Held { 0 reason: Hold, 1 detail: SmolStr },
        3 HoldCleared { 0 reason: Hold },
        4 Allocated { 0 decision: Box<Decision>, 1 parcel: ParcelId },
        5 Released {},
        6 Packed {},
        7 Shipped {},
        8 Delivered {},
        9 Returned {},
        10 Cancelled { 0 reason: SmolStr },
        11 Forgotten {},
        20 Identified { 0 seller: SellerId, 1 goods: Vec<(u32, Vec<Goods>)> },
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
        18 Costed { 0 freight: Money },
        19 Cancelled { 0 reason: SmolStr },
    }
    enum "product" product::Event { 1 Described { 0 facts: Box<Facts> }, 2 Retired {} }
    struct "component" Component { 0 sku: Sku, 1 quantity: u32 }
    enum "sku_map" sku_map::Event { 1 Mapped { 0 components: Vec<Component> }, 2 Unmapped {} }
    struct "shop" Shop { 0 platform: SmolStr, 1 shop: SmolStr }
    enum "seller" seller::Event { 1 Described { 0 name: SmolStr, 1 shops: Vec<Shop> } }
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
