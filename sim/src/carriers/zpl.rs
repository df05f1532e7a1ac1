//! The label a simulated carrier sells: 4 × 6 in at 203 dpi, addresses, and the barcodes that this carrier's real label
//! has. It draws nothing that a carrier's own template would need a licence for.

use drivers::devices::zpl::{HEAD, WIDTH_DOTS, drawn, is_plain, literal};
use std::fmt::Write;

/// What stands on a label.
pub struct LabelText<'a> {
    pub carrier: &'a str,
    pub service: &'a str,
    /// Four lines of up to three words each; an empty line is left out.
    pub from: [[&'a str; 3]; 4],
    pub to: [[&'a str; 3]; 4],
    pub codes: Codes<'a>,
    pub reference: &'a str,
}

/// The barcodes of a label. The numbers are the carrier's own: digits and capitals.
pub enum Codes<'a> {
    /// GS1-128: 420 with the ZIP (5 or 9 digits), FNC1, then the IMpb (USPS Publication 199).
    Usps { zip: &'a str, number: &'a str },
    /// The waybill, and below it the routing code and the licence plate of the piece (ISO/IEC 15459).
    Dhl { waybill: &'a str, country: &'a str, postcode: &'a str, plate: &'a str },
    /// Code 128 of the number.
    Plain { number: &'a str },
}

/// A ZPL II program of some 600 bytes.
pub fn label(text: &LabelText) -> Vec<u8> {
    let mut zpl = String::with_capacity(1_024);
    zpl.push_str(HEAD);
    line(&mut zpl, (30, 30), 44, &[text.carrier, text.service]);
    zpl.push_str("^FO30,90^GB752,3,3^FS");
    for (at, words) in [110, 138, 166, 194].into_iter().zip(&text.from) {
        line(&mut zpl, (30, at), 24, words);
    }
    for (at, words) in [290, 336, 382, 428].into_iter().zip(&text.to) {
        line(&mut zpl, (90, at), 40, words);
    }
    zpl.push_str("^FO30,520^GB752,3,3^FS");
    codes(&mut zpl, &text.codes);
    line(&mut zpl, (30, 1_170), 28, &["REF", text.reference]);
    zpl.push_str("^XZ");
    zpl.into_bytes()
}

/// Quiet zones of ten modules and more are left on either side. `>;` is subset C (two digits a symbol), `>8` FNC1.
fn codes(zpl: &mut String, codes: &Codes) {
    // Writing into a String cannot fail.
    let _ = match codes {
        Codes::Usps { zip, number } => write!(zpl, "^FO40,560^BY3^BCN,220,N,N,N^FD>;>8420{zip}>8{number}^FS^FO40,800^A0N,30^FD{number}^FS"),
        Codes::Dhl { waybill, country, postcode, plate } => {
            let routing: String = [*country, postcode].concat().chars().filter(char::is_ascii_alphanumeric).collect();
            write!(
                zpl,
                "^FO60,560^BY3^BCN,170,Y,N,N^FD>;{waybill}^FS^FO60,780^BY2^BCN,130,Y,N,N^FD2L{routing}+42000000^FS\
                 ^FO60,970^BY2^BCN,130,Y,N,N^FDJ{plate}^FS"
            )
        }
        Codes::Plain { number } => write!(zpl, "^FO60,560^BY3^BCN,220,Y,N,N^FD{number}^FS"),
    };
}

/// Words in one line of font 0, narrowed where they would run off the paper, or drawn where it lacks one; nothing where there
/// are none.
fn line(zpl: &mut String, (x, y): (usize, usize), height: usize, words: &[&str]) {
    // Half a letter's height is an average letter's width.
    let fits = 2 * (WIDTH_DOTS - x) / height;
    let mut filled = words.iter().filter(|word| !word.is_empty()).peekable();
    if filled.peek().is_none() {
        return;
    }
    if !words.iter().all(|word| is_plain(word)) {
        return drawn(zpl, (x, y), height, WIDTH_DOTS - x - 20, &filled.copied().collect::<Vec<_>>().join(" "));
    }
    let taken: usize = words.iter().map(|word| word.chars().count() + 1).sum();
    let _ = write!(zpl, "^FO{x},{y}^A0N,{height},{}", if taken > fits { (height * fits / taken).max(8) } else { height });
    zpl.push_str("^FH^FD");
    for (n, word) in filled.enumerate() {
        if n > 0 {
            zpl.push(' ');
        }
        literal(zpl, word);
    }
    zpl.push_str("^FS");
}
