//! Orders as Shopify's admin exports them to CSV: one row per line, of which only an order's first row has the order's own
//! fields. It says less than the API: what a person must know and it does not say holds the order.
//!
//! One bad order is skipped with its reason and never stops the file. Never guesses what a refund took back.

use super::csv::{BadRow, Rows};
use super::shopify::{LineGoods, Seen, Skipped, UNREADABLE, is_paid_as, is_pickup, number_of};
use super::shopify_lines::{by_title, worth};
use crate::carriers::calendar;
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::io::Read;
use twin::id::ID_LENGTH_MAX;
use twin::money::Currency;
use twin::new_order::Terms;
use twin::{Address, Moment, Sku};
use twin::{NewLine, NewOrder};

/// Columns without which it is no such file.
const NEEDED: [&str; 6] = ["Name", "Financial Status", "Created at", "Lineitem quantity", "Lineitem price", "Lineitem name"];
const WANTED: [&str; 24] = [
    "Id",
    "Currency",
    "Subtotal",
    "Discount Amount",
    "Shipping Method",
    "Cancelled at",
    "Refunded Amount",
    "Lineitem sku",
    "Lineitem requires shipping",
    "Lineitem fulfillment status",
    "Lineitem discount",
    "Shipping Name",
    "Shipping Street",
    "Shipping Address1",
    "Shipping Address2",
    "Shipping Company",
    "Shipping City",
    "Shipping Zip",
    "Shipping Province",
    "Shipping Country",
    "Shipping Phone",
    "Email",
    "Fulfillment Status",
    "Source",
];

/// What a file said.
#[derive(Debug, Default)]
pub struct Export {
    pub orders: Vec<NewOrder>,
    pub skipped: Vec<Skipped>,
    pub lines: Vec<LineGoods>,
}

/// Whether a header is of such a file.
pub fn is_header(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["financial status", "lineitem quantity", "lineitem price"].iter().all(|column| header.contains(column))
}

/// A row, by the names of its columns.
struct Row {
    line: u64,
    fields: Vec<SmolStr>,
}

impl Row {
    fn get(&self, column: &str) -> &str {
        let place = NEEDED.iter().chain(&WANTED).position(|name| *name == column);
        place.and_then(|place| self.fields.get(place)).map_or("", SmolStr::as_str)
    }

    fn bad(&self, column: &str, expected: &str) -> SmolStr {
        format_smolstr!("{UNREADABLE}: line {}: {column} is {:?}; expected {expected}", self.line, super::quoted(self.get(column)))
    }

    fn amount(&self, column: &str) -> Result<Decimal, SmolStr> {
        match self.get(column) {
            "" => Ok(Decimal::ZERO),
            text => text.parse().map_err(|_| self.bad(column, "a decimal amount such as 48.00")),
        }
    }
}

/// Reads a file. The shop is not in it.
pub fn read_orders(name: &str, reader: impl Read) -> Result<Export, BadRow> {
    let mut rows = Rows::new(name, reader, NEEDED, WANTED)?;
    let (mut out, mut seen) = (Export::default(), Seen::default());
    let mut order: Vec<Row> = Vec::new();
    while rows.next()? {
        let row = Row { line: rows.line(), fields: (0..NEEDED.len() + WANTED.len()).map(|at| rows.field(at).into()).collect() };
        // Only the first row of an order has its state.
        if !row.get("Financial Status").is_empty() || order.first().is_some_and(|first| first.get("Name") != row.get("Name")) {
            finish(std::mem::take(&mut order), &mut seen, &mut out);
        }
        order.push(row);
    }
    finish(order, &mut seen, &mut out);
    Ok(out)
}

fn finish(rows: Vec<Row>, seen: &mut Seen, out: &mut Export) {
    let Some(first) = rows.first() else { return };
    let number = SmolStr::new(first.get("Id").trim_start_matches('\''));
    let by_name = number_of(first.get("Name"), Some(number.clone()).filter(|n| !n.is_empty()));
    let Some(by_name) = by_name else {
        let why = first.bad("Name", "the order's name");
        out.skipped.push(Skipped { order: format_smolstr!("line {}", first.line), why });
        return;
    };
    if !first.get("Cancelled at").is_empty() {
        out.skipped.push(Skipped { order: by_name, why: format_smolstr!("cancelled: {}", first.get("Cancelled at")) });
        return;
    }
    let taken = seen.number("", by_name.clone(), number).ok_or_else(|| SmolStr::new_static("stands in the document already"));
    match taken.and_then(|number| take(first, &rows, NewOrder { number, ..empty() })) {
        Ok((order, goods)) => {
            out.orders.push(order);
            out.lines.extend(goods);
        }
        Err(why) => out.skipped.push(Skipped { order: by_name, why }),
    }
}

fn empty() -> NewOrder {
    NewOrder {
        number: "".into(),
        platform: "shopify".into(),
        shop: "shopify".into(),
        placed_at: Moment(0),
        ship_to: Address::default(),
        lines: Vec::new(),
        paid: false,
        held: None,
        updated_at: None,
        terms: Terms::default(),
        gift_note: SmolStr::default(),
    }
}

fn take(first: &Row, rows: &[Row], order: NewOrder) -> Result<(NewOrder, Vec<LineGoods>), SmolStr> {
    let currency = Currency::from_code(first.get("Currency")).ok_or_else(|| first.bad("Currency", "an ISO 4217 code such as USD"))?;
    // `2026-01-10 11:00:00 -0500`; a time of nowhere is no time.
    let at = Some(first.get("Created at")).filter(|at| at.len() > 19).and_then(|at| calendar::read(at, None));
    let placed_at = at.ok_or_else(|| first.bad("Created at", "a time with its offset such as 2026-01-10 11:00:00 -0500"))?;
    let mut held = pickup(first);
    let mut hold = |why: SmolStr| held = held.take().or(Some(why));
    if first.amount("Refunded Amount")? > Decimal::ZERO {
        hold(format_smolstr!("{} {} went back, and the file does not say for which lines", first.get("Refunded Amount"), currency.code()));
    }
    let items = rows.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let off = off_all(first, &items)?;
    let whole: Decimal = items.iter().map(Item::worth).sum();
    let (mut lines, mut goods, mut off_left) = (Vec::new(), Vec::new(), off);
    for (n, item) in items.iter().enumerate() {
        // Its share of what was taken off the order; the last line takes what rounding left.
        let places = currency.exponent().unwrap_or(2).into();
        let share = if whole.is_zero() { Decimal::ZERO } else { (off * item.worth() / whole).round_dp(places) };
        let share = if n + 1 == items.len() { off_left } else { share.min(off_left) };
        off_left -= share;
        if !item.ships {
            continue;
        }
        if let Some(why) = &item.held {
            hold(why.clone());
        }
        for (quantity, unit_price) in worth(item.price, item.quantity, item.discount + share, item.quantity, currency) {
            lines.push(NewLine { sku: item.sku.clone(), quantity, unit_price });
            goods.push(LineGoods { sku: item.sku.clone(), weight_g: 0 });
        }
    }
    if lines.is_empty() {
        return Err("nothing left to ship".into());
    }
    let paid = is_paid_as(&first.get("Financial Status").to_ascii_lowercase());
    let terms = Terms { service: first.get("Shipping Method").into(), ..Terms::default() };
    let order = NewOrder { placed_at, ship_to: ship_to(first), lines, paid, held, terms, ..order };
    match order.fault() {
        None => Ok((order, goods)),
        Some((field, why)) => Err(format_smolstr!("cannot be taken: line {}: {field}: {why}", first.line)),
    }
}

/// A line, whether it ships or not: discounts are shared by all.
struct Item {
    sku: Sku,
    quantity: u32,
    price: Decimal,
    discount: Decimal,
    ships: bool,
    held: Option<SmolStr>,
}

impl Item {
    fn worth(&self) -> Decimal {
        self.price.checked_mul(self.quantity.into()).and_then(|all| all.checked_sub(self.discount)).unwrap_or_default().max(Decimal::ZERO)
    }
}

fn item(row: &Row) -> Result<Item, SmolStr> {
    let quantity = row.get("Lineitem quantity").parse().map_err(|_| row.bad("Lineitem quantity", "a whole number"))?;
    let (sku, title) = (row.get("Lineitem sku"), row.get("Lineitem name"));
    if sku.len() > ID_LENGTH_MAX {
        return Err(row.bad("Lineitem sku", "at most 64 bytes"));
    }
    let status = row.get("Lineitem fulfillment status");
    let held = match (sku, status) {
        ("", _) => Some(format_smolstr!("{title:?} has no SKU: nobody knows what to pick")),
        (_, "partial") => Some(format_smolstr!("a part of {sku} was sent, and the file does not say how much")),
        _ => None,
    };
    Ok(Item {
        sku: if sku.is_empty() { Sku::from(by_title(title)) } else { Sku::new(sku) },
        quantity,
        price: row.amount("Lineitem price")?,
        discount: row.amount("Lineitem discount")?.max(Decimal::ZERO),
        // A tip is a line that ships nowhere.
        ships: quantity > 0 && status != "fulfilled" && !row.get("Lineitem requires shipping").eq_ignore_ascii_case("false"),
        held,
    })
}

/// What was taken off the order besides the lines' own discounts. The subtotal is what the goods cost in the end; a discount
/// on the shipping is in `Discount Amount` and not in it.
fn off_all(first: &Row, items: &[Item]) -> Result<Decimal, SmolStr> {
    let whole: Decimal = items.iter().map(Item::worth).sum();
    let own: Decimal = items.iter().map(|item| item.discount).sum();
    let off = match first.get("Subtotal") {
        "" => first.amount("Discount Amount")? - own,
        _ => whole - first.amount("Subtotal")?,
    };
    Ok(off.clamp(Decimal::ZERO, whole))
}

fn pickup(first: &Row) -> Option<SmolStr> {
    let method = first.get("Shipping Method");
    if is_pickup(method) {
        return Some(format_smolstr!("it is picked up: {method}"));
    }
    let place = ["Shipping Street", "Shipping Address1", "Shipping City", "Shipping Country"];
    place
        .iter()
        .all(|column| first.get(column).is_empty())
        .then(|| "it has no shipping address: it is picked up, or a person must ask where to".into())
}

fn ship_to(first: &Row) -> Address {
    let text = |column| SmolStr::new(first.get(column));
    // A spreadsheet's sign for "this is text".
    let postcode = SmolStr::new(first.get("Shipping Zip").trim_start_matches('\'').trim());
    let street = if first.get("Shipping Address1").is_empty() { text("Shipping Street") } else { text("Shipping Address1") };
    let name = if first.get("Shipping Name").is_empty() { text("Shipping Company") } else { text("Shipping Name") };
    Address {
        name,
        company: text("Shipping Company"),
        street,
        street2: text("Shipping Address2"),
        city: text("Shipping City"),
        region: text("Shipping Province"),
        postcode,
        country: SmolStr::new(first.get("Shipping Country").to_ascii_uppercase()),
        phone: SmolStr::new(first.get("Shipping Phone").trim_start_matches('\'')),
        email: text("Email"),
        ..Address::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,\
        Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem requires shipping,\
        Lineitem fulfillment status,Billing Name,Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,Shipping Company,\
        Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Cancelled at,Refunded Amount,Id,Lineitem discount";

    /// The first row of an order, and a further one.
    const FIRST: &str = "#1001,ann@example.org,paid,2026-01-10 11:01:00 -0500,unfulfilled,,USD,76.80,5.00,0.00,81.80,TEN,19.20,Standard,\
        2026-01-10 11:00:00 -0500,2,Mug - blue,48.00,MUG,true,pending,Bo Li,Ann Lee,5 Elm Street,5 Elm Street,Flat 2,,Portland,'97201,OR,US,\
        '+15556251199,,0.00,5001234567890,0.00";
    const MORE: &str = "#1001,ann@example.org,,,,,,,,,,,,,,1,Cup,3.00,CUP,true,pending,,,,,,,,,,,,,,,0.00";

    fn read(rows: &[&str]) -> Export {
        read_orders("export.csv", format!("{HEADER}\n{}\n", rows.join("\n")).as_bytes()).unwrap()
    }

    fn sum(order: &NewOrder) -> String {
        order.lines.iter().map(|l| l.unit_price.amount * Decimal::from(l.quantity)).sum::<Decimal>().to_string()
    }

    #[test]
    fn an_order_and_its_rows_are_read() {
        assert!(is_header(HEADER));
        let said = read(&[&FIRST.replace("76.80", "79.80"), MORE, &FIRST.replace("#1001", "#1002").replace("5001234567890", "7")]);
        assert_eq!(said.skipped, []);
        let [first, second] = &said.orders[..] else { panic!("{said:?}") };
        assert_eq!((first.number.as_str(), second.number.as_str(), first.paid, &first.held), ("1001", "1002", true, &None));
        assert_eq!(first.placed_at.to_string(), "2026-01-10T16:00:00Z");
        let to = &first.ship_to;
        let address = [&to.name, &to.street, &to.street2, &to.city, &to.region, &to.postcode, &to.country, &to.phone];
        assert_eq!(address, ["Ann Lee", "5 Elm Street", "Flat 2", "Portland", "OR", "97201", "US", "+15556251199"]);
        assert_eq!((first.lines.last().unwrap().sku.as_str(), sum(first)), ("CUP", "79.80".into()));
        assert_eq!((second.lines.len(), sum(second)), (1, "76.80".into()), "2 × 48.00 less 19.20");
    }

    #[test]
    fn what_the_file_does_not_say_holds_the_order_and_what_is_over_is_skipped() {
        let held = |row: &str| read(&[row]).orders.remove(0).held.unwrap();
        assert_eq!(held(&FIRST.replace("Standard", "Local Pickup")), "it is picked up: Local Pickup");
        let nowhere = FIRST.replace("5 Elm Street,5 Elm Street,Flat 2,,Portland,'97201,OR,US", ",,,,,,,");
        assert!(held(&nowhere).starts_with("it has no shipping address"));
        assert!(held(&FIRST.replace(",,0.00,500", ",,9.60,500")).contains("9.60 USD went back"));
        assert!(held(&FIRST.replace("true,pending", "true,partial")).contains("a part of MUG was sent"));
        assert!(held(&FIRST.replace(",MUG,", ",,")).contains("\"Mug - blue\" has no SKU"));
        let skipped = |row: &str| read(&[row, &FIRST.replace("#1001", "#2")]).skipped.remove(0).why;
        assert_eq!(skipped(&FIRST.replace("1199,,0.00", "1199,2026-01-11 09:00:00 -0500,0.00")), "cancelled: 2026-01-11 09:00:00 -0500");
        assert_eq!(skipped(&FIRST.replace("true,pending", "false,pending")), "nothing left to ship");
        assert_eq!(skipped(&FIRST.replace("true,pending", "true,fulfilled")), "nothing left to ship");
        assert!(skipped(&FIRST.replace(",USD,", ",US$,")).starts_with("cannot be read: line 2: Currency is \"US$\""));
        assert!(skipped(&FIRST.replace("11:00:00 -0500", "11:00:00")).contains("Created at"));
        assert!(skipped(&FIRST.replace("48.00", "48,00").replace("48,00", "\"48,00\"")).contains("Lineitem price"));
        let unpaid = read(&[&FIRST.replace("paid,2026", "pending,2026")]);
        assert!(!unpaid.orders[0].paid);
    }

    #[test]
    fn orders_of_one_name_and_two_numbers_are_two() {
        let said = read(&[FIRST, &FIRST.replace("5001234567890", "18446744073709551999"), FIRST]);
        assert_eq!(said.orders.iter().map(|o| o.number.as_str()).collect::<Vec<_>>(), ["1001", "1001-18446744073709551999"]);
        assert_eq!(said.skipped[0].why, "stands in the document already");
    }
}
