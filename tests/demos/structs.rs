//! `ns-demo structs` and `cgroup-demo structs`: what is told of the kernel's structures, and of what they hold, is compared with `/proc`.

use super::told::{compare, play};
use crate::common::container::{Outcome, Running, namespace_of};
use crate::common::need::{Need, is_met};
use crate::common::space::{Space, Who, cgroup_mount};
use crate::common::{Test, as_both, as_root, as_user};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[Need::Root], without_btf_a_recorded_copy_is_told),
        as_both(&[Need::Btf], a_structure_is_laid_out_as_this_kernel_does),
        as_both(&[], an_unknown_name_is_refused_with_those_that_are_near),
        as_both(&[], a_process_that_is_not_there_is_refused),
        as_root(&[Need::KernelMemory], live_pointers_lead_to_what_proc_shows),
        as_root(&[Need::KernelMemory], fork_shares_an_nsproxy_and_unshare_makes_another),
        as_root(&[Need::KernelMemory], live_pointers_are_told),
        as_root(&[Need::KernelMemory, Need::Controller("pids"), Need::CgroupV1], live_cgroups_are_told),
        as_root(&[Need::KernelMemory], live_states_lead_to_the_directories_of_proc),
        as_root(
            &[Need::KernelMemory, Need::Controller("pids")],
            fork_shares_a_css_set_and_a_move_finds_another,
        ),
        as_user(&[], without_the_right_the_layouts_are_told),
        as_root(&[Need::Btf], root_of_a_user_namespace_is_told_why_it_is_blind),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Play to the end, whatever it is.
fn end(space: &Space, program: &str, words: &[&str]) -> Outcome {
    Running::start(space.demo(program).args(words)).end()
}

/// The cgroups of whoever runs the tests → a word in their place.
const OWN_CGROUPS: &[(&str, &str)] =
    &[(r"(subsys\[\d+\] +\+\d+ +\w+ +)v[12]  \S+(\n {30,}\S+)*", "${1}VERSION  CGROUP")];

/// A host whose kernel seems to have no description of itself.
fn without_btf(who: Who) -> Space {
    let space = Space::new(who);
    space.host().sh("[ ! -d /sys/kernel/btf ] || mount -t tmpfs tmpfs /sys/kernel/btf");
    space
}

fn without_btf_a_recorded_copy_is_told(who: Who) {
    let space = without_btf(who);
    let told = [
        ("ns-demo", &["structs"][..]),
        ("ns-demo", &["structs", "uts_namespace"]),
        ("cgroup-demo", &["structs"]),
        ("cgroup-demo", &["structs", "css_set"]),
    ];
    for (program, words) in told {
        for (lang, columns) in [("en", "80"), ("zh", "80"), ("en", "120")] {
            let mut command = space.demo(program);
            command.args(words).args(["--explain", "--lang", lang]).env("COLUMNS", columns);
            let outcome = Running::start(&mut command).end();
            assert_eq!(outcome.status, 0, "{}", outcome.out);
            let wide = if columns == "120" { "-wide" } else { "" };
            let name = words.join("-");
            compare(&format!("{program}-{name}{wide}.{lang}"), &outcome.out, OWN_CGROUPS);
        }
    }
    let outcome = end(&space, "ns-demo", &["structs", "no_such_type"]);
    assert_eq!(outcome.status, 125, "{}", outcome.out);
}

/// The lines of a listing that stand at an offset: (offset, size, text).
fn members(told: &str) -> Vec<(u64, u64, String)> {
    let member = |line: &str| {
        let mut words = line.split_whitespace();
        let (offset, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((offset, size, words.collect::<Vec<_>>().join(" ")))
    };
    told.lines().filter_map(member).collect()
}

fn a_structure_is_laid_out_as_this_kernel_does(who: Who) {
    let space = Space::new(who);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    for name in ["nsproxy", "task_struct", "cred", "ns_common"] {
        let told = play(&space, "ns-demo", &["structs", name]);
        assert!(told.contains(&format!("Linux {}", release.trim())), "{told}");
        let (_, after) = told.split_once(&format!("struct {name} {{  /* ")).unwrap();
        let bytes: u64 = after.split(' ').next().unwrap().parse().unwrap();
        let members = members(&told);
        assert!(members.len() > 4, "{told}");
        assert!(members.iter().all(|(offset, size, _)| offset + size <= bytes), "{told}");
    }
    let nsproxy = members(&play(&space, "ns-demo", &["structs", "nsproxy"]));
    for kind in ["uts_namespace *uts_ns", "net *net_ns"] {
        let pointer = format!("= struct {kind};");
        assert!(nsproxy.iter().any(|(_, size, text)| *text == pointer && *size == 8), "{nsproxy:?}");
    }
    let all = members(&play(&space, "ns-demo", &["structs", "task_struct", "--all"]));
    assert!(all.len() > 100, "{} members", all.len());
    assert!(all.windows(2).all(|two| two[0].0 <= two[1].0), "not in ascending order");
}

fn an_unknown_name_is_refused_with_those_that_are_near(who: Who) {
    let space = Space::new(who);
    let outcome = Running::start(space.demo_apart("ns-demo").args(["structs", "nsproxi"])).end();
    outcome.assert_refused(&["nsproxi", "nsproxy"]);
}

fn a_process_that_is_not_there_is_refused(who: Who) {
    let space = Space::new(who);
    for pid in ["99999999", "0"] {
        let outcome = Running::start(space.demo_apart("ns-demo").args(["structs", "--live", pid])).end();
        outcome.assert_refused(&[pid]);
    }
}

/// A process that is there until it is dropped, started by `words` and ready.
struct Sitting(Child);

impl Sitting {
    fn start(words: &[&str]) -> Self {
        let script = ["sh", "-c", "echo ready; read line"];
        let words = [words, &script].concat();
        let mut process = Command::new(words[0]);
        let mut process =
            process.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(process.stdout.as_mut().unwrap(), &mut ready).unwrap();
        Self(process)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Sitting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The word after `name` on the first line that begins with it.
fn word_after<'a>(told: &'a str, name: &str) -> &'a str {
    let line =
        told.lines().find_map(|line| line.trim_start_matches(['│', '├', '└', '─', ' ']).strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {told}")).split_whitespace().next().unwrap()
}

fn live_pointers_lead_to_what_proc_shows() {
    let space = Space::new(Who::Root);
    let (one, two, apart) =
        (Sitting::start(&["env"]), Sitting::start(&["env"]), Sitting::start(&["unshare", "--uts", "--ipc"]));
    let told: Vec<String> = [&one, &two, &apart]
        .map(|process| play(&space, "ns-demo", &["structs", "--live", &process.pid()]))
        .to_vec();
    for (process, told) in [&one, &two, &apart].iter().zip(&told) {
        for (pointer, kind) in
            [("uts_ns", "uts"), ("ipc_ns", "ipc"), ("net_ns", "net"), ("cred→user_ns", "user")]
        {
            let line = told.lines().find(|line| line.trim_start().starts_with(pointer)).unwrap();
            let inum = line.split_whitespace().nth(2).unwrap();
            assert_eq!(format!("{kind}:[{inum}]"), namespace_of(process.0.id(), kind), "{told}");
        }
    }
    let pointer = |index: usize, name| word_after(&told[index], name);
    assert_eq!(pointer(0, "nsproxy"), pointer(1, "nsproxy"));
    assert_ne!(pointer(0, "nsproxy"), pointer(2, "nsproxy"));
    assert_eq!(pointer(0, "mnt_ns"), pointer(2, "mnt_ns"));
    assert_ne!(pointer(0, "uts_ns"), pointer(2, "uts_ns"));
    let both = play(&space, "ns-demo", &["structs", "--live", &one.pid(), &apart.pid()]);
    assert!(both.contains(pointer(0, "nsproxy")) && both.contains(pointer(2, "nsproxy")), "{both}");
}

fn fork_shares_an_nsproxy_and_unshare_makes_another() {
    let told = play(&Space::new(Who::Root), "ns-demo", &["structs", "--live"]);
    let (_, fork) = told.split_once("── fork").unwrap();
    let (fork, unshare) = fork.split_once("── unshare").unwrap();
    let sign = |told: &str, name: &str| {
        let line = told.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    assert_eq!((sign(fork, "nsproxy"), sign(fork, "uts_ns")), ("=".to_owned(), "=".to_owned()), "{told}");
    assert_eq!(
        (sign(unshare, "nsproxy"), sign(unshare, "uts_ns")),
        ("≠".to_owned(), "≠".to_owned()),
        "{told}"
    );
    assert_eq!(sign(unshare, "ipc_ns"), "=", "{told}");
    let (_, saw) = told.split_once("── What you saw").unwrap();
    assert_eq!((saw.matches('✓').count(), saw.matches('✗').count()), (3, 0), "{told}");
}

/// What differs between kernels and runs in what is told of live pointers → a word in its place.
const LIVE: &[(&str, &str)] = &[
    (r"0x[0-9a-f]{16}", "ADDRESS"),
    (r"r3 \+= \d+", "r3 += OFFSET"),
    (r"BPF_TRACE_ITER,\s+\d+,\s+\d+\)\s+= ", "BPF_TRACE_ITER, BTF_ID, INSTRUCTIONS) = "),
    (r"/proc/\d+/ns", "/proc/PID/ns"),
    (r"pid \d+, ns-demo", "pid PID, ns-demo"),
    (r"(parent|父进程) \d+ +(child|子进程) \d+", "$1 PID $2 PID"),
    (r"\d+  = (\w+:)", "INUM  = $1"),
];

fn live_pointers_are_told() {
    let space = Space::new(Who::Root);
    for lang in ["en", "zh"] {
        let mut command = space.demo("ns-demo");
        command.args(["structs", "--live", "--explain", "--lang", lang]).env("COLUMNS", "80");
        let outcome = Running::start(&mut command).end();
        assert_eq!(outcome.status, 0, "{}", outcome.out);
        compare(&format!("ns-demo-structs-live.{lang}"), &outcome.out, LIVE);
    }
}

/// The same of cgroups: how many states there are depends on the kernel too.
const LIVE_CGROUPS: &[(&str, &str)] = &[
    (r"(?m)(^ +\[\d+\] .*\n(^ {40,}.*\n)*)+", "     STATES\n"),
    // The column is as wide as its longest number, and a machine that has run for long has longer ones.
    (r"kn->id {3,}", "kn->id    "),
    (r"0x[0-9a-f]{16}", "ADDRESS"),
    (r"BPF_TRACE_ITER,\s+\d+,\s+\d+\)\s+= ", "BPF_TRACE_ITER, BTF_ID, INSTRUCTIONS) = "),
    (r"minidocker-demo-[0-9a-f]{8}", "minidocker-demo-ID"),
    (r"(/proc/|echo |pid )\d+", "${1}PID"),
    (r"((?:the|其余)\s+(?:other\s+)?)\d+\s", "${1}OTHERS "),
    (r"(parent|父进程) \d+ +(child|子进程) \d+", "$1 PID $2 PID"),
];

fn live_cgroups_are_told() {
    let space = Space::new(Who::Root);
    for lang in ["en", "zh"] {
        let mut command = space.demo("cgroup-demo");
        command.args(["structs", "--live", "--explain", "--lang", lang]).env("COLUMNS", "80");
        let outcome = Running::start(&mut command).end();
        assert_eq!(outcome.status, 0, "{}", outcome.out);
        let (_, told) = outcome.out.split_at(outcome.out.find("══ ").unwrap());
        compare(&format!("cgroup-demo-structs-live.{lang}"), told, LIVE_CGROUPS);
    }
}

/// The line of the state of `controller`, by words.
fn state<'a>(told: &'a str, controller: &str) -> Vec<&'a str> {
    let lines = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut lines =
        lines.filter(|words| words.len() > 3 && words[0].starts_with('[') && words[1] == controller);
    lines.next().unwrap_or_else(|| panic!("no {controller}: {told}"))
}

fn live_states_lead_to_the_directories_of_proc() {
    let space = Space::new(Who::Root);
    let (one, two) = (Sitting::start(&["env"]), Sitting::start(&["env"]));
    let [one_told, two_told] =
        [&one, &two].map(|process| play(&space, "cgroup-demo", &["structs", "--live", &process.pid()]));
    assert_eq!(word_after(&one_told, "css_set"), word_after(&two_told, "css_set"));
    let (mount, version) = cgroup_mount("pids").unwrap();
    let cgroups = std::fs::read_to_string(format!("/proc/{}/cgroup", one.pid())).unwrap();
    let line = cgroups
        .lines()
        .find(|line| if version == 1 { line.contains(":pids:") } else { line.starts_with("0::") });
    let path = line.unwrap().splitn(3, ':').nth(2).unwrap().trim_start_matches('/');
    // On v2 a group without the controller answers to the next one above that has it.
    let directory = mount.join(path);
    let directories = directory.ancestors().take_while(|directory| directory.starts_with(&mount));
    let inodes: Vec<String> =
        directories.map(|path| std::fs::metadata(path).unwrap().ino().to_string()).collect();
    let id = state(&one_told, "pids")[3];
    assert!(
        if version == 1 { id == inodes[0] } else { inodes.iter().any(|inode| inode == id) },
        "{one_told}"
    );
}

fn fork_shares_a_css_set_and_a_move_finds_another() {
    let told = play(&Space::new(Who::Root), "cgroup-demo", &["structs", "--live"]);
    let (_, fork) = told.split_once("── fork").unwrap();
    let (fork, moved) = fork.split_once("\n── ").unwrap();
    assert!(!fork.contains('≠'), "{told}");
    assert_eq!(state(moved, "pids")[3], "≠", "{told}");
    assert_eq!(state(moved, "cpuset")[3], "=", "{told}");
    let (_, saw) = told.split_once("── What you saw").unwrap();
    assert_eq!((saw.matches('✓').count(), saw.matches('✗').count()), (3, 0), "{told}");
    let (mount, _) = cgroup_mount("pids").unwrap();
    let id = told.split("minidocker-demo-").nth(1).unwrap().split('/').next().unwrap();
    assert!(!mount.join(format!("minidocker-demo-{id}")).exists(), "{id} was left");
}

fn without_the_right_the_layouts_are_told() {
    for (program, structure) in [("ns-demo", "struct nsproxy {"), ("cgroup-demo", "struct css_set {")] {
        let outcome = end(&Space::new(Who::User), program, &["structs", "--live"]);
        assert_eq!(outcome.status, 0, "{}", outcome.out);
        assert!(outcome.out.contains("CAP_BPF") && outcome.out.contains(structure), "{}", outcome.out);
    }
}

fn root_of_a_user_namespace_is_told_why_it_is_blind() {
    let space = Space::new(Who::Root);
    let program = crate::common::space::program_named("ns-demo");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user"]).arg(program).args(["structs", "--live"]);
    let outcome = Running::start(&mut command).end();
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    assert!(outcome.out.contains("user namespace of its own"), "{}", outcome.out);
    assert!(is_met(Need::Btf) && outcome.out.contains("struct nsproxy {"), "{}", outcome.out);
    drop(space);
}
