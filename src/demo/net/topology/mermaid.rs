//! The map as a Mermaid flow chart, for a page of Markdown.

use super::map::{End, Link, Map};
use std::fmt::Write;

/// The text of the chart.
pub fn chart(map: &Map) -> String {
    let mut chart = String::from("flowchart LR\n");
    // Writing into a string cannot fail.
    for (number, space) in map.spaces.iter().enumerate() {
        let letter = Map::letter(number);
        let mut label = vec![format!("{letter} net:[{}]", space.inode), space.inhabitants()];
        label.extend(space.default_routes());
        let _ = writeln!(chart, "  subgraph {letter}[\"{}\"]", joined(&label));
        for link in &space.links {
            let _ = writeln!(chart, "    {}", node((number, link.index), link));
        }
        for port in &space.links {
            let Some(master) = port.master.filter(|master| space.link(*master).is_some()) else { continue };
            let _ = writeln!(chart, "    {} --- {}", id((number, master)), id((number, port.index)));
        }
        let _ = writeln!(chart, "  end");
    }
    for (one, other) in map.cables() {
        let _ = writeln!(chart, "  {} === {}", id(one), id(other));
    }
    chart
}

fn id((space, index): End) -> String {
    format!("{}_{index}", Map::letter(space))
}

/// A bridge has another shape than what hangs on it.
fn node(end: End, link: &Link) -> String {
    let mut label = vec![link.name.clone(), format!("{} {}", link.kind(), link.state().word())];
    label.extend(link.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}")));
    let (open, close) = if link.kind == "bridge" { ("{{\"", "\"}}") } else { ("[\"", "\"]") };
    format!("{}{open}{}{close}", id(end), joined(&label))
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br/>")
}

/// What Mermaid, or the HTML that it makes, would take for its own is written as a number: `#34;`.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        let own = matches!(character, '"' | '#' | ';' | '<' | '>' | '&' | '`' | '\\');
        if own || character.is_control() {
            let _ = write!(out, "#{};", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::map::tests::town;
    use super::*;

    #[test]
    fn namespaces_are_subgraphs_and_cables_lead_from_one_to_the_other() {
        let chart = chart(&town());
        assert!(chart.starts_with("flowchart LR\n  subgraph A[\"A net:[1]<br/>1 host"), "{chart}");
        assert!(chart.contains("A_2{{\"bridge0<br/>bridge up<br/>172.30.0.1/16\"}}"), "{chart}");
        assert!(chart.contains("    A_2 --- A_3\n"), "{chart}");
        assert!(chart.contains("  A_3 === B_2\n"), "{chart}");
    }

    #[test]
    fn a_name_cannot_end_its_label() {
        assert_eq!(escape("a\"]\n<b>#"), "a#34;]#10;#60;b#62;#35;");
    }
}
