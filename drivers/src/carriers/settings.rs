//! What must be known to talk to a carrier: which API it speaks, where, for which account. Values from a settings file;
//! the secret itself is handed in separately and never printed.

use serde::Deserialize;
use std::fmt;
use twin::CarrierId;

/// How long a carrier may take to answer, where the settings do not say.
const TIMEOUT_MS_DEFAULT: u64 = 10_000;

/// One account with one carrier, as it stands in a settings file.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CarrierSettings {
    /// By which channels name it.
    pub id: CarrierId,
    /// Which API it speaks.
    pub kind: CarrierKind,
    /// `https://apis.usps.com`, or `sim:` for the simulated carrier of that id.
    pub base_url: String,
    /// USPS: an EPS account number, or `CRID/MID/manifest MID/EPS account` where labels are bought. MyDHL: the shipper
    /// account number. A forwarder: the customer code.
    pub account: String,
    /// The NAME of the environment variable that holds the secret.
    #[serde(default)]
    pub secret_env: Option<String>,
    /// How long it may take to answer, in milliseconds.
    #[serde(default = "timeout_ms_default")]
    pub timeout_ms: u64,
}

fn timeout_ms_default() -> u64 {
    TIMEOUT_MS_DEFAULT
}

/// Which API a carrier speaks.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CarrierKind {
    Usps,
    Mydhl,
    Forwarder,
}

impl CarrierSettings {
    /// Scheme, host and path prefix without a slash at the end: `sim:` becomes `http://<id>.sim`.
    pub fn origin(&self) -> String {
        match self.base_url.as_str() {
            "sim:" => format!("http://{}.sim", self.id),
            url => url.trim_end_matches('/').to_owned(),
        }
    }
}

/// A credential. It prints as dots, so that it cannot reach a log by accident.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value itself, for the one header or body it belongs in.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The two halves of `user:password`; without a colon the second is empty.
    pub fn halves(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or((&self.0, ""))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_and_the_simulated_carrier_has_a_host() {
        let settings: CarrierSettings = serde_json::from_str(r#"{"id":"usps","kind":"usps","base_url":"sim:","account":"1000"}"#).unwrap();
        assert_eq!(settings.origin(), "http://usps.sim");
        assert_eq!(settings.timeout_ms, TIMEOUT_MS_DEFAULT);
        let settings = CarrierSettings { base_url: "https://apis.usps.com/".into(), ..settings };
        assert_eq!(settings.origin(), "https://apis.usps.com");
        assert!(serde_json::from_str::<CarrierSettings>(r#"{"id":"u","kind":"usps","base_url":"","account":"","secret":"x"}"#).is_err());
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("abc:def");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.halves(), ("abc", "def"));
    }
}
