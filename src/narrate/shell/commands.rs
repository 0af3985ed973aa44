//! The shell command that each call is, in one exhaustive match.

use super::mounts::{self, Trees};
use super::quote::{here_document, path, word, write};
use super::rights::{self, Rights};
use crate::narrate::evidence::namespaces;
use crate::sys::flags::{self, Flags};
use crate::sys::netlink::{Netns, Rtnetlink};
use crate::sys::{Answer, Call};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a call is in a script.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing: it only looks, or concerns this program and not the container.
    Nothing,
    /// Commands, one a line.
    Commands(String),
    /// No command does this; why.
    Remark(String),
    /// An earlier unshare(1) has done this already; what it was.
    Covered(String),
    /// The rest of the script runs in a shell that this command starts, with a mark for its here-document.
    Within(String, String),
    /// The last command, after which every here-document is closed.
    Last(String),
}

/// A call that no command makes.
fn remark(call: &Call<'_>) -> Said {
    Said::Remark(format!("{}({})", call.name(), call.to_arguments()))
}

/// What earlier calls mean for later ones.
#[derive(Debug, Default)]
pub struct Scene {
    trees: Trees,
    rights: Rights,
    /// The paths that open descriptors stand for.
    descriptors: HashMap<i32, PathBuf>,
    /// The names of links by their index.
    links: HashMap<u32, String>,
    /// The container's first process, and what the script calls it.
    pub init: Option<i32>,
    /// unshare(CLONE_NEWTIME) was asked and its offsets not yet written.
    time: bool,
    /// Standard input was replaced by `/dev/null`.
    no_stdin: bool,
    /// The command will be a child of pid 1.
    pub forked: bool,
}

impl Scene {
    /// What a call that was answered with success is in a script.
    pub fn say(&mut self, call: &Call<'_>, answer: &Answer<'_>) -> Said {
        use Call::*;
        if self.rights.take(call) {
            return Said::Nothing;
        }
        match *call {
            Clone3 { .. } | Fork | Execve { .. } => Said::Nothing,
            Unshare { flags } => self.unshare(flags),
            Setns { path, flags } => setns(path, flags),
            Sethostname { name } => Said::Commands(format!("hostname {}", word(name))),
            PivotRoot { .. }
            | Mount { .. }
            | Umount2 { .. }
            | OpenTree { .. }
            | MoveMount { .. }
            | MountSetattr { .. } => self.mounts(call).map_or(Said::Nothing, Said::Commands),
            Open { path, flags } => self.open(path, flags, answer),
            Dup2 { path, descriptor } => self.dup2(path, descriptor),
            Openat2 { root, path, .. } => self.opened(below(root, path), answer),
            Write { path, contents } => self.write(path, contents),
            Chdir { .. }
            | WriteEach { .. }
            | Mkdir { .. }
            | Mknod { .. }
            | Symlink { .. }
            | Rename { .. }
            | Unlink { .. }
            | Rmdir { .. }
            | Chmod { .. }
            | Chown { .. }
            | Fchown { .. }
            | Copy { .. }
            | Umask { .. } => file(call).map_or(Said::Nothing, Said::Commands),
            Rtnetlink(request) => self.network(request),
            Command { program, arguments, stdin } => command(program, arguments, stdin, answer),
            Other(_) | Seccomp { .. } | BpfProgLoad { .. } | BpfProgAttach { .. } => remark(call),
            Setsid | PrctlPdeathsig { .. } => remark(call),
            Setgroups { .. }
            | Setresgid { .. }
            | Setresuid { .. }
            | Capset { .. }
            | PrctlCapbsetDrop { .. }
            | PrctlAmbientClear
            | PrctlNoNewPrivs => Said::Nothing, // Taken by `rights` above.
            Getxattr { .. } | Setxattr { .. } | Removexattr { .. } => Said::Nothing, // minidocker's own note.
            // A script has its own way to wait, to pass signals on and to end.
            Pipe2 | ReadPipe | Signalfd | Sigtimedwait | Poll | NetlinkSocket => Said::Nothing,
            Waitid { .. }
            | PidfdOpen { .. }
            | PidfdSendSignal { .. }
            | PollPidfd { .. }
            | Kill { .. }
            | CloseRange { .. }
            | Getrandom { .. }
            | WritePipe { .. }
            | Sigaction { .. }
            | Sigprocmask { .. }
            | Read { .. }
            | Readlink { .. }
            | Stat { .. }
            | Access { .. }
            | Getdents { .. }
            | Flock { .. }
            | FcntlSetlk { .. }
            | FcntlGetlk { .. }
            | PrctlDumpable { .. }
            | Isatty { .. } => Said::Nothing,
        }
    }

    /// The command's standard input is redirected when it is executed.
    fn dup2(&mut self, path: &Path, descriptor: i32) -> Said {
        self.no_stdin |= descriptor == 0 && path == Path::new("/dev/null");
        Said::Nothing
    }

    /// mount(8) and umount(8) for a call of the mount family.
    fn mounts(&mut self, call: &Call<'_>) -> Option<String> {
        match *call {
            Call::Mount { source, target, fstype, flags, data } => {
                if fstype == Some("overlay") {
                    self.trees.mounted(target);
                }
                Some(mounts::mount(source, &self.named(target), fstype, flags, data))
            }
            Call::PivotRoot { new_root, put_old } => {
                self.trees.pivoted();
                Some(format!("pivot_root {} {}\n{NEW_PATH}", path(new_root), path(put_old)))
            }
            Call::Umount2 { target, .. } => Some(format!("umount -n -l {}", path(&self.named(target)))),
            Call::OpenTree { path, .. } => self.trees.open(path),
            Call::MoveMount { from, target } => {
                let target = self.named(target);
                Some(self.trees.moved(from, &target))
            }
            Call::MountSetattr { target, set, .. } => {
                let target = self.named(target);
                self.trees.set(&target, set)
            }
            _ => None,
        }
    }

    /// Whether a new time namespace waits for its offsets, or for the next command.
    pub fn has_new_time(&self) -> bool {
        self.time
    }

    /// A new time namespace whose offsets nobody wrote.
    pub fn take_new_time(&mut self) -> Said {
        match std::mem::take(&mut self.time) {
            true => within("unshare --time", "TIME".to_owned()),
            false => Said::Nothing,
        }
    }

    /// The command of the container itself.
    pub fn exec(&self, command: &Path, argv: &[String], environment: &[String]) -> Said {
        let stdin = if self.no_stdin { "< /dev/null" } else { "<&3" };
        let command = self.named(command);
        Said::Last(rights::exec(
            &self.rights,
            &command.to_string_lossy(),
            argv,
            environment,
            stdin,
            !self.forked,
        ))
    }

    /// The path that a `/proc/self/fd/N` stands for.
    fn named(&self, path: &Path) -> PathBuf {
        let number = path.strip_prefix("/proc/self/fd").ok().and_then(|rest| rest.to_str()?.parse().ok());
        number
            .and_then(|number: i32| self.descriptors.get(&number))
            .map_or_else(|| path.into(), PathBuf::clone)
    }

    fn opened(&mut self, path: PathBuf, answer: &Answer<'_>) -> Said {
        if let Answer::Descriptor(number) = answer {
            self.descriptors.insert(*number, path);
        }
        Said::Nothing
    }

    fn open(&mut self, target: &Path, flags: Flags, answer: &Answer<'_>) -> Said {
        self.opened(target.into(), answer);
        let lock = target.file_name().is_some_and(|name| name == "lock");
        match flags.has(flags::O_CREAT) && !lock {
            true => Said::Commands(format!(": >> {}", path(target))),
            false => Said::Nothing,
        }
    }

    fn unshare(&mut self, flags: Flags) -> Said {
        self.time |= flags.has(flags::CLONE_NEWTIME);
        let kinds: Vec<&str> = namespaces(flags).filter(|kind| *kind != "time").collect();
        match kinds.is_empty() {
            true => Said::Nothing,
            false => within(&format!("unshare{}", options(&kinds)), kinds.join("_").to_uppercase()),
        }
    }

    fn write(&mut self, target: &Path, contents: &str) -> Said {
        let name = target.file_name().unwrap_or_default();
        if name == "timens_offsets" {
            self.time = false;
            let offset =
                |clock| contents.lines().find_map(|line| line.strip_prefix(clock)?.split_whitespace().next());
            let (monotonic, boottime) =
                (offset("monotonic").unwrap_or("0"), offset("boottime").unwrap_or("0"));
            let command = format!("unshare --time --monotonic {monotonic} --boottime {boottime}");
            return within(&command, "TIME".to_owned());
        }
        if name == "uid_map" || name == "gid_map" || name == "setgroups" {
            return Said::Covered(format!("echo {} > {}", word(contents), path(target)));
        }
        let kernel = target.starts_with("/proc") || target.starts_with("/sys");
        Said::Commands(write(&path(target), contents, kernel))
    }

    fn network(&mut self, request: Rtnetlink<'_>) -> Said {
        use Rtnetlink::*;
        if let SetUp { index, name } | NewAddress { index, name, .. } = request {
            self.links.insert(index, name.to_owned());
        }
        Said::Commands(match request {
            GetLink { .. } | DumpRoutes | DumpBridges => return Said::Nothing,
            NewBridge { name, group } => format!("ip link add {} group {group} type bridge", word(name)),
            NewVeth { name, group, master, peer, netns } => {
                let master = self.links.get(&master).cloned().unwrap_or_else(|| format!("if{master}"));
                let netns = match netns {
                    Netns::Of(pid) if self.init == Some(pid) => "\"$init\"".to_owned(),
                    Netns::Of(pid) => pid.to_string(),
                    Netns::Open { path, .. } => word(&path.display().to_string()),
                };
                let (name, peer) = (word(name), word(peer));
                format!(
                    "ip link add {name} group {group} master {master} type veth peer name {peer} netns {netns}\n\
                     ip link set {name} up"
                )
            }
            SetUp { name, .. } => format!("ip link set {} up", word(name)),
            SetHairpin { name, .. } => format!("bridge link set dev {} hairpin on", word(name)),
            DelLink { name } => format!("ip link del {}", word(name)),
            DelGroup { group } => format!("ip link del group {group}"),
            NewAddress { name, address, prefix, .. } => {
                format!("ip addr add {address}/{prefix} dev {}", word(name))
            }
            NewDefaultRoute { gateway } => format!("ip route add default via {gateway}"),
        })
    }
}

/// After the root has changed, programs are elsewhere.
const NEW_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nhash -r";

/// `exec COMMAND sh -eu`: the same process goes on with the rest of the script, so pid 1 stays pid 1.
fn within(command: &str, mark: String) -> Said {
    Said::Within(format!("exec {command} sh -eu"), mark)
}

/// The absolute `path` as seen from `root`, as seen from here.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn setns(target: &Path, flags: Flags) -> Said {
    if target.ends_with("time_for_children") {
        // A shell is in its children's time namespace as soon as unshare(1) has executed it.
        return Said::Nothing;
    }
    let kinds: Vec<&str> = namespaces(flags).collect();
    let target = path(target);
    let options = kinds.iter().map(|kind| match *kind {
        "mnt" => format!(" --mount={target}"),
        "user" => format!(" --preserve-credentials --user={target}"),
        kind => format!(" --{kind}={target}"),
    });
    within(
        &format!("nsenter{}", options.collect::<String>()),
        format!("JOINED_{}", kinds.join("_").to_uppercase()),
    )
}

/// The options of unshare(1) for some kinds of namespace.
fn options(kinds: &[&str]) -> String {
    let option = |kind: &&str| match *kind {
        // unshare(1) would make everything private by itself; here that is a call of its own.
        "mnt" => " --mount --propagation unchanged".to_owned(),
        "pid" => " --fork --pid".to_owned(),
        "user" => " --user --map-root-user".to_owned(),
        kind => format!(" --{kind}"),
    };
    kinds.iter().map(option).collect()
}

/// The command that does what clone3 did: it makes the namespaces, forks, and the child runs a shell.
pub fn clone(flags: Flags, cgroup: Option<&Path>) -> String {
    let kinds: Vec<&str> = namespaces(flags).collect();
    let command = match kinds.is_empty() {
        true => "sh -eu".to_owned(),
        false => format!("unshare{} sh -eu", options(&kinds)),
    };
    match cgroup {
        None => command,
        Some(cgroup) => {
            let join = format!("echo $$ > {}; exec \"$@\"", path(&cgroup.join("cgroup.procs")));
            format!("sh -euc {} sh {command}", word(&join))
        }
    }
}

/// The file utility for a call on names and modes.
fn file(call: &Call<'_>) -> Option<String> {
    Some(match *call {
        Call::Chdir { path: target } => format!("cd {}", path(target)),
        Call::WriteEach { path: target, lines } => {
            let target = path(target);
            lines.iter().map(|line| write(&target, line, true)).collect::<Vec<_>>().join("\n")
        }
        Call::Mkdir { path: target, mode: 0o755 } => format!("mkdir -p {}", path(target)),
        Call::Mkdir { path: target, mode } => format!("mkdir -p -m {mode:o} {}", path(target)),
        Call::Mknod { path: target, mode, major, minor } => {
            format!("mknod -m {mode:o} {} c {major} {minor}", path(target))
        }
        Call::Symlink { target, link } => format!("ln -sfn {} {}", path(target), path(link)),
        Call::Rename { from, to } => format!("mv {} {}", path(from), path(to)),
        Call::Unlink { path: target } => format!("rm -f {}", path(target)),
        Call::Rmdir { path: target } => format!("rmdir {}", path(target)),
        Call::Chmod { path: target, mode } => format!("chmod {mode:o} {}", path(target)),
        Call::Chown { path: target, uid, gid } => format!("chown -h {uid}:{gid} {}", path(target)),
        // The script keeps its standard input as 3, and its others may be files where minidocker's were pipes.
        Call::Fchown { descriptor, uid } => {
            let pipe = format!("/proc/self/fd/{}", if descriptor == 0 { 3 } else { descriptor });
            format!("[ ! -p {pipe} ] || chown {uid} {pipe}")
        }
        Call::Copy { from, to } => format!("cp -p {} {}", path(from), path(to)),
        Call::Umask { mode } => format!("umask {mode:03o}"),
        _ => return None,
    })
}

/// A program that was given something to read; those that only told something are left out.
fn command(program: &Path, arguments: &[&str], stdin: &str, answer: &Answer<'_>) -> Said {
    if stdin.is_empty() || !matches!(answer, Answer::Number(0)) {
        return Said::Nothing;
    }
    let arguments = arguments.iter().fold(String::new(), |all, one| all + " " + &word(one));
    Said::Commands(format!("{}{arguments} {}", path(program), here_document(stdin)))
}
