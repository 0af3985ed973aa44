//! controllers: the subsystems of the lecture and of today, as this kernel has them. cgroups(7).

use crate::cgroup::hierarchy::{self, Hierarchy, Version};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe;

/// `cgroup-demo controllers`.
pub const WALK: Walk = Walk {
    name: "controllers",
    title: Text { en: "The subsystems, on this kernel", zh: "本机内核的子系统" },
    place: Place::Here,
    show,
};

/// What is known of a subsystem; whether it is here is asked of the kernel.
struct Known {
    /// Its name on v1.
    name: &'static str,
    /// Its name on v2; `None` where v2 has no controller for it.
    v2: Option<&'static str>,
    /// The Linux version that brought it to v1, and to v2 in whatever form.
    since: (&'static str, &'static str),
    /// The file by which it is known, on v1 and on v2.
    files: (&'static str, &'static str),
}

const fn known(
    name: &'static str,
    v2: Option<&'static str>,
    since: (&'static str, &'static str),
    files: (&'static str, &'static str),
) -> Known {
    Known { name, v2, since, files }
}

// Versions: cgroups(7), "Cgroups version 1 controllers" and "Cgroups version 2 controllers"; for `ns` Linux 3.0 commit
// a77aea920101 "cgroup: remove the ns_cgroup"; BPF_CGROUP_DEVICE of 4.15 and BPF_CGROUP_INET_EGRESS of 4.10 in
// include/uapi/linux/bpf.h; misc 5.13 and dmem 6.14 in Documentation/admin-guide/cgroup-v2.rst.
const LECTURE: [Known; 10] = [
    known("blkio", Some("io"), ("2.6.33", "4.5"), ("blkio.throttle.*_bps_device", "io.max")),
    known("cpu", Some("cpu"), ("2.6.24", "4.15"), ("cpu.cfs_quota_us, cpu.shares", "cpu.max, cpu.weight")),
    known("cpuacct", Some("cpu"), ("2.6.24", "4.15"), ("cpuacct.usage, cpuacct.stat", "cpu.stat")),
    known(
        "cpuset",
        Some("cpuset"),
        ("2.6.24", "5.0"),
        ("cpuset.cpus, cpuset.mems", "cpuset.cpus, cpuset.mems"),
    ),
    known("devices", None, ("2.6.26", "4.15"), ("devices.allow, devices.deny", "BPF_CGROUP_DEVICE")),
    known("freezer", None, ("2.6.28", "5.2"), ("freezer.state", "cgroup.freeze")),
    known("memory", Some("memory"), ("2.6.25", "4.5"), ("memory.limit_in_bytes", "memory.max")),
    known("net_cls", None, ("2.6.29", "4.10"), ("net_cls.classid", "BPF_CGROUP_INET_EGRESS")),
    known("ns", None, ("2.6.24", "-"), ("(until 3.0)", "-")),
    known("pids", Some("pids"), ("4.3", "4.5"), ("pids.max", "pids.max")),
];

const TODAY: [Known; 6] = [
    known("perf_event", None, ("2.6.39", "4.11"), ("(perf_event_open)", "(perf_event_open)")),
    known("net_prio", None, ("3.3", "4.10"), ("net_prio.ifpriomap", "BPF_CGROUP_INET_EGRESS")),
    known("hugetlb", Some("hugetlb"), ("3.5", "5.6"), ("hugetlb.*.limit_in_bytes", "hugetlb.*.max")),
    known("rdma", Some("rdma"), ("4.11", "4.11"), ("rdma.max", "rdma.max")),
    known("misc", Some("misc"), ("5.13", "5.13"), ("misc.max", "misc.max")),
    known("dmem", Some("dmem"), ("-", "6.14"), ("-", "dmem.max")),
];

/// What the kernel said of a subsystem.
struct Found {
    /// Whether it was built in; `None` when nothing tells.
    built: Option<bool>,
    /// Where it can be used: a mount, and its version; none if no hierarchy with it is mounted.
    places: Vec<(String, Version)>,
}

fn show(stage: &Stage) -> Result<Ending> {
    let hierarchies = hierarchy::all()?;
    stage.scene(&text!("The lecture's ten", "讲义里的十个"));
    stage.say(&text!(
        "Asked of this kernel: /proc/cgroups, /proc/self/mountinfo, cgroup.controllers, and its own list of types (BTF), \
         which names each subsystem that was built in.",
        "以下都是问内核得到的：/proc/cgroups、/proc/self/mountinfo、cgroup.controllers，以及内核自己的类型表（BTF），\
         其中列有编译进内核的每个子系统。"
    ));
    stage.command("cat /proc/cgroups; findmnt -t cgroup,cgroup2");
    let ten = probe(&LECTURE, &hierarchies);
    table(stage, &LECTURE, &ten);
    stage.scene(&text!("Those that came since", "后来的"));
    let today = probe(&TODAY, &hierarchies);
    table(stage, &TODAY, &today);
    stage.scene(&text!("One thing, two names", "同一件事，两个名字"));
    stage.say(&text!(
        "What v1 did by a file, v2 does by a file of another name; by a BPF program attached to the group (devices, \
         net_cls, net_prio); or without any controller (freezer, and the times of cpuacct in cpu.stat).",
        "v1 用一个文件做的事，v2 或者换了文件名；或者用挂在 Cgroup 上的 BPF 程序（devices、net_cls、net_prio）；\
         或者不需要子系统（freezer，以及并入 cpu.stat 的 cpuacct）。"
    ));
    let names = LECTURE
        .iter()
        .chain(&TODAY)
        .map(|one| vec![Entry::of(Ink::Object, one.name), one.files.0.into(), one.files.1.into()]);
    stage.table(&["", "v1", "v2"], &names.collect::<Vec<_>>());
    let other = other_means(stage);
    Ok(ending(&ten, &today, other))
}

fn probe(known: &[Known], hierarchies: &[Hierarchy]) -> Vec<Found> {
    let listed = observe::subsystems();
    let ids = |one: &Known| format!("{}_cgrp_id", one.v2.filter(|v2| *v2 == "io").unwrap_or(one.name));
    let names: Vec<String> = known.iter().map(ids).collect();
    let types = observe::built_in(&names);
    let found = |(index, one): (usize, &Known)| {
        let v1 = |place: &&Hierarchy| place.version == Version::V1 && place.has(one.name);
        let v2 =
            |place: &&Hierarchy| place.version == Version::V2 && one.v2.is_some_and(|name| place.has(name));
        let place = |place: &Hierarchy| (place.mount.display().to_string(), place.version);
        let places: Vec<(String, Version)> =
            hierarchies.iter().filter(|one| v1(one) || v2(one)).map(place).collect();
        let seen = !places.is_empty() || listed.iter().any(|(name, _)| name == one.name);
        let built = types.as_ref().map(|types| types[index] || seen).or(seen.then_some(true));
        Found { built, places }
    };
    known.iter().enumerate().map(found).collect()
}

fn table(stage: &Stage, known: &[Known], found: &[Found]) {
    let row = |(one, found): (&Known, &Found)| {
        let (ink, there) = match found.built {
            Some(true) => (Ink::Fact, text!("yes", "有")),
            Some(false) => (Ink::Refused, text!("no", "无")),
            None => (Ink::Faint, text!("unknown", "未知")),
        };
        let places: Vec<String> = found.places.iter().map(|(mount, _)| mount.clone()).collect();
        let version = found.places.iter().map(|(_, version)| match version {
            Version::V1 => "v1",
            Version::V2 => "v2",
        });
        let (version, place) = (version.collect::<Vec<_>>().join("+"), places.join(" "));
        let cell = |text: String| if text.is_empty() { "-".into() } else { text.into() };
        vec![
            Entry::of(Ink::Object, one.name),
            Entry::of(ink, there),
            one.since.0.into(),
            one.since.1.into(),
            cell(version),
            cell(place),
        ]
    };
    let heads =
        ["", &text!("built in", "编入内核"), &text!("v1 since", "v1 始于"), &text!("v2 since", "v2 始于")];
    let (used, mounted) = (text!("used as", "用作"), text!("mounted at", "挂载于"));
    let heads = [heads[0], heads[1], heads[2], heads[3], &used, &mounted];
    stage.table(&heads, &known.iter().zip(found).map(row).collect::<Vec<_>>());
}

/// What v2 does without a controller, each by a name that the kernel has only if it can: whether all are there; `None`
/// when nothing tells.
fn other_means(stage: &Stage) -> Option<bool> {
    const MEANS: [(&str, &str); 3] = [
        ("devices", "BPF_CGROUP_DEVICE"),
        ("net_cls", "BPF_CGROUP_INET_EGRESS"),
        ("freezer", "cgroup_freezer_state"),
    ];
    let names: Vec<String> = MEANS.iter().map(|(_, name)| (*name).to_owned()).collect();
    let Some(found) = observe::built_in(&names) else {
        stage.lacks(&text!(
            "this kernel has no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF) to ask for what v2 does by other means.",
            "内核没有 /sys/kernel/btf/vmlinux（CONFIG_DEBUG_INFO_BTF），无法得知 v2 的其他手段。"
        ));
        return None;
    };
    for ((what, name), there) in MEANS.iter().zip(&found) {
        let there = if *there {
            text!("in its types", "在类型表里")
        } else {
            text!("not found", "没有找到")
        };
        stage.fact(&format!("v2 {what}"), &format!("{name}: {there}"));
    }
    Some(found[..2].iter().all(|there| *there))
}

fn ending(ten: &[Found], today: &[Found], other: Option<bool>) -> Ending {
    let namespaces = LECTURE.iter().zip(ten).find(|(one, _)| one.name == "ns");
    let gone = namespaces.is_some_and(|(_, found)| found.built != Some(true));
    let count = |found: &[Found]| found.iter().filter(|one| one.built == Some(true)).count();
    let (old, new) = (count(ten), count(today));
    let once = ten.iter().chain(today).all(|found| {
        let has = |version| found.places.iter().any(|place| place.1 == version);
        !(has(Version::V1) && has(Version::V2))
    });
    let mut ending = Ending::default()
        .saw(gone && old > 0, text!(
            "Of the lecture's ten this kernel has {old}, and {new} that came since; `ns` is not among them, it was \
             removed in Linux 3.0.",
            "讲义的十个子系统里，本机内核有 {old} 个，后来的有 {new} 个；`ns` 不在其中，它在 Linux 3.0 被移除。"
        ))
        .saw(once, text!(
            "A subsystem is used by v1 or by v2, never by both at once.",
            "一个子系统要么归 v1，要么归 v2，不能同时归两者。"
        ));
    if let Some(other) = other {
        ending = ending.saw(
            other,
            text!(
                "Guarding devices and marking packets became BPF programs on v2: the kernel has both kinds.",
                "设备管控和数据包标记在 v2 上变成了 BPF 程序：内核支持这两种。"
            ),
        );
    }
    ending.next("cgroup-demo tree").next("cgroup-demo memory").next("cgroup-demo structs")
}
