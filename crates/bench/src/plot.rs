//! Pictures of sheets: SVG, and PNG made of it. The font is DejaVu Sans, in both; the colours are those of Okabe and Ito (2008),
//! which can be told apart with any kind of colour vision, and each has a mark of its own besides.

use crate::sheet::{Sheet, SheetContest, SheetEntry};
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;
use std::sync::Arc;

const COLOURS: [&str; 8] =
    ["#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73", "#CC79A7", "#000000", "#8A8A00"];
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

/// Pixels.
const WIDTH: f64 = 960.0;
const TOP: f64 = 64.0;
const LEFT: f64 = 84.0;
const GAP: f64 = 70.0;
const PANEL: f64 = 330.0;
const LINE: f64 = 17.0;
const RIGHT: f64 = 24.0;
/// Of the names in a picture of rows, and of their values.
const NAMES: f64 = 250.0;
const VALUES: f64 = 150.0;

/// PNG has so many pixels for one of SVG.
const SCALE: f32 = 2.0;

/// A picture that grows.
pub struct Plot {
    body: String,
    height: f64,
}

impl Plot {
    /// Lines along what differs between contests, or a row for each entry where nothing can be counted along.
    pub fn of(sheet: &Sheet) -> Self {
        let mut plot = Self { body: String::new(), height: 0.0 };
        plot.text(
            LEFT - 60.0,
            28.0,
            "start",
            18.0,
            &format!("font-weight=\"bold\">{}", escaped(&sheet.title)),
        );
        plot.text(LEFT - 60.0, 48.0, "start", 12.0, &format!("fill=\"#444\">{}", escaped(&metric(sheet))));
        let counted = sheet.contests.iter().all(|contest| starts_with_digit(&contest.label));
        let same = |one: &SheetContest| sheet.contests.iter().filter(|it| it.group == one.group).count();
        let bottom = if counted && sheet.contests.iter().any(|contest| same(contest) > 1) {
            plot.lines(sheet)
        } else {
            plot.rows(sheet)
        };
        plot.captions(sheet, bottom);
        plot
    }

    pub fn svg(&self) -> String {
        let Self { body, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"{FONT}\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n{body}</svg>\n"
        )
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, size: f64, rest: &str) {
        self.add(format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" {rest}</text>"
        ));
    }

    fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], colour: &str, width: f64) {
        self.add(format!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
        ));
    }

    fn add(&mut self, element: String) {
        self.body.push_str(&element);
        self.body.push('\n');
    }

    /// A panel for each group, side by side. Where they end.
    fn lines(&mut self, sheet: &Sheet) -> f64 {
        let mut groups: Vec<&str> = Vec::new();
        for contest in &sheet.contests {
            if !groups.contains(&contest.group.as_str()) {
                groups.push(&contest.group);
            }
        }
        let names = names(sheet);
        let scale = Scale::over(&sheet.contests);
        let width = (WIDTH - LEFT - RIGHT - GAP * (groups.len() as f64 - 1.0)) / groups.len() as f64;
        for (number, group) in groups.iter().enumerate() {
            let left = LEFT + number as f64 * (width + GAP);
            let contests: Vec<&SheetContest> =
                sheet.contests.iter().filter(|contest| contest.group == *group).collect();
            self.axes(sheet, group, left, width, &scale);
            self.panel(&contests, &names, &scale, left, width);
        }
        self.legend(&names, TOP + PANEL + 62.0)
    }

    fn axes(&mut self, sheet: &Sheet, group: &str, left: f64, width: f64, scale: &Scale) {
        for value in scale.ticks() {
            let y = TOP + PANEL * (1.0 - scale.part(value));
            self.line([left, y, left + width, y], "#DDDDDD", 1.0);
            self.text(left - 8.0, y + 4.0, "end", 12.0, &format!(">{}", quantity(value, &sheet.unit)));
        }
        self.line([left, TOP, left, TOP + PANEL], "#444444", 1.0);
        self.line([left, TOP + PANEL, left + width, TOP + PANEL], "#444444", 1.0);
        let along = if group.is_empty() { sheet.along.clone() } else { format!("{} ({group})", sheet.along) };
        self.text(left + width / 2.0, TOP + PANEL + 40.0, "middle", 13.0, &format!(">{}", escaped(&along)));
    }

    fn panel(
        &mut self,
        contests: &[&SheetContest],
        names: &[(String, bool)],
        scale: &Scale,
        left: f64,
        width: f64,
    ) {
        let step = width / contests.len() as f64;
        let x = |number: usize| left + (number as f64 + 0.5) * step;
        let y = |value: f64| TOP + PANEL * (1.0 - scale.part(value));
        for (number, contest) in contests.iter().enumerate() {
            // In two rows where they would overlap: `64 KiB`.
            let row = if step < 50.0 { number % 2 } else { 0 };
            self.text(
                x(number),
                TOP + PANEL + 14.0 + row as f64 * 12.0,
                "middle",
                12.0,
                &format!(">{}", escaped(&contest.label)),
            );
        }
        // Ours last, above the others.
        for (style, (name, ours)) in names.iter().enumerate().rev() {
            let find = |contest: &&SheetContest| contest.entries.iter().find(|it| it.name == *name).cloned();
            let points: Vec<(usize, SheetEntry)> =
                contests.iter().enumerate().filter_map(|(at, contest)| Some((at, find(contest)?))).collect();
            let path: Vec<String> =
                points.iter().map(|(at, entry)| format!("{:.1},{:.1}", x(*at), y(entry.p50))).collect();
            self.add(format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>",
                path.join(" "),
                colour(style),
                if *ours { 2.5 } else { 1.5 }
            ));
            for (at, entry) in &points {
                if let Some(interval) = entry.interval {
                    self.line([x(*at), y(interval.low), x(*at), y(interval.high)], colour(style), 1.0);
                }
                self.mark(x(*at), y(entry.p50), style, entry.too_noisy);
            }
        }
    }

    /// Hollow where the number is too noisy to be quoted.
    fn mark(&mut self, x: f64, y: f64, style: usize, hollow: bool) {
        let (colour, fill) = (colour(style), if hollow { "white" } else { colour(style) });
        let painted = format!("fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\"");
        // Those that have their colour in common have another shape.
        let shape = match (style + style / COLOURS.len()) % 4 {
            0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" {painted}/>"),
            1 => format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\" {painted}/>",
                x - 4.0,
                y - 4.0
            ),
            2 => format!("<path d=\"M{x:.1} {:.1} l5 9 h-10 z\" {painted}/>", y - 5.5),
            _ => format!("<path d=\"M{x:.1} {:.1} l5.5 5.5 l-5.5 5.5 l-5.5 -5.5 z\" {painted}/>", y - 5.5),
        };
        self.add(shape);
    }

    fn legend(&mut self, names: &[(String, bool)], top: f64) -> f64 {
        const COLUMNS: usize = 3;
        let column = (WIDTH - 2.0 * RIGHT) / COLUMNS as f64;
        for (style, (name, ours)) in names.iter().enumerate() {
            let (x, y) =
                (LEFT - 50.0 + (style % COLUMNS) as f64 * column, top + (style / COLUMNS) as f64 * 20.0);
            self.line([x - 12.0, y - 4.0, x + 12.0, y - 4.0], colour(style), if *ours { 2.5 } else { 1.5 });
            self.mark(x, y - 4.0, style, false);
            let weight = if *ours { "font-weight=\"bold\"" } else { "" };
            self.text(x + 20.0, y, "start", 12.0, &format!("{weight}>{}", escaped(name)));
        }
        top + names.len().div_ceil(COLUMNS) as f64 * 20.0
    }

    /// Where they end.
    fn rows(&mut self, sheet: &Sheet) -> f64 {
        const ROW: f64 = 22.0;
        let names = names(sheet);
        let scale = Scale::over(&sheet.contests);
        let (left, width) = (NAMES + 24.0, WIDTH - NAMES - VALUES - RIGHT - 24.0);
        let x = |value: f64| left + width * scale.part(value);
        let headed = sheet.contests.len() > 1;
        let count: usize =
            sheet.contests.iter().map(|contest| contest.entries.len() + usize::from(headed)).sum();
        let bottom = TOP + 8.0 + count as f64 * ROW;
        for value in scale.ticks() {
            self.line([x(value), TOP, x(value), bottom], "#DDDDDD", 1.0);
            self.text(x(value), bottom + 18.0, "middle", 12.0, &format!(">{}", quantity(value, &sheet.unit)));
        }
        let mut y = TOP + 8.0 + ROW / 2.0;
        for contest in &sheet.contests {
            if headed {
                self.text(
                    24.0,
                    y + 4.0,
                    "start",
                    13.0,
                    &format!("font-weight=\"bold\">{}", escaped(&contest.name)),
                );
                y += ROW;
            }
            for entry in &contest.entries {
                let style = names.iter().position(|(name, _)| *name == entry.name).unwrap_or(0);
                let weight = if entry.ours { "font-weight=\"bold\"" } else { "" };
                self.text(NAMES + 10.0, y + 4.0, "end", 12.0, &format!("{weight}>{}", escaped(&entry.name)));
                self.line([left, y, x(entry.p50), y], colour(style), if entry.ours { 3.0 } else { 1.5 });
                if let Some(interval) = entry.interval {
                    self.line([x(interval.low), y, x(interval.high), y], colour(style), 7.0);
                }
                self.mark(x(entry.p50), y, style, entry.too_noisy);
                let value = quantity(entry.p50, &sheet.unit);
                let value = if entry.too_noisy { format!("too noisy ({value})") } else { value };
                self.text(WIDTH - RIGHT, y + 4.0, "end", 12.0, &format!("{weight}>{value}"));
                y += ROW;
            }
        }
        bottom + 24.0
    }

    fn captions(&mut self, sheet: &Sheet, bottom: f64) {
        let marks = "bars: 95 % intervals; hollow marks: too noisy to be quoted";
        let mut y = bottom + 22.0;
        let promised = promised(sheet);
        for line in std::iter::once(marks).chain(promised.iter().chain(&sheet.caption).map(String::as_str)) {
            self.text(24.0, y, "start", 11.0, &format!("fill=\"#444\">{}", escaped(line)));
            y += LINE;
        }
        self.height = (y - 4.0).ceil();
    }
}

fn metric(sheet: &Sheet) -> String {
    sheet.metric.replace(", in microseconds", "").replace(", in bytes", "")
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// Of all entries, in the order in which they appear, and whether they are ours.
fn names(sheet: &Sheet) -> Vec<(String, bool)> {
    let mut names: Vec<(String, bool)> = Vec::new();
    for entry in sheet.contests.iter().flat_map(|contest| &contest.entries) {
        if !names.iter().any(|(name, _)| *name == entry.name) {
            names.push((entry.name.clone(), entry.ours));
        }
    }
    names
}

/// What ways promise: a line for those that promise the same.
fn promised(sheet: &Sheet) -> Vec<String> {
    let mut groups: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    let entries = sheet.contests.iter().flat_map(|contest| &contest.entries);
    for entry in entries.filter(|entry| !entry.durable.is_empty()) {
        let promise = (entry.keeps_apart.as_str(), entry.durable.as_str());
        match groups.iter_mut().find(|(its_promise, _)| *its_promise == promise) {
            Some((_, names)) if names.contains(&entry.name.as_str()) => {}
            Some((_, names)) => names.push(&entry.name),
            None => groups.push((promise, vec![&entry.name])),
        }
    }
    let line = |((keeps_apart, durable), names): ((&str, &str), Vec<&str>)| {
        format!("functions kept apart by {keeps_apart}, durable: {durable}: {}", names.join(" · "))
    };
    groups.into_iter().map(line).collect()
}

fn colour(style: usize) -> &'static str {
    COLOURS[style % COLOURS.len()]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// From values to a part of the axis, by their logarithm: whole decades.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn over(contests: &[SheetContest]) -> Self {
        let values = contests.iter().flat_map(|contest| &contest.entries).map(|entry| entry.p50);
        let logarithms: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
        let low = logarithms.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let high = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        if low.is_finite() { Self { low, high: high.max(low + 1.0) } } else { Self { low: 0.0, high: 1.0 } }
    }

    fn part(&self, value: f64) -> f64 {
        let logarithm = value.max(f64::MIN_POSITIVE).log10();
        ((logarithm - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        (self.low as i32..=self.high as i32).map(|decade| 10_f64.powi(decade)).collect()
    }
}

/// With three digits that count at most.
pub fn quantity(value: f64, unit: &str) -> String {
    let (value, unit) = match unit {
        "µs" if value >= 1e6 => (value / 1e6, "s"),
        "µs" if value >= 1e3 => (value / 1e3, "ms"),
        "bytes" if value >= 1e6 => (value / 1e6, "MB"),
        "bytes" if value >= 1e3 => (value / 1e3, "kB"),
        "per second" => (value, "/s"),
        unit => (value, unit),
    };
    let decimals = match value {
        value if value >= 100.0 || value.fract() == 0.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 0.1 => 2,
        _ => 3,
    };
    let mut text = format!("{value:.decimals$} ");
    // Writing to a string cannot fail.
    let _ = write!(text, "{unit}");
    text
}

/// # Errors
/// It is no picture: says why.
pub fn png(svg: &str) -> Result<Vec<u8>, String> {
    let mut options = usvg::Options::default();
    let fonts = Arc::make_mut(&mut options.fontdb);
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or("it has no size")?;
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or("it is too large")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Interval;

    fn entry(name: &str, ours: bool, p50: f64) -> SheetEntry {
        SheetEntry {
            name: name.to_owned(),
            ours,
            keeps_apart: String::new(),
            durable: String::new(),
            p50,
            interval: Some(Interval { low: p50 / 1.1, high: p50 * 1.1 }),
            p99: None,
            too_noisy: !ours,
            ratio: 1.0,
            ratio_interval: None,
            ratio_quoted: true,
        }
    }

    fn sheet(labels: &[&str]) -> Sheet {
        let contest = |label: &&str| SheetContest {
            name: format!("{label} of them"),
            group: String::new(),
            label: (*label).to_owned(),
            entries: vec![entry("ours", true, 12.0), entry("theirs & <more>", false, 4500.0)],
        };
        Sheet {
            name: "hop".to_owned(),
            title: "A title".to_owned(),
            metric: "time, in microseconds".to_owned(),
            unit: "µs".to_owned(),
            along: "payload".to_owned(),
            caption: vec!["a machine".to_owned(), "a command".to_owned()],
            missing: Vec::new(),
            contests: labels.iter().map(contest).collect(),
        }
    }

    #[test]
    fn what_can_be_counted_along_is_lines_and_the_rest_rows() {
        let lines = Plot::of(&sheet(&["5", "15"])).svg();
        assert_eq!(lines.matches("<polyline").count(), 2);
        let rows = Plot::of(&sheet(&["finra", "sentiment"])).svg();
        assert!(!rows.contains("<polyline") && rows.contains("too noisy (4.50 ms)"), "{rows}");
        for svg in [lines, rows] {
            for text in ["A title", "a machine", "a command", "theirs &amp; &lt;more&gt;", "10 ms", "10 µs"]
            {
                assert!(svg.contains(text), "{text} is not in {svg}");
            }
        }
    }

    #[test]
    fn a_picture_is_a_png_with_ink_where_text_is() {
        let png = png(&Plot::of(&sheet(&["5", "15"])).svg()).unwrap();
        let pixels = tiny_skia::Pixmap::decode_png(&png).unwrap();
        assert_eq!(f64::from(pixels.width()), WIDTH * f64::from(SCALE));
        let title = (48..80).flat_map(|x| (26..58).map(move |y| (x, y)));
        assert!(title.filter_map(|(x, y)| pixels.pixel(x, y)).any(|it| it.red() < 64), "there is no title");
        assert!(super::png("<svg").is_err());
    }

    #[test]
    fn quantities_have_their_unit() {
        for (value, unit, shown) in [
            (0.41, "µs", "0.41 µs"),
            (4500.0, "µs", "4.50 ms"),
            (63.4e6, "bytes", "63.4 MB"),
            (15_000.0, "per second", "15000 /s"),
            (0.0123, "GB·ms", "0.012 GB·ms"),
        ] {
            assert_eq!(quantity(value, unit), shown);
        }
    }

    #[test]
    fn an_axis_has_whole_decades() {
        let contests = sheet(&["1"]).contests;
        let scale = Scale::over(&contests);
        assert_eq!(scale.ticks(), [10.0, 100.0, 1000.0, 10_000.0]);
        assert_eq!([scale.part(10.0), scale.part(10_000.0), scale.part(0.0)], [0.0, 1.0, 0.0]);
        assert_eq!(Scale::over(&[]).ticks().len(), 2);
    }
}
