//! READERS: what the kernel says of itself in `/proc` and `/sys`, one short line a fact.
//!
//! This is where evidence comes from. The module stands alone: it uses nothing else of the crate, asks for
//! nothing to be changed and writes nothing, so it never appears in the trace whose facts it supplies. Every
//! reader is a file read and a pure function on its text; a fact that cannot be read is `None`, never an
//! error, since looking must not be able to break what is looked at.

pub mod btf;
mod census;
mod cgroups;
mod groups;
mod mounts;
mod namespaces;
mod network;
mod networks;
mod paths;
mod process;
mod processes;
mod queues;
mod sockets;
mod stat;
mod usage;

pub use census::{Resident, census, resident, user_name};
pub use cgroups::{built_in, cgroup_paths, groups_below, is_group, members, subsystems};
pub use groups::{Membership, controllers, home, inode_of, memberships};
pub use mounts::{cgroup_root, points as mount_points};
pub use namespaces::{KINDS, inode};
pub use network::{LinkCount, link_counters, snmp};
pub use networks::{Network, networks};
pub use paths::{place, text};
pub use process::{host_pid, status};
pub use processes::{Process, companions, process};
pub use queues::{posix_names, system_v_keys};
pub use sockets::listening_ports;
pub use stat::{Stat, allowed_processors, stat};
pub use usage::{Counted, Usage, machine_memory, network_bytes, usage};

use std::path::PathBuf;

/// A process to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The process that reads.
    Myself,
    /// Another one, by its pid in the reader's `/proc`.
    Pid(i32),
}

impl Who {
    /// Its directory.
    fn directory(self) -> String {
        match self {
            Who::Myself => "/proc/self".to_owned(),
            Who::Pid(pid) => format!("/proc/{pid}"),
        }
    }
}

/// A fact that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The namespace that a process is in: a name in `/proc/PID/ns`.
    Namespace(Who, &'static str),
    /// The pids of a process, from the outermost pid namespace that we see to its own.
    Pids(Who),
    /// The host name that the reader's UTS namespace shows.
    Hostname,
    /// What is mounted on top at this path.
    Mount(PathBuf),
    /// How many mounts send what happens to them to other mount namespaces.
    SharedMounts,
    /// How many mounts the reader sees.
    Mounts,
    /// Which directory `/` is.
    Root,
    /// What kind of thing stands at this path.
    Path(PathBuf),
    /// What a small text file says.
    Contents(PathBuf),
    /// Which cgroup the reader is in, in the hierarchy that this path belongs to.
    Cgroup(PathBuf),
    /// The processes in the cgroup at this directory.
    Members(PathBuf),
    /// The network links of the reader's network namespace.
    Links,
    /// Its IPv4 addresses.
    Addresses,
    /// Its IPv4 routes.
    Routes,
    /// One field of `/proc/self/status`: `CapEff`, `NoNewPrivs`, `Uid`, …
    Status(&'static str),
}

impl Subject {
    /// The name of the fact, in the kernel's own words: `ns/uts`, `mount /proc`, `CapEff`.
    pub fn name(&self) -> String {
        match self {
            Subject::Namespace(_, kind) => format!("ns/{kind}"),
            Subject::Pids(_) => "NSpid".to_owned(),
            Subject::Hostname => "hostname".to_owned(),
            Subject::Mount(path) => format!("mount {}", path.display()),
            Subject::SharedMounts => "shared mounts".to_owned(),
            Subject::Mounts => "mounts".to_owned(),
            Subject::Root => "root /".to_owned(),
            Subject::Path(path) | Subject::Contents(path) => path.display().to_string(),
            Subject::Cgroup(path) => format!("cgroup {}", cgroups::hierarchy(path).unwrap_or("v2")),
            Subject::Members(directory) => directory.join("cgroup.procs").display().to_string(),
            Subject::Links => "links".to_owned(),
            Subject::Addresses => "addresses".to_owned(),
            Subject::Routes => "routes".to_owned(),
            Subject::Status(field) => (*field).to_owned(),
        }
    }
}

/// Read one fact; `None` when there is nothing to read or it may not be read.
pub fn read(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Namespace(who, kind) => namespaces::link(*who, kind),
        Subject::Pids(who) => status(*who, "NSpid"),
        Subject::Hostname => paths::contents("/proc/sys/kernel/hostname".as_ref()),
        Subject::Mount(path) => mounts::at(path),
        Subject::SharedMounts => mounts::count(true),
        Subject::Mounts => mounts::count(false),
        Subject::Root => paths::identity("/".as_ref()),
        Subject::Path(path) => paths::kind(path),
        Subject::Contents(path) => paths::contents(path),
        Subject::Cgroup(path) => cgroups::membership(path),
        Subject::Members(directory) => cgroups::member_line(directory),
        Subject::Links => network::links(),
        Subject::Addresses => network::addresses(),
        Subject::Routes => network::routes(),
        Subject::Status(field) => status(Who::Myself, field),
    }
}
