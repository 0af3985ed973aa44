//! A request of the kernel, as data: its name and its real arguments.
//!
//! One variant a call, borrowed from the very values the request is made with. An observer can match on the
//! variant (that is how the equivalent shell command is found) or walk the arguments by name with
//! [`Call::arguments`] (that is how the C-like line and the JSON object are written).

use super::flags::Flags;
use super::netlink::Rtnetlink;
use std::ffi::CStr;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;

/// One request of the kernel.
#[derive(Debug, Clone, Copy)]
#[allow(
    missing_docs,
    reason = "each variant is the call of that name; its fields are the manual page's arguments"
)]
pub enum Call<'a> {
    // Processes.
    Clone3 { flags: Flags, cgroup: Option<&'a Path> },
    Unshare { flags: Flags },
    Setns { path: &'a Path, flags: Flags },
    Execve { path: &'a Path, argv: &'a [String], environment: &'a [String] },
    Waitid { pid: i32 },
    PidfdOpen { pid: i32 },
    PidfdSendSignal { pid: i32, signal: i32 },
    PollPidfd { pid: i32, timeout: Option<u64> },
    Kill { pid: i32, signal: i32 },
    Fork,
    Setsid,
    CloseRange { first: u32, on_exec: bool },
    Getrandom { length: usize },
    // Pipes and signals between runtime and init.
    Pipe2,
    ReadPipe,
    WritePipe { bytes: usize },
    Sigaction { signal: i32 },
    Sigprocmask { block: bool },
    Signalfd,
    Sigtimedwait,
    Poll,
    // Names and places.
    Sethostname { name: &'a str },
    Chdir { path: &'a Path },
    PivotRoot { new_root: &'a Path, put_old: &'a Path },
    // Mounts.
    Mount { source: &'a str, target: &'a Path, fstype: Option<&'a str>, flags: Flags, data: Option<&'a str> },
    Umount2 { target: &'a Path, flags: Flags },
    OpenTree { path: &'a Path, flags: Flags },
    MoveMount { from: &'a Path, target: &'a Path },
    MountSetattr { target: &'a Path, set: Flags, recursive: bool },
    // Files.
    Open { path: &'a Path, flags: Flags },
    Openat2 { root: &'a Path, path: &'a Path, flags: Flags },
    Dup2 { path: &'a Path, descriptor: i32 },
    Read { path: &'a Path },
    Write { path: &'a Path, contents: &'a str },
    WriteEach { path: &'a Path, lines: &'a [&'a str] },
    Mkdir { path: &'a Path, mode: u32 },
    Mknod { path: &'a Path, mode: u32, major: u32, minor: u32 },
    Symlink { target: &'a Path, link: &'a Path },
    Readlink { path: &'a Path },
    Stat { path: &'a Path },
    Access { path: &'a Path, executable: bool },
    Getdents { path: &'a Path },
    Rename { from: &'a Path, to: &'a Path },
    Unlink { path: &'a Path },
    Rmdir { path: &'a Path },
    Chmod { path: &'a Path, mode: u32 },
    Chown { path: &'a Path, uid: u32, gid: u32 },
    Fchown { descriptor: i32, uid: u32 },
    Copy { from: &'a Path, to: &'a Path },
    Flock { path: &'a Path, exclusive: bool, wait: bool },
    FcntlSetlk { path: &'a Path },
    FcntlGetlk { path: &'a Path },
    Umask { mode: u32 },
    Getxattr { path: &'a Path, name: &'a CStr },
    Setxattr { path: &'a Path, name: &'a CStr, value: &'a str },
    Removexattr { path: &'a Path, name: &'a CStr },
    // Identity and rights.
    Setgroups { groups: &'a [u32] },
    Setresgid { gid: u32 },
    Setresuid { uid: u32 },
    Capset { effective: u64, permitted: u64, inheritable: u64 },
    PrctlCapbsetDrop { capability: u32 },
    PrctlAmbientClear,
    PrctlNoNewPrivs,
    PrctlDumpable { dumpable: bool },
    PrctlPdeathsig { signal: i32 },
    Seccomp { instructions: usize },
    // Network, BPF, and the one command we run.
    NetlinkSocket,
    Rtnetlink(Rtnetlink<'a>),
    BpfProgLoad { instructions: usize },
    BpfProgAttach { cgroup: &'a Path },
    Command { program: &'a Path, arguments: &'a [&'a str], stdin: &'a str },
    Isatty { descriptor: i32 },
    // What only demos ask for.
    Other(&'a dyn Request),
}

/// A request that describes itself. A family of calls that only demos make stands whole in one file of `sys`, and
/// needs no variant of [`Call`]; nobody has to tell its calls apart.
pub trait Request: fmt::Debug {
    /// The name of the call in the manual pages.
    fn name(&self) -> &'static str;
    /// Give each argument, with its name, to `each`, in the order of the manual page.
    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>));
    /// Whether it only looks: see [`Call::only_looks`].
    fn only_looks(&self) -> bool {
        false
    }
}

/// One argument of a call.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub enum Value<'a> {
    Null,
    Number(i64),
    Octal(u32),
    Hexadecimal(u64),
    Flags(Flags),
    Text(&'a str),
    Path(&'a Path),
    Texts(&'a [String]),
    Strings(&'a [&'a str]),
    Numbers(&'a [u32]),
    Address(Ipv4Addr),
    Symbol(&'a str),
    /// Of an environment only the number of variables is shown: it may hold secrets.
    Environment(&'a [String]),
}

/// `call.name()` and `call.arguments()` from one table, so that neither can be forgotten for a new variant.
macro_rules! calls {
    ($($pattern:pat => $name:literal { $($argument:literal: $value:expr),* $(,)? })*) => {
        impl<'a> Call<'a> {
            /// The name of the call in the manual pages (section 2, or rtnetlink(7)).
            pub fn name(&self) -> &'static str {
                use Call::*;
                #[allow(unused_variables)]
                match *self {
                    $($pattern => $name,)*
                    Rtnetlink(request) => request.name(),
                    Other(request) => request.name(),
                }
            }

            /// Give each argument, with its name, to `each`, in the order of the manual page.
            pub fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
                use Call::*;
                use Value as V;
                match *self {
                    $($pattern => { $(each($argument, $value);)* })*
                    Rtnetlink(request) => request.arguments(each),
                    Other(request) => request.arguments(each),
                }
            }
        }
    };
}

calls! {
    Clone3 { flags, cgroup } => "clone3" { "flags": V::Flags(flags), "cgroup": cgroup.map_or(V::Null, V::Path) }
    Unshare { flags } => "unshare" { "flags": V::Flags(flags) }
    Setns { path, flags } => "setns" { "fd": V::Path(path), "nstype": V::Flags(flags) }
    Execve { path, argv, environment } => "execve" {
        "path": V::Path(path), "argv": V::Texts(argv), "environment": V::Environment(environment) }
    Waitid { pid } => "waitid" { "pid": V::Number(pid.into()) }
    PidfdOpen { pid } => "pidfd_open" { "pid": V::Number(pid.into()) }
    PidfdSendSignal { pid, signal } => "pidfd_send_signal" { "pid": V::Number(pid.into()), "signal": V::Number(signal.into()) }
    PollPidfd { pid, timeout } => "poll" {
        "pid": V::Number(pid.into()), "events": V::Symbol("POLLIN"), "timeout": V::Number(timeout.map_or(-1, |ms| ms as i64)) }
    Kill { pid, signal } => "kill" { "pid": V::Number(pid.into()), "signal": V::Number(signal.into()) }
    Fork => "fork" {}
    Setsid => "setsid" {}
    CloseRange { first, on_exec } => "close_range" {
        "first": V::Number(first.into()), "flags": V::Symbol(if on_exec { "CLOSE_RANGE_CLOEXEC" } else { "0" }) }
    Getrandom { length } => "getrandom" { "length": V::Number(length as i64) }
    Pipe2 => "pipe2" { "flags": V::Symbol("O_CLOEXEC") }
    ReadPipe => "read" { "fd": V::Symbol("pipe") }
    WritePipe { bytes } => "write" { "fd": V::Symbol("pipe"), "bytes": V::Number(bytes as i64) }
    Sigaction { signal } => "sigaction" { "signum": V::Number(signal.into()), "act": V::Symbol("SIG_DFL") }
    Sigprocmask { block } => "sigprocmask" { "how": V::Symbol(if block { "SIG_BLOCK" } else { "SIG_SETMASK" }) }
    Signalfd => "signalfd4" { "flags": V::Symbol("SFD_CLOEXEC") }
    Sigtimedwait => "rt_sigtimedwait" {}
    Poll => "poll" {}
    Sethostname { name } => "sethostname" { "name": V::Text(name), "len": V::Number(name.len() as i64) }
    Chdir { path } => "chdir" { "path": V::Path(path) }
    PivotRoot { new_root, put_old } => "pivot_root" { "new_root": V::Path(new_root), "put_old": V::Path(put_old) }
    Mount { source, target, fstype, flags, data } => "mount" {
        "source": V::Text(source), "target": V::Path(target), "filesystemtype": fstype.map_or(V::Null, V::Text),
        "mountflags": V::Flags(flags), "data": data.map_or(V::Null, V::Text) }
    Umount2 { target, flags } => "umount2" { "target": V::Path(target), "flags": V::Flags(flags) }
    OpenTree { path, flags } => "open_tree" { "path": V::Path(path), "flags": V::Flags(flags) }
    MoveMount { from, target } => "move_mount" { "from": V::Path(from), "to": V::Path(target) }
    MountSetattr { target, set, recursive } => "mount_setattr" {
        "path": V::Path(target), "flags": V::Symbol(if recursive { "AT_RECURSIVE" } else { "0" }), "attr_set": V::Flags(set) }
    Open { path, flags } => "open" { "path": V::Path(path), "flags": V::Flags(flags) }
    Openat2 { root, path, flags } => "openat2" {
        "root": V::Path(root), "path": V::Path(path), "flags": V::Flags(flags), "resolve": V::Symbol("RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS") }
    Dup2 { path, descriptor } => "dup2" { "oldfd": V::Path(path), "newfd": V::Number(descriptor.into()) }
    Read { path } => "read" { "path": V::Path(path) }
    Write { path, contents } => "write" { "path": V::Path(path), "contents": V::Text(contents) }
    WriteEach { path, lines } => "write" { "path": V::Path(path), "contents": V::Strings(lines) }
    Mkdir { path, mode } => "mkdir" { "path": V::Path(path), "mode": V::Octal(mode) }
    Mknod { path, mode, major, minor } => "mknod" {
        "path": V::Path(path), "mode": V::Octal(mode), "major": V::Number(major.into()), "minor": V::Number(minor.into()) }
    Symlink { target, link } => "symlink" { "target": V::Path(target), "linkpath": V::Path(link) }
    Readlink { path } => "readlink" { "path": V::Path(path) }
    Stat { path } => "stat" { "path": V::Path(path) }
    Access { path, executable } => "access" { "path": V::Path(path), "mode": V::Symbol(if executable { "X_OK" } else { "F_OK" }) }
    Getdents { path } => "getdents64" { "path": V::Path(path) }
    Rename { from, to } => "rename" { "from": V::Path(from), "to": V::Path(to) }
    Unlink { path } => "unlink" { "path": V::Path(path) }
    Rmdir { path } => "rmdir" { "path": V::Path(path) }
    Chmod { path, mode } => "chmod" { "path": V::Path(path), "mode": V::Octal(mode) }
    Chown { path, uid, gid } => "chown" { "path": V::Path(path), "uid": V::Number(uid.into()), "gid": V::Number(gid.into()) }
    Fchown { descriptor, uid } => "fchown" { "fd": V::Number(descriptor.into()), "uid": V::Number(uid.into()), "gid": V::Number(-1) }
    Copy { from, to } => "copy_file_range" { "from": V::Path(from), "to": V::Path(to) }
    Flock { path, exclusive, wait } => "flock" {
        "path": V::Path(path),
        "operation": V::Symbol(match (exclusive, wait) {
            (true, true) => "LOCK_EX", (true, false) => "LOCK_EX|LOCK_NB", (false, true) => "LOCK_SH", (false, false) => "LOCK_SH|LOCK_NB" }) }
    FcntlSetlk { path } => "fcntl" { "path": V::Path(path), "op": V::Symbol("F_SETLK"), "type": V::Symbol("F_WRLCK") }
    FcntlGetlk { path } => "fcntl" { "path": V::Path(path), "op": V::Symbol("F_GETLK"), "type": V::Symbol("F_WRLCK") }
    Umask { mode } => "umask" { "mask": V::Octal(mode) }
    Getxattr { path, name } => "getxattr" { "path": V::Path(path), "name": V::Text(name.to_str().unwrap_or_default()) }
    Setxattr { path, name, value } => "setxattr" {
        "path": V::Path(path), "name": V::Text(name.to_str().unwrap_or_default()), "value": V::Text(value) }
    Removexattr { path, name } => "removexattr" { "path": V::Path(path), "name": V::Text(name.to_str().unwrap_or_default()) }
    Setgroups { groups } => "setgroups" { "groups": V::Numbers(groups) }
    Setresgid { gid } => "setresgid" { "rgid": V::Number(gid.into()), "egid": V::Number(gid.into()), "sgid": V::Number(gid.into()) }
    Setresuid { uid } => "setresuid" { "ruid": V::Number(uid.into()), "euid": V::Number(uid.into()), "suid": V::Number(uid.into()) }
    Capset { effective, permitted, inheritable } => "capset" {
        "effective": V::Hexadecimal(effective), "permitted": V::Hexadecimal(permitted), "inheritable": V::Hexadecimal(inheritable) }
    PrctlCapbsetDrop { capability } => "prctl" { "option": V::Symbol("PR_CAPBSET_DROP"), "capability": V::Number(capability.into()) }
    PrctlAmbientClear => "prctl" { "option": V::Symbol("PR_CAP_AMBIENT"), "operation": V::Symbol("PR_CAP_AMBIENT_CLEAR_ALL") }
    PrctlNoNewPrivs => "prctl" { "option": V::Symbol("PR_SET_NO_NEW_PRIVS"), "value": V::Number(1) }
    PrctlDumpable { dumpable } => "prctl" { "option": V::Symbol("PR_SET_DUMPABLE"), "value": V::Number(dumpable.into()) }
    PrctlPdeathsig { signal } => "prctl" { "option": V::Symbol("PR_SET_PDEATHSIG"), "signal": V::Number(signal.into()) }
    Seccomp { instructions } => "seccomp" {
        "operation": V::Symbol("SECCOMP_SET_MODE_FILTER"), "flags": V::Number(0), "instructions": V::Number(instructions as i64) }
    NetlinkSocket => "socket" { "domain": V::Symbol("AF_NETLINK"), "type": V::Symbol("SOCK_RAW|SOCK_CLOEXEC"), "protocol": V::Symbol("NETLINK_ROUTE") }
    BpfProgLoad { instructions } => "bpf" {
        "cmd": V::Symbol("BPF_PROG_LOAD"), "type": V::Symbol("BPF_PROG_TYPE_CGROUP_DEVICE"), "instructions": V::Number(instructions as i64) }
    BpfProgAttach { cgroup } => "bpf" {
        "cmd": V::Symbol("BPF_PROG_ATTACH"), "cgroup": V::Path(cgroup), "type": V::Symbol("BPF_CGROUP_DEVICE") }
    Command { program, arguments, stdin } => "command" {
        "program": V::Path(program), "arguments": V::Strings(arguments), "stdin": V::Text(stdin) }
    Isatty { descriptor } => "isatty" { "fd": V::Number(descriptor.into()) }
}

impl Call<'_> {
    /// The arguments as strace(1) would write them: `"overlay", "/merged", MS_NODEV, NULL`.
    pub fn to_arguments(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_arguments(&mut text);
        text
    }

    /// The same, into any writer: an observer that must not allocate passes a fixed buffer.
    pub fn write_arguments(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut result = Ok(());
        let mut separator = "";
        self.arguments(&mut |_, value| {
            if result.is_ok() {
                result = match value {
                    Value::Text(text) if text.len() > LONG => {
                        write!(out, "{separator}{:?}…", beginning(text))
                    }
                    value => write!(out, "{separator}{value}"),
                };
            }
            separator = ", ";
        });
        result
    }

    /// Whether the request only looks: it changes nothing that outlives it or that another process could see.
    /// The explanation leaves these out; the trace has them all.
    pub fn only_looks(&self) -> bool {
        use Call::*;
        if let Other(request) = self {
            return request.only_looks();
        }
        matches!(
            self,
            Waitid { .. }
                | PidfdOpen { .. }
                | CloseRange { .. }
                | Getrandom { .. }
                | Pipe2
                | ReadPipe
                | WritePipe { .. }
                | Sigaction { .. }
                | Sigprocmask { .. }
                | Signalfd
                | Sigtimedwait
                | Poll
                | Open { .. }
                | Openat2 { .. }
                | Dup2 { .. }
                | Read { .. }
                | Readlink { .. }
                | Stat { .. }
                | Access { .. }
                | Getdents { .. }
                | Flock { .. }
                | FcntlSetlk { .. }
                | FcntlGetlk { .. }
                | Umask { .. }
                | Getxattr { .. }
                | NetlinkSocket
                | Isatty { .. }
                | Rtnetlink(
                    super::netlink::Rtnetlink::GetLink { .. } | super::netlink::Rtnetlink::DumpRoutes
                )
        )
    }
}

/// Bytes of a text beyond which only its beginning is written: it is the contents of a file.
const LONG: usize = 1024;

fn beginning(text: &str) -> &str {
    const SHOWN: usize = 40;
    let end = (0..=SHOWN).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Octal(mode) => write!(f, "0{mode:03o}"),
            Value::Hexadecimal(bits) => write!(f, "{bits:#x}"),
            Value::Flags(flags) => write!(f, "{flags}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Path(path) => write!(f, "{path:?}"),
            Value::Texts(texts) => f.debug_list().entries(texts.iter()).finish(),
            Value::Strings(texts) => f.debug_list().entries(texts.iter()).finish(),
            Value::Numbers(numbers) => f.debug_list().entries(numbers.iter()).finish(),
            Value::Address(address) => write!(f, "{address}"),
            Value::Symbol(symbol) => f.write_str(symbol),
            Value::Environment(variables) => write!(f, "/* {} variables */", variables.len()),
        }
    }
}
