//! The floor: what a container runtime must ask of the kernel, and nothing else.
//!
//! ```text
//! floor [--times] LOWERDIR COMMAND [ARGUMENT]...
//! ```
//!
//! Runs COMMAND in a container whose root is an overlay over LOWERDIR (which must have `proc`, `sys` and `dev`), waits
//! for it, removes what it made and exits as the command did. It has the isolation of
//! `minidocker run --rm --network none --memory 256m --cpus 1 --pids-limit 100`, but reads no configuration, keeps no
//! state, checks no path and explains no error: no runtime can be faster by more than its luck. `benches/start.rs`
//! measures the real ones against it. `--times` writes to standard error what each part took.
//!
//! Two things are smaller than in a real runtime: the seccomp filter allows everything, and on cgroup version 2, where
//! device access is a BPF program, there is none.
//!
//! One file, read top to bottom: `main` is the parent's half, `container` the child's. The calls are the kernel's own,
//! see the page of each in section 2 of the manual. Needs root, Linux 5.10 (`volatile`) and x86_64 or aarch64.
#![allow(unsafe_code)] // bare system calls are the point
#![allow(clippy::print_stderr, clippy::undocumented_unsafe_blocks)] // a bench; every call takes plain, live pointers

use std::ffi::{CStr, CString, OsString};
use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

const MEMORY: &str = "268435456"; // 256 MiB
const CPU_QUOTA: &str = "100000"; // microseconds in a period of 100000: one CPU
const PIDS: &str = "100";
/// mknod of anything; null, zero, full, random, urandom, tty, ptmx and the pseudo terminals. One rule a write.
const DEVICES: [&str; 10] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

fn main() {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let times = arguments.first().is_some_and(|a| a == "--times");
    if times {
        arguments.remove(0);
    }
    if arguments.len() < 2 {
        fail("usage: floor [--times] LOWERDIR COMMAND [ARGUMENT]...");
    }
    let mut clock = Clock { on: times, last: Instant::now() };

    let name = format!("bench-floor-{}", std::process::id());
    let scratch = std::env::temp_dir().join(&name);
    let plan = Plan::new(&arguments, &scratch);
    for directory in ["upper", "work", "merged"] {
        fs::create_dir_all(scratch.join(directory)).unwrap_or_else(|e| fail(&format!("scratch: {e}")));
    }
    clock.lap("parent: scratch directories");
    let cgroups = Cgroups::make(&name);
    clock.lap("parent: make cgroups, set limits");

    let child = clone_into(cgroups.unified.as_ref().map(AsRawFd::as_raw_fd));
    if child == 0 {
        container(&plan, &cgroups, &mut clock);
    }
    clock.lap("parent: clone3");
    let mut status = 0;
    ask("wait4", unsafe { libc::wait4(child, &mut status, 0, null_mut()) });
    clock.lap("parent: wait4");

    cgroups.remove();
    clock.lap("parent: remove cgroups");
    remove_scratch(&scratch);
    clock.lap("parent: remove scratch directories");
    std::process::exit(match libc::WIFEXITED(status) {
        true => libc::WEXITSTATUS(status),
        false => 128 + libc::WTERMSIG(status),
    });
}

/// The child's half: PID 1 of its own PID and network namespace, still in the machine's mount namespace.
fn container(plan: &Plan, cgroups: &Cgroups, clock: &mut Clock) -> ! {
    clock.lap("child: born");
    cgroups.join();
    clock.lap("child: join v1 cgroups");
    // After the cgroups: the cgroup a process is in when it unshares becomes the root it sees.
    let spaces = libc::CLONE_NEWCGROUP | 0x80 | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNS;
    ask("unshare", unsafe { libc::unshare(spaces) });
    // CLONE_NEWTIME (0x80) takes hold at the execve, until which the offsets can be set.
    write_file(c"/proc/self/timens_offsets", &plan.time_offsets);
    mount(c"none", c"/", null(), libc::MS_REC | libc::MS_PRIVATE, null());
    clock.lap("child: unshare, private propagation");
    mount(c"overlay", &plan.merged, c"overlay".as_ptr(), 0, plan.overlay.as_ptr());
    clock.lap("child: mount overlay");
    enter_root(&plan.merged);
    clock.lap("child: pivot_root, proc, sys, detach the old root");
    make_dev();
    clock.lap("child: dev");
    mask();
    clock.lap("child: masked and read-only paths");
    loopback_up();
    ask("sethostname", unsafe { libc::sethostname(c"floor".as_ptr(), 5) });
    ask("setsid", unsafe { libc::setsid() });
    clock.lap("child: loopback, hostname, session");
    give_up_privileges();
    clock.lap("child: capabilities, no_new_privs, seccomp");
    let environment = [c"PATH=/usr/sbin:/usr/bin:/sbin:/bin".as_ptr(), null()];
    unsafe { libc::execve(plan.argv[0], plan.argv.as_ptr(), environment.as_ptr()) };
    ask("execve", -1);
    unreachable!();
}

/// What the child needs, put together before it is born.
struct Plan {
    merged: CString,
    overlay: CString,
    time_offsets: Vec<u8>,
    argv: Vec<*const libc::c_char>, // ends with a null; the strings are leaked
}

impl Plan {
    fn new(arguments: &[OsString], scratch: &Path) -> Plan {
        let lower = Path::new(&arguments[0]).display();
        let here = scratch.display();
        // `volatile`: no sync of the upper directory's file system at the unmount.
        let overlay = format!("lowerdir={lower},upperdir={here}/upper,workdir={here}/work,volatile");
        let mut argv: Vec<_> =
            arguments[1..].iter().map(|a| c_string(a.clone().into_vec()).into_raw() as *const _).collect();
        argv.push(null());
        Plan {
            merged: c_string(format!("{here}/merged")),
            overlay: c_string(overlay),
            time_offsets: format!(
                "monotonic -{} 0\nboottime -{} 0\n",
                seconds(libc::CLOCK_MONOTONIC),
                seconds(libc::CLOCK_BOOTTIME)
            )
            .into_bytes(),
            argv,
        }
    }
}

/// The container's cgroups: one directory on version 2, one in each mounted hierarchy on version 1 (and hybrid).
struct Cgroups {
    directories: Vec<PathBuf>,
    /// The `tasks` files to join by; none on version 2, where the child is born inside.
    tasks: Vec<CString>,
    unified: Option<fs::File>,
}

impl Cgroups {
    fn make(name: &str) -> Cgroups {
        let mut made = Cgroups { directories: Vec::new(), tasks: Vec::new(), unified: None };
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        for fields in mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()) {
            let directory = Path::new(fields[1]).join(name);
            match fields[2] {
                "cgroup" => {
                    make_v1(&directory, fields[3]);
                    made.tasks.push(c_string(format!("{}/tasks", directory.display())));
                    made.directories.push(directory);
                }
                // Beside version 1 the unified hierarchy has no controller of use: leave it.
                "cgroup2"
                    if Path::new(fields[1]).join("memory.stat").exists()
                        || !mounts.contains(" cgroup rw") =>
                {
                    make_v2(&directory);
                    made.unified = fs::File::open(&directory).ok();
                    made.directories.push(directory);
                }
                _ => {}
            }
        }
        made
    }

    /// By `tasks`, not `cgroup.procs`: moving a whole thread group waits for an RCU grace period, some milliseconds.
    fn join(&self) {
        for tasks in &self.tasks {
            write_file(tasks, b"0");
        }
    }

    fn remove(&self) {
        for directory in &self.directories {
            while fs::remove_dir(directory).is_err_and(|e| e.raw_os_error() == Some(libc::EBUSY)) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn make_v1(directory: &Path, options: &str) {
    make_directory(directory);
    let set = |file: &str, value: &str| {
        write_file(&c_string(format!("{}/{file}", directory.display())), value.as_bytes())
    };
    for option in options.split(',') {
        match option {
            "memory" => set("memory.limit_in_bytes", MEMORY),
            "cpu" => set("cpu.cfs_quota_us", CPU_QUOTA),
            "pids" => set("pids.max", PIDS),
            // Born empty, and nobody can join before they are filled.
            "cpuset" => ["cpuset.cpus", "cpuset.mems"].iter().for_each(|file| {
                let above = directory.with_file_name(file);
                set(file, fs::read_to_string(above).unwrap_or_default().trim());
            }),
            "devices" => {
                set("devices.deny", "a");
                let allow = fs::OpenOptions::new().write(true).open(directory.join("devices.allow"));
                let mut allow = allow.unwrap_or_else(|e| fail(&format!("devices.allow: {e}")));
                for rule in DEVICES {
                    allow.write_all(rule.as_bytes()).unwrap_or_else(|e| fail(&format!("devices.allow: {e}")));
                }
            }
            _ => {}
        }
    }
}

/// The controllers must be on in the root's `cgroup.subtree_control`, as systemd leaves them.
fn make_v2(directory: &Path) {
    make_directory(directory);
    let set = |file: &str, value: &str| {
        write_file(&c_string(format!("{}/{file}", directory.display())), value.as_bytes())
    };
    set("memory.max", MEMORY);
    set("cpu.max", CPU_QUOTA);
    set("pids.max", PIDS);
}

/// clone3(2) into new PID and network namespaces and, on version 2, into the cgroup.
fn clone_into(cgroup: Option<RawFd>) -> libc::pid_t {
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = (libc::CLONE_NEWPID | libc::CLONE_NEWNET) as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
    if let Some(cgroup) = cgroup {
        arguments.flags |= 0x2_0000_0000; // CLONE_INTO_CGROUP: libc's constant is too narrow
        arguments.cgroup = cgroup as u64;
    }
    let size = size_of::<libc::clone_args>();
    ask("clone3", unsafe { libc::syscall(libc::SYS_clone3, &arguments, size) } as i32)
}

/// Makes `merged` the root. With both arguments "." the old root is stacked upon the new one and detached from there.
fn enter_root(merged: &CStr) {
    ask("chdir", unsafe { libc::chdir(merged.as_ptr()) });
    ask("pivot_root", unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) } as i32);
    let hard = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    mount(c"proc", c"/proc", c"proc".as_ptr(), hard, null());
    mount(c"sysfs", c"/sys", c"sysfs".as_ptr(), hard | libc::MS_RDONLY, null());
    ask("umount2", unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) });
    ask("chdir", unsafe { libc::chdir(c"/".as_ptr()) });
}

fn make_dev() {
    let hard = libc::MS_NOSUID | libc::MS_NOEXEC;
    unsafe { libc::umask(0) };
    mount(c"tmpfs", c"/dev", c"tmpfs".as_ptr(), libc::MS_NOSUID, c"mode=755,size=65536k".as_ptr());
    let nodes = [(c"/dev/null", 1, 3), (c"/dev/zero", 1, 5), (c"/dev/full", 1, 7), (c"/dev/random", 1, 8)];
    for (path, major, minor) in nodes.into_iter().chain([(c"/dev/urandom", 1, 9), (c"/dev/tty", 5, 0)]) {
        ask("mknod", unsafe {
            libc::mknod(path.as_ptr(), libc::S_IFCHR | 0o666, libc::makedev(major, minor))
        });
    }
    for directory in [c"/dev/pts", c"/dev/shm", c"/dev/mqueue"] {
        ask("mkdir", unsafe { libc::mkdir(directory.as_ptr(), 0o755) });
    }
    mount(
        c"devpts",
        c"/dev/pts",
        c"devpts".as_ptr(),
        hard,
        c"newinstance,ptmxmode=0666,mode=620,gid=5".as_ptr(),
    );
    mount(c"shm", c"/dev/shm", c"tmpfs".as_ptr(), hard | libc::MS_NODEV, c"mode=1777,size=65536k".as_ptr());
    mount(c"mqueue", c"/dev/mqueue", c"mqueue".as_ptr(), hard | libc::MS_NODEV, null());
    let links =
        [(c"pts/ptmx", c"/dev/ptmx"), (c"/proc/self/fd", c"/dev/fd"), (c"/proc/self/fd/0", c"/dev/stdin")];
    for (to, from) in links.into_iter().chain([(c"fd/1", c"/dev/stdout"), (c"fd/2", c"/dev/stderr")]) {
        ask("symlink", unsafe { libc::symlink(to.as_ptr(), from.as_ptr()) });
    }
    unsafe { libc::umask(0o022) };
}

/// Docker's list. A path this kernel does not have needs no mask.
fn mask() {
    for file in
        [c"/proc/kcore", c"/proc/keys", c"/proc/latency_stats", c"/proc/timer_list", c"/proc/interrupts"]
    {
        mount_if_there(c"/dev/null", file, null(), libc::MS_BIND);
    }
    for directory in
        [c"/proc/acpi", c"/proc/asound", c"/proc/scsi", c"/sys/firmware", c"/sys/devices/virtual/powercap"]
    {
        mount_if_there(c"tmpfs", directory, c"tmpfs".as_ptr(), libc::MS_RDONLY);
    }
    let kept = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    for path in [c"/proc/bus", c"/proc/fs", c"/proc/irq", c"/proc/sys", c"/proc/sysrq-trigger"] {
        if mount_if_there(path, path, null(), libc::MS_BIND | libc::MS_REC) {
            mount(c"none", path, null(), libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | kept, null());
        }
    }
}

/// Removes the layer's directories by name, when COMMAND wrote nothing; a walk asks ten times as much.
fn remove_scratch(scratch: &Path) {
    // What overlayfs leaves in a work directory; `incompat/volatile/dirty` is how it marks that option.
    let _ = fs::remove_file(scratch.join("work/work/incompat/volatile/dirty"));
    let work = ["work/work/incompat/volatile", "work/work/incompat", "work/work", "work"];
    let empty =
        work.iter().chain(&["upper", "merged", ""]).all(|name| fs::remove_dir(scratch.join(name)).is_ok());
    if !empty {
        let _ = fs::remove_dir_all(scratch);
    }
}

/// `ip link set lo up`, by the interface requests of netdevice(7).
fn loopback_up() {
    let socket =
        ask("socket", unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) });
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    ask("ioctl", unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS, &request) });
    unsafe { libc::close(socket) };
}

/// Docker's fourteen capabilities kept, no way to gain more, a seccomp filter.
fn give_up_privileges() {
    const KEPT: u64 = 0xa804_25fb;
    for capability in 0..=40u64 {
        if KEPT >> capability & 1 == 0 {
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        }
    }
    let header = [0x2008_0522u32, 0]; // _LINUX_CAPABILITY_VERSION_3, this process
    let sets = [KEPT as u32, KEPT as u32, 0, 0, 0, 0]; // effective, permitted, inheritable: bits 0-31, then 32-63
    ask("capset", unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) } as i32);
    ask("prctl", unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) });
    let allow = [libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }]; // BPF_RET | BPF_K
    let program = libc::sock_fprog { len: 1, filter: allow.as_ptr().cast_mut() };
    ask("seccomp", unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &program) }
        as i32);
}

fn mount(
    source: &CStr,
    target: &CStr,
    kind: *const libc::c_char,
    flags: libc::c_ulong,
    data: *const libc::c_char,
) {
    let answer = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind, flags, data.cast()) };
    if answer < 0 {
        fail(&format!("mount {target:?}: {}", std::io::Error::last_os_error()));
    }
}

fn mount_if_there(source: &CStr, target: &CStr, kind: *const libc::c_char, flags: libc::c_ulong) -> bool {
    let answer = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind, flags, null()) };
    if answer < 0 && std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOENT) {
        ask("mount", -1);
    }
    answer == 0
}

fn make_directory(path: &Path) {
    fs::create_dir(path).unwrap_or_else(|e| fail(&format!("mkdir {}: {e}", path.display())));
}

fn write_file(path: &CStr, bytes: &[u8]) {
    let file = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if file < 0 || unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) } < 0 {
        fail(&format!("write {path:?}: {}", std::io::Error::last_os_error()));
    }
    unsafe { libc::close(file) };
}

fn seconds(clock: libc::clockid_t) -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(clock, &mut now) };
    now.tv_sec
}

fn c_string(bytes: impl Into<Vec<u8>>) -> CString {
    CString::new(bytes).unwrap_or_else(|_| fail("a null byte in an argument"))
}

/// The kernel's answer, or the end.
fn ask(call: &str, answer: i32) -> i32 {
    if answer < 0 {
        fail(&format!("{call}: {}", std::io::Error::last_os_error()));
    }
    answer
}

fn fail(why: &str) -> ! {
    eprintln!("floor: {why}");
    std::process::exit(125);
}

/// With `--times`, says what each part took.
struct Clock {
    on: bool,
    last: Instant,
}

impl Clock {
    fn lap(&mut self, part: &str) {
        if self.on {
            eprintln!("{:7} µs  {part}", self.last.elapsed().as_micros());
            self.last = Instant::now();
        }
    }
}
