//! The life of a container, from create to rm.

use crate::common::container::{Running, status_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both, as_root};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], an_unknown_container_is_one_sentence),
        as_both(&[], it_runs_in_the_background_without_us),
        as_both(&[], a_supervisor_is_small_and_holds_nothing_of_ours),
        as_both(&[], created_started_stopped_and_started_again),
        as_both(&[], stop_waits_and_then_kills),
        as_both(&[], a_signal_is_sent_by_name_and_number),
        as_both(&[], what_is_to_be_started_again_is),
        as_both(&[], who_is_stopped_is_not_started_again),
        as_both(&[], a_failure_is_tried_again_so_often),
        as_both(&[], wait_tells_the_status),
        as_both(&[], a_name_moves),
        as_both(&[], names_and_prefixes_mean_one),
        as_both(&[], remove_by_force),
        as_both(&[], a_killed_client_leaves_the_container_running),
        as_root(&[Need::Controller("freezer")], paused_and_going_on),
        as_both(&[], one_bad_word_does_not_keep_the_others),
        as_both(&[], bad_words_are_refused_and_leave_nothing),
        as_both(&[], stop_explains_itself),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A container in the background; its id.
fn background(space: &Space, options: &[&str], command: &[&str]) -> String {
    let words = [&["run", "-d", "--network", "none"], options, &["base"], command].concat();
    let outcome = space.minidocker(&words);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{words:?}");
    let id = outcome.out.trim_end().to_owned();
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id:?}");
    id
}

/// `minidocker WORDS` succeeds and says just `out`.
#[track_caller]
fn says(space: &Space, words: &[&str], out: &str) {
    let outcome = space.minidocker(words);
    assert_eq!((outcome.status, outcome.out.as_str(), outcome.err.as_str()), (0, out, ""), "{words:?}");
}

fn directory(space: &Space, id: &str) -> PathBuf {
    space.root().join("containers").join(id)
}

fn state(space: &Space, id: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(directory(space, id).join("state.json")).unwrap()).unwrap()
}

/// The pid of the first process, of which the kernel says that it lives.
fn pid(space: &Space, id: &str) -> u32 {
    let pid = state(space, id)["phase"]["running"]["pid"].as_u64().unwrap() as u32;
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    pid
}

fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Look until `done`, for what no descriptor of a test's announces.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn an_unknown_container_is_one_sentence(who: Who) {
    let space = Space::new(who);
    for verb in ["rm", "start", "stop", "restart", "kill", "pause", "unpause", "wait"] {
        space.minidocker(&[verb, "nobody"]).assert_failed(&["nobody"]);
    }
    space.minidocker(&["rename", "nobody", "somebody"]).assert_failed(&["nobody"]);
}

fn it_runs_in_the_background_without_us(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &[], &["sleep", "600"]);
    let first = pid(&space, &id);
    let supervisor: u32 = status_of(first, "PPid").parse().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{supervisor}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    assert_eq!(fields[3], supervisor.to_string(), "a session of its own");
    assert_eq!(fields[4], "0", "no terminal");
    says(&space, &["rm", "-f", &id], &format!("{id}\n"));
    assert!(!lives(first) && !lives(supervisor));
    assert_eq!(space.containers(), [""; 0]);
    assert_eq!(names_in(&space.root().join("names")), [""; 0]);
}

fn a_supervisor_is_small_and_holds_nothing_of_ours(who: Who) {
    let space = Space::new(who);
    // Whoever starts it has a file open, and stands in a directory.
    let held = space.file("held", "");
    let script = format!("exec 7<{}; cd {}", held.display(), held.parent().unwrap().display());
    let mut command = space.command_after(&script);
    let outcome =
        Running::start(command.args(["run", "-d", "--network", "none", "base", "sleep", "600"])).end();
    let id = outcome.out.trim_end();
    let supervisor = status_of(pid(&space, id), "PPid");
    let rollup = std::fs::read_to_string(format!("/proc/{supervisor}/smaps_rollup")).unwrap();
    let private: u64 = rollup
        .lines()
        .filter_map(|line| {
            line.strip_prefix("Private_Dirty:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        })
        .sum();
    // The program under test is not optimised; the product's is measured by the bench, and smaller.
    assert!(private <= 2048, "{private} KiB of private memory");
    assert_eq!(std::fs::read_link(format!("/proc/{supervisor}/cwd")).unwrap(), Path::new("/"));
    for entry in std::fs::read_dir(format!("/proc/{supervisor}/fd")).unwrap() {
        let target = std::fs::read_link(entry.unwrap().path()).unwrap();
        assert_ne!(target, held);
        let own =
            target.starts_with(space.root()) || target == Path::new("/dev/null") || !target.is_absolute();
        assert!(own || target.starts_with("/dev/pts"), "the supervisor has {} open", target.display());
    }
}

fn created_started_stopped_and_started_again(who: Who) {
    let space = Space::new(who);
    let words = [
        "create",
        "--name",
        "one",
        "--network",
        "none",
        "base",
        "sh",
        "-c",
        "echo x >>/mark; exec sleep 600",
    ];
    let id = space.minidocker(&words).out.trim_end().to_owned();
    assert_eq!(state(&space, &id)["phase"], "created");
    assert_eq!(names_in(&space.root().join("unfinished")), [""; 0]);
    for runs in 1..=3 {
        says(&space, &["start", "one"], "one\n");
        let first = pid(&space, &id);
        wait_until("it has written", || {
            std::fs::read_to_string(directory(&space, &id).join("upper/mark"))
                .is_ok_and(|mark| mark.lines().count() == runs)
        });
        // To start what runs is no failure.
        says(&space, &["start", "one"], "one\n");
        assert_eq!(pid(&space, &id), first);
        says(&space, &["stop", "-t", "0", "one"], "one\n");
        assert!(!lives(first));
        let state = state(&space, &id);
        assert_eq!((&state["phase"], &state["exit"]), (&"exited".into(), &137.into()));
        // To stop what has ended is none either.
        says(&space, &["stop", "one"], "one\n");
    }
    says(&space, &["restart", "-t", "0", "one"], "one\n");
    let first = pid(&space, &id);
    says(&space, &["restart", "-t", "0", "one"], "one\n");
    assert!(!lives(first) && lives(pid(&space, &id)));
    says(&space, &["rm", "-f", "one"], "one\n");
}

fn stop_waits_and_then_kills(who: Who) {
    let space = Space::new(who);
    let polite = background(&space, &[], &["sh", "-c", "trap 'exit 3' TERM; sleep 600 & wait"]);
    wait_until("the trap is set", || status_of(pid(&space, &polite), "SigCgt") != "0000000000000000");
    says(&space, &["stop", &polite], &format!("{polite}\n"));
    assert_eq!(state(&space, &polite)["exit"], 3);
    // Its own signal, and its own time.
    let options = ["--stop-signal", "USR1", "--stop-timeout", "1"];
    let deaf = background(&space, &options, &["sleep", "600"]);
    let start = Instant::now();
    says(&space, &["stop", &deaf], &format!("{deaf}\n"));
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(state(&space, &deaf)["exit"], 137);
    let asked = background(&space, &options, &["sh", "-c", "trap 'exit 4' USR1; sleep 600 & wait"]);
    wait_until("the trap is set", || status_of(pid(&space, &asked), "SigCgt") != "0000000000000000");
    says(&space, &["stop", &asked], &format!("{asked}\n"));
    assert_eq!(state(&space, &asked)["exit"], 4);
}

fn a_signal_is_sent_by_name_and_number(who: Who) {
    let space = Space::new(who);
    for (signal, number) in [("USR1", 10), ("SIGHUP", 1), ("12", 12)] {
        let script = format!("trap 'exit {number}' {number}; sleep 600 & wait");
        let id = background(&space, &[], &["sh", "-c", &script]);
        wait_until("the trap is set", || status_of(pid(&space, &id), "SigCgt") != "0000000000000000");
        says(&space, &["kill", "-s", signal, &id], &format!("{id}\n"));
        says(&space, &["wait", &id], &format!("{number}\n"));
    }
    let id = background(&space, &[], &["sleep", "600"]);
    space.minidocker(&["kill", "-s", "NONSENSE", &id]).assert_refused(&["NONSENSE"]);
    says(&space, &["kill", &id], &format!("{id}\n"));
    says(&space, &["wait", &id], "137\n");
    space.minidocker(&["kill", &id]).assert_failed(&[&id, "not running"]);
}

fn what_is_to_be_started_again_is(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &["--restart", "always"], &["sh", "-c", "echo x >>/mark; exec sleep 600"]);
    let supervisor = status_of(pid(&space, &id), "PPid");
    let first = pid(&space, &id);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first as i32), nix::sys::signal::SIGKILL).unwrap();
    wait_until("it runs again", || {
        state(&space, &id)["phase"]["running"]["pid"].as_u64().is_some_and(|now| now != u64::from(first))
    });
    assert_eq!(status_of(pid(&space, &id), "PPid"), supervisor, "the same supervisor");
    assert_eq!(state(&space, &id)["restarts"], 1);
    says(&space, &["rm", "-f", &id], &format!("{id}\n"));
}

fn who_is_stopped_is_not_started_again(who: Who) {
    let space = Space::new(who);
    for policy in ["always", "unless-stopped", "on-failure"] {
        let id = background(&space, &["--restart", policy], &["sleep", "600"]);
        says(&space, &["stop", "-t", "0", &id], &format!("{id}\n"));
        assert_eq!(state(&space, &id)["phase"], "exited", "{policy}");
        says(&space, &["start", &id], &format!("{id}\n"));
        says(&space, &["kill", &id], &format!("{id}\n"));
        says(&space, &["wait", &id], "137\n");
        assert_eq!(state(&space, &id)["phase"], "exited", "{policy}");
    }
    // Also while it waits to be started again.
    let id = background(&space, &["--restart", "always"], &["false"]);
    wait_until("it waits", || state(&space, &id)["restarts"].as_u64() >= Some(2));
    says(&space, &["stop", &id], &format!("{id}\n"));
    assert_eq!(state(&space, &id)["phase"], "exited");
    space
        .minidocker(&["run", "--restart", "always", "--rm", "base", "true"])
        .assert_refused(&["--restart", "--rm"]);
}

fn a_failure_is_tried_again_so_often(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &["--restart", "on-failure:2"], &["sh", "-c", "echo x >>/mark; exit 5"]);
    says(&space, &["wait", &id], "5\n");
    wait_until("it has given up", || state(&space, &id)["phase"] == "exited");
    assert_eq!(state(&space, &id)["restarts"], 2);
    let mark = std::fs::read_to_string(directory(&space, &id).join("upper/mark")).unwrap();
    assert_eq!(mark.lines().count(), 3);
}

fn wait_tells_the_status(who: Who) {
    let space = Space::new(who);
    let slow = background(&space, &[], &["sh", "-c", "sleep 0.3; exit 7"]);
    let quick = background(&space, &[], &["sh", "-c", "exit 8"]);
    says(&space, &["wait", &slow, &quick], "7\n8\n");
    says(&space, &["wait", &slow], "7\n");
}

fn a_name_moves(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &["--name", "old"], &["sleep", "600"]);
    let other = background(&space, &["--name", "other"], &["true"]);
    says(&space, &["rename", "old", "new"], "");
    space.minidocker(&["rename", "new", "other"]).assert_failed(&["other", &other]);
    space.minidocker(&["rename", "new", "b/ad"]).assert_failed(&["b/ad"]);
    assert_eq!(names_in(&space.root().join("names")), ["new", "other"]);
    space.minidocker(&["stop", "old"]).assert_failed(&["old"]);
    says(&space, &["rm", "-f", "new"], "new\n");
    assert!(!directory(&space, &id).exists());
    assert_eq!(names_in(&space.root().join("names")), ["other"]);
}

fn names_and_prefixes_mean_one(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &["--name", "web"], &["true"]);
    for word in ["web", &id, &id[..6], &id[..11]] {
        says(&space, &["wait", word], "0\n");
    }
    // A name is no prefix of itself, and two that begin alike are nobody.
    space.minidocker(&["wait", "we"]).assert_failed(&["we"]);
    let ids: Vec<String> = (0..17).map(|_| background(&space, &[], &["true"])).collect();
    let twice = ids.iter().enumerate().find_map(|(at, id)| {
        let prefix = &id[..1];
        ids[at + 1..].iter().any(|other| other.starts_with(prefix)).then_some(prefix)
    });
    space.minidocker(&["rm", twice.unwrap()]).assert_failed(&[twice.unwrap()]);
    assert_eq!(space.containers().len(), 18);
}

fn remove_by_force(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &["--restart", "always", "--name", "tough"], &["sleep", "600"]);
    let first = pid(&space, &id);
    space.minidocker(&["rm", "tough"]).assert_failed(&["tough", "running"]);
    says(&space, &["rm", "-f", "tough"], "tough\n");
    assert!(!lives(first));
    let brief = background(&space, &["--rm", "--name", "brief"], &["sleep", "600"]);
    says(&space, &["rm", "-f", &brief], &format!("{brief}\n"));
    assert_eq!(space.containers(), [""; 0]);
}

fn a_killed_client_leaves_the_container_running(who: Who) {
    let space = Space::new(who);
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "--name",
        "left",
        "base",
        "sh",
        "-c",
        "echo ready; exec sleep 600",
    ];
    let mut running = Running::start(space.command().args(words));
    running.expect("ready");
    let first = running.pid();
    running.signal(nix::sys::signal::SIGKILL);
    wait_until("the client has gone", || !lives(running.client()));
    says(&space, &["rename", "left", "kept"], "");
    assert!(lives(first));
    says(&space, &["rm", "-f", "kept"], "kept\n");
    assert!(!lives(first));
    running.end();
}

fn paused_and_going_on() {
    let space = Space::new(Who::Root);
    let id = background(&space, &["--name", "ice"], &["sh", "-c", "while :; do :; done"]);
    let first = pid(&space, &id);
    let used = || {
        let stat = std::fs::read_to_string(format!("/proc/{first}/stat")).unwrap();
        let fields: Vec<u64> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse().unwrap())
            .collect();
        fields[0] + fields[1]
    };
    says(&space, &["pause", "ice"], "ice\n");
    let frozen = used();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(used(), frozen, "it got processor time while it was frozen");
    space.minidocker(&["pause", "ice"]).assert_failed(&["ice", "paused"]);
    says(&space, &["unpause", "ice"], "ice\n");
    wait_until("it goes on", || used() > frozen);
    space.minidocker(&["unpause", "ice"]).assert_failed(&["ice", "not paused"]);
    // Whoever stops it need not thaw it first.
    says(&space, &["pause", "ice"], "ice\n");
    says(&space, &["stop", "-t", "0", "ice"], "ice\n");
    assert!(!lives(first));
    says(&space, &["start", "ice"], "ice\n");
    says(&space, &["pause", "ice"], "ice\n");
    says(&space, &["rm", "-f", "ice"], "ice\n");
}

fn one_bad_word_does_not_keep_the_others(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &[], &["sleep", "600"]);
    let outcome = space.minidocker(&["kill", "nobody", &id]);
    assert_eq!((outcome.status, outcome.out), (1, format!("{id}\n")));
    assert!(outcome.err.contains("nobody"), "{}", outcome.err);
}

fn bad_words_are_refused_and_leave_nothing(who: Who) {
    let space = Space::new(who);
    for (options, fact) in [
        (&["--restart", "sometimes"][..], "sometimes"),
        (&["--restart", "on-failure:x"], "on-failure:x"),
        (&["--stop-signal", "LOUD"], "LOUD"),
        (&["--label", "=x"], "=x"),
    ] {
        for verb in ["run", "create"] {
            let words = [&[verb], options, &["--network", "none", "base", "true"]].concat();
            space.minidocker(&words).assert_refused(&[fact]);
        }
    }
    assert_eq!(space.containers(), [""; 0]);
}

fn stop_explains_itself(who: Who) {
    let space = Space::new(who);
    let id = background(&space, &["--name", "web"], &["sh", "-c", "sleep 600 & exec sleep 600"]);
    let first = pid(&space, &id);
    let outcome = space.minidocker(&["--explain", "stop", "-t", "1", "web"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "web\n"), "{}", outcome.err);
    // Long lines are broken.
    let told = outcome.err.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = |what: &str| told.find(what).unwrap_or_else(|| panic!("{what:?} is not in:\n{told}"));
    let asked = place(&format!("pidfd_send_signal({first}, 15) = 0"));
    let waited = place(&format!("poll({first}, POLLIN, 1000) = 0"));
    let killed = place(&format!("pidfd_send_signal({first}, 9) = 0"));
    assert!(asked < waited && waited < killed, "{told}");
    if who == Who::Root {
        assert!(place("cgroup.procs") > killed && told.contains("→ nothing"), "{told}");
    }
}
