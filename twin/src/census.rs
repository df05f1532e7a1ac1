//! A start reads every state once: whether all can be read, how many events made them, and what the board and the keys need
//! to know of them.

use crate::TwinError;
use crate::entity::{Kind, State};
use crate::shelf::Shelf;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What all states of a kind say at a start.
pub(crate) struct Census {
    pub kind: Kind,
    /// Events that made them.
    pub records: u64,
    pub stages: BTreeMap<&'static str, i64>,
    pub newest_key: Option<u64>,
    /// Orders that are to be forgotten, each with its buyer's key.
    pub forgotten: Vec<(u64, SmolStr)>,
}

impl Census {
    pub fn of(shelf: &dyn Shelf, kind: Kind) -> Result<Self, TwinError> {
        let mut census = Census { kind, records: 0, stages: BTreeMap::new(), newest_key: None, forgotten: Vec::new() };
        for row in shelf.states(kind, "") {
            let (id, bytes) = row?;
            let (version, state) = State::from_bytes(kind, &bytes)
                .map_err(|why| TwinError::Disagrees { why: format!("{} {id} cannot be read: {why}", kind.as_str()) })?;
            census.records += u64::from(version);
            *census.stages.entry(state.stage_word()).or_default() += 1;
            if let State::Order(order) = state
                && let Some(buyer) = order.content.buyer
            {
                census.newest_key = census.newest_key.max(Some(buyer.key));
                if order.forgotten {
                    census.forgotten.push((buyer.key, id));
                }
            }
        }
        Ok(census)
    }
}
