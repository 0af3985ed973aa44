//! Volumes: kept under a name or without one, of the host's, and in memory.

use super::images::own_space;
use crate::common::Test;
use crate::common::as_both;
use crate::common::space::{Space, Who, names_in};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_volume_outlives_its_containers),
        as_both(&[], the_first_use_takes_over_what_the_image_has),
        as_both(&[], a_volume_without_a_name_goes_with_its_container),
        as_both(&[], a_volume_in_use_is_not_removed),
        as_both(&[], volumes_are_listed_and_described),
        as_both(&[], prune_removes_what_nobody_uses),
        as_both(&[], a_missing_place_on_the_host_is_made),
        as_both(&[], a_file_system_in_memory_has_its_options),
        as_both(&[], a_read_only_root_has_volumes_that_are_not),
        as_both(&[], the_words_of_mount_are_those_of_volume),
        as_both(&[], a_damaged_volume_costs_itself_alone),
        as_both(&[], ten_containers_may_begin_with_one_volume),
        as_both(&[], shared_memory_has_the_size_that_was_asked_for),
        as_both(&[], an_image_may_ask_for_volumes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What stands in the volume `name`, as the host sees it.
fn data(space: &Space, name: &str) -> std::path::PathBuf {
    space.root().join("volumes").join(name).join("data")
}

/// `minidocker WORDS`, which must succeed and say nothing on standard error; what it says.
#[track_caller]
fn said(space: &Space, words: &[&str]) -> String {
    let outcome = space.minidocker(words);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{words:?} {}", outcome.out);
    outcome.out
}

fn a_volume_outlives_its_containers(who: Who) {
    let space = Space::new(who);
    assert_eq!(said(&space, &["volume", "create", "web"]), "web\n");
    assert_eq!(said(&space, &["volume", "create", "web"]), "web\n", "it is there already");
    space.sh(&["-v", "web:/data"], "echo kept > /data/file");
    assert_eq!(std::fs::read_to_string(data(&space, "web").join("file")).unwrap(), "kept\n");
    assert_eq!(
        space.sh(&["-v", "web:/elsewhere:ro"], "cat /elsewhere/file; (echo x > /elsewhere/file) 2>&- || :"),
        "kept\n"
    );
    assert_eq!(space.sh(&["-v", "other:/data"], "ls -A /data"), "", "one that is not there is made");
    assert_eq!(said(&space, &["volume", "ls", "-q"]), "other\nweb\n");
    assert_eq!(said(&space, &["volume", "rm", "web", "other"]), "web\nother\n");
    assert_eq!(names_in(&space.root().join("volumes")), [""; 0]);
    let outcome = space.minidocker(&["volume", "rm", "web"]);
    outcome.assert_failed(&["get web: no such volume"]);
    assert_eq!(said(&space, &["volume", "rm", "-f", "web"]), "web\n");
}

fn the_first_use_takes_over_what_the_image_has(who: Who) {
    let space = Space::new(who);
    let etc = space.sh(&[], "ls -A /etc | grep -v -e hosts -e hostname -e resolv.conf");
    let in_volume = space.sh(&["-v", "etc:/etc"], "ls -A /etc | grep -v -e hosts -e hostname -e resolv.conf");
    assert_eq!(in_volume, etc);
    assert!(data(&space, "etc").join("passwd").exists());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&data(&space, "etc")), 0o755);
    space.sh(&["-v", "tmp:/tmp"], "true");
    assert_eq!(mode(&data(&space, "tmp")), 0o1777, "the mode of the image's directory is taken over too");
    // Filled once: what is removed does not come again.
    space.sh(&["-v", "etc:/etc"], "rm /etc/passwd");
    assert!(space.sh(&["-v", "etc:/etc"], "ls /etc/passwd 2>&1 || :").contains("No such"));
    assert!(space.sh(&["-v", "bare:/bin/../etc:nocopy"], "ls /etc/group 2>&1 || :").contains("No such"));
    assert_eq!(
        space.sh(&["--mount", "source=bare,target=/new,volume-nocopy"], "ls /new/group 2>&- || :"),
        ""
    );
    // A file at the place is no directory that could be copied.
    let outcome = space.base(&["-v", "odd:/etc/passwd"], &["true"]);
    outcome.assert_refused(&["/etc/passwd", "is a directory"]);
}

fn a_volume_without_a_name_goes_with_its_container(who: Who) {
    let space = Space::new(who);
    space.sh(&["-v", "/data"], "echo x > /data/file; test -f /data/file");
    assert_eq!(names_in(&space.root().join("volumes")), [""; 0], "--rm takes it along");
    let kept = ["run", "--network", "none", "-v", "/data", "base", "true"];
    said(&space, &kept);
    let names = names_in(&space.root().join("volumes"));
    assert_eq!((names.len(), names[0].len()), (1, 64));
    assert!(names[0].bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(said(&space, &["volume", "ls", "-q", "-f", "dangling=false"]), format!("{}\n", names[0]));
    let container = space.containers()[0].clone();
    said(&space, &["rm", &container]);
    assert_eq!(names_in(&space.root().join("volumes")), names, "rm alone leaves it");
    said(&space, &kept);
    let container = space.containers()[0].clone();
    said(&space, &["rm", "-v", &container]);
    assert_eq!(names_in(&space.root().join("volumes")), names, "rm -v takes its own along");
    let out = said(&space, &["volume", "prune", "-f"]);
    assert!(out.starts_with(&format!("Deleted Volumes:\n{}\n\nTotal reclaimed space: ", names[0])), "{out}");
}

fn a_volume_in_use_is_not_removed(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["-v", "web:/data"]);
    let id = space.containers()[0].clone();
    for force in [&[][..], &["-f"]] {
        let words = [&["volume", "rm"], force, &["web", "nosuch"]].concat();
        let outcome = space.minidocker(&words);
        assert_eq!(outcome.status, 1);
        assert!(outcome.err.contains("remove web: volume is in use - ["), "{}", outcome.err);
        assert!(outcome.err.contains(&id), "{}", outcome.err);
        assert_eq!(outcome.out, if force.is_empty() { "" } else { "nosuch\n" });
    }
    said(&space, &["volume", "prune", "-a", "-f"]);
    assert!(data(&space, "web").exists());
    running.end();
    assert_eq!(said(&space, &["volume", "rm", "web"]), "web\n");
}

fn volumes_are_listed_and_described(who: Who) {
    let space = Space::new(who);
    assert_eq!(said(&space, &["volume", "ls"]), "DRIVER    VOLUME NAME\n");
    said(&space, &["volume", "create", "-d", "local", "--label", "a=1", "--label", "b", "web"]);
    said(&space, &["volume", "create", "data"]);
    assert_eq!(said(&space, &["volume", "ls"]), "DRIVER    VOLUME NAME\nlocal     data\nlocal     web\n");
    for (filter, names) in
        [("label=a", "web\n"), ("label=a=2", ""), ("name=at", "data\n"), ("dangling=true", "data\nweb\n")]
    {
        assert_eq!(said(&space, &["volume", "list", "-q", "--filter", filter]), names, "{filter}");
    }
    assert_eq!(said(&space, &["volume", "ls", "--format", "{{.Name}}:{{.Labels}}"]), "data:\nweb:a=1,b=\n");
    let described: serde_json::Value =
        serde_json::from_str(&said(&space, &["volume", "inspect", "web", "data"])).unwrap();
    let web = &described[0];
    assert_eq!(
        (&web["Name"], &web["Driver"], &web["Scope"]),
        (&"web".into(), &"local".into(), &"local".into())
    );
    assert_eq!(web["Labels"], serde_json::json!({"a": "1", "b": ""}));
    assert_eq!(web["Mountpoint"], data(&space, "web").display().to_string());
    assert_eq!(described[1]["Labels"], serde_json::Value::Null);
    assert_eq!(said(&space, &["volume", "inspect", "-f", "{{.Name}} {{.Labels.a}}", "web"]), "web 1\n");
    let outcome = space.minidocker(&["volume", "inspect", "nosuch", "data"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.err.contains("get nosuch: no such volume") && outcome.out.contains("\"data\""));
    for words in [
        &["volume", "create", "a/b"][..],
        &["volume", "create", "x"],
        &["volume", "create", "-d", "nfs", "web2"],
        &["volume", "ls", "-f", "size=3"],
        &["volume", "ls", "--format", "{{.Nope}}"],
        &["volume", "create", "--label", "=x", "web3"],
    ] {
        space.minidocker(words).assert_refused(&[]);
    }
    assert_eq!(names_in(&space.root().join("volumes")), ["data", "web"]);
}

fn prune_removes_what_nobody_uses(who: Who) {
    let space = Space::new(who);
    said(&space, &["volume", "create", "--label", "keep", "named"]);
    let drawn = said(&space, &["volume", "create"]).trim().to_owned();
    std::fs::write(data(&space, &drawn).join("file"), "x".repeat(1500)).unwrap();
    let out = said(&space, &["volume", "prune"]);
    assert!(out.contains("WARNING!") && out.ends_with("[y/N] "), "{out}");
    assert_eq!(names_in(&space.root().join("volumes")).len(), 2, "without a yes nothing goes");
    let out = said(&space, &["volume", "prune", "--force"]);
    assert_eq!(out, format!("Deleted Volumes:\n{drawn}\n\nTotal reclaimed space: 1.5kB\n"));
    assert_eq!(
        said(&space, &["volume", "prune", "-af", "--filter", "label!=keep"]),
        "Total reclaimed space: 0B\n"
    );
    said(&space, &["volume", "prune", "-af"]);
    assert_eq!(names_in(&space.root().join("volumes")), [""; 0]);
}

fn a_missing_place_on_the_host_is_made(who: Who) {
    let space = Space::new(who);
    let outer = space.file("here/file", "").parent().unwrap().to_owned();
    let volume = format!("{}/a/b:/data", outer.display());
    space.sh(&["-v", &volume], "echo x > /data/file");
    assert!(outer.join("a/b/file").exists());
    let mount = format!("type=bind,source={}/none,target=/data", outer.display());
    space.base(&["--mount", &mount], &["true"]).assert_refused(&["/none", "ENOENT"]);
    assert!(!outer.join("none").exists());
}

fn a_file_system_in_memory_has_its_options(who: Who) {
    let space = Space::new(who);
    let options = [
        "--tmpfs",
        "/run",
        "--tmpfs",
        "/fast:size=1m,mode=700,exec",
        "--mount",
        "type=tmpfs,dst=/small,tmpfs-size=64k,ro",
    ];
    let mounts = space.sh(&options, "cat /proc/mounts");
    let of =
        |place: &str| mounts.lines().find(|line| line.split(' ').nth(1) == Some(place)).unwrap().to_owned();
    let run = of("/run");
    assert!(
        run.starts_with("tmpfs") && ["nosuid", "nodev", "noexec"].iter().all(|option| run.contains(option)),
        "{run}"
    );
    let fast = of("/fast");
    assert!(fast.contains("size=1024k") && fast.contains("mode=700") && !fast.contains("noexec"), "{fast}");
    assert!(of("/small").contains("size=64k") && of("/small").split(' ').nth(3).unwrap().starts_with("ro"));
    assert_eq!(space.sh(&["--tmpfs", "/t"], "echo x > /t/file; stat -c %a /t"), "1777\n");
    space.base(&["--tmpfs", "/t:size=lots"], &["true"]).assert_refused(&["/t:size=lots"]);
}

fn a_read_only_root_has_volumes_that_are_not(who: Who) {
    let space = Space::new(who);
    let options = ["--read-only", "-v", "web:/data", "--tmpfs", "/run", "-v", "/own"];
    let script =
        "for place in /data /run /own; do echo x > $place/file; done; echo x > /file || echo refused";
    let out = space.base(&options, &["sh", "-c", script]);
    assert_eq!((out.status, out.out.as_str()), (0, "refused\n"), "{}", out.err);
}

fn the_words_of_mount_are_those_of_volume(who: Who) {
    let space = Space::new(who);
    let file = space.file("data/file", "text");
    let bind = format!("type=bind,src={},dst=/data,readonly", file.parent().unwrap().display());
    let out = space.base(&["--mount", &bind], &["sh", "-c", "cat /data/file; echo x > /data/file"]);
    assert_eq!((out.status, out.out.as_str()), (2, "text"), "{}", out.err);
    space.sh(&["--mount", "type=volume,source=web,target=/v"], "echo x > /v/file");
    assert!(data(&space, "web").join("file").exists());
    for bad in ["type=bind,target=/a", "type=nfs,target=/a", "target=a", "type=tmpfs,target=/a,volume-nocopy"]
    {
        space.base(&["--mount", bad], &["true"]).assert_refused(&[bad]);
    }
}

fn a_damaged_volume_costs_itself_alone(who: Who) {
    let space = Space::new(who);
    for name in ["good", "bad"] {
        said(&space, &["volume", "create", name]);
    }
    std::fs::write(space.root().join("volumes/bad/volume.json"), "{").unwrap();
    let outcome = space.minidocker(&["volume", "ls", "-q"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "bad\ngood\n"));
    assert!(outcome.err.contains("volumes/bad/volume.json"), "{}", outcome.err);
    space.base(&["-v", "bad:/data"], &["true"]).assert_refused(&["volumes/bad/volume.json"]);
    space.sh(&["-v", "good:/data"], "true");
    assert_eq!(said(&space, &["volume", "rm", "bad"]), "bad\n");
}

fn ten_containers_may_begin_with_one_volume(who: Who) {
    let space = Space::new(who);
    let etc = space.sh(&[], "ls -A /etc | grep -v -e hosts -e hostname -e resolv.conf | sort");
    std::thread::scope(|scope| {
        let each = || {
            space.sh(&["-v", "etc:/etc"], "ls -A /etc | grep -v -e hosts -e hostname -e resolv.conf | sort")
        };
        let all: Vec<_> = (0..10).map(|_| scope.spawn(each)).collect();
        all.into_iter().for_each(|one| assert_eq!(one.join().unwrap(), etc));
    });
    let volume = space.root().join("volumes/etc");
    assert_eq!(names_in(&volume), ["data", "volume.json"], "no mark is left");
    let owner = std::fs::metadata(volume.join("data")).unwrap().uid();
    assert_eq!(owner, std::fs::metadata(space.root()).unwrap().uid());
    assert_eq!(names_in(&space.root().join("volumes")), ["etc"]);
}

fn an_image_may_ask_for_volumes(who: Who) {
    let space = own_space(who);
    said(
        &space,
        &[
            "run",
            "--name",
            "maker",
            "--network",
            "none",
            "base",
            "sh",
            "-c",
            "mkdir /data; echo x > /data/file",
        ],
    );
    let committed = space.minidocker(&["commit", "-c", "VOLUME /data", "maker", "with-volume"]);
    assert_eq!(committed.status, 0, "{}", committed.err);
    let run = ["run", "--name", "user", "--network", "none", "with-volume", "cat", "/data/file"];
    assert_eq!(said(&space, &run), "x\n");
    let names = names_in(&space.root().join("volumes"));
    assert_eq!(names.len(), 1);
    assert!(data(&space, &names[0]).join("file").exists());
    said(&space, &["rm", "-v", "user", "maker"]);
    assert_eq!(space.minidocker(&["run", "--rm", "--network", "none", "with-volume", "true"]).status, 0);
    assert_eq!(names_in(&space.root().join("volumes")), [""; 0]);
}

fn shared_memory_has_the_size_that_was_asked_for(who: Who) {
    let space = Space::new(who);
    let size = |options: &[&str]| space.sh(options, "grep ' /dev/shm ' /proc/mounts");
    assert!(size(&[]).contains("size=65536k"));
    assert!(size(&["--shm-size", "1m"]).contains("size=1024k"));
    for bad in ["0", "many", "-1m"] {
        space.base(&[&format!("--shm-size={bad}")], &["true"]).assert_refused(&[bad]);
    }
}
