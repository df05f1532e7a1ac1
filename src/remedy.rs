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
    /// Take a station out: a bench gets no parcels, a line rejects what comes, a dock hands nothing over
    TakeStationOut {
        /// Its id
        station: String,
    },
    /// Put a station back
    PutStationBack {
        /// Its id
        station: String,
    },
    /// Take a chute of a line out: its bag is closed, and its parcels go to the next chute that takes them, or are rejected
    TakeChuteOut {
        /// The line's id
        station: String,
        /// Its number
        chute: u16,
    },
    /// Put a chute of a line back
    PutChuteBack {
        /// The line's id
        station: String,
        /// Its number
        chute: u16,
    },
    /// Take a device out: it is asked for nothing, and what it lacks is no fault
    TakeDeviceOut {
        /// Its id
        device: String,
    },
    /// Put a device back
    PutDeviceBack {
        /// Its id
        device: String,
    },
    /// Take a channel out: nothing new is sent over it; what has its label goes on
    TakeChannelOut {
        /// Its id
        channel: String,
    },
    /// Put a channel back: what is held for it goes on
    PutChannelBack {
        /// Its id
        channel: String,
    },
    /// Have a carrier asked again at once that is left alone because it failed
    ResumeCarrier {
        /// Its id
        carrier: String,
    },
    /// Say that what stood at a line's reject chute is dealt with
    ClearRejects {
        /// The line's id
        station: String,
        /// What the line had rejected when you looked; without it, all until now
        #[arg(long, value_name = "N")]
        rejected: Option<u64>,
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
