//! Order files as CSV: `orders.csv`, one row per order line, the rows of one order together. Columns are found by name; columns that nobody asked for are ignored.
//!
//! A file is taken whole or not at all: the first bad row is named by file, line, field and value. Never guesses a value.

use super::{CSV_BYTES_MAX, Limited, quoted};
use csv::StringRecord;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::HashSet;
use std::io::Read;
use twin::id::{ID_LENGTH_MAX, ID_RULE, is_from_outside};
use twin::money::Currency;
use twin::new_order::{LINE_QUANTITY_MAX, NewLine, NewOrder, TERM_LENGTH_MAX, TaxIds, Terms};
use twin::{Address, Moment, Money, OrderId, Sku};

/// The longest field that is read, in bytes.
pub const FIELD_BYTES_MAX: usize = 1_024;
/// The most rows of one file.
pub const ROWS_MAX: u64 = 2_000_000;
/// A row that could not be taken, and what would have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} line {line}: {field} is {value:?}; expected {expected}")]
pub struct BadRow {
    pub file: String,
    /// From 1, the header being line 1.
    pub line: u64,
    pub field: String,
    pub value: String,
    pub expected: String,
}

const ORDER_COLUMNS: [&str; 12] =
    ["order_id", "platform", "shop", "placed_at", "country", "postcode", "city", "region", "sku", "quantity", "unit_price", "currency"];
/// Columns that say something of the order, not of its line: they must be the same in all its rows. The three before them say
/// which order it is.
const ORDER_FACTS: std::ops::RangeInclusive<usize> = 3..=7;
const SKU: usize = 8;
const QUANTITY: usize = 9;
const UNIT_PRICE: usize = 10;
const CURRENCY: usize = 11;
const NAME: usize = 12;
const STREET: usize = 13;
const PAID: usize = 14;
const UPDATED_AT: usize = 15;
const SHIP_BY: usize = 16;
const DELIVER_BY: usize = 17;
const SERVICE: usize = 18;
const IOSS: usize = 19;
const VOEC: usize = 20;
const EORI: usize = 21;
const GIFT_NOTE: usize = 22;
const MAY_BE: [&str; 11] =
    ["name", "street", "paid", "updated_at", "ship_by", "deliver_by", "service", "ioss", "voec", "eori", "gift_note"];

/// Reads `orders.csv`: order_id, platform, shop, placed_at (RFC 3339 with an offset), country, postcode, city, region, sku, quantity,
/// unit_price, currency; and, where there are such columns, name, street, paid (0 or 1), updated_at, ship_by, deliver_by, service (the
/// shipping that the buyer paid for), ioss, voec, eori and gift_note.
///
/// Exports without names and streets are common (they are what a seller may hand around), yet no carrier sells a label without
/// them. So an order without a name is addressed to its own number, and one without a street to its city: a label can be bought,
/// and nobody takes it for a person. An order without `paid` is paid: such exports hold what the platform released.
pub fn read_orders(name: &str, reader: impl Read) -> Result<Vec<NewOrder>, BadRow> {
    let mut rows = Rows::new(name, reader, ORDER_COLUMNS, MAY_BE)?;
    let mut orders: Vec<NewOrder> = Vec::new();
    let mut seen: HashSet<OrderId> = HashSet::new();
    // The order being read: its first row and that row's line.
    let (mut first, mut first_line) = (StringRecord::new(), 0);
    while rows.next()? {
        let line = NewLine { sku: rows.sku(SKU)?, quantity: rows.whole(QUANTITY, 1, LINE_QUANTITY_MAX)?, unit_price: rows.price()? };
        match orders.last_mut() {
            Some(order) if [&order.number, &order.platform, &order.shop].into_iter().enumerate().all(|(at, is)| is == rows.field(at)) => {
                if let Some(at) = ORDER_FACTS.chain(NAME..=GIFT_NOTE).find(|at| rows.field(*at) != rows.field_of(&first, *at)) {
                    return Err(rows.bad(at, format!("{:?} as in line {first_line}, the same order", rows.field_of(&first, at))));
                }
                order.lines.push(line);
            }
            last => {
                if let Some(order) = last {
                    rows.check(order, first_line)?;
                }
                let order = rows.order(line)?;
                if !seen.insert(order.id()) {
                    return Err(rows.bad(0, "the rows of one order together, but this order ended earlier"));
                }
                (first, first_line) = (rows.record.clone(), rows.line());
                orders.push(order);
            }
        }
    }
    if let Some(order) = orders.last() {
        rows.check(order, first_line)?;
    }
    Ok(orders)
}

/// A CSV file read row by row into one reused record.
pub(super) struct Rows<'a, R> {
    file: &'a str,
    reader: csv::Reader<Limited<R>>,
    record: StringRecord,
    /// Names of the columns asked for, and where each stands; an optional one may stand nowhere.
    columns: Vec<(&'static str, Option<usize>)>,
    rows: u64,
    /// Nothing more can be read of it.
    over: bool,
}

impl<'a, R: Read> Rows<'a, R> {
    pub(super) fn new<const N: usize, const M: usize>(
        file: &'a str,
        reader: R,
        needed: [&'static str; N],
        wanted: [&'static str; M],
    ) -> Result<Self, BadRow> {
        let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(Limited::new(reader, CSV_BYTES_MAX));
        let mut rows = Rows { file, reader, record: StringRecord::new(), columns: Vec::with_capacity(N + M), rows: 0, over: false };
        let header = match rows.reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(rows.broken(&error)),
        };
        let place = |name: &str| header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
        for name in needed {
            let Some(at) = place(name) else {
                let value = quoted(&header.iter().collect::<Vec<_>>().join(","));
                let expected = format!("a column {name} (all of: {})", needed.join(", "));
                return Err(BadRow { file: file.into(), line: 1, field: "header".into(), value, expected });
            };
            rows.columns.push((name, Some(at)));
        }
        rows.columns.extend(wanted.iter().map(|name| (*name, place(name))));
        Ok(rows)
    }

    /// Goes to the next row; `false` at the end.
    pub(super) fn next(&mut self) -> Result<bool, BadRow> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(error) => {
                self.over = !matches!(error.kind(), csv::ErrorKind::UnequalLengths { .. } | csv::ErrorKind::Utf8 { .. });
                return Err(self.broken(&error));
            }
        }
        self.rows += 1;
        if self.rows > ROWS_MAX {
            self.over = true;
            return Err(self.bad(0, format!("at most {ROWS_MAX} rows: split the file")));
        }
        match (0..self.columns.len()).find(|at| self.field(*at).len() > FIELD_BYTES_MAX) {
            Some(at) => Err(self.bad(at, format!("at most {FIELD_BYTES_MAX} bytes, not {}", self.field(at).len()))),
            None => Ok(true),
        }
    }

    /// Goes to the next row that can be read; those before it that cannot go into `bad`.
    pub(super) fn next_good(&mut self, bad: &mut Vec<BadRow>) -> Result<bool, BadRow> {
        loop {
            match self.next() {
                Err(row) if !self.over => bad.push(row),
                end => return end,
            }
        }
    }

    /// A field by its place among the columns asked for; empty where an optional column is missing.
    pub(super) fn field(&self, at: usize) -> &str {
        self.field_of(&self.record, at)
    }

    fn field_of<'r>(&self, record: &'r StringRecord, at: usize) -> &'r str {
        self.columns.get(at).and_then(|(_, place)| *place).and_then(|place| record.get(place)).unwrap_or_default()
    }

    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    pub(super) fn bad(&self, at: usize, expected: impl Into<String>) -> BadRow {
        let field = self.columns.get(at).map_or("row", |(name, _)| name);
        BadRow { file: self.file.into(), line: self.line(), field: field.into(), value: quoted(self.field(at)), expected: expected.into() }
    }

    /// The file itself is broken here: not UTF-8, a row of another length, unreadable, too large.
    fn broken(&self, error: &csv::Error) -> BadRow {
        let (line, expected) = match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                (pos.as_ref().map(csv::Position::line), format!("{expected_len} fields as in the header, not {len}"))
            }
            csv::ErrorKind::Utf8 { pos, .. } => (pos.as_ref().map(csv::Position::line), "UTF-8 text".into()),
            csv::ErrorKind::Io(error) => (None, format!("a readable file, but: {error}")),
            other => (None, format!("a CSV row, but: {other:?}")),
        };
        let line = line.unwrap_or_else(|| self.reader.position().line());
        BadRow {
            file: self.file.into(),
            line,
            field: "row".into(),
            value: quoted(&self.record.iter().collect::<Vec<_>>().join(",")),
            expected,
        }
    }

    pub(super) fn whole(&self, at: usize, min: u32, max: u32) -> Result<u32, BadRow> {
        let number = self.field(at).parse().ok().filter(|n| (min..=max).contains(n));
        number.ok_or_else(|| self.bad(at, format!("a whole number from {min} to {max}")))
    }

    pub(super) fn flag(&self, at: usize) -> Result<bool, BadRow> {
        match self.field(at) {
            "0" | "false" | "no" => Ok(false),
            "1" | "true" | "yes" => Ok(true),
            _ => Err(self.bad(at, "0 or 1")),
        }
    }

    /// An identifier that becomes part of keys and addresses of pages.
    pub(super) fn id(&self, at: usize) -> Result<&str, BadRow> {
        let text = self.field(at);
        if is_from_outside(text) { Ok(text) } else { Err(self.bad(at, ID_RULE)) }
    }

    /// A SKU is the seller's own word: any script, spaces too.
    pub(super) fn sku(&self, at: usize) -> Result<Sku, BadRow> {
        let text = self.field(at);
        let fits = (1..=ID_LENGTH_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Sku::new(text)) } else { Err(self.bad(at, format!("1 to {ID_LENGTH_MAX} bytes of text"))) }
    }

    fn price(&self) -> Result<Money, BadRow> {
        let amount = self.field(UNIT_PRICE).parse::<Decimal>().ok().filter(|a| a.is_zero() || a.is_sign_positive());
        let amount = amount.ok_or_else(|| self.bad(UNIT_PRICE, "a decimal amount from 0 such as 7.79"))?;
        let currency = Currency::from_code(self.field(CURRENCY)).ok_or_else(|| self.bad(CURRENCY, "an ISO 4217 code such as USD"))?;
        Ok(Money::new(amount, currency))
    }

    /// A time, where there is one.
    fn time(&self, at: usize) -> Result<Option<Moment>, BadRow> {
        match self.field(at) {
            "" => Ok(None),
            text => {
                text.parse().map(Some).map_err(|_| self.bad(at, "a time with its offset such as 2026-11-09T00:00:33+08:00, or nothing"))
            }
        }
    }

    fn term(&self, at: usize) -> Result<SmolStr, BadRow> {
        match self.field(at) {
            text if text.chars().count() <= TERM_LENGTH_MAX => Ok(text.into()),
            _ => Err(self.bad(at, format!("at most {TERM_LENGTH_MAX} characters"))),
        }
    }

    /// A new order of the present row, with its first line.
    fn order(&self, line: NewLine) -> Result<NewOrder, BadRow> {
        let text = |at| SmolStr::new(self.field(at));
        let or = |at, otherwise| if self.field(at).is_empty() { text(otherwise) } else { text(at) };
        let ship_to = Address {
            name: or(NAME, 0),
            street: or(STREET, 6),
            city: text(6),
            region: text(7),
            postcode: text(5),
            country: SmolStr::new(self.field(4).to_ascii_uppercase()),
            ..Address::default()
        };
        let placed_at =
            self.field(3).parse::<Moment>().map_err(|_| self.bad(3, "a time with its offset such as 2026-11-09T00:00:33+08:00"))?;
        let paid = if self.field(PAID).is_empty() { true } else { self.flag(PAID)? };
        Ok(NewOrder {
            number: self.id(0)?.into(),
            platform: text(1),
            shop: text(2),
            placed_at,
            ship_to,
            lines: vec![line],
            paid,
            held: None,
            updated_at: self.time(UPDATED_AT)?,
            terms: Terms {
                ship_by: self.time(SHIP_BY)?,
                deliver_by: self.time(DELIVER_BY)?,
                service: self.term(SERVICE)?,
                tax: TaxIds { ioss: self.term(IOSS)?, voec: self.term(VOEC)?, eori: self.term(EORI)?, other: SmolStr::default() },
            },
            gift_note: self.term(GIFT_NOTE)?,
        })
    }

    /// A whole order against the twin's own rules. What they refuse is refused here, where file and line are known.
    fn check(&self, order: &NewOrder, line: u64) -> Result<(), BadRow> {
        let Some((field, why)) = order.fault() else { return Ok(()) };
        Err(BadRow { file: self.file.into(), line, field: format!("{field} of the order"), value: order.number.to_string(), expected: why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const HEADER: &str = "order_id,platform,shop,placed_at,country,postcode,city,region,sku,quantity,unit_price,currency";

    fn orders(rows: &str) -> Result<Vec<NewOrder>, BadRow> {
        read_orders("o.csv", format!("{HEADER}\n{rows}").as_bytes())
    }

    /// What the one bad row is told.
    fn told(rows: &str) -> String {
        orders(rows).unwrap_err().to_string()
    }

    const CUP: &str = "EBA-1,ebay,ebay-1,2026-01-05T10:00:00+08:00,us,10001,New York,NY,CUP,1,9.50,USD";

    #[test]
    fn rows_of_one_order_become_its_lines() {
        let read = orders(&format!("{CUP}\n{}\n{}\n", CUP.replace("CUP,1", "茶杯,2"), CUP.replace("EBA-1", "EBA-2"))).unwrap();
        assert_eq!(read.len(), 2);
        let first = &read[0];
        assert_eq!((first.lines.len(), first.lines[1].sku.as_str(), first.lines[1].quantity), (2, "茶杯", 2));
        assert_eq!(first.placed_at.to_string(), "2026-01-05T02:00:00Z");
        assert_eq!(first.lines[0].unit_price.to_string(), "9.50 USD");
        assert_eq!(
            (first.ship_to.name.as_str(), first.ship_to.street.as_str(), first.ship_to.country.as_str()),
            ("EBA-1", "New York", "US")
        );
        assert!(first.paid && first.ship_to.fault().is_none());
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let text = "\u{feff}paid,street,name,currency,unit_price,quantity,sku,region,city,postcode,country,placed_at,shop,platform,note,order_id\n\
                    0,\"1, High Street\",Ann Lee,GBP,4,1,CUP,ENG,Leeds,LS1 4AP,GB,2026-01-05T10:00:00Z,s,woocommerce,hello,WOO-9\n";
        let read = read_orders("o.csv", text.as_bytes()).unwrap();
        assert_eq!((read[0].ship_to.name.as_str(), read[0].ship_to.street.as_str(), read[0].paid), ("Ann Lee", "1, High Street", false));
        assert_eq!(read[0].number.as_str(), "WOO-9");
    }

    #[test]
    fn a_bad_row_is_told_where_and_what() {
        let split = CUP.replace("9.50", "9,50");
        assert_eq!(told(&split), format!("o.csv line 2: row is \"{split}\"; expected 12 fields as in the header, not 13"));
        assert_eq!(
            told(&CUP.replace("9.50", "free")),
            "o.csv line 2: unit_price is \"free\"; expected a decimal amount from 0 such as 7.79"
        );
        assert_eq!(told(&CUP.replace("USD", "USX")), "o.csv line 2: currency is \"USX\"; expected an ISO 4217 code such as USD");
        assert_eq!(told(&CUP.replace("CUP,1", "CUP,0")), "o.csv line 2: quantity is \"0\"; expected a whole number from 1 to 10000");
        assert_eq!(
            told(&CUP.replace("+08:00", "")),
            "o.csv line 2: placed_at is \"2026-01-05T10:00:00\"; expected a time with its offset such as 2026-11-09T00:00:33+08:00"
        );
        assert_eq!(
            told(&CUP.replace("EBA-1", "EBA 1")),
            "o.csv line 2: order_id is \"EBA 1\"; expected 1 to 64 printable characters without space, / or ?, and not dots alone"
        );
        let other = CUP.replace("EBA-1", "EBA-2");
        assert_eq!(
            told(&format!("{CUP}\n{other}\n{CUP}")),
            "o.csv line 4: order_id is \"EBA-1\"; expected the rows of one order together, but this order ended earlier"
        );
        assert_eq!(
            told(&format!("{CUP}\n{}", CUP.replace("10001", "10002"))),
            "o.csv line 3: postcode is \"10002\"; expected \"10001\" as in line 2, the same order"
        );
        assert_eq!(
            told(&format!("{other}\n{CUP}\n{}", CUP.replace("USD", "EUR"))),
            "o.csv line 3: lines.unit_price of the order is \"EBA-1\"; expected USD and EUR in one order"
        );
        assert_eq!(
            told(&CUP.replace("New York", &"Y".repeat(FIELD_BYTES_MAX + 1))),
            format!("o.csv line 2: city is \"{}…\"; expected at most 1024 bytes, not 1025", "Y".repeat(80))
        );
        assert_eq!(read_orders("o.csv", &b"order_id\n"[..]).unwrap_err().field, "header");
        assert!(
            read_orders("o.csv", &b""[..]).unwrap_err().to_string().starts_with("o.csv line 1: header is \"\"; expected a column order_id")
        );
        assert_eq!(
            crate::platforms::read_stock("s.csv", &b"warehouse,sku,on_hand\nSZX,\xff,1\n"[..]).unwrap_err().to_string(),
            "s.csv line 2: row is \"\"; expected UTF-8 text"
        );
    }

    #[test]
    fn the_peak_week_is_read_whole() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/orders");
        if !dir.join("orders.csv").exists() {
            println!("skipped the_peak_week_is_read_whole: no ../shared/data/orders");
            return;
        }
        let file = crate::platforms::read_order_file(&dir.join("orders.csv")).unwrap();
        let (catalogue, stock) = (file.catalogue.unwrap(), file.stock.unwrap());
        assert_eq!((file.orders.len(), catalogue.len(), stock.len()), (20_000, 3_763, 12_020));
        assert_eq!(file.orders.iter().map(|o| o.lines.len()).sum::<usize>(), 26_334);
        assert!(file.orders.iter().all(|o| o.fault().is_none() && o.ship_to.fault().is_none()));
        let known: HashSet<_> = catalogue.iter().map(|p| &p.sku).collect();
        assert!(file.orders.iter().flat_map(|o| &o.lines).all(|l| known.contains(&l.sku)));
        assert!(file.orders.is_sorted_by_key(|o| o.placed_at));
    }
}
