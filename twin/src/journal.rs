//! The journal: every event in one order, hash-chained over records from the site's id on. It is the truth of the house;
//! whatever else is kept can be made anew from it.
//!
//! [`folder::Folder`] keeps it in segment files, [`memory::MemoryJournal`] in memory for simulations. `docs/JOURNAL.md`
//! describes the files so that somebody else could read them.

pub mod anchor;
pub mod disk;
pub mod folder;
pub mod group;
pub mod history;
mod index;
pub mod memory;
pub mod record;
pub mod segment;

pub use group::{Draft, Group, Place};
pub use history::Way;
pub use record::Record;

use crate::{Hash, Key, Moment, StoreError};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// How long the journal is, what its chain comes to, and the time of its newest record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub records: u64,
    pub hash: Hash,
    pub at: Moment,
}

impl Head {
    /// Where the chain of a site begins.
    pub fn of_site(site: &str) -> Self {
        Head { records: 0, hash: Hash::of(format!("parceltwin journal of {site}").as_bytes()), at: Moment(0) }
    }
}

/// Rows read as they are needed.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<T, StoreError>> + 'a>;

/// Append-only, in one order.
pub trait Journal: Send + Sync {
    /// Whose journal it is.
    fn site(&self) -> &SmolStr;
    /// Where it ends.
    fn head(&self) -> Head;
    /// Appends a group that follows the head, and leaves an empty draft that follows it. Durable when it returns; says where
    /// its documents lie.
    fn append(&self, draft: &mut Draft) -> Result<Vec<(Hash, Place)>, StoreError>;
    /// Groups in order, from the one that holds record `from` (or the next after it).
    fn groups(&self, from: u64) -> Rows<'_, Group>;
    /// Every group that holds a record of one of these things on that way, and perhaps some that do not.
    fn groups_of(&self, keys: &[Key], way: Way) -> Rows<'_, Group>;
    fn document(&self, place: &Place) -> Result<Vec<u8>, StoreError>;
}
