//! What a person does about something that is wrong: one list for the API, the command line, the screens and whoever else acts. A new
//! remedy is one variant here, and one arm in [`crate::api::remedies`], which hands it to the one who decides.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be done, to what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Subcommand, ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Remedy {
    /// Cancel an order: its stock is free again, and its parcels that have not left are cancelled
    CancelOrder {
        /// Its id, or its number where no other has it
        order: String,
    },
    /// Cancel a parcel, and let its orders find other ones by themselves
    TakeApart {
        /// Its id
        parcel: String,
    },
    /// Say that a bag has left that no dock has scanned
    HandOverBag {
        /// The number on its tag
        bag: String,
    },
}

/// A remedy, by whom and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Who does it, 1 to 60 characters; stands in the journal.
    #[schema(example = "Li Wei", min_length = 1, max_length = 60)]
    pub by: String,
    /// 1 to 200 characters; stands in the journal where the thing keeps reasons.
    #[schema(example = "the buyer asked for it", min_length = 1, max_length = 200)]
    pub why: String,
    pub remedy: Remedy,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// `order`, `parcel`, …
    pub kind: String,
    #[schema(example = "WEB-000001@amazon:shop-1")]
    pub id: String,
    /// Where it stands now; empty for kinds without stages.
    #[schema(example = "cancelled")]
    pub stage: String,
    /// What else whoever did it should know; empty where there is nothing.
    #[serde(default)]
    pub note: String,
}
