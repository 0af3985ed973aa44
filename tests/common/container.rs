//! A `minidocker` that was started, and its container as the kernel shows it from outside.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long one `minidocker` may take. None needs a tenth of it; who hangs is killed, and the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a `minidocker` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status; 128 and the signal when one killed it.
    pub status: i32,
    /// What came on standard output, after the lines already read.
    pub out: String,
    /// What came on standard error.
    pub err: String,
}

impl Outcome {
    /// A refusal of minidocker's own: status 125, nothing on standard output, and one line on standard error in
    /// which each of `facts` stands.
    pub fn assert_refused(&self, facts: &[&str]) {
        self.assert_refused_with(125, facts);
    }

    /// The same with the status 1, which Docker's verbs on containers, images, networks and volumes have.
    pub fn assert_failed(&self, facts: &[&str]) {
        self.assert_refused_with(1, facts);
    }

    /// The one or the other.
    pub fn assert_failed_or_refused(&self, facts: &[&str]) {
        self.assert_refused_with(if self.status == 1 { 1 } else { 125 }, facts);
    }

    fn assert_refused_with(&self, status: i32, facts: &[&str]) {
        assert_eq!((self.status, self.out.as_str()), (status, ""), "{}", self.err);
        assert_eq!(self.err.trim_end().lines().count(), 1, "not one line: {}", self.err);
        for fact in facts {
            assert!(self.err.contains(fact), "{fact:?} is not in: {}", self.err);
        }
    }
}

/// A `minidocker` at work.
pub struct Running {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    _watchdog: Sender<()>,
}

impl Running {
    /// Start `command`, with pipes for the standard three.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stderr = process.stderr.take().unwrap();
        let collect = move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        };
        let (watchdog, ended) = channel::<()>();
        let pid = nix::unistd::Pid::from_raw(process.id() as i32);
        std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
        });
        Self {
            stdin: process.stdin.take(),
            stdout: BufReader::new(process.stdout.take().unwrap()),
            stderr: Some(std::thread::spawn(collect)),
            process,
            _watchdog: watchdog,
        }
    }

    /// The next line on standard output, without its end; empty at the end of output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Wait for a line on standard output, which must be `line`.
    pub fn expect(&mut self, line: &str) {
        let said = self.line();
        if said != line {
            let rest = self.finish();
            panic!("{line:?} was to be said, not {said:?}; then: {rest:?}");
        }
    }

    /// Write a line to its standard input.
    pub fn say(&mut self, line: &str) {
        if let Err(error) = writeln!(self.stdin.as_mut().unwrap(), "{line}") {
            let rest = self.finish();
            panic!("{line:?} cannot be said: {error}; then: {rest:?}");
        }
    }

    /// Send a signal to `minidocker` itself.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Kill the container's supervisor.
    pub fn kill_supervisor(&self) {
        let pid = nix::unistd::Pid::from_raw(self.runtime() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL).unwrap();
    }

    /// The same, if it has one at this moment.
    pub fn try_kill_supervisor(&self) {
        for pid in try_children_of(self.client()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::SIGKILL);
        }
    }

    /// The pid of the `minidocker` that was started: the client.
    pub fn client(&self) -> u32 {
        self.process.id()
    }

    /// The pid of the container's supervisor: the client's only child. Waits until it is born.
    pub fn runtime(&self) -> u32 {
        for _ in 0..5000 {
            match children_of(self.client())[..] {
                [] => std::thread::sleep(Duration::from_millis(1)),
                [one] => return one,
                ref children => panic!("the children of minidocker: {children:?}"),
            }
        }
        panic!("minidocker has made no supervisor")
    }

    /// The pid, on the host, of the container's first process: the supervisor's only child once its command runs.
    pub fn pid(&self) -> u32 {
        let mut children = children_of(self.runtime());
        // Others may be there beside it, and for a moment: who maps ids, who carries ports across.
        // A command that was `exec`ed is no namespace's first, and alone.
        if children.iter().any(|pid| is_first_of_namespace(*pid)) {
            children.retain(|pid| is_first_of_namespace(*pid));
        }
        assert_eq!(children.len(), 1, "the children of the supervisor: {children:?}");
        children[0]
    }

    /// The path of something that the kernel tells of the container's first process.
    pub fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.pid()))
    }

    /// What the kernel tells of the container's first process: `status`, `mountinfo`, `cgroup`, …
    pub fn read(&self, name: &str) -> String {
        let path = self.proc(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The value after `KEY:` in its `/proc/PID/status`.
    pub fn status(&self, key: &str) -> String {
        status_of(self.pid(), key)
    }

    /// The inode number of one of its namespaces.
    pub fn namespace(&self, kind: &str) -> String {
        namespace_of(self.pid(), kind)
    }

    /// Its cgroup in the hierarchy that has `controller`, as a directory of the host's.
    pub fn cgroup(&self, controller: &str) -> PathBuf {
        let (mount, version) = super::space::cgroup_mount(controller).unwrap();
        let own = self.read("cgroup");
        let path = own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, names, path) = (parts.next()?, parts.next()?, parts.next()?);
            let here =
                if version == 2 { names.is_empty() } else { names.split(',').any(|one| one == controller) };
            here.then_some(path)
        });
        mount.join(path.unwrap().trim_start_matches('/'))
    }

    /// Close its standard input and wait for its end.
    pub fn end(mut self) -> Outcome {
        self.finish()
    }

    /// Wait for its end; its standard input stays open.
    pub fn wait(mut self) -> Outcome {
        let _open = self.stdin.take();
        self.finish()
    }

    fn finish(&mut self) -> Outcome {
        drop(self.stdin.take());
        let mut out = Vec::new();
        self.stdout.read_to_end(&mut out).unwrap();
        let err = self.stderr.take().unwrap().join().unwrap();
        let ended = self.process.wait().unwrap();
        let status = ended.code().or(ended.signal().map(|signal| 128 + signal)).unwrap();
        Outcome { status, out: String::from_utf8_lossy(&out).into_owned(), err }
    }
}

impl Drop for Running {
    /// A test must not leave a container. Killed, its supervisor takes it along; standard output ends with its last
    /// process.
    fn drop(&mut self) {
        for supervisor in try_children_of(self.process.id()) {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(supervisor as i32),
                nix::sys::signal::SIGKILL,
            );
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = self.stdout.read_to_end(&mut Vec::new());
    }
}

/// Whether a process is pid 1 of a pid namespace below this one.
fn is_first_of_namespace(pid: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = text.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().next_back() == Some("1"))
}

/// The children of a process that were started by its first thread.
pub fn children_of(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    pids(&text)
}

/// The same; none when the process has gone.
fn try_children_of(pid: u32) -> Vec<u32> {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).map_or(Vec::new(), |text| pids(&text))
}

fn pids(text: &str) -> Vec<u32> {
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// The value after `KEY:` in `/proc/PID/status`.
pub fn status_of(pid: u32, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no {key} in the status of {pid}")).trim().to_owned()
}

/// The inode number of a namespace of a process, as `uts:[4026531838]`.
pub fn namespace_of(pid: u32, kind: &str) -> String {
    let link = std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
    link.to_string_lossy().into_owned()
}

/// The names of the links in a process's network namespace.
pub fn links_of(pid: u32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap();
    text.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}
