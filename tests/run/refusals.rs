//! Bad input: one line that says what was wrong, exit status 125, and nothing left.

use crate::common::container::Running;
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both, as_user};
use std::os::unix::fs::PermissionsExt;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], an_unknown_image),
        as_both(&[], limits_that_make_no_sense),
        as_both(&[], more_processors_than_there_are),
        as_both(&[], volumes_that_make_no_sense),
        as_both(&[], a_volume_whose_source_is_missing),
        as_both(&[], a_volume_that_does_not_fit_its_target),
        as_both(&[], a_working_directory_that_cannot_be),
        as_both(&[], users_that_stand_in_a_pipe),
        as_both(&[], a_variable_whose_value_here_is_no_text),
        as_both(&[], a_name_that_is_taken),
        as_both(&[], a_network_that_is_unknown),
        as_both(&[], a_container_that_is_not_running_cannot_be_joined),
        as_both(&[], words_that_are_no_name_user_or_capability),
        as_user(&[], a_volume_that_may_not_be_looked_at),
        as_both(&[], a_container_that_does_not_exist_cannot_be_removed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A run with these words is refused with these facts, and leaves neither container nor name.
fn assert_refused(space: &Space, words: &[&str], facts: &[&str]) {
    space.run(words).assert_refused(facts);
    assert_eq!(space.containers(), [""; 0], "{words:?}");
    assert_eq!(names_in(&space.root().join("names")), [""; 0], "{words:?}");
    if let Some(host) = &space.host {
        assert_eq!(host.links(), ["lo"], "{words:?}");
    }
}

/// The same for words before `base true`.
fn assert_option_refused(space: &Space, option: &str, value: &str, facts: &[&str]) {
    assert_refused(space, &[option, value, "base", "true"], facts);
}

fn an_unknown_image(who: Who) {
    let space = Space::new(who);
    assert_refused(&space, &["no-such-image", "true"], &["no-such-image", "base"]);
    assert_refused(&space, &["../../etc", "true"], &["../../etc"]);
    assert_refused(&space, &["", "true"], &[]);
}

fn limits_that_make_no_sense(who: Who) {
    let space = Space::new(who);
    for (option, value) in [
        ("--memory", "lots"),
        ("--memory", "1k"),
        ("--memory", "99999999999g"),
        ("--cpus", "none"),
        ("--cpus", "0.001"),
        ("--cpuset-cpus", "0-"),
        ("--cpuset-cpus", "4000"),
        ("--pids-limit", "-7"),
        ("--device-read-bps", "/dev/null:1mb"),
        ("--device-read-bps", "/no/such/device:1mb"),
        ("--device-write-bps", "1mb"),
    ] {
        assert_option_refused(&space, option, value, &[value]);
    }
}

fn more_processors_than_there_are(who: Who) {
    let online = std::fs::read_to_string("/proc/cpuinfo").unwrap().matches("processor\t:").count();
    let space = Space::new(who);
    assert_option_refused(&space, "--cpus", "10000", &["10000", &online.to_string()]);
}

fn volumes_that_make_no_sense(who: Who) {
    let space = Space::new(who);
    assert_option_refused(&space, "--volume", "a/b:/a", &["a/b", "invalid characters"]);
    for value in ["data", "/tmp:relative", "/tmp:/", "/tmp:/a:rx", "/tmp:/a/../..", ":/a", "/tmp:/a:ro:x"] {
        assert_option_refused(&space, "--volume", value, &[value]);
    }
}

fn a_volume_whose_source_is_missing(who: Who) {
    let mount = "type=bind,source=/no/such/thing,target=/a";
    assert_option_refused(&Space::new(who), "--mount", mount, &["/no/such/thing", "ENOENT"]);
}

fn a_volume_that_does_not_fit_its_target(who: Who) {
    let space = Space::new(who);
    let file = space.file("data/file", "").display().to_string();
    let directory = space.path("data").display().to_string();
    let refused = |volumes: &[String], facts: &[&str]| {
        let options: Vec<&str> = volumes.iter().flat_map(|volume| ["-v", volume]).collect();
        let words = [&["--network", "none"], &options[..], &["base", "true"]].concat();
        assert_refused(&space, &words, facts);
    };
    refused(&[format!("{file}:/etc")], &["is not a directory", "/etc", "EINVAL"]);
    refused(&[format!("{directory}:/etc/passwd")], &["is a directory", "/etc/passwd", "EINVAL"]);
    refused(&[format!("{directory}:/etc/passwd/x")], &["not a directory", "ENOTDIR"]);
    refused(&[format!("{directory}:/x"), format!("{file}:/y/../x/")], &["two volumes", "/x"]);
    refused(&[format!("{directory}:/proc/sys")], &["/proc/sys", "in /proc"]);
    std::os::unix::fs::symlink("nowhere", space.path("data/link")).unwrap();
    for source in [&file, &directory] {
        let volumes = [format!("{directory}:/x"), format!("{source}:/x/link")];
        refused(&volumes, &["/x/link", "leads nowhere"]);
    }
}

fn a_working_directory_that_cannot_be(who: Who) {
    let space = Space::new(who);
    for directory in ["/etc/passwd", "/etc/passwd/x", "/bin/sh/../../etc/group"] {
        let words = ["--network", "none", "-w", directory, "base", "true"];
        assert_refused(&space, &words, &["working directory", "ENOTDIR"]);
    }
}

fn users_that_stand_in_a_pipe(who: Who) {
    let space = Space::new(who);
    let pipe = space.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_retain(0o644)).unwrap();
    let volume = format!("{}:/etc/passwd", pipe.display());
    let words = ["--network", "none", "-v", &volume, "base", "true"];
    assert_refused(&space, &words, &["/etc/passwd", "not a regular file"]);
}

fn a_variable_whose_value_here_is_no_text(who: Who) {
    use std::os::unix::ffi::OsStrExt;
    let space = Space::new(who);
    let mut command = space.command();
    command.env("BYTES", std::ffi::OsStr::from_bytes(b"\xff"));
    command.args(["run", "--rm", "--network", "none", "-e", "BYTES", "base", "true"]);
    Running::start(&mut command).end().assert_refused(&["BYTES", "UTF-8"]);
    assert_eq!(space.containers(), [""; 0]);
}

fn a_name_that_is_taken(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["--name", "mine"]);
    let id = space.containers().pop().unwrap();
    space.base(&["--name", "mine"], &["true"]).assert_refused(&["mine", &id]);
    assert_eq!(space.containers(), [id]);
    assert_eq!(running.end().status, 0);
}

fn a_network_that_is_unknown(who: Who) {
    let space = Space::new(who);
    assert_option_refused(&space, "--network", "ether", &["ether", "bridge"]);
    assert_option_refused(&space, "--network", "container:nobody", &["nobody"]);
    assert_option_refused(&space, "--network", "container:", &[]);
}

fn a_container_that_is_not_running_cannot_be_joined(who: Who) {
    let space = Space::new(who);
    let words = ["run", "--network", "none", "--name", "ended", "base", "true"];
    assert_eq!(space.minidocker(&words).status, 0);
    space.base(&["--network", "container:ended"], &["true"]).assert_refused(&["ended"]);
    assert_eq!(space.containers().len(), 1);
}

fn words_that_are_no_name_user_or_capability(who: Who) {
    let space = Space::new(who);
    for (option, value) in [
        ("--name", "../x"),
        ("--name", "-x"),
        ("--hostname", "a b"),
        ("--env", "=x"),
        ("--workdir", "relative"),
        ("--cap-add", "FLY"),
        ("--cap-drop", "CAP_FLY"),
        ("--user", "somebody"),
        ("--user", "root:nogroup-here"),
        ("--user", "4294967296"),
    ] {
        let words = [&format!("{option}={value}"), "--network=none", "base", "true"];
        let fact = value.rsplit(':').next().unwrap();
        assert_refused(&space, &words, &[fact]);
    }
    let long = "x".repeat(200);
    assert_option_refused(&space, "--hostname", &long, &[]);
    assert_option_refused(&space, "--name", &long, &[]);
}

fn a_volume_that_may_not_be_looked_at() {
    let space = Space::new(Who::User);
    let source = space.file("closed/file", "x");
    let closed = source.parent().unwrap().to_owned();
    let mode = |mode| std::fs::set_permissions(&closed, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o000);
    let outcome = space.base(&["-v", &format!("{}:/a", source.display())], &["true"]);
    mode(0o700);
    outcome.assert_refused(&[&source.display().to_string(), "EACCES"]);
    assert_eq!(space.containers(), [""; 0]);
}

fn a_container_that_does_not_exist_cannot_be_removed(who: Who) {
    let space = Space::new(who);
    for word in ["nobody", "../names", ""] {
        space.minidocker(&["rm", word]).assert_failed(&[]);
    }
}
