#![allow(clippy::disallowed_methods, reason = "a test of the live program waits in real time")]
//! The query side is what the journal says, however it came there: followed, broken off at any record, killed, or made anew.

#[path = "support/made.rs"]
mod made;
mod support;

use made::{Maker, order_id};
use parceltwin::query::follow::Follower;
use parceltwin::query::tables::Tables;
use parceltwin::query::{Query, QueryError, lists, pages, schema, search};
use rusqlite::Connection;
use rusqlite::types::Value;
use sim::scenario::Scenario;
use std::path::Path;
use std::sync::Arc;
use support::project;
use twin::order::Order;
use twin::projection::{Projection, catch_up};
use twin::returns::{Command, Condition, Outcome, Return, Returned};
use twin::{By, Entity, Moment, Twin};

const TABLES: [&str; 26] = [
    "applied",
    "orders",
    "buyers",
    "order_lines",
    "line_goods",
    "parcels",
    "parcel_items",
    "tracking",
    "returns",
    "return_items",
    "bags",
    "manifests",
    "declarations",
    "declared_goods",
    "stock",
    "products",
    "sku_maps",
    "sku_map_parts",
    "sellers",
    "shops",
    "decisions",
    "candidates",
    "charges",
    "exceptions",
    "stock_movements",
    "settings",
];

/// All rows of a table, sorted.
fn rows(db: &Connection, table: &str) -> Vec<Vec<String>> {
    let mut statement = db.prepare(&format!("SELECT * FROM {table}")).expect("the table is there");
    let columns = statement.column_count();
    let text = |value: Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => format!("a fraction, {x}"),
        Value::Text(text) => text,
        Value::Blob(_) => "bytes".into(),
    };
    let row = |row: &rusqlite::Row| (0..columns).map(|n| row.get(n).map(text)).collect::<Result<Vec<_>, _>>();
    let mut rows: Vec<_> = statement.query_map([], row).expect("it reads").collect::<Result<_, _>>().expect("it reads");
    rows.sort();
    rows
}

/// What the tables in `data` hold, and what their index finds.
fn all(data: &Path) -> Vec<(&'static str, Vec<Vec<String>>)> {
    let db = schema::look(data).expect("it opens");
    let mut all: Vec<_> = TABLES.into_iter().chain(["texts"]).map(|table| (table, rows(&db, table))).collect();
    let found = search::find(&db, "SHO", None, None, 50).expect("it finds");
    all.push(("found", vec![vec![format!("{found:?}")]]));
    all
}

fn same(one: &Path, other: &Path) {
    for ((table, one), (_, other)) in all(one).into_iter().zip(all(other)) {
        assert_eq!(one.len(), other.len(), "rows of {table}");
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "a row of {table}");
        }
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn made(data: &Path, twin: &Arc<Twin>) -> Tables {
    Tables::make(data, twin, &mut |_, _| true).expect("it is made").expect("nobody stopped it")
}

fn simulated() -> Arc<Twin> {
    let scenario = Scenario::read(&project().join("scenarios/rough-day")).expect("the bundled scenario is good");
    let mut small = scenario.clone();
    small.demand.orders = 150;
    let twin = sim::run::run(&small, 3, None, &mut |_| ()).expect("it runs").twin;
    tell_of_goods(&twin);
    receive_returns(&twin);
    twin
}

/// A day's end at which somebody tells what was sold: a seller and what their shop calls goods, told twice, another weight, and
/// what lies in an order of which nobody knew that.
fn tell_of_goods(twin: &Twin) {
    use twin::{product, seller, sku_map};
    fn tell<E: twin::Entity>(twin: &Twin, id: &str, commands: Vec<E::Command>) {
        for command in commands {
            let mut work = actors::Work::at(Moment(twin.head().at.0 + 1));
            actors::Host::<E>::load(twin, id).expect("it loads").command(&mut work, command).expect("it may");
            twin.commit([work.tx]).expect("it is written");
        }
    }
    let shop = |n: u32| seller::Shop::new("amazon", format!("a:{n}"));
    let claim = |shops| seller::Command::Describe { name: "Lumen".into(), shops };
    tell::<seller::Seller>(twin, "LUM", vec![claim(vec![shop(1), shop(2)]), claim(vec![shop(2)])]);
    let part = |sku: &str, quantity| sku_map::Component { sku: sku.into(), quantity };
    let map = |components| sku_map::Command::Map { components };
    let set = sku_map::id(&shop(2), &"Gift set".into());
    let maps = vec![map(vec![part("P-000001", 1)]), map(vec![part("P-000001", 2), part("P-000002", 1)])];
    tell::<sku_map::SkuMap>(twin, &set, maps);
    let gone = sku_map::id(&shop(2), &"Old set".into());
    tell::<sku_map::SkuMap>(twin, &gone, vec![map(vec![part("P-000001", 1)]), sku_map::Command::Unmap]);
    let (_, known) = twin.load::<product::Product>(&"own:P-000001".into()).expect("it reads").expect("it is sold");
    let facts = twin::goods::Facts { weight_g: known.facts.weight_g + 7, hs_code: "950300".into(), ..known.facts };
    let describe = product::Command::Describe { facts: Box::new(facts.clone()) };
    tell::<product::Product>(twin, "own:P-000001", vec![describe, product::Command::Retire]);
    let line = |sku: &str, quantity| twin::order::Line { sku: sku.into(), quantity, ..Default::default() };
    let version = |lines, postcode: &str| twin::order::Content {
        platform: "shopify".into(),
        shop: "shopify-1".into(),
        lines,
        ship_to: twin::address::Place { country: "US".into(), postcode: postcode.into(), ..Default::default() },
        currency: "USD".into(),
        seller: "own".into(),
        ..Default::default()
    };
    let receive = |content| twin::order::Command::Receive { content: Box::new(content) };
    let versions = [version(vec![line("A", 9), line("B", 1)], "90210"), version(vec![line("P-000007", 1)], "78701")].map(receive);
    let goods = vec![twin::goods::Goods { sku: "P-000001".into(), quantity: 3, facts }];
    let identify = twin::order::Command::Identify { seller: "LUM".into(), goods: vec![(0, goods)] };
    tell::<Order>(twin, "UNKNOWN-1@shopify:shopify-1", versions.into_iter().chain([identify]).collect());
}

/// What came back on a simulated day is opened, counted, counted once more, and half of it closed.
fn receive_returns(twin: &Twin) {
    let came: Vec<_> = twin.all::<Return>().map(|row| row.expect("it reads").0).collect();
    for (n, id) in came.into_iter().enumerate() {
        let (mut version, mut back) = twin.load::<Return>(&id).expect("it reads").expect("it is there");
        let some = |condition| {
            let all = back.expected.iter().map(|e| Returned { sku: e.sku.clone(), quantity: e.quantity / 2 + 1, condition });
            all.filter(|item| item.quantity > 0).collect::<Vec<_>>()
        };
        let receive = |condition| Command::Receive { warehouse: "SZX".into(), items: some(condition) };
        let close = Command::Close { outcome: Outcome::WrittenOff, note: "broken".into() };
        let steps = [receive(Condition::Opened), receive(Condition::Damaged), close];
        for step in steps.into_iter().take(2 + n % 2) {
            let mut tx = twin::Tx::at(twin.head().at);
            let events = back.decide(&id, tx.at, step).expect("it is in order");
            let before = twin::facet::Standing::of(&id, version, &back);
            events.iter().for_each(|event| back.apply(tx.at, event));
            version += events.len() as u32;
            tx.stage(&id, version, events, before, &back);
            twin.commit([tx]).expect("it is written");
        }
    }
}

#[test]
fn broken_off_anywhere_it_comes_to_what_a_rebuild_gives() {
    let twin = simulated();
    let (once, pieces) = (folder(), folder());
    made(once.path(), &twin).close().expect("it closes");
    let db = schema::look(once.path()).expect("it opens");
    for table in TABLES {
        assert!(!rows(&db, table).is_empty(), "a rough day has {table}");
    }
    // From nothing, in batches of any size, each by a process of its own.
    let empty = Arc::new(Twin::in_memory(twin.site()));
    made(pieces.path(), &empty).close().expect("it closes");
    let mut luck = sim::luck::Luck::of(7, "query", "where it stops");
    loop {
        let mut tables = Tables::open(pieces.path(), &twin).expect("it is of this journal");
        let end = tables.applied().records + luck.between(1, 2_000) as u64;
        let batch = luck.between(1, 300) as usize;
        let mut batches = luck.between(1, 9);
        catch_up(&mut tables, &**twin.journal(), end.min(twin.head().records), batch, &mut |_| {
            batches -= 1;
            batches > 0
        })
        .expect("it follows");
        if tables.applied() == twin.head() {
            break;
        }
        // Dropped, not closed.
    }
    same(once.path(), pieces.path());
    let mut tables = Tables::open(pieces.path(), &twin).expect("it opens");
    tables.clear().expect("it is emptied");
    assert_eq!(tables.applied().records, 0);
    assert!(all(pieces.path()).iter().all(|(table, rows)| *table == "applied" || *table == "found" || rows.is_empty()));
    tables.follow(&mut |_| true).expect("it follows");
    tables.close().expect("it closes");
    same(once.path(), pieces.path());
}

#[test]
fn it_is_asked_while_it_follows_and_one_who_is_forgotten_is_found_nowhere() {
    let dir = folder();
    let home = support::home::home(dir.path()).expect("a twin");
    let twin = home.twin.clone();
    let query = Arc::new(Query::of(dir.path()));
    let follower = Follower::start(query.clone(), twin.clone()).expect("it starts");
    let mut maker = Maker::default();
    const ORDERS: u64 = 400;
    for n in 0..ORDERS {
        for tx in maker.order(&twin, n) {
            twin.commit([tx]).expect("it is written");
        }
        if n % 20 == 0
            && let Ok((record, orders)) = query.ask(|db| {
                let orders: i64 = db.query_row("SELECT count(*) FROM orders", [], |r| r.get(0))?;
                Ok((parceltwin::query::applied(db)?, orders))
            })
        {
            assert!(record <= twin.head().records && orders as u64 <= n + 1, "{record}: {orders} orders of {n}");
        }
    }
    until(&query, &twin);
    let find = |text: &str| query.ask(|db| search::find(db, text, None, None, 50)).expect("it finds").map_or(0, |f| f.found.len());
    let page = query.ask(|db| pages::page::<lists::OrderRow>(db, &wish(&[("country", "DE")], None))).expect("it lists");
    assert!(page.rows.len() == 7 && page.rows.iter().all(|o| o.country == "DE") && page.record == twin.head().records);
    let who = made::buyer(7);
    let secrets = [who.name.as_str(), who.street.as_str(), who.email.as_str(), who.phone.as_str()].map(str::to_owned);
    assert!(find(&who.email) == 1 && find("SHO-0000007") > 0);
    assert!(secrets.iter().any(|secret| holds(dir.path(), secret)), "it is in the open until then");
    let gone: Vec<u64> = (7..ORDERS).step_by(5).collect();
    let asked = twin::forget::Asked::Orders(gone.iter().map(|n| order_id(*n).text().clone()).collect());
    let now = Moment(twin.head().at.0 + 1);
    // Somebody else reads, and is in no hurry.
    let reader = schema::look(dir.path()).expect("it opens");
    reader.execute_batch("BEGIN").expect("it reads");
    let count = |db: &Connection| db.query_row("SELECT count(*) FROM buyers", [], |r| r.get::<_, i64>(0)).expect("it reads") as u64;
    assert_eq!(count(&reader), ORDERS);
    let done = twin::forget::forget(&twin, &asked, By::Person("li".into()), now).expect("it forgets");
    assert_eq!(done.forgotten as usize, gone.len());
    until(&query, &twin);
    assert!(find(&who.email) == 0 && find("SHO-0000007") > 0, "the order is found, and not by who bought");
    assert_eq!(count(&reader), ORDERS, "who reads sees what was when he began");
    drop(reader);
    let wal = schema::path(dir.path()).with_extension("db-wal");
    for _ in 0..500 {
        if std::fs::metadata(&wal).expect("it is there while the site runs").len() == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(std::fs::metadata(&wal).expect("it is there").len(), 0, "once nobody needs it, what it remembers goes");
    assert!(!holds(dir.path(), &who.email), "while the site goes on");
    drop(follower);
    let left = in_files(dir.path());
    for who in gone.into_iter().map(made::buyer) {
        assert!(!left.contains(who.email.as_str()) && !left.contains(who.phone.as_str()), "{} stands in a file", who.email);
    }
    assert!(holds(dir.path(), &made::buyer(6).email), "others do");
    let anew = folder();
    made(anew.path(), &twin).close().expect("it closes");
    same(dir.path(), anew.path());
}

fn until(query: &Query, twin: &Twin) {
    for _ in 0..3_000 {
        if query.applied().is_some_and(|applied| applied == twin.head()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it is at {:?} of {}", query.applied(), twin.head().records);
}

/// Whether a file of the query side has a text in it.
fn holds(data: &Path, text: &str) -> bool {
    in_files(data).contains(text)
}

/// All that stands in its files.
fn in_files(data: &Path) -> String {
    let folder = std::fs::read_dir(data.join(schema::FOLDER)).expect("it is there");
    folder.flatten().map(|file| String::from_utf8_lossy(&std::fs::read(file.path()).expect("it reads")).into_owned()).collect()
}

fn wish(facets: &[(&'static str, &str)], after: Option<u64>) -> pages::Wish {
    let facets = facets.iter().map(|(facet, value)| (*facet, (*value).to_owned())).collect();
    pages::Wish { facets, after, limit: 7, ..pages::Wish::default() }
}

/// Without any buyer's key of the journal: what is erased while nobody follows goes at the next start.
/// What was charged adds up to what the run says that it cost, and what has arrived is through customs.
#[test]
fn charges_add_up_and_what_arrived_is_cleared() {
    let mut scenario = Scenario::read(&project().join("scenarios/rough-day")).expect("the bundled scenario is good");
    scenario.demand.orders = 150;
    let run = sim::run::run(&scenario, 3, None, &mut |_| ()).expect("it runs");
    let site = scenario.read_site().expect("the bundled site");
    let kpis = sim::kpis::Kpis::read("rough-day", 3, &run.twin, &Default::default(), &site.fx, &Default::default()).expect("it reads");
    let data = folder();
    made(data.path(), &run.twin).close().expect("it closes");
    let db = schema::look(data.path()).expect("it opens");
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("it answers");
    let left = "p.stage NOT IN ('created', 'label requested', 'labelled', 'inducted', 'measured', 'verified', 'sorted', 'bagged', \
        'intercepted', 'cancelled')";
    let micro = one(&format!(
        "SELECT SUM(c.in_base_micro) FROM charges c JOIN parcels p ON p.id = c.parcel_id WHERE {left} AND c.what <> 'estimate'"
    ));
    let micro_kpi: i64 = (kpis.cost.total * twin::money::Decimal::from(1_000_000)).try_into().expect("it can be counted");
    assert!(
        micro > 0 && (micro - micro_kpi).abs() <= 5_000 + 150,
        "{micro} against {micro_kpi}: rounded to the cent, and each to a millionth"
    );
    let waiting =
        "SELECT COUNT(*) FROM declarations d JOIN parcels p ON p.id = d.parcel_id WHERE p.status = 'delivered' AND d.stage <> 'cleared'";
    assert_eq!(one(waiting), 0);
    assert!(one("SELECT COUNT(*) FROM declarations WHERE stage = 'cleared' AND missing IS NULL") > 50, "and all is known of what it holds");
    assert_eq!(one("SELECT COUNT(*) FROM declarations WHERE from_country = to_country"), 0);
}

/// A decision's event keeps six candidates; the tables have all, each with its kind and parts.
#[test]
fn all_that_was_weighed_is_listed() {
    let data = folder();
    let twin = Arc::new(Twin::in_memory("weighed"));
    let mut maker = Maker::default();
    for n in 0..20 {
        twin.commit(maker.order(&twin, n)).expect("it is written");
    }
    made(data.path(), &twin).close().expect("it closes");
    let db = schema::look(data.path()).expect("it opens");
    let page = pages::page::<lists::DecisionRow>(&db, &pages::Wish { limit: 50, ..wish(&[], None) }).expect("a page");
    assert_eq!(page.rows.len(), 20);
    for row in &page.rows {
        assert_eq!((row.candidates.len() as i64, row.outcome.as_str()), (row.weighed, "chosen"), "{}", row.order);
        assert_eq!(row.candidates[1].verdict, "dearer by 3.10 USD");
        assert_eq!(row.candidates[1].parameters["by"]["amount"], "3.10");
    }
    let most = page.rows.iter().find(|row| row.weighed == 10).expect("every fifth has more than its event keeps");
    let last = &most.candidates[9];
    assert_eq!((last.verdict_kind.as_str(), last.cost.is_none(), last.channel.as_deref()), ("country", true, Some("line-5/packet")));
}

#[test]
fn what_was_forgotten_while_nobody_followed_goes_at_the_start() {
    let dir = folder();
    let home = support::home::home(dir.path()).expect("a twin");
    let twin = home.twin.clone();
    let mut maker = Maker::default();
    for n in 0..300 {
        twin.commit(maker.order(&twin, n)).expect("it is written");
    }
    made(dir.path(), &twin).close().expect("it closes");
    let gone: Vec<u64> = (0..300).step_by(7).collect();
    for n in &gone {
        assert!(holds(dir.path(), &made::buyer(*n).email));
        let (_, order) = twin.load::<twin::order::Order>(order_id(*n).text()).expect("it reads").expect("it is there");
        twin.keys().destroy(order.content.buyer.expect("it has one").key, order_id(*n).as_str(), Moment(1)).expect("it goes");
    }
    let tables = Tables::open(dir.path(), &twin).expect("it opens");
    let left = in_files(dir.path());
    for n in gone {
        assert!(!left.contains(made::buyer(n).email.as_str()), "{n} is still there");
    }
    tables.close().expect("it closes");
    let anew = folder();
    made(anew.path(), &twin).close().expect("it closes");
    same(dir.path(), anew.path());
}

#[test]
fn every_page_of_every_filter_is_the_whole_list_cut() {
    let twin = simulated();
    let dir = folder();
    made(dir.path(), &twin).close().expect("it closes");
    let db = schema::look(dir.path()).expect("it opens");
    let filters: [&[(&'static str, &str)]; 6] = [
        &[],
        &[("status", "delivered")],
        &[("country", "US")],
        &[("status", "delivered"), ("country", "US")],
        &[("stage", "none")],
        &[("platform", "shopify")],
    ];
    for filter in filters {
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = pages::page::<lists::ParcelRow>(&db, &wish(filter, after)).expect("it lists");
            assert!(page.rows.len() <= 7);
            listed.extend(page.rows.into_iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let conditions: String = filter
            .iter()
            .map(|(facet, value)| {
                format!(" AND {} = '{value}'", if *facet == "platform" { "o.platform".into() } else { format!("p.{facet}") })
            })
            .collect();
        let ask = format!("SELECT p.id FROM parcels p JOIN orders o ON o.id = p.order_id WHERE TRUE{conditions} ORDER BY p.seq DESC");
        let whole: Vec<String> = db.prepare(&ask).unwrap().query_map([], |r| r.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(listed, whole, "{filter:?}");
    }
    let middle: i64 = db.query_row("SELECT received_at_us FROM orders ORDER BY seq LIMIT 1 OFFSET 70", [], |r| r.get(0)).unwrap();
    for (from, to, condition) in [(true, false, ">="), (false, true, "<")] {
        let at = |yes: bool| yes.then_some(Moment(middle));
        let wish = pages::Wish { from: at(from), to: at(to), limit: 10_000, ..pages::Wish::default() };
        let page = pages::page::<lists::OrderRow>(&db, &wish).expect("it lists");
        let count: i64 =
            db.query_row(&format!("SELECT count(*) FROM orders WHERE received_at_us {condition} {middle}"), [], |r| r.get(0)).unwrap();
        assert_eq!(page.rows.len() as i64, count);
    }
}

#[test]
fn what_cannot_be_used_is_made_anew_by_itself() {
    let dir = folder();
    let home = support::home::home(dir.path()).expect("a twin");
    let twin = home.twin.clone();
    let mut maker = Maker::default();
    for n in 0..50 {
        twin.commit(maker.order(&twin, n)).expect("it is written");
    }
    let path = schema::path(dir.path());
    let follow = || {
        let query = Arc::new(Query::of(dir.path()));
        let _follower = Follower::start(query.clone(), twin.clone()).expect("it starts");
        until(&query, &twin);
        query.ask(|db| Ok(db.query_row("SELECT count(*) FROM orders", [], |r| r.get::<_, i64>(0))?)).expect("it answers")
    };
    let spoil: [&dyn Fn(); 7] = [
        &|| (),
        &|| std::fs::remove_file(&path).unwrap(),
        &|| std::fs::write(&path, "not a database at all, but long enough to look like one").unwrap(),
        &|| std::fs::write(&path, "").unwrap(),
        &|| std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(8_192).unwrap(),
        &|| Connection::open(&path).unwrap().execute_batch("UPDATE applied SET schema_version = 99").unwrap(),
        &|| {
            // Of whatever hash: another.
            let other = "UPDATE applied SET hash = CASE substr(hash, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(hash, 2)";
            Connection::open(&path).unwrap().execute_batch(&format!("{other}; DROP TABLE orders")).unwrap();
        },
    ];
    for (n, spoil) in spoil.iter().enumerate() {
        spoil();
        assert_eq!(follow(), 50, "case {n}");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }
    // It goes bad while the site runs, and somebody finds that out by asking.
    let query = Arc::new(Query::of(dir.path()));
    let follower = Follower::start(query.clone(), twin.clone()).expect("it starts");
    until(&query, &twin);
    let length = std::fs::metadata(&path).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0xaa; length as usize - 4_096], 4_096).unwrap();
    let count = || query.ask(|db| Ok(db.query_row("SELECT count(*) FROM orders", [], |r| r.get::<_, i64>(0))?));
    assert!(count().is_err(), "it is damaged");
    let mended = (0..1_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        count().is_ok_and(|orders| orders == 50)
    });
    assert!(mended, "{:?}", count());
    drop(follower);
    // Another journal's.
    let other = Arc::new(Twin::in_memory("another-site"));
    assert!(matches!(Tables::open(dir.path(), &other), Err(QueryError::Other { .. })));
}

#[test]
fn the_papers_name_every_column_and_every_example_answers() {
    let twin = simulated();
    let dir = folder();
    made(dir.path(), &twin).close().expect("it closes");
    let db = schema::look(dir.path()).expect("it opens");
    let papers = std::fs::read_to_string(project().join("docs/QUERY.md")).expect("it is there");
    for table in TABLES.into_iter().chain(["texts"]) {
        let section =
            papers.split("### ").find(|part| part.lines().next() == Some(table)).unwrap_or_else(|| panic!("{table} is not described"));
        let statement = db.prepare(&format!("SELECT * FROM {table}")).expect("the table is there");
        for column in statement.column_names() {
            assert!(section.contains(&format!("`{column}`")), "{table}.{column} is not described");
        }
    }
    // What PostgreSQL would not take.
    let own =
        ["datetime(", "strftime(", "julianday(", "AUTOINCREMENT", "WITHOUT ROWID", "INDEXED BY", "PRAGMA", "ifnull(", "GLOB", " IS NOT ?"];
    for text in [schema::TABLES, schema::INDEXES] {
        assert!(own.iter().all(|word| !text.contains(word)));
    }
    let examples: Vec<&str> = papers.split("```sql\n").skip(1).map(|part| part.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 12);
    let (mut answers, mut empty) = (0, Vec::new());
    for example in examples {
        assert!(own.iter().all(|word| !example.contains(word)), "{example}");
        let mut statement = db.prepare(example).unwrap_or_else(|e| panic!("{e}: {example}"));
        assert!(statement.readonly());
        match statement.query([]).expect("it runs").next().unwrap_or_else(|e| panic!("{e}: {example}")) {
            Some(_) => answers += 1,
            None => empty.push(example),
        }
    }
    assert!(answers >= 11, "{answers} examples have an answer; not {empty:?}");
}

fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output = support::parceltwin().args(arguments).output().expect("the program runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn killed_again_and_again_it_comes_to_what_a_rebuild_gives() {
    let dir = folder();
    let data = dir.path().to_str().expect("a plain name");
    let mut luck = sim::luck::Luck::of(3, "query", "when it is killed");
    let client = reqwest::Client::new();
    for round in 0..4 {
        let mut live = support::Live::start(dir.path(), &["--orders-per-hour", "40000", "--speed", "20"]);
        for n in 0..20 {
            let order = support::order(&format!("KILL-{round}-{n}"));
            client.post(format!("{}/api/v1/orders", live.url)).json(&order).send().await.expect("an answer");
        }
        tokio::time::sleep(std::time::Duration::from_millis(luck.between(50, 1_500) as u64)).await;
        live.kill();
    }
    let live = support::Live::start(dir.path(), &["--orders-per-hour", "0", "--speed", "20"]);
    let mut answer = serde_json::Value::Null;
    for _ in 0..500 {
        let text =
            client.get(format!("{}/api/v1/search?q=KILL-3-19", live.url)).send().await.expect("an answer").text().await.expect("text");
        answer = serde_json::from_str(&text).expect("JSON");
        if answer["found"][0]["id"] == "KILL-3-19@shopify:shopify-1" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(answer["found"][0]["id"], "KILL-3-19@shopify:shopify-1", "{answer}");
    // Stopped as a service manager stops it.
    assert!(std::process::Command::new("kill").arg(live.child.id().to_string()).status().expect("it runs").success());
    let mut live = live;
    live.child.wait().expect("it ends");
    let followed = all_of_the_journal(data);
    let (status, text) = said(&["query", "rebuild", "--data", data]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(followed, all_of_the_journal(data));
}

/// The tables once they have taken in the whole journal, as a site does at its start.
fn all_of_the_journal(data: &str) -> Vec<(&'static str, Vec<Vec<String>>)> {
    let home = support::home::home(Path::new(data)).expect("nobody else has it");
    parceltwin::query::follow::settle(Path::new(data), &home.twin).expect("it follows");
    let rows = all(Path::new(data));
    assert!(rows[1].1.len() > 80, "{} orders", rows[1].1.len());
    rows
}

#[tokio::test]
async fn the_command_line_asks_and_forgets() {
    const NAME: &str = "=Zebediah \u{1b}[2J Quuxworth";
    let dir = folder();
    let data = dir.path().to_str().expect("a plain name");
    let client = reqwest::Client::new();
    let mut live = support::Live::start(dir.path(), &["--orders-per-hour", "0"]);
    let mut order = support::order("CLI-1");
    order["ship_to"]["name"] = NAME.into();
    client.post(format!("{}/api/v1/orders", live.url)).json(&order).send().await.expect("an answer");
    let cancel = client.post(format!("{}/api/v1/orders/CLI-1/cancel", live.url));
    assert!(cancel.json(&serde_json::json!({"reason": "test"})).send().await.expect("an answer").status().is_success());
    let mut found = (None, String::new());
    for _ in 0..200 {
        found = said(&["query", "find", "quuxw", "--data", data]);
        if found.0 == Some(0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(found.1.contains("CLI-1") && found.1.contains("\\u001b[2J") && !found.1.contains('\u{1b}'), "while the site runs: {found:?}");
    let ask = |more: &[&str]| said(&[&["query", "sql", "SELECT name, 1 AS n FROM buyers", "--data", data], more].concat());
    assert!(ask(&["--csv"]).1.starts_with("name,n\n'=Zebediah"), "{:?}", ask(&["--csv"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ask(&["--json"]).1).expect("JSON")[0]["name"], NAME);
    let (status, why) = said(&["query", "sql", "DELETE FROM buyers", "--data", data]);
    assert!(status == Some(2) && why.contains("not changed"), "{why}");
    let (status, why) = said(&["query", "rebuild", "--data", data]);
    assert!(status == Some(2) && why.contains("in use"), "{why}");
    live.kill();
    assert!(holds(dir.path(), "Quuxworth"));
    std::fs::write(dir.path().join(schema::FOLDER).join("site.db.new"), "broken off, with Quuxworth in it").expect("it writes");
    let (status, text) = said(&["twin", "forget", "--data", data, "--order", "CLI-1", "--by", "li"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(!holds(dir.path(), "Quuxworth") && !holds(dir.path(), "quuxworth"), "it is gone at once");
    assert_eq!(said(&["query", "find", "quuxw", "--data", data]).0, Some(1));
    assert!(said(&["query", "find", "cli-1", "--data", data]).1.contains("CLI-1"));
    let (status, why) = said(&["query", "find", "x", "--data", data]);
    assert!(status == Some(2) && why.contains("two letters"), "{why}");
}
