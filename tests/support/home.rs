//! Opens a twin on disk, for tests and benches: its keys follow from nothing secret.

use std::path::Path;
use twin::TwinError;
use twin::home::{Home, HomeOpening};
use twin::journal::folder::Opening;

pub fn home(dir: &Path) -> Result<Home, TwinError> {
    let opening = HomeOpening {
        journal: Opening::default(),
        entropy: Box::new(|bytes| bytes.fill(7)),
        new_site: Some("test-site".into()),
        progress: &mut twin::replay::silent(),
    };
    Home::open(dir, opening).map(|(home, _)| home)
}
