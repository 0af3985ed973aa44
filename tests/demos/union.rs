//! `overlay-demo`, seen from outside: each demo is stopped at a scene, and its directories are looked at through
//! `/proc/PID/root`; or its commands are typed into a shell of its own, to see whether they do the same.

use super::told::play;
use crate::common::container::{Running, children_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who, as_person, names_in};
use crate::common::{Test, as_both, as_root};
use minidocker::sys::inode;
use nix::sys::signal::Signal::SIGKILL;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], deleted_names_are_devices_in_upper_and_lower_is_whole),
        as_both(&[], a_byte_more_is_a_file_more),
        as_both(&[], a_directory_made_again_is_opaque),
        as_both(&[], a_moved_directory_was_copied),
        as_both(&[], two_containers_show_one_inode),
        as_both(&[], an_upper_layer_becomes_a_lower_one),
        as_both(&[], the_image_has_nothing_to_boot),
        as_both(&[Need::Program("tar", "tar")], tar_lists_the_layer),
        as_both(&[], a_hole_takes_no_blocks),
        as_both(&[], the_commands_do_what_the_pictures_show),
        as_both(&[], killed_at_any_scene_it_leaves_nothing),
        as_root(&[], on_the_host_the_kernel_grants_what_it_refuses_a_user_namespace),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A demo that waits for Enter at a scene.
struct Stopped {
    running: Running,
    player: u32,
    /// Its `/tmp`.
    top: PathBuf,
}

impl Stopped {
    /// Stop `walk` at the scene whose heading begins like this.
    fn at(space: &Space, walk: &str, heading: &str) -> Self {
        let mut running = Running::start(space.demo_by_steps("overlay-demo").args([walk, "--step"]));
        go_on_to(&mut running, heading);
        let player = children_of(running.client())[0];
        Self { running, player, top: PathBuf::from(format!("/proc/{player}/root/tmp")) }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.top.join(path)
    }

    fn metadata(&self, path: &str) -> std::fs::Metadata {
        let path = self.path(path);
        std::fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn names(&self, path: &str) -> Vec<String> {
        names_in(&self.path(path))
    }

    fn is_whiteout(&self, path: &str) -> bool {
        let metadata = self.metadata(path);
        metadata.file_type().is_char_device() && metadata.rdev() == 0
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Let it go on to its end, which must be a good one.
    fn go_on(mut self) {
        self.running.say("");
        go_on_to(&mut self.running, "What you saw");
        let outcome = self.running.end();
        assert_eq!(outcome.status, 0, "{}", outcome.out);
    }
}

/// More lines than any demo has. (After the end of output there are empty ones.)
const LINES: usize = 2000;

/// Press Enter at each scene before the one whose heading begins like this.
fn go_on_to(running: &mut Running, heading: &str) {
    for _ in 0..LINES {
        let line = running.line();
        if line.starts_with(&format!("── {heading}")) {
            return;
        }
        if line.starts_with("── ") && !line.starts_with("── What you saw") && !line.starts_with("── Try next")
        {
            running.say("");
        }
    }
    panic!("there is no scene {heading}");
}

fn deleted_names_are_devices_in_upper_and_lower_is_whole(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "walkthrough", "What stands in lower");
    assert_eq!(demo.names("upper"), ["in_both.txt", "in_lower.txt"]);
    assert!(demo.is_whiteout("upper/in_both.txt") && demo.is_whiteout("upper/in_lower.txt"));
    assert_eq!(demo.names("lower"), ["in_both.txt", "in_lower.txt"]);
    assert_eq!(
        (demo.text("lower/in_both.txt"), demo.text("lower/in_lower.txt")),
        ("from lower\n".into(), "from lower\n".into())
    );
    assert!(demo.names("merged").is_empty());
    demo.go_on();
}

fn a_byte_more_is_a_file_more(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "copy-up", "A new mode");
    let [lower, upper, merged] = ["lower/big", "upper/big", "merged/big"].map(|path| demo.metadata(path));
    assert_eq!((lower.size(), upper.size(), merged.size()), (4194304, 4194306, 4194306));
    assert!(upper.blocks() >= 8192 && upper.ino() != lower.ino());
    assert_eq!(merged.ino(), lower.ino());
    assert!(!demo.path("upper/other").exists());
    demo.go_on();
}

fn a_directory_made_again_is_opaque(who: Who) {
    let space = Space::new(who);
    if play(&space, "overlay-demo", &["opaque"]).contains("Linux 6.6") {
        return; // This tmpfs keeps no such attributes, and the demo says so.
    }
    let demo = Stopped::at(&space, "opaque", "Without the attribute");
    let opaque = inode::attribute(&demo.path("upper/dir"), "user.overlay.opaque").unwrap();
    assert_eq!(opaque.as_deref(), Some(&b"y"[..]));
    assert_eq!((demo.names("lower/dir"), demo.names("merged/dir").len()), (vec!["a".into(), "b".into()], 0));
    demo.go_on();
}

fn a_moved_directory_was_copied(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "rename", "redirect_dir=on");
    assert_eq!(demo.names("upper/moved"), ["a", "b"]);
    assert!(demo.is_whiteout("upper/dir") && demo.is_whiteout("upper/file"));
    assert_eq!(demo.names("merged"), ["moved", "renamed"]);
    demo.go_on();
}

fn two_containers_show_one_inode(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "share", "One of them writes");
    let image = demo.metadata("image/big");
    let mut devices = vec![image.dev()];
    let containers = children_of(demo.player);
    assert_eq!(containers.len(), 2);
    for (pid, name) in containers.iter().zip(["one", "two"]) {
        let file = PathBuf::from(format!("/proc/{pid}/root/tmp/{name}/merged/big"));
        let seen = std::fs::metadata(file).unwrap();
        assert_eq!((seen.ino(), seen.blocks()), (image.ino(), image.blocks()));
        assert!(!devices.contains(&seen.dev()));
        devices.push(seen.dev());
        // Neither sees what the other has mounted.
        assert!(names_in(Path::new(&format!("/proc/{}/root/tmp/{name}/merged", demo.player))).is_empty());
    }
    assert!(demo.names("one/upper").is_empty() && demo.names("two/upper").is_empty());
    demo.go_on();
}

fn an_upper_layer_becomes_a_lower_one(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "readonly", "… and read-only");
    assert_eq!(demo.names("upper"), ["new", "one", "two"]);
    assert!(demo.is_whiteout("upper/two"));
    assert_eq!(
        (demo.metadata("a/one").mode() & 0o777, demo.metadata("upper/one").mode() & 0o777),
        (0o644, 0o600)
    );
    demo.go_on();
}

fn the_image_has_nothing_to_boot(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "bootfs", "Docker's start");
    let layers = demo.names("state/layers");
    let base = layers.iter().find(|name| demo.path(&format!("state/layers/{name}")).is_dir()).unwrap();
    let base = format!("state/layers/{base}");
    let top = demo.names(&base);
    assert!(top.iter().any(|name| name == "usr") && !top.iter().any(|name| name.starts_with("vmlinuz")));
    assert!(!demo.path(&format!("{base}/lib/modules")).exists());
    assert!(demo.names(&format!("{base}/boot")).is_empty());
    demo.go_on();
}

/// The layer, as another program reads it.
fn tar_lists_the_layer(who: Who) {
    let space = Space::new(who);
    let demo = Stopped::at(&space, "diff", "… and back");
    let output = Command::new("tar").arg("-tf").arg(demo.path("layer.tar")).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let names: Vec<&str> = listed.lines().collect();
    assert!(names.contains(&"etc/.wh.old") && names.contains(&"new/same"), "{listed}");
    assert!(names.contains(&"dir/.wh..wh..opq") || names.contains(&".wh.dir"), "{listed}");
    assert!(demo.is_whiteout("upper/etc/old"));
    demo.go_on();
}

fn a_hole_takes_no_blocks(who: Who) {
    let space = Space::new(who);
    let told = play(&space, "overlay-demo", &["allocate"]);
    let row = |command: &str| -> Vec<u64> {
        let line = told.lines().find_map(|line| line.trim_start().strip_prefix(&format!("{command} ")));
        line.unwrap().split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let [sized, written, full] = ["truncate", "dd", "/dev/zero"].map(row);
    assert_eq!((sized[0], sized[1]), (64 << 20, 0));
    // One page, of whatever size this machine has.
    assert!(written[1] > 0 && written[1] <= 128, "{told}");
    assert_eq!(full[1] * 512, 1 << 20);
}

/// The commands that a demo shows, each whole, and the last of its pictures: a head, and lines of cells.
fn commands_and_picture(told: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut commands = Vec::new();
    let mut picture: Vec<Vec<String>> = Vec::new();
    for line in told.lines() {
        if let Some(command) = line.strip_prefix("     $ ") {
            commands.push(command.to_owned());
        }
        let cells: Vec<String> = line.split('│').map(|cell| cell.trim().to_owned()).collect();
        match cells.len() {
            1 => {}
            _ if cells.last().is_some_and(|cell| cell == "merged/") => picture = vec![cells],
            _ => picture.push(cells),
        }
    }
    (commands, picture)
}

/// Type the commands of a demo whose names are all at the top into a shell with mounts of its own; the directories
/// must end as the demo has drawn them.
fn the_commands_do_what_the_pictures_show(who: Who) {
    let space = Space::new(who);
    for walk in ["walkthrough", "whiteout", "layers"] {
        let mut demo = space.demo("overlay-demo");
        let told = Running::start(demo.arg(walk).env("COLUMNS", "132")).end().out;
        let told = told.split("── Try next").next().unwrap();
        let (commands, picture) = commands_and_picture(told);
        let mut script = "mount -t tmpfs tmpfs /tmp; cd /tmp; sudo() { \"$@\"; }; umask 022\n".to_owned();
        script += &commands.join("\n");
        for (column, head) in picture[0].iter().enumerate() {
            script += &format!("\nfind {head} -mindepth 1 -printf '@{column} %P %y\\n'");
        }
        let shell =
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", &script].map(str::to_owned);
        let words = [as_person(who), shell.to_vec()].concat();
        let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        let mut found: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        found.retain(|line| line.starts_with('@'));
        found.sort();
        assert_eq!(found, drawn(&picture), "{walk}:\n{told}");
    }
}

/// What a picture shows, as find(1) is told to print it: column, name and kind.
fn drawn(picture: &[Vec<String>]) -> Vec<String> {
    let mut names = Vec::new();
    for line in &picture[1..] {
        for (column, cell) in line.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let words: Vec<&str> = cell.split_whitespace().collect();
            let whiteout = words.last() == Some(&"c0:0");
            let signed = words[0].len() == 1;
            let name = words[usize::from(signed)];
            names.push(format!("@{column} {name} {}", if whiteout { 'c' } else { 'f' }));
        }
    }
    names.sort();
    names
}

/// All that a killed demo held ends at once: its output does, and its mounts were never this process's.
fn killed_at_any_scene_it_leaves_nothing(who: Who) {
    let space = Space::new(who);
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    for (walk, scene) in [
        ("walkthrough", "The mount"),
        ("walkthrough", "What stands in upper"),
        ("share", "One of them writes"),
        ("bootfs", "Docker's start"),
        ("diff", "… and back"),
    ] {
        let demo = Stopped::at(&space, walk, scene);
        demo.running.signal(SIGKILL);
        let top = demo.top;
        assert_ne!(demo.running.wait().status, 0);
        // A process closes its files, and so ends the output, a moment before it lets its mounts go.
        for _ in 0..5000 {
            if !top.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(!top.exists(), "{walk} lives on");
    }
    assert_eq!(mounts(), before);
}

/// Root of the first user namespace may write `trusted.*`: redirects and metacopy are shown too.
fn on_the_host_the_kernel_grants_what_it_refuses_a_user_namespace() {
    let space = Space::new(Who::Root);
    for (walk, shown) in [
        ("opaque", "trusted.overlay.opaque  y"),
        ("rename", "trusted.overlay.redirect  dir"),
        ("copy-up", "upper/other is all metadata"),
        ("diff", "dir/.wh..wh..opq"),
        ("walkthrough", "x in_both.txt c0:0"),
        ("whiteout", "x second c0:0"),
        ("layers", "x in_c c0:0"),
        ("share", "two/merged"),
        ("allocate", "truncate"),
        ("readonly", "EROFS"),
        ("bootfs", "ID=minidocker"),
    ] {
        let told = play(&space, "overlay-demo", &[walk, "--on-host"]);
        assert!(told.contains(shown) && !told.contains("not on this machine"), "{walk}\n{told}");
    }
}
