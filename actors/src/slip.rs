//! What our own printers print: the pick slip that travels with the goods, and the bag tag. ZPL II, 4 × 6 in at 203 dpi.
//!
//! Every value goes through [`drivers::devices::zpl`], which makes it literal; nothing here writes one into a format itself.

use drivers::devices::{code, glyphs, zpl};
use std::convert::Infallible;
use std::fmt::Write;
use twin::parcel::Item;
use twin::{BagId, ChannelId, ParcelId, Sku};

/// What stands on top of a shelf sheet.
pub const SHELF: &str = "SHELF";
/// What begins the barcode on a pick slip.
pub const SLIP: &str = "SLIP:";
/// What begins a line of goods on it; quantity and SKU follow.
pub const PICK: &str = "PICK ";
/// What begins a slip's number, where an order has more than one: `PAGE 1/2`.
pub const PAGE: &str = "PAGE ";

/// The first line of goods and the distance to the next, in dots, and how many lines fit above the page's number.
const ROWS_TOP: usize = 170;
const ROW_DOTS: usize = 34;
const ROWS_MAX: usize = 29;
/// Columns of font 0 at 28 dots that fit the paper; a longer line is printed narrower.
const COLUMNS: usize = 50;
/// What is left free on the right.
const MARGIN_DOTS: usize = 30;
/// Lines of a reason that are drawn.
const REASON_LINES_MAX: usize = 30;

/// The pick slips of a parcel: which it is, and what goes in: our SKUs with their pieces, whichever orders they are of. Their
/// barcode is the parcel's id; the rework bench reads it. What does not fit on one slip goes on to the next, which bears the same barcode.
pub fn pick_slip(parcel: &ParcelId, items: &[Item]) -> String {
    let mut goods: Vec<(&Sku, u32)> = Vec::with_capacity(items.len());
    for Item { sku, quantity, .. } in items {
        match goods.iter_mut().find(|(known, _)| *known == sku) {
            Some((_, pieces)) => *pieces = pieces.saturating_add(*quantity),
            None => goods.push((sku, *quantity)),
        }
    }
    let mut pages = vec![(0, String::new())];
    for (sku, pieces) in goods {
        let text = format!("{PICK}{pieces} {sku}");
        // Named beneath, for whoever has to find it.
        let missing = zpl::missing(sku.as_str());
        let rows = 1 + usize::from(!missing.is_empty());
        if pages.last().is_some_and(|(taken, _)| taken + rows > ROWS_MAX) {
            pages.push((0, String::new()));
        }
        let Some((taken, page)) = pages.last_mut() else { continue };
        text_at(page, 30, ROWS_TOP + *taken * ROW_DOTS, 28, &text);
        if rows > 1 {
            text_at(page, 70, ROWS_TOP + (*taken + 1) * ROW_DOTS, 22, &missing);
        }
        *taken += rows;
    }
    let count = pages.len();
    let mut slips = String::with_capacity(count * 512);
    for (n, (_, rows)) in pages.iter().enumerate() {
        slips.push_str(zpl::HEAD);
        parcel_code(&mut slips, parcel);
        slips.push_str(rows);
        if count > 1 {
            text_at(&mut slips, 30, ROWS_TOP + ROWS_MAX * ROW_DOTS + 12, 28, &format!("{PAGE}{}/{count}", n + 1));
        }
        slips.push_str("^XZ\n");
    }
    slips
}

/// The parcel's id as a Code 128, or where that would be wider than the paper, as a QR code.
fn parcel_code(slip: &mut String, parcel: &ParcelId) {
    let text = format!("{SLIP}{parcel}");
    let dots = zpl::module_dots(text.len());
    match (zpl::code_128(&text), dots) {
        (Some(data), Some(dots)) => {
            let _ = write!(slip, "^FO40,30^BY{dots}^BCN,80,Y,N,N^FH^FD{data}^FS");
        }
        _ => {
            slip.push_str("^FO40,10^BQN,2,3^FH^FDQA,");
            zpl::literal(slip, &text);
            slip.push_str("^FS");
            text_at(slip, 220, 60, 28, parcel.as_str());
        }
    }
}

/// The tag that closes a bag: its SSCC as GS1-128 (application identifier 00), its chute and channel.
pub fn bag_tag(bag: &BagId, chute: u16, channel: &ChannelId, parcels: usize) -> String {
    let mut tag = String::from(zpl::HEAD);
    tag.push_str("^FO40,30^BY3^BCN,120,Y,N,N^FH^FD>;>800");
    zpl::literal(&mut tag, bag.as_str());
    tag.push_str("^FS");
    let rows = [format!("CHUTE {chute}"), channel.to_string(), format!("{parcels} PARCELS")];
    for (row, text) in rows.iter().enumerate() {
        text_at(&mut tag, 30, 200 + row * 50, 40, text);
    }
    tag.push_str("^XZ\n");
    tag
}

/// Tells the person at a rework bench to put a parcel on the shelf, and why.
pub fn shelf_sheet(parcel: &ParcelId, why: &str) -> String {
    let mut sheet = String::from(zpl::HEAD);
    text_at(&mut sheet, 30, 30, 60, SHELF);
    text_at(&mut sheet, 30, 110, 40, parcel.as_str());
    if zpl::is_plain(why) {
        sheet.push_str("^FO30,170^A0N,28^FB752,30,6,L");
        zpl::field(&mut sheet, why);
    } else {
        glyphs::draw(&mut sheet, (30, 170), 2, 752, REASON_LINES_MAX, why);
    }
    sheet.push_str("^XZ\n");
    sheet
}

/// One line in font 0, narrowed where it would run off the paper; words that the font lacks are drawn.
fn text_at(sheet: &mut String, x: usize, y: usize, height: usize, text: &str) {
    if !zpl::is_plain(text) {
        return zpl::drawn(sheet, (x, y), height, zpl::WIDTH_DOTS - x - MARGIN_DOTS, text);
    }
    let fits = COLUMNS * 28 / height;
    let columns = text.chars().count();
    let _ = write!(sheet, "^FO{x},{y}^A0N,{height}");
    if columns > fits {
        let _ = write!(sheet, ",{}", (height * fits / columns).max(8));
    }
    zpl::field(sheet, text);
}

/// The bag's number in what a scanner read of a bag tag: an SSCC, however it is wrapped.
pub fn bag_of(code: &str) -> Option<BagId> {
    let bag = |digits: &str| Ok::<_, Infallible>(twin::sscc::is_valid(digits).then(|| BagId::new(digits)));
    match code::find(code, bag) {
        Ok(bag) => bag,
        Err(never) => match never {},
    }
}

/// The parcel whose pick slip a scanner read.
pub fn parcel_of(code: &str) -> Option<ParcelId> {
    code::bare(code).strip_prefix(SLIP).map(ParcelId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sku: &str, quantity: u32) -> Item {
        Item { sku: sku.into(), quantity, ..Item::default() }
    }

    #[test]
    fn a_tag_reads_back() {
        let bag = BagId::new(twin::sscc::sscc("6901234", 7));
        for code in [format!("00{bag}"), format!("]C100{bag}"), format!("\u{1d}00{bag}"), bag.to_string(), format!("]C1 00 {bag}")] {
            assert_eq!(bag_of(&code), Some(bag.clone()), "{code:?}");
        }
        for code in ["000", "", "00106141412345678907", "9900106141412345678908"] {
            assert_eq!(bag_of(code), None, "{code:?}");
        }
        assert_eq!(parcel_of("]C0SLIP:AMA-1-1"), Some("AMA-1-1".into()));
        assert_eq!(parcel_of("AMA-1-1"), None);
    }

    #[test]
    fn no_value_is_a_command_to_the_printer() {
        let slip = pick_slip(&"X^XZ~JA-1".into(), &[line("X^XZ", 2), line("~JA", 1)]);
        assert!(slip.contains("^FH^FDPICK 2 X_5EXZ^FS") && slip.contains("^FH^FDSLIP:X_5EXZ_7EJA-1^FS"), "{slip}");
        let sheets = [slip, shelf_sheet(&"X^XZ-1".into(), "~JA ^XZ\n\u{1b}"), bag_tag(&"1^XZ".into(), 1, &"a^XZ/~JA".into(), 1)];
        for sheet in sheets {
            assert_eq!((sheet.matches("^XA").count(), sheet.matches("^XZ").count(), sheet.matches('~').count()), (1, 1, 0), "{sheet}");
        }
    }

    #[test]
    fn what_the_printers_font_lacks_is_drawn_and_what_nobody_has_is_named() {
        let slip = pick_slip(&"A-1".into(), &[line("TÊTE-茶1", 1), line("TÊTE-1", 1)]);
        assert!(slip.starts_with("^XA^CI28"), "{slip}");
        assert!(slip.contains("^FDPICK 1^FS") && slip.contains("^FDPICK 1 TÊTE-1^FS") && slip.matches("^GFA").count() == 1, "{slip}");
        assert!(pick_slip(&"A-1".into(), &[line("A-😀", 1)]).contains("^FX😀=U+1F600"), "named beneath");
        let sheet = shelf_sheet(&"A-1".into(), &"没有标签 ".repeat(60));
        assert_eq!((sheet.matches("^GFA").count(), sheet.matches("^FB").count(), sheet.matches("^XZ").count()), (1, 0, 1));
    }

    #[test]
    fn a_long_order_goes_on_to_a_second_slip() {
        let lines: Vec<_> = (1..=35).map(|n| line(&format!("SKU-{n}"), n)).collect();
        let slips = pick_slip(&"A-1".into(), &lines);
        assert_eq!((slips.matches("^XA").count(), slips.matches("^FDSLIP:A-1^FS").count(), slips.matches("^FDPICK ").count()), (2, 2, 35));
        assert!(slips.contains("^FDPAGE 1/2^FS") && slips.contains("^FDPAGE 2/2^FS"));
        assert!(!pick_slip(&"A-1".into(), &lines[..29]).contains(PAGE));
        // Nothing stands below the paper's end, in any of them.
        for (n, sku) in [(1, "A"), (29, "A"), (35, "茶"), (200, "茶A")] {
            let slips = pick_slip(&"A-1".into(), &(0..n).map(|n| line(&format!("{sku}{n}"), 1)).collect::<Vec<_>>());
            let places = slips.split("^FO").skip(1).map(|f| f.split(['^', ',']).nth(1).unwrap().parse::<usize>().unwrap());
            assert!(places.max().unwrap() + 34 <= 1_218);
            assert_eq!(slips.matches("^FDPICK 1 ").count() + slips.matches("^FXPICK 1 ").count(), n);
        }
    }

    #[test]
    fn a_long_id_is_a_qr_code() {
        let slip = pick_slip(&"A".repeat(64).as_str().into(), &[line("A", 1)]);
        assert!(slip.contains("^BQN") && !slip.contains("^BC"), "{slip}");
    }
}
