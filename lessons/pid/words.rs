//! What a student of lab `pid` is told: known mistakes, and hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// The wrong answers that are known.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "no-pid-namespace",
        why: Text {
            en: "clone3 was not asked for CLONE_NEWPID: the child is one more process of the host, its /proc is the host's, \
                 and its orphans are the host's to reap.",
            zh: "clone3 没有带 CLONE_NEWPID：子进程只是主机上又一个进程，它的 /proc 是主机的，它的孤儿也归主机收。",
        },
    },
    Mistake {
        name: "unshare-in-the-runtime",
        why: Text {
            en: "unshare(2) moves whoever calls it, and here that is the runtime: it is now in the container's network itself, \
                 and all its later children are born in the container's pid namespace. Give the flags to clone3, which moves only the child.",
            zh: "unshare(2) 移动的是调用者，在这里就是运行时自己：它进了容器的网络，以后的子进程也都生在容器的 pid namespace 里。\
                 把标志交给 clone3，只有子进程会在新的里面。",
        },
    },
    Mistake {
        name: "no-network-namespace",
        why: Text {
            en: "CLONE_NEWNET is missing at birth, and no later step makes up for it: the container has the host's network.",
            zh: "出生时少了 CLONE_NEWNET，后面也没有哪一步会补上：容器用的是主机的网络。",
        },
    },
    Mistake {
        name: "network-for-everybody",
        why: Text {
            en: "a new network namespace was made though `spec.network` is Network::Host: an empty one, instead of the one asked for.",
            zh: "`spec.network` 是 Network::Host，却仍新建了网络 namespace：得到的是一个空的，不是要的那个。",
        },
    },
    Mistake {
        name: "hosts-proc",
        why: Text {
            en: "a /proc shows the pid namespace of whoever mounted it. This one was mounted by the host, and bound here.",
            zh: "/proc 显示的是挂载者所在的 pid namespace。这一个是主机挂载的，只是绑定到了这里。",
        },
    },
    Mistake {
        name: "proc-with-every-right",
        why: Text {
            en: "the mount flags are missing. Nothing in /proc has to be executed, be a device or set a user id, so nothing may: \
                 MS_NOSUID | MS_NODEV | MS_NOEXEC.",
            zh: "缺了挂载标志。/proc 里没有东西需要被执行、充当设备或改变用户 id，那就都不许：MS_NOSUID | MS_NODEV | MS_NOEXEC。",
        },
    },
    Mistake {
        name: "no-proc",
        why: Text {
            en: "nothing is mounted at /proc, and the next step that asks there for its own process finds an empty directory.",
            zh: "/proc 上什么也没挂，下一步到那里查自己的进程时，只找到一个空目录。",
        },
    },
    Mistake {
        name: "one-wait-a-signal",
        why: Text {
            en: "SIGCHLD is a bit, not a count: eight ends at once were one signal. Wait in a loop, until nobody is left to wait for.",
            zh: "SIGCHLD 是一个比特，不是计数：八个同时结束只有一个信号。要循环 wait，直到没有可等的。",
        },
    },
    Mistake {
        name: "waits-for-one",
        why: Text {
            en: "only the command was waited for. Orphans of the whole namespace are pid 1's children, and nobody else can reap them.",
            zh: "只等了命令一个。整个 namespace 的孤儿都是 1 号的子进程，别人收不了。",
        },
    },
    Mistake {
        name: "ends-with-anybody",
        why: Text {
            en: "the first process that was reaped was taken for the command. Compare its pid with `child`: when pid 1 returns, \
                 the kernel kills everybody.",
            zh: "把第一个收走的进程当成了命令。要拿它的 PID 与 `child` 比较：1 号一返回，内核就杀死所有人。",
        },
    },
    Mistake {
        name: "signals-end-here",
        why: Text {
            en: "pid 1 takes the signals, since they are blocked, and drops them: the command never hears of `docker stop`.",
            zh: "信号被阻塞着，由 1 号取走，取走就丢了：命令永远听不到 `docker stop`。",
        },
    },
    Mistake {
        name: "only-the-polite-ones",
        why: Text {
            en: "some signals are passed on, and others are not. What a signal means is for the command to say: USR1 and HUP mean \
                 \"read your files anew\" to many, WINCH tells of the terminal's size, and real-time signals are numbers above 31.",
            zh: "有的信号转发了，有的没有。信号是什么意思由命令说了算：USR1、HUP 对许多程序是“重读配置”，WINCH 说的是终端大小，\
                 实时信号的编号在 31 以上。",
        },
    },
    Mistake {
        name: "status-lost",
        why: Text {
            en: "how the command ended was not returned: whoever started the container learns nothing of a failure.",
            zh: "没有返回命令是怎样结束的：启动容器的人对失败一无所知。",
        },
    },
    Mistake {
        name: "killed-is-exited",
        why: Text {
            en: "a signal's number was returned as an exit status. Ended::Signaled(9) becomes 137 by itself: return what reap_any gave.",
            zh: "把信号的编号当退出状态返回了。Ended::Signaled(9) 自己会变成 137：reap_any 给了什么就返回什么。",
        },
    },
    Mistake {
        name: "waits-for-everybody",
        why: Text {
            en: "pid 1 waits until it has no children left. Only the command counts: when pid 1 ends, the kernel ends the others.",
            zh: "1 号在等所有子进程都结束。只有命令算数：1 号一结束，内核会结束其余的。",
        },
    },
];

/// What helps, the least first.
pub const HINTS: &[Text] = &[
    Text {
        en: "`birth` is one call of clone3. All you decide is its flags, and that it gets the cgroup's directory if there is one.",
        zh: "`birth` 就是一次 clone3。你要定的只有标志；另外，有 cgroup 目录时把它交给 clone3。",
    },
    Text {
        en: "let birthplace = group.birthplace()?; then birthplace.as_ref().map(|(directory, path)| (directory.as_fd(), *path)) \
             is what clone3 takes. Begin with flags::CLONE_NEWPID, and add CLONE_NEWNET and CLONE_NEWUSER where they are wanted.",
        zh: "let birthplace = group.birthplace()?; 然后 birthplace.as_ref().map(|(directory, path)| (directory.as_fd(), *path)) \
             就是 clone3 要的。从 flags::CLONE_NEWPID 开始，需要时再加 CLONE_NEWNET、CLONE_NEWUSER。",
    },
    Text {
        en: "`proc`: mount(\"proc\", Path::new(\"/proc\"), \"proc\", MS_NOSUID | MS_NODEV | MS_NOEXEC, None).",
        zh: "`proc`：mount(\"proc\", Path::new(\"/proc\"), \"proc\", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)。",
    },
    Text {
        en: "`reap` is a loop around take_next. At SIGCHLD a second loop around reap_any, until it says None or ECHILD; if one of \
             them was `child`, return how it ended. Any other signal: kill(child, signal), and no harm if it is gone already.",
        zh: "`reap` 是围着 take_next 的循环。遇到 SIGCHLD，再循环 reap_any，直到 None 或 ECHILD；其中若有 `child`，返回它怎样结束。\
             其他信号：kill(child, signal)，它已经不在也没关系。",
    },
];
