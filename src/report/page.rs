//! The page as it is put together: tiles, figures and tables in sections, and the template that turns them into HTML.
//!
//! It knows how things look and nothing of what they mean. All text is escaped; only a chart is taken as it is.

use askama::Template;
use plotters::style::RGBColor;
use sim::kpis::Mark;

#[derive(Template)]
#[template(path = "report.html", config = "src/report/askama.toml")]
pub struct Page {
    pub title: String,
    pub about: String,
    pub site: String,
    /// When the run began, and at which offset all times are given.
    pub when: String,
    pub tiles: Vec<Tile>,
    pub sections: Vec<Section>,
    pub journal: String,
}

/// Whether something behind a figure wants a person. Nothing on the page is called good: what a simulated house does says how
/// the scenario was set, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Look,
    Plain,
}

impl Verdict {
    pub fn look_if(wanted: bool) -> Verdict {
        if wanted { Verdict::Look } else { Verdict::Plain }
    }

    fn word(self) -> &'static str {
        match self {
            Verdict::Look => "look into it",
            Verdict::Plain => "",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Verdict::Look => "look",
            Verdict::Plain => "plain",
        }
    }
}

/// The class of a mark in the page's style.
fn mark_class(mark: Mark) -> &'static str {
    match mark {
        Mark::Measured => "measured",
        Mark::Modelled => "modelled",
        Mark::Floor => "floor",
    }
}

pub struct Tile {
    pub name: &'static str,
    pub value: String,
    pub details: Vec<(String, String)>,
    /// What the value is.
    pub mark: Mark,
    pub verdict: Verdict,
    /// What to make of it.
    pub sentence: String,
}

impl Tile {
    fn mark_class(&self) -> &'static str {
        mark_class(self.mark)
    }
}

#[derive(Default)]
pub struct Section {
    pub title: &'static str,
    pub intro: String,
    pub figures: Vec<Figure>,
    pub tables: Vec<Table>,
}

pub struct Figure {
    pub title: String,
    /// The chart; empty where there was nothing to draw.
    pub svg: String,
    pub legend: Vec<(String, &'static str)>,
    /// What to see in it.
    pub caption: String,
    /// What is drawn, where it is not what the records tell.
    pub mark: Option<Mark>,
}

impl Figure {
    /// `legend` names the colours that need a name.
    pub fn new(title: impl Into<String>, svg: String, legend: &[(RGBColor, &'static str)], caption: impl Into<String>) -> Self {
        let legend = legend.iter().map(|(colour, name)| (format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2), *name)).collect();
        Figure { title: title.into(), svg, legend, caption: caption.into(), mark: None }
    }

    /// A place where a chart would stand if there were anything to show.
    pub fn empty(title: impl Into<String>, why: impl Into<String>) -> Self {
        Figure { title: title.into(), svg: String::new(), legend: vec![], caption: why.into(), mark: None }
    }

    pub fn marked(self, mark: Mark) -> Self {
        Figure { mark: Some(mark), ..self }
    }

    fn mark_class(&self) -> &'static str {
        self.mark.map_or("", mark_class)
    }
}

pub enum Column {
    Text(&'static str),
    /// Written to the right, so that digits stand under each other.
    Number(&'static str),
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Column::Text(name) | Column::Number(name) => name,
        }
    }

    fn class(&self) -> &'static str {
        if let Column::Number(_) = self { "n" } else { "t" }
    }
}

pub struct Table {
    pub title: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<String>>,
    pub note: String,
}

/// Text as it may stand in an element or an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not allowed in XML, and of no use to a reader.
            c if c.is_control() && !c.is_whitespace() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
