//! What a check works with: the student's program, started, watched and bounded.

use super::host::{IMAGE, PLACE, STATE, STUDENT};
use super::lesson::Lesson;
use super::person;
use super::probe::{INSIDE, Listener, Probe};
use super::ration;
use super::subject::{Finished, Manner, Program};
use super::trap;
use super::verdict::{Outcome, Said, Stop, wrong};
use super::witness;
use crate::error::{Error, LabProblem, Problem, Result};
use crate::said;
use crate::sys::ready::{self, Watch};
use crate::sys::signal::SIGKILL;
use crate::sys::{errno, process};
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// So long is waited for any one thing that the student's program should do.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same after a program has once done nothing for so long: the other checks are made, but nobody waits for ever.
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);

/// What [`Bench::run`] reads in a program's last words, and means that its author has not begun.
const NOT_YET: &str = "not yet implemented";

/// The place of one check. The grader is pid 1 here, and root.
#[derive(Debug)]
pub struct Bench {
    lesson: &'static Lesson,
    /// The lesson whose acts the probe is told to do.
    tongue: Cell<&'static str>,
    listener: Listener,
    seed: u64,
    nonce: RefCell<String>,
    mounts: RefCell<Option<OwnedFd>>,
    /// Which parts the student's program takes of ours, whatever it brings: their names, with commas.
    ours: RefCell<String>,
    count: Cell<u64>,
    patience: Cell<Duration>,
    by_person: Cell<bool>,
    begun: Cell<bool>,
}

/// A container of the student's, with a live probe in it.
#[derive(Debug)]
pub struct Subject {
    /// The probe.
    pub probe: Probe,
    program: Program,
    patience: Duration,
}

impl Subject {
    /// The pid of the student's program: the `run` that made the container.
    pub fn client(&self) -> i32 {
        self.program.process().pid
    }

    /// Wait until that has ended.
    pub fn wait(&self) -> Outcome<Finished> {
        match self.program.wait(self.patience)? {
            Some(finished) => accepted(finished),
            None => Err(hangs(&self.program, self.patience)?),
        }
    }
}

/// What became of a `run`.
#[derive(Debug)]
pub enum Ran {
    /// Its container lives, and a probe in it.
    Probe(Subject),
    /// It has ended before any probe came.
    Ended(Finished),
}

impl Bench {
    /// For `lesson`. With `seed` the nonces are the same each time.
    pub fn open(lesson: &'static Lesson, seed: u64) -> Result<Self> {
        let (nonce, mounts, ours) = (RefCell::default(), RefCell::default(), RefCell::default());
        let (count, patience) = (Cell::new(0), Cell::new(PATIENCE));
        let (tongue, by_person) = (Cell::new(lesson.name), Cell::new(false));
        let listener = Listener::open()?;
        let begun = Cell::new(true);
        Ok(Self { lesson, tongue, listener, seed, nonce, mounts, ours, begun, count, patience, by_person })
    }

    /// The check called `check` comes next. In a lesson that is made of others it is `LESSON/CHECK`, and speaks as there.
    pub fn speak_for(&self, check: &'static str) {
        self.tongue.set(check.split_once('/').map_or(self.lesson.name, |(lesson, _)| lesson));
    }

    /// In the next check the student's program takes these parts of ours; and whether the student has begun all functions
    /// that it is about.
    pub fn fill_in(&self, fields: &[&str], begun: bool) {
        *self.ours.borrow_mut() = fields.join(",");
        self.begun.set(begun);
    }

    /// Where a part has panicked and nobody could hear it: whether the file says that it is still `todo!()`.
    pub fn is_begun(&self) -> bool {
        self.begun.get()
    }

    /// Make ready for the next check: nobody lives here but the grader, the host has its name, and the nonce is another.
    pub fn renew(&self) -> Result<()> {
        end_everybody()?;
        trap::sprung()?;
        crate::sys::namespace::sethostname(crate::demo::host::HOSTNAME)?;
        self.mounts.take();
        self.count.set(self.count.get() + 1);
        *self.nonce.borrow_mut() =
            format!("lab-{:010x}", mixed(self.seed, self.count.get()) & 0xff_ffff_ffff);
        Ok(())
    }

    /// Until the next check, start the student's program in this mount namespace: what it does to the mounts there it does
    /// not do to the grader's.
    pub fn start_in(&self, mounts: OwnedFd) {
        self.mounts.replace(Some(mounts));
    }

    /// What nobody can have known before: fresh for each check, and the name of the container that [`run`](Self::run)
    /// starts. A valid host name.
    pub fn nonce(&self) -> String {
        self.nonce.borrow().clone()
    }

    /// Another one, for what else a check needs to name.
    pub fn another_nonce(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.nonce.borrow())
    }

    /// Start the student's `minidocker run --rm --name NONCE OPTIONS lab`, whose command is the probe, and wait until
    /// that lives. If none comes, the check has failed, and what the kernel says of the program tells why.
    pub fn run(&self, options: &[&str]) -> Outcome<Subject> {
        self.run_of(IMAGE, options)
    }

    /// The same with another image than `lab`, which must have what the probe needs: see [`order`](super::order).
    pub fn run_of(&self, image: &str, options: &[&str]) -> Outcome<Subject> {
        match self.run_with(&["run", "--rm"], image, options)? {
            Ran::Probe(subject) => Ok(subject),
            Ran::Ended(finished) => Err(no_probe(&finished)),
        }
    }

    /// As [`run`](Self::run), for a check that says by itself what it means when the program ends without a container.
    pub fn try_run(&self, options: &[&str]) -> Outcome<Ran> {
        self.run_with(&["run", "--rm"], IMAGE, options)
    }

    fn run_with(&self, verb: &[&str], image: &str, options: &[&str]) -> Outcome<Ran> {
        let nonce = self.nonce();
        let mut arguments = verb.to_vec();
        if !options.iter().any(|option| option.starts_with("--name")) {
            arguments.extend(["--name", &nonce]);
        }
        if !options.iter().any(|option| option.starts_with("--network")) {
            arguments.extend(["--network", "none"]);
        }
        arguments.extend(options);
        arguments.extend(["-v", "/tmp/lab/door:/lab", image, INSIDE, &nonce]);
        let program = self.start(&arguments)?;
        match self.wait_for_probe(&program)? {
            Some(probe) => Ok(Ran::Probe(self.subject(probe, program))),
            None => self.finished(&program).map(Ran::Ended),
        }
    }

    /// The same as [`try_run`](Self::try_run), by an ordinary user of this host, who has no capability.
    pub fn try_run_by_person(&self, options: &[&str]) -> Outcome<Ran> {
        self.by_person.set(true);
        let ran = self.try_run(options);
        self.by_person.set(false);
        ran
    }

    /// The same as [`run`](Self::run) without `--rm`: what the container leaves can be looked at when it has ended.
    pub fn run_to_keep(&self, options: &[&str]) -> Outcome<Subject> {
        match self.run_with(&["run"], IMAGE, options)? {
            Ran::Probe(subject) => Ok(subject),
            Ran::Ended(finished) => Err(no_probe(&finished)),
        }
    }

    /// Start the student's `minidocker exec OPTIONS NAME`, whose command is another probe, in the container that
    /// [`run`](Self::run) started, and wait until that lives.
    pub fn exec(&self, options: &[&str]) -> Outcome<Subject> {
        let nonce = self.nonce();
        let mut arguments = vec!["exec"];
        arguments.extend(options);
        arguments.extend([&*nonce, INSIDE, &nonce]);
        let program = self.start(&arguments)?;
        match self.wait_for_probe(&program)? {
            Some(probe) => Ok(self.subject(probe, program)),
            None => Err(no_probe(&self.finished(&program)?)),
        }
    }

    /// Any other verb of the student's program, from its start to its end; not if that was a part still `todo!()`.
    pub fn minidocker(&self, arguments: &[&str]) -> Outcome<Finished> {
        self.finished(&self.start(arguments)?)
    }

    /// Start the student's program with these arguments.
    pub fn start(&self, arguments: &[&str]) -> Outcome<Program> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        // Which wrong answer the program is to play, when it is that of lessons/mutants.rs.
        let mutant = std::env::var("LAB_MUTANT").unwrap_or_default();
        let (mounts, ours) = (self.mounts.borrow(), self.ours.borrow());
        let (state, ids) = match self.by_person.get() {
            true => person::manner().map(|(state, ids)| (state, Some(ids)))?,
            false => (STATE, None),
        };
        let manner = Manner {
            program: Path::new(STUDENT),
            place: Path::new(PLACE),
            environment: &[
                ("MINIDOCKER_ROOT", state),
                ("LAB", self.lesson.name),
                ("LAB_MUTANT", &mutant),
                ("LAB_OURS", &ours),
            ],
            ids,
            mounts: mounts.as_ref(),
        };
        Ok(Program::start(&manner, &arguments)?)
    }

    fn subject(&self, probe: Probe, program: Program) -> Subject {
        Subject { probe, program, patience: self.patience.get() }
    }

    fn finished(&self, program: &Program) -> Outcome<Finished> {
        match program.wait(self.patience.get())? {
            Some(finished) => accepted(finished),
            None => Err(self.tire_of(program)?),
        }
    }

    /// The program has done nothing for as long as anybody waits here; from now on that is less.
    fn tire_of(&self, program: &Program) -> Result<Stop> {
        hangs(program, self.patience.replace(LITTLE_PATIENCE))
    }

    /// The probe that `program` leads to; `None` when it has ended without one.
    fn wait_for_probe(&self, program: &Program) -> Outcome<Option<Probe>> {
        let patience = self.patience.get();
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let watches = [
                Watch::of(self.listener.descriptor(), true, false),
                Watch::of(program.process().pidfd.as_fd(), true, false),
            ];
            let ready = ready::wait_at_most(&watches, left)?;
            if ready[0].read {
                // Somebody else who knocks is not let in, and is no reason to stop waiting.
                if let Some(probe) = self.listener.welcome(self.tongue.get(), &self.nonce(), patience)? {
                    return trap::made_by_the_student(probe.pid()).map(|()| Some(probe));
                }
            } else if ready[1].read {
                return Ok(None);
            } else if end <= Instant::now() {
                return Err(self.tire_of(program)?);
            }
        }
    }
}

/// A number that looks like none before, by which nonces differ: SplitMix64.
fn mixed(seed: u64, count: u64) -> u64 {
    let mut z = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a program left, unless it is [no answer](no_answer).
fn accepted(finished: Finished) -> Outcome<Finished> {
    no_answer(&finished).map(|()| finished)
}

/// An error if the end of a program tells nothing of the student's work: a part is still `todo!()`, be it one that is called
/// at the end of a container's life, or another program did the work.
fn no_answer(finished: &Finished) -> Outcome {
    if finished.stderr.contains(NOT_YET) {
        return Err(Stop::NotYet);
    }
    trap::trapped()
}

/// The program has ended, and no probe came.
pub fn no_probe(finished: &Finished) -> Stop {
    if let Err(stop) = no_answer(finished) {
        return stop;
    }
    let status = finished.status;
    let last = last_words(&finished.stderr);
    let saw = match (status, last) {
        (137, _) => said!(
            "your program was killed before the container's command began",
            "容器的命令还没开始，你的程序就被杀死了"
        ),
        (_, Some(last)) => {
            said!("it ended with status {status}, saying: {last}", "它以状态 {status} 结束，留下一句：{last}")
        }
        (_, None) => {
            said!("it ended with status {status} and said nothing", "它以状态 {status} 结束，什么也没说")
        }
    };
    wrong(saw, said!("a container in which the command runs", "一个正在运行命令的容器"))
}

/// The last line that says something; of a panic, with its place in the source.
fn last_words(stderr: &str) -> Option<String> {
    const LONGEST: usize = 300;
    let mut lines = stderr
        .lines()
        .rev()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("note: run with"));
    let last: String = lines.next()?.chars().take(LONGEST).collect();
    let place = lines.next().and_then(|line| line.split_once(" panicked at ")).map(|(_, place)| place);
    Some(match place.and_then(|place| place.strip_suffix(':')) {
        Some(place) => format!("{last} ({place})"),
        None => last,
    })
}

/// The program does not end: where it is.
fn hangs(program: &Program, patience: Duration) -> Result<Stop> {
    let seconds = patience.as_secs();
    let [_, stderr] = program.said()?;
    if stderr.contains(NOT_YET) {
        return Ok(Stop::NotYet);
    }
    let places = program.places();
    const SHOWN: usize = 4;
    let mut list: Vec<String> =
        places.iter().take(SHOWN).map(|(pid, place)| format!("{pid}: {place}")).collect();
    if places.len() > SHOWN {
        list.push(format!("… {}", places.len()));
    }
    let list = list.join(", ");
    let saw: Said = said!(
        "nothing happened for {seconds} s; your program's processes wait here: {list}",
        "{seconds} 秒内没有动静；你的程序的进程停在：{list}"
    );
    Ok(wrong(
        saw,
        said!("an end, or a container in which the command runs", "程序结束，或容器里的命令跑起来"),
    ))
}

/// kill(2): to every process of this pid namespace, but for pid 1 and the caller.
const EVERYBODY: i32 = -1;

/// End everybody on this host but the grader. On return nobody else lives.
pub(super) fn end_everybody() -> Result<()> {
    // The grader was born as pid 1 of this host; anywhere else this would end the wrong ones.
    if process::pid() != 1 {
        return Err(Error::new(Problem::Lab(LabProblem::NotOnOwnHost)));
    }
    // Who is frozen could not be killed.
    ration::sweep()?;
    loop {
        // All at once: a process that is being killed cannot fork.
        match process::kill(EVERYBODY, SIGKILL) {
            Err(error) if error.is(errno::ESRCH) => {}
            answer => answer?,
        }
        // Orphans are pid 1's: it waits for each of them.
        match process::wait_any() {
            Err(error) if error.is(errno::ECHILD) && witness::everybody().is_empty() => {
                return ration::sweep();
            }
            Err(error) if !error.is(errno::ECHILD) => return Err(error),
            _ => {}
        }
    }
}
