//! From states to rows: what is, each in a row that is written again. What happened is in [`super::happened`].

use super::tables::Touch;
use super::{QueryError, fold};
use rusqlite::{Connection, params};
use smol_str::{SmolStr, ToSmolStr};
use std::collections::BTreeSet;
use twin::bag::Bag;
use twin::declaration::{Declaration, missing_in_words};
use twin::entity::{Entity, Kind};
use twin::keys::Sealed;
use twin::manifest::Manifest;
use twin::money::Decimal;
use twin::parcel::Parcel;
use twin::personal::Personal;
use twin::returns::Return;
use twin::stock::Stock;
use twin::tracking::Tracking;
use twin::{Dims, Key, Moment, Money, Twin, Unsealed};

const DAY_US: i64 = 86_400_000_000;

/// Writes the rows of one batch.
pub struct Writer<'a> {
    pub(super) db: &'a Connection,
    pub(super) twin: &'a Twin,
    /// Orders whose own row says how far its parcels are, and whose parcels went on.
    pub(super) derived: BTreeSet<SmolStr>,
    /// The tables are made from the end: an order's row knows already how far its parcels are.
    bulk: bool,
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

/// What is said of a thing is found no more.
pub fn unfind(db: &Connection, kind: &str, id: &str) -> Result<(), QueryError> {
    let mut texts = db.prepare_cached("SELECT seq, body FROM texts WHERE entity_id = ?1 AND kind = ?2")?;
    let old: Vec<(i64, String)> = texts.query_map([id, kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (seq, body) in old {
        let unindex = "INSERT INTO pieces(pieces, rowid, body) VALUES('delete', ?1, ?2)";
        db.prepare_cached(unindex)?.execute(params![seq, fold::pieces(&body)])?;
        db.prepare_cached("DELETE FROM texts WHERE seq = ?1")?.execute([seq])?;
    }
    Ok(())
}

/// Lets a text be found.
pub fn text(db: &Connection, seq: i64, kind: &str, id: &str, text: &str) -> Result<(), QueryError> {
    let body = fold::fold(text);
    db.prepare_cached("INSERT INTO pieces(rowid, body) VALUES (?1, ?2)")?.execute(params![seq, fold::pieces(&body)])?;
    db.prepare_cached("INSERT INTO texts VALUES (?1, ?2, ?3, ?4)")?.execute(params![seq, kind, id, body])?;
    Ok(())
}

impl<'a> Writer<'a> {
    pub fn new(db: &'a Connection, twin: &'a Twin, bulk: bool) -> Self {
        Writer { db, twin, derived: BTreeSet::new(), bulk, day: (i64::MIN, SmolStr::default()) }
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
            Kind::Tracking => self.tracking(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Return => self.comes_back(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Bag => self.bag(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Manifest => self.manifest(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Stock => self.stock(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Product => self.product(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::SkuMap => self.sku_map(id, &self.load(key)?.ok_or_else(gone)?, touch),
            Kind::Seller => self.seller(id, &self.load(key)?.ok_or_else(gone)?, touch),
            // Of settings the records say all; what is wrong now is asked of the twin.
            Kind::Warehouse | Kind::Station | Kind::Device | Kind::Carrier | Kind::Settings | Kind::Charges | Kind::Problem => Ok(()),
            Kind::Declaration => self.declaration(id, &self.load(key)?.ok_or_else(gone)?, touch),
        }
    }

    fn load<E: Entity>(&self, key: &Key) -> Result<Option<E>, QueryError> {
        Ok(self.twin.load::<E>(&key.id)?.map(|(_, state)| state))
    }

    /// Who a buyer is. One who cannot be read is left out, aloud: the rest of the order is as good as ever.
    pub(super) fn unseal(&self, order: &SmolStr, buyer: &Sealed) -> Option<Unsealed<Personal>> {
        match self.twin.unseal(buyer) {
            Ok(unsealed) => Some(unsealed),
            Err(error) => {
                tracing::warn!(%order, %error, "who bought it cannot be read, and is left out of the query side");
                None
            }
        }
    }

    fn parcel(&mut self, id: &SmolStr, parcel: &Parcel, touch: Touch) -> Result<(), QueryError> {
        let plan = &parcel.plan;
        if !self.bulk {
            self.derived.extend(plan.orders().iter().map(|order| order.text().clone()));
        }
        let [length, width, height] = sides(Some(plan.declared));
        let [measured_l, measured_w, measured_h] = sides(parcel.measured);
        let (value, value_currency) = money(plan.value.as_ref());
        let intercepted = parcel.interception.as_ref().map(|why| why.to_smolstr());
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
            parcel.exception.as_deref()
        ];
        if seq.is_some() {
            self.db.prepare_cached(INSERT_PARCEL)?.execute(all)?;
            let mut insert = self.db.prepare_cached("INSERT INTO parcel_items VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (n, item) in plan.items.iter().enumerate() {
                let (order, line) = (item.order.as_str(), i64::from(item.line) + 1);
                insert.execute(params![id.as_str(), n as i64 + 1, order, line, item.sku.as_str(), item.quantity])?;
            }
            return Ok(());
        }
        must_be_there(self.db.prepare_cached(UPDATE_PARCEL)?.execute(all)?, id)?;
        let update = "UPDATE parcels SET tracking = ?2, bag_id = ?3 WHERE id = ?1 AND (tracking IS NOT ?2 OR bag_id IS NOT ?3)";
        let (tracking, bag) = (parcel.tracking.as_ref().map(|t| t.as_str()), parcel.bag.as_ref().map(|b| b.as_str()));
        self.db.prepare_cached(update)?.execute(params![id.as_str(), tracking, bag])?;
        Ok(())
    }

    /// Its own row, and what lists of parcels are asked for by.
    fn tracking(&mut self, id: &SmolStr, tracking: &Tracking, touch: Touch) -> Result<(), QueryError> {
        if !self.bulk
            && let Some((_, parcel)) = self.twin.load::<Parcel>(id)?
        {
            self.derived.extend(parcel.plan.orders().iter().map(|order| order.text().clone()));
        }
        let (status, status_at) = (tracking.stage.as_str(), tracking.stage_at.0);
        let (news, customs) = (tracking.newest.as_ref(), tracking.customs.as_ref());
        let said = news.and_then(|n| serde_json::to_value(n.status).ok()).and_then(|s| s.as_str().map(str::to_owned));
        let (seq, begun, day) = match touch.begins {
            Some((seq, at)) => (Some(seq as i64), Some(at.0), Some(self.day(at))),
            None => (None, None, None),
        };
        let all = params![
            id.as_str(),
            seq,
            status,
            status_at,
            tracking.carrier.as_str(),
            tracking.number.as_str(),
            begun,
            day.as_deref(),
            tracking.changed_at.0,
            tracking.ended_at.map(|at| at.0),
            tracking.exception.as_deref(),
            tracking.told,
            news.map(|n| n.at.0),
            said,
            news.and_then(|n| some(&n.text)),
            news.and_then(|n| some(&n.place)),
            customs.and_then(|c| some(&c.text)),
            customs.map(|c| c.at.0)
        ];
        if seq.is_some() {
            self.db.prepare_cached(INSERT_TRACKING)?.execute(all)?;
        } else {
            must_be_there(self.db.prepare_cached(UPDATE_TRACKING)?.execute(all)?, id)?;
        }
        let update = "UPDATE parcels SET status = ?2, status_at_us = ?3 WHERE id = ?1 AND (status IS NOT ?2 OR status_at_us IS NOT ?3)";
        self.db.prepare_cached(update)?.execute(params![id.as_str(), status, status_at])?;
        Ok(())
    }

    fn comes_back(&mut self, id: &SmolStr, back: &Return, touch: Touch) -> Result<(), QueryError> {
        let (seq, began, day) = match touch.begins {
            Some((seq, at)) => (Some(seq as i64), Some(at.0), Some(self.day(at))),
            None => (None, None, None),
        };
        let expected: u64 = back.expected.iter().map(|e| u64::from(e.quantity)).sum();
        let all = params![
            id.as_str(),
            seq,
            back.stage.as_str(),
            back.reason.as_str(),
            expected as i64,
            back.warehouse.as_ref().map(|w| w.as_str()),
            back.outcome.map(|outcome| outcome.as_str()),
            some(&back.note),
            began,
            day.as_deref(),
            back.announced_at.0,
            back.arrived_at.map(|at| at.0),
            back.received_at.map(|at| at.0),
            back.closed_at.map(|at| at.0)
        ];
        if seq.is_some() {
            self.db
                .prepare_cached("INSERT INTO returns VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")?
                .execute(all)?;
        } else {
            must_be_there(self.db.prepare_cached(UPDATE_RETURN)?.execute(all)?, id)?;
            self.db.prepare_cached("DELETE FROM return_items WHERE parcel_id = ?1")?.execute([id.as_str()])?;
        }
        let mut insert = self.db.prepare_cached("INSERT INTO return_items VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (n, item) in back.items.iter().enumerate() {
            insert.execute(params![id.as_str(), n as i64 + 1, item.sku.as_str(), item.quantity, item.condition.as_str()])?;
        }
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
        let (warehouse, owner, sku) = twin::stock::parts(id);
        self.db.prepare_cached("INSERT INTO stock VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(params![
            id.as_str(),
            seq as i64,
            warehouse,
            owner,
            sku,
            stock.on_hand,
            stock.reserved,
            stock.safety,
            stock.available()
        ])?;
        Ok(())
    }
}

pub(super) fn must_be_there(changed: usize, id: &SmolStr) -> Result<(), QueryError> {
    match changed {
        1 => Ok(()),
        _ => Err(QueryError::Other { why: format!("{id} goes on in the journal and has no row") }),
    }
}

/// `status` and `status_at_us` are its tracking's to write, which begins later.
const INSERT_PARCEL: &str = "INSERT INTO parcels VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, NULL, NULL, \
     ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35)";

/// The same numbers as in the insert. What a parcel was created with stays, and so do the indexes on it.
const UPDATE_PARCEL: &str = "UPDATE parcels SET stage = ?4, changed_at_us = ?15, packed_at_us = ?16, declared_g = ?17, \
     declared_length_mm = ?18, declared_width_mm = ?19, declared_height_mm = ?20, measured_g = ?21, measured_length_mm = ?22, \
     measured_width_mm = ?23, measured_height_mm = ?24, label_attempts = ?29, station = ?30, chute = ?31, intercepted = ?33, reworks = ?34, \
     exception = ?35 WHERE id = ?1";

const INSERT_TRACKING: &str =
    "INSERT INTO tracking VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

/// The same numbers as in the insert.
const UPDATE_TRACKING: &str = "UPDATE tracking SET status = ?3, status_at_us = ?4, changed_at_us = ?9, ended_at_us = ?10, exception = ?11, \
     news = ?12, news_at_us = ?13, news_status = ?14, news_text = ?15, news_place = ?16, customs = ?17, customs_at_us = ?18 WHERE parcel_id = ?1";

/// What it was announced with may be another when it comes a second time.
const UPDATE_RETURN: &str = "UPDATE returns SET stage = ?3, reason = ?4, expected = ?5, warehouse = ?6, outcome = ?7, note = ?8, \
     announced_at_us = ?11, arrived_at_us = ?12, received_at_us = ?13, closed_at_us = ?14 WHERE parcel_id = ?1";
