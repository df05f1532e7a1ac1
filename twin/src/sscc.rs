//! GS1 Serial Shipping Container Code: 18 digits, the last a mod-10 check digit. What a bag tag carries (GS1-128, AI 00).

/// The mod-10 check digit over `digits` (GS1 General Specifications 7.9: weights 3 and 1 from the right).
pub fn check_digit(digits: &str) -> u8 {
    let sum: u32 = digits.bytes().rev().enumerate().map(|(i, d)| u32::from(d - b'0') * if i % 2 == 0 { 3 } else { 1 }).sum();
    ((10 - sum % 10) % 10) as u8
}

/// An SSCC from a GS1 company prefix (7 to 10 digits) and a serial that fills the rest.
pub fn sscc(company_prefix: &str, serial: u64) -> String {
    let width = 16usize.saturating_sub(company_prefix.len());
    let serial = serial % 10u64.pow(width as u32);
    let body = format!("0{company_prefix}{serial:0width$}");
    let check = check_digit(&body);
    format!("{body}{check}")
}

/// Whether `text` is 18 digits with the right check digit.
pub fn is_valid(text: &str) -> bool {
    text.len() == 18 && text.bytes().all(|b| b.is_ascii_digit()) && check_digit(&text[..17]) == text.as_bytes()[17] - b'0'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_and_our_own_agree() {
        assert!(is_valid("106141412345678908")); // GS1's own example
        assert!(is_valid(&sscc("6901234", 42)));
        assert!(!is_valid("106141412345678907"));
    }
}
