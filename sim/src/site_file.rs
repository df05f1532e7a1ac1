//! Site files: a site as a person writes it, with the tariffs that it names in files of their own. Read whole and refused whole,
//! with the place; what was read can be kept in parts, as versions of a site's settings are.

use crate::scenario::{FILE_BYTES_MAX, FileError};
use actors::config::SiteConfig;
use serde_json::Value;
use std::path::Path;
use twin::parts::Parts;

/// A site file that was read and checked.
#[derive(Clone, Debug)]
pub struct SiteFile {
    pub config: SiteConfig,
    /// The same as it is kept, each tariff in it.
    pub parts: Parts,
}

impl SiteFile {
    pub fn read(path: &Path) -> Result<Self, FileError> {
        SiteFile::new(&text_of(path)?, path, path.parent().or(Some(Path::new("."))))
    }

    /// One that is TOML already, called `name` where it is wrong. It can name no files.
    pub fn of_toml(text: &str, name: &str) -> Result<Self, FileError> {
        SiteFile::new(text, Path::new(name), None)
    }

    /// The same as JSON.
    pub fn of_json(text: &[u8], name: &str) -> Result<Self, FileError> {
        let wrong = |why: String| FileError::Content { path: name.into(), why };
        // Read for its own sake first: that names the line.
        serde_json::from_slice::<SiteConfig>(text).map_err(|e| wrong(e.to_string()))?;
        let raw = serde_json::from_slice::<Value>(text).map_err(|e| wrong(e.to_string()))?;
        SiteFile::checked(raw, Path::new(name))
    }

    fn new(text: &str, path: &Path, folder: Option<&Path>) -> Result<Self, FileError> {
        let wrong = |why: String| FileError::Content { path: path.to_owned(), why };
        toml::from_str::<SiteConfig>(text).map_err(|e| wrong(e.to_string()))?;
        let mut raw = toml::from_str::<Value>(text).map_err(|e| wrong(e.to_string()))?;
        if let Some(folder) = folder {
            take_tariffs(&mut raw, folder, path)?;
        }
        SiteFile::checked(raw, path)
    }

    fn checked(raw: Value, path: &Path) -> Result<Self, FileError> {
        let wrong = |why: String| FileError::Content { path: path.to_owned(), why };
        let parts = Parts::of(raw).map_err(wrong)?;
        Ok(SiteFile { config: SiteConfig::of(&parts).map_err(wrong)?, parts })
    }
}

/// Puts each tariff where its file is named.
fn take_tariffs(site: &mut Value, folder: &Path, path: &Path) -> Result<(), FileError> {
    let channels = site.get_mut("channel").and_then(Value::as_array_mut).into_iter().flatten();
    for channel in channels.filter_map(Value::as_object_mut) {
        let Some(file) = channel.remove("tariff_file") else { continue };
        let file = file.as_str().unwrap_or_default();
        if channel.contains_key("tariff") {
            let id = channel.get("id").and_then(Value::as_str).unwrap_or_default();
            let why = format!("channel {id}: it has a [channel.tariff] and tariff_file = {file:?}: leave one out");
            return Err(FileError::Content { path: path.to_owned(), why });
        }
        let at = folder.join(file);
        let text = text_of(&at)?;
        let wrong = |why: String| FileError::Content { path: at.clone(), why };
        toml::from_str::<twin::channel::Tariff>(&text).map_err(|e| wrong(e.to_string()))?;
        channel.insert("tariff".into(), toml::from_str::<Value>(&text).map_err(|e| wrong(e.to_string()))?);
    }
    Ok(())
}

/// The text of a file that is not larger than such a file can be.
pub(crate) fn text_of(path: &Path) -> Result<String, FileError> {
    let read = |why: std::io::Error| FileError::Read { path: path.to_owned(), why: why.to_string() };
    let length = std::fs::metadata(path).map_err(read)?.len();
    if length > FILE_BYTES_MAX {
        return Err(FileError::Read { path: path.to_owned(), why: format!("{length} bytes is over the limit of {FILE_BYTES_MAX}") });
    }
    std::fs::read_to_string(path).map_err(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK_START: &str = include_str!("../../scenarios/quick-start/site.toml");

    #[test]
    fn what_is_kept_in_parts_is_what_the_file_says() {
        let file = SiteFile::of_toml(QUICK_START, "quick-start").unwrap();
        let said: SiteConfig = toml::from_str(QUICK_START).unwrap();
        assert_eq!(format!("{:?}", file.config), format!("{said:?}"), "also the order of all that is a list");
        let json = file.parts.joined().to_string();
        assert_eq!(SiteFile::of_json(json.as_bytes(), "json").unwrap().parts, file.parts);
        let again = toml::to_string_pretty(&file.parts.joined()).unwrap();
        assert_eq!(SiteFile::of_toml(&again, "again").unwrap().parts, file.parts, "written out and read again:\n{again}");
    }

    #[test]
    fn a_tariff_in_a_file_is_the_same_as_one_in_the_site() {
        let folder = tempfile::tempdir().unwrap();
        let whole: toml::Table = toml::from_str(QUICK_START).unwrap();
        let mut named = whole.clone();
        let channels = named["channel"].as_array_mut().unwrap();
        let rated = channels.iter_mut().find(|c| c.get("tariff").is_some()).unwrap().as_table_mut().unwrap();
        let tariff = rated.remove("tariff").unwrap();
        rated.insert("tariff_file".into(), "sheet.toml".into());
        std::fs::write(folder.path().join("sheet.toml"), toml::to_string(&tariff).unwrap()).unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, toml::to_string(&named).unwrap()).unwrap();
        let parts = SiteFile::of_toml(&toml::to_string(&whole).unwrap(), "whole").unwrap().parts;
        assert_eq!(SiteFile::read(&path).unwrap().parts, parts);
        let why = SiteFile::of_toml(&toml::to_string(&named).unwrap(), "named").unwrap_err().to_string();
        assert!(why.contains("tariff_file has no folder here"), "{why}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let told = |text: &str| SiteFile::of_toml(text, "site").unwrap_err().to_string();
        assert!(told("name = 7").contains("line 1"), "{}", told("name = 7"));
        let fault = told(&QUICK_START.replacen("to = [\"US\"]", "to = [\"XX\"]", 1));
        assert!(fault.ends_with("\"XX\" is no country of ISO 3166"), "{fault}");
        assert!(SiteFile::of_json(b"{\"name\": null}", "body").unwrap_err().to_string().contains("line 1"));
    }
}
