//! Expectations: `parcels.lost <= 20`, read against the figures of a run by their path in `kpis.json`.

use crate::kpis::Kpis;
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Expectation {
    pub text: String,
    path: String,
    operator: Operator,
    wanted: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    AtMost,
    AtLeast,
    Below,
    Above,
}

impl TryFrom<String> for Expectation {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [path, operator, wanted] = words[..] else {
            return Err(format!("{text:?} is not an expectation such as \"parcels.lost <= 20\""));
        };
        let operator = match operator {
            "==" => Operator::Equal,
            "<=" => Operator::AtMost,
            ">=" => Operator::AtLeast,
            "<" => Operator::Below,
            ">" => Operator::Above,
            other => return Err(format!("{text:?}: {other:?} is none of ==, <=, >=, <, >")),
        };
        let wanted = wanted.parse().map_err(|_| format!("{text:?}: {wanted:?} is not a number"))?;
        Ok(Expectation { path: path.into(), operator, wanted, text })
    }
}

/// What an expectation came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Met,
    /// The figure as it was.
    Missed(f64),
    /// There is no such figure.
    NoFigure,
}

impl Expectation {
    pub fn check(&self, kpis: &Kpis) -> Verdict {
        let Ok(all) = serde_json::to_value(kpis) else { return Verdict::NoFigure };
        let found = self.path.split('.').try_fold(&all, |value, name| value.get(name));
        // Money stands as text, so that no digit of it is lost.
        let Some(is) = found.and_then(|v| v.as_f64().or_else(|| v.as_str()?.parse().ok())).filter(|_| found != Some(&Value::Null)) else {
            return Verdict::NoFigure;
        };
        let met = match self.operator {
            Operator::Equal => is == self.wanted,
            Operator::AtMost => is <= self.wanted,
            Operator::AtLeast => is >= self.wanted,
            Operator::Below => is < self.wanted,
            Operator::Above => is > self.wanted,
        };
        if met { Verdict::Met } else { Verdict::Missed(is) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_ones_say_what_is_wrong() {
        let error = |text: &str| Expectation::try_from(text.to_owned()).unwrap_err();
        assert!(error("parcels.lost").contains("not an expectation"));
        assert!(error("parcels.lost => 3").contains("none of"));
        assert!(error("parcels.lost <= many").contains("not a number"));
    }
}
