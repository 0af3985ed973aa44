//! What a test needs of the machine. Each need is found out by trying the very thing, once, and never by version.

use super::space::{self, Who};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Something that not every machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To be root, with the right to make namespaces and mounts.
    Root,
    /// An ordinary user who may make user namespaces and mount overlay in them.
    Rootless,
    /// `iptables-restore` with MASQUERADE and conntrack, in a network namespace of one's own.
    Iptables,
    /// A cgroup controller, by its v1 name, whose hierarchy this user may make groups in.
    Controller(&'static str),
    /// The version 1 of at least the memory controller.
    CgroupV1,
    /// Both versions, in the usual layout of a hybrid machine.
    Hybrid,
    /// A program of the host's, with the Debian package that has it.
    Program(&'static str, &'static str),
    /// A loop device to be had.
    LoopDevice,
    /// The kernel's description of its own types.
    Btf,
    /// A `minidocker` under test in which requests can be made to fail: src/sys/fault.rs. The product built for tests
    /// is one; another that is tested in its place may not be.
    FaultHook,
    /// To be root of the very machine, whom the kernel lets read its memory.
    KernelMemory,
}

impl Need {
    /// Its name, as a person reads it in the list of what was skipped.
    fn name(self) -> String {
        match self {
            Need::Root => "root".to_owned(),
            Need::Rootless => "user namespaces with overlay".to_owned(),
            Need::Iptables => "iptables".to_owned(),
            Need::Controller(name) => format!("a writable cgroup with the controller {name}"),
            Need::CgroupV1 => "cgroup v1".to_owned(),
            Need::Hybrid => "cgroup v1 and v2 side by side".to_owned(),
            Need::Program(name, _) => (*name).to_owned(),
            Need::LoopDevice => "a loop device".to_owned(),
            Need::Btf => "/sys/kernel/btf/vmlinux".to_owned(),
            Need::FaultHook => "a program with the fault hook".to_owned(),
            Need::KernelMemory => "the right to read the kernel's memory".to_owned(),
        }
    }

    /// How to come by it.
    fn remedy(self) -> String {
        match self {
            Need::Root => "sudo -E cargo test".to_owned(),
            Need::Rootless => {
                "Linux 5.11; sysctl kernel.apparmor_restrict_unprivileged_userns=0; a TMPDIR all may enter"
                    .to_owned()
            }
            Need::Iptables => "apt-get install iptables; modprobe nf_conntrack xt_MASQUERADE".to_owned(),
            Need::Controller(_) => "run as root outside any container".to_owned(),
            Need::CgroupV1 | Need::Hybrid => "boot with systemd.unified_cgroup_hierarchy=0".to_owned(),
            Need::Program(_, package) => format!("apt-get install {package}"),
            Need::LoopDevice => "modprobe loop".to_owned(),
            Need::Btf => "a kernel with CONFIG_DEBUG_INFO_BTF".to_owned(),
            Need::FaultHook => format!("test the product: unset {}", space::UNDER_TEST),
            Need::KernelMemory => {
                "run as root outside any container, on a kernel that is not locked down".to_owned()
            }
        }
    }

    fn try_it(self) -> bool {
        match self {
            Need::Root => space::is_root() && works(&["unshare", "--mount", "--net", "true"]),
            Need::Rootless => rootless_overlay_works(),
            Need::Iptables => space::is_root() && masquerade_works(),
            Need::Controller(name) => controller_is_writable(name),
            Need::CgroupV1 => space::cgroup_mount("memory").is_some_and(|(_, version)| version == 1),
            Need::Hybrid => {
                let v2 = std::path::Path::new("/sys/fs/cgroup/unified/cgroup.procs").exists();
                v2 && Need::CgroupV1.try_it()
            }
            Need::Program(name, _) => works(&["sh", "-c", &format!("command -v {name}")]),
            Need::LoopDevice => space::is_root() && works(&["losetup", "--find"]),
            Need::Btf => std::fs::File::open("/sys/kernel/btf/vmlinux").is_ok(),
            Need::FaultHook => space::fault_hook_works(),
            Need::KernelMemory => space::is_root() && kernel_memory_may_be_read(),
        }
    }
}

/// Whether a skipped test is a failed one.
pub fn strict() -> bool {
    std::env::var_os("MINIDOCKER_STRICT").is_some_and(|value| value == "1")
}

/// `skipped: NEED (how to get it)` for the first of `needs` that is lacking.
pub fn first_lacking(needs: &[Need]) -> Option<String> {
    let lacking = needs.iter().copied().find(|need| !is_met(*need))?;
    KNOWN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(lacking)
        .and_modify(|(_, skipped)| *skipped += 1);
    Some(format!("skipped: {} ({})", lacking.name(), lacking.remedy()))
}

/// Need → whether it is met, and how many tests were skipped for it.
static KNOWN: Mutex<BTreeMap<Need, (bool, usize)>> = Mutex::new(BTreeMap::new());

/// Whether the machine has it, found out once.
pub fn is_met(need: Need) -> bool {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(need).or_insert_with(|| (need.try_it(), 0)).0
}

/// What was not tested within a test that went on, and how often.
static MISSED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Something that this test would have tested is not to be had here: counted, and told at the end. A failure if no skip
/// is allowed.
pub fn missed(what: &str) {
    assert!(!strict(), "not tested: {what}");
    *MISSED.lock().unwrap_or_else(PoisonError::into_inner).entry(what.to_owned()).or_insert(0) += 1;
}

/// Say at the end which needs were lacking, and how many tests were skipped for each.
#[allow(clippy::print_stdout, reason = "the last lines of a test run")]
pub fn report() {
    for (need, (_, skipped)) in KNOWN.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if *skipped > 0 {
            println!("skipped: {skipped} for want of {} ({})", need.name(), need.remedy());
        }
    }
    for (what, times) in MISSED.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("not tested, {times} times: {what}");
    }
}

/// Whether a command can be run and succeeds.
pub fn works(command: &[&str]) -> bool {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    process.status().is_ok_and(|status| status.success())
}

fn rootless_overlay_works() -> bool {
    let Ok(directory) = space::directory_for(Who::User) else { return false };
    // The kernel leaves a directory in w that nobody may enter, and so nobody remove.
    let script = "cd \"$1\" && mkdir l u w m && unshare --user --map-root-user --mount \
                  mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr overlay m \
                  && chmod 700 w/work";
    let path = directory.path().display().to_string();
    let mut command = space::as_person(Who::User);
    command.extend(["sh", "-c", script, "sh", &path].map(str::to_owned));
    works(&command.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Reading it by `/proc/kcore`, where that is there, asks for other rights than reading it by bpf(2); so this looks at
/// what the kernel would look at: which namespaces, and which lockdown.
fn kernel_memory_may_be_read() -> bool {
    let initial = |kind: &str, number: u64| {
        std::fs::read_link(format!("/proc/self/ns/{kind}"))
            .is_ok_and(|link| link.to_string_lossy() == format!("{kind}:[{number}]"))
    };
    let lockdown = std::fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    let here = initial("user", 0xEFFF_FFFD) && initial("pid", 0xEFFF_FFFC);
    here && Need::Btf.try_it() && !lockdown.contains("[confidentiality]")
}

fn masquerade_works() -> bool {
    let script = "PATH=$PATH:/usr/sbin:/sbin; printf '%s\\n' '*nat' '-A POSTROUTING -j MASQUERADE' COMMIT '*filter' \
                  '-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT' COMMIT | iptables-restore --noflush";
    works(&["unshare", "--net", "sh", "-c", script])
}

fn controller_is_writable(name: &str) -> bool {
    let Some((mount, _)) = space::cgroup_mount(name) else { return false };
    let probe = mount.join(format!("minidocker-probe-{}", std::process::id()));
    std::fs::create_dir(&probe).and_then(|()| std::fs::remove_dir(&probe)).is_ok()
}
