//! The site's settings while it runs: versions of them in the twin, one of which is in force.
//!
//! [`versions`] writes versions down, each in [`twin::parts`], and puts them in force, [`restart`] says what of a version waits for the next start, [`keeper`] does all that while the site runs. What
//! everybody reads is [`crate::InForce`].

pub mod keeper;
pub mod restart;
pub mod versions;

pub use keeper::{Keeper, KeeperMsg};
pub use versions::{SettingsFault, Versions};

use crate::Work;
use crate::config::SiteConfig;
use std::collections::BTreeMap;
use twin::channel::Channel;
use twin::parts::Parts;
use twin::{ChannelId, Moment, Twin};

/// The settings that a site starts with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Their version; 0 where there is none in the twin, as in a test.
    pub version: u32,
    /// When it was put in force.
    pub since: Moment,
    /// As they are written.
    pub written: SiteConfig,
    /// As the site goes by them: the same, but where devices and carriers are simulated in the place of real ones.
    pub config: SiteConfig,
    /// Channels of earlier versions.
    pub past: BTreeMap<ChannelId, Channel>,
}

impl Opening {
    /// A version that the twin has in force.
    pub fn of(twin: &Twin, versions: &Versions, version: u32) -> Result<Self, SettingsFault> {
        let written = versions.config(twin, version)?;
        let since = versions.get(version)?.activated_at.unwrap_or_default();
        Ok(Opening { version, since, config: written.clone(), written, past: versions.past_channels(twin)? })
    }

    /// Puts settings in force in a twin that no site has open: those that a run begins with.
    pub fn take(twin: &Twin, parts: &Parts, at: Moment, reason: &str) -> Result<Self, SettingsFault> {
        let mut versions = Versions::load(twin)?;
        let mut work = Work::at(at);
        let version = versions.take(&mut work, parts, reason.into())?;
        twin.commit([work.tx])?;
        Opening::of(twin, &versions, version)
    }
}

impl From<SiteConfig> for Opening {
    fn from(config: SiteConfig) -> Self {
        Opening { version: 0, since: Moment::default(), written: config.clone(), config, past: BTreeMap::new() }
    }
}
