//! What an order could cost: every warehouse with stock is asked over every channel, tariffs at once, carriers as they answer.
//!
//! Part of the order desk, which alone holds orders and stock; decides nothing and reserves nothing.

use crate::House;
use crate::carrier::{Asked, CarrierMsg};
use crate::config::WarehouseConfig;
use crate::order_desk::DeskState;
use crate::origin::{self, Cause};
use crate::parcel::label_request;
use crate::shipment::Load;
use drivers::carriers::Read;
use ractor::ActorProcessingErr;
use rules::allocation::{Offer, warehouses_with_stock};
use rules::packing::Packed;
use smol_str::SmolStr;
use std::collections::BTreeSet;
use twin::allocation::Candidate;
use twin::channel::{Channel, Quote, QuoteRequest};
use twin::parcel::Plan;
use twin::verdict::{NoOffer, foreign};
use twin::{Address, CarrierId, Moment, Money, ParcelId, WarehouseId};

pub(crate) struct Quoting {
    pub(crate) load: Load,
    /// The version of the settings that it is made under.
    pub(crate) settings: u32,
    /// Why it is planned: the decision is ours, not the last carrier's that quoted.
    pub(crate) cause: Cause,
    pub(crate) since: Moment,
    pub(crate) waiting: usize,
    pub(crate) offers: Vec<Offer>,
    pub(crate) lost: Vec<Candidate>,
    pub(crate) packed: Packed,
    /// A carrier failed to answer: another try may end better.
    pub(crate) incomplete: bool,
}

/// Whether the channel's carrier takes the parcel with its address as it is: what it would refuse is held instead, with the
/// field named.
fn takes(house: &House, warehouse: &WarehouseConfig, plan: &Plan, to: &Address) -> Result<(), NoOffer> {
    let Some(driver) = house.drivers.get(&plan.carrier) else { return Ok(()) };
    let request = label_request(house, warehouse, &ParcelId::of(&plan.order, 1), plan, to.clone());
    driver.fits(&request).map_err(|defect| NoOffer::Misfit { carrier: plan.carrier.clone(), defect })
}

impl DeskState {
    /// Gathers what every warehouse with stock could ship over every channel.
    pub(crate) fn quote(&mut self, load: Load, value: Money) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let (now, ship_at) = (house.clock.steady(), house.clock.date());
        let lead = &load.orders[0].content;
        let to = house.twin.address(&lead.ship_to, lead.buyer.as_ref())?;
        let wanted = |w: &&WarehouseId| load.shipment.warehouse.as_ref().is_none_or(|only| only == *w);
        let in_force = house.in_force();
        let warehouses: Vec<_> = in_force.config.warehouses.iter().map(|w| &w.id).filter(wanted).cloned().collect();
        let (seller, needs) = (load.seller(), load.needs());
        self.look_at_stock(&warehouses, seller, &needs)?;
        let (fit, lost) = warehouses_with_stock(&needs, &warehouses, |w, s| self.available(w, seller, s));
        let packed = rules::packing::declare(load.goods());
        self.rounds += 1;
        let round = self.rounds;
        let (mut offers, battery) = (Vec::new(), load.has_battery());
        let mut asks = Vec::new();
        let mut last_resort = Vec::new();
        let requests = fit.into_iter().filter_map(|warehouse| {
            let config = in_force.config.warehouse(&warehouse)?;
            let request = QuoteRequest {
                from: config.address.clone(),
                to: to.clone(),
                weight_g: packed.weight_g,
                dims: packed.dims,
                value,
                battery,
                ship_at,
                time_zone: config.time_zone.clone(),
            };
            Some((warehouse, config, request))
        });
        let requests: Vec<_> = requests.collect();
        let takes = |config, channel: &Channel| takes(&house, config, &load.plan(config, channel, &packed), &to);
        for (warehouse, config, request) in &requests {
            let mut carriers = BTreeSet::new();
            let from_here = |c: &&Channel| c.origins.contains(warehouse) && load.shipment.channel.as_ref().is_none_or(|only| *only == c.id);
            for channel in in_force.config.channels.iter().filter(from_here) {
                let offer = |quote| Offer { warehouse: warehouse.clone(), channel: channel.id.clone(), quote };
                let accepts = rules::channels::accepts(channel, warehouse, request).map_err(NoOffer::from);
                match (accepts, &channel.tariff) {
                    (Err(unfit), _) => offers.push(offer(Err(unfit))),
                    // What its carrier would make of the address is looked at when it is needed.
                    (Ok(()), None) if channel.last_resort => last_resort.push((channel, (warehouse, config, request))),
                    (Ok(()), tariff) => match (takes(config, channel), tariff) {
                        (Err(misfit), _) => offers.push(offer(Err(misfit))),
                        (Ok(()), None) => drop(carriers.insert(channel.carrier.clone())),
                        (Ok(()), Some(tariff)) => {
                            let rated = rules::rating::rate(tariff, &channel.service, request, house.promise(channel, warehouse));
                            offers.push(offer(rated));
                        }
                    },
                }
            }
            asks.extend(carriers.into_iter().map(|carrier| (warehouse.clone(), carrier, request.clone())));
        }
        let served = !asks.is_empty() || offers.iter().any(|o| o.quote.is_ok());
        for (channel, (warehouse, config, request)) in last_resort {
            match if served { Err(NoOffer::NotAsked) } else { takes(config, channel) } {
                Ok(()) => asks.push((warehouse.clone(), channel.carrier.clone(), request.clone())),
                Err(why) => offers.push(Offer { warehouse: warehouse.clone(), channel: channel.id.clone(), quote: Err(why) }),
            }
        }
        let waiting = asks.len();
        self.put_quoting(
            round,
            Quoting {
                load,
                settings: in_force.version,
                cause: origin::cause(),
                since: now,
                waiting,
                offers,
                lost,
                packed,
                incomplete: false,
            },
        );
        if waiting == 0 {
            return self.decide(round);
        }
        for (warehouse, carrier, mut request) in asks {
            request.ship_at = house.next_pickup(&carrier, &warehouse);
            if let Some(seat) = house.carriers.get(&carrier) {
                seat.cast(CarrierMsg::Quote(Box::new(request), Asked { round, warehouse }));
            }
        }
        Ok(())
    }

    pub(crate) fn quoted(
        &mut self,
        round: u32,
        warehouse: &WarehouseId,
        carrier: &CarrierId,
        mut quotes: Result<Read<Vec<Quote>>, NoOffer>,
    ) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let Some(quoting) = self.quoting(round) else { return Ok(()) };
        quoting.waiting -= 1;
        quoting.incomplete |= quotes.is_err();
        let only = quoting.load.shipment.channel.clone();
        let only = |c: &Channel| only.as_ref().is_none_or(|only| *only == c.id);
        let asked = |c: &&Channel| c.carrier == *carrier && c.tariff.is_none() && c.origins.contains(warehouse) && only(c);
        let skipped = quotes.as_mut().map(|read| std::mem::take(&mut read.skipped)).unwrap_or_default();
        let unread = |service: &SmolStr| {
            let skipped = skipped.iter().find(|s| s.whole && s.about.as_ref().is_none_or(|about| about == service))?;
            Some(NoOffer::ServiceUnreadable { carrier: carrier.clone(), service: service.clone(), said: foreign(&skipped.why) })
        };
        let mut quotes = quotes.map(|read| read.value.into_iter().map(Some).collect::<Vec<_>>());
        let in_force = house.in_force();
        for channel in in_force.config.channels.iter().filter(asked) {
            if quoting.offers.iter().any(|o| o.channel == channel.id && o.warehouse == *warehouse) {
                continue; // it was found unfit before the carrier was asked
            }
            let quote = match &mut quotes {
                Ok(list) => match list.iter_mut().find(|q| q.as_ref().is_some_and(|q| q.service == channel.service)) {
                    Some(slot) => {
                        let promised = |quote: Quote| Quote { days: quote.days.or_else(|| house.promise(channel, warehouse)), ..quote };
                        slot.take().map(promised).ok_or(NoOffer::QuotedTwice)
                    }
                    None => {
                        let none = || NoOffer::NoService { carrier: carrier.clone(), service: channel.service.clone() };
                        Err(unread(&channel.service).unwrap_or_else(none))
                    }
                },
                Err(why) => Err(why.clone()),
            };
            quoting.offers.push(Offer { warehouse: warehouse.clone(), channel: channel.id.clone(), quote });
        }
        if quoting.waiting > 0 {
            return Ok(());
        }
        let cause = quoting.cause.clone();
        origin::within(cause, || self.decide(round))
    }
}
