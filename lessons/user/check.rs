//! What the kernel must say of the parts of lab `user`.
//!
//! `look` has the student's program run on the machine itself where it must be an ordinary user's.
//!
//! The checks of `map` run the student's program as an ordinary user of the grader's host; those of `assume` run it as
//! root there, where more ids than one have a meaning.

use crate::error::Result;
use crate::lab::bench::{Bench, Ran, Subject, no_probe};
use crate::lab::host::{DOOR, PLACE};
use crate::lab::lesson::{Act, Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::lab::witness;
use crate::narrate::words::Text;
use crate::said;
use crate::security::capabilities::Capabilities;
use crate::sys::{errno, file};
use serde_json::{Value, json};
use std::path::Path;

mod words;

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "user",
    title: Text {
        en: "who one is, inside and outside: uid_map, setgroups, setresuid",
        zh: "里面是谁，外面是谁：uid_map、setgroups、setresuid",
    },
    parts: &[
        Part { function: "map", field: "user", ours: &[("src/namespace/user.rs", "map_root")] },
        Part { function: "assume", field: "assume", ours: &[("src/process/identity.rs", "assume")] },
    ],
    needs: &[Need::UserNamespaces, Need::Overlay],
    checks: CHECKS,
    mistakes: words::MISTAKES,
    hints: words::HINTS,
    acts: &[Act { name: "make-file", act: make_file }, Act { name: "give-away", act: give_away }],
    page: "namespaces/user",
};

const CHECKS: &[Check] = &[
    Check {
        name: "uid-map",
        title: Text {
            en: "user 0 inside is the person outside, and nobody else is mapped",
            zh: "里面的用户 0 就是外面的使用者，此外没有映射别人",
        },
        points: 2,
        about: &["map"],
        needs: &[],
        look: "id -u; cargo run -qp minidocker-lessons --example lab-user -- run --rm base cat /proc/self/uid_map",
        run: uid_map,
    },
    Check {
        name: "gid-map",
        title: Text {
            en: "group 0 inside is the person's outside, and setgroups(2) is given up",
            zh: "里面的组 0 就是外面使用者的组，并且放弃了 setgroups(2)",
        },
        points: 1,
        about: &["map"],
        needs: &[],
        look: "id -g; cargo run -qp minidocker-lessons --example lab-user -- run --rm base cat /proc/self/gid_map /proc/self/setgroups",
        run: gid_map,
    },
    Check {
        name: "files",
        title: Text {
            en: "a file that root makes inside belongs to the person outside",
            zh: "里面的 root 建的文件，在外面属于使用者",
        },
        points: 2,
        about: &["map"],
        needs: &[],
        look: "cargo run -qp minidocker-lessons --example lab-user -- run --rm -v /tmp:/lab base sh -c 'echo > /lab/mine; ls -ln /lab/mine'; ls -ln /tmp/mine",
        run: files,
    },
    Check {
        name: "rights",
        title: Text {
            en: "the command has a container's fourteen capabilities, while the person has none",
            zh: "命令有容器的十四个 capability，而使用者一个也没有",
        },
        points: 1,
        about: &["map", "assume"],
        needs: &[],
        look: "grep CapEff /proc/self/status; cargo run -qp minidocker-lessons --example lab-user -- run --rm base grep CapEff /proc/self/status",
        run: rights,
    },
    Check {
        name: "ids",
        title: Text {
            en: "with --user, all user ids and all group ids are those asked for, and no capability is left",
            zh: "有 --user 时，所有用户 id 和组 id 都是要的那个，capability 一个不剩",
        },
        points: 2,
        about: &["assume"],
        needs: &[Need::Ids],
        look: "minidocker run --rm --user 4242:50 lab cat /proc/self/status",
        run: ids,
    },
    Check {
        name: "groups",
        title: Text {
            en: "with --user, the groups are those of that user, and none of root's",
            zh: "有 --user 时，附属组就是那个用户的，没有 root 的",
        },
        points: 2,
        about: &["assume"],
        needs: &[Need::Ids],
        look: "minidocker run --rm --user ana -v /tmp/lab/passwd:/etc/passwd -v /tmp/lab/group:/etc/group lab id",
        run: groups,
    },
];

/// A container of an ordinary user's.
fn by_person(bench: &Bench) -> Outcome<Subject> {
    diagnosed(bench.try_run_by_person(&[])?)
}

/// A container of root's whose command runs as somebody.
fn by_root(bench: &Bench, options: &[&str]) -> Outcome<Subject> {
    diagnosed(bench.try_run(options)?)
}

/// The container; if there is none, the known mistake that a refusal shows.
fn diagnosed(ran: Ran) -> Outcome<Subject> {
    let end = match ran {
        Ran::Probe(subject) => return Ok(subject),
        Ran::Ended(end) => end,
    };
    let outcome = Err(no_probe(&end));
    match refusal(&end.stderr) {
        Some(mistake) => outcome.known_as(mistake),
        None => outcome,
    }
}

/// The mistake that a refused request shows.
fn refusal(said: &str) -> Option<&'static str> {
    let quoted =
        said.split('"').find(|text| text.split(' ').filter(|word| word.parse::<u32>().is_ok()).count() == 3);
    let numbers: Vec<&str> = quoted.map(|text| text.split(' ').collect()).unwrap_or_default();
    match numbers[..] {
        _ if said.contains("gid_map") || said.contains("\"allow\"") => Some("setgroups-kept"),
        [_, _, count] if count != "1" => Some("ids-of-others"),
        [_, "0", _] => Some("outside-in"),
        _ if said.contains("setgroups") => Some("groups-regardless"),
        _ if said.contains("setresgid") => Some("user-first"),
        _ if said.contains("mount(\"overlay\"") || said.contains("EOVERFLOW") => Some("not-mapped"),
        _ => None,
    }
}

/// One of the numbers of a line of ids in `/proc/PID/status`, of which there are four: real, effective, saved, file system.
fn id(pid: i32, field: &str) -> Outcome<String> {
    Ok(witness::status(pid, field)?.split_whitespace().next().unwrap_or_default().to_owned())
}

/// What `/proc/PID/NAME` says, with single spaces.
fn words(pid: i32, name: &str) -> Outcome<String> {
    let text = file::read_text(Path::new(&format!("/proc/{pid}/{name}")))?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn uid_map(bench: &Bench) -> Outcome {
    let subject = by_person(bench)?;
    let person = id(subject.client(), "Uid")?;
    let (map, want) = (words(subject.probe.pid(), "uid_map")?, format!("0 {person} 1"));
    ensure(map == want, Said::plain(format!("uid_map: {map}")), Said::plain(format!("uid_map: {want}")))
        .known_as("same-inside")
}

fn gid_map(bench: &Bench) -> Outcome {
    let subject = by_person(bench)?;
    let person = id(subject.client(), "Gid")?;
    let (map, want) = (words(subject.probe.pid(), "gid_map")?, format!("0 {person} 1"));
    let seen = if map.is_empty() { "not-mapped" } else { "same-inside" };
    ensure(map == want, Said::plain(format!("gid_map: {map}")), Said::plain(format!("gid_map: {want}")))
        .known_as(seen)?;
    let setgroups = words(subject.probe.pid(), "setgroups")?;
    ensure(
        setgroups == "deny",
        Said::plain(format!("setgroups: {setgroups}")),
        Said::plain("setgroups: deny"),
    )
    .known_as("setgroups-kept")
}

fn files(bench: &Bench) -> Outcome {
    let subject = by_person(bench)?;
    let name = bench.another_nonce("file");
    let inside: u32 = subject.probe.ask("make-file", json!(name))??;
    let outside = file::status(&Path::new(DOOR).join(&name))?.uid.to_string();
    let person = id(subject.client(), "Uid")?;
    ensure(
        inside == 0 && outside == person,
        said!(
            "its owner is {inside} inside and {outside} outside",
            "属主在里面是 {inside}，在外面是 {outside}"
        ),
        said!("0 inside and {person} outside", "里面是 0，外面是 {person}"),
    )
    .known_as("same-inside")?;
    let given: Result<Value> = subject.probe.ask("give-away", json!(name))?;
    let refused = given.as_ref().is_err_and(|error| error.is(errno::EINVAL));
    ensure(
        refused,
        said!("it could be given to user 1", "竟能把它送给用户 1"),
        said!("EINVAL: nobody is 1 inside", "EINVAL：里面没有 1 号"),
    )
    .known_as("ids-of-others")
}

fn rights(bench: &Bench) -> Outcome {
    let subject = by_person(bench)?;
    let held = witness::status(subject.probe.pid(), "CapEff")?;
    let want = format!("{:016x}", Capabilities::DEFAULT.0);
    ensure(held == want, Said::plain(format!("CapEff: {held}")), Said::plain(format!("CapEff: {want}")))
        .known_as("same-inside")?;
    let outside = witness::status(subject.client(), "CapEff")?;
    let none = format!("{:016x}", 0);
    ensure(
        outside == none,
        said!("outside, CapEff: {outside}", "外面，CapEff: {outside}"),
        Said::plain(format!("CapEff: {none}")),
    )
}

fn ids(bench: &Bench) -> Outcome {
    const ASKED: [(&str, &str); 2] = [("Uid", "4242"), ("Gid", "50")];
    let subject = by_root(bench, &["--user", "4242:50"])?;
    for (field, number) in ASKED {
        let held =
            witness::status(subject.probe.pid(), field)?.split_whitespace().collect::<Vec<_>>().join(" ");
        let want = [number; 4].join(" ");
        let known = if field == "Uid" { "still-root" } else { "group-kept" };
        ensure(
            held == want,
            Said::plain(format!("{field}: {held}")),
            Said::plain(format!("{field}: {want}")),
        )
        .known_as(known)?;
    }
    let held = witness::status(subject.probe.pid(), "CapEff")?;
    let none = format!("{:016x}", 0);
    ensure(held == none, Said::plain(format!("CapEff: {held}")), Said::plain(format!("CapEff: {none}")))
        .known_as("still-root")
}

fn groups(bench: &Bench) -> Outcome {
    for (name, text) in [("passwd", PASSWD), ("group", GROUP)] {
        let path = Path::new(PLACE).join(name);
        file::if_there(file::unlink(&path))?;
        file::write_new(&path, text, 0o644)?;
    }
    let files = ["-v", "/tmp/lab/passwd:/etc/passwd:ro", "-v", "/tmp/lab/group:/etc/group:ro"];
    let subject = by_root(bench, &[&["--user", "ana"], &files[..]].concat())?;
    let held = witness::status(subject.probe.pid(), "Groups")?;
    let user = id(subject.probe.pid(), "Uid")?;
    ensure(
        held == "50 60",
        Said::plain(format!("Groups: {held}")),
        said!(
            "Groups: 50 60, as the container's /etc/group says",
            "Groups: 50 60，正如容器的 /etc/group 所写"
        ),
    )
    .known_as(if user == "0" { "still-root" } else { "groups-kept" })
}

/// Who is who where the groups are looked at.
const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nana:x:4242:4242::/:/bin/sh\n";
const GROUP: &str = "root:x:0:\nana:x:4242:\nfifty:x:50:ana\nsixty:x:60:ana\n";

/// Inside: make a file of this name in the volume, and tell whose it is.
fn make_file(name: Value) -> Result<Value> {
    let path = Path::new("/lab").join(name.as_str().unwrap_or_default());
    file::write_new(&path, "", 0o644)?;
    Ok(json!(file::status(&path)?.uid))
}

/// Inside: give it to user 1.
fn give_away(name: Value) -> Result<Value> {
    file::chown(&Path::new("/lab").join(name.as_str().unwrap_or_default()), 1, 1).map(|()| Value::Null)
}
