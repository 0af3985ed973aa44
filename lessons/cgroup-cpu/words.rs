//! What a student of lab `cgroup-cpu` is told: known mistakes, and hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// The wrong answers that are known.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "no-quota",
        why: Text {
            en: "no quota was written: a weight alone limits nobody on a machine that has nothing else to do.",
            zh: "没有写配额：机器空闲时，光有权重谁也限制不住。",
        },
    },
    Mistake {
        name: "quota-of-a-second",
        why: Text {
            en: "the quota is for one period, and a period is a tenth of a second: ten times too much is more than one processor, and a single process never meets it.",
            zh: "配额是一个周期的，而周期是十分之一秒：多了十倍就超过一个 CPU，单个进程永远碰不到。",
        },
    },
    Mistake {
        name: "no-weight",
        why: Text {
            en: "the weight is what every new group has: under contention this container gets as much as anybody.",
            zh: "权重还是新组的默认值：争抢时，这个容器和别人一样多。",
        },
    },
    Mistake {
        name: "nothing-counted",
        why: Text {
            en: "the group was not asked, so `stats` fell back on the first process and its children. Who came by `exec` is in the group, and no child of that one.",
            zh: "没有去问组，`stats` 只好把第一个进程和它的子进程加起来。用 `exec` 进来的在组里，却不是它的子进程。",
        },
    },
    Mistake {
        name: "time-in-another-unit",
        why: Text {
            en: "v1 counts processor time in nanoseconds (cpuacct.usage), v2 in microseconds (usage_usec): what `usage` returns are nanoseconds.",
            zh: "v1 以纳秒统计 CPU 时间（cpuacct.usage），v2 以微秒（usage_usec）：`usage` 要返回纳秒。",
        },
    },
    Mistake {
        name: "stopped-not-frozen",
        why: Text {
            en: "SIGSTOP is no freezer: a process forked meanwhile runs on, anybody may send SIGCONT, and its parent is told of each stop. The kernel says that the group is not frozen.",
            zh: "SIGSTOP 不是 freezer：其间 fork 出来的照跑，谁都可以发 SIGCONT，父进程还会收到通知。内核说这个组没有冻结。",
        },
    },
    Mistake {
        name: "never-thawed",
        why: Text {
            en: "with `false` the group is to be thawed: THAWED (v1), 0 (v2).",
            zh: "参数为 `false` 时要解冻：v1 写 THAWED，v2 写 0。",
        },
    },
    Mistake {
        name: "frozen-forgotten",
        why: Text {
            en: "on version 1 a frozen process does not take SIGKILL before it is thawed: the signal waits, and so does everybody else.",
            zh: "在 v1 上，冻住的进程解冻前收不到 SIGKILL：信号在等，别人也跟着等。",
        },
    },
    Mistake {
        name: "only-the-first",
        why: Text {
            en: "with pid 1 the kernel ends its pid namespace, and not the group: who is in the group and in another pid namespace lives on, and the group cannot be removed.",
            zh: "pid 1 一死，内核结束的是它的 pid namespace，不是整个组：组里属于别的 pid namespace 的进程还活着，组也就删不掉。",
        },
    },
    Mistake {
        name: "not-below",
        why: Text {
            en: "cgroup.procs names the members of this group alone. Those of a group below stand in its own file.",
            zh: "cgroup.procs 只列出这个组自己的成员。下级组的成员在下级组自己的文件里。",
        },
    },
];

/// What helps, the first the least.
pub const HINTS: &[Text] = &[
    Text {
        en: "A quota is so many microseconds in each period, and the period is 100000: 0.2 processors, or 200 \
                 thousandths, are 20000. v1: cpu.cfs_quota_us; v2: cpu.max, `QUOTA PERIOD`.",
        zh: "配额是每个周期里的微秒数，周期是 100000：0.2 个 CPU（千分之 200）就是 20000。v1：cpu.cfs_quota_us；v2：cpu.max，写 `配额 周期`。",
    },
    Text {
        en: "`usage`: v1 cpuacct.usage (nanoseconds), v2 the line usage_usec of cpu.stat (microseconds); \
                 memory.usage_in_bytes or memory.current; pids.current.",
        zh: "`usage`：v1 读 cpuacct.usage（纳秒），v2 读 cpu.stat 的 usage_usec 一行（微秒）；memory.usage_in_bytes 或 memory.current；pids.current。",
    },
    Text {
        en: "`freeze`: v1 FROZEN or THAWED into freezer.state, v2 1 or 0 into cgroup.freeze. The kernel answers at once and \
                 freezes afterwards: read freezer.state, or the line `frozen` of cgroup.events, until it is done.",
        zh: "`freeze`：v1 往 freezer.state 写 FROZEN 或 THAWED，v2 往 cgroup.freeze 写 1 或 0。内核马上返回，随后才冻住：要反复读 freezer.state 或 cgroup.events 的 `frozen` 行，直到完成。",
    },
    Text {
        en: "`kill`: thaw first (on v1 a frozen process does not even take SIGKILL), then everybody in cgroup.procs, then the \
                 same in each of groups_below(directory); and again, until a look finds nobody.",
        zh: "`kill`：先解冻（v1 上冻住的进程连 SIGKILL 都收不到），再杀 cgroup.procs 里的所有进程，再对 groups_below(directory) 里的每个组做同样的事；如此反复，直到一个都没有。",
    },
];
