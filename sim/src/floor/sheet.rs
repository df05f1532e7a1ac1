//! What a person, or a scanner, reads off a printed sheet: the fields of a ZPL format, and which of them is a barcode.

use actors::slip::{PAGE, PICK, SHELF};
use drivers::devices::zpl::{self, Field};
use smol_str::{SmolStr, format_smolstr};
use twin::{BagId, ParcelId, Sku};

/// A sheet that came out of a printer. A code is what a scanner sends of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Sheet {
    /// What to pick, and for which parcel; `page` is its number, from 1, where there are several.
    Slip { parcel: ParcelId, goods: Vec<(Sku, u32)>, page: u32 },
    /// Closes a bag under a chute.
    Tag { bag: BagId, code: SmolStr, chute: u16 },
    /// A carrier's label: its barcode.
    Label { code: SmolStr },
    /// Put it aside.
    Shelf,
    /// Nothing that can be read.
    Blank,
}

/// Reads one `^XA … ^XZ`. Of several barcodes the first counts: that is the one that carriers' labels have the number in.
pub fn read(format: &str) -> Sheet {
    let (mut barcode, mut goods, mut chute, mut shelf, mut page) = (None, Vec::new(), None, false, 1);
    for Field { command, data } in zpl::fields(format) {
        if command.contains("^BC") {
            barcode.get_or_insert_with(|| zpl::scanned(data));
            continue;
        }
        if command.contains("^BQ") {
            // In front: the error correction and how the data is meant.
            barcode.get_or_insert_with(|| format_smolstr!("]Q1{}", zpl::unescaped(data.get(3..).unwrap_or_default())));
            continue;
        }
        if data == SHELF {
            shelf = true;
        } else if let Some((quantity, sku)) = data.strip_prefix(PICK).and_then(|f| f.split_once(' ')) {
            goods.push((Sku::new(zpl::unescaped(sku)), quantity.parse().unwrap_or(1)));
        } else if let Some(number) = data.strip_prefix("CHUTE ") {
            chute = number.parse().ok();
        } else if let Some(number) = data.strip_prefix(PAGE).and_then(|f| f.split('/').next()) {
            page = number.parse().unwrap_or(1);
        }
    }
    match (barcode, chute) {
        (None, _) if shelf => Sheet::Shelf,
        (None, _) => Sheet::Blank,
        (Some(code), Some(chute)) => match actors::slip::bag_of(&code) {
            Some(bag) => Sheet::Tag { code, bag, chute },
            None => Sheet::Blank,
        },
        (Some(code), None) => match actors::slip::parcel_of(&code) {
            Some(parcel) => Sheet::Slip { parcel, goods, page },
            None => Sheet::Label { code },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::slip;
    use twin::parcel::Item;

    #[test]
    fn our_own_sheets_are_read_back() {
        let line = |sku: &str| Item { sku: Sku::new(sku), quantity: 2, ..Item::default() };
        for (parcel, sku) in [("AMA-1-1", "A-17"), ("X^XZ~JA-1", "TÊTE-茶1"), ("A>B_5E-1", "^FS~JA_5E \\&"), (&"A".repeat(64), "A")] {
            let slip = slip::pick_slip(&parcel.into(), &[line(sku)]);
            assert_eq!(read(&slip), Sheet::Slip { parcel: parcel.into(), goods: vec![(sku.into(), 2)], page: 1 });
        }
        let slips = slip::pick_slip(&"A-1".into(), &(0..35).map(|n| line(&format!("A{n}"))).collect::<Vec<_>>());
        let (first, second) = slips.split_at(slips.find("^XZ").unwrap() + 3);
        assert!(matches!(read(first), Sheet::Slip { goods, page: 1, .. } if goods.len() == 29));
        assert!(matches!(read(second), Sheet::Slip { goods, page: 2, .. } if goods.len() == 6));
        let bag = BagId::new(twin::sscc::sscc("6901234", 1));
        let tag = slip::bag_tag(&bag, 3, &"usps/ga".into(), 7);
        let code = format_smolstr!("]C100{bag}");
        assert_eq!(read(&tag), Sheet::Tag { chute: 3, bag, code });
        assert_eq!(read("^XA^FO1,1^BCN^FD9400^FS^BCN^FDX^FS^XZ"), Sheet::Label { code: "]C09400".into() });
        assert_eq!(read(&slip::shelf_sheet(&"AMA-1-1".into(), "CHUTE 1^FS")), Sheet::Shelf);
        assert_eq!(read("^XA^XZ"), Sheet::Blank);
    }
}
