//! The command line: flags in, resolved settings out, one module a command. Decides nothing about a parcel.
//!
//! Exit status: 0 done, 1 a negative answer (an expectation missed, a journal damaged), 2 an error.

mod chaos;
mod check;
mod device;
mod environment;
mod keep;
mod live;
mod meter;
pub(crate) mod own_pace;
mod parallel;
mod problems;
mod products;
mod query;
mod remedy;
mod screen;
mod seeds;
mod settings;
mod simulate;
mod store;
mod tariff;
mod temporary;

use clap::{Args, CommandFactory, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs a small-parcel cross-border warehouse, and a digital twin of it in which any change can be tried first.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a live site on an embedded twin
    ///
    /// Without a site file: the bundled quick-start site, with simulated devices, carriers and buyers. The file is taken at the
    /// first start; from then on the site's settings live in its twin (`parceltwin settings`, and the API of a running site).
    Live(LiveFlags),
    /// Run a scenario in virtual time and report on it
    Sim(SimFlags),
    /// Run every scenario below a folder against the expectations in its file
    Check(CheckFlags),
    /// Look into a twin
    #[command(subcommand)]
    Twin(TwinCommand),
    /// Tell a running site what is sold, from files
    #[command(subcommand)]
    Products(products::ProductsCommand),
    /// List what is wrong on a running site now, and what can be done about it
    ///
    /// The most urgent first. Exit status 1: something is.
    Problems(problems::ProblemsFlags),
    /// Put something right on a running site: an order, a parcel, a bag, a station …
    Remedy(remedy::RemedyFlags),
    /// Read carriers' rate sheets, and price a parcel
    #[command(subcommand)]
    Tariff(tariff::TariffCommand),
    /// Change what a site goes by: versions of its settings, one of which is in force
    #[command(subcommand)]
    Settings(settings::SettingsCommand),
    /// Ask the tables that a site makes from its journal
    #[command(subcommand)]
    Query(QueryCommand),
    /// Run one simulated device by itself on a pseudo-terminal or a TCP port
    Device(DeviceFlags),
    /// Print a script that completes commands and flags in a shell
    ///
    /// For bash: `parceltwin completions bash > ~/.local/share/bash-completion/completions/parceltwin`.
    Completions {
        /// The shell that it is for
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
struct LiveFlags {
    /// The site file (TOML)
    site: Option<PathBuf>,
    /// Take the site file in place of the settings that are in force; without it, it is taken at the first start only
    #[arg(long, requires = "site")]
    take: bool,
    /// Where the twin is kept; without it, in a temporary folder that goes when the site stops
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Give up a broken last group that may have been acknowledged, and keys that are not there any more
    #[arg(long)]
    accept_loss: bool,
    /// Where the API and the console are served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Another name that the site may be asked by, as behind a proxy; may be given several times. Without a port: on any
    #[arg(long, value_name = "NAME[:PORT]")]
    host: Vec<String>,
    /// Take what products.csv and sku_maps.csv say also where it was told otherwise since
    #[arg(long)]
    take_products: bool,
    /// Simulate all devices, carriers and buyers, whatever the site file says
    #[arg(long)]
    simulated: bool,
    /// How fast the clock runs (only where every device and carrier is simulated); slower where the machine cannot keep up
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    speed: f64,
    /// Orders that simulated buyers place in an hour of the site's clock; 0 for none
    #[arg(long, value_name = "N", default_value_t = 600)]
    orders_per_hour: u32,
    /// How long simulated carriers take to answer
    #[arg(long, value_name = "MS", default_value_t = 200)]
    carrier_latency_ms: u32,
    /// The seed of the simulated world
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct SimFlags {
    /// The scenario's folder or file
    scenario: PathBuf,
    /// Orders to run instead of the scenario's own: orders.csv (products.csv, sku_maps.csv and stock.csv beside it), a Shopify orders.json, or the CSV that its admin exports
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Seed; the scenario's first where absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Seeds to run one after the other and side by side, such as 1..40: each figure's mean, how sure that is, least and most
    #[arg(long, value_name = "A..B", value_parser = seeds::read_range, conflicts_with = "seed")]
    seeds: Option<std::ops::RangeInclusive<u64>>,
    /// So many runs at once with --seeds; without it, one for each core
    #[arg(long, value_name = "N", requires = "seeds", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    threads: Option<usize>,
    /// Write report.html, kpis.json and the journal here; with --seeds, of each in a folder of its own, and seeds.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the run's twin into this folder, as a live site keeps it; must not exist
    #[arg(long, value_name = "DIR")]
    twin: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

#[derive(Args)]
struct CheckFlags {
    /// The folder; every scenario.toml below it is run
    #[arg(required_unless_present = "chaos")]
    dir: Option<PathBuf>,
    /// Instead, run the bundled site under falls, stops, lost answers, full disks and broken devices, with so many seeds
    #[arg(long, value_name = "N", conflicts_with_all = ["dir", "junit", "bless"])]
    chaos: Option<u64>,
    /// The first of those seeds
    #[arg(long, value_name = "SEED", requires = "chaos", default_value_t = 1)]
    first_seed: u64,
    /// So many runs at once; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    threads: Option<usize>,
    /// Write the outcome as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the golden journals anew instead of comparing with them
    #[arg(long)]
    bless: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum TwinCommand {
    /// Show one entity as JSON, as the journal makes it
    Show {
        /// order, parcel, stock, warehouse, station, device, carrier, bag, manifest, settings, tracking, return, product, sku_map or seller
        kind: String,
        /// The entity's id
        id: String,
        /// The twin's folder, or a backup of it; a site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Print the journal, a record a line, as JSON
    Log {
        /// The twin's folder, or a backup of it; a site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Go on printing what is added, as soon as it is durable
        #[arg(long)]
        follow: bool,
        /// Only this entity: its id, or KIND/ID
        #[arg(long, value_name = "ID")]
        entity: Option<String>,
        /// Only records with a higher number
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
    },
    /// Check every byte of the journal: hashes, numbers, times, seals, documents, keys. Changes nothing
    Verify {
        /// The twin's folder, or a backup of it; a site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the live twin anew from the journal
    Rebuild {
        /// The twin's folder; no site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Give up a broken last group that may have been acknowledged
        #[arg(long)]
        accept_loss: bool,
    },
    /// Copy the twin into a fresh folder, without what nobody can read any more
    Compact {
        /// The twin's folder; no site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The new folder; must not exist
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
    /// Copy the journal into a backup folder, also while a site is running; again into the same folder brings it up to date
    Backup {
        /// The twin's folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The backup's folder
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Copy the keys to who the buyers are into this folder; keep it apart from the backup
        #[arg(long, value_name = "DIR")]
        keys_to: Option<PathBuf>,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a twin's folder from a backup, checking every byte
    Restore {
        /// The backup's folder
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The folder with the backup of the keys; without it nobody can read who the buyers are
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
        /// The new folder; must not exist
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Erase who the buyers of finished orders are, for ever and in every copy of the journal
    Forget {
        /// The twin's folder; of a running site use its API: POST /api/v1/orders/ID/forget
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// An order's id; may be given several times
        #[arg(long, value_name = "ID", required_unless_present = "delivered_before")]
        order: Vec<String>,
        /// All orders that were finished before this date (UTC) or moment
        #[arg(long, value_name = "DATE", conflicts_with = "order")]
        delivered_before: Option<String>,
        /// Erase them in this backup of the keys too
        #[arg(long, value_name = "DIR")]
        keys_backup: Option<PathBuf>,
        /// Who asks for it; stands in the journal
        #[arg(long, value_name = "NAME")]
        by: String,
    },
}

#[derive(Subcommand)]
enum QueryCommand {
    /// Find orders, parcels and whatever else by a part of a text: a buyer, an address, an id, a SKU, a tracking number, a reason
    Find {
        /// All words of it must be there; case, accents and marks do not matter
        text: String,
        /// Only order, parcel, bag, manifest, product or exception
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// The twin's folder; a site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print what is found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Answer a SELECT; docs/QUERY.md describes the tables
    Sql {
        /// The statement
        statement: String,
        /// The twin's folder; a site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print the rows as JSON
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// Print the rows as CSV; a text that a spreadsheet would take for a formula gets a ' before it
        #[arg(long)]
        csv: bool,
    },
    /// Make the tables anew from the journal
    Rebuild {
        /// The twin's folder; no site may be running on it
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

#[derive(Args)]
struct DeviceFlags {
    /// scale, scanner, sorter or printer
    kind: String,
    /// `pty`, or tcp:ADDR such as tcp:127.0.0.1:2001
    #[arg(long, value_name = "WHERE")]
    listen: String,
    /// Seconds between two things that it sees
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    every: f64,
    /// Scale: the weights that are put on it, in grams, in this order and again
    #[arg(long, value_delimiter = ',', value_name = "G,…")]
    weights: Vec<u32>,
    /// Scanner: the codes that pass it, in this order and again
    #[arg(long, value_delimiter = ',', value_name = "CODE,…")]
    codes: Vec<String>,
    /// Printer: put each label into this folder
    #[arg(long, value_name = "DIR")]
    labels: Option<std::path::PathBuf>,
    /// Seed of what it sees and of its faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// What a command came to.
enum Answer {
    Yes,
    No,
}

/// Reads the flags, runs the command, and turns its outcome into an exit status.
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    environment::start_log();
    let outcome = match flags.command {
        Command::Live(flags) => live::run(flags),
        Command::Sim(mut flags) => match flags.seeds.take() {
            Some(seeds) => seeds::run(flags, seeds),
            None => simulate::run(flags),
        },
        Command::Check(flags) => check::run(flags),
        Command::Twin(command) => store::run(command),
        Command::Query(command) => query::run(command),
        Command::Device(flags) => device::run(flags),
        Command::Settings(command) => settings::run(command),
        Command::Tariff(command) => tariff::run(command),
        Command::Products(command) => products::run(command),
        Command::Problems(flags) => problems::run(flags),
        Command::Remedy(flags) => remedy::run(flags),
        Command::Completions { shell } => complete(shell),
    };
    match outcome {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            eprintln!("parceltwin: {}", screen::shown(&format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

fn complete(shell: clap_complete::Shell) -> anyhow::Result<Answer> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Flags::command(), "parceltwin", &mut script);
    screen::print(&String::from_utf8(script)?)?;
    Ok(Answer::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command, with its name as it is typed.
    fn all(command: clap::Command, name: String, found: &mut Vec<(String, clap::Command)>) {
        for below in command.get_subcommands().filter(|c| c.get_name() != "help") {
            all(below.clone(), format!("{name} {}", below.get_name()), found);
        }
        found.push((name, command));
    }

    #[test]
    fn every_command_and_every_flag_has_its_help() {
        let mut found = Vec::new();
        all(Flags::command(), "parceltwin".into(), &mut found);
        assert!(found.len() > 10);
        for (name, command) in found {
            assert!(command.get_about().is_some(), "{name} has no help");
            for flag in command.get_arguments() {
                assert!(flag.get_help().is_some(), "{name} {} has no help", flag.get_id());
            }
        }
    }
}
