//! The rows of an order: its own, which says how far its parcels are, and those of its buyer, its lines and what lies in them.

use super::QueryError;
use super::rows::{Writer, micro, must_be_there, some, text, unfind};
use super::tables::{Touch, forget};
use rusqlite::{OptionalExtension, named_params, params};
use smol_str::SmolStr;
use twin::address::Place;
use twin::fulfilment::Fulfilment;
use twin::order::{Line, Order};
use twin::personal::Personal;
use twin::{OrderId, Unsealed};

/// What of an order can be searched.
pub fn order_text(id: &str, order: &Order, buyer: Option<&Personal>) -> String {
    let content = &order.content;
    let Place { postcode, region, .. } = &content.ship_to;
    let mut words = vec![id];
    if let Some(Personal { name, company, street, street2, city, phone, email, tax_id, gift_note: _ }) = buyer {
        words.extend([name, company, street, street2, city, phone, email, tax_id].map(|text| text.as_str()));
    }
    words.extend([region.as_str(), postcode.as_str()]);
    for line in &content.lines {
        words.push(line.sku.as_str());
        words.extend(line.goods.iter().map(|goods| goods.sku.as_str()).filter(|ours| *ours != line.sku.as_str()));
    }
    words.join(" ")
}

impl Writer<'_> {
    pub(super) fn order(&mut self, id: &SmolStr, order: &Order, touch: Touch) -> Result<(), QueryError> {
        match touch.begins {
            Some((seq, at)) => {
                let day = self.day(at);
                let insert = "INSERT INTO orders (id, seq, number, platform, shop, received_at_us, day, stage, progress, parcels, revision, seller, \
                     placed_at_us, service, country, currency, pieces, forgotten) \
                     VALUES (:id, :seq, :number, :platform, :shop, :at, :day, '', '', 0, 0, '', 0, '', '', '', 0, FALSE)";
                let number = OrderId::new(id);
                self.db.prepare_cached(insert)?.execute(named_params! {
                    ":id": id.as_str(), ":seq": seq as i64, ":number": number.number(), ":platform": order.content.platform.as_str(),
                    ":shop": order.content.shop.as_str(), ":at": at.0, ":day": day.as_str(),
                })?;
                self.content(id, seq as i64, order)?;
                self.step(id, order)?;
                self.how_far(id, order)
            }
            None => {
                if touch.deep && order.forgotten {
                    forget(self.db, self.twin, id)?;
                } else if touch.deep {
                    self.anew(id, order)?;
                }
                self.step(id, order)?;
                self.derived.insert(id.clone());
                Ok(())
            }
        }
    }

    /// Another version of it came in.
    fn anew(&mut self, id: &SmolStr, order: &Order) -> Result<(), QueryError> {
        let seq = self.db.prepare_cached("SELECT seq FROM orders WHERE id = ?1")?.query_row([id.as_str()], |r| r.get(0)).optional()?;
        let Some(seq) = seq else { return must_be_there(0, id) };
        for table in ["buyers", "order_lines", "line_goods"] {
            self.db.prepare_cached(&format!("DELETE FROM {table} WHERE order_id = ?1"))?.execute([id.as_str()])?;
        }
        unfind(self.db, "order", id)?;
        self.content(id, seq, order)
    }

    /// What the platform says of it.
    fn content(&mut self, id: &SmolStr, seq: i64, order: &Order) -> Result<(), QueryError> {
        let content = &order.content;
        let buyer = match &content.buyer {
            Some(buyer) if !order.forgotten => self.unseal(id, buyer),
            _ => None,
        };
        let forgotten = order.forgotten || buyer == Some(Unsealed::Erased);
        let buyer = if let Some(Unsealed::Here(personal)) = buyer { Some(personal) } else { None };
        // What nobody knows to be a bundle is a piece.
        let pieces = |line: &Line| match line.goods.is_empty() {
            true => u64::from(line.quantity),
            false => line.pieces().map(|(_, pieces)| u64::from(pieces)).sum(),
        };
        let pieces: u64 = content.lines.iter().map(pieces).sum();
        let update = "UPDATE orders SET revision = :revision, seller = :seller, placed_at_us = :placed, updated_at_us = :updated, ship_by_us = :ship_by, \
             deliver_by_us = :deliver_by, service = :service, country = :country, region = :region, postcode = :postcode, \
             currency = :currency, value_micro = :value, pieces = :pieces, forgotten = :forgotten WHERE id = :id";
        let changed = self.db.prepare_cached(update)?.execute(named_params! {
            ":id": id.as_str(), ":revision": order.revision, ":seller": content.seller.as_str(), ":placed": content.placed_at.0, ":updated": content.updated_at.map(|at| at.0),
            ":ship_by": content.terms.ship_by.map(|at| at.0), ":deliver_by": content.terms.deliver_by.map(|at| at.0),
            ":service": some(&content.terms.service), ":country": content.ship_to.country.as_str(), ":region": some(&content.ship_to.region),
            ":postcode": some(&content.ship_to.postcode), ":currency": content.currency.as_str(),
            ":value": order.value().and_then(|value| micro(value.amount)), ":pieces": pieces as i64, ":forgotten": forgotten,
        })?;
        must_be_there(changed, id)?;
        text(self.db, seq, "order", id, &order_text(id, order, buyer.as_ref()))?;
        if let Some(Personal { name, company, street, street2, city, phone, email, tax_id, gift_note }) = &buyer {
            self.db.prepare_cached("INSERT INTO buyers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(params![
                id.as_str(),
                some(name),
                some(company),
                some(street),
                some(street2),
                some(city),
                some(phone),
                some(email),
                some(tax_id),
                some(gift_note)
            ])?;
        }
        let mut insert = self.db.prepare_cached("INSERT INTO order_lines VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for (n, line) in content.lines.iter().enumerate() {
            insert.execute(params![
                id.as_str(),
                n as i64 + 1,
                line.sku.as_str(),
                line.quantity,
                micro(line.unit_price),
                content.currency.as_str()
            ])?;
        }
        self.line_goods(id, &content.lines)
    }

    /// What it is held for, and how it was decided last. Columns with an index are written only where they change: SQLite does
    /// not look.
    fn step(&mut self, id: &SmolStr, order: &Order) -> Result<(), QueryError> {
        let holds: Vec<_> = order.holds.iter().map(|(reason, detail)| format!("{}: {detail}", reason.as_str())).collect();
        let holds = (!holds.is_empty()).then(|| holds.join("; "));
        let decision = order.decision();
        let update = "UPDATE orders SET holds = ?2, cancelled = ?3 WHERE id = ?1";
        let row = params![id.as_str(), holds, order.cancelled.as_deref()];
        must_be_there(self.db.prepare_cached(update)?.execute(row)?, id)?;
        let update = "UPDATE orders SET rule = ?2, warehouse = ?3, channel = ?4, parcel_id = ?5 \
             WHERE id = ?1 AND (rule IS NOT ?2 OR warehouse IS NOT ?3 OR channel IS NOT ?4 OR parcel_id IS NOT ?5)";
        self.db.prepare_cached(update)?.execute(params![
            id.as_str(),
            decision.map(|d| d.rule.as_str()),
            decision.map(|d| d.warehouse.as_str()),
            decision.map(|d| d.channel.as_str()),
            order.live_parts().next().map(|part| part.parcel.as_str())
        ])?;
        Ok(())
    }

    /// How far it is, from its parcels.
    fn how_far(&self, id: &SmolStr, order: &Order) -> Result<(), QueryError> {
        let far = Fulfilment::of_order(self.twin, order)?;
        let update = "UPDATE orders SET stage = ?2, progress = ?3, parcels = ?4 \
             WHERE id = ?1 AND (stage IS NOT ?2 OR progress IS NOT ?3 OR parcels IS NOT ?4)";
        self.db.prepare_cached(update)?.execute(params![id.as_str(), far.stage, far.to_string(), far.parcels])?;
        Ok(())
    }

    /// Orders whose parcels went on.
    pub(super) fn finish(&mut self) -> Result<(), QueryError> {
        for id in std::mem::take(&mut self.derived) {
            if let Some((_, order)) = self.twin.load::<Order>(&id)? {
                self.how_far(&id, &order)?;
            }
        }
        Ok(())
    }
}
