//! The host on which the student's program of lesson `mounts` is started: a mount namespace of its own, with somebody in it.
//!
//! Three processes. The grader stays where it is, and reads in /proc what the other two see. The *resident* is born in a copy
//! of the grader's mount namespace; it makes that shared or private, and stays. The student's program starts beside it.

use crate::demo::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::lab::bench::{self, Bench, Ran, Subject};
use crate::lab::verdict::{Diagnosis, Outcome, Stop, ensure};
use crate::lab::witness;
use crate::said;
use crate::sys::flags::CLONE_NEWNS;
use crate::sys::{file, mount, seqpacket};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What the resident is told.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Let every mount have this propagation, and pass your mount namespace.
    Propagate(u64),
    /// Mount a file system here.
    Mount(PathBuf),
}

/// The resident's own mount namespace.
const OWN: &str = "/proc/self/ns/mnt";

fn obey(order: Order, grader: BorrowedFd<'_>) -> Result<()> {
    match order {
        Order::Propagate(propagation) => {
            mount::change_propagation(Path::new("/"), propagation)?;
            seqpacket::send_descriptor(grader, file::open_file(Path::new(OWN), 0, 0)?.as_fd())
        }
        Order::Mount(place) => mount::mount("later", &place, "tmpfs", 0, Some("size=4k")),
    }
}

/// The host as a student's program sees it.
#[derive(Debug)]
pub struct Host {
    resident: Actor<Order, ()>,
    /// Its mount namespace. It is passed by the resident itself: nobody else may open what is the grader's, or its child's.
    namespace: OwnedFd,
    /// Its table of mounts at first.
    before: Vec<String>,
}

/// Starts a container on a host whose mounts have this `propagation`.
///
/// On return the container has another table of mounts than its host.
pub fn run(bench: &Bench, propagation: u64, options: &[&str]) -> Outcome<(Subject, Host)> {
    let host = Host::new(propagation)?;
    bench.start_in(host.namespace.as_fd().try_clone_to_owned().map_err(|_| Error::new(Problem::Refused))?);
    match bench.try_run(options)? {
        Ran::Probe(subject) => {
            let (_, outside) = file::descriptor_status(host.namespace.as_fd(), Path::new(OWN))?.identity;
            let inside = witness::namespace(subject.probe.pid(), "mnt")?;
            ensure(
                outside != inside,
                said!(
                    "the command is in mnt:[{inside}], and so is the host",
                    "命令在 mnt:[{inside}]，主机也在里面"
                ),
                said!("the command in another one than the host", "命令不与主机在同一个里面"),
            )
            .known_as("without-unshare")?;
            Ok((subject, host))
        }
        Ran::Ended(finished) => match bench::no_probe(&finished) {
            // What it left on the host says more than its last words.
            stop @ Stop::Wrong(_) => {
                host.unchanged()?;
                let said = |words: &str| finished.stderr.contains(words);
                let stop = Err(stop);
                if said("is not the device") {
                    stop.known_as("files-for-devices")
                } else if said("open_tree(\"/dev/null\"") && said("ENOENT") {
                    stop.known_as("null-missing")
                } else {
                    stop
                }
            }
            stop => Err(stop),
        },
    }
}

impl Host {
    fn new(propagation: u64) -> Outcome<Self> {
        let (ours, theirs) = seqpacket::pair()?;
        let resident = Actor::start("resident", CLONE_NEWNS, move |order| obey(order, theirs.as_fd()))?;
        resident.ask(Order::Propagate(propagation))?;
        let passed = seqpacket::receive_descriptor(ours.as_fd())?;
        let namespace = passed.ok_or_else(|| Error::new(Problem::ChildVanished))?;
        let before = witness::mounts(resident.pid())?;
        Ok(Self { resident, namespace, before })
    }

    /// Mount something at `place` there.
    pub fn mount(&self, place: &Path) -> Result<()> {
        self.resident.ask(Order::Mount(place.to_owned()))
    }

    /// Whether its table of mounts is as it was.
    pub fn unchanged(&self) -> Outcome {
        let after = witness::mounts(self.resident.pid())?;
        let want = said!("the host's table of mounts as it was", "主机的挂载表不变");
        let gone = self.before.iter().filter(|old| !after.iter().any(|line| id(old) == id(line))).count();
        ensure(
            gone == 0,
            said!("{gone} mounts of the host are gone", "主机少了 {gone} 个挂载"),
            want.clone(),
        )
        .known_as("without-unshare")?;
        let new: Vec<&String> =
            after.iter().filter(|line| !self.before.iter().any(|old| id(old) == id(line))).collect();
        if let Some(line) = new.first() {
            let (line, more) = (short(line), new.len());
            let saw = said!(
                "{more} new mounts on the host, among them: {line}",
                "主机上多了 {more} 个挂载，例如：{line}"
            );
            return ensure(false, saw, want).known_as("without-private");
        }
        let changed = self.before.iter().zip(&after).find(|(before, after)| before != after);
        let Some((before, after)) = changed else { return Ok(()) };
        let (before, after) = (short(before), short(after));
        ensure(
            false,
            said!("on the host: {after}", "主机上：{after}"),
            said!("as before: {before}", "与之前一样：{before}"),
        )
        .known_as("private-first")
    }
}

/// The field of a line of mountinfo: 0 its id, 2 the device, 4 the place, 5 the options.
pub fn field(line: &str, number: usize) -> &str {
    line.split(' ').nth(number).unwrap_or_default()
}

fn id(line: &str) -> &str {
    field(line, 0)
}

/// A line of mountinfo without the ids, cut where it is too long to be read.
pub fn short(line: &str) -> String {
    const LONGEST: usize = 110;
    let rest: Vec<&str> = line.split(' ').skip(2).collect();
    let text = rest.join(" ");
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
