//! A lane: one process that breaks `minidocker` at one request after the other, and looks what is left.
//!
//! It is the test binary again, as root in a network and a mount namespace of its own, where mounts are shared as
//! under systemd. It has a single thread and is its descendants' *subreaper* (prctl(2)): whatever a killed runtime
//! leaves alive becomes its child. So nothing that goes wrong here can hurt the machine or escape notice.

#[path = "deed.rs"]
mod deed;

pub use deed::Deed;

use crate::common::space::{Who, as_person, directory_for, uid_of};
use crate::snapshot::{self, Snapshot, Watcher};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What one lane tries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lane {
    /// Whether an ordinary user runs `minidocker`.
    pub user: bool,
    /// `none`, `host`, `container:first` or `bridge`.
    pub network: String,
    /// What is broken, and how.
    pub breaks: Break,
    /// Further options of `minidocker run`.
    pub options: Vec<String>,
    /// Whether the container is to be deleted when it ends.
    pub rm: bool,
    /// Whether another container is there all the time, on the same network.
    pub company: bool,
    /// The command that is to clear up.
    pub next: Vec<String>,
    /// The first request to be broken, and how many are passed over before the next.
    pub first: usize,
    /// See `first`.
    pub every: usize,
    /// The program under test.
    pub program: PathBuf,
    /// A state root with the image.
    pub image: PathBuf,
    /// Whether the namespaces are the lane's own.
    pub alone: bool,
    /// The verb, if what is broken is not a run.
    pub deed: Option<Deed>,
}

/// What is broken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Break {
    /// Request by request of a run: the role (`client`, `runtime`, `init`), and `EIO` or `kill`.
    Run(String, String),
    /// A container is left by a killed supervisor; then request by request of the command that clears up: `EIO` or `kill`.
    ClearUp(String),
    /// The supervisor is killed from outside, at so many moments.
    Moments(usize),
    /// Request by request of the lane's deed: the role, and `EIO` or `kill`.
    Deed(String, String),
}

/// What a lane found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Findings {
    /// How many requests could be broken.
    pub requests: usize,
    /// How many times `minidocker` ran.
    pub runs: usize,
    /// What was wrong.
    pub wrong: Vec<String>,
}

/// The command of every run: it shows what the container's isolation is, as the kernel says it inside.
const EVIDENCE: [&str; 9] = [
    "cat",
    "/proc/self/status",
    "/proc/self/mountinfo",
    "/proc/self/cgroup",
    "/proc/net/dev",
    "/proc/sys/kernel/hostname",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
];

/// How long one request may take to be broken and cleared up after. Whoever hangs is killed by SIGALRM.
const PATIENCE: u32 = 60;

/// The whole of a lane's process. Prints the number it is at, and its findings at the end.
#[allow(clippy::print_stdout, reason = "this is how the lane speaks to the test that started it")]
pub fn main(lane: Lane) {
    if lane.alone {
        use nix::mount::{MsFlags, mount};
        // The person has no ids but her own: to map others takes programs whose failures are told and survived.
        let empty = tempfile::NamedTempFile::new().unwrap();
        std::fs::set_permissions(empty.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        for file in ["/etc/subuid", "/etc/subgid"] {
            if Path::new(file).exists() {
                mount(Some(empty.path()), file, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
            }
        }
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SHARED, None::<&str>).unwrap();
    }
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let mut work = Work::new(lane);
    work.everything();
    println!("{}", serde_json::to_string(&work.findings).unwrap());
}

struct Work {
    lane: Lane,
    directory: TempDir,
    root: PathBuf,
    watcher: Watcher,
    before: Snapshot,
    /// What a run with nothing broken shows of itself.
    whole: Vec<String>,
    company: Option<Company>,
    /// What is seen before and after a deed with nothing broken.
    unchanged: Vec<String>,
    changed: Vec<String>,
    /// What may be seen besides.
    between: Vec<Vec<String>>,
    findings: Findings,
}

/// A container that is there all the time.
struct Company {
    process: Child,
    address: Option<Ipv4Addr>,
}

/// How one `minidocker` ended.
struct Ended {
    status: i32,
    out: String,
    err: String,
}

impl Work {
    fn new(lane: Lane) -> Self {
        let who = if lane.user { Who::User } else { Who::Root };
        let directory = directory_for(who).unwrap();
        let root = directory.path().join("state");
        // Where `containers` is there, `minidocker` makes no other directory of its own.
        for path in ["", "containers", "names"].map(|name| root.join(name)) {
            std::fs::create_dir(&path).unwrap();
            if lane.alone {
                chown(&path, Some(uid_of(who)), Some(uid_of(who))).unwrap();
            }
        }
        let own_store = lane.deed.as_ref().is_some_and(|deed| deed.store);
        for name in ["images", "blobs", "layers"] {
            match own_store {
                true => copy_linked(&lane.image.join(name), &root),
                false => symlink(lane.image.join(name), root.join(name)).unwrap(),
            }
        }
        if own_store {
            // Who holds it in one lane would hold it in all.
            let _ = std::fs::remove_file(root.join("layers/.lock"));
        }
        let files = directory.path().join("files");
        std::fs::create_dir(&files).unwrap();
        std::fs::set_permissions(&files, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let watcher = Watcher::new(&root, lane.alone);
        let before = watcher.take();
        Self {
            lane,
            directory,
            root,
            watcher,
            before,
            whole: Vec::new(),
            company: None,
            unchanged: Vec::new(),
            changed: Vec::new(),
            between: Vec::new(),
            findings: Findings::default(),
        }
    }

    fn everything(&mut self) {
        nix::unistd::alarm::set(PATIENCE);
        if let Some(deed) = self.lane.deed.clone() {
            return self.all_of(&deed);
        }
        // Lock files and their directories are made by the first command, and stay.
        self.warm_up();
        let without_company = self.watcher.take();
        if self.lane.company {
            self.company = Some(self.start_company());
        }
        let ended = self.output(self.run());
        assert_eq!((ended.status, &*ended.err), (0, ""), "with nothing broken");
        self.whole = isolation(&ended.out);
        let ended = self.output(self.next());
        assert_eq!((ended.status, &*ended.err), (0, ""), "clearing up, with nothing broken");
        self.before = self.watcher.take();
        match self.lane.breaks.clone() {
            Break::Run(role, fault) => self.each_request(|work, at| work.break_run(at, &role, &fault)),
            Break::ClearUp(fault) => self.each_request(|work, at| work.break_clearing_up(at, &fault)),
            Break::Moments(number) => self.each_moment(number),
            Break::Deed(..) => unreachable!("a lane with a deed does nothing else"),
        }
        if let Some(company) = self.company.take() {
            company.end();
            self.before = without_company;
            self.must_be_clean("after the other container's end");
        }
    }

    fn all_of(&mut self, deed: &Deed) {
        let Break::Deed(role, fault) = self.lane.breaks.clone() else { unreachable!("the deed is broken") };
        self.learn(deed);
        self.each_request(|work, at| work.break_deed(deed, at, &role, &fault));
    }

    /// Run and clear up once, with nothing broken.
    fn warm_up(&mut self) {
        let network = if self.lane.network == "bridge" { "bridge" } else { "none" };
        let mut command = self.minidocker();
        command.args(["run", "--rm", "--network", network, "base", "echo", "ran"]);
        let ended = self.output(command);
        assert_eq!((ended.status, &*ended.out, &*ended.err), (0, "ran\n", ""), "with nothing broken");
        let ended = self.output(self.next());
        assert_eq!((ended.status, &*ended.err), (0, ""), "clearing up, with nothing broken");
    }

    fn each_request(&mut self, mut one: impl FnMut(&mut Self, usize) -> bool) {
        let mut at = self.lane.first;
        loop {
            self.say_where(at);
            if !one(self, at) {
                break;
            }
            self.findings.requests += 1;
            at += self.lane.every;
        }
    }

    /// Break the `at`-th request of a run. False when there are not so many.
    fn break_run(&mut self, at: usize, role: &str, fault: &str) -> bool {
        let label = format!("{role}:{at}:{fault}");
        let command = self.broken(self.run(), role, at, fault);
        if fault == "kill" {
            // Nobody reads what it prints: the container holds the pipe longer than the supervisor lives.
            let status = self.status(command);
            if !self.was_reached() {
                return false;
            }
            let right = match role {
                "client" => status == 137,
                // After its last word it owes the client no more than the end of the output.
                "runtime" => [0, 125, 137].contains(&status),
                // A first process that dies so early that it cannot even be told to go on is a failure to start.
                _ => status == 137 || status == 125,
            };
            self.check(right, &label, || format!("status {status}"));
            // Without its client the container goes on to its end, and its supervisor clears up.
            if role == "client" {
                self.watcher.take();
            }
            if role != "runtime" && self.lane.rm {
                self.must_be_clean(&format!("{label}, at once"));
            }
        } else {
            let ended = self.output(command);
            if !self.was_reached() {
                return false;
            }
            if role == "client" {
                self.watcher.take();
            }
            self.judge(&ended, role, &label);
        }
        self.clear_up(&label);
        true
    }

    /// What a run that met a failing request owes: the status, one line or none, and clean hands.
    fn judge(&mut self, ended: &Ended, role: &str, label: &str) {
        let Ended { status, out, err } = ended;
        let lines = err.lines().count();
        let said = || format!("status {status}, {} bytes of output, err {err:?}", out.len());
        match status {
            0 => {
                self.check(lines == 0 || tells_by_the_way(err), label, said);
                // What failed was no part of the isolation, or it would be less than was asked for.
                let (now, whole) = (isolation(out), std::mem::take(&mut self.whole));
                let lacks: Vec<_> = whole.iter().filter(|line| !now.contains(line)).collect();
                let more: Vec<_> = now.iter().filter(|line| !whole.contains(line)).collect();
                self.check(now == whole, label, || {
                    format!("went on, lacking {lacks:#?}, but with {more:#?}")
                });
                self.whole = whole;
            }
            // A pid 1 of ours has nobody to tell once the command was started. What it does before is what it does
            // without `--init`, and is judged there.
            125 if role == "init" && self.lane.options.iter().any(|option| option == "--init") => {
                self.check(lines <= 1, label, said);
            }
            125 => self.check(lines == 1, label, said),
            // The person's output is broken, as far as a client can tell.
            1 if role == "client" => self.check(lines == 1, label, said),
            _ => self.check(false, label, said),
        }
        // When the command has not run, it was not the clearing up that failed. (A client that failed knows nothing of
        // the container's end; nor does it hinder it.)
        if self.lane.rm && (*status == 0 || role == "client")
            || out.is_empty() && role != "client" && !self.has_run()
        {
            self.must_be_clean(&format!("{label}, at once ({})", err.trim_end()));
        }
    }

    /// Whether there is a container that was started once, of which its output may not have arrived.
    fn has_run(&self) -> bool {
        let directories = std::fs::read_dir(self.root.join("containers")).into_iter().flatten().flatten();
        let mut records = directories.filter_map(|entry| std::fs::read(entry.path().join("state.json")).ok());
        !self.lane.rm
            && records.any(|record| {
                serde_json::from_slice::<serde_json::Value>(&record)
                    .is_ok_and(|status| status["phase"] == "exited" && status["started_at"].is_u64())
            })
    }

    /// Leave a container behind, and break the `at`-th request of the command that clears up.
    fn break_clearing_up(&mut self, at: usize, fault: &str) -> bool {
        let label = format!("clearing up:{at}:{fault}");
        let mut process = self.start(self.run_of(&["echo ready; read line"]));
        kill_supervisor(&mut process);
        // (What is next may be a run, of which the client does not clear up.)
        let command = self.broken(self.next(), "runtime", at, fault);
        let ended = self.output(command);
        if self.was_reached() {
            let lines = ended.err.lines().count();
            let right = match (fault, ended.status) {
                ("kill", status) => status == 137 || self.lane.next[0] == "run" && status == 125,
                (_, 0) => lines == 0 || tells_by_the_way(&ended.err),
                (_, status) => status == 125 && lines == 1,
            };
            self.check(right, &label, || format!("status {}, err {:?}", ended.status, ended.err));
            self.clear_up(&label);
            return true;
        }
        self.clear_up(&label);
        false
    }

    /// Kill the supervisor from outside at moments spread by chance, always the same, over the time a start takes.
    fn each_moment(&mut self, number: usize) {
        let begin = Instant::now();
        let mut process = self.start(self.run_of(&["echo ready; read line"]));
        let whole = begin.elapsed();
        kill_supervisor(&mut process);
        self.clear_up("killed when ready");
        let mut chance = self.lane.first as u64;
        for at in 0..number {
            self.say_where(at);
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let share = f64::from((chance >> 40) as u32) / f64::from(1u32 << 24);
            let moment = whole.mul_f64(share * 1.2);
            let mut command = self.run_of(&["sleep 1000"]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut process = command.spawn().unwrap();
            snapshot::is_waited_for(process.id());
            self.findings.runs += 1;
            std::thread::sleep(moment);
            kill_supervisor(&mut process);
            self.clear_up(&format!("killed after {moment:?} of {whole:?}"));
            self.findings.requests += 1;
        }
    }

    /// The next command succeeds without a word, and then all is as before.
    fn clear_up(&mut self, label: &str) {
        let ended = self.output(self.next());
        let expected = if self.lane.next[0] == "run" { "ran\n" } else { "" };
        let right =
            ended.status == 0 && ended.err.is_empty() && (expected.is_empty() || ended.out == expected);
        self.check(right, label, || format!("the next command: status {}, {}", ended.status, ended.err));
        self.must_be_clean(&format!("{label}, after the next command"));
        if let Some(Company { address: Some(address), .. }) = self.company {
            let alive = answers(address);
            self.check(alive, label, || format!("the other container at {address} answers no more"));
        }
    }

    /// Compare with the machine as it was. What was left is told once: from now on it counts as always there.
    fn must_be_clean(&mut self, label: &str) {
        let begin = Instant::now();
        loop {
            let now = self.watcher.take();
            let diff = self.before.diff(&now);
            if diff.is_empty() {
                return;
            }
            // A network namespace dies a moment after its last process, in a work queue of the kernel's, and with it
            // the ends of its veth pairs.
            let passing = diff.iter().all(|line| line.starts_with("+ network: md"));
            if !passing || begin.elapsed() > Duration::from_secs(5) {
                let left = diff.iter().fold(String::new(), |mut text, line| {
                    let _ = write!(text, "\n      {line}");
                    text
                });
                self.check(false, label, || format!("left:{left}"));
                self.before = now;
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn check(&mut self, right: bool, label: &str, what: impl FnOnce() -> String) {
        if !right {
            self.findings.wrong.push(format!("{label}: {}", what()));
        }
    }

    #[allow(clippy::print_stdout, reason = "so that the test knows where a lane was that hung")]
    fn say_where(&self, at: usize) {
        println!("at {at}");
        nix::unistd::alarm::set(PATIENCE);
    }

    fn minidocker(&self) -> Command {
        let who = if self.lane.user { Who::User } else { Who::Root };
        let mut words = as_person(who);
        words.push(self.lane.program.display().to_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().stdin(Stdio::null()).current_dir("/");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("MINIDOCKER_ROOT", &self.root);
        command.env("LANG", "C.UTF-8").env("HOME", "/nonexistent");
        command
    }

    /// `minidocker run` with the lane's options, of a command that shows its isolation.
    fn run(&self) -> Command {
        let mut command = self.run_with_options();
        command.arg("base").args(EVIDENCE);
        command
    }

    /// The same, of a script, with standard input.
    fn run_of(&self, script: &[&str]) -> Command {
        let mut command = self.run_with_options();
        command.args(["-i", "base", "sh", "-c"]).args(script).stdin(Stdio::piped());
        command
    }

    fn run_with_options(&self) -> Command {
        let mut command = self.minidocker();
        command.args(["run", "--network", &self.lane.network]).args(&self.lane.options);
        if self.lane.rm {
            command.arg("--rm");
        }
        command
    }

    fn next(&self) -> Command {
        let mut command = self.minidocker();
        command.args(&self.lane.next);
        command
    }

    fn fired(&self) -> PathBuf {
        self.directory.path().join("fired")
    }

    fn broken(&self, mut command: Command, role: &str, at: usize, fault: &str) -> Command {
        let _ = std::fs::remove_file(self.fired());
        command.env("MINIDOCKER_FAULT", format!("{role}:{at}:{fault}"));
        command.env("MINIDOCKER_FAULT_FIRED", self.fired());
        command
    }

    /// Whether the request that was to be broken was made.
    fn was_reached(&self) -> bool {
        std::fs::metadata(self.fired()).is_ok_and(|metadata| metadata.len() > 0)
    }

    fn output(&mut self, mut command: Command) -> Ended {
        self.findings.runs += 1;
        let output = command.output().unwrap();
        Ended {
            status: status_of(output.status),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn status(&mut self, mut command: Command) -> i32 {
        self.findings.runs += 1;
        status_of(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap())
    }

    /// Start a container and wait until its command says `ready`.
    fn start(&mut self, mut command: Command) -> Child {
        self.findings.runs += 1;
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        snapshot::is_waited_for(process.id());
        let lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line == "ready");
        self.check(ready, "a container", || "did not start".to_owned());
        process
    }

    fn start_company(&mut self) -> Company {
        let network = if self.lane.network == "bridge" { "bridge" } else { "none" };
        let mut command = self.minidocker();
        command.args(["run", "--rm", "-i", "--name", "first", "--network", network, "base", "sh", "-c"]);
        command.arg("ip -o -4 address show dev eth0 2>&1; echo ready; read line").stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        snapshot::is_waited_for(process.id());
        let lines = BufReader::new(process.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take_while(|line| line != "ready").collect();
        let words = said.iter().flat_map(|line| line.split_whitespace());
        let address = words.filter_map(|word| word.split_once('/')?.0.parse().ok()).next();
        assert_eq!(address.is_some(), network == "bridge", "{said:?}");
        Company { process, address }
    }
}

impl Company {
    fn end(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// The lines of the evidence that are the same for two containers with the same options.
fn isolation(evidence: &str) -> Vec<String> {
    const KEPT: [&str; 14] = [
        "Umask",
        "Uid",
        "Gid",
        "Groups",
        "SigBlk",
        "SigIgn",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
    ];
    let id = evidence.split_once("/containers/").map_or("?", |(_, rest)| &rest[..12]);
    let mut lines = Vec::new();
    for line in evidence.replace(id, "ID").lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let of_status = line.split_once(":\t").map(|(key, _)| key);
        match fields.as_slice() {
            _ if of_status.is_some_and(|key| !KEPT.contains(&key)) => {}
            // A line of mountinfo, without its numbers.
            [_, _, _, rest @ ..] if line.contains(" - ") => lines.push(rest.join(" ")),
            // A line of net/dev, without its counters; the addresses of the bridge are given in turn.
            [link, ..] if link.ends_with(':') => lines.push((*link).to_owned()),
            [address, name] if address.starts_with("172.") => lines.push(format!("ADDRESS {name}")),
            fields => lines.push(fields.join(" ")),
        }
    }
    lines
}

/// A copy of a tree of which every file is a link to the same contents.
fn copy_linked(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-al").args([from, to]).status().unwrap().success(), "{}", from.display());
}

/// Whether the kernel at `address` answers: nobody listens there, and it says so.
fn answers(address: Ipv4Addr) -> bool {
    let address = SocketAddr::from((address, 9));
    let answer = TcpStream::connect_timeout(&address, Duration::from_secs(5));
    answer.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// Kill the supervisor that a client has made; before it has made one, the client.
fn kill_supervisor(client: &mut Child) {
    let id = client.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let victim = children.split_whitespace().next().map_or(id, |child| child.parse().unwrap());
    // One that has ended since, and was reaped, is nobody else yet: pids are given in turn.
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(victim as i32), nix::sys::signal::SIGKILL);
    client.wait().unwrap();
}

fn status_of(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
}

/// Whether all that was said is that an earlier container could not be cleared away, which the next command tries again,
/// or that the log lacks something: neither stops who came to do something else.
fn tells_by_the_way(err: &str) -> bool {
    let notes = [
        ": an earlier container is not cleared away yet: ",
        ": not all that the container said is in its log: ",
    ];
    err.lines().count() == 1 && notes.iter().any(|note| err.contains(note))
}
