//! A place in a JSON document that knows its path, so that a bad value can be named: `orders[3].line_items[0].price`.
//!
//! Reads values; never knows what they mean.

use super::quoted;
use rust_decimal::Decimal;
use serde_json::Value;
use smol_str::{SmolStr, ToSmolStr};

/// The longest text that is read from a document, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// A value of a JSON document that could not be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {path} is {value}; expected {expected}")]
pub struct BadJson {
    pub file: String,
    /// `orders[3].line_items[0].price`, from the top.
    pub path: String,
    /// As JSON, cut to a line.
    pub value: String,
    pub expected: String,
}

/// Reads a document. Whole numbers beyond 64 bits, which platforms use as names of things, become texts: as a double they
/// would lose digits.
pub fn parse(text: &[u8]) -> serde_json::Result<Value> {
    let mut kept = Vec::with_capacity(text.len());
    let (mut at, mut in_text) = (0, false);
    while let Some(&byte) = text.get(at) {
        let digits = if in_text { 0 } else { text[at..].iter().take_while(|b| b.is_ascii_digit()).count() };
        if digits == 0 {
            if in_text && byte == b'\\' {
                kept.push(byte);
                at += 1;
            } else if byte == b'"' {
                in_text = !in_text;
            }
            kept.extend(text.get(at));
            at += 1;
            continue;
        }
        let number = &text[at..at + digits];
        let is_whole =
            !matches!(text.get(at + digits), Some(b'.' | b'e' | b'E')) && !matches!(kept.last(), Some(b'.' | b'-' | b'+' | b'e' | b'E'));
        let is_big = digits >= 20 && std::str::from_utf8(number).is_ok_and(|n| n.parse::<u64>().is_err());
        if is_whole && is_big {
            kept.push(b'"');
            kept.extend_from_slice(number);
            kept.push(b'"');
        } else {
            kept.extend_from_slice(number);
        }
        at += digits;
    }
    serde_json::from_slice(&kept)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Top,
    Key(&'static str),
    Index(usize),
}

/// One value and the way to it. A missing key is a node too, of value `null`: platforms use both alike.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    file: &'a str,
    value: &'a Value,
    step: Step,
    parent: Option<&'a Node<'a>>,
}

impl<'a> Node<'a> {
    pub fn top(file: &'a str, value: &'a Value) -> Self {
        Node { file, value, step: Step::Top, parent: None }
    }

    /// The value of a key; `null` where it is missing.
    pub fn get<'b>(&'b self, key: &'static str) -> Node<'b> {
        Node { file: self.file, value: self.value.get(key).unwrap_or(&Value::Null), step: Step::Key(key), parent: Some(self) }
    }

    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// `orders[3].name`; `document` at the top.
    pub fn path(&self) -> String {
        let above = self.parent.filter(|p| !matches!(p.step, Step::Top)).map(Node::path).unwrap_or_default();
        match self.step {
            Step::Top => "document".into(),
            Step::Key(key) if above.is_empty() => key.into(),
            Step::Key(key) => format!("{above}.{key}"),
            Step::Index(n) => format!("{above}[{n}]"),
        }
    }

    /// The error that this value is not what was expected.
    pub fn bad(&self, expected: impl Into<String>) -> BadJson {
        BadJson { file: self.file.into(), path: self.path(), value: quoted(&self.value.to_string()), expected: expected.into() }
    }

    /// The elements of a list. `null` is an empty list.
    pub fn items<'b>(&'b self) -> Result<impl Iterator<Item = Node<'b>>, BadJson> {
        let list: &[Value] = match self.value {
            Value::Array(list) => list,
            Value::Null => &[],
            _ => return Err(self.bad("a list")),
        };
        Ok(list.iter().enumerate().map(|(n, value)| Node { file: self.file, value, step: Step::Index(n), parent: Some(self) }))
    }

    /// A text without the spaces round it, or a number as written. `None` for `null` and for nothing but spaces.
    pub fn text(&self) -> Result<Option<SmolStr>, BadJson> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) if text.len() > TEXT_BYTES_MAX => Err(self.bad(format!("at most {TEXT_BYTES_MAX} bytes"))),
            Value::String(text) => Ok(Some(text.trim()).filter(|t| !t.is_empty()).map(SmolStr::new)),
            Value::Number(number) => Ok(Some(number.to_smolstr())),
            _ => Err(self.bad("a text")),
        }
    }

    /// [`Node::text`], empty where there is none.
    pub fn text_or_empty(&self) -> Result<SmolStr, BadJson> {
        Ok(self.text()?.unwrap_or_default())
    }

    /// A whole number from 0, as number or as text.
    pub fn whole(&self) -> Result<Option<u32>, BadJson> {
        let wrong = || self.bad(format!("a whole number from 0 to {}", u32::MAX));
        self.text()?.map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    pub fn flag(&self) -> Result<Option<bool>, BadJson> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(self.bad("true or false")),
        }
    }

    /// A decimal amount, usually written as a text: `"199.00"`.
    pub fn decimal(&self) -> Result<Decimal, BadJson> {
        let wrong = || self.bad("a decimal amount such as \"199.00\"");
        self.text()?.and_then(|text| text.parse().ok()).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bad_value_is_named_by_its_path() {
        let document = json!({ "orders": [{}, { "lines": [{ "price": "7,50", "quantity": -1, "gift": "no", "sku": [1] }] }] });
        let top = Node::top("page.json", &document);
        let orders = top.get("orders");
        let order = orders.items().unwrap().nth(1).unwrap();
        let lines = order.get("lines");
        let line = lines.items().unwrap().next().unwrap();
        assert_eq!(
            line.get("price").decimal().unwrap_err().to_string(),
            "page.json: orders[1].lines[0].price is \"7,50\"; expected a decimal amount such as \"199.00\""
        );
        assert_eq!(
            line.get("quantity").whole().unwrap_err().to_string(),
            "page.json: orders[1].lines[0].quantity is -1; expected a whole number from 0 to 4294967295"
        );
        assert_eq!(line.get("gift").flag().unwrap_err().expected, "true or false");
        assert_eq!(line.get("sku").text().unwrap_err().to_string(), "page.json: orders[1].lines[0].sku is [1]; expected a text");
        assert_eq!(top.get("orders").text().unwrap_err().path, "orders");
        assert_eq!(top.bad("x").path, "document");
    }

    #[test]
    fn big_numbers_become_texts_and_nothing_else_changes() {
        let text = r#"{"a": 18446744073709551615, "b": 18446744073709551616, "c": "x \\\" 18446744073709551616", "d": 1.18446744073709551616, "e": [123456789012345678901e2]}"#;
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!((&document["a"], &document["b"]), (&json!(u64::MAX), &json!("18446744073709551616")));
        let mut plain: Value = serde_json::from_str(text).unwrap();
        plain["b"] = json!("18446744073709551616");
        assert_eq!(document, plain);
        assert!(parse(b"{\"a\": \"\\").is_err());
    }

    #[test]
    fn numbers_and_texts_both_serve() {
        let document = json!({ "a": 12, "b": " 12 ", "c": null, "d": "  ", "e": 19.9, "f": "x".repeat(TEXT_BYTES_MAX + 1) });
        let top = Node::top("f", &document);
        assert_eq!((top.get("a").whole().unwrap(), top.get("b").whole().unwrap()), (Some(12), Some(12)));
        assert_eq!((top.get("c").text().unwrap(), top.get("d").text().unwrap(), top.get("z").text().unwrap()), (None, None, None));
        assert_eq!(top.get("e").decimal().unwrap().to_string(), "19.9");
        assert_eq!(top.get("f").text().unwrap_err().expected, "at most 4096 bytes");
    }
}
