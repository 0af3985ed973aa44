//! The layers and the union, name by name, and what became of each name: read from the directories themselves.
//!
//! The rule of the union, from the top down: the first layer that has a name decides on it. A whiteout says that there
//! is none; a directory goes on into the layers below, unless it is opaque; anything else covers what is below.

use super::Layers;
use super::mark::{self, Marks};
use crate::error::Result;
use crate::sys::file::{self, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What became of a name in one column of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// In a lower layer: it is seen in the union.
    Seen,
    /// In a lower layer: the same name stands in a layer above, and covers it.
    Shadowed,
    /// In a lower layer: a whiteout, or an opaque directory, hides it.
    Hidden,
    /// In a layer above another: made there.
    Own,
    /// In the upper layer: copied there from below before it was changed.
    CopiedUp,
    /// A whiteout.
    Whiteout,
    /// An opaque directory.
    Opaque,
    /// In the union: it comes from the upper layer.
    FromUpper,
    /// In the union: it comes from a lower layer.
    FromLower,
    /// In the union: a directory that unites directories of several layers.
    United,
}

/// One name in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What it is.
    pub kind: Kind,
    /// What became of it.
    pub fate: Fate,
    /// Whether it is a whiteout, be it one that is covered itself.
    pub whiteout: bool,
}

/// Names by their paths from the top of their layer, each directory before what is in it.
pub type Names = BTreeMap<PathBuf, Name>;

/// The layers and their union.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The lower layers, the topmost first.
    pub lower: Vec<Names>,
    /// The upper layer.
    pub upper: Names,
    /// The union as the kernel shows it; empty while it is not mounted.
    pub merged: Names,
}

impl View {
    /// The names that the union has by the rule, from the layers alone. Redirected directories are not followed.
    pub fn union(&self) -> BTreeSet<&Path> {
        let above = self.upper.iter().filter(|(_, name)| name.fate != Fate::Whiteout);
        let below = self.lower.iter().flatten().filter(|(_, name)| name.fate == Fate::Seen);
        above.chain(below).map(|(path, _)| path.as_path()).collect()
    }

    /// Whether the kernel shows the very names that the rule says.
    pub fn agrees(&self) -> bool {
        self.union() == self.merged.keys().map(PathBuf::as_path).collect()
    }
}

/// What one layer holds, before it is compared with the others.
#[derive(Debug, Clone, Copy)]
struct Found {
    kind: Kind,
    whiteout: bool,
    opaque: bool,
    copied: bool,
}

type Layer = BTreeMap<PathBuf, Found>;

/// Look at all of `layers`. A layer that is not there is empty. Meant for a few dozen names: each is asked about.
pub fn look(layers: &Layers) -> Result<View> {
    let marks = Marks::of(layers);
    let upper = scan(&layers.upper, marks)?;
    let lower: Vec<Layer> = layers.lower.iter().map(|top| scan(top, marks)).collect::<Result<_>>()?;
    let merged = scan(&layers.merged, marks)?;
    let united = is_mounted(layers)?;
    let stack: Vec<&Layer> = std::iter::once(&upper).chain(&lower).collect();
    let below = |(index, layer): (usize, &Layer)| match united {
        true => classify(layer, &stack[..=index]),
        false => layer.iter().map(|(path, found)| (path.clone(), own(found, Fate::Seen))).collect(),
    };
    let lower = lower.iter().enumerate().map(below).collect();
    let merged = merged.iter().map(|(path, found)| (path.clone(), origin(path, found, &stack))).collect();
    let upper = upper.iter().map(|(path, found)| (path.clone(), own(found, Fate::Own))).collect();
    Ok(View { lower, upper, merged })
}

/// Whether something is mounted on `merged`: it is on another device than the upper layer.
fn is_mounted(layers: &Layers) -> Result<bool> {
    let device = |path| Ok(file::if_there(file::status(path))?.map(|status| status.identity.0));
    let merged = device(&layers.merged)?;
    Ok(merged.is_some() && merged != device(&layers.upper)?)
}

/// All names below `top`.
fn scan(top: &Path, marks: Marks) -> Result<Layer> {
    let mut layer = Layer::new();
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        for (name, kind) in file::if_there(file::list(&top.join(&directory)))?.unwrap_or_default() {
            let (path, full) = (directory.join(&name), top.join(&directory).join(&name));
            let is_directory = kind == Kind::Directory;
            let found = Found {
                kind,
                whiteout: kind == Kind::Character && mark::is_whiteout(&file::link_status(&full)?),
                opaque: is_directory && marks.is_opaque(&full)?,
                copied: marks.is_copied(&full)?,
            };
            layer.insert(path.clone(), found);
            if is_directory {
                open.push(path);
            }
        }
    }
    Ok(layer)
}

/// A name that nothing above concerns; `plain` is its fate when it is nothing special.
fn own(found: &Found, plain: Fate) -> Name {
    let fate = match found {
        Found { whiteout: true, .. } => Fate::Whiteout,
        Found { opaque: true, .. } => Fate::Opaque,
        Found { copied: true, .. } => Fate::CopiedUp,
        _ => plain,
    };
    Name { kind: found.kind, fate, whiteout: found.whiteout }
}

/// The names of a lower layer below `above`.
fn classify(layer: &Layer, above: &[&Layer]) -> Names {
    let fate = |(path, found): (&PathBuf, &Found)| {
        let covered = above.iter().find_map(|one| covers(one, path, found));
        let fate = covered.unwrap_or(if found.whiteout { Fate::Whiteout } else { Fate::Seen });
        (path.clone(), Name { kind: found.kind, fate, whiteout: found.whiteout })
    };
    layer.iter().map(fate).collect()
}

/// What the layer `above` does to `path` of a layer below.
fn covers(above: &Layer, path: &Path, below: &Found) -> Option<Fate> {
    let mut ancestors: Vec<&Path> = path.ancestors().skip(1).filter(|path| *path != Path::new("")).collect();
    ancestors.reverse();
    for ancestor in ancestors {
        match above.get(ancestor) {
            Some(found) if found.whiteout || found.opaque => return Some(Fate::Hidden),
            Some(found) if found.kind != Kind::Directory => return Some(Fate::Hidden),
            Some(_) => {}
            None => return None,
        }
    }
    let found = above.get(path)?;
    match (found.kind, below.kind) {
        _ if found.whiteout => Some(Fate::Hidden),
        (Kind::Directory, Kind::Directory) if !found.opaque => None,
        _ => Some(Fate::Shadowed),
    }
}

/// Where a name of the union comes from. `stack` has the upper layer first.
fn origin(path: &Path, found: &Found, stack: &[&Layer]) -> Name {
    let (upper, lower) = (&stack[0], &stack[1..]);
    let here = upper.get(path);
    let hidden = here.is_some_and(|here| here.opaque)
        || path.ancestors().skip(1).any(|one| upper.get(one).is_some_and(|one| one.opaque));
    let below =
        !hidden && lower.iter().any(|layer| layer.get(path).is_some_and(|one| one.kind == Kind::Directory));
    let fate = match (here, found.kind) {
        (Some(_), Kind::Directory) if below => Fate::United,
        (Some(_), _) => Fate::FromUpper,
        (None, _) => Fate::FromLower,
    };
    Name { kind: found.kind, fate, whiteout: found.whiteout }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Found = Found { kind: Kind::File, whiteout: false, opaque: false, copied: false };
    const DIRECTORY: Found = Found { kind: Kind::Directory, ..FILE };
    const WHITEOUT: Found = Found { kind: Kind::Character, whiteout: true, ..FILE };
    const OPAQUE: Found = Found { opaque: true, ..DIRECTORY };

    fn layer(names: &[(&str, Found)]) -> Layer {
        names.iter().map(|(path, found)| (path.into(), *found)).collect()
    }

    fn fates(layer: &Layer, above: &[&Layer]) -> Vec<(String, Fate)> {
        let names = classify(layer, above).into_iter();
        names.map(|(path, name)| (path.display().to_string(), name.fate)).collect()
    }

    #[test]
    fn the_first_layer_that_has_a_name_decides() {
        let lower = layer(&[("both", FILE), ("d", DIRECTORY), ("d/x", FILE), ("gone", FILE), ("low", FILE)]);
        let upper = layer(&[("both", FILE), ("d", DIRECTORY), ("gone", WHITEOUT), ("new", FILE)]);
        let expected = [
            ("both", Fate::Shadowed),
            ("d", Fate::Seen),
            ("d/x", Fate::Seen),
            ("gone", Fate::Hidden),
            ("low", Fate::Seen),
        ];
        assert_eq!(fates(&lower, &[&upper]), expected.map(|(path, fate)| (path.to_owned(), fate)));
    }

    #[test]
    fn what_is_in_an_opaque_or_deleted_directory_or_below_a_file_is_hidden() {
        let lower = layer(&[("d", DIRECTORY), ("d/x", FILE)]);
        for (above, fate) in [
            (OPAQUE, [Fate::Shadowed, Fate::Hidden]),
            (WHITEOUT, [Fate::Hidden, Fate::Hidden]),
            (FILE, [Fate::Shadowed, Fate::Hidden]),
        ] {
            let upper = layer(&[("d", above)]);
            assert_eq!(fates(&lower, &[&upper]), [("d".into(), fate[0]), ("d/x".into(), fate[1])]);
        }
    }

    #[test]
    fn directories_of_several_layers_are_united() {
        let lower = layer(&[("d", DIRECTORY), ("d/x", FILE), ("o", DIRECTORY)]);
        let upper = layer(&[("d", DIRECTORY), ("d/y", FILE), ("o", OPAQUE), ("o/z", FILE)]);
        let stack = [&upper, &lower];
        let from = |path: &str, found: Found| origin(Path::new(path), &found, &stack).fate;
        assert_eq!(from("d", DIRECTORY), Fate::United);
        assert_eq!((from("d/x", FILE), from("d/y", FILE)), (Fate::FromLower, Fate::FromUpper));
        assert_eq!((from("o", DIRECTORY), from("o/z", FILE)), (Fate::FromUpper, Fate::FromUpper));
    }

    #[test]
    fn directories_that_are_not_mounted_are_read_and_nothing_is_covered() {
        let top = tempfile::tempdir().unwrap();
        let place = |name: &str| top.path().join(name);
        for name in ["lower/d", "upper", "merged"] {
            std::fs::create_dir_all(place(name)).unwrap();
        }
        for name in ["lower/f", "lower/d/x", "upper/f"] {
            std::fs::write(place(name), name).unwrap();
        }
        let layers = Layers {
            lower: vec![place("lower")],
            upper: place("upper"),
            merged: place("merged"),
            userxattr: true,
            ..Layers::default()
        };
        let view = look(&layers).unwrap();
        let lower: Vec<_> =
            view.lower[0].iter().map(|(path, name)| (path.to_str().unwrap(), name.fate)).collect();
        assert_eq!(lower, [("d", Fate::Seen), ("d/x", Fate::Seen), ("f", Fate::Seen)]);
        assert_eq!(view.upper[Path::new("f")].fate, Fate::Own);
        assert_eq!(view.union().len(), 3);
        assert!(!view.agrees(), "nothing is mounted");
    }
}
