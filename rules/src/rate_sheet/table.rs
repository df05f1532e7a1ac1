//! A sheet as a table: rows read by the names of their columns, since sheets of one publisher order and omit them freely.

use super::{SheetError, SkippedRow};
use csv::StringRecord;
use rust_decimal::prelude::ToPrimitive;
use twin::Grams;
use twin::money::{Currency, Decimal};

/// The most rows that one sheet may have.
pub const SHEET_ROWS_MAX: usize = 100_000;

pub(super) struct Table<'a> {
    pub file: &'a str,
    columns: StringRecord,
    records: Vec<(u64, StringRecord)>,
}

impl<'a> Table<'a> {
    /// Reads comma-separated text with a header line that has at least the `required` columns.
    pub fn read(text: &str, file: &'a str, required: &[&'static str]) -> Result<Self, SheetError> {
        let not_a_table = |e: csv::Error| {
            let line = e.position().map_or(1, |p| p.line());
            SheetError::NotATable { file: file.into(), line, what: e.to_string() }
        };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let columns = reader.headers().map_err(not_a_table)?.clone();
        if let Some(&column) = required.iter().find(|&&column| !columns.iter().any(|c| c == column)) {
            let has = columns.iter().collect::<Vec<_>>().join(", ");
            return Err(SheetError::NoColumn { file: file.into(), column, has });
        }
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(not_a_table)?;
            let line = record.position().map_or(0, |p| p.line());
            if records.len() == SHEET_ROWS_MAX {
                return Err(SheetError::TooLong { file: file.into(), line });
            }
            records.push((line, record));
        }
        if records.is_empty() {
            return Err(SheetError::Empty { file: file.into() });
        }
        Ok(Table { file, columns, records })
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.records.iter().map(|(line, record)| Row { table: self, line: *line, record })
    }

    pub fn has(&self, field: &str) -> bool {
        self.columns.iter().any(|column| column == field)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    pub line: u64,
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// The field's text; empty where the sheet has no such column.
    pub fn text(&self, field: &str) -> &'a str {
        let column = self.table.columns.iter().position(|column| column == field);
        column.and_then(|column| self.record.get(column)).unwrap_or("")
    }

    pub fn wants(&self, field: &'static str, wants: &'static str) -> SheetError {
        SheetError::Value { file: self.table.file.into(), line: self.line, field, value: self.text(field).into(), wants }
    }

    pub fn conflict(&self, field: &'static str, conflict: impl Into<String>) -> SheetError {
        let value = self.text(field).into();
        SheetError::Conflict { file: self.table.file.into(), line: self.line, field, value, conflict: conflict.into() }
    }

    /// This row as one that is left out because of a field.
    pub fn skipped(&self, field: &'static str, why: &'static str) -> SkippedRow {
        SkippedRow { line: self.line, field, value: self.text(field).into(), why }
    }

    pub fn required(&self, field: &'static str) -> Result<&'a str, SheetError> {
        Some(self.text(field)).filter(|text| !text.is_empty()).ok_or_else(|| self.wants(field, "filled in"))
    }

    /// A number that is not negative; `None` where the field is empty.
    pub fn number(&self, field: &'static str) -> Result<Option<Decimal>, SheetError> {
        let text = self.text(field);
        if text.is_empty() {
            return Ok(None);
        }
        let number = Decimal::from_str_exact(text).ok().filter(|n| *n >= Decimal::ZERO);
        number.map(Some).ok_or_else(|| self.wants(field, "a number from 0 up"))
    }

    /// A number in units of `unit` grams or millimetres, in whole ones, rounded down: a limit is never stretched.
    pub fn measure(&self, field: &'static str, unit: Decimal) -> Result<Option<u32>, SheetError> {
        let Some(number) = self.number(field)? else { return Ok(None) };
        let whole = number.checked_mul(unit).and_then(|n| n.floor().to_u32());
        whole.map(Some).ok_or_else(|| self.wants(field, "a weight or length that can be counted"))
    }

    pub fn kilograms(&self, field: &'static str) -> Result<Option<Grams>, SheetError> {
        self.measure(field, Decimal::ONE_THOUSAND)
    }

    pub fn currency(&self, field: &'static str) -> Result<Currency, SheetError> {
        Currency::from_code(self.text(field)).ok_or_else(|| self.wants(field, "an ISO 4217 currency"))
    }

    /// The later end of `2-5`, or the one number there is.
    pub fn days(&self, field: &'static str) -> Result<Option<u16>, SheetError> {
        let text = self.text(field);
        if text.is_empty() {
            return Ok(None);
        }
        let ends = text.split('-').map(|end| end.trim().parse::<u16>().ok()).collect::<Option<Vec<_>>>();
        let latest = ends.filter(|ends| ends.len() <= 2).and_then(|ends| ends.into_iter().max());
        latest.map(Some).ok_or_else(|| self.wants(field, "a number of days or a range of them"))
    }

    /// ISO countries separated by commas.
    pub fn countries(&self, field: &'static str) -> Result<Vec<smol_str::SmolStr>, SheetError> {
        let codes: Vec<_> = self.text(field).split(',').map(str::trim).filter(|code| !code.is_empty()).collect();
        if codes.iter().any(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase())) {
            return Err(self.wants(field, "a list of ISO 3166 two-letter countries"));
        }
        Ok(codes.into_iter().map(Into::into).collect())
    }
}
