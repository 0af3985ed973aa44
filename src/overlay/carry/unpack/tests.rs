//! What is copied lands where Docker would put it, and nothing leads it astray.

use super::super::pack::pack;
use super::super::{Origin, name};
use super::*;
use crate::overlay::ustar::write;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use tempfile::TempDir;

/// Copy `from` to `to`, both below `top`, as `cp` does on both sides; within `bounds` where it lands.
fn copy(top: &TempDir, from: &str, to: &str, bounds: Bounds) -> Result<Made> {
    let path = |text: &str| PathBuf::from(format!("{}/{text}", top.path().display()));
    let origin = Origin::find(&path(from), Bounds::Root, false)?;
    let landing = Landing::find(&path(to), Bounds::Root)?;
    let mut stream = Vec::new();
    let mut sink = |bytes: &[u8]| {
        stream.extend_from_slice(bytes);
        Ok(())
    };
    pack(&origin, name(&origin, &landing)?.as_deref(), &mut sink)?;
    read(&landing, bounds, &stream)
}

fn read(landing: &Landing, bounds: Bounds, mut stream: &[u8]) -> Result<Made> {
    unpack(landing, bounds, Owner::Maker, &mut |room| {
        let length = room.len().min(stream.len());
        room[..length].copy_from_slice(&stream[..length]);
        stream = &stream[length..];
        Ok(length)
    })
}

fn ground() -> TempDir {
    let top = tempfile::tempdir().unwrap();
    let make = |path: &str| std::fs::create_dir_all(top.path().join(path)).unwrap();
    ["dir/sub", "there", "other"].iter().for_each(|path| make(path));
    for (path, text) in [("dir/sub/f", "f"), ("file", "file"), ("old", "old")] {
        std::fs::write(top.path().join(path), text).unwrap();
    }
    std::fs::hard_link(top.path().join("dir/sub/f"), top.path().join("dir/same")).unwrap();
    symlink("../file", top.path().join("dir/link")).unwrap();
    symlink("there", top.path().join("to-there")).unwrap();
    top
}

fn problem(answer: Result<Made>) -> InsideProblem {
    match answer.unwrap_err().problem {
        Problem::Inside(problem) => problem,
        problem => panic!("{problem:?}"),
    }
}

#[test]
fn what_a_copy_is_called_depends_on_both_ends() {
    let top = &ground();
    for (from, to, made) in [
        ("file", "new", "new"),
        ("file", "old", "old"),
        ("file", "there", "there/file"),
        ("file", "there/", "there/file"),
        ("file", "to-there", "there/file"),
        ("dir", "fresh", "fresh/sub/f"),
        ("dir/", "fresh2/", "fresh2/sub/f"),
        ("dir/.", "fresh3", "fresh3/sub/f"),
        ("dir", "there", "there/dir/sub/f"),
        ("dir/", "there/.", "there/dir/sub/f"),
        ("dir/.", "there", "there/sub/f"),
        ("to-there/.", "other", "other/file"),
    ] {
        copy(top, from, to, Bounds::Beneath).unwrap_or_else(|error| panic!("{from} → {to}: {error}"));
        assert!(top.path().join(made).exists(), "{from} → {to}: no {made}");
    }
    let f = std::fs::metadata(top.path().join("fresh/sub/f")).unwrap();
    assert_eq!((f.nlink(), f.ino()), (2, std::fs::metadata(top.path().join("fresh/same")).unwrap().ino()));
    assert_eq!(std::fs::read_link(top.path().join("fresh/link")).unwrap(), Path::new("../file"));
    assert_eq!(std::fs::read_to_string(top.path().join("old")).unwrap(), "file");
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_touched() {
    let top = &ground();
    let refused = |from: &str, to: &str| problem(copy(top, from, to, Bounds::Beneath));
    assert!(matches!(refused("file", "nowhere/"), InsideProblem::NoSuchDirectory { .. }));
    assert!(matches!(refused("file", "no/where"), InsideProblem::NothingThere { .. }));
    assert!(matches!(refused("dir", "old"), InsideProblem::DirectoryOverFile { .. }));
    assert!(matches!(refused("gone", "new"), InsideProblem::NothingThere { .. }));
    assert!(matches!(refused("file/", "new"), InsideProblem::NothingThere { .. }));
    std::fs::create_dir_all(top.path().join("there/file")).unwrap();
    assert!(matches!(refused("file", "there"), InsideProblem::FileOverDirectory { .. }));
    std::fs::write(top.path().join("there/dir"), "kept").unwrap();
    assert!(matches!(refused("dir", "there"), InsideProblem::DirectoryOverFile { .. }));
    assert_eq!(std::fs::read_to_string(top.path().join("there/dir")).unwrap(), "kept");
    assert!(!top.path().join("new").exists());
}

#[test]
fn no_archive_leads_out() {
    let top = &ground();
    let node = |path: &str, what| Node {
        path: path.into(),
        what,
        mode: 0o4755,
        owner: (0, 0),
        modified: (5, 6),
        attributes: BTreeMap::new(),
    };
    let file = |path: &str| node(path, What::File(b"evil".to_vec()));
    let landing = Landing::directory(&top.path().join("there"), Bounds::Root).unwrap();
    for nodes in [
        vec![node("a", What::Link("../other".into())), file("a/f")],
        vec![node("b", What::Link(top.path().join("other"))), file("b/f")],
        vec![node("c", What::Link("../old".into())), node("d", What::Same("c/x".into()))],
        vec![file("../f")],
    ] {
        assert!(read(&landing, Bounds::Beneath, &write(&nodes).unwrap()).is_err(), "{nodes:?}");
    }
    // A link is replaced, not written through.
    let nodes = [node("e", What::Link("../old".into())), file("e")];
    read(&landing, Bounds::Beneath, &write(&nodes).unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(top.path().join("old")).unwrap(), "old");
    let made = std::fs::symlink_metadata(top.path().join("there/e")).unwrap();
    assert_eq!((made.mode() & 0o7777, made.mtime()), (0o755, 5));
    assert_eq!(std::fs::read_dir(top.path().join("other")).unwrap().count(), 0);
}
