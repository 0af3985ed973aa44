//! What is missing on the throw-away host itself: file systems, devices, packet filters.

use super::{Known, denied, newer_kernel, setting};
use crate::error::Problem;
use crate::lab::need::Need;
use crate::narrate::words::Text;
use crate::sys::errno::{EINVAL, ENODEV, ENOENT, EOPNOTSUPP};

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "overlay-module",
        title: Text {
            en: "the kernel's module for overlay file systems is not loaded",
            zh: "内核的 overlay 模块没有加载",
        },
        explains: |_, lack| lack.need == Need::Overlay && lack.error.is(ENODEV),
        sign: |_, _| Some("/proc/filesystems: no overlay".to_owned()),
        fix: |_, _| "sudo modprobe overlay".to_owned(),
    },
    Known {
        name: "overlay-in-userns",
        title: Text {
            en: "this kernel mounts no overlay in a user namespace, which came with Linux 5.11",
            zh: "这个内核不能在用户 Namespace 中挂载 overlay（Linux 5.11 起才可以）",
        },
        explains: |_, lack| lack.need == Need::Overlay && (denied(lack) || lack.error.is(EINVAL)),
        sign: |signs, _| setting(signs, "kernel.osrelease"),
        fix: |signs, _| newer_kernel(signs),
    },
    Known {
        name: "link-modules",
        title: Text {
            en: "the kernel's modules for veth pairs and bridges are not loaded",
            zh: "内核的 veth 和 bridge 模块没有加载",
        },
        explains: |_, lack| {
            matches!(lack.need, Need::Veth | Need::Bridge)
                && (lack.error.is(EOPNOTSUPP) || lack.error.problem == Problem::NoBridge)
        },
        sign: |_, _| None,
        fix: |_, _| "sudo modprobe -a veth bridge".to_owned(),
    },
    Known {
        name: "no-iptables",
        title: Text { en: "the program iptables is not installed", zh: "没有安装 iptables 程序" },
        explains: |_, lack| matches!(lack.error.problem, Problem::NoIptables { .. }),
        sign: |_, _| Some("iptables-restore: not found".to_owned()),
        fix: |signs, _| format!("{} iptables", signs.packages.install),
    },
    Known {
        name: "iptables-modules",
        title: Text {
            en: "iptables did not take the rules: the kernel's modules for NAT are not loaded, or belong to the other packet filter",
            zh: "iptables 没有接受规则：内核的 NAT 模块没有加载，或者属于另一种包过滤器",
        },
        explains: |_, lack| {
            lack.need == Need::Iptables && matches!(lack.error.problem, Problem::NatRefused { .. })
        },
        sign: |_, lack| match &lack.error.problem {
            Problem::NatRefused { said, .. } => Some(said.clone()),
            _ => None,
        },
        fix: |signs, _| match signs.is_wsl2() {
            true => "sudo update-alternatives --set iptables /usr/sbin/iptables-legacy".to_owned(),
            false => {
                "sudo modprobe -a nft_compat nft_chain_nat iptable_nat xt_MASQUERADE xt_conntrack".to_owned()
            }
        },
    },
    Known {
        name: "no-seccomp",
        title: Text {
            en: "this kernel is built without filters on system calls (CONFIG_SECCOMP_FILTER)",
            zh: "这个内核编译时没有启用系统调用过滤器（CONFIG_SECCOMP_FILTER）",
        },
        explains: |_, lack| lack.need == Need::Seccomp && (lack.error.is(EINVAL) || lack.error.is(ENOENT)),
        sign: |signs, _| setting(signs, "kernel.osrelease"),
        fix: |signs, _| newer_kernel(signs),
    },
];
