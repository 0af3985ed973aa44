//! Each row of the table explains the refusal that it is there for, on the machine that it is there for.

use super::*;
use crate::error::{Error, Problem, Refusal};
use crate::lab::doctor::signs::Cgroups;
use crate::lab::need::Need;
use crate::sys::errno::{EAGAIN, EINVAL, ENODEV, ENOSPC, ENOSYS, EOPNOTSUPP, EROFS};

fn refused(need: Need, problem: Problem, call: &str, errno: i32) -> Lack {
    let refusal =
        Refusal { call: call.into(), args: String::new(), errno, name: "E".into(), message: "no".into() };
    Lack { need, error: Error { problem, refusal: Some(Box::new(refusal)) } }
}

fn host(errno: i32) -> Lack {
    refused(Need::UserNamespaces, Problem::NoUserNamespaces { sysctl: None }, "clone3", errno)
}

fn group(need: Need, errno: i32) -> Lack {
    refused(need, Problem::CgroupForDemo { path: "/sys/fs/cgroup".into() }, "mkdir", errno)
}

fn no_controller(need: Need) -> Lack {
    let problem = Problem::CgroupNoController { asked: String::new(), controller: String::new() };
    Lack { need, error: Error::new(problem) }
}

/// An ordinary user's shell on a machine that has all, where `change` has been made.
fn machine(change: impl FnOnce(&mut Signs)) -> Signs {
    let mut signs = Signs {
        uid: 1000,
        seccomp: "0".into(),
        root_is_mount: true,
        cgroups: Cgroups::V2,
        has_user_namespaces: true,
        ..Signs::default()
    };
    change(&mut signs);
    signs
}

fn set(name: &str, value: &str) -> Signs {
    machine(|signs| {
        signs.settings.insert(name.into(), value.into());
    })
}

fn docker(seccomp: &str) -> Signs {
    machine(|signs| {
        signs.container = Some("Docker");
        signs.privileged = true;
        signs.seccomp = seccomp.into();
    })
}

/// The name of each row, with a machine and a refusal that it is to explain.
fn cases() -> Vec<(&'static str, Signs, Lack)> {
    let of = |cgroups| machine(|signs| signs.cgroups = cgroups);
    let wsl2 = "5.15.153.1-microsoft-standard-WSL2";
    let nat = Problem::NatRefused { program: String::new(), said: String::new() };
    let no_program = Problem::NoIptables { program: "iptables-restore".into() };
    vec![
        ("wsl1", set("kernel.osrelease", "4.4.0-19041-Microsoft"), host(EINVAL)),
        ("no-userns", machine(|signs| signs.has_user_namespaces = false), host(EINVAL)),
        ("apparmor-userns", set("kernel.apparmor_restrict_unprivileged_userns", "1"), host(EACCES)),
        ("apparmor-userns", set("kernel.apparmor_restrict_unprivileged_userns", "1"), {
            refused(Need::UserNamespaces, Problem::Refused, "write", EPERM)
        }),
        ("userns-clone", set("kernel.unprivileged_userns_clone", "0"), host(EPERM)),
        ("namespace-limit", set("user.max_net_namespaces", "0"), host(ENOSPC)),
        ("process-limit", machine(|_| ()), host(EAGAIN)),
        ("chroot", machine(|signs| signs.root_is_mount = false), host(EPERM)),
        ("seccomp-outside", docker("2"), host(EPERM)),
        ("seccomp-outside", docker("2"), host(ENOSYS)),
        ("masked-proc", docker("0"), refused(Need::Overlay, Problem::ProcHidden, "mount", EPERM)),
        ("container", docker("0"), host(EPERM)),
        ("one-id", machine(|_| ()), refused(Need::Ids, Problem::Refused, "setresuid", EINVAL)),
        ("old-kernel", machine(|_| ()), host(ENOSYS)),
        ("overlay-module", machine(|_| ()), refused(Need::Overlay, Problem::NoOverlay, "mount", ENODEV)),
        ("overlay-in-userns", machine(|_| ()), refused(Need::Overlay, Problem::NoOverlay, "mount", EPERM)),
        ("link-modules", machine(|_| ()), {
            refused(Need::Veth, Problem::Refused, "RTM_NEWLINK", EOPNOTSUPP)
        }),
        ("no-iptables", machine(|_| ()), Lack { need: Need::Iptables, error: Error::new(no_program) }),
        ("iptables-modules", machine(|_| ()), Lack { need: Need::Iptables, error: Error::new(nat) }),
        ("no-seccomp", machine(|_| ()), refused(Need::Seccomp, Problem::Refused, "seccomp", EINVAL)),
        (
            "wsl2-cgroups",
            machine(|signs| {
                signs.settings.insert("kernel.osrelease".into(), wsl2.into());
                signs.cgroups = Cgroups::V1;
            }),
            group(Need::CgroupPids, EACCES),
        ),
        ("no-cgroups", of(Cgroups::None), no_controller(Need::CgroupCpu)),
        (
            "cgroup-disabled",
            machine(|signs| signs.disabled.push("memory".into())),
            no_controller(Need::CgroupMemory),
        ),
        ("cgroup-read-only", docker("2"), group(Need::CgroupMemory, EROFS)),
        ("cgroup-v1-root", of(Cgroups::V1), group(Need::CgroupMemory, EACCES)),
        ("cgroup-controller", machine(|_| ()), no_controller(Need::CgroupCpu)),
        ("cgroup-not-delegated", machine(|_| ()), group(Need::CgroupCpu, EACCES)),
        ("cgroup-container", docker("0"), group(Need::CgroupCpu, EACCES)),
        ("cgroup-missing", machine(|signs| signs.privileged = true), no_controller(Need::CgroupCpu)),
    ]
}

#[test]
fn each_refusal_is_explained_by_its_row() {
    for (name, signs, lack) in cases() {
        let found = find(&signs, &lack).map(|known| known.name);
        assert_eq!(found, Some(name), "{lack:?} on {signs:?}");
    }
}

#[test]
fn each_row_explains_something_and_has_one_command() {
    let cases = cases();
    for known in [namespaces::KNOWN, devices::KNOWN, cgroups::KNOWN].into_iter().flatten() {
        let case = cases.iter().find(|(name, ..)| *name == known.name);
        let (_, signs, lack) = case.unwrap_or_else(|| panic!("no refusal is put down to {}", known.name));
        let fix = (known.fix)(signs, lack);
        assert!(!fix.is_empty() && !fix.contains('\n') && !fix.ends_with(' '), "{}: {fix:?}", known.name);
    }
}

#[test]
fn a_machine_that_has_all_is_not_blamed() {
    let lack = refused(Need::Veth, Problem::Refused, "RTM_NEWLINK", ENOSPC);
    assert!(find(&machine(|_| ()), &lack).is_none());
}
