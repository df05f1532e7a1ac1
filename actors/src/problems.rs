//! Who keeps the list of open problems: opens and closes them as what is wrong with things changes, and takes down what people do about
//! them. What is wrong stands in the things' own states, so after a fall the list is compared with those.

use crate::order_desk::Reply;
use crate::{Answer, Host, House, Outgoing, Seat, Told, origin};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::bag::Bag;
use twin::carrier::Carrier;
use twin::device::Device;
use twin::facet::Facet;
use twin::order::Order;
use twin::parcel::Parcel;
use twin::problem::{Cause, Command, Problem, id};
use twin::shelf::Listed;
use twin::station::Station;
use twin::tracking::Tracking;
use twin::{By, Entity, Key, Kind, Moment, Refusal, Twin, TwinError};

/// Kinds of things that something can be wrong with.
const TROUBLED: [Kind; 7] = [Kind::Order, Kind::Parcel, Kind::Tracking, Kind::Bag, Kind::Device, Kind::Carrier, Kind::Station];
/// So many are looked at in one go.
const PORTION: usize = 200;

#[derive(Debug)]
pub enum ProblemsMsg {
    /// What is wrong with this has changed.
    Changed(Key),
    /// A person does something about a problem; told, once it is durable, what came of it.
    Handle { problem: SmolStr, step: Handling, note: SmolStr, reply: Reply },
    /// The twin has a problem in this version.
    Rest(SmolStr, u32),
    /// After a start: a list is gone through, from there on.
    TakeUp(Kind, Option<Listed>),
}

/// What a person does about a problem.
#[derive(Clone, Debug)]
pub enum Handling {
    Acknowledge,
    /// To nobody: an empty name.
    Assign(SmolStr),
    Snooze(Moment),
    Comment,
}

pub struct Problems;

pub struct ProblemsState {
    house: Arc<House>,
    /// Its own seat: what it tells itself ends with it.
    myself: Seat<ProblemsMsg>,
    /// Those that the twin may not have as they are.
    hosts: BTreeMap<SmolStr, Host<Problem>>,
}

impl Actor for Problems {
    type Msg = Told<ProblemsMsg>;
    type State = ProblemsState;
    type Arguments = Arc<House>;

    async fn pre_start(&self, myself: ActorRef<Told<ProblemsMsg>>, house: Arc<House>) -> Result<ProblemsState, ActorProcessingErr> {
        house.problems.take(myself.clone());
        Ok(ProblemsState { house, myself: Seat::of(myself), hosts: BTreeMap::new() })
    }

    async fn post_start(&self, _: ActorRef<Told<ProblemsMsg>>, state: &mut ProblemsState) -> Result<(), ActorProcessingErr> {
        // What is wrong, and then what was: a problem whose cause is gone is closed.
        TROUBLED.into_iter().chain([Kind::Problem]).for_each(|kind| state.myself.cast(ProblemsMsg::TakeUp(kind, None)));
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Told<ProblemsMsg>>,
        told: Told<ProblemsMsg>,
        state: &mut ProblemsState,
    ) -> Result<(), ActorProcessingErr> {
        Ok(origin::within(told.cause, || state.take(told.message))?)
    }
}

impl ProblemsState {
    fn take(&mut self, message: ProblemsMsg) -> Result<(), TwinError> {
        match message {
            ProblemsMsg::Changed(key) => self.compare(&key),
            ProblemsMsg::Handle { problem, step, note, reply } => self.handle(problem, step, note, reply),
            ProblemsMsg::Rest(id, version) => {
                if self.hosts.get(&id).is_some_and(|host| host.version == version) {
                    self.hosts.remove(&id);
                }
                Ok(())
            }
            ProblemsMsg::TakeUp(kind, after) => self.take_up(kind, after),
        }
    }

    /// Opens what is wrong with a thing now, and closes what is so no more.
    fn compare(&mut self, subject: &Key) -> Result<(), TwinError> {
        let house = self.house.clone();
        let troubles = house.twin.troubles(subject)?;
        let mut work = house.work();
        for cause in Cause::ALL {
            let trouble = troubles.iter().find(|trouble| trouble.cause == cause).cloned();
            let host = self.host(&id(cause, subject))?;
            let command = match trouble {
                Some(trouble) => Command::Find { subject: subject.clone(), trouble },
                None if host.state.open => Command::Close,
                None => continue,
            };
            host.command(&mut work, command).map_err(|refusal| tracing::warn!(%refusal, "refused")).ok();
            let rests = ProblemsMsg::Rest(host.id.clone(), host.version);
            work.say(Outgoing::Problems(rests));
        }
        self.hosts.retain(|_, host| host.exists());
        house.commit(work);
        Ok(())
    }

    fn handle(&mut self, problem: SmolStr, step: Handling, note: SmolStr, reply: Reply) -> Result<(), TwinError> {
        let house = self.house.clone();
        let by = match origin::current().by {
            By::System => By::Person("somebody".into()),
            by => by,
        };
        let command = match step {
            Handling::Acknowledge => Command::Acknowledge { by, note },
            Handling::Assign(to) => Command::Assign { to, by, note },
            Handling::Snooze(until) => Command::Snooze { until, by, note },
            Handling::Comment => Command::Comment { by, note },
        };
        let mut work = house.work();
        let host = self.host(&problem)?;
        let outcome = host.command(&mut work, command).map(drop).map_err(|refusal: Refusal| refusal.to_string());
        let rests = ProblemsMsg::Rest(problem, host.version);
        self.hosts.retain(|_, host| host.exists());
        work.say(Outgoing::Problems(rests));
        work.say(Outgoing::Answer(Answer::Done(reply, outcome)));
        house.commit(work);
        Ok(())
    }

    /// As it is, also where the twin has it not yet.
    fn host(&mut self, id: &SmolStr) -> Result<&mut Host<Problem>, TwinError> {
        Ok(match self.hosts.entry(id.clone()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(Host::load(&self.house.twin, id.clone())?),
        })
    }

    fn take_up(&mut self, kind: Kind, after: Option<Listed>) -> Result<(), TwinError> {
        let portion = listed(&self.house.twin, kind, after.as_ref())?;
        let last = portion.last().map(|(listed, _)| listed.clone()).filter(|_| portion.len() == PORTION);
        for (Listed { of, id, .. }, note) in portion {
            // An open problem names the kind of what has it, and its id.
            let key = if kind == Kind::Problem { of.parse().ok().map(|kind| Key::new(kind, note)) } else { Some(Key::new(kind, id)) };
            key.into_iter().try_for_each(|key| self.compare(&key))?;
        }
        if let Some(last) = last {
            self.myself.cast(ProblemsMsg::TakeUp(kind, Some(last)));
        }
        Ok(())
    }
}

/// Some of those of a kind that something is wrong with, or of the problems that are open.
fn listed(twin: &Twin, kind: Kind, after: Option<&Listed>) -> Result<Vec<(Listed, SmolStr)>, TwinError> {
    fn of<E: Entity>(twin: &Twin, facet: Facet, after: Option<&Listed>) -> Result<Vec<(Listed, SmolStr)>, TwinError> {
        twin.listed::<E>(facet, None, after).take(PORTION).collect()
    }
    match kind {
        Kind::Order => of::<Order>(twin, Facet::Trouble, after),
        Kind::Parcel => of::<Parcel>(twin, Facet::Trouble, after),
        Kind::Tracking => of::<Tracking>(twin, Facet::Trouble, after),
        Kind::Bag => of::<Bag>(twin, Facet::Trouble, after),
        Kind::Device => of::<Device>(twin, Facet::Trouble, after),
        Kind::Carrier => of::<Carrier>(twin, Facet::Trouble, after),
        Kind::Station => of::<Station>(twin, Facet::Trouble, after),
        Kind::Problem => of::<Problem>(twin, Facet::Problem, after),
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Overheard;
    use twin::device::{self, DeviceKind};

    fn problems(overheard: &Overheard) -> ProblemsState {
        ProblemsState { house: overheard.house.clone(), myself: Seat::default(), hosts: BTreeMap::new() }
    }

    fn device(overheard: &Overheard, commands: Vec<device::Command>) -> Key {
        let mut host = Host::<Device>::load(&overheard.house.twin, "L/scale").unwrap();
        let mut work = overheard.house.work();
        for command in commands {
            host.command(&mut work, command).unwrap();
        }
        overheard.house.commit(work);
        overheard.heard();
        Key::new(Kind::Device, "L/scale")
    }

    fn up() -> device::Command {
        device::Command::Connect { kind: DeviceKind::Scale, identity: "1".into() }
    }

    #[test]
    fn a_device_that_is_away_is_open_until_it_is_back_and_a_list_after_a_fall_is_the_same() {
        let overheard = Overheard::new(BTreeMap::new());
        let away = device(&overheard, vec![up(), device::Command::Disconnect { why: "the plug".into() }]);
        let mut state = problems(&overheard);
        state.take(ProblemsMsg::Changed(away.clone())).unwrap();
        overheard.expect(&["wrote Problem(Opened { subject: Key { kind: Device, id: \"L/scale\" }, cause: Offline", "says Problems(Rest"]);
        state.take(ProblemsMsg::Changed(away.clone())).unwrap();
        overheard.expect(&["says Problems(Rest"]);
        // One that comes after a fall finds what is written, and writes nothing.
        let mut state = problems(&overheard);
        for kind in TROUBLED.into_iter().chain([Kind::Problem]) {
            state.take(ProblemsMsg::TakeUp(kind, None)).unwrap();
        }
        assert!(overheard.heard().iter().all(|heard| !heard.starts_with("wrote")));
        // What came back while nobody listened is closed.
        device(&overheard, vec![up()]);
        let mut state = problems(&overheard);
        state.take(ProblemsMsg::TakeUp(Kind::Problem, None)).unwrap();
        overheard.expect(&["wrote Problem(Closed)", "says Problems(Rest"]);
    }

    #[test]
    fn what_a_person_does_about_it_is_written_by_name_and_what_is_not_there_is_refused() {
        let overheard = Overheard::new(BTreeMap::new());
        let away = device(&overheard, vec![up(), device::Command::Disconnect { why: "the plug".into() }]);
        let mut state = problems(&overheard);
        state.take(ProblemsMsg::Changed(away.clone())).unwrap();
        overheard.heard();
        let handle = |problem: &str| ProblemsMsg::Handle {
            problem: problem.into(),
            step: Handling::Assign("Chen".into()),
            note: "he has the spare".into(),
            reply: crate::Caller::nobody(),
        };
        let li = twin::Origin::by(By::Person("Li".into()));
        origin::within(li, || state.take(handle("offline:device:L/scale"))).unwrap();
        overheard.expect(&["wrote Problem(Assigned { to: \"Chen\", by: \"Li\"", "says Problems(Rest", "says Answer(Done(nobody, Ok(())"]);
        state.take(handle("offline:device:L/printer")).unwrap();
        overheard.expect(&["says Problems(Rest", "says Answer(Done(nobody, Err("]);
    }
}
