//! A sorting line: ties what scanner, scale and sorter saw to one item, judges it, and answers the sorter in time.
//!
//! Devices do not know each other. An item's scan, weight and question belong together when they are as far apart as the
//! belt makes them, by the clock's steady time; a reading that fits no item is nobody's, and an item without all its readings goes to the reject chute.

use crate::base::{BagDeed, Base, Facts};
use crate::bench::parcel_of;
use crate::config::LineConfig;
use crate::device::DeviceMsg;
use crate::ledger::{Account, Host};
use crate::order_desk::Reply;
use crate::outgoing::{Outgoing, Question};
use crate::zero::Zero;
use crate::{Answer, InForce, ParcelMsg, origin, slip};
use drivers::devices::{Instruction, Observation};
use ractor::ActorProcessingErr;
use rules::sorting::SortingPlan;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, VecDeque};
use twin::bag::{self, Bag};
use twin::device::DeviceKind;
use twin::facet::Facet;
use twin::parcel::{Divert, Interception, Parcel};
use twin::{BagId, Because, By, CarrierId, Dims, Grams, Moment, Origin, ParcelId, Span, station};

/// An item the sorter never confirms is forgotten after this.
pub const ITEM_LIFE: Span = Span::from_mins(5);

pub struct Line {
    config: LineConfig,
    /// The version of the settings that `config` and the bags go by; nothing before the first look at them.
    settings: Option<u32>,
    items: VecDeque<Item>,
    next: u64,
    bags: BTreeMap<u16, Host<Bag>>,
    tags: u64,
    zero: Zero,
}

struct Item {
    n: u64,
    scanned_at: Moment,
    code: Option<SmolStr>,
    dims: Option<Dims>,
    parcel: Option<ParcelId>,
    facts: Known,
    /// The record that the facts came with.
    because: Because,
    weight_g: Option<Grams>,
    pic: Option<u32>,
    asked_at: Moment,
    /// Who asked where it goes.
    asker: By,
    /// Where it was sent, and whether it passed the checks.
    sent: Option<(u16, bool)>,
    /// The version of the settings by which it was sent there.
    sent_by: Option<u32>,
}

enum Known {
    NotYet,
    Facts(Box<Facts>),
    Refused(SmolStr),
}

impl Line {
    pub fn open(base: &Base) -> Result<Self, ActorProcessingErr> {
        let in_force = base.house.in_force();
        let config = line_of(&in_force, base).cloned().ok_or_else(|| format!("station {} has no [line] table", base.config.id))?;
        let mut bags = BTreeMap::new();
        for (chute, bag) in &base.host.state.bags {
            bags.insert(*chute, Host::<Bag>::load(&base.house.twin, bag.text().clone())?);
        }
        let mut line = Line { config, settings: None, items: VecDeque::new(), next: 0, bags, tags: 0, zero: Zero::default() };
        line.print_tags(base)?;
        Ok(line)
    }

    /// Goes by the settings in force. A bag under a chute that is for something else from now on is closed: what falls there
    /// next is not what is in it.
    pub fn take_plan(&mut self, base: &mut Base) -> Result<(), ActorProcessingErr> {
        let in_force = base.house.in_force();
        if self.settings == Some(in_force.version) {
            return Ok(());
        }
        self.settings = Some(in_force.version);
        let Some(config) = line_of(&in_force, base) else { return Ok(()) };
        let before = std::mem::replace(&mut self.config, config.clone());
        let rule = |plan: &SortingPlan, chute| plan.chutes.iter().find(|rule| rule.chute == chute).cloned();
        let changed = |(chute, bag): (&u16, &Host<Bag>)| {
            let now = rule(&self.config.sorting, *chute);
            // Where the line was down when it changed, the bag alone knows what it is for.
            let other = rule(&before.sorting, *chute) != now || now.is_none_or(|rule| rule.channel != bag.state.channel);
            other.then_some(*chute)
        };
        let chutes: Vec<u16> = self.bags.iter().filter_map(changed).collect();
        chutes.into_iter().try_for_each(|chute| self.close(base, chute, "the sorting plan changed"))
    }

    /// Prints the tag of every bag that is closed and still here: nobody knows which of them came out before the printer
    /// or the line fell. A tag too many is thrown away; a bag without one goes nowhere.
    pub fn print_tags(&mut self, base: &Base) -> Result<(), ActorProcessingErr> {
        let twin = &base.house.twin;
        for row in twin.listed::<Bag>(Facet::Closed, Some(base.config.id.text()), None) {
            let id = row?.0.id;
            if let Some((_, bag)) = twin.load::<Bag>(&id)? {
                let print = self.tag(base, &BagId::from(id), &bag);
                base.house.release(print);
            }
        }
        Ok(())
    }

    /// What sends a bag's tag to the printer.
    fn tag(&mut self, base: &Base, id: &BagId, bag: &Bag) -> Outgoing {
        self.tags += 1;
        let (job, printer) = (self.tags, base.device(DeviceKind::Printer));
        let zpl = slip::bag_tag(id, bag.chute, &bag.channel, bag.parcels.len());
        Outgoing::Device(printer, DeviceMsg::Do(Instruction::Print { job, zpl: zpl.into() }))
    }

    pub fn saw(&mut self, base: &mut Base, at: Moment, what: Observation) -> Result<(), ActorProcessingErr> {
        match what {
            Observation::Scanned { code, dims } => self.scanned(base, at, code, dims)?,
            Observation::Weight { weight_dg, stable: true } => {
                let expected = self.config.scan_to_weight();
                if let Some(item) = self.due(at, expected, |i| i.weight_g.is_none()) {
                    if weight_dg > 0 {
                        item.weight_g = Some((weight_dg as u32 + 5) / 10);
                    }
                } else if self.zero.has_drifted(weight_dg) {
                    // Nothing lies on it.
                    base.instruct(DeviceKind::Scale, Instruction::Zero);
                }
            }
            Observation::DivertAsked { pic } => self.asked(base, at, pic)?,
            Observation::Diverted { pic, chute, ok } => self.diverted(base, pic, chute, ok)?,
            _ => {}
        }
        Ok(())
    }

    /// The item that must be there now if it was scanned `expected` ago.
    fn due(&mut self, at: Moment, expected: Span, free: impl Fn(&Item) -> bool) -> Option<&mut Item> {
        let (then, tolerance) = (at - expected, self.config.tolerance());
        self.items.iter_mut().find(|i| free(i) && (i.scanned_at - then).0.abs() <= tolerance.0)
    }

    fn scanned(&mut self, base: &Base, at: Moment, code: Option<SmolStr>, dims: Option<Dims>) -> Result<(), ActorProcessingErr> {
        self.forget(base, at);
        let parcel = match &code {
            Some(code) => parcel_of(base, code)?,
            None => None,
        };
        self.next += 1;
        let n = self.next;
        if let Some(parcel) = parcel.clone() {
            base.house.tell(parcel, ParcelMsg::Induct { item: n, station: base.config.id.clone(), line: base.seat.clone() });
        }
        self.items.push_back(Item {
            n,
            scanned_at: at,
            code,
            dims,
            parcel,
            facts: Known::NotYet,
            because: Because::Nothing,
            weight_g: None,
            pic: None,
            asked_at: at,
            asker: By::System,
            sent: None,
            sent_by: None,
        });
        Ok(())
    }

    /// Items that left the belt unseen: taken off by hand, or lost to a stopped sorter.
    fn forget(&mut self, base: &Base, now: Moment) {
        let limit = base.house.in_force().config.limits.line_items_max;
        while let Some(old) = self.items.front() {
            if now - old.scanned_at <= ITEM_LIFE && self.items.len() < limit {
                break;
            }
            if let (Some(parcel), Known::Facts(_)) = (&old.parcel, &old.facts)
                && !matches!(old.sent, Some((_, false)))
            {
                let why = Interception::Manual { why: "left the line between scanner and chute".into() };
                // Whoever is scanned now has nothing to do with it.
                let origin = Origin { because: old.because.clone(), ..Origin::default() };
                origin::within(origin, || base.house.tell(parcel.clone(), ParcelMsg::Intercept(why)));
            }
            self.items.pop_front();
        }
    }

    pub fn inducted(&mut self, base: &mut Base, n: u64, facts: Result<Box<Facts>, SmolStr>) -> Result<(), ActorProcessingErr> {
        let Some(at) = self.items.iter().position(|i| i.n == n) else { return Ok(()) };
        self.items[at].facts = facts.map_or_else(Known::Refused, Known::Facts);
        self.items[at].because = origin::current().because;
        if self.items[at].pic.is_some() { self.answer(base, at) } else { Ok(()) }
    }

    fn asked(&mut self, base: &mut Base, at: Moment, pic: u32) -> Result<(), ActorProcessingErr> {
        let expected = self.config.scan_to_ask();
        match self.due(at, expected, |i| i.pic.is_none()) {
            Some(item) => {
                item.pic = Some(pic);
                item.asked_at = at;
                item.asker = origin::current().by;
                let n = item.n;
                let position = self.items.iter().position(|i| i.n == n);
                position.map_or(Ok(()), |at| self.answer(base, at))
            }
            None => {
                let out = base.devices_out.get(&DeviceKind::Scanner).map(|why| format_smolstr!("the scanner is out: {why}"));
                self.reject(base, pic, None, out.unwrap_or_else(|| "the scanner did not see it".into()))
            }
        }
    }

    /// Answers for an item as soon as all that can be known is known: the sorter asked, because of what it is.
    fn answer(&mut self, base: &mut Base, at: usize) -> Result<(), ActorProcessingErr> {
        let (by, because) = (self.items[at].asker.clone(), self.items[at].because.clone());
        origin::within(Origin { by, because }, || self.answer_asker(base, at))
    }

    fn answer_asker(&mut self, base: &mut Base, at: usize) -> Result<(), ActorProcessingErr> {
        let item = &mut self.items[at];
        let Some(pic) = item.pic else { return Ok(()) };
        let (code, reject) = (item.code.clone(), self.config.sorting.reject);
        let why = match (&item.code, &item.parcel, &item.facts) {
            (None, _, _) => "no read".into(),
            (Some(code), None, _) => format_smolstr!("no parcel has label {}", twin::text::visible(code)),
            (_, _, Known::Refused(why)) => why.clone(),
            (_, _, Known::NotYet) => return Ok(()),
            (_, Some(parcel), Known::Facts(facts)) => {
                let divert = judge(base, &self.config, item, facts);
                let (chute, passed) = match &divert {
                    Divert::Pass { chute } => (*chute, true),
                    Divert::Stop { chute, .. } => (*chute, false),
                };
                (item.sent, item.sent_by) = (Some((chute, passed)), self.settings);
                let question = Question { sorter: base.device(DeviceKind::Sorter), pic, asked_at: item.asked_at, reject };
                let judged = ParcelMsg::Judge { measured_g: item.weight_g, measured: item.dims, divert, question };
                base.house.tell(parcel.clone(), judged);
                return Ok(());
            }
        };
        item.sent = Some((reject, false));
        self.reject(base, pic, code, why)
    }

    /// Sends an item that no parcel answers for to the reject chute.
    fn reject(&mut self, base: &mut Base, pic: u32, code: Option<SmolStr>, why: SmolStr) -> Result<(), ActorProcessingErr> {
        let chute = self.config.sorting.reject;
        let mut work = base.house.work();
        let nth = base.host.state.rejected + 1;
        base.host.command(&mut work, station::Command::Reject { nth, pic, chute, code, why })?;
        let sorter = base.device(DeviceKind::Sorter);
        work.say(Outgoing::Device(sorter, DeviceMsg::Do(Instruction::Divert { pic, chute })));
        base.house.commit(work);
        Ok(())
    }

    fn diverted(&mut self, base: &mut Base, pic: u32, chute: u16, ok: bool) -> Result<(), ActorProcessingErr> {
        let Some(at) = self.items.iter().position(|i| i.pic == Some(pic)) else { return Ok(()) };
        let Some(item) = self.items.remove(at) else { return Ok(()) };
        match (item.parcel, item.sent) {
            (Some(parcel), Some((planned, true))) if planned == chute && ok => match (self.now_for(base, &item.facts), out(base, chute)) {
                // It was taken out while it was on its way, and has no bag any more.
                (_, Some(why)) => {
                    base.house.tell(parcel, ParcelMsg::Intercept(why));
                    Ok(())
                }
                // By the same plan it was sent there since a chute before it was out.
                (Some(now), None) if now == chute || item.sent_by == self.settings => {
                    self.bag(base, chute, parcel, item.weight_g.unwrap_or(0))
                }
                // Another sorting plan came while it was on its way: under that chute hangs another's bag by now.
                (now, None) => {
                    let why = Interception::WrongChute { planned: now.unwrap_or(0), actual: chute };
                    base.house.tell(parcel, ParcelMsg::Intercept(why));
                    Ok(())
                }
            },
            (Some(parcel), Some((planned, true))) => {
                base.house.tell(parcel, ParcelMsg::Intercept(Interception::WrongChute { planned, actual: chute }));
                Ok(())
            }
            // Inducted and never answered: the sorter gave up on us.
            (Some(parcel), None) if matches!(item.facts, Known::Facts(_)) => {
                base.house.tell(parcel, ParcelMsg::Intercept(Interception::WrongChute { planned: 0, actual: chute }));
                Ok(())
            }
            (Some(parcel), Some((planned, false))) if planned != chute => {
                base.house.tell(parcel, ParcelMsg::Alarm(format_smolstr!("stopped, and fell into chute {chute}: take it out of the bag")));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Where an item belongs by the plan in force.
    fn now_for(&self, base: &Base, facts: &Known) -> Option<u16> {
        match facts {
            Known::Facts(facts) => chute_for(base, &self.config.sorting, facts),
            _ => None,
        }
    }

    fn bag(&mut self, base: &mut Base, chute: u16, parcel: ParcelId, weight_g: Grams) -> Result<(), ActorProcessingErr> {
        let house = base.house.clone();
        let mut work = house.work();
        if !self.bags.contains_key(&chute) {
            let Some(channel) = self.config.sorting.chutes.iter().find(|r| r.chute == chute).map(|r| r.channel.clone()) else {
                return Ok(());
            };
            let bag = BagId::new(twin::sscc::sscc(&self.config.sscc_prefix, base.host.state.bags_opened + 1));
            let mut host = Host::<Bag>::load(&house.twin, bag.text().clone())?;
            let open = bag::Command::Open { warehouse: base.warehouse.clone(), station: base.config.id.clone(), chute, channel };
            host.command(&mut work, open)?;
            base.host.command(&mut work, station::Command::PlaceBag { chute, bag })?;
            self.bags.insert(chute, host);
        }
        let Some(host) = self.bags.get_mut(&chute) else { return Ok(()) };
        host.command(&mut work, bag::Command::Add { parcel: parcel.clone(), weight_g })?;
        let bag = BagId::from(host.id.clone());
        let in_force = house.in_force();
        let limits = &in_force.config.limits;
        let full = host.state.parcels.len() >= limits.bag_parcels_max || host.state.weight_g >= limits.bag_weight_g_max;
        // One drop fills the bag and ends the parcel's way over the line.
        work.say_on(Account::By(origin::current().by), Outgoing::Parcel(parcel, ParcelMsg::Bag { chute, bag }));
        house.commit(work);
        if full { self.close(base, chute, "full") } else { Ok(()) }
    }

    /// What would fall there goes to the next chute that takes it, or to the reject chute; its bag is closed.
    pub fn take_chute_out(&mut self, base: &mut Base, chute: u16, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let (sorting, line) = (&self.config.sorting, &base.config.id);
        if chute == sorting.reject {
            let instead = "what cannot be sorted goes nowhere else; take the line out";
            reply.tell(Err(format!("chute {chute} of {line} is its reject chute: {instead}")));
            return Ok(());
        }
        if sorting.chutes.iter().all(|rule| rule.chute != chute) {
            reply.tell(Err(format!("{line} has no chute {chute} in its sorting plan")));
            return Ok(());
        }
        self.close(base, chute, "the chute was taken out")?;
        base.write(station::Command::TakeChuteOut { chute, why }, reply)
    }

    /// What a person does with a bag that hangs here.
    pub fn bag_by_hand(&mut self, base: &Base, bag: &BagId, deed: BagDeed, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let Some(host) = self.bags.values_mut().find(|host| host.id == *bag.text()) else {
            reply.tell(Err(format!("bag {bag} was closed meanwhile: say it again, and the dock does it")));
            return Ok(());
        };
        deed_done(base, host, deed, why, reply)
    }

    pub fn close_bags(&mut self, base: &mut Base, carrier: &CarrierId) -> Result<(), ActorProcessingErr> {
        let in_force = base.house.in_force();
        let of_carrier = |bag: &Host<Bag>| in_force.channel_ever(&bag.state.channel).is_some_and(|c| c.carrier == *carrier);
        let chutes: Vec<u16> = self.bags.iter().filter(|(_, bag)| of_carrier(bag)).map(|(chute, _)| *chute).collect();
        chutes.into_iter().try_for_each(|chute| self.close(base, chute, "cut-off"))
    }

    fn close(&mut self, base: &mut Base, chute: u16, why: &str) -> Result<(), ActorProcessingErr> {
        let Some(mut host) = self.bags.remove(&chute) else { return Ok(()) };
        let mut work = base.house.work();
        host.command(&mut work, bag::Command::Close { why: why.into() })?;
        base.host.command(&mut work, station::Command::RemoveBag { chute })?;
        work.say(self.tag(base, &BagId::from(host.id), &host.state));
        base.house.commit(work);
        Ok(())
    }
}

/// A person did something with a bag; a parcel that leaves it says so too.
pub(crate) fn deed_done(base: &Base, bag: &mut Host<Bag>, deed: BagDeed, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
    let mut work = base.house.work();
    let outcome = match deed {
        BagDeed::Settle => bag.command(&mut work, bag::Command::Settle { why }),
        BagDeed::TakeOut(parcel) => {
            let weight_g = base.house.twin.load::<Parcel>(parcel.text())?.and_then(|(_, parcel)| parcel.measured_g).unwrap_or(0);
            let outcome = bag.command(&mut work, bag::Command::Remove { parcel: parcel.clone(), weight_g });
            if outcome.is_ok() {
                let by = origin::current().by;
                work.say_on(Account::By(by), Outgoing::Parcel(parcel, ParcelMsg::TakenOut { bag: BagId::from(bag.id.clone()), why }));
            }
            outcome
        }
    };
    work.say(Outgoing::Answer(Answer::Done(reply, outcome.map(drop).map_err(|refusal| refusal.to_string()))));
    base.house.commit(work);
    Ok(())
}

/// The line of a station as the settings have it.
fn line_of<'a>(in_force: &'a InForce, base: &Base) -> Option<&'a LineConfig> {
    let station = in_force.config.warehouse(&base.warehouse)?.stations.iter().find(|s| s.id == base.config.id)?;
    station.line.as_ref()
}

/// All checks on one item, in the order in which a person would make them.
fn judge(base: &Base, line: &LineConfig, item: &Item, facts: &Facts) -> Divert {
    let in_force = base.house.in_force();
    let (checks, reject) = (&in_force.config.checks, line.sorting.reject);
    let stop = |why| Divert::Stop { why, chute: reject };
    if let Some(why) = &base.host.state.out {
        return stop(Interception::Out { what: format_smolstr!("the line is out: {why}") });
    }
    let Some(measured_g) = item.weight_g else { return stop(Interception::NotWeighed) };
    if let Some(why) = rules::check::weight(checks, facts.declared_g, measured_g) {
        return stop(why);
    }
    if let Some(why) = item.dims.and_then(|dims| rules::check::size(checks, facts.declared, dims)) {
        return stop(why);
    }
    match chute_for(base, &line.sorting, facts) {
        Some(chute) => Divert::Pass { chute },
        None => {
            let planned = line.sorting.chute(&facts.channel, &facts.country);
            stop(planned.and_then(|chute| out(base, chute)).unwrap_or(Interception::NoChute))
        }
    }
}

/// Where it goes by the sorting plan, past the chutes that are out.
fn chute_for(base: &Base, sorting: &SortingPlan, facts: &Facts) -> Option<u16> {
    sorting.chute_besides(&facts.channel, &facts.country, |chute| base.host.state.chutes_out.contains_key(&chute))
}

/// Why nothing may fall there, if a person took it out.
fn out(base: &Base, chute: u16) -> Option<Interception> {
    let why = base.host.state.chutes_out.get(&chute)?;
    Some(Interception::Out { what: format_smolstr!("chute {chute} is out: {why}") })
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
