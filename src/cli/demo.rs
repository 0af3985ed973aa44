//! What the command lines of the four demos share: menu, tour, throw-away host, exit status.
//!
//! Exit status: 0 when everything was shown; 1 when a claim was not borne out by the kernel; 125 when something could
//! not be done, the command line included; or that of the command which a demo was asked to run.

use super::narration::Narration;
use crate::demo::{Place, Walk, attend, host};
use crate::error::{Error, Problem, Result};
use crate::narrate::words::Label;
use crate::narrate::{self, Stage, text};
use crate::security::capabilities;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// The command line of any demo.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_override_self = true)]
struct CommandLine<S: Subcommand> {
    #[command(flatten)]
    narration: Narration,
    #[command(flatten)]
    place: OnHost,
    #[command(subcommand)]
    scene: Option<S>,
}

// (No doc comment: clap would print it as the description of the whole program.)
#[allow(missing_docs)]
#[derive(Debug, Args)]
struct OnHost {
    /// Play it on this very machine instead of a throw-away host (needs root)
    #[arg(long, global = true)]
    on_host: bool,
}

/// One demo program: its subcommands and its tour.
pub trait Program: Subcommand {
    /// Its name.
    const NAME: &'static str;
    /// What it shows, in one sentence, for `--help`.
    const ABOUT: &'static str;
    /// The demos that take no arguments, in the order of the tour.
    const TOUR: &'static [&'static Walk];
    /// What this subcommand asks for.
    fn plan(self) -> Plan;
}

/// What to do.
#[derive(Debug)]
pub enum Plan {
    /// Play one demo.
    Walk(&'static Walk),
    /// Play all, in order.
    Tour,
    /// Something with arguments. It tells its story itself, and decides on the exit status.
    With(Place, Scene),
}

/// A scene with arguments, ready to be played.
pub struct Scene(Box<Told>);

/// What tells a story on a stage, and decides on the exit status.
type Told = dyn FnOnce(&Stage) -> Result<u8>;

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scene")
    }
}

impl Plan {
    /// A scene that is played in the person's own namespaces.
    pub fn here(scene: impl FnOnce(&Stage) -> Result<u8> + 'static) -> Self {
        Plan::With(Place::Here, Scene(Box::new(scene)))
    }

    /// A scene that makes cgroups.
    pub fn attended(scene: impl FnOnce(&Stage) -> Result<u8> + 'static) -> Self {
        Plan::With(Place::Attended, Scene(Box::new(scene)))
    }

    /// A scene that is played on a throw-away host, unless `--on-host` asks for the real one.
    pub fn thrown_away(scene: impl FnOnce(&Stage) -> Result<u8> + 'static) -> Self {
        Plan::With(Place::ThrowAway, Scene(Box::new(scene)))
    }
}

/// The status of every failure of the program's own.
const OWN_FAILURE: u8 = 125;
/// The status when the kernel did not bear a claim out.
const NOT_SHOWN: u8 = 1;

/// The whole of a demo program.
pub fn main<P: Program>() -> ExitCode {
    let command = CommandLine::<P>::command().name(P::NAME).about(P::ABOUT);
    let parsed = command.try_get_matches().and_then(|matches| CommandLine::<P>::from_arg_matches(&matches));
    let line = match parsed {
        Ok(line) => line,
        Err(help) => {
            // Help that was asked for is no failure. If nobody reads it, nobody misses it.
            let _ = help.print();
            return if help.use_stderr() { OWN_FAILURE.into() } else { ExitCode::SUCCESS };
        }
    };
    obey(line)
        .unwrap_or_else(|error| {
            narrate::report(&error);
            error.exit_status()
        })
        .into()
}

fn obey<P: Program>(line: CommandLine<P>) -> Result<u8> {
    let options = line.narration.options();
    narrate::install(&options)?;
    let stage = Stage::new(&options)?;
    let on_host = line.place.on_host;
    match line.scene.map(P::plan) {
        None => {
            menu::<P>(&stage);
            Ok(0)
        }
        Some(Plan::Walk(walk)) => play(&stage, walk, on_host),
        Some(Plan::Tour) => tour::<P>(&stage, on_host),
        Some(Plan::With(place, scene)) => on_its_place(place, on_host, || (scene.0)(&stage)),
    }
}

/// Each demo, whatever became of the one before: a machine that lacks one thing has others.
fn tour<P: Program>(stage: &Stage, on_host: bool) -> Result<u8> {
    let mut worst = 0;
    for walk in P::TOUR {
        worst = worst.max(play(stage, walk, on_host).unwrap_or_else(|error| {
            narrate::report(&error);
            error.exit_status()
        }));
    }
    Ok(worst)
}

fn play(stage: &Stage, walk: &'static Walk, on_host: bool) -> Result<u8> {
    on_its_place(walk.place, on_host, || {
        walk.play(stage)?;
        Ok(if stage.all_held() { 0 } else { NOT_SHOWN })
    })
}

fn on_its_place(place: Place, on_host: bool, scene: impl FnOnce() -> Result<u8>) -> Result<u8> {
    match (place, on_host) {
        (Place::ThrowAway, false) => host::play(scene),
        (Place::ThrowAway, true) if !capabilities::is_privileged() => {
            Err(Error::new(Problem::OnHostNeedsRoot))
        }
        (Place::ThrowAway, true) => host::play_on_host(scene),
        (Place::Attended, _) => attend::play(scene),
        (Place::Here, _) => scene(),
    }
}

/// What there is to see, in order, and how to see it.
fn menu<P: Program>(stage: &Stage) {
    let lang = narrate::lang();
    stage.title(P::NAME, Label::Menu.get(lang));
    let row = |walk: &&Walk| {
        let command = format!("{} {}", P::NAME, walk.name);
        vec![narrate::stage::Entry::of(narrate::Ink::Command, command), walk.title.get(lang).into()]
    };
    stage.blank();
    stage.table(&["", ""], &P::TOUR.iter().map(row).collect::<Vec<_>>());
    stage.blank();
    let name = P::NAME;
    stage.say(&text!(
        "`{name} tour` plays all of them in order. Add --explain to see every request made of the kernel, --step to \
         wait for Enter at each scene, --lang zh for Chinese; `{name} --help` lists everything.",
        "`{name} tour` 依次演示全部。加 --explain 可以看到对内核的每一个请求，加 --step 则在每一幕等待回车，\
         --lang en 切换为英文；`{name} --help` 列出所有命令。"
    ));
}
