//! The steps of a container as plain functions.
//!
//! [`Parts::REFERENCE`] is the product. A person who wants to know whether they have understood a mechanism
//! writes that one function anew and runs `Parts { uts: mine, ..Parts::REFERENCE }`.

use super::spec::Spec;
use crate::cgroup::accounting::{self, Usage};
use crate::cgroup::{self, Group, stop};
use crate::error::Result;
use crate::image::unpack::{self, Member, Places};
use crate::namespace::{self, join::Doors};
use crate::network::link::{Netns, Socket};
use crate::network::make::{self, Making, Plan};
use crate::network::nat::{self, WayOut};
use crate::network::{Endpoint, Network, attach, configure};
use crate::overlay::diff::{self, Change};
use crate::overlay::{self, Layers};
use crate::process::identity::{self, Identity};
use crate::process::{Ended, Forked};
use crate::rootfs::tree::{self, Tree};
use crate::rootfs::virtualfs::CgroupTree;
use crate::rootfs::volume::{Taken, place};
use crate::rootfs::{devices, mask, pivot, virtualfs};
use crate::security;
use std::path::{Path, PathBuf};

/// What the child takes of the host's before its root changes.
#[derive(Debug, Default)]
pub struct Held {
    /// The device nodes, where it may not make its own.
    pub devices: Vec<Tree>,
    /// What was taken of the volumes, in the spec's order.
    pub volumes: Vec<Taken>,
    /// The host's /sys, where it may not mount one.
    pub sys: Option<Tree>,
}

/// The steps, in the order in which they are taken.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// Runtime: make the cgroup, empty, with the controllers that its limits need.
    pub cgroup: fn(&Spec) -> Result<Group>,
    /// Runtime: limit its memory and the number of its processes.
    pub memory: fn(&Spec, &Group) -> Result<()>,
    /// Runtime: limit and weigh its time on processors.
    pub cpu: fn(&Spec, &Group) -> Result<()>,
    /// Runtime: make a bridge, up, with its address. That it is needed, and is ours, has been settled.
    pub bridge: fn(&Socket, &Plan<'_>) -> Result<()>,
    /// Runtime: the packet filter rules by which what leaves a bridge's subnet finds its way.
    pub way_out: WayOut,
    /// Runtime: make the container's first process. Returns in both.
    pub birth: fn(&Spec, &Group) -> Result<Forked>,
    /// Runtime: lay a cable from a bridge to the network namespace of that process.
    pub attach: fn(&Socket, &Endpoint, Netns<'_>) -> Result<()>,
    /// Child: map root inside to the person outside. The ids are the person's.
    pub user: fn(&Spec, (u32, u32)) -> Result<()>,
    /// Child: join the cgroup, and see it as the top of the tree.
    pub join: fn(&Spec, &Group) -> Result<()>,
    /// Child: clocks of its own.
    pub time: fn(&Spec) -> Result<()>,
    /// Child: queues and shared memory of its own.
    pub ipc: fn(&Spec) -> Result<()>,
    /// Child: a host name of its own, and leave the host's alone.
    pub uts: fn(&Spec) -> Result<()>,
    /// Child: a table of mounts of its own, from which nothing travels back.
    pub mount: fn(&Spec) -> Result<()>,
    /// Child: the image's layers and a writable one on top, united at `layers.merged`.
    pub overlay: fn(&Spec) -> Result<()>,
    /// `minidocker diff`: what the upper layer changes of those below it.
    pub changes: fn(&Layers) -> Result<Vec<Change>>,
    /// Unpacker: let a layer's directory be the root directory, and all there is.
    pub confine: fn(&Path) -> Result<()>,
    /// Unpacker: what the name of a layer's member says, by its path in the layer.
    pub member: fn(&Path) -> Result<Member>,
    /// Unpacker: where in the layer the member of that path stands, behind whatever links.
    pub place: fn(&mut Places<'_>, &Path) -> Result<PathBuf>,
    /// Child: take what is needed of the host's files.
    pub hold: fn(&Spec) -> Result<Held>,
    /// Child: exchange the root; the old one lies on top of the new one.
    pub root: fn(&Spec) -> Result<()>,
    /// Child: /proc, of the pid namespace this process is in. The old root's /proc is still there: in a user namespace the
    /// kernel grants a new one only beside one that hides nothing.
    pub proc: fn(&Spec) -> Result<()>,
    /// Child: /sys, with the cgroup trees.
    pub sys: fn(&Spec, &Group, &Held) -> Result<()>,
    /// Child: let the old root go.
    pub leave: fn(&Spec) -> Result<()>,
    /// Child: /dev: a small file system with a few devices, terminals and shared memory. It is a directory already.
    pub devices: fn(&Spec, &Held) -> Result<()>,
    /// Child: the volumes.
    pub volumes: fn(&Spec, &Held) -> Result<()>,
    /// Child: hide what the kernel tells too much.
    pub mask: fn(&Spec) -> Result<()>,
    /// Child: the loopback link up.
    pub loopback: fn(&Socket) -> Result<()>,
    /// Child: address and route of the inner end of one cable.
    pub ethernet: fn(&Socket, &Endpoint) -> Result<()>,
    /// Child: capabilities that nobody inside shall ever have. Still root afterwards.
    pub limit: fn(&Spec) -> Result<()>,
    /// Child: become the user, from root. It still holds every capability that was not taken for good.
    pub assume: fn(&Spec, &Identity) -> Result<()>,
    /// Child: no new privileges, and the seccomp filter.
    pub filter: fn(&Spec) -> Result<()>,
    /// Anybody outside: what the group uses.
    pub usage: fn(&Group) -> Result<Usage>,
    /// Anybody outside: stop everybody in the group where they are, and return when all are; or, with `false`, let them go on.
    pub freeze: fn(&Group, bool) -> Result<()>,
    /// Anybody outside: end everybody in the group and in groups below, also who is frozen. On return all have ended.
    pub kill: fn(&Group) -> Result<()>,
    /// Runtime: how many processes of the group the OOM killer has killed.
    pub oom: fn(&Group) -> Result<u64>,
    /// Pid 1 with `--init`: reap, pass signals on, until the command has ended.
    pub reap: fn(i32) -> Result<Ended>,
    /// Child of `exec`: join the namespaces of a container that runs, but for pid and user, which came before.
    pub enter: fn(&Doors) -> Result<()>,
}

impl Parts {
    /// The product's own.
    pub const REFERENCE: Self = Self {
        cgroup: |spec| Group::make(&spec.id, &spec.limits, !spec.confined, !spec.privileged),
        memory: |spec, group| cgroup::memory::limit(&spec.limits, group),
        cpu: |spec, group| cgroup::cpu::limit(&spec.limits, group),
        bridge: make::make,
        way_out: nat::way_out,
        birth,
        attach: attach::lay,
        user: |_, (uid, gid)| namespace::user::map_root(uid, gid),
        join: |_, group| {
            group.join()?;
            namespace::cgroup::enter()
        },
        time: |_| namespace::time::enter().map(drop),
        ipc: |_| namespace::ipc::enter(),
        uts: |spec| namespace::uts::enter(&spec.hostname),
        mount: |_| namespace::mount::enter(),
        overlay: |spec| overlay::mount(&spec.layers),
        changes: diff::changes,
        confine: unpack::confine,
        member: unpack::member,
        place: unpack::place,
        hold,
        root: |spec| pivot::enter(&spec.layers.merged),
        proc: |_| virtualfs::mount_proc(),
        sys,
        leave: |_| pivot::detach_old(),
        devices: |spec, held| devices::mount_dev(&held.devices, spec.shm_size),
        volumes: |spec, held| {
            spec.volumes
                .iter()
                .zip(&held.volumes)
                .try_for_each(|(volume, taken)| place::attach(volume, taken))
        },
        mask: |_| mask::mask(),
        loopback: configure::loopback,
        ethernet: configure::ethernet,
        limit: |spec| security::limit(spec.capabilities),
        assume: |spec, who| identity::assume(who, spec.confined),
        filter: |spec| security::filter(spec.capabilities),
        usage: accounting::usage,
        freeze: stop::hold_still,
        kill: stop::kill_all,
        oom: cgroup::memory::oom_kills,
        reap: namespace::pid::reap,
        enter: Doors::enter,
    };

    /// Those by which layers are unpacked.
    pub fn unpacking(&self) -> unpack::Steps {
        unpack::Steps { confine: self.confine, member: self.member, place: self.place }
    }
}

impl Parts {
    /// The steps by which a bridge comes to be.
    pub fn making(&self) -> Making {
        Making { bridge: self.bridge, way_out: self.way_out }
    }

    /// The steps inside a network namespace.
    pub fn inside(&self) -> configure::Inside {
        configure::Inside { loopback: self.loopback, ethernet: self.ethernet }
    }
}

/// Which namespaces the first process is born in: those that its parent must work on from outside, and the
/// pid namespace, which nobody can enter later. The rest it enters by itself, one by one.
fn birth(spec: &Spec, group: &Group) -> Result<Forked> {
    let own_net = matches!(spec.network, Network::None | Network::Bridge(_));
    let own_user =
        spec.user_namespace && !matches!(&spec.network, Network::Container(join) if join.user.is_some());
    let mut flags = namespace::PID;
    if own_net {
        flags |= namespace::NET;
    }
    if own_user {
        flags |= namespace::USER;
    }
    let birthplace = group.birthplace()?;
    namespace::pid::birth(flags, birthplace.as_ref().map(|(directory, path)| (directory, *path)))
}

fn hold(spec: &Spec) -> Result<Held> {
    let mut held = Held::default();
    if spec.confined {
        held.devices = devices::take_from_host()?;
        if spec.network == Network::Host {
            let sys = tree::take(Path::new("/sys"))?;
            sys.make_read_only()?;
            held.sys = Some(sys);
        }
    }
    for volume in &spec.volumes {
        held.volumes.push(place::take(volume)?);
    }
    Ok(held)
}

fn sys(spec: &Spec, group: &Group, held: &Held) -> Result<()> {
    virtualfs::mount_sys(held.sys.as_ref(), !spec.privileged)?;
    if held.sys.is_none() {
        virtualfs::mount_cgroups(&cgroup_trees(group), !spec.privileged, spec.confined)?;
    }
    Ok(())
}

/// The trees that show `group` as their top to whoever is in it, in a cgroup namespace of its own.
pub fn cgroup_trees(group: &Group) -> Vec<CgroupTree> {
    use cgroup::hierarchy::Version;
    let tree = |place: &cgroup::group::Place| match place.hierarchy.version {
        Version::V1 => CgroupTree {
            name: place.hierarchy.mount.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            fstype: "cgroup",
            controllers: place.hierarchy.controllers.join(","),
        },
        // Beside v1 trees, v2 has a directory of its own.
        Version::V2 => CgroupTree {
            name: if group.places.len() > 1 { "unified".to_owned() } else { String::new() },
            fstype: "cgroup2",
            controllers: String::new(),
        },
    };
    group.places.iter().map(tree).collect()
}

/// The parts by their names.
macro_rules! by_name {
    ($($field:ident)*) => {
        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($field)),*];

        impl Parts {
            /// These parts, but of those that `names` lists, separated by commas, the product's own: a learner who has
            /// written one of three functions can try that one. The product's are its own already.
            #[must_use]
            pub fn with_ours(mut self, names: &str) -> Self {
                for name in names.split(',') {
                    match name {
                        $(stringify!($field) => self.$field = Self::REFERENCE.$field,)*
                        _ => {}
                    }
                }
                self
            }

            /// Which of these are not the product's own.
            #[cfg(test)]
            fn replaced(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if !std::ptr::fn_addr_eq(self.$field, Self::REFERENCE.$field) {
                    names.push(stringify!($field));
                })*
                names
            }
        }
    };
}

by_name! {
    cgroup memory cpu bridge way_out birth attach user join time ipc uts
    mount overlay changes confine member place hold root proc sys leave devices
    volumes mask loopback ethernet limit assume filter usage freeze kill oom reap
    enter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_name_in_the_table() {
        let fields = format!("{:?}", Parts::REFERENCE).matches(": 0x").count();
        let not_ours = Parts { uts: |_| Ok(()), ..Parts::REFERENCE };
        assert_eq!(not_ours.replaced(), ["uts"]);
        assert!(not_ours.with_ours("ipc,uts").replaced().is_empty());
        assert_eq!(fields, NAMES.len());
    }
}
