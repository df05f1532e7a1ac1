//! Clock changes and days off, through a whole simulated site: bags are closed and handed over when the warehouse's own clock
//! says so, and on no day on which it or the carrier does not work.

mod support;

use rules::working_days::said;
use sim::run::run;
use sim::scenario::Scenario;
use std::collections::BTreeSet;
use support::project;
use twin::bag::Bag;
use twin::parcel::Parcel;
use twin::tracking::Tracking;
use twin::{Event, Moment, bag, manifest, parcel};

/// The bundled site in Berlin and New York, over the week in which Berlin's summer ends (2026-10-25) and the one in which New
/// York's does (2026-11-01), with carriers that have weekends and holidays.
fn scenario(folder: &std::path::Path) -> Scenario {
    let site = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("it is bundled");
    let weekdays = r#"working_days = ["mon", "tue", "wed", "thu", "fri"]"#;
    let site = site
        .replace(r#"time_zone = "Asia/Shanghai""#, "time_zone = \"Europe/Berlin\"\nholidays = [\"2026-10-31\"]")
        .replace(
            r#"time_zone = "America/Los_Angeles""#,
            "time_zone = \"America/New_York\"\nworking_days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
        )
        .replace("[carrier.api]\nid = \"usps\"", &format!("{weekdays}\nholidays = [\"2026-10-28\"]\n[carrier.api]\nid = \"usps\""))
        .replace("[carrier.api]\nid = \"direct\"", "holidays_at = { SZX = [\"2026-10-27\"] }\n[carrier.api]\nid = \"direct\"");
    std::fs::write(folder.join("site.toml"), site).expect("it can be written");
    let scenario = "name = \"autumn\"\nabout = \"Summer ends.\"\nsite = \"site.toml\"\nstart = \"2026-10-23T00:00:00Z\"\ndays_max = 60\nseeds = [1]\n\
         [demand]\norders = 500\nwindow_s = 950400\nskus = 60\nproblem_ppm = 0\n";
    std::fs::write(folder.join("scenario.toml"), scenario).expect("it can be written");
    Scenario::read(folder).expect("it is a good scenario")
}

#[test]
fn bags_are_closed_and_handed_over_by_the_warehouses_clock_and_on_no_day_off() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = run(&scenario(folder.path()), 1, None, &mut |_| ()).expect("it runs");
    let (mut closed, mut loaded) = (BTreeSet::new(), BTreeSet::new());
    let carrier_of = |channel: &twin::ChannelId| run.site.channel(channel).expect("the site has it").carrier.clone();
    for record in run.twin.records(0).map(|record| record.expect("it reads")) {
        let zone = |warehouse| run.site.warehouse(warehouse).expect("the site has it").time_zone.clone();
        match &record.event {
            Event::Bag(bag::Event::Closed { why }) if why.contains("cut-off") => {
                let (_, bag) = run.twin.load::<Bag>(&record.key.id).expect("it reads").expect("it is there");
                closed.insert(format!("{} {} {}", bag.warehouse, carrier_of(&bag.channel), said(&zone(&bag.warehouse), record.at)));
            }
            Event::Manifest(manifest::Event::Opened { warehouse, carrier }) => {
                loaded.insert(format!("{warehouse} {carrier} {}", said(&zone(warehouse), record.at)));
            }
            _ => {}
        }
    }
    let days = |set: &BTreeSet<String>, who: &str| {
        set.iter().filter_map(|s| Some(s.strip_prefix(who)?.trim()[..14].to_owned())).collect::<BTreeSet<_>>()
    };
    for line in &closed {
        let hours: &[&str] = match line.split(' ').nth(1) {
            Some("usps") => &["12:00", "17:00"],
            Some("mydhl") => &["11:30", "18:30"],
            _ => &["11:00", "20:00"],
        };
        assert!(hours.iter().any(|hour| line.ends_with(hour)), "{line}");
    }
    for set in [&closed, &loaded] {
        let (usps, direct) = (days(set, "LAX usps"), days(set, "SZX direct"));
        let has = |days: &BTreeSet<String>, wanted: &[&str]| wanted.iter().all(|day| days.contains(*day));
        // Summer ends on Sunday the 25th in Berlin, on Sunday the 1st in New York.
        assert!(has(&direct, &["Sat 2026-10-24", "Sun 2026-10-25", "Mon 2026-10-26", "Wed 2026-10-28", "Sun 2026-11-01"]), "{direct:?}");
        assert!(
            !direct.contains("Tue 2026-10-27") && !direct.contains("Sat 2026-10-31"),
            "the carrier's and the warehouse's day off: {direct:?}"
        );
        assert!(has(&usps, &["Fri 2026-10-30", "Mon 2026-11-02"]), "{usps:?}");
        assert!(usps.iter().all(|day| !day.starts_with('S')) && !usps.contains("Wed 2026-10-28"), "weekend and holiday: {usps:?}");
    }
    for row in run.twin.all::<Parcel>() {
        let (id, parcel) = row.expect("it reads");
        let way = run.twin.load::<Tracking>(&id).expect("it reads").unwrap_or_default().1.stage;
        let ended = matches!(parcel.stage, parcel::Stage::Cancelled | parcel::Stage::Intercepted) || way.is_end();
        assert!(ended, "{id} {:?} {way:?}", parcel.stage);
    }
}

/// Both warehouses are closed for two weeks, longer than any carrier sells labels ahead: orders that come meanwhile get theirs when
/// the end is near enough, and nothing is refused.
#[test]
fn a_label_behind_a_long_holiday_is_bought_when_the_carrier_sells_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let days: Vec<String> = (1..=14).map(|day| format!("\"2026-10-{day:02}\"")).collect();
    let site = std::fs::read_to_string(project().join("scenarios/quick-start/site.toml")).expect("it is bundled");
    let site = site.replace("\ntime_zone = ", &format!("\nholidays = [{}]\ntime_zone = ", days.join(", ")));
    std::fs::write(folder.path().join("site.toml"), site).expect("it can be written");
    let text = "name = \"holiday\"\nabout = \"Nobody works.\"\nsite = \"site.toml\"\nstart = \"2026-10-01T08:00:00Z\"\ndays_max = 90\nseeds = [1]\n\
         [demand]\norders = 120\nwindow_s = 86400\nskus = 60\nproblem_ppm = 0\n";
    std::fs::write(folder.path().join("scenario.toml"), text).expect("it can be written");
    let run = run(&Scenario::read(folder.path()).expect("it is a good scenario"), 1, None, &mut |_| ()).expect("it runs");
    let back: Moment = "2026-10-14T16:00:00Z".parse().expect("it is a moment");
    let (mut bought, mut carriers) = (0, BTreeSet::new());
    for record in run.twin.records(0).map(|record| record.expect("it reads")) {
        match &record.event {
            Event::Parcel(parcel::Event::LabelRefused { why }) => panic!("{} was refused: {why}", record.key),
            Event::Parcel(parcel::Event::LabelBought { .. }) => {
                let (_, parcel) = run.twin.load::<Parcel>(&record.key.id).expect("it reads").expect("it is there");
                carriers.insert(parcel.plan.carrier.to_string());
                bought += 1;
            }
            Event::Parcel(parcel::Event::HandedOver { .. }) => assert!(record.at > back, "{} on {}", record.key, record.at),
            _ => {}
        }
    }
    assert!(bought > 100 && carriers.contains("usps"), "{bought} of {carriers:?}");
    assert_eq!(run.kpis.parcels.open, 0);
}
