//! Pictures as SVG text: lines, areas and words on a sheet of paper that follows the reader's light or dark theme.
//!
//! [`Svg::finish`] returns the text of the file; [`Svg::save`] puts it there. Lengths are in pixels, from the upper left
//! corner. What a thing *is* decides how it looks: each has a class, and one style sheet at the head of the picture
//! gives the classes their colours, once for a light theme and once for a dark one. A series of a plot differs from
//! the others by its dashes too, so nothing is told by colour alone.

use super::page::columns;
use crate::error::{Meaning, Problem, Result};
use crate::sys::file;
use std::fmt::Write;
use std::path::Path;

/// A point: pixels from the left, and from the top.
pub type Point = (f64, f64);

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pen {
    /// The axis of a plot.
    Axis,
    /// A line of a plot's grid.
    Grid,
    /// A connection between two boxes.
    Cable,
    /// A connection that is down, or of which only one end is seen.
    Loose,
    /// A value that is not to be exceeded.
    Limit,
    /// Measured values. There are four kinds; after the last comes the first.
    Series(usize),
}

/// What an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// A region that holds other things.
    Region,
    /// A thing.
    Node,
    /// A thing that others hang on.
    Hub,
    /// A thing that is out of work.
    Idle,
}

/// How words look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The heading of the picture.
    Heading,
    /// A name.
    Name,
    /// Words beside something.
    Label,
    /// What the kernel says: addresses, files, numbers.
    Mono,
}

/// Which end of the words stands at the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Their beginning.
    Start,
    /// Their middle.
    Middle,
    /// Their end.
    End,
}

impl Pen {
    fn class(self) -> &'static str {
        match self {
            Pen::Axis => "axis",
            Pen::Grid => "grid",
            Pen::Cable => "cable",
            Pen::Loose => "loose",
            Pen::Limit => "limit",
            Pen::Series(number) => ["series a", "series b", "series c", "series d"][number % 4],
        }
    }
}

impl Area {
    fn class(self) -> &'static str {
        match self {
            Area::Region => "region",
            Area::Node => "node",
            Area::Hub => "hub",
            Area::Idle => "idle",
        }
    }
}

impl Face {
    fn class(self) -> &'static str {
        match self {
            Face::Heading => "heading",
            Face::Name => "name",
            Face::Label => "label",
            Face::Mono => "mono",
        }
    }

    /// The height of a letter M and its surroundings.
    pub fn size(self) -> f64 {
        match self {
            Face::Heading => 17.0,
            Face::Name => 13.0,
            Face::Label | Face::Mono => 12.0,
        }
    }

    /// About how wide `words` will be: which font is used is for the reader's machine to say.
    pub fn width(self, words: &str) -> f64 {
        columns(words) as f64 * self.size() * 0.61
    }
}

/// A picture, growing.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
}

/// The style sheet. `@media` comes last, so that it has the last word where the theme is dark; a viewer that knows
/// no themes shows the light one.
const STYLE: &str = r#"
text { font-family: "Noto Sans", "DejaVu Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; fill: #1b1f24; }
.heading { font-size: 17px; font-weight: bold; }
.name { font-size: 13px; font-weight: bold; }
.label { font-size: 12px; fill: #59636e; }
.mono { font-size: 12px; font-family: "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace; }
line, polyline { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.paper { fill: #ffffff; }
.region { fill: #f3f5f7; stroke: #8b949e; stroke-dasharray: 5 4; }
.node { fill: #ffffff; stroke: #30363d; stroke-width: 1.2; }
.hub { fill: #dcedff; stroke: #0b62b8; stroke-width: 2; }
.idle { fill: #ffffff; stroke: #8b949e; stroke-dasharray: 2 3; }
.axis { stroke: #30363d; stroke-width: 1.2; }
.grid { stroke: #d5dae0; stroke-width: 1; }
.cable { stroke: #30363d; stroke-width: 1.8; }
.loose { stroke: #8b949e; stroke-width: 1.4; stroke-dasharray: 2 4; }
.limit { stroke: #c2261b; stroke-width: 1.6; stroke-dasharray: 8 5; }
.series { stroke-width: 2; }
.a { stroke: #0b62b8; }
.b { stroke: #b84f00; stroke-dasharray: 7 3; }
.c { stroke: #00805c; stroke-dasharray: 2 4; }
.d { stroke: #8a3ea8; stroke-dasharray: 9 3 2 3; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.label { fill: #9da7b3; }
.paper { fill: #0d1117; }
.region { fill: #161b22; stroke: #6e7681; }
.node { fill: #0d1117; stroke: #c9d1d9; }
.hub { fill: #10263f; stroke: #6cb6ff; }
.idle { fill: #0d1117; stroke: #6e7681; }
.axis, .cable { stroke: #c9d1d9; }
.grid { stroke: #2b323b; }
.loose { stroke: #6e7681; }
.limit { stroke: #ff7b72; }
.a { stroke: #6cb6ff; }
.b { stroke: #ffa657; }
.c { stroke: #4fd1a5; }
.d { stroke: #d2a8ff; }
}
"#;

impl Svg {
    /// An empty sheet of paper. `title` and `description` are what a screen reader says.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let (title, description) = (escape(title), escape(description));
        Self { width, height, title, description, body: String::new() }
    }

    /// A straight line.
    pub fn line(&mut self, pen: Pen, from: Point, to: Point) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let class = pen.class();
        self.put(&format!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
    }

    /// A line through all `points`.
    pub fn polyline(&mut self, pen: Pen, points: &[Point]) {
        let points: Vec<String> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let class = pen.class();
        self.put(&format!(r#"<polyline class="{class}" points="{}"/>"#, points.join(" ")));
    }

    /// A rectangle with slightly rounded corners, whose upper left one is at `corner`.
    pub fn area(&mut self, area: Area, corner: Point, width: f64, height: f64) {
        let [x, y, width, height] = [corner.0, corner.1, width, height].map(number);
        let class = area.class();
        self.put(&format!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>"#
        ));
    }

    /// Words on one line that stands on the point `at`.
    pub fn text(&mut self, face: Face, anchor: Anchor, at: Point, words: &str) {
        let ([x, y], class) = ([at.0, at.1].map(number), face.class());
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let words = escape(words);
        self.put(&format!(r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>"#));
    }

    fn put(&mut self, element: &str) {
        self.body += element;
        self.body.push('\n');
    }

    /// The text of the file.
    pub fn finish(self) -> String {
        let Self { title, description, body, .. } = self;
        let [width, height] = [self.width, self.height].map(number);
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title description">
<title id="title">{title}</title>
<desc id="description">{description}</desc>
<style>{STYLE}</style>
<rect class="paper" width="{width}" height="{height}"/>
{body}</svg>
"#
        );
        text
    }

    /// Write the picture into the file at `path`, which is made, or emptied first. `PictureUnusable` when it cannot be.
    pub fn save(self, path: &Path) -> Result<()> {
        file::write_new(path, &self.finish(), 0o666)
            .meaning(|| Problem::PictureUnusable { path: path.display().to_string() })
    }
}

/// A length with at most one digit after the point. What is no number is 0.
fn number(length: f64) -> String {
    if !length.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{length:.1}");
    match text.strip_suffix(".0").unwrap_or(&text) {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// `text` as character data of XML: what marks up is written by name, what XML 1.0 does not allow is replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\t' | '\n' | '\r' => out.push(' '),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_marks_up_is_written_by_name() {
        assert_eq!(escape(r#"<a href="x">&'</a>"#), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
        assert_eq!(escape("网桥\nveth\u{1}"), "网桥 veth\u{fffd}");
    }

    #[test]
    fn a_length_is_short_and_always_a_number() {
        assert_eq!([1.0, 1.25, -3.04, -0.01, 1e6].map(number), ["1", "1.2", "-3", "0", "1000000"]);
        assert_eq!([f64::NAN, f64::INFINITY].map(number), ["0", "0"]);
    }

    #[test]
    fn a_picture_has_a_name_a_sheet_for_both_themes_and_what_was_drawn_in_order() {
        let mut svg = Svg::new(200.0, 100.0, "a & b", "two <things>");
        svg.area(Area::Hub, (10.0, 20.0), 30.0, 40.5);
        svg.line(Pen::Cable, (0.0, 0.0), (1.5, 2.0));
        svg.polyline(Pen::Series(5), &[(0.0, 1.0), (2.0, 3.0)]);
        svg.text(Face::Mono, Anchor::End, (5.0, 6.0), "172.30.0.1");
        let text = svg.finish();
        assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"100\""));
        assert!(text.contains("<title id=\"title\">a &amp; b</title>"));
        assert!(text.contains("<desc id=\"description\">two &lt;things&gt;</desc>"));
        assert_eq!(text.matches("@media (prefers-color-scheme: dark)").count(), 1);
        let drawn = "<rect class=\"hub\" x=\"10\" y=\"20\" width=\"30\" height=\"40.5\" rx=\"4\"/>\n\
                     <line class=\"cable\" x1=\"0\" y1=\"0\" x2=\"1.5\" y2=\"2\"/>\n\
                     <polyline class=\"series b\" points=\"0,1 2,3\"/>\n\
                     <text class=\"mono\" x=\"5\" y=\"6\" text-anchor=\"end\">172.30.0.1</text>\n</svg>\n";
        assert!(text.ends_with(drawn), "{text}");
    }

    #[test]
    fn every_class_that_can_be_drawn_is_in_the_style_sheet() {
        let pens = [Pen::Axis, Pen::Grid, Pen::Cable, Pen::Loose, Pen::Limit].map(Pen::class);
        let series = (0..4).map(|number| Pen::Series(number).class());
        let areas = [Area::Region, Area::Node, Area::Hub, Area::Idle].map(Area::class);
        let faces = [Face::Heading, Face::Name, Face::Label, Face::Mono].map(Face::class);
        for class in pens.into_iter().chain(series).chain(areas).chain(faces) {
            for word in class.split(' ') {
                assert!(
                    STYLE.contains(&format!(".{word} {{")) || STYLE.contains(&format!(".{word},")),
                    "{word}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_can_end_the_element_it_stands_in(words in any::<String>()) {
            let escaped = escape(&words);
            prop_assert!(!escaped.contains(['<', '>', '"']));
            prop_assert!(!escaped.chars().any(char::is_control));
        }
    }
}
