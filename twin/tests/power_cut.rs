//! The power goes at a random moment, again and again: what is left opens, is whole, and lacks nothing that was
//! acknowledged. Single orders, bulk orders, documents of up to 8 MB, sealed segments, backups, compaction, forgetting.
//!
//! A sample runs here; `PARCELTWIN_CUTS=2000 cargo test -p twin --test power_cut -- --nocapture` runs more.

#[path = "support/disk.rs"]
mod disk;

use disk::{CutDisk, Dice};
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::address::Place;
use twin::copies::{self, At};
use twin::forget::{self, Asked};
use twin::home::Glance;
use twin::journal::Journal;
use twin::journal::disk::{Below, Disk};
use twin::journal::folder::{Folder, Opening, Sizes};
use twin::keys::{Keys, Sealed};
use twin::order::Order;
use twin::personal::Personal;
use twin::replay::silent;
use twin::{By, Entity, Hash, Key, Kind, MemoryShelf, Moment, Record, Twin, TwinError, Tx, Unsealed, Way};

const CUTS: u64 = 120;
const SIZES: Sizes = Sizes { segment_bytes: 192 << 10, chunk_bytes: 16 << 10 };

/// What the test knows of the world, power or not.
#[derive(Default)]
struct Known {
    now: i64,
    orders: u64,
    /// The chain's hash at every head that was ever asked for.
    heads: BTreeMap<u64, Hash>,
    acknowledged: u64,
    /// Acknowledged orders with their buyers, and whether they were told to be forgotten: not, asked, acknowledged.
    buyers: BTreeMap<u64, (Sealed, u8)>,
    documents: Vec<(Hash, usize)>,
    /// How far the backup reaches for certain.
    backed_up: Option<u64>,
    compacted: bool,
}

fn below(disk: &CutDisk, folder: &str) -> Arc<dyn Disk> {
    Arc::new(Below { disk: Arc::new(disk.clone()), folder: folder.into() })
}

fn at(disk: &CutDisk, name: &str) -> At {
    At { disk: Arc::new(disk.clone()), name: name.into(), shown: name.into() }
}

fn opening() -> Opening {
    Opening { sizes: SIZES, accept_loss: false }
}

fn open(disk: &CutDisk) -> Result<(Twin, Arc<Folder>), TwinError> {
    let data = below(disk, "data");
    let folder = match Folder::exists(&*data)? {
        true => Folder::open(data.clone(), opening())?.0,
        false => Folder::create(data.clone(), "cut-site", opening())?,
    };
    let folder = Arc::new(folder);
    let dice = std::sync::Mutex::new(Dice::of(7));
    let entropy = Box::new(move |bytes: &mut [u8]| bytes.iter_mut().for_each(|b| *b = dice.lock().expect("one at a time").next() as u8));
    let keys = Keys::open(data, folder.site(), entropy)?;
    let twin = Twin::open(folder.clone(), Arc::new(MemoryShelf::default()), Arc::new(keys), &mut silent())?;
    Ok((twin, folder))
}

fn personal(n: u64) -> Personal {
    Personal { name: format!("Buyer {n}").into(), street: format!("{n} Main St").into(), ..Personal::default() }
}

/// Orders come in, in one commit.
fn receive(twin: &Twin, known: &mut Known, count: u64, document_bytes: usize) -> Result<(), TwinError> {
    known.now += 1000;
    let mut tx = Tx::at(Moment(known.now));
    let mut buyers = Vec::new();
    for _ in 0..count {
        known.orders += 1;
        let n = known.orders;
        let buyer = twin.seal_buyer(&mut tx, &personal(n))?;
        let event = twin::order::Event::Received {
            seller: Default::default(),
            platform: "shopify".into(),
            shop: "s".into(),
            placed_at: tx.at,
            ship_to: Box::new(Place { country: "US".into(), region: "TX".into(), postcode: "78701".into() }),
            buyer: Some(Box::new(buyer.clone())),
            lines: vec![],
            currency: "USD".into(),
        };
        let cancelled = twin::order::Event::Cancelled { reason: "test".into() };
        let mut order = Order::default();
        let events = vec![event, cancelled];
        events.iter().for_each(|e| order.apply(tx.at, e));
        tx.stage(&format!("O-{n}").into(), 2, events, Default::default(), &order);
        buyers.push((n, buyer));
    }
    let mut documents = Vec::new();
    if document_bytes > 0 {
        // Some are full of zeros, which a disk that lost a sector is full of too.
        let byte = if document_bytes.is_multiple_of(2) { 0 } else { (document_bytes % 251) as u8 };
        let hash = tx.document([vec![document_bytes as u8; 8], vec![byte; document_bytes]].concat());
        documents.push((hash, document_bytes + 8));
    }
    commit(twin, known, tx)?;
    known.buyers.extend(buyers.into_iter().map(|(n, buyer)| (n, (buyer, 0))));
    known.documents.extend(documents);
    Ok(())
}

/// What is asked for is noted before, what is acknowledged after.
fn commit(twin: &Twin, known: &mut Known, tx: Tx) -> Result<(), TwinError> {
    let outcome = twin.commit([tx]);
    let head = twin.journal().head();
    if outcome.is_ok() {
        known.acknowledged = head.records;
        known.heads.insert(head.records, head.hash);
    }
    outcome.map(drop)
}

/// Works until the power goes.
fn work(disk: &CutDisk, known: &mut Known, dice: &mut Dice) -> Result<(), TwinError> {
    let (twin, folder) = open(disk)?;
    known.acknowledged = known.acknowledged.max(folder.head().records);
    known.heads.insert(folder.head().records, folder.head().hash);
    loop {
        match dice.below(40) {
            0 => receive(&twin, known, 1, if dice.one_in(8) { 8 << 20 } else { 300_000 })?,
            1 | 2 => receive(&twin, known, 100 + dice.below(200), 0)?,
            3 => folder.sync_anchor()?,
            7 | 8 => drop(folder.keep_indexes()?),
            4 => {
                let head = copies::backup(&at(disk, "data"), &at(disk, "backup"), &mut silent())?.head;
                known.backed_up = Some(head.records);
                copies::backup_keys(&at(disk, "data"), &at(disk, "backup-keys"))?;
            }
            5 => {
                let orders = known.orders;
                let id = 1 + dice.below(orders);
                if let Some((_, told)) = known.buyers.get_mut(&id) {
                    *told = (*told).max(1);
                    known.now += 1;
                    let asked = Asked::Orders(vec![format!("O-{id}").into()]);
                    forget::forget(&twin, &asked, By::Person("test".into()), Moment(known.now))?;
                    known.heads.insert(folder.head().records, folder.head().hash);
                    known.acknowledged = folder.head().records;
                    if let Some((_, told)) = known.buyers.get_mut(&id) {
                        *told = 2;
                    }
                }
            }
            6 if !known.compacted => {
                // It may have got its name in the moment in which the power went.
                if !disk.exists("compact").unwrap_or(false) {
                    copies::compact(&at(disk, "data"), &at(disk, "compact"), SIZES, &mut silent())?;
                }
                known.compacted = true;
            }
            n => receive(&twin, known, 1, if n % 3 == 0 { 900 + n as usize } else { 0 })?,
        }
    }
}

/// What is left of a disk whose power went is whole and lacks nothing that was acknowledged.
fn check(disk: &CutDisk, known: &mut Known) -> Result<(), String> {
    let data = below(disk, "data");
    if !Folder::exists(&*data).map_err(|e| e.to_string())? {
        return if known.acknowledged == 0 { Ok(()) } else { Err("the journal is gone".into()) };
    }
    let (twin, folder) = open(disk).map_err(|e| format!("it does not open: {e}"))?;
    let head = folder.head();
    if head.records < known.acknowledged {
        return Err(format!("{} records were acknowledged, {} are there", known.acknowledged, head.records));
    }
    let mut checked = 0;
    let mut hash = twin::journal::Head::of_site("cut-site");
    for group in folder.groups(0) {
        let group = group.map_err(|e| e.to_string())?;
        group.check(hash).map_err(|e| e.to_string())?;
        hash = group.head();
        if known.heads.get(&hash.records).is_some_and(|known| *known == hash.hash) {
            checked = hash.records;
        }
    }
    if checked < known.acknowledged {
        return Err(format!("history is another up to record {}", known.acknowledged));
    }
    for (hash, length) in &known.documents {
        match twin.document(hash).map_err(|e| e.to_string())? {
            Some(bytes) if bytes.len() == *length => {}
            _ => return Err(format!("document {hash} of {length} bytes is not there")),
        }
    }
    for (n, (buyer, told)) in &mut known.buyers {
        match (twin.unseal(buyer).map_err(|e| e.to_string())?, *told) {
            (Unsealed::Here(found), 0 | 1) if found == personal(*n) => {}
            (Unsealed::Erased, 1 | 2) => *told = 2,
            (found, told) => return Err(format!("buyer {n} (told {told}) is {found:?}")),
        }
    }
    histories(&twin, known.orders)?;
    drop((twin, folder));
    Glance::on(data, "data").and_then(|g| g.verify(&mut silent())).map_err(|e| format!("verify: {e}"))?;
    copy_is_whole(disk, "backup", known.backed_up, head.records)?;
    copy_is_whole(disk, "compact", known.compacted.then_some(0), head.records)?;
    Ok(())
}

/// The index, as far as it got, leads to what is there.
fn histories(twin: &Twin, orders: u64) -> Result<(), String> {
    let said = |e: TwinError| format!("a history: {e}");
    for n in [1, orders / 2, orders] {
        let key = Key::new(Kind::Order, format!("O-{n}"));
        let all: Vec<Record> =
            twin.records(0).filter(|r| r.as_ref().map_or(true, |r| r.key == key)).collect::<Result<_, _>>().map_err(said)?;
        let mut found: Vec<Record> = twin.history(std::slice::from_ref(&key), Way::NEWEST_FIRST).collect::<Result<_, _>>().map_err(said)?;
        found.reverse();
        if found != all {
            return Err(format!("{key} has {} records, and {} are found", all.len(), found.len()));
        }
    }
    Ok(())
}

fn copy_is_whole(disk: &CutDisk, name: &str, at_least: Option<u64>, at_most: u64) -> Result<(), String> {
    if !disk.exists(name).map_err(|e| e.to_string())? {
        return if at_least.is_none() { Ok(()) } else { Err(format!("{name} was finished, and is gone")) };
    }
    let found = Glance::on(below(disk, name), name).and_then(|g| g.verify(&mut silent())).map_err(|e| format!("{name}: {e}"))?;
    if found.records < at_least.unwrap_or(0) || found.records > at_most {
        return Err(format!("{name} holds {} records; {at_least:?} were in it, and there are {at_most}", found.records));
    }
    Ok(())
}

/// Cuts the power `cuts` times on one disk; says how many records there are in the end.
fn run(seed: u64, cuts: u64, left_out: Option<&'static str>) -> Result<u64, String> {
    let mut dice = Dice::of(seed);
    let (mut disk, mut known) = (CutDisk::default(), Known::default());
    for cut in 0..cuts {
        {
            let mut state = disk.state();
            state.left_out = left_out;
            // Often in the first steps, in which most is made; else anywhere.
            let far = if dice.one_in(3) { 40 } else { 600 };
            state.cut_at = Some(1 + dice.below(far));
        }
        match work(&disk, &mut known, &mut dice) {
            Ok(()) => unreachable!("work goes on until the power goes"),
            Err(error) if error.to_string().contains("power is gone") => {}
            Err(error) => return Err(format!("seed {seed}, cut {cut}: {error}")),
        }
        disk = disk.after_a_cut(&mut dice);
        disk.state().left_out = left_out;
        check(&disk, &mut known).map_err(|why| format!("seed {seed}, cut {cut}: {why}"))?;
        // What the check itself asked for is durable now.
        disk = disk.after_a_kill();
    }
    Ok(known.acknowledged)
}

fn cuts() -> u64 {
    std::env::var("PARCELTWIN_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(CUTS)
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes() {
    let (mut cuts_left, mut seed, mut records) = (cuts(), 0, 0);
    while cuts_left > 0 {
        let now = cuts_left.min(10);
        records += run(seed, now, None).unwrap_or_else(|why| panic!("{why}"));
        (cuts_left, seed) = (cuts_left - now, seed + 1);
    }
    println!("{} cuts on {seed} disks, {records} records acknowledged, none lost", cuts());
}

#[test]
fn without_a_sync_it_is_noticed() {
    for left_out in [".seg", "sync_folder", "keys", ".seg.new"] {
        let told: Vec<String> = (0..20).filter_map(|seed| run(seed, 4, Some(left_out)).err()).collect();
        let noticed = told.len();
        println!("without the sync of {left_out}: noticed on {noticed} of 20 disks, such as: {}", told.first().map_or("", String::as_str));
        assert!(noticed > 0, "the sync of {left_out} was left out, and nobody noticed");
    }
}
