//! Charts as inline SVG: lines, stacked areas and columns over an axis, and bars beside their names.
//!
//! It draws what it is given and computes nothing but positions. The colours are those of Okabe and Ito, which people who
//! confuse red and green can tell apart.

use super::numbers::count;
use super::page::escaped;
use anyhow::Context;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

pub const BLUE: RGBColor = RGBColor(0, 114, 178);
pub const SKY: RGBColor = RGBColor(86, 180, 233);
pub const GREEN: RGBColor = RGBColor(0, 158, 115);
pub const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub const VERMILION: RGBColor = RGBColor(213, 94, 0);
pub const PURPLE: RGBColor = RGBColor(204, 121, 167);
pub const YELLOW: RGBColor = RGBColor(240, 228, 66);
pub const GREY: RGBColor = RGBColor(153, 153, 153);

const INK: RGBColor = RGBColor(34, 34, 34);
const GRID: RGBColor = RGBColor(221, 221, 221);
/// Twice the width in CSS pixels at which a chart is usually seen: positions are whole numbers, and so finer.
const WIDTH: u32 = 960;
const HEIGHT: u32 = 560;
/// plotters writes 1/1.24 of the size into the SVG; this comes to 14.5 CSS pixels on a wide screen, 11 on a phone.
const TEXT: f64 = 36.0;
/// The usual width of a letter at that size.
const LETTER: f64 = 15.5;
/// The longest name beside a bar; the tables have it in full.
const NAME_LETTERS_MAX: usize = 28;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A frame to draw in. `x_ticks` are labelled; the units stand at the ends of the axes.
pub struct Frame<'a> {
    pub title: &'a str,
    pub x: Range<f64>,
    pub x_ticks: Vec<(f64, String)>,
    pub x_unit: &'a str,
    pub y_unit: &'a str,
    /// The greatest value that will be drawn.
    pub y_max: f64,
}

/// One line, or one layer of a stack.
pub struct Layer {
    pub colour: RGBColor,
    pub points: Vec<(f64, f64)>,
}

/// A column from one x to the other.
pub struct Column {
    pub x: Range<f64>,
    pub height: f64,
    pub colour: RGBColor,
}

/// One horizontal bar, in parts, with what is written at its end.
pub struct Bar {
    pub name: String,
    pub parts: Vec<(f64, RGBColor)>,
    pub text: String,
}

fn text(anchor: HPos, vertical: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&INK).pos(Pos::new(anchor, vertical))
}

/// The SVG element alone, without a namespace (HTML needs none), named for those who cannot see it.
fn drawn(title: &str, height: u32, draw: impl FnOnce(&Area) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&root).with_context(|| format!("the chart {title:?} cannot be drawn"))?;
        root.present().with_context(|| format!("the chart {title:?} cannot be drawn"))?;
    }
    let body = svg.split_once('>').map_or("", |(_, rest)| rest.trim());
    let title = escaped(title);
    Ok(format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>\n{body}"))
}

/// Marks from 0 up in steps of 1, 2 or 5 and their tenfolds, and never finer than one where things are counted.
fn y_marks(max: f64) -> Vec<f64> {
    let rough = (max / 5.0).max(0.2);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough).max(1.0);
    (0..=(max / step).ceil().max(1.0) as u32).map(|n| f64::from(n) * step).collect()
}

/// Axes, a grid across, and the labels: below the x axis and left of the y axis.
fn frame<'a, 'b>(root: &'a Area<'b>, frame: &Frame) -> anyhow::Result<Plot<'a, 'b>> {
    let marks = y_marks(frame.y_max);
    let top = marks.last().copied().unwrap_or(1.0);
    let left = count(top as u64).len() as f64 * LETTER + 24.0;
    let plot = ChartBuilder::on(root)
        .margin_top(58)
        .margin_right(50)
        .margin_bottom(92)
        .margin_left(left as i32)
        .build_cartesian_2d(frame.x.clone(), 0.0..top)?;
    let at = |x: f64, y: f64| plot.backend_coord(&(x, y));
    for y in marks {
        let (from, to) = (at(frame.x.start, y), at(frame.x.end, y));
        root.draw(&PathElement::new([from, to], if y > 0.0 { GRID.stroke_width(2) } else { INK.stroke_width(2) }))?;
        root.draw(&Text::new(count(y as u64), (from.0 - 12, from.1), text(HPos::Right, VPos::Center)))?;
    }
    for (x, name) in &frame.x_ticks {
        let (x, y) = at(*x, 0.0);
        root.draw(&PathElement::new([(x, y), (x, y + 8)], INK.stroke_width(2)))?;
        root.draw(&Text::new(name.clone(), (x, y + 14), text(HPos::Center, VPos::Top)))?;
    }
    root.draw(&Text::new(frame.y_unit.to_string(), (8, 6), text(HPos::Left, VPos::Top)))?;
    let below = (WIDTH as i32 - 12, HEIGHT as i32 - 8);
    root.draw(&Text::new(frame.x_unit.to_string(), below, text(HPos::Right, VPos::Bottom)))?;
    Ok(plot)
}

/// Lines; each is drawn thinner than the one before, and the third dashed, so that one that lies under another still shows.
pub fn lines(of: &Frame, lines: &[Layer]) -> anyhow::Result<String> {
    drawn(of.title, HEIGHT, |root| {
        let mut plot = frame(root, of)?;
        for (n, line) in lines.iter().enumerate() {
            let points = line.points.iter().copied();
            match n {
                0 => plot.draw_series(LineSeries::new(points, line.colour.stroke_width(12)))?,
                1 => plot.draw_series(LineSeries::new(points, line.colour.stroke_width(7)))?,
                _ => plot.draw_series(DashedLineSeries::new(points, 14, 12, line.colour.stroke_width(4)))?,
            };
        }
        Ok(())
    })
}

/// Layers on top of each other, the first at the bottom. All have the same x.
pub fn stacked(of: &Frame, layers: &[Layer]) -> anyhow::Result<String> {
    drawn(of.title, HEIGHT, |root| {
        let mut plot = frame(root, of)?;
        let mut floor: Vec<(f64, f64)> = layers.first().map(|l| l.points.iter().map(|p| (p.0, 0.0)).collect()).unwrap_or_default();
        for layer in layers {
            let top: Vec<_> = layer.points.iter().zip(&floor).map(|(p, below)| (p.0, below.1 + p.1)).collect();
            let outline: Vec<_> = top.iter().copied().chain(floor.iter().rev().copied()).collect();
            plot.draw_series(std::iter::once(Polygon::new(outline, layer.colour.filled())))?;
            floor = top;
        }
        Ok(())
    })
}

/// Columns, and perhaps a dashed line across at one x with its name.
pub fn columns(of: &Frame, columns: &[Column], mark: Option<(f64, &str)>) -> anyhow::Result<String> {
    drawn(of.title, HEIGHT, |root| {
        let mut plot = frame(root, of)?;
        let gap = columns.first().map_or(0.0, |c| (c.x.end - c.x.start) * 0.06);
        plot.draw_series(columns.iter().map(|c| Rectangle::new([(c.x.start + gap, 0.0), (c.x.end - gap, c.height)], c.colour.filled())))?;
        if let Some((x, name)) = mark {
            let (at, foot) = plot.backend_coord(&(x, 0.0));
            dashed(root, at, 42..foot)?;
            root.draw(&Text::new(name.to_string(), (at, 6), text(beside(at), VPos::Top)))?;
        }
        Ok(())
    })
}

/// To which side of x there is room for a name.
fn beside(x: i32) -> HPos {
    if x > WIDTH as i32 / 2 { HPos::Right } else { HPos::Left }
}

fn dashed(root: &Area, x: i32, y: Range<i32>) -> anyhow::Result<()> {
    for from in y.clone().step_by(16) {
        root.draw(&PathElement::new([(x, from), (x, (from + 9).min(y.end))], INK.stroke_width(3)))?;
    }
    Ok(())
}

/// Bars beside their names; all share one scale, from 0 to the longest or to the mark.
pub fn bars(title: &str, bars: &[Bar], mark: Option<(f64, &str)>) -> anyhow::Result<String> {
    const ROW: i32 = 60;
    let head = if mark.is_some() { 48 } else { 8 };
    let height = head + ROW * bars.len().max(1) as i32 + 8;
    drawn(title, height as u32, |root| {
        let wide = |longest: usize| (longest as f64 * LETTER) as i32 + 32;
        let names: Vec<String> = bars.iter().map(|b| shortened(&b.name)).collect();
        let left = wide(names.iter().map(|n| n.chars().count()).max().unwrap_or(0));
        let room = WIDTH as i32 - left - wide(bars.iter().map(|b| b.text.chars().count()).max().unwrap_or(0));
        let total = |bar: &Bar| bar.parts.iter().map(|p| p.0.max(0.0)).sum::<f64>();
        let longest = bars.iter().map(total).chain(mark.map(|m| m.0)).fold(f64::MIN_POSITIVE, f64::max);
        let at = |value: f64| left + (value / longest * f64::from(room)).round() as i32;
        for (n, (bar, name)) in bars.iter().zip(names).enumerate() {
            let top = head + ROW * n as i32 + 8;
            let middle = top + (ROW - 16) / 2;
            root.draw(&Text::new(name, (left - 14, middle), text(HPos::Right, VPos::Center)))?;
            let mut from = 0.0;
            for (value, colour) in bar.parts.iter().filter(|p| p.0 > 0.0) {
                root.draw(&Rectangle::new([(at(from), top), (at(from + value), top + ROW - 16)], colour.filled()))?;
                from += value;
            }
            root.draw(&Text::new(bar.text.clone(), (at(from) + 10, middle), text(HPos::Left, VPos::Center)))?;
        }
        root.draw(&PathElement::new([(left, head), (left, height - 8)], INK.stroke_width(2)))?;
        if let Some((value, name)) = mark {
            dashed(root, at(value), 42..height - 8)?;
            root.draw(&Text::new(name.to_string(), (at(value), 6), text(beside(at(value)), VPos::Top)))?;
        }
        Ok(())
    })
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_LETTERS_MAX {
        return name.into();
    }
    name.chars().take(NAME_LETTERS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_over_the_greatest_value() {
        assert_eq!(y_marks(0.0), [0.0, 1.0]);
        assert_eq!(y_marks(3.0), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(y_marks(847.0), [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]);
        assert_eq!(y_marks(1_000.0), [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]);
    }

    #[test]
    fn a_chart_names_itself_and_names_are_escaped() {
        let bar = Bar { name: "<a & b>".into(), parts: vec![(2.0, BLUE), (0.0, GREY)], text: "2".into() };
        let svg = bars("parcels & \"bags\"", &[bar], Some((5.0, "limit"))).unwrap();
        assert!(svg.starts_with("<svg viewBox=\"0 0 960 116\" role=\"img\" aria-label=\"parcels &amp; &quot;bags&quot;\"><title>"));
        assert!(svg.ends_with("</svg>") && svg.contains("&lt;a &amp; b&gt;") && !svg.contains("http"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 1);
        assert_eq!(shortened("an-exceedingly-long-channel-name").chars().count(), NAME_LETTERS_MAX);
    }
}
