//! What keeps people from namespaces: settings of the system, filters, and systems that are no Linux.

use super::{Known, OPEN_CONTAINER, container, denied, newer_kernel, setting};
use crate::error::Problem;
use crate::lab::doctor::signs::Signs;
use crate::lab::need::{Lack, Need};
use crate::narrate::words::Text;
use crate::sys::errno::{EAGAIN, EINVAL, ENOSPC, ENOSYS};

const APPARMOR: &str = "kernel.apparmor_restrict_unprivileged_userns";
const CLONE: &str = "kernel.unprivileged_userns_clone";

/// The kernel was asked for the throw-away host, and not for what is tried in it.
fn is_host(lack: &Lack) -> bool {
    let born = lack.error.refusal.as_ref().is_some_and(|refusal| refusal.call == "clone3");
    born || lack.need == Need::UserNamespaces || lack.error.problem == Problem::ProcHidden
}

fn filtered(signs: &Signs) -> bool {
    signs.seccomp == "2"
}

fn unmet(signs: &Signs, lack: &Lack, name: &str, value: &str) -> bool {
    is_host(lack) && denied(lack) && !signs.privileged && signs.setting(name) == Some(value)
}

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "wsl1",
        title: Text {
            en: "this is WSL 1, which imitates Linux and has no namespaces: WSL 2 runs a real kernel",
            zh: "这是 WSL 1，它只是模仿 Linux，没有 Namespace；WSL 2 运行真正的内核",
        },
        explains: |signs, _| signs.is_wsl1(),
        sign: |signs, _| setting(signs, "kernel.osrelease"),
        fix: |_, _| "wsl.exe --set-version \"$WSL_DISTRO_NAME\" 2".to_owned(),
    },
    Known {
        name: "no-userns",
        title: Text {
            en: "this kernel is built without user namespaces (CONFIG_USER_NS): another kernel is needed, for example in a virtual machine",
            zh: "这个内核编译时没有启用用户 Namespace（CONFIG_USER_NS）：需要换一个内核，例如用虚拟机",
        },
        explains: |signs, lack| is_host(lack) && lack.error.is(EINVAL) && !signs.has_user_namespaces,
        sign: |_, _| Some("/proc/self/ns/user: No such file or directory".to_owned()),
        fix: |signs, _| newer_kernel(signs),
    },
    Known {
        name: "apparmor-userns",
        title: Text {
            en: "AppArmor gives ordinary users no rights in user namespaces (Ubuntu, from 23.10 on)",
            zh: "AppArmor 不给普通用户在用户 Namespace 中的权限（Ubuntu 23.10 起）",
        },
        explains: |signs, lack| unmet(signs, lack, APPARMOR, "1"),
        sign: |signs, _| setting(signs, APPARMOR),
        fix: |_, _| format!("sudo sysctl -w {APPARMOR}=0"),
    },
    Known {
        name: "userns-clone",
        title: Text {
            en: "a setting keeps user namespaces for root (Debian up to 10, Arch's hardened kernel)",
            zh: "一项设置规定只有 root 能创建用户 Namespace（Debian 10 及更早版本、Arch 的 hardened 内核）",
        },
        explains: |signs, lack| unmet(signs, lack, CLONE, "0"),
        sign: |signs, _| setting(signs, CLONE),
        fix: |_, _| format!("sudo sysctl -w {CLONE}=1"),
    },
    Known {
        name: "namespace-limit",
        title: Text {
            en: "the limit on the number of namespaces is reached, or is 0",
            zh: "Namespace 的数量达到了上限，或者上限就是 0",
        },
        explains: |_, lack| is_host(lack) && lack.error.is(ENOSPC),
        sign: |signs, _| {
            let name = signs.exhausted().first().copied().unwrap_or("user.max_user_namespaces");
            setting(signs, name)
        },
        fix: |signs, _| {
            let zero = signs.exhausted();
            let names = if zero.is_empty() { vec!["user.max_user_namespaces"] } else { zero };
            let set: Vec<String> = names.iter().map(|name| format!(" {name}=15000")).collect();
            format!("sudo sysctl -w{}", set.concat())
        },
    },
    Known {
        name: "process-limit",
        title: Text {
            en: "the limit on the number of processes is reached", zh: "进程数量达到了上限"
        },
        explains: |_, lack| is_host(lack) && lack.error.is(EAGAIN),
        sign: |_, _| None,
        fix: |_, _| "ulimit -u \"$(ulimit -H -u)\"".to_owned(),
    },
    Known {
        name: "chroot",
        title: Text {
            en: "this is a chroot, where the kernel makes no user namespace: leave it, or enter the tree by another way",
            zh: "这里是 chroot，内核不允许在其中创建用户 Namespace：请退出，或换一种方式进入这个目录树",
        },
        explains: |signs, lack| is_host(lack) && denied(lack) && !signs.root_is_mount,
        sign: |_, _| Some("/proc/self/mountinfo: no mount at /".to_owned()),
        fix: |_, _| "exit".to_owned(),
    },
    Known {
        name: "seccomp-outside",
        title: Text {
            en: "the filter on system calls of the container around this one forbids new namespaces",
            zh: "外层容器的系统调用过滤器禁止创建新的 Namespace",
        },
        explains: |signs, lack| {
            is_host(lack)
                && lack.error.problem != Problem::ProcHidden
                && (denied(lack) || lack.error.is(ENOSYS))
                && filtered(signs)
        },
        sign: |_, _| Some("/proc/self/status: Seccomp: 2".to_owned()),
        fix: |signs, _| container(signs, OPEN_CONTAINER),
    },
    Known {
        name: "masked-proc",
        title: Text {
            en: "parts of /proc are covered by the container around this one, so the kernel gives nobody inside a new /proc",
            zh: "外层容器遮住了 /proc 的一部分，所以内核不允许里面的人再挂载新的 /proc",
        },
        explains: |_, lack| lack.error.problem == Problem::ProcHidden,
        sign: |signs, _| signs.covered.first().map(|point| format!("/proc/self/mountinfo: {point}")),
        fix: |signs, _| match signs.container {
            None => "sudo umount ".to_owned() + &signs.covered.join(" "),
            Some(_) => container(signs, OPEN_CONTAINER),
        },
    },
    Known {
        name: "container",
        title: Text {
            en: "this is inside a container that keeps new namespaces from its processes",
            zh: "这里身处容器之中，而这个容器不让其中的进程创建 Namespace",
        },
        explains: |signs, lack| is_host(lack) && denied(lack) && signs.container.is_some(),
        sign: |signs, _| signs.container.map(str::to_owned),
        fix: |signs, _| container(signs, "--privileged"),
    },
    Known {
        name: "one-id",
        title: Text {
            en: "you have no ids besides your own in /etc/subuid and /etc/subgid, or newuidmap is missing (package uidmap or \
                 shadow-utils)",
            zh: "/etc/subuid 和 /etc/subgid 里没有另外给你的 id，或者缺少 newuidmap（软件包 uidmap 或 shadow-utils）",
        },
        explains: |_, lack| lack.need == Need::Ids && lack.error.is(EINVAL),
        sign: |signs, _| Some(format!("/proc/self/uid_map: 0 {} 1", signs.uid)),
        fix: |_, _| {
            "sudo usermod --add-subuids 200000-265535 --add-subgids 200000-265535 \"$USER\"".to_owned()
        },
    },
    Known {
        name: "old-kernel",
        title: Text {
            en: "this kernel does not know the call: a newer one is needed",
            zh: "这个内核没有这个系统调用：需要更新的内核",
        },
        explains: |_, lack| is_host(lack) && lack.error.is(ENOSYS),
        sign: |signs, _| setting(signs, "kernel.osrelease"),
        fix: |signs, _| newer_kernel(signs),
    },
];
