//! Bodies that real carriers sent, read in place beside the project where that folder is there.
//! A test that asks for one prints its own name and skips where it is not.

use std::path::PathBuf;

/// The text of `carriers/<name>` in the shared data, or `None` (and a line that says so) where there is none.
pub fn body(test: &str, name: &str) -> Option<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "data", "carriers", name].iter().collect();
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(why) => {
            println!("{test} skips: no recorded body {name} beside the project ({why})");
            None
        }
    }
}

/// The same, as JSON.
pub fn json(test: &str, name: &str) -> Option<serde_json::Value> {
    body(test, name).map(|text| serde_json::from_str(&text).expect("the recorded body is JSON"))
}
