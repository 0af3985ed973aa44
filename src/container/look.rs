//! Containers as they are at this moment, for those who only look: nothing is changed, and nobody's lock is taken.

use super::alive;
use super::record::{Config, Phase, Status};
use crate::cgroup::Group;
use crate::error::{Error, Problem, Result};
use crate::network::book::{Book, Lease, Net};
use crate::network::ledger::Ledger;
use crate::network::port::Binding;
use crate::overlay::size;
use crate::process::apart;
use crate::state::Root;
use std::net::Ipv4Addr;

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has never been started.
    Created,
    /// It runs.
    Running,
    /// It runs, and is frozen.
    Paused,
    /// It has ended, and is about to be started again.
    Restarting,
    /// It has ended.
    Exited,
}

impl State {
    /// Docker's word.
    pub fn word(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Running => "running",
            State::Paused => "paused",
            State::Restarting => "restarting",
            State::Exited => "exited",
        }
    }
}

/// A container that was looked at.
#[derive(Debug)]
pub struct Seen {
    /// What it is.
    pub config: Config,
    /// Where it is in its life.
    pub status: Status,
    /// What it is doing.
    pub state: State,
    /// Its first process, by its pid on the host; 0 when it does not run.
    pub pid: i32,
    /// Its places in the networks that it is in.
    pub places: Vec<Place>,
    /// The ports that are held for it on the host.
    pub bindings: Vec<Binding>,
}

/// A container's place in one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The network's name.
    pub network: String,
    /// Its id; empty for the network that nobody had to define.
    pub network_id: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// The bits of the subnet's prefix.
    pub prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
    /// What else it is called there.
    pub aliases: Vec<String>,
}

/// The exit status of a container whose supervisor was killed, and which so was killed too: 128 + SIGKILL.
const KILLED: u8 = 137;

/// All containers, the youngest first; and of those whose record is damaged, the errors.
pub fn all(root: &Root) -> Result<(Vec<Seen>, Vec<Error>)> {
    let (mut seen, mut damaged) = (Vec::new(), Vec::new());
    let book = book(root);
    for id in root.ids()? {
        match see(root, &book, &id) {
            Ok(one) => seen.extend(one),
            Err(error) => damaged.push(error),
        }
    }
    seen.sort_by_key(|one| std::cmp::Reverse(one.config.created));
    Ok((seen, damaged))
}

/// The container that `word` means.
pub fn one(root: &Root, word: &str) -> Result<Seen> {
    let id = root.find(word)?;
    see(root, &book(root), &id)?.ok_or_else(|| Error::new(Problem::NoSuchContainer { name: word.to_owned() }))
}

/// Who is where in which network. One that cannot be read is told by whoever changes something.
fn book(root: &Root) -> Book {
    Ledger::look(root.path()).unwrap_or_default()
}

/// The container `id`; `None` when it is being made or removed at this moment.
fn see(root: &Root, book: &Book, id: &str) -> Result<Option<Seen>> {
    let (config, status, state, pid) = match alive::state(root, id) {
        Ok(alive::State::Running(alive)) => {
            let state = if alive.is_paused()? { State::Paused } else { State::Running };
            (alive.config, alive.status, state, alive.first.pid)
        }
        Ok(alive::State::Waiting(waiting)) => {
            let state = match waiting.1.phase {
                Phase::Restarting => State::Restarting,
                _ if waiting.1.started_at.is_none() => State::Created,
                _ => State::Exited,
            };
            (waiting.0, waiting.1, state, 0)
        }
        Ok(alive::State::Idle(idle)) => {
            let (config, mut status) = *idle;
            if matches!(status.phase, Phase::Running { .. } | Phase::Restarting) {
                status.exit = KILLED;
            }
            let state = if status.phase == Phase::Created { State::Created } else { State::Exited };
            (config, status, state, 0)
        }
        Err(error) => {
            return match Config::load(&root.container(id)) {
                Ok(None) => Ok(None),
                _ => Err(error),
            };
        }
    };
    let place = |(name, net, lease): (&str, &Net, &Lease)| Place {
        network: name.to_owned(),
        network_id: net.id.clone(),
        address: lease.address,
        prefix: net.subnet.prefix,
        gateway: net.gateway,
        aliases: lease.aliases.clone(),
    };
    let places = book.networks_of(id).into_iter().map(place).collect();
    let bindings = book.tenants.get(id).map(|tenant| tenant.bindings.clone()).unwrap_or_default();
    Ok(Some(Seen { config, status, state, pid, places, bindings }))
}

impl Seen {
    /// Its cgroup, as far as there is one.
    pub fn group(&self) -> Result<Group> {
        Group::find(&self.config.spec.id)
    }

    /// The bytes that it has written itself, and those of its whole root file system.
    pub fn sizes(&self) -> Result<(u64, u64)> {
        let layers = &self.config.spec.layers;
        apart::where_needed("reader", || {
            // One that was never started has none.
            let own = match size::bytes(&layers.upper) {
                Err(error) if error.is_absence() => 0,
                bytes => bytes?,
            };
            let below = layers.lower.iter().map(|layer| size::bytes(layer)).sum::<Result<u64>>()?;
            Ok((own, own + below))
        })
    }
}
