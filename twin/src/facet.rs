//! What an entity is found by beside its id: above all what is still owed for it, and by whom. Written with its state, so
//! that whoever takes work up reads just what is theirs and never a whole kind.
//!
//! Facets are made from states, so they are part of the states' shape: a change of any is a new `STATES_VERSION`.

use crate::entity::Entity;
use smol_str::SmolStr;

/// A list that an entity may stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// An order that is received and not decided; of no one.
    Plan,
    /// An order that is decided and has not arrived; of no one.
    Underway,
    /// A parcel whose label is still to be asked for, or answered; of its carrier.
    Label,
    /// A parcel that is labelled and not packed; of its warehouse. The order is the note.
    Pack,
    /// A parcel that is packed and that no line has seen; of its warehouse.
    Sight,
    /// A parcel on a line; of that station.
    Line,
    /// A parcel in a bag that has not left; of the line's station. The bag is the note.
    Bagged,
    /// The tracking of a parcel on its way, to be watched; of its carrier. The tracking number is the note.
    Watch,
    /// A bag that is open under a chute; of the line's station.
    Open,
    /// A bag that is closed and has not left; of the line's station.
    Closed,
    /// A bag that has not left; of each parcel in it.
    Holds,
    /// A manifest that is open; of the dock's station.
    Manifest,
    /// A return whose sellable goods are to be put into stock; of no one.
    Restock,
    /// A seller; of each of their shops.
    Shop,
    /// An order with a line that nobody knows what is in; of that line's SKU, as the platform calls it.
    Unmapped,
    /// A bundle, or a SKU under another name; of each SKU of ours in it.
    Part,
    /// A parcel whose label is to be given back; of its carrier.
    Void,
    /// Something is wrong with it; of the sort of trouble. What is the note.
    Trouble,
    /// A problem that is open; of the kind of what has it. Its id is the note.
    Problem,
}

impl Facet {
    pub const ALL: [Facet; 19] = [
        Facet::Plan,
        Facet::Underway,
        Facet::Label,
        Facet::Pack,
        Facet::Sight,
        Facet::Line,
        Facet::Bagged,
        Facet::Watch,
        Facet::Open,
        Facet::Closed,
        Facet::Holds,
        Facet::Manifest,
        Facet::Restock,
        Facet::Shop,
        Facet::Unmapped,
        Facet::Part,
        Facet::Void,
        Facet::Trouble,
        Facet::Problem,
    ];

    /// The number under which the shelf knows it.
    pub(crate) fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// That an entity stands in a list, of whom, and what the reader wants to know at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub facet: Facet,
    pub of: SmolStr,
    pub note: SmolStr,
}

impl Listing {
    pub fn new(facet: Facet, of: impl Into<SmolStr>, note: impl Into<SmolStr>) -> Self {
        Listing { facet, of: of.into(), note: note.into() }
    }
}

/// All lists that it stands in, those of what is wrong with it too.
pub(crate) fn listings<E: Entity>(id: &str, state: &E) -> Vec<Listing> {
    let mut listings = state.listings(id);
    listings.extend(state.troubles().into_iter().map(|t| Listing::new(Facet::Trouble, t.cause.as_str(), t.what)));
    listings
}

/// How an entity stands in the house: its stage, and the lists that it is in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub stage: &'static str,
    pub listings: Vec<Listing>,
}

impl Standing {
    /// What does not exist is nowhere.
    pub fn of<E: Entity>(id: &str, version: u32, state: &E) -> Self {
        if version == 0 {
            return Standing::default();
        }
        Standing { stage: state.stage_word(), listings: listings(id, state) }
    }

    fn troubles(&self) -> impl Iterator<Item = &Listing> {
        self.listings.iter().filter(|listing| listing.facet == Facet::Trouble)
    }

    /// What is wrong now, to be compared with what is wrong later.
    pub fn clone_troubles(&self) -> Vec<Listing> {
        self.troubles().cloned().collect()
    }

    /// Whether something else is wrong than before, or nothing any more.
    pub fn is_wrong_otherwise(&self, before: &[Listing]) -> bool {
        !self.troubles().eq(before)
    }
}
