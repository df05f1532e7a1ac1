//! The order as a caller writes it, and every way in which it can be wrong.
//!
//! All faults of an order are told together, each by its path. Fields that are not known are refused: a misspelt `paid` must
//! not ship an unpaid order. Rules of the trade stay with [`NewOrder::fault`]; only lengths and spellings are judged here.

use super::limits::{FIELD_ERRORS_MAX, ORDERS_PER_REQUEST_MAX};
use super::problem::{FieldError, Problem};
use serde_json::{Map, Value};
use twin::address::ADDRESS_FIELD_MAX;
use twin::id::ID_LENGTH_MAX;
use twin::money::{Currency, Decimal};
use twin::new_order::{NewLine, NewOrder, ORDER_LINES_MAX, TERM_LENGTH_MAX, TaxIds, Terms};
use twin::{Address, Moment, Money, Sku};
use utoipa::ToSchema;

/// Of a value that is wrong this much is shown, in bytes.
const VALUE_SHOWN_MAX: usize = 80;

/// An order from any platform.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // This and the forms below stand in the API's description only; `read` takes the body apart to name fields.
pub struct OrderForm {
    /// The platform's own number of the order. With platform and shop it says which order it is. Printable ASCII characters
    /// without space, / or ?, and not dots alone.
    #[schema(example = "WEB-000001", min_length = 1, max_length = 64, pattern = r"^\.*[!-\-0->@-~][!-.0->@-~]*$")]
    pub id: String,
    #[schema(example = "amazon", max_length = 64)]
    pub platform: String,
    #[schema(example = "shop-1", max_length = 64)]
    pub shop: String,
    /// RFC 3339 with an offset.
    #[schema(example = "2026-11-09T00:00:33+08:00", format = DateTime)]
    pub placed_at: String,
    pub ship_to: AddressForm,
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<LineForm>,
    /// The platform says the buyer has paid. An unpaid order is held.
    #[serde(default)]
    #[schema(default = true)]
    pub paid: bool,
    /// When the platform changed it last, RFC 3339. Of two versions of an order the later one counts, whichever comes first;
    /// without it the one that comes later.
    #[serde(default)]
    #[schema(example = "2026-11-09T00:05:00+08:00", format = DateTime)]
    pub updated_at: String,
    /// The platform fines who hands it over to a carrier later.
    #[serde(default)]
    #[schema(example = "2026-11-11T00:00:00+08:00", format = DateTime)]
    pub ship_by: String,
    #[serde(default)]
    #[schema(example = "2026-11-20T00:00:00+08:00", format = DateTime)]
    pub deliver_by: String,
    /// The shipping service that the buyer paid for, as the platform calls it.
    #[serde(default)]
    #[schema(example = "Standard", max_length = 500)]
    pub service: String,
    #[serde(default)]
    pub tax: TaxForm,
    /// The buyer's words to whoever gets it. Kept as who the buyer is: it can be forgotten.
    #[serde(default)]
    #[schema(example = "Happy birthday!", max_length = 500)]
    pub gift_note: String,
}

/// Numbers under which taxes are paid, by the seller or the platform.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct TaxForm {
    /// Import One-Stop Shop of the European Union.
    #[serde(default)]
    #[schema(example = "IM2760000742", max_length = 500)]
    pub ioss: String,
    /// VAT On E-Commerce, of Norway.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub voec: String,
    /// Of the exporter.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub eori: String,
    /// Any other, with what it is.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub other: String,
}

/// A postal address. What is wrong with it for the carriers holds the order, it does not refuse it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct AddressForm {
    #[serde(default)]
    #[schema(example = "Ann Buyer", max_length = 200)]
    pub name: String,
    #[serde(default)]
    #[schema(example = "Acme Ltd", max_length = 200)]
    pub company: String,
    #[serde(default)]
    #[schema(example = "1 Main St", max_length = 200)]
    pub street: String,
    /// Flat, floor, building: what stands below the street.
    #[serde(default)]
    #[schema(example = "Apt 5", max_length = 200)]
    pub street2: String,
    #[serde(default)]
    #[schema(example = "Beverly Hills", max_length = 200)]
    pub city: String,
    /// State or province, as the carrier writes it.
    #[serde(default)]
    #[schema(example = "CA", max_length = 200)]
    pub region: String,
    #[serde(default)]
    #[schema(example = "90210", max_length = 200)]
    pub postcode: String,
    /// ISO 3166-1 alpha-2, upper case.
    #[schema(example = "US", max_length = 200)]
    pub country: String,
    #[serde(default)]
    #[schema(example = "+1 555 625 1199", max_length = 200)]
    pub phone: String,
    #[serde(default)]
    #[schema(example = "ann@example.org", max_length = 200)]
    pub email: String,
    /// The receiver's tax number, where customs want one.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub tax_id: String,
}

/// Goods of one SKU.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct LineForm {
    #[schema(example = "P-000001", max_length = 64)]
    pub sku: String,
    #[schema(example = 2, minimum = 1, maximum = 10_000)]
    pub quantity: u32,
    pub unit_price: MoneyForm,
}

/// An amount with its currency. The amount is text: a JSON number would be a float.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct MoneyForm {
    /// A decimal: digits, and a point with digits behind it or none.
    #[schema(example = "7.79", pattern = r"^[0-9]{1,10}(\.[0-9]{1,9})?$")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// What `POST /api/v1/orders` takes: one order, a list, or a list under `orders`.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
pub enum OrdersForm {
    One(Box<OrderForm>),
    List(Vec<OrderForm>),
    Named { orders: Vec<OrderForm> },
}

/// The orders in a body, or everything that is wrong with them.
pub fn read(body: &[u8]) -> Result<Vec<NewOrder>, Problem> {
    let json: Value = serde_json::from_slice(body).map_err(|e| Problem::bad_request(format!("the body is not JSON: {e}")))?;
    let (list, single) = match json {
        Value::Array(list) => (list, false),
        Value::Object(mut map) if map.contains_key("orders") => match (map.remove("orders"), map.keys().next()) {
            (Some(Value::Array(list)), None) => (list, false),
            (_, Some(other)) => return Err(Problem::faulty(vec![FieldError::new(other, "stands beside `orders`; only `orders` may")])),
            _ => return Err(Problem::faulty(vec![FieldError::new("orders", "is not a list")])),
        },
        order @ Value::Object(_) => (vec![order], true),
        _ => return Err(Problem::bad_request("the body is neither an order nor a list of orders")),
    };
    if list.len() > ORDERS_PER_REQUEST_MAX {
        return Err(Problem::too_large(format!("{} orders in one request; at most {ORDERS_PER_REQUEST_MAX} are accepted", list.len())));
    }
    if list.is_empty() {
        return Err(Problem::faulty(vec![FieldError::new("orders", "is empty")]));
    }
    let (mut orders, mut errors) = (Vec::with_capacity(list.len()), Vec::new());
    for (n, value) in list.into_iter().enumerate() {
        let at = |field: &str| match (single, field) {
            (true, field) => field.to_owned(),
            (false, "" | ".") => format!("orders[{n}]"),
            (false, field) => format!("orders[{n}].{field}"),
        };
        match one(value) {
            Ok(order) => orders.push(order),
            Err(faults) => errors.extend(faults.into_iter().map(|e| FieldError { field: at(&e.field), ..e })),
        }
        if errors.len() > FIELD_ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() { Ok(orders) } else { Err(Problem::faulty(errors)) }
}

/// One order of a body, or every fault in it, each by its path.
fn one(value: Value) -> Result<NewOrder, Vec<FieldError>> {
    let mut faults = Vec::new();
    let order = order(&value, &mut faults);
    if faults.is_empty() { order.ok_or_else(|| vec![FieldError::new("", "is no order")]) } else { Err(faults) }
}

/// An object of a body, and where it stands.
struct Part<'v> {
    path: String,
    fields: &'v Map<String, Value>,
}

impl<'v> Part<'v> {
    /// `None`, and a fault, where there is no object. Fields that nobody knows are faults too.
    fn of(path: String, value: Option<&'v Value>, known: &[&str], faults: &mut Vec<FieldError>) -> Option<Self> {
        let Some(Value::Object(fields)) = value else {
            faults.push(FieldError::new(path, wrong(value, "an object")));
            return None;
        };
        let part = Part { path, fields };
        for unknown in fields.keys().filter(|field| !known.contains(&field.as_str())) {
            faults.push(FieldError::new(part.at(unknown), format!("is not known here; there are {}", known.join(", "))));
        }
        Some(part)
    }

    fn at(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// A time with its offset. An empty one that is not needed is none.
    fn moment(&self, field: &str, is_needed: bool, faults: &mut Vec<FieldError>) -> Option<Moment> {
        let known = faults.len();
        let text = self.text(field, is_needed, ID_LENGTH_MAX, faults);
        if faults.len() > known || (text.is_empty() && !is_needed) {
            return None;
        }
        match text.parse::<Moment>() {
            Ok(moment) => Some(moment),
            Err(e) => {
                faults.push(FieldError::new(self.at(field), format!("{text:?} is no RFC 3339 time with an offset: {e}")));
                None
            }
        }
    }

    /// A text of so many characters at most. Without one that is needed there is a fault, and the text is empty.
    fn text(&self, field: &str, is_needed: bool, max: usize, faults: &mut Vec<FieldError>) -> &'v str {
        match self.fields.get(field) {
            None if !is_needed => "",
            // Characters, as the API's description counts.
            Some(Value::String(text)) if text.chars().count() > max => {
                let count = text.chars().count();
                faults.push(FieldError::new(self.at(field), format!("{count} characters; at most {max} are accepted")));
                ""
            }
            Some(Value::String(text)) => text,
            other => {
                faults.push(FieldError::new(self.at(field), wrong(other, "a text")));
                ""
            }
        }
    }
}

/// What is wrong with a value that should be something else.
fn wrong(value: Option<&Value>, expected: &str) -> String {
    match value {
        None => format!("is missing; {expected} is expected"),
        Some(value) => {
            let json = value.to_string();
            let end = (0..=json.len().min(VALUE_SHOWN_MAX)).rev().find(|end| json.is_char_boundary(*end)).unwrap_or(0);
            format!("is {}{}; {expected} is expected", &json[..end], if end < json.len() { "…" } else { "" })
        }
    }
}

const ORDER_FIELDS: [&str; 13] = [
    "id",
    "platform",
    "shop",
    "placed_at",
    "ship_to",
    "lines",
    "paid",
    "updated_at",
    "ship_by",
    "deliver_by",
    "service",
    "tax",
    "gift_note",
];

fn tax_ids(value: &Value, faults: &mut Vec<FieldError>) -> TaxIds {
    let Some(form) = Part::of("tax".into(), Some(value), &["ioss", "voec", "eori", "other"], faults) else { return TaxIds::default() };
    let mut text = |field| form.text(field, false, TERM_LENGTH_MAX, faults).into();
    TaxIds { ioss: text("ioss"), voec: text("voec"), eori: text("eori"), other: text("other") }
}

fn order(value: &Value, faults: &mut Vec<FieldError>) -> Option<NewOrder> {
    let form = Part::of(String::new(), Some(value), &ORDER_FIELDS, faults)?;
    let id = form.text("id", true, usize::MAX, faults);
    let platform = form.text("platform", true, ID_LENGTH_MAX, faults);
    let shop = form.text("shop", true, ID_LENGTH_MAX, faults);
    let placed_at = form.moment("placed_at", true, faults).unwrap_or_default();
    let updated_at = form.moment("updated_at", false, faults);
    let terms = Terms {
        ship_by: form.moment("ship_by", false, faults),
        deliver_by: form.moment("deliver_by", false, faults),
        service: form.text("service", false, TERM_LENGTH_MAX, faults).into(),
        tax: form.fields.get("tax").map(|tax| tax_ids(tax, faults)).unwrap_or_default(),
    };
    let gift_note = form.text("gift_note", false, TERM_LENGTH_MAX, faults).into();
    let paid = match form.fields.get("paid") {
        None => true,
        Some(Value::Bool(paid)) => *paid,
        other => {
            faults.push(FieldError::new("paid", wrong(other, "true or false")));
            false
        }
    };
    let ship_to = address(form.fields.get("ship_to"), faults);
    let empty = Vec::new();
    let list = match form.fields.get("lines") {
        Some(Value::Array(list)) => list,
        other => {
            faults.push(FieldError::new("lines", wrong(other, "a list")));
            &empty
        }
    };
    let has_lines = matches!(form.fields.get("lines"), Some(Value::Array(_)));
    // Beyond the limit nothing of them is looked at but their number.
    let lines: Vec<Option<NewLine>> = list.iter().take(ORDER_LINES_MAX).enumerate().map(|(n, l)| line(n, l, faults)).collect();
    let has_id = form.fields.get("id").is_some_and(Value::is_string);
    let new = NewOrder {
        number: id.into(),
        platform: platform.into(),
        shop: shop.into(),
        placed_at,
        ship_to: ship_to.unwrap_or_default(),
        lines: lines.iter().flatten().cloned().collect(),
        paid,
        held: None,
        updated_at,
        terms,
        gift_note,
    };
    by_the_rules(&new, &lines, list.len(), (has_id, has_lines), faults);
    Some(new)
}

fn address(value: Option<&Value>, faults: &mut Vec<FieldError>) -> Option<Address> {
    let known = ["name", "company", "street", "street2", "city", "region", "postcode", "country", "phone", "email", "tax_id"];
    let form = Part::of("ship_to".into(), value, &known, faults)?;
    let mut text = |field| form.text(field, field == "country", ADDRESS_FIELD_MAX, faults).into();
    Some(Address {
        name: text("name"),
        company: text("company"),
        street: text("street"),
        street2: text("street2"),
        city: text("city"),
        region: text("region"),
        postcode: text("postcode"),
        country: text("country"),
        phone: text("phone"),
        email: text("email"),
        tax_id: text("tax_id"),
    })
}

fn line(n: usize, value: &Value, faults: &mut Vec<FieldError>) -> Option<NewLine> {
    let form = Part::of(format!("lines[{n}]"), Some(value), &["sku", "quantity", "unit_price"], faults)?;
    let sku = form.text("sku", true, ID_LENGTH_MAX, faults);
    let quantity = form.fields.get("quantity");
    let whole = quantity.and_then(Value::as_u64).and_then(|q| u32::try_from(q).ok()).unwrap_or_else(|| {
        faults.push(FieldError::new(form.at("quantity"), wrong(quantity, "a whole number from 1")));
        1
    });
    let price = Part::of(form.at("unit_price"), form.fields.get("unit_price"), &["amount", "currency"], faults)?;
    let before = faults.len();
    let (amount, currency) = (price.text("amount", true, ID_LENGTH_MAX, faults), price.text("currency", true, ID_LENGTH_MAX, faults));
    let parsed = (exact(amount), Currency::from_code(currency));
    if faults.len() == before {
        if let Err(why) = &parsed.0 {
            faults.push(FieldError::new(price.at("amount"), format!("{amount:?} is no decimal: {why}")));
        }
        if parsed.1.is_none() {
            faults.push(FieldError::new(price.at("currency"), format!("{currency:?} is no ISO 4217 code")));
        }
    }
    let (Ok(amount), Some(currency)) = parsed else { return None };
    // A line with another fault is still judged by the rules, as far as it was read.
    Some(NewLine { sku: Sku::new(sku), quantity: whole, unit_price: Money::new(amount, currency) })
}

/// Digits, and a point between them: what a decimal library also takes, such as `1_000`, is a slip of somebody's.
fn decimal(text: &str) -> Result<Decimal, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let parts: Vec<&str> = digits.split('.').collect();
    if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
        return Err("digits, with a point before cents, are expected".into());
    }
    Decimal::from_str_exact(text).map_err(|e| e.to_string())
}

/// What the order's own rules say against it, all of it and not only the first: the rules are asked about each part in turn,
/// with everything else as it should be.
fn by_the_rules(new: &NewOrder, lines: &[Option<NewLine>], count: usize, (has_id, has_lines): (bool, bool), faults: &mut Vec<FieldError>) {
    let sound = |line: &NewLine| NewLine { quantity: 1, unit_price: Money::zero(line.unit_price.currency), ..line.clone() };
    let dollar = NewLine { sku: Sku::new("X"), quantity: 1, unit_price: Money::zero(Currency::USD) };
    let ask = |number: &str, lines: Vec<NewLine>| NewOrder { number: number.into(), lines, ..new.clone() }.fault();
    let good_id = "X";
    if has_id && let Some((field, why)) = ask(&new.number, vec![dollar.clone()]) {
        faults.push(FieldError::new(field, why));
    }
    if has_lines && let Some((field, why)) = ask(good_id, vec![dollar; count.min(ORDER_LINES_MAX + 1)]) {
        let why = if count > ORDER_LINES_MAX { format!("{count} lines; 1 to {ORDER_LINES_MAX} are accepted") } else { why };
        faults.push(FieldError::new(field, why));
    }
    let first = lines.iter().flatten().next().map(sound);
    for (n, line) in lines.iter().enumerate() {
        let Some(line) = line else { continue };
        let path = |field: &str| field.strip_prefix("lines.").map_or_else(|| format!("lines[{n}]"), |rest| format!("lines[{n}].{rest}"));
        let probes = [
            vec![NewLine { unit_price: Money::zero(line.unit_price.currency), ..line.clone() }],
            vec![NewLine { quantity: 1, ..line.clone() }],
            first.iter().cloned().chain([sound(line)]).collect(),
        ];
        for (field, why) in probes.into_iter().filter_map(|lines| ask(good_id, lines)) {
            faults.push(FieldError::new(path(field), why));
        }
    }
}

/// The pattern of the amount in the API's description, to the letter: what else a reader of decimals takes (`1_000`, `1e3`,
/// `+5`, `.5`) means another sum to somebody.
fn exact(text: &str) -> Result<Decimal, String> {
    match is_amount(text) {
        true => decimal(text).map_err(|e| e.to_string()),
        false => Err("write digits, as in 7 or 7.79".into()),
    }
}

fn is_amount(text: &str) -> bool {
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let digits = |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 10) && part.is_none_or(|part| digits(part, 9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_faults_of_an_order_are_told_each_by_its_path() {
        let body = json!({
            "id": "a b", "platform": 7, "placed_at": "yesterday", "ship_to": {"name": "A", "zip": "1", "country": null, "city": "x".repeat(201)},
            "lines": [
                {"sku": "A", "quantity": 0, "unit_price": {"amount": "1000000001", "currency": "USD"}},
                {"sku": "B", "quantity": "two", "unit_price": {"amount": "1_000", "currency": "ZZZ"}},
                {"sku": "C", "quantity": 1, "unit_price": {"amount": "1", "currency": "EUR"}, "gift": true},
                7, {"quantity": 1.5},
            ],
            "paid": "no"
        });
        let Err(problem) = read(body.to_string().as_bytes()) else { panic!("it was taken") };
        let told: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
        let expected = [
            "platform",
            "shop",
            "placed_at",
            "paid",
            "ship_to.zip",
            "ship_to.city",
            "ship_to.country",
            "lines[1].quantity",
            "lines[1].unit_price.amount",
            "lines[1].unit_price.currency",
            "lines[2].gift",
            "lines[3]",
            "lines[4].sku",
            "lines[4].quantity",
            "lines[4].unit_price",
            "id",
            "lines[0].quantity",
            "lines[0].unit_price",
            "lines[2].unit_price",
        ];
        assert_eq!(told, expected, "{problem:?}");
        let list = json!({"orders": [7, body]});
        let Err(problem) = read(list.to_string().as_bytes()) else { panic!("it was taken") };
        assert_eq!((problem.errors[0].field.as_str(), problem.errors[1].field.as_str()), ("orders[0]", "orders[1].platform"));
    }

    /// Whatever one field is made of, the fault is named by a path that leads there, never by `.`.
    #[test]
    fn every_field_that_is_wrong_is_named() {
        let good = json!({
            "id": "A-1", "platform": "amazon", "shop": "s1", "placed_at": "2026-11-09T00:00:33+08:00", "paid": true,
            "ship_to": {"name": "Ann", "street": "1 Main St", "street2": "Flat 2", "city": "Austin", "region": "TX", "postcode": "78701", "country": "US",
                        "company": "Acme", "phone": "1", "email": "a@example.org", "tax_id": "T"},
            "lines": [{"sku": "A-17", "quantity": 2, "unit_price": {"amount": "7.79", "currency": "USD"}}]
        });
        let read_one = read(good.to_string().as_bytes()).unwrap();
        assert_eq!((read_one[0].ship_to.street2.as_str(), read_one[0].ship_to.tax_id.as_str()), ("Flat 2", "T"));
        let paths = [
            "/id",
            "/platform",
            "/shop",
            "/placed_at",
            "/paid",
            "/ship_to",
            "/ship_to/name",
            "/ship_to/country",
            "/ship_to/tax_id",
            "/lines",
            "/lines/0",
            "/lines/0/sku",
            "/lines/0/quantity",
            "/lines/0/unit_price",
            "/lines/0/unit_price/amount",
            "/lines/0/unit_price/currency",
        ];
        for path in paths {
            for wrong in [json!(null), json!(-1), json!([3]), json!({"x": 1}), json!(false)] {
                let mut body = good.clone();
                *body.pointer_mut(path).unwrap() = wrong.clone();
                let Err(problem) = read(body.to_string().as_bytes()) else {
                    assert_eq!((path, &wrong), ("/paid", &json!(false)));
                    continue;
                };
                let expected = path[1..].replace("/0", "[0]").replace('/', ".");
                assert!(problem.errors.iter().all(|e| e.field.starts_with(&expected)), "{path} {wrong}: {problem:?}");
            }
        }
    }
}
