//! A plot: values over time, with the limit that they meet, as an SVG picture.

use super::svg::{Anchor, Face, Pen, Point, Svg};

/// What is measured along an axis, with its unit: `memory, MiB`.
pub type Axis<'a> = &'a str;

/// A plot, in the units of its axes. Both axes begin at 0.
#[derive(Debug)]
pub struct Plot<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What it shows, in a sentence or two, for who cannot see it.
    pub description: &'a str,
    /// From left to right.
    pub across: Axis<'a>,
    /// Upwards.
    pub up: Axis<'a>,
    /// What was measured: a name, and points in order.
    pub series: Vec<(&'a str, Vec<Point>)>,
    /// What limited it: the same.
    pub limits: Vec<(&'a str, Vec<Point>)>,
    /// Words at a point of the plot.
    pub notes: Vec<(Point, &'a str)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// The corners of the plot proper.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 360.0;

impl Plot<'_> {
    /// Draw it.
    pub fn draw(&self) -> Svg {
        let all = || self.series.iter().chain(&self.limits).flat_map(|(_, points)| points);
        let scale = Scale {
            across: step(all().map(|point| point.0).fold(0.0, f64::max)),
            up: step(all().map(|point| point.1).fold(0.0, f64::max)),
        };
        let mut svg = Svg::new(WIDTH, HEIGHT, self.title, self.description);
        svg.text(Face::Heading, Anchor::Start, (LEFT, 30.0), self.title);
        self.axes(&mut svg, &scale);
        for (number, (_, points)) in self.series.iter().enumerate() {
            let points: Vec<Point> = points.iter().map(|point| scale.place(*point)).collect();
            svg.polyline(Pen::Series(number), &points);
        }
        for (_, points) in &self.limits {
            let points: Vec<Point> = points.iter().map(|point| scale.place(*point)).collect();
            svg.polyline(Pen::Limit, &points);
        }
        for (point, words) in &self.notes {
            let at = scale.place(*point);
            let end = at.0 + Face::Label.width(words) > RIGHT;
            let (anchor, x) = if end { (Anchor::End, at.0 - 6.0) } else { (Anchor::Start, at.0 + 6.0) };
            svg.text(Face::Label, anchor, (x, at.1 + 14.0), words);
        }
        self.key(&mut svg);
        svg
    }

    fn axes(&self, svg: &mut Svg, scale: &Scale) {
        for (value, words) in scale.up.marks() {
            let (_, y) = scale.place((0.0, value));
            svg.line(Pen::Grid, (LEFT, y), (RIGHT, y));
            svg.text(Face::Label, Anchor::End, (LEFT - 8.0, y + 4.0), &words);
        }
        for (value, words) in scale.across.marks() {
            let (x, _) = scale.place((value, 0.0));
            svg.line(Pen::Grid, (x, TOP), (x, BOTTOM));
            svg.text(Face::Label, Anchor::Middle, (x, BOTTOM + 18.0), &words);
        }
        svg.line(Pen::Axis, (LEFT, TOP), (LEFT, BOTTOM));
        svg.line(Pen::Axis, (LEFT, BOTTOM), (RIGHT, BOTTOM));
        svg.text(Face::Label, Anchor::Start, (LEFT - 44.0, TOP - 12.0), self.up);
        svg.text(Face::Label, Anchor::End, (RIGHT, BOTTOM + 40.0), self.across);
    }

    /// Which line is which, above the plot, from right to left.
    fn key(&self, svg: &mut Svg) {
        let series = self.series.iter().enumerate().map(|(number, (name, _))| (Pen::Series(number), *name));
        let limits = self.limits.iter().map(|(name, _)| (Pen::Limit, *name));
        let mut right = RIGHT;
        for (pen, name) in series.chain(limits).collect::<Vec<_>>().into_iter().rev() {
            let left = right - Face::Label.width(name);
            svg.text(Face::Label, Anchor::Start, (left, 58.0), name);
            svg.line(pen, (left - 36.0, 54.0), (left - 8.0, 54.0));
            right = left - 56.0;
        }
    }
}

/// The marks of an axis: how far apart they are, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    size: f64,
    count: f64,
}

/// Round marks for an axis from 0 to at least `most`: 1, 2 or 5 of a power of ten apart, ten at most.
fn step(most: f64) -> Step {
    let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
    let power = 10f64.powf((most / 10.0).log10().floor());
    let size = [1.0, 2.0, 5.0, 10.0, 20.0]
        .map(|times| times * power)
        .into_iter()
        .find(|size| most * 1.02 / size <= 9.0);
    let size = size.unwrap_or(power * 10.0);
    Step { size, count: (most / size * 1.02).ceil() }
}

impl Step {
    fn end(self) -> f64 {
        self.size * self.count
    }

    /// Each mark, with its words.
    fn marks(self) -> impl Iterator<Item = (f64, String)> {
        let digits = (-self.size.log10().floor()).max(0.0) as usize;
        (0..=self.count as u32).map(move |number| {
            let value = self.size * f64::from(number);
            (value, format!("{value:.digits$}"))
        })
    }
}

struct Scale {
    across: Step,
    up: Step,
}

impl Scale {
    fn place(&self, (x, y): Point) -> Point {
        (LEFT + x / self.across.end() * (RIGHT - LEFT), BOTTOM - y / self.up.end() * (BOTTOM - TOP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_beyond_the_largest_value() {
        for most in [0.013, 0.9, 1.0, 7.0, 32.0, 33.5, 480.0, 99999.0] {
            let step = step(most);
            assert!(step.end() >= most && step.count <= 10.0, "{most}: {step:?}");
        }
        let words: Vec<String> = step(33.0).marks().map(|(_, words)| words).collect();
        assert_eq!(words, ["0", "5", "10", "15", "20", "25", "30", "35"]);
        assert_eq!(step(0.0), step(1.0));
    }

    #[test]
    fn the_limit_and_both_axes_are_drawn() {
        let plot = Plot {
            title: "Memory",
            description: "It rises.",
            across: "time, ms",
            up: "memory, MiB",
            series: vec![("memory.current", vec![(0.0, 1.0), (10.0, 30.0)])],
            limits: vec![("memory.max", vec![(0.0, 32.0), (10.0, 32.0)])],
            notes: vec![((10.0, 30.0), "killed")],
        };
        let text = plot.draw().finish();
        for part in
            ["time, ms", "memory, MiB", "memory.max", "class=\"limit\"", "class=\"series a\"", "killed"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
