//! Every verb that changes something, with what is needed to try it: see [`Deed`].

use super::lane::{Break, Deed};
use super::{Case, NONE};
use libtest_mimic::Trial;

/// One verb in one situation.
pub struct Verb {
    name: &'static str,
    ground: &'static [&'static str],
    verb: &'static str,
    usable: &'static [&'static str],
    done: &'static [&'static str],
    undo: &'static [&'static str],
    between: &'static [&'static [&'static str]],
    rescue: &'static str,
    roles: &'static [&'static str],
    /// How many requests are passed over from one that is broken to the next.
    stride: usize,
    store: bool,
    /// Whether an ordinary user tries it too.
    user: bool,
}

const PLAIN: Verb = Verb {
    name: "",
    ground: &[],
    verb: "",
    usable: &[],
    done: &[],
    undo: &["rm -f box other"],
    between: &[],
    rescue: "",
    roles: &["runtime"],
    stride: 1,
    store: false,
    user: false,
};

const IDLE: &str = "create --name box --network none base true";
const RUNS: &str = "run -d --name box --network none base sleep 1000";
const STARTS: &[&str] = &["start -a box"];
const BACKGROUND: &[&str] = &["client", "runtime", "init"];

const STOP: &str = "stop -t 0 box";
/// Who lost its supervisor has ended.
const FALLEN: &[&[&str]] = &[&[STOP]];

const VERBS: &[Verb] = &[
    Verb { name: "create", verb: IDLE, done: STARTS, user: true, ..PLAIN },
    Verb {
        name: "start",
        ground: &["create --name box --network none base sleep 1000"],
        verb: "start box",
        between: &[&["start box", STOP]],
        rescue: "start box",
        roles: BACKGROUND,
        user: true,
        ..PLAIN
    },
    Verb {
        name: "run_detached",
        verb: RUNS,
        between: &[&[RUNS, STOP], &["create --name box --network none base sleep 1000"]],
        rescue: "start box",
        roles: BACKGROUND,
        stride: 3,
        ..PLAIN
    },
    Verb {
        name: "stop",
        ground: &[RUNS],
        verb: "stop -t 0 box",
        usable: &["start box"],
        user: true,
        ..PLAIN
    },
    Verb {
        name: "restart",
        ground: &[RUNS],
        verb: "restart -t 0 box",
        between: FALLEN,
        rescue: "start box",
        roles: BACKGROUND,
        stride: 3,
        ..PLAIN
    },
    Verb { name: "kill", ground: &[RUNS], verb: "kill box", usable: &["start box"], ..PLAIN },
    Verb { name: "pause", ground: &[RUNS], verb: "pause box", usable: &["stop -t 0 box"], ..PLAIN },
    Verb {
        name: "unpause",
        ground: &[RUNS, "pause box"],
        verb: "unpause box",
        usable: &["stop -t 0 box"],
        ..PLAIN
    },
    Verb {
        name: "rename",
        ground: &[IDLE],
        verb: "rename box other",
        done: &["start -a other"],
        user: true,
        ..PLAIN
    },
    Verb { name: "rm", ground: &[IDLE, "start -a box"], verb: "rm box", user: true, ..PLAIN },
    Verb {
        name: "rm_forced",
        ground: &[RUNS],
        verb: "rm -f box",
        between: FALLEN,
        rescue: "rm -f box",
        user: true,
        ..PLAIN
    },
    Verb {
        name: "exec",
        ground: &[RUNS],
        verb: "exec box true",
        usable: &["exec box true"],
        roles: &["runtime", "init"],
        stride: 3,
        user: true,
        ..PLAIN
    },
    Verb { name: "prune", ground: &[IDLE], verb: "prune", stride: 2, ..PLAIN },
    Verb {
        name: "tag",
        verb: "tag base other",
        done: &["image inspect other"],
        undo: &["rmi other"],
        store: true,
        ..PLAIN
    },
    Verb {
        name: "rmi",
        ground: &["tag base other"],
        verb: "rmi other",
        usable: &["image inspect base"],
        undo: &["rmi other"],
        store: true,
        ..PLAIN
    },
    Verb { name: "save", verb: "save -o DIR/saved.tar base", undo: &[], store: true, stride: 4, ..PLAIN },
    Verb {
        name: "volume_create",
        verb: "volume create shelf",
        done: &["volume inspect shelf"],
        undo: &["volume rm shelf"],
        ..PLAIN
    },
    Verb {
        name: "volume_rm",
        ground: &["volume create shelf"],
        verb: "volume rm shelf",
        undo: &["volume rm -f shelf"],
        ..PLAIN
    },
    Verb {
        name: "volume_prune",
        ground: &["volume create shelf"],
        verb: "volume prune -af",
        undo: &["volume rm -f shelf"],
        ..PLAIN
    },
];

/// A test for each verb, role and fault.
pub fn tests() -> Vec<Trial> {
    let mut tests = Vec::new();
    for verb in VERBS {
        for user in [false, true].into_iter().filter(|user| !user || verb.user) {
            for role in verb.roles {
                for fault in ["EIO", "kill"] {
                    let case = Case { user, every: Some(verb.stride * if user { 2 } else { 1 }), ..NONE };
                    let name =
                        format!("{}::{}::{role}::{fault}", if user { "user" } else { "root" }, verb.name);
                    let breaks = Break::Deed((*role).to_owned(), fault.to_owned());
                    tests.push(case.test_named(name, breaks, Some(verb.deed())));
                }
            }
        }
    }
    tests
}

impl Verb {
    fn deed(&self) -> Deed {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Deed {
            ground: owned(self.ground),
            verb: self.verb.to_owned(),
            usable: owned(self.usable),
            done: owned(self.done),
            undo: owned(self.undo),
            store: self.store,
            between: self.between.iter().map(|way| owned(way)).collect(),
            rescue: self.rescue.to_owned(),
            // Prune removes containers that are to stay.
            next: if self.verb.contains("box") {
                ("rm nobody".to_owned(), 1)
            } else {
                ("prune".to_owned(), 0)
            },
        }
    }
}
