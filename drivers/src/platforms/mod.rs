//! Platforms and order files: turns what they say into `twin::order::NewOrder`, platform differences gone.
//!
//! Reads, and says exactly what it could not read and where. Never decides whether an order may ship: an unpaid order or a
//! poor address comes through as it is and is held by the order desk.

pub mod csv;
mod goods;
pub mod json;
pub mod shopify;
mod shopify_export;
mod shopify_lines;

pub use self::csv::BadRow;
pub use self::goods::{MapRow, ProductRow, Sifted, read_maps, read_products, read_stock};
pub use self::json::BadJson;
pub use self::shopify::{LineGoods, Skipped, catalogue_from_lines};

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use twin::NewOrder;
use twin::stock::Counted;

/// The largest CSV file that is read, in bytes.
pub const CSV_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The largest JSON file that is read, in bytes. Smaller, because a JSON document is held in memory as a whole.
pub const JSON_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The longest value quoted in an error, in characters.
const QUOTE_CHARS_MAX: usize = 80;

/// What one order file, with the files beside it, said.
#[derive(Clone, Debug, Default)]
pub struct OrderFile {
    /// In the order of the file.
    pub orders: Vec<NewOrder>,
    /// From `products.csv` beside the file; `None` if there is none.
    pub catalogue: Option<Vec<ProductRow>>,
    /// From `sku_maps.csv` beside the file.
    pub maps: Vec<MapRow>,
    /// From `stock.csv` beside the file; `None` if there is none.
    pub stock: Option<Vec<Counted>>,
    /// Orders of the file, or parts of them, that are not to be shipped or cannot be read, with the reason.
    pub skipped: Vec<Skipped>,
    /// What the order lines themselves say about the goods. Empty for CSV, whose lines say nothing.
    pub lines: Vec<LineGoods>,
}

impl OrderFile {
    /// The catalogue beside the file, or else the best that can be made of the order lines (see [`catalogue_from_lines`]).
    pub fn catalogue_or_derived(&self) -> Vec<ProductRow> {
        self.catalogue.clone().unwrap_or_else(|| catalogue_from_lines(&self.lines))
    }
}

/// Why an order file was not taken. Nothing of such a file is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("cannot read {file}: {why}")]
    Unreadable { file: String, why: String },
    #[error("{file} has {bytes} bytes, over the limit of {limit_bytes}: split it")]
    TooLarge { file: String, bytes: u64, limit_bytes: u64 },
    #[error("{file} is neither a CSV file with an order_id column nor a JSON file with \"orders\" (its name should end in .csv or .json)")]
    UnknownKind { file: String },
    /// One bad order is left out; a file of nothing but bad ones is no order file.
    #[error("no order of {file} can be read; the first is {order}, which {why}")]
    NothingReadable { file: String, order: smol_str::SmolStr, why: String },
    #[error(transparent)]
    Row(#[from] BadRow),
    #[error(transparent)]
    Json(#[from] BadJson),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileKind {
    Csv,
    ShopifyCsv,
    Json,
}

/// Reads an order file: our CSV layout, or orders as Shopify's Admin API or its admin's export gives them. Ending and content decide which.
/// `products.csv`, `sku_maps.csv` and `stock.csv` in the same directory are read with it where they are.
pub fn read_order_file(path: &Path) -> Result<OrderFile, ImportError> {
    let name = name_of(path);
    let mut out = OrderFile {
        catalogue: beside(path, "products.csv")?.map(|(n, r)| read_products(&n, r)?.whole()).transpose()?,
        maps: beside(path, "sku_maps.csv")?.map(|(n, r)| read_maps(&n, r)?.whole()).transpose()?.unwrap_or_default(),
        stock: beside(path, "stock.csv")?.map(|(n, r)| read_stock(&n, r)).transpose()?,
        ..OrderFile::default()
    };
    match kind_of(path)? {
        FileKind::Csv => out.orders = csv::read_orders(&name, open(path, CSV_BYTES_MAX)?)?,
        FileKind::ShopifyCsv => {
            let said = shopify_export::read_orders(&name, open(path, CSV_BYTES_MAX)?)?;
            (out.orders, out.skipped, out.lines) = (said.orders, said.skipped, said.lines);
        }
        FileKind::Json => {
            let said = shopify::read_orders(&name, open(path, JSON_BYTES_MAX)?, None)?;
            (out.orders, out.skipped, out.lines) = (said.orders, said.skipped, said.lines);
        }
    }
    match out.skipped.iter().find(|s| s.why.starts_with(shopify::UNREADABLE)) {
        Some(bad) if out.orders.is_empty() => {
            Err(ImportError::NothingReadable { file: name, order: bad.order.clone(), why: bad.why.to_string() })
        }
        _ => Ok(out),
    }
}

fn kind_of(path: &Path) -> Result<FileKind, ImportError> {
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    if ending.as_deref() == Some("json") {
        return Ok(FileKind::Json);
    }
    let mut reader = open(path, CSV_BYTES_MAX)?;
    let start = reader.fill_buf().map_err(|e| unreadable(path, &e))?;
    let start = String::from_utf8_lossy(start);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let header = start.lines().next().unwrap_or_default();
    if shopify_export::is_header(header) {
        Ok(FileKind::ShopifyCsv)
    } else if ending.as_deref() == Some("csv") {
        Ok(FileKind::Csv)
    } else if start.starts_with('{') {
        Ok(FileKind::Json)
    } else if header.contains("order_id") {
        Ok(FileKind::Csv)
    } else {
        Err(ImportError::UnknownKind { file: name_of(path) })
    }
}

fn open(path: &Path, limit_bytes: u64) -> Result<BufReader<File>, ImportError> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let bytes = file.metadata().map_err(|e| unreadable(path, &e))?.len();
    if bytes > limit_bytes {
        return Err(ImportError::TooLarge { file: name_of(path), bytes, limit_bytes });
    }
    Ok(BufReader::with_capacity(64 * 1024, file))
}

fn beside(path: &Path, sibling: &str) -> Result<Option<(String, BufReader<File>)>, ImportError> {
    let sibling = path.with_file_name(sibling);
    match sibling.try_exists() {
        Ok(true) => Ok(Some((name_of(&sibling), open(&sibling, CSV_BYTES_MAX)?))),
        Ok(false) => Ok(None),
        Err(e) => Err(unreadable(&sibling, &e)),
    }
}

fn name_of(path: &Path) -> String {
    path.display().to_string()
}

fn unreadable(path: &Path, why: &std::io::Error) -> ImportError {
    ImportError::Unreadable { file: name_of(path), why: why.to_string() }
}

/// A reader that fails once more than its limit came through, so that no reader of ours ever reads without end.
pub(crate) struct Limited<R> {
    inner: R,
    left_bytes: u64,
    limit_bytes: u64,
}

impl<R: Read> Limited<R> {
    pub(crate) fn new(inner: R, limit_bytes: u64) -> Self {
        Limited { inner, left_bytes: limit_bytes, limit_bytes }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        match self.left_bytes.checked_sub(n as u64) {
            Some(left) => self.left_bytes = left,
            None => return Err(std::io::Error::other(format!("over the limit of {} bytes", self.limit_bytes))),
        }
        Ok(n)
    }
}

/// A value as an error quotes it: not longer than a line.
pub(crate) fn quoted(value: &str) -> String {
    match value.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// An empty directory of this test's own.
    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("parceltwin-platforms-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    const ORDERS: &str = "order_id,platform,shop,placed_at,country,postcode,city,region,sku,quantity,unit_price,currency\n\
                          EBA-1,ebay,ebay-1,2026-01-05T10:00:00Z,US,10001,New York,NY,CUP,1,9.50,USD\n";
    const SHOPIFY: &str = r##"{"orders":[{"id":7,"name":"#7","created_at":"2026-01-05T10:00:00Z","currency":"EUR","financial_status":"paid",
        "line_items":[{"sku":"CUP","quantity":1,"price":"8.00","grams":310}],
        "shipping_address":{"name":"Ann Lee","address1":"1 Oak","city":"Bonn","zip":"53111","country_code":"DE"}}]}"##;

    #[test]
    fn files_beside_the_orders_are_read_with_them() {
        let dir = scratch("beside");
        std::fs::write(dir.join("week"), ORDERS).unwrap();
        let alone = read_order_file(&dir.join("week")).unwrap();
        assert_eq!((alone.orders.len(), alone.catalogue.is_none(), alone.stock.is_none()), (1, true, true));

        std::fs::write(
            dir.join("products.csv"),
            "sku,category,weight_g,length_mm,width_mm,height_mm,battery\nCUP,kitchen,300,120,90,90,0\n",
        )
        .unwrap();
        std::fs::write(dir.join("stock.csv"), "warehouse,sku,on_hand\nSZX,CUP,4\n").unwrap();
        std::fs::write(dir.join("shop.json"), SHOPIFY).unwrap();
        let full = read_order_file(&dir.join("shop.json")).unwrap();
        assert_eq!(full.orders[0].number.as_str(), "7");
        assert_eq!(full.catalogue_or_derived()[0].facts.weight_g, 300);
        assert_eq!(full.stock.unwrap()[0].on_hand, 4);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn without_a_catalogue_the_lines_give_one() {
        let dir = scratch("derived");
        std::fs::write(dir.join("page"), SHOPIFY).unwrap();
        let export = "Name,Id,Financial Status,Created at,Currency,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Shipping City\n\
                      #8,1,paid,2026-01-10 11:00:00 -0500,EUR,1,Cup,8.00,CUP,Bonn\n";
        for name in ["orders_export.csv", "export"] {
            std::fs::write(dir.join(name), export).unwrap();
            let file = read_order_file(&dir.join(name)).unwrap();
            assert_eq!((file.orders[0].number.as_str(), file.catalogue_or_derived().len()), ("8", 1), "{name}");
        }
        let file = read_order_file(&dir.join("page")).unwrap();
        assert!(file.catalogue.is_none());
        assert_eq!(file.catalogue_or_derived()[0].facts.weight_g, 310);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_is_no_order_file_is_told_so() {
        let dir = scratch("strange");
        std::fs::write(dir.join("notes.txt"), "call the carrier").unwrap();
        let error = read_order_file(&dir.join("notes.txt")).unwrap_err().to_string();
        assert!(error.contains("notes.txt is neither a CSV file with an order_id column nor a JSON file"), "{error}");
        let error = read_order_file(&dir.join("gone.csv")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read ") && error.contains("gone.csv"), "{error}");
        // A sparse file: large in length, nothing on the disk.
        File::create(dir.join("huge.csv")).unwrap().set_len(CSV_BYTES_MAX + 1).unwrap();
        let error = read_order_file(&dir.join("huge.csv")).unwrap_err().to_string();
        assert!(error.ends_with("has 268435457 bytes, over the limit of 268435456: split it"), "{error}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn no_reader_reads_without_end() {
        let error = std::io::copy(&mut Limited::new(std::io::repeat(b'x'), 1_000), &mut std::io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "over the limit of 1000 bytes");
    }
}
