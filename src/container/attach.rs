//! Attaching to a container that runs: hear what it says from now on, and let it read what the person types.
//!
//! Which process: the `minidocker attach` or `start -a` that the person typed. It reaches the container's supervisor by
//! the socket in the container's directory, and may leave, or be killed, as the client that started the container may.

use super::alive;
use super::client::{End, leave};
use super::report;
use crate::console::client::{self, Client, Keys, Manner};
use crate::console::message::Wish;
use crate::error::{ConsoleProblem, Error, LifeProblem, Problem, Result};
use crate::process::supervise::Signals;
use crate::state::Root;
use crate::step::{Step, take};

/// How to attach.
#[derive(Debug, Clone)]
pub struct How {
    /// What is wanted; input only where the container takes any.
    pub wish: Wish,
    /// The keys to leave by.
    pub keys: Keys,
    /// Pass signals on.
    pub proxy: bool,
}

impl How {
    /// The person's side for a container with a terminal, or without, that takes input, or does not.
    pub fn manner(self, terminal: bool, input: bool, redraw: bool) -> Result<Manner> {
        let wish = Wish { input: self.wish.input && input, ..self.wish };
        let manner = Manner { terminal, wish, keys: self.keys, proxy: self.proxy, redraw };
        manner.check().map(|()| manner)
    }
}

/// Attach to the running container that `word` means, until it ends or the person leaves.
pub fn attach(root: &Root, word: &str, how: How) -> Result<End> {
    let running = alive::find(root, word)?;
    if running.is_paused()? {
        let name = word.to_owned();
        return Err(Error::new(Problem::Console(ConsoleProblem::Paused { name })));
    }
    let spec = &running.config.spec;
    let manner = how.manner(spec.tty, spec.stdin, true)?;
    let gone = || Error::new(Problem::NotRunning { name: word.to_owned() });
    let signals = Signals::hold()?;
    let attached = take(Step::Console, || -> Result<End> {
        let mut client = Client::connect(&spec.directory, manner)?.ok_or_else(gone)?;
        match client.stay(Some(&running.supervisor), signals.blocked(), None)? {
            client::Outcome::Ended(json) => {
                let outcome: Option<report::Outcome> = serde_json::from_slice(&json).ok();
                outcome.map(End::Ended).ok_or_else(vanished)
            }
            client::Outcome::Gone => Err(vanished()),
            left => leave(&left),
        }
    });
    signals.unblock()?;
    attached
}

fn vanished() -> Error {
    Error::new(Problem::Life(LifeProblem::SupervisorVanished))
}
