//! What says who a buyer is. It never stands in an event: it is a document, sealed under a key of its order, and destroying
//! the key makes it unreadable in every copy there is.

use crate::field::{Field, Pen};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    pub name: SmolStr,
    pub company: SmolStr,
    pub street: SmolStr,
    pub street2: SmolStr,
    pub city: SmolStr,
    pub phone: SmolStr,
    pub email: SmolStr,
    pub tax_id: SmolStr,
    /// The buyer's words to whoever gets it.
    pub gift_note: SmolStr,
}

impl Personal {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        self.put(&mut Pen::new(&mut bytes));
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        Personal::take(&mut minicbor::Decoder::new(bytes)).map_err(|e| e.to_string())
    }
}
