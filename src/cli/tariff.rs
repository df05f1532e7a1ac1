//! `parceltwin tariff`: a carrier's published sheet made into tariff files for a site, and the price of one parcel with its
//! reasons. Reads and writes files; what a sheet means and what a parcel costs is `rules`' to say.

mod import;
mod price;
mod written;

use super::Answer;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum TariffCommand {
    /// Make tariff files from a published rate sheet, one for each service
    ///
    /// Prints a [[channel]] for the site file with each. Exit status 1: files are written, and rows were left out, which are
    /// listed with their line.
    Import(ImportFlags),
    /// What one parcel costs by a tariff, and why
    ///
    /// Exit status 1: it has no price there, and the answer says why.
    Price(PriceFlags),
}

/// How a sheet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// USPS Notice 123: service,weight_upto,zone,usd
    Usps,
    /// karrio's common sheet: a row for each service, zone and weight band
    Karrio,
    /// Chinese direct lines: a price per kilogram and a registration fee for each band
    Wanb,
}

#[derive(Args)]
pub struct ImportFlags {
    /// The sheet (CSV)
    sheet: PathBuf,
    /// How the sheet is written
    #[arg(long = "as", value_name = "FORM")]
    form: Form,
    /// The carrier's id in the site file
    #[arg(long, value_name = "ID")]
    carrier: String,
    /// The folder that the tariffs go into
    #[arg(long, value_name = "DIR", default_value = "tariffs")]
    out: PathBuf,
    /// Only this service of the sheet; may be given several times
    #[arg(long, value_name = "CODE")]
    service: Vec<String>,
    /// A warehouse that the channels collect from; may be given several times
    #[arg(long, value_name = "ID")]
    origin: Vec<String>,
    /// karrio: the country that the parcels are posted in
    #[arg(long, value_name = "COUNTRY")]
    home: Option<String>,
    /// usps: the zone chart of the posting place (TOML), each zone with its postcode prefixes: "1" = ["900"]
    #[arg(long, value_name = "FILE")]
    zones: Option<PathBuf>,
    /// A rule for the chargeable weight, which no sheet tells, as in [channel.tariff.weight]: divisor=6000; may be given
    /// several times
    #[arg(long, value_name = "RULE=NUMBER")]
    weight: Vec<String>,
    /// Write over tariffs that are there already
    #[arg(long)]
    replace: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct PriceFlags {
    /// A tariff file; or a site file, with --channel
    file: PathBuf,
    /// The channel of the site file
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// Country and postcode: US:78701
    #[arg(long, value_name = "COUNTRY[:POSTCODE]")]
    to: String,
    /// On the scale, in grams
    #[arg(long, value_name = "G")]
    weight_g: u32,
    /// Its sides in millimetres; without them it has no volume
    #[arg(long, value_name = "LxWxH")]
    sides: Option<String>,
    /// What it is worth: 12.50USD
    #[arg(long, value_name = "AMOUNT")]
    value: Option<String>,
    /// It is or contains a battery
    #[arg(long)]
    battery: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(command: TariffCommand) -> anyhow::Result<Answer> {
    match command {
        TariffCommand::Import(flags) => import::run(&flags),
        TariffCommand::Price(flags) => price::run(&flags),
    }
}
