//! What a start costs: the time from starting `minidocker run ... /bin/true` to its exit, with everything on, against
//! other runtimes given the same isolation and against the floor (`benches/floor.rs`), all in one run.
//!
//! ```text
//! cargo bench --bench start -- [--rounds 30] [--gap-ms 60] [--scratch DIR] [--only NAME,NAME] [--minidocker PATH]
//! ```
//!
//! Rounds are interleaved (A B C D, A B C D, ...) with an idle gap before each start, for a busy loop hides what an idle
//! kernel makes one wait for, such as RCU grace periods. Compare the ratios, not the milliseconds. Where `strace` is
//! installed the system calls of one start are counted too: counts are steadier than times.
//!
//! crun, runc and bwrap lay no overlay: this program mounts it before and unmounts it after them, inside the measured
//! time. Where a runtime refuses the whole isolation, the next best is tried, and the table says what was left out.
//!
//! Needs root. Works in a mount namespace of its own; what else it makes is named `bench-...` and removed, at the latest by
//! the next run.
#![allow(unsafe_code)] // setns, mount and umount2 for the runtimes that do not mount an overlay
#![allow(clippy::print_stdout, clippy::print_stderr)] // its purpose

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// System calls of one `minidocker run`, all its processes together; more is a step back.
const MOST_CALLS: u64 = 350;
/// Programs executed: minidocker, perhaps itself once again, the command.
const MOST_EXECS: u64 = 3;

fn main() {
    let options = Options::parse();
    // SAFETY: asks for a number.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: start needs root (sudo -E cargo bench --bench start)");
        return;
    }
    if let Err(why) = bench(&options) {
        eprintln!("start: {why}");
        std::process::exit(1);
    }
}

fn bench(options: &Options) -> io::Result<()> {
    let native = own_mount_namespace()?;
    sweep(&options.scratch);
    let scratch = Scratch::new(&options.scratch)?;
    let layouts = Layouts::new(native)?;
    layouts.enter(Layout::AsIs)?;
    print_machine(&scratch.0);

    let mut entrants = Vec::new();
    for name in ["floor", "minidocker", "crun", "runc", "bwrap"] {
        if options.only.as_ref().is_some_and(|only| !only.iter().any(|o| o == name)) {
            continue;
        }
        match find_variant(name, options, &scratch, &layouts) {
            Ok(entrant) => entrants.push(entrant),
            Err(why) => println!("  {name:<11}{why}"),
        }
    }
    for _ in 0..options.rounds {
        for entrant in &mut entrants {
            std::thread::sleep(options.gap);
            let took = entrant.start(&layouts)?;
            entrant.times.push(took);
        }
    }
    for entrant in &mut entrants {
        entrant.count(&layouts, &scratch.0);
        entrant.times.sort();
    }
    layouts.enter(Layout::AsIs)?;
    print_table(&entrants);
    Ok(())
}

struct Options {
    rounds: usize,
    gap: Duration,
    scratch: PathBuf,
    only: Option<Vec<String>>,
    minidocker: PathBuf,
}

impl Options {
    fn parse() -> Options {
        let mut options = Options {
            rounds: 30,
            gap: Duration::from_millis(60),
            scratch: std::env::temp_dir(),
            only: None,
            minidocker: PathBuf::from(env!("CARGO_BIN_EXE_minidocker")),
        };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench"); // cargo's own
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_else(|| usage());
            match word.as_str() {
                "--rounds" => options.rounds = value.parse().unwrap_or_else(|_| usage()),
                "--gap-ms" => options.gap = Duration::from_millis(value.parse().unwrap_or_else(|_| usage())),
                "--scratch" => options.scratch = PathBuf::from(value),
                "--only" => options.only = Some(value.split(',').map(String::from).collect()),
                "--minidocker" => options.minidocker = PathBuf::from(value),
                _ => usage(),
            }
        }
        options.rounds = options.rounds.max(1);
        options
    }
}

fn usage() -> ! {
    eprintln!(
        "usage: start [--rounds N] [--gap-ms N] [--scratch DIR] [--only NAME,NAME] [--minidocker PATH]"
    );
    std::process::exit(2);
}

// ---- the entrants ----

/// One way to start `/bin/true` in a container.
struct Entrant {
    name: &'static str,
    command: Vec<String>,
    environment: Vec<(String, PathBuf)>,
    /// A file for standard input: bwrap's seccomp filter.
    input: Option<PathBuf>,
    overlay: Option<Overlay>,
    layout: Layout,
    /// What was left out of the isolation, or is otherwise not equal.
    remarks: Vec<String>,
    times: Vec<Duration>,
    calls: Option<(u64, u64)>,
    cgroup_procs: Option<usize>,
}

impl Entrant {
    fn new(name: &'static str, command: Vec<String>) -> Entrant {
        Entrant {
            name,
            command,
            environment: Vec::new(),
            input: None,
            overlay: None,
            layout: Layout::AsIs,
            remarks: Vec::new(),
            times: Vec::new(),
            calls: None,
            cgroup_procs: None,
        }
    }

    /// Starts it once; the time from before the overlay and the fork to after the exit and the removal of the overlay.
    fn start(&self, layouts: &Layouts) -> io::Result<Duration> {
        layouts.enter(self.layout)?;
        let mut command = self.command_line(&[])?;
        command.stderr(Stdio::null());
        let begin = Instant::now();
        let status = self.run(&mut command)?;
        let took = begin.elapsed();
        match status.success() {
            true => Ok(took),
            false => Err(io::Error::other(format!("{} failed in mid-measurement: {status}", self.name))),
        }
    }

    /// Whether it works at all; if not, the first line it wrote to standard error.
    fn try_out(&self, layouts: &Layouts, scratch: &Path) -> Result<(), String> {
        layouts.enter(self.layout).map_err(|e| e.to_string())?;
        let log = scratch.join("stderr");
        let attempt = || -> io::Result<_> {
            let mut command = self.command_line(&[])?;
            command.stderr(File::create(&log)?);
            self.run(&mut command)
        };
        match attempt() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let text = fs::read_to_string(&log).unwrap_or_default();
                Err(text.lines().next().map_or(status.to_string(), String::from))
            }
            Err(e) => Err(e.to_string()),
        }
    }

    fn run(&self, command: &mut Command) -> io::Result<std::process::ExitStatus> {
        if let Some(overlay) = &self.overlay {
            overlay.mount()?;
        }
        let status = command.status();
        if let Some(overlay) = &self.overlay {
            overlay.remove()?;
        }
        status
    }

    fn command_line(&self, before: &[&str]) -> io::Result<Command> {
        let mut words = before.iter().copied().chain(self.command.iter().map(String::as_str));
        let mut command = Command::new(words.next().unwrap_or_default());
        // Not cargo's environment: its LD_LIBRARY_PATH sends the dynamic loader looking in vain.
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(words).env_clear().env("PATH", path).envs(self.environment.iter().map(|(n, v)| (n, v)));
        command.stdout(Stdio::null());
        command
            .stdin(self.input.as_ref().map_or(Ok(Stdio::null()), |path| File::open(path).map(Stdio::from))?);
        Ok(command)
    }

    /// Counts system calls and execs of one start, and how often a `cgroup.procs` was opened for writing.
    fn count(&mut self, layouts: &Layouts, scratch: &Path) {
        let log = scratch.join("strace");
        let path = log.display().to_string();
        let trace = |filter: &[&str]| -> Option<String> {
            layouts.enter(self.layout).ok()?;
            let before = [&["strace", "-f", "-qq", "-o", &path], filter].concat();
            let status = self.run(self.command_line(&before).ok()?.stderr(Stdio::null())).ok()?;
            status.success().then(|| fs::read_to_string(&log).unwrap_or_default())
        };
        let summary = trace(&["-c"]);
        let opened = trace(&["-e", "trace=openat,openat2"]);
        // Columns: % time, seconds, usecs/call, calls, [errors,] system call.
        let row = |name: &str| -> Option<u64> {
            let line = summary.as_ref()?.lines().find(|line| line.split_whitespace().last() == Some(name))?;
            line.split_whitespace().nth(3)?.parse().ok()
        };
        self.calls = row("total").map(|total| (total, row("execve").unwrap_or(0)));
        let writes = |line: &&str| {
            line.contains("cgroup.procs") && (line.contains("O_WRONLY") || line.contains("O_RDWR"))
        };
        self.cgroup_procs = opened.map(|text| text.lines().filter(writes).count());
    }
}

/// How much of the isolation to ask for: the whole first, then what a runtime may refuse.
#[derive(Clone, Copy)]
struct Variant {
    layout: Layout,
    cgroups: bool,
    time: bool,
}

/// The first variant that works, with remarks on what it lacks.
fn find_variant(
    name: &'static str,
    options: &Options,
    scratch: &Scratch,
    layouts: &Layouts,
) -> Result<Entrant, String> {
    let mut refusals: Vec<String> = Vec::new();
    for cgroups in [true, false] {
        for layout in layouts.available() {
            for time in [true, false] {
                let variant = Variant { layout, cgroups, time };
                let mut entrant = match name {
                    "floor" => floor(scratch)?,
                    "minidocker" => minidocker(options, scratch),
                    "crun" | "runc" => oci_runtime(name, scratch, variant)?,
                    _ => bwrap(scratch)?,
                };
                entrant.layout = layout;
                match entrant.try_out(layouts, &scratch.0) {
                    Ok(()) => {
                        entrant.remark_on(variant, refusals);
                        return Ok(entrant);
                    }
                    Err(why) if !matches!(name, "crun" | "runc") => return Err(format!("failed: {why}")),
                    Err(why) if refusals.contains(&why) => {}
                    Err(why) => refusals.push(why),
                }
            }
        }
    }
    Err(format!("failed: {}", refusals.join(" / ")))
}

impl Entrant {
    fn remark_on(&mut self, variant: Variant, refusals: Vec<String>) {
        let oci = matches!(self.name, "crun" | "runc");
        if oci && !variant.time {
            self.remarks.push("no time namespace".into());
        }
        if variant.layout == Layout::PureV1 {
            self.remarks.push("cgroup2 mount hidden from it".into());
        }
        if oci && !variant.cgroups {
            self.remarks.push("no cgroup, no limits".into());
        }
        self.remarks.extend(refusals.into_iter().map(|why| format!("refused before: {why}")));
    }
}

fn floor(scratch: &Scratch) -> Result<Entrant, String> {
    // Beside this program's own directory: target/PROFILE/deps/start-... and target/PROFILE/examples/floor.
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let path = own.with_file_name("../examples/floor");
    if !path.exists() {
        return Err("not built: cargo build --release --example floor".into());
    }
    let words = [text(&path), text(&scratch.join("lower")), "/bin/true".into()];
    let mut entrant = Entrant::new("floor", words.to_vec());
    entrant.environment.push(("TMPDIR".into(), scratch.0.clone()));
    Ok(entrant)
}

fn minidocker(options: &Options, scratch: &Scratch) -> Entrant {
    let mut words = vec![text(&options.minidocker)];
    let flags = "run --rm --network none --memory 256m --cpus 1 --pids-limit 100 base /bin/true";
    words.extend(flags.split(' ').map(String::from));
    let mut entrant = Entrant::new("minidocker", words);
    entrant.environment.push(("MINIDOCKER_ROOT".into(), scratch.join("minidocker")));
    entrant
}

fn oci_runtime(name: &'static str, scratch: &Scratch, variant: Variant) -> Result<Entrant, String> {
    let path = installed(name)?;
    let bundle = scratch.join(name);
    let overlay = Overlay::new(scratch, &bundle.join("rootfs")).map_err(|e| e.to_string())?;
    let id = format!("bench-{name}-{}", std::process::id());
    let config = oci_config(&id, variant);
    fs::write(bundle.join("config.json"), config.to_string()).map_err(|e| e.to_string())?;

    let mut words = vec![path, "--root".into(), text(&bundle.join("state"))];
    if name == "crun" && !variant.cgroups {
        words.push("--cgroup-manager=disabled".into());
    }
    words.extend(["run".into(), "--bundle".into(), text(&bundle), id]);
    let mut entrant = Entrant::new(name, words);
    entrant.overlay = Some(overlay);
    Ok(entrant)
}

fn bwrap(scratch: &Scratch) -> Result<Entrant, String> {
    let path = installed("bwrap")?;
    let home = scratch.join("bwrap");
    let overlay = Overlay::new(scratch, &home.join("rootfs")).map_err(|e| e.to_string())?;
    let filter = home.join("filter");
    fs::write(&filter, seccomp_program()).map_err(|e| e.to_string())?;

    let mut words = vec![path];
    let mut add = |line: &str| words.extend(line.split(' ').map(String::from));
    add(
        "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup --hostname bench --as-pid-1 --new-session",
    );
    add(&format!(
        "--bind {} / --proc /proc --dev /dev --tmpfs /dev/shm --mqueue /dev/mqueue --ro-bind /sys /sys",
        text(&overlay.merged)
    ));
    for path in MASKED.split_whitespace().filter(|path| Path::new(path).exists()) {
        match Path::new(path).is_dir() {
            true => add(&format!("--tmpfs {path} --remount-ro {path}")),
            false => add(&format!("--ro-bind /dev/null {path}")),
        }
    }
    for path in READ_ONLY.split_whitespace().filter(|path| Path::new(path).exists()) {
        add(&format!("--ro-bind {path} {path}"));
    }
    add("--cap-drop ALL");
    CAPABILITIES.split_whitespace().for_each(|capability| add(&format!("--cap-add {capability}")));
    add("--seccomp 0 -- /bin/true"); // the filter is on standard input

    let mut entrant = Entrant::new("bwrap", words);
    entrant.overlay = Some(overlay);
    entrant.input = Some(filter);
    entrant.remarks.push(
        "no cgroup, no limits, no time namespace; device nodes and /sys are the machine's own, bound".into(),
    );
    Ok(entrant)
}

/// The path of an installed program, or the line that stands in the table instead.
fn installed(name: &str) -> Result<String, String> {
    let package = if name == "bwrap" { "bubblewrap" } else { name };
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .map(|path| text(&path))
        .ok_or_else(|| format!("not installed: apt install {package}"))
}

// ---- the isolation, as an OCI runtime is told it ----

const CAPABILITIES: &str = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID \
    CAP_SETFCAP CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE";
const MASKED: &str = "/proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/interrupts /proc/acpi /proc/asound \
    /proc/scsi /sys/firmware /sys/devices/virtual/powercap";
const READ_ONLY: &str = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger";
/// What Docker's profile refuses a container without CAP_SYS_ADMIN. A list of what is refused is shorter than one of what
/// is allowed, and so kinder to a runtime that compiles it at each start.
const REFUSED: &str = "acct add_key bpf clock_adjtime clock_settime create_module delete_module fanotify_init finit_module \
    fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load \
    keyctl lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at \
    open_tree perf_event_open personality pivot_root process_vm_readv process_vm_writev ptrace query_module quotactl \
    quotactl_fd reboot request_key set_mempolicy setdomainname sethostname setns settimeofday stime swapoff swapon _sysctl \
    sysfs umount umount2 unshare uselib userfaultfd ustat vhangup";

fn oci_config(id: &str, variant: Variant) -> Value {
    let mut namespaces = vec!["pid", "network", "ipc", "uts", "mount", "cgroup"];
    if variant.time {
        namespaces.push("time");
    }
    let namespaces: Vec<_> = namespaces.iter().map(|kind| json!({ "type": kind })).collect();
    let capabilities = list(CAPABILITIES);
    let mut linux = json!({
        "namespaces": namespaces,
        "maskedPaths": list(MASKED),
        "readonlyPaths": list(READ_ONLY),
        "seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{ "names": list(REFUSED), "action": "SCMP_ACT_ERRNO" }],
        },
    });
    if variant.cgroups {
        linux["cgroupsPath"] = json!(format!("/{id}"));
        linux["resources"] = json!({
            "memory": { "limit": 256 << 20 },
            "cpu": { "quota": 100_000, "period": 100_000 },
            "pids": { "limit": 100 },
            "devices": [{ "allow": false, "access": "rwm" }],
        });
    }
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["/bin/true"],
            "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs" },
        "hostname": "bench",
        "mounts": oci_mounts(),
        "linux": linux,
    })
}

fn oci_mounts() -> Value {
    let mount = |at: &str, kind: &str, options: &str| json!({ "destination": at, "type": kind, "source": kind, "options": options.split(',').collect::<Vec<_>>() });
    json!([
        mount("/proc", "proc", "nosuid,noexec,nodev"),
        mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
        mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
        mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"),
        mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
        mount("/sys", "sysfs", "nosuid,noexec,nodev,ro"),
    ])
}

fn list(words: &str) -> Vec<&str> {
    words.split_whitespace().collect()
}

/// bwrap takes a filter already compiled: one instruction, allow.
fn seccomp_program() -> [u8; 8] {
    let [a, b, c, d] = 0x7fff_0000u32.to_ne_bytes(); // SECCOMP_RET_ALLOW
    [0x06, 0, 0, 0, a, b, c, d] // BPF_RET | BPF_K
}

// ---- what the entrants stand on ----

/// The overlay that is mounted for a runtime which does not mount its own.
struct Overlay {
    home: PathBuf,
    merged: PathBuf,
    options: CString,
}

impl Overlay {
    fn new(scratch: &Scratch, merged: &Path) -> io::Result<Overlay> {
        fs::create_dir_all(merged)?;
        let home = scratch.join("layers");
        let (lower, upper, work) = (scratch.join("lower"), home.join("upper"), home.join("work"));
        let options =
            format!("lowerdir={},upperdir={},workdir={},volatile", text(&lower), text(&upper), text(&work));
        Ok(Overlay { home, merged: merged.into(), options: CString::new(options)? })
    }

    fn mount(&self) -> io::Result<()> {
        for directory in ["upper", "work"] {
            fs::create_dir_all(self.home.join(directory))?;
        }
        let (kind, target) = (c"overlay".as_ptr(), CString::new(text(&self.merged))?);
        // SAFETY: the strings outlive the call.
        answer(unsafe { libc::mount(kind, target.as_ptr(), kind, 0, self.options.as_ptr().cast()) })
    }

    fn remove(&self) -> io::Result<()> {
        let target = CString::new(text(&self.merged))?;
        // SAFETY: the string outlives the call.
        answer(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) })?;
        fs::remove_dir_all(&self.home)
    }
}

/// How the cgroup file systems look to an entrant.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    AsIs,
    /// Of a hybrid layout only the version 1 hierarchies.
    PureV1,
}

/// The mount namespaces in which the layouts are to be seen.
struct Layouts {
    as_is: File,
    pure_v1: Option<File>,
}

impl Layouts {
    fn new(as_is: File) -> io::Result<Layouts> {
        let layouts = Layouts { as_is, pure_v1: None };
        let Some(unified) = hybrid_mount() else { return Ok(layouts) };
        let pure_v1 = own_mount_namespace()?;
        let target = CString::new(unified)?;
        // SAFETY: the string outlives the call.
        answer(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) })?;
        Ok(Layouts { pure_v1: Some(pure_v1), ..layouts })
    }

    fn available(&self) -> Vec<Layout> {
        match self.pure_v1 {
            Some(_) => vec![Layout::AsIs, Layout::PureV1],
            None => vec![Layout::AsIs],
        }
    }

    fn enter(&self, layout: Layout) -> io::Result<()> {
        let namespace = match (layout, &self.pure_v1) {
            (Layout::PureV1, Some(pure_v1)) => pure_v1,
            _ => &self.as_is,
        };
        // SAFETY: the descriptor is open, this process has one thread.
        answer(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNS) })
    }
}

/// Moves this process into a private copy of its mount namespace, so that no mount is left when it dies.
fn own_mount_namespace() -> io::Result<File> {
    // SAFETY: no memory is involved.
    answer(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let (none, flags) = (c"none".as_ptr(), libc::MS_REC | libc::MS_PRIVATE);
    // SAFETY: the strings are constants, null pointers stand for what is not given.
    answer(unsafe { libc::mount(none, c"/".as_ptr(), std::ptr::null(), flags, std::ptr::null()) })?;
    File::open("/proc/self/ns/mnt")
}

/// Where cgroup2 is mounted beside version 1 hierarchies.
fn hybrid_mount() -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let rows: Vec<Vec<&str>> = mounts.lines().map(|line| line.split(' ').collect()).collect();
    rows.iter().find(|row| row[2] == "cgroup")?;
    rows.iter().find(|row| row[2] == "cgroup2").map(|row| row[1].to_string())
}

/// The directory for everything the bench makes; removed with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(parent: &Path) -> io::Result<Scratch> {
        let scratch = Scratch(parent.join(format!("bench-start-{}", std::process::id())));
        let lower = scratch.join("lower");
        for directory in ["proc", "sys", "dev", "etc", "tmp", "usr/bin"] {
            fs::create_dir_all(lower.join(directory))?;
        }
        std::os::unix::fs::symlink("usr/bin", lower.join("bin"))?;
        fs::copy("/bin/true", lower.join("usr/bin/true"))?;
        // Lines such as `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)`; none for a static program.
        let libraries = Command::new("ldd").arg("/bin/true").output()?.stdout;
        for word in
            String::from_utf8_lossy(&libraries).split_whitespace().filter(|word| word.starts_with('/'))
        {
            let copy = lower.join(&word[1..]);
            fs::create_dir_all(copy.parent().unwrap_or(&lower))?;
            fs::copy(word, copy)?;
        }
        Ok(scratch)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        remove_cgroups(&|owner| owner == std::process::id());
    }
}

/// Removes what benches left that were killed: scratch directories and cgroups named `bench-NAME-PID` of no living PID.
fn sweep(parent: &Path) {
    let gone = |owner: u32| !Path::new(&format!("/proc/{owner}")).exists();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if owner(&entry.file_name().to_string_lossy()).is_some_and(gone) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    remove_cgroups(&gone);
}

fn remove_cgroups(of: &dyn Fn(u32) -> bool) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    for row in mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|row| row[2].starts_with("cgroup"))
    {
        for entry in fs::read_dir(row[1]).into_iter().flatten().flatten() {
            if owner(&entry.file_name().to_string_lossy()).is_some_and(of) {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// The PID in `bench-NAME-PID`.
fn owner(name: &str) -> Option<u32> {
    let (_, pid) = name.strip_prefix("bench-")?.rsplit_once('-')?;
    pid.parse().ok()
}

// ---- what is printed ----

fn print_machine(scratch: &Path) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_string();
    let mounts = read("/proc/self/mounts");
    let controllers = mounts.lines().filter(|line| line.split(' ').nth(2) == Some("cgroup")).count();
    let cgroups = match (controllers, mounts.contains(" cgroup2 ")) {
        (0, _) => "version 2".to_string(),
        (n, true) => format!("hybrid: {n} version 1 hierarchies and cgroup2"),
        (n, false) => format!("version 1: {n} hierarchies"),
    };
    let cpus = std::thread::available_parallelism().map_or(0, |n| n.get());
    println!("Linux {}, {cpus} CPUs, load {}", read("/proc/sys/kernel/osrelease"), read("/proc/loadavg"));
    println!("cgroups: {cgroups}; upper directories on {}\n", file_system(scratch, &mounts));
}

/// The type of the file system a directory is on: of the mount points above it the longest, and of those the last.
fn file_system(directory: &Path, mounts: &str) -> String {
    let rows = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    rows.filter(|row| directory.starts_with(row[1]))
        .max_by_key(|row| row[1].len())
        .map_or("?".into(), |row| row[2].into())
}

fn print_table(entrants: &[Entrant]) {
    let median_of = |name: &str| entrants.iter().find(|e| e.name == name).map(|e| e.quantile(0.5));
    let (floor, crun) = (median_of("floor"), median_of("crun"));
    let ratio = |time: f64, of: Option<f64>| of.map_or("-".into(), |of| format!("{:.2}", time / of));
    let number = |n: Option<u64>| n.map_or("-".into(), |n| n.to_string());
    println!(
        "\n  {:<11}{:>9}{:>9}{:>9}{:>8}{:>8}{:>7}",
        "", "median", "p90", "/ floor", "/ crun", "calls", "execs"
    );
    for entrant in entrants {
        let (median, p90) = (entrant.quantile(0.5), entrant.quantile(0.9));
        println!(
            "  {:<11}{median:>6.1} ms{p90:>6.1} ms{:>9}{:>8}{:>8}{:>7}",
            entrant.name,
            ratio(median, floor),
            ratio(median, crun),
            number(entrant.calls.map(|c| c.0)),
            number(entrant.calls.map(|c| c.1)),
        );
    }
    println!();
    for entrant in entrants {
        let overlay =
            entrant.overlay.as_ref().map(|_| "overlay mounted and removed by the bench".to_string());
        let remarks: Vec<_> = overlay.into_iter().chain(entrant.remarks.iter().cloned()).collect();
        if !remarks.is_empty() {
            println!("  {}: {}", entrant.name, remarks.join("; "));
        }
        if let Some(opened) = entrant.cgroup_procs.filter(|&n| n > 0) {
            println!("  {}: opened cgroup.procs {opened} times for writing", entrant.name);
        }
    }
    print_gates(entrants);
}

/// Whether minidocker keeps to its counts.
fn print_gates(entrants: &[Entrant]) {
    let Some(ours) = entrants.iter().find(|entrant| entrant.name == "minidocker") else { return };
    let Some((calls, execs)) = ours.calls else {
        println!("  counts: not taken (apt install strace)");
        return;
    };
    let kept = calls <= MOST_CALLS && execs <= MOST_EXECS && ours.cgroup_procs == Some(0);
    let verdict = if kept { "kept" } else { "NOT KEPT" };
    println!(
        "  counts: at most {MOST_CALLS} calls, {MOST_EXECS} execs, no cgroup.procs opened for writing: {verdict}"
    );
}

impl Entrant {
    /// Milliseconds; `times` is sorted.
    fn quantile(&self, of: f64) -> f64 {
        let at = (self.times.len() as f64 * of) as usize;
        self.times[at.min(self.times.len() - 1)].as_secs_f64() * 1000.0
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn answer(result: libc::c_int) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
