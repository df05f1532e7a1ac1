//! `parceltwin tariff import`: a sheet in, a tariff file for each service out, and every row that made no price with its line.

use super::{Form, ImportFlags, written};
use crate::cli::{Answer, screen};
use anyhow::{Context, bail};
use rules::rate_sheet::{Sheet, ZoneChart, karrio, usps, wanb};
use serde_json::json;
use std::path::{Path, PathBuf};
use twin::channel::{Channel, ChargeableWeight};
use twin::{CarrierId, WarehouseId};

/// The largest sheet that is read, in bytes.
const SHEET_BYTES_MAX: u64 = 32 << 20;

/// A service of the sheet, and the file that its tariff goes into; none where the sheet has no price for it.
struct Service {
    sheet: Sheet,
    channel: Channel,
    file: Option<PathBuf>,
}

pub fn run(flags: &ImportFlags) -> anyhow::Result<Answer> {
    let services = services(flags)?;
    let files: Vec<&PathBuf> = services.iter().filter_map(|s| s.file.as_ref()).collect();
    if let Some(twice) = files.iter().enumerate().find_map(|(n, file)| files[..n].contains(file).then_some(file)) {
        bail!("two services would go into {}: import them one by one, with --service and --out", twice.display());
    }
    if let Some(there) = files.iter().find(|file| file.exists()).filter(|_| !flags.replace) {
        bail!("{} is there already: --replace writes over it", there.display());
    }
    std::fs::create_dir_all(&flags.out).with_context(|| format!("cannot make {}", flags.out.display()))?;
    for service in &services {
        if let (Some(file), Some(tariff)) = (&service.file, &service.sheet.tariff) {
            std::fs::write(file, written::tariff(tariff)).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    screen::print(&if flags.json { as_json(flags, &services)? } else { as_text(flags, &services) })?;
    let whole = services.iter().all(|s| s.file.is_some() && s.sheet.skipped.is_empty());
    Ok(if whole { Answer::Yes } else { Answer::No })
}

fn services(flags: &ImportFlags) -> anyhow::Result<Vec<Service>> {
    let weight = weight(&flags.weight)?;
    let sheets = read(flags)?;
    if let Some(unknown) = flags.service.iter().find(|code| !sheets.iter().any(|s| s.service == code.as_str())) {
        let has: Vec<&str> = sheets.iter().map(|s| s.service.as_str()).collect();
        bail!("{} has no service {unknown}; it has {}", flags.sheet.display(), has.join(", "));
    }
    let wanted = |sheet: &Sheet| flags.service.is_empty() || flags.service.iter().any(|code| sheet.service == code.as_str());
    let (carrier, origins) = (CarrierId::new(&flags.carrier), flags.origin.iter().map(WarehouseId::new).collect::<Vec<_>>());
    let service = |mut sheet: Sheet| {
        if let Some(tariff) = &mut sheet.tariff {
            tariff.weight = weight.clone();
        }
        let channel = sheet.clone().channel(&carrier, origins.clone());
        let file = sheet.tariff.as_ref().map(|_| flags.out.join(file_name(channel.id.as_str())));
        Service { sheet, channel, file }
    };
    Ok(sheets.into_iter().filter(wanted).map(service).collect())
}

/// Letters and digits of the channel's id, so that no sheet writes elsewhere.
fn file_name(id: &str) -> String {
    let words: Vec<&str> = id.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}.toml", words.join("-"))
}

fn read(flags: &ImportFlags) -> anyhow::Result<Vec<Sheet>> {
    let name = flags.sheet.file_name().map_or_else(|| flags.sheet.to_string_lossy(), |name| name.to_string_lossy());
    let chart = match (&flags.zones, flags.form) {
        (Some(path), Form::Usps) => {
            let text = text(path)?;
            toml::from_str::<ZoneChart>(&text).with_context(|| format!("{}: not a zone chart such as \"1\" = [\"900\"]", path.display()))?
        }
        (None, Form::Usps) => bail!("the prices of USPS go by distance: --zones FILE says which postcodes are in which zone"),
        (Some(_), _) => bail!("--zones is for --as usps"),
        (None, _) => ZoneChart::new(),
    };
    let home = match (&flags.home, flags.form) {
        (Some(home), Form::Karrio) => known_country(home)?,
        (None, Form::Karrio) => bail!("a domestic price means the country that the parcels are posted in: --home COUNTRY says which"),
        (Some(_), _) => bail!("--home is for --as karrio"),
        (None, _) => "",
    };
    let text = text(&flags.sheet)?;
    Ok(match flags.form {
        Form::Usps => usps(&text, &name, &chart)?,
        Form::Karrio => karrio(&text, &name, home)?,
        Form::Wanb => wanb(&text, &name)?,
    })
}

fn known_country(code: &str) -> anyhow::Result<&str> {
    match twin::address::countries::country(code) {
        Some(_) => Ok(code),
        None => bail!("--home {code:?} is no country of ISO 3166"),
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    let unread = || format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).with_context(unread)?.len();
    if length > SHEET_BYTES_MAX {
        bail!("{}: {length} bytes is over the limit of {SHEET_BYTES_MAX}", path.display());
    }
    std::fs::read_to_string(path).with_context(unread)
}

/// `divisor=6000`, `step_g=100` …: the fields of `[channel.tariff.weight]`.
fn weight(rules: &[String]) -> anyhow::Result<ChargeableWeight> {
    let mut table = toml::Table::new();
    for rule in rules {
        let number = rule.split_once('=').and_then(|(name, number)| Some((name.trim(), number.trim().parse::<u32>().ok()?)));
        let Some((name, number)) = number else { bail!("--weight {rule:?} is not RULE=NUMBER such as divisor=6000") };
        table.insert(name.into(), i64::from(number).into());
    }
    table.try_into().map_err(|e: toml::de::Error| anyhow::anyhow!("--weight: {}", e.message()))
}

fn prices(sheet: &Sheet) -> (usize, usize) {
    let zones = sheet.tariff.iter().flat_map(|t| &t.zones);
    (zones.clone().count(), zones.map(|zone| zone.bands.len()).sum())
}

fn as_text(flags: &ImportFlags, services: &[Service]) -> String {
    let mut lines = Vec::new();
    for Service { sheet, file, .. } in services {
        let (zones, bands) = prices(sheet);
        lines.push(match file {
            Some(file) => format!("{}: {zones} zones, {bands} prices, in {}", sheet.service, file.display()),
            None => format!("{}: no price at all, so no tariff; a channel without one asks its carrier", sheet.service),
        });
        lines.extend(sheet.notes.iter().map(|note| format!("  note: {note}")));
        lines.extend(sheet.skipped.iter().map(|row| format!("  skipped: {} {row}", flags.sheet.display())));
    }
    if flags.weight.is_empty() {
        lines.push("No sheet says how size counts: by these tariffs only the scale does. --weight says otherwise.".into());
    }
    lines.push("\nFor the site file, beside which the tariffs are looked for:\n".into());
    let channels = services.iter().filter_map(|s| Some(written::channel(&s.channel, &s.file.as_ref()?.to_string_lossy())));
    lines.extend(channels);
    lines.join("\n")
}

fn as_json(flags: &ImportFlags, services: &[Service]) -> anyhow::Result<String> {
    let service = |Service { sheet, channel, file }: &Service| {
        let (zones, bands) = prices(sheet);
        let skipped = sheet.skipped.iter().map(|s| json!({"line": s.line, "field": s.field, "value": s.value, "why": s.why}));
        json!({
            "service": sheet.service, "name": sheet.name, "zones": zones, "prices": bands,
            "tariff_file": file.as_ref().map(|file| file.to_string_lossy()),
            "channel": file.as_ref().map(|file| written::channel(channel, &file.to_string_lossy())),
            "notes": sheet.notes, "skipped": skipped.collect::<Vec<_>>(),
        })
    };
    let all = json!({"sheet": flags.sheet.to_string_lossy(), "services": services.iter().map(service).collect::<Vec<_>>()});
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
