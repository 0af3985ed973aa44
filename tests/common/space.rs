//! A place to run `minidocker` in: a state root of its own, as root or as an ordinary user, on a throw-away host.
//!
//! The host is a network and a mount namespace of its own, so a bridge, a rule or a mount that goes astray is seen
//! and dies with the test. Its mounts are *shared*, as under systemd: a container that forgot to cut the strings
//! would be found out. An ordinary user who runs the tests makes no such host; nothing of that kind is hers to make.

use super::container::{Outcome, Running};
use super::need::{self, Need};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tempfile::TempDir;

/// The variable that names another `minidocker` to be tested in the place of the product: a student's, say.
pub const UNDER_TEST: &str = "MINIDOCKER_UNDER_TEST";

/// The programs under test, and the names that everybody may execute them by.
const BUILT: [(&str, &str); 6] = [
    (env!("CARGO_BIN_EXE_minidocker"), "minidocker"),
    (env!("CARGO_BIN_EXE_ns-demo"), "ns-demo"),
    (env!("CARGO_BIN_EXE_cgroup-demo"), "cgroup-demo"),
    (env!("CARGO_BIN_EXE_overlay-demo"), "overlay-demo"),
    (env!("CARGO_BIN_EXE_net-demo"), "net-demo"),
    (env!("CARGO_BIN_EXE_lab"), "lab"),
];

/// Whom root becomes to be an ordinary user: the one whose number `MINIDOCKER_TEST_USER` is, else `nobody`.
fn somebody() -> u32 {
    const NOBODY: u32 = 65534;
    std::env::var("MINIDOCKER_TEST_USER").map_or(NOBODY, |number| number.parse().unwrap())
}

/// Who runs `minidocker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Root.
    Root,
    /// An ordinary user: the one who runs the tests or, when root runs them, whom root becomes.
    User,
}

/// Whether root runs the tests.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The user id that `who` has.
pub fn uid_of(who: Who) -> u32 {
    match who {
        Who::Root => 0,
        Who::User if is_root() => somebody(),
        Who::User => nix::unistd::getuid().as_raw(),
    }
}

/// The words before a command that make it run as `who`.
pub fn as_person(who: Who) -> Vec<String> {
    if who == Who::Root || !is_root() {
        return Vec::new();
    }
    let id = somebody().to_string();
    ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"].map(str::to_owned).to_vec()
}

/// A new directory that everybody may enter and `who` owns.
pub fn directory_for(who: Who) -> io::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("minidocker-test-").tempdir()?;
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755))?;
    give_to(directory.path(), who)?;
    Ok(directory)
}

fn give_to(path: &Path, who: Who) -> io::Result<()> {
    if is_root() { chown(path, Some(uid_of(who)), Some(uid_of(who))) } else { Ok(()) }
}

/// Where the hierarchy with `controller` (by its v1 name) is mounted, and its version.
pub fn cgroup_mount(controller: &str) -> Option<(PathBuf, u8)> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts: Vec<Vec<&str>> = mounts.lines().map(|line| line.split(' ').collect()).collect();
    let v1 =
        mounts.iter().find(|mount| mount[2] == "cgroup" && mount[3].split(',').any(|one| one == controller));
    if let Some(mount) = v1 {
        return Some((mount[1].into(), 1));
    }
    let v2 = mounts.iter().find(|mount| mount[2] == "cgroup2")?;
    let name = if controller == "blkio" { "io" } else { controller };
    let offered = std::fs::read_to_string(Path::new(v2[1]).join("cgroup.controllers")).ok()?;
    offered.split_whitespace().any(|one| one == name).then(|| (v2[1].into(), 2))
}

/// What all spaces of a test binary share: a copy of the program that everybody may execute, and for each person the
/// image `base`, made once.
struct Shared {
    directory: TempDir,
    root_image: OnceLock<PathBuf>,
    user_image: OnceLock<PathBuf>,
}

static SHARED: Mutex<Option<&'static Shared>> = Mutex::new(None);

fn shared() -> &'static Shared {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.get_or_insert_with(|| {
        let directory = directory_for(Who::Root).unwrap();
        let own = std::env::current_exe().unwrap();
        let other = std::env::var_os(UNDER_TEST).map(PathBuf::from);
        let built = BUILT.map(|(from, to)| match &other {
            Some(other) if to == "minidocker" => (other.as_path(), to),
            _ => (Path::new(from), to),
        });
        for (from, to) in built.into_iter().chain([(own.as_path(), "probe")]) {
            // Another process copies: a descriptor open for writing here would be inherited by whatever another
            // thread starts meanwhile, and the kernel executes no file that is open for writing.
            let copied = Command::new("cp").arg(from).arg(directory.path().join(to)).status();
            assert!(copied.unwrap().success(), "cannot copy {}", from.display());
        }
        Box::leak(Box::new(Shared { directory, root_image: OnceLock::new(), user_image: OnceLock::new() }))
    })
}

/// The copy of a program that everybody may execute: `minidocker`, `ns-demo`, …
pub fn program_named(name: &str) -> PathBuf {
    shared().directory.path().join(name)
}

/// The copy of `minidocker` that everybody may execute.
pub fn program() -> PathBuf {
    program_named("minidocker")
}

/// Whether the program under test makes requests fail when it is asked to.
pub fn fault_hook_works() -> bool {
    let Ok(directory) = directory_for(Who::Root) else { return false };
    let fired = directory.path().join("fired");
    let mut command = command(None, Who::Root, &[], &program(), &directory.path().join("state"));
    command.env("MINIDOCKER_FAULT", "runtime:1:EIO").env("MINIDOCKER_FAULT_FIRED", &fired).arg("ps");
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    std::fs::metadata(&fired).is_ok_and(|status| status.len() > 0)
}

/// A copy of this test binary that everybody may execute.
pub fn probe() -> PathBuf {
    shared().directory.path().join("probe")
}

/// A state root in which `base` has been made by `who`.
fn image_of(who: Who) -> &'static Path {
    let shared = shared();
    let cell = if who == Who::Root { &shared.root_image } else { &shared.user_image };
    cell.get_or_init(|| {
        let root = shared.directory.path().join(if who == Who::Root { "root" } else { "user" });
        std::fs::create_dir(&root).unwrap();
        give_to(&root, who).unwrap();
        let made = command(None, who, &[], &program(), &root)
            .args(["run", "--rm", "--network", "none", "base", "true"])
            .output();
        let made = made.unwrap();
        assert!(made.status.success(), "cannot make base: {}", String::from_utf8_lossy(&made.stderr));
        root
    })
}

/// Remove what the spaces shared.
pub fn remove_shared() {
    if let Some(shared) = *SHARED.lock().unwrap_or_else(PoisonError::into_inner) {
        let _ = std::fs::remove_dir_all(shared.directory.path());
    }
}

/// A program as `who` with the state root `root`, in an environment of which everything is known. `through` are
/// the words of a program that does something and then becomes its remaining arguments.
fn command(host: Option<&Host>, who: Who, through: &[&str], program: &Path, root: &Path) -> Command {
    let mut words = host.map(Host::entering).unwrap_or_default();
    words.extend(as_person(who));
    words.extend(through.iter().map(|word| (*word).to_owned()));
    words.push(program.display().to_string());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_clear().stdin(Stdio::null()).current_dir("/");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("MINIDOCKER_ROOT", root);
    command.env("LANG", "C.UTF-8").env("HOME", "/nonexistent");
    command
}

/// A throw-away host: a process that keeps a network and a mount namespace alive until the last clone is dropped.
#[derive(Clone)]
pub struct Host {
    keeper: Arc<Keeper>,
}

struct Keeper(Child);

/// Whether the people on the hosts to come have no ids but their own, whatever /etc/subuid gives them here: for tests
/// that compare what is told.
pub static OWN_IDS_ALONE: AtomicBool = AtomicBool::new(false);

/// Nobody is given other ids: an empty file is mounted on those that say so.
const HIDE_IDS: &str = "empty=$(mktemp) && chmod 644 $empty && for file in /etc/subuid /etc/subgid; do \
                        [ ! -e $file ] || mount --bind $empty $file; done; rm -f $empty; ";

impl Host {
    /// A new one, with nothing but a loopback link, and with every mount shared. Needs root.
    pub fn new() -> Self {
        let hide = if OWN_IDS_ALONE.load(Ordering::Relaxed) { HIDE_IDS } else { "" };
        let script = &format!("{hide}mount --make-rshared / && echo ready && read line");
        let mut keeper = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        io::Read::read_exact(keeper.stdout.as_mut().unwrap(), &mut ready).unwrap();
        Host { keeper: Arc::new(Keeper(keeper)) }
    }

    /// The process whose namespaces are the host's.
    pub fn pid(&self) -> u32 {
        self.keeper.0.id()
    }

    /// The words before a command that make it run on this host.
    pub fn entering(&self) -> Vec<String> {
        let target = self.pid().to_string();
        ["nsenter", "--target", &target, "--net", "--mount", "--"].map(str::to_owned).to_vec()
    }

    /// Run a script on this host; what it wrote. It must succeed.
    pub fn sh(&self, script: &str) -> String {
        let words = self.entering();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(["sh", "-c", &format!("PATH=$PATH:/usr/sbin:/sbin; {script}")]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The table of mounts, as proc_pid_mountinfo(5) describes it.
    pub fn mountinfo(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/mountinfo", self.pid())).unwrap()
    }

    /// The names of the network links.
    pub fn links(&self) -> Vec<String> {
        super::container::links_of(self.pid())
    }

    /// Run `work` on a thread that stands in the host's network namespace: a socket made there stays there.
    pub fn in_network<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = std::fs::File::open(format!("/proc/{}/ns/net", self.pid())).unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                nix::sched::setns(&namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            thread.join().unwrap()
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A state root of its own, with a person, on a host.
pub struct Space {
    /// Who runs `minidocker` here.
    pub who: Who,
    /// The host; `None` when an ordinary user runs the tests.
    pub host: Option<Host>,
    directory: TempDir,
}

impl Space {
    /// A space for `who` in which the image `base` is already there: the state root borrows the one of all spaces.
    pub fn new(who: Who) -> Self {
        Self::bare(who).with_image()
    }

    /// Another state root of the same person, on the same host.
    pub fn beside(&self) -> Self {
        let directory = directory_for(self.who).unwrap();
        Self { who: self.who, host: self.host.clone(), directory }.with_image()
    }

    fn with_image(self) -> Self {
        std::fs::create_dir(self.root()).unwrap();
        give_to(&self.root(), self.who).unwrap();
        for name in ["images", "blobs", "layers"] {
            symlink(image_of(self.who).join(name), self.root().join(name)).unwrap();
        }
        self
    }

    /// A space for `who` without even a state root: the first command makes it, and `base` too.
    pub fn bare(who: Who) -> Self {
        let host = need::is_met(Need::Root).then(Host::new);
        Self { who, host, directory: directory_for(who).unwrap() }
    }

    /// The state root.
    pub fn root(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// A path in the space's own directory, outside the state root.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file there with this text, owned by the space's person.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        give_to(path.parent().unwrap(), self.who).unwrap();
        give_to(&path, self.who).unwrap();
        path
    }

    /// The throw-away host; only where root runs the tests.
    pub fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    /// `minidocker`, ready to be given arguments.
    pub fn command(&self) -> Command {
        self.command_through(&[])
    }

    /// A demo (`ns-demo`, …), ready to be given arguments; its standard error goes where its standard output goes, so
    /// that both are seen in their order.
    pub fn demo(&self, name: &str) -> Command {
        let together = ["sh", "-c", "exec \"$@\" 2>&1", "sh"];
        command(self.host.as_ref(), self.who, &together, &program_named(name), &self.root())
    }

    /// Any program of the machine's, as the space's person on its host.
    pub fn program_of_the_machine(&self, words: &[&str]) -> Command {
        let (last, through) = words.split_last().unwrap();
        command(self.host.as_ref(), self.who, through, Path::new(last), &self.root())
    }

    /// A demo without a controlling terminal: with `--step`, it waits for a line on standard input at each scene.
    pub fn demo_by_steps(&self, name: &str) -> Command {
        let together = ["setsid", "sh", "-c", "exec \"$@\" 2>&1", "sh"];
        command(self.host.as_ref(), self.who, &together, &program_named(name), &self.root())
    }

    /// The same, with its standard output and error apart.
    pub fn demo_apart(&self, name: &str) -> Command {
        command(self.host.as_ref(), self.who, &[], &program_named(name), &self.root())
    }

    /// The same, started by a program that does something first: `setpriv …`, `unshare …`.
    pub fn command_through(&self, through: &[&str]) -> Command {
        command(self.host.as_ref(), self.who, through, &program(), &self.root())
    }

    /// The same, after a line of shell.
    pub fn command_after(&self, script: &str) -> Command {
        self.command_through(&["sh", "-c", &format!("{script}; exec \"$@\""), "sh"])
    }

    /// Run `minidocker` with these arguments to its end.
    pub fn minidocker(&self, arguments: &[&str]) -> Outcome {
        Running::start(self.command().args(arguments)).end()
    }

    /// `minidocker run --rm WORDS` to its end; standard input is empty.
    pub fn run(&self, words: &[&str]) -> Outcome {
        Running::start(self.command().args(["run", "--rm"]).args(words)).end()
    }

    /// `minidocker run --rm OPTIONS base COMMAND` to its end, without network unless `options` ask for one.
    pub fn base(&self, options: &[&str], command: &[&str]) -> Outcome {
        self.run(&[network_of(options), options, &["base"], command].concat())
    }

    /// What `sh -c SCRIPT` writes in such a container. It must succeed, and nothing else may be said.
    pub fn sh(&self, options: &[&str], script: &str) -> String {
        let outcome = self.base(options, &["sh", "-c", script]);
        assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{options:?} {script}\n{}", outcome.out);
        outcome.out
    }

    /// Start `minidocker run --rm -i OPTIONS base COMMAND`, without network unless `options` ask for one.
    pub fn start(&self, options: &[&str], command: &[&str]) -> Running {
        let words = [&["run", "--rm", "-i"], network_of(options), options, &["base"], command].concat();
        Running::start(self.command().args(words))
    }

    /// Such a container whose process is a shell, which is there until it reads a line or the end of its input.
    pub fn hold(&self, options: &[&str]) -> Running {
        let mut running = self.start(options, &["sh", "-c", "echo ready; read line; exit 0"]);
        running.expect("ready");
        running
    }

    /// The names in the directory `containers` of the state root.
    pub fn containers(&self) -> Vec<String> {
        names_in(&self.root().join("containers"))
    }
}

/// The bridge that root gets by default takes a while to make, and most tests are about something else.
fn network_of(options: &[&str]) -> &'static [&'static str] {
    let asked = options.iter().any(|option| option.starts_with("--net"));
    if asked { &[] } else { &["--network", "none"] }
}

impl Drop for Space {
    /// Whatever the test did, its containers' cgroups must not stay. One that was killed a moment ago may still be
    /// about to end, so this asks again.
    fn drop(&mut self) {
        for _ in 0..100 {
            if self.containers().is_empty() {
                break;
            }
            for id in self.containers() {
                let _ = self
                    .command()
                    .args(["rm", "-f", &id])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
            }
            let _ = self.command().arg("prune").stdout(Stdio::null()).stderr(Stdio::null()).status();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

/// The names in a directory, sorted; none when it is not there.
pub fn names_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
