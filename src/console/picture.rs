//! Where everything of a warehouse stands in its picture: benches on the left, lines with their devices over the belt and
//! their chutes beside it, the docks on the right. Numbers only; the template draws, the browser keeps it up to date.

use crate::api::board::{ChuteView, DeviceView, StationView, WarehouseView};

const MARGIN: u32 = 8;
const SIDE_W: u32 = 158;
const GAP: u32 = 14;
const BOX_HEAD_H: u32 = 25;
const CHIP_PITCH: u32 = 23;
const CHIP_H: u32 = 20;
const DEVICE_W: u32 = 92;
const DEVICE_H: u32 = 52;
const DEVICE_PITCH: u32 = 100;
const CHUTE_W: u32 = 114;
const CHUTE_H: u32 = 96;
const CHUTE_PITCH: u32 = 120;
/// Left and right of what stands in a chute's box.
const INSET: u32 = 8;
const BELT_H: u32 = 14;
/// Up to this many chutes hang on one side of the belt; more stand on both.
const ONE_SIDE_MAX: usize = 5;
/// Letters that fit into one line of a chute's box; a channel's name has two lines.
const CHUTE_LETTERS: usize = 16;

pub struct WarehousePicture {
    pub id: String,
    pub name: String,
    /// What does not work of it.
    pub down: Vec<DownDevice>,
    pub time_zone: String,
    pub local_time: String,
    /// `usps Mon 2026-11-30 17:00 · mydhl …`
    pub cutoffs: String,
    pub width: u32,
    pub height: u32,
    pub sides: Vec<SidePicture>,
    pub lines: Vec<LinePicture>,
}

/// A bench, a rework bench or a dock.
pub struct SidePicture {
    pub id: String,
    pub title: String,
    /// What does not work at it; empty: nothing.
    pub alarm: String,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub devices: Vec<DevicePicture>,
}

pub struct LinePicture {
    pub id: String,
    pub title: String,
    pub alarm: String,
    pub x: u32,
    pub end: u32,
    /// Of the belt's middle.
    pub y: u32,
    pub title_y: u32,
    pub moving: String,
    pub devices: Vec<DevicePicture>,
    pub chutes: Vec<ChutePicture>,
}

pub struct DevicePicture {
    pub id: String,
    pub kind: &'static str,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub state: &'static str,
    pub word: &'static str,
    pub hint: String,
    /// Of the middle of the sign that it wears where it does not work.
    pub mark_x: u32,
    pub mark_y: u32,
}

/// A line of the list below the picture.
pub struct DownDevice {
    pub id: String,
    pub state: &'static str,
    pub word: &'static str,
    pub why: String,
    /// `11-09 08:00:12 UTC`; empty: not known.
    pub since: String,
}

pub struct ChutePicture {
    pub x: u32,
    pub y: u32,
    /// Of the middle of its mouth.
    pub mouth_x: u32,
    pub mouth_y: u32,
    pub chute: u16,
    pub reject: bool,
    pub title: String,
    pub width: u32,
    pub height: u32,
    /// The channel's name in two lines.
    pub channel: [String; 2],
    pub fill: String,
    /// Of the whole bar.
    pub bag_w: u32,
    pub fill_w: u32,
    pub hint: String,
}

/// What stands on a device: a sign and a word, so that nobody depends on the colour. `devices.js` has the same, and the same
/// words for all that follows from it.
pub fn word(state: &str) -> &'static str {
    match state {
        "online" => "✓ online",
        "faulty" => "! fault",
        "out" => "– out",
        "degraded" => "≈ degraded",
        _ => "✕ offline",
    }
}

fn device(view: &DeviceView, (x, y): (u32, u32), (width, height): (u32, u32)) -> DevicePicture {
    // On the edge, where it covers no text.
    let (mark_x, mark_y) = if height == CHIP_H { (x - 2, y + height / 2) } else { (x + 2, y + 2) };
    let (id, kind, state) = (view.id.clone(), view.kind, view.state);
    DevicePicture { id, kind, x, y, width, height, state, word: word(state), hint: hint(view), mark_x, mark_y }
}

fn hint(view: &DeviceView) -> String {
    let said = if works(view) { String::new() } else { format!(", {}{}", why(view), since(view)) };
    format!("{}: {}{said} {}", view.id, view.state, view.identity)
}

fn works(view: &DeviceView) -> bool {
    view.state == "online"
}

fn why(view: &DeviceView) -> &str {
    view.why.as_deref().or(view.fault.as_deref()).unwrap_or("")
}

/// ` since 11-09 08:00:12 UTC`, or nothing.
fn since(view: &DeviceView) -> String {
    let at = view.since.as_deref().and_then(|at| Some((at.get(5..10)?, at.get(11..19)?)));
    at.map(|(day, time)| format!(" since {day} {time} UTC")).unwrap_or_default()
}

/// What does not work of a station, short enough for its head: the device, or how many. Empty: all is well.
fn alarm(view: &StationView) -> String {
    let mut down = view.devices.iter().filter(|d| !works(d));
    match (down.next(), down.count()) {
        (None, _) => String::new(),
        (Some(only), 0) => format!("⚠ {}", only.kind),
        (Some(_), more) => format!("⚠ {} devices", more + 1),
    }
}

fn down(view: &WarehouseView) -> Vec<DownDevice> {
    let devices = view.stations.iter().flat_map(|s| &s.devices).filter(|d| !works(d));
    let line = |d: &DeviceView| DownDevice {
        id: d.id.clone(),
        state: d.state,
        word: word(d.state),
        why: why(d).to_owned(),
        since: since(d).trim_start().to_owned(),
    };
    devices.map(line).collect()
}

/// The last part of an id: `line-1` of `SZX/line-1`.
fn short(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}

/// A name in two lines, broken between words where there are some, and cut where it is still too long.
fn two_lines(name: &str) -> [String; 2] {
    let end = name.char_indices().nth(CHUTE_LETTERS).map_or(name.len(), |(at, _)| at);
    if end == name.len() {
        return [name.to_owned(), String::new()];
    }
    let at = name[..end].rfind(' ').unwrap_or(end);
    let (first, rest) = (&name[..at], name[at..].trim_start());
    match rest.char_indices().nth(CHUTE_LETTERS - 1) {
        Some((cut, letter)) if rest.len() > cut + letter.len_utf8() => [first.to_owned(), format!("{}…", &rest[..cut])],
        _ => [first.to_owned(), rest.to_owned()],
    }
}

impl WarehousePicture {
    pub fn of(view: &WarehouseView) -> Self {
        let of_kind = |kind: &'static str| view.stations.iter().filter(move |s| s.kind == kind);
        let line_x = MARGIN + SIDE_W + GAP;
        let (mut y, mut end, mut lines) = (MARGIN, line_x, Vec::new());
        for station in of_kind("line") {
            let line = line(station, line_x, y);
            y = line.bottom + GAP;
            end = end.max(line.picture.end);
            lines.push(line.picture);
        }
        let dock_x = end + GAP;
        let (mut sides, left) = column(of_kind("bench").chain(of_kind("rework")), MARGIN);
        let (docks, right) = column(of_kind("dock"), dock_x);
        sides.extend(docks);
        WarehousePicture {
            id: view.id.clone(),
            down: down(view),
            time_zone: view.time_zone.clone(),
            local_time: view.local_time.clone(),
            cutoffs: view.cutoffs.iter().map(|c| format!("{} {}", c.carrier, c.local)).collect::<Vec<_>>().join(" · "),
            name: view.name.clone(),
            width: dock_x + SIDE_W + MARGIN,
            height: y.max(left).max(right) + MARGIN - GAP,
            sides,
            lines,
        }
    }
}

/// Boxes one under another; also where the next would stand.
fn column<'a>(stations: impl Iterator<Item = &'a StationView>, x: u32) -> (Vec<SidePicture>, u32) {
    let (mut y, mut boxes) = (MARGIN, Vec::new());
    for station in stations {
        let height = BOX_HEAD_H + CHIP_PITCH * station.devices.len() as u32 + 3;
        let chip = |(n, view): (usize, &DeviceView)| device(view, (x + 6, y + BOX_HEAD_H + CHIP_PITCH * n as u32), (SIDE_W - 12, CHIP_H));
        let devices = station.devices.iter().enumerate().map(chip).collect();
        let title = short(&station.id);
        boxes.push(SidePicture { id: station.id.clone(), title, alarm: alarm(station), x, y, width: SIDE_W, height, devices });
        y += height + GAP;
    }
    (boxes, y)
}

struct Placed {
    picture: LinePicture,
    bottom: u32,
}

fn line(view: &StationView, x: u32, top: u32) -> Placed {
    let both_sides = view.chutes.len() > ONE_SIDE_MAX;
    let over_belt = if both_sides { CHUTE_H.max(DEVICE_H) } else { DEVICE_H };
    let y = top + 24 + over_belt + 10 + BELT_H / 2;
    let devices_y = y - BELT_H / 2 - 10 - DEVICE_H;
    let rank = |kind: &str| ["scanner", "scale", "sorter"].iter().position(|k| *k == kind);
    let mut devices = Vec::new();
    for view in &view.devices {
        match rank(view.kind) {
            Some(n) => devices.push(device(view, (x + 14 + DEVICE_PITCH * n as u32, devices_y), (DEVICE_W, DEVICE_H))),
            // What stands beside the belt: the bag tag printer.
            None => devices.push(device(view, (x + 14 + DEVICE_PITCH * 2, y + BELT_H / 2 + 10), (DEVICE_W, DEVICE_H))),
        }
    }
    let chutes_x = x + 14 + DEVICE_PITCH * 3 + 6;
    let columns = if both_sides { view.chutes.len().div_ceil(2) } else { view.chutes.len() } as u32;
    let chutes = view.chutes.iter().enumerate().map(|(n, chute)| {
        let (column, above) = if both_sides { (n as u32 / 2, n % 2 == 1) } else { (n as u32, false) };
        chute_picture(chute, chutes_x + CHUTE_PITCH * column, y, above)
    });
    let picture = LinePicture {
        id: view.id.clone(),
        title: short(&view.id),
        alarm: alarm(view),
        x,
        end: chutes_x + CHUTE_PITCH * columns.max(1),
        y,
        title_y: devices_y - 8,
        moving: view.moving.map(|n| format!("{n} on the belt")).unwrap_or_default(),
        devices,
        chutes: chutes.collect(),
    };
    Placed { picture, bottom: y + BELT_H / 2 + 10 + CHUTE_H }
}

fn chute_picture(view: &ChuteView, x: u32, belt_y: u32, above: bool) -> ChutePicture {
    let y = if above { belt_y - BELT_H / 2 - 10 - CHUTE_H } else { belt_y + BELT_H / 2 + 10 };
    let countries = if view.countries.is_empty() { String::new() } else { format!(" to {}", view.countries.join(", ")) };
    let bag = view.bag.as_ref().map_or_else(|| "no bag is open".to_owned(), |bag| format!("bag {bag}"));
    ChutePicture {
        x,
        y,
        mouth_x: x + CHUTE_W / 2,
        mouth_y: if above { y + CHUTE_H } else { y },
        chute: view.chute,
        reject: view.reject,
        title: title(view),
        width: CHUTE_W,
        height: CHUTE_H,
        bag_w: CHUTE_W - 2 * INSET,
        channel: two_lines(&view.channel_name),
        fill: if view.reject { "⚠ to rework".into() } else { held(view) },
        fill_w: fill_w(view),
        hint: if view.reject {
            "intercepted, unreadable and undecided parcels".into()
        } else {
            format!("{}{countries}; {bag}", view.channel_name)
        },
    }
}

/// `Chute 3 · DE`, or with more countries `Chute 3 · DE +4`.
fn title(view: &ChuteView) -> String {
    match view.countries.as_slice() {
        [] => format!("Chute {}", view.chute),
        [only] => format!("Chute {} · {only}", view.chute),
        [first, more @ ..] => format!("Chute {} · {first} +{}", view.chute, more.len()),
    }
}

/// What lies in the open bag; the browser writes the same.
fn held(view: &ChuteView) -> String {
    format!("{}/{} · {}.{} kg", view.parcels, view.parcels_max, view.weight_g / 1_000, view.weight_g % 1_000 / 100)
}

/// How far the bag is filled, by count or by weight, whichever is nearer to its limit; in units of the drawing.
fn fill_w(view: &ChuteView) -> u32 {
    let share = |have: usize, max: usize| (have * 100).checked_div(max).unwrap_or(0);
    let percent = share(view.parcels, view.parcels_max).max(share(view.weight_g as usize, view.weight_g_max as usize)).min(100);
    (CHUTE_W - 2 * INSET) * percent as u32 / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warehouse(chutes: u16) -> WarehouseView {
        let chute = |chute| ChuteView { chute, channel_name: "A very long channel name".into(), ..ChuteView::default() };
        let line = StationView { id: "X/line-1".into(), kind: "line", chutes: (1..=chutes).map(chute).collect(), ..StationView::default() };
        let side = |id: &str, kind| StationView { id: id.into(), kind, ..StationView::default() };
        WarehouseView {
            id: "X".into(),
            name: "X".into(),
            stations: vec![side("X/b", "bench"), line, side("X/d", "dock")],
            ..WarehouseView::default()
        }
    }

    #[test]
    fn nothing_stands_outside_the_picture_or_on_top_of_a_neighbour() {
        for chutes in [1, 5, 6, 7, 20] {
            let picture = WarehousePicture::of(&warehouse(chutes));
            let boxes: Vec<_> = picture.lines[0].chutes.iter().map(|c| (c.x, c.y)).collect();
            for (n, (x, y)) in boxes.iter().enumerate() {
                assert!(x + CHUTE_W <= picture.width && y + CHUTE_H <= picture.height, "{chutes}: chute {n} is outside");
                assert!(
                    boxes[..n].iter().all(|(a, b)| a.abs_diff(*x) >= CHUTE_W || b.abs_diff(*y) >= CHUTE_H),
                    "{chutes}: chute {n} covers another"
                );
            }
        }
    }

    #[test]
    fn a_long_name_takes_two_lines_and_is_cut_between_letters() {
        assert_eq!(two_lines("USPS Ground Advantage"), ["USPS Ground", "Advantage"]);
        assert_eq!(two_lines("Short"), ["Short", ""]);
        assert_eq!(two_lines("云途全球专线挂号（特惠普货）美国加拿大"), ["云途全球专线挂号（特惠普货）美国", "加拿大"]);
        assert_eq!(two_lines("A name without an end that goes on and on"), ["A name without", "an end that goe…"]);
    }
}
