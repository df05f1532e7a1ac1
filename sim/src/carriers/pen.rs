//! Writes JSON answers by hand, where an answer is mostly fixed text: a simulation makes millions of them. What comes from
//! a request is escaped; everything else is written as it stands.

use drivers::carriers::calendar;
use twin::Moment;

/// Grows a body from its first byte to its last.
pub struct Pen(Vec<u8>);

impl Pen {
    /// `bytes`: the room to begin with.
    pub fn new(bytes: usize) -> Self {
        Pen(Vec::with_capacity(bytes))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn into_bytes(self) -> bytes::Bytes {
        self.0.into()
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The inside of a string, escaped where it must be; the caller writes the quotes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            return self.raw(text);
        }
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', byte]),
                0..0x20 => self.0.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.0.push(byte),
            }
        }
        self
    }

    /// A whole number, not negative.
    pub fn number(&mut self, number: i64) -> &mut Self {
        let (mut digits, mut at, mut rest) = ([b'0'; 20], 20, number.max(0));
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes(&digits[at..])
    }

    /// A number given in hundredths: `525` is `5.25`.
    pub fn hundredths(&mut self, number: i64) -> &mut Self {
        let rest = number % 100;
        self.number(number / 100).bytes(&[b'.', b'0' + (rest / 10) as u8, b'0' + (rest % 10) as u8])
    }

    /// A number given in thousandths: `5250` is `5.250`.
    pub fn thousandths(&mut self, number: i64) -> &mut Self {
        let rest = number % 1_000;
        let digits = [rest / 100, rest / 10 % 10, rest % 10].map(|digit| b'0' + digit as u8);
        self.number(number / 1_000).raw(".").bytes(&digits)
    }

    /// `2024-07-28T13:05:59`, in UTC.
    pub fn date_time(&mut self, at: Moment) -> &mut Self {
        self.bytes(&calendar::stamp(at))
    }

    /// `2024-07-28`, in UTC.
    pub fn date(&mut self, at: Moment) -> &mut Self {
        self.bytes(&calendar::stamp(at)[..10])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut pen = Pen::new(0);
        pen.raw("{\"a\":\"")
            .text("Jane \"JJ\" \\ \n 北京")
            .raw("\",\"b\":")
            .hundredths(1_205)
            .raw(",\"c\":")
            .thousandths(7)
            .raw(",\"d\":\"");
        pen.date_time(Moment(1_000_000)).raw("\",\"e\":").number(0).raw(",\"f\":").number(1_234_567).raw("}");
        let read: serde_json::Value = serde_json::from_slice(&pen.into_bytes()).unwrap();
        let expected =
            serde_json::json!({"a": "Jane \"JJ\" \\ \n 北京", "b": 12.05, "c": 0.007, "d": "1970-01-01T00:00:01", "e": 0, "f": 1_234_567});
        assert_eq!(read, expected);
    }
}
