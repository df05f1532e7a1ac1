//! What a person, or a scanner, reads off a printed sheet: the `^FD` fields of a ZPL format, and which of them is a barcode.

use actors::slip::{PICK, SHELF, SLIP};
use smol_str::SmolStr;
use twin::{BagId, ParcelId, Sku};

/// A sheet that came out of a printer.
#[derive(Clone, Debug, PartialEq)]
pub enum Sheet {
    /// What to pick, and for which parcel.
    Slip { parcel: ParcelId, goods: Vec<(Sku, u32)> },
    /// Closes a bag under a chute.
    Tag { bag: BagId, code: SmolStr, chute: u16 },
    /// A carrier's label: its barcode.
    Label { code: SmolStr },
    /// Put it aside.
    Shelf,
    /// Nothing that can be read.
    Blank,
}

/// Reads one `^XA … ^XZ`.
pub fn read(zpl: &str) -> Sheet {
    let (mut barcode, mut goods, mut chute, mut shelf) = (None, Vec::new(), None, false);
    for (at, _) in zpl.match_indices("^FD") {
        let rest = &zpl[at + 3..];
        let Some(field) = rest.find("^FS").map(|end| &rest[..end]) else { continue };
        let since_last = &zpl[zpl[..at].rfind("^FS").map_or(0, |p| p + 3)..at];
        if since_last.contains("^BC") {
            barcode.get_or_insert(field);
        } else if let Some((quantity, sku)) = field.strip_prefix(PICK).and_then(|f| f.split_once(' ')) {
            goods.push((Sku::new(sku), quantity.parse().unwrap_or(1)));
        } else if field == SHELF {
            shelf = true;
        } else if let Some(number) = field.strip_prefix("CHUTE ") {
            chute = number.parse().ok();
        }
    }
    match (barcode, chute) {
        (None, _) if shelf => Sheet::Shelf,
        (None, _) => Sheet::Blank,
        (Some(code), _) if code.starts_with(SLIP) => Sheet::Slip { parcel: code[SLIP.len()..].into(), goods },
        (Some(code), Some(chute)) => match actors::slip::bag_of(code) {
            // What a scanner sends of a GS1-128 code is its data, without the start codes.
            Some(bag) => Sheet::Tag { code: smol_str::format_smolstr!("00{bag}"), bag, chute },
            None => Sheet::Blank,
        },
        (Some(code), None) => Sheet::Label { code: code.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin::order::Line;

    #[test]
    fn our_own_sheets_are_read_back() {
        let lines = [Line { sku: "A-17".into(), quantity: 2, ..Line::default() }];
        let slip = actors::slip::pick_slip(&"AMA-1-1".into(), &lines);
        assert_eq!(read(&slip), Sheet::Slip { parcel: "AMA-1-1".into(), goods: vec![("A-17".into(), 2)] });
        let bag = BagId::new(twin::sscc::sscc("6901234", 1));
        let tag = actors::slip::bag_tag(&bag, 3, &"usps/ga".into(), 7);
        assert!(matches!(read(&tag), Sheet::Tag { chute: 3, bag: b, .. } if b == bag));
        assert_eq!(read("^XA^FO1,1^BCN^FD9400^FS^XZ"), Sheet::Label { code: "9400".into() });
        assert_eq!(read(&actors::slip::shelf_sheet(&"AMA-1-1".into(), "why")), Sheet::Shelf);
        assert_eq!(read("^XA^XZ"), Sheet::Blank);
    }
}
