//! The catalog: whose a shop is, what a platform's SKU is of ours, and the facts by which it travels.
//!
//! Part of the order desk, the only one to write sellers, products and SKU maps. It asks the twin for what it needs and keeps
//! only what it wrote and what is not durable yet. An order keeps what it was told here; what is changed later is for later
//! orders, and for those that wait because nobody knew what a line of theirs is.

use crate::order_desk::{DeskMsg, DeskState};
use crate::{Answer, Caller, Outgoing};
use crate::{Host, Work};
use drivers::platforms::{MapRow, ProductRow};
use ractor::ActorProcessingErr;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::Arc;
use twin::facet::Facet;
use twin::goods::{Facts, Goods};
use twin::hold::{Detail, Unmapped};
use twin::order::{Command, Hold, Line, Order, Stage};
use twin::product::{self, Product};
use twin::seller::{self, OWN, Seller, Shop};
use twin::shelf::Listed;
use twin::sku_map::{self, Component, SkuMap};
use twin::{Entity, Grams, NewOrder, OrderId, Refusal, SellerId, Sku, Twin, TwinError};

/// So many changes become durable together: a whole product master in one transaction would hold up everything else.
const CHANGES_AT_ONCE: usize = 256;
/// So many waiting orders are looked at in one go.
const PORTION: usize = 200;

/// Something to be told of what is sold.
#[derive(Clone, Debug)]
pub enum Change {
    Seller {
        id: SellerId,
        name: SmolStr,
        shops: Vec<Shop>,
    },
    Product {
        owner: SellerId,
        sku: Sku,
        facts: Box<Facts>,
    },
    /// What one piece of it weighs; all else stays.
    Weigh {
        owner: SellerId,
        sku: Sku,
        weight_g: Grams,
    },
    /// What is ordered of it from now on is held.
    Retire {
        owner: SellerId,
        sku: Sku,
    },
    Map {
        shop: Shop,
        sku: Sku,
        components: Vec<Component>,
    },
    Unmap {
        shop: Shop,
        sku: Sku,
    },
}

impl From<ProductRow> for Change {
    fn from(ProductRow { owner, sku, facts }: ProductRow) -> Self {
        Change::Product { owner, sku, facts: Box::new(facts) }
    }
}

impl From<MapRow> for Change {
    fn from(MapRow { shop, sku, components }: MapRow) -> Self {
        Change::Map { shop, sku, components }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    New,
    Changed,
    /// It was so before.
    Same,
}

/// What a command came to: it was there before, or not, and made so many events.
pub(crate) fn outcome(existed: bool, events: Result<usize, Refusal>) -> Result<Outcome, String> {
    match events {
        Ok(0) => Ok(Outcome::Same),
        Ok(_) if existed => Ok(Outcome::Changed),
        Ok(_) => Ok(Outcome::New),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Told, once all is durable, what came of each change, or why not.
pub type CatalogReply = Caller<Vec<Result<Outcome, String>>>;

#[derive(Debug)]
pub enum CatalogMsg {
    Change(Vec<Change>, CatalogReply),
    /// These are durable, in these versions.
    Written(Vec<(Wrote, u32)>),
    /// Orders that wait for this SKU of a platform, or for any, may go on; those behind a place in the list.
    Known(Option<SmolStr>, Option<Listed>),
}

/// What was written, with its id.
#[derive(Clone, Debug)]
pub enum Wrote {
    Seller(SmolStr),
    Product(SmolStr),
    SkuMap(SmolStr),
}

/// What came of a change, and what was written in which version.
type Done = (Result<Outcome, String>, Option<(Wrote, u32)>);

/// Entities that were written and are not durable yet; all others are the twin's to tell.
struct Unwritten<E>(HashMap<SmolStr, Host<E>>);

impl<E: Entity> Unwritten<E> {
    fn state(&self, twin: &Twin, id: &SmolStr) -> Result<Option<E>, TwinError> {
        match self.0.get(id) {
            Some(host) => Ok(host.exists().then(|| host.state.clone())),
            None => Ok(twin.load::<E>(id)?.map(|(_, state)| state)),
        }
    }

    /// Commands it, and says what that came to and in which version it is.
    fn command(
        &mut self,
        twin: &Twin,
        work: &mut Work,
        id: &SmolStr,
        command: E::Command,
    ) -> Result<(Result<Outcome, String>, u32), TwinError> {
        let kept = self.0.remove(id);
        let unwritten = kept.is_some();
        let mut host = match kept {
            Some(host) => host,
            None => Host::load(twin, id.clone())?,
        };
        let outcome = outcome(host.exists(), host.command(work, command));
        let version = host.version;
        // What changed nothing is never told to be durable, so nothing would ever let it go.
        if unwritten || matches!(outcome, Ok(Outcome::New | Outcome::Changed)) {
            self.0.insert(id.clone(), host);
        }
        Ok((outcome, version))
    }

    fn settled(&mut self, id: &SmolStr, version: u32) {
        if self.0.get(id).is_some_and(|host| host.version == version) {
            self.0.remove(id);
        }
    }
}

pub struct Catalog {
    twin: Arc<Twin>,
    sellers: Unwritten<Seller>,
    products: Unwritten<Product>,
    maps: Unwritten<SkuMap>,
}

impl Catalog {
    pub fn new(twin: Arc<Twin>) -> Self {
        Catalog { twin, sellers: Unwritten(HashMap::new()), products: Unwritten(HashMap::new()), maps: Unwritten(HashMap::new()) }
    }

    /// Whose a shop is.
    pub fn seller_of(&self, shop: &Shop) -> Result<SellerId, TwinError> {
        if let Some((id, _)) = self.sellers.0.iter().find(|(_, host)| host.state.shops.contains(shop)) {
            return Ok(SellerId::from(id.clone()));
        }
        for row in self.twin.listed::<Seller>(Facet::Shop, Some(&shop.key()), None) {
            let (Listed { id, .. }, _) = row?;
            // One that gave it away a moment ago does not have it any more.
            if !self.sellers.0.contains_key(&id) {
                return Ok(SellerId::from(id));
            }
        }
        Ok(SellerId::new(OWN))
    }

    fn product(&self, owner: &SellerId, sku: &Sku) -> Result<Option<Product>, TwinError> {
        self.products.state(&self.twin, &product::id(owner, sku))
    }

    /// What a shop's SKU is: as it is mapped, else the seller's product of that name; else why nobody knows.
    pub(crate) fn goods(&self, seller: &SellerId, shop: &Shop, sku: &Sku) -> Result<Result<Vec<Goods>, Unmapped>, TwinError> {
        let map = self.maps.state(&self.twin, &sku_map::id(shop, sku))?.map(|map| map.components).unwrap_or_default();
        if map.is_empty() {
            return Ok(match self.product(seller, sku)? {
                Some(product) => match product.sold() {
                    Some(facts) if facts.are_measured() => Ok(vec![Goods { sku: sku.clone(), quantity: 1, facts }]),
                    Some(_) => Err(Unmapped::Unweighed { sku: sku.clone(), part: sku.clone() }),
                    None => Err(Unmapped::Retired { sku: sku.clone() }),
                },
                None => Err(Unmapped::Unknown { sku: sku.clone() }),
            });
        }
        let mut goods = Vec::with_capacity(map.len());
        for Component { sku: part, quantity } in map {
            match self.product(seller, &part)?.and_then(Product::sold) {
                Some(facts) if facts.are_measured() => goods.push(Goods { sku: part, quantity, facts }),
                Some(_) => return Ok(Err(Unmapped::Unweighed { sku: sku.clone(), part })),
                None => return Ok(Err(Unmapped::Part { sku: sku.clone(), part })),
            }
        }
        Ok(Ok(goods))
    }

    /// Goods that an order took when nobody asked for their weight, as they are told now.
    fn weighed(&self, seller: &SellerId, line: &Line) -> Result<Result<Vec<Goods>, Unmapped>, TwinError> {
        let mut weighed = line.goods.clone();
        for goods in weighed.iter_mut().filter(|goods| !goods.facts.are_measured()) {
            match self.product(seller, &goods.sku)?.and_then(Product::sold) {
                Some(facts) if facts.are_measured() => goods.facts = facts,
                _ => return Ok(Err(Unmapped::Unweighed { sku: line.sku.clone(), part: goods.sku.clone() })),
            }
        }
        Ok(Ok(weighed))
    }

    /// Whose an order is, its lines with what lies in them, and of which lines nobody knows that.
    pub fn lines(&self, order: &NewOrder) -> Result<(SellerId, Vec<Line>, Option<Detail>), TwinError> {
        let shop = Shop::new(order.platform.clone(), order.shop.clone());
        let seller = self.seller_of(&shop)?;
        let (mut lines, mut unknown) = (Vec::with_capacity(order.lines.len()), Vec::new());
        for line in &order.lines {
            match self.goods(&seller, &shop, &line.sku)? {
                Ok(goods) => lines.push(Line::of(line, goods)),
                Err(why) => {
                    lines.push(Line::of(line, Vec::new()));
                    unknown.push(why);
                }
            }
        }
        Ok((seller, lines, (!unknown.is_empty()).then_some(Detail::Unknown { lines: unknown })))
    }

    /// Does a change; says what came of it, and what was written in which version.
    fn change(&mut self, work: &mut Work, change: Change) -> Result<Done, TwinError> {
        let twin = self.twin.clone();
        let (wrote, (outcome, version)) = match change {
            Change::Seller { id, name, shops } => {
                if id.as_str() == OWN {
                    return Ok((Err(format!("{OWN} has every shop that nobody claims, and claims none")), None));
                }
                for shop in &shops {
                    let other = self.seller_of(shop)?;
                    if other.as_str() != OWN && other != id {
                        return Ok((Err(format!("{} of {} is of seller {other} already", shop.shop, shop.platform)), None));
                    }
                }
                let id = id.text().clone();
                let done = self.sellers.command(&twin, work, &id, seller::Command::Describe { name, shops })?;
                (Wrote::Seller(id), done)
            }
            Change::Product { owner, sku, facts } => {
                let id = product::id(&owner, &sku);
                let done = self.products.command(&twin, work, &id, product::Command::Describe { facts })?;
                (Wrote::Product(id), done)
            }
            Change::Weigh { owner, sku, weight_g } => {
                let Some(known) = self.product(&owner, &sku)?.and_then(Product::sold) else {
                    return Ok((Err(format!("{owner} sells no {sku}")), None));
                };
                let facts = Box::new(Facts { weight_g, ..known });
                if let Some((field, why)) = facts.fault() {
                    return Ok((Err(format!("{field} {why}")), None));
                }
                let id = product::id(&owner, &sku);
                let done = self.products.command(&twin, work, &id, product::Command::Describe { facts })?;
                (Wrote::Product(id), done)
            }
            Change::Retire { owner, sku } => {
                let id = product::id(&owner, &sku);
                let done = self.products.command(&twin, work, &id, product::Command::Retire)?;
                (Wrote::Product(id), done)
            }
            Change::Map { shop, sku, components } => {
                let seller = self.seller_of(&shop)?;
                for part in &components {
                    if self.product(&seller, &part.sku)?.and_then(Product::sold).is_none() {
                        return Ok((Err(format!("{seller} sells no {}", part.sku)), None));
                    }
                }
                let id = sku_map::id(&shop, &sku);
                let done = self.maps.command(&twin, work, &id, sku_map::Command::Map { components })?;
                (Wrote::SkuMap(id), done)
            }
            Change::Unmap { shop, sku } => {
                let id = sku_map::id(&shop, &sku);
                let done = self.maps.command(&twin, work, &id, sku_map::Command::Unmap)?;
                (Wrote::SkuMap(id), done)
            }
        };
        let written = matches!(outcome, Ok(Outcome::New | Outcome::Changed));
        Ok((outcome, written.then_some((wrote, version))))
    }

    /// Under which of the platforms' SKUs orders may wait for what was written; `None`: under any.
    fn waited_for(&self, wrote: &Wrote) -> Result<Option<Vec<SmolStr>>, TwinError> {
        Ok(match wrote {
            Wrote::Seller(_) => None,
            Wrote::SkuMap(id) => Some(vec![sku_map::parts(id).1.text().clone()]),
            Wrote::Product(id) => {
                let sku = SmolStr::new(product::parts(id).1);
                let bundles = self.twin.listed::<SkuMap>(Facet::Part, Some(&sku), None);
                let mut names =
                    bundles.map(|row| Ok(sku_map::parts(&row?.0.id).1.text().clone())).collect::<Result<Vec<_>, TwinError>>()?;
                names.push(sku);
                Some(names)
            }
        })
    }

    fn settled(&mut self, wrote: &Wrote, version: u32) {
        match wrote {
            Wrote::Seller(id) => self.sellers.settled(id, version),
            Wrote::Product(id) => self.products.settled(id, version),
            Wrote::SkuMap(id) => self.maps.settled(id, version),
        }
    }
}

impl DeskState {
    pub(crate) fn catalog(&mut self, message: CatalogMsg) -> Result<(), ActorProcessingErr> {
        match message {
            CatalogMsg::Change(changes, reply) => self.change(changes, reply),
            CatalogMsg::Written(written) => self.written(written),
            CatalogMsg::Known(sku, after) => self.known(sku, after),
        }
    }

    pub(crate) fn change(&mut self, changes: Vec<Change>, reply: CatalogReply) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut changes = changes.into_iter().peekable();
        loop {
            let (mut work, mut written) = (house.work(), Vec::new());
            for change in changes.by_ref().take(CHANGES_AT_ONCE) {
                let (outcome, wrote) = self.catalog.change(&mut work, change)?;
                outcomes.push(outcome);
                written.extend(wrote);
            }
            if !written.is_empty() {
                // A desk that fell meanwhile has kept nothing, and plans what it finds received.
                work.say(Outgoing::Desk(DeskMsg::Catalog(CatalogMsg::Written(written))));
            }
            if changes.peek().is_none() {
                work.say(Outgoing::Answer(Answer::Outcomes(reply, outcomes)));
                house.commit(work);
                return Ok(());
            }
            house.commit(work);
        }
    }

    /// What was written is durable, and so is every order that came before it: those that wait for it go on.
    fn written(&mut self, written: Vec<(Wrote, u32)>) -> Result<(), ActorProcessingErr> {
        written.iter().for_each(|(wrote, version)| self.catalog.settled(wrote, *version));
        let house = self.house.clone();
        if house.twin.listed::<Order>(Facet::Unmapped, None, None).next().is_none() {
            return Ok(());
        }
        for (wrote, _) in &written {
            match self.catalog.waited_for(wrote)? {
                None => self.known(None, None)?,
                Some(skus) => skus.into_iter().try_for_each(|sku| self.known(Some(sku), None))?,
            }
        }
        Ok(())
    }

    fn known(&mut self, sku: Option<SmolStr>, after: Option<Listed>) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let waiting = house.twin.listed::<Order>(Facet::Unmapped, sku.as_deref(), after.as_ref());
        let portion = waiting.take(PORTION).collect::<Result<Vec<_>, _>>()?;
        let last = portion.last().map(|(listed, _)| listed.clone()).filter(|_| portion.len() == PORTION);
        for (listed, _) in portion {
            self.myself.cast(DeskMsg::Plan(OrderId::from(listed.id)));
        }
        if let Some(last) = last {
            self.myself.cast(DeskMsg::Catalog(CatalogMsg::Known(sku, Some(last))));
        }
        Ok(())
    }

    /// Asks anew what is in those lines of an order of which nobody knew that, or what it weighs. Where all is known, it waits for that no more.
    pub(crate) fn identify(&mut self, id: &OrderId) -> Result<(), ActorProcessingErr> {
        let house = self.house.clone();
        let state = &self.order(id)?.state;
        let is_asked = state.holds.contains_key(&Hold::UnknownSku) || state.content.lines.iter().any(|line| !line.is_known());
        if !is_asked || state.stage != Stage::Received {
            return Ok(());
        }
        let order = state.content.clone();
        let shop = Shop::new(order.platform, order.shop);
        // A shop may have been claimed meanwhile; where goods are known already, they are the earlier seller's.
        let nothing_known = order.lines.iter().all(|line| line.goods.is_empty());
        let seller = if nothing_known { self.catalog.seller_of(&shop)? } else { order.seller };
        let (mut goods, mut unknown) = (Vec::new(), Vec::new());
        for (n, line) in order.lines.iter().enumerate().filter(|(_, line)| !line.is_known()) {
            let told = match line.goods.is_empty() {
                true => self.catalog.goods(&seller, &shop, &line.sku)?,
                false => self.catalog.weighed(&seller, line)?,
            };
            match told {
                Ok(found) => goods.push((n as u32, found)),
                Err(why) => unknown.push(why),
            }
        }
        let mut work = house.work();
        let why = if unknown.is_empty() { self.named.remove(id).unwrap_or_default() } else { SmolStr::default() };
        let host = self.order(id)?;
        host.command(&mut work, Command::Identify { seller, goods })?;
        let reason = Hold::UnknownSku;
        match unknown.is_empty() {
            true => host.command(&mut work, Command::ClearHold { reason, why })?,
            false => host.command(&mut work, Command::Hold { reason, detail: Detail::Unknown { lines: unknown } })?,
        };
        house.commit(work);
        Ok(())
    }
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
