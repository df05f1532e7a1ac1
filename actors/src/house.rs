//! What every actor is handed: time, the twin, the plan of the site, and the seats of the others.

use crate::carrier::CarrierMsg;
use crate::customs::Gaps;
use crate::in_force::{InForce, Standing};
use crate::ledger::{LISTENER_LAG_MAX, Letterbox, Work};
use crate::numbers::Numbers;
use crate::order_desk::DeskMsg;
use crate::parcels::{Awake, ParcelsMsg};
use crate::problems::ProblemsMsg;
use crate::settings::KeeperMsg;
use crate::turns::Delivery;
use crate::warehouse::WarehouseMsg;
use crate::{ParcelMsg, Seat};
use drivers::Clock;
use drivers::carriers::CarrierDriver;
use drivers::wire::Dial;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::broadcast;
use twin::channel::Channel;
use twin::{CarrierId, DeviceId, Moment, ParcelId, Record, Twin, WarehouseId};

pub struct House {
    pub clock: Clock,
    pub twin: Arc<Twin>,
    pub settings: Standing,
    /// Who writes the settings, and puts them in force.
    pub keeper: Seat<KeeperMsg>,
    /// How to reach each device.
    pub dials: BTreeMap<DeviceId, Dial>,
    pub drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>,
    pub listeners: broadcast::Sender<Arc<Vec<Record>>>,
    pub ledger: Letterbox,
    pub desk: Seat<DeskMsg>,
    pub parcels: Seat<ParcelsMsg>,
    pub awake: Awake,
    /// How what is said comes to a parcel.
    pub delivery: Delivery,
    /// Whose the numbers on labels are.
    pub numbers: Numbers,
    /// Who keeps what is wrong.
    pub problems: Seat<ProblemsMsg>,
    /// What customs want and is not known, said now and then.
    pub gaps: Gaps,
    pub carriers: BTreeMap<CarrierId, Seat<CarrierMsg>>,
    pub warehouses: BTreeMap<WarehouseId, Seat<WarehouseMsg>>,
}

impl House {
    /// One in which nobody sits yet.
    pub fn new(
        clock: Clock,
        twin: Arc<Twin>,
        delivery: Delivery,
        dials: BTreeMap<DeviceId, Dial>,
        drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>,
        in_force: InForce,
    ) -> Self {
        House {
            clock,
            twin,
            dials,
            drivers,
            listeners: broadcast::channel(LISTENER_LAG_MAX).0,
            ledger: Letterbox::default(),
            awake: Awake::default(),
            delivery,
            numbers: Numbers::default(),
            problems: Seat::default(),
            gaps: Gaps::default(),
            desk: Seat::default(),
            parcels: Seat::default(),
            carriers: in_force.config.carriers.iter().map(|c| (c.id().clone(), Seat::default())).collect(),
            warehouses: in_force.config.warehouses.iter().map(|w| (w.id.clone(), Seat::default())).collect(),
            settings: Standing::new(in_force),
            keeper: Seat::default(),
        }
    }

    /// A sheet of work dated now, on the account of what is being done.
    pub fn work(&self) -> Work {
        Work::at(self.clock.now())
    }

    pub fn commit(&self, work: Work) {
        self.ledger.put(work);
    }

    /// The settings by which everything is decided right now. Who decides several things that belong together reads them once.
    pub fn in_force(&self) -> Arc<InForce> {
        self.settings.read()
    }

    /// The pickup that a parcel will make whose label is bought now; now, where there is no such carrier or warehouse.
    pub fn next_pickup(&self, carrier: &CarrierId, warehouse: &WarehouseId) -> Moment {
        self.in_force().next_pickup(carrier, warehouse, self.clock.date())
    }

    /// The days to the door that a channel promises for a parcel whose label is bought now.
    pub fn promise(&self, channel: &Channel, warehouse: &WarehouseId) -> Option<u16> {
        self.in_force().promise(channel, warehouse, self.clock.date())
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
