//! The settings that a site goes by right now: a snapshot that everybody reads anew whenever something is decided, and that is
//! replaced as a whole. Nobody keeps a part of it longer than what he is doing; it never changes under whoever holds it.

use crate::config::{SiteConfig, next_pickup};
use rules::pickups::Pickups;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use twin::channel::{Channel, DaysCount};
use twin::{CarrierId, ChannelId, Moment, WarehouseId};

#[derive(Debug)]
pub struct InForce {
    /// The version of the site's settings that it was made from; 0 where a run was given none.
    pub version: u32,
    /// When it was put in force.
    pub since: Moment,
    pub config: SiteConfig,
    /// When each carrier collects at each warehouse.
    pub pickups: BTreeMap<CarrierId, BTreeMap<WarehouseId, Pickups>>,
    /// Channels of earlier versions, as they were last: what went over them may still be under way.
    pub past: BTreeMap<ChannelId, Channel>,
    /// What of this version waits for the next start.
    pub needs_restart: Vec<String>,
}

impl InForce {
    pub fn new(version: u32, since: Moment, config: SiteConfig) -> Self {
        InForce { version, since, pickups: config.all_pickups(), config, past: BTreeMap::new(), needs_restart: Vec::new() }
    }

    /// A channel by which something may still go, also one that nothing new is sent over.
    pub fn channel_ever(&self, id: &ChannelId) -> Option<&Channel> {
        self.config.channel(id).or_else(|| self.past.get(id))
    }

    pub fn pickups(&self, carrier: &CarrierId, warehouse: &WarehouseId) -> Option<&Pickups> {
        self.pickups.get(carrier)?.get(warehouse)
    }

    /// The pickup that a parcel will make whose label is bought now; now, where there is no such carrier or warehouse.
    pub fn next_pickup(&self, carrier: &CarrierId, warehouse: &WarehouseId, now: Moment) -> Moment {
        self.pickups(carrier, warehouse).map_or(now, |pickups| next_pickup(pickups, now))
    }

    /// The days to the door that a channel promises for a parcel whose label is bought now.
    pub fn promise(&self, channel: &Channel, warehouse: &WarehouseId, now: Moment) -> Option<u16> {
        match channel.days_count {
            DaysCount::Calendar => channel.days,
            DaysCount::Working => {
                self.pickups(&channel.carrier, warehouse)?.promise(channel, self.next_pickup(&channel.carrier, warehouse, now))
            }
        }
    }
}

/// Where the snapshot stands. Reading it costs an uncontended lock and a count.
pub struct Standing(RwLock<Arc<InForce>>);

impl Standing {
    pub fn new(first: InForce) -> Self {
        Standing(RwLock::new(Arc::new(first)))
    }

    pub fn read(&self) -> Arc<InForce> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on. Who holds the one before goes on with it until he asks again.
    pub fn replace(&self, next: InForce) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}
