//! The picture of the layers and the union, side by side: one line a name, a sign before it for what became of it.

use crate::error::Result;
use crate::narrate::stage::Piece;
use crate::narrate::{Ink, Stage, columns, text};
use crate::overlay::Layers;
use crate::overlay::view::{self, Fate, Name, Names, View};
use crate::sys::file::Kind;
use std::collections::BTreeSet;
use std::path::Path;

/// The widest picture, so that all are alike on wide pages too.
const WIDEST: usize = 70;
/// What stands between two columns.
const BAR: &str = " │ ";

/// A sign, and its colour.
const fn sign(fate: Fate) -> (&'static str, Ink) {
    match fate {
        Fate::Seen => (" ", Ink::Plain),
        Fate::Shadowed => ("~", Ink::Faint),
        Fate::Hidden => ("-", Ink::Faint),
        Fate::Own => ("+", Ink::Granted),
        Fate::CopiedUp => ("^", Ink::Command),
        Fate::Whiteout => ("x", Ink::Refused),
        Fate::Opaque => ("!", Ink::Object),
        Fate::FromUpper => ("u", Ink::Fact),
        Fate::FromLower => ("l", Ink::Plain),
        Fate::United => ("=", Ink::Fact),
    }
}

/// What the signs mean.
pub fn legend(stage: &Stage) {
    let line = |layer: &str, signs: &[(Fate, String)]| {
        let pad = " ".repeat(8 - columns(layer));
        let mut pieces: Vec<Piece<'_>> = vec![(Ink::Faint, layer), (Ink::Plain, &pad)];
        for (fate, meaning) in signs {
            let (sign, ink) = sign(*fate);
            pieces.extend([
                (ink, sign),
                (Ink::Plain, " "),
                (Ink::Faint, meaning.as_str()),
                (Ink::Plain, "   "),
            ]);
        }
        pieces.pop();
        stage.line(&pieces);
    };
    line(
        "lower",
        &[
            (Fate::Shadowed, text!("shadowed from above", "被上面的同名项遮住")),
            (Fate::Hidden, text!("deleted or hidden above", "在上面被删除或隐藏")),
        ],
    );
    line(
        "upper",
        &[
            (Fate::Own, text!("made here", "在这里创建")),
            (Fate::CopiedUp, text!("copied up", "写时复制而来")),
            (Fate::Whiteout, text!("whiteout", "whiteout")),
            (Fate::Opaque, text!("opaque", "opaque 目录")),
        ],
    );
    line(
        "merged",
        &[
            (Fate::FromUpper, text!("from upper", "来自 upper")),
            (Fate::FromLower, text!("from lower", "来自 lower")),
            (Fate::United, text!("directory of both", "两层合并的目录")),
        ],
    );
}

/// Draw the layers as they are now, and say whether the union that the kernel shows has the names that follow from the
/// layers; of an overlay that is not mounted, whether it is empty.
pub fn draw(stage: &Stage, layers: &Layers) -> Result<bool> {
    let view = view::look(layers)?;
    let heads: Vec<String> =
        layers.lower.iter().rev().chain([&layers.upper, &layers.merged]).map(|path| head(path)).collect();
    for line in lines(&heads, &view, stage.width().min(WIDEST)) {
        stage.line(&line.iter().map(|(ink, text)| (*ink, text.as_str())).collect::<Vec<_>>());
    }
    Ok(view.agrees() || view.merged.is_empty())
}

fn head(path: &Path) -> String {
    format!("{}/", path.file_name().unwrap_or_default().to_string_lossy())
}

/// The lines of the picture: a head, and one line for each name that any column has.
fn lines(heads: &[String], view: &View, width: usize) -> Vec<Vec<(Ink, String)>> {
    let count = heads.len();
    let width = (width - (count - 1) * columns(BAR)) / count;
    let places: Vec<&Names> = view.lower.iter().rev().chain([&view.upper, &view.merged]).collect();
    let head = heads.iter().map(|head| (Ink::Title, fit(head, width))).collect();
    let paths: BTreeSet<&Path> =
        places.iter().flat_map(|names| names.keys()).map(|path| path.as_path()).collect();
    let row = |path: &Path| places.iter().map(|names| cell(path, names.get(path), width)).collect();
    let rows = std::iter::once(head).chain(paths.into_iter().map(row));
    rows.map(|cells: Vec<(Ink, String)>| barred(cells)).collect()
}

/// Put bars between cells, and take away the blanks at the end.
fn barred(cells: Vec<(Ink, String)>) -> Vec<(Ink, String)> {
    let mut line = Vec::new();
    for (ink, text) in cells {
        if !line.is_empty() {
            line.push((Ink::Faint, BAR.to_owned()));
        }
        line.push((ink, text));
    }
    while let Some((_, last)) = line.last_mut() {
        last.truncate(last.trim_end().len());
        if !last.is_empty() {
            break;
        }
        line.pop();
    }
    line
}

/// Sign, indent and name; behind a whiteout its device number, where that fits.
fn cell(path: &Path, name: Option<&Name>, width: usize) -> (Ink, String) {
    let Some(name) = name else { return (Ink::Plain, " ".repeat(width)) };
    let (sign, ink) = sign(name.fate);
    let indent = "  ".repeat(path.components().count() - 1);
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let end = if name.kind == Kind::Directory { "/" } else { "" };
    let mut text = format!("{sign} {indent}{own}{end}");
    if name.whiteout && columns(&text) + 5 <= width {
        text += " c0:0";
    }
    (ink, fit(&text, width))
}

/// A text in so many columns: filled up, or cut off with a mark.
fn fit(text: &str, width: usize) -> String {
    let mut fitting = String::new();
    if columns(text) <= width {
        return format!("{text}{}", " ".repeat(width - columns(text)));
    }
    for character in text.chars() {
        if columns(&fitting) + columns(&character.to_string()) >= width {
            break;
        }
        fitting.push(character);
    }
    let rest = width - columns(&fitting) - 1;
    format!("{fitting}…{}", " ".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn names(names: &[(&str, Kind, Fate)]) -> Names {
        let name = |(path, kind, fate): &(&str, Kind, Fate)| {
            ((*path).into(), Name { kind: *kind, fate: *fate, whiteout: *fate == Fate::Whiteout })
        };
        names.iter().map(name).collect::<BTreeMap<_, _>>()
    }

    fn drawn(heads: &[&str], view: &View, width: usize) -> Vec<String> {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        let text = |line: Vec<(Ink, String)>| line.into_iter().map(|(_, text)| text).collect::<String>();
        lines(&heads, view, width).into_iter().map(text).collect()
    }

    fn view() -> View {
        View {
            lower: vec![names(&[
                ("both", Kind::File, Fate::Shadowed),
                ("d", Kind::Directory, Fate::Seen),
                ("d/gone", Kind::File, Fate::Hidden),
            ])],
            upper: names(&[
                ("both", Kind::File, Fate::CopiedUp),
                ("d", Kind::Directory, Fate::CopiedUp),
                ("d/gone", Kind::Character, Fate::Whiteout),
            ]),
            merged: names(&[("both", Kind::File, Fate::FromUpper), ("d", Kind::Directory, Fate::United)]),
        }
    }

    #[test]
    fn a_name_stands_on_one_line_in_all_columns() {
        let expected = [
            "lower/         │ upper/         │ merged/",
            "~ both         │ ^ both         │ u both",
            "  d/           │ ^ d/           │ = d/",
            "-   gone       │ x   gone c0:0  │",
        ];
        assert_eq!(drawn(&["lower/", "upper/", "merged/"], &view(), 50), expected);
    }

    #[test]
    fn each_fate_has_a_sign_of_its_own() {
        use Fate::*;
        let fates = [Seen, Shadowed, Hidden, Own, CopiedUp, Whiteout, Opaque, FromUpper, FromLower, United];
        let signs: BTreeSet<&str> = fates.iter().map(|fate| sign(*fate).0).collect();
        assert_eq!(signs.len(), fates.len());
    }

    #[test]
    fn what_is_too_long_is_cut_and_no_line_is_wider_than_asked() {
        let long = "一个很长的名字".repeat(3);
        let mut view = view();
        view.lower
            .push(names(&[(&long, Kind::File, Fate::Seen), ("a-name-that-is-long", Kind::File, Fate::Seen)]));
        let lines = drawn(&["b", "a", "upper/", "merged/"], &view, 60);
        assert!(lines.iter().all(|line| columns(line) <= 60), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("a-name-th… │")), "{lines:#?}");
    }
}
