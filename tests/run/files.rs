//! Volumes, the read-only root, and that no container changes an image.

use crate::common::container::Running;
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_volume_is_the_hosts_own_directory),
        as_both(&[], a_read_only_volume_and_what_is_mounted_in_it_cannot_be_written),
        as_both(&[], a_relative_source_is_taken_from_here),
        as_both(&[], a_volume_can_be_a_single_file),
        as_both(&[], volumes_nest_and_their_targets_are_made),
        as_both(&[], the_order_of_the_words_hides_no_volume),
        as_both(&[], a_link_in_a_volume_leads_nowhere_outside),
        as_both(&[], a_volume_may_cover_what_minidocker_writes),
        as_both(&[], read_only_means_the_root_alone),
        as_both(&[], what_one_container_writes_the_next_does_not_see),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn a_volume_is_the_hosts_own_directory(who: Who) {
    let space = Space::new(who);
    let file = space.file("data/in", "from the host");
    let directory = file.parent().unwrap();
    for mode in ["", ":rw"] {
        let volume = format!("{}:/data{mode}", directory.display());
        assert_eq!(space.sh(&["-v", &volume], "cat /data/in; echo inside > /data/out"), "from the host");
        assert_eq!(std::fs::read_to_string(directory.join("out")).unwrap(), "inside\n");
        std::fs::remove_file(directory.join("out")).unwrap();
    }
    let running = space.hold(&["-v", &format!("{}:/data", directory.display())]);
    let inside = std::fs::metadata(running.proc("root/data/in")).unwrap();
    let outside = std::fs::metadata(&file).unwrap();
    assert_eq!((inside.dev(), inside.ino()), (outside.dev(), outside.ino()));
}

fn a_read_only_volume_and_what_is_mounted_in_it_cannot_be_written(who: Who) {
    let space = Space::new(who);
    let directory = space.file("data/below/file", "x").parent().unwrap().parent().unwrap().to_owned();
    if let Some(host) = &space.host {
        host.sh(&format!("mount -t tmpfs -o mode=777 tmpfs {}/below", directory.display()));
    }
    let volume = format!("{}:/data:ro", directory.display());
    let script = "touch /data/new 2>&1; touch /data/below/new 2>&1; rm -r /data/below 2>&1; ls /data";
    let said = space.sh(&["-v", &volume], script);
    assert_eq!(said.matches("Read-only file system").count(), said.lines().count() - 1, "{said}");
    assert!(said.ends_with("\nbelow\n"), "{said}");
    assert!(!directory.join("new").exists());
}

fn a_relative_source_is_taken_from_here(who: Who) {
    let space = Space::new(who);
    let here = space.file("here/file", "near").parent().unwrap().to_owned();
    let words = ["--rm", "--network", "none", "-v", "./file:/file", "base", "cat", "/file"];
    let mut command = space.command_after(&format!("cd '{}'", here.display()));
    let outcome = Running::start(command.arg("run").args(words)).end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "near"), "{}", outcome.err);
}

fn a_volume_can_be_a_single_file(who: Who) {
    let space = Space::new(who);
    let file = space.file("one", "one");
    let volume = format!("{}:/etc/new/one", file.display());
    assert_eq!(space.sh(&["-v", &volume], "cat /etc/new/one; echo two > /etc/new/one"), "one");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "two\n");
    let volume = format!("{}:/etc/passwd:ro", file.display());
    assert_eq!(
        space.sh(&["-v", &volume], "cat /etc/passwd; echo x 2>&1 >> /etc/passwd || :").lines().next(),
        Some("two")
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "two\n");
}

fn volumes_nest_and_their_targets_are_made(who: Who) {
    let space = Space::new(who);
    let outer = space.file("outer/file", "outer").parent().unwrap().to_owned();
    let inner = space.file("inner/file", "inner").parent().unwrap().to_owned();
    let volumes = [format!("{}:/a/b", outer.display()), format!("{}:/a/b/c/d", inner.display())];
    let said = space.sh(&["-v", &volumes[0], "-v", &volumes[1]], "cat /a/b/file /a/b/c/d/file; ls /a");
    assert_eq!(said, "outerinnerb\n");
    assert_eq!(names_in(&outer), ["c", "file"], "the inner target was made in the outer volume");
}

fn the_order_of_the_words_hides_no_volume(who: Who) {
    let space = Space::new(who);
    let volume = |name: &str, target: &str| {
        format!("{}:{target}", space.file(&format!("{name}/{name}"), "").parent().unwrap().display())
    };
    let (inner, outer) = (volume("inner", "/x/y"), volume("outer", "/z/../x/"));
    assert_eq!(space.sh(&["-v", &inner, "-v", &outer], "ls /x /x/y"), "/x:\nouter\ny\n\n/x/y:\ninner\n");
}

fn a_link_in_a_volume_leads_nowhere_outside(who: Who) {
    let space = Space::new(who);
    let trap = space.file("trap/file", "x").parent().unwrap().to_owned();
    let victim = space.file("victim/keep", "host").parent().unwrap().to_owned();
    symlink("../../../../../../../..", trap.join("up")).unwrap();
    symlink(&victim, trap.join("straight")).unwrap();
    let inner = space.file("inner/mine", "inner").parent().unwrap().to_owned();
    for link in [format!("up{}", victim.display()), "straight".to_owned()] {
        let volumes = [format!("{}:/t", trap.display()), format!("{}:/t/{link}", inner.display())];
        let outcome =
            space.base(&["-v", &volumes[0], "-v", &volumes[1]], &["sh", "-c", "echo x >> /t/straight/mine"]);
        assert!([0, 1, 2, 125].contains(&outcome.status), "{outcome:?}");
        assert_eq!(names_in(&victim), ["keep"], "the host's directory behind {link}");
    }
}

fn a_volume_may_cover_what_minidocker_writes(who: Who) {
    let space = Space::new(who);
    let hosts = space.file("hosts", "10.9.8.7 mine\n");
    let volume = format!("{}:/etc/hosts", hosts.display());
    assert_eq!(space.sh(&["-v", &volume], "cat /etc/hosts"), "10.9.8.7 mine\n");
}

fn read_only_means_the_root_alone(who: Who) {
    let space = Space::new(who);
    let volume = format!("{}:/data", space.file("data/file", "x").parent().unwrap().display());
    let script = "touch /new 2>&1; touch /etc/passwd 2>&1; touch /data/new /dev/shm/new && echo > /dev/null";
    let said = space.sh(&["--read-only", "-v", &volume], script);
    assert_eq!(said.matches("Read-only file system").count(), 2, "{said}");
    assert_eq!(
        space.sh(&["--read-only", "-w", "/made", "-v", &volume], "pwd; ls /data"),
        "/made\nfile\nnew\n"
    );
    let running = space.hold(&["--read-only"]);
    let mountinfo = running.read("mountinfo");
    let root = mountinfo.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap();
    assert_eq!(root.split(' ').nth(5).unwrap().split(',').next(), Some("ro"), "{root}");
}

/// Everything below a directory: path → (inode, change time, mode, size).
fn census(directory: &Path) -> BTreeMap<String, (u64, i64, i64, u32, u64)> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for name in names_in(&next) {
            let path = next.join(name);
            let status = std::fs::symlink_metadata(&path).unwrap();
            let entry = (status.ino(), status.ctime(), status.ctime_nsec(), status.mode(), status.size());
            found.insert(path.display().to_string(), entry);
            if status.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

fn what_one_container_writes_the_next_does_not_see(who: Who) {
    let space = Space::new(who);
    let layers = space.root().join("layers").canonicalize().unwrap();
    let before = census(&layers);
    assert!(before.len() > 50, "an image of {} files", before.len());
    let script = "echo changed > /etc/passwd; rm -r /home /usr/share; mkdir /opt/new; mv /srv /moved; \
                  chmod 000 /etc/group; ln /bin/sh /bin/sh2 || cp /bin/sh /bin/sh2";
    assert_eq!(space.sh(&[], script), "");
    let said = space.sh(&[], "head -1 /etc/passwd; ls -d /home /opt/* /srv /moved /bin/sh2 2>/dev/null || :");
    assert_eq!(said, "root:x:0:0:root:/root:/bin/sh\n/home\n/srv\n");
    assert_eq!(census(&layers), before);
}
