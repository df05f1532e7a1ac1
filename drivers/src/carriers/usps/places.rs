//! The places that USPS serves as domestic mail, spelt as its APIs want them: the two letters of their pattern `State`
//! (domestic labels 3.9.8), whether an order names them as a state (`Texas`, `US-TX`, `tx`) or as a country (`PR`).

use smol_str::SmolStr;
use twin::Address;

/// Every place of the pattern, with the name that people write.
const STATES: [(&str, &str); 62] = [
    ("AA", "ARMED FORCES AMERICAS"),
    ("AE", "ARMED FORCES EUROPE"),
    ("AK", "ALASKA"),
    ("AL", "ALABAMA"),
    ("AP", "ARMED FORCES PACIFIC"),
    ("AR", "ARKANSAS"),
    ("AS", "AMERICAN SAMOA"),
    ("AZ", "ARIZONA"),
    ("CA", "CALIFORNIA"),
    ("CO", "COLORADO"),
    ("CT", "CONNECTICUT"),
    ("DC", "DISTRICT OF COLUMBIA"),
    ("DE", "DELAWARE"),
    ("FL", "FLORIDA"),
    ("FM", "FEDERATED STATES OF MICRONESIA"),
    ("GA", "GEORGIA"),
    ("GU", "GUAM"),
    ("HI", "HAWAII"),
    ("IA", "IOWA"),
    ("ID", "IDAHO"),
    ("IL", "ILLINOIS"),
    ("IN", "INDIANA"),
    ("KS", "KANSAS"),
    ("KY", "KENTUCKY"),
    ("LA", "LOUISIANA"),
    ("MA", "MASSACHUSETTS"),
    ("MD", "MARYLAND"),
    ("ME", "MAINE"),
    ("MH", "MARSHALL ISLANDS"),
    ("MI", "MICHIGAN"),
    ("MN", "MINNESOTA"),
    ("MO", "MISSOURI"),
    ("MP", "NORTHERN MARIANA ISLANDS"),
    ("MS", "MISSISSIPPI"),
    ("MT", "MONTANA"),
    ("NC", "NORTH CAROLINA"),
    ("ND", "NORTH DAKOTA"),
    ("NE", "NEBRASKA"),
    ("NH", "NEW HAMPSHIRE"),
    ("NJ", "NEW JERSEY"),
    ("NM", "NEW MEXICO"),
    ("NV", "NEVADA"),
    ("NY", "NEW YORK"),
    ("OH", "OHIO"),
    ("OK", "OKLAHOMA"),
    ("OR", "OREGON"),
    ("PA", "PENNSYLVANIA"),
    ("PR", "PUERTO RICO"),
    ("PW", "PALAU"),
    ("RI", "RHODE ISLAND"),
    ("SC", "SOUTH CAROLINA"),
    ("SD", "SOUTH DAKOTA"),
    ("TN", "TENNESSEE"),
    ("TX", "TEXAS"),
    ("UT", "UTAH"),
    ("VA", "VIRGINIA"),
    ("VI", "VIRGIN ISLANDS"),
    ("VT", "VERMONT"),
    ("WA", "WASHINGTON"),
    ("WI", "WISCONSIN"),
    ("WV", "WEST VIRGINIA"),
    ("WY", "WYOMING"),
];

/// Countries of ISO 3166 that are domestic to USPS, under the same two letters: territories, and the freely associated states.
const COUNTRIES: [&str; 8] = ["AS", "GU", "MP", "PR", "VI", "FM", "MH", "PW"];

/// Places to and from which goods need a customs form though the mail is domestic: post offices of the forces and of
/// embassies (DMM 703.2.3), ZIP codes 96799 and 969…, and the Virgin Islands (DMM 608.2). Puerto Rico needs none.
const CUSTOMS: [&str; 10] = ["AA", "AE", "AP", "AS", "GU", "MP", "FM", "MH", "PW", "VI"];

/// Whether USPS serves it as domestic mail.
pub fn is_domestic(address: &Address) -> bool {
    address.country == "US" || COUNTRIES.contains(&address.country.as_str())
}

/// The state or place, or `None` where the order names none that USPS knows.
pub fn state(address: &Address) -> Option<&'static str> {
    if address.country != "US" {
        return COUNTRIES.iter().find(|place| address.country == **place).copied();
    }
    let written: SmolStr = address.region.trim().to_uppercase().replace('.', "").into();
    let written = written.strip_prefix("US-").unwrap_or(&written);
    STATES.iter().find(|(code, name)| written == *code || written == *name).map(|(code, _)| *code)
}

pub fn needs_customs_form(state: &str) -> bool {
    CUSTOMS.contains(&state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_however_it_is_written() {
        let of = |country: &str, region: &str| state(&Address { country: country.into(), region: region.into(), ..Address::default() });
        for written in ["TX", "tx", "US-TX", "us-tx", "Texas", " texas ", "T.X."] {
            assert_eq!(of("US", written), Some("TX"), "{written}");
        }
        assert_eq!((of("US", "PR"), of("PR", ""), of("PR", "San Juan")), (Some("PR"), Some("PR"), Some("PR")));
        assert_eq!((of("US", "Ontario"), of("US", ""), of("CA", "TX")), (None, None, None));
        assert!(STATES.is_sorted(), "each once");
    }
}
