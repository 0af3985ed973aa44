//! `ps`: the containers in docker's table, and those of them that are asked for.

use crate::common::container::Running;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], the_table_is_dockers),
        as_both(&[], each_state_has_its_words),
        as_both(&[], some_are_asked_for),
        as_both(&[], each_by_a_template),
        as_both(&[], a_damaged_record_costs_its_container_alone),
        as_both(&[], a_killed_supervisor_is_seen_without_a_clearing_up),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `minidocker WORDS`, which must succeed and say nothing on standard error; what it says.
#[track_caller]
pub fn said(space: &Space, words: &[&str]) -> String {
    let outcome = space.minidocker(words);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{words:?} {}", outcome.out);
    outcome.out
}

/// A container that goes on until it is stopped; its id.
pub fn detached(space: &Space, options: &[&str]) -> String {
    detached_with(space, options, &["sleep", "1000"])
}

/// The same with another command. What it says goes nowhere: the test waits for the end of what its programs say.
pub fn detached_with(space: &Space, options: &[&str], command: &[&str]) -> String {
    let id = space.path("id");
    let script = format!("exec \"$@\" > {} 2>&1", id.display());
    let mut run = space.command_through(&["sh", "-c", &script, "sh"]);
    let words = [&["run", "-d", "--network", "none"], options, &["base"], command].concat();
    let outcome = Running::start(run.args(words)).end();
    let said = std::fs::read_to_string(&id).unwrap();
    assert_eq!((outcome.status, said.trim().len()), (0, 12), "{said}");
    said.trim().to_owned()
}

fn the_table_is_dockers(who: Who) {
    let space = Space::new(who);
    let heads = "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n";
    assert_eq!(said(&space, &["ps"]), heads);
    let id = detached(&space, &["--name", "web"]);
    let table = said(&space, &["ps"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert_eq!(
        lines[0],
        "CONTAINER ID   IMAGE     COMMAND        CREATED                  STATUS                  PORTS     NAMES"
    );
    assert!(lines[1].starts_with(&format!("{id}   base      \"sleep 1000\"   ")), "{table}");
    assert!(lines[1].contains(" ago") && lines[1].contains("Up ") && lines[1].ends_with("   web"), "{table}");
    assert_eq!(said(&space, &["ps", "-q"]), format!("{id}\n"));
    said(&space, &["rm", "-f", "web"]);
    assert_eq!(said(&space, &["ps", "-aq"]), "");
}

fn each_state_has_its_words(who: Who) {
    let space = Space::new(who);
    said(&space, &["create", "--name", "fresh", "--network", "none", "base", "true"]);
    detached(&space, &["--name", "busy"]);
    assert_eq!(
        space
            .minidocker(&["run", "--name", "failed", "--network", "none", "base", "sh", "-c", "exit 3"])
            .status,
        3
    );
    let status = |name: &str| {
        said(&space, &["ps", "-a", "-f", &format!("name=^{name}$"), "--format", "{{.State}}: {{.Status}}"])
    };
    assert_eq!(status("fresh"), "created: Created\n");
    assert!(status("busy").starts_with("running: Up "), "{}", status("busy"));
    assert!(status("failed").starts_with("exited: Exited (3) ") && status("failed").ends_with(" ago\n"));
    assert_eq!(said(&space, &["ps", "--format", "{{.Names}}"]), "busy\n", "only those that run");
    // Where no group could be made, nothing can be frozen.
    if space.minidocker(&["pause", "busy"]).status == 0 {
        let paused = status("busy");
        assert!(paused.starts_with("paused: Up ") && paused.ends_with(" (Paused)\n"), "{paused}");
        assert_eq!(said(&space, &["ps", "-q", "--filter", "status=paused"]).lines().count(), 1);
        said(&space, &["unpause", "busy"]);
    }
    said(&space, &["rm", "-f", "busy"]);
}

fn some_are_asked_for(who: Who) {
    let space = Space::new(who);
    let create = |name: &str, options: &[&str]| {
        let words = [&["create", "--name", name, "--network", "none"], options, &["base", "true"]].concat();
        said(&space, &words).trim().to_owned()
    };
    let first = create("first", &["--label", "tier=front"]);
    create("second", &["--label", "tier=back", "--label", "old"]);
    create("third", &["-v", "data:/data"]);
    let names = |options: &[&str]| {
        let names = said(&space, &[&["ps", "-a", "--format", "{{.Names}}"], options].concat());
        names.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["third", "second", "first"], "the youngest first");
    assert_eq!(names(&["-n", "2"]), ["third", "second"]);
    assert_eq!(said(&space, &["ps", "-l", "--format", "{{.Names}}"]), "third\n");
    for (filter, expected) in [
        ("name=ir", &["third", "first"][..]),
        ("name=^f", &["first"]),
        ("label=tier", &["second", "first"]),
        ("label=tier=front", &["first"]),
        ("status=created", &["third", "second", "first"]),
        ("status=running", &[]),
        ("ancestor=base", &["third", "second", "first"]),
        ("ancestor=other", &[]),
        ("before=second", &["first"]),
        ("since=first", &["third", "second"]),
        ("volume=data", &["third"]),
        ("volume=/data", &["third"]),
        ("network=none", &["third", "second", "first"]),
        ("exited=0", &[]),
    ] {
        assert_eq!(names(&["--filter", filter]), expected, "{filter}");
    }
    assert_eq!(names(&["-f", &format!("id={}", &first[..6])]), ["first"]);
    assert_eq!(names(&["-f", "name=first", "-f", "name=second"]), ["second", "first"]);
    assert_eq!(names(&["-f", "label=tier", "-f", "label=old"]), ["second"]);
    for bad in ["size=3", "name"] {
        space.minidocker(&["ps", "-f", bad]).assert_refused(&[bad]);
    }
}

fn each_by_a_template(who: Who) {
    let space = Space::new(who);
    let id = said(
        &space,
        &["create", "--name", "web", "--network", "none", "base", "sh", "-c", "echo a long command line"],
    );
    let id = id.trim();
    assert_eq!(
        said(&space, &["ps", "-a", "--format", "{{.ID}} {{.Image}} {{.Command}}"]),
        format!("{id} base \"sh -c 'echo a long …\"\n")
    );
    let whole = said(&space, &["ps", "-a", "--no-trunc", "--format", "{{.Command}}"]);
    assert_eq!(whole, "\"sh -c 'echo a long command line'\"\n");
    assert_eq!(
        said(&space, &["ps", "-a", "--format", r"table {{.Names}}\t{{.Status}}"]),
        "NAMES     STATUS\nweb       Created\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&said(&space, &["ps", "-a", "--format", "json"])).unwrap();
    assert_eq!((&json["ID"], &json["Names"], &json["State"]), (&id.into(), &"web".into(), &"created".into()));
    let sized = said(&space, &["ps", "-as"]);
    assert!(sized.lines().next().unwrap().ends_with("SIZE") && sized.contains("0B (virtual "), "{sized}");
    space.minidocker(&["ps", "-a", "--format", "{{.Nope}}"]).assert_refused(&["Nope"]);
}

fn a_damaged_record_costs_its_container_alone(who: Who) {
    let space = Space::new(who);
    let create = |name: &str| {
        said(&space, &["create", "--name", name, "--network", "none", "base", "true"]).trim().to_owned()
    };
    let (_good, bad) = (create("good"), create("bad"));
    for name in ["state.json", "config.json"] {
        std::fs::write(space.root().join("containers").join(&bad).join(name), "{").unwrap();
        let outcome = space.minidocker(&["ps", "-a", "--format", "{{.Names}}"]);
        assert_eq!((outcome.status, outcome.out.as_str()), (0, "good\n"));
        assert_eq!(outcome.err.lines().count(), 1, "{}", outcome.err);
        assert!(outcome.err.contains(&bad), "{}", outcome.err);
    }
    said(&space, &["rm", "bad"]);
    assert_eq!(said(&space, &["ps", "-a", "--format", "{{.Names}}"]), "good\n");
}

fn a_killed_supervisor_is_seen_without_a_clearing_up(who: Who) {
    let space = Space::new(who);
    let running = Running::start(space.command().args([
        "run",
        "--name",
        "web",
        "--network",
        "none",
        "-i",
        "base",
        "sh",
        "-c",
        "echo ready; read line",
    ]));
    let mut running = running;
    running.expect("ready");
    running.kill_supervisor();
    running.wait();
    let status = said(&space, &["ps", "-a", "--format", "{{.Names}} {{.Status}}"]);
    assert!(status.starts_with("web Exited (137) "), "{status}");
}
