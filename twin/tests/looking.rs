//! Whoever looks at a journal while another writes it sees it whole, as far as it goes, and never takes work under way for damage.

use std::sync::atomic::{AtomicBool, Ordering};
use twin::home::{Glance, Home, HomeOpening};
use twin::journal::Journal;
use twin::journal::folder::Opening;
use twin::stock::{Event, Stock};
use twin::{Entity, Moment, Tx};

const COMMITS: u32 = 3_000;

#[test]
fn a_group_under_way_is_no_damage() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opening = HomeOpening {
        journal: Opening::default(),
        entropy: Box::new(|bytes| bytes.fill(7)),
        new_site: Some("test".into()),
        progress: &mut twin::replay::silent(),
    };
    let (home, _) = Home::open(dir.path(), opening).expect("it opens");
    let over = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut looks = 0;
            let mut last = 0;
            while !over.load(Ordering::Relaxed) {
                let glance = Glance::at(dir.path()).unwrap_or_else(|e| panic!("look {looks}: {e}"));
                let records = glance.folder.head().records;
                assert!(records >= last, "it never gets shorter");
                (looks, last) = (looks + 1, records);
            }
            looks
        });
        let mut stock = Stock::default();
        for n in 1..=COMMITS {
            let mut tx = Tx::at(Moment(i64::from(n)));
            // Of several sectors, so that it is written in pieces.
            tx.document(vec![n as u8 | 1; 20_000]);
            let event = Event::Received { quantity: 1, reference: "R".into() };
            stock.apply(tx.at, &event);
            tx.stage(&"W:S".into(), n, vec![event], Default::default(), &stock);
            home.twin.commit([tx]).expect("it is written");
        }
        over.store(true, Ordering::Relaxed);
        looker.join().expect("it looks on")
    });
    assert!(looks > 10, "{looks} looks");
}
