//! A container and the networks of its root, from outside: connect, disconnect, and what is published.
//!
//! Which process: any `minidocker`, beside the container's supervisor. What the container is connected to is written in
//! its record, under the lock on the whole, for its next start; if it runs, the cable is laid at once.

use super::cable;
use super::reclaim;
use super::record::{self, Config};
use super::{running, shared};
use crate::error::{Error, NetProblem, Problem, Result};
use crate::namespace::net::Door;
use crate::network::book::DEFAULT;
use crate::network::ledger::Ledger;
use crate::network::plug::{self, Inside};
use crate::network::port::{Binding, Port};
use crate::network::{Endpoint, Network, Wish, define};
use crate::state::{Root, RootLock};
use crate::step::{Step, take};
use std::path::PathBuf;

/// A network to be connected to, in the person's own words.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the options of `minidocker network connect`")]
pub struct Wanted {
    pub network: String,
    pub ip: Option<String>,
    pub aliases: Vec<String>,
}

fn problem(problem: NetProblem) -> Error {
    Error::new(Problem::Net(problem))
}

/// Connect the container that `word` means. Errors: `NoSuchNetwork`, `AlreadyConnected`, `NotConnectable`,
/// `OnlyOnUserNetworks`, and those of a lease.
pub fn connect(root: &Root, word: &str, wanted: &Wanted) -> Result<()> {
    let held = locked(root)?;
    let wish = wish(root, wanted)?;
    let mut config = record::load(root, &root.find(word)?)?.0;
    let places = places(&mut config.spec.network, word)?;
    if places.iter().any(|place| place.wish.network == wish.network) {
        return Err(problem(NetProblem::AlreadyConnected {
            container: word.to_owned(),
            network: wish.network,
        }));
    }
    places.push(Endpoint::wished(wish.clone()));
    take(Step::Connect, || {
        let id = &config.spec.id;
        shared::beside_bridges(root, || {
            let Some(door) = door(root, word)? else { return Ok(()) };
            inside(&door, |inside| plug::connect(root.path(), id, &wish, inside).map(drop))
        })?;
        save(&held, &config).inspect_err(|_| {
            // The first error is the one to tell. What is left can be disconnected.
            let _ = shared::beside_bridges(root, || unplug(root, word, id, &wish.network));
        })
    })
}

/// Disconnect the container that `word` means. With `force`, also one of which nothing is left but its lease. Errors:
/// `NoSuchNetwork`, `NotConnected`.
pub fn disconnect(root: &Root, word: &str, network: &str, force: bool) -> Result<()> {
    let held = locked(root)?;
    let network = cable::network_name(root.path(), network)?;
    let not_connected =
        || problem(NetProblem::NotConnected { container: word.to_owned(), network: network.clone() });
    let id = match root.find(word) {
        Err(_) if force => {
            let strike = || plug::disconnect(root.path(), word, &network, None);
            let gone = take(Step::Disconnect, || shared::beside_bridges(root, strike))?;
            return if gone { Ok(()) } else { Err(not_connected()) };
        }
        id => id?,
    };
    let mut config = record::load(root, &id)?.0;
    take(Step::Disconnect, || {
        let was_there = shared::beside_bridges(root, || unplug(root, word, &id, &network))?;
        let places = places(&mut config.spec.network, word)?;
        let count = places.len();
        places.retain(|place| place.wish.network != network);
        if places.len() == count && !was_there {
            return Err(not_connected());
        }
        save(&held, &config)
    })
}

/// Take the cable of container `id` away, if it runs; whether there was one.
fn unplug(root: &Root, word: &str, id: &str, network: &str) -> Result<bool> {
    match door(root, word)? {
        Some(door) => inside(&door, |inside| plug::disconnect(root.path(), id, network, Some(inside))),
        None => Ok(false),
    }
}

/// The lock on the whole, after everything that killed ones left has been cleared up.
fn locked(root: &Root) -> Result<RootLock> {
    let held = root.lock()?;
    take(Step::Reclaim, || reclaim::all(root, &held))?;
    Ok(held)
}

fn save(_held: &RootLock, config: &Config) -> Result<()> {
    config.save()
}

fn wish(root: &Root, wanted: &Wanted) -> Result<Wish> {
    let address = wanted.ip.as_deref().map(cable::parse_address).transpose()?;
    let network = cable::network_name(root.path(), &wanted.network)?;
    for (option, said) in [("--ip", address.is_some()), ("--alias", !wanted.aliases.is_empty())] {
        if said && network == DEFAULT {
            return Err(problem(NetProblem::OnlyOnUserNetworks { option: option.to_owned() }));
        }
    }
    if ["host", "none"].contains(&network.as_str()) {
        return Err(problem(NetProblem::ModeConflict {
            option: "network connect".to_owned(),
            mode: network,
        }));
    }
    Ok(Wish { network, address, aliases: wanted.aliases.clone() })
}

/// The networks that a container is in. `NotConnectable` for one whose network namespace is not its own, or is to stay
/// empty.
fn places<'a>(network: &'a mut Network, word: &str) -> Result<&'a mut Vec<Endpoint>> {
    let mode = match network {
        Network::Bridge(places) => return Ok(places),
        Network::None => "none".to_owned(),
        Network::Host => "host".to_owned(),
        Network::Container(join) => format!("container:{}", join.name),
    };
    Err(problem(NetProblem::NotConnectable { container: word.to_owned(), mode }))
}

/// The network namespace of the container that `word` means, and its path, if it runs.
fn door(root: &Root, word: &str) -> Result<Option<(Door, PathBuf)>> {
    let (spec, first) = match running::look_up(root, word) {
        Err(error) if matches!(error.problem, Problem::NotRunning { .. }) => return Ok(None),
        found => found?,
    };
    let path = PathBuf::from(format!("/proc/{}/ns/net", first.0));
    let door = Door::open(&path, word);
    // Opened while its first process was there, it is that process's.
    if running::runs(root, &spec.id, first)? { door.map(|door| Some((door, path))) } else { Ok(None) }
}

fn inside<T>(door: &(Door, PathBuf), work: impl FnOnce(&Inside<'_>) -> Result<T>) -> Result<T> {
    let (door, path) = door;
    let socket = door.visit(plug::speak)?;
    work(&Inside { socket, netns: door.namespace(), path })
}

/// The published ports of the container that `word` means, in order: all of them, or those of one port of its own.
/// Errors: `NotPublished` for a port that is not; `BadPort`.
pub fn ports(root: &Root, word: &str, port: Option<&str>) -> Result<Vec<Binding>> {
    let id = root.find(word)?;
    let port = port.map(str::parse::<Port>).transpose()?;
    let mut bindings = published(root, &id)?;
    bindings.retain(|binding| port.is_none_or(|port| binding.port == port));
    match port {
        Some(port) if bindings.is_empty() => {
            Err(problem(NetProblem::NotPublished { port: port.to_string(), container: word.to_owned() }))
        }
        _ => Ok(bindings),
    }
}

/// The published ports of container `id`; none unless it runs.
pub fn published(root: &Root, id: &str) -> Result<Vec<Binding>> {
    if !root.is_running(id)? {
        return Ok(Vec::new());
    }
    let mut bindings =
        Ledger::look(root.path())?.tenants.remove(id).map(|tenant| tenant.bindings).unwrap_or_default();
    bindings.sort_unstable();
    Ok(bindings)
}

/// Remove a network; its name.
pub fn remove(root: &Root, word: &str) -> Result<String> {
    let _held = locked(root)?;
    define::remove(root.path(), word)
}

/// Whether `error` says that there is no such network.
pub fn is_unknown(error: &Error) -> bool {
    matches!(error.problem, Problem::Net(NetProblem::NoSuchNetwork { .. }))
}

/// Remove the networks that no running container is in; their names.
pub fn prune(root: &Root) -> Result<Vec<String>> {
    let _held = locked(root)?;
    define::prune(root.path())
}
