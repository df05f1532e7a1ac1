//! From states to rows: what is, each in a row that is written again. What happened is in [`super::happened`].

use super::tables::{Touch, forget};
use super::{QueryError, fold};
use rusqlite::{Connection, params};
use smol_str::{SmolStr, ToSmolStr};
use twin::address::Place;
use twin::bag::Bag;
use twin::declaration::{Declaration, missing_in_words};
use twin::entity::{Entity, Kind};
use twin::keys::Sealed;
use twin::manifest::Manifest;
use twin::money::Decimal;
use twin::order::Order;
use twin::parcel::Parcel;
use twin::personal::Personal;
use twin::stock::Stock;
use twin::{Dims, Key, Moment, Money, Twin, Unsealed};

const DAY_US: i64 = 86_400_000_000;

/// Writes the rows of one batch.
pub struct Writer<'a> {
    pub(super) db: &'a Connection,
    pub(super) twin: &'a Twin,
    /// The day that was named last, since most are the same.
    day: (i64, SmolStr),
}

/// Nothing where there is nothing.
pub(super) fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Millionths; `None`: they are too many. What is below a millionth is rounded.
pub fn micro(amount: Decimal) -> Option<i64> {
    let micro = amount.checked_mul(Decimal::from(1_000_000))?.round();
    i64::try_from(micro.mantissa()).ok().filter(|_| micro.scale() == 0)
}

pub(super) fn money(money: Option<&Money>) -> (Option<i64>, Option<&'static str>) {
    (money.and_then(|m| micro(m.amount)), money.map(|m| m.currency.code()))
}

fn sides(dims: Option<Dims>) -> [Option<u32>; 3] {
    let side = |of: fn(Dims) -> u32| dims.map(of);
    [side(|d| d.length_mm), side(|d| d.width_mm), side(|d| d.height_mm)]
}

/// Warehouse and SKU of a stock's id.
pub(super) fn parts(stock: &str) -> (&str, &str) {
    stock.split_once(':').unwrap_or(("", stock))
}

/// What of an order can be searched.
pub fn order_text(id: &str, order: &Order, buyer: Option<&Personal>) -> String {
    let Place { postcode, region, .. } = &order.ship_to;
    let mut words = vec![id, &order.shop];
    if let Some(Personal { name, company, street, street2, city, phone, email, tax_id }) = buyer {
        words.extend([name, company, street, street2, city, phone, email, tax_id].map(SmolStr::as_str));
    }
    words.extend([region, postcode].map(SmolStr::as_str));
    words.extend(order.lines.iter().map(|line| line.sku.as_str()));
    words.join(" ")
}

/// Lets a text be found.
pub fn text(db: &Connection, seq: i64, kind: &str, id: &str, text: &str) -> Result<(), QueryError> {
    let body = fold::fold(text);
    db.prepare_cached("INSERT INTO pieces(rowid, body) VALUES (?1, ?2)")?.execute(params![seq, fold::pieces(&body)])?;
    db.prepare_cached("INSERT INTO texts VALUES (?1, ?2, ?3, ?4)")?.execute(params![seq, kind, id, body])?;
    Ok(())
}

impl<'a> Writer<'a> {
    pub fn new(db: &'a Connection, twin: &'a Twin) -> Self {
        Writer { db, twin, day: (i64::MIN, SmolStr::default()) }
    }

    /// The day of a time, in UTC: `2026-11-25`.
    pub(super) fn day(&mut self, at: Moment) -> SmolStr {
        let day = at.0.div_euclid(DAY_US);
        if self.day.0 != day {
            let text = Moment(day.saturating_mul(DAY_US)).to_string();
            self.day = (day, text.split('T').next().unwrap_or_default().into());
        }
        self.day.1.clone()
    }

    /// An entity: what is, in a row that is written again.
    pub fn is(&mut self, key: &Key, touch: Touch) -> Result<(), QueryError> {
        let id = &key.id;
        let gone = || QueryError::Other { why: format!("{key} is in the journal and has no state") };
        match key.kind {
            Kind::Order => self.order(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Parcel => self.parcel(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Bag => self.bag(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Manifest => self.manifest(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Stock => self.stock(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Warehouse | Kind::Station | Kind::Device | Kind::Carrier | Kind::Charges => Ok(()),
            Kind::Declaration => self.declaration(id, &self.load(key)?.ok_or_else(gone)?, touch),
        }
    }

    fn load<E: Entity>(&self, key: &Key) -> Result<Option<E>, QueryError> {
        Ok(self.twin.load::<E>(&key.id)?.map(|(_, state)| state))
    }

    /// Who a buyer is. One who cannot be read is left out, aloud: the rest of the order is as good as ever.
    fn unseal(&self, order: &SmolStr, buyer: &Sealed) -> Option<Unsealed<Personal>> {
        match self.twin.unseal(buyer) {
            Ok(unsealed) => Some(unsealed),
            Err(error) => {
                tracing::warn!(%order, %error, "who bought it cannot be read, and is left out of the query side");
                None
            }
        }
    }

    fn order(&mut self, id: &SmolStr, order: &Order, touch: Touch) -> Result<(), QueryError> {
        let holds: Vec<_> = order.holds.iter().map(|(reason, detail)| format!("{}: {detail}", reason.as_str())).collect();
        let holds = (!holds.is_empty()).then(|| holds.join("; "));
        let decision = order.decision.as_ref();
        let (rule, warehouse) = (decision.map(|d| d.rule.as_str()), decision.map(|d| d.warehouse.as_str()));
        let (channel, parcel) = (decision.map(|d| d.channel.as_str()), order.parcel.as_ref().map(|p| p.as_str()));
        let Some((seq, at)) = touch.begins else {
            let update = "UPDATE orders SET stage = ?2, holds = ?3 WHERE id = ?1";
            must_be_there(self.db.prepare_cached(update)?.execute(params![id.as_str(), order.stage_word(), holds])?, id)?;
            // Columns with an index are written only where they change: SQLite does not look.
            let update = "UPDATE orders SET rule = ?2, warehouse = ?3, channel = ?4, parcel_id = ?5 \
                 WHERE id = ?1 AND (warehouse IS NOT ?3 OR channel IS NOT ?4 OR parcel_id IS NOT ?5)";
            self.db.prepare_cached(update)?.execute(params![id.as_str(), rule, warehouse, channel, parcel])?;
            if touch.deep && order.forgotten {
                forget(self.db, self.twin, id)?;
            }
            return Ok(());
        };
        let buyer = match &order.buyer {
            Some(buyer) if !order.forgotten => self.unseal(id, buyer),
            _ => None,
        };
        let forgotten = order.forgotten || buyer == Some(Unsealed::Erased);
        let buyer = if let Some(Unsealed::Here(personal)) = buyer { Some(personal) } else { None };
        let pieces: u64 = order.lines.iter().map(|line| u64::from(line.quantity)).sum();
        let day = self.day(at);
        self.db.prepare_cached(INSERT_ORDER)?.execute(params![
            id.as_str(),
            seq as i64,
            order.stage_word(),
            order.platform.as_str(),
            order.shop.as_str(),
            order.placed_at.0,
            at.0,
            day.as_str(),
            order.ship_to.country.as_str(),
            some(&order.ship_to.region),
            some(&order.ship_to.postcode),
            order.currency.as_str(),
            order.value().and_then(|value| micro(value.amount)),
            pieces as i64,
            holds,
            rule,
            warehouse,
            channel,
            parcel,
            forgotten
        ])?;
        text(self.db, seq as i64, "order", id, &order_text(id, order, buyer.as_ref()))?;
        if let Some(Personal { name, company, street, street2, city, phone, email, tax_id }) = &buyer {
            self.db.prepare_cached("INSERT INTO buyers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(params![
                id.as_str(),
                some(name),
                some(company),
                some(street),
                some(street2),
                some(city),
                some(phone),
                some(email),
                some(tax_id)
            ])?;
        }
        let mut insert = self.db.prepare_cached("INSERT INTO order_lines VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?;
        for (n, line) in order.lines.iter().enumerate() {
            insert.execute(params![
                id.as_str(),
                n as i64 + 1,
                line.sku.as_str(),
                line.quantity,
                micro(line.unit_price),
                order.currency.as_str(),
                line.weight_g,
                line.dims.length_mm,
                line.dims.width_mm,
                line.dims.height_mm,
                line.battery
            ])?;
        }
        Ok(())
    }

    fn parcel(&mut self, id: &SmolStr, parcel: &Parcel, touch: Touch) -> Result<(), QueryError> {
        let plan = &parcel.plan;
        let [length, width, height] = sides(Some(plan.declared));
        let [measured_l, measured_w, measured_h] = sides(parcel.measured);
        let (value, value_currency) = money(plan.value.as_ref());
        let intercepted = parcel.interception.as_ref().map(|why| why.to_smolstr());
        let news = parcel.last_track.as_ref();
        let status = news.and_then(|n| serde_json::to_value(n.status).ok()).and_then(|s| s.as_str().map(str::to_owned));
        let (seq, created, day) = match touch.begins {
            Some((seq, at)) => (Some(seq as i64), Some(at.0), Some(self.day(at))),
            None => (None, None, None),
        };
        let all = params![
            id.as_str(),
            seq,
            plan.order.as_str(),
            parcel.stage.as_str(),
            plan.warehouse.as_str(),
            plan.carrier.as_str(),
            plan.channel.as_str(),
            plan.service.as_str(),
            plan.ship_to.country.as_str(),
            some(&plan.ship_to.region),
            some(&plan.ship_to.postcode),
            parcel.tracking.as_ref().map(|t| t.as_str()),
            created,
            day.as_deref(),
            parcel.changed_at.0,
            parcel.packed_at.map(|at| at.0),
            parcel.ended_at.map(|at| at.0),
            plan.declared_g,
            length,
            width,
            height,
            parcel.measured_g,
            measured_l,
            measured_w,
            measured_h,
            value,
            value_currency,
            some(&plan.contents),
            plan.battery,
            parcel.label_attempts,
            parcel.station.as_ref().map(|s| s.as_str()),
            parcel.chute,
            parcel.bag.as_ref().map(|b| b.as_str()),
            intercepted.as_deref(),
            parcel.reworks,
            parcel.exception.as_deref(),
            parcel.track_events,
            news.map(|n| n.at.0),
            status,
            news.and_then(|n| some(&n.text)),
            news.and_then(|n| some(&n.place))
        ];
        if seq.is_some() {
            self.db.prepare_cached(INSERT_PARCEL)?.execute(all)?;
            let lines = "INSERT INTO parcel_items SELECT ?1, line, order_id, line, sku, quantity FROM order_lines WHERE order_id = ?2";
            self.db.prepare_cached(lines)?.execute([id.as_str(), plan.order.as_str()])?;
            return Ok(());
        }
        must_be_there(self.db.prepare_cached(UPDATE_PARCEL)?.execute(all)?, id)?;
        let update = "UPDATE parcels SET tracking = ?2, bag_id = ?3 WHERE id = ?1 AND (tracking IS NOT ?2 OR bag_id IS NOT ?3)";
        let (tracking, bag) = (parcel.tracking.as_ref().map(|t| t.as_str()), parcel.bag.as_ref().map(|b| b.as_str()));
        self.db.prepare_cached(update)?.execute(params![id.as_str(), tracking, bag])?;
        Ok(())
    }

    fn bag(&mut self, id: &SmolStr, bag: &Bag, touch: Touch) -> Result<(), QueryError> {
        let manifest = bag.manifest.as_ref().map(|m| m.as_str());
        let (stage, parcels) = (bag.stage_word(), bag.parcels.len() as i64);
        let Some((seq, at)) = touch.begins else {
            let update = "UPDATE bags SET stage = ?2, parcels = ?3, weight_g = ?4, manifest_id = ?5 WHERE id = ?1";
            return must_be_there(
                self.db.prepare_cached(update)?.execute(params![id.as_str(), stage, parcels, bag.weight_g, manifest])?,
                id,
            );
        };
        let day = self.day(at);
        self.db.prepare_cached("INSERT INTO bags VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?.execute(params![
            id.as_str(),
            seq as i64,
            stage,
            bag.warehouse.as_str(),
            bag.station.as_str(),
            bag.chute,
            bag.channel.as_str(),
            parcels,
            bag.weight_g,
            manifest,
            at.0,
            day.as_str()
        ])?;
        Ok(())
    }

    fn manifest(&mut self, id: &SmolStr, manifest: &Manifest, touch: Touch) -> Result<(), QueryError> {
        let (stage, bags, closed) = (manifest.stage_word(), manifest.bags.len() as i64, manifest.closed_at.map(|at| at.0));
        let weight = i64::try_from(manifest.weight_g).unwrap_or(i64::MAX);
        let Some((seq, at)) = touch.begins else {
            let update = "UPDATE manifests SET stage = ?2, bags = ?3, parcels = ?4, weight_g = ?5, closed_at_us = ?6 WHERE id = ?1";
            let row = params![id.as_str(), stage, bags, manifest.parcels, weight, closed];
            return must_be_there(self.db.prepare_cached(update)?.execute(row)?, id);
        };
        let day = self.day(at);
        self.db.prepare_cached("INSERT INTO manifests VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?.execute(params![
            id.as_str(),
            seq as i64,
            stage,
            manifest.warehouse.as_str(),
            manifest.carrier.as_str(),
            bags,
            manifest.parcels,
            weight,
            at.0,
            day.as_str(),
            closed
        ])?;
        Ok(())
    }

    fn declaration(&mut self, id: &SmolStr, declaration: &Declaration, touch: Touch) -> Result<(), QueryError> {
        let stage = declaration.stage.as_str();
        let (tracking, said) = (declaration.tracking.as_ref().map(|t| t.as_str()), some(&declaration.customs_said));
        let customs_at = declaration.customs_at.map(|at| at.0);
        let Some((seq, at)) = touch.begins else {
            let update = "UPDATE declarations SET stage = ?2, tracking = ?3, customs_at_us = ?4, customs_said = ?5 WHERE parcel_id = ?1";
            let row = params![id.as_str(), stage, tracking, customs_at, said];
            return must_be_there(self.db.prepare_cached(update)?.execute(row)?, id);
        };
        let (day, draft) = (self.day(at), &declaration.draft);
        let missing = missing_in_words(&declaration.missing);
        let insert = "INSERT INTO declarations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        self.db.prepare_cached(insert)?.execute(params![
            id.as_str(),
            seq as i64,
            stage,
            draft.from.as_str(),
            draft.to.as_str(),
            draft.purpose.as_str(),
            draft.value().and_then(micro),
            draft.currency.as_str(),
            draft.incoterm.map(|incoterm| incoterm.as_str()),
            some(&draft.ioss),
            some(&draft.voec),
            some(&draft.eori),
            some(&missing),
            at.0,
            day.as_str(),
            tracking,
            customs_at,
            said
        ])?;
        let mut insert = self.db.prepare_cached("INSERT INTO declared_goods VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        for (goods, line) in draft.goods.iter().zip(1i64..) {
            insert.execute(params![
                id.as_str(),
                line,
                goods.sku.as_str(),
                some(&goods.description),
                some(&goods.hs_code),
                some(&goods.origin),
                goods.quantity,
                goods.weight_g,
                micro(goods.unit_value)
            ])?;
        }
        Ok(())
    }

    fn stock(&mut self, id: &SmolStr, stock: &Stock, touch: Touch) -> Result<(), QueryError> {
        let Some((seq, _)) = touch.begins else {
            let update = "UPDATE stock SET on_hand = ?2, reserved = ?3, safety = ?4, available = ?5 WHERE id = ?1";
            let row = params![id.as_str(), stock.on_hand, stock.reserved, stock.safety, stock.available()];
            return must_be_there(self.db.prepare_cached(update)?.execute(row)?, id);
        };
        let (warehouse, sku) = parts(id);
        self.db.prepare_cached("INSERT INTO stock VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
            id.as_str(),
            seq as i64,
            warehouse,
            sku,
            stock.on_hand,
            stock.reserved,
            stock.safety,
            stock.available()
        ])?;
        Ok(())
    }
}

fn must_be_there(changed: usize, id: &SmolStr) -> Result<(), QueryError> {
    match changed {
        1 => Ok(()),
        _ => Err(QueryError::Other { why: format!("{id} goes on in the journal and has no row") }),
    }
}

const INSERT_ORDER: &str =
    "INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";

const INSERT_PARCEL: &str = "INSERT INTO parcels VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41)";

/// The same numbers as in the insert. What a parcel was created with stays, and so do the indexes on it.
const UPDATE_PARCEL: &str = "UPDATE parcels SET stage = ?4, changed_at_us = ?15, packed_at_us = ?16, ended_at_us = ?17, declared_g = ?18, \
     declared_length_mm = ?19, declared_width_mm = ?20, declared_height_mm = ?21, measured_g = ?22, measured_length_mm = ?23, \
     measured_width_mm = ?24, measured_height_mm = ?25, label_attempts = ?30, station = ?31, chute = ?32, intercepted = ?34, reworks = ?35, \
     exception = ?36, news = ?37, news_at_us = ?38, news_status = ?39, news_text = ?40, news_place = ?41 WHERE id = ?1";
