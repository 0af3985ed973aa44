//! commit and import: an image is whole or not there, shows what was changed, and shares what was not.

use super::images::{done, own_space};
use super::save::{saved, sh};
use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both, as_root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_container_of_it_shows_the_changes),
        as_both(&[], it_has_the_layers_below_and_one_more),
        as_both(&[], what_is_mounted_is_not_in_it),
        as_both(&[], its_configuration_is_the_containers_with_changes),
        as_both(&[], refusals_leave_the_store_as_it_was),
        as_both(&[], two_at_once_both_succeed),
        as_both(&[], killed_at_any_instant_it_leaves_no_half_image),
        as_root(&[Need::Controller("freezer")], a_running_container_is_held_still_and_goes_on),
        as_both(&[], what_was_exported_is_imported),
        as_both(&[], no_archive_is_no_image),
        as_root(&[Need::Program("umoci", "umoci")], umoci_unpacks_what_a_container_shows),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Run a script in a container that stays.
#[track_caller]
fn changed(space: &Space, name: &str, options: &[&str], script: &str) {
    let words =
        [&["run", "--name", name, "--network", "none"], options, &["base", "sh", "-c", script]].concat();
    done(&space.minidocker(&words));
}

/// What a script says in a container of `image`.
#[track_caller]
fn said(space: &Space, image: &str, script: &str) -> String {
    let outcome = space.run(&["--network", "none", image, "sh", "-c", script]);
    done(&outcome).to_owned()
}

/// Commit the container; the new image's id.
#[track_caller]
fn committed(space: &Space, words: &[&str]) -> String {
    let outcome = space.minidocker(&[&["commit"], words].concat());
    let id = done(&outcome).trim().to_owned();
    assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    id
}

fn inspect(space: &Space, image: &str) -> Value {
    let outcome = space.minidocker(&["image", "inspect", image]);
    serde_json::from_str::<Value>(done(&outcome)).unwrap()[0].take()
}

const CHANGES: &str = "echo x > /etc/new; echo y >> /etc/passwd; rm /etc/group; mkdir -p /a/b; ln -s /etc /a/l; \
                       mkdir -m 0700 /zero; rm -r /tmp && mkdir /tmp && echo z > /tmp/z; chmod 4711 /etc/new; \
                       echo one > /a/one; ln /a/one /a/two; touch -d @1000000000.25 /a/one";

const SHOWN: &str = "cat /etc/new /tmp/z /a/two; tail -n 1 /etc/passwd; ls -d /etc/group 2>/dev/null; ls /tmp; \
                     stat -c '%a %h %Y' /etc/new /zero /a/one; readlink /a/l";

fn a_container_of_it_shows_the_changes(who: Who) {
    let space = own_space(who);
    changed(&space, "one", &[], CHANGES);
    let id = committed(&space, &["one", "me/changed:1"]);
    let shown = said(&space, "me/changed:1", SHOWN);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..5], ["x", "z", "one", "y", "z"], "{shown}");
    assert!(lines[5].starts_with("4711 1 ") && lines[6].starts_with("700 2 "), "{shown}");
    assert_eq!(lines[7..], ["644 2 1000000000", "/etc"]);
    // By its id too; and the image below is as it was.
    assert_eq!(said(&space, &id[7..19], "cat /etc/new"), "x\n");
    assert_eq!(said(&space, "base", "ls /etc/group /tmp"), "/etc/group\n\n/tmp:\n");
    // What is deleted in a second layer stays so with a third.
    done(&space.minidocker(&["run", "--name", "two", "--network", "none", "me/changed:1", "rm", "/etc/new"]));
    committed(&space, &["two", "me/changed:2"]);
    assert_eq!(said(&space, "me/changed:2", "ls /etc/new /etc/group 2>/dev/null; cat /tmp/z"), "z\n");
}

fn it_has_the_layers_below_and_one_more(who: Who) {
    let space = own_space(who);
    changed(&space, "one", &[], "head -c 3000000 /dev/urandom > /big");
    committed(&space, &["one", "more"]);
    let (below, above) = (inspect(&space, "base"), inspect(&space, "more"));
    assert_eq!(above["RootFS"]["Layers"][0], below["RootFS"]["Layers"][0]);
    assert_eq!(above["Layers"].as_array().unwrap().len(), 2);
    assert_eq!(above["Layers"][0]["Path"], below["Layers"][0]["Path"], "one directory for both");
    assert_eq!(above["Size"].as_u64().unwrap() - below["Size"].as_u64().unwrap(), 3_000_000);
    // The layer is what its digest says, and so is the archive that it goes into.
    let blob = space.root().join("blobs/sha256").join(&above["Layers"][1]["Digest"].as_str().unwrap()[7..]);
    let sum = sh(Path::new("/"), &format!("sha256sum {}", blob.display()));
    assert_eq!(format!("sha256:{}", &sum[..64]), above["RootFS"]["Layers"][1].as_str().unwrap());
    // Its file is there once: in the container and the layer, and in the blob.
    let list = space.minidocker(&["images"]);
    assert!(list.err.contains("share layers"), "{}", list.err);
    let df = space.minidocker(&["system", "df", "-v"]);
    let row = done(&df).lines().find(|line| line.starts_with("more ")).unwrap();
    assert!(row.contains("3MB"), "what only this image needs: {row}");
}

fn what_is_mounted_is_not_in_it(who: Who) {
    let space = own_space(who);
    let file = space.file("shared/file", "text");
    let volume = format!("{}:/shared", file.parent().unwrap().display());
    let script = "echo mine > /shared/mine; echo kept > /kept/it; echo x >> /etc/hosts; echo x > /x";
    changed(&space, "one", &["-v", &volume, "-v", "kept:/kept"], script);
    committed(&space, &["one", "clean"]);
    let layer = inspect(&space, "clean")["Layers"][1]["Path"].as_str().unwrap().to_owned();
    let files = sh(Path::new(&layer), "find . -mindepth 1 | sort");
    assert_eq!(files, "./kept\n./shared\n./x\n");
    done(&space.minidocker(&["rm", "one"]));
    done(&space.minidocker(&["volume", "rm", "kept"]));
}

fn its_configuration_is_the_containers_with_changes(who: Who) {
    let space = own_space(who);
    let words = [
        "run",
        "--name",
        "one",
        "--network",
        "none",
        "-e",
        "A=1",
        "-w",
        "/etc",
        "-l",
        "own=label",
        "base",
        "sh",
        "-c",
        "true",
    ];
    done(&space.minidocker(&words));
    let options = [
        "-a",
        "Ada <ada@example.org>",
        "-m",
        "what was done",
        "-c",
        "ENV B=2",
        "-c",
        "EXPOSE 80",
        "one",
        "c",
    ];
    committed(&space, &options);
    let all = inspect(&space, "c");
    let config = &all["Config"];
    assert_eq!(config["Cmd"], Value::from(vec!["sh", "-c", "true"]));
    assert_eq!((&config["WorkingDir"], &all["Author"]), (&"/etc".into(), &"Ada <ada@example.org>".into()));
    assert!(config["ExposedPorts"]["80/tcp"].is_object());
    assert_eq!(config["Labels"]["own"], "label");
    let env: Vec<&str> = config["Env"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        env.contains(&"A=1") && env.contains(&"B=2") && !env.iter().any(|text| text.starts_with("HOSTNAME="))
    );
    let history =
        space.minidocker(&["history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}", "c"]);
    let lines: Vec<&str> = done(&history).lines().collect();
    assert_eq!(lines, ["sh -c true|what was done", "minidocker image build-base|"]);
    // The command of the image is what the container ran; it can be changed.
    committed(&space, &["--change", "CMD [\"echo\", \"hello\"]", "one", "d"]);
    assert_eq!(done(&space.run(&["--network", "none", "d"])), "hello\n");
}

fn refusals_leave_the_store_as_it_was(who: Who) {
    let space = own_space(who);
    changed(&space, "one", &[], "touch /.wh.bad");
    let before = contents(&space.root());
    space.minidocker(&["commit", "one", "bad"]).assert_failed(&[".wh.bad"]);
    space.minidocker(&["commit", "-c", "FROM scratch", "one", "bad"]).assert_failed(&["FROM scratch"]);
    space.minidocker(&["commit", "one", "Bad Name"]).assert_failed(&["Bad Name"]);
    space.minidocker(&["commit", "nobody", "bad"]).assert_failed(&["nobody"]);
    assert_eq!(contents(&space.root()), before);
}

/// What is in the store.
fn contents(root: &Path) -> BTreeSet<String> {
    ["images", "blobs/sha256", "layers"]
        .iter()
        .flat_map(|name| names_in(&root.join(name)).into_iter().map(move |file| format!("{name}/{file}")))
        .collect()
}

fn two_at_once_both_succeed(who: Who) {
    let space = own_space(who);
    let scripts = ["echo 1 > /which", "echo 2 > /which", "echo 3 > /which", "echo 4 > /which"];
    let names = ["one", "two", "three", "four"];
    names.iter().zip(scripts).for_each(|(name, script)| changed(&space, name, &[], script));
    let started: Vec<Running> =
        names.iter().map(|name| Running::start(space.command().args(["commit", name, "tag"]))).collect();
    let ids: Vec<String> = started.into_iter().map(|one| done(&one.end()).trim().to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    let meant = inspect(&space, "tag")["Id"].as_str().unwrap().to_owned();
    let which = ids.iter().position(|id| *id == meant).expect("the tag means one of them");
    assert_eq!(said(&space, "tag", "cat /which"), format!("{}\n", which + 1));
    // The others lost the name, and nothing else.
    for (index, id) in ids.iter().enumerate() {
        assert_eq!(said(&space, id, "cat /which"), format!("{}\n", index + 1));
    }
}

/// Whichever of its processes dies, or is refused, at whichever request: the container goes on, the name means a whole
/// image or none, and the next one to change the store takes away what was left.
fn killed_at_any_instant_it_leaves_no_half_image(who: Who) {
    let space = own_space(who);
    let script =
        "head -c 300000 /dev/urandom > /big; echo ready; while read line; do echo $line; done; exit 0";
    let words = ["run", "-i", "--name", "one", "--network", "none", "base", "sh", "-c", script];
    let mut running = Running::start(space.command().args(words));
    running.expect("ready");
    let before = contents(&space.root());
    let mut broken = 0;
    for (role, fault) in
        [("runtime", "kill"), ("runtime", "EIO"), ("packer", "kill"), ("unpacker", "EIO"), ("guard", "kill")]
    {
        let fired = space.path(&format!("fired-{role}-{fault}"));
        for at in (1..).step_by(STRIDE) {
            let _ = std::fs::remove_file(&fired);
            let mut commit = space.command();
            commit
                .env("MINIDOCKER_FAULT", format!("{role}:{at}:{fault}"))
                .env("MINIDOCKER_FAULT_FIRED", &fired);
            let ended = Running::start(commit.args(["commit", "one", "half"])).end();
            running.say("still here");
            running.expect("still here");
            if ended.status == 0 {
                assert_eq!(inspect(&space, "half")["Id"].as_str(), Some(ended.out.trim()));
            }
            if space.minidocker(&["image", "inspect", "half"]).status == 0 {
                assert_eq!(inspect(&space, "half")["Layers"].as_array().unwrap().len(), 2);
                done(&space.minidocker(&["rmi", "half"]));
            }
            if !std::fs::metadata(&fired).is_ok_and(|fired| fired.len() > 0) {
                break;
            }
            broken += 1;
        }
    }
    assert!(broken > 20, "only {broken} requests were broken");
    done(&space.minidocker(&["commit", "one", "whole"]));
    assert_eq!(said(&space, "whole", "wc -c < /big"), "300000\n");
    done(&space.minidocker(&["rmi", "whole"]));
    assert_eq!(contents(&space.root()), before);
    assert_eq!(running.end().status, 0);
}

/// Every so many requests one is broken.
const STRIDE: usize = 5;

/// A container that writes all the time: what is committed is one instant of it.
fn a_running_container_is_held_still_and_goes_on() {
    let space = own_space(Who::Root);
    let script = "n=0; while :; do n=$((n+1)); echo $n > /a; echo $n > /b; test $n = 100 && echo ready; done";
    let words = ["run", "--name", "one", "--network", "none", "base", "sh", "-c", script];
    let mut running = Running::start(space.command().args(words));
    running.expect("ready");
    for name in ["x", "y", "z"] {
        committed(&space, &["one", name]);
        let both = said(&space, name, "cat /a /b");
        let numbers: Vec<u64> = both.lines().filter_map(|line| line.parse().ok()).collect();
        let [a, b] = numbers[..] else {
            // One of them was just being written anew.
            assert_eq!(numbers.len(), 1, "{both:?}");
            continue;
        };
        assert!(a - b <= 1, "{both:?}");
    }
    committed(&space, &["--pause=false", "one", "loose"]);
    let cgroup = running_cgroup(&space);
    let end = Instant::now() + Duration::from_secs(10);
    let mut state = String::new();
    while Instant::now() < end && state != "THAWED" {
        state = std::fs::read_to_string(cgroup.join("freezer.state")).unwrap_or_else(|_| "THAWED".to_owned());
        state = state.trim().to_owned();
    }
    assert_eq!(state, "THAWED");
    done(&space.minidocker(&["rm", "-f", "one"]));
}

fn running_cgroup(space: &Space) -> PathBuf {
    let (mount, _) = crate::common::space::cgroup_mount("freezer").unwrap();
    let id = space.containers().into_iter().next().unwrap();
    let found = sh(&mount, &format!("find . -type d -name '*{id}*' | head -n 1"));
    mount.join(found.trim())
}

fn what_was_exported_is_imported(who: Who) {
    let space = own_space(who);
    changed(&space, "one", &[], "echo x > /x; rm /etc/group");
    let directory = crate::common::space::directory_for(who).unwrap();
    let file = directory.path().join("tree.tar").display().to_string();
    done(&space.minidocker(&["export", "-o", &file, "one"]));
    let options = [
        "import",
        "-c",
        "CMD [\"cat\", \"/x\"]",
        "-c",
        "ENV PATH=/bin:/usr/bin",
        "-m",
        "brought in",
        &file,
        "flat",
    ];
    let outcome = space.minidocker(&options);
    let id = done(&outcome).trim().to_owned();
    assert!(id.starts_with("sha256:"));
    assert_eq!(done(&space.run(&["--network", "none", "flat"])), "x\n");
    assert_eq!(said(&space, "flat", "ls /etc/group 2>/dev/null; cat /x"), "x\n");
    let all = inspect(&space, "flat");
    assert_eq!((&all["Comment"], all["Layers"].as_array().unwrap().len()), (&"brought in".into(), 1));
    // From a pipe, compressed.
    sh(directory.path(), "gzip tree.tar");
    let packed = std::fs::File::open(directory.path().join("tree.tar.gz")).unwrap();
    let output = space.command().args(["import", "-", "piped:1"]).stdin(packed).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let piped = inspect(&space, "piped:1");
    assert_eq!(piped["RootFS"], all["RootFS"], "the same layer");
    assert_eq!(said(&space, "piped:1", "PATH=/bin:/usr/bin; cat /x"), "x\n");
}

fn no_archive_is_no_image(who: Who) {
    let space = own_space(who);
    let before = contents(&space.root());
    let file = space.file("files/noise", &"not an archive, ".repeat(1000));
    space.minidocker(&["import", &file.display().to_string(), "x"]).assert_failed(&[]);
    space.minidocker(&["import", "/no/such/file", "x"]).assert_failed(&["/no/such/file"]);
    space.minidocker(&["import", "-", "x"]).assert_failed(&[]);
    space.minidocker(&["import", "-c", "RUN true", &file.display().to_string()]).assert_failed(&["RUN true"]);
    assert_eq!(contents(&space.root()), before);
}

/// Types, modes, owners, times, links, attributes: as our own unpacking has them.
fn umoci_unpacks_what_a_container_shows() {
    let space = own_space(Who::Root);
    let script = format!("{CHANGES}; chown 12:34 /a/b; mkfifo /a/pipe");
    changed(&space, "one", &[], &script);
    committed(&space, &["one", "changed"]);
    let directory = saved(&space, &[], &["changed"]);
    sh(directory.path(), "mkdir x && tar -xf images.tar -C x && umoci unpack --image x:latest bundle");
    sh(directory.path(), "umoci ls --layout x | grep -qx latest");
    let list = "find . -mindepth 1 \\( -path ./proc -o -path ./sys -o -path ./dev \\) -prune -o \
                ! -path ./etc/hosts ! -path ./etc/hostname ! -path ./etc/resolv.conf ! -path ./etc \
                -printf '%P %y %m %U:%G %n %s %T@ %l\\n' | grep -v '^[^ ]* d' | sort";
    let theirs = sh(&directory.path().join("bundle/rootfs"), list);
    let ours = said(&space, "changed", &format!("cd / && {list}"));
    assert!(ours.lines().count() > 20 && ours.contains("a/pipe p "), "{ours}");
    assert_eq!(theirs, ours);
}
