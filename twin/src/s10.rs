//! UPU S10 item identifiers: two letters, eight digits, a check digit, a country. `RR473124829CN` is valid.

const WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];

/// The check digit for an eight-digit serial (UPU S10-12, weights 8 6 4 2 3 5 9 7).
pub fn check_digit(serial: u32) -> u32 {
    let digits = format!("{serial:08}");
    let sum: u32 = digits.bytes().zip(WEIGHTS).map(|(d, w)| u32::from(d - b'0') * w).sum();
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        c => c,
    }
}

/// A full identifier. `serial` is taken modulo 100,000,000.
pub fn item(service: &str, serial: u32, country: &str) -> String {
    let serial = serial % 100_000_000;
    format!("{service}{serial:08}{}{country}", check_digit(serial))
}

/// Whether `text` is a well-formed identifier with the right check digit.
pub fn is_valid(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 13
        && b[..2].iter().chain(&b[11..]).all(u8::is_ascii_uppercase)
        && b[2..11].iter().all(u8::is_ascii_digit)
        && text[2..10].parse().is_ok_and(|serial| check_digit(serial) == u32::from(b[10] - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example() {
        assert!(is_valid("RR473124829CN"));
        assert!(!is_valid("RR473124828CN"));
        assert_eq!(item("RR", 47_312_482, "CN"), "RR473124829CN");
        for serial in [0, 1, 12_345_678, 99_999_999] {
            assert!(is_valid(&item("LX", serial, "US")), "{serial}");
        }
    }
}
