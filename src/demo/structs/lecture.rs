//! The structures as a lecture on containers lists them, of an older kernel, and why they look different today.

use super::compare::Change;
use super::listing::{LEFT_OUT, Listing, Row, parse_c};
use crate::narrate::words::Text;

/// The listings. `...` stands where the lecture leaves members out, and after those that it only picks.
const LISTINGS: &str = "
struct task_struct
{
    ...
    /* namespaces */
    struct nsproxy *nsproxy;
    ...
#ifdef CONFIG_CGROUPS
    struct css_set __rcu *cgroups;
    struct list_head cg_list;
#endif
    ...
}

struct nsproxy
{
    atomic_t count;
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct pid_namespace
    *pid_ns_for_children;
    struct net *net_ns;
}

struct css_set
{
    /*
     * Set of subsystem states, one for each subsystem. This array is immutable after creation apart from the
     * init_css_set during subsystem registration (at boot time).
     */
    struct cgroup_subsys_state *subsys[CGROUP_SUBSYS_COUNT];
    ...
}
";

/// The lecture's listing of a structure, if it has one; of `only` these members, unless that is empty.
pub fn listing(name: &str, only: &[&str]) -> Option<Listing> {
    let mut listing = parse_c(LISTINGS).into_iter().find(|listing| listing.name() == name)?;
    let kept = |row: &Row| only.is_empty() || row.name().is_none_or(|name| only.contains(&name));
    listing.rows.retain(kept);
    listing.rows.dedup_by(|a, b| a.text == LEFT_OUT && b.text == LEFT_OUT);
    Some(listing)
}

/// Why a member changed, or came, where that is worth a sentence.
pub fn why(structure: &str, member: &str, change: Change) -> Option<Text> {
    let text = match (structure, member, change) {
        ("nsproxy", "count", Change::Changed) => Text {
            en: "a refcount_t never goes from 0 up again and stops at a maximum instead of overflowing, so a mistake in \
                 counting leaks memory where an atomic_t would free it while it is in use.",
            zh: "refcount_t 不会从 0 再增加，到达上限后也不会溢出；计数出错时只会泄漏内存，而 atomic_t 会释放仍在使用的内存。",
        },
        ("nsproxy", "time_ns", Change::Came) => Text {
            en: "time namespaces: two clocks of one's own.",
            zh: "Time Namespace：自己的两个时钟。",
        },
        ("nsproxy", "time_ns_for_children", Change::Came) => Text {
            en: "as with pids, unshare(CLONE_NEWTIME) moves not the caller but the children it will have.",
            zh: "和 pid 一样，unshare(CLONE_NEWTIME) 移动的不是调用者，而是它之后的子进程。",
        },
        ("nsproxy", "cgroup_ns", Change::Came) => Text {
            en: "cgroup namespaces: a root of one's own in /proc/self/cgroup.",
            zh: "Cgroup Namespace：/proc/self/cgroup 中自己的根。",
        },
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lecture_lists_three_structures() {
        let shown = |name, only: &[&str]| {
            let rows = listing(name, only).map(|listing| listing.rows).unwrap_or_default();
            rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(shown("nsproxy", &[]).len(), 6);
        assert_eq!(shown("nsproxy", &[])[4], "struct pid_namespace *pid_ns_for_children;");
        assert_eq!(shown("task_struct", &["nsproxy"]), ["…", "struct nsproxy *nsproxy;", "…"]);
        assert_eq!(shown("css_set", &[]), ["struct cgroup_subsys_state *subsys[CGROUP_SUBSYS_COUNT];", "…"]);
        assert!(listing("net", &[]).is_none());
    }
}
