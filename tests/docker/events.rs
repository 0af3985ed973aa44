//! What became of containers and all the rest, and what shells are told.

use super::ps::said;
use crate::common::container::Running;
use crate::common::need::{Need, is_met};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, test};
use std::process::Command;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], what_happened_is_told_in_dockers_lines),
        as_both(&[], what_happens_is_told_at_once),
        as_both(&[], the_file_of_events_is_one_object_a_line),
        as_both(&[], the_life_of_a_container_is_told),
        as_both(&[], nothing_of_it_is_left_by_prune_all),
        test(&[Need::Program("bash", "bash")], completions_are_what_the_shell_understands),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn what_happened_is_told_in_dockers_lines(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["volume", "create", "web"]);
    space.minidocker(&["volume", "create", "web"]);
    space.minidocker(&["volume", "rm", "web"]);
    let told = |options: &[&str]| {
        let outcome = space.minidocker(&[&["events", "--since", "1h", "--until", "0s"], options].concat());
        assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
        outcome.out
    };
    let lines = told(&["--filter", "type=volume"]);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let (time, rest) = lines[0].split_once(' ').unwrap();
    assert_eq!(rest, "volume create web (driver=local)");
    assert_eq!((time.len(), time.ends_with('Z')), ("2026-11-29T14:27:54.000000005Z".len(), true), "{time}");
    assert!(lines[1].ends_with(" volume destroy web (driver=local)"), "{}", lines[1]);
    assert_eq!(
        told(&["--filter", "event=destroy", "--format", "{{.Action}} {{.Actor.ID}}"]),
        "destroy web\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(told(&["-f", "volume=web", "-f", "event=create", "--format", "json"]).trim())
            .unwrap();
    assert_eq!(
        (&json["Type"], &json["Action"], &json["scope"]),
        (&"volume".into(), &"create".into(), &"local".into())
    );
    assert!(json["timeNano"].as_u64().unwrap() / 1_000_000_000 == json["time"].as_u64().unwrap());
    assert_eq!(told(&["-f", "container=nobody"]), "");
    for bad in [&["--since", "yesterday"][..], &["-f", "size=1"], &["--format", "{{"]] {
        space.minidocker(&[&["events", "--until", "0s"], bad].concat()).assert_refused(&[]);
    }
}

fn what_happens_is_told_at_once(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["volume", "create", "before"]);
    let since = ["events", "--since", "1h", "-f", "type=volume", "--format", "{{.Action}} {{.Actor.ID}}"];
    let mut running = Running::start(space.command().args(since));
    running.expect("create before");
    for name in ["one", "two"] {
        space.minidocker(&["volume", "create", name]);
        running.expect(&format!("create {name}"));
    }
    running.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(running.wait().status, 130);
}

fn the_file_of_events_is_one_object_a_line(who: Who) {
    let space = Space::new(who);
    let names: Vec<String> = (0..8).map(|number| format!("volume{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| assert_eq!(space.minidocker(&["volume", "create", name]).status, 0));
        }
    });
    let text = std::fs::read_to_string(space.root().join("events")).unwrap();
    let mut told: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["type"] == "volume" && event["v"] == 1 && event["pid"].is_u64())
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, names);
    // What is no event costs itself alone.
    std::fs::write(space.root().join("events"), format!("{{\n{text}")).unwrap();
    let outcome = space.minidocker(&["events", "--since", "1h", "--until", "0s", "-f", "type=volume"]);
    assert_eq!((outcome.status, outcome.out.lines().count()), (0, 8));
}

fn nothing_of_it_is_left_by_prune_all(who: Who) {
    let space = Space::bare(who);
    space.minidocker(&["volume", "create", "web"]);
    assert!(space.root().join("events").exists());
    assert_eq!(space.minidocker(&["prune", "-a"]).status, 0);
    assert_eq!(crate::common::space::names_in(&space.root()), [""; 0]);
}

fn completions_are_what_the_shell_understands() {
    let space = Space::new(if is_met(Need::Root) { Who::Root } else { Who::User });
    space.minidocker(&["volume", "create", "somewhere"]);
    for shell in ["bash", "zsh", "fish"] {
        let outcome = space.minidocker(&["completions", shell]);
        assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{shell}");
        assert!(outcome.out.contains("minidocker"), "{shell}");
    }
    let script = space.path("completions");
    std::fs::write(&script, space.minidocker(&["completions", "bash"]).out).unwrap();
    let program = crate::common::space::program();
    let complete = |words: &[&str]| {
        let asked = format!(
            "PATH={}:$PATH; export MINIDOCKER_ROOT={}; source {}; COMP_WORDS=({}); COMP_CWORD={}; \
             _minidocker_names minidocker '{}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            program.parent().unwrap().display(),
            space.root().display(),
            script.display(),
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words.last().unwrap(),
        );
        let output = Command::new("bash").args(["-c", &asked]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["minidocker", "vol"]), ["volume"]);
    assert!(complete(&["minidocker", "volume", "rm", "some"]).contains(&"somewhere".to_owned()));
    assert!(complete(&["minidocker", "run", "--net"]).contains(&"--network".to_owned()));
}

fn the_life_of_a_container_is_told(who: Who) {
    let space = Space::new(who);
    let id = said(
        &space,
        &["create", "--name", "web", "--network", "none", "--label", "a=b", "base", "sleep", "1000"],
    );
    let id = id.trim();
    let start = ["sh", "-c", "exec \"$@\" > /dev/null 2>&1", "sh"];
    assert_eq!(Running::start(space.command_through(&start).args(["start", "web"])).end().status, 0);
    for words in [
        &["rename", "web", "site"][..],
        &["kill", "-s", "USR1", "site"],
        &["stop", "-t", "0", "site"],
        &["rm", "site"],
    ] {
        said(&space, words);
    }
    let told = said(
        &space,
        &[
            "events",
            "--since",
            "1h",
            "--until",
            "0s",
            "-f",
            &format!("container={id}"),
            "--format",
            "{{.Action}}",
        ],
    );
    let actions: Vec<&str> = told.lines().collect();
    assert_eq!(actions[..4], ["create", "start", "rename", "kill"]);
    assert!(["die", "stop", "destroy"].iter().all(|action| actions.contains(action)), "{actions:?}");
    assert_eq!(actions.last(), Some(&"destroy"));
    let die = said(&space, &["events", "--since", "1h", "--until", "0s", "-f", "event=die"]);
    assert!(
        die.contains(&format!(" container die {id} (a=b, exitCode=")) && die.contains("image=base, name="),
        "{die}"
    );
    assert_eq!(
        space.minidocker(&["run", "--rm", "--name", "short", "--network", "none", "base", "false"]).status,
        1
    );
    let actions = said(
        &space,
        &["events", "--since", "1h", "--until", "0s", "-f", "container=short", "--format", "{{.Action}}"],
    );
    assert_eq!(actions, "create\nstart\ndie\ndestroy\n");
}
