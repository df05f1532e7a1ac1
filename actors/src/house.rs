//! What every actor is handed: time, the twin, the plan of the site, and the seats of the others.

use crate::carrier::CarrierMsg;
use crate::config::{SiteConfig, next_pickup};
use crate::customs::Gaps;
use crate::ledger::{Letterbox, Work};
use crate::order_desk::DeskMsg;
use crate::parcels::{Awake, ParcelsMsg};
use crate::warehouse::WarehouseMsg;
use crate::{ParcelMsg, Seat};
use drivers::Clock;
use drivers::carriers::CarrierDriver;
use drivers::wire::Dial;
use rules::pickups::Pickups;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::broadcast;
use twin::channel::{Channel, DaysCount};
use twin::goods::Product;
use twin::{CarrierId, DeviceId, Moment, ParcelId, Record, Sku, Twin, WarehouseId};

pub struct House {
    pub clock: Clock,
    pub twin: Arc<Twin>,
    pub config: SiteConfig,
    pub products: BTreeMap<Sku, Product>,
    /// When each carrier collects at each warehouse.
    pub pickups: BTreeMap<CarrierId, BTreeMap<WarehouseId, Pickups>>,
    /// How to reach each device.
    pub dials: BTreeMap<DeviceId, Dial>,
    pub drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>,
    pub listeners: broadcast::Sender<Arc<Vec<Record>>>,
    pub ledger: Letterbox,
    pub desk: Seat<DeskMsg>,
    pub parcels: Seat<ParcelsMsg>,
    pub awake: Awake,
    /// What customs want and is not known, said now and then.
    pub gaps: Gaps,
    pub carriers: BTreeMap<CarrierId, Seat<CarrierMsg>>,
    pub warehouses: BTreeMap<WarehouseId, Seat<WarehouseMsg>>,
}

impl House {
    /// A sheet of work dated now, on the account of what is being done.
    pub fn work(&self) -> Work {
        Work::at(self.clock.now())
    }

    pub fn commit(&self, work: Work) {
        self.ledger.put(work);
    }

    pub fn pickups(&self, carrier: &CarrierId, warehouse: &WarehouseId) -> Option<&Pickups> {
        self.pickups.get(carrier)?.get(warehouse)
    }

    /// The pickup that a parcel will make whose label is bought now; now, where there is no such carrier or warehouse.
    pub fn next_pickup(&self, carrier: &CarrierId, warehouse: &WarehouseId) -> Moment {
        let now = self.clock.date();
        self.pickups(carrier, warehouse).map_or(now, |pickups| next_pickup(pickups, now))
    }

    /// The days to the door that a channel promises for a parcel whose label is bought now.
    pub fn promise(&self, channel: &Channel, warehouse: &WarehouseId) -> Option<u16> {
        match channel.days_count {
            DaysCount::Calendar => channel.days,
            DaysCount::Working => {
                self.pickups(&channel.carrier, warehouse)?.promise(channel, self.next_pickup(&channel.carrier, warehouse))
            }
        }
    }

    /// A message to a parcel, awake or not.
    pub fn tell(&self, parcel: ParcelId, message: ParcelMsg) {
        if let Err(message) = self.awake.tell(&parcel, message) {
            self.awake.queue();
            self.parcels.cast(ParcelsMsg::To(parcel, message));
        }
    }

    pub fn tell_warehouse(&self, id: &WarehouseId, message: WarehouseMsg) {
        match self.warehouses.get(id) {
            Some(seat) => seat.cast(message),
            None => tracing::error!(warehouse = %id, "no such warehouse in this site"),
        }
    }
}
