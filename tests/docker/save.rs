//! save and export: what others' programs make of our archives.

use super::images::done;
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const SKOPEO: Need = Need::Program("skopeo", "skopeo");
const UMOCI: Need = Need::Program("umoci", "umoci");

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], blobs_are_named_by_their_digests),
        as_both(&[], the_same_image_is_the_same_archive),
        as_both(&[SKOPEO], skopeo_reads_both_forms),
        as_root(&[UMOCI], umoci_unpacks_the_same_tree),
        as_both(&[], a_failed_save_leaves_no_file),
        as_both(&[], a_container_is_exported_as_it_is_seen),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Run a script of the machine's, in `directory`; what it wrote.
#[track_caller]
pub fn sh(directory: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Save the images to a file in a directory of its own.
pub fn saved(space: &Space, options: &[&str], images: &[&str]) -> tempfile::TempDir {
    let directory = crate::common::space::directory_for(space.who).unwrap();
    let path = directory.path().join("images.tar").display().to_string();
    let words = [&["save", "-o", &path], options, images].concat();
    assert_eq!(done(&space.minidocker(&words)), "");
    directory
}

fn blobs_are_named_by_their_digests(who: Who) {
    let space = Space::new(who);
    let directory = saved(&space, &[], &["base"]);
    sh(directory.path(), "mkdir x && tar -xf images.tar -C x");
    let sums = sh(&directory.path().join("x/blobs/sha256"), "sha256sum *");
    let pairs: Vec<(&str, &str)> = sums.lines().filter_map(|line| line.split_once("  ")).collect();
    assert_eq!(pairs.len(), 3, "a manifest, a configuration and a layer: {sums}");
    assert!(pairs.iter().all(|(sum, name)| sum == name), "{sums}");
    let others = sh(&directory.path().join("x"), "ls");
    assert_eq!(others, "blobs\nindex.json\nmanifest.json\noci-layout\n");
    let text = sh(&directory.path().join("x"), "cat manifest.json");
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list[0]["RepoTags"][0], "base:latest");
}

fn the_same_image_is_the_same_archive(who: Who) {
    let space = Space::new(who);
    let (one, two) = (saved(&space, &[], &["base", "base"]), saved(&space, &[], &["base:latest"]));
    sh(
        Path::new("/"),
        &format!("cmp {0}/images.tar {1}/images.tar", one.path().display(), two.path().display()),
    );
    // The same comes out of a pipe.
    let file = std::fs::File::create(one.path().join("piped.tar")).unwrap();
    let status = space.command().args(["save", "base"]).stdout(Stdio::from(file)).status().unwrap();
    assert!(status.success());
    sh(one.path(), "cmp images.tar piped.tar");
}

fn skopeo_reads_both_forms(who: Who) {
    let space = super::images::own_space(who);
    done(&space.minidocker(&["tag", "base", "me/web:1"]));
    let id = space.minidocker(&["images", "-q", "--no-trunc"]);
    let id = done(&id).trim().to_owned();
    let directory = saved(&space, &[], &["me/web:1"]);
    let inspect = |name: &str| -> serde_json::Value {
        let said = sh(directory.path(), &format!("skopeo inspect {name}"));
        serde_json::from_str(&said).unwrap()
    };
    let (docker, oci) = (inspect("docker-archive:images.tar"), inspect("oci-archive:images.tar:1"));
    assert_eq!(docker["Layers"], oci["Layers"]);
    assert_eq!(docker["Env"], oci["Env"]);
    // The digest of the configuration, which skopeo reads unchanged, is the id.
    let sum = sh(directory.path(), "skopeo inspect --config --raw oci-archive:images.tar:1 | sha256sum");
    assert_eq!(format!("sha256:{}", &sum[..64]), id);
    sh(
        directory.path(),
        "skopeo copy -q docker-archive:images.tar:me/web:1 oci:copied:1 && test -f copied/index.json",
    );
    for (format, works, fails) in
        [("oci", "oci-archive", "docker-archive"), ("docker", "docker-archive", "oci-archive")]
    {
        let directory = saved(&space, &["--format", format], &["me/web:1"]);
        sh(
            directory.path(),
            &format!(
                "skopeo inspect {works}:images.tar > /dev/null; ! skopeo inspect {fails}:images.tar 2>/dev/null"
            ),
        );
    }
}

/// Types, modes, owners, times, links: as the layer has them.
fn umoci_unpacks_the_same_tree() {
    let space = Space::new(Who::Root);
    let directory = saved(&space, &[], &["base"]);
    sh(directory.path(), "mkdir x && tar -xf images.tar -C x && umoci unpack --image x:latest bundle");
    let inspected = space.minidocker(&["image", "inspect", "--format", "{{(index .Layers 0).Path}}", "base"]);
    let layer = match inspected.status {
        0 => inspected.out.trim().to_owned(),
        _ => {
            let all = space.minidocker(&["image", "inspect", "base"]);
            let all: serde_json::Value = serde_json::from_str(done(&all)).unwrap();
            all[0]["Layers"][0]["Path"].as_str().unwrap().to_owned()
        }
    };
    let list = "find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %l\\n' | sort";
    let (theirs, ours) = (sh(&directory.path().join("bundle/rootfs"), list), sh(Path::new(&layer), list));
    assert!(ours.lines().count() > 20, "{ours}");
    assert_eq!(theirs, ours);
}

fn a_failed_save_leaves_no_file(who: Who) {
    let space = Space::new(who);
    let directory = crate::common::space::directory_for(who).unwrap();
    let path = directory.path().join("images.tar").display().to_string();
    space.minidocker(&["save", "-o", &path, "base", "no/such"]).assert_failed(&["no/such"]);
    assert!(crate::common::space::names_in(directory.path()).is_empty());
    space
        .minidocker(&["save", "-o", "/no/such/directory/file", "base"])
        .assert_failed(&["/no/such/directory"]);
    // What is there stays until the new one is whole, and a device stays a device.
    std::fs::File::create(&path).unwrap().write_all(b"precious").unwrap();
    space.minidocker(&["save", "-o", &path, "no/such"]).assert_failed(&["no/such"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    done(&space.minidocker(&["save", "-o", "/dev/null", "base"]));
    assert_eq!(sh(Path::new("/"), "stat -c %F /dev/null"), "character special file\n");
}

fn a_container_is_exported_as_it_is_seen(who: Who) {
    let space = Space::new(who);
    let script = "echo x > /x; rm /etc/group; ln -s nowhere /link; mkdir -m 1777 /d; echo y > /d/y; ln /d/y /d/z; \
                  chmod 4711 /x; echo ready; read line; exit 0";
    let words = ["run", "-i", "--name", "one", "--network", "none", "base", "sh", "-c", script];
    let mut running = crate::common::container::Running::start(space.command().args(words));
    running.expect("ready");
    let listed = |space: &Space| {
        let directory = crate::common::space::directory_for(who).unwrap();
        let path = directory.path().join("tree.tar").display().to_string();
        done(&space.minidocker(&["export", "-o", &path, "one"]));
        sh(directory.path(), "tar -tvf tree.tar | awk '{print $1, $2, $6, $7, $8, $9, $10}' | sort -k3")
    };
    let now = listed(&space);
    for line in [
        "-rws--x--x 0/0 x",
        "drwxrwxrwt 0/0 d/",
        "lrwxrwxrwx 0/0 link -> nowhere",
        "hrw-r--r-- 0/0 d/z link to d/y",
    ] {
        assert!(now.lines().any(|seen| seen.trim_end() == line), "{line:?} is not in\n{now}");
    }
    assert!(!now.contains("etc/group") && now.contains("etc/passwd"));
    assert_eq!(running.end().status, 0);
    assert_eq!(listed(&space), now);
}
