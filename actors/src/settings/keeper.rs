//! The keeper of a running site's settings: writes versions down, checks them, and puts them in force, at once or when their time
//! comes. What it puts in force is in the journal before anybody goes by it.

use super::restart;
use super::versions::{SettingsFault, Versions};
use crate::config::SiteConfig;
use crate::{Answer, Caller, House, InForce, Outgoing, Told, Work, origin};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::channel::Channel;
use twin::parts::Parts;
use twin::settings::Stage;
use twin::{ChannelId, Moment};

pub type Reply<T> = Caller<Result<T, SettingsFault>>;

#[derive(Debug)]
pub enum KeeperMsg {
    /// Write a version down. The answer comes when it is durable.
    Draft {
        parts: Box<Parts>,
        note: SmolStr,
        reply: Reply<Drafted>,
    },
    Activate {
        asked: Activation,
        reply: Reply<Activated>,
    },
    /// Never put it in force.
    Archive {
        number: u32,
        why: SmolStr,
        reply: Reply<()>,
    },
    /// The time of a planned version has come.
    Due(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafted {
    pub number: u32,
    /// The same was not written down yet.
    pub new: bool,
}

/// Which version is to be in force.
#[derive(Clone, Debug)]
pub struct Activation {
    pub number: u32,
    /// From when on; nothing: from now.
    pub from: Option<Moment>,
    pub reason: SmolStr,
    /// The version that whoever asks believes to be in force; another there refuses.
    pub in_place_of: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Activated {
    pub number: u32,
    /// Active, or planned for later.
    pub stage: Stage,
    pub from: Moment,
    /// What of it waits for the next start.
    pub needs_restart: Vec<String>,
    /// What may be so, and what will come of it.
    pub advice: Vec<String>,
}

pub struct Keeper;

pub struct KeeperArguments {
    pub house: Arc<House>,
    /// What the site was started with, as it was written.
    pub started: Arc<SiteConfig>,
}

pub struct KeeperState {
    house: Arc<House>,
    myself: ActorRef<Told<KeeperMsg>>,
    started: Arc<SiteConfig>,
    versions: Versions,
    /// Channels that were in force, the newest of each.
    past: BTreeMap<ChannelId, Channel>,
}

impl Actor for Keeper {
    type Msg = Told<KeeperMsg>;
    type State = KeeperState;
    type Arguments = KeeperArguments;

    async fn pre_start(&self, myself: ActorRef<Told<KeeperMsg>>, args: KeeperArguments) -> Result<KeeperState, ActorProcessingErr> {
        let KeeperArguments { house, started } = args;
        let versions = Versions::load(&house.twin)?;
        house.keeper.take(myself.clone());
        let past = house.in_force().past.clone();
        let keeper = KeeperState { house, myself, started, versions, past };
        keeper.versions.planned().into_iter().for_each(|(from, number)| keeper.set_alarm(number, from));
        Ok(keeper)
    }

    async fn handle(
        &self,
        _: ActorRef<Told<KeeperMsg>>,
        told: Told<KeeperMsg>,
        keeper: &mut KeeperState,
    ) -> Result<(), ActorProcessingErr> {
        origin::within(told.cause, || keeper.take(told.message))
    }
}

impl KeeperState {
    fn take(&mut self, message: KeeperMsg) -> Result<(), ActorProcessingErr> {
        match message {
            KeeperMsg::Draft { parts, note, reply } => self.answer(reply, Answer::Drafted, |keeper, work| {
                let (number, new) = keeper.versions.draft(work, &parts, note)?;
                Ok(Drafted { number, new })
            }),
            KeeperMsg::Activate { asked, reply } => self.answer(reply, Answer::Activated, |keeper, work| keeper.activate(work, asked)),
            KeeperMsg::Archive { number, why, reply } => {
                self.answer(reply, Answer::Archived, |keeper, work| keeper.versions.archive(work, number, why))
            }
            KeeperMsg::Due(number) => return self.due(number),
        }
        Ok(())
    }

    /// Does something to the versions, and answers once it is durable. What is refused has changed nothing.
    fn answer<T>(
        &mut self,
        reply: Reply<T>,
        answer: fn(Reply<T>, Result<T, SettingsFault>) -> Answer,
        act: impl FnOnce(&mut Self, &mut Work) -> Result<T, SettingsFault>,
    ) {
        let before = self.versions.clone();
        let mut work = self.house.work();
        let outcome = act(self, &mut work);
        if outcome.is_err() {
            self.versions = before;
            return reply.tell(outcome);
        }
        work.say(Outgoing::Answer(answer(reply, outcome)));
        self.house.commit(work);
    }

    fn activate(&mut self, work: &mut Work, asked: Activation) -> Result<Activated, SettingsFault> {
        let Activation { number, from, reason, in_place_of } = asked;
        if let Some(expected) = in_place_of {
            let is = self.versions.in_force().unwrap_or(0);
            if is != expected && is != number {
                return Err(SettingsFault::Overtaken { is, expected });
            }
        }
        let new = self.versions.config(&self.house.twin, number)?;
        let (date, mut advice) = (self.house.clock.date(), new.advice());
        let over = |over| format!("{over}; pickups are planned on every working day after it");
        advice.extend(new.holidays_run_out(date).into_iter().map(over));
        let later = from.filter(|from| *from > date);
        let (_, needs_restart) = restart::at_once(&self.started, &self.house.in_force().config, new.clone());
        match later {
            Some(from) => {
                self.versions.plan(work, number, from, reason)?;
                self.set_alarm(number, from);
                Ok(Activated { number, stage: Stage::Planned, from, needs_restart, advice })
            }
            None => {
                if self.versions.activate(work, number, date, reason)? {
                    self.put_in_force(work, number, new);
                }
                let from = self.versions.get(number)?.active_from.unwrap_or(date);
                Ok(Activated { number, stage: Stage::Active, from, needs_restart, advice })
            }
        }
    }

    /// Everybody goes by it as soon as it is durable that it is in force.
    fn put_in_force(&mut self, work: &mut Work, number: u32, new: SiteConfig) {
        let house = self.house.clone();
        let before = house.in_force();
        self.past.extend(before.config.channels.iter().map(|c| (c.id.clone(), c.clone())));
        let (config, needs_restart) = restart::at_once(&self.started, &before.config, new);
        self.past.extend(config.channels.iter().map(|c| (c.id.clone(), c.clone())));
        let (past, since) = (self.past.clone(), work.tx.at);
        work.say(Outgoing::InForce(Box::new(InForce { past, needs_restart, ..InForce::new(number, since, config) })));
    }

    fn set_alarm(&self, number: u32, from: Moment) {
        let myself = self.myself.clone();
        // A keeper that fell sets its own.
        let ring = move || drop(myself.cast(KeeperMsg::Due(number).into()));
        if from <= self.house.clock.date() {
            return ring();
        }
        self.house.clock.at_next(move |date| (date < from).then_some(from), ring);
    }

    /// The time of a version has come, unless it was put off, put in force or archived meanwhile.
    fn due(&mut self, number: u32) -> Result<(), ActorProcessingErr> {
        let date = self.house.clock.date();
        let planned = self.versions.planned().into_iter().find(|(_, planned)| *planned == number);
        let Some((from, _)) = planned else { return Ok(()) };
        if from > date {
            // It was put off, or the clock was set back. An alarm too many finds nothing to do.
            self.set_alarm(number, from);
            return Ok(());
        }
        let mut work = self.house.work();
        match self.versions.config(&self.house.twin, number) {
            Ok(new) => {
                let reason = self.versions.get(number)?.reason.clone();
                if self.versions.activate(&mut work, number, from, reason)? {
                    self.put_in_force(&mut work, number, new);
                }
            }
            Err(_) => self.versions.catch_up(&mut work, &self.house.twin, date)?,
        }
        self.house.commit(work);
        Ok(())
    }
}
