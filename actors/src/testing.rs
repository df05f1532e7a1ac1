//! A house in which nobody sits, for tests of one role at a time: this state, this message, these events and these words.

use crate::config::SiteConfig;
use crate::problems::ProblemsMsg;
use crate::{Delivery, House, InForce, Outgoing, Seat, Work};
use drivers::Clock;
use drivers::carriers::CarrierDriver;
use ractor::Message;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use twin::{CarrierId, Moment, Twin};

/// The bundled site; its clock stands still.
pub fn house() -> Arc<House> {
    house_with(BTreeMap::new())
}

fn house_with(drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>) -> Arc<House> {
    let config: SiteConfig = toml::from_str(include_str!("../../scenarios/quick-start/site.toml")).unwrap();
    let start: Moment = "2026-11-09T08:00:00+08:00".parse().unwrap();
    let twin = Arc::new(Twin::in_memory("house"));
    let in_force = InForce::new(1, start, config);
    Arc::new(House::new(Clock::virtual_from(start), twin, Delivery::Mailbox, BTreeMap::new(), drivers, in_force))
}

/// A house that writes at once and lets nothing out: what an actor wrote, what it would say once that is durable (`says`), and what it
/// said to somebody's seat at once (`hears`), in the order in which it did so, each as it prints.
pub struct Overheard {
    pub house: Arc<House>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Overheard {
    pub fn new(drivers: BTreeMap<CarrierId, Arc<dyn CarrierDriver>>) -> Self {
        let overheard = Overheard { house: house_with(drivers), log: Arc::default() };
        let house = &overheard.house;
        overheard.ear("the desk", &house.desk);
        overheard.ear("parcels", &house.parcels);
        house.carriers.iter().for_each(|(id, seat)| overheard.ear(id.as_str(), seat));
        house.warehouses.iter().for_each(|(id, seat)| overheard.ear(id.as_str(), seat));
        let (twin, log) = (house.twin.clone(), overheard.log.clone());
        house.ledger.hear(move |work: Work| {
            // That something is wrong follows from the state that was written.
            let said = work.outgoing().iter().filter(|sent| !matches!(sent.what, Outgoing::Problems(ProblemsMsg::Changed(_))));
            let said: Vec<_> = said.map(|sent| format!("says {:?}", sent.what)).collect();
            let records = twin.commit([work.tx]).expect("it is written");
            let mut log = log.lock().unwrap();
            log.extend(records.iter().map(|record| format!("wrote {:?}", record.event)));
            log.extend(said);
        });
        overheard
    }

    /// Listens at a seat.
    pub fn ear<M: Message + Debug>(&self, whose: &str, seat: &Seat<M>) {
        let (whose, log) = (whose.to_owned(), self.log.clone());
        seat.hear(move |told| log.lock().unwrap().push(format!("{whose} hears {:?}", told.message)));
    }

    /// All since it was asked last.
    pub fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Since it was asked last, exactly these, each by how it begins.
    #[track_caller]
    pub fn expect(&self, these: &[&str]) {
        let heard = self.heard();
        let fits = heard.len() == these.len() && heard.iter().zip(these).all(|(heard, begins)| heard.starts_with(begins));
        assert!(fits, "heard {heard:#?}\ninstead of {these:#?}");
    }
}
