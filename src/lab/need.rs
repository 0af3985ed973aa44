//! What a check needs of the machine, found out by trying.

/// One ability of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A user namespace, and the other kinds in it: the throw-away host itself.
    UserNamespaces,
    /// An overlay mounted in a user namespace.
    Overlay,
    /// A pair of virtual Ethernet devices.
    Veth,
    /// A bridge.
    Bridge,
    /// iptables, with its nat table.
    Iptables,
    /// A cgroup with a limit on memory.
    CgroupMemory,
    /// A cgroup with a limit on the number of processes.
    CgroupPids,
    /// A cgroup with a limit on time on processors.
    CgroupCpu,
    /// A cgroup that can be frozen.
    CgroupFreezer,
    /// A filter on system calls.
    Seccomp,
}
