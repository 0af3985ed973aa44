//! An upper layer in the form in which images are handed on, and back.
//!
//! An archive knows no whiteouts and no opaque directories, so the OCI image specification writes them as empty files
//! with names that nobody else may use:
//!
//! | in the upper layer | in the archive |
//! |---|---|
//! | `d/gone`, a whiteout | `d/.wh.gone` |
//! | `d`, an opaque directory | `d`, and `d/.wh..wh..opq` in it |
//!
//! See <https://github.com/opencontainers/image-spec/blob/main/layer.md>.

use super::mark::Marks;
use super::tree::{Node, What};
use crate::error::{Error, Problem, Result};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How the name of a whiteout begins.
const WHITEOUT: &str = ".wh.";
/// What makes its directory opaque.
const OPAQUE: &str = ".wh..wh..opq";

/// The upper layer `nodes`, whose notes are `marks`, as a layer to hand on. What overlayfs noted for itself is left out.
///
/// `LayerNotWhole` for what has no such form: a file of which only the metadata was copied up, a directory that was
/// renamed by redirection, and a name that begins with `.wh.`.
pub fn pack(nodes: Vec<Node>, marks: Marks) -> Result<Vec<Node>> {
    let mut packed = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        let has = |note: &str| node.attributes.contains_key(&marks.name(note));
        let reserved = name_of(&node.path).starts_with(WHITEOUT.as_bytes());
        if reserved || has("metacopy") || has("redirect") {
            return Err(Error::new(Problem::LayerNotWhole { path: node.path.display().to_string() }));
        }
        let opaque = node.attributes.get(&marks.name("opaque")).is_some_and(|value| value == b"y");
        node.attributes.retain(|name, _| !marks.is_own(name));
        let whiteout = node.what == What::Character(0, 0);
        if whiteout {
            node.path = beside(&node.path, &[WHITEOUT.as_bytes(), name_of(&node.path)].concat());
            node.what = What::File(Vec::new());
        }
        let note = opaque.then(|| Node {
            path: node.path.join(OPAQUE),
            what: What::File(Vec::new()),
            mode: 0,
            attributes: BTreeMap::new(),
            ..node.clone()
        });
        packed.push(node);
        packed.extend(note);
    }
    packed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(packed)
}

/// The layer `nodes`, as it was handed on, as an upper layer whose notes are `marks`.
pub fn unpack(nodes: Vec<Node>, marks: Marks) -> Vec<Node> {
    let mut opaque: Vec<PathBuf> = Vec::new();
    let mut unpacked = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        let name = name_of(&node.path).to_owned();
        if name == OPAQUE.as_bytes() {
            opaque.extend(node.path.parent().map(Path::to_owned));
            continue;
        }
        if let Some(gone) = name.strip_prefix(WHITEOUT.as_bytes()) {
            node.path = beside(&node.path, gone);
            node.what = What::Character(0, 0);
        }
        unpacked.push(node);
    }
    for node in unpacked.iter_mut().filter(|node| opaque.contains(&node.path)) {
        node.attributes.insert(marks.name("opaque"), b"y".to_vec());
    }
    unpacked.sort_by(|a, b| a.path.cmp(&b.path));
    unpacked
}

/// The upper layer `nodes` without what overlayfs noted for itself alone, for comparison: two upper layers that differ
/// only there show the same union.
pub fn essence(nodes: Vec<Node>, marks: Marks) -> Vec<Node> {
    let opaque = marks.name("opaque");
    let strip = |mut node: Node| {
        node.attributes.retain(|name, _| *name == opaque || !marks.is_own(name));
        node
    };
    nodes.into_iter().map(strip).collect()
}

fn name_of(path: &Path) -> &[u8] {
    path.file_name().map(OsStr::as_bytes).unwrap_or_default()
}

fn beside(path: &Path, name: &[u8]) -> PathBuf {
    path.with_file_name(OsString::from_vec(name.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(path: &str, what: What, attributes: &[(&str, &str)]) -> Node {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        let modified = (7, 8);
        Node {
            path: path.into(),
            what,
            mode: 0o755,
            owner: (1, 2),
            modified,
            attributes: attributes.collect(),
        }
    }

    fn paths(nodes: &[Node]) -> Vec<&str> {
        nodes.iter().map(|node| node.path.to_str().unwrap()).collect()
    }

    #[test]
    fn an_upper_layer_goes_out_and_comes_back() {
        let marks = Marks::new(true);
        let upper = vec![
            node("d", What::Directory, &[("user.note", "n"), ("user.overlay.opaque", "y")]),
            node("d/file", What::File(b"x".to_vec()), &[]),
            node("e", What::Directory, &[]),
            node("e/gone", What::Character(0, 0), &[]),
        ];
        let packed = pack(upper.clone(), marks).unwrap();
        assert_eq!(paths(&packed), ["d", "d/.wh..wh..opq", "d/file", "e", "e/.wh.gone"]);
        assert!(packed.iter().all(|node| node.attributes.keys().all(|name| !name.contains("overlay"))));
        assert_eq!(unpack(packed, marks), upper);
    }

    #[test]
    fn the_notes_become_those_of_the_other_overlay() {
        let upper = vec![node("d", What::Directory, &[("trusted.overlay.opaque", "y")])];
        let unpacked = unpack(pack(upper, Marks::new(false)).unwrap(), Marks::new(true));
        assert_eq!(unpacked[0].attributes["user.overlay.opaque"], b"y");
        assert_eq!(unpacked[0].attributes.len(), 1);
    }

    #[test]
    fn what_has_no_such_form_is_refused_by_name() {
        let marks = Marks::new(true);
        for bad in [
            node("d/.wh.x", What::File(Vec::new()), &[]),
            node("f", What::File(Vec::new()), &[("user.overlay.metacopy", "")]),
            node("r", What::Directory, &[("user.overlay.redirect", "q")]),
        ] {
            let path = bad.path.display().to_string();
            assert_eq!(pack(vec![bad], marks).unwrap_err().problem, Problem::LayerNotWhole { path });
        }
    }

    #[test]
    fn what_overlayfs_notes_for_itself_makes_no_difference() {
        let marks = Marks::new(true);
        let copied = node("f", What::File(Vec::new()), &[("user.overlay.origin", "q"), ("user.a", "b")]);
        let plain = node("f", What::File(Vec::new()), &[("user.a", "b")]);
        assert_eq!(essence(vec![copied], marks), [plain]);
    }
}
