//! load: images that others wrote are taken in, and run.

use super::images::done;
use super::save::sh;
use super::tarball::{self, Layout, architecture, config, docker_archive, file, gzip, named, tar};
use crate::common::container::Outcome;
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

const SKOPEO: Need = Need::Program("skopeo", "skopeo");
const UMOCI: Need = Need::Program("umoci", "umoci");
const BUSYBOX: Need = Need::Program("busybox", "busybox-static");

pub fn tests() -> Vec<Test> {
    [
        as_both(&[SKOPEO, UMOCI, BUSYBOX], what_umoci_and_skopeo_wrote_is_run),
        as_both(&[BUSYBOX], an_archive_may_be_compressed_and_come_through_a_pipe),
        as_both(&[], what_docker_wrote_of_old_is_taken),
        as_both(&[], an_index_leads_to_this_machine),
        as_both(&[], a_name_moves_to_the_image_that_comes),
        as_both(&[], an_image_may_have_no_name),
        as_both(&[], what_holds_no_image_is_refused),
        as_both(&[], the_image_says_how_it_starts),
        as_root(&[], base_is_made_again_when_asked),
        as_both(&[], a_killed_load_leaves_nothing_for_long),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A file of the space's person.
pub fn put(space: &Space, name: &str, contents: &[u8]) -> String {
    let path = space.file(name, "");
    std::fs::write(&path, contents).unwrap();
    path.display().to_string()
}

/// A static busybox, under the names of a shell and of itself.
fn busybox() -> Vec<u8> {
    let path = ["/bin/busybox", "/usr/bin/busybox"].iter().find_map(|path| std::fs::read(path).ok()).unwrap();
    let program = tarball::Member { mode: 0o755, ..file("bin/busybox", &path) };
    tar(&[tarball::directory("bin/"), program, tarball::symlink("bin/sh", "busybox")])
}

pub fn load(space: &Space, path: &str) -> Outcome {
    space.minidocker(&["load", "-i", path])
}

fn run(space: &Space, words: &[&str]) -> Outcome {
    space.run(&[&["--network", "none"], words].concat())
}

fn what_umoci_and_skopeo_wrote_is_run(who: Who) {
    let space = Space::bare(who);
    let directory = crate::common::space::directory_for(who).unwrap();
    let rootless = if crate::common::space::is_root() { "" } else { "--rootless" };
    let script = format!(
        "umoci init --layout lay; umoci new --image lay:one; umoci unpack {rootless} --image lay:one b
         mkdir -p b/rootfs/bin; cp $(command -v busybox) b/rootfs/bin/busybox; ln -s busybox b/rootfs/bin/sh
         umoci repack --image lay:one b; umoci config --image lay:one --config.env WHERE=inside \\
             --config.cmd /bin/sh --config.cmd -c --config.cmd 'echo $WHERE; /bin/busybox ls /bin'
         skopeo copy -q oci:lay:one oci-archive:a.tar:app:1
         skopeo copy -q oci:lay:one docker-archive:d.tar:localhost:5000/me/app:2
         chmod -R a+rX ."
    );
    sh(directory.path(), &script);
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    for (archive, name) in [("a.tar", "app:1"), ("d.tar", "localhost:5000/me/app:2"), ("lay", "lay:one")] {
        assert_eq!(done(&load(&space, &path(archive))), format!("Loaded image: {name}\n"));
        let outcome = run(&space, &[name]);
        assert_eq!(done(&outcome), "inside\nbusybox\nsh\n", "{archive}: {}", outcome.err);
    }
    // However it came, the layer is there once.
    let layers = crate::common::space::names_in(&space.root().join("layers"));
    assert_eq!(layers.iter().filter(|name| !name.contains('.')).count(), 1, "{layers:?}");
}

fn an_archive_may_be_compressed_and_come_through_a_pipe(who: Who) {
    let space = Space::bare(who);
    let layers = [busybox()];
    let archive = tar(&docker_archive(Some("app:1"), &config(&layers, &json!({})), &layers));
    let path = put(&space, "a.tar.gz", &gzip(&archive));
    let mut command = space.command();
    command.arg("load").stdout(Stdio::piped()).stdin(std::fs::File::open(path).unwrap());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Loaded image: app:1\n", "{output:?}");
    assert_eq!(done(&run(&space, &["app:1", "/bin/sh", "-c", "echo $0", "x"])), "x\n");
}

fn what_docker_wrote_of_old_is_taken(who: Who) {
    let space = Space::bare(who);
    let layers = [tar(&[file("one", b"1")]), tar(&[file("two", b"2")]), tar(&[file("one", b"1")])];
    let mut members = docker_archive(Some("old:1"), &config(&layers, &json!({})), &layers);
    // The third layer is the first, by a link.
    members.retain(|member| member.name != "l2/layer.tar");
    members.push(tarball::symlink("l2/layer.tar", "../l0/layer.tar"));
    members.push(file("repositories", b"{}"));
    let path = put(&space, "old.tar", &tar(&members));
    assert_eq!(done(&load(&space, &path)), "Loaded image: old:1\n");
    let history = space.minidocker(&["image", "inspect", "old:1"]);
    let inspected: serde_json::Value = serde_json::from_str(done(&history)).unwrap();
    assert_eq!(inspected[0]["RootFS"]["Layers"].as_array().unwrap().len(), 3);
}

fn an_index_leads_to_this_machine(who: Who) {
    let space = Space::bare(who);
    let (mine, other) = ([tar(&[file("mine", b"")])], [tar(&[file("other", b"")])]);
    let mut layout = Layout::new();
    let mut ours = layout.image(&config(&mine, &json!({})), &mine);
    ours["platform"] = json!({"architecture": architecture(), "os": "linux"});
    // Of the other one, only the descriptor came.
    let mut theirs = Layout::new().image(&config(&other, &json!({})), &other);
    theirs["platform"] = json!({"architecture": "s390x", "os": "linux"});
    let index = json!({"schemaVersion": 2, "manifests": [theirs.clone(), ours]}).to_string();
    let index = layout.blob("application/vnd.oci.image.index.v1+json", index.as_bytes());
    layout.index(&[named(index, "multi:1")]);
    let path = put(&space, "multi.tar", &tar(&layout.members));
    assert_eq!(done(&load(&space, &path)), "Loaded image: multi:1\n");

    let mut layout = Layout::new();
    layout.index(&[named(theirs, "multi:2")]);
    let path = put(&space, "theirs.tar", &tar(&layout.members));
    load(&space, &path).assert_failed(&["linux/s390x"]);
}

fn a_name_moves_to_the_image_that_comes(who: Who) {
    let space = Space::bare(who);
    let archive = |text: &str| {
        let layers = [tar(&[file("text", text.as_bytes())])];
        let config = config(&layers, &json!({}));
        (tarball::hex(&config), tar(&docker_archive(Some("it:1"), &config, &layers)))
    };
    let ((first, one), (_, two)) = (archive("one"), archive("two"));
    let (one, two) = (put(&space, "one.tar", &one), put(&space, "two.tar", &two));
    for _ in 0..2 {
        assert_eq!(done(&load(&space, &one)), "Loaded image: it:1\n");
    }
    let expected = format!(
        "The image it:1 already exists, renaming the old one with ID sha256:{first} to empty string\nLoaded image: \
         it:1\n"
    );
    assert_eq!(done(&load(&space, &two)), expected);
    let listed = space.minidocker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    let mut names: Vec<&str> = done(&listed).lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["<none>:<none>", "it:1"]);
}

fn an_image_may_have_no_name(who: Who) {
    let space = Space::bare(who);
    let layers = [tar(&[file("text", b"one")])];
    let config = config(&layers, &json!({}));
    let path = put(&space, "a.tar", &tar(&docker_archive(None, &config, &layers)));
    let id = tarball::hex(&config);
    assert_eq!(done(&load(&space, &path)), format!("Loaded image ID: sha256:{id}\n"));
    let listed = space.minidocker(&["images", "--quiet", "--no-trunc"]);
    assert_eq!(done(&listed), format!("sha256:{id}\n"));
    let inspected = space.minidocker(&["image", "inspect", "--format", "{{.Id}}", &id[..12]]);
    assert_eq!(done(&inspected), format!("sha256:{id}\n"));
}

fn what_holds_no_image_is_refused(who: Who) {
    let space = Space::bare(who);
    let layers = [tar(&[file("text", b"one")])];
    let archive = docker_archive(Some("a:1"), &config(&layers, &json!({})), &layers);
    let without = |name: &str| {
        let kept: Vec<_> = archive.iter().filter(|member| !member.name.ends_with(name)).cloned().collect();
        tar(&kept)
    };
    let few = [tar(&[file("a", b"")]), tar(&[file("b", b"")])];
    let differ = tar(&docker_archive(Some("a:1"), &config(&layers, &json!({})), &few));
    let bad_name = tar(&docker_archive(Some("Not A Name"), &config(&layers, &json!({})), &layers));
    let broken = tar(&[file("manifest.json", b"{")]);
    let xz = [b"\xfd7zXZ\0".to_vec(), vec![0; 512]].concat();
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("nothing", Vec::new(), "no image"),
        ("text", b"neither an archive nor anything else".to_vec(), "archive"),
        ("other", tar(&[file("README", b"x")]), "no image"),
        ("no list", without("manifest.json"), "no image"),
        ("no layer", without("layer.tar"), "l0/layer.tar"),
        ("layers differ", differ, "2 layers"),
        ("bad name", bad_name, "Not A Name"),
        ("broken list", broken, "manifest.json"),
        ("xz", xz, "xz"),
    ];
    for (case, archive, fact) in cases {
        let path = put(&space, "bad.tar", &archive);
        let outcome = load(&space, &path);
        assert_eq!(outcome.status, 1, "{case}: {}", outcome.err);
        outcome.assert_failed(&[fact]);
    }
    load(&space, "/nonexistent/file").assert_failed(&["/nonexistent/file"]);
    let left = crate::common::space::names_in(&space.root().join("blobs/sha256"));
    assert_eq!(left, [""; 0]);
}

fn the_image_says_how_it_starts(who: Who) {
    let space = Space::bare(who);
    let script = "#!/bin/sh\n";
    let passwd = file("etc/passwd", b"me:x:0:0::/home/me:/bin/sh\n");
    let layers = [busybox(), tar(&[passwd, tarball::directory("home/me/"), file("x", script.as_bytes())])];
    let starts = json!({
        "Entrypoint": ["/bin/busybox", "env"], "Cmd": ["X=cmd"], "Env": ["IMAGE=yes", "PATH=/bin"],
        "WorkingDir": "/home/me", "User": "me", "StopSignal": "SIGUSR1", "Volumes": null, "Labels": null,
    });
    let path = put(&space, "a.tar", &tar(&docker_archive(Some("a:1"), &config(&layers, &starts), &layers)));
    done(&load(&space, &path));
    let said = run(&space, &["--hostname", "box", "a:1"]);
    let mut lines: Vec<&str> = done(&said).lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["HOME=/home/me", "HOSTNAME=box", "IMAGE=yes", "PATH=/bin", "X=cmd"]);
    assert_eq!(done(&run(&space, &["a:1", "/bin/busybox", "pwd"])), "/home/me\n");
    let other = run(&space, &["--entrypoint", "/bin/busybox", "a:1", "echo", "other"]);
    assert_eq!(done(&other), "other\n");
}

fn base_is_made_again_when_asked() {
    let space = Space::bare(Who::Root);
    done(&space.base(&[], &["true"]));
    let said = space.minidocker(&["image", "build-base"]);
    let id = done(&said).trim();
    assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    let named = space.minidocker(&["image", "inspect", "--format", "{{.Id}}", "base"]);
    assert_eq!(done(&named).trim(), id);
    assert_eq!(done(&space.base(&[], &["echo", "runs"])), "runs\n");
}

/// Killed while the archive comes, which it does slowly.
fn a_killed_load_leaves_nothing_for_long(who: Who) {
    let space = Space::bare(who);
    let layers = [tar(&[file("text", &[7; 100_000])])];
    let archive = tar(&docker_archive(Some("a:1"), &config(&layers, &json!({})), &layers));
    let path = put(&space, "a.tar", &archive);
    done(&load(&space, &path));
    let before = all(&space.root());
    let script = format!("head -c 60000 {path}; echo ready >&2; sleep 60");
    let mut command = space.command();
    let mut feeder = std::process::Command::new("sh");
    let mut feeder =
        feeder.args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut loading = command.arg("load").stdin(feeder.stdout.take().unwrap()).spawn().unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(feeder.stderr.as_mut().unwrap(), &mut ready).unwrap();
    loading.kill().unwrap();
    loading.wait().unwrap();
    feeder.kill().unwrap();
    feeder.wait().unwrap();
    // Whoever changes the store next removes it.
    done(&load(&space, &path));
    assert_eq!(all(&space.root()), before);
}

/// Every name below a directory with what it is, sorted: for contents their digest.
pub fn all(root: &std::path::Path) -> Vec<(PathBuf, u32, String)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let contents = match metadata.file_type() {
            kind if kind.is_symlink() => std::fs::read_link(&path).unwrap().display().to_string(),
            kind if kind.is_file() => tarball::hex(&std::fs::read(&path).unwrap()),
            _ => String::new(),
        };
        found.push((path.clone(), metadata.mode(), contents));
        if metadata.is_dir() {
            found.extend(all(&path));
        }
    }
    found.sort();
    found
}
