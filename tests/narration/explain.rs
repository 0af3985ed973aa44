//! `--explain`: colour, width, order, and silence without it.

use super::text::{chapters, columns, explained_at, is_chinese, words};
use crate::common::container::{Outcome, Running};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_pipe_gets_no_colour),
        as_both(&[], colour_is_for_who_asks_for_it),
        as_both(&[], no_line_is_wider_than_the_page),
        as_both(&[], the_runtime_then_init_then_the_clean_up),
        as_root(&[Need::Iptables], the_bridge_comes_before_the_clone_and_the_cable_after),
        as_both(&[], the_same_steps_are_told_in_both_languages),
        as_both(&[], what_is_not_asked_for_is_not_said),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `minidocker run … base true` with these flags and variables.
fn told(space: &Space, flags: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let words = [&["run", "--rm", "--network", "none"], flags, &["base", "true"]].concat();
    let outcome = Running::start(space.command().args(words).envs(variables.iter().copied())).end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, ""), "{}", outcome.err);
    outcome
}

fn a_pipe_gets_no_colour(who: Who) {
    let space = Space::new(who);
    for flags in [&["--explain"][..], &["--explain", "--color", "never"], &["--explain", "--color", "auto"]] {
        let plain = told(&space, flags, &[("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1")]).err;
        assert!(plain.contains("── uts  ") && !plain.contains('\x1b'), "{flags:?}: {plain:?}");
    }
}

fn colour_is_for_who_asks_for_it(who: Who) {
    let space = Space::new(who);
    let always = ["--explain", "--color", "always"];
    let coloured = told(&space, &always, &[("COLUMNS", "80")]).err;
    assert!(coloured.contains("\x1b[1m") && coloured.contains("\x1b[0m"), "{coloured:?}");
    // An explicit flag is stronger than NO_COLOR, and colour moves nothing.
    let asked = told(&space, &always, &[("NO_COLOR", "1"), ("COLUMNS", "80")]).err;
    assert!(asked.contains('\x1b'), "{asked:?}");
    for line in without_colour(&coloured).lines() {
        assert!(columns(line) <= 80, "{line:?}");
    }
    // Every line that begins a colour ends it: a process that dies between two lines leaves none behind.
    for line in coloured.lines().filter(|line| line.contains('\x1b')) {
        assert!(
            line.ends_with("\x1b[0m") || !line.rsplit("\x1b[0m").next().unwrap().contains('\x1b'),
            "{line:?}"
        );
    }
}

/// The text without its escape sequences.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').unwrap().1)
}

fn no_line_is_wider_than_the_page(who: Who) {
    let space = Space::new(who);
    for (width, lang) in [(80, "en"), (80, "zh"), (120, "en"), (120, "zh"), (43, "zh")] {
        let text = explained_at(&space, &width.to_string(), &["--network", "none", "--lang", lang]);
        let rules = text.lines().filter(|line| line.starts_with("── "));
        if width >= 80 {
            rules.for_each(|rule| assert_eq!(columns(rule), width, "{rule}"));
        }
        let body = text.lines().filter(|line| !line.starts_with("── "));
        let widest = body.max_by_key(|line| columns(line)).unwrap();
        assert!(columns(widest) <= width, "{} columns: {widest}", columns(widest));
        assert!(columns(widest) > width - 10, "only {} columns are used: {widest}", columns(widest));
        assert!(!text.lines().any(|line| line.ends_with(' ')), "blanks at an end of line:\n{text}");
        let bad = "，。；：、！？）】」』》”’";
        let begins_badly = |line: &&str| line.trim_start().starts_with(|first| bad.contains(first));
        assert_eq!(text.lines().find(begins_badly), None, "no line begins with closing punctuation");
    }
}

fn the_runtime_then_init_then_the_clean_up(who: Who) {
    let space = Space::new(who);
    let text = told(&space, &["--explain", "-v", "/tmp:/data:ro"], &[]).err;
    let (of_client, steps): (Vec<_>, Vec<_>) =
        chapters(&text).into_iter().partition(|step| step.is_by("client"));
    assert_eq!(words(&of_client), ["supervise"]);
    let of_runtime: Vec<bool> = steps.iter().map(|step| step.is_by("runtime")).collect();
    let first = of_runtime.iter().position(|runtime| !runtime).unwrap();
    let init = of_runtime[first..].iter().take_while(|runtime| !**runtime).count();
    let (before, inside) = (words(&steps[..first]), words(&steps[first..first + init]));
    let after = words(&steps[first + init..]);
    let before: Vec<&str> = before.into_iter().filter(|word| *word != "cgroup").collect();
    assert_eq!(before, ["claim", "state", "clone", "record"]);
    let inside: Vec<&str> = inside.into_iter().filter(|word| *word != "user-map").collect();
    let expected = [
        "clone",
        "cgroup-join",
        "time",
        "ipc",
        "uts",
        "mount",
        "overlay",
        "root",
        "devices",
        "volumes",
        "mask",
        "network",
        "harden",
        "exec",
    ];
    assert_eq!(inside, expected);
    assert_eq!(words(&steps).contains(&"user-map"), who == Who::User);
    assert_eq!(after, ["cleanup"]);
    // Two processes spoke, each under one pid; init's is the one that clone3 gave the runtime.
    let pids: std::collections::BTreeSet<u32> = steps.iter().map(|step| step.pid()).collect();
    assert_eq!(pids.len(), 2);
    let clone = steps.iter().find(|step| step.word == "clone").unwrap();
    let born = format!("= {}", steps[first].pid());
    assert!(clone.calls().iter().any(|call| call.contains("clone3(") && call.ends_with(&born)), "{clone:?}");
    assert_eq!(text.matches("\n     execve(").count(), 1);
}

fn the_bridge_comes_before_the_clone_and_the_cable_after() {
    let space = Space::new(Who::Root);
    let outcome = space.base(&["--network", "bridge", "--explain"], &["true"]);
    let steps = chapters(&outcome.err);
    let words: Vec<&str> = words(&steps).into_iter().filter(|word| *word != "cgroup").collect();
    assert_eq!(words[..8], ["supervise", "claim", "state", "bridge", "clone", "attach", "record", "clone"]);
    assert!(steps.iter().find(|step| step.word == "attach").unwrap().is_by("runtime"));
    assert_eq!(steps.iter().filter(|step| step.word == "cleanup").count(), 1);
}

fn the_same_steps_are_told_in_both_languages(who: Who) {
    let space = Space::new(who);
    let [english, chinese] =
        ["en", "zh"].map(|lang| chapters(&told(&space, &["--explain", "--lang", lang], &[]).err));
    assert_eq!(words(&english), words(&chinese));
    for (english, chinese) in english.iter().zip(&chinese) {
        assert_eq!(english.calls().len(), chinese.calls().len(), "{}", english.word);
        let prose = |text: &str| text.lines().filter(|line| line.chars().any(is_chinese)).count();
        assert!(chinese.heading.chars().any(is_chinese), "{}", chinese.heading);
        assert!(prose(&chinese.text()) > 1, "{}", chinese.text());
        assert_eq!(prose(&english.text()), 0, "{}", english.text());
    }
}

fn what_is_not_asked_for_is_not_said(who: Who) {
    let space = Space::new(who);
    assert_eq!(told(&space, &[], &[]).err, "");
    assert_eq!(told(&space, &["--color", "always", "--lang", "zh"], &[]).err, "");
    assert_eq!(space.sh(&[], "echo out; echo out"), "out\nout\n");
    let outcome = space.base(&[], &["sh", "-c", "echo err >&2"]);
    assert_eq!((outcome.status, outcome.out.as_str(), outcome.err.as_str()), (0, "", "err\n"));
}
