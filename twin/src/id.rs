//! Typed identifiers. Each comes from a business key or from a counter in the twin, never from chance.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// The longest identifier that is accepted from outside, in bytes.
pub const ID_LENGTH_MAX: usize = 64;

/// What [`is_from_outside`] asks, in words.
pub const ID_RULE: &str = "1 to 64 printable characters without space, / or ?, and not dots alone";

/// Whether a text can be an identifier that comes from outside: it becomes part of keys, paths and addresses of pages, where
/// `.` and `..` are other places.
pub fn is_from_outside(text: &str) -> bool {
    (1..=ID_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b'?')
        && text.bytes().any(|b| b != b'.')
}

/// A text as one part of an id whose parts are parted by `:`. What is no printable ASCII, and what parts ids and paths, is
/// written as `%` and two hexadecimal digits.
pub fn escaped(text: &str) -> SmolStr {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'%' | b':' | b'/' | b'?' | b'#');
    if text.bytes().all(plain) {
        return SmolStr::new(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for b in text.bytes() {
        match plain(b) {
            true => out.push(char::from(b)),
            false => out.push_str(&format!("%{b:02X}")),
        }
    }
    out.into()
}

/// What [`escaped`] was given.
pub fn unescaped(part: &str) -> SmolStr {
    if !part.contains('%') {
        return SmolStr::new(part);
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(b) => {
                bytes.push(b);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into()
}

/// Whether a text can be a seller's id: it stands in front of SKUs, behind a `:`.
pub fn is_seller(text: &str) -> bool {
    is_from_outside(text) && !text.contains(':')
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(SmolStr::new(text))
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The text itself; cheap to clone.
            pub fn text(&self) -> &SmolStr {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
        impl From<SmolStr> for $name {
            fn from(text: SmolStr) -> Self {
                Self(text)
            }
        }
        impl crate::field::Field for $name {
            fn put(&self, pen: &mut crate::field::Pen) {
                pen.text(&self.0);
            }
            fn take(d: &mut minicbor::Decoder) -> Result<Self, minicbor::decode::Error> {
                d.str().map(Self::new)
            }
            fn is_absent(&self) -> bool {
                self.0.is_empty()
            }
            fn absent() -> Option<Self> {
                Some(Self::default())
            }
        }
    )*};
}

ids! {
    /// The platform's own number of the order, and whose it is: `AMA-000001@amazon:lamps`. See [`OrderId::of`].
    OrderId;
    /// An order's number and a place among the parcels of that number: `AMA-000001-1`. Short, since it stands in barcodes and in
    /// what carriers are told.
    ParcelId;
    /// Stock-keeping unit.
    Sku;
    /// Whose goods these are: `own`. Has no `:`, since it stands in front of a SKU.
    SellerId;
    /// A building: `SZX`.
    WarehouseId;
    /// A line, bench or dock in a building: `SZX/line-1`.
    StationId;
    /// One device of a station: `SZX/line-1/scale`.
    DeviceId;
    /// A company that carries: `usps`.
    CarrierId;
    /// One service of one carrier account: `usps/ground-advantage`.
    ChannelId;
    /// A bag's SSCC.
    BagId;
    /// `SZX/usps/20261109-1`.
    ManifestId;
}

/// The carrier's own number for a parcel.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackingNumber(pub SmolStr);

impl fmt::Display for TrackingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TrackingNumber {
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(SmolStr::new(text))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Between an order's number and whose it is.
const OF: char = '@';

impl OrderId {
    /// The number comes first, so that all orders of that number lie side by side. What platform and shop may not contain in
    /// an id is written as in a URL.
    pub fn of(platform: &str, shop: &str, number: &str) -> Self {
        let mut id = smol_str::SmolStrBuilder::new();
        id.push_str(number);
        id.push(OF);
        escape(&mut id, platform);
        id.push(':');
        escape(&mut id, shop);
        Self(id.finish())
    }

    /// The platform's own number of it.
    pub fn number(&self) -> &str {
        self.0.rsplit_once(OF).map_or(self.0.as_str(), |(number, _)| number)
    }

    /// What the ids of all orders of a number begin with.
    pub fn beginning(number: &str) -> SmolStr {
        smol_str::format_smolstr!("{number}{OF}")
    }
}

fn escape(id: &mut smol_str::SmolStrBuilder, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'/' | b'?' | b'@' | b':' | b'%' | b'#' => hex(id, byte),
            byte if byte.is_ascii_graphic() => id.push(char::from(byte)),
            byte => hex(id, byte),
        }
    }
}

fn hex(id: &mut smol_str::SmolStrBuilder, byte: u8) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    ['%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]].into_iter().for_each(|c| id.push(c));
}

impl ParcelId {
    /// The `n`th parcel (from 1) of an order's number.
    pub fn of(order: &OrderId, n: u32) -> Self {
        Self(smol_str::format_smolstr!("{}-{n}", order.number()))
    }

    /// The number of the orders that it is a parcel of.
    pub fn number(&self) -> &str {
        self.0.rsplit_once('-').map_or(self.0.as_str(), |(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::{ID_LENGTH_MAX, OrderId, ParcelId, is_from_outside};

    #[test]
    fn an_order_is_known_by_platform_shop_and_number() {
        for (platform, shop, number, id) in [
            ("shopify", "lamps", "#1001", "#1001@shopify:lamps"),
            ("shopify", "Müller & Söhne", "1", "1@shopify:M%C3%BCller%20&%20S%C3%B6hne"),
            ("a:b", "c@d/e?", "x@y", "x@y@a%3Ab:c%40d%2Fe%3F"),
            ("", "", "1", "1@:"),
        ] {
            let order = OrderId::of(platform, shop, number);
            assert_eq!((order.as_str(), order.number()), (id, number));
            assert!(order.as_str().starts_with(OrderId::beginning(number).as_str()));
            assert_eq!(ParcelId::of(&order, 2).number(), number);
        }
        assert_ne!(OrderId::of("a", "b:c", "1"), OrderId::of("a:b", "c", "1"));
        assert_eq!(OrderId::new("A-1").number(), "A-1", "one of an older journal");
    }

    #[test]
    fn ids_from_outside_are_one_step_of_a_path() {
        for good in ["A-1", "#1001", "a.b", ".a", "..a", "X^XZ~JA", &"a".repeat(ID_LENGTH_MAX)] {
            assert!(is_from_outside(good), "{good}");
        }
        for bad in
            ["", ".", "..", "...", &".".repeat(ID_LENGTH_MAX), "a/b", "../a", "a?b", "a b", "ä", "a\u{7}", &"a".repeat(ID_LENGTH_MAX + 1)]
        {
            assert!(!is_from_outside(bad), "{bad}");
        }
    }
}
