//! Every way in which one field of an answer can be wrong: taken out, nulled, and made of another kind. What a carrier sends
//! one day nobody knows; that one field never costs more than what it stands in, is shown for all of them.

use serde_json::{Value, json};

/// The body, once with each of its fields (or elements) wrong in each way; `path` is a JSON pointer to it.
pub fn each(body: &Value, mut check: impl FnMut(&str, &Value)) {
    let mut paths = Vec::new();
    find(body, String::new(), &mut paths);
    for path in &paths {
        let (parent, field) = path.rsplit_once('/').unwrap();
        let mut without = body.clone();
        match without.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.remove(field)),
            Value::Array(list) => drop(list.remove(field.parse().unwrap())),
            _ => unreachable!("only containers have fields"),
        }
        check(path, &without);
        for wrong in
            [Value::Null, json!(""), json!("x"), json!(7), json!(-1.5), json!(true), json!([]), json!({}), json!([[1], {"a": null}])]
        {
            let mut changed = body.clone();
            *changed.pointer_mut(path).unwrap() = wrong;
            check(path, &changed);
        }
    }
}

fn find(value: &Value, path: String, paths: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("{path}/{key}"), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(n, value)| (format!("{path}/{n}"), value)).collect(),
        _ => return,
    };
    for (path, value) in below {
        paths.push(path.clone());
        find(value, path, paths);
    }
}

/// How many events of how many numbers are in an answer, and how many whole parts were told to be missing.
pub type Told = (Vec<twin::channel::Tracking>, Vec<super::Skipped>);

/// With any one field below `at` wrong, everything else of the answer is read as before, and an event that is missing is
/// told. `lists` are the fields that may be left out without a word: a number that has no events has none.
pub fn tracking(body: &Value, at: &str, lists: &[&str], read: impl Fn(&Value) -> Result<Told, String>) {
    let (whole, told) = read(body).unwrap();
    assert!(told.is_empty(), "{told:?}");
    let events = |all: &[twin::channel::Tracking]| all.iter().map(|t| t.events.len()).sum::<usize>();
    let mut seen = 0;
    each(body.pointer(at).unwrap(), |path, changed| {
        let mut document = body.clone();
        *document.pointer_mut(at).unwrap() = changed.clone();
        let (found, told) = read(&document).unwrap_or_else(|why| panic!("{path}: {why} in {changed}"));
        seen += 1;
        // The element of the list that the path leads into; all its neighbours are as they were.
        let touched: usize = path[1..].split('/').next().unwrap().parse().unwrap();
        let neighbours = whole.iter().enumerate().filter(|(n, _)| *n != touched).map(|(_, t)| t);
        for neighbour in neighbours {
            assert!(found.contains(neighbour), "{path} cost {} its news", neighbour.number);
        }
        let depth = path.matches('/').count();
        let missing = events(&whole).saturating_sub(events(&found));
        let is_list = depth == 1 || lists.iter().any(|list| path.ends_with(list)) || document.pointer(at).unwrap()[touched].is_null();
        let is_removed = changed.pointer(path).is_none() || path.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
        if !is_list && !is_removed && missing > 0 {
            assert!(told.iter().any(|t| t.whole), "{path}: {missing} events are missing without a word in {changed}");
        }
        // Within the touched parcel too, one bad event costs one.
        if depth >= 3 && found.len() == whole.len() {
            assert!(missing <= 1, "{path} cost {missing} events");
        }
    });
    assert!(seen > 50, "{seen}");
}
