//! Many at once: whoever comes at the same time is served, refused with a sentence, or waits; nobody hangs, nobody's
//! state is lost, nobody else is hit, and nothing is left.

use crate::common::container::{Outcome, Running};
use crate::common::need::{self, Need};
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both, as_root};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Iptables], fifty_on_the_bridge_have_an_address_each),
        as_root(&[Need::Iptables], fifty_on_a_network_have_an_address_each),
        as_both(&[], fifty_in_the_background_come_and_go),
        as_both(&[], one_of_twenty_gets_the_name),
        as_both(&[], one_of_two_gets_the_new_name),
        as_both(&[], a_removal_against_an_exec),
        as_both(&[], a_stop_against_a_start),
        as_both(&[], two_commits_of_one_tag),
        as_both(&[], supervisors_are_killed_while_others_start),
        as_both(&[], a_damaged_record_costs_one_container),
        as_both(&[], a_wrong_pid_is_not_signalled),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How long a test may take.
const LIMIT: Duration = Duration::from_secs(150);

/// A space in which nobody may hang, and of which nothing is left in the end.
struct Crowd {
    space: Space,
    _watchdog: Sender<()>,
}

impl Crowd {
    fn new(who: Who) -> Self {
        let space = Space::new(who);
        let (watchdog, ended) = channel::<()>();
        let root = space.root();
        std::thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                tell_and_end(&root);
            }
        });
        Self { space, _watchdog: watchdog }
    }

    /// All of these commands, begun before the first is waited for.
    fn at_once<T: AsRef<str>>(&self, commands: &[Vec<T>]) -> Vec<Outcome> {
        let begin =
            |words: &Vec<T>| Running::start(self.space.command().args(words.iter().map(AsRef::as_ref)));
        let running: Vec<Running> = commands.iter().map(begin).collect();
        running.into_iter().map(Running::end).collect()
    }

    fn ok(&self, words: &[&str]) -> String {
        let outcome = self.space.minidocker(words);
        assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{words:?}: {}", outcome.out);
        outcome.out.trim_end().to_owned()
    }

    fn run_in_background(&self, name: &str) -> String {
        self.ok(&["run", "-d", "--network", "none", "--name", name, "base", "sleep", "1000"])
    }

    /// What inspect says of a container.
    fn says(&self, name: &str, template: &str) -> String {
        self.ok(&["inspect", "--format", template, name])
    }

    /// The supervisor of a container that runs.
    fn supervisor(&self, name: &str) -> Option<i32> {
        let id = std::fs::read_link(self.space.root().join("names").join(name)).ok()?;
        let status = std::fs::read(self.space.root().join("containers").join(id).join("state.json")).ok()?;
        let status: serde_json::Value = serde_json::from_slice(&status).ok()?;
        let first = status["phase"]["running"]["pid"].as_i64()?;
        let stat = std::fs::read_to_string(format!("/proc/{first}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    }

    /// Remove all there is; then nothing is left.
    fn end(self) {
        let ids = self.space.containers();
        for id in &ids {
            let outcome = self.space.minidocker(&["rm", "-f", id]);
            assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "rm -f {id}");
        }
        self.ok(&["prune"]);
        for directory in ["containers", "names", "unfinished"] {
            let left = names_in(&self.space.root().join(directory));
            assert!(left.is_empty(), "{directory}: {left:?}");
        }
        let left = processes(&self.space.root());
        assert!(left.is_empty(), "still there: {}", tell(&left));
        let cgroups = cgroups_of(&ids);
        assert!(cgroups.is_empty(), "{cgroups:?}");
        if let Some(host) = &self.space.host {
            assert!(host.links().iter().all(|link| link == "lo"), "{:?}", host.links());
            if need::first_lacking(&[Need::Iptables]).is_none() {
                let rules = host.sh("iptables-save");
                assert!(!rules.to_lowercase().contains("minidocker"), "{rules}");
            }
        }
    }
}

/// The processes that were started with this state root: no container's, whose environment is its own.
fn processes(root: &Path) -> Vec<i32> {
    let mark = format!("MINIDOCKER_ROOT={}\0", root.display()).into_bytes();
    let pids = names_in(Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|part| part == mark)
    })
    .collect()
}

/// Where each of these processes is, as the kernel tells.
fn tell(pids: &[i32]) -> String {
    let mut text = String::new();
    for pid in pids {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let words = read("cmdline").replace('\0', " ");
        let _ = writeln!(
            text,
            "{pid} {words}\n  {} {}\n{}",
            read("wchan"),
            read("syscall").trim(),
            read("stack")
        );
    }
    text
}

#[allow(clippy::print_stderr, reason = "what is known of a hang")]
fn tell_and_end(root: &Path) {
    let pids = processes(root);
    eprintln!("after {LIMIT:?} these still run:\n{}", tell(&pids));
    for pid in pids {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// The cgroups that bear one of these ids.
fn cgroups_of(ids: &[String]) -> Vec<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let places =
        mounts.filter(|fields| fields[2].starts_with("cgroup")).map(|fields| PathBuf::from(fields[1]));
    let below =
        |place: PathBuf| names_in(&place).into_iter().map(move |name| place.join(name)).collect::<Vec<_>>();
    places
        .flat_map(below)
        .filter(|path| ids.iter().any(|id| path.to_string_lossy().contains(id.as_str())))
        .collect()
}

fn lines(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

fn fifty_have_an_address_each(network: &str) {
    let crowd = Crowd::new(Who::Root);
    if network != "bridge" {
        crowd.ok(&["network", "create", network]);
    }
    let command = |number| {
        lines(&format!("run --rm --network {network} --name c{number} base ip -o -4 address show dev eth0"))
    };
    let commands: Vec<_> = (0..50).map(command).collect();
    let detached =
        |number: i32| lines(&format!("run -d --network {network} --name d{number} base sleep 1000"));
    let stay: Vec<_> = (0..50).map(detached).collect();
    let started = crowd.at_once(&stay);
    assert!(started.iter().all(|outcome| outcome.status == 0 && outcome.err.is_empty()), "{started:?}");
    let template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let addresses: BTreeSet<String> =
        (0..50).map(|number| crowd.says(&format!("d{number}"), template)).collect();
    assert!(addresses.len() == 50 && !addresses.contains(""), "{addresses:?}");
    for outcome in crowd.at_once(&commands) {
        assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
        let address = outcome.out.split_whitespace().nth(3).unwrap().split('/').next().unwrap();
        assert!(!addresses.contains(address), "{address} was given twice");
    }
    let gone = crowd.at_once(&(0..50).map(|number| lines(&format!("rm -f d{number}"))).collect::<Vec<_>>());
    assert!(gone.iter().all(|outcome| outcome.status == 0 && outcome.err.is_empty()), "{gone:?}");
    if network != "bridge" {
        crowd.ok(&["network", "rm", network]);
    }
    crowd.end();
}

fn fifty_on_the_bridge_have_an_address_each() {
    fifty_have_an_address_each("bridge");
}

fn fifty_on_a_network_have_an_address_each() {
    fifty_have_an_address_each("town");
}

fn fifty_in_the_background_come_and_go(who: Who) {
    let crowd = Crowd::new(who);
    let start = |number: i32| lines(&format!("run -d --network none --name c{number} base sleep 1000"));
    let started = crowd.at_once(&(0..50).map(start).collect::<Vec<_>>());
    assert!(started.iter().all(|outcome| outcome.status == 0 && outcome.err.is_empty()), "{started:?}");
    let ids: BTreeSet<&str> = started.iter().map(|outcome| outcome.out.trim_end()).collect();
    assert_eq!(ids.len(), 50);
    assert_eq!(crowd.ok(&["ps", "-q"]).lines().count(), 50);
    let gone = crowd.at_once(&(0..50).map(|number| lines(&format!("rm -f c{number}"))).collect::<Vec<_>>());
    for (number, outcome) in gone.iter().enumerate() {
        assert_eq!(
            (outcome.status, outcome.out.trim_end(), outcome.err.as_str()),
            (0, &*format!("c{number}"), "")
        );
    }
    let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    assert!(cgroups_of(&ids).is_empty());
    crowd.end();
}

fn one_of_twenty_gets_the_name(who: Who) {
    let crowd = Crowd::new(who);
    let outcomes = crowd.at_once(&vec![lines("create --network none --name box base true"); 20]);
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.status == 0);
    assert_eq!(won.len(), 1, "{outcomes:?}");
    lost.iter().for_each(|outcome| outcome.assert_failed_or_refused(&["box"]));
    assert_eq!(crowd.space.containers(), [crowd.says("box", "{{.Id}}")]);
    crowd.end();
}

fn one_of_two_gets_the_new_name(who: Who) {
    let crowd = Crowd::new(who);
    for round in 0..5 {
        let (a, b, name) = (format!("a{round}"), format!("b{round}"), format!("x{round}"));
        for name in [&a, &b] {
            crowd.ok(&["create", "--network", "none", "--name", name, "base", "true"]);
        }
        let outcomes = crowd.at_once(&[&a, &b].map(|old| vec!["rename", old.as_str(), name.as_str()]));
        let won = outcomes.iter().filter(|outcome| outcome.status == 0).count();
        assert_eq!(won, 1, "{outcomes:?}");
        let (loser, old) = if outcomes[0].status == 0 { (&outcomes[1], &b) } else { (&outcomes[0], &a) };
        loser.assert_failed(&[&name]);
        assert_eq!(crowd.says(old, "{{.Name}}").trim_start_matches('/'), *old);
        assert_eq!(crowd.says(&name, "{{.Name}}").trim_start_matches('/'), name);
    }
    crowd.end();
}

fn a_removal_against_an_exec(who: Who) {
    let crowd = Crowd::new(who);
    for _ in 0..5 {
        crowd.run_in_background("box");
        let mut commands = vec![lines("exec box sh -c true;true"); 6];
        commands.insert(3, lines("rm -f box"));
        let outcomes = crowd.at_once(&commands);
        assert_eq!((outcomes[3].status, outcomes[3].err.as_str()), (0, ""));
        for (at, outcome) in outcomes.iter().enumerate().filter(|(at, _)| *at != 3) {
            // Done, refused with a sentence, or ended with the container.
            let right = match outcome.status {
                0 | 137 => outcome.err.is_empty(),
                1 => outcome.err.lines().count() == 1,
                _ => false,
            };
            assert!(right, "exec {at}: {outcome:?}");
        }
        assert!(crowd.space.containers().is_empty());
    }
    crowd.end();
}

fn a_stop_against_a_start(who: Who) {
    let crowd = Crowd::new(who);
    crowd.run_in_background("box");
    for _ in 0..6 {
        let outcomes = crowd.at_once(&[
            lines("stop -t 0 box"),
            lines("start box"),
            lines("stop -t 0 box"),
            lines("start box"),
        ]);
        for outcome in &outcomes {
            assert!(
                outcome.status == 0 && outcome.err.is_empty() || outcome.err.lines().count() == 1,
                "{outcomes:?}"
            );
        }
        // Whoever came last, it is one of the two, and either can be done now.
        crowd.ok(&["stop", "-t", "0", "box"]);
        assert_eq!(crowd.says("box", "{{.State.Status}}"), "exited");
        crowd.ok(&["start", "box"]);
        assert_eq!(crowd.says("box", "{{.State.Status}}"), "running");
    }
    crowd.end();
}

fn two_commits_of_one_tag(who: Who) {
    let crowd = Crowd::new(who);
    for name in ["one", "two"] {
        crowd.ok(&[
            "run",
            "--network",
            "none",
            "--name",
            name,
            "base",
            "sh",
            "-c",
            &format!("echo {name} >/said"),
        ]);
    }
    let outcomes =
        crowd.at_once(&[lines("commit one both"), lines("commit two both"), lines("commit one other")]);
    assert!(outcomes.iter().all(|outcome| outcome.status == 0 && outcome.err.is_empty()), "{outcomes:?}");
    let said = |image: &str| crowd.ok(&["run", "--rm", "--network", "none", image, "cat", "/said"]);
    assert_eq!(said("other"), "one");
    let both = said("both");
    assert!(both == "one" || both == "two", "{both}");
    // The one that lost its name is still an image.
    for outcome in &outcomes[..2] {
        crowd.ok(&["image", "inspect", outcome.out.trim_end()]);
    }
    crowd.ok(&["rm", "one", "two"]);
    let mut words = vec!["rmi", "-f", "both", "other"];
    let ids: BTreeSet<String> =
        outcomes[..2].iter().map(|outcome| outcome.out.trim_end().to_owned()).collect();
    crowd.space.minidocker(&words);
    words = ["rmi", "-f"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    crowd.space.minidocker(&words);
    crowd.end();
}

fn supervisors_are_killed_while_others_start(who: Who) {
    let crowd = Crowd::new(who);
    let mut chance = 12_345_u64;
    for round in 0..4 {
        let start = |number: i32| {
            let words = lines(&format!("run -d --network none --name c{round}x{number} base sleep 1000"));
            Running::start(crowd.space.command().args(words))
        };
        let running: Vec<Running> = (0..8).map(start).collect();
        for client in &running {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_millis(chance >> 59));
            client.try_kill_supervisor();
        }
        for outcome in running.into_iter().map(Running::end) {
            // It was faster than the shot, or says what happened.
            let right = outcome.status == 0 || outcome.err.lines().count() == 1;
            assert!(right, "{outcome:?}");
        }
        let name = format!("after{round}");
        crowd.run_in_background(&name);
        assert_eq!(crowd.says(&name, "{{.State.Status}}"), "running", "a later one is as whole as any");
    }
    crowd.end();
}

fn a_damaged_record_costs_one_container(who: Who) {
    let crowd = Crowd::new(who);
    crowd.run_in_background("good");
    for file in ["state.json", "config.json"] {
        for text in ["", "{", "[1]", "{\"version\":2}"] {
            crowd.ok(&["create", "--network", "none", "--name", "bad", "base", "true"]);
            let id = std::fs::read_link(crowd.space.root().join("names/bad")).unwrap();
            let path = crowd.space.root().join("containers").join(id).join(file);
            std::fs::write(&path, text).unwrap();
            let refused = crowd.space.minidocker(&["start", "bad"]);
            assert_eq!((refused.status, refused.err.lines().count()), (1, 1), "{file} {text:?}: {refused:?}");
            assert!(refused.err.contains(path.to_str().unwrap()), "{}", refused.err);
            assert_eq!(crowd.says("good", "{{.State.Status}}"), "running", "{file} {text:?}");
            assert!(crowd.space.minidocker(&["ps", "-a"]).out.contains("good"), "{file} {text:?}");
            crowd.ok(&["exec", "good", "true"]);
            crowd.ok(&["rm", "bad"]);
        }
    }
    crowd.end();
}

fn a_wrong_pid_is_not_signalled(who: Who) {
    let crowd = Crowd::new(who);
    let mut bystander = bystander(&crowd);
    crowd.run_in_background("box");
    let id = std::fs::read_link(crowd.space.root().join("names/box")).unwrap();
    let path = crowd.space.root().join("containers").join(id).join("state.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let mut status: serde_json::Value = serde_json::from_str(&whole).unwrap();
    status["phase"]["running"]["pid"] = bystander.id().into();
    std::fs::write(&path, status.to_string()).unwrap();
    for words in [&["kill", "box"][..], &["exec", "box", "true"], &["pause", "box"]] {
        let outcome = crowd.space.minidocker(words);
        assert!(outcome.status != 0 && outcome.err.lines().count() == 1, "{words:?}: {outcome:?}");
    }
    assert!(bystander.try_wait().unwrap().is_none(), "somebody else was signalled");
    // The same when the supervisor has been killed, and the next command clears up.
    std::fs::write(&path, &whole).unwrap();
    let supervisor = crowd.supervisor("box").unwrap();
    std::fs::write(&path, status.to_string()).unwrap();
    kill(Pid::from_raw(supervisor), Signal::SIGKILL).unwrap();
    crowd.ok(&["rm", "-f", "box"]);
    assert!(bystander.try_wait().unwrap().is_none(), "somebody else was signalled");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    crowd.end();
}

/// A process of the same person, of nobody's container.
fn bystander(crowd: &Crowd) -> Child {
    let words = crate::common::space::as_person(crowd.space.who);
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["sleep", "1000"]).collect();
    Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).spawn().unwrap()
}
