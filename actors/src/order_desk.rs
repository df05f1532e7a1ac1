//! The order desk: takes orders in, reserves stock, and decides which warehouse ships over which channel.
//!
//! Orders and stock are in one actor's hands so that an allocation and its reservations are one transaction: nothing is
//! sold twice. Quotes come from tariffs at once, and from carriers when they answer; the decision is made when all are in.

use crate::carrier::CarrierMsg;
use crate::catalog::{Catalog, CatalogMsg, CatalogReply, outcome};
use crate::config::WarehouseConfig;
use crate::origin::Cause;
use crate::parcel::label_request;
use crate::{Host, House, ParcelMsg, Told, Work, origin};
use drivers::carriers::Read;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rules::allocation::{Offer, choose, warehouses_with_stock};
use rules::packing::Packed;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use twin::allocation::{Candidate, Decision};
use twin::channel::{Channel, Quote, QuoteRequest};
use twin::facet::Facet;
use twin::order::{Command, Hold, NewOrder, Order, Stage};
use twin::parcel::{self, Parcel, Plan};
use twin::shelf::Listed;
use twin::stock::{self, Counted, Stock};
use twin::{Address, CarrierId, Moment, Money, OrderId, Origin, ParcelId, SellerId, Sku, Span, WarehouseId};

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

/// Told, once it is durable, whether an order is cancelled, or why not.
pub type Reply = Box<dyn FnOnce(Result<(), String>) + Send>;

/// What became of one order that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    Accepted,
    /// It was here before; nothing changed.
    Known,
}

/// How far the parcel of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Released,
    Packed,
    Shipped,
    Delivered,
    Returned,
}

pub enum DeskMsg {
    /// Orders without faults; the reply comes when they are durable.
    Receive(Vec<NewOrder>, Box<dyn FnOnce(Vec<Receipt>) + Send>),
    Plan(OrderId),
    Quotes {
        order: OrderId,
        round: u32,
        warehouse: WarehouseId,
        carrier: CarrierId,
        quotes: Result<Read<Vec<Quote>>, SmolStr>,
    },
    Progress {
        order: OrderId,
        step: Progress,
    },
    /// Counted stock; absolute numbers.
    Count(Vec<Counted>, CatalogReply),
    /// What is sold, and by whom.
    Catalog(CatalogMsg),
    Cancel {
        order: OrderId,
        reason: SmolStr,
        reply: Reply,
    },
    /// What the parcel of an order that is to be cancelled answered.
    Cancelled {
        order: OrderId,
        reason: SmolStr,
        outcome: Result<(), String>,
        reply: Reply,
    },
    /// Make who its buyer is unreadable for ever.
    Erase {
        order: OrderId,
        reply: Reply,
    },
    /// The order rests, durably: the twin has it.
    Rest(OrderId),
    /// Parcels fell: what they were told may be lost.
    TakeUp(Facet, Option<Listed>),
    /// A parcel may have left its order behind, or have fallen over its own creation.
    CatchUp(OrderId),
    Look,
}

pub struct OrderDesk;

pub struct DeskState {
    pub(crate) house: Arc<House>,
    pub(crate) myself: ActorRef<Told<DeskMsg>>,
    pub(crate) catalog: Catalog,
    /// Orders that are being worked on; looked up by id only.
    orders: HashMap<OrderId, Host<Order>>,
    /// What was asked for since it sat down.
    stock: HashMap<SmolStr, Host<Stock>>,
    warehouses: Vec<WarehouseId>,
    quoting: BTreeMap<OrderId, Quoting>,
    rounds: u32,
    /// Held for want of stock, by the SKU that may bring them on.
    short: BTreeSet<OrderId>,
    /// Each with the cause of its first try.
    retry: BTreeMap<(Moment, OrderId), Cause>,
}

struct Quoting {
    round: u32,
    /// Why it is planned: the decision is ours, not the last carrier's that quoted.
    cause: Cause,
    since: Moment,
    waiting: usize,
    offers: Vec<Offer>,
    lost: Vec<Candidate>,
    packed: Packed,
    value: Money,
    /// A carrier failed to answer: another try may end better.
    incomplete: bool,
}

/// Whether the channel's carrier takes the parcel with its address as it is: what it would refuse is held instead, with the
/// field named.
fn takes(house: &House, warehouse: &WarehouseConfig, order: &OrderId, plan: &Plan, to: &Address) -> Result<(), SmolStr> {
    let Some(driver) = house.drivers.get(&plan.carrier) else { return Ok(()) };
    let request = label_request(house, warehouse, &ParcelId::of(order, 1), plan, to.clone());
    driver.fits(&request).map_err(|unfit| format_smolstr!("{} cannot take it: {unfit}", plan.carrier))
}

/// The last step behind a parcel, and where that takes its order.
fn reached(parcel: &Parcel) -> Option<(Progress, Stage)> {
    match parcel.stage {
        parcel::Stage::Delivered => Some((Progress::Delivered, Stage::Delivered)),
        parcel::Stage::Returned => Some((Progress::Returned, Stage::Returned)),
        stage if stage.is_with_carrier() || stage == parcel::Stage::Lost => Some((Progress::Shipped, Stage::Shipped)),
        _ if parcel.packed_at.is_some() => Some((Progress::Packed, Stage::Packed)),
        _ => None,
    }
}

impl Actor for OrderDesk {
    type Msg = Told<DeskMsg>;
    type State = DeskState;
    type Arguments = Arc<House>;

    async fn pre_start(&self, myself: ActorRef<Told<DeskMsg>>, house: Arc<House>) -> Result<DeskState, ActorProcessingErr> {
        house.desk.take(myself.clone());
        let warehouses = house.config.warehouses.iter().map(|w| w.id.clone()).collect();
        Ok(DeskState {
            catalog: Catalog::new(house.twin.clone()),
            house,
            myself,
            orders: HashMap::new(),
            stock: HashMap::new(),
            warehouses,
            quoting: BTreeMap::new(),
            rounds: 0,
            short: BTreeSet::new(),
            retry: BTreeMap::new(),
        })
    }

    async fn post_start(&self, myself: ActorRef<Told<DeskMsg>>, desk: &mut DeskState) -> Result<(), ActorProcessingErr> {
        for facet in UNFINISHED {
            desk.take_up(facet, None)?;
        }
        desk.look_later(myself);
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<Told<DeskMsg>>, told: Told<DeskMsg>, desk: &mut DeskState) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || desk.take(myself, told.message))
    }
}

impl DeskState {
    fn take(&mut self, myself: ActorRef<Told<DeskMsg>>, message: DeskMsg) -> Result<(), ActorProcessingErr> {
        match message {
            DeskMsg::Receive(orders, reply) => self.receive(orders, reply)?,
            DeskMsg::Plan(order) => self.plan(order)?,
            DeskMsg::Quotes { order, round, warehouse, carrier, quotes } => self.quoted(order, round, &warehouse, &carrier, quotes)?,
            DeskMsg::Progress { order, step } => self.progress(order, step)?,
            DeskMsg::Count(rows, reply) => self.count(rows, reply)?,
            DeskMsg::Catalog(message) => self.catalog(message)?,
            DeskMsg::Cancel { order, reason, reply } => self.cancel(order, reason, reply)?,
            DeskMsg::Cancelled { order, reason, outcome, reply } => self.cancelled(order, reason, outcome, reply)?,
            DeskMsg::Erase { order, reply } => self.erase(order, reply)?,
            DeskMsg::Rest(order) => drop(self.orders.remove(&order)),
            DeskMsg::TakeUp(facet, after) => self.take_up(facet, after)?,
            DeskMsg::CatchUp(order) => self.catch_up(order)?,
            DeskMsg::Look => {
                self.look()?;
                self.look_later(myself);
            }
        }
        Ok(())
    }

    /// After a start: what was received and not decided is planned, what was decided has its parcel created, and an order
    /// that its parcel has left behind catches up. A portion at a time; what comes meanwhile is not kept waiting.
    fn take_up(&mut self, facet: Facet, after: Option<Listed>) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let portion = house.twin.listed::<Order>(facet, None, after.as_ref()).take(PORTION).collect::<Result<Vec<_>, _>>()?;
        let last = portion.last().map(|(listed, _)| listed.clone()).filter(|_| portion.len() == PORTION);
        for (listed, _) in portion {
            let id = OrderId::from(listed.id);
            match facet {
                Facet::Plan => self.myself.cast(DeskMsg::Plan(id).into())?,
                _ => self.catch_up(id)?,
            }
        }
        match last {
            Some(last) => Ok(self.myself.cast(DeskMsg::TakeUp(facet, Some(last)).into())?),
            None => Ok(()),
        }
    }

    fn catch_up(&mut self, id: OrderId) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let Some((_, order)) = house.twin.load::<Order>(id.text())? else { return Ok(()) };
        if let (Stage::Allocated, Some(decision)) = (&order.stage, &order.decision)
            && let (Some(parcel), Some(plan)) = (order.parcel.clone(), self.parcel_plan(&id, &order, decision))
        {
            house.tell(parcel, ParcelMsg::Create(Box::new(plan)));
        }
        if let Some(parcel) = &order.parcel
            && let Some((_, parcel)) = house.twin.load::<Parcel>(parcel.text())?
        {
            if parcel.stage == twin::parcel::Stage::Cancelled {
                let (reason, reply) = ("its parcel was cancelled".into(), Box::new(|_| ()));
                self.myself.cast(DeskMsg::Cancelled { order: id, reason, outcome: Ok(()), reply }.into())?;
            } else if let Some((step, _)) = reached(&parcel).filter(|(_, stage)| *stage > order.stage) {
                self.myself.cast(DeskMsg::Progress { order: id, step }.into())?;
            }
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

    fn receive(&mut self, orders: Vec<NewOrder>, reply: Box<dyn FnOnce(Vec<Receipt>) + Send>) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let mut receipts = Vec::with_capacity(orders.len());
        let mut fresh = Vec::new();
        for mut order in orders {
            let id = order.id.clone();
            // The one place: whoever took the order in, from here on its address is written as the house reads it.
            order.ship_to.put_right();
            let mut holds = Vec::new();
            let (seller, lines, unknown) = self.catalog.lines(&order)?;
            holds.extend(unknown.map(|skus| (Hold::UnknownSku, skus)));
            let faults = order.ship_to.faults();
            if !faults.is_empty() {
                let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
                holds.push((Hold::AddressInvalid, told.join("; ").into()));
            }
            if let Some(why) = &order.held {
                holds.push((Hold::Manual, why.clone()));
            }
            if !order.paid {
                holds.push((Hold::Unpaid, "the platform does not say that it is paid".into()));
            }
            if self.order(&id)?.exists() {
                receipts.push(Receipt::Known);
                continue;
            }
            let buyer = house.twin.seal_buyer(&mut work.tx, &order.ship_to.clone().parted().1)?;
            let host = self.order(&id)?;
            host.command(&mut work, Command::Receive { order: Box::new(order), buyer: Some(buyer), seller, lines })?;
            receipts.push(Receipt::Accepted);
            for (reason, detail) in &holds {
                host.command(&mut work, Command::Hold { reason: *reason, detail: detail.clone() })?;
            }
            if holds.is_empty() {
                fresh.push((id, work.tx.len()));
            }
        }
        let (myself, records) = (self.myself.clone(), work.tx.len());
        work.then(move || {
            reply(receipts);
            for (id, nth) in fresh {
                // A desk that fell meanwhile plans what it finds received.
                let _ = myself.cast(Told { cause: origin::earlier(records - nth), message: DeskMsg::Plan(id) });
            }
        });
        house.commit(work);
        Ok(())
    }

    /// Stock as the twin knows it, or as it has become since.
    fn stock(&mut self, id: SmolStr) -> Result<&mut Host<Stock>, ActorProcessingErr> {
        if !self.stock.contains_key(&id) {
            let host = Host::load(&self.house.twin, id.clone())?;
            self.stock.insert(id.clone(), host);
        }
        self.stock.get_mut(&id).ok_or_else(|| "a stock vanished from the desk".into())
    }

    /// Has at hand what every warehouse holds of what an order needs.
    fn look_at_stock(&mut self, order: &Order) -> Result<(), ActorProcessingErr> {
        for warehouse in self.warehouses.clone() {
            for (sku, _) in order.needs() {
                self.stock(stock::id(&warehouse, &order.seller, &sku))?;
            }
        }
        Ok(())
    }

    /// What is available of what was looked at.
    fn available(&self, warehouse: &WarehouseId, seller: &SellerId, sku: &Sku) -> u32 {
        self.stock.get(&stock::id(warehouse, seller, sku)).map_or(0, |s| s.state.available())
    }

    /// Gathers what every warehouse with stock could ship over every channel.
    fn plan(&mut self, id: OrderId) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let (now, ship_at) = (house.clock.steady(), house.clock.date());
        self.identify(&id)?;
        let order = self.order(&id)?.state.clone();
        let held_for_good =
            order.holds.keys().any(|h| !matches!(h, Hold::NoStock | Hold::NoChannel | Hold::Oversize | Hold::ForbiddenGoods));
        if order.stage != Stage::Received || held_for_good || self.quoting.contains_key(&id) {
            return Ok(());
        }
        let Some(value) = order.value() else {
            let mut work = house.work();
            let detail = "its value cannot be told".into();
            self.order(&id)?.command(&mut work, Command::Hold { reason: Hold::Manual, detail })?;
            house.commit(work);
            return Ok(());
        };
        let to = house.twin.address(&order.ship_to, order.buyer.as_ref())?;
        self.look_at_stock(&order)?;
        let (fit, lost) = warehouses_with_stock(&order.needs(), &self.warehouses, |w, s| self.available(w, &order.seller, s));
        let packed = rules::packing::declare(order.goods());
        self.rounds += 1;
        let mut quoting = Quoting {
            round: self.rounds,
            cause: origin::cause(),
            since: now,
            waiting: 0,
            offers: Vec::new(),
            lost,
            packed,
            value,
            incomplete: false,
        };
        let mut asks = Vec::new();
        let mut last_resort = Vec::new();
        for warehouse in fit {
            let Some(config) = house.config.warehouse(&warehouse) else { continue };
            let request = QuoteRequest {
                from: config.address.clone(),
                to: to.clone(),
                weight_g: quoting.packed.weight_g,
                dims: quoting.packed.dims,
                value,
                battery: order.goods().any(|(goods, _)| goods.facts.battery.is_any()),
                ship_at,
                time_zone: config.time_zone.clone(),
            };
            let mut carriers = BTreeSet::new();
            for channel in house.config.channels.iter().filter(|c| c.origins.contains(&warehouse)) {
                let offer = |quote| Offer { warehouse: warehouse.clone(), channel: channel.id.clone(), quote };
                let accepts = rules::channels::accepts(channel, &warehouse, &request).map_err(|unfit| format_smolstr!("{unfit}"));
                let plan = || self.plan_by(&id, &order, config, channel, &quoting.packed);
                let takes = accepts.and_then(|()| takes(&house, config, &id, &plan(), &to));
                match (takes, &channel.tariff) {
                    (Err(unfit), _) => quoting.offers.push(offer(Err(unfit))),
                    (Ok(()), Some(tariff)) => {
                        let rated = rules::rating::rate(tariff, &channel.service, &request, house.promise(channel, &warehouse));
                        quoting.offers.push(offer(rated.map_err(|why| format_smolstr!("{why}"))));
                    }
                    (Ok(()), None) if channel.last_resort => last_resort.push((warehouse.clone(), channel, request.clone())),
                    (Ok(()), None) => drop(carriers.insert(channel.carrier.clone())),
                }
            }
            asks.extend(carriers.into_iter().map(|carrier| (warehouse.clone(), carrier, request.clone())));
        }
        let served = !asks.is_empty() || quoting.offers.iter().any(|o| o.quote.is_ok());
        for (warehouse, channel, request) in last_resort {
            if served {
                let quote = Err("not asked: a last resort, and others take it".into());
                quoting.offers.push(Offer { warehouse, channel: channel.id.clone(), quote });
            } else {
                asks.push((warehouse, channel.carrier.clone(), request));
            }
        }
        quoting.waiting = asks.len();
        let round = quoting.round;
        self.quoting.insert(id.clone(), quoting);
        if asks.is_empty() {
            return self.decide(id);
        }
        for (warehouse, carrier, mut request) in asks {
            request.ship_at = house.next_pickup(&carrier, &warehouse);
            let (desk, order, from) = (house.desk.clone(), id.clone(), carrier.clone());
            let reply = Box::new(move |quotes| desk.cast(DeskMsg::Quotes { order, round, warehouse, carrier: from, quotes }));
            if let Some(seat) = house.carriers.get(&carrier) {
                seat.cast(CarrierMsg::Quote(Box::new(request), reply));
            }
        }
        Ok(())
    }

    fn quoted(
        &mut self,
        id: OrderId,
        round: u32,
        warehouse: &WarehouseId,
        carrier: &CarrierId,
        mut quotes: Result<Read<Vec<Quote>>, SmolStr>,
    ) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let Some(quoting) = self.quoting.get_mut(&id).filter(|q| q.round == round) else { return Ok(()) };
        quoting.waiting -= 1;
        quoting.incomplete |= quotes.is_err();
        let asked = |c: &&Channel| c.carrier == *carrier && c.tariff.is_none() && c.origins.contains(warehouse);
        let skipped = quotes.as_mut().map(|read| std::mem::take(&mut read.skipped)).unwrap_or_default();
        let unread = |service: &SmolStr| {
            let skipped = skipped.iter().find(|s| s.whole && s.about.as_ref().is_none_or(|about| about == service))?;
            Some(format_smolstr!("the answer of {carrier} for {service} cannot be read: {}", skipped.why))
        };
        let mut quotes = quotes.map(|read| read.value.into_iter().map(Some).collect::<Vec<_>>());
        for channel in house.config.channels.iter().filter(asked) {
            if quoting.offers.iter().any(|o| o.channel == channel.id && o.warehouse == *warehouse) {
                continue; // it was found unfit before the carrier was asked
            }
            let quote = match &mut quotes {
                Ok(list) => match list.iter_mut().find(|q| q.as_ref().is_some_and(|q| q.service == channel.service)) {
                    Some(slot) => {
                        let promised = |quote: Quote| Quote { days: quote.days.or_else(|| house.promise(channel, warehouse)), ..quote };
                        slot.take().map(promised).ok_or_else(|| "the carrier quoted it twice".into())
                    }
                    None => {
                        Err(unread(&channel.service).unwrap_or_else(|| format_smolstr!("{carrier} offers no {} for it", channel.service)))
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
        origin::within(cause, || self.decide(id))
    }

    /// All quotes are in: the cheapest gets the order, and the stock is locked in the same transaction.
    fn decide(&mut self, id: OrderId) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let Some(quoting) = self.quoting.remove(&id) else { return Ok(()) };
        let mut work = house.work();
        match choose(quoting.offers, quoting.lost, &house.config.fx) {
            Ok(decision) => {
                // The stock may have gone while the carriers thought.
                let order = &self.order(&id)?.state;
                let (seller, needs) = (order.seller.clone(), order.needs());
                if needs.iter().any(|(sku, quantity)| self.available(&decision.warehouse, &seller, sku) < *quantity) {
                    self.myself.cast(DeskMsg::Plan(id).into())?;
                    return Ok(());
                }
                for (sku, quantity) in needs {
                    let stock = self.stock(stock::id(&decision.warehouse, &seller, &sku))?;
                    stock.command(&mut work, stock::Command::Reserve { order: id.clone(), quantity })?;
                }
                let parcel = ParcelId::of(&id, 1);
                let host = self.order(&id)?;
                host.command(&mut work, Command::Allocate { decision: Box::new(decision.clone()), parcel: parcel.clone() })?;
                let order = host.state.clone();
                if let Some(mut plan) = self.parcel_plan(&id, &order, &decision) {
                    plan.value = Some(quoting.value);
                    let told = house.clone();
                    work.then(move || told.tell(parcel, ParcelMsg::Create(Box::new(plan))));
                }
                self.short.remove(&id);
            }
            Err((reason, detail, _)) => {
                self.order(&id)?.command(&mut work, Command::Hold { reason, detail })?;
                match reason {
                    Hold::NoStock => drop(self.short.insert(id)),
                    _ if quoting.incomplete => drop(self.retry.insert((house.clock.steady() + RETRY_AFTER, id), quoting.cause)),
                    _ => {}
                }
            }
        }
        house.commit(work);
        Ok(())
    }

    fn parcel_plan(&self, id: &OrderId, order: &Order, decision: &Decision) -> Option<Plan> {
        let (channel, warehouse) = (self.house.config.channel(&decision.channel)?, self.house.config.warehouse(&decision.warehouse)?);
        let packed = rules::packing::declare(order.goods());
        Some(Plan { estimate: Some(decision.cost), ..self.plan_by(id, order, warehouse, channel, &packed) })
    }

    /// The parcel of an order, from that warehouse over that channel.
    fn plan_by(&self, id: &OrderId, order: &Order, warehouse: &WarehouseConfig, channel: &Channel, packed: &Packed) -> Plan {
        Plan {
            order: id.clone(),
            warehouse: warehouse.id.clone(),
            carrier: channel.carrier.clone(),
            channel: channel.id.clone(),
            service: channel.service.clone(),
            ship_to: order.ship_to.clone(),
            buyer: order.buyer.clone(),
            declared_g: packed.weight_g,
            declared: packed.dims,
            value: order.value(),
            estimate: None,
            contents: rules::packing::in_words(order.goods()),
            battery: order.goods().any(|(goods, _)| goods.facts.battery.is_any()),
        }
    }

    fn progress(&mut self, id: OrderId, step: Progress) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let last = match step {
            Progress::Released => (Stage::Released, Command::Release),
            Progress::Packed => (Stage::Packed, Command::Pack),
            Progress::Shipped => (Stage::Shipped, Command::Ship),
            Progress::Delivered => (Stage::Delivered, Command::Deliver),
            Progress::Returned => (Stage::Returned, Command::Return),
        };
        // A step before it that was lost on its way here, because one of us fell, is made up for.
        let before = [(Stage::Released, Command::Release), (Stage::Packed, Command::Pack), (Stage::Shipped, Command::Ship)];
        let reached = last.0;
        let host = self.order(&id)?;
        let held = host.state.holds_stock();
        for (stage, command) in before.into_iter().filter(|(stage, _)| *stage < reached).chain([last]) {
            // Of two ends the later news counts, whichever that is.
            let is_other_end = stage >= Stage::Delivered && host.state.stage != stage;
            if (host.state.stage < stage || is_other_end)
                && let Err(refusal) = host.command(&mut work, command)
            {
                tracing::debug!(%refusal, "refused");
            }
        }
        let order = host.state.clone();
        if held && !order.holds_stock() {
            self.each_stock(&mut work, &order, |quantity| stock::Command::Pick { order: id.clone(), quantity })?;
        }
        if matches!(step, Progress::Shipped | Progress::Delivered | Progress::Returned) {
            // It rests for days now; the twin has it, once this is written.
            let myself = self.myself.clone();
            // A desk that fell has forgotten it anyway.
            work.then(move || drop(myself.cast(DeskMsg::Rest(id).into())));
        }
        house.commit(work);
        Ok(())
    }

    /// Commands the stock of all that an order needs, in its warehouse.
    fn each_stock(&mut self, work: &mut Work, order: &Order, command: impl Fn(u32) -> stock::Command) -> Result<(), ActorProcessingErr> {
        let Some(decision) = &order.decision else { return Ok(()) };
        for (sku, quantity) in order.needs() {
            self.stock(stock::id(&decision.warehouse, &order.seller, &sku))?.command(work, command(quantity))?;
        }
        Ok(())
    }

    fn count(&mut self, rows: Vec<Counted>, reply: CatalogReply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let (mut work, mut outcomes) = (house.work(), Vec::with_capacity(rows.len()));
        for Counted { warehouse, owner, sku, on_hand } in rows {
            if !self.warehouses.contains(&warehouse) {
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
                false => host.command(&mut work, stock::Command::Count { on_hand, safety }),
            };
            outcomes.push(outcome(existed, counted));
        }
        self.plan_short(&mut work);
        work.then(move || reply(outcomes));
        house.commit(work);
        Ok(())
    }

    /// Orders that wait for stock are planned anew, because of what this work makes known of it.
    fn plan_short(&mut self, work: &mut Work) {
        let (short, myself) = (std::mem::take(&mut self.short), self.myself.clone());
        // A desk that fell meanwhile plans what it finds received.
        work.then(move || short.into_iter().for_each(|id| drop(myself.cast(DeskMsg::Plan(id).into()))));
    }

    /// Whether an order can still be cancelled is for its parcel to say; without one, for the order itself.
    fn cancel(&mut self, id: OrderId, reason: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let host = self.order(&id)?;
        if !host.exists() {
            self.orders.remove(&id);
            reply(Err(format!("there is no order {id}")));
            return Ok(());
        }
        let parcel = host.state.parcel.clone().filter(|_| host.state.stage != Stage::Cancelled);
        let Some(parcel) = parcel else { return self.cancelled(id, reason, Ok(()), reply) };
        let (desk, why, by) = (house.desk.clone(), reason.clone(), origin::current().by);
        let decided = Box::new(move |outcome| {
            // Whoever cancels the parcel cancels its order.
            let origin = Origin { by, ..origin::current() };
            origin::within(origin, || desk.cast(DeskMsg::Cancelled { order: id, reason, outcome, reply }));
        });
        // Behind whatever the ledger still holds, the parcel's own creation among it.
        let (mut work, told) = (house.work(), house.clone());
        work.then(move || told.tell(parcel, ParcelMsg::Cancel { reason: why, decided }));
        house.commit(work);
        Ok(())
    }

    /// The parcel is cancelled, or said why it is too late.
    fn cancelled(&mut self, id: OrderId, reason: SmolStr, outcome: Result<(), String>, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let host = self.order(&id)?;
        let held = host.state.holds_stock();
        let outcome = outcome.and_then(|()| host.command(&mut work, Command::Cancel { reason }).map(drop).map_err(|r| r.to_string()));
        let order = host.state.clone();
        if outcome.is_ok() {
            self.quoting.remove(&id);
            self.short.remove(&id);
            if held {
                self.each_stock(&mut work, &order, |quantity| stock::Command::Release { order: id.clone(), quantity })?;
                // What it held may be what others wait for.
                self.plan_short(&mut work);
            }
            let myself = self.myself.clone();
            // A desk that fell has forgotten it anyway.
            work.then(move || drop(myself.cast(DeskMsg::Rest(id).into())));
        }
        work.then(move || reply(outcome));
        house.commit(work);
        Ok(())
    }

    /// The event first; the key is destroyed once that is durable.
    fn erase(&mut self, id: OrderId, reply: Reply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        let host = self.order(&id)?;
        let outcome = host.command(&mut work, Command::Forget).map_err(|r| r.to_string());
        let (order, at, myself) = (host.state.clone(), work.tx.at, self.myself.clone());
        let twin = house.twin.clone();
        work.then(move || {
            let erased = outcome.and_then(|_| twin::forget::erase(&twin, &order, id.text(), at).map_err(|e| e.to_string()));
            reply(erased);
            // A desk that fell has forgotten it anyway.
            let _ = myself.cast(DeskMsg::Rest(id).into());
        });
        house.commit(work);
        Ok(())
    }

    fn look_later(&self, myself: ActorRef<Told<DeskMsg>>) {
        self.house.clock.after(LOOK_EVERY, move || drop(myself.cast(DeskMsg::Look.into())));
    }

    fn look(&mut self) -> Result<(), ActorProcessingErr> {
        let now = self.house.clock.steady();
        let late: Vec<_> = self.quoting.iter().filter(|(_, q)| now - q.since > QUOTES_LATE).map(|(id, _)| id.clone()).collect();
        for id in late {
            if let Some(Quoting { cause, .. }) = self.quoting.remove(&id) {
                self.myself.cast(Told { cause, message: DeskMsg::Plan(id) })?;
            }
        }
        while let Some(due) = self.retry.first_entry().filter(|e| e.key().0 <= now) {
            let ((_, id), cause) = due.remove_entry();
            self.myself.cast(Told { cause, message: DeskMsg::Plan(id) })?;
        }
        Ok(())
    }
}
