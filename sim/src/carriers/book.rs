//! The carriers' own records: labels sold, keys seen, parcels taken and what becomes of each.
//!
//! One book serves all carriers of a run. It holds the truth that tracking shows little by little, and what was bought whether
//! or not the answer arrived; the floor asks it what became of a parcel. It sets no timers, and tells nothing in hash order.

use super::transit::{self, Fate, Reliability, Route, Scan, Spot};
use crate::luck::Luck;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use twin::channel::TrackStatus;
use twin::{CarrierId, Moment, Money, TrackingNumber};

/// A carrier's place in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CarrierNo(pub u16);

/// What a handover of one parcel came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    /// The carrier has it. Also said of a parcel that it already has.
    Taken,
    /// No label with that number was ever sold.
    Unknown,
    /// The label was given back.
    Voided,
}

/// What giving back a label came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voiding {
    Done,
    Unknown,
    /// Given back before.
    Already,
    /// The carrier has the parcel.
    TooLate,
}

/// What can be wrong with the labels that a carrier sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelFault {
    /// All wear the number of the first that it ever sold.
    SameNumber,
    /// So many of a million answers hold no label: nothing, a PDF, half a program. The next asking may bring it.
    Garbage { ppm: u32 },
}

/// One end of a parcel's way, as far as tracking shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stop {
    pub city: SmolStr,
    pub region: SmolStr,
    pub postcode: SmolStr,
    pub country: SmolStr,
}

/// What a carrier writes down when it sells a label.
pub struct Sale<'a> {
    /// The idempotency key of the request, where the carrier goes by one.
    pub key: Option<&'a str>,
    /// The name under which the parcel's luck is drawn, so that it meets the same luck whatever number it was given. Without one
    /// it is the number.
    pub luck: Option<&'a str>,
    pub service: SmolStr,
    pub from: Stop,
    pub to: Stop,
    pub route: Route,
    pub postage: Money,
    pub at: Moment,
}

/// A label sold.
#[derive(Clone, Debug)]
pub struct Sold {
    pub carrier: CarrierNo,
    pub service: SmolStr,
    pub from: Stop,
    pub to: Stop,
    pub postage: Money,
    route: Route,
    luck_key: SmolStr,
    /// Oldest first; the first is the sale itself.
    scans: Vec<Scan>,
    fate: Fate,
}

impl Sold {
    /// The scans that have been made by `now`, oldest first.
    pub fn seen(&self, now: Moment) -> &[Scan] {
        &self.scans[..self.scans.partition_point(|scan| scan.at <= now)]
    }

    /// Where a scan was made, or `None` under way.
    pub fn stop(&self, spot: Spot) -> Option<&Stop> {
        match spot {
            Spot::Origin | Spot::OriginHub => Some(&self.from),
            Spot::UnderWay => None,
            Spot::DestinationHub | Spot::Destination => Some(&self.to),
        }
    }
}

/// How many labels a carrier has sold, taken back and collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sold: u64,
    pub voided: u64,
    pub collected: u64,
}

struct Carrier {
    id: CarrierId,
    reliability: Reliability,
    keys: HashMap<SmolStr, SmolStr>,
    counts: Counts,
    /// The number that it sold first.
    first: Option<SmolStr>,
    same_number: bool,
    garbage_ppm: u32,
    /// Drawn from only where something is wrong with its labels.
    luck: Luck,
}

struct Pages {
    seed: u64,
    sold_before: u64,
    carriers: Vec<Carrier>,
    sold: HashMap<SmolStr, Box<Sold>>,
}

/// Cheap to clone; all clones are the same book.
#[derive(Clone)]
pub struct CarrierBook(Arc<Mutex<Pages>>);

impl CarrierBook {
    /// An empty book; `seed` is the run's.
    pub fn new(seed: u64) -> Self {
        Self::after(seed, 0)
    }

    /// A book whose carriers have sold so many labels each before, so that their numbers go on from there.
    pub fn after(seed: u64, sold_before: u64) -> Self {
        CarrierBook(Arc::new(Mutex::new(Pages { seed, sold_before, carriers: Vec::new(), sold: HashMap::new() })))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A carrier takes a place in the book.
    pub fn open(&self, id: CarrierId, reliability: Reliability) -> CarrierNo {
        let mut pages = self.pages();
        let luck = Luck::of(pages.seed, id.as_str(), "labels");
        let (keys, counts) = (HashMap::new(), Counts::default());
        pages.carriers.push(Carrier { id, reliability, keys, counts, first: None, same_number: false, garbage_ppm: 0, luck });
        CarrierNo((pages.carriers.len() - 1) as u16)
    }

    /// Writes a label down under the number that `number` makes of the carrier's next serial (from 1), and gives the number
    /// and the postage. A key seen before changes nothing: the first sale is the answer.
    pub fn sell(&self, carrier: CarrierNo, sale: Sale, number: impl FnOnce(u64) -> SmolStr) -> (SmolStr, Money) {
        let mut pages = self.pages();
        let Pages { carriers, sold, sold_before, .. } = &mut *pages;
        let record = &mut carriers[usize::from(carrier.0)];
        if let Some(tracking) = sale.key.and_then(|key| record.keys.get(key))
            && let Some(label) = sold.get(tracking)
        {
            return (tracking.clone(), label.postage);
        }
        record.counts.sold += 1;
        let fresh = number(*sold_before + record.counts.sold);
        let first = record.first.get_or_insert_with(|| fresh.clone());
        let tracking = if record.same_number { first.clone() } else { fresh };
        let luck_key = sale.luck.map_or_else(|| tracking.clone(), SmolStr::new);
        if let Some(key) = sale.key {
            // Nearly always the two are one text.
            let key = if *key == *luck_key { luck_key.clone() } else { key.into() };
            record.keys.insert(key, tracking.clone());
        }
        if sold.contains_key(&tracking) {
            return (tracking, sale.postage);
        }
        let scans = vec![Scan { at: sale.at, status: TrackStatus::InfoReceived, spot: Spot::Origin }];
        let (service, from, to, postage, route) = (sale.service, sale.from, sale.to, sale.postage, sale.route);
        let label = Sold { carrier, service, from, to, postage, route, luck_key, scans, fate: Fate::Waiting };
        sold.insert(tracking.clone(), Box::new(label));
        (tracking, postage)
    }

    /// Switches what is wrong with a carrier's labels. `false`: no such carrier.
    pub fn fault(&self, carrier: &CarrierId, fault: LabelFault, on: bool) -> bool {
        let mut pages = self.pages();
        let Some(record) = pages.carriers.iter_mut().find(|c| c.id == *carrier) else { return false };
        match fault {
            LabelFault::SameNumber => record.same_number = on,
            LabelFault::Garbage { ppm } => record.garbage_ppm = if on { ppm } else { 0 },
        }
        true
    }

    /// A label as it is sent: nearly always as it was drawn.
    pub fn sent(&self, carrier: CarrierNo, zpl: Vec<u8>) -> Vec<u8> {
        let mut pages = self.pages();
        let record = &mut pages.carriers[usize::from(carrier.0)];
        if record.garbage_ppm == 0 || !record.luck.chance_ppm(record.garbage_ppm) {
            return zpl;
        }
        match record.luck.below(4) {
            0 => Vec::new(),
            1 => b"%PDF-1.4\n1 0 obj <</Type/Catalog>> endobj\n%%EOF\n".to_vec(),
            2 => b"^XA^XZ".to_vec(),
            _ => zpl[..zpl.len() / 2].to_vec(),
        }
    }

    /// Takes a label back, if the parcel has not been handed over.
    pub fn void(&self, carrier: CarrierNo, tracking: &str) -> Voiding {
        let mut pages = self.pages();
        let Pages { carriers, sold, .. } = &mut *pages;
        let Some(label) = sold.get_mut(tracking).filter(|l| l.carrier == carrier) else { return Voiding::Unknown };
        match label.fate {
            Fate::Waiting => {
                label.fate = Fate::Voided;
                label.scans.clear();
                carriers[usize::from(carrier.0)].counts.voided += 1;
                Voiding::Done
            }
            Fate::Voided => Voiding::Already,
            _ => Voiding::TooLate,
        }
    }

    /// The handover of one parcel, as its label reads: from now on its plan unfolds.
    pub fn collect(&self, tracking: &str, at: Moment) -> Collected {
        let mut pages = self.pages();
        let Pages { seed, carriers, sold, .. } = &mut *pages;
        let Some(label) = sold.get_mut(tracking) else { return Collected::Unknown };
        match label.fate {
            Fate::Waiting => {
                let carrier = &mut carriers[usize::from(label.carrier.0)];
                carrier.counts.collected += 1;
                let mut luck = Luck::of(*seed, &label.luck_key, "transit");
                let offset_h = transit::offset_h(&label.to.country);
                label.scans.reserve_exact(12);
                label.fate = transit::plan(&mut luck, label.route, &carrier.reliability, at, offset_h, &mut label.scans);
                Collected::Taken
            }
            Fate::Voided => Collected::Voided,
            _ => Collected::Taken,
        }
    }

    /// How the parcel ends, which nobody but the floor may know before it happens. `None`: no such label.
    pub fn fate(&self, tracking: &str) -> Option<Fate> {
        self.pages().sold.get(tracking).map(|label| label.fate)
    }

    /// What the carrier will bill for the label.
    pub fn postage(&self, tracking: &str) -> Option<Money> {
        self.pages().sold.get(tracking).map(|label| label.postage)
    }

    /// For which parcel the label was bought: our key or reference, without what counts the askings.
    pub fn bought_for(&self, tracking: &TrackingNumber) -> Option<SmolStr> {
        let pages = self.pages();
        let key = &pages.sold.get(tracking.as_str())?.luck_key;
        Some(key.rsplit_once('.').map_or(key.clone(), |(parcel, _)| parcel.into()))
    }

    /// Who sold the label.
    pub fn carrier(&self, tracking: &str) -> Option<CarrierId> {
        let pages = self.pages();
        let label = pages.sold.get(tracking)?;
        Some(pages.carriers[usize::from(label.carrier.0)].id.clone())
    }

    /// Every number that a carrier sold, in their order as text, whatever became of it and whether or not anybody heard of it.
    pub fn bought(&self, carrier: &CarrierId) -> Vec<TrackingNumber> {
        self.numbers(carrier, |_| true)
    }

    /// Those of them that were given back.
    pub fn voided(&self, carrier: &CarrierId) -> Vec<TrackingNumber> {
        self.numbers(carrier, |label| label.fate == Fate::Voided)
    }

    fn numbers(&self, carrier: &CarrierId, wanted: impl Fn(&Sold) -> bool) -> Vec<TrackingNumber> {
        let pages = self.pages();
        let is_its = |label: &Sold| pages.carriers[usize::from(label.carrier.0)].id == *carrier;
        let sold = pages.sold.iter().filter(|(_, label)| is_its(label) && wanted(label));
        let mut numbers: Vec<_> = sold.map(|(number, _)| TrackingNumber(number.clone())).collect();
        numbers.sort();
        numbers
    }

    /// The number sold under a key, if any.
    pub fn sold_under(&self, carrier: CarrierNo, key: &str) -> Option<TrackingNumber> {
        self.pages().carriers.get(usize::from(carrier.0))?.keys.get(key).cloned().map(TrackingNumber)
    }

    pub fn counts(&self, carrier: CarrierNo) -> Counts {
        self.pages().carriers.get(usize::from(carrier.0)).map(|c| c.counts).unwrap_or_default()
    }

    /// Looks up many of a carrier's labels at once; `each` gets every number, and its label where there is one (a label
    /// given back is none).
    pub fn look_up<'n>(&self, carrier: CarrierNo, numbers: impl Iterator<Item = &'n str>, mut each: impl FnMut(&'n str, Option<&Sold>)) {
        let pages = self.pages();
        for number in numbers {
            let label = pages.sold.get(number).map(|label| &**label);
            each(number, label.filter(|l| l.carrier == carrier && l.fate != Fate::Voided));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::money::{Currency, Decimal};

    fn sale(key: Option<&str>) -> Sale<'_> {
        Sale {
            key,
            luck: key,
            service: "S".into(),
            from: Stop::default(),
            to: Stop { country: "US".into(), ..Stop::default() },
            route: Route { crosses_border: false, hours_min: 24, hours_max: 48 },
            postage: Money::new(Decimal::new(525, 2), Currency::USD),
            at: Moment(0),
        }
    }

    #[test]
    fn a_key_buys_once_and_a_parcel_is_taken_once() {
        let book = CarrierBook::new(1);
        let no = book.open(CarrierId::new("a"), Reliability::PERFECT);
        let number = |n: u64| smol_str::format_smolstr!("A{n}");
        assert_eq!(book.sell(no, sale(Some("k1")), number).0, "A1");
        assert_eq!(book.sell(no, sale(Some("k1")), number).0, "A1");
        assert_eq!(book.sell(no, sale(Some("k2")), number).0, "A2");
        assert_eq!(book.sold_under(no, "k2"), Some(TrackingNumber::new("A2")));
        assert_eq!(book.collect("A9", Moment(5)), Collected::Unknown);
        assert_eq!(book.fate("A1"), Some(Fate::Waiting));
        assert_eq!(book.collect("A1", Moment(5)), Collected::Taken);
        let fate = book.fate("A1");
        assert_eq!((book.collect("A1", Moment(9_000)), book.fate("A1")), (Collected::Taken, fate));
        assert_eq!((book.void(no, "A1"), book.void(no, "A2"), book.void(no, "A2")), (Voiding::TooLate, Voiding::Done, Voiding::Already));
        assert_eq!((book.collect("A2", Moment(5)), book.void(no, "A9")), (Collected::Voided, Voiding::Unknown));
        assert_eq!(book.counts(no), Counts { sold: 2, voided: 1, collected: 1 });
        assert_eq!((book.carrier("A1"), book.postage("A9")), (Some(CarrierId::new("a")), None));
    }

    #[test]
    fn what_is_wrong_with_labels_is_wrong_only_while_it_is_switched_on() {
        let (book, id) = (CarrierBook::new(1), CarrierId::new("a"));
        let no = book.open(id.clone(), Reliability::PERFECT);
        let number = |n: u64| smol_str::format_smolstr!("A{n}");
        let texts = |numbers: Vec<TrackingNumber>| numbers.iter().map(|n| n.as_str().to_owned()).collect::<Vec<_>>();
        book.sell(no, sale(Some("k1")), number);
        assert!(book.fault(&id, LabelFault::SameNumber, true) && !book.fault(&CarrierId::new("b"), LabelFault::SameNumber, true));
        assert_eq!((book.sell(no, sale(Some("k2")), number).0, book.sell(no, sale(None), number).0), ("A1".into(), "A1".into()));
        book.fault(&id, LabelFault::SameNumber, false);
        assert_eq!(book.sell(no, sale(Some("k3")), number).0, "A4");
        assert_eq!(book.sell(no, sale(Some("k2")), number).0, "A1", "the key remembers");
        assert_eq!((book.counts(no).sold, texts(book.bought(&id)), texts(book.voided(&id))), (4, vec!["A1".into(), "A4".into()], vec![]));
        book.void(no, "A4");
        assert_eq!((texts(book.bought(&id)), texts(book.voided(&id))), (vec!["A1".to_owned(), "A4".into()], vec!["A4".to_owned()]));

        let label = || b"^XA^FDx^FS^XZ".to_vec();
        assert_eq!(book.sent(no, label()), label());
        book.fault(&id, LabelFault::Garbage { ppm: 500_000 }, true);
        let bad = (0..200).filter(|_| book.sent(no, label()) != label()).count();
        assert!((60..140).contains(&bad), "{bad} of 200");
        book.fault(&id, LabelFault::Garbage { ppm: 500_000 }, false);
        assert!((0..200).all(|_| book.sent(no, label()) == label()));
    }

    #[test]
    fn luck_follows_the_key_not_the_number() {
        let fates = |numbers_before: u64| {
            let book = CarrierBook::new(1);
            let no = book.open(CarrierId::new("a"), Reliability::default());
            for n in 0..numbers_before {
                book.sell(no, sale(Some(&format!("other{n}"))), |n| smol_str::format_smolstr!("A{n}"));
            }
            let (number, _) = book.sell(no, sale(Some("k")), |n| smol_str::format_smolstr!("A{n}"));
            book.collect(&number, Moment(5));
            book.fate(&number)
        };
        assert_eq!(fates(0), fates(7));
    }
}
