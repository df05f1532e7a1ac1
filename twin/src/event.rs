//! All kinds of things together: the list of nouns, and what can be said of any of them whatever it is. A new noun is one
//! line here.

use crate::entity::{Entity, Kind, read_state, state_bytes};
use crate::facet::Listing;
use crate::field::{Pen, Variants};
use crate::{
    Moment, bag, carrier, charges, declaration, device, manifest, order, parcel, problem, product, returns, seller, settings, sku_map,
    station, stock, tracking, warehouse,
};
use serde::{Deserialize, Serialize};
macro_rules! events {
    ($($number:literal $variant:ident($module:ident :: $entity:ident)),* $(,)?) => {
        /// Anything that happened to anything: what the journal holds.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Event { $($variant($module::Event)),* }

        impl Event {
            pub fn kind(&self) -> Kind {
                match self { $(Event::$variant(_) => Kind::$variant),* }
            }
            /// The event's tag among those of its kind.
            pub fn number(&self) -> u32 {
                match self { $(Event::$variant(event) => event.number()),* }
            }
            pub(crate) fn is_bare(&self) -> bool {
                match self { $(Event::$variant(event) => event.is_bare()),* }
            }
            pub(crate) fn put_fields(&self, pen: &mut Pen) {
                match self { $(Event::$variant(event) => event.put_fields(pen)),* }
            }
            pub(crate) fn take_fields(kind: Kind, number: u32, d: Option<&mut minicbor::Decoder>) -> Result<Self, minicbor::decode::Error> {
                match kind { $(Kind::$variant => <$module::Event as Variants>::take_fields(number, d).map(Event::$variant)),* }
            }
        }

        $(impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Event { Event::$variant(event) }
        })*

        impl Kind {
            /// The number under which the journal and the shelf know it, for ever.
            pub const fn number(self) -> u8 {
                match self { $(Kind::$variant => $number),* }
            }
            pub fn of_number(number: u32) -> Option<Kind> {
                match number { $($number => Some(Kind::$variant),)* _ => None }
            }
        }

        /// A state of any kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum State { $($variant($module::$entity)),* }

        impl State {
            /// Before anything happened to it.
            pub fn new(kind: Kind) -> Self {
                match kind { $(Kind::$variant => State::$variant(Default::default())),* }
            }
            /// Lets an event of its own kind have happened; one of another kind changes nothing.
            pub fn apply(&mut self, at: Moment, event: &Event) {
                match (self, event) {
                    $((State::$variant(state), Event::$variant(event)) => state.apply(at, event),)*
                    _ => {}
                }
            }
            pub fn stage_word(&self) -> &'static str {
                match self { $(State::$variant(state) => state.stage_word()),* }
            }
            /// What is wrong with it now.
            pub fn troubles(&self) -> Vec<crate::problem::Trouble> {
                match self { $(State::$variant(state) => state.troubles()),* }
            }
            pub fn listings(&self, id: &str) -> Vec<Listing> {
                match self { $(State::$variant(state) => crate::facet::Standing::of(id, 1, state).listings),* }
            }
            pub fn json(&self) -> serde_json::Result<serde_json::Value> {
                match self { $(State::$variant(state) => serde_json::to_value(state)),* }
            }
            pub(crate) fn to_bytes(&self, version: u32) -> Vec<u8> {
                match self { $(State::$variant(state) => state_bytes(version, state)),* }
            }
            pub(crate) fn from_bytes(kind: Kind, bytes: &[u8]) -> Result<(u32, Self), String> {
                match kind { $(Kind::$variant => read_state(bytes).map(|(version, state)| (version, State::$variant(state)))),* }
            }
        }
    };
}

events! {
    1 Order(order::Order),
    2 Parcel(parcel::Parcel),
    3 Stock(stock::Stock),
    4 Warehouse(warehouse::Warehouse),
    5 Station(station::Station),
    6 Device(device::Device),
    7 Carrier(carrier::Carrier),
    8 Bag(bag::Bag),
    9 Manifest(manifest::Manifest),
    10 Settings(settings::Settings),
    11 Product(product::Product),
    12 SkuMap(sku_map::SkuMap),
    13 Tracking(tracking::Tracking),
    14 Return(returns::Return),
    15 Charges(charges::Charges),
    16 Declaration(declaration::Declaration),
    17 Seller(seller::Seller),
    18 Problem(problem::Problem),
}
