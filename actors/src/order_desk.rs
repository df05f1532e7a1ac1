//! The order desk: takes orders in, reserves stock, and decides which warehouse ships over which channel.
//!
//! Orders and stock are in one actor's hands so that an allocation and its reservations are one transaction: nothing is
//! sold twice. Here are its messages and what it takes up after a fall; what it does lies by subject in `intake`, `quoting`,
//! `shipment` and `errand`.

use crate::catalog::{Catalog, CatalogMsg, CatalogReply, outcome};
use crate::errand::Errand;
use crate::intake::Receipts;
use crate::origin::Cause;
use crate::parcels::taken_up;
use crate::putting_right::Fix;
use crate::quoting::Quoting;
use crate::shipment::Shipment;
use crate::{Answer, Caller, Host, House, Outgoing, ParcelMsg, Seat, Told, Work, origin};
use drivers::carriers::Read;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use twin::carrier::Carrier;
use twin::channel::{Channel, Quote};
use twin::facet::Facet;
use twin::order::{Claim, Command, Order, Stage};
use twin::parcel::{self, Parcel};
use twin::shelf::Listed;
use twin::stock::{self, Counted, Movement, Stock};
use twin::verdict::NoOffer;
use twin::{CarrierId, ChannelId, Moment, NewOrder, OrderId, ParcelId, Refusal, SellerId, Sku, Span, WarehouseId};

/// Orders in these lists have something left to be done.
const UNFINISHED: [Facet; 2] = [Facet::Plan, Facet::Underway];
/// So many are looked at in one go.
const PORTION: usize = 200;
/// So many counts become durable together.
const COUNTED_AT_ONCE: usize = 256;
/// Orders whose quotes do not come are planned anew after this.
pub const QUOTES_LATE: Span = Span::from_mins(2);
/// How often the desk looks for late quotes and for held orders that may go on.
pub const LOOK_EVERY: Span = Span::from_mins(1);
/// An order held because no carrier answered is tried again after this.
pub const RETRY_AFTER: Span = Span::from_mins(5);

/// Told, once it is durable, that it is done, or why not.
pub type Reply = Caller<Result<(), String>>;

#[derive(Debug)]
pub enum DeskMsg {
    /// Orders without faults, or later versions of them; the reply comes when they are durable.
    Receive(Vec<NewOrder>, Receipts),
    Plan(OrderId),
    Quotes {
        round: u32,
        warehouse: WarehouseId,
        carrier: CarrierId,
        quotes: Result<Read<Vec<Quote>>, NoOffer>,
    },
    /// The goods for a parcel left the shelf.
    Packed {
        parcel: ParcelId,
        orders: Vec<OrderId>,
    },
    /// Counted stock; absolute numbers.
    Count(Vec<Counted>, CatalogReply),
    /// Parcels as a person wants them.
    Ship(Vec<Shipment>),
    /// What is sold, and by whom.
    Catalog(CatalogMsg),
    Cancel {
        order: OrderId,
        reason: SmolStr,
        reply: Reply,
    },
    /// What a person puts right about an order.
    PutRight {
        order: OrderId,
        fix: Fix,
        why: SmolStr,
        reply: Reply,
    },
    /// Cancel a parcel and let its orders go another way.
    TakeApart {
        parcel: ParcelId,
        reason: SmolStr,
        reply: Reply,
    },
    /// What a parcel answered that was to be stopped.
    Stopped {
        errand: u32,
        parcel: ParcelId,
        outcome: Result<(), String>,
    },
    /// What is sellable of a return goes on the shelf.
    Restock(ParcelId),
    /// It is, durably.
    Restocked(ParcelId),
    /// Make who its buyer is unreadable for ever.
    Erase {
        order: OrderId,
        reply: Reply,
    },
    /// The order rests, durably: the twin has it.
    Rest(OrderId),
    /// Parcels fell: what they were told may be lost. The list, from where on, and since when.
    TakeUp(Facet, Option<Listed>, Moment),
    /// No label was sold for it: its orders go over another channel, where the settings let them.
    TryAnotherChannel(ParcelId),
    /// A parcel may have left its order behind, or have fallen over its own creation.
    CatchUp(ParcelId),
    /// Other settings are in force: what no channel took may go now.
    SettingsChanged,
    /// A person took a channel out, and why, or put it back.
    ChannelOut {
        carrier: CarrierId,
        channel: ChannelId,
        out: Option<SmolStr>,
    },
    /// A carrier is to be asked again: what waits for that need not wait longer.
    TryAgain,
    Look,
}

pub struct OrderDesk;

pub struct DeskState {
    pub(crate) house: Arc<House>,
    /// Its own seat, not the desk's: what it tells itself ends with it.
    pub(crate) myself: Seat<DeskMsg>,
    pub(crate) catalog: Catalog,
    /// Orders that are being worked on. Those of one number stand side by side.
    pub(crate) orders: BTreeMap<OrderId, Host<Order>>,
    /// What was asked for since it sat down.
    stock: HashMap<SmolStr, Host<Stock>>,
    /// By their round.
    quoting: BTreeMap<u32, Quoting>,
    /// In which round an order is.
    quoted_in: HashMap<OrderId, u32>,
    pub(crate) errands: BTreeMap<u32, Errand>,
    pub(crate) rounds: u32,
    /// Returns whose goods are being written into stock.
    pub(crate) restocking: BTreeSet<ParcelId>,
    /// Why a person said what a line of theirs is, until they go on because of it.
    pub(crate) named: BTreeMap<OrderId, SmolStr>,
    /// Held for want of stock.
    pub(crate) short: BTreeSet<OrderId>,
    /// Each with the cause of its first try.
    pub(crate) retry: BTreeMap<(Moment, OrderId), Cause>,
    pub(crate) channels_out: ChannelsOut,
}

/// Channels that people took out, each with the carrier that it was taken out with, and why.
#[derive(Default)]
pub(crate) struct ChannelsOut {
    all: BTreeMap<(CarrierId, ChannelId), SmolStr>,
    /// How often that has changed since the desk sat down.
    pub(crate) changes: u32,
}

impl ChannelsOut {
    /// What a channel that is out would be chosen for.
    pub(crate) fn offer(&self, channel: &Channel) -> Result<(), NoOffer> {
        match self.all.get(&(channel.carrier.clone(), channel.id.clone())) {
            _ if self.all.is_empty() => Ok(()),
            Some(why) => Err(NoOffer::TakenOut { said: why.clone() }),
            None => Ok(()),
        }
    }
}

impl Actor for OrderDesk {
    type Msg = Told<DeskMsg>;
    type State = DeskState;
    type Arguments = Arc<House>;

    async fn pre_start(&self, myself: ActorRef<Told<DeskMsg>>, house: Arc<House>) -> Result<DeskState, ActorProcessingErr> {
        house.desk.take(myself.clone());
        let mut desk = DeskState::new(house, Seat::of(myself));
        desk.look_at_channels()?;
        Ok(desk)
    }

    async fn post_start(&self, _: ActorRef<Told<DeskMsg>>, desk: &mut DeskState) -> Result<(), ActorProcessingErr> {
        for facet in UNFINISHED {
            let since = desk.house.clock.steady();
            desk.take_up(facet, None, since)?;
        }
        desk.take_up_returns()?;
        desk.look_later();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Told<DeskMsg>>, told: Told<DeskMsg>, desk: &mut DeskState) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || desk.take(told.message))
    }
}

impl DeskState {
    fn new(house: Arc<House>, myself: Seat<DeskMsg>) -> Self {
        DeskState {
            catalog: Catalog::new(house.twin.clone()),
            house,
            myself,
            orders: BTreeMap::new(),
            stock: HashMap::new(),
            quoting: BTreeMap::new(),
            quoted_in: HashMap::new(),
            errands: BTreeMap::new(),
            restocking: BTreeSet::new(),
            rounds: 0,
            named: BTreeMap::new(),
            short: BTreeSet::new(),
            retry: BTreeMap::new(),
            channels_out: ChannelsOut::default(),
        }
    }

    fn look_at_channels(&mut self) -> Result<(), ActorProcessingErr> {
        for carrier in &self.house.in_force().config.carriers {
            if let Some((_, Carrier { channels_out, .. })) = self.house.twin.load::<Carrier>(carrier.id().text())? {
                self.channels_out.all.extend(channels_out.into_iter().map(|(channel, why)| ((carrier.id().clone(), channel), why)));
            }
        }
        Ok(())
    }

    fn take(&mut self, message: DeskMsg) -> Result<(), ActorProcessingErr> {
        match message {
            DeskMsg::Receive(orders, reply) => self.receive(orders, reply)?,
            DeskMsg::Plan(order) => self.plan(order)?,
            DeskMsg::Quotes { round, warehouse, carrier, quotes } => self.quoted(round, &warehouse, &carrier, quotes)?,
            DeskMsg::Packed { parcel, orders } => self.packed(parcel, orders)?,
            DeskMsg::Count(rows, reply) => self.count(rows, reply)?,
            DeskMsg::Ship(shipments) => self.ship_by_hand(shipments)?,
            DeskMsg::Catalog(message) => self.catalog(message)?,
            DeskMsg::Cancel { order, reason, reply } => self.cancel(order, reason, reply)?,
            DeskMsg::PutRight { order, fix, why, reply } => self.put_right(order, fix, why, reply)?,
            DeskMsg::TakeApart { parcel, reason, reply } => self.take_apart(parcel, reason, reply)?,
            DeskMsg::Stopped { errand, parcel, outcome } => self.stopped(errand, parcel, outcome)?,
            DeskMsg::Restock(parcel) => self.restock(parcel)?,
            DeskMsg::Restocked(parcel) => drop(self.restocking.remove(&parcel)),
            DeskMsg::Erase { order, reply } => self.erase(order, reply)?,
            DeskMsg::Rest(order) => self.rest(order),
            DeskMsg::TakeUp(facet, after, since) => self.take_up(facet, after, since)?,
            DeskMsg::ChannelOut { carrier, channel, out } => {
                self.channels_out.changes += 1;
                match out {
                    Some(why) => drop(self.channels_out.all.insert((carrier, channel), why)),
                    None => {
                        self.channels_out.all.remove(&(carrier, channel));
                        self.take_up(Facet::Plan, None, self.house.clock.steady())?;
                    }
                }
            }
            DeskMsg::TryAgain => {
                for ((_, id), cause) in std::mem::take(&mut self.retry) {
                    self.myself.send(Told { cause, message: DeskMsg::Plan(id) });
                }
            }
            DeskMsg::SettingsChanged => self.take_up(Facet::Plan, None, self.house.clock.steady())?,
            DeskMsg::TryAnotherChannel(parcel) => self.try_another_channel(parcel)?,
            DeskMsg::CatchUp(parcel) => {
                for order in self.house.twin.orders_called(parcel.number())? {
                    self.catch_up(order)?;
                }
            }
            DeskMsg::Look => {
                self.look()?;
                self.look_later();
            }
        }
        Ok(())
    }

    /// After a start: what was received and not decided is planned, what was decided has its parcel created, and an order
    /// that its parcel has left behind catches up. A portion at a time; what comes meanwhile is not kept waiting.
    fn take_up(&mut self, facet: Facet, after: Option<Listed>, since: Moment) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let portion = house.twin.listed::<Order>(facet, None, after.as_ref()).take(PORTION).collect::<Result<Vec<_>, _>>()?;
        let last = portion.last().map(|(listed, _)| listed.clone()).filter(|_| portion.len() == PORTION);
        for (listed, _) in portion {
            let id = OrderId::from(listed.id);
            match facet {
                Facet::Plan => self.myself.cast(DeskMsg::Plan(id)),
                _ => self.catch_up(id)?,
            }
        }
        match last {
            Some(last) => self.myself.cast(DeskMsg::TakeUp(facet, Some(last), since)),
            None => taken_up(&self.house, facet, since),
        }
        Ok(())
    }

    fn catch_up(&mut self, id: OrderId) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let order = self.order(&id)?.state.clone();
        for part in order.live_parts() {
            let Some(parcel) = self.parcel(&part.parcel)? else {
                // Decided, and never made.
                if let Some(plan) = self.plan_again(&part.parcel, &id)? {
                    house.tell(part.parcel.clone(), ParcelMsg::Create(Box::new(plan)));
                }
                continue;
            };
            if !parcel.plan.orders().contains(&id) {
                // Another order of the same number has it.
                let mut work = house.work();
                self.drop_part(&mut work, &part.parcel, std::slice::from_ref(&id), &"its number is another parcel's".into())?;
                self.plan_when_written(&mut work, vec![]);
                house.commit(work);
                self.myself.cast(DeskMsg::Plan(id.clone()));
            } else if parcel.stage == parcel::Stage::Cancelled {
                self.dropped(part.parcel.clone(), "its parcel was cancelled".into())?;
                self.cancel_with(&id, &parcel)?;
            } else if part.claim == Claim::Reserved && has_picked(&parcel) {
                self.packed(part.parcel.clone(), vec![id.clone()])?;
            }
        }
        Ok(())
    }

    /// The house fell between the parcel and its order, which was to be cancelled with it.
    fn cancel_with(&mut self, id: &OrderId, parcel: &Parcel) -> Result<(), ActorProcessingErr> {
        if parcel.cancelled_for.as_ref() == Some(id) && self.order(id)?.state.stage == Stage::Received {
            let house = self.house.clone();
            let mut work = house.work();
            self.order(id)?.command(&mut work, Command::Cancel { reason: "its parcel was cancelled".into() })?;
            house.commit(work);
        }
        Ok(())
    }

    pub(crate) fn order(&mut self, id: &OrderId) -> Result<&mut Host<Order>, ActorProcessingErr> {
        if !self.orders.contains_key(id) {
            let host = Host::load(&self.house.twin, id.text().clone())?;
            self.orders.insert(id.clone(), host);
        }
        self.orders.get_mut(id).ok_or_else(|| "an order vanished from the desk".into())
    }

    /// What came meanwhile may have given it work again.
    fn rest(&mut self, id: OrderId) {
        let works = |order: &Order| order.stage == Stage::Received || order.live_parts().any(|part| part.claim == Claim::Reserved);
        if self.orders.get(&id).is_some_and(|host| !works(&host.state)) && !self.is_busy(&id) {
            self.orders.remove(&id);
        }
    }

    /// Stock as the twin knows it, or as it has become since.
    pub(crate) fn stock(&mut self, id: SmolStr) -> Result<&mut Host<Stock>, ActorProcessingErr> {
        if !self.stock.contains_key(&id) {
            let host = Host::load(&self.house.twin, id.clone())?;
            self.stock.insert(id.clone(), host);
        }
        self.stock.get_mut(&id).ok_or_else(|| "a stock vanished from the desk".into())
    }

    /// Has at hand what these warehouses hold of what is needed.
    pub(crate) fn look_at_stock(
        &mut self,
        warehouses: &[WarehouseId],
        seller: &SellerId,
        needs: &[(Sku, u32)],
    ) -> Result<(), ActorProcessingErr> {
        for warehouse in warehouses {
            for (sku, _) in needs {
                self.stock(stock::id(warehouse, seller, sku))?;
            }
        }
        Ok(())
    }

    /// What is available of what was looked at.
    pub(crate) fn available(&self, warehouse: &WarehouseId, seller: &SellerId, sku: &Sku) -> u32 {
        self.stock.get(&stock::id(warehouse, seller, sku)).map_or(0, |s| s.state.available())
    }

    pub(crate) fn is_quoting(&self, order: &OrderId) -> bool {
        self.quoted_in.contains_key(order)
    }

    pub(crate) fn put_quoting(&mut self, round: u32, quoting: Quoting) {
        self.quoted_in.extend(quoting.load.shipment.orders.iter().map(|(id, _)| (id.clone(), round)));
        self.quoting.insert(round, quoting);
    }

    pub(crate) fn quoting(&mut self, round: u32) -> Option<&mut Quoting> {
        self.quoting.get_mut(&round)
    }

    pub(crate) fn take_quoting(&mut self, round: u32) -> Option<Quoting> {
        let quoting = self.quoting.remove(&round)?;
        for (id, _) in &quoting.load.shipment.orders {
            if self.quoted_in.get(id) == Some(&round) {
                self.quoted_in.remove(id);
            }
        }
        Some(quoting)
    }

    fn count(&mut self, rows: Vec<Counted>, reply: CatalogReply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let (mut work, mut outcomes) = (house.work(), Vec::with_capacity(rows.len()));
        for Counted { warehouse, owner, sku, on_hand } in rows {
            if house.in_force().config.warehouse(&warehouse).is_none() {
                outcomes.push(Err(format!("there is no warehouse {warehouse}")));
                continue;
            }
            if work.tx.len() >= COUNTED_AT_ONCE {
                house.commit(std::mem::replace(&mut work, house.work()));
            }
            let host = self.stock(stock::id(&warehouse, &owner, &sku))?;
            let (safety, existed) = (host.state.safety, host.exists());
            let counted = match existed && host.state.on_hand == on_hand {
                true => Ok(0),
                false => moved(host, &mut work, Movement::Count { on_hand, safety }),
            };
            outcomes.push(outcome(existed, counted));
        }
        self.plan_short(&mut work);
        work.say(Outgoing::Answer(Answer::Outcomes(reply, outcomes)));
        house.commit(work);
        Ok(())
    }

    /// Orders that wait for stock are planned anew, because of what this work makes known of it.
    pub(crate) fn plan_short(&mut self, work: &mut Work) {
        for id in std::mem::take(&mut self.short) {
            // A desk that fell meanwhile plans what it finds received.
            work.say(Outgoing::Desk(DeskMsg::Plan(id)));
        }
    }

    /// The event first; the key is destroyed once that is durable.
    fn erase(&mut self, id: OrderId, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let order = self.order(&id)?.state.clone();
        if let Err(refusal) = twin::forget::has_left(&house.twin, id.text(), &order)? {
            reply.tell(Err(refusal.to_string()));
            return Ok(());
        }
        let mut work = house.work();
        let host = self.order(&id)?;
        let agreed = host.command(&mut work, Command::Forget).map(drop).map_err(|r| r.to_string());
        let (order, at) = (Box::new(host.state.clone()), work.tx.at);
        work.say(Outgoing::Erase { id, order, at, agreed, caller: reply });
        house.commit(work);
        Ok(())
    }

    fn look_later(&self) {
        let myself = self.myself.clone();
        self.house.clock.after(LOOK_EVERY, move || myself.cast(DeskMsg::Look));
    }

    fn look(&mut self) -> Result<(), ActorProcessingErr> {
        let now = self.house.clock.steady();
        let late: Vec<_> = self.quoting.iter().filter(|(_, q)| now - q.since > QUOTES_LATE).map(|(round, _)| *round).collect();
        for round in late {
            let Some(quoting) = self.take_quoting(round) else { continue };
            let Quoting { cause, load, .. } = quoting;
            match load.shipment.placed {
                Some(placed) => placed.tell(Err("a carrier that was asked did not answer".into())),
                None => {
                    for (id, _) in load.shipment.orders {
                        self.myself.send(Told { cause: cause.clone(), message: DeskMsg::Plan(id) });
                    }
                }
            }
        }
        self.end_late_errands(now)?;
        while let Some(due) = self.retry.first_entry().filter(|e| e.key().0 <= now) {
            let ((_, id), cause) = due.remove_entry();
            self.myself.send(Told { cause, message: DeskMsg::Plan(id) });
        }
        Ok(())
    }
}

/// What happens to a stock next.
pub(crate) fn moved(stock: &mut Host<Stock>, work: &mut Work, what: Movement) -> Result<usize, Refusal> {
    let next = stock.state.next(what);
    stock.command(work, next)
}

/// Whether the goods for a parcel have left the shelf.
fn has_picked(parcel: &Parcel) -> bool {
    parcel.packed_at.is_some() || (parcel.stage > parcel::Stage::Labelled && parcel.stage != parcel::Stage::Intercepted)
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
