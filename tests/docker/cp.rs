//! `cp`: between a container, running or not, and this machine, as Docker's does it; and never out of the container.

use crate::common::container::{Outcome, Running};
use crate::common::need::Need;
use crate::common::space::{Space, Who, uid_of};
use crate::common::{Test, as_both, as_root};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], from_a_container_that_runs),
        as_both(&[], into_a_container_that_runs),
        as_both(&[], where_it_lands_is_dockers),
        as_both(&[], one_that_has_ended_is_as_good),
        as_both(&[], one_that_was_never_started_too),
        as_both(&[], modes_times_links_and_pipes_are_kept),
        as_root(&[], owners_are_kept_with_a),
        as_both(&[Need::Program("tar", "tar")], archives_go_through_pipes),
        as_both(&[], what_cannot_be_is_one_error),
        as_both(&[], no_link_leads_out_of_the_container),
        as_both(&[], no_link_leads_astray_on_this_side),
        as_both(&[], a_container_that_changes_links_meanwhile_wins_nothing),
        as_root(&[], devices_stay_where_they_are),
        as_both(&[], volumes_are_seen),
        as_both(&[], each_step_is_explained),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn hold(space: &Space, options: &[&str]) -> Running {
    space.hold(&[&["--name", "box"], options].concat())
}

/// What `sh -c SCRIPT` writes in `box`; it must succeed.
fn sh(space: &Space, script: &str) -> String {
    let outcome = space.minidocker(&["exec", "box", "sh", "-c", script]);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{script}");
    outcome.out
}

fn try_cp(space: &Space, options: &[&str], from: &str, to: &str) -> Outcome {
    space.minidocker(&[&["cp"], options, &[from, to]].concat())
}

#[track_caller]
fn cp(space: &Space, options: &[&str], from: &str, to: &str) {
    let outcome = try_cp(space, options, from, to);
    let nothing = (outcome.status, outcome.out.as_str(), outcome.err.as_str());
    assert_eq!(nothing, (0, "", ""), "{from} {to}");
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path of the space's own on this machine, as words.
fn here(space: &Space, name: &str) -> String {
    space.path(name).display().to_string()
}

fn from_a_container_that_runs(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    sh(&space, "mkdir -p /data/sub; echo one > /data/one; echo two > /data/sub/two; ln /data/one /data/same");
    cp(&space, &[], "box:/data/one", &here(&space, "file"));
    assert_eq!(text(&space.path("file")), "one\n");
    assert_eq!(std::fs::metadata(space.path("file")).unwrap().uid(), uid_of(who));
    cp(&space, &[], "box:data", &here(&space, "copy"));
    assert_eq!(text(&space.path("copy/sub/two")), "two\n");
    let inode = |name: &str| std::fs::metadata(space.path(name)).unwrap().ino();
    assert_eq!(inode("copy/one"), inode("copy/same"), "two names of one file");
}

fn into_a_container_that_runs(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    space.file("dir/one", "one");
    space.file("dir/sub/two", "two");
    cp(&space, &[], &here(&space, "dir/one"), "box:/tmp/file");
    cp(&space, &[], &here(&space, "dir"), "box:/tmp");
    cp(&space, &[], &here(&space, "dir/."), "box:/root");
    let said = sh(&space, "cat /tmp/file /tmp/dir/sub/two /root/one; stat -c %u:%g /tmp/dir /tmp/dir/one");
    assert_eq!(said, "onetwoone0:0\n0:0\n", "{said}");
}

fn where_it_lands_is_dockers(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    sh(&space, "mkdir /data /there; echo x > /data/x; ln -s /there /to-there; ln -s /data/x /to-x");
    space.file("dir/x", "y");
    std::fs::create_dir(space.path("there")).unwrap();
    std::os::unix::fs::chown(space.path("there"), Some(uid_of(who)), None).unwrap();
    for (from, to, made) in [
        ("box:/data", "new", "new/x"),
        ("box:/data/", "there", "there/data/x"),
        ("box:/data/.", "there", "there/x"),
        ("box:/data/x", "there/z", "there/z"),
        ("box:/data/x", "there/z", "there/z"),
        ("box:/to-there/../data/x", "clean", "clean"),
    ] {
        cp(&space, &[], from, &here(&space, to));
        assert_eq!(text(&space.path(made)), "x\n", "{from} {to}");
    }
    cp(&space, &[], "box:/to-x", &here(&space, "link"));
    assert_eq!(std::fs::read_link(space.path("link")).unwrap(), Path::new("/data/x"));
    cp(&space, &["-L"], "box:/to-x", &here(&space, "followed"));
    assert_eq!(text(&space.path("followed")), "x\n");
    cp(&space, &["-L"], "box:/to-x", &here(&space, "there"));
    assert_eq!(text(&space.path("there/to-x")), "x\n", "the name is the link's");
    for (from, to, made) in [
        ("dir", "/fresh", "/fresh/x"),
        ("dir", "/there/", "/there/dir/x"),
        ("dir/.", "/to-there", "/there/x"),
        ("dir/x", "/to-there", "/there/x"),
        ("dir/x", "/to-there/../relative", "/relative"),
        ("dir/x", "/to-x", "/data/x"),
    ] {
        cp(&space, &[], &here(&space, from), &format!("box:{to}"));
        assert_eq!(sh(&space, &format!("cat {made}")), "y", "{from} {to}");
    }
    assert_eq!(sh(&space, "readlink /to-x"), "/data/x\n", "what it leads to was replaced, not the link");
}

fn one_that_has_ended_is_as_good(who: Who) {
    let space = Space::new(who);
    let script = "echo kept > /kept; mkdir /d; rm /etc/group";
    let words = ["run", "--name", "box", "--network", "none", "base", "sh", "-c", script];
    assert_eq!(space.minidocker(&words).status, 0);
    cp(&space, &[], "box:/kept", &here(&space, "kept"));
    assert_eq!(text(&space.path("kept")), "kept\n");
    cp(&space, &[], "box:/etc", &here(&space, "etc"));
    assert!(
        space.path("etc/passwd").exists() && !space.path("etc/group").exists(),
        "the union is what is copied"
    );
    cp(&space, &[], &here(&space, "kept"), "box:/d");
    cp(&space, &[], "box:/d", &here(&space, "back"));
    assert_eq!(text(&space.path("back/kept")), "kept\n");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(space.root().to_str().unwrap()), "no mount is left");
}

fn one_that_was_never_started_too(who: Who) {
    let space = Space::new(who);
    let words =
        ["create", "--name", "box", "--network", "none", "-v", "named:/v", "base", "cat", "/file", "/v/file"];
    assert_eq!(space.minidocker(&words).status, 0);
    space.file("file", "text");
    cp(&space, &[], &here(&space, "file"), "box:/file");
    cp(&space, &[], &here(&space, "file"), "box:/v");
    cp(&space, &[], "box:/etc/passwd", &here(&space, "passwd"));
    assert!(text(&space.path("passwd")).starts_with("root:"));
    let outcome = space.minidocker(&["start", "-a", "box"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "texttext"), "{}", outcome.err);
}

fn modes_times_links_and_pipes_are_kept(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    let make = "mkdir -p t/d; echo x > t/f; chmod 4751 t/f; ln -s /nowhere t/l; mkfifo -m 620 t/p; chmod 1711 t/d; \
                touch -d '2001-02-03 04:05:06.789' t/f t/d t/p; touch -hd '2002-02-02' t/l; touch -d '2003-03-03' t";
    sh(&space, &format!("cd /tmp; {make}"));
    cp(&space, &[], "box:/tmp/t", &here(&space, "t"));
    let list = "cd DIR; find . -printf '%p %y %m %T@ %l\\n' | sort";
    let inside = sh(&space, &list.replace("DIR", "/tmp/t"));
    let list_here = |name: &str| {
        let script = list.replace("DIR", &here(&space, name));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // Rights that are not the copy's owner's do not come along.
    assert_eq!(list_here("t"), inside.replace("f f 4751", "f f 751"));
    assert_eq!(inside.lines().count(), 5);
    cp(&space, &[], &here(&space, "t"), "box:/tmp/u");
    assert_eq!(sh(&space, &list.replace("DIR", "/tmp/u")), list_here("t"));
    cp(&space, &["-a"], "box:/tmp/t", &here(&space, "a"));
    assert_eq!(list_here("a"), if who == Who::Root { inside } else { list_here("t") });
}

fn owners_are_kept_with_a() {
    let space = Space::new(Who::Root);
    let _box = hold(&space, &[]);
    sh(&space, "mkdir /d; echo x > /d/f; chown -R 1000:50 /d");
    let owner =
        |name: &str| std::fs::metadata(space.path(name)).map(|file| (file.uid(), file.gid())).unwrap();
    cp(&space, &["--archive"], "box:/d", &here(&space, "kept"));
    cp(&space, &[], "box:/d", &here(&space, "own"));
    assert_eq!((owner("kept/f"), owner("kept"), owner("own/f")), ((1000, 50), (1000, 50), (0, 0)));
    cp(&space, &["-a"], &here(&space, "kept"), "box:/kept");
    cp(&space, &[], &here(&space, "kept"), "box:/own");
    assert_eq!(sh(&space, "stat -c %u:%g /kept/f /own/f"), "1000:50\n0:0\n");
}

fn archives_go_through_pipes(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    sh(&space, "mkdir -p /d/e; seq 100000 > /d/e/numbers; ln -s e /d/l");
    let archive = |path: &str| {
        let output = space.command().args(["cp", path, "-"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(space.path("archive"), output.stdout).unwrap();
        let listed = std::process::Command::new("tar").arg("tf").arg(space.path("archive")).output().unwrap();
        String::from_utf8(listed.stdout).unwrap()
    };
    assert_eq!(archive("box:/d/e/numbers"), "numbers\n");
    assert_eq!(archive("box:/d/."), "./\n./e/\n./e/numbers\n./l\n");
    assert_eq!(archive("box:/d"), "d/\nd/e/\nd/e/numbers\nd/l\n");
    std::os::unix::fs::chown(space.path("archive"), Some(uid_of(who)), None).unwrap();
    let from = || Stdio::from(std::fs::File::open(space.path("archive")).unwrap());
    let into = |place: &str| space.command().args(["cp", "-", place]).stdin(from()).output().unwrap();
    let output = into("box:/tmp");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sh(&space, "cmp /tmp/d/l/numbers /d/e/numbers && echo same"), "same\n");
    // An archive of GNU tar's, which is filled up to twenty blocks, with a name too long for one.
    let long = "n".repeat(150);
    let make = format!("cd {}; mkdir {long}; echo x > {long}/f; tar cf archive {long}", here(&space, ""));
    assert!(std::process::Command::new("sh").args(["-c", &make]).status().unwrap().success());
    assert!(into("box:/tmp").status.success());
    assert_eq!(sh(&space, &format!("cat /tmp/{long}/f")), "x\n");
    let refused = into("box:/tmp/d/e/numbers");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("must be a directory"));
}

fn what_cannot_be_is_one_error(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    sh(&space, "mkdir /dir /tmp/dir; echo x > /file; echo keep > /dir/file");
    let (file, dir) = (space.file("file", "f"), space.file("dir/f", "f").parent().unwrap().to_owned());
    let (file, dir) = (file.display().to_string(), dir.display().to_string());
    for (from, to, fact) in [
        ("box:/no/such", file.as_str(), "could not find the file /no/such in container box"),
        ("box:/file/", file.as_str(), "could not find the file /file/ in container box"),
        ("box:/dir", file.as_str(), "cannot copy a directory"),
        (dir.as_str(), "box:/file", "cannot copy a directory"),
        (file.as_str(), "box:/no/such/file", "/no/such/file"),
        (file.as_str(), "box:/new/", "no such directory"),
        (dir.as_str(), "box:/no/such/dir", "/no/such/dir"),
        ("/no/such", "box:/x", "could not find \"/no/such\""),
        ("box:/file", "/no/such/file", "could not find \"/no/such/file\""),
        ("box:/file", "box:/other", "between containers"),
        (file.as_str(), "elsewhere", "CONTAINER:PATH"),
        ("nobody:/file", file.as_str(), "nobody"),
        (file.as_str(), "nobody:/file", "nobody"),
    ] {
        try_cp(&space, &[], from, to).assert_failed(&[fact]);
    }
    assert_eq!(text(Path::new(&file)), "f");
    assert_eq!(sh(&space, "ls -A /dir /tmp/dir; cat /dir/file /file"), "/dir:\nfile\n\n/tmp/dir:\nkeep\nx\n");
    // What cannot be written here, though all of it came.
    std::fs::create_dir(space.path("shut")).unwrap();
    if who == Who::User {
        std::fs::set_permissions(space.path("shut"), PermissionsExt::from_mode(0o555)).unwrap();
        try_cp(&space, &[], "box:/etc", &here(&space, "shut")).assert_failed(&["EACCES"]);
    }
}

/// A file on this machine, outside of every container, that nobody may read or write through one.
fn secret(space: &Space) -> PathBuf {
    space.file("secret", "secret")
}

fn no_link_leads_out_of_the_container(who: Who) {
    let space = Space::new(who);
    let secret = secret(&space);
    let mut first = hold(&space, &[]);
    let up = "../".repeat(20);
    sh(
        &space,
        &format!(
            "ln -s {} /tmp/abs; ln -s {up}{} /tmp/rel; ln -s / /tmp/root",
            secret.display(),
            secret.display()
        ),
    );
    sh(&space, &format!("ln -s {up} /tmp/up; ln -s /proc/1/root /tmp/magic; ln -s /proc/self/root /tmp/own"));
    let leads = [
        "/tmp/abs".to_owned(),
        "/tmp/rel".to_owned(),
        format!("/tmp/root{}", secret.display()),
        format!("/tmp/up{}", secret.display()),
        format!("/tmp/magic{}", secret.display()),
        format!("/tmp/own{}", secret.display()),
        format!("/proc/1/root{}", secret.display()),
        format!("/proc/self/root{}", secret.display()),
        format!("{up}{}", secret.display()),
    ];
    let check = || {
        for path in &leads {
            let outcome = try_cp(&space, &["-L"], &format!("box:{path}"), &here(&space, "stolen"));
            assert_eq!(outcome.status, 1, "{path}: {}", outcome.err);
            assert!(!space.path("stolen").exists(), "{path}");
            let outcome = try_cp(&space, &["-L"], &here(&space, "evil"), &format!("box:{path}"));
            assert_eq!(text(&secret), "secret", "{path}: {}", outcome.err);
        }
        assert_eq!(std::fs::read_dir(secret.parent().unwrap()).unwrap().count(), 3, "state, secret, evil");
    };
    space.file("evil", "evil");
    check();
    first.say("end");
    let _ = first.end();
}

fn no_link_leads_astray_on_this_side(who: Who) {
    let space = Space::new(who);
    let secret = secret(&space);
    let _box = hold(&space, &[]);
    // A tree with the same names as ours, where ours has links.
    sh(&space, "mkdir -p /d/sub; echo evil > /d/sub/secret; echo evil > /d/file");
    for name in ["to", "to/d"] {
        std::fs::create_dir(space.path(name)).unwrap();
        std::os::unix::fs::chown(space.path(name), Some(uid_of(who)), None).unwrap();
    }
    symlink("../..", space.path("to/d/sub")).unwrap();
    symlink("../../secret", space.path("to/d/file")).unwrap();
    try_cp(&space, &[], "box:/d", &here(&space, "to")).assert_failed(&["to/d/sub"]);
    std::fs::remove_file(space.path("to/d/sub")).unwrap();
    cp(&space, &[], "box:/d", &here(&space, "to"));
    assert_eq!((text(&secret), text(&space.path("to/d/file"))), ("secret".to_owned(), "evil\n".to_owned()));
    // The person's own link at the end is followed, as with cp(1).
    std::fs::create_dir(space.path("real")).unwrap();
    std::os::unix::fs::chown(space.path("real"), Some(uid_of(who)), None).unwrap();
    symlink("real", space.path("link")).unwrap();
    cp(&space, &[], "box:/d/file", &here(&space, "link"));
    assert_eq!(text(&space.path("real/file")), "evil\n");
}

fn a_container_that_changes_links_meanwhile_wins_nothing(who: Who) {
    let space = Space::new(who);
    let secret = secret(&space);
    let directory = secret.parent().unwrap().display().to_string();
    let flip = format!(
        "mkdir -p /tmp/real; echo own > /tmp/real/secret; \
         (while :; do ln -sfn /tmp/real /tmp/flip; ln -sfn {directory} /tmp/flip; done) & echo ready; read line"
    );
    let mut first = space.start(&["--name", "box"], &["sh", "-c", &flip]);
    first.expect("ready");
    let evil = space.file("evil/secret", "evil").display().to_string();
    for _ in 0..10 {
        let outcome = try_cp(&space, &["-L"], "box:/tmp/flip/secret", &here(&space, "got"));
        assert!(outcome.status == 1 || text(&space.path("got")) != "secret");
        try_cp(&space, &[], &evil, "box:/tmp/flip/secret");
        assert_eq!(text(&secret), "secret");
    }
}

fn devices_stay_where_they_are() {
    let space = Space::new(Who::Root);
    let _box = hold(&space, &[]);
    sh(&space, "mkdir /d; mknod /d/null c 1 3; echo x > /d/f");
    let outcome = try_cp(&space, &["-a"], "box:/d", &here(&space, "d"));
    assert_eq!((outcome.status, outcome.err.lines().count()), (0, 1), "{}", outcome.err);
    assert!(outcome.err.contains("left out 1 device"), "{}", outcome.err);
    assert!(space.path("d/f").exists() && !space.path("d/null").exists());
}

fn volumes_are_seen(who: Who) {
    let space = Space::new(who);
    let volume = space.file("volume/f", "f").parent().unwrap().display().to_string();
    let words = ["run", "--name", "box", "--network", "none", "-v", &format!("{volume}:/v"), "base", "true"];
    assert_eq!(space.minidocker(&words).status, 0);
    cp(&space, &[], "box:/v/f", &here(&space, "got"));
    assert_eq!(text(&space.path("got")), "f");
    space.file("new", "new");
    cp(&space, &[], &here(&space, "new"), "box:/v");
    assert_eq!(text(&space.path("volume/new")), "new");
}

fn each_step_is_explained(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    let outcome = space.minidocker(&["--explain", "cp", "box:/etc/passwd", &here(&space, "passwd")]);
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    for word in ["join", "copy"] {
        assert!(outcome.err.contains(&format!("── {word}  ")), "{}", outcome.err);
    }
    assert!(outcome.err.contains("CLONE_NEWNS) = 0"), "{}", outcome.err);
}
