//! The label a simulated carrier sells: 4 × 6 in at 203 dpi, addresses, and the tracking number as a Code 128 barcode.
//! It draws nothing that a carrier's own template would need a licence for.

/// What stands on a label.
pub struct LabelText<'a> {
    pub carrier: &'a str,
    pub service: &'a str,
    /// Four lines of up to three words each; an empty line is left out.
    pub from: [[&'a str; 3]; 4],
    pub to: [[&'a str; 3]; 4],
    pub tracking: &'a str,
    pub reference: &'a str,
}

/// A ZPL II program of some 500 bytes.
pub fn label(text: &LabelText) -> Vec<u8> {
    let mut zpl = Vec::with_capacity(768);
    zpl.extend_from_slice(b"^XA^CI28^PW812^LL1218^FO30,30^A0N,44,44^FD");
    field(&mut zpl, text.carrier);
    zpl.extend_from_slice(b" ");
    field(&mut zpl, text.service);
    zpl.extend_from_slice(b"^FS^FO30,90^GB752,3,3^FS");
    lines(
        &mut zpl,
        [b"^FO30,110^A0N,24,24^FD", b"^FO30,138^A0N,24,24^FD", b"^FO30,166^A0N,24,24^FD", b"^FO30,194^A0N,24,24^FD"],
        text.from,
    );
    lines(&mut zpl, [b"^FO90,290^A0N,40,40^FD", b"^FO90,336^A0N,40,40^FD", b"^FO90,382^A0N,40,40^FD", b"^FO90,428^A0N,40,40^FD"], text.to);
    zpl.extend_from_slice(b"^FO30,520^GB752,3,3^FS^FO60,560^BY3^BCN,220,Y,N,N^FD");
    field(&mut zpl, text.tracking);
    zpl.extend_from_slice(b"^FS^FO30,880^A0N,28,28^FDREF ");
    field(&mut zpl, text.reference);
    zpl.extend_from_slice(b"^FS^XZ");
    zpl
}

fn lines(zpl: &mut Vec<u8>, places: [&[u8]; 4], lines: [[&str; 3]; 4]) {
    let filled = places.into_iter().zip(lines).filter(|(_, words)| words.iter().any(|word| !word.is_empty()));
    for (place, words) in filled {
        zpl.extend_from_slice(place);
        for (i, word) in words.iter().filter(|word| !word.is_empty()).enumerate() {
            if i > 0 {
                zpl.push(b' ');
            }
            field(zpl, word);
        }
        zpl.extend_from_slice(b"^FS");
    }
}

/// Caret and tilde begin commands, so data cannot hold them.
fn field(zpl: &mut Vec<u8>, text: &str) {
    let from = zpl.len();
    zpl.extend_from_slice(text.as_bytes());
    for byte in &mut zpl[from..] {
        if matches!(byte, b'^' | b'~') {
            *byte = b' ';
        }
    }
}
