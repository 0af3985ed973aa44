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
    Verb {
        name: "commit",
        ground: &[IDLE, "start -a box"],
        verb: "commit box other",
        done: &["run --rm --network none other true"],
        undo: &["rm -f box", "rmi -f other", "prune"],
        store: true,
        stride: 6,
        ..PLAIN
    },
    Verb {
        name: "import",
        ground: &[IDLE, "export -o DIR/tree.tar box", "rm box"],
        verb: "import DIR/tree.tar other",
        done: &["run --rm --network none other true"],
        undo: &["rmi -f other", "prune"],
        store: true,
        stride: 24,
        ..PLAIN
    },
    Verb {
        name: "network_create",
        verb: "network create town",
        done: &["network inspect town"],
        undo: &["network rm town"],
        ..PLAIN
    },
    Verb {
        name: "network_rm",
        ground: &["network create town"],
        verb: "network rm town",
        undo: &["network rm town"],
        ..PLAIN
    },
    Verb {
        name: "connect",
        ground: &["network create town", "run -d --name box --network bridge base sleep 1000"],
        verb: "network connect town box",
        done: &["exec box ip link show eth1"],
        usable: &["exec box ip link show eth0"],
        undo: &["rm -f box", "network rm town"],
        stride: 5,
        ..PLAIN
    },
    Verb {
        name: "disconnect",
        ground: &["network create town", "run -d --name box --network town base sleep 1000"],
        verb: "network disconnect town box",
        usable: &["exec box true"],
        undo: &["rm -f box", "network rm town"],
        stride: 5,
        ..PLAIN
    },
    Verb {
        name: "run_published",
        ground: &["network create town"],
        verb: "run -d --name box --network town -p 18080:80 base sleep 1000",
        between: &[
            &["run -d --name box --network town -p 18080:80 base sleep 1000", STOP],
            &["create --name box --network town -p 18080:80 base sleep 1000"],
        ],
        rescue: "start box",
        undo: &["rm -f box", "network rm town"],
        roles: BACKGROUND,
        stride: 10,
        ..PLAIN
    },
    Verb {
        name: "cp",
        ground: &[RUNS],
        verb: "cp /etc/hostname box:/name",
        usable: &["exec box true"],
        undo: &["rm -f box"],
        stride: 3,
        ..PLAIN
    },
    Verb {
        name: "image_prune",
        ground: &[IDLE, "commit box other", "commit -m again box other", "rm box"],
        verb: "image prune -f",
        usable: &["run --rm --network none other true"],
        undo: &["rmi -f other", "prune"],
        store: true,
        stride: 6,
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
            next: match (self.verb.contains("box"), self.store) {
                (true, false) => ("rm nobody".to_owned(), 1),
                (true, true) => ("image prune -f".to_owned(), 0),
                (false, _) => ("prune".to_owned(), 0),
            },
        }
    }
}
