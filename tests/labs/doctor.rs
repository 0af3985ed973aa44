//! What `lab doctor` says: of this machine, and of machines that lack something, which are made for the purpose in
//! namespaces that the test throws away.

use super::program::checkout;
use crate::common::need::Need;
use crate::common::space::{Space, Who, as_person, program_named};
use crate::common::{Test, as_both, as_root};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], what_is_lacking_here_is_explained),
        as_both(&[], no_more_user_namespaces),
        as_both(&[], no_more_network_namespaces),
        as_both(&[], a_covered_proc),
        as_both(&[], no_iptables),
        as_both(&[], nothing_to_build_with),
        as_both(&[], a_person_is_told_in_either_language),
        as_root(&[], a_chroot),
        as_root(&[], no_cgroups),
        as_root(&[], no_tun),
        as_root(&[Need::Iptables], a_host_that_forwards_nothing),
        as_root(&[], inside_a_container),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The words that start `lab` by `sh`, where `$0` is `lab` itself.
fn lab(who: Who, words: &[&str]) -> Output {
    let mut all = as_person(who);
    all.extend(words.iter().map(|word| (*word).to_owned()));
    let program = program_named("lab");
    all.iter_mut().filter(|word| *word == "LAB").for_each(|word| *word = program.display().to_string());
    Command::new(&all[0]).args(&all[1..]).current_dir(checkout()).output().unwrap()
}

/// What the doctor says as JSON, and its exit status.
struct Said {
    status: i32,
    all: Value,
}

/// `lab doctor --json`, after `script` has changed what it will see. The script is run by `unshare OPTIONS sh`.
fn after(who: Who, unshare: &[&str], script: &str) -> Said {
    let script = format!("set -e; {script}\nexec \"$0\" doctor --json");
    said(lab(who, &[&["unshare"], unshare, &["sh", "-c", &script, "LAB"]].concat()))
}

fn said(output: Output) -> Said {
    let text = String::from_utf8(output.stdout).unwrap();
    let all = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("no JSON: {text}{}", String::from_utf8_lossy(&output.stderr)));
    Said { status: output.status.code().unwrap(), all }
}

impl Said {
    fn blockers(&self) -> impl Iterator<Item = &Value> {
        self.all["blockers"].as_array().unwrap().iter()
    }

    fn blocker(&self, name: &str) -> &Value {
        self.blockers().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {:#}", self.all))
    }

    /// The blocker `name` stops lessons for want of `needs`, and its answer was `errno`.
    fn stops(&self, name: &str, errno: Option<&str>, needs: &[&str]) -> &Value {
        let blocker = self.blocker(name);
        assert_eq!(blocker["stops"], true, "{blocker:#}");
        assert_eq!(blocker["errno"].as_str(), errno, "{blocker:#}");
        for need in needs {
            let all = blocker["needs"].as_array().unwrap();
            assert!(all.iter().any(|one| one == need), "{need}: {blocker:#}");
        }
        assert!(!blocker["fix"].as_str().unwrap().is_empty(), "{blocker:#}");
        assert_eq!(self.status, 3);
        blocker
    }
}

const IN_HOST: [&str; 6] = ["userns", "overlay-in-userns", "veth", "bridge", "iptables", "seccomp"];

fn what_is_lacking_here_is_explained(who: Who) {
    let found = said(lab(who, &["LAB", "doctor", "--json"]));
    let needs = found.all["needs"].as_array().unwrap();
    assert_eq!(needs.len(), minidocker::lab::need::Need::ALL.len());
    for need in needs.iter().filter(|need| need["met"] == false) {
        let named =
            |blocker: &&Value| blocker["needs"].as_array().unwrap().iter().any(|one| *one == need["need"]);
        assert_eq!(found.blockers().filter(named).count(), 1, "{}: {:#}", need["need"], found.all);
    }
    let unexplained = found.blockers().find(|blocker| blocker["name"] == "unknown");
    assert_eq!(unexplained, None);
    let stopped = found.blockers().any(|blocker| blocker["stops"] == true);
    assert_eq!(found.status, if stopped { 3 } else { 0 });
}

fn no_more_user_namespaces(who: Who) {
    let found = after(who, &["--user", "--map-root-user"], "echo 0 > /proc/sys/user/max_user_namespaces");
    let blocker = found.stops("namespace-limit", Some("ENOSPC"), &IN_HOST);
    assert_eq!(blocker["sign"], "user.max_user_namespaces = 0");
    assert_eq!(blocker["fix"], "sudo sysctl -w user.max_user_namespaces=15000");
    // Every lesson is played on a throw-away host.
    let all = found.all["needs"][0]["lessons"].as_array().unwrap().len();
    assert_eq!(blocker["lessons"].as_array().unwrap().len(), all);
}

fn no_more_network_namespaces(who: Who) {
    let found = after(who, &["--user", "--map-root-user"], "echo 0 > /proc/sys/user/max_net_namespaces");
    let blocker = found.stops("namespace-limit", Some("ENOSPC"), &IN_HOST);
    assert_eq!(blocker["sign"], "user.max_net_namespaces = 0");
}

fn a_covered_proc(who: Who) {
    let found = after(who, &["--user", "--map-root-user", "--mount"], "mount -t tmpfs none /proc/sys/fs");
    let blocker = found.stops("masked-proc", Some("EPERM"), &IN_HOST);
    assert!(blocker["sign"].as_str().unwrap().ends_with("/proc/sys/fs"), "{blocker:#}");
    assert!(blocker["refused"].as_str().unwrap().starts_with("mount(\"proc\""), "{blocker:#}");
}

fn no_iptables(who: Who) {
    let script = "mount -t tmpfs none /usr/sbin; [ /sbin -ef /usr/sbin ] || mount -t tmpfs none /sbin; PATH=/usr/bin:/bin";
    let found = after(who, &["--user", "--map-root-user", "--mount"], script);
    let blocker = found.stops("no-iptables", None, &["iptables"]);
    let lessons = blocker["lessons"].as_array().unwrap();
    assert!(lessons.iter().any(|lesson| lesson == "net") && !lessons.iter().any(|lesson| lesson == "uts"));
}

fn nothing_to_build_with(who: Who) {
    let found = said(lab(who, &["env", "-u", "CARGO", "PATH=/nowhere", "LAB", "doctor", "--json"]));
    for name in ["no-cargo", "no-linker"] {
        found.stops(name, Some("ENOENT"), &[]);
    }
}

fn a_person_is_told_in_either_language(who: Who) {
    for (lang, words) in [("en", ["fix  ", "refused"]), ("zh", ["修复", "拒绝"])] {
        let output = lab(who, &["env", "-u", "CARGO", "PATH=/nowhere", "LAB", "doctor", "--lang", lang]);
        let text = String::from_utf8(output.stdout).unwrap();
        for word in words.iter().chain(&["no-cargo", "ENOENT", "sh.rustup.rs", "overlay-in-userns"]) {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

/// A root directory that is no mount, with what a program needs.
fn a_chroot() {
    let script = "cd \"$(mktemp -d)\"; mount -t tmpfs none .; cd \"$PWD\"; mkdir root; cd root
        for name in /*; do
            if [ -L \"$name\" ]; then cp -P \"$name\" .; elif [ -d \"$name\" ]; then mkdir \".$name\"; mount --rbind \"$name\" \".$name\"; fi
        done
        exec chroot . \"$0\" doctor --json";
    let found = after(Who::Root, &["--mount"], script);
    let blocker = found.stops("chroot", Some("EPERM"), &IN_HOST);
    assert!(blocker["sign"].as_str().unwrap().contains("no mount at /"), "{blocker:#}");
}

fn no_cgroups() {
    let found = after(Who::Root, &["--mount"], "umount --recursive --lazy /sys/fs/cgroup");
    found.stops("no-cgroups", None, &["cgroup-memory", "cgroup-pids", "cgroup-cpu", "cgroup-freezer"]);
    assert_eq!(found.all["machine"]["cgroups"], "none");
}

/// Good to know, and no reason not to begin.
fn no_tun() {
    let script = "mkdir -p /dev/net; mount -t tmpfs none /dev/net";
    let found = after(Who::Root, &["--mount"], script);
    let blocker = found.blocker("no-tun");
    assert_eq!((&blocker["stops"], &blocker["errno"]), (&false.into(), &"ENOENT".into()));
}

fn a_host_that_forwards_nothing() {
    let found = after(Who::Root, &["--net"], "PATH=$PATH:/usr/sbin:/sbin; iptables -P FORWARD DROP");
    let blocker = found.blocker("forward-drop");
    assert_eq!((&blocker["stops"], &blocker["lessons"][0]), (&false.into(), &"net".into()));
    assert!(blocker["sign"].as_str().unwrap().contains("-P FORWARD DROP"));
}

/// A container of our own, with the filter and the covered files that Docker's have.
fn inside_a_container() {
    let space = Space::new(Who::Root);
    let program = program_named("lab");
    // The base image has the libraries of its own programs.
    let libraries = Command::new("ldd").arg(&program).output().unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    let unwinder = libraries.split_whitespace().find(|word| word.contains("/libgcc_s.so")).map(PathBuf::from);
    let mut options = vec![format!("{}:/lab:ro", program.display())];
    options.extend(unwinder.map(|path| format!("{0}:{0}:ro", path.display())));
    let mut words: Vec<&str> = vec!["run", "--rm", "--network", "none"];
    options.iter().for_each(|option| words.extend(["-v", option]));
    words.extend(["base", "/lab", "doctor", "--json"]);
    let found = said(space.command().args(&words).output().unwrap());
    let blocker = found.stops("seccomp-outside", Some("ENOSYS"), &IN_HOST);
    assert!(blocker["fix"].as_str().unwrap().contains("seccomp=unconfined"), "{blocker:#}");
    assert_eq!(found.all["machine"]["container"], "a container");
    found.stops("cgroup-read-only", Some("EROFS"), &["cgroup-memory"]);
}
