//! What the figures of a run show: a bench too few, a device that was out, a cut-off that was missed; and what each of them is.

use sim::expect::{Expectation, Verdict};
use sim::kpis::{Kpis, Mark, mark};
use sim::run::run;
use sim::scenario::Scenario;
use std::path::Path;

const SITE: &str = include_str!("../../scenarios/quick-start/site.toml");

/// Orders of an hour and a half through the bundled site, changed as `site` does it; `more` goes on where its floor is described.
fn kpis(site: fn(&str) -> String, more: &str) -> Kpis {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("site.toml", &site(SITE));
    write(
        "scenario.toml",
        &format!(
            "name = \"small\"\nabout = \"A test's own.\"\nsite = \"site.toml\"\nstart = \"2026-11-09T10:00:00+08:00\"\ndays_max = 1\n\
             seeds = [1]\n\n[demand]\norders = 360\nwindow_s = 5400\nskus = 200\n\n[floor]\npackers_per_bench = 2\n\n{more}"
        ),
    );
    run(&Scenario::read(Path::new(folder.path())).unwrap(), 1, None, &mut |_| ()).unwrap().kpis
}

/// Each warehouse with one of its two benches.
fn half_the_benches(site: &str) -> String {
    let benches: Vec<_> = site.split("[[warehouse.station]]").filter(|s| !s.contains("/bench-2\"\nkind")).collect();
    assert_eq!(benches.len() + 2, site.split("[[warehouse.station]]").count());
    benches.join("[[warehouse.station]]")
}

#[test]
fn half_the_benches_show_as_waiting_and_as_use() {
    let (whole, half) = (kpis(str::to_owned, ""), kpis(half_the_benches, ""));
    let bench = |kpis: &Kpis| {
        let step = kpis.steps.bench;
        (step.wait_s.unwrap(), step.service_s.unwrap(), step.use_pct.unwrap(), step.use_busiest_hour_pct.unwrap())
    };
    let ((wait, service, used, busiest), (wait_half, service_half, used_half, busiest_half)) = (bench(&whole), bench(&half));
    assert!(wait_half.p99 > 5.0 * wait.p99 + 60.0, "{wait:?} {wait_half:?}");
    assert!((service.p50 - service_half.p50).abs() < 5.0, "packing takes as long as before: {service:?} {service_half:?}");
    assert!(used < 80.0 && used_half > used + 15.0, "{used} {used_half}");
    assert!(busiest < 90.0 && busiest_half > 97.0 && busiest_half <= 100.0, "{busiest} {busiest_half}");
    assert!(half.stations[&"SZX/bench-1".into()].waiting_max > whole.stations[&"SZX/bench-1".into()].waiting_max);
    // What waits in the house and not at the bench counts too.
    let took = half.steps.bench.took_s;
    assert!(took.p99 >= wait_half.p99 && took.max >= wait_half.max, "{took:?} {wait_half:?}");
    for expected in ["steps.bench.wait_s.p99 >= 60", "stations.SZX/bench-1.use_busiest_hour_pct <= 100", "cut_offs.due > 0"] {
        assert_eq!(Expectation::try_from(expected.to_owned()).unwrap().check(&half), Verdict::Met, "{expected}");
    }
}

#[test]
fn every_step_is_counted_and_its_parts_add_up() {
    let kpis = kpis(str::to_owned, "");
    let s = kpis.steps;
    assert_eq!(s.label.done, kpis.parcels.created);
    assert!(s.bench.done > 300 && s.bench.done == s.label.done, "{s:?}");
    assert!(s.line.done >= s.bag.done && s.bag.done == s.dock.done && s.dock.done > 0, "{s:?}");
    assert_eq!(kpis.stations.values().filter(|s| s.kind == twin::station::StationKind::Bench).map(|s| s.done).sum::<u64>(), s.bench.done);
    for (name, step) in s.all() {
        assert!(step.done as f64 >= step.per_hour && step.per_hour_max as f64 >= step.per_hour, "{name}: {step:?}");
        let longest = [step.wait_s, step.service_s].into_iter().flatten().map(|of| of.max).fold(0.0, f64::max);
        assert!(name == "rework" || step.took_s.max >= longest, "{name}: {step:?}");
    }
    // A box lies 40 to 120 s with a packer, and no truck comes sooner than twenty minutes after the cut-off that closes its bags.
    let packing = s.bench.service_s.unwrap();
    assert!((40.0..=121.0).contains(&packing.p50) && packing.max <= 121.0, "{packing:?}");
    assert!(s.dock.took_s.p50 >= 1_199.0 && s.dock.wait_s == Some(s.dock.took_s), "{:?}", s.dock);
    assert_eq!(kpis.latency_ms.accept_to_tracking.max, s.label.took_s.max * 1e3);
}

#[test]
fn who_missed_the_first_pickup_that_was_due_is_counted() {
    // SZX: of the forwarder at 11:00, an hour after the start; where a box takes a quarter of an hour most are not ready by then.
    let (quick, slow) = (kpis(str::to_owned, ""), kpis(str::to_owned, "pack_s = [900, 1200]\n"));
    let direct = |kpis: &Kpis| kpis.cut_offs.at[&"SZX".into()][&"direct".into()];
    assert!(direct(&quick).due > 50 && direct(&quick).made_pct > 80.0, "{:?}", quick.cut_offs);
    assert!(direct(&slow).made_pct < direct(&quick).made_pct - 20.0, "{:?}", slow.cut_offs);
    let sum: u64 = quick.cut_offs.at.values().flat_map(|at| at.values()).map(|at| at.due).sum();
    assert_eq!(sum, quick.cut_offs.due);
    assert!(quick.cut_offs.due <= quick.parcels.created);
}

#[test]
fn a_device_that_was_out_is_counted_and_named() {
    let fault = "[[fault]]\nat = \"00:30\"\nfor_min = 5\ndevice = \"SZX/line-1/scale\"\nkind = \"disconnect\"\n";
    let (well, ill) = (kpis(str::to_owned, ""), kpis(str::to_owned, fault));
    assert_eq!((well.outages.count, well.outages.out_s), (0, 0.0), "{:?}", well.outages.list);
    let out = &ill.outages;
    assert_eq!((out.count, out.open, out.list.len()), (1, 0, 1), "{:?}", out.list);
    assert_eq!(out.list[0].device.as_str(), "SZX/line-1/scale");
    assert!(out.list[0].what.starts_with("disconnected: "), "{}", out.list[0].what);
    let lasted = out.devices[&"SZX/line-1/scale".into()].longest_s;
    assert!((290.0..400.0).contains(&lasted) && lasted == out.out_s, "{out:?}");
}

#[test]
fn every_figure_says_what_it_is() {
    let kpis = kpis(half_the_benches, "wrong_label_ppm = 100000\n");
    let json = serde_json::to_value(&kpis).unwrap();
    let mut figures = Vec::new();
    gather("", &json, &mut figures);
    assert!(figures.len() > 100, "{figures:?}");
    let no_figures = ["seed", "wall_s", "cpu_s"];
    for figure in figures.iter().filter(|f| !no_figures.contains(&f.as_str())) {
        assert!(mark::of(figure).is_some(), "{figure} is not marked");
    }
    for (path, ..) in mark::MARKS {
        let stands = |f: &String| f.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        assert!(figures.iter().any(stands), "nothing is called {path}");
        assert!(json["marks"].get(path).is_some(), "{path} is not in the file");
    }
    assert_eq!(json["marks"]["latency_ms.divert"], "modelled");
    assert_eq!(mark::of("labels.wrong_left"), Some((Mark::Floor, "")));
}

fn gather(name: &str, value: &serde_json::Value, figures: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                gather(&if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, value, figures);
            }
        }
        serde_json::Value::Number(_) => figures.push(name.into()),
        // Amounts are decimals, written as text.
        serde_json::Value::String(text) if text.parse::<f64>().is_ok() => figures.push(name.into()),
        _ => {}
    }
}
