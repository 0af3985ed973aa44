//! `top`: the processes of a container, with their pids on the host.

use crate::common::container::{Running, children_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], it_lists_what_runs_inside_and_nobody_else),
        as_both(&[Need::Program("ps", "procps")], it_agrees_with_ps),
        as_both(&[Need::Program("ps", "procps")], options_of_ps_choose_the_columns),
        as_both(&[], what_does_not_run_has_no_processes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A container called `box` with a shell and a `sleep` in it; and an `exec`ed one.
fn busy(space: &Space) -> (Running, Running) {
    let mut first = space.start(&["--name", "box"], &["sh", "-c", "sleep 1000 & echo ready; read line"]);
    first.expect("ready");
    let mut visitor =
        Running::start(space.command().args(["exec", "-i", "box", "sh", "-c", "echo in; read line"]));
    visitor.expect("in");
    (first, visitor)
}

fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

fn top(space: &Space, options: &[&str]) -> String {
    let outcome = space.minidocker(&[&["top", "box"], options].concat());
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
    outcome.out
}

fn it_lists_what_runs_inside_and_nobody_else(who: Who) {
    let space = Space::new(who);
    let (first, visitor) = busy(&space);
    let said = top(&space, &[]);
    let rows = rows(&said);
    assert_eq!(rows[0], ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    let mut found: Vec<u32> = rows[1..].iter().map(|row| row[1].parse().unwrap()).collect();
    let mut expected = [vec![first.pid(), visitor.pid()], children_of(first.pid())].concat();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let sleeper = rows.iter().find(|row| row[7..] == ["sleep", "1000"]).unwrap();
    assert_eq!(sleeper[2], first.pid().to_string(), "the parent");
    assert_eq!(sleeper[6], "00:00:00");
}

fn it_agrees_with_ps(who: Who) {
    let space = Space::new(who);
    let _both = busy(&space);
    // ps cuts a long name of a user short.
    let without_user = |text: &str| rows(text).iter().map(|row| row[1..].join(" ")).collect::<Vec<_>>();
    assert_eq!(without_user(&top(&space, &[])), without_user(&top(&space, &["-ef"])));
}

fn options_of_ps_choose_the_columns(who: Who) {
    let space = Space::new(who);
    let (first, _visitor) = busy(&space);
    let said = top(&space, &["-e", "-o", "pid,comm"]);
    let rows = rows(&said);
    assert_eq!(rows[0], ["PID", "COMMAND"]);
    assert!(rows.contains(&vec![first.pid().to_string().as_str(), "sh"]), "{said}");
    assert_eq!(rows.len(), 4, "{said}");
    for (options, fact) in [(&["-e", "-o", "comm"][..], "PID"), (&["--no-such-option"], "ps")] {
        space.minidocker(&[&["top", "box"], options].concat()).assert_failed(&[fact]);
    }
}

fn what_does_not_run_has_no_processes(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["top", "box"]).assert_failed(&["\"box\""]);
    let ended = space.command().args(["run", "--name", "box", "--network", "none", "base", "true"]).status();
    assert!(ended.unwrap().success());
    space.minidocker(&["top", "box"]).assert_failed(&["container box is not running"]);
}
