//! A label as carriers send it: Base64 of what was asked for. It is looked at before it is kept, since a printer prints a
//! PDF as pages of letters, and nobody sees that until the parcel is wearing it.

use super::caller::Why;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The first bytes of what carriers send where ZPL was asked for.
const OTHERS: [(&[u8], &str); 6] = [
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
];

/// The ZPL in a Base64 text, which may be broken into lines.
pub(super) fn zpl(base64: &str) -> Result<Vec<u8>, Why> {
    let compact: Vec<u8> = base64.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(compact).map_err(|e| format!("the label is not Base64: {e}"))?;
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(format!("the label is {what}, not ZPL"));
    }
    let (begin, end) = (bytes.windows(3).position(|w| w == b"^XA"), bytes.windows(3).rposition(|w| w == b"^XZ"));
    match (begin, end) {
        (Some(begin), Some(end)) if begin < end => Ok(bytes),
        _ => Err(format!("the label of {} bytes is no ZPL: it has no ^XA … ^XZ", bytes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zpl_is_taken_for_a_label() {
        assert_eq!(zpl("XlhB\r\nXlha\n").unwrap(), b"^XA^XZ");
        let told = |bytes: &[u8]| zpl(&STANDARD.encode(bytes)).unwrap_err();
        assert_eq!(told(b"%PDF-1.4 ^XA ^XZ"), "the label is a PDF, not ZPL");
        assert_eq!(told(b"\x89PNG\r\n"), "the label is a PNG picture, not ZPL");
        assert_eq!(told(b"^XA^FDhalf a lab"), "the label of 16 bytes is no ZPL: it has no ^XA … ^XZ");
        assert_eq!(told(b""), "the label of 0 bytes is no ZPL: it has no ^XA … ^XZ");
        assert!(zpl("?").unwrap_err().contains("Base64"));
    }
}
