//! A house in which nobody sits, for tests of one role at a time: this state, this message, these events and these words.

use crate::config::SiteConfig;
use crate::{House, InForce};
use drivers::Clock;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::{Moment, Twin};

/// The bundled site; its clock stands still.
pub fn house() -> Arc<House> {
    let config: SiteConfig = toml::from_str(include_str!("../../scenarios/quick-start/site.toml")).unwrap();
    let start: Moment = "2026-11-09T08:00:00+08:00".parse().unwrap();
    let twin = Arc::new(Twin::in_memory("house"));
    Arc::new(House::new(Clock::virtual_from(start), twin, BTreeMap::new(), BTreeMap::new(), InForce::new(1, start, config)))
}
