//! What is said of the lesson `harden`: known mistakes, and hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// Each is earned by a mutant in `mutants.rs`.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "held-alone",
        why: Text {
            en: "what a process holds now is not what it can get: when root executes a program it is given everything in the bounding \
                 set again. The ceiling is lowered by PR_CAPBSET_DROP, one capability at a time.",
            zh: "现在拥有什么，不等于以后能得到什么：root 执行程序时，bounding set 里的会全部还给它。要降低这个上限，\
                 得用 PR_CAPBSET_DROP，一次去掉一个。",
        },
    },
    Mistake {
        name: "first-32",
        why: Text {
            en: "there are more than 32 capabilities: CAP_MAC_OVERRIDE, CAP_SYSLOG, CAP_BPF and others stand in the upper word. Go on \
                 until the kernel says EINVAL.",
            zh: "capability 不止 32 个：CAP_MAC_OVERRIDE、CAP_SYSLOG、CAP_BPF 等在高 32 位里。一直做到内核返回 EINVAL 为止。",
        },
    },
    Mistake {
        name: "options-ignored",
        why: Text {
            en: "a fixed list was used: what --cap-add and --cap-drop decided stands in spec.capabilities, and both the ceiling and \
                 the filter must follow it.",
            zh: "用了固定的名单：--cap-add 和 --cap-drop 的结果在 spec.capabilities 里，上限和过滤器都要照它办。",
        },
    },
    Mistake {
        name: "without-no-new-privs",
        why: Text {
            en: "without no_new_privs the kernel loads no filter for a process without CAP_SYS_ADMIN (EACCES): a setuid program under \
                 a hostile filter could be fooled. And without it a setuid program gives rights back.",
            zh: "没有 no_new_privs，内核不给没有 CAP_SYS_ADMIN 的进程装过滤器（EACCES）：否则恶意的过滤器可以欺骗 setuid 程序。\
                 而且少了它，setuid 程序又会把权利还回来。",
        },
    },
    Mistake {
        name: "never-loaded",
        why: Text {
            en: "a policy is data until seccomp(2) has loaded it: /proc/PID/status says Seccomp: 0, no filter.",
            zh: "在 seccomp(2) 装载之前，策略只是数据：/proc/PID/status 说 Seccomp: 0，没有过滤器。",
        },
    },
    Mistake {
        name: "clone3-allowed",
        why: Text {
            en: "clone3(2) has its flags in memory, and a filter sees registers only: it cannot tell a thread from a new user \
                 namespace. Whoever judges clone and allows clone3 has judged nothing.",
            zh: "clone3(2) 的标志放在内存里，过滤器只看得到寄存器，分不清是新线程还是新的 User Namespace。\
                 管住了 clone 却放过 clone3，等于什么也没管。",
        },
    },
    Mistake {
        name: "namespaces-allowed",
        why: Text {
            en: "clone(2) with CLONE_NEWUSER, or unshare(2), was let through: inside a new user namespace a process has every \
                 capability again, whatever its ceiling was outside.",
            zh: "放过了带 CLONE_NEWUSER 的 clone(2) 或 unshare(2)：在新的 User Namespace 里，进程又拥有所有 capability，\
                 不管外面的上限是什么。",
        },
    },
    Mistake {
        name: "clone3-refused",
        why: Text {
            en: "EPERM means \"you may not\", and the C library believes it: no thread is made. ENOSYS means \"there is no such call\", \
                 and it falls back to clone(2), whose flags can be judged.",
            zh: "EPERM 的意思是“你不可以”，C 库信以为真，线程就造不出来了。ENOSYS 的意思是“没有这个调用”，\
                 C 库会退回 clone(2)，而它的标志是看得到的。",
        },
    },
    Mistake {
        name: "clone-refused",
        why: Text {
            en: "fork is clone(2) too. Refuse it for its flags (UnlessNewNamespace), not altogether.",
            zh: "fork 也是 clone(2)。要看它的标志（UnlessNewNamespace），不能一概拒绝。",
        },
    },
    Mistake {
        name: "new-calls-refused",
        why: Text {
            en: "a call that is newer than the list is answered with EPERM: C libraries, which try the new call first, give up instead of \
                 falling back. An older kernel would say ENOSYS.",
            zh: "比名单更新的调用得到了 EPERM：C 库会先试新的调用，得到 EPERM 就放弃，而不是退回旧的。旧内核会说 ENOSYS。",
        },
    },
    Mistake {
        name: "everyday-refused",
        why: Text {
            en: "the filter stands before the last two calls of minidocker too: the exec, and the end of the process if that fails. \
                 Whatever is in EVERYDAY must be allowed.",
            zh: "minidocker 的最后两个调用也要过这道过滤器：exec，以及 exec 失败时结束进程。EVERYDAY 里的都必须放行。",
        },
    },
    Mistake {
        name: "sockets-refused",
        why: Text {
            en: "socket(2) is not among the everyday calls, since it is harmless for most address families and not for all: \
                 Verdict::IfFamily tells them apart.",
            zh: "socket(2) 不在日常调用之列，因为它对大多数地址族无害，但不是全部：用 Verdict::IfFamily 区分。",
        },
    },
    Mistake {
        name: "list-of-evils",
        why: Text {
            en: "a list of what is forbidden ends where its author's imagination does. Refuse all, and list what is needed.",
            zh: "列禁止的东西，作者想不到的就漏了。应当先全部拒绝，再列出需要的。",
        },
    },
    Mistake {
        name: "first-missing",
        why: Text {
            en: "some places of the lists were never reached. Not every kernel has all of them: one that is missing is to be passed \
                 over, and the rest still be done.",
            zh: "名单里有些地方没有处理到。不是每个内核都有所有这些路径：没有的跳过，后面的还得继续。",
        },
    },
    Mistake {
        name: "files-alone",
        why: Text {
            en: "/dev/null cannot be laid on a directory; an empty tmpfs can.",
            zh: "/dev/null 盖不到目录上，空的 tmpfs 可以。",
        },
    },
    Mistake {
        name: "still-writable",
        why: Text {
            en: "a bind mount is as writable as what it shows, until MOUNT_ATTR_RDONLY is added to it.",
            zh: "bind 挂载与它所展示的一样可写，除非再加上 MOUNT_ATTR_RDONLY。",
        },
    },
];

/// The first helps the least.
pub const HINTS: &[Text] = &[
    Text {
        en: "`limit`: for which numbers is bit n of spec.capabilities.0 zero? And what does the kernel say after the last one it knows?",
        zh: "`limit`：spec.capabilities.0 的第 n 位为 0 的是哪些 n？超过内核认识的最后一个之后，它会说什么？",
    },
    Text {
        en: "`filter`: begin with Policy::REFUSE_ALL, allow EVERYDAY, and go through the handout's list of calls that need a thought.",
        zh: "`filter`：从 Policy::REFUSE_ALL 开始，允许 EVERYDAY，然后逐个考虑讲义里列出的、需要想一想的调用。",
    },
    Text {
        en: ".answer(&[SYS_clone], Verdict::UnlessNewNamespace).answer(&[SYS_clone3], Verdict::Absent), and answer_newer likewise; \
             set_no_new_privs()? before load_seccomp_filter(policy.compile().as_slice()).",
        zh: ".answer(&[SYS_clone], Verdict::UnlessNewNamespace).answer(&[SYS_clone3], Verdict::Absent)，answer_newer 同理；\
             set_no_new_privs()? 要在 load_seccomp_filter(policy.compile().as_slice()) 之前。",
    },
    Text {
        en: "`mask`: let Some(place) = target::find(path)? else { continue }; a directory: mount(\"tmpfs\", path, \"tmpfs\", MS_RDONLY, \
             Some(\"size=4k\")); a file: tree::take(Path::new(\"/dev/null\"))?.attach_on(&place, path).",
        zh: "`mask`：let Some(place) = target::find(path)? else { continue }；目录：mount(\"tmpfs\", path, \"tmpfs\", MS_RDONLY, \
             Some(\"size=4k\"))；文件：tree::take(Path::new(\"/dev/null\"))?.attach_on(&place, path)。",
    },
];
