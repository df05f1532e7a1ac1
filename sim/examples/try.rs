#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).without_time().init();
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let seed = args.next().map_or(1, |s| s.parse().unwrap());
    let scenario = sim::scenario::Scenario::read(std::path::Path::new(&path)).unwrap();
    let t = std::process::Command::new("true").status();
    let _ = t;
    let run = sim::run::run(&scenario, seed, None, &mut |p| { if std::env::var("V").is_ok() { eprintln!("{p:?}") } }).map_err(|e| panic!("{e}")).unwrap();
    println!("{}", serde_json::to_string_pretty(&run.kpis).unwrap());
    if let Ok(f) = std::env::var("J") { use std::io::Write; let mut o = std::io::BufWriter::new(std::fs::File::create(f).unwrap()); for r in run.twin.records(0) { writeln!(o, "{}", serde_json::to_string(&r.unwrap()).unwrap()).unwrap(); } }
}
