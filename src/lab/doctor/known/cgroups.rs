//! What keeps people from a cgroup of their own.

use super::{Known, container, denied};
use crate::error::Problem;
use crate::lab::doctor::signs::{Cgroups, Signs};
use crate::lab::need::{Lack, Need};
use crate::narrate::words::Text;
use crate::sys::errno::EROFS;

/// The name of the controller that the need is about, in `/proc/cgroups`.
fn controller(need: Need) -> &'static str {
    match need {
        Need::CgroupMemory => "memory",
        Need::CgroupPids => "pids",
        Need::CgroupCpu => "cpu",
        _ => "freezer",
    }
}

fn lacks_controller(lack: &Lack) -> bool {
    matches!(lack.error.problem, Problem::CgroupNoController { .. })
}

fn layout(signs: &Signs) -> Option<String> {
    Some(format!("/proc/self/mountinfo: cgroups {}", signs.cgroups.name()))
}

fn delegate(_: &Signs, _: &Lack) -> String {
    "systemd-run --user --scope -p Delegate=yes cargo lab".to_owned()
}

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "wsl2-cgroups",
        title: Text {
            en: "WSL 2 runs here without systemd, and nobody hands a cgroup to ordinary users",
            zh: "这里的 WSL 2 没有运行 systemd，没有人把 Cgroup 委派给普通用户",
        },
        explains: |signs, lack| lack.need.is_cgroup() && signs.is_wsl2() && signs.cgroups != Cgroups::V2,
        sign: |signs, _| layout(signs),
        fix: |_, _| {
            "printf '[boot]\\nsystemd=true\\n' | sudo tee -a /etc/wsl.conf && wsl.exe --shutdown".to_owned()
        },
    },
    Known {
        name: "no-cgroups",
        title: Text {
            en: "no cgroup file system is mounted here", zh: "这里没有挂载 Cgroup 文件系统"
        },
        explains: |signs, lack| lack.need.is_cgroup() && signs.cgroups == Cgroups::None,
        sign: |signs, _| layout(signs),
        fix: |_, _| "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup".to_owned(),
    },
    Known {
        name: "cgroup-disabled",
        title: Text {
            en: "this kernel was told at boot to leave out the controller (as Raspberry Pi OS does with memory)",
            zh: "内核启动时被要求不启用这个子系统（例如 Raspberry Pi OS 对 memory 的做法）",
        },
        explains: |signs, lack| {
            lack.need.is_cgroup() && signs.disabled.iter().any(|name| name == controller(lack.need))
        },
        sign: |_, lack| Some(format!("/proc/cgroups: {} … 0", controller(lack.need))),
        fix: |_, lack| {
            let name = controller(lack.need);
            format!("sudo sed -i '1s/$/ cgroup_enable={name}/' /boot/firmware/cmdline.txt && sudo reboot")
        },
    },
    Known {
        name: "cgroup-read-only",
        title: Text {
            en: "the cgroups are mounted read-only here, as in an ordinary container",
            zh: "这里的 Cgroup 以只读方式挂载，普通容器里就是这样",
        },
        explains: |_, lack| lack.need.is_cgroup() && lack.error.is(EROFS),
        sign: |signs, _| layout(signs),
        fix: |signs, _| match signs.container {
            None => "sudo mount -o remount,rw /sys/fs/cgroup".to_owned(),
            Some(_) => container(signs, "--privileged --cgroupns=private"),
        },
    },
    Known {
        name: "cgroup-v1-root",
        title: Text {
            en: "the cgroups here are of version 1, which cannot be handed to ordinary users: do the lessons on cgroups as root, or boot with systemd.unified_cgroup_hierarchy=1",
            zh: "这里的 Cgroup 是 v1，不能委派给普通用户：请以 root 做 Cgroup 的实验，或在启动时加上 systemd.unified_cgroup_hierarchy=1",
        },
        explains: |signs, lack| {
            let v1 = matches!(signs.cgroups, Cgroups::V1 | Cgroups::Hybrid);
            lack.need.is_cgroup() && v1 && !signs.privileged
        },
        sign: |signs, _| layout(signs),
        fix: |_, _| "sudo -E env \"PATH=$PATH\" cargo lab".to_owned(),
    },
    Known {
        name: "cgroup-controller",
        title: Text {
            en: "the controller was not handed down to this user by systemd",
            zh: "systemd 没有把这个子系统委派给当前用户",
        },
        explains: |signs, lack| {
            lack.need.is_cgroup()
                && lacks_controller(lack)
                && signs.cgroups == Cgroups::V2
                && !signs.privileged
        },
        sign: |signs, _| layout(signs),
        fix: |_, _| {
            "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | \
             sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload && logout"
                .to_owned()
        },
    },
    Known {
        name: "cgroup-not-delegated",
        title: Text {
            en: "the cgroup of this shell was not handed to this user: systemd does that for a scope of one's own",
            zh: "这个 shell 所在的 Cgroup 没有委派给当前用户：systemd 可以为此建立一个自己的 scope",
        },
        explains: |signs, lack| lack.need.is_cgroup() && denied(lack) && !signs.privileged,
        sign: |signs, _| layout(signs),
        fix: delegate,
    },
    Known {
        name: "cgroup-container",
        title: Text {
            en: "the container around this one keeps its cgroups from its processes",
            zh: "外层容器不让其中的进程使用 Cgroup",
        },
        explains: |signs, lack| {
            lack.need.is_cgroup() && signs.container.is_some() && (denied(lack) || lacks_controller(lack))
        },
        sign: |signs, _| layout(signs),
        fix: |signs, _| container(signs, "--privileged --cgroupns=private"),
    },
    Known {
        name: "cgroup-missing",
        title: Text {
            en: "this kernel offers no such controller: it is not compiled in, or was left out at boot",
            zh: "内核没有提供这个子系统：没有编译进来，或启动时没有启用",
        },
        explains: |_, lack| lack.need.is_cgroup() && lacks_controller(lack),
        sign: |signs, _| layout(signs),
        fix: |_, lack| format!("grep {} /proc/cgroups", controller(lack.need)),
    },
];
