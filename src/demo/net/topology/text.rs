//! The map as lines for a terminal: a bracket for each namespace, its links below, ports behind their bridge.

use super::map::{Link, Map, Space};
use crate::narrate::{Ink, Stage, columns, text};

/// A line of the drawing: each piece with its ink.
pub type Line = Vec<(Ink, String)>;

/// Draw it.
pub fn draw(stage: &Stage, map: &Map) {
    for line in lines(map) {
        if line.is_empty() {
            stage.blank();
            continue;
        }
        // The name of a process or a link may hold what a terminal would obey.
        let tame = |text: &String| text.replace(char::is_control, "\u{fffd}");
        let line: Line = line.iter().map(|(ink, text)| (*ink, tame(text))).collect();
        let pieces: Vec<(Ink, &str)> = line.iter().map(|(ink, text)| (*ink, text.as_str())).collect();
        stage.line(&pieces);
    }
}

/// The lines of the drawing.
pub fn lines(map: &Map) -> Vec<Line> {
    let rows: Vec<Vec<Row>> = (0..map.spaces.len()).map(|space| rows(map, space)).collect();
    let widest = |of: fn(&Row) -> usize| rows.iter().flatten().map(of).max().unwrap_or(0);
    let widths = [
        widest(|row| columns(&row.branch) + columns(&row.name)),
        widest(|row| columns(&row.kind)),
        widest(|row| columns(row.state)),
    ];
    let mut lines = Vec::new();
    for (number, rows) in rows.iter().enumerate() {
        if number > 0 {
            lines.push(Vec::new());
        }
        lines.extend(heading(number, &map.spaces[number]));
        lines.extend(rows.iter().flat_map(|row| row.lines(&widths)));
        lines.push(vec![(Ink::Faint, "└─".to_owned())]);
    }
    lines
}

fn heading(number: usize, space: &Space) -> Vec<Line> {
    let mut first = vec![
        (Ink::Faint, "┌ ".to_owned()),
        (Ink::Word, Map::letter(number)),
        (Ink::Object, format!("  net:[{}]", space.inode)),
    ];
    if number == 0 {
        first.push((Ink::Title, text!("  you are here", "  你在这里")));
    }
    let bar = || (Ink::Faint, "│ ".to_owned());
    let mut lines = vec![first, vec![bar(), (Ink::Plain, space.inhabitants())]];
    lines.extend(space.default_routes().into_iter().map(|route| vec![bar(), (Ink::Plain, route)]));
    lines
}

/// One link.
struct Row {
    branch: String,
    name: String,
    kind: String,
    state: &'static str,
    /// What is behind these columns, a line each: addresses, and where it leads.
    details: Vec<(Ink, String)>,
    /// Its branch goes on below.
    below: String,
}

fn rows(map: &Map, number: usize) -> Vec<Row> {
    let space = &map.spaces[number];
    let tree = space.tree();
    let row = |(at, (depth, link)): (usize, &(usize, &Link))| {
        // Whether a later port hangs on the same master.
        let more = |depth: usize| {
            let after = tree[at + 1..].iter().map(|(depth, _)| *depth);
            after.take_while(|later| *later >= depth).any(|later| later == depth)
        };
        let stem: String = (1..*depth).map(|depth| if more(depth) { "│  " } else { "   " }).collect();
        let (twig, rest) = match (depth, more(*depth)) {
            (0, _) => ("", ""),
            (_, true) => ("├─ ", "│  "),
            (_, false) => ("└─ ", "   "),
        };
        let has_ports = tree.get(at + 1).is_some_and(|(next, _)| next > depth);
        let hanging = if has_ports { "│" } else { "" };
        Row {
            branch: format!("{stem}{twig}"),
            name: link.name.clone(),
            kind: link.kind().to_owned(),
            state: link.state().word(),
            details: details(map, number, link),
            below: format!("{stem}{rest}{hanging}"),
        }
    };
    tree.iter().enumerate().map(row).collect()
}

fn details(map: &Map, space: usize, link: &Link) -> Vec<(Ink, String)> {
    let mut details: Vec<(Ink, String)> = Vec::new();
    if let Some((there, peer)) = map.other_end((space, link.index)) {
        let name = map.name((there, peer));
        details.push((Ink::Title, format!("═══ {} {name}", Map::letter(there))));
    } else if link.kind == "veth" {
        details.push((Ink::Faint, text!("═══ somewhere out of sight", "═══ 另一端看不到")));
    } else if let Some(lower) = link.link.filter(|_| link.elsewhere.is_none()) {
        let lower = map.name((space, lower));
        details.push((Ink::Plain, text!("on {lower}", "依托 {lower}")));
    }
    details.extend(link.addresses.iter().map(|(address, prefix)| (Ink::Fact, format!("{address}/{prefix}"))));
    details
}

impl Row {
    fn lines(&self, widths: &[usize; 3]) -> Vec<Line> {
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(columns(text)));
        let name = format!("{}{}", self.branch, self.name);
        let first = vec![
            (Ink::Faint, format!("│ {}", self.branch)),
            (Ink::Call, format!("{}{}", self.name, pad(&name, widths[0]))),
            (Ink::Plain, format!("  {}{}", self.kind, pad(&self.kind, widths[1]))),
            (Ink::Plain, format!("  {}", self.state)),
        ];
        let mut lines = vec![first];
        for (number, (ink, detail)) in self.details.iter().enumerate() {
            let detail = (*ink, detail.clone());
            if number == 0 {
                lines[0].extend([(Ink::Plain, pad(self.state, widths[2]) + "  "), detail]);
            } else {
                let width = widths.iter().sum::<usize>() + 6;
                let start = format!("│ {}{}", self.below, pad(&self.below, width));
                lines.push(vec![(Ink::Faint, start), detail]);
            }
        }
        lines
    }
}
