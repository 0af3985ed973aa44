//! `stats`: what containers use, held against what they do.

use super::ps::{detached, detached_with, said};
use crate::common::container::Running;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [as_both(&[], who_works_is_seen_to_work), as_both(&[], the_table_goes_on_until_it_is_interrupted)]
        .into_iter()
        .flatten()
        .collect()
}

fn who_works_is_seen_to_work(who: Who) {
    let space = Space::new(who);
    let busy = detached_with(&space, &["--name", "busy"], &["sh", "-c", "while :; do :; done"]);
    detached(&space, &["--name", "idle"]);
    let table = said(&space, &["stats", "--no-stream"]);
    let head = table.lines().next().unwrap();
    let words: Vec<&str> = head.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(
        words,
        ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]
    );
    let format = "{{.Name}} {{.CPUPerc}} {{.PIDs}} {{.MemUsage}}";
    let lines = said(&space, &["stats", "--no-stream", "--format", format, "busy", "idle"]);
    let of = |name: &str| {
        let line = lines.lines().find(|line| line.starts_with(name)).unwrap();
        let mut words = line.split(' ').skip(1);
        let processor: f64 = words.next().unwrap().trim_end_matches('%').parse().unwrap();
        (processor, words.next().unwrap().to_owned(), words.next().unwrap().to_owned())
    };
    let (busy_processor, busy_tasks, busy_memory) = of("busy");
    let (idle_processor, idle_tasks, _) = of("idle");
    assert!(busy_processor > 5.0 && idle_processor < busy_processor / 2.0, "{lines}");
    assert_eq!((busy_tasks.as_str(), idle_tasks.as_str()), ("1", "1"));
    assert!(busy_memory.ends_with("iB") && busy_memory != "0B", "{lines}");
    let json: serde_json::Value =
        serde_json::from_str(said(&space, &["stats", "--no-stream", "--format", "json", "busy"]).trim())
            .unwrap();
    assert_eq!((&json["ID"], &json["NetIO"]), (&busy.into(), &"0B / 0B".into()));
    said(&space, &["rm", "-f", "busy", "idle"]);
    said(&space, &["create", "--name", "never", "--network", "none", "base", "true"]);
    let line = said(
        &space,
        &["stats", "-a", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}"],
    );
    assert_eq!(line, "never 0.00% 0B / 0B 0\n");
    space.minidocker(&["stats", "--no-stream", "nobody"]).assert_refused(&["nobody"]);
}

fn the_table_goes_on_until_it_is_interrupted(who: Who) {
    let space = Space::new(who);
    detached(&space, &["--name", "web"]);
    let mut running = Running::start(space.command().args(["stats", "--format", "{{.Name}}"]));
    running.expect("web");
    running.expect("web");
    running.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(running.wait().status, 130);
    let ends = Running::start(space.command().args(["stats", "--format", "{{.Name}}", "web"]));
    said(&space, &["rm", "-f", "web"]);
    assert_eq!(ends.wait().status, 0, "nobody is left to be looked at");
}
