//! Who may read kernel memory: CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) in the *initial* user namespace. Root of a
//! user namespace has capabilities that count inside it only, and the memory of the kernel lies in none.

use crate::error::Error;
use crate::narrate::text;
use crate::narrate::words::sentence;
use crate::observe::btf::{Damage, Lacking, VMLINUX};
use crate::observe::{self, Subject};
use crate::security::capabilities::Capabilities;
use crate::sys::security::effective_capabilities;

/// Why nothing can be read.
#[derive(Debug)]
pub enum Blind {
    /// This process lacks these capabilities.
    Capabilities(Vec<String>),
    /// It is in a user namespace of its own.
    UserNamespace,
    /// It is in a pid namespace of its own, where pids are others than those in `task->pid`.
    PidNamespace,
    /// The kernel keeps its memory to itself, also before root.
    Lockdown,
    /// There is no description of the kernel's types.
    NoBtf(Lacking),
    /// This kernel has no such member.
    Unknown(String),
    /// The kernel refused.
    Refused(Box<Error>),
}

/// The numbers of the first namespaces, made at boot: PROC_USER_INIT_INO and PROC_PID_INIT_INO of linux/proc_ns.h.
const INITIAL_USER: u64 = 0xEFFF_FFFD;
const INITIAL_PID: u64 = 0xEFFF_FFFC;

/// The capabilities by their numbers in linux/capability.h.
const PERFMON: Capabilities = Capabilities(1 << 38);
const BPF: Capabilities = Capabilities(1 << 39);

/// Whether this process may read. What only the kernel knows is found out by asking it.
pub fn check() -> Result<(), Blind> {
    if observe::inode("user").is_some_and(|number| number != INITIAL_USER) {
        return Err(Blind::UserNamespace);
    }
    let held = Capabilities(effective_capabilities());
    if !held.has(Capabilities::SYS_ADMIN) {
        let lacking: Vec<String> =
            [BPF, PERFMON].into_iter().filter(|one| !held.has(*one)).flat_map(Capabilities::names).collect();
        if !lacking.is_empty() {
            return Err(Blind::Capabilities(lacking));
        }
    }
    if observe::inode("pid").is_some_and(|number| number != INITIAL_PID) {
        return Err(Blind::PidNamespace);
    }
    let lockdown = observe::read(&Subject::Contents("/sys/kernel/security/lockdown".into()));
    if lockdown.is_some_and(|modes| modes.contains("[confidentiality]")) {
        return Err(Blind::Lockdown);
    }
    Ok(())
}

impl Blind {
    /// The reason, and what to do about it.
    pub fn why(&self) -> String {
        match self {
            Blind::Capabilities(names) => {
                let names = names.join(", ");
                text!(
                    "reading the kernel's memory takes {names}, which this process lacks; run it as root.",
                    "读取内核内存需要 {names}，本进程没有；请以 root 运行。"
                )
            }
            Blind::UserNamespace => text!(
                "this process is in a user namespace of its own, and capabilities count for bpf(2) only in the initial \
                 one; run it as root of the machine.",
                "本进程位于另一个 User Namespace，而 bpf(2) 只认初始 User Namespace 里的 capability；请以本机的 root 运行。"
            ),
            Blind::PidNamespace => text!(
                "this process is in a pid namespace of its own, so the pids it knows are not those in task->pid; run it \
                 outside of the container.",
                "本进程位于另一个 PID Namespace，它所知道的 pid 不是 task->pid 中的 pid；请在容器之外运行。"
            ),
            Blind::Lockdown => text!(
                "the kernel is locked down for confidentiality (/sys/kernel/security/lockdown): nobody reads its memory.",
                "内核处于 confidentiality 级别的 lockdown（/sys/kernel/security/lockdown）：谁也不能读它的内存。"
            ),
            Blind::NoBtf(lacking) => no_btf(lacking),
            Blind::Unknown(what) => text!(
                "this kernel has no {what}, so the program cannot be made.",
                "这个内核没有 {what}，无法生成程序。"
            ),
            Blind::Refused(error) => sentence(error, crate::narrate::lang()),
        }
    }
}

/// Why there is no description of the kernel's types, and what to do about it.
pub fn no_btf(lacking: &Lacking) -> String {
    match lacking {
        Lacking::NoFile => text!(
            "there is no {VMLINUX}: the kernel was built without CONFIG_DEBUG_INFO_BTF, or /sys is hidden here.",
            "没有 {VMLINUX}：内核编译时没有打开 CONFIG_DEBUG_INFO_BTF，或者这里看不到 /sys。"
        ),
        Lacking::Unreadable(why) => {
            text!("{VMLINUX} cannot be read: {why}.", "无法读取 {VMLINUX}：{why}。")
        }
        Lacking::Damaged(damage) => {
            let place = match damage {
                Damage::NotBtf | Damage::Version(_) => 0,
                Damage::Truncated(at) | Damage::UnknownKind(_, at) => *at,
            };
            text!(
                "{VMLINUX} makes no sense to this program at byte {place} ({damage:?}).",
                "本程序看不懂 {VMLINUX} 的第 {place} 字节（{damage:?}）。"
            )
        }
    }
}
