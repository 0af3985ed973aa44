//! Plans for made-up machines. Their programs are the smallest static ELF files, so no loader is asked.

use super::*;
use crate::sys::command;
use crate::sys::errno::EACCES;
use crate::sys::file;
use std::path::PathBuf;
use tree::Entry;

/// A machine with these programs (path and contents, set-user-id) and symbolic links (path and target).
fn machine(programs: &[(&str, &[u8])], links: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
    let root = tempfile::tempdir().expect("a temporary directory");
    for (path, contents) in programs {
        let path = root.path().join(path);
        file::mkdir_all(path.parent().expect("a parent"), 0o755).expect("a directory");
        file::write_new(&path, std::str::from_utf8(contents).expect("ASCII"), 0o644).expect("a file");
        file::chmod(&path, 0o4755).expect("a mode");
    }
    for (link, says) in links {
        let link = root.path().join(link);
        file::mkdir_all(link.parent().expect("a parent"), 0o755).expect("a directory");
        file::symlink(Path::new(says), &link).expect("a link");
    }
    let host = Host::open(root.path()).expect("a host");
    (root, host)
}

fn link(target: &str) -> Option<Entry> {
    Some(Entry::Link { target: target.into() })
}

fn is_copy(tree: &Tree, path: &str) -> bool {
    matches!(tree.get(path), Some(Entry::Copy { mode: 0o755, host_mode: 0o4755, from }) if from.ends_with(path))
}

#[test]
fn an_unmerged_machine_keeps_its_directories() {
    let program = elf::sample(None);
    let files: &[(&str, &[u8])] =
        &[("bin/dash", &program), ("bin/ls", &program), ("sbin/ip", &program), ("usr/bin/env", &program)];
    let (_root, host) = machine(files, &[("bin/sh", "dash")]);
    let tree = plan(&host).expect("a plan");
    assert!(["bin/dash", "bin/ls", "sbin/ip", "usr/bin/env"].iter().all(|path| is_copy(&tree, path)));
    assert_eq!(tree.get("bin/sh").cloned(), link("dash"));
    assert!(matches!(tree.get("bin"), Some(Entry::Directory { .. })));
    assert_eq!(tree.get("usr/bin/ls"), None);
}

#[test]
fn a_merged_machine_keeps_its_links() {
    let program = elf::sample(None);
    let files: &[(&str, &[u8])] = &[
        ("usr/bin/bash", &program),
        ("usr/bin/ip", &program),
        ("usr/bin/mawk", &program),
        ("usr/lib/x", b""),
    ];
    // Fedora's and Arch's /usr/sbin, Debian's alternatives.
    let links = [
        ("bin", "usr/bin"),
        ("sbin", "usr/sbin"),
        ("lib64", "usr/lib64"),
        ("usr/sbin", "bin"),
        ("usr/lib64", "lib"),
        ("usr/bin/sh", "bash"),
        ("usr/bin/awk", "/etc/alternatives/awk"),
        ("etc/alternatives/awk", "/usr/bin/mawk"),
    ];
    let (_root, host) = machine(files, &links);
    let tree = plan(&host).expect("a plan");
    for (path, says) in &links[..6] {
        assert_eq!(tree.get(path).cloned(), link(says), "{path}");
    }
    assert_eq!(tree.get("usr/bin/awk").cloned(), link("mawk"));
    assert!(["usr/bin/bash", "usr/bin/ip", "usr/bin/mawk"].iter().all(|path| is_copy(&tree, path)));
    assert_eq!(tree.get("usr/sbin/ip"), None);
    assert_eq!(tree.get("bin/sh"), None, "a path through a link");
}

#[test]
fn a_program_of_many_names_is_copied_once() {
    let program = elf::sample(None);
    let files: &[(&str, &[u8])] = &[("bin/busybox", &program), ("usr/lib/cargo/bin/coreutils/ls", &program)];
    let links = [("bin/sh", "/bin/busybox"), ("usr/bin/ls", "../lib/cargo/bin/coreutils/ls")];
    let (root, _) = machine(files, &links);
    let at = |path: &str| root.path().join(path);
    let names = [at(files[1].0), at("usr/bin/cat")].map(|path| path.display().to_string());
    command::run(Path::new("ln"), &[&names[0], &names[1]], "").expect("a hard link");
    let tree = plan(&Host::open(root.path()).expect("a host")).expect("a plan");
    assert_eq!(tree.get("bin/sh").cloned(), link("busybox"));
    assert!(is_copy(&tree, "bin/busybox"));
    assert!(is_copy(&tree, "usr/bin/cat"), "the first of the hard links");
    assert_eq!(tree.get("usr/lib/cargo/bin/coreutils/ls").cloned(), link("/usr/bin/cat"));
    assert_eq!(tree.get("usr/bin/ls").cloned(), link("/usr/lib/cargo/bin/coreutils/ls"));
}

#[test]
fn without_a_shell_there_is_no_image() {
    let program = elf::sample(None);
    for shell in [b"#!/bin/x\n".to_vec(), vec![], elf::sample(Some("/lib/no-such-loader"))] {
        let (_root, host) = machine(&[("bin/sh", &shell), ("bin/ls", &program)], &[]);
        let problem = plan(&host).expect_err("no shell").problem;
        assert!(matches!(problem, Problem::NoShell { .. } | Problem::LoaderFailed { .. }), "{problem:?}");
    }
}

#[test]
fn a_program_that_cannot_run_here_is_passed_over() {
    let (program, foreign) = (elf::sample(None), elf::sample(Some("/lib/no-such-loader")));
    let (_root, host) =
        machine(&[("bin/sh", &program), ("bin/ls", &foreign), ("bin/cat", b"#!/bin/sh\n")], &[]);
    let tree = plan(&host).expect("a plan");
    assert_eq!((tree.get("bin/ls"), tree.get("bin/cat")), (None, None));
}

#[test]
fn links_of_the_machine_do_not_lead_out_of_it() {
    let program = elf::sample(None);
    let (_root, host) = machine(&[("bin/sh", &program)], &[("bin/ls", "/../../../../../../../../bin/ls")]);
    assert_eq!(host.find(Path::new("bin/ls")), Ok(None), "bin/ls leads to itself");
    assert_eq!(host.place(Path::new("/bin/ls")), Ok(PathBuf::from("bin/ls")));
}

#[test]
fn this_machine_makes_an_image() {
    let layer = tempfile::tempdir().expect("a temporary directory");
    let config = build(Path::new("/"), layer.path()).expect("an image");
    assert_eq!(config.cmd, ["sh"]);
    let host = Host::open(layer.path()).expect("the image as a host");
    for path in ["bin/sh", "etc/passwd", "usr/bin/env"] {
        let found = host.find(Path::new(path)).expect("an answer").expect(path);
        assert_eq!(found.status.mode & 0o7022, 0, "{path}: set-user-id or writable by others");
    }
    // Every link leads to something inside, but for those into /proc.
    assert_eq!(dangling(&host, Path::new("")), Vec::<PathBuf>::new());
}

/// The links below `directory` of the image that lead nowhere.
fn dangling(host: &Host, directory: &Path) -> Vec<PathBuf> {
    let names = match file::list(&host.reach(directory)) {
        Err(error) if error.is(EACCES) => Vec::new(),
        names => names.expect("a list"),
    };
    let mut bad = Vec::new();
    for (name, kind) in names {
        let path = directory.join(name);
        match kind {
            file::Kind::Directory => bad.extend(dangling(host, &path)),
            file::Kind::Link
                if path != Path::new("etc/mtab") && host.find(&path).expect("an answer").is_none() =>
            {
                bad.push(path);
            }
            _ => {}
        }
    }
    bad
}
