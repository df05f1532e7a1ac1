//! What is to go into one parcel: lines of one order, or of several that one buyer has from one shop. Decided when its
//! quotes are in: which warehouse, which channel; the stock is locked in the same transaction.
//!
//! Part of the order desk, which alone holds orders and stock.

use crate::config::WarehouseConfig;
use crate::order_desk::{DeskMsg, DeskState, RETRY_AFTER, moved};
use crate::quoting::Quoting;
use crate::{Answer, Caller, Outgoing};
use crate::{ParcelMsg, Work};
use ractor::ActorProcessingErr;
use rules::allocation::{RULE, choose};
use rules::packing::Packed;
use smol_str::SmolStr;
use std::collections::BTreeSet;
use twin::allocation::Decision;
use twin::channel::Channel;
use twin::goods::{Goods, added_up};
use twin::hold::Detail;
use twin::order::{Claim, Command, Hold, Order, Share, Stage};
use twin::parcel::{Item, Parcel, Plan};
use twin::stock::{self, Movement};
use twin::{ChannelId, Kind, Money, OrderId, ParcelId, SellerId, Sku, WarehouseId};

/// The rule of a decision that a person made.
pub const BY_HAND: &str = "by-hand@1";

/// Told, once it is durable, in which parcel it goes, or why in none.
pub type Placed = Caller<Result<ParcelId, String>>;

/// What is to go into one parcel, and what is settled about it already.
#[derive(Debug)]
pub struct Shipment {
    /// Each order once, with what of it. The first is the one whose buyer it goes to.
    pub orders: Vec<(OrderId, Vec<Share>)>,
    /// From there and no other place.
    pub warehouse: Option<WarehouseId>,
    /// Over that and no other channel.
    pub channel: Option<ChannelId>,
    /// Present where a person said so.
    pub placed: Option<Placed>,
}

impl Shipment {
    /// All that is open of an order, from wherever and over whatever is best.
    pub(crate) fn all_of(id: OrderId, order: &Order) -> Self {
        Shipment { orders: vec![(id, order.open_shares())], warehouse: None, channel: None, placed: None }
    }

    pub(crate) fn is_by_hand(&self) -> bool {
        self.placed.is_some()
    }
}

/// A shipment with its orders as they were when it was looked at.
pub(crate) struct Load {
    pub(crate) shipment: Shipment,
    pub(crate) orders: Vec<Order>,
}

impl Load {
    /// Its goods, each with its pieces.
    pub(crate) fn goods(&self) -> impl Iterator<Item = (&Goods, u32)> + Clone {
        let shares = self.orders.iter().zip(&self.shipment.orders);
        let lines = shares.flat_map(|(order, (_, shares))| {
            shares.iter().filter_map(|s| Some((order.content.lines.get(usize::from(s.line))?, s.quantity)))
        });
        lines.flat_map(|(line, many)| line.goods.iter().map(move |goods| (goods, goods.quantity.saturating_mul(many))))
    }

    /// Whose goods these are: orders of one shop are of one seller.
    pub(crate) fn seller(&self) -> &SellerId {
        &self.orders[0].content.seller
    }

    pub(crate) fn needs(&self) -> Vec<(Sku, u32)> {
        added_up(self.goods())
    }

    /// `None` where it cannot be told.
    pub(crate) fn value(&self) -> Option<Money> {
        let mut values = self.orders.iter().zip(&self.shipment.orders).map(|(order, (_, shares))| order.value_of(shares));
        let first = values.next()??;
        values.try_fold(first, |sum, value| {
            let value = value.filter(|value| value.currency == sum.currency)?;
            Some(Money::new(sum.amount.checked_add(value.amount)?, sum.currency))
        })
    }

    pub(crate) fn has_battery(&self) -> bool {
        self.goods().any(|(goods, _)| goods.facts.battery.is_any())
    }

    fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        for (order, (id, shares)) in self.orders.iter().zip(&self.shipment.orders) {
            for share in shares {
                let Some(line) = order.content.lines.get(usize::from(share.line)) else { continue };
                items.extend(line.goods.iter().map(|goods| Item {
                    order: id.clone(),
                    line: share.line,
                    sku: goods.sku.clone(),
                    quantity: goods.quantity.saturating_mul(share.quantity),
                }));
            }
        }
        items
    }

    /// As a parcel, from that warehouse over that channel.
    pub(crate) fn plan(&self, warehouse: &WarehouseConfig, channel: &Channel, packed: &Packed) -> Plan {
        let (lead, order) = (&self.shipment.orders[0].0, &self.orders[0].content);
        Plan {
            order: lead.clone(),
            warehouse: warehouse.id.clone(),
            carrier: channel.carrier.clone(),
            channel: channel.id.clone(),
            service: channel.service.clone(),
            ship_to: order.ship_to.clone(),
            buyer: order.buyer.clone(),
            declared_g: packed.weight_g,
            declared: packed.dims,
            value: self.value(),
            estimate: None,
            contents: rules::packing::in_words(self.goods()),
            battery: self.has_battery(),
            items: self.items(),
            seller: self.seller().clone(),
        }
    }
}

/// Whether a hold keeps an order from being planned, also by a person. One who sends by hand what the platform wanted a look at has
/// looked; what a person holds is let go first.
fn keeps(hold: Hold, detail: &Detail) -> bool {
    matches!(hold, Hold::Unpaid | Hold::AddressInvalid | Hold::UnknownSku) || detail.is_by_hand()
}

/// What the desk holds, and looks at anew by itself.
fn is_for_desk(hold: Hold) -> bool {
    matches!(hold, Hold::NoStock | Hold::NoChannel | Hold::Oversize | Hold::ForbiddenGoods)
}

impl DeskState {
    /// What is open of an order is planned, unless somebody or something must come first.
    pub(crate) fn plan(&mut self, id: OrderId) -> Result<(), ActorProcessingErr> {
        if self.is_quoting(&id) || self.is_busy(&id) {
            return Ok(());
        }
        self.identify(&id)?;
        let order = &self.order(&id)?.state;
        if order.stage != Stage::Received || !order.holds.keys().all(|hold| is_for_desk(*hold)) {
            return Ok(());
        }
        let shipment = Shipment::all_of(id, order);
        self.ship(shipment)
    }

    /// Begins with a shipment: what it could cost is asked, and then it is decided.
    pub(crate) fn ship(&mut self, shipment: Shipment) -> Result<(), ActorProcessingErr> {
        let orders = self.states(&shipment.orders)?;
        if let Some(fault) = self.fault(&shipment, &orders)? {
            return self.unplaced(shipment, fault);
        }
        let load = Load { shipment, orders };
        let Some(value) = load.value() else {
            if load.shipment.is_by_hand() {
                return self.unplaced(load.shipment, Detail::NoValue.to_string());
            }
            let house = self.house.clone();
            let mut work = house.work();
            for (id, _) in &load.shipment.orders {
                self.order(id)?.command(&mut work, Command::Hold { reason: Hold::Manual, detail: Detail::NoValue })?;
            }
            house.commit(work);
            return Ok(());
        };
        self.quote(load, value)
    }

    /// What keeps a shipment from being made at all.
    fn fault(&self, shipment: &Shipment, orders: &[Order]) -> Result<Option<String>, ActorProcessingErr> {
        let (wanted, by_hand) = (&shipment.orders, shipment.is_by_hand());
        let Some(lead) = orders.first() else { return Ok(Some("there is no order in it".into())) };
        let mut seen = BTreeSet::new();
        for (order, (id, shares)) in orders.iter().zip(wanted) {
            if order.stage == Stage::Absent {
                return Ok(Some(format!("there is no order {id}")));
            }
            if !seen.insert(id) {
                return Ok(Some(format!("order {id} is in it twice")));
            }
            if let Some((hold, detail)) =
                order.holds.iter().find(|(hold, detail)| keeps(**hold, detail) || !(by_hand || is_for_desk(**hold)))
            {
                return Ok(Some(format!("order {id} is held, {}: {detail}", hold.as_str())));
            }
            let open = order.open_shares();
            for share in shares {
                let left = open.iter().find(|o| o.line == share.line).map_or(0, |o| o.quantity);
                let asked: u32 = shares.iter().filter(|s| s.line == share.line).map(|s| s.quantity).sum();
                if asked > left || asked == 0 {
                    return Ok(Some(format!("order {id}: {asked} of line {} asked, {left} in no parcel", share.line + 1)));
                }
            }
            if shares.is_empty() {
                return Ok(Some(format!("order {id}: nothing of it is asked, or all of it is in parcels")));
            }
            let (this, that) = (&order.content, &lead.content);
            if (&this.platform, &this.shop, &this.seller) != (&that.platform, &that.shop, &that.seller) {
                return Ok(Some(format!("order {id} is of another shop")));
            }
            if this.buyer != that.buyer || this.ship_to != that.ship_to {
                let twin = &self.house.twin;
                if twin.address(&this.ship_to, this.buyer.as_ref())? != twin.address(&that.ship_to, that.buyer.as_ref())? {
                    return Ok(Some(format!("order {id} goes to another address")));
                }
            }
        }
        Ok(None)
    }

    /// A person is told why; what goes by itself is looked at again when its cause may be gone.
    fn unplaced(&mut self, shipment: Shipment, why: String) -> Result<(), ActorProcessingErr> {
        match shipment.placed {
            Some(placed) => placed.tell(Err(why)),
            None => tracing::debug!(orders = ?shipment.orders, %why, "not shipped"),
        }
        Ok(())
    }

    /// All quotes are in: the cheapest gets the shipment, and the stock is locked in the same transaction.
    pub(crate) fn decide(&mut self, round: u32) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let Some(Quoting { load, settings, channels, packed, offers, lost, incomplete, cause, .. }) = self.take_quoting(round) else {
            return Ok(());
        };
        // Its orders, and the stock, may have changed while the carriers thought.
        let now = self.states(&load.shipment.orders)?;
        let mut changed = self.fault(&load.shipment, &now)?;
        let differs = |(now, before): (&Order, &Order)| now.revision != before.revision || !now.content.ships_as(&before.content);
        if now.iter().zip(&load.orders).any(differs) {
            changed = Some("its order was changed meanwhile".into());
        }
        if house.in_force().version != settings || self.channels_out.changes != channels {
            // A decision is made under one version and over the channels in use, so it is begun anew.
            return match load.shipment.is_by_hand() {
                true => self.ship(load.shipment),
                false => {
                    load.shipment.orders.into_iter().for_each(|(id, _)| self.myself.cast(DeskMsg::Plan(id)));
                    Ok(())
                }
            };
        }
        if let Some(changed) = changed {
            let orders: Vec<_> = load.shipment.orders.iter().map(|(id, _)| id.clone()).collect();
            self.unplaced(load.shipment, changed)?;
            orders.into_iter().for_each(|id| self.myself.cast(DeskMsg::Plan(id)));
            return Ok(());
        }
        let in_force = house.in_force();
        let mut work = house.work();
        match choose(offers, lost, &in_force.config.fx) {
            Ok(mut decision) => {
                let needs = load.needs();
                let seller = load.seller();
                if let Some((sku, _)) = needs.iter().find(|(sku, n)| self.available(&decision.warehouse, seller, sku) < *n) {
                    let id = load.shipment.orders[0].0.clone();
                    self.unplaced(load.shipment, format!("{} ran short of {sku} meanwhile", decision.warehouse))?;
                    self.myself.cast(DeskMsg::Plan(id));
                    return Ok(());
                }
                decision.settings = settings;
                if load.shipment.is_by_hand() {
                    decision.rule = SmolStr::new_static(BY_HAND);
                }
                let (decision, all) = decision.kept();
                if let Some(all) = all {
                    work.tx.document(all);
                }
                self.place(&mut work, load, packed, decision)?;
            }
            Err(candidates) => {
                let (detail, all) = Detail::weighed(RULE, settings, candidates);
                let (reason, Load { shipment, .. }) = (detail.hold(), load);
                if shipment.is_by_hand() {
                    return self.unplaced(shipment, format!("{}: {detail}", reason.as_str()));
                }
                for (id, _) in shipment.orders {
                    // Held for the same as before: nothing is written.
                    if self.order(&id)?.command(&mut work, Command::Hold { reason, detail: detail.clone() })? > 0
                        && let Some(all) = all.clone()
                    {
                        work.tx.document(all);
                    }
                    match reason {
                        Hold::NoStock => drop(self.short.insert(id)),
                        _ if incomplete => drop(self.retry.insert((house.clock.steady() + RETRY_AFTER, id), cause.clone())),
                        _ => {}
                    }
                }
            }
        }
        house.commit(work);
        Ok(())
    }

    fn states(&mut self, wanted: &[(OrderId, Vec<Share>)]) -> Result<Vec<Order>, ActorProcessingErr> {
        wanted.iter().map(|(id, _)| Ok(self.order(id)?.state.clone())).collect()
    }

    /// It is decided: stock, orders and parcel.
    fn place(&mut self, work: &mut Work, load: Load, packed: Packed, decision: Decision) -> Result<(), ActorProcessingErr> {
        let parcel = self.parcel_id(&load.shipment.orders[0].0)?;
        let with: Vec<_> = match &load.shipment.orders[..] {
            [_] => vec![],
            several => several.iter().map(|(id, _)| id.clone()).collect(),
        };
        for (order, (id, shares)) in load.orders.iter().zip(&load.shipment.orders) {
            for (sku, quantity) in needs_of(order, shares) {
                let stock = self.stock(stock::id(&decision.warehouse, &order.content.seller, &sku))?;
                moved(stock, work, Movement::Reserve { order: id.clone(), quantity })?;
            }
            let (decision, shares, with) = (Box::new(decision.clone()), shares.clone(), with.clone());
            self.order(id)?.command(work, Command::Allocate { decision, parcel: parcel.clone(), shares, with })?;
            self.short.remove(id);
        }
        let plan = self.plan_of(&load, &decision, &packed);
        if let Some(plan) = plan {
            work.say(Outgoing::Parcel(parcel.clone(), ParcelMsg::Create(Box::new(plan))));
        }
        if let Some(placed) = load.shipment.placed {
            work.say(Outgoing::Answer(Answer::Placed(placed, Ok(parcel))));
        }
        Ok(())
    }

    fn plan_of(&self, load: &Load, decision: &Decision, packed: &Packed) -> Option<Plan> {
        let in_force = self.house.in_force();
        let (channel, warehouse) = (in_force.channel_ever(&decision.channel)?, in_force.config.warehouse(&decision.warehouse)?);
        Some(Plan { estimate: Some(decision.cost), ..load.plan(warehouse, channel, packed) })
    }

    /// A parcel that is decided and perhaps was never made, as its orders have it.
    pub(crate) fn plan_again(&mut self, parcel: &ParcelId, of: &OrderId) -> Result<Option<Plan>, ActorProcessingErr> {
        let with = self.order(of)?.state.part(parcel).map(|part| part.with.clone()).unwrap_or_default();
        let mut orders = vec![];
        for id in if with.is_empty() { vec![of.clone()] } else { with } {
            if let Some(part) = self.order(&id)?.state.part(parcel) {
                let shares = part.shares.clone();
                orders.push((id, shares));
            }
        }
        if orders.is_empty() {
            return Ok(None);
        }
        let states = self.states(&orders)?;
        let load = Load { orders: states, shipment: Shipment { orders, warehouse: None, channel: None, placed: None } };
        let Some(decision) = load.orders[0].part(parcel).map(|part| part.decision.clone()) else { return Ok(None) };
        let packed = rules::packing::declare(load.goods());
        Ok(self.plan_of(&load, &decision, &packed))
    }

    /// The first number that no parcel has, of those that a parcel of this order may have.
    fn parcel_id(&mut self, order: &OrderId) -> Result<ParcelId, ActorProcessingErr> {
        let begins = OrderId::from(OrderId::beginning(order.number()));
        let same = self.orders.range(begins..).take_while(|(id, _)| id.number() == order.number());
        let used: BTreeSet<&ParcelId> = same.flat_map(|(_, host)| &host.state.parts).map(|part| &part.parcel).collect();
        for n in 1.. {
            let id = ParcelId::of(order, n);
            if !used.contains(&id) && !self.house.twin.has(Kind::Parcel, id.text())? {
                return Ok(id);
            }
        }
        Err("no number is left for a parcel".into())
    }

    /// The goods for a parcel left the shelf.
    pub(crate) fn packed(&mut self, parcel: ParcelId, orders: Vec<OrderId>) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut work = house.work();
        for id in orders {
            let host = self.order(&id)?;
            match host.command(&mut work, Command::Pick { parcel: parcel.clone() }) {
                Ok(0) => {}
                Ok(_) => {
                    let order = host.state.clone();
                    self.each_stock(&mut work, &order, &parcel, |quantity| Movement::Pick { order: id.clone(), quantity })?;
                }
                Err(refusal) => tracing::debug!(%refusal, "refused"),
            }
            self.rest_when_written(&mut work, id);
        }
        house.commit(work);
        Ok(())
    }

    /// A parcel is cancelled: what was in it is open again, and the stock that waited for it is free.
    pub(crate) fn drop_part(
        &mut self,
        work: &mut Work,
        parcel: &ParcelId,
        orders: &[OrderId],
        reason: &SmolStr,
    ) -> Result<(), ActorProcessingErr> {
        let refused = self.parcel(parcel)?.is_some_and(|parcel| parcel.label_refused.is_some());
        for id in orders {
            let host = self.order(id)?;
            let claim = host.state.part(parcel).map(|part| part.claim);
            let dropped = host.command(work, Command::Drop { parcel: parcel.clone(), reason: reason.clone(), refused })?;
            let order = host.state.clone();
            if dropped > 0 && claim == Some(Claim::Reserved) {
                self.each_stock(work, &order, parcel, |quantity| Movement::Release { order: id.clone(), quantity })?;
                // What it held may be what others wait for.
                self.plan_short(work);
            }
        }
        Ok(())
    }

    /// Commands the stock of all that a parcel holds of an order.
    fn each_stock(
        &mut self,
        work: &mut Work,
        order: &Order,
        parcel: &ParcelId,
        what: impl Fn(u32) -> Movement,
    ) -> Result<(), ActorProcessingErr> {
        let Some(part) = order.part(parcel) else { return Ok(()) };
        for (sku, quantity) in needs_of(order, &part.shares) {
            moved(self.stock(stock::id(&part.decision.warehouse, &order.content.seller, &sku))?, work, what(quantity))?;
        }
        Ok(())
    }

    /// Nothing of it is left for the desk to do, once this is written: the twin has it.
    pub(crate) fn rest_when_written(&mut self, work: &mut Work, id: OrderId) {
        let has_work = |order: &Order| order.stage == Stage::Received || order.live_parts().any(|part| part.claim == Claim::Reserved);
        if self.orders.get(&id).is_some_and(|host| has_work(&host.state)) {
            return;
        }
        // A desk that fell has forgotten it anyway.
        work.say(Outgoing::Desk(DeskMsg::Rest(id)));
    }

    /// Whether a parcel is in the twin, and for whom.
    pub(crate) fn parcel(&self, id: &ParcelId) -> Result<Option<Parcel>, ActorProcessingErr> {
        Ok(self.house.twin.load::<Parcel>(id.text())?.map(|(_, parcel)| parcel))
    }
}

fn needs_of(order: &Order, shares: &[Share]) -> Vec<(Sku, u32)> {
    let goods = order.lines_of(shares).flat_map(|(line, many)| line.goods.iter().map(move |g| (g, g.quantity.saturating_mul(many))));
    added_up(goods)
}
