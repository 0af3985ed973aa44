//! What is left when something fails: for every request that `minidocker run` makes of the kernel, a run in which
//! that request fails and one that is killed there. Afterwards the machine is as it was.
//!
//! A run that *fails* clears up by itself; when only its client was killed, the container goes on to its end. Where the
//! supervisor was *killed*, its processes, mounts and network namespace die with it, and its cgroup, state and bridge
//! are taken away by the next `minidocker` command. The faults are made by the hook at the door (`src/sys/fault.rs`);
//! each test counts upwards until no request is left to break.
//!
//! The rarer combinations break every third request only, and without `MINIDOCKER_STRICT=1` every sixth; the last lines
//! of the output say how many.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a verdict")]

mod common;
#[path = "residue/lane.rs"]
mod lane;
#[path = "common/snapshot.rs"]
mod snapshot;
#[path = "residue/verbs.rs"]
mod verbs;

use common::need::{self, Need};
use common::space::{self, Space, Who};
use lane::{Break, Deed, Findings, Lane};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};

/// How the test tells a process that it is a lane, and which.
const LANE: &str = "MINIDOCKER_LANE";

/// Most of a run is waiting for the kernel, so several lanes share a processor.
const LANES: usize = 4;

fn main() -> ExitCode {
    if let Ok(text) = std::env::var(LANE) {
        lane::main(serde_json::from_str(&text).unwrap());
        return ExitCode::SUCCESS;
    }
    let tests = [runs(), clearing_up(), moments(), verbs::tests()];
    let conclusion = libtest_mimic::run(&Arguments::from_args(), tests.into_iter().flatten().collect());
    *IMAGES.lock().unwrap_or_else(PoisonError::into_inner) = [None, None];
    space::remove_shared();
    report();
    need::report();
    conclusion.exit_code()
}

/// A combination to be tried.
#[derive(Debug, Clone, Copy, Default)]
struct Case {
    user: bool,
    network: &'static str,
    init: bool,
    keep: bool,
    company: bool,
    then_run: bool,
    publish: bool,
    /// Whether every request is broken, also when not strict.
    all: bool,
    /// How many requests there are from one that is broken to the next, where that is not a matter of being strict.
    every: Option<usize>,
}

const NONE: Case = Case {
    user: false,
    network: "none",
    init: false,
    keep: false,
    company: false,
    then_run: false,
    publish: false,
    all: false,
    every: None,
};
const BRIDGE: Case = Case { network: "bridge", ..NONE };

/// Every network as root and as an ordinary user, and beside it what else changes the order of things.
const CASES: &[Case] = &[
    Case { all: true, ..NONE },
    Case { all: true, ..BRIDGE },
    Case { network: "host", ..NONE },
    Case { network: "container:first", company: true, ..NONE },
    Case { company: true, ..BRIDGE },
    Case { publish: true, ..BRIDGE },
    Case { init: true, ..NONE },
    Case { keep: true, ..NONE },
    Case { keep: true, ..BRIDGE },
    Case { then_run: true, ..NONE },
    Case { then_run: true, ..BRIDGE },
    Case { user: true, ..NONE },
    Case { user: true, network: "host", ..NONE },
    Case { user: true, network: "container:first", company: true, ..NONE },
    Case { user: true, init: true, ..NONE },
    Case { user: true, keep: true, ..NONE },
];

fn runs() -> Vec<Trial> {
    let mut tests = Vec::new();
    for case in CASES {
        for role in ["client", "runtime", "init"] {
            for fault in ["EIO", "kill"] {
                let breaks = Break::Run(role.to_owned(), fault.to_owned());
                tests.push(case.test(&format!("{role}::{fault}"), breaks));
            }
        }
    }
    tests
}

/// Clearing up after a killed supervisor may itself fail, or be killed.
fn clearing_up() -> Vec<Trial> {
    let bridge = Case { all: true, ..BRIDGE };
    let cases =
        [bridge, Case { keep: true, ..NONE }, Case { then_run: true, ..BRIDGE }, Case { user: true, ..NONE }];
    let faults = ["EIO", "kill"];
    let both = |case: Case| {
        faults.map(|fault| case.test(&format!("clearing_up::{fault}"), Break::ClearUp(fault.to_owned())))
    };
    cases.into_iter().flat_map(both).collect()
}

/// The supervisor is killed from outside, whatever it is doing.
fn moments() -> Vec<Trial> {
    let cases = [
        NONE,
        BRIDGE,
        Case { company: true, ..BRIDGE },
        Case { init: true, ..NONE },
        Case { user: true, ..NONE },
    ];
    cases.map(|case| case.test("killed_at_any_moment", Break::Moments(10))).into()
}

impl Case {
    fn name(&self) -> String {
        let mut parts =
            vec![if self.user { "user" } else { "root" }, self.network.split(':').next().unwrap()];
        parts.extend(self.init.then_some("init"));
        parts.extend(self.keep.then_some("kept"));
        parts.extend((self.company && self.network == "bridge").then_some("in_company"));
        parts.extend(self.then_run.then_some("then_run"));
        parts.extend(self.publish.then_some("published"));
        parts.join("_")
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![if self.user { Need::Rootless } else { Need::Root }];
        needs.push(Need::Program("ip", "iproute2"));
        needs.extend((self.network == "bridge").then_some(Need::Iptables));
        needs
    }

    fn test(self, what: &str, breaks: Break) -> Trial {
        self.test_named(format!("{}::{what}", self.name()), breaks, None)
    }

    fn test_named(self, name: String, breaks: Break, deed: Option<Deed>) -> Trial {
        let label = name.clone();
        Trial::ignorable_test(name, move || match need::first_lacking(&self.needs()) {
            None => self.try_in_lanes(&label, &breaks, deed.as_ref()).map(|()| Completion::Completed),
            Some(skip) if need::strict() => Err(Failed::from(skip)),
            Some(skip) => Ok(Completion::ignored_with(skip)),
        })
    }

    /// Every `LANES`-th request in each lane, and all lanes at once.
    fn try_in_lanes(self, label: &str, breaks: &Break, deed: Option<&Deed>) -> Result<(), Failed> {
        let whole = self.all || need::strict() || matches!(breaks, Break::Moments(_));
        let stride = match (self.every, whole) {
            (Some(every), true) => every,
            (Some(every), false) => 3 * every,
            _ if self.all || matches!(breaks, Break::Moments(_)) => 1,
            _ => {
                if need::strict() {
                    3
                } else {
                    6
                }
            }
        };
        // Which third is as good as any: not always the first.
        let start = 1 + label.len() % stride;
        let lanes = (0..LANES).map(|lane| Lane {
            deed: deed.cloned(),
            ..self.lane(breaks.clone(), start + lane * stride, LANES * stride)
        });
        let running: Vec<_> = lanes.map(|lane| std::thread::spawn(move || walk(&lane))).collect();
        let mut total = Findings::default();
        for lane in running {
            let found = lane.join().unwrap();
            total.requests += found.requests;
            total.runs += found.runs;
            total.wrong.extend(found.wrong);
        }
        let wrong = total.wrong.join("\n  ");
        let clean = total.wrong.is_empty() && total.requests > 0;
        FOUND.lock().unwrap_or_else(PoisonError::into_inner).insert(label.to_owned(), (total, stride));
        if clean { Ok(()) } else { Err(Failed::from(format!("{label}:\n  {wrong}"))) }
    }

    fn lane(self, breaks: Break, first: usize, every: usize) -> Lane {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut options = words(&["-v", "/usr:/mnt:ro"]);
        if self.init {
            options.push("--init".to_owned());
        }
        if self.publish {
            options.extend(words(&["-p", "80", "-p", "53/udp"]));
        }
        if self.keep || self.network == "bridge" {
            options.extend(words(&["--name", "second"]));
        }
        if !self.user && need::first_lacking(&[Need::Controller("memory")]).is_none() {
            options.extend(words(&["--memory", "64m"]));
        }
        let next: &[&str] = match self.then_run {
            true => &["run", "--rm", "--network", "none", "base", "echo", "ran"],
            false => &["prune"],
        };
        Lane {
            user: self.user,
            network: self.network.to_owned(),
            breaks,
            options,
            rm: !self.keep,
            company: self.company,
            next: words(next),
            first,
            every,
            program: space::program(),
            image: image(if self.user { Who::User } else { Who::Root }),
            alone: space::is_root(),
            deed: None,
        }
    }
}

/// For root and for an ordinary user, a state root with the image `base`.
static IMAGES: Mutex<[Option<Space>; 2]> = Mutex::new([None, None]);

fn image(who: Who) -> PathBuf {
    let mut images = IMAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let space = images[who as usize].get_or_insert_with(|| {
        let space = Space::bare(who);
        let made = space.run(&["--network", "none", "base", "true"]);
        assert_eq!(made.status, 0, "cannot make base: {}", made.err);
        space
    });
    space.root()
}

/// Start a lane in namespaces of its own, and wait for what it finds.
fn walk(lane: &Lane) -> Findings {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(if lane.alone { "unshare" } else { own.to_str().unwrap() });
    if lane.alone {
        command.args(["--net", "--mount", "--propagation", "private", "--"]).arg(&own);
    }
    command.env(LANE, serde_json::to_string(lane).unwrap()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = process.stderr.take().unwrap();
    let complaint = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| {
        let wrong = format!("the lane ended at {last:?} ({}): {}", output.status, complaint.join().unwrap());
        Findings { wrong: vec![wrong], ..Findings::default() }
    })
}

/// What each test tried, and how many requests it passed over between two.
static FOUND: Mutex<BTreeMap<String, (Findings, usize)>> = Mutex::new(BTreeMap::new());

#[allow(clippy::print_stdout, reason = "the last lines of a test run")]
fn report() {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let runs: usize = found.values().map(|(findings, _)| findings.runs).sum();
    for (label, (findings, stride)) in found.iter() {
        let share = if *stride > 1 { format!(", one in {stride}") } else { String::new() };
        println!("{label}: {} requests broken{share}, {} runs", findings.requests, findings.runs);
    }
    println!("residue: {runs} runs in all");
}
