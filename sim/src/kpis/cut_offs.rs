//! Who made their cut-off: parcels that left with the first pickup that was due when they were created.
//!
//! Due is the carrier's first cut-off at the parcel's warehouse after the parcel was created. A parcel made it if it was handed over
//! before the carrier's next cut-off after that. One that the house still has by then missed it; one that was cancelled, or
//! whose next cut-off lies behind the journal's end, counts in neither. A carrier that comes when it is called has no cut-off to make.

use super::percent;
use actors::config::SiteConfig;
use rules::pickups::Pickups;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use twin::{CarrierId, Moment, WarehouseId};

/// When which carrier collects where.
#[derive(Clone, Debug, Default)]
pub struct PickupPlan(HashMap<WarehouseId, HashMap<CarrierId, Pickups>>);

impl PickupPlan {
    pub fn of(site: &SiteConfig) -> Self {
        let at = |w| site.carriers.iter().map(|c| (c.id().clone(), c.pickups(w))).collect();
        PickupPlan(site.warehouses.iter().map(|w| (w.id.clone(), at(w))).collect())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CutOffs {
    pub due: u64,
    pub made: u64,
    /// Of those that were due.
    pub made_pct: f64,
    /// By warehouse and carrier.
    pub at: BTreeMap<WarehouseId, BTreeMap<CarrierId, CutOff>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CutOff {
    pub due: u64,
    pub made: u64,
    pub made_pct: f64,
}

/// Before this moment a parcel has to be handed over.
pub(super) type Deadline = Moment;

/// Takes parcels in the order in which they were created.
pub(super) struct Counter<'a> {
    plan: &'a PickupPlan,
    /// Which pickup is due, and the one after it, as last looked up: thousands of parcels share one.
    next: HashMap<(WarehouseId, CarrierId), (Moment, Deadline)>,
    seen: CutOffs,
}

impl<'a> Counter<'a> {
    pub(super) fn new(plan: &'a PickupPlan) -> Self {
        Counter { plan, next: HashMap::new(), seen: CutOffs::default() }
    }

    /// None where no pickup is due, or none after it.
    pub(super) fn deadline(&mut self, warehouse: &WarehouseId, carrier: &CarrierId, created_at: Moment) -> Option<Deadline> {
        let pickups = self.plan.0.get(warehouse)?.get(carrier)?;
        let key = (warehouse.clone(), carrier.clone());
        if let Some((due, deadline)) = self.next.get(&key)
            && created_at < *due
        {
            return Some(*deadline);
        }
        let due = pickups.next_cutoff(created_at)?;
        let deadline = pickups.next_cutoff(due)?;
        self.next.insert(key, (due, deadline));
        Some(deadline)
    }

    pub(super) fn count(&mut self, warehouse: &WarehouseId, carrier: &CarrierId, made: bool) {
        let at = self.seen.at.entry(warehouse.clone()).or_default().entry(carrier.clone()).or_default();
        for (due, of) in [(&mut self.seen.due, &mut self.seen.made), (&mut at.due, &mut at.made)] {
            *due += 1;
            *of += u64::from(made);
        }
    }

    pub(super) fn end(mut self) -> CutOffs {
        self.seen.made_pct = percent(self.seen.made, self.seen.due);
        self.seen.at.values_mut().flat_map(BTreeMap::values_mut).for_each(|at| at.made_pct = percent(at.made, at.due));
        self.seen
    }
}
