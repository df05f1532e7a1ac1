//! Readers that turn a published rate sheet into channels with tariffs: karrio's common CSV, USPS Notice 123, and the
//! first-plus-continued sheets of Chinese direct lines.
//!
//! A sheet is read whole or not at all, and an error names file, line, field and value. A price of 0 or none is no price.
//! Nothing is guessed: what a sheet leaves open is left out and stands in the notes, each row with its line. No file is
//! opened here.

mod bands;
mod karrio;
mod table;
mod usps;
mod wanb;

pub use karrio::karrio;
pub use table::SHEET_ROWS_MAX;
pub use usps::{ZoneChart, usps};
pub use wanb::wanb;

use smol_str::{SmolStr, format_smolstr};
use twin::channel::{Channel, DaysCount, Limits, Tariff};
use twin::{CarrierId, ChannelId, WarehouseId};

/// One service as its sheet describes it. [`Sheet::channel`] makes it a channel of a carrier account.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The carrier's code of the service.
    pub service: SmolStr,
    /// As people call it; the code where the sheet has no name.
    pub name: String,
    /// Countries it goes to; empty: every country but those in `not_to`.
    pub to: Vec<SmolStr>,
    pub not_to: Vec<SmolStr>,
    pub limits: Limits,
    /// The longest promise in the sheet, in days to the door.
    pub days: Option<u16>,
    /// `None`: the sheet has no price at all for this service, so the carrier must be asked.
    pub tariff: Option<Tariff>,
    /// What the sheet left open and what was made of it, a sentence each.
    pub notes: Vec<String>,
    /// Rows that are in no tariff, in the order of the sheet.
    pub skipped: Vec<SkippedRow>,
}

/// A row of a sheet that made no price, and what of it was to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field} {value:?}: {why}")]
pub struct SkippedRow {
    pub line: u64,
    pub field: &'static str,
    pub value: String,
    pub why: &'static str,
}

impl Sheet {
    /// The channel `carrier/service`, collecting from `origins`. Sheets say nothing of batteries: none are taken until someone
    /// says so in `limits`.
    pub fn channel(self, carrier: &CarrierId, origins: Vec<WarehouseId>) -> Channel {
        let Sheet { service, name, to, not_to, limits, days, tariff, .. } = self;
        let id = channel_id(carrier, &service);
        Channel {
            tariff_file: None,
            id,
            carrier: carrier.clone(),
            name,
            service,
            origins,
            to,
            not_to,
            limits,
            tariff,
            last_resort: false,
            days,
            days_count: DaysCount::Calendar,
        }
    }
}

/// `usps` and `USPS_GROUND_ADVANTAGE` make `usps/ground-advantage`.
fn channel_id(carrier: &CarrierId, service: &str) -> ChannelId {
    let plain = service.to_ascii_lowercase();
    let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let own: Vec<&str> = carrier.as_str().split(|c: char| !c.is_alphanumeric()).collect();
    let rest = words.strip_prefix(own.as_slice()).filter(|rest| !rest.is_empty()).unwrap_or(&words);
    ChannelId::from(format_smolstr!("{carrier}/{}", rest.join("-")))
}

/// Why a sheet was not read. Nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    #[error("{file} line {line}: not a table: {what}")]
    NotATable { file: String, line: u64, what: String },
    #[error("{file} line 1: no column {column}; it has {has}")]
    NoColumn { file: String, column: &'static str, has: String },
    #[error("{file} line {line}: {field} {value:?} is not {wants}")]
    Value { file: String, line: u64, field: &'static str, value: String, wants: &'static str },
    #[error("{file} line {line}: {field} {value:?} {conflict}")]
    Conflict { file: String, line: u64, field: &'static str, value: String, conflict: String },
    #[error("{file}: no rows")]
    Empty { file: String },
    #[error("{file} line {line}: more than {SHEET_ROWS_MAX} rows in one sheet; split it")]
    TooLong { file: String, line: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rating::rate;
    use crate::sample::{address, parcel};
    use twin::Dims;

    const HEAD: &str = "service_code,service_name,zone_label,country_codes,min_weight,max_weight,max_length,max_width,max_height,rate,currency,transit_days,domicile,international\n";

    fn read(rows: &str) -> Result<Vec<Sheet>, SheetError> {
        karrio(&format!("{HEAD}{rows}"), "acme.csv", "US")
    }

    fn price(sheet: &Sheet, country: &str, weight_g: u32) -> String {
        let request = parcel(address(country, "1"), weight_g, Dims::default());
        match rate(sheet.tariff.as_ref().unwrap(), &sheet.service, &request, sheet.days) {
            Ok(quote) => quote.total.to_string(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn a_service_becomes_a_channel_with_zones_and_bands() {
        let sheets = read(
            "ACME_FAST,Acme Fast,Everywhere else,,0.01,1.0,60,40,30,9.00,USD,5-9,false,true\n\
             ACME_FAST,Acme Fast,Near,\"CA, MX\",0.01,1.0,60,40,30,4.50,USD,2-3,false,true\n\
             ACME_FAST,Acme Fast,Near,\"CA, MX\",1.0,2.5,60,40,30,0.0,USD,2-3,false,true\n\
             ACME_FAST,Acme Fast,Home,,0.01,2.5,60,40,30,3.00,USD,1,true,false\n\
             ACME_FAST,Acme Fast,Worldwide,,0.01,2.5,60,40,30,12.00,USD,5-9,false,true\n\
             ACME_ASK,Acme Ask,Worldwide,,0.01,70,,,,,USD,,false,true\n",
        )
        .unwrap();
        let (fast, ask) = (&sheets[0], &sheets[1]);
        assert_eq!(price(fast, "CA", 1000), "4.50 USD");
        assert_eq!(price(fast, "CA", 1001), "no weight band for 1001 g in zone Near", "a rate of 0 is no price");
        assert_eq!(price(fast, "US", 2500), "3.00 USD", "the domestic zone is the home country");
        assert_eq!(price(fast, "DE", 5), "12.00 USD");
        let skipped: Vec<_> = fast.skipped.iter().map(ToString::to_string).collect();
        let expected = ["line 2: country_codes \"\": its zone is a region and lists no countries", "line 4: rate \"0.0\": no price"];
        assert_eq!(skipped, expected);
        assert_eq!(fast.notes, ["zone Everywhere else lists no countries: left out", "1 of 4 rows have no price"]);
        assert_eq!((ask.tariff.is_none(), ask.not_to.as_slice()), (true, &["US".into()][..]));

        let channel = fast.clone().channel(&"acme".into(), vec!["LAX".into()]);
        assert_eq!((channel.id.as_str(), channel.days, channel.to.len()), ("acme/fast", Some(9), 0));
        let limits = Limits {
            weight_g_max: 2500,
            length_mm_max: 600,
            width_mm_max: 400,
            height_mm_max: 300,
            length_plus_girth_mm_max: 2000,
            ..Limits::default()
        };
        assert_eq!(channel.limits, limits);
    }

    #[test]
    fn pounds_inches_and_missing_columns() {
        let text = "service_code,service_name,zone_label,country_codes,currency,max_weight,weight_unit,dimension_unit,max_length,rate\n\
                    A,A,US,US,USD,150,LB,IN,108,9.99\n";
        let sheet = karrio(text, "a.csv", "US").unwrap().remove(0);
        assert_eq!((sheet.limits.weight_g_max, sheet.limits.length_mm_max), (68_038, 2743));
        let text = "service_code,service_name,zone_label,country_codes,rate,currency,transit_days\nA,A,US,US,5.71,GBP,7\n";
        let sheet = karrio(text, "a.csv", "GB").unwrap().remove(0);
        assert_eq!((price(&sheet, "US", 31_000), sheet.limits.weight_g_max), ("5.71 GBP".into(), 0));
        assert_eq!(sheet.notes, ["the sheet has no weights: one price for every weight"]);
    }

    #[test]
    fn what_the_post_of_the_united_states_lists_is_in_pounds_and_inches() {
        let rows = "GA,GA,USA,US,0.01,1.0,22,18,15,4.50,USD,2,true,false\nGA,GA,USA,US,1.0,4.0,22,18,15,5.50,USD,2,true,false\n";
        let read = |file: &str| karrio(&format!("{HEAD}{rows}"), file, "US").unwrap().remove(0);
        let (usps, other) = (read("rates/usps.csv"), read("seko.csv"));
        assert_eq!([price(&usps, "US", 453), price(&usps, "US", 454), price(&usps, "US", 1000)], ["4.50 USD", "5.50 USD", "5.50 USD"]);
        assert_eq!([price(&other, "US", 453), price(&other, "US", 1000), price(&other, "US", 1001)], ["4.50 USD", "4.50 USD", "5.50 USD"]);
        assert_eq!((usps.limits.sides_mm_max(), other.limits.sides_mm_max()), ([558, 457, 381], [220, 180, 150]));
        assert_eq!(usps.limits.weight_g_max, 1_814);
    }

    #[test]
    fn errors_name_file_line_field_and_value() {
        let error = |rows: &str| read(rows).unwrap_err().to_string();
        let row = |weights: &str, rate: &str, rest: &str| format!("A,A,US,US,{weights},,,,{rate},{rest}\n");
        assert_eq!(error(&row("0.01,1", "x", "USD,2,true,false")), "acme.csv line 2: rate \"x\" is not a number from 0 up");
        assert_eq!(error(&row("0.01,1", "-1", "USD,2,true,false")), "acme.csv line 2: rate \"-1\" is not a number from 0 up");
        assert_eq!(error(&row("0.01,1", "1", "USX,2,true,false")), "acme.csv line 2: currency \"USX\" is not an ISO 4217 currency");
        let days = "acme.csv line 2: transit_days \"soon\" is not a number of days or a range of them";
        assert_eq!(error(&row("0.01,1", "1", "USD,soon,true,false")), days);
        let two = row("0.01,1", "1", "USD,2,true,false") + &row("0.5,2", "1", "USD,2,true,false");
        assert_eq!(error(&two), "acme.csv line 3: max_weight \"2\" overlaps another price in zone US: above 0 g up to 1000 g");
        assert!(error(&row("2,1", "1", "USD,2,true,false")).starts_with("acme.csv line 2: max_weight \"1\" ends at 1000 g"));
        let mixed = row("0.01,1", "1", "USD,2,true,false") + &row("1,2", "1", "EUR,2,true,false");
        assert_eq!(error(&mixed), "acme.csv line 3: currency \"EUR\" differs from the USD of the rows of A before it");
        assert!(error("A,A\n").starts_with("acme.csv line 2: not a table: "));
        assert_eq!(error(""), "acme.csv: no rows");
        let missing = karrio("service_code,rate\nA,1\n", "b.csv", "US").unwrap_err().to_string();
        assert_eq!(missing, "b.csv line 1: no column service_name; it has service_code, rate");
        assert!(
            usps("service,weight_upto,zone,usd\nG,4stone,1,7.20\n", "u.csv", &ZoneChart::new()).unwrap_err().to_string().contains("4stone")
        );
    }

    #[test]
    fn an_excerpt_of_notice_123_keeps_its_gaps() {
        let text =
            "service,weight_upto,zone,usd\nG,4oz,1,7.20\nG,15.999oz,1,9.10\nG,1lb,1,9.10\nG,2lb,1,9.80\nG,5lb,1,12.00\nG,4oz,8,8.40\n";
        let chart = ZoneChart::from([("1".into(), vec!["1".into()])]);
        let sheet = usps(text, "u.csv", &chart).unwrap().remove(0);
        assert_eq!(price(&sheet, "US", 113), "7.20 USD");
        assert_eq!(price(&sheet, "US", 114), "no weight band for 114 g in zone 1", "8 oz is not in the excerpt");
        assert_eq!(price(&sheet, "US", 453), "9.10 USD");
        assert_eq!(price(&sheet, "US", 454), "9.80 USD");
        assert_eq!(price(&sheet, "US", 1000), "no weight band for 1000 g in zone 1", "3 lb is not in the excerpt");
        assert_eq!(price(&sheet, "US", 2000), "12.00 USD");
        assert_eq!(sheet.notes, ["zone 8 is not in the zone chart: left out"]);
        assert_eq!(sheet.skipped.len(), 1, "15.999 oz and 1 lb cost the same");
        assert_eq!(sheet.skipped[0].to_string(), "line 7: zone \"8\": not in the zone chart");
        let two = usps("service,weight_upto,zone,usd\nG,15.999oz,1,9.10\nG,1lb,1,9.20\n", "u.csv", &chart).unwrap().remove(0);
        assert_eq!(two.skipped[0].to_string(), "line 3: usd \"9.20\": a row before it has another price for the same weight in grams");
    }
}
