//! What a student of lab `cgroup-memory` is told: known mistakes, and hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// The wrong answers that are known.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "memory-unlimited",
        why: Text {
            en: "nothing was written into the memory limit: a group without a number has no limit, whatever the command line said.",
            zh: "没有写内存限额：没写数的组就没有上限，命令行说什么都没用。",
        },
    },
    Mistake {
        name: "not-in-bytes",
        why: Text {
            en: "the file takes bytes, and `spec.limits.memory` is in bytes: there is nothing to convert.",
            zh: "这个文件的单位是字节，`spec.limits.memory` 也是字节：不需要换算。",
        },
    },
    Mistake {
        name: "swap-forgotten",
        why: Text {
            en: "only memory is limited: what does not fit goes to swap, and the container slows down the whole machine instead of meeting its limit.",
            zh: "只限制了内存：放不下的会跑到 swap 里，容器碰不到上限，却拖慢整台机器。",
        },
    },
    Mistake {
        name: "swap-counted-alone",
        why: Text {
            en: "version 1 counts memory *and* swap in memory.memsw.limit_in_bytes, version 2 counts swap alone in memory.swap.max: the same wish is two different numbers.",
            zh: "v1 的 memory.memsw.limit_in_bytes 是内存*加* swap，v2 的 memory.swap.max 只是 swap：同一个愿望，两个不同的数。",
        },
    },
    Mistake {
        name: "pids-unlimited",
        why: Text {
            en: "nothing was written into pids.max: one fork bomb inside, and the machine has no pid left.",
            zh: "没有写 pids.max：里面来一个 fork 炸弹，整台机器的 pid 就用光了。",
        },
    },
    Mistake {
        name: "not-joined",
        why: Text {
            en: "the group has its limits, and nobody in it: on version 1 a process joins by writing \"0\" into `tasks` of each hierarchy's directory.",
            zh: "组有了限额，但里面没有人：在 v1 上，进程要往每个层级目录的 `tasks` 写 \"0\" 才算加入。",
        },
    },
    Mistake {
        name: "joined-one",
        why: Text {
            en: "on version 1 each hierarchy is a tree of its own: who has joined the group in one is still at the top of the others.",
            zh: "在 v1 上每个层级是一棵单独的树：只加入了其中一棵，在别的树里还在原处。",
        },
    },
    Mistake {
        name: "no-cgroup-namespace",
        why: Text {
            en: "without a cgroup namespace of its own the container reads in /proc/self/cgroup where on the host it is.",
            zh: "没有自己的 cgroup namespace，容器从 /proc/self/cgroup 就能读出自己在主机上的位置。",
        },
    },
    Mistake {
        name: "namespace-before-join",
        why: Text {
            en: "unshare(CLONE_NEWCGROUP) makes the root of the view what the process is in *at that moment*: it must have joined before.",
            zh: "unshare(CLONE_NEWCGROUP) 以进程*当时*所在的组为根：必须先加入再 unshare。",
        },
    },
    Mistake {
        name: "another-line",
        why: Text {
            en: "memory.oom_control begins with `oom_kill_disable 0`: that line starts like the one wanted, and says something else.",
            zh: "memory.oom_control 第一行是 `oom_kill_disable 0`：开头和要找的一样，意思不同。",
        },
    },
    Mistake {
        name: "full-is-not-killed",
        why: Text {
            en: "to have been near the limit is no kill: the kernel can take pages back. It counts its kills by themselves.",
            zh: "接近过上限不等于被杀：内核可以收回内存页。杀了多少，内核另有计数。",
        },
    },
];

/// What helps, the first the least.
pub const HINTS: &[Text] = &[
    Text {
        en: "`limit` makes nothing: the directories are there, and `group.directory_of(\"memory\")` says which one the \
                 controller acts on, and whether it speaks version 1 or 2. Print it once.",
        zh: "`limit` 不用新建任何东西：目录已经有了，`group.directory_of(\"memory\")` 告诉你控制器管哪个目录、是 v1 还是 v2。先把它打印出来看看。",
    },
    Text {
        en: "One file::write a limit. v1: memory.limit_in_bytes, then memory.memsw.limit_in_bytes with twice as much; \
                 v2: memory.max, memory.swap.max. Both versions: pids.max, in the directory of \"pids\".",
        zh: "每个限额一次 file::write。v1：memory.limit_in_bytes，然后 memory.memsw.limit_in_bytes（两倍）；v2：memory.max、memory.swap.max。两个版本都有 pids.max，在 \"pids\" 的目录里。",
    },
    Text {
        en: "`join`: for each place of version 1, write \"0\" into its `tasks`; nothing for version 2, where the process \
                 was born in the group. Then, and not before, unshare(clone(CLONE_NEWCGROUP)).",
        zh: "`join`：对每个 v1 的 place，往它的 `tasks` 写 \"0\"；v2 不用写，进程生来就在组里。然后才 unshare(clone(CLONE_NEWCGROUP))，不能在前。",
    },
    Text {
        en: "`oom_kills`: a line of memory.oom_control (v1) or memory.events (v2) is `oom_kill N`. Mind the other lines \
                 that begin like it.",
        zh: "`oom_kills`：memory.oom_control（v1）或 memory.events（v2）里有一行 `oom_kill N`。注意别的行开头和它一样。",
    },
];
