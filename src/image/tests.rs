//! The store: what is added is found, what is not finished is not there, and what nobody names goes.

use super::*;
use crate::error::ImageProblem;
use crate::sys::errno::EEXIST;
use std::collections::BTreeSet;

fn store() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path());
    (root, store)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// An image whose one layer has a file of this text; the digest of its manifest.
fn add(adding: &mut Adding, text: &str) -> Digest {
    let directory = adding.layer_directory().unwrap();
    file::write_new(&directory.join("file"), text, 0o644).unwrap();
    sys_time(&directory.join("file"));
    let layer = seal::adopt(adding, directory).unwrap();
    let config = Config { cmd: vec![text.to_owned()], ..Config::default() };
    seal::describe(adding, config, &[layer], Vec::new()).unwrap()
}

/// The same file is the same layer whenever it was written.
fn sys_time(path: &Path) {
    crate::sys::inode::set_modified(path, (1_000_000_000, 0)).unwrap();
}

fn named(store: &Store, text: &str, called: &str) -> Digest {
    let mut adding = store.change().unwrap();
    let manifest = add(&mut adding, text);
    adding.tag(&name(called), &manifest).unwrap();
    adding.finish().unwrap();
    manifest
}

/// Every name below `root`, sorted, with the contents of files.
fn all(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => {
                found.push((path.clone(), Vec::new()));
                found.extend(all(&path));
            }
            false => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn what_was_added_is_found_by_every_word_for_it() {
    let (root, store) = store();
    assert_eq!(store.find("a/b:1"), Ok(None));
    let manifest = named(&store, "one", "a/b:1");
    let image = store.find("a/b:1").unwrap().unwrap();
    assert_eq!(
        (image.name.as_str(), image.manifest, image.config.cmd[0].as_str()),
        ("a/b:1", manifest, "one")
    );
    assert_eq!(std::fs::read(image.layers[0].join("file")).unwrap(), b"one");
    assert!(image.layers[0].starts_with(root.path().join("layers")) && image.is_whole().unwrap());
    let by_digest = format!("a/b@{manifest}");
    for word in [&image.id.to_string(), &image.id.hex(), &image.id.short(), &by_digest] {
        assert_eq!(store.find(word).unwrap().unwrap().id, image.id, "{word}");
    }
    let elsewhere = format!("other@{manifest}");
    for word in ["a/b", "a/b:2", "sha256:0123456789", &elsewhere, "../a"] {
        assert_eq!(store.find(word), Ok(None), "{word}");
    }
    assert_eq!(store.names(), Ok(vec!["a/b:1".to_owned()]));
}

#[test]
fn an_id_that_begins_several_names_none() {
    let (_root, store) = store();
    // Of 17 images, two have an id that begins with the same digit.
    for text in 0..17 {
        named(&store, &text.to_string(), &format!("i:{text}"));
    }
    let ids: Vec<String> = store.list().unwrap().0.iter().map(|image| image.id.hex()).collect();
    let twice = ids.iter().find(|id| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1).unwrap();
    let problem = store.find(&format!("sha256:{}", &twice[..1])).unwrap_err().problem;
    assert_eq!(problem, Problem::Image(ImageProblem::AmbiguousId { text: twice[..1].to_owned() }));
}

#[test]
fn a_layer_is_there_once() {
    let (_root, store) = store();
    let one = named(&store, "same", "one");
    let mut adding = store.change().unwrap();
    let directory = adding.layer_directory().unwrap();
    file::write_new(&directory.join("file"), "same", 0o644).unwrap();
    sys_time(&directory.join("file"));
    let layer = seal::adopt(&mut adding, directory).unwrap();
    let two = seal::describe(&mut adding, Config::default(), &[layer], Vec::new()).unwrap();
    adding.tag(&name("two"), &two).unwrap();
    adding.finish().unwrap();
    assert_ne!(one, two);
    let (images, _) = store.list().unwrap();
    assert_eq!((images.len(), images[0].layers[0].path == images[1].layers[0].path), (2, true));
}

#[test]
fn what_is_not_finished_leaves_the_store_as_it_was() {
    let (root, store) = store();
    named(&store, "one", "one");
    let before = all(root.path());
    let mut adding = store.change().unwrap();
    let manifest = add(&mut adding, "two");
    adding.tag(&name("one"), &manifest).unwrap();
    adding.tag(&name("two"), &manifest).unwrap();
    drop(adding);
    assert_eq!(all(root.path()), before);
    let mut adding = store.change().unwrap();
    let wrong = Digest::of(b"other");
    let problem = adding.blob(&mut &b"text"[..], Some((&wrong, 4))).unwrap_err().problem;
    assert!(matches!(problem, Problem::Image(ImageProblem::WrongDigest { .. })), "{problem:?}");
    for length in [3, 5] {
        let text = Digest::of(b"text");
        let problem = adding.blob(&mut &b"text"[..], Some((&text, length))).unwrap_err().problem;
        assert!(matches!(problem, Problem::Image(ImageProblem::WrongSize { .. })), "{problem:?}");
    }
    drop(adding);
    assert_eq!(all(root.path()), before);
}

/// Killed between any two of its renames.
#[test]
fn what_a_killed_one_left_is_removed() {
    let (root, store) = store();
    named(&store, "one", "one");
    let before = all(root.path());
    let layers = root.path().join("layers");
    for left in [".new-7/deep", ".new-gone/deep"] {
        file::mkdir_all(&layers.join(left), 0o755).unwrap();
    }
    file::write_new(&root.path().join("blobs/sha256/.new-3"), "half", 0o600).unwrap();
    let (blob, layer) = (Digest::of(b"blob"), Digest::of(b"layer"));
    file::write_new(&store.blob_path(&blob), "blob", 0o600).unwrap();
    file::mkdir_all(&layers.join(layer.short()).join("deep"), 0o755).unwrap();
    file::write_new(&layers.join(format!("{}.json", layer.short())), "{}", 0o600).unwrap();
    // What the note mentions and an image has stays.
    let one = &store.list().unwrap().0[0];
    let mentioned = [
        &store.blob_path(&blob),
        &layers.join(layer.short()),
        &store.blob_path(&one.id),
        &one.layers[0].path,
    ];
    file::write_new(&layers.join(".adding"), &serde_json::to_string(&mentioned).unwrap(), 0o600).unwrap();
    drop(store.change().unwrap());
    assert_eq!(all(root.path()), before);
}

#[test]
fn a_name_moves_and_the_image_before_stays_without_one() {
    let (_root, store) = store();
    let one = named(&store, "one", "it");
    let two = named(&store, "two", "it");
    let (images, damaged) = store.list().unwrap();
    assert!(damaged.is_empty());
    let names =
        |manifest| images.iter().find(|image| image.manifest == manifest).map(|image| image.names.clone());
    assert_eq!((names(one), names(two)), (Some(vec![]), Some(vec![name("it")])));
    assert_eq!(store.find("it").unwrap().unwrap().manifest, two);
    // With a name again, it is no longer kept without one.
    let mut adding = store.change().unwrap();
    adding.tag(&name("again"), &one).unwrap();
    adding.finish().unwrap();
    assert_eq!(store.records().unwrap().len(), 2);
}

#[test]
fn what_nobody_names_or_uses_goes() {
    let (root, store) = store();
    named(&store, "kept", "kept");
    let before = all(root.path());
    named(&store, "used", "used");
    named(&store, "gone", "gone");
    let used = store.find("used").unwrap().unwrap();
    let mut adding = store.change().unwrap();
    assert_eq!(adding.untag(&name("used")), Ok(true));
    assert_eq!(adding.untag(&name("gone")), Ok(true));
    assert_eq!(adding.untag(&name("gone")), Ok(false));
    let gone = adding.collect(&BTreeSet::from([used.layers[0].clone()])).unwrap();
    assert_eq!((gone.layers.len(), gone.blobs.len()), (1, 4));
    assert!(used.is_whole().unwrap());
    adding.collect(&BTreeSet::new()).unwrap();
    assert!(!used.is_whole().unwrap());
    drop(adding);
    assert_eq!(all(root.path()), before);
}

#[test]
fn a_layer_made_here_becomes_a_blob_when_it_is_wanted() {
    let (_root, store) = store();
    let manifest = named(&store, "one", "one");
    let layer = store.listed(&manifest).unwrap().layers[0].clone();
    assert_eq!(store.has_blob(&layer.blob.0), Ok(false));
    let mut adding = store.change().unwrap();
    seal(&mut adding, &layer).unwrap();
    adding.finish().unwrap();
    assert_eq!(Digest::of(&std::fs::read(store.blob_path(&layer.blob.0)).unwrap()), layer.diff_id);
    std::fs::remove_file(store.blob_path(&layer.blob.0)).unwrap();
    std::fs::write(layer.path.join("file"), "changed").unwrap();
    let problem = seal(&mut store.change().unwrap(), &layer).unwrap_err().problem;
    assert!(matches!(problem, Problem::StateDamaged { .. }));
}

#[test]
fn a_damaged_record_concerns_its_image_alone() {
    let (root, store) = store();
    named(&store, "good", "good");
    let bad = root.path().join("images/bad:latest.json");
    let nothing = format!(r#"{{"manifest":"{}"}}"#, Digest::of(b""));
    for text in ["", "{", "[]", r#"{"manifest":"../good"}"#, &nothing] {
        std::fs::write(&bad, text).unwrap();
        let error = store.find("bad").expect_err(text);
        assert!(matches!(error.problem, Problem::StateDamaged { .. }), "{text}: {error:?}");
        let (images, damaged) = store.list().unwrap();
        assert_eq!((images.len(), damaged.len()), (1, 1));
        // Nobody knows what belongs to it.
        assert!(store.change().unwrap().collect(&BTreeSet::new()).is_err());
    }
    assert!(matches!(store.find("good"), Ok(Some(_))));
    assert_eq!(store.change().unwrap().untag(&name("bad")), Ok(true));
    assert!(store.change().unwrap().collect(&BTreeSet::new()).is_ok());
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_damaged() {
    let (_root, store) = store();
    let manifest = named(&store, "one", "one");
    let id = store.find("one").unwrap().unwrap().id;
    std::fs::copy(store.blob_path(&manifest), store.blob_path(&id)).unwrap();
    assert!(matches!(store.find("one").unwrap_err().problem, Problem::StateDamaged { .. }));
}

#[test]
fn a_layer_is_not_taken_for_another_of_the_same_first_digits() {
    let (root, store) = store();
    named(&store, "one", "one");
    let layer = store.list().unwrap().0[0].layers[0].clone();
    let beside = layer.path.with_extension("json");
    let text = std::fs::read_to_string(&beside).unwrap().replace(&layer.diff_id.hex()[12..], &"0".repeat(52));
    std::fs::write(&beside, text).unwrap();
    let before = all(root.path());
    let problem = store.find("one").unwrap_err().problem;
    assert!(matches!(problem, Problem::Image(ImageProblem::LayerNameTaken { .. })), "{problem:?}");
    assert_eq!(all(root.path()), before);
}

#[test]
fn all_is_cleared_but_the_lock() {
    let (root, store) = store();
    named(&store, "one", "one");
    store.change().unwrap().clear().unwrap();
    let files: Vec<_> = all(root.path()).into_iter().map(|(path, _)| path).collect();
    let expected = ["blobs", "blobs/sha256", "images", "layers", "layers/.lock"];
    assert_eq!(files, expected.map(|name| root.path().join(name)));
    assert!(!matches!(store.change(), Err(error) if error.is(EEXIST)));
}
