//! `--shell`: the script that is printed, run by `sh`, makes the container that the run made.
//!
//! The same probe runs in both and writes down what the kernel shows there; the two accounts must agree, apart from
//! the numbers that the kernel gives anew, and from seccomp, which no command of a shell can load.

use crate::common::container::{Outcome, Running, namespace_of};
use crate::common::need::Need;
use crate::common::space::{self, Space, Who};
use crate::common::{Test, as_both, as_root};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[SETPRIV], the_script_makes_the_same_container),
        as_both(&[SETPRIV], the_script_makes_the_same_volumes),
        as_root(&[SETPRIV, Need::Controller("memory")], the_script_sets_the_same_limit),
        as_root(&[SETPRIV, Need::Iptables, IP], the_script_lays_the_same_cable),
        as_both(&[SETPRIV], the_script_ends_with_the_status_of_its_command),
        as_both(&[SETPRIV], the_script_passes_its_input_on),
        as_both(&[SETPRIV], the_script_is_one_whatever_the_arguments),
        as_both(&[], the_script_speaks_chinese_in_its_comments),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const SETPRIV: Need = Need::Program("setpriv", "util-linux");
const IP: Need = Need::Program("ip", "iproute2");

/// What the kernel shows of the container, one `=== NAME` after the other.
const PROBE: &str = r#"
    section() { echo "=== $1"; shift; "$@"; }
    links() { for kind in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$kind; done; }
    section mountinfo cat /proc/self/mountinfo
    section hostname hostname
    section etc cat /etc/hostname /etc/hosts /etc/resolv.conf
    section uid_map cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
    section dev sh -c 'cd /dev && ls -l . shm mqueue | grep -v ^total | cut -c1-10,11-42,56-'
    section rights grep -E '^(Uid|Gid|Groups|NoNewPrivs|Cap...):' /proc/self/status
    section offsets cat /proc/self/timens_offsets
    section cgroup cat /proc/self/cgroup
    section root ls -a /
    section processes sh -c 'echo $PPID; ls /proc | grep -E "^[0-9]+$" | head -1'
    section environment env
    section umask umask
    section directory pwd
    section routes cat /proc/self/net/route
    section namespaces links
"#;

/// A script, and whose it is.
struct Script<'a> {
    space: &'a Space,
    text: String,
    id: String,
}

impl<'a> Script<'a> {
    /// Run `minidocker run --shell`; its outcome, and the script it printed.
    fn printed(space: &'a Space, options: &[&str], command: &[&str]) -> (Outcome, Self) {
        let outcome = space.base(&[options, &["--shell"]].concat(), command);
        let text = outcome.err.clone();
        assert!(text.starts_with("#!/bin/sh\n"), "{text}");
        let id = text.split("/containers/").nth(1).and_then(|rest| rest.get(..12)).unwrap().to_owned();
        (outcome, Self { space, text, id })
    }

    /// Run the script as its person, whose `PATH` is an ordinary one.
    fn run(&self, input: &str) -> Outcome {
        let file = self.space.file("script/run.sh", &self.text);
        let mut words = self.space.host.as_ref().map(|host| host.entering()).unwrap_or_default();
        words.extend(space::as_person(self.space.who));
        words.extend(["sh".to_owned(), file.display().to_string()]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir("/").env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        let mut running = Running::start(&mut command);
        if !input.is_empty() {
            running.say(input);
        }
        running.end()
    }

    /// The groups of the container's that there still are.
    fn groups(&self) -> Vec<std::path::PathBuf> {
        let top = Path::new("/sys/fs/cgroup");
        let below = space::names_in(top).into_iter().map(|name| top.join(name));
        let group = |directory: std::path::PathBuf| directory.join(format!("minidocker-{}", self.id));
        std::iter::once(top.to_owned()).chain(below).map(group).filter(|group| group.exists()).collect()
    }

    /// The script took away what it made.
    fn assert_gone(&self) {
        assert_eq!(self.space.containers(), [] as [&str; 0]);
        assert!(self.groups().is_empty(), "{:?}", self.groups());
    }
}

impl Drop for Script<'_> {
    /// A script that failed half-way may have left a group, which no minidocker knows of.
    fn drop(&mut self) {
        self.groups().iter().for_each(|group| drop(std::fs::remove_dir(group)));
        let _ = std::fs::remove_dir_all(self.space.root().join("containers").join(&self.id));
    }
}

/// Run the probe in a container and in what the script makes; both accounts.
fn both(space: &Space, options: &[&str]) -> [BTreeMap<String, String>; 2] {
    let (outcome, script) = Script::printed(space, options, &["sh", "-c", PROBE]);
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    let again = script.run("");
    assert_eq!((again.status, again.err.as_str()), (0, ""), "{}", script.text);
    script.assert_gone();
    [outcome.out, again.out].map(|account| sections(&account))
}

fn sections(account: &str) -> BTreeMap<String, String> {
    let parts = account.split("=== ").skip(1).map(|part| {
        let (name, text) = part.split_once('\n').unwrap();
        (name.to_owned(), text.to_owned())
    });
    parts.collect()
}

/// The table of mounts without the numbers that the kernel gives anew: the place of the parent stands for its number.
fn mounts(mountinfo: &str) -> Vec<String> {
    let lines: Vec<Vec<&str>> = mountinfo.lines().map(|line| line.split(' ').collect()).collect();
    let place = |number: &str| {
        let found = lines.iter().find(|fields| fields[0] == number);
        found.map_or("outside", |fields| fields[4])
    };
    let describe = |fields: &Vec<&str>| {
        // A file system without a device has a minor number of its own for each mount.
        let major = fields[2].split(':').next().unwrap();
        format!("{} in {}: {major} {}", fields[4], place(fields[1]), fields[3..].join(" "))
    };
    let mut mounts: Vec<String> = lines.iter().map(describe).collect();
    mounts.sort();
    mounts
}

/// The two accounts agree.
fn assert_same([run, script]: &[BTreeMap<String, String>; 2]) {
    assert_eq!(mounts(&run["mountinfo"]), mounts(&script["mountinfo"]));
    assert!(run.len() > 10, "{run:?}");
    for (name, text) in run.iter().filter(|(name, _)| !["mountinfo", "namespaces"].contains(&name.as_str())) {
        assert_eq!(text, &script[name], "{name}");
    }
}

fn the_script_makes_the_same_container(who: Who) {
    let space = Space::new(who);
    let before = space.host.as_ref().map(|host| host.mountinfo());
    let accounts = both(&space, &["--hostname", "web"]);
    assert_same(&accounts);
    let [run, script] = &accounts;
    assert_eq!(script["hostname"], "web\n");
    assert!(script["offsets"].starts_with("monotonic "), "{}", script["offsets"]);
    assert!(script["rights"].contains("NoNewPrivs:\t1\n"), "{}", script["rights"]);
    assert!(script["rights"].contains("CapBnd:\t00000000a80425fb\n"), "{}", script["rights"]);
    assert_eq!(script["processes"].lines().last(), Some("1"), "the first process is pid 1");
    assert_eq!(
        space.host.as_ref().map(|host| host.mountinfo()),
        before,
        "a mount of the script's shows on the host"
    );

    let outside = space.host.as_ref().map_or_else(std::process::id, |host| host.pid());
    let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
    for ((kind, run), script) in kinds.iter().zip(run["namespaces"].lines()).zip(script["namespaces"].lines())
    {
        let host = namespace_of(outside, kind);
        let shares = *kind == "user" && who == Who::Root;
        assert_eq!((run == host, script == host), (shares, shares), "{kind}");
    }
}

fn the_script_makes_the_same_volumes(who: Who) {
    let space = Space::new(who);
    // The names are such as a careless script would stumble over.
    let file = space.file("it's a dir/a $HOME file", "kept\n");
    let directory = file.parent().unwrap().display().to_string();
    let (readable, writable) = (format!("{directory}:/data:ro"), format!("{directory}:/in here"));
    let accounts = both(&space, &["-v", &readable, "-v", &writable, "--read-only", "-w", "/in here"]);
    assert_same(&accounts);
    assert_eq!(accounts[1]["directory"], "/in here\n");
    let mounts = mounts(&accounts[1]["mountinfo"]);
    assert!(
        mounts.iter().any(|mount| mount.starts_with("/data in /") && mount.contains(" ro")),
        "{mounts:#?}"
    );
    assert_eq!(std::fs::read_to_string(file).unwrap(), "kept\n");
}

fn the_script_sets_the_same_limit() {
    let space = Space::new(Who::Root);
    let (_, version) = space::cgroup_mount("memory").unwrap();
    let file = if version == 1 {
        "/sys/fs/cgroup/memory/memory.limit_in_bytes"
    } else {
        "/sys/fs/cgroup/memory.max"
    };
    let (outcome, script) = Script::printed(&space, &["-m", "64m"], &["cat", file]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "67108864\n"), "{}", outcome.err);
    let again = script.run("");
    assert_eq!(again, Outcome { err: String::new(), ..outcome }, "{}", script.text);
    script.assert_gone();
}

fn the_script_lays_the_same_cable() {
    let space = Space::new(Who::Root);
    let host = space.host();
    let rules = "iptables-save | grep '^-' || true; cat /proc/sys/net/ipv4/ip_forward";
    host.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    let (links, before) = (host.links(), host.sh(rules));
    let accounts = both(&space, &["--network", "bridge"]);
    assert_same(&accounts);
    assert!(accounts[1]["routes"].contains("eth0\t00000000\t"), "{}", accounts[1]["routes"]);
    assert_eq!((host.links(), host.sh(rules)), (links, before));

    // And it is connected: the gateway answers the container that the script made.
    let command = ["ping", "-c", "1", "-W", "2", "172.30.0.1"];
    let (outcome, script) = Script::printed(&space, &["--network", "bridge"], &command);
    if outcome.status != 127 {
        assert_eq!((outcome.status, script.run("").status), (0, 0), "{}", outcome.out);
    }
}

fn the_script_ends_with_the_status_of_its_command(who: Who) {
    let space = Space::new(who);
    let (outcome, script) = Script::printed(&space, &[], &["sh", "-c", "exit 7"]);
    assert_eq!(outcome.status, 7);
    assert_eq!(script.run("").status, 7);
    script.assert_gone();
}

fn the_script_passes_its_input_on(who: Who) {
    let space = Space::new(who);
    let (_, script) = Script::printed(&space, &["-i"], &["cat"]);
    let again = script.run("hello");
    assert_eq!((again.status, again.out.as_str(), again.err.as_str()), (0, "hello\n", ""));
    // Without -i the command reads /dev/null, there as here.
    let (_, script) = Script::printed(&space, &[], &["cat"]);
    assert_eq!(script.run("hello").out, "");
}

fn the_script_is_one_whatever_the_arguments(who: Who) {
    let space = Space::new(who);
    let nasty = "it's \"quoted\" $HOME `id` \\ * ; #\nINIT\nUTS\nEOF\n";
    let command = ["sh", "-c", "printf '%s|' \"$@\" \"$X\"", "sh", nasty, "", "-n", "界"];
    let (outcome, script) = Script::printed(&space, &["-e", "X=a b'c\"$d"], &command);
    assert_eq!(outcome.out, format!("{nasty}||-n|界|a b'c\"$d|"));
    let again = script.run("");
    assert_eq!((again.status, again.out.as_str(), again.err.as_str()), (0, outcome.out.as_str(), ""));
    script.assert_gone();
}

fn the_script_speaks_chinese_in_its_comments(who: Who) {
    let space = Space::new(who);
    let english = space.base(&["--shell"], &["true"]).err;
    let chinese = space.base(&["--shell", "--lang", "zh"], &["true"]).err;
    let comments = |text: &str| text.lines().filter(|line| line.starts_with("# ")).count();
    assert!(comments(&english) > 10);
    assert_eq!(comments(&english), comments(&chinese));
    let of_chinese = |line: &&str| line.starts_with("# ") && line.chars().any(super::text::is_chinese);
    assert_eq!(chinese.lines().filter(of_chinese).count(), comments(&chinese), "{chinese}");
}
