//! What can be read is durable: while the disk still writes, nobody sees what it writes.

use smol_str::SmolStr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use twin::journal::memory::MemoryJournal;
use twin::journal::{Draft, Group, Journal, Place, Rows, Way};
use twin::replay::silent;
use twin::stock::{Event, Stock};
use twin::{Entity, Hash, Head, Key, MemoryShelf, Moment, StoreError, Twin, Tx};

/// A disk that writes when it is told to.
struct Slow {
    inner: MemoryJournal,
    asked: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
}

impl Journal for Slow {
    fn site(&self) -> &SmolStr {
        self.inner.site()
    }
    fn head(&self) -> Head {
        self.inner.head()
    }
    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError> {
        self.asked.lock().expect("one at a time").send(()).expect("the test listens");
        self.go.lock().expect("one at a time").recv().expect("the test lets it go on");
        self.inner.append(draft)
    }
    fn groups(&self, from: u64) -> Rows<'_, Group> {
        self.inner.groups(from)
    }
    fn groups_of(&self, keys: &[Key], way: Way) -> Rows<'_, Group> {
        self.inner.groups_of(keys, way)
    }
    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        self.inner.document(place)
    }
}

#[test]
fn nobody_reads_what_is_not_durable() {
    let ((asked, was_asked), (go, may_go)) = (channel(), channel());
    let journal = Slow { inner: MemoryJournal::of("slow"), asked: Mutex::new(asked), go: Mutex::new(may_go) };
    let twin = Twin::open(Arc::new(journal), Arc::new(MemoryShelf::default()), Arc::default(), &mut silent()).expect("it opens");
    let twin = Arc::new(twin);
    let mut tx = Tx::at(Moment(1));
    let event = Event::Received { quantity: 3, reference: "R".into() };
    let mut stock = Stock::default();
    stock.apply(tx.at, &event);
    tx.stage(&"W:S".into(), 1, vec![event], Default::default(), &stock);
    let label = tx.document(b"label".to_vec());
    let writing = {
        let twin = twin.clone();
        std::thread::spawn(move || twin.commit([tx]).expect("it is written"))
    };
    was_asked.recv().expect("the journal is asked");
    assert!(twin.load::<Stock>(&"W:S".into()).expect("it reads").is_none(), "a state was shown before it was durable");
    assert!(twin.document(&label).expect("it reads").is_none(), "so was a document");
    assert_eq!((twin.records(0).count(), twin.board().head.records), (0, 0), "so was a record");
    go.send(()).expect("the journal waits");
    writing.join().expect("it ends");
    assert_eq!(twin.load::<Stock>(&"W:S".into()).expect("it reads").expect("it is there").1.on_hand, 3);
    assert_eq!(twin.document(&label).expect("it reads").expect("it is there"), b"label");
}
