//! What the simulated USPS reads, and its short answers, field by field as the real one names them. The long answers are
//! written in `usps_answers`.

use super::book::Stop;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::borrow::Cow;

/// A number of pounds or inches; the carrier counts in hundredths.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(transparent)]
pub struct Amount(f64);

impl Amount {
    pub fn hundredths(self) -> i64 {
        (self.0 * 100.0).round() as i64
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Search<'a> {
    #[serde(rename = "originZIPCode")]
    pub origin_zip_code: &'a str,
    #[serde(rename = "destinationZIPCode")]
    pub destination_zip_code: &'a str,
    #[serde(borrow)]
    pub package_description: Package<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package<'a> {
    #[serde(default)]
    pub weight: Amount,
    #[serde(default)]
    pub length: Amount,
    #[serde(default)]
    pub width: Amount,
    #[serde(default)]
    pub height: Amount,
    pub mail_class: &'a str,
    #[serde(default)]
    pub mailing_date: &'a str,
    /// On labels only.
    #[serde(borrow, default)]
    pub customer_reference: Vec<Reference<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Label<'a> {
    #[serde(borrow)]
    pub image_info: ImageInfo<'a>,
    #[serde(borrow)]
    pub to_address: Party<'a>,
    #[serde(borrow)]
    pub from_address: Party<'a>,
    #[serde(borrow)]
    pub package_description: Package<'a>,
    #[serde(borrow, default)]
    pub customs_form: Option<CustomsForm<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reprint<'a> {
    #[serde(borrow)]
    pub image_info: ImageInfo<'a>,
}

#[derive(Deserialize)]
pub struct CustomsForm<'a> {
    #[serde(borrow)]
    pub contents: Vec<Goods<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Goods<'a> {
    #[serde(borrow)]
    pub item_description: Cow<'a, str>,
    pub item_total_value: Amount,
    pub item_total_weight: Amount,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageInfo<'a> {
    pub image_type: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party<'a> {
    #[serde(borrow, default)]
    pub first_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub last_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub firm: Cow<'a, str>,
    #[serde(borrow, default)]
    pub street_address: Cow<'a, str>,
    #[serde(borrow, default)]
    pub secondary_address: Cow<'a, str>,
    #[serde(borrow, default)]
    pub city: Cow<'a, str>,
    #[serde(borrow, default)]
    pub state: Cow<'a, str>,
    #[serde(default, rename = "ZIPCode")]
    pub zip_code: &'a str,
    #[serde(default, rename = "ZIPPlus4")]
    pub zip_plus_4: Option<&'a str>,
}

/// The pattern of `State`.
const STATES: &str = "AA AE AL AK AP AS AZ AR CA CO CT DE DC FM FL GA GU HI ID IL IN IA KS KY LA ME MH MD MA MI MN MS MO MP MT NE NV NH NJ \
     NM NY NC ND OH OK OR PW PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY";
/// Those to which goods need a customs form.
const CUSTOMS: &str = "AA AE AP AS GU MP FM MH PW VI";

impl Party<'_> {
    /// What the description of the labels API would refuse.
    pub fn fault(&self) -> Option<&'static str> {
        let long = |text: &str, max: usize| text.chars().count() > max;
        let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(self.zip_code, 5) || self.city.is_empty() || self.street_address.is_empty() || self.state.len() != 2 {
            return Some("Address Not Found");
        }
        if !STATES.split(' ').any(|state| state == self.state) {
            return Some("state does not match the pattern");
        }
        if self.zip_plus_4.is_some_and(|four| !digits(four, 4)) {
            return Some("ZIPPlus4 does not match the pattern");
        }
        if self.firm.is_empty() && (self.first_name.is_empty() || self.last_name.is_empty()) {
            return Some("A firm, or a first and a last name, is required");
        }
        let lines = [&self.first_name, &self.last_name, &self.firm, &self.street_address, &self.secondary_address];
        if lines.iter().any(|line| long(line, 50)) || long(&self.city, 28) {
            return Some("A name, a street line or the city is too long");
        }
        None
    }

    pub fn wants_customs_form(&self) -> bool {
        CUSTOMS.split(' ').any(|state| state == self.state)
    }

    pub fn stop(&self) -> Stop {
        let (city, region, postcode) = (SmolStr::new(&self.city), SmolStr::new(&self.state), self.zip_code.into());
        Stop { city, region, postcode, country: SmolStr::new_static("US") }
    }

    /// As they stand on the label.
    pub fn lines(&self) -> [[&str; 3]; 4] {
        [
            [&self.first_name, &self.last_name, &self.firm],
            [&self.street_address, "", ""],
            [&self.secondary_address, "", ""],
            [&self.city, &self.state, self.zip_code],
        ]
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference<'a> {
    #[serde(borrow)]
    pub reference_number: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled<'a> {
    pub tracking_number: &'a str,
    pub status: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked<'a> {
    #[serde(borrow)]
    pub tracking_number: Cow<'a, str>,
}

/// The error body of the APIs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage<'a> {
    api_version: &'static str,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    errors: [ErrorDetail<'a>; 1],
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    title: &'a str,
    detail: &'a str,
    code: &'a str,
    source: Source<'a>,
}

#[derive(Serialize)]
struct Source<'a> {
    parameter: &'a str,
}

pub fn error<'a>(code: &'a str, message: &'a str, detail: &'a str, parameter: &'a str) -> ErrorMessage<'a> {
    let errors = [ErrorDetail { title: message, detail, code, source: Source { parameter } }];
    ErrorMessage { api_version: "v3", error: ErrorBody { code, message, errors } }
}

/// The error body of the token endpoint (RFC 6749, 5.2).
#[derive(Serialize)]
pub struct OauthError {
    error: &'static str,
    error_description: &'static str,
    error_uri: &'static str,
}

pub const INVALID_CLIENT: OauthError = OauthError {
    error: "invalid_client",
    error_description: "Client authentication failed.",
    error_uri: "https://datatracker.ietf.org/doc/html/rfc6749#page-45",
};

#[derive(Serialize)]
pub struct AccessToken {
    pub access_token: SmolStr,
    pub token_type: &'static str,
    pub expires_in: i64,
    pub status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentToken {
    pub payment_authorization_token: SmolStr,
}
