//! What an order could cost: every warehouse with stock is asked over every channel, tariffs at once, carriers as they answer.
//!
//! Part of the order desk, which alone holds orders and stock; decides nothing and reserves nothing.

use crate::House;
use crate::carrier::{Asked, CarrierMsg};
use crate::config::WarehouseConfig;
use crate::order_desk::DeskState;
use crate::origin::{self, Cause};
use crate::shipment::Load;
use drivers::carriers::Read;
use ractor::ActorProcessingErr;
use rules::allocation::{Offer, warehouses_with_stock};
use rules::packing::Packed;
use smol_str::SmolStr;
use std::collections::BTreeSet;
use twin::allocation::Candidate;
use twin::channel::{Channel, LabelRequest, Quote, QuoteRequest};
use twin::verdict::{NoOffer, foreign};
use twin::{Address, CarrierId, Moment, Money, ParcelId, WarehouseId};

pub(crate) struct Quoting {
    pub(crate) load: Load,
    /// The version of the settings that it is made under.
    pub(crate) settings: u32,
    /// How often channels had been taken out or put back by then.
    pub(crate) channels: u32,
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

/// What carriers would be asked for a label of it, and what would be quoted, from one warehouse.
struct Asking<'a> {
    warehouse: &'a WarehouseConfig,
    quote: QuoteRequest,
    label: LabelRequest,
}

impl<'a> Asking<'a> {
    fn new(warehouse: &'a WarehouseConfig, load: &Load, packed: &Packed, to: &Address, value: Money, ship_at: Moment) -> Self {
        let (from, time_zone, battery) = (warehouse.address.clone(), warehouse.time_zone.clone(), load.has_battery());
        let Packed { weight_g, dims, .. } = *packed;
        let quote =
            QuoteRequest { from: from.clone(), to: to.clone(), weight_g, dims, value, battery, ship_at, time_zone: time_zone.clone() };
        let label = LabelRequest {
            key: SmolStr::default(),
            parcel: ParcelId::of(&load.shipment.orders[0].0, 1),
            service: SmolStr::default(),
            warehouse: warehouse.id.clone(),
            from,
            to: to.clone(),
            weight_g,
            dims,
            value,
            contents: rules::packing::in_words(load.goods()),
            battery,
            ship_at,
            time_zone,
        };
        Asking { warehouse, quote, label }
    }

    /// Whether the channel's carrier takes the parcel with its address as it is: what it would refuse is held instead, with the
    /// field named.
    fn takes(&mut self, house: &House, channel: &Channel) -> Result<(), NoOffer> {
        let Some(driver) = house.drivers.get(&channel.carrier) else { return Ok(()) };
        self.label.service = channel.service.clone();
        self.label.ship_at = house.next_pickup(&channel.carrier, &self.warehouse.id);
        driver.fits(&self.label).map_err(|defect| NoOffer::Misfit { carrier: channel.carrier.clone(), defect })
    }
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
        let mut offers = Vec::new();
        let mut asks = Vec::new();
        let mut last_resort = Vec::new();
        // What a person wants is tried again.
        let orders = if load.shipment.is_by_hand() { &[] } else { &load.orders[..] };
        let refused = orders.iter().flat_map(|order| order.refused_channels());
        let refused: Vec<_> = refused.map(|(channel, why)| (channel.clone(), why.clone())).collect();
        let from = |warehouse: &WarehouseId| {
            let warehouse = in_force.config.warehouse(warehouse)?;
            Some(Asking::new(warehouse, &load, &packed, &to, value, ship_at))
        };
        let mut askings: Vec<_> = fit.iter().filter_map(from).collect();
        for (nth, asking) in askings.iter_mut().enumerate() {
            let warehouse = &asking.warehouse.id;
            let mut carriers = BTreeSet::new();
            let from_here = |c: &&Channel| c.origins.contains(warehouse) && load.shipment.channel.as_ref().is_none_or(|only| *only == c.id);
            for channel in in_force.config.channels.iter().filter(from_here) {
                let offer = |quote| Offer { warehouse: warehouse.clone(), channel: channel.id.clone(), quote };
                let accepts = rules::channels::accepts(channel, warehouse, &asking.quote).map_err(NoOffer::from);
                let accepts = match refused.iter().find(|(id, _)| *id == channel.id) {
                    Some((_, why)) => Err(NoOffer::LabelRefused { said: foreign(why) }),
                    None => accepts,
                };
                let accepts = accepts.and_then(|()| self.channels_out.offer(channel));
                match (accepts, &channel.tariff) {
                    (Err(unfit), _) => offers.push(offer(Err(unfit))),
                    // What its carrier would make of the address is looked at when it is needed.
                    (Ok(()), None) if channel.last_resort => last_resort.push((nth, channel)),
                    (Ok(()), tariff) => match (asking.takes(&house, channel), tariff) {
                        (Err(misfit), _) => offers.push(offer(Err(misfit))),
                        (Ok(()), None) => drop(carriers.insert(channel.carrier.clone())),
                        (Ok(()), Some(tariff)) => {
                            let promise = house.promise(channel, warehouse);
                            offers.push(offer(rules::rating::rate(tariff, &channel.service, &asking.quote, promise)));
                        }
                    },
                }
            }
            asks.extend(carriers.into_iter().map(|carrier| (warehouse.clone(), carrier, asking.quote.clone())));
        }
        let served = !asks.is_empty() || offers.iter().any(|o| o.quote.is_ok());
        for (nth, channel) in last_resort {
            let asking = &mut askings[nth];
            match if served { Err(NoOffer::NotAsked) } else { asking.takes(&house, channel) } {
                Ok(()) => asks.push((asking.warehouse.id.clone(), channel.carrier.clone(), asking.quote.clone())),
                Err(why) => offers.push(Offer { warehouse: asking.warehouse.id.clone(), channel: channel.id.clone(), quote: Err(why) }),
            }
        }
        let waiting = asks.len();
        self.put_quoting(
            round,
            Quoting {
                load,
                settings: in_force.version,
                channels: self.channels_out.changes,
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
