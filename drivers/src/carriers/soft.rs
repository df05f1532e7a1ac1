//! A value as carriers really send it: missing, null, or of another kind than their description says. Reading one never
//! fails but over broken JSON, so that a wrong field costs that field and nothing round it. It judges nothing: what is
//! [`Soft::Bad`] is reported by whoever wanted it.

use super::caller::Text;
use super::figures::{Code, Figure};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Of a value of the wrong kind this much is shown, in characters.
const SHOWN_MAX: usize = 60;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Soft<T> {
    /// Missing or null: platforms and carriers use both alike.
    #[default]
    Absent,
    Good(T),
    /// Of another kind; what stood there instead, for people.
    Bad(SmolStr),
}

impl<T> Soft<T> {
    pub fn good(&self) -> Option<&T> {
        if let Soft::Good(value) = self { Some(value) } else { None }
    }
}

impl Soft<Text<'_>> {
    pub fn text(&self) -> Option<&str> {
        self.good().map(|text| &**text)
    }
}

impl<T> fmt::Display for Soft<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Soft::Absent => f.write_str("missing"),
            Soft::Good(_) => f.write_str("there"),
            Soft::Bad(is) => f.write_str(is),
        }
    }
}

/// How a kind of value is made of what JSON has. What a kind does not take gives `None` or the text back.
pub(super) trait Shape<'de>: Sized {
    fn of_text(text: Cow<'de, str>) -> Result<Self, Cow<'de, str>> {
        Err(text)
    }
    fn of_number(_: &Number) -> Option<Self> {
        None
    }
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn of_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de: 'a, 'a> Shape<'de> for Text<'a> {
    fn of_text(text: Cow<'de, str>) -> Result<Self, Cow<'de, str>> {
        Ok(Text(text))
    }
    fn of_number(number: &Number) -> Option<Self> {
        Some(Text(Cow::Owned(number.to_string())))
    }
}

impl<'de> Shape<'de> for Code {
    fn of_text(text: Cow<'de, str>) -> Result<Self, Cow<'de, str>> {
        Ok(Code(text.as_ref().into()))
    }
    fn of_number(number: &Number) -> Option<Self> {
        Some(Code(number.to_smolstr()))
    }
}

impl<'de> Shape<'de> for Figure {
    fn of_text(text: Cow<'de, str>) -> Result<Self, Cow<'de, str>> {
        text.trim().parse().map(Figure).map_err(|_| text)
    }
    fn of_number(number: &Number) -> Option<Self> {
        Figure::of_number(number)
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Vec<Soft<T>> {
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut all = Vec::with_capacity(list.size_hint().unwrap_or(8).min(64));
        while let Some(element) = list.next_element()? {
            all.push(element);
        }
        Ok(Some(all))
    }
}

/// Objects whose fields all are `Soft`, each with `#[serde(default)]`.
macro_rules! object {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        $(impl<'de $(: $life, $life)?> $crate::carriers::soft::Shape<'de> for $name $(<$life>)? {
            fn of_map<A: serde::de::MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
            }
        })*
    };
}
pub(super) use object;

impl<'de, T: Shape<'de>> Deserialize<'de> for Soft<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Shape<'de>> Visitor<'de> for Any<T> {
            type Value = Soft<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Soft<T>, E> {
                Ok(Soft::Absent)
            }
            fn visit_none<E>(self) -> Result<Soft<T>, E> {
                Ok(Soft::Absent)
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Soft<T>, D::Error> {
                Soft::deserialize(inner)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Soft<T>, E> {
                Ok(Soft::Bad(format_smolstr!("{value}")))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Soft<T>, E> {
                Ok(number(Number::from(n)))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Soft<T>, E> {
                Ok(number(Number::from(n)))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Soft<T>, E> {
                Ok(Number::from_f64(n).map_or_else(|| Soft::Bad(format_smolstr!("{n}")), number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Soft<T>, E> {
                Ok(words(Cow::Owned(text.to_owned())))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Soft<T>, E> {
                Ok(words(Cow::Borrowed(text)))
            }
            fn visit_string<E>(self, text: String) -> Result<Soft<T>, E> {
                Ok(words(Cow::Owned(text)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Soft<T>, A::Error> {
                Ok(T::of_list(list)?.map_or_else(|| Soft::Bad("a list".into()), Soft::Good))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Soft<T>, A::Error> {
                Ok(T::of_map(map)?.map_or_else(|| Soft::Bad("an object".into()), Soft::Good))
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

fn number<'de, T: Shape<'de>>(number: Number) -> Soft<T> {
    T::of_number(&number).map_or_else(|| Soft::Bad(number.to_smolstr()), Soft::Good)
}

fn words<'de, T: Shape<'de>>(text: Cow<'de, str>) -> Soft<T> {
    T::of_text(text).map_or_else(|text| Soft::Bad(shown(&text)), Soft::Good)
}

/// A foreign text between quotes, its control characters escaped, not longer than a line.
pub(super) fn shown(text: &str) -> SmolStr {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format_smolstr!("{:?}…", &text[..end]),
        None => format_smolstr!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_json_is_read_as_what_was_wanted_or_told() {
        let figure = |json: &str| serde_json::from_str::<Soft<Figure>>(json).unwrap();
        assert_eq!(figure("null"), Soft::Absent);
        assert_eq!(figure("12.50"), figure("\"12.50\""));
        for (json, shown) in
            [("\"\"", "\"\""), ("true", "true"), ("[1,{}]", "a list"), ("{\"a\":[2]}", "an object"), ("\"n\\u0007\"", "\"n\\u{7}\"")]
        {
            assert_eq!(figure(json), Soft::Bad(shown.into()), "{json}");
        }
        let list = serde_json::from_str::<Soft<Vec<Soft<Code>>>>(r#"["a", 7, null, {"b": [1]}, "c"]"#).unwrap();
        let Soft::Good(list) = list else { panic!("{list:?}") };
        assert_eq!(list.iter().filter_map(Soft::good).map(|c| c.0.as_str()).collect::<Vec<_>>(), ["a", "7", "c"]);
        assert_eq!((&list[2], &list[3]), (&Soft::Absent, &Soft::Bad("an object".into())));
        assert!(serde_json::from_str::<Soft<Figure>>("{\"a\":").is_err(), "broken JSON is still broken");
    }
}
