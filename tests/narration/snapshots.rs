//! The explanation of whole runs, word for word, in both languages.
//!
//! A snapshot must pass on every machine. So the state root has a path of fixed length, behind which lines break at
//! the same places everywhere; what differs between runs, kernels and hosts is replaced by a word in capitals; and
//! what depends on the layout of the cgroups is left out here ([`super::limits`] looks at it).

use super::text::{Chapter, chapters, joined};
use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_root, as_user};
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Controller("memory")], without_network_in_english),
        as_root(&[Need::Controller("memory")], without_network_in_chinese),
        as_root(&[Need::Iptables], on_the_bridge_in_english),
        as_root(&[Need::Iptables], on_the_bridge_in_chinese),
        as_user(&[], of_an_ordinary_user_in_english),
        as_user(&[], of_an_ordinary_user_in_chinese),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn without_network_in_english() {
    let options = ["--network", "none", "-m", "64m", "--hostname", "web"];
    compare("root-none.en", Who::Root, "en", &options);
}

fn without_network_in_chinese() {
    let options = ["--network", "none", "-m", "64m", "--hostname", "web"];
    compare("root-none.zh", Who::Root, "zh", &options);
}

fn on_the_bridge_in_english() {
    compare("root-bridge.en", Who::Root, "en", &["--network", "bridge"]);
}

fn on_the_bridge_in_chinese() {
    compare("root-bridge.zh", Who::Root, "zh", &["--network", "bridge"]);
}

fn of_an_ordinary_user_in_english() {
    compare("user.en", Who::User, "en", &["--network", "none"]);
}

fn of_an_ordinary_user_in_chinese() {
    compare("user.zh", Who::User, "zh", &["--network", "none"]);
}

/// Run, explain, and compare with the snapshot of that name.
fn compare(name: &str, who: Who, lang: &str, options: &[&str]) {
    let space = Space::new(who);
    if let Some(host) = &space.host {
        // A new network namespace may inherit this from the machine's first one.
        host.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    }
    let short = ShortPath::to(&space);
    let words =
        [&["run", "--rm", "--name", "box", "--explain", "--lang", lang], options, &["base", "true"]].concat();
    let mut command = space.command();
    command.args(words).env("COLUMNS", "80").env("MINIDOCKER_ROOT", short.path());
    let outcome = Running::start(&mut command).end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, ""), "{}", outcome.err);

    let text = short.forget(&outcome.err);
    let id = text.split("/containers/").nth(1).and_then(|rest| rest.get(..12)).unwrap();
    let text = text.replace(id, "0123456789ab");
    let portable: Vec<String> = chapters(&text).iter().filter_map(|one| portable(one, who)).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, word) in FILTERS {
        settings.add_filter(pattern, *word);
    }
    settings.bind(|| insta::assert_snapshot!(name, portable.join("\n\n")));
}

/// A path of the same length on every machine that leads to a state root.
struct ShortPath(TempDir);

impl ShortPath {
    fn to(space: &Space) -> Self {
        let directory =
            tempfile::Builder::new().prefix("minidocker-").rand_bytes(4).tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        symlink(space.root(), directory.path().join("root")).unwrap();
        Self(directory)
    }

    fn path(&self) -> String {
        format!("{}/root", self.0.path().display())
    }

    /// `text` with a name that does not change in the place of this one.
    fn forget(&self, text: &str) -> String {
        text.replace(self.0.path().file_name().unwrap().to_str().unwrap(), "minidocker-test")
    }
}

/// What of a chapter is the same on every machine; `None` when nothing is.
fn portable(chapter: &Chapter, who: Who) -> Option<String> {
    let mut chapter = chapter.clone();
    let is_prose = |line: &String| !line.starts_with("     ");
    match chapter.word.as_str() {
        // Where no cgroup can be made the attempts differ, and there may be none.
        "cgroup" if who == Who::User => return None,
        "cgroup" => chapter.lines.retain(is_prose),
        "cgroup-join" => {
            chapter
                .lines
                .retain(|line| is_prose(line) || line.contains("CGROUP") || line.contains("ns/cgroup"));
        }
        // On cgroup v2 the child is born inside its group, and the line breaks elsewhere.
        "clone" => chapter.lines.iter_mut().filter(|line| line.contains("clone3(")).for_each(|line| {
            *line = joined(line);
        }),
        // What overlayfs leaves in its workshop is the kernel's affair.
        "cleanup" => chapter.lines.retain(|line| !line.contains("/work")),
        // Which of the masked files there are is the kernel's too; these directories are in every one.
        "mask" => {
            let everywhere = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"];
            chapter.lines.retain(|line| {
                let sysrq = line.contains("/proc/sysrq-trigger");
                is_prose(line) || everywhere.iter().any(|path| line.contains(path)) && !sysrq
            });
        }
        // What the host's mounts were before is the host's affair; behind it none is shared.
        "mount" => {
            chapter.lines.retain(|line| !line.contains("mount /  ") && !line.contains("shared mounts  "))
        }
        "harden" => chapter.lines.retain(|line| !line.starts_with("     Groups ")),
        _ => {}
    }
    if !["cgroup", "clone"].contains(&chapter.word.as_str()) {
        chapter.lines.retain(|line| !line.contains("/sys/fs/cgroup"));
    }
    if ["root", "mask", "mount", "cgroup-join"].contains(&chapter.word.as_str()) {
        chapter.lines.iter_mut().for_each(|line| *line = squeezed(line));
    }
    Some(chapter.text())
}

/// A fact whose column depends on the lines that were left out, with two blanks behind its name and unbroken.
fn squeezed(line: &str) -> String {
    let Some(fact) = line.strip_prefix("     ").filter(|line| line.contains('→')) else {
        return line.to_owned();
    };
    let fact = joined(fact);
    match fact.split_once("  ") {
        Some((name, value)) => format!("     {name}  {}", value.trim_start()),
        None => fact,
    }
}

/// What differs between runs and machines, and the word for it.
const FILTERS: &[(&str, &str)] = &[
    (r"layers/[0-9a-f]{12}", "layers/0123456789ab"),
    // The rule is filled up to the width of the page.
    (r"─{2,} (client|runtime|init|客户端|运行时|容器 init), pid \d+ ──", "── $1, pid PID ──"),
    (r"(clone3\([A-Z_|]+?)(?:\|CLONE_INTO_CGROUP)?, [^)]*\) =", "$1, …) ="),
    (r"(clone3\([^)]*\) = )[1-9]\d*", "${1}PID"),
    (r"(NSpid +\S+ → )[\d ]+", "${1}PID 1"),
    // The cable goes with the container's network namespace, which the kernel takes apart in its own time.
    (r"(links +lo minidocker0)(?: md0123456789ab)? → lo\n", "$1 → lo\n"),
    (r"IFLA_NET_NS_PID=\d+", "IFLA_NET_NS_PID=PID"),
    (r"IFLA_MASTER=\d+", "IFLA_MASTER=INDEX"),
    // Ten digits on every machine.
    (r"IFLA_GROUP=\d{10}\b", "IFLA_GROUP=MARK"),
    // Links that some kernels put into every network namespace.
    (r" (?:tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0)\b", ""),
    (r"([a-z]+):\[\d+\]", "$1:[INODE]"),
    (r"(OPEN_TREE_CLONE\|OPEN_TREE_CLOEXEC\|AT_RECURSIVE\) =)\s+\d+", "$1 FD"),
    (r#"("/proc/self/timens_offsets"), "[^"]*"\)\s+=\s+0"#, r#"$1, "OFFSETS") = 0"#),
    (r"timens_offsets  [^→]*→[^/]*?\n( +ns/time)", "timens_offsets  OFFSETS → OFFSETS\n$1"),
    (r"hostname  \S+ →", "hostname  HOST →"),
    (r#"(write\("[^"]*/resolv\.conf"),\s+"[^"]*"\)\s+=\s+0"#, r#"$1, "CONTENTS") = 0"#),
    (r#"(/(?:state|config)\.json\.new"),\s+"(?:[^"\\]|\\.)*"…?\)\s+=\s+0"#, r#"$1, "CONTENTS") = 0"#),
    (r"(bind\([^)]*\)\s+= )\d+", "${1}FD"),
    (r#""0 \d+ 1""#, r#""0 UID 1""#),
    (r"([ug]id_map +\S+ →) 0 \d+ 1", "$1 0 UID 1"),
    (r"root /  device .*, inode \d+ → device .*, inode \d+", "root /  DIRECTORY → DIRECTORY"),
    (r"mount /sys  [^→]*→", "mount /sys  BEFORE →"),
    (r"mounts  \d+ → \d+", "mounts  COUNT → COUNT"),
    (r"(mount /dev/(?:null|zero|full|random|urandom|tty) +\S+ →)[^\n]*", "$1 DEVICE"),
    (r"(mount /etc/[a-z.]+ +\S+ →)[^\n]*(?:\n {20,}[^\n]*)*", "$1 FILE"),
    (r"(Cap(?:Bnd|Eff|Prm) +)[0-9a-f]{16} \(\d+\) →", "${1}SET →"),
    (r"(SECCOMP_SET_MODE_FILTER, 0,) \d+", "$1 LENGTH"),
    (r#"execve\("[^"]*/true""#, r#"execve("PATH/true""#),
    (r"\S*/iptables-restore", "PATH/iptables-restore"),
];
