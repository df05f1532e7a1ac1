//! What a site file says, in named parts: `site` (its name and the order of the rest), each section, each warehouse, carrier,
//! channel and tariff. A part is a document, the same bytes for the same content; together they are the site file again.
//!
//! Reads no file, knows no version, and does not ask whether a site could go by it: that is `actors/src/config.rs`.

use crate::channel::Channel;
use crate::{Hash, StoreError, Twin, TwinError};
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// The part that holds what is no section, and in which order the others stand.
const SITE: &str = "site";
/// Lists of things with ids, each thing a part of its own.
const LISTS: [&str; 3] = ["warehouse", "carrier", "channel"];
/// A channel's tariff is a part of its own: it is large, and changes at other times.
const TARIFF: &str = "tariff";

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts(BTreeMap<SmolStr, Value>);

/// One difference between two settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `channel/usps/priority`
    pub part: SmolStr,
    /// Where in the part: `limits.weight_g_max`, `station[SZX/line-1].line.sorting.reject`. Empty: the part as a whole.
    pub path: String,
    /// As JSON; nothing where it was not there.
    pub before: Option<String>,
    /// As JSON; nothing where it is gone.
    pub after: Option<String>,
}

impl Parts {
    /// Takes apart what a site file says. The tariffs that it names in files must stand in it.
    pub fn of(site: Value) -> Result<Parts, String> {
        let Value::Object(site) = site else { return Err("a site is a table".into()) };
        let mut parts = BTreeMap::new();
        let mut head = Map::new();
        for (name, value) in site {
            if name.contains('/') {
                return Err(format!("{name:?} is no section: a / parts a thing from its list"));
            }
            match value {
                Value::Array(things) if LISTS.contains(&name.as_str()) => {
                    let mut ids = Vec::with_capacity(things.len());
                    for mut thing in things {
                        let id = id_of(&thing).ok_or_else(|| format!("a {name} has no id"))?;
                        if let Some(tariff) = thing.as_object_mut().filter(|_| name == "channel").and_then(|c| c.remove(TARIFF)) {
                            parts.insert(format_smolstr!("{TARIFF}/{id}"), sorted(tariff));
                        }
                        if parts.insert(format_smolstr!("{name}/{id}"), sorted(thing)).is_some() {
                            return Err(format!("two of {name} share the id {id}"));
                        }
                        ids.push(Value::from(id.as_str()));
                    }
                    head.insert(name, Value::Array(ids));
                }
                Value::Object(section) if name != SITE && !LISTS.contains(&name.as_str()) => {
                    parts.insert(name.into(), sorted(Value::Object(section)));
                }
                other => drop(head.insert(name, other)),
            }
        }
        parts.insert(SITE.into(), sorted(Value::Object(head)));
        Ok(Parts(parts))
    }

    /// The site file again.
    pub fn joined(&self) -> Value {
        let mut site = match self.0.get(SITE) {
            Some(Value::Object(head)) => head.clone(),
            _ => Map::new(),
        };
        for list in LISTS {
            let Some(Value::Array(ids)) = site.get(list) else { continue };
            let whole = |id: &Value| {
                let id = id.as_str()?;
                let mut thing = self.0.get(format!("{list}/{id}").as_str())?.clone();
                if let (Some(tariff), Some(channel)) = (self.0.get(format!("{TARIFF}/{id}").as_str()), thing.as_object_mut())
                    && list == "channel"
                {
                    channel.insert(TARIFF.into(), tariff.clone());
                }
                Some(thing)
            };
            let things: Vec<Value> = ids.iter().filter_map(whole).collect();
            site.insert(list.into(), Value::Array(things));
        }
        let sections = self.0.iter().filter(|(name, _)| *name != SITE && !name.contains('/'));
        site.extend(sections.map(|(name, section)| (name.to_string(), section.clone())));
        Value::Object(site)
    }

    /// Each part's name and document.
    pub fn documents(&self) -> impl Iterator<Item = (SmolStr, Vec<u8>)> {
        // It came as text, so it goes as text.
        self.0.iter().map(|(name, value)| (name.clone(), value.to_string().into_bytes()))
    }

    /// The parts with these documents.
    pub fn read(twin: &Twin, parts: &BTreeMap<SmolStr, Hash>) -> Result<Parts, TwinError> {
        let lost = |name: &SmolStr, why: String| StoreError::Broken { what: "read a part of the settings", why: format!("{name}: {why}") };
        let part = |(name, hash): (&SmolStr, &Hash)| {
            let bytes = twin.document(hash)?.ok_or_else(|| lost(name, format!("document {hash} is not there")))?;
            let value = serde_json::from_slice(&bytes).map_err(|e| lost(name, e.to_string()))?;
            Ok((name.clone(), value))
        };
        parts.iter().map(part).collect::<Result<_, TwinError>>().map(Parts)
    }

    /// One channel with its tariff, by its part's name.
    pub fn channel(&self, name: &str) -> Result<Channel, String> {
        let id = name.split_once('/').map_or("", |(_, id)| id);
        let mut channel = self.0.get(name).cloned().unwrap_or_default();
        if let (Some(tariff), Some(channel)) = (self.0.get(format!("{TARIFF}/{id}").as_str()), channel.as_object_mut()) {
            channel.insert(TARIFF.into(), tariff.clone());
        }
        serde_json::from_value(channel).map_err(|e| e.to_string())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &SmolStr> {
        self.0.keys()
    }

    /// What is another here than there, part by part.
    pub fn changes_from(&self, before: &Parts) -> Vec<Change> {
        let mut changes = Vec::new();
        let names: BTreeSet<_> = before.0.keys().chain(self.0.keys()).collect();
        for part in names {
            compare(part, "", before.0.get(part), self.0.get(part), &mut changes);
        }
        changes
    }
}

/// By what a thing of a list is known: a carrier's id stands with its API.
fn id_of(thing: &Value) -> Option<SmolStr> {
    let id = thing.get("id").or_else(|| thing.get("api")?.get("id"))?;
    id.as_str().map(SmolStr::new)
}

/// The same with the names of every table in one order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields: BTreeMap<String, Value> = map.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

fn compare(part: &SmolStr, path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(part, &path, before.get(name), after.get(name), changes);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.iter().chain(after).all(Value::is_object) => {
            let (before, after) = (by_place(before), by_place(after));
            let places: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for place in places {
                let at = |of: &BTreeMap<Place, &Value>| of.get(place).copied().cloned();
                compare(part, &format!("{path}[{place}]"), at(&before).as_ref(), at(&after).as_ref(), changes);
            }
        }
        (before, after) => changes.push(Change {
            part: part.clone(),
            path: path.to_owned(),
            before: before.map(Value::to_string),
            after: after.map(Value::to_string),
        }),
    }
}

/// Where in a list: by id where all have one, by number otherwise.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    At(usize),
    Of(SmolStr),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::At(n) => write!(f, "{}", n + 1),
            Place::Of(id) => f.write_str(id),
        }
    }
}

fn by_place(list: &[Value]) -> BTreeMap<Place, &Value> {
    let by_id: BTreeMap<_, _> = list.iter().filter_map(|thing| Some((Place::Of(id_of(thing)?), thing))).collect();
    if by_id.len() == list.len() { by_id } else { list.iter().enumerate().map(|(n, thing)| (Place::At(n), thing)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn site() -> Value {
        json!({
            "name": "S", "fx": { "base": "USD" },
            "warehouse": [{ "id": "B", "station": [{ "id": "B/1", "kind": "dock" }] }, { "id": "A" }],
            "carrier": [{ "api": { "id": "usps" }, "cutoffs": ["16:30"] }],
            "channel": [{ "id": "usps/p", "tariff": { "zones": [{ "name": "1" }, { "name": "2" }] } }],
        })
    }

    #[test]
    fn parts_joined_are_the_file_again() {
        let parts = Parts::of(site()).unwrap();
        let names: Vec<_> = parts.names().map(SmolStr::as_str).collect();
        assert_eq!(names, ["carrier/usps", "channel/usps/p", "fx", "site", "tariff/usps/p", "warehouse/A", "warehouse/B"]);
        assert_eq!(parts.joined(), site());
        assert_eq!(Parts::of(parts.joined()).unwrap(), parts);
        let reversed: Value = serde_json::from_str(r#"{"fx":{"base":"USD"},"name":"S","channel":[],"carrier":[],"warehouse":[]}"#).unwrap();
        let again: Value = serde_json::from_str(r#"{"warehouse":[],"carrier":[],"channel":[],"name":"S","fx":{"base":"USD"}}"#).unwrap();
        let documents = |site| Parts::of(site).unwrap().documents().collect::<Vec<_>>();
        assert_eq!(documents(reversed), documents(again), "the same content is the same document");
    }

    /// Anything that a site file could say, and more.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from), "[a-z/]{0,4}".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let table = proptest::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..3);
            prop_oneof![
                proptest::collection::vec(inner, 0..3).prop_map(Value::from),
                table.prop_map(|t| Value::Object(t.into_iter().collect()))
            ]
        })
    }

    fn things() -> impl Strategy<Value = Value> {
        let things = proptest::collection::btree_map("[a-z/]{1,4}", (anything(), anything()), 0..4);
        let thing = |(id, (what, tariff))| json!({ "id": id, "what": what, "tariff": tariff });
        things.prop_map(move |things: BTreeMap<String, (Value, Value)>| things.into_iter().map(thing).collect::<Vec<_>>().into())
    }

    fn sites() -> impl Strategy<Value = Value> {
        let names = prop_oneof![Just("name"), Just("limits"), Just("fx"), Just("site"), Just("tariff")];
        let sections = proptest::collection::btree_map(names, anything(), 0..4);
        (sections, things(), things(), things()).prop_map(|(sections, warehouses, carriers, channels)| {
            let mut site: Map<String, Value> = sections.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            site.extend(
                [("warehouse", warehouses), ("carrier", carriers), ("channel", channels)].map(|(name, list)| (name.to_owned(), list)),
            );
            Value::Object(site)
        })
    }

    proptest! {
        #[test]
        fn any_file_comes_together_as_it_was(site in sites()) {
            let parts = Parts::of(site.clone()).unwrap();
            prop_assert_eq!(parts.joined(), site);
        }

        #[test]
        fn two_that_differ_differ_somewhere(one in sites(), other in sites()) {
            let (one, other) = (Parts::of(one).unwrap(), Parts::of(other).unwrap());
            prop_assert_eq!(one.changes_from(&other).is_empty(), one == other);
            let back = |c: Change| (c.part, c.path, c.after, c.before);
            let forth: Vec<_> = one.changes_from(&other).into_iter().map(|c| (c.part, c.path, c.before, c.after)).collect();
            prop_assert_eq!(other.changes_from(&one).into_iter().map(back).collect::<Vec<_>>(), forth);
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_is_said() {
        for (site, why) in [
            (json!([]), "a site is a table"),
            (json!({"channel": [{}]}), "a channel has no id"),
            (json!({"channel/x": {}}), "\"channel/x\" is no section: a / parts a thing from its list"),
            (json!({"carrier": [{"id": 7}]}), "a carrier has no id"),
            (json!({"warehouse": [{"id": "A"}, {"id": "A"}]}), "two of warehouse share the id A"),
        ] {
            assert_eq!(Parts::of(site).unwrap_err(), why);
        }
    }

    #[test]
    fn differences_are_named_by_part_and_place() {
        let mut other = site();
        other["channel"][0]["tariff"]["zones"][1]["name"] = json!("2a");
        other["warehouse"][0]["station"] = json!([{ "id": "B/2", "kind": "dock" }, { "id": "B/1", "kind": "line" }]);
        other["fx"] = json!({ "base": "EUR" });
        other["limits"] = json!({ "keepalive_s": 5 });
        other["carrier"] = json!([]);
        let changes = Parts::of(other).unwrap().changes_from(&Parts::of(site()).unwrap());
        let said =
            |c: &Change| format!("{} {}: {} -> {}", c.part, c.path, c.before.as_deref().unwrap_or("-"), c.after.as_deref().unwrap_or("-"));
        let said: Vec<_> = changes.iter().map(said).collect();
        assert_eq!(
            said,
            [
                r#"carrier/usps : {"api":{"id":"usps"},"cutoffs":["16:30"]} -> -"#,
                r#"fx base: "USD" -> "EUR""#,
                r#"limits : - -> {"keepalive_s":5}"#,
                r#"site carrier: ["usps"] -> []"#,
                r#"tariff/usps/p zones[2].name: "2" -> "2a""#,
                r#"warehouse/B station[B/1].kind: "dock" -> "line""#,
                r#"warehouse/B station[B/2]: - -> {"id":"B/2","kind":"dock"}"#,
            ]
        );
    }
}
