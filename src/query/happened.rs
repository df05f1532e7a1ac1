//! From records to rows: what happened, in tables that only grow, and the texts by which it is found.

use super::QueryError;
use super::rows::{Writer, micro, money, some, text};
use rusqlite::params;
use twin::Event;
use twin::allocation::{Candidate, Decision};
use twin::charges::{self, Charge};
use twin::hold::Detail;
use twin::order::Hold;
use twin::{Money, Record, bag, board, carrier, device, order, parcel, settings, station, stock, tracking};

impl Writer<'_> {
    /// A record: what happened, in tables that only grow.
    pub fn happened(&mut self, record: &Record) -> Result<(), QueryError> {
        let id = &record.key.id;
        match &record.event {
            Event::Order(order::Event::Allocated { decision, .. }) => self.decision(record, decision)?,
            Event::Order(order::Event::Held { reason, detail }) => self.no_offer(record, *reason, detail)?,
            Event::Parcel(event) => match event {
                parcel::Event::Created { .. } => {
                    text(self.db, record.seq as i64, "parcel", id, id)?;
                }
                parcel::Event::LabelBought { tracking, .. } => {
                    text(self.db, record.seq as i64, "parcel", id, &format!("{tracking} {id}"))?;
                }
                _ => {}
            },
            Event::Charges(charges::Event::Charged { kind, amount, basis, settings, rate }) => {
                let (at, kind, amount, basis, settings) = (record.at, *kind, *amount, basis.clone(), *settings);
                self.charge(record, &Charge { at, kind, amount, basis, settings, rate: rate.clone() })?;
            }
            Event::Bag(twin::bag::Event::Opened { .. }) => text(self.db, record.seq as i64, "bag", id, id)?,
            Event::Manifest(twin::manifest::Event::Opened { .. }) => text(self.db, record.seq as i64, "manifest", id, id)?,
            Event::Stock(event) => self.movement(record, event)?,
            Event::Settings(event) => self.settings(record, event)?,
            _ => {}
        }
        self.exception(record)
    }

    /// Where an order leaves from.
    fn decision(&mut self, record: &Record, decision: &Decision) -> Result<(), QueryError> {
        let Decision { rule, warehouse, channel, cost, candidates, count, all, settings } = decision;
        let all = self.twin.candidates(candidates, all.as_ref())?;
        let chosen = (Some(warehouse.as_str()), Some(channel.as_str()), Some(cost));
        self.weighed(record, "chosen", (rule, *count, *settings), chosen, &all)
    }

    /// Or that nothing takes it.
    fn no_offer(&mut self, record: &Record, hold: Hold, detail: &Detail) -> Result<(), QueryError> {
        let Detail::NoOffer { rule, candidates, count, all, settings } = detail else { return Ok(()) };
        let all = self.twin.candidates(candidates, all.as_ref())?;
        self.weighed(record, hold.as_str(), (rule, *count, *settings), (None, None, None), &all)
    }

    fn weighed(
        &mut self,
        record: &Record,
        outcome: &str,
        (rule, count, settings): (&str, u32, u32),
        (warehouse, channel, cost): (Option<&str>, Option<&str>, Option<&Money>),
        candidates: &[Candidate],
    ) -> Result<(), QueryError> {
        let (seq, day, (cost, currency)) = (record.seq as i64, self.day(record.at), money(cost));
        self.db.prepare_cached("INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?.execute(params![
            seq,
            record.key.id.as_str(),
            record.at.0,
            day.as_str(),
            outcome,
            rule,
            count,
            warehouse,
            channel,
            cost,
            currency,
            (settings > 0).then_some(settings)
        ])?;
        let mut insert = self.db.prepare_cached("INSERT INTO candidates VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        for (place, candidate) in candidates.iter().enumerate() {
            let (cost, currency) = money(candidate.cost.as_ref());
            let channel = candidate.channel.as_ref().map(|c| c.as_str());
            let (kind, parameters) = candidate.verdict.parts();
            insert.execute(params![
                seq,
                place as i64 + 1,
                candidate.warehouse.as_str(),
                channel,
                cost,
                currency,
                candidate.days,
                candidate.verdict.to_string(),
                kind.as_str(),
                parameters.to_string()
            ])?;
        }
        Ok(())
    }

    /// A version of the settings: who wrote it, who put it in force and why, and since when it is what it is.
    fn settings(&mut self, record: &Record, event: &settings::Event) -> Result<(), QueryError> {
        use settings::Event::*;
        let (at, by) = (record.decided_at().0, record.by.to_string());
        let Ok(number) = record.key.id.parse::<u32>() else { return Ok(()) };
        match event {
            Drafted { note, .. } => {
                let day = self.day(record.at);
                self.db
                    .prepare_cached("INSERT INTO settings VALUES (?1, ?2, 'draft', ?3, ?4, ?5, ?6, NULL, NULL, NULL, NULL, NULL)")?
                    .execute(params![number, record.seq as i64, note.as_str(), by, at, day.as_str()])?;
            }
            Planned { from, reason } => {
                let update = "UPDATE settings SET stage = 'planned', reason = ?2, activated_by = ?3, active_from_us = ?4 WHERE number = ?1";
                self.db.prepare_cached(update)?.execute(params![number, reason.as_str(), by, from.0])?;
            }
            Activated { from, reason } => {
                // What was planned is put in force by the clock: whoever planned it did it.
                let update = "UPDATE settings SET stage = 'active', reason = ?2, active_from_us = ?4, activated_at_us = ?5, \
                     activated_by = CASE WHEN stage = 'planned' AND ?6 THEN activated_by ELSE ?3 END WHERE number = ?1";
                self.db.prepare_cached(update)?.execute(params![number, reason.as_str(), by, from.0, at, record.by.is_system()])?;
            }
            Archived { .. } => {
                let update = "UPDATE settings SET stage = 'archived', archived_at_us = ?2 WHERE number = ?1";
                self.db.prepare_cached(update)?.execute(params![number, at])?;
            }
        }
        Ok(())
    }

    fn charge(&mut self, record: &Record, charge: &Charge) -> Result<(), QueryError> {
        let day = self.day(record.at);
        let insert = "INSERT INTO charges VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.db.prepare_cached(insert)?.execute(params![
            record.seq as i64,
            record.key.id.as_str(),
            record.at.0,
            day.as_str(),
            charge.kind.as_str(),
            micro(charge.amount.amount),
            charge.amount.currency.code(),
            charge.in_base().and_then(micro),
            charge.rate.as_ref().map(|rate| rate.base.as_str()),
            charge.basis.kind(),
            charge.basis.to_string(),
            charge.settings
        ])?;
        Ok(())
    }

    fn movement(&mut self, record: &Record, event: &stock::Event) -> Result<(), QueryError> {
        use stock::Event::*;
        let (what, quantity, order, reference) = match event {
            Counted { on_hand, .. } => ("counted", on_hand, None, None),
            Received { quantity, reference } => ("received", quantity, None, some(reference)),
            Reserved { order, quantity } => ("reserved", quantity, Some(order), None),
            Released { order, quantity } => ("released", quantity, Some(order), None),
            Picked { order, quantity } => ("picked", quantity, Some(order), None),
        };
        let day = self.day(record.at);
        let (warehouse, owner, sku) = stock::parts(&record.key.id);
        self.db.prepare_cached("INSERT INTO stock_movements VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?.execute(params![
            record.seq as i64,
            record.key.id.as_str(),
            warehouse,
            owner,
            sku,
            record.at.0,
            day.as_str(),
            what,
            quantity,
            order.map(|o| o.as_str()),
            reference
        ])?;
        Ok(())
    }

    /// What wants a look, and what was said when somebody looked.
    fn exception(&mut self, record: &Record) -> Result<(), QueryError> {
        let (what, reason) = match &record.event {
            Event::Parcel(parcel::Event::Intercepted { why, .. }) => ("intercepted", Some(why.word())),
            Event::Parcel(parcel::Event::ExceptionRaised { .. })
            | Event::Tracking(tracking::Event::ExceptionRaised { .. })
            | Event::Bag(bag::Event::ExceptionRaised { .. }) => ("trouble", None),
            Event::Parcel(parcel::Event::LabelRefused { .. }) => ("label refused", None),
            Event::Parcel(parcel::Event::Reworked { .. }) => ("reworked", None),
            Event::Parcel(parcel::Event::Cancelled { .. }) | Event::Order(order::Event::Cancelled { .. }) => ("cancelled", None),
            Event::Order(order::Event::Held { reason, .. }) => ("held", Some(reason.as_str())),
            Event::Device(device::Event::FaultRaised { .. }) => ("fault", None),
            Event::Device(device::Event::Disconnected { .. }) => ("disconnected", None),
            Event::Station(station::Event::Rejected { .. }) => ("rejected", None),
            Event::Carrier(carrier::Event::Suspended { .. }) => ("suspended", None),
            _ => return Ok(()),
        };
        let detail = match &record.event {
            Event::Parcel(parcel::Event::Reworked { note, .. }) => note.clone(),
            Event::Parcel(parcel::Event::Cancelled { reason, .. }) | Event::Order(order::Event::Cancelled { reason }) => reason.clone(),
            event => board::trouble(event).unwrap_or_default(),
        };
        let (kind, id, day) = (record.key.kind, record.key.id.as_str(), self.day(record.at));
        self.db.prepare_cached("INSERT INTO exceptions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
            record.seq as i64,
            record.at.0,
            day.as_str(),
            kind.as_str(),
            id,
            what,
            reason,
            detail.as_str()
        ])?;
        let said = format!("{what} {} {detail} {id}", reason.unwrap_or_default());
        text(self.db, record.seq as i64, "exception", id, &said)
    }
}
