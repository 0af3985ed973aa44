//! The map as an SVG picture: a region for each namespace, bridges with their ports, cables between the regions.
//!
//! The regions stand in columns, by how many cables they are away from the first namespace, and in a column in the order
//! of the ports that their cables lead to; so on a host with containers no cable crosses another. In a region the bridges
//! stand on the left and all other links on the right, where the cables leave.

use super::map::{End, Link, Map, Space, State};
use crate::narrate::svg::{Anchor, Area, Face, Pen, Point, Svg};
use crate::narrate::text;
use std::collections::BTreeMap;

const MARGIN: f64 = 24.0;
const HEADING: f64 = 44.0;
/// Between the columns, where the cables run.
const GAP: f64 = 110.0;
/// Between things.
const SPACE: f64 = 12.0;
const LINE: f64 = 16.0;
const BOX_WIDTH: f64 = 186.0;
/// Between a bridge and its ports.
const WIRE: f64 = 34.0;

/// A box: a link, where it stands, and what it is drawn as.
#[derive(Debug, Clone, Copy)]
struct Placed {
    corner: Point,
    height: f64,
}

impl Placed {
    fn left(self) -> Point {
        (self.corner.0, self.corner.1 + self.height / 2.0)
    }

    fn right(self) -> Point {
        (self.corner.0 + BOX_WIDTH, self.corner.1 + self.height / 2.0)
    }
}

/// A region: its corner, size and boxes.
#[derive(Debug)]
struct Region {
    corner: Point,
    width: f64,
    height: f64,
}

#[derive(Debug, Default)]
struct Layout {
    regions: BTreeMap<usize, Region>,
    boxes: BTreeMap<End, Placed>,
    columns: Vec<Vec<usize>>,
    width: f64,
    height: f64,
}

/// The picture.
pub fn picture(map: &Map) -> Svg {
    let layout = layout(map);
    let (spaces, cables) = (map.spaces.len(), map.cables().len());
    let title = text!("Network namespaces and what connects them", "Network Namespace 及其连接");
    let description = text!(
        "{spaces} network namespaces with their links, and {cables} veth pairs between them, as the kernel told them",
        "内核所述的 {spaces} 个 Network Namespace、其中的网络接口，以及它们之间的 {cables} 对 veth"
    );
    let mut svg = Svg::new(layout.width, layout.height, &title, &description);
    svg.text(Face::Heading, Anchor::Start, (MARGIN, MARGIN + 10.0), &title);
    for (number, region) in &layout.regions {
        frame(&mut svg, map, *number, region);
    }
    cables_of(&mut svg, map, &layout);
    for (end, placed) in &layout.boxes {
        if let Some(link) = map.spaces[end.0].link(end.1) {
            ports_of(&mut svg, map, &layout, *end, *placed);
            thing(&mut svg, link, *placed);
        }
    }
    svg
}

fn layout(map: &Map) -> Layout {
    let mut layout = Layout::default();
    let distances = map.distances();
    let mut x = MARGIN;
    for distance in 0..=distances.iter().copied().max().unwrap_or(0) {
        let mut column: Vec<usize> =
            (0..map.spaces.len()).filter(|number| distances[*number] == distance).collect();
        column.sort_by_key(|number| nearest(map, &layout, *number));
        let mut y = MARGIN + HEADING;
        let mut widest: f64 = 0.0;
        for number in &column {
            let region = region(map, *number, (x, y), &mut layout.boxes);
            y += region.height + SPACE * 2.0;
            widest = widest.max(region.width);
            layout.regions.insert(*number, region);
        }
        for number in &column {
            layout.regions.entry(*number).and_modify(|region| region.width = widest);
        }
        layout.height = layout.height.max(y - SPACE * 2.0 + MARGIN);
        x += widest + GAP;
        layout.columns.push(column);
    }
    let title = Face::Heading
        .width(&text!("Network namespaces and what connects them", "Network Namespace 及其连接"));
    layout.width = (x - GAP + MARGIN).max(title + MARGIN * 2.0);
    layout
}

/// How far down the upmost of the boxes stands that a cable leads to from here, among those that have a place.
fn nearest(map: &Map, layout: &Layout, number: usize) -> i64 {
    let ends = map.spaces[number].links.iter().filter_map(|link| map.other_end((number, link.index)));
    let heights = ends.filter_map(|end| layout.boxes.get(&end)).map(|placed| placed.corner.1 as i64);
    heights.min().unwrap_or(i64::MAX)
}

/// The words at the head of a region.
fn head(number: usize, space: &Space) -> Vec<(Face, String)> {
    let mut words = vec![(Face::Name, format!("{}  net:[{}]", Map::letter(number), space.inode))];
    words.push((Face::Label, space.inhabitants()));
    words.extend(space.default_routes().into_iter().map(|route| (Face::Mono, route)));
    words
}

/// Give every link of a namespace its place, from `corner` on.
fn region(map: &Map, number: usize, corner: Point, boxes: &mut BTreeMap<End, Placed>) -> Region {
    let space = &map.spaces[number];
    let head = head(number, space);
    let hubs = space.links.iter().any(|link| !space.ports(link.index).is_empty());
    let right = corner.0 + SPACE + if hubs { BOX_WIDTH + WIRE } else { 0.0 };
    let mut y = corner.1 + SPACE + LINE * head.len() as f64 + SPACE / 2.0;
    for link in
        space.links.iter().filter(|link| link.master.is_none_or(|master| space.link(master).is_none()))
    {
        let ports = space.family(link.index);
        let top = y;
        for port in &ports {
            boxes.insert((number, port.index), Placed { corner: (right, y), height: height(port) });
            y += height(port) + SPACE;
        }
        let own = height(link);
        let (x, at) = if ports.is_empty() {
            (right, top)
        } else {
            (corner.0 + SPACE, top + ((y - SPACE - top - own) / 2.0).max(0.0))
        };
        boxes.insert((number, link.index), Placed { corner: (x, at), height: own });
        y = y.max(at + own + SPACE);
    }
    let words = head.iter().map(|(face, words)| face.width(words)).fold(0.0, f64::max);
    let width = (right + BOX_WIDTH - corner.0).max(SPACE + words) + SPACE;
    Region { corner, width, height: y - corner.1 }
}

fn height(link: &Link) -> f64 {
    LINE * (1.0 + link.addresses.len() as f64) + SPACE
}

fn frame(svg: &mut Svg, map: &Map, number: usize, region: &Region) {
    svg.area(Area::Region, region.corner, region.width, region.height);
    for (line, (face, words)) in head(number, &map.spaces[number]).iter().enumerate() {
        let at = (region.corner.0 + SPACE, region.corner.1 + SPACE + LINE * (line as f64 + 0.6));
        svg.text(*face, Anchor::Start, at, words);
    }
}

fn thing(svg: &mut Svg, link: &Link, placed: Placed) {
    let area = match (link.state(), link.kind.as_str()) {
        (State::Up, "bridge") => Area::Hub,
        (State::Up, _) => Area::Node,
        _ => Area::Idle,
    };
    svg.area(area, placed.corner, BOX_WIDTH, placed.height);
    let (x, y) = (placed.corner.0 + 8.0, placed.corner.1 + SPACE / 2.0 + LINE * 0.75);
    svg.text(Face::Name, Anchor::Start, (x, y), &link.name);
    let kind = match link.state() {
        State::Up => link.kind().to_owned(),
        state => format!("{}, {}", link.kind(), state.word()),
    };
    svg.text(Face::Label, Anchor::End, (placed.corner.0 + BOX_WIDTH - 8.0, y), &kind);
    for (line, (address, prefix)) in link.addresses.iter().enumerate() {
        let at = (x, y + LINE * (line as f64 + 1.0));
        svg.text(Face::Mono, Anchor::Start, at, &format!("{address}/{prefix}"));
    }
}

/// The wires from a bridge to its ports.
fn ports_of(svg: &mut Svg, map: &Map, layout: &Layout, (space, index): End, hub: Placed) {
    for port in map.spaces[space].ports(index) {
        let Some(placed) = layout.boxes.get(&(space, port.index)) else { continue };
        let (from, to) = (hub.right(), placed.left());
        if placed.corner.0 <= hub.corner.0 {
            continue;
        }
        let turn = from.0 + WIRE / 2.0;
        svg.polyline(Pen::Cable, &[from, (turn, from.1), (turn, to.1), to]);
    }
}

/// The cables, each with a turn of its own between the columns, so that none lies upon another.
fn cables_of(svg: &mut Svg, map: &Map, layout: &Layout) {
    let column_of = |space: usize| layout.columns.iter().position(|column| column.contains(&space));
    let right_of = |column: usize| {
        let regions = layout.columns[column].iter().filter_map(|number| layout.regions.get(number));
        regions.map(|region| region.corner.0 + region.width).fold(0.0, f64::max)
    };
    let mut cables = map.cables();
    cables.sort_by_key(|(one, _)| layout.boxes.get(one).map(|placed| placed.corner.1 as i64));
    let count = cables.len().max(1) as f64;
    for (number, (one, other)) in cables.into_iter().enumerate() {
        let places = (layout.boxes.get(&one), layout.boxes.get(&other));
        let ((Some(here), Some(there)), (Some(a), Some(b))) =
            (places, (column_of(one.0), column_of(other.0)))
        else {
            continue;
        };
        let (here, there) = if a <= b { (here, there) } else { (there, here) };
        let turn = match a == b {
            // Both ends in one column: around the edge of it.
            true => right_of(a) + MARGIN * (number % 4 + 1) as f64 / 5.0,
            // The upper ones turn last: so they do not meet those that go on below them.
            false => right_of(a.min(b)) + GAP * (1.0 - (number as f64 + 0.5) / count).clamp(0.1, 0.9),
        };
        let (from, to) = (here.right(), if a == b { there.right() } else { there.left() });
        let pen = match [one, other].map(|end| map.spaces[end.0].link(end.1).map(Link::state)) {
            [Some(State::Up), Some(State::Up)] => Pen::Cable,
            _ => Pen::Loose,
        };
        svg.polyline(pen, &[from, (turn, from.1), (turn, to.1), to]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::map::tests::town;
    use super::*;

    #[test]
    fn every_link_has_a_place_of_its_own_inside_its_region() {
        let map = town();
        let layout = layout(&map);
        assert_eq!(layout.columns, [vec![0], vec![1, 2, 3]]);
        let links: usize = map.spaces.iter().map(|space| space.links.len()).sum();
        assert_eq!(layout.boxes.len(), links);
        for ((space, _), placed) in &layout.boxes {
            let region = &layout.regions[space];
            let (x, y) = (placed.corner.0 - region.corner.0, placed.corner.1 - region.corner.1);
            assert!(x > 0.0 && x + BOX_WIDTH < region.width, "{placed:?} {region:?}");
            assert!(y > 0.0 && y + placed.height <= region.height, "{placed:?} {region:?}");
        }
        let all: Vec<&Placed> = layout.boxes.values().collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                let beside = (one.corner.0 - other.corner.0).abs() >= BOX_WIDTH;
                let (upper, lower) = if one.corner.1 < other.corner.1 { (one, other) } else { (other, one) };
                assert!(beside || upper.corner.1 + upper.height <= lower.corner.1, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_cable_within_a_namespace_stays_on_the_paper_and_a_port_of_a_port_has_a_place() {
        let mut map = town();
        map.spaces.truncate(1);
        let link = |index, peer: Option<u32>, master| Link {
            index,
            name: format!("link{index}"),
            kind: "veth".into(),
            link: peer,
            master,
            ..Link::default()
        };
        map.spaces[0].links = vec![
            link(1, None, None),
            link(2, None, Some(1)),
            link(3, Some(4), Some(2)),
            link(4, Some(3), None),
        ];
        let layout = layout(&map);
        assert_eq!(layout.boxes.len(), 4);
        let text = picture(&map).finish();
        let points = text.split("points=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let across =
            points.flat_map(|points| points.split(' ')).map(|point| point.split(',').next().unwrap());
        let across: Vec<f64> = across.map(|x| x.parse().unwrap()).collect();
        assert!(!across.is_empty() && across.iter().all(|x| *x < layout.width), "{across:?}");
    }

    #[test]
    fn what_is_down_looks_so_and_each_cable_is_drawn() {
        let text = picture(&town()).finish();
        assert_eq!(text.matches("class=\"region\"").count(), 4);
        assert_eq!(text.matches("class=\"hub\"").count(), 1);
        assert_eq!(text.matches("class=\"idle\"").count(), 3, "the loopback links of the others");
        assert_eq!(text.matches("<polyline class=\"cable\"").count(), 2 + 3);
    }
}
