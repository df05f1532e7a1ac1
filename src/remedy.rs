//! What a person does about something that is wrong: one list for the API, the command line, the screens and whoever else acts. A new
//! remedy is one variant here, and one arm in [`crate::api::remedies`], which hands it to the one who decides.

use crate::api::returns::Outcome;
use clap::{Args, Subcommand};
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
    /// Hold an order that no bench has begun with, until a person lets it go
    ///
    /// Its parcels are cancelled. No check and no later version from the platform ends such a hold.
    HoldOrder {
        /// Its id, or its number where no other has it
        order: String,
    },
    /// Let a held order go on
    ///
    /// Ends what a person's word can end, and has the rest looked at anew: one that is held again says why. An unpaid order, an
    /// address and a SKU have remedies of their own.
    ReleaseOrder {
        /// Its id, or its number where no other has it
        order: String,
    },
    /// Put the address of an order right; the order is planned anew
    ///
    /// What is left out stays, what is empty is taken out. The platform's own address comes back only when it is another one than it
    /// gave before.
    PutAddressRight {
        /// Its id, or its number where no other has it
        order: String,
        #[serde(flatten)]
        #[command(flatten)]
        to: Box<NewAddress>,
    },
    /// Say that an order is paid, whatever its platform says
    MarkPaid {
        /// Its id, or its number where no other has it
        order: String,
    },
    /// Say what of ours the SKU of a line is that nobody knows
    ///
    /// The shop's SKU is that from now on: all orders that wait for it go on. A bundle of several SKUs is told to the SKU maps.
    NameSku {
        /// Its id, or its number where no other has it
        order: String,
        /// From 1
        line: u32,
        /// Our SKU
        sku: String,
        /// Pieces of it in one of the line
        #[serde(default = "one")]
        #[arg(default_value_t = 1)]
        quantity: u32,
    },
    /// Say what one piece of a product weighs, packed; all orders that wait for it go on
    TellWeight {
        /// Our SKU
        sku: String,
        /// In grams, from 1
        weight_g: u32,
        /// Whose it is
        #[serde(default = "own")]
        #[arg(long, value_name = "SELLER", default_value = "own")]
        owner: String,
    },
    /// Stop a parcel, wherever it is in the house, until somebody takes it back
    ///
    /// No bench begins with it, a line sends it to the reject chute, and a dock refuses the bag that it is in.
    StopParcel {
        /// Its id
        parcel: String,
    },
    /// Put a parcel on a shelf of its own, until somebody takes it back
    PutParcelAside {
        /// Its id
        parcel: String,
        /// Where it lies, 1 to 200 characters
        place: String,
    },
    /// Let a parcel go on that was stopped or put aside
    TakeParcelBack {
        /// Its id
        parcel: String,
    },
    /// Take a parcel out of its bag, open or closed, before the bag leaves
    TakeOutOfBag {
        /// Its id
        parcel: String,
    },
    /// Print a parcel's label once more
    Reprint {
        /// Its id
        parcel: String,
        /// At which bench or rework bench; left out: where it is worked on
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[arg(long, value_name = "STATION")]
        station: Option<String>,
    },
    /// Send an intercepted parcel over a line once more, as it is
    WeighAgain {
        /// Its id
        parcel: String,
    },
    /// Take over what a line measured of a parcel; the answer says what that changes in its freight
    AcceptMeasures {
        /// Its id
        parcel: String,
    },
    /// Ask a parcel's carrier for its label, again or anew; where an answer was lost it may be bought twice
    AskLabel {
        /// Its id
        parcel: String,
    },
    /// Ask a carrier once more to take back the label of a cancelled parcel
    VoidAgain {
        /// Its id
        parcel: String,
    },
    /// Let a label be that its carrier does not take back
    WriteOffLabel {
        /// The parcel's id
        parcel: String,
    },
    /// Say that what was wrong with a parcel, in the house or on its way, has been dealt with
    SettleParcel {
        /// Its id
        parcel: String,
    },
    /// Say that what was wrong with a bag has been dealt with
    SettleBag {
        /// The number on its tag
        bag: String,
    },
    /// Write a parcel off that is lost or spoilt in the house: it is cancelled, and its orders find others
    WriteOffParcel {
        /// Its id
        parcel: String,
    },
    /// Say that a carrier will not find a parcel any more
    DeclareLost {
        /// Its id
        parcel: String,
    },
    /// Put what is in no parcel of an order into one, as if the house had chosen it
    ///
    /// What is in a parcel stays in it: take that apart first. Lines and pieces are chosen by `POST /api/v1/allocations`.
    SendOrder {
        /// Its id, or its number where no other has it
        order: String,
        /// From where; left out: the cheapest that has it all
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[arg(long, value_name = "ID")]
        warehouse: Option<String>,
        /// Over which channel; left out: the cheapest that takes it
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[arg(long, value_name = "ID")]
        channel: Option<String>,
    },
    /// Add a charge to what a parcel costs; a correction is a further charge
    ChargeParcel {
        /// Its id
        parcel: String,
        /// adjustment, duty, tax, handling, surcharge, insurance or return
        kind: String,
        /// Above 0; an adjustment may be below
        #[arg(allow_negative_numbers = true)]
        amount: String,
        /// Of the amount, three letters
        currency: String,
        /// Of an invoice's line, say, 1 to 200 characters: charged once, however often it is sent
        reference: String,
    },
    /// Announce that a parcel comes back, where its carrier has not said so
    AnnounceReturn {
        /// The parcel's id
        parcel: String,
    },
    /// Say what becomes of a return
    CloseReturn {
        /// The parcel's id
        parcel: String,
        /// With restocked, what came back sellable goes into stock
        outcome: Outcome,
    },
    /// Say that a problem was seen
    AcknowledgeProblem {
        /// Its id
        problem: String,
    },
    /// Give a problem to somebody
    AssignProblem {
        /// Its id
        problem: String,
        /// Whose it is from now on; empty: nobody's
        to: String,
    },
    /// Put a problem off: until then the list leaves it out
    SnoozeProblem {
        /// Its id
        problem: String,
        /// 1 to 720
        hours: u32,
    },
    /// Write something down about a problem: the reason is the note
    CommentOnProblem {
        /// Its id
        problem: String,
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

/// The fields of an address that are to be others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Args, ToSchema)]
#[serde(default)]
pub struct NewAddress {
    /// Who it is for
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT", help = "Of the person")]
    pub company: Option<String>,
    /// Street and number
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub street: Option<String>,
    /// Flat, floor, building
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub street2: Option<String>,
    /// Town
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub city: Option<String>,
    /// State or province
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub region: Option<String>,
    /// As the country's post writes it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub postcode: Option<String>,
    /// Two letters
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// With the country's prefix
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub phone: Option<String>,
    /// For the carrier's news
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub email: Option<String>,
    /// The receiver's tax number, where customs want one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub tax_id: Option<String>,
}

fn one() -> u32 {
    1
}

fn own() -> String {
    twin::seller::OWN.into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use twin::order::Hold;

    /// What a hold says that solves it is a remedy, called as in JSON.
    #[test]
    fn every_hold_names_remedies_that_there_are() {
        let command = Remedy::augment_subcommands(clap::Command::new("remedy"));
        let known: BTreeSet<String> = command.get_subcommands().map(|remedy| remedy.get_name().replace('-', "_")).collect();
        let holds = [
            Hold::Unpaid,
            Hold::AddressInvalid,
            Hold::UnknownSku,
            Hold::NoStock,
            Hold::NoChannel,
            Hold::Oversize,
            Hold::ForbiddenGoods,
            Hold::Duplicate,
            Hold::Manual,
        ];
        for hold in holds {
            let remedies = hold.remedies();
            assert!(!remedies.is_empty() && remedies.iter().all(|name| known.contains(*name)), "{hold:?}: {remedies:?} of {known:?}");
        }
    }

    /// What the command line sends is what the API reads, with what is left out left out.
    #[test]
    fn a_remedy_is_the_same_on_the_command_line_and_in_json() {
        let of = |words: &[&str]| {
            let command = Remedy::augment_subcommands(clap::Command::new("remedy"));
            <Remedy as clap::FromArgMatches>::from_arg_matches(&command.get_matches_from(words)).unwrap()
        };
        for (words, json) in [
            (&["remedy", "hold-order", "A-1"][..], r#"{"do":"hold_order","order":"A-1"}"#),
            (
                &["remedy", "put-address-right", "A-1", "--postcode", "10115", "--company", ""],
                r#"{"do":"put_address_right","order":"A-1","company":"","postcode":"10115"}"#,
            ),
            (&["remedy", "name-sku", "A-1", "2", "P-1"], r#"{"do":"name_sku","order":"A-1","line":2,"sku":"P-1","quantity":1}"#),
            (&["remedy", "tell-weight", "P-1", "250"], r#"{"do":"tell_weight","sku":"P-1","weight_g":250,"owner":"own"}"#),
            (&["remedy", "send-order", "A-1", "--warehouse", "SZX"], r#"{"do":"send_order","order":"A-1","warehouse":"SZX"}"#),
            (
                &["remedy", "charge-parcel", "A-1-1", "adjustment", "-3.10", "USD", "4711/3"],
                r#"{"do":"charge_parcel","parcel":"A-1-1","kind":"adjustment","amount":"-3.10","currency":"USD","reference":"4711/3"}"#,
            ),
            (&["remedy", "close-return", "A-1-1", "written_off"], r#"{"do":"close_return","parcel":"A-1-1","outcome":"written_off"}"#),
        ] {
            let remedy = of(words);
            assert_eq!(serde_json::to_string(&remedy).unwrap(), json);
            assert_eq!(serde_json::from_str::<Remedy>(json).unwrap(), remedy);
        }
        let short = serde_json::from_str::<Remedy>(r#"{"do":"name_sku","order":"A-1","line":2,"sku":"P-1"}"#).unwrap();
        assert_eq!(short, of(&["remedy", "name-sku", "A-1", "2", "P-1"]));
        let misspelt = serde_json::from_str::<Remedy>(r#"{"do":"put_address_right","order":"A-1","zip":"10115"}"#);
        assert!(misspelt.unwrap_err().to_string().contains("unknown field `zip`"));
    }
}
