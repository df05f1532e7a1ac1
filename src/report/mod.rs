//! What managers look at after a run: one HTML page with charts, and a table of figures for the terminal.
//!
//! Everything on the page comes from the figures and the journal given; the same journal gives the same page, byte for byte.
//! It reads no clock, fetches nothing and decides nothing.

mod attention;
mod charts;
mod checks;
mod choices;
mod day;
mod durations;
mod figures;
mod freight;
mod headline;
mod hours;
mod numbers;
mod page;
mod phases;
#[cfg(test)]
mod sample;
mod series;
mod speed;
mod steps;

pub use figures::table;

use askama::Template;
use hours::Local;
use page::Page;
use rules::fx::Rates;
use series::Series;
use sim::kpis::Kpis;
use twin::{Moment, TimeZone, Twin};

/// What the page says about itself, and where midnight is.
#[derive(Clone, Debug)]
pub struct Titles {
    pub scenario: String,
    pub about: String,
    pub site: String,
    pub start: Moment,
    pub time_zone: TimeZone,
}

/// What every section of the page is made from.
struct Run<'a> {
    kpis: &'a Kpis,
    series: &'a Series,
    rates: &'a Rates,
    local: Local,
    /// The journal's last moment.
    end: Moment,
}

/// The report of a run as one self-contained HTML page: no scripts, no network, charts inline.
///
/// `kpis` must be those of `twin`; amounts are shown in the base currency of `rates`.
pub fn html(kpis: &Kpis, twin: &Twin, rates: &Rates, titles: &Titles) -> anyhow::Result<String> {
    let local = Local::new(titles.time_zone.clone());
    let series = Series::read(twin, rates, &local)?;
    let run = Run { kpis, series: &series, rates, local: local.clone(), end: twin.board().head.at };
    let page = Page {
        title: titles.scenario.clone(),
        about: titles.about.clone(),
        site: titles.site.clone(),
        when: format!(
            "from {} (all times {}), {:.1} h of the site's time, seed {}",
            local.text(titles.start),
            local.zone(),
            kpis.virtual_h,
            kpis.seed
        ),
        tiles: headline::tiles(&run),
        sections: vec![
            day::section(&run)?,
            steps::section(&run)?,
            checks::section(&run)?,
            freight::section(&run)?,
            freight::choosing(&run)?,
            speed::section(&run)?,
            attention::held(&run)?,
            steps::devices(&run),
            attention::latest(&run),
            figures::section(&run)?,
        ],
        journal: figures::journal_line(kpis),
    };
    Ok(page.render()?)
}

#[cfg(test)]
mod tests {
    use super::sample::Day;
    use super::*;

    const HEADINGS: [&str; 10] = [
        "How the day went",
        "Waiting and use",
        "Labels and checks",
        "Freight",
        "Choosing warehouse and channel",
        "How fast",
        "Orders on hold",
        "Devices that were out",
        "Latest exceptions",
        "All figures",
    ];

    /// Walks the whole page as XML, which is stricter than HTML needs; returns how many elements of `name` it has.
    fn elements(page: &str, name: &str) -> usize {
        use quick_xml::events::Event;
        let mut reader = quick_xml::Reader::from_str(page);
        let mut n = 0;
        loop {
            match reader.read_event().unwrap_or_else(|e| panic!("{e} at {}", reader.error_position())) {
                Event::Start(element) => {
                    n += usize::from(element.name().as_ref() == name);
                    element.attributes().for_each(|a| drop(a.unwrap()));
                }
                Event::Eof => return n,
                _ => {}
            }
        }
    }

    #[test]
    fn the_page_stands_alone_and_shows_every_section() {
        let day = Day::of(300);
        let page = day.html();
        for heading in HEADINGS {
            assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
        }
        let charts = elements(&page, "svg");
        assert_eq!((charts, elements(&page, "figcaption")), (19, 19));
        assert_eq!(page.matches("role=\"img\" aria-label=").count(), charts);
        for outside in ["http", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside} in the page");
        }
        assert!(page.contains("A day &lt;&amp; more&gt;") || page.contains("A day &#60;&#38; more&#62;"), "names are escaped");
        assert!(!page.contains("<& more>") && !page.contains("<x>"));
        assert!(page.contains("深圳 one"));
        assert!(page.contains(&figures::journal_line(&day.kpis)));
    }

    #[test]
    fn nothing_is_called_good_and_every_tile_says_what_it_is() {
        let day = Day::of(300);
        let page = day.html();
        assert!(!page.split(|c: char| !c.is_alphabetic()).any(|word| word.eq_ignore_ascii_case("good")));
        assert!(!page.contains("Not more than") && !page.contains("within what is published"));
        let tiles = page.split("<div class=\"tile").skip(2).map(|tile| tile.split("</h3>").next().unwrap());
        let marks: Vec<_> =
            tiles.map(|head| head.split("class=\"mark ").nth(1).and_then(|m| m.split('"').next()).unwrap_or("none")).collect();
        let expected = ["measured", "measured", "floor", "measured", "floor", "modelled", "modelled", "measured", "measured"];
        assert_eq!(marks, expected);
        assert!(page.contains("it follows from the scenario&#39;s wires.durable_ms."));
        // The next best of the sample's offers is 6.50, never the dearest or the average.
        assert!(page.contains("under the next best offer") && !page.contains("under the average"));
    }

    #[test]
    fn one_journal_gives_one_page() {
        let (one, mut two) = (Day::of(60), Day::of(60));
        two.kpis.wall_s = 12.5;
        assert_eq!(one.html(), two.html());
    }

    #[test]
    fn a_run_in_which_nothing_happened_is_reported_too() {
        let mut day = Day::of(10);
        day.twin = Twin::in_memory("test");
        day.kpis = Kpis::read("nothing", 1, &day.twin, &Default::default(), &day.rates, &Default::default()).unwrap();
        let page = day.html();
        assert_eq!(elements(&page, "svg"), 1, "only the published figures are left to draw");
        assert!(page.contains("No order came in.") && page.contains("Nothing had to be stopped.") && page.contains("There were none."));
        assert!(table(&day.kpis).ends_with(&format!("\njournal: 0 records, hash {}\n", twin::Head::of_site("test").hash)));
    }
}
