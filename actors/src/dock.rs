//! A dock door: each bag tag that its scanner reads goes onto the carrier's open manifest, and its parcels are handed over. The
//! label of a parcel that comes back says that it is here.

use crate::base::{BagDeed, Base, StationMsg};
use crate::ledger::{Account, Host};
use crate::line::deed_done;
use crate::order_desk::Reply;
use crate::{Answer, Caller, Outgoing, ParcelMsg, origin, returns, slip};
use drivers::devices::Observation;
use ractor::ActorProcessingErr;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use twin::bag::{self, Bag};
use twin::facet::Facet;
use twin::manifest::{self, Manifest};
use twin::parcel::Parcel;
use twin::{BagId, CarrierId, ManifestId, Moment, Span, station};

/// A manifest closes this long after its first bag: the driver has signed and gone.
pub const MANIFEST_OPEN: Span = Span::from_mins(30);

#[derive(Default)]
pub struct Dock {
    open: BTreeMap<CarrierId, Host<Manifest>>,
    /// Bags that the twin may not have as they are; all others are read there.
    bags: BTreeMap<BagId, Host<Bag>>,
}

impl Dock {
    /// Takes up the manifests that were open when this dock last stood here.
    pub fn open(base: &Base) -> Result<Self, ActorProcessingErr> {
        let mut dock = Dock::default();
        let twin = &base.house.twin;
        for row in twin.listed::<Manifest>(Facet::Manifest, Some(base.config.id.text()), None) {
            let id = row?.0.id;
            let manifest = Host::<Manifest>::load(twin, id.clone())?;
            dock.close_later(base, ManifestId::from(id), manifest.state.opened_at);
            dock.open.insert(manifest.state.carrier.clone(), manifest);
        }
        Ok(dock)
    }

    fn close_later(&self, base: &Base, manifest: ManifestId, opened_at: Moment) {
        let seat = base.seat.clone();
        base.house.clock.at(opened_at + MANIFEST_OPEN, move || seat.cast(StationMsg::CloseManifest(manifest)));
    }

    pub fn saw(&mut self, base: &mut Base, what: Observation) -> Result<(), ActorProcessingErr> {
        let Observation::Scanned { code: Some(code), .. } = what else { return Ok(()) };
        if let Some(why) = &base.host.state.out {
            return match slip::bag_of(&code) {
                Some(bag) => {
                    let what = format_smolstr!("its tag was read at {}, which is out ({why}): it is not handed over", base.config.id);
                    self.raise(base, &bag, what)
                }
                None => {
                    tracing::warn!(station = %base.config.id, ?code, "was read at a station that is out");
                    Ok(())
                }
            };
        }
        match slip::bag_of(&code) {
            Some(bag) => self.load(base, &bag, Caller::nobody()),
            None if returns::arrived(base, &code)? => Ok(()),
            None => {
                tracing::warn!(station = %base.config.id, %code, "is neither a bag tag nor on a parcel that comes back");
                Ok(())
            }
        }
    }

    /// A bag goes onto its carrier's manifest, and what is in it is handed over.
    pub fn load(&mut self, base: &mut Base, id: &BagId, reply: Reply) -> Result<(), ActorProcessingErr> {
        if let Some(why) = &base.host.state.out {
            reply.tell(Err(format!("nothing is handed over at {}, which is out: {why}", base.config.id)));
            return Ok(());
        }
        let house = base.house.clone();
        let mut bag = self.bag(base, id)?;
        let carrier = house.in_force().channel_ever(&bag.state.channel).map(|c| c.carrier.clone());
        let (bag::Stage::Closed, Some(carrier)) = (bag.state.stage, carrier) else {
            let (stage, handed_over) = (bag.state.stage.as_str(), bag.state.stage == bag::Stage::HandedOver);
            if !handed_over {
                tracing::warn!(bag = %id, stage, "is to go from the dock and is not closed");
            }
            reply.tell(if handed_over { Ok(()) } else { Err(format!("bag {id} is {stage}, and only a closed one can leave")) });
            return Ok(());
        };
        // Scanned twice while the first is still being written.
        if self.open.get(&carrier).is_some_and(|m| m.state.bags.contains(id)) {
            reply.tell(Ok(()));
            return Ok(());
        }
        // Until the handover a person can stop any parcel, also one that is in a closed bag.
        for parcel in &bag.state.parcels {
            let Some((_, state)) = house.twin.load::<Parcel>(parcel.text())? else { continue };
            let Some(why) = state.stopped else { continue };
            let what = format_smolstr!("{parcel} in it is to be stopped ({why}): take it out, then scan the tag again");
            reply.tell(Err(what.to_string()));
            return self.raise(base, id, what);
        }
        let mut work = house.work();
        if !self.open.contains_key(&carrier) {
            let number = base.host.state.manifests_opened + 1;
            let manifest = ManifestId::new(format!("{}:{carrier}:{number}", base.config.id));
            let mut host = Host::<Manifest>::load(&house.twin, manifest.text().clone())?;
            host.command(&mut work, manifest::Command::Open { warehouse: base.warehouse.clone(), carrier: carrier.clone() })?;
            base.host.command(&mut work, station::Command::OpenManifest { nth: number, manifest: manifest.clone() })?;
            self.open.insert(carrier.clone(), host);
            self.close_later(base, manifest, house.clock.now());
        }
        if let Some(host) = self.open.get_mut(&carrier) {
            let manifest = ManifestId::from(host.id.clone());
            bag.command(&mut work, bag::Command::HandOver { manifest })?;
            let parcels = bag.state.parcels.len() as u32;
            host.command(&mut work, manifest::Command::Load { bag: id.clone(), parcels, weight_g: bag.state.weight_g })?;
        }
        // One scan hands over the bag and all that is in it.
        let by = origin::current().by;
        for parcel in bag.state.parcels.clone() {
            work.say_on(Account::By(by.clone()), Outgoing::Parcel(parcel, ParcelMsg::HandOver { bag: id.clone() }));
        }
        self.bags.insert(id.clone(), bag);
        work.say(Outgoing::Answer(Answer::Done(reply, Ok(()))));
        house.commit(work);
        Ok(())
    }

    pub fn close(&mut self, base: &Base, manifest: &ManifestId) -> Result<(), ActorProcessingErr> {
        if let Some(carrier) = self.open.iter().find(|(_, h)| h.id == *manifest.text()).map(|(c, _)| c.clone()) {
            let mut work = base.house.work();
            if let Some(mut host) = self.open.remove(&carrier) {
                host.command(&mut work, manifest::Command::Close)?;
            }
            base.house.commit(work);
        }
        Ok(())
    }

    /// What a person does with a bag that is closed and has not left.
    pub fn bag_by_hand(&mut self, base: &Base, id: &BagId, deed: BagDeed, why: SmolStr, reply: Reply) -> Result<(), ActorProcessingErr> {
        let mut bag = self.bag(base, id)?;
        if bag.state.stage != bag::Stage::Closed {
            reply.tell(Err(format!("bag {id} is {}: only what is closed lies at a dock", bag.state.stage.as_str())));
            return Ok(());
        }
        let done = deed_done(base, &mut bag, deed, why, reply);
        self.bags.insert(id.clone(), bag);
        done
    }

    /// A bag that stands closed and should have left: its tag was not heard, or it still lies here.
    pub fn missed(&mut self, base: &Base, id: &BagId) -> Result<(), ActorProcessingErr> {
        self.raise(base, id, "it was closed two days ago, and no dock has scanned its tag: find it, or say that it has left".into())
    }

    fn raise(&mut self, base: &Base, id: &BagId, what: SmolStr) -> Result<(), ActorProcessingErr> {
        let mut bag = self.bag(base, id)?;
        if bag.state.stage == bag::Stage::Closed {
            let mut work = base.house.work();
            bag.command(&mut work, bag::Command::RaiseException { what })?;
            base.house.commit(work);
            self.bags.insert(id.clone(), bag);
        }
        Ok(())
    }

    /// A bag as it is, also where what was decided of it last is still being written. Forgets those that the twin has by now.
    fn bag(&mut self, base: &Base, id: &BagId) -> Result<Host<Bag>, ActorProcessingErr> {
        let there = |id: &BagId| Host::<Bag>::load(&base.house.twin, id.text().clone());
        for (id, host) in std::mem::take(&mut self.bags) {
            if there(&id)?.version < host.version {
                self.bags.insert(id, host);
            }
        }
        Ok(match self.bags.get(id) {
            Some(host) => host.clone(),
            None => there(id)?,
        })
    }
}
