//! What customs are told of made-up goods: a code of the Harmonized System and plain words for each category, and whether it is
//! a liquid. The codes are those of the HS 2022 list in `../shared/data/customs/harmonized-system.csv` (a test compares); which
//! goods stand for a category is our own choice. Says nothing of duties.

use smol_str::SmolStr;
use twin::goods::Facts;

/// All of it is made there, as most small parcels are.
const MADE_IN: &str = "CN";

struct Told {
    hs_code: &'static str,
    words: &'static str,
    liquid: bool,
}

const fn told(hs_code: &'static str, words: &'static str) -> Told {
    Told { hs_code, words, liquid: false }
}

/// Category; what it is with a battery, where it may have one; and what it is without.
type Row = (&'static str, Option<Told>, [Told; 2]);

const CUSTOMS: [Row; 12] = [
    (
        "phone_accessories",
        Some(told("851830", "wireless earphones")),
        [told("392690", "plastic phone case"), told("850440", "USB wall charger")],
    ),
    ("small_electronics", Some(told("851310", "LED torch")), [told("850440", "power adapter"), told("940521", "LED table lamp")]),
    ("watches", Some(told("910212", "digital wrist-watch")), [told("910221", "automatic wrist-watch"), told("911390", "watch strap")]),
    ("toys", Some(told("950300", "electric toy car")), [told("950300", "wooden toy train"), told("950300", "cardboard puzzle")]),
    (
        "home_kitchen",
        Some(told("850980", "electric milk frother")),
        [told("732393", "steel kitchen tongs"), told("392410", "plastic food box")],
    ),
    (
        "beauty",
        Some(told("851030", "electric epilator")),
        [Told { hs_code: "330499", words: "face cream", liquid: true }, told("960329", "hair brush")],
    ),
    ("clothing", None, [told("610910", "cotton T-shirt"), told("611020", "cotton pullover")]),
    ("jewellery", None, [told("711719", "imitation necklace"), told("711719", "imitation ring")]),
    ("garden_tools", Some(told("846729", "cordless grass trimmer")), [told("820150", "garden secateurs"), told("820110", "garden spade")]),
    ("sports", Some(told("851310", "LED head lamp")), [told("950691", "resistance bands"), told("950662", "inflatable ball")]),
    ("pets", Some(told("851310", "LED dog tag lamp")), [told("420100", "dog lead"), told("392690", "plastic pet bowl")]),
    ("car_parts", Some(told("851220", "LED warning light")), [told("870829", "car door trim"), told("870899", "car bracket")]),
];

/// The same for every product of a number, so that nothing else of a run changes with it.
pub(super) fn describe(facts: &mut Facts, n: u32) {
    let Some((_, with_battery, without)) = CUSTOMS.iter().find(|(category, ..)| *category == facts.category) else { return };
    let without = &without[n as usize % without.len()];
    let told = with_battery.as_ref().filter(|_| facts.battery.is_any()).unwrap_or(without);
    facts.hs_code = SmolStr::new_static(told.hs_code);
    facts.description = SmolStr::new_static(told.words);
    facts.origin = SmolStr::new_static(MADE_IN);
    facts.liquid = told.liquid;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn all() -> impl Iterator<Item = &'static Told> {
        CUSTOMS.iter().flat_map(|(_, with, without)| with.iter().chain(without))
    }

    #[test]
    fn every_category_has_words_that_customs_read() {
        for (category, _, _) in super::super::goods::CATEGORIES {
            let mut facts = Facts { category: category.into(), dims: twin::Dims::new(1, 1, 1), ..Facts::default() };
            describe(&mut facts, 1);
            assert!(facts.fault().is_none() && facts.hs_code.len() == 6 && !facts.description.contains(','), "{facts:?}");
        }
    }

    #[test]
    fn every_code_is_in_the_list() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/customs/harmonized-system.csv");
        let Ok(list) = std::fs::read_to_string(path) else {
            println!("skipped every_code_is_in_the_list: no ../shared/data/customs");
            return;
        };
        for Told { hs_code, .. } in all() {
            assert!(list.contains(&format!(",{hs_code},")), "{hs_code}");
        }
    }
}
