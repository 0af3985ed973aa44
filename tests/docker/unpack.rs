//! Unpacking: the same tree as others make of an image, and nothing outside of it, whatever a layer says.

use super::images::done;
use super::load::{all, load, put};
use super::save::sh;
use super::tarball::{
    Layout, Member, config, directory, docker_archive, file, gzip, hard_link, hex, member, named, symlink,
    tar,
};
use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root, as_user};
use minidocker::overlay::tree::{Node, What};
use minidocker::sys::inode::set_attribute;
use serde_json::json;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub fn tests() -> Vec<Test> {
    let tools = &[Need::Program("umoci", "umoci"), Need::Program("tar", "tar")];
    [
        as_root(tools, umoci_makes_the_same_tree),
        as_root(&[], layers_show_what_they_would_in_one_tree),
        as_both(&[], no_layer_reaches_outside),
        as_both(&[], what_is_cut_off_leaves_the_store_as_it_was),
        as_both(&[], what_was_changed_on_the_way_is_noticed),
        as_both(&[], digests_and_sizes_are_checked),
        as_both(&[Need::FaultHook], whatever_fails_there_is_all_or_nothing),
        as_user(&[], what_an_ordinary_user_cannot_make),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What the containers of an image see, as tar(1) reads it: everything but the top.
fn tree_of(space: &Space, image: &str, directory: &Path) -> Vec<Node> {
    let layers = minidocker::image::find(&space.root(), image).unwrap().layers;
    let lower: Vec<String> = layers.iter().map(|path| path.display().to_string()).collect();
    // The kernel wants two.
    std::fs::create_dir_all(directory.join("empty")).unwrap();
    std::fs::create_dir_all(directory.join("merged")).unwrap();
    let lower = format!("{}:{}/empty", lower.join(":"), directory.display());
    let mount = format!("mount -t overlay overlay -o lowerdir={lower} merged; cd merged; {PACK}");
    std::fs::write(directory.join("script"), mount).unwrap();
    sh(directory, "unshare --mount sh -e script");
    archived(&directory.join("tree.tar"))
}

/// All of the working directory into `../tree.tar`, beside which it stands.
const PACK: &str =
    "tar -c --format=pax --numeric-owner --sort=name --xattrs --xattrs-include='*' -f ../tree.tar .";

fn archived(path: &Path) -> Vec<Node> {
    minidocker::overlay::ustar::read(&std::fs::read(path).unwrap()).unwrap()
}

fn umoci_makes_the_same_tree() {
    let space = Space::bare(Who::Root);
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    sh(at, "umoci init --layout lay; umoci new --image lay:one; umoci unpack --image lay:one b");
    first_layer(&at.join("b/rootfs"));
    sh(at, "umoci repack --refresh-bundle --image lay:one b");
    let second = "cd b/rootfs; rm gone d/gone; rm -r dir-gone again; mkdir again; echo new > again/new; rm -r tofile
        echo file > tofile; rm todir; mkdir -m 711 todir; chmod 700 d; ln -sfn elsewhere link; chown 5:6 deep/er";
    sh(at, second);
    sh(at, "umoci repack --image lay:one b; umoci unpack --image lay:one other");
    let loaded = space.minidocker(&["load", "-i", &at.join("lay").display().to_string()]);
    assert_eq!(done(&loaded), "Loaded image: lay:one\n");
    sh(&at.join("other/rootfs"), PACK);
    let theirs = archived(&at.join("other/tree.tar"));
    let ours = tree_of(&space, "lay:one", at);
    let paths = |nodes: &[Node]| nodes.iter().map(|node| node.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&ours), paths(&theirs));
    for (our, their) in ours.iter().zip(&theirs) {
        assert_eq!(our, their);
    }
    assert!(ours.len() > 20 && ours.iter().any(|node| matches!(node.what, What::Same(_))));
    assert!(ours.iter().any(|node| node.attributes.contains_key("security.capability")));
}

/// Types, modes, owners, times, links, attributes.
fn first_layer(root: &Path) {
    let script = "mkdir -p d/empty dir-gone/x again deep/er/est; echo 1 > d/file; echo 2 > gone; echo 3 > d/gone
        echo old > again/old; mkdir tofile; echo x > tofile/x; echo y > todir; mkfifo -m 640 pipe; mknod null c 1 3
        mknod -m 600 disk b 7 200; ln d/file same; ln -s /etc/passwd absolute; ln -s ../.. up; ln -s nowhere link
        cp /bin/true setuid; chmod 4755 setuid; chmod 1777 d/empty; mkdir -m 500 closed; echo z > closed/z
        chown 1000:2000 d/file; chown -h 12:34 link; chown 4000000:5 deep; head -c 3000000 /dev/urandom > large
        touch -d '2001-02-03 04:05:06.123456789 UTC' setuid; touch -d @1000000000 d/empty
        echo long > $(printf 'n%.0s' $(seq 200)); mkdir -p $(printf 'p%.0s' $(seq 90))/$(printf 'q%.0s' $(seq 90))";
    sh(root, script);
    set_attribute(&root.join("d/file"), "user.note", b"of a file\0\xff").unwrap();
    set_attribute(&root.join("deep"), "user.note", b"of a directory").unwrap();
    // A version 2 capability set: cap_net_raw, effective.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    set_attribute(&root.join("setuid"), "security.capability", &capability).unwrap();
}

/// Directories that no member makes, links on the way, whiteouts before and after what they do not hide.
fn layers_show_what_they_would_in_one_tree() {
    let space = Space::bare(Who::Root);
    let place = tempfile::tempdir().unwrap();
    let owned = Member { mode: 0o710, owner: (7, 8), ..directory("a") };
    let below = tar(&[
        owned,
        file("a/below", b"1"),
        directory("usr/lib"),
        symlink("lib", "usr/lib"),
        file("usr/lib/old", b"2"),
        directory("hidden"),
        file("hidden/x", b"3"),
        file("both", b"4"),
        directory("kept"),
        file("kept/x", b"5"),
    ]);
    let above = tar(&[
        file("a/b/above", b"6"),
        file("lib/new", b"7"),
        file("hidden/new", b"8"),
        file("hidden/.wh..wh..opq", b""),
        file(".wh.both", b""),
        file("both", b"9"),
        file("kept/.wh.y", b""),
        file(".wh.nothing", b""),
        file(".wh..wh.plnk", b""),
        file("./twice", b"first"),
        file("twice", b"second"),
        hard_link("lib/same", "usr/lib/new"),
    ]);
    let layers = [below, above];
    let path =
        put(&space, "a.tar", &tar(&docker_archive(Some("a:1"), &config(&layers, &json!({})), &layers)));
    done(&load(&space, &path));
    let tree = tree_of(&space, "a:1", place.path());
    let paths: Vec<&str> = tree.iter().map(|node| node.path.to_str().unwrap()).collect();
    let expected = "a a/b a/b/above a/below both hidden hidden/new kept kept/x lib twice usr usr/lib usr/lib/new \
                    usr/lib/old usr/lib/same";
    assert_eq!(paths.join(" "), expected);
    assert_eq!((tree[0].mode, tree[0].owner), (0o710, (7, 8)), "the mode and owner from below");
    assert_eq!(tree[4].what, What::File(b"9".to_vec()));
    assert_eq!(tree[10].what, What::File(b"second".to_vec()));
    assert_eq!(tree[15].what, What::Same("usr/lib/new".into()));
}

/// Layers that want out, and whether they are refused; the others come to nothing.
fn evil(outside: &str) -> Vec<(&'static str, Vec<u8>, bool)> {
    let up = "../".repeat(12);
    let out = format!("{up}{}", outside.trim_start_matches('/'));
    let device = Member { device: (0, 0), ..member(b'3', "whiteout") };
    let long = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let giant = Member { size: Some(0o77777777777), ..file("giant", b"x") };
    let endless = Member { records: long("size", "9223372036854775807"), ..file("endless", b"x") };
    let redirect = long("SCHILY.xattr.trusted.overlay.redirect", outside);
    let loop_back = [symlink("x", "y"), symlink("y", "x"), file("x/z", b"")];
    vec![
        ("absolute", tar(&[file(&format!("{outside}/kept"), b"evil")]), false),
        ("dots", tar(&[file(&format!("{out}/kept"), b"evil")]), true),
        ("dots inside", tar(&[directory("a"), file("a/../../kept", b"evil")]), true),
        ("dots in a record", tar(&[Member { records: long("path", "../../x"), ..file("x", b"evil") }]), true),
        ("through an absolute link", tar(&[symlink("l", outside), file("l/kept", b"evil")]), false),
        ("through a relative link", tar(&[symlink("l", &out), file("l/kept", b"evil")]), false),
        ("over a link", tar(&[symlink("l", &format!("{outside}/kept")), file("l", b"evil")]), false),
        ("directory over a link", tar(&[symlink("l", outside), directory("l"), file("l/kept", b"x")]), false),
        ("mode through a link", tar(&[Member { mode: 0o777, ..symlink("l", outside) }]), false),
        ("hard link out", tar(&[hard_link("h", &format!("{outside}/kept"))]), true),
        ("hard link by dots", tar(&[hard_link("h", &format!("{out}/kept"))]), true),
        ("hard link by a link", tar(&[symlink("l", outside), hard_link("h", "l/kept")]), true),
        ("hard link to a directory", tar(&[directory("d"), hard_link("h", "d")]), true),
        ("a device that hides", tar(&[device]), true),
        ("whiteout of nothing", tar(&[file(".wh.", b"")]), true),
        ("whiteout of .", tar(&[file("a/.wh..", b"")]), true),
        ("whiteout of ..", tar(&[file("a/.wh...", b"")]), true),
        ("whiteout by a link", tar(&[symlink("l", outside), file("l/.wh.kept", b"")]), false),
        ("opaque by a link", tar(&[symlink("l", outside), file("l/.wh..wh..opq", b"")]), false),
        ("below a whiteout", tar(&[file(".wh.a/b", b"")]), true),
        ("overlay's own notes", tar(&[Member { records: redirect, ..directory("d") }]), false),
        ("giant", tar(&[giant]), true),
        ("endless", tar(&[endless]), true),
        ("links in a circle", tar(&loop_back), true),
        ("below a file", tar(&[file("f", b""), file("f/x", b"")]), true),
        ("sparse", tar(&[member(b'S', "s")]), true),
        ("bomb", tar(&[file("zeros", &vec![0; 200 << 20])]), true),
    ]
}

fn no_layer_reaches_outside(who: Who) {
    let space = Space::bare(who);
    let kept = space.file("outside/kept", "kept");
    let outside = kept.parent().unwrap().display().to_string();
    std::fs::set_permissions(&kept, PermissionsExt::from_mode(0o640)).unwrap();
    let first = [tar(&[file("first", b"1")])];
    let path =
        put(&space, "first.tar", &tar(&docker_archive(Some("first:1"), &config(&first, &json!({})), &first)));
    done(&load(&space, &path));
    let (before, store) = (all(Path::new(&outside)), store_of(&space));
    for (case, layer, refused) in evil(&outside) {
        let layers = [layer];
        let described = config(&layers, &json!({}));
        let mut layout = Layout::new();
        let image = layout.image(&described, &layers);
        layout.index(&[named(image, "evil:1")]);
        let path = put(&space, "evil.tar", &tar(&layout.members));
        let outcome = load(&space, &path);
        assert_eq!(all(Path::new(&outside)), before, "{case}");
        assert_eq!(outcome.status, i32::from(refused), "{case}: {}{}", outcome.out, outcome.err);
        if refused {
            assert_eq!(outcome.err.trim_end().lines().count(), 1, "{case}: {}", outcome.err);
        } else {
            done(&space.minidocker(&["rmi", "evil:1"]));
        }
        assert_eq!(store_of(&space), store, "{case}");
    }
}

/// Everything in the store.
fn store_of(space: &Space) -> Vec<(PathBuf, u32, String)> {
    ["images", "blobs", "layers"].iter().flat_map(|name| all(&space.root().join(name))).collect()
}

/// An image of two compressed layers in a layout, and a store that has another one.
fn victim(who: Who) -> (Space, Vec<u8>) {
    let space = Space::bare(who);
    let first = [tar(&[file("first", b"1")])];
    let path =
        put(&space, "first.tar", &tar(&docker_archive(Some("first:1"), &config(&first, &json!({})), &first)));
    done(&load(&space, &path));
    let layers =
        [tar(&[directory("d"), file("d/x", &[7; 5000])]), tar(&[file("d/.wh.x", b""), file("y", b"z")])];
    let mut layout = Layout::new();
    let image = layout.image(&config(&layers, &json!({"Cmd": ["x"]})), &layers);
    layout.index(&[named(image, "victim:1")]);
    (space, tar(&layout.members))
}

/// Load `archive`; when that succeeds it must be the whole image, which is then removed.
fn try_to_load(space: &Space, archive: &[u8], case: &str) -> bool {
    let path = put(space, "tried.tar", archive);
    let outcome = load(space, &path);
    match outcome.status {
        0 => {
            let inspected =
                space.minidocker(&["image", "inspect", "--format", "{{.RootFS.Layers}}", "victim:1"]);
            assert_eq!(done(&inspected).matches("sha256:").count(), 2, "{case}");
            done(&space.minidocker(&["rmi", "victim:1"]));
            true
        }
        _ => {
            outcome.assert_failed(&[]);
            false
        }
    }
}

fn what_is_cut_off_leaves_the_store_as_it_was(who: Who) {
    let (space, archive) = victim(who);
    let store = store_of(&space);
    // All but the zeros at the end is needed.
    let needed = archive.len() - 1024;
    let steps = (1..needed).step_by(needed / 30).chain([needed - 1]);
    for length in steps {
        assert!(!try_to_load(&space, &archive[..length], &length.to_string()), "{length} of {needed}");
        assert_eq!(store_of(&space), store, "{length} of {needed}");
    }
    let packed = gzip(&archive);
    for length in [1, 2, 20, packed.len() / 2, packed.len() - 1] {
        assert!(!try_to_load(&space, &packed[..length], "compressed"), "{length} of {}", packed.len());
        assert_eq!(store_of(&space), store);
    }
    assert!(try_to_load(&space, &archive[..needed], "whole"));
}

fn what_was_changed_on_the_way_is_noticed(who: Who) {
    let (space, archive) = victim(who);
    let store = store_of(&space);
    let needed = archive.len() - 1024;
    let mut refused = 0;
    for at in (0..needed).step_by(needed / 40) {
        let mut changed = archive.clone();
        changed[at] ^= 0x10;
        refused += u32::from(!try_to_load(&space, &changed, &at.to_string()));
        assert_eq!(store_of(&space), store, "{at}");
    }
    // What fills up a block may be changed by anybody.
    assert!(refused > 10, "{refused}");
}

fn digests_and_sizes_are_checked(who: Who) {
    let (space, _) = victim(who);
    let store = store_of(&space);
    let (good, other) = ([tar(&[file("good", b"1")])], [tar(&[file("other", b"2")])]);
    let described = config(&good, &json!({}));
    // The layer of another configuration.
    let mut swapped = Layout::new();
    let image = swapped.image(&described, &other);
    swapped.index(&[named(image, "bad:1")]);
    // A blob under another's name, with that one's length.
    let mut renamed = Layout::new();
    let image = renamed.image(&described, &good);
    renamed.index(&[named(image, "bad:1")]);
    for member in renamed.members.iter_mut().filter(|member| member.name.ends_with(&hex(&gzip(&good[0])))) {
        member.body = vec![1; member.body.len()];
    }
    // A descriptor that says another length.
    let mut longer = Layout::new();
    let mut image = longer.image(&described, &good);
    image["size"] = json!(image["size"].as_u64().unwrap() + 1);
    longer.index(&[named(image, "bad:1")]);
    // A digest of an algorithm that we do not know.
    let mut unknown = Layout::new();
    let mut image = unknown.image(&described, &good);
    image["digest"] = json!(format!("sha512:{}", "0".repeat(128)));
    unknown.index(&[named(image, "bad:1")]);
    let docker = tar(&docker_archive(Some("bad:1"), &described, &other));
    let cases = [swapped, renamed, longer, unknown].map(|layout| tar(&layout.members));
    for (index, archive) in cases.iter().chain([&docker]).enumerate() {
        let path = put(&space, "bad.tar", archive);
        load(&space, &path).assert_failed(&["sha"]);
        assert_eq!(store_of(&space), store, "{index}");
    }
}

/// Each request in turn is refused, and the process killed at it: afterwards the image is there whole or not at all.
fn whatever_fails_there_is_all_or_nothing(who: Who) {
    let (space, archive) = victim(who);
    let path = put(&space, "victim.tar", &archive);
    let first = space.path("first.tar").display().to_string();
    let store = store_of(&space);
    let with = |fault: &str, fired: &Path| {
        let mut command = space.command();
        command
            .args(["load", "-i", &path])
            .env("MINIDOCKER_FAULT", fault)
            .env("MINIDOCKER_FAULT_FIRED", fired);
        Running::start(&mut command).end()
    };
    for (role, what) in [("runtime", "kill"), ("runtime", "EIO"), ("unpacker", "kill"), ("unpacker", "EIO")] {
        let mut at = 0;
        loop {
            at += 1;
            let fault = format!("{role}:{at}:{what}");
            let fired = put(&space, "fired", b"");
            let outcome = with(&fault, Path::new(&fired));
            if std::fs::metadata(&fired).unwrap().len() == 0 {
                assert_eq!(outcome.status, 0, "{fault}: {}", outcome.err);
                done(&space.minidocker(&["rmi", "victim:1"]));
                break;
            }
            // Whoever changes the store next clears up.
            done(&load(&space, &first));
            if store_of(&space) != store {
                assert!(try_to_load(&space, &archive, &fault), "{fault}");
            }
            assert_eq!(store_of(&space), store, "{fault}");
        }
        assert!(at > 20, "{role} makes more requests than {at}");
    }
}

/// Device nodes become empty files; owners that she has not been given are her own.
fn what_an_ordinary_user_cannot_make() {
    let space = Space::bare(Who::User);
    let device = Member { device: (1, 3), mode: 0o666, ..member(b'3', "null") };
    let owned = Member { owner: (1, 2), mode: 0o4755, ..file("owned", b"x") };
    let layers = [tar(&[device, owned, member(b'6', "pipe")])];
    let path =
        put(&space, "a.tar", &tar(&docker_archive(Some("a:1"), &config(&layers, &json!({})), &layers)));
    done(&load(&space, &path));
    let layers = minidocker::image::find(&space.root(), "a:1").unwrap().layers;
    let metadata = |name: &str| layers[0].join(name).symlink_metadata().unwrap();
    assert!(metadata("null").is_file() && metadata("null").len() == 0);
    assert_eq!(metadata("owned").permissions().mode() & 0o7777, 0o4755);
    assert!(metadata("pipe").file_type().is_fifo());
    done(&space.minidocker(&["rmi", "a:1"]));
    assert!(!layers[0].exists());
}
