//! `--lang`: by default the environment's, and in Chinese all of it.

use super::text::{chapters, explained, is_chinese};
use crate::common::container::{Outcome, Running};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root, as_user};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], the_environment_decides_unless_the_flag_does),
        as_both(&[], chinese_prose_has_no_english_sentence),
        as_root(&[Need::Iptables], chinese_prose_of_the_bridge_has_no_english_sentence),
        as_both(&[], steps_and_notes_are_chinese_too),
        as_both(&[], errors_are_chinese_too),
        as_user(&[], refusals_of_an_ordinary_user_are_chinese_too),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn the_environment_decides_unless_the_flag_does(who: Who) {
    let space = Space::new(who);
    let chinese = |variables: &[(&str, &str)], flags: &[&str]| {
        let words = [flags, &["run", "--rm", "no-such-image", "true"]].concat();
        let mut command = space.command();
        command.env_remove("LANG").args(words).envs(variables.iter().copied());
        let outcome = Running::start(&mut command).end();
        assert_eq!(outcome.status, 125, "{}", outcome.err);
        outcome.err.chars().any(is_chinese)
    };
    let cases: [(&[(&str, &str)], bool); 9] = [
        (&[], false),
        (&[("LANG", "C.UTF-8")], false),
        (&[("LANG", "zh_CN.UTF-8")], true),
        (&[("LANG", "zh_TW.UTF-8")], true),
        (&[("LC_ALL", "zh_CN.UTF-8")], true),
        (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], false),
        (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")], true),
        (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "zh_CN.UTF-8")], true),
        (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "zh_CN.UTF-8")], true),
    ];
    for (variables, expected) in cases {
        assert_eq!(chinese(variables, &[]), expected, "{variables:?}");
        assert!(chinese(variables, &["--lang", "zh"]), "{variables:?}");
        assert!(!chinese(variables, &["--lang", "en"]), "{variables:?}");
    }
}

/// Four words of a language with Latin letters in a row, outside of quotation marks and of what the kernel said: the
/// beginning of a sentence that nobody translated.
fn english_in(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' | '`' => quoted = !quoted,
            _ if quoted => {}
            other => plain.push(other),
        }
    }
    for said in ["No such file or directory", "No space left on device"] {
        plain = plain.replace(said, "");
    }
    let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let words: Vec<&str> = plain.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
    words.windows(4).find(|four| four.iter().all(is_word)).map(|four| four.join(" "))
}

fn chinese_prose_has_no_english_sentence(who: Who) {
    let space = Space::new(who);
    let text = explained(&space, &["--network", "none", "--lang", "zh", "-v", "/tmp:/data:ro", "--init"]);
    assert_eq!(english_in(&text), None, "{text}");
    // The net is fine enough: every step of the English explanation is caught in it.
    for chapter in chapters(&explained(&space, &["--network", "none"])) {
        assert!(english_in(&chapter.text()).is_some(), "{}", chapter.text());
    }
}

fn chinese_prose_of_the_bridge_has_no_english_sentence() {
    let space = Space::new(Who::Root);
    let text =
        explained(&space, &["--network", "bridge", "--lang", "zh", "--pids-limit", "50", "--cpus", "1"]);
    assert_eq!(english_in(&text), None, "{text}");
}

fn steps_and_notes_are_chinese_too(who: Who) {
    // The image is yet to be made, which is told in a note, and by a step.
    let space = Space::bare(who);
    let told = |flag: &str| {
        let words = ["run", "--rm", "--network", "none", flag, "--lang", "zh", "base", "true"];
        let outcome = Running::start(space.command_through(&["setsid"]).args(words)).end();
        assert_eq!(outcome.status, 0, "{}", outcome.err);
        outcome.err
    };
    let explained = told("--step");
    assert!(explained.contains("minidocker: 正在") && explained.contains("── image  "), "{explained}");
    assert!(explained.contains("按回车继续："), "{explained}");
    assert_eq!(english_in(&explained), None, "{explained}");
    for comment in told("--shell").lines().filter(|line| line.starts_with("# ")) {
        assert_eq!(english_in(comment), None, "{comment}");
    }
}

/// An error of minidocker's own in both languages: the Chinese sentence is Chinese, and names the same facts.
fn assert_translated(space: &Space, words: &[&str], facts: &[&str]) {
    let [english, chinese] = ["en", "zh"].map(|lang| {
        let words = [&["--lang", lang, "run", "--rm"], words].concat();
        Running::start(space.command().args(words)).end()
    });
    assert_eq!((english.status, chinese.status), (125, 125), "{}\n{}", english.err, chinese.err);
    let (english, chinese): (&Outcome, &Outcome) = (&english, &chinese);
    assert!(!english.err.chars().any(is_chinese), "{}", english.err);
    assert!(chinese.err.chars().filter(|one| is_chinese(*one)).count() > 4, "{}", chinese.err);
    assert_eq!(english_in(&chinese.err), None, "{}", chinese.err);
    for fact in facts {
        assert!(
            english.err.contains(fact) && chinese.err.contains(fact),
            "{fact}:\n{}{}",
            english.err,
            chinese.err
        );
    }
    assert_eq!(chinese.err.trim_end().lines().count(), 1, "{}", chinese.err);
}

fn errors_are_chinese_too(who: Who) {
    let space = Space::new(who);
    let none = ["--network", "none"];
    let cases: [(&[&str], &[&str]); 9] = [
        (&["no-such-image"], &["no-such-image"]),
        (&["-m", "12q", "base"], &["12q"]),
        (&["--cpus", "100000", "base"], &["100000"]),
        (&["--mount", "type=bind,src=/no/such/thing,dst=/data", "base", "true"], &["/no/such/thing"]),
        (&["-v", "relative:data", "base", "true"], &["relative:data"]),
        (&["--network", "no-such-network", "base"], &["no-such-network"]),
        (&["--network", "container:nobody", "base"], &["nobody"]),
        (&["--cap-add", "CAP_NONSENSE", "base"], &["NONSENSE"]),
        (&["--name", "a b", "base"], &["a b"]),
    ];
    for (words, facts) in cases {
        let network = words.contains(&"--network");
        let words = [if network { &[][..] } else { &none }, words].concat();
        assert_translated(&space, &words, facts);
    }
    let missing = space.base(&["--lang", "zh"], &["no-such-command"]);
    assert_eq!(missing.status, 127);
    assert!(
        missing.err.contains("no-such-command") && missing.err.chars().any(is_chinese),
        "{}",
        missing.err
    );
}

fn refusals_of_an_ordinary_user_are_chinese_too() {
    let space = Space::new(Who::User);
    assert_translated(
        &space,
        &["--network", "none", "--user", "2000000000", "base", "true"],
        &["2000000000"],
    );
}
