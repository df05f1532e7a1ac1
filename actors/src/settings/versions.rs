//! All versions of a site's settings, in the hand of the one who writes them: the keeper of a running site, or a command on a twin
//! that no site has open. At most one is in force; whoever puts another in force archives it in the same transaction.

use crate::config::SiteConfig;
use crate::{Host, Work};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::collections::{BTreeMap, HashSet};
use twin::channel::Channel;
use twin::parts::Parts;
use twin::settings::{Command, Settings, Stage};
use twin::{ChannelId, Hash, Moment, Refusal, Twin, TwinError};

/// Why something was not done with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsFault {
    #[error("there is no version {0} of the settings")]
    Absent(u32),
    /// In the words of a start that refuses a site file.
    #[error("{0}")]
    Faulty(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("version {is} is in force, not {expected}")]
    Overtaken { is: u32, expected: u32 },
    #[error("version {0} is in force: put another in force in its place")]
    InForce(u32),
    #[error(transparent)]
    Twin(#[from] TwinError),
}

#[derive(Clone, Default)]
pub struct Versions(BTreeMap<u32, Host<Settings>>);

impl Versions {
    /// Reads all of them. There are as many as somebody wrote by hand.
    pub fn load(twin: &Twin) -> Result<Self, TwinError> {
        let mut all = BTreeMap::new();
        for row in twin.all::<Settings>() {
            let (id, _) = row?;
            if let Ok(number) = id.parse() {
                all.insert(number, Host::load(twin, id)?);
            }
        }
        Ok(Versions(all))
    }

    pub fn get(&self, number: u32) -> Result<&Settings, SettingsFault> {
        self.0.get(&number).map(|host| &host.state).ok_or(SettingsFault::Absent(number))
    }

    /// Each with its number, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (u32, &Settings)> {
        self.0.iter().rev().map(|(number, host)| (*number, &host.state))
    }

    pub fn in_force(&self) -> Option<u32> {
        self.newest_first().find(|(_, settings)| settings.stage == Stage::Active).map(|(number, _)| number)
    }

    /// What is planned, the earliest first.
    pub fn planned(&self) -> Vec<(Moment, u32)> {
        let from =
            |(number, settings): (u32, &Settings)| Some((settings.active_from?, number)).filter(|_| settings.stage == Stage::Planned);
        let mut planned: Vec<_> = self.newest_first().filter_map(from).collect();
        planned.sort_unstable();
        planned
    }

    pub fn parts(&self, twin: &Twin, number: u32) -> Result<Parts, SettingsFault> {
        Ok(Parts::read(twin, &self.get(number)?.parts)?)
    }

    /// What a version says, checked as a whole.
    pub fn config(&self, twin: &Twin, number: u32) -> Result<SiteConfig, SettingsFault> {
        SiteConfig::of(&self.parts(twin, number)?).map_err(SettingsFault::Faulty)
    }

    /// Writes a draft down; where the same is written down already and may still be, or is, in force: that one. Says whether it
    /// is new. It need not be one that can be in force: that is asked when it shall be.
    pub fn draft(&mut self, work: &mut Work, parts: &Parts, note: SmolStr) -> Result<(u32, bool), SettingsFault> {
        let documents: Vec<_> = parts.documents().map(|(name, bytes)| (name, Hash::of(&bytes), bytes)).collect();
        let named: BTreeMap<_, _> = documents.iter().map(|(name, hash, _)| (name.clone(), *hash)).collect();
        let same = |settings: &Settings| settings.stage != Stage::Archived && settings.parts == named;
        if let Some((number, _)) = self.newest_first().find(|(_, settings)| same(settings)) {
            return Ok((number, false));
        }
        let known: HashSet<Hash> = self.0.values().flat_map(|host| host.state.parts.values().copied()).collect();
        for (_, _, bytes) in documents.into_iter().filter(|(_, hash, _)| !known.contains(hash)) {
            work.tx.document(bytes);
        }
        let number = self.0.keys().last().copied().unwrap_or(0) + 1;
        let mut host = Host::new(number.to_smolstr());
        host.command(work, Command::Draft { parts: named, note })?;
        self.0.insert(number, host);
        Ok((number, true))
    }

    fn host(&mut self, number: u32) -> Result<&mut Host<Settings>, SettingsFault> {
        self.0.get_mut(&number).ok_or(SettingsFault::Absent(number))
    }

    /// In force when that time comes.
    pub fn plan(&mut self, work: &mut Work, number: u32, from: Moment, reason: SmolStr) -> Result<(), SettingsFault> {
        self.host(number)?.command(work, Command::Plan { from, reason })?;
        Ok(())
    }

    /// In force now, in place of the one before. Says whether it was not yet.
    pub fn activate(&mut self, work: &mut Work, number: u32, from: Moment, reason: SmolStr) -> Result<bool, SettingsFault> {
        let before = self.in_force();
        if self.host(number)?.command(work, Command::Activate { from, reason })? == 0 {
            return Ok(false);
        }
        if let Some(before) = before.filter(|before| *before != number) {
            self.host(before)?.command(work, Command::Archive { why: format_smolstr!("version {number} is in force") })?;
        }
        Ok(true)
    }

    /// Never in force any more.
    pub fn archive(&mut self, work: &mut Work, number: u32, why: SmolStr) -> Result<(), SettingsFault> {
        if self.in_force() == Some(number) {
            return Err(SettingsFault::InForce(number));
        }
        self.host(number)?.command(work, Command::Archive { why })?;
        Ok(())
    }

    /// Writes a draft down and puts it in force at once.
    pub fn take(&mut self, work: &mut Work, parts: &Parts, reason: SmolStr) -> Result<u32, SettingsFault> {
        SiteConfig::of(parts).map_err(SettingsFault::Faulty)?;
        let (number, _) = self.draft(work, parts, reason.clone())?;
        self.activate(work, number, work.tx.at, reason)?;
        Ok(number)
    }

    /// Puts in force what was planned for a time that has come meanwhile, the earliest first. What can be in force no more is
    /// archived, with its fault.
    pub fn catch_up(&mut self, work: &mut Work, twin: &Twin, date: Moment) -> Result<(), SettingsFault> {
        for (from, number) in self.planned().into_iter().filter(|(from, _)| *from <= date) {
            match self.config(twin, number) {
                Ok(_) => {
                    let reason = self.get(number)?.reason.clone();
                    self.activate(work, number, from, reason)?;
                }
                Err(SettingsFault::Faulty(why)) => {
                    tracing::error!(version = number, %why, "planned settings cannot be in force, and are archived");
                    self.archive(work, number, format_smolstr!("it cannot be in force: {why}"))?;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Channels of versions that were in force, as they were last: what went over them is still under way. One whose part cannot
    /// be read any more is left out, aloud.
    pub fn past_channels(&self, twin: &Twin) -> Result<BTreeMap<ChannelId, Channel>, TwinError> {
        let mut channels = BTreeMap::new();
        let mut seen = HashSet::new();
        let was = |settings: &&Settings| settings.activated_at.is_some();
        for settings in self.0.values().rev().map(|host| &host.state).filter(was) {
            let fresh = settings.parts.iter().filter(|(name, _)| name.starts_with("channel/"));
            let fresh: BTreeMap<_, _> = fresh.filter(|(name, _)| seen.insert((*name).clone())).map(|(n, h)| (n.clone(), *h)).collect();
            if fresh.is_empty() {
                continue;
            }
            // With its tariff: its freight is reckoned by it.
            let id = |name: &SmolStr| name.strip_prefix("channel/").map(|id| format_smolstr!("tariff/{id}"));
            let tariffs = fresh.keys().filter_map(id).filter_map(|name| Some((name.clone(), *settings.parts.get(&name)?)));
            let both = fresh.clone().into_iter().chain(tariffs).collect();
            let parts = Parts::read(twin, &both)?;
            for name in fresh.keys() {
                match parts.channel(name) {
                    Ok(channel) => drop(channels.insert(channel.id.clone(), channel)),
                    Err(why) => tracing::warn!(part = %name, %why, "a channel of earlier settings cannot be read any more"),
                }
            }
        }
        Ok(channels)
    }
}
