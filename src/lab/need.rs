//! What a check needs of the machine, found out by trying the very thing, and never by the version of anything.
//!
//! Each trial is made by a child process on a throw-away host ([`host`]), as the checks are, and dies with it. Only a
//! cgroup cannot be had there: an empty one is made on this machine, and removed.

use crate::cgroup::{Group, Held, stop};
use crate::demo::host;
use crate::error::{Error, Problem, Result};
use crate::lab::person;
use crate::lab::verdict::Said;
use crate::narrate::words::{Lang, Text, sentence};
use crate::network::{link, nat, subnet};
use crate::overlay::{self, Layers};
use crate::process::apart;
use crate::security::{self, capabilities::Capabilities};
use crate::sys::netlink::{Netns, Socket};
use crate::sys::{file, identity, process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// One ability of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Need {
    /// A user namespace, and the other kinds in it: the throw-away host itself.
    #[serde(rename = "userns")]
    UserNamespaces,
    /// An overlay mounted in a user namespace.
    #[serde(rename = "overlay-in-userns")]
    Overlay,
    /// A pair of virtual Ethernet devices.
    #[serde(rename = "veth")]
    Veth,
    /// A bridge.
    #[serde(rename = "bridge")]
    Bridge,
    /// iptables, with its nat table.
    #[serde(rename = "iptables")]
    Iptables,
    /// A cgroup with a limit on memory.
    #[serde(rename = "cgroup-memory")]
    CgroupMemory,
    /// A cgroup with a limit on the number of processes.
    #[serde(rename = "cgroup-pids")]
    CgroupPids,
    /// A cgroup with a limit on time on processors.
    #[serde(rename = "cgroup-cpu")]
    CgroupCpu,
    /// A cgroup that can be frozen.
    #[serde(rename = "cgroup-freezer")]
    CgroupFreezer,
    /// A filter on system calls.
    #[serde(rename = "seccomp")]
    Seccomp,
    /// Ids on the throw-away host besides root's.
    #[serde(rename = "ids")]
    Ids,
}

/// What the kernel said when a need was tried: not here.
#[derive(Debug, Clone, PartialEq)]
pub struct Lack {
    /// What was tried.
    pub need: Need,
    /// What was asked of the kernel, and its answer.
    pub error: Error,
}

impl Lack {
    /// The symbol of the answer, `EPERM`; `None` where the kernel was not even asked.
    pub fn errno_name(&self) -> Option<&str> {
        self.error.refusal.as_ref().map(|refusal| refusal.name.as_str())
    }

    /// Why a check is not made.
    pub fn said(&self) -> Said {
        let what = self.need.title();
        let refused = match &self.error.refusal {
            Some(refusal) => Said::plain(refusal.to_string()),
            None => Said { en: sentence(&self.error, Lang::En), zh: sentence(&self.error, Lang::Zh) },
        };
        Said {
            en: format!("it needs {}: {}; `cargo lab doctor` says what to do", what.en, refused.en),
            zh: format!("需要{}：{}；`cargo lab doctor` 会告诉你怎么办", what.zh, refused.zh),
        }
    }
}

/// Try each of `needs` once: those that are not met.
pub fn lacking(needs: BTreeSet<Need>) -> Vec<Lack> {
    needs.into_iter().filter_map(|need| need.probe().err()).collect()
}

/// The first of `lacks` that is one of `needs`.
pub fn first<'a>(lacks: &'a [Lack], needs: &[Need]) -> Option<&'a Lack> {
    lacks.iter().find(|lack| needs.contains(&lack.need))
}

impl Need {
    /// All of them, in the order in which a person should look at them: what others stand on comes first.
    pub const ALL: [Need; 11] = [
        Need::UserNamespaces,
        Need::Overlay,
        Need::Veth,
        Need::Bridge,
        Need::Iptables,
        Need::Seccomp,
        Need::Ids,
        Need::CgroupMemory,
        Need::CgroupPids,
        Need::CgroupCpu,
        Need::CgroupFreezer,
    ];

    /// Its name in tables and reports.
    pub fn name(self) -> &'static str {
        match self {
            Need::UserNamespaces => "userns",
            Need::Overlay => "overlay-in-userns",
            Need::Veth => "veth",
            Need::Bridge => "bridge",
            Need::Iptables => "iptables",
            Need::CgroupMemory => "cgroup-memory",
            Need::CgroupPids => "cgroup-pids",
            Need::CgroupCpu => "cgroup-cpu",
            Need::CgroupFreezer => "cgroup-freezer",
            Need::Seccomp => "seccomp",
            Need::Ids => "ids",
        }
    }

    /// What it is, in a few words.
    pub fn title(self) -> Text {
        let (en, zh) = match self {
            Need::UserNamespaces => ("a throw-away host", "一台用完即弃的主机"),
            Need::Overlay => ("an overlay mounted there", "在其中挂载 overlay"),
            Need::Veth => ("a veth pair", "一对 veth"),
            Need::Bridge => ("a bridge", "网桥"),
            Need::Iptables => ("iptables with NAT", "带 NAT 的 iptables"),
            Need::CgroupMemory => ("a cgroup that limits memory", "能限制内存的 Cgroup"),
            Need::CgroupPids => ("a cgroup that limits processes", "能限制进程数的 Cgroup"),
            Need::CgroupCpu => ("a cgroup that limits CPU time", "能限制 CPU 时间的 Cgroup"),
            Need::CgroupFreezer => ("a cgroup that can be frozen", "能冻结的 Cgroup"),
            Need::Seccomp => ("a filter on system calls", "系统调用过滤器"),
            Need::Ids => ("more ids there than root's", "其中除 root 之外还有别的 id"),
        };
        Text { en, zh }
    }

    /// Whether it is a cgroup's.
    pub fn is_cgroup(self) -> bool {
        matches!(self, Need::CgroupMemory | Need::CgroupPids | Need::CgroupCpu | Need::CgroupFreezer)
    }

    /// Try it. On entry this process has one thread; on return nothing of the trial is left.
    pub fn probe(self) -> std::result::Result<(), Lack> {
        let tried = match self {
            Need::UserNamespaces => host::play(|| Ok(())),
            Need::Overlay => host::play(mount_overlay),
            Need::Veth => host::play(|| make_bridge().and_then(plug_veth)),
            Need::Bridge => host::play(|| make_bridge().map(drop)),
            Need::Iptables => host::play(masquerade),
            Need::Seccomp => host::play(|| security::filter(Capabilities::DEFAULT)),
            Need::Ids => host::play_with(&[], |_| Ok(()), |_| identity::setresuid(person::OTHER)),
            Need::CgroupMemory => in_group("memory", |_| Ok(())),
            Need::CgroupPids => in_group("pids", |_| Ok(())),
            Need::CgroupCpu => in_group("cpu", |_| Ok(())),
            Need::CgroupFreezer => in_group("freezer", |group| stop::freeze(group, false)),
        };
        tried.map_err(|error| Lack { need: self, error })
    }
}

/// On a throw-away host: an overlay of two directories in memory, as containers there have it.
fn mount_overlay() -> Result<()> {
    let top = Path::new(host::SCRATCH);
    let layers = Layers {
        lower: vec![top.join("lower")],
        upper: top.join("upper"),
        work: top.join("work"),
        merged: top.join("merged"),
        userxattr: true,
        ..Layers::default()
    };
    file::mkdir(&layers.lower[0], 0o755)?;
    overlay::make_directories(&layers)?;
    overlay::mount(&layers)
}

const BRIDGE: &str = "try0";

fn make_bridge() -> Result<Socket> {
    let socket = Socket::open()?;
    link::add_bridge(&socket, BRIDGE, 0)?;
    Ok(socket)
}

/// Both ends stay in the network namespace of this process: what is tried is the device.
fn plug_veth(socket: Socket) -> Result<()> {
    let master = link::find(&socket, BRIDGE)?.map_or(0, |link| link.index);
    let netns = Netns::Of(process::pid());
    link::add_veth(&socket, link::Veth { name: "try1", group: 0, master, peer: "try2", netns })
}

/// The rules of a bridge, which need not be there for them.
fn masquerade() -> Result<()> {
    let subnet = subnet::choose(&[]).ok_or_else(|| Error::new(Problem::NoSubnet))?;
    nat::apply(BRIDGE, subnet)
}

/// Make an empty group with `controller` (its v1 name), and do `more` with it. A trial that is killed leaves the group
/// to whichever `minidocker` or demo runs next.
fn in_group(controller: &str, more: impl FnOnce(&Group) -> Result<()>) -> Result<()> {
    let held = Held::make(&[controller], apart::is_privileged(), None)?;
    let tried = more(held.group());
    held.remove()?;
    tried
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_has_one_name() {
        for need in Need::ALL {
            assert_eq!(serde_json::to_value(need).unwrap(), need.name());
        }
    }
}
