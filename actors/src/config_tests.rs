use super::*;

fn warehouse(more: &str) -> Result<WarehouseConfig, toml::de::Error> {
    toml::from_str(&format!(
        r#"id = "LAX"
        name = "Los Angeles"
        station = []
        address = {{ name = "W", street = "1 A St", city = "Los Angeles", region = "CA", postcode = "90021", country = "US" }}
        {more}"#
    ))
}

fn carrier(more: &str) -> CarrierConfig {
    toml::from_str(&format!(
        r#"{more}
        [api]
        id = "usps"
        kind = "usps"
        base_url = "sim:"
        account = "1""#
    ))
    .unwrap()
}

#[test]
fn a_parcel_is_planned_for_the_pickup_that_it_makes() {
    let lax = warehouse(r#"time_zone = "America/Los_Angeles""#).unwrap();
    let szx = warehouse(r#"time_zone = "Asia/Shanghai""#).unwrap();
    let next = |cutoffs: &str, now: &str, at| next_pickup(&carrier(cutoffs).pickups(at), now.parse().unwrap()).to_string();
    for (now, pickup) in [
        ("2026-11-09T18:00:00Z", "2026-11-09T20:00:00Z"),
        ("2026-11-09T19:50:00Z", "2026-11-09T20:00:00Z"),
        ("2026-11-09T19:51:00Z", "2026-11-10T01:00:00Z"),
        ("2026-11-10T00:30:00Z", "2026-11-10T01:00:00Z"),
        ("2026-11-10T02:00:00Z", "2026-11-10T20:00:00Z"),
        ("2026-11-10T07:55:00Z", "2026-11-10T20:00:00Z"),
        // An hour earlier in summer, by the sun.
        ("2026-07-09T18:00:00Z", "2026-07-09T19:00:00Z"),
    ] {
        assert_eq!(next(r#"cutoffs = ["17:00", "12:00"]"#, now, &lax), pickup, "at {now}");
    }
    assert_eq!(next(r#"cutoffs = ["20:00"]"#, "2026-11-09T11:00:00Z", &szx), "2026-11-09T12:00:00Z", "20:00 in Shenzhen");
    assert_eq!(next("cutoffs = []", "2026-11-09T11:00:00Z", &szx), "2026-11-09T11:10:00Z");
}

#[test]
fn a_day_off_of_either_is_no_pickup() {
    let lax = warehouse("time_zone = \"America/Los_Angeles\"\nworking_days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\"]\nholidays = [\"2026-11-27\"]").unwrap();
    let usps =
        carrier("cutoffs = [\"17:00\"]\nholidays = [\"2026-11-26\"]\nholidays_at = { LAX = [\"2026-11-28\"], SZX = [\"2026-11-30\"] }");
    // Thanksgiving, the warehouse's day after, the carrier's inventory there, Sunday.
    let after = |now: &str| next_pickup(&usps.pickups(&lax), now.parse().unwrap()).to_string();
    assert_eq!(after("2026-11-26T00:30:00Z"), "2026-11-26T01:00:00Z", "Wednesday evening");
    assert_eq!(after("2026-11-26T02:00:00Z"), "2026-12-01T01:00:00Z", "Monday evening");
}

#[test]
fn a_list_of_holidays_that_is_over_is_told() {
    let lax = warehouse("time_zone = \"America/Los_Angeles\"\nholidays = [\"2026-12-25\"]").unwrap();
    let usps = carrier("cutoffs = []\nholidays = [\"2026-11-26\"]\nholidays_at = { LAX = [\"2027-01-01\"] }");
    let text = "id = \"usps/ga\"\ncarrier = \"usps\"\nname = \"GA\"\nservice = \"GA\"\norigins = [\"LAX\"]";
    let site = SiteConfig {
        name: "s".into(),
        checks: Thresholds::default(),
        fx: toml::from_str("base = \"USD\"").unwrap(),
        limits: Bounds::default(),
        warehouses: vec![lax],
        carriers: vec![usps],
        channels: vec![toml::from_str(text).unwrap()],
    };
    let over = |now: &str| site.holidays_run_out(now.parse().unwrap());
    // Christmas is not over in Los Angeles.
    assert_eq!(over("2026-12-26T07:00:00Z"), Vec::<String>::new());
    assert_eq!(over("2026-12-26T09:00:00Z"), ["warehouse LAX: the last of its holidays was 2026-12-25"]);
    assert_eq!(over("2027-01-02T09:00:00Z")[1], "carrier usps at LAX: the last of its holidays was 2027-01-01");
}

#[test]
fn an_offset_is_refused_with_what_to_write() {
    let why = warehouse("utc_offset_h = -8").unwrap_err().to_string();
    assert!(why.contains("utc_offset_h is gone: write time_zone = \"Europe/Berlin\""), "{why}");
    assert!(why.contains("or time_zone = \"-08:00\" if its clock never changes"), "{why}");
    let why = warehouse(r#"time_zone = "Los Angeles""#).unwrap_err().to_string();
    assert!(why.contains("\"Los Angeles\" is no time zone"), "{why}");
    let why = warehouse("time_zone = \"UTC\"\nworking_days = [\"monday\"]").unwrap_err().to_string();
    assert!(why.contains("unknown variant `monday`, expected one of `mon`, `tue`"), "{why}");
}

const SITE: &str = include_str!("../../scenarios/quick-start/site.toml");

fn fault(change: impl FnOnce(&mut SiteConfig)) -> String {
    let mut site: SiteConfig = toml::from_str(SITE).unwrap();
    assert_eq!(site.fault(), None);
    change(&mut site);
    site.warehouses.iter_mut().for_each(|w| w.address.put_right());
    site.fault().unwrap_or_default()
}

#[test]
fn a_warehouses_id_parts_from_whose_stock_it_is() {
    let told = fault(|site| {
        let before = std::mem::replace(&mut site.warehouses[0].id, "S:X".into());
        site.channels.iter_mut().flat_map(|c| &mut c.origins).filter(|o| **o == before).for_each(|o| *o = "S:X".into());
        site.carriers.iter_mut().for_each(|c| drop(c.holidays_at.remove(&before)));
    });
    assert!(told.starts_with("warehouse S:X: its id has a :"), "{told}");
}

/// What a carrier needs of a warehouse is said once at the start, by its field, and not by every order.
#[test]
fn a_warehouse_whose_carrier_would_refuse_every_parcel_is_told_at_the_start() {
    let index = |site: &SiteConfig, id: &str| site.warehouses.iter().position(|w| w.id.as_str() == id).unwrap();
    type Change = fn(&mut Address);
    let cases: [(&str, Change, &str); 6] = [
        ("LAX", |a| a.region = "".into(), ""),
        ("LAX", |a| (a.region, a.postcode) = ("".into(), "00000".into()), "warehouse LAX: region is empty"),
        ("LAX", |a| a.region = "ZZ".into(), "warehouse LAX: region \"ZZ\""),
        ("LAX", |a| a.city = "X".repeat(29).into(), "warehouse LAX: address.city has 29 characters"),
        ("SZX", |a| a.phone = "".into(), ""),
        ("SZX", |a| a.street = "1 Long Road ".repeat(14).trim_end().into(), "warehouse SZX: address.street has"),
    ];
    for (id, change, why) in cases {
        let said = fault(|site| {
            let at = index(site, id);
            change(&mut site.warehouses[at].address);
        });
        assert!(said.contains(why) && said.is_empty() == why.is_empty(), "{why}: {said}");
    }
    let mut silent: SiteConfig = toml::from_str(SITE).unwrap();
    assert_eq!(silent.advice(), Vec::<String>::new());
    silent.warehouses[0].address.phone = "".into();
    assert!(silent.advice()[0].starts_with("warehouse SZX: address.phone is empty. mydhl requires one"), "{:?}", silent.advice());
    // Who names no origins ships from where it can; if that is nowhere, it is said.
    let usps = |site: &mut SiteConfig, country: &str| {
        site.channels.iter_mut().filter(|c| c.carrier.as_str() == "usps").for_each(|c| c.origins.clear());
        let at = index(site, "LAX");
        if country != "US" {
            site.warehouses[at].address = site.warehouses[index(site, "SZX")].address.clone();
        }
    };
    assert_eq!(fault(|site| usps(site, "US")), "");
    assert!(fault(|site| usps(site, "CN")).contains("address.country is CN; USPS collects in the United States only"));
}

#[test]
fn only_a_sorter_has_names() {
    let named = |kind: DeviceKind, json: &str| {
        fault(|site| {
            let devices = site.warehouses.iter_mut().flat_map(|w| &mut w.stations).flat_map(|s| &mut s.devices);
            let device = devices.into_iter().find(|d| d.kind == kind).unwrap();
            device.names = toml::from_str::<Names>(json).map(Arc::new).unwrap();
        })
    };
    let good = "locations = [{ chute = 3, location = \"SORT/0007\" }]\nerrors = [{ code = 12, what = \"jam\" }]";
    assert_eq!(named(DeviceKind::Sorter, good), "");
    assert!(named(DeviceKind::Printer, good).ends_with("only a sorter has names"));
    assert!(named(DeviceKind::Sorter, "locations = [{ chute = 3, location = \"\" }]").contains("no OSIP location"));
}

#[test]
fn settings_hold_no_secret_and_no_rate_that_is_none() {
    let url = |url: &str| fault(|site| site.carriers[0].api.base_url = url.into());
    for open in ["https://user:word@api.example/v1", "https://token@api.example", "https://api.example/v1?key=7"] {
        assert!(url(open).contains("stands in secret_env"), "{open}");
    }
    for closed in ["sim:", "https://api.example:8443/at@home"] {
        assert_eq!(url(closed), "");
    }
    let none = [(twin::money::Currency::JPY, twin::money::Decimal::ZERO)];
    let rate = fault(|site| site.fx.per_base.extend(none));
    assert_eq!(rate, "fx: the rate of JPY is 0: it must be above 0");
}
