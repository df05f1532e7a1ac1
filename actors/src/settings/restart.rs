//! What of new settings a running site can go by at once, and what waits for its next start: actors, devices and accounts are
//! there from the start on. Decides nothing else and starts nothing.

use crate::config::{CarrierConfig, SiteConfig, StationConfig, WarehouseConfig};
use std::collections::BTreeSet;

/// `new` as a site can go by it that runs as `running` does and was started with `started`: the same but where that is another
/// once devices and carriers are simulated. With it what waits for the next start, in words that name the place.
pub fn at_once(started: &SiteConfig, running: &SiteConfig, mut new: SiteConfig) -> (SiteConfig, Vec<String>) {
    let mut waits = Vec::new();
    if new.name != started.name {
        waits.push(format!("the site's name: {:?} in place of {:?}", new.name, started.name));
        new.name = running.name.clone();
    }
    if new.limits.keepalive_s != started.limits.keepalive_s {
        waits.push(format!("limits.keepalive_s: {} in place of {}", new.limits.keepalive_s, started.limits.keepalive_s));
    }
    new.limits.keepalive_s = running.limits.keepalive_s;
    new.warehouses = warehouses(started, running, new.warehouses, &mut waits);
    new.carriers = carriers(started, running, new.carriers, &mut waits);
    let runs: BTreeSet<_> = new.carriers.iter().map(|c| c.id().clone()).collect();
    new.channels.retain(|channel| runs.contains(&channel.carrier));
    (new, waits)
}

/// Those that run, in the order of the new ones.
fn warehouses(started: &SiteConfig, running: &SiteConfig, new: Vec<WarehouseConfig>, waits: &mut Vec<String>) -> Vec<WarehouseConfig> {
    let mut all = Vec::with_capacity(running.warehouses.len());
    for warehouse in new {
        let (Some(before), Some(runs)) = (started.warehouse(&warehouse.id), running.warehouse(&warehouse.id)) else {
            waits.push(format!("warehouse {}: it is new", warehouse.id));
            continue;
        };
        all.push(self::warehouse(before, runs, warehouse, waits));
    }
    for gone in &running.warehouses {
        if all.iter().all(|w: &WarehouseConfig| w.id != gone.id) {
            waits.push(format!("warehouse {}: it goes, and works on until then", gone.id));
            all.push(gone.clone());
        }
    }
    all
}

fn warehouse(before: &WarehouseConfig, runs: &WarehouseConfig, mut new: WarehouseConfig, waits: &mut Vec<String>) -> WarehouseConfig {
    let mut stations = Vec::with_capacity(runs.stations.len());
    for (station, was) in runs.stations.iter().zip(&before.stations) {
        let mut station = station.clone();
        match new.stations.iter().find(|s| s.id == station.id) {
            None => waits.push(format!("station {}: it goes, and works on until then", station.id)),
            Some(next) if next.kind != was.kind => {
                waits.push(format!("station {}: it is a {} in place of a {}", station.id, next.kind.as_str(), was.kind.as_str()));
            }
            Some(next) => {
                devices(was, next, waits);
                station.line = next.line.clone();
            }
        }
        stations.push(station);
    }
    for station in new.stations.iter().filter(|s| before.stations.iter().all(|b| b.id != s.id)) {
        waits.push(format!("station {}: it is new", station.id));
    }
    new.stations = stations;
    new
}

fn devices(was: &StationConfig, new: &StationConfig, waits: &mut Vec<String>) {
    for device in &new.devices {
        match was.devices.iter().find(|d| d.id == device.id) {
            None => waits.push(format!("device {}: it is new", device.id)),
            Some(before) => {
                let changed = [
                    (before.kind != device.kind, "kind"),
                    (before.address != device.address, "address"),
                    (before.names != device.names, "names"),
                ];
                waits.extend(changed.iter().filter(|(changed, _)| *changed).map(|(_, what)| format!("device {}: {what}", device.id)));
            }
        }
    }
    let goes = was.devices.iter().filter(|d| new.devices.iter().all(|n| n.id != d.id));
    waits.extend(goes.map(|d| format!("device {}: it goes, and works on until then", d.id)));
}

fn carriers(started: &SiteConfig, running: &SiteConfig, new: Vec<CarrierConfig>, waits: &mut Vec<String>) -> Vec<CarrierConfig> {
    let mut all: Vec<CarrierConfig> = Vec::with_capacity(running.carriers.len());
    for mut carrier in new {
        let (Some(before), Some(runs)) = (started.carrier(carrier.id()), running.carrier(carrier.id())) else {
            waits.push(format!("carrier {}: it is new, and so are its channels", carrier.id()));
            continue;
        };
        if carrier.api != before.api {
            waits.push(format!("carrier {}: its api", carrier.id()));
        }
        carrier.api = runs.api.clone();
        all.push(carrier);
    }
    for gone in &running.carriers {
        if all.iter().all(|c| c.id() != gone.id()) {
            waits.push(format!("carrier {}: it goes, and is asked for news until then", gone.id()));
            all.push(gone.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use drivers::wire::WireAddress;

    const SITE: &str = include_str!("../../../scenarios/quick-start/site.toml");

    fn waits(change: impl FnOnce(&mut SiteConfig)) -> (SiteConfig, Vec<String>) {
        let mut declared: SiteConfig = toml::from_str(SITE).unwrap();
        // As a site file may say it, while all is simulated.
        declared.warehouses[0].stations[0].devices[0].address = WireAddress::Tcp { address: "10.0.0.5:9100".into() };
        let mut running = declared.clone();
        running.warehouses[0].stations[0].devices[0].address = WireAddress::Sim;
        let mut new = declared.clone();
        change(&mut new);
        at_once(&declared, &running, new)
    }

    #[test]
    fn what_actors_read_is_taken_at_once() {
        let (now, waits) = waits(|new| {
            new.checks.weight_g = 99;
            new.limits.bag_parcels_max = 7;
            new.channels[0].name = "another".into();
            new.carriers[0].cutoffs = vec!["12:00".into()];
            new.warehouses[0].name = "another".into();
            new.warehouses[0].stations[2].line.as_mut().unwrap().sorting.reject = 9;
            new.warehouses.swap(0, 1);
        });
        assert_eq!(waits, [] as [&str; 0]);
        assert_eq!((now.checks.weight_g, now.limits.bag_parcels_max, now.channels[0].name.as_str()), (99, 7, "another"));
        assert_eq!((&now.warehouses[1].name[..], &now.carriers[0].cutoffs[0][..]), ("another", "12:00"));
        assert_eq!(now.warehouses[1].stations[2].line.as_ref().unwrap().sorting.reject, 9);
        assert_eq!(now.warehouses[1].stations[0].devices[0].address, WireAddress::Sim, "what is simulated stays so");
    }

    #[test]
    fn what_is_there_from_the_start_on_waits_for_the_next() {
        let (now, waits) = waits(|new| {
            new.name = "another".into();
            new.limits.keepalive_s = 5;
            let mut third = new.warehouses[1].clone();
            third.id = "FRA".into();
            let szx = &mut new.warehouses[0];
            szx.stations[0].devices[0].address = WireAddress::Tcp { address: "10.0.0.6:9100".into() };
            szx.stations[1].id = "SZX/bench-3".into();
            new.warehouses[1] = third;
            let mut post = new.carriers[0].clone();
            post.api.id = "post".into();
            new.channels[0].carrier = "post".into();
            new.carriers[1].api.account = "another".into();
            new.carriers[0] = post;
        });
        let first = SiteConfig::clone(&toml::from_str(SITE).unwrap());
        let (gone, other) = (first.carriers[0].id(), first.carriers[1].id());
        assert_eq!(
            waits,
            [
                "the site's name: \"another\" in place of \"quick-start\"",
                "limits.keepalive_s: 5 in place of 30",
                "device SZX/bench-1/printer: address",
                "station SZX/bench-2: it goes, and works on until then",
                "station SZX/bench-3: it is new",
                "warehouse FRA: it is new",
                "warehouse LAX: it goes, and works on until then",
                "carrier post: it is new, and so are its channels",
                &format!("carrier {other}: its api"),
                &format!("carrier {gone}: it goes, and is asked for news until then"),
            ]
        );
        let ids = |site: &SiteConfig| site.devices().map(|(_, d)| d.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&now), ids(&first), "what runs is what ran");
        assert_eq!(now.limits.keepalive_s, 30);
        assert!(now.channels.iter().all(|c| now.carrier(&c.carrier).is_some()));
        assert_eq!(now.channels.len(), first.channels.len() - 1);
    }
}
