//! The digital twin: what everything is, and how it came to be so. The journal is the truth, the shelf its mirror.

use crate::address::Place;
use crate::allocation::{self, Candidate, Decision};
use crate::board::Board;
use crate::census::{Reading, StageMove, key_of};
use crate::entity::{Entity, Key, Kind, read_state, state_bytes};
use crate::event::{Event, State};
use crate::facet::{Facet, Standing};
use crate::journal::memory::MemoryJournal;
use crate::journal::{Draft, Head, Journal, Record, Way, history};
use crate::keys::{Keys, Sealed};
use crate::personal::Personal;
use crate::problem::Trouble;
use crate::projection::Projection;
use crate::replay::{Progress, Replay, names_of};
use crate::shelf::{Change, Listed, MemoryShelf, Shelf};
use crate::{Address, Hash, Moment, OrderId, Origin, StoreError, TwinError};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A commit is cut into groups of about this size; each becomes durable before the next is written.
const GROUP_BYTES: usize = 4 << 20;

/// Events of one or more entities that become durable together or not at all.
#[derive(Debug, Default)]
pub struct Tx {
    /// When it was decided.
    pub at: Moment,
    /// By whom, and because of what.
    pub origin: Origin,
    entries: Vec<(Key, u32, Event)>,
    states: Vec<(Key, Vec<u8>)>,
    documents: Vec<(Hash, Vec<u8>)>,
    moves: Vec<Move>,
}

/// How an entity stood before, and stands now.
#[derive(Debug)]
struct Move {
    key: Key,
    before: Standing,
    now: Standing,
}

impl Tx {
    pub fn at(at: Moment) -> Self {
        Tx { at, ..Tx::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes in events that `after` is the outcome of. `version` counts them in; `before` is how the entity stood. Returns how
    /// it stands now.
    pub fn stage<E: Entity>(&mut self, id: &SmolStr, version: u32, events: Vec<E::Event>, before: Standing, after: &E) -> Standing {
        let key = Key { kind: E::KIND, id: id.clone() };
        let first = version - events.len() as u32;
        self.entries.reserve_exact(events.len());
        for (n, event) in events.into_iter().enumerate() {
            self.entries.push((key.clone(), first + n as u32 + 1, event.into()));
        }
        let now = Standing::of(id, version, after);
        if now != before {
            self.moves.push(Move { key: key.clone(), before, now: now.clone() });
        }
        let bytes = state_bytes(version, after);
        match self.states.iter_mut().rev().find(|(k, _)| *k == key) {
            Some((_, slot)) => *slot = bytes,
            None => self.states.push((key, bytes)),
        }
        now
    }

    /// Takes in a document and returns the hash by which events may speak of it.
    pub fn document(&mut self, bytes: Vec<u8>) -> Hash {
        let hash = Hash::of(&bytes);
        self.documents.push((hash, bytes));
        hash
    }
}

/// What became of something sealed.
#[derive(Clone, Debug, PartialEq)]
pub enum Unsealed<T> {
    Here(T),
    /// Its key is destroyed: somebody asked that it be forgotten.
    Erased,
}

/// The digital twin: what everything is, and how it came to be so.
pub struct Twin {
    journal: Arc<dyn Journal>,
    shelf: Arc<dyn Shelf>,
    keys: Arc<Keys>,
    /// What is written next: it follows the head.
    draft: Mutex<Draft>,
    board: Mutex<Board>,
    /// The newest version of each entity that this process handed in; kept in debug builds only.
    newest: Mutex<HashMap<Key, u32>>,
    /// Where the states are still to be read: how many records the twin had when it was opened, and at which version stood then
    /// what has changed since.
    unread: Mutex<Option<(u64, HashMap<Key, u32>)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Twin {
    /// A twin that lives as long as the process.
    pub fn in_memory(site: &str) -> Self {
        let (journal, shelf) = (Arc::new(MemoryJournal::of(site)), Arc::new(MemoryShelf::default()));
        let board = Board { head: journal.head(), ..Board::default() };
        let (draft, board) = (Mutex::new(Draft::after(journal.head())), Mutex::new(board));
        Twin { journal, shelf, keys: Arc::default(), draft, board, newest: Mutex::default(), unread: Mutex::default() }
    }

    /// The twin of `journal`. Applies what the shelf has not heard of yet. Where the shelf kept count it is open at once, and
    /// [`Twin::recount`] is to follow; else every state is read now. They must add up to what the journal says, else
    /// [`TwinError::Disagrees`] tells to make them anew.
    pub fn open(journal: Arc<dyn Journal>, shelf: Arc<dyn Shelf>, keys: Arc<Keys>, progress: &mut Progress) -> Result<Self, TwinError> {
        let head = journal.head();
        let mark = shelf.mark()?;
        if mark > head.records {
            return Err(TwinError::Disagrees { why: format!("it is at record {mark}, and the journal ends with {}", head.records) });
        }
        Replay::of(&*journal, &*shelf).run(mark, progress)?;
        let (census, unread, forgotten) = match shelf.census()? {
            Some(census) => (census, Some((head.records, HashMap::new())), Vec::new()),
            None => {
                let Reading { records, census, forgotten } = read_side_by_side(&*shelf)?;
                adds_up(records, head.records)?;
                shelf.recounted(&census)?;
                (census, None, forgotten)
            }
        };
        if let Some(newest) = census.newest_key {
            keys.must_reach(newest, false)?;
        }
        let board = Board { head, census, ..Board::default() };
        let (draft, board) = (Mutex::new(Draft::after(head)), Mutex::new(board));
        let twin = Twin { journal, shelf, keys, draft, board, newest: Mutex::default(), unread: Mutex::new(unread) };
        twin.forget_again(forgotten)?;
        Ok(twin)
    }

    /// Reads every state if that was not done when it was opened, beside whatever is written meanwhile: whether all can be read,
    /// and whether they add up to what the journal said then.
    pub fn recount(&self) -> Result<(), TwinError> {
        let Some(opened_at) = lock(&self.unread).as_ref().map(|(records, _)| *records) else { return Ok(()) };
        let as_it_was =
            |key: &Key, version| lock(&self.unread).as_ref().and_then(|(_, changed)| changed.get(key).copied()).unwrap_or(version);
        let (mut all, before) = (Reading::default(), self.head());
        let counted = self.board().census;
        for kind in Kind::ALL {
            all.add(Reading::of(&*self.shelf, kind, &as_it_was)?);
        }
        adds_up(all.records, opened_at)?;
        if before == self.head() && all.census != counted {
            return Err(TwinError::Disagrees { why: "it has counted other stages than its states are in".into() });
        }
        *lock(&self.unread) = None;
        self.forget_again(all.forgotten)
    }

    /// What was to be forgotten when the house fell, or before these keys were copied.
    fn forget_again(&self, forgotten: Vec<(u64, SmolStr)>) -> Result<(), TwinError> {
        for (key, order) in forgotten {
            if !self.keys.is_destroyed(key) {
                self.keys.destroy(key, &order, self.head().at)?;
            }
        }
        Ok(())
    }

    pub fn site(&self) -> &SmolStr {
        self.journal.site()
    }

    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Writes transactions; durable when it returns. The records come back for whoever listens, in the order of the
    /// transactions. Nothing of it can be read before it is durable.
    pub fn commit(&self, txs: impl AsRef<[Tx]> + IntoIterator<Item = Tx>) -> Result<Vec<Record>, TwinError> {
        let mut draft = lock(&self.draft);
        let count = |of: fn(&Tx) -> usize| txs.as_ref().iter().map(of).sum();
        let mut records = Vec::with_capacity(count(Tx::len));
        let mut change = Change { states: Vec::with_capacity(count(|tx| tx.states.len())), ..Change::default() };
        let mut told = 0;
        for Tx { at: decided, origin, entries, states, documents, moves: moved } in txs {
            for (key, version, event) in entries {
                debug_assert!(self.follows(&key, version), "{event:?} is version {version} of {key} and comes out of turn");
                // Two actors may have decided in one order and be written in the other: a record's time is when it was
                // written, so it never goes back, and it says how long before that it was decided.
                let at = decided.max(draft.newest);
                let seq = draft.first + u64::from(draft.count);
                let Origin { by, because } = origin.clone();
                let record = Record { seq, at, decided_before: at - decided, by, because, key, version, event };
                draft.push(&record);
                change.newest_key = change.newest_key.max(key_of(&record.event));
                change.names.extend(names_of(&record));
                records.push(record);
            }
            draft.documents.extend(documents);
            change.states.extend(states);
            for Move { key, before, now } in moved {
                change.moved(&key, &before.listings, &now.listings);
                if before.stage != now.stage {
                    change.moves.push(StageMove { kind: key.kind, before: before.stage, now: now.stage });
                }
            }
            if draft.size() >= GROUP_BYTES {
                self.write(&mut draft, std::mem::take(&mut change), &records[told..])?;
                told = records.len();
            }
        }
        if draft.count > 0 {
            self.write(&mut draft, change, &records[told..])?;
        }
        Ok(records)
    }

    /// Whether a version is the one behind the newest that was handed in; asked in debug builds only. Works are to be handed in in the order in which they were decided;
    /// who handed in a later one first would write a history in which things happen before their causes.
    fn follows(&self, key: &Key, version: u32) -> bool {
        lock(&self.newest).insert(key.clone(), version).is_none_or(|before| version == before + 1)
    }

    fn write(&self, draft: &mut Draft, mut change: Change, records: &[Record]) -> Result<(), TwinError> {
        let next = draft.head();
        change.documents = match self.journal.append(draft) {
            Ok(places) => places,
            Err(error) => {
                // What could not be written is not written later by chance.
                lock(&self.newest).clear();
                *draft = Draft::after(self.journal.head());
                return Err(error.into());
            }
        };
        change.mark = next.records;
        if let Some((_, changed)) = &mut *lock(&self.unread) {
            for record in records {
                // The first of them says how it stood before.
                changed.entry(record.key.clone()).or_insert(record.version - 1);
            }
        }
        let moves = change.moves.clone();
        self.shelf.put(change)?;
        let mut board = lock(&self.board);
        moves.into_iter().for_each(|moved| board.census.moved(moved));
        let Ok(()) = board.take_in(records, next);
        Ok(())
    }

    pub fn head(&self) -> Head {
        lock(&self.board).head
    }

    /// The counts that screens show.
    pub fn board(&self) -> Board {
        lock(&self.board).clone()
    }

    /// Something about the twin itself that a person must look at.
    pub fn alarm(&self, at: Moment, what: &str) {
        lock(&self.board).alarm(at, what);
    }

    /// An entity and how many events made it.
    pub fn load<E: Entity>(&self, id: &SmolStr) -> Result<Option<(u32, E)>, TwinError> {
        let key = Key { kind: E::KIND, id: id.clone() };
        let Some(bytes) = self.shelf.state(&key)? else { return Ok(None) };
        read_state(&bytes).map(Some).map_err(|why| TwinError::BadState { key, why })
    }

    /// All entities of a kind, in the order of their ids.
    pub fn all<E: Entity>(&self) -> impl Iterator<Item = Result<(SmolStr, E), TwinError>> + '_ {
        self.shelf.states(E::KIND, "").map(|row| {
            let (id, bytes) = row?;
            match read_state(&bytes) {
                Ok((_, state)) => Ok((id, state)),
                Err(why) => Err(TwinError::BadState { key: Key { kind: E::KIND, id }, why }),
            }
        })
    }

    /// Whether there is such a thing.
    pub fn has(&self, kind: Kind, id: &SmolStr) -> Result<bool, TwinError> {
        Ok(self.shelf.has(&Key { kind, id: id.clone() })?)
    }

    /// The orders that a platform calls so, whichever platform and shop: by their whole id, or by the number alone.
    pub fn orders_called(&self, text: &str) -> Result<Vec<OrderId>, TwinError> {
        if self.shelf.state(&Key::new(Kind::Order, text))?.is_some() {
            return Ok(vec![OrderId::new(text)]);
        }
        let begins = OrderId::beginning(text);
        let rows = self.shelf.states(Kind::Order, &begins).map(|row| row.map(|(id, _)| OrderId::from(id)));
        // A number may have the sign in it that ends it.
        Ok(rows.filter(|id| id.as_ref().map_or(true, |id| id.number() == text)).collect::<Result<_, _>>()?)
    }

    /// What is wrong with a thing now.
    pub fn troubles(&self, key: &Key) -> Result<Vec<Trouble>, TwinError> {
        let Some(bytes) = self.shelf.state(key)? else { return Ok(Vec::new()) };
        let bad = |why: String| TwinError::BadState { key: key.clone(), why };
        Ok(State::from_bytes(key.kind, &bytes).map_err(bad)?.1.troubles())
    }

    /// The stage that it is in; empty where its kind has none, or where it is not there.
    pub fn stage_word(&self, key: &Key) -> Result<&'static str, TwinError> {
        let Some(bytes) = self.shelf.state(key)? else { return Ok("") };
        let bad = |why: String| TwinError::BadState { key: key.clone(), why };
        Ok(State::from_bytes(key.kind, &bytes).map_err(bad)?.1.stage_word())
    }

    /// One entity as JSON with its version, whatever its kind. Who a buyer is stands in it unless it is erased.
    pub fn json(&self, key: &Key) -> Result<Option<serde_json::Value>, TwinError> {
        let Some(bytes) = self.shelf.state(key)? else { return Ok(None) };
        let bad = |why: String| TwinError::BadState { key: key.clone(), why };
        let (version, state) = State::from_bytes(key.kind, &bytes).map_err(bad)?;
        let mut json = state_json(key, version, &state)?;
        if let Some(buyer) = buyer_of(&state) {
            tell_buyer(&mut json, self.unseal(buyer)?)?;
        }
        if let State::Order(order) = &state {
            for (n, part) in order.parts.iter().enumerate() {
                if let Decision { candidates, all: Some(all), .. } = &part.decision {
                    tell_candidates(&mut json["parts"][n], &self.candidates(candidates, Some(all))?);
                }
            }
        }
        Ok(Some(json))
    }

    /// Who stands in a list, each with its note: those of one, or of everybody; those behind `after` where that is given.
    pub fn listed<E: Entity>(
        &self,
        facet: Facet,
        of: Option<&str>,
        after: Option<&Listed>,
    ) -> impl Iterator<Item = Result<(Listed, SmolStr), TwinError>> + '_ {
        self.shelf.listed(E::KIND, facet, of, after).map(|row| row.map_err(TwinError::from))
    }

    /// The parcel that wears a tracking number, or the plate of a piece.
    pub fn parcel_of(&self, tracking: &str) -> Result<Option<crate::ParcelId>, TwinError> {
        Ok(self.shelf.look_up(tracking)?.map(crate::ParcelId::from))
    }

    /// A document's bytes as they stand in the journal.
    pub fn document(&self, hash: &Hash) -> Result<Option<Vec<u8>>, TwinError> {
        let Some(place) = self.shelf.place(hash)? else { return Ok(None) };
        let bytes = self.journal.document(&place)?;
        if Hash::of(&bytes) != *hash {
            return Err(StoreError::Damaged(crate::Damage {
                file: crate::journal::segment::path(place.segment),
                offset: place.offset,
                record: None,
                why: format!("document {hash} is not what was written"),
                remedy: crate::Remedy::Restore,
            })
            .into());
        }
        Ok(Some(bytes))
    }

    /// All that was weighed: what an event keeps of it, or the document that it names.
    pub fn candidates(&self, kept: &[Candidate], all: Option<&Hash>) -> Result<Vec<Candidate>, TwinError> {
        let Some(hash) = all else { return Ok(kept.to_vec()) };
        let lost = |why: String| StoreError::Broken { what: "read all candidates of a decision", why };
        let bytes = self.document(hash)?.ok_or_else(|| lost(format!("document {hash} is not there")))?;
        Ok(allocation::from_bytes(&bytes).map_err(lost)?)
    }

    /// Seals a text under a key, ready to be a document of `tx`.
    pub fn seal(&self, tx: &mut Tx, key: u64, text: &[u8]) -> Result<Sealed, TwinError> {
        Ok(Sealed { key, document: tx.document(self.keys.seal(key, text)?) })
    }

    /// Seals who a buyer is under a key of their own.
    pub fn seal_buyer(&self, tx: &mut Tx, personal: &Personal) -> Result<Sealed, TwinError> {
        let key = self.keys.fresh()?;
        self.seal(tx, key, &personal.to_bytes())
    }

    /// What was sealed; `None`: there is no such document.
    pub fn open_document(&self, key: u64, document: &Hash) -> Result<Option<Unsealed<Vec<u8>>>, TwinError> {
        if self.keys.is_destroyed(key) {
            return Ok(Some(Unsealed::Erased));
        }
        let Some(bytes) = self.document(document)? else { return Ok(None) };
        Ok(Some(self.keys.unseal(key, &bytes)?.map_or(Unsealed::Erased, Unsealed::Here)))
    }

    /// A parcel's label as it goes to a printer; `None`: it has none yet.
    pub fn label(&self, parcel: &crate::parcel::Parcel) -> Result<Option<Unsealed<Vec<u8>>>, TwinError> {
        match (&parcel.label, &parcel.plan.buyer) {
            (None, _) => Ok(None),
            (Some(label), Some(buyer)) => self.open_document(buyer.key, label),
            (Some(label), None) => Ok(self.document(label)?.map(Unsealed::Here)),
        }
    }

    /// Takes a label in as a document of `tx`, sealed under the key of its order.
    pub fn seal_label(&self, tx: &mut Tx, parcel: &crate::parcel::Parcel, label: Vec<u8>) -> Result<Hash, TwinError> {
        match &parcel.plan.buyer {
            Some(buyer) => Ok(self.seal(tx, buyer.key, &label)?.document),
            None => Ok(tx.document(label)),
        }
    }

    /// Who a buyer is.
    pub fn unseal(&self, buyer: &Sealed) -> Result<Unsealed<Personal>, TwinError> {
        let lost = |why: String| StoreError::Broken { what: "read who a buyer is", why };
        match self.open_document(buyer.key, &buyer.document)? {
            Some(Unsealed::Here(bytes)) => Ok(Unsealed::Here(Personal::from_bytes(&bytes).map_err(lost)?)),
            Some(Unsealed::Erased) => Ok(Unsealed::Erased),
            None => Err(lost(format!("document {} is not there", buyer.document)).into()),
        }
    }

    /// The whole address of an order or a parcel. Of an erased one, what stands in the open.
    pub fn address(&self, place: &Place, buyer: Option<&Sealed>) -> Result<Address, TwinError> {
        let personal = match buyer.map(|buyer| self.unseal(buyer)).transpose()? {
            Some(Unsealed::Here(personal)) => personal,
            Some(Unsealed::Erased) => Personal { name: ERASED.into(), street: ERASED.into(), city: ERASED.into(), ..Personal::default() },
            None => Personal::default(),
        };
        Ok(Address::joined(place.clone(), personal))
    }

    /// Records with a sequence number above `after`, read as they are needed.
    pub fn records(&self, after: u64) -> impl Iterator<Item = Result<Record, TwinError>> + '_ {
        records(&*self.journal, after)
    }

    /// All records of some kinds; the others are not even read.
    pub fn records_of(&self, kinds: &[Kind]) -> impl Iterator<Item = Result<Record, TwinError>> + '_ {
        let kinds = kinds.to_vec();
        self.journal.groups(1).flat_map(move |group| match group {
            Ok(group) => group.of_kinds(&kinds).collect::<Vec<_>>(),
            Err(e) => vec![Err(e.into())],
        })
    }

    /// What happened to these things, in either direction and from any record on; found without reading what happened to
    /// all others.
    pub fn history(&self, keys: &[Key], way: Way) -> impl Iterator<Item = Result<Record, TwinError>> + use<'_> {
        history::history(&*self.journal, keys, way)
    }

    /// Walks the whole chain, replays it, and compares the outcome with the states. Returns the head it found.
    pub fn verify(&self, progress: &mut Progress) -> Result<Head, TwinError> {
        let shadow = MemoryShelf::default();
        let head = Replay::of(&*self.journal, &shadow).checked().run(0, progress)?;
        self.shelf.settle()?;
        if let Some(counted) = self.shelf.census()?
            && counted != read_side_by_side(&shadow)?.census
        {
            return Err(TwinError::Disagrees { why: "it has counted other stages than its states are in".into() });
        }
        for kind in Kind::ALL {
            let mut made = shadow.states(kind, "");
            for row in self.shelf.states(kind, "") {
                let (id, bytes) = row?;
                match made.next().transpose()? {
                    Some((other, same)) if other == id && same == bytes => {}
                    _ => return Err(TwinError::Diverged { key: Key::new(kind, id) }),
                }
            }
            if let Some((id, _)) = made.next().transpose()? {
                return Err(TwinError::Diverged { key: Key::new(kind, id) });
            }
            for facet in Facet::ALL {
                let mut made = shadow.listed(kind, facet, None, None);
                for row in self.shelf.listed(kind, facet, None, None) {
                    let (listed, note) = row?;
                    if made.next().transpose()?.as_ref() != Some(&(listed.clone(), note)) {
                        return Err(TwinError::Diverged { key: Key::new(kind, listed.id) });
                    }
                }
                if let Some((listed, _)) = made.next().transpose()? {
                    return Err(TwinError::Diverged { key: Key::new(kind, listed.id) });
                }
            }
        }
        Ok(head)
    }

    /// Throws the states away and makes them again from the journal.
    pub fn rebuild(&self, progress: &mut Progress) -> Result<Head, TwinError> {
        self.shelf.clear()?;
        let head = Replay::of(&*self.journal, &*self.shelf).run(0, progress)?;
        self.shelf.settle()?;
        Ok(head)
    }
}

/// Millions of states are read once each, the kinds side by side.
fn read_side_by_side(shelf: &dyn Shelf) -> Result<Reading, TwinError> {
    let read = std::thread::scope(|scope| {
        let all = Kind::ALL.map(|kind| scope.spawn(move || Reading::of(shelf, kind, &|_, version| version)));
        all.map(|one| one.join().unwrap_or_else(|_| Err(TwinError::Disagrees { why: "a state breaks its reader off".into() })))
    });
    let mut all = Reading::default();
    for kind in read {
        all.add(kind?);
    }
    Ok(all)
}

fn adds_up(records: u64, journal: u64) -> Result<(), TwinError> {
    match records == journal {
        true => Ok(()),
        false => Err(TwinError::Disagrees { why: format!("its states come from {records} records, and the journal has {journal}") }),
    }
}

/// What stands where somebody's name was.
pub const ERASED: &str = "erased";

/// Records of a journal with a sequence number above `after`.
pub fn records(journal: &dyn Journal, after: u64) -> impl Iterator<Item = Result<Record, TwinError>> + '_ {
    journal
        .groups(after + 1)
        .flat_map(|group| match group {
            Ok(group) => group.read().collect::<Vec<_>>(),
            Err(e) => vec![Err(e.into())],
        })
        .filter(move |r| r.as_ref().map_or(true, |r| r.seq > after))
}

/// A state as JSON, with id and version.
pub(crate) fn state_json(key: &Key, version: u32, state: &State) -> Result<serde_json::Value, TwinError> {
    let mut json = state.json().map_err(|e| TwinError::BadState { key: key.clone(), why: e.to_string() })?;
    if let Some(map) = json.as_object_mut() {
        // What the platform says of an order stands beside what became of it.
        if let Some(serde_json::Value::Object(content)) = map.remove("content") {
            map.extend(content);
            map.insert("number".into(), OrderId::new(&key.id).number().into());
        }
        map.insert("id".into(), key.id.as_str().into());
        map.insert("version".into(), version.into());
    }
    Ok(json)
}

/// Who is sealed in it.
pub(crate) fn buyer_of(state: &State) -> Option<&Sealed> {
    match state {
        State::Order(order) => order.content.buyer.as_ref(),
        State::Parcel(parcel) => parcel.plan.buyer.as_ref(),
        _ => None,
    }
}

/// Puts all that was weighed into the decision of an order.
pub(crate) fn tell_candidates(json: &mut serde_json::Value, all: &[Candidate]) {
    if let (Some(told), Ok(all)) = (json.pointer_mut("/decision/candidates"), serde_json::to_value(all)) {
        *told = all;
    }
}

/// Puts who a buyer is into the address of an order or a parcel's plan, or that it is erased.
pub(crate) fn tell_buyer(json: &mut serde_json::Value, buyer: Unsealed<Personal>) -> Result<(), TwinError> {
    let holder = if json.get("plan").is_some() { json.get_mut("plan") } else { Some(json) };
    let Some(serde_json::Value::Object(holder)) = holder else { return Ok(()) };
    holder.remove("buyer");
    let Some(serde_json::Value::Object(address)) = holder.get_mut("ship_to") else { return Ok(()) };
    match buyer {
        Unsealed::Erased => drop(address.insert(ERASED.into(), true.into())),
        Unsealed::Here(personal) => {
            if let Ok(serde_json::Value::Object(personal)) = serde_json::to_value(personal) {
                address.extend(personal);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::silent;
    use crate::stock;

    fn tx(n: u32, version: u32, stock: &mut stock::Stock) -> Tx {
        let mut tx = Tx::at(Moment(i64::from(n)));
        let event = stock::Event::Received { quantity: n, reference: "R".into() };
        stock.apply(tx.at, &event);
        tx.stage(&"W:S".into(), version, vec![event], Standing::default(), stock);
        tx
    }

    fn filled(groups: &[usize]) -> Twin {
        let twin = Twin::in_memory("test");
        let (mut stock, mut n) = (stock::Stock::default(), 0);
        for size in groups {
            let txs: Vec<_> = (0..*size)
                .map(|_| {
                    n += 1;
                    tx(n, n, &mut stock)
                })
                .collect();
            twin.commit(txs).unwrap();
        }
        twin
    }

    #[test]
    fn grouping_does_not_change_the_hash_and_replay_equals_live() {
        let (one, two) = (filled(&[1, 1, 1, 1, 1, 1]), filled(&[4, 2]));
        assert_eq!(one.head(), two.head());
        assert_eq!(one.verify(&mut silent()).unwrap(), one.head());
        let key = Key::new(Kind::Stock, "W:S");
        let live = one.shelf.state(&key).unwrap();
        one.rebuild(&mut silent()).unwrap();
        assert_eq!(one.shelf.state(&key).unwrap(), live);
        assert_eq!(one.load::<stock::Stock>(&"W:S".into()).unwrap().unwrap().1.on_hand, 21);
        assert_eq!(one.records(4).map(|r| r.unwrap().seq).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn two_sites_with_the_same_history_have_other_chains() {
        let (mut a, mut b) = (stock::Stock::default(), stock::Stock::default());
        let (one, two) = (Twin::in_memory("one"), Twin::in_memory("two"));
        one.commit([tx(1, 1, &mut a)]).unwrap();
        two.commit([tx(1, 1, &mut b)]).unwrap();
        assert_ne!(one.head().hash, two.head().hash);
    }

    #[test]
    fn times_never_go_back_and_say_when_it_was_decided() {
        let twin = Twin::in_memory("test");
        let (mut a, mut b) = (stock::Stock::default(), stock::Stock::default());
        let later = tx(9, 1, &mut a);
        let mut earlier = tx(5, 1, &mut b);
        earlier.entries[0].0.id = "W:T".into();
        earlier.states[0].0.id = "W:T".into();
        let records = twin.commit([later, earlier]).unwrap();
        assert_eq!((records[1].at, records[1].decided_at()), (Moment(9), Moment(5)));
        assert_eq!(twin.verify(&mut silent()).unwrap(), twin.head());
    }

    #[test]
    fn who_a_buyer_is_stands_in_no_record_and_can_be_erased() {
        let twin = Twin::in_memory("test");
        let mut tx = Tx::at(Moment(1));
        let personal = Personal { name: "Maria Musterfrau".into(), ..Personal::default() };
        let buyer = twin.seal_buyer(&mut tx, &personal).unwrap();
        let mut stock = stock::Stock::default();
        let event = stock::Event::Received { quantity: 1, reference: "R".into() };
        stock.apply(tx.at, &event);
        tx.stage(&"W:S".into(), 1, vec![event], Standing::default(), &stock);
        twin.commit([tx]).unwrap();
        assert_eq!(twin.unseal(&buyer).unwrap(), Unsealed::Here(personal));
        twin.keys().destroy(buyer.key, "O", Moment(2)).unwrap();
        assert_eq!(twin.unseal(&buyer).unwrap(), Unsealed::Erased);
        assert_eq!(twin.address(&Place::default(), Some(&buyer)).unwrap().name, ERASED);
    }
}
