//! What a demo told, and its comparison with what was told before.

use crate::common::container::Running;
use crate::common::space::{Space, Who};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

/// Play `program WORDS` to its end, which must be a good one; all that it told, in its order.
pub fn play(space: &Space, program: &str, words: &[&str]) -> String {
    let outcome = Running::start(space.demo(program).args(words)).end();
    assert_eq!(outcome.status, 0, "{program} {words:?}\n{}", outcome.out);
    outcome.out
}

/// Held alone by a test that kills a demo of cgroups, until what it has left is cleared away; shared by those who compare
/// what such a demo told, since it would tell of the clearing.
static LEFTOVERS: RwLock<()> = RwLock::new(());

/// Nobody compares what is told meanwhile.
pub fn with_leftovers() -> RwLockWriteGuard<'static, ()> {
    LEFTOVERS.write().unwrap_or_else(PoisonError::into_inner)
}

/// Play `program WORDS --explain` in both languages, and compare with the snapshots `PROGRAM-WORDS.LANG`: they are the
/// same for root and for an ordinary user. `filters` replace what differs from run to run, beside [`FILTERS`].
pub fn snapshots(who: Who, program: &str, words: &[&str], filters: &[(&str, &str)]) {
    let _no_leftovers = LEFTOVERS.read().unwrap_or_else(PoisonError::into_inner);
    let space = Space::new(who);
    for lang in ["en", "zh"] {
        let mut command = space.demo(program);
        command.args(words).args(["--explain", "--lang", lang]).env("COLUMNS", "80");
        let outcome = Running::start(&mut command).end();
        assert_eq!(outcome.status, 0, "{program} {words:?}\n{}", outcome.out);
        let (before, told) = after_prologue(without_reclaim(&outcome.out));
        if !before.is_empty() {
            let place = if before.starts_with("── attend ") { "attended" } else { "throw-away" };
            compare(&format!("{place}.{lang}"), before, &[]);
        }
        compare(&format!("{program}-{}.{lang}", words.join("-")), told, filters);
    }
}

/// The same without what a demo of cgroups told of others that had been killed.
fn without_reclaim(told: &str) -> &str {
    told.find("── attend ").map_or(told, |start| &told[start..])
}

/// What was told of the place where it is played, which is the same for every demo, and the demo's own story.
fn after_prologue(told: &str) -> (&str, &str) {
    told.split_at(told.find("══ ").unwrap_or(0))
}

/// Compare `text` with the snapshot `name`.
pub fn compare(name: &str, text: &str, filters: &[(&str, &str)]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, word) in filters.iter().chain(FILTERS) {
        settings.add_filter(pattern, *word);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What differs between runs, machines and people → a word in its place.
const FILTERS: &[(&str, &str)] = &[
    (r"layers/[0-9a-f]{12}", "layers/0123456789ab"),
    (r"─+ ((?:runtime|process|init|运行时|进程|容器 init), pid) \d+ ──", "─ $1 PID ──"),
    (r":\[\d+\]", ":[INODE]"),
    (r"(clone3\([^)]*\)\s+=\s+)\d+", "${1}PID"),
    (r"pidfd_send_signal\(\d+,", "pidfd_send_signal(PID,"),
    // A descriptor is the lowest number that is free, and whoever started the test may have left some open.
    (r"((?:accept4|connect|listen|memfd_create|bpf)\([^)]*\)\s+= )[1-9]\d*", "${1}FD"),
    (r"(bpf\(BPF_(?:LINK|ITER)_CREATE, )\d+", "${1}FD"),
    (r"(NSpid +\S+ →) \d+", "$1 PID"),
    (r#"(/proc/self/[ug]id_map", )"0 \d+ 1""#, r#"$1"0 ID 1""#),
    // A task leaves its cgroup a moment after it has been waited for.
    (
        r" +rmdir\([^)]*\)\s+= -1\s+EBUSY\s+\(Device\s+or\s+resource\s+busy\)\n(?: +pidfd_send_signal\(PID, 9\) = 0\n)?",
        "",
    ),
];
