//! What our own printers print: the pick slip that travels with the goods, and the bag tag. ZPL II, 203 dpi.
//!
//! Every piece of text is one `^FD…^FS` field, and characters that mean something to the printer are left out.

use std::fmt::Write;
use twin::order::Line;
use twin::{BagId, ChannelId, ParcelId};

/// Text that ZPL takes literally: `^`, `~` and control characters would be commands.
pub fn literal(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '^' | '~') && !c.is_control()).collect()
}

/// The pick slip: which parcel, what goes in. Its barcode is the parcel's id; the rework bench reads it.
pub fn pick_slip(parcel: &ParcelId, lines: &[Line]) -> String {
    let mut zpl = String::with_capacity(256);
    // Writing into a String cannot fail.
    let _ = write!(zpl, "^XA^FO30,30^BCN,80,Y,N,N^FD{SLIP}{parcel}^FS");
    for (row, line) in lines.iter().enumerate() {
        let _ = write!(zpl, "^FO30,{}^A0N,28^FD{PICK}{} {}^FS", 150 + row * 34, line.quantity, literal(line.sku.as_str()));
    }
    zpl.push_str("^XZ\n");
    zpl
}

/// The tag that closes a bag: its SSCC as GS1-128 (application identifier 00), its chute and channel.
pub fn bag_tag(bag: &BagId, chute: u16, channel: &ChannelId, parcels: usize) -> String {
    format!(
        "^XA^FO30,30^BCN,120,Y,N,N^FD>;>800{bag}^FS^FO30,200^A0N,40^FDCHUTE {chute}^FS^FO30,250^A0N,40^FD{}^FS^FO30,300^A0N,40^FD{parcels} PARCELS^FS^XZ\n",
        literal(channel.as_str())
    )
}

/// Tells the person at a rework bench to put a parcel on the shelf, and why.
pub fn shelf_sheet(parcel: &ParcelId, why: &str) -> String {
    format!("^XA^FO30,30^A0N,60^FD{SHELF}^FS^FO30,110^A0N,40^FD{parcel}^FS^FO30,170^A0N,28^FD{}^FS^XZ\n", literal(why))
}

/// What stands on top of a shelf sheet.
pub const SHELF: &str = "SHELF";
/// What begins the barcode on a pick slip.
pub const SLIP: &str = "SLIP:";
/// What begins a line of goods on it; quantity and SKU follow.
pub const PICK: &str = "PICK ";

/// The bag's number in what a scanner read of a bag tag: 18 digits, with or without the application identifier.
pub fn bag_of(code: &str) -> Option<BagId> {
    let digits = code.strip_prefix(">;>800").or_else(|| code.strip_prefix("00").filter(|d| d.len() == 18)).unwrap_or(code);
    twin::sscc::is_valid(digits).then(|| BagId::new(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_back() {
        let bag = BagId::new(twin::sscc::sscc("6901234", 7));
        assert_eq!(bag_of(&format!("00{bag}")), Some(bag.clone()));
        assert_eq!(bag_of(bag.as_str()), Some(bag));
        assert_eq!(bag_of("000"), None);
        let lines = [Line { sku: "X^XZ".into(), quantity: 2, ..Line::default() }];
        assert!(pick_slip(&"A-1".into(), &lines).contains("^FDPICK 2 XXZ^FS"));
    }
}
