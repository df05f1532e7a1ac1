//! How a value is written for ever: CBOR in which fields and variants have numbers, given in [`crate::schema`].
//!
//! A struct is a map from field number to value; what has its default is left out, and reads back as the default. Numbers
//! that are not known are skipped. An enum is its variant's number, or an array of that and a map of its fields. So a new
//! field, a new variant and a new name change nothing about what was written before.

use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};
use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::money::Currency;
use crate::{Dims, Hash, Moment, Money, Span, TrackingNumber};

/// Writes CBOR into memory, which has no way to fail: so what the encoder returns is dropped.
pub struct Pen<'a>(Encoder<&'a mut Vec<u8>>);

impl<'a> Pen<'a> {
    pub fn new(bytes: &'a mut Vec<u8>) -> Self {
        Pen(Encoder::new(bytes))
    }
    pub fn uint(&mut self, n: u64) {
        drop(self.0.u64(n));
    }
    pub fn int(&mut self, n: i64) {
        drop(self.0.i64(n));
    }
    pub fn text(&mut self, text: &str) {
        drop(self.0.str(text));
    }
    pub fn bytes(&mut self, bytes: &[u8]) {
        drop(self.0.bytes(bytes));
    }
    pub fn array(&mut self, length: usize) {
        drop(self.0.array(length as u64));
    }
    pub fn map(&mut self, length: u64) {
        drop(self.0.map(length));
    }
    pub fn bool(&mut self, yes: bool) {
        drop(self.0.bool(yes));
    }
    pub fn null(&mut self) {
        drop(self.0.null());
    }
}

/// A value that can stand in a record.
pub trait Field: Sized {
    fn put(&self, pen: &mut Pen);
    fn take(d: &mut Decoder) -> Result<Self, Error>;
    /// Whether its struct leaves it out.
    fn is_absent(&self) -> bool {
        false
    }
    /// What it is where its struct does not have it; `None`: it must be there.
    fn absent() -> Option<Self> {
        None
    }
}

/// The length of an array or map, which is always told at its head.
pub fn counted(length: Option<u64>, d: &Decoder) -> Result<u64, Error> {
    length.ok_or_else(|| Error::message("a length is not told").at(d.position()))
}

macro_rules! uints {
    ($($t:ty),*) => {$(
        impl Field for $t {
            fn put(&self, pen: &mut Pen) { pen.uint(u64::from(*self)); }
            fn take(d: &mut Decoder) -> Result<Self, Error> {
                let (n, at) = (d.u64()?, d.position());
                <$t>::try_from(n).map_err(|_| Error::message("a number is too large for its field").at(at))
            }
            fn is_absent(&self) -> bool { *self == 0 }
            fn absent() -> Option<Self> { Some(0) }
        }
    )*};
}
uints!(u8, u16, u32, u64);

macro_rules! wrapped {
    ($($t:ident($inner:ty)),*) => {$(
        impl Field for $t {
            fn put(&self, pen: &mut Pen) { self.0.put(pen); }
            fn take(d: &mut Decoder) -> Result<Self, Error> { <$inner>::take(d).map($t) }
            fn is_absent(&self) -> bool { self.0.is_absent() }
            fn absent() -> Option<Self> { <$inner>::absent().map($t) }
        }
    )*};
}
wrapped!(Moment(i64), Span(i64), TrackingNumber(SmolStr));

impl Field for i64 {
    fn put(&self, pen: &mut Pen) {
        pen.int(*self);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        d.i64()
    }
    fn is_absent(&self) -> bool {
        *self == 0
    }
    fn absent() -> Option<Self> {
        Some(0)
    }
}

impl Field for bool {
    fn put(&self, pen: &mut Pen) {
        pen.bool(*self);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        d.bool()
    }
    fn is_absent(&self) -> bool {
        !*self
    }
    fn absent() -> Option<Self> {
        Some(false)
    }
}

/// A kind is written as its number.
impl Field for crate::Kind {
    fn put(&self, pen: &mut Pen) {
        u32::from(self.number()).put(pen);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        let number = u32::take(d)?;
        crate::Kind::of_number(number).ok_or_else(|| Error::message(format!("there is no kind {number}")))
    }
}

impl Field for SmolStr {
    fn put(&self, pen: &mut Pen) {
        pen.text(self);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        d.str().map(SmolStr::new)
    }
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn absent() -> Option<Self> {
        Some(SmolStr::default())
    }
}

impl Field for Hash {
    fn put(&self, pen: &mut Pen) {
        pen.bytes(&self.0);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        let (bytes, at) = (d.bytes()?, d.position());
        bytes.try_into().map(Hash).map_err(|_| Error::message("a hash has 32 bytes").at(at))
    }
}

/// `[scale, mantissa]`; the mantissa as 16 bytes, big-endian, where it is beyond 63 bits.
impl Field for Decimal {
    fn put(&self, pen: &mut Pen) {
        pen.array(2);
        put_parts(*self, pen);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        expect_array(d, 2)?;
        take_parts(d)
    }
    fn is_absent(&self) -> bool {
        self.is_zero() && self.scale() == 0
    }
    fn absent() -> Option<Self> {
        Some(Decimal::ZERO)
    }
}

fn put_parts(amount: Decimal, pen: &mut Pen) {
    pen.uint(u64::from(amount.scale()));
    match i64::try_from(amount.mantissa()) {
        Ok(small) => pen.int(small),
        Err(_) => pen.bytes(&amount.mantissa().to_be_bytes()),
    }
}

fn take_parts(d: &mut Decoder) -> Result<Decimal, Error> {
    let at = d.position();
    let scale = d.u32()?;
    let mantissa = match d.datatype()? {
        Type::Bytes => i128::from_be_bytes(d.bytes()?.try_into().map_err(|_| Error::message("a mantissa has 16 bytes").at(at))?),
        _ => i128::from(d.i64()?),
    };
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| Error::message("an amount is out of range").at(at))
}

fn expect_array(d: &mut Decoder, length: u64) -> Result<(), Error> {
    let at = d.position();
    match d.array()? {
        Some(n) if n == length => Ok(()),
        _ => Err(Error::message("an array has another length").at(at)),
    }
}

/// `[scale, mantissa, currency]`
impl Field for Money {
    fn put(&self, pen: &mut Pen) {
        pen.array(3);
        put_parts(self.amount, pen);
        pen.text(self.currency.code());
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        expect_array(d, 3)?;
        let amount = take_parts(d)?;
        let at = d.position();
        let currency = Currency::from_code(d.str()?).ok_or_else(|| Error::message("a currency is not known").at(at))?;
        Ok(Money { amount, currency })
    }
}

/// `[length, width, height]`, mm
impl Field for Dims {
    fn put(&self, pen: &mut Pen) {
        pen.array(3);
        [self.length_mm, self.width_mm, self.height_mm].iter().for_each(|side| side.put(pen));
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        expect_array(d, 3)?;
        Ok(Dims { length_mm: d.u32()?, width_mm: d.u32()?, height_mm: d.u32()? })
    }
    fn is_absent(&self) -> bool {
        self.is_zero()
    }
    fn absent() -> Option<Self> {
        Some(Dims::default())
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, pen: &mut Pen) {
        match self {
            Some(value) => value.put(pen),
            None => pen.null(),
        }
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        match d.datatype()? {
            Type::Null => d.null().map(|()| None),
            _ => T::take(d).map(Some),
        }
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Field> Field for Box<T> {
    fn put(&self, pen: &mut Pen) {
        (**self).put(pen);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        T::take(d).map(Box::new)
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, pen: &mut Pen) {
        pen.array(self.len());
        self.iter().for_each(|item| item.put(pen));
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        let length = d.array()?;
        (0..counted(length, d)?).map(|_| T::take(d)).collect()
    }
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

/// `[first, second]`
impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, pen: &mut Pen) {
        pen.array(2);
        self.0.put(pen);
        self.1.put(pen);
    }
    fn take(d: &mut Decoder) -> Result<Self, Error> {
        expect_array(d, 2)?;
        Ok((A::take(d)?, B::take(d)?))
    }
}

/// An enum whose variants have numbers.
pub trait Variants: Sized {
    fn number(&self) -> u32;
    /// Writes the variant's fields as a map.
    fn put_fields(&self, pen: &mut Pen);
    /// Reads variant `number`. `None` as decoder: nothing but the number was written.
    fn take_fields(number: u32, d: Option<&mut Decoder>) -> Result<Self, Error>;
    /// Whether there is anything but the number to write.
    fn is_bare(&self) -> bool;
}

pub(crate) fn put_variant<T: Variants>(value: &T, pen: &mut Pen) {
    if value.is_bare() {
        return pen.uint(u64::from(value.number()));
    }
    pen.array(2);
    pen.uint(u64::from(value.number()));
    value.put_fields(pen);
}

pub(crate) fn take_variant<T: Variants>(d: &mut Decoder) -> Result<T, Error> {
    match d.datatype()? {
        Type::Array => {
            expect_array(d, 2)?;
            let number = d.u32()?;
            T::take_fields(number, Some(d))
        }
        _ => T::take_fields(d.u32()?, None),
    }
}

/// Gives the fields of structs and the variants of enums their numbers, and lists them all in `NUMBERS`.
macro_rules! numbered {
    (@item $sink:ident struct $name:literal $path:path { $($n:literal $field:ident : $t:ty),* $(,)? }) => {
        impl $crate::field::Field for $path {
            fn put(&self, pen: &mut $crate::field::Pen) {
                pen.map(0 $(+ u64::from(!$crate::field::Field::is_absent(&self.$field)))*);
                $(if !$crate::field::Field::is_absent(&self.$field) {
                    pen.uint($n);
                    $crate::field::Field::put(&self.$field, pen);
                })*
            }
            fn take(d: &mut minicbor::Decoder) -> Result<Self, minicbor::decode::Error> {
                $(let mut $field: Option<$t> = None;)*
                let fields = d.map()?;
                for _ in 0..$crate::field::counted(fields, d)? {
                    match d.u64()? {
                        $($n => $field = Some($crate::field::Field::take(d)?),)*
                        _ => d.skip()?,
                    }
                }
                Ok(Self { $($field: $crate::field::given($field, concat!($name, ".", stringify!($field)))?),* })
            }
        }
    };
    (@item $sink:ident enum $name:literal $path:path { $($n:literal $variant:ident { $($fnum:literal $bind:ident : $t:ty),* $(,)? }),* $(,)? }) => {
        impl $crate::field::Variants for $path {
            fn number(&self) -> u32 {
                match self { $(Self::$variant { .. } => $n),* }
            }
            fn is_bare(&self) -> bool {
                match self { $(Self::$variant { $($bind),* } => true $(&& $crate::field::Field::is_absent($bind))*),* }
            }
            fn put_fields(&self, pen: &mut $crate::field::Pen) {
                match self { $(Self::$variant { $($bind),* } => {
                    pen.map(0 $(+ u64::from(!$crate::field::Field::is_absent($bind)))*);
                    $(if !$crate::field::Field::is_absent($bind) {
                        pen.uint($fnum);
                        $crate::field::Field::put($bind, pen);
                    })*
                }),* }
            }
            #[allow(unused_mut, unused_variables, unreachable_code)]
            fn take_fields(number: u32, d: Option<&mut minicbor::Decoder>) -> Result<Self, minicbor::decode::Error> {
                match number {
                    $($n => {
                        $(let mut $bind: Option<$t> = None;)*
                        if let Some(d) = d {
                            let fields = d.map()?;
                            for _ in 0..$crate::field::counted(fields, d)? {
                                match d.u64()? {
                                    $($fnum => $bind = Some($crate::field::Field::take(d)?),)*
                                    _ => d.skip()?,
                                }
                            }
                        }
                        Ok(Self::$variant { $($bind: $crate::field::given($bind, concat!($name, ".", stringify!($variant), ".", stringify!($bind)))?),* })
                    })*
                    newer => Err(minicbor::decode::Error::message(format!("{} {newer} is not known to this program; a newer one wrote it", $name))),
                }
            }
        }
        impl $crate::field::Field for $path {
            fn put(&self, pen: &mut $crate::field::Pen) { $crate::field::put_variant(self, pen); }
            fn take(d: &mut minicbor::Decoder) -> Result<Self, minicbor::decode::Error> { $crate::field::take_variant(d) }
        }
    };
    (@lines struct $name:literal { $($n:literal $field:ident : $t:ty),* $(,)? }) => {
        &[$(concat!($name, " ", stringify!($n), " ", stringify!($field), ": ", stringify!($t))),*]
    };
    (@lines enum $name:literal { $($n:literal $variant:ident { $($fnum:literal $bind:ident : $t:ty),* $(,)? }),* $(,)? }) => {
        &[$(concat!($name, " ", stringify!($n), " ", stringify!($variant)), $(concat!($name, " ", stringify!($n), ".", stringify!($fnum), " ", stringify!($variant), ".", stringify!($bind), ": ", stringify!($t)),)*)*]
    };
    ($($kind:ident $name:literal $path:path { $($body:tt)* })*) => {
        $($crate::field::numbered!(@item _x $kind $name $path { $($body)* });)*
        /// Every number ever given, a line each: type, number, name, and what stands there.
        pub const NUMBERS: &[&[&str]] = &[$($crate::field::numbered!(@lines $kind $name { $($body)* })),*];
    };
}
pub(crate) use numbered;

/// The field that was read, or its default.
pub(crate) fn given<T: Field>(read: Option<T>, name: &'static str) -> Result<T, Error> {
    match read {
        Some(value) => Ok(value),
        None => T::absent().ok_or_else(|| Error::message(format!("{name} is not there"))),
    }
}
