//! Text that the font in a label printer does not have, drawn as a picture (`^GF`): Chinese, Japanese, Korean, Thai, Hebrew …
//!
//! The glyphs are GNU Unifont's (16 dots high, 8 or 16 wide; SIL Open Font License 1.1) and are in the program, so that no
//! printer needs a font. Marks stand on the letter before them, what is written from the right reads from the right; Arabic
//! letters stand unjoined. Never draws a barcode, and never decides what is printed.

use std::fmt::Write;
use unifont::{Glyph, get_glyph};

/// How high a glyph is, in dots, and how wide half of a full one.
pub const HEIGHT_DOTS: usize = 16;
const COLUMN_DOTS: usize = 8;
/// Drawn for what Unifont lacks too: the replacement character.
const UNKNOWN: char = '\u{fffd}';

/// Whether a picture shows this character as it is. Those that show nothing by themselves are at home everywhere.
pub fn has(c: char) -> bool {
    is_silent(c) || get_glyph(c).is_some()
}

/// How many columns of 8 dots a text takes.
pub fn columns(text: &str) -> usize {
    cells(text).iter().map(Cell::columns).sum()
}

/// A letter with the marks on it.
struct Cell {
    letter: char,
    glyph: &'static Glyph,
    marks: Vec<&'static Glyph>,
}

impl Cell {
    fn columns(&self) -> usize {
        self.glyph.get_width() / COLUMN_DOTS
    }

    fn is_black(&self, x: usize, y: usize) -> bool {
        self.glyph.get_pixel(x, y) || self.marks.iter().any(|mark| mark.get_pixel(x, y))
    }
}

fn cells(text: &str) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::with_capacity(text.len());
    for letter in text.chars().filter(|c| !is_silent(*c)) {
        let glyph = get_glyph(if letter.is_control() { UNKNOWN } else { letter }).or_else(|| get_glyph(UNKNOWN));
        let Some(glyph) = glyph else { continue };
        match cells.last_mut() {
            Some(cell) if is_mark(letter) => cell.marks.push(glyph),
            _ => cells.push(Cell { letter, glyph, marks: Vec::new() }),
        }
    }
    turned(cells)
}

/// Each stretch that is written from the right, with what stands within it and has no direction, turned round.
fn turned(mut cells: Vec<Cell>) -> Vec<Cell> {
    let mut at = 0;
    while at < cells.len() {
        if !is_from_the_right(cells[at].letter) {
            at += 1;
            continue;
        }
        let stretch = cells[at..].iter().take_while(|c| is_from_the_right(c.letter) || !c.letter.is_alphanumeric());
        let end = at + stretch.enumerate().filter(|(_, c)| is_from_the_right(c.letter)).last().map_or(1, |(n, _)| n + 1);
        cells[at..end].reverse();
        at = end;
    }
    cells
}

/// Appends a picture of the text at `x`, `y`, its lines broken where they would be wider than `dots_max`, and not more than
/// `lines_max` of them: what is longer ends with `…`. Returns how high it is, in dots.
pub fn draw(zpl: &mut String, (x, y): (usize, usize), scale: usize, dots_max: usize, lines_max: usize, text: &str) -> usize {
    let columns_max = (dots_max / (scale * COLUMN_DOTS)).max(2);
    let lines = broken(text, columns_max, lines_max);
    let width = lines.iter().map(|line| line.iter().map(Cell::columns).sum::<usize>()).max().unwrap_or(0) * COLUMN_DOTS * scale;
    let (row_bytes, rows) = (width.div_ceil(8), lines.len() * HEIGHT_DOTS * scale);
    if width == 0 {
        return rows;
    }
    // Writing into a String cannot fail.
    let _ = write!(zpl, "^FO{x},{y}^GFA,{0},{0},{row_bytes},", rows * row_bytes);
    let mut last = Vec::new();
    for line in &lines {
        for glyph_y in 0..HEIGHT_DOTS {
            let row = row(line, glyph_y, scale, row_bytes);
            for _ in 0..scale {
                // `:` is the row above once more, `,` zeros to the row's end.
                if row == last {
                    zpl.push(':');
                    continue;
                }
                let end = row.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
                for byte in &row[..end] {
                    let _ = write!(zpl, "{byte:02X}");
                }
                if end < row.len() {
                    zpl.push(',');
                }
                last.clone_from(&row);
            }
        }
    }
    zpl.push_str("^FS");
    rows
}

fn row(line: &[Cell], y: usize, scale: usize, row_bytes: usize) -> Vec<u8> {
    let mut row = vec![0_u8; row_bytes];
    let mut left = 0;
    for cell in line {
        for x in (0..cell.columns() * COLUMN_DOTS).filter(|x| cell.is_black(*x, y)) {
            for dot in (left + x) * scale..(left + x + 1) * scale {
                row[dot / 8] |= 0x80 >> (dot % 8);
            }
        }
        left += cell.columns() * COLUMN_DOTS;
    }
    row
}

/// Lines of up to so many columns, broken at spaces, or inside a word that has none.
fn broken(text: &str, columns_max: usize, lines_max: usize) -> Vec<Vec<Cell>> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let taken = columns(&line);
        if taken > 0 && taken + 1 + columns(word) <= columns_max {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if taken > 0 {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            line.push(letter);
            if columns(&line) > columns_max {
                line.pop();
                lines.push(std::mem::replace(&mut line, letter.into()));
            }
        }
    }
    lines.push(line);
    if lines.len() > lines_max {
        lines.truncate(lines_max.max(1));
        if let Some(last) = lines.last_mut() {
            while columns(last) + 2 > columns_max && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines.iter().map(|line| cells(line)).collect()
}

/// Joiners, direction and variation marks: they change how others look and show nothing themselves.
fn is_silent(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Nonspacing marks (Unicode 15, general category Mn) of the scripts that addresses come in.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}'
        | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{900}'..='\u{902}' | '\u{93a}' | '\u{93c}' | '\u{941}'..='\u{948}' | '\u{94d}' | '\u{951}'..='\u{957}' | '\u{981}'
        | '\u{9bc}' | '\u{9c1}'..='\u{9c4}' | '\u{9cd}' | '\u{bcd}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ecd}' | '\u{302a}'..='\u{302d}' | '\u{3099}' | '\u{309a}')
}

/// Hebrew, Arabic, Syriac, Thaana, N'Ko and the forms of the first two.
fn is_from_the_right(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{65f}' | '\u{66a}'..='\u{6ef}' | '\u{6fa}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rows of a picture as they are printed.
    fn rows(zpl: &str) -> (usize, Vec<Vec<u8>>) {
        let mut parts = zpl.split("^GFA,").nth(1).unwrap().trim_end_matches("^FS").splitn(4, ',');
        let (total, _, row_bytes) = (parts.next().unwrap(), parts.next(), parts.next().unwrap().parse::<usize>().unwrap());
        let (mut rows, mut row): (Vec<Vec<u8>>, String) = (Vec::new(), String::new());
        for c in parts.next().unwrap().chars() {
            match c {
                ':' => rows.push(rows.last().unwrap().clone()),
                c => {
                    if c == ',' {
                        row.push_str(&"0".repeat(2 * row_bytes - row.len()))
                    } else {
                        row.push(c)
                    }
                    if row.len() == 2 * row_bytes {
                        let hex = std::mem::take(&mut row);
                        rows.push((0..row_bytes).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect());
                    }
                }
            }
        }
        assert_eq!((row.as_str(), rows.len() * row_bytes), ("", total.parse().unwrap()));
        (row_bytes, rows)
    }

    fn black(zpl: &str) -> u32 {
        rows(zpl).1.iter().flatten().map(|byte| byte.count_ones()).sum()
    }

    fn drawn(text: &str, scale: usize) -> String {
        let mut zpl = String::new();
        draw(&mut zpl, (30, 40), scale, 752, 9, text);
        zpl
    }

    #[test]
    fn a_character_is_drawn_as_the_font_has_it() {
        let Some(Glyph::Fullwidth(glyph)) = get_glyph('茶') else { panic!("茶 is a full one") };
        let (row_bytes, rows) = rows(&drawn("茶", 1));
        assert_eq!((row_bytes, rows), (2, glyph.iter().map(|row| row.to_be_bytes().to_vec()).collect()));
        // Twice as large it is four times as black.
        assert_eq!(black(&drawn("茶", 2)), 4 * black(&drawn("茶", 1)));
        assert_eq!((columns("茶"), columns("A茶é"), columns("ｱ")), (2, 4, 1));
    }

    #[test]
    fn marks_stand_on_their_letters_and_hebrew_reads_from_the_right() {
        // Eight letters, of which four are marks.
        assert_eq!((columns("ที่อยู่"), columns("e\u{301}"), columns("が"), columns("か\u{3099}")), (3, 1, 2, 2));
        let letters = |text| cells(text).iter().map(|c| c.letter).collect::<String>();
        assert_eq!(letters("A שלום, עולם 12"), "A םלוע ,םולש 12");
        assert_eq!(letters("茶 1"), "茶 1");
        assert!(has('茶') && has('한') && has('ไ') && has('\u{200d}') && !has('😀') && !has('𠮷'));
    }

    proptest! {
        /// Nothing is wider than it may be, whatever it is, and the picture is as long as its head says.
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC{1,60}|[一-龥ก-๛א-ת ]{1,80}|.{1,30}", scale in 1usize..4, dots in 40usize..752, lines in 1usize..4) {
            let mut zpl = String::new();
            let high = draw(&mut zpl, (0, 0), scale, dots, lines, &text);
            prop_assert!(high <= lines * scale * HEIGHT_DOTS);
            if !zpl.is_empty() {
                let (row_bytes, rows) = rows(&zpl);
                prop_assert_eq!(rows.len(), high);
                prop_assert!(row_bytes * 8 <= dots.max(2 * COLUMN_DOTS * scale) + 7, "{row_bytes} bytes in {dots} dots");
                prop_assert_eq!(zpl.matches(['^', '~']).count(), 3, "{}", zpl);
            }
        }
    }
}
