//! The host's side of the bridge: made for the first container, taken away after the last.
//!
//! On the host stand the bridge with the gateway's address, `ip_forward`, and the rules of [`nat`]. None of them
//! dies with a process, so all are made and removed under the lock of the [`ledger`](super::ledger), in an order
//! that lets the next `minidocker` finish what a killed one began:
//!
//! - A lease is written before anything is made for it; the ledger goes last. While a ledger holds nothing but
//!   leases, a bridge may be there, and nothing else: making it is the first request that needs rights.
//! - `rules` says `unsure` from before the rules are written until all is complete. Whoever reads it looks
//!   for rules before writing or after removing any.
//! - The bridge is made before `ip_forward` is set and deleted after it is put back. So without a bridge
//!   `ip_forward` is not ours, which is also true after the machine was started anew.
//!
//! Each state root has a bridge of its own, and several roots may share a network namespace. A link that does not
//! bear this root's [`Mark`] is somebody else's and is never touched, nor are rules that name it. `ip_forward`
//! belongs to all bridges: one that joins others takes over from them what the host did before, and whoever ends
//! puts that back only when no other is left. (Two that end in the same instant may each leave it to the other.)

use super::lease::host_link;
use super::ledger::{Ledger, Rules, State};
use super::mark::Mark;
use super::reply::Link;
use super::subnet::Subnet;
use super::{link, nat};
use crate::error::{Error, Problem, Result};
use crate::sys::file;
use crate::sys::netlink::Socket;
use std::path::Path;

/// The names that a bridge may have: `minidocker0` for the only state root, and a few more.
fn names() -> impl Iterator<Item = String> {
    (0..8).map(|number| format!("minidocker{number}"))
}

/// Whether this network namespace sends packets on that are not for itself: `0` or `1`. See ip(7).
pub const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

/// The name for the bridge of the state root `root`, whose ledger has none: that of a bridge which is already its
/// own, else the first that no link has.
pub fn choose(socket: &Socket, root: &Path) -> Result<String> {
    let mark = Mark::of(root)?;
    let mut free = None;
    for name in names() {
        match link::find(socket, &name)? {
            Some(link) if mark.owns(link.group) => return Ok(name),
            None if free.is_none() => free = Some(name),
            _ => {}
        }
    }
    free.ok_or_else(|| taken(names().last().as_deref().unwrap_or_default()))
}

/// Make sure that the bridge is there and complete. Whoever asks holds a lease.
pub fn raise(root: &Path) -> Result<()> {
    let ledger = Ledger::open(root)?;
    let Some(mut state) = ledger.read()? else {
        return Err(Error::new(Problem::StateUnusable { path: root.join("network").display().to_string() }));
    };
    let (socket, mark) = (Socket::open()?, Mark::of(root)?);
    let there = own(&socket, &state.bridge, mark)?.and_then(|link| Mark::read(link.group));
    if there.is_some() && state.rules == Rules::Applied {
        return Ok(());
    }
    let mark = match there {
        Some(mark) => mark,
        None => mark.on_host(forwarded(&socket, mark)?),
    };
    let untouched = state.rules == Rules::Absent;
    state.rules = Rules::Unsure;
    if untouched {
        make(&socket, &state.bridge, mark, state.subnet)?;
        ledger.write(&state)?;
    } else {
        ledger.write(&state)?;
        nat::sweep(&state.bridge, state.subnet)?;
        make(&socket, &state.bridge, mark, state.subnet)?;
    }
    if !mark.forwarded() {
        set_ip_forward(true)?;
    }
    nat::apply(&state.bridge, state.subnet)?;
    state.rules = Rules::Applied;
    ledger.write(&state)
}

/// Make the bridge, up, with the gateway's address. Each part may be there already. Another state root may have
/// taken the name a moment ago.
fn make(socket: &Socket, name: &str, mark: Mark, subnet: Subnet) -> Result<()> {
    link::add_bridge(socket, name, mark.group())?;
    let Link { index, .. } = own(socket, name, mark)?.ok_or_else(|| Error::new(Problem::NoBridge))?;
    link::add_address(socket, index, name, subnet.gateway(), subnet.prefix)?;
    link::set_up(socket, index, name)
}

/// The link `name`, which must be the bridge of the root with this `mark` if it is there.
fn own(socket: &Socket, name: &str, mark: Mark) -> Result<Option<Link>> {
    match link::find(socket, name)? {
        Some(link) if !mark.owns(link.group) => Err(taken(name)),
        link => Ok(link),
    }
}

fn taken(name: &str) -> Error {
    Error::new(Problem::BridgeTaken { name: name.to_owned() })
}

/// The marks of the bridges of other state roots.
fn others(socket: &Socket, own: Mark) -> Result<Vec<Mark>> {
    let mut marks = Vec::new();
    for name in names() {
        let mark = link::find(socket, &name)?.and_then(|link| Mark::read(link.group));
        marks.extend(mark.filter(|mark| !own.owns(mark.group())));
    }
    Ok(marks)
}

/// End the lease of the container `id`. After the last one, nothing of the bridge is left.
pub fn release(root: &Path, id: &str) -> Result<()> {
    retain(root, Ledger::open(root)?, &|leased| leased != id)
}

/// End the leases of all containers that are not `alive`: what a killed `minidocker` could not do itself.
/// Without a ledger this costs a look into one directory.
pub fn reclaim(root: &Path, alive: &dyn Fn(&str) -> bool) -> Result<()> {
    if !Ledger::is_written(root)? {
        return Ok(());
    }
    retain(root, Ledger::open(root)?, alive)
}

/// Keep the leases that are to be kept. When others remain, delete the veths of those that end: mostly the
/// kernel has done so, since a veth dies with its namespace, but a container that joined that namespace may
/// keep it alive, and must not keep an address that is given to the next.
fn retain(root: &Path, ledger: Ledger, keep: &dyn Fn(&str) -> bool) -> Result<()> {
    let Some(mut state) = ledger.read()? else { return ledger.remove() };
    let ended: Vec<String> = state.leases.keys().filter(|id| !keep(id)).cloned().collect();
    state.leases.retain(|id, _| !ended.contains(id));
    if state.leases.is_empty() {
        return tear_down(Mark::of(root)?, ledger, &state);
    }
    if ended.is_empty() {
        return ledger.remove_unfinished();
    }
    let socket = Socket::open()?;
    for id in &ended {
        link::delete(&socket, &host_link(id))?;
    }
    ledger.write(&state)
}

/// Put the host back as it was found. The ledger stays if a part cannot be put back, so that the next
/// `minidocker` tries again; one refusal does not keep the other parts from being tried.
fn tear_down(mark: Mark, ledger: Ledger, state: &State) -> Result<()> {
    let socket = Socket::open()?;
    let bridge = match own(&socket, &state.bridge, mark) {
        // Since the machine was started anew, say, somebody else has the name, and the rules with it.
        Err(error) if matches!(error.problem, Problem::BridgeTaken { .. }) => return ledger.remove(),
        bridge => bridge?,
    };
    let rules = match state.rules {
        Rules::Absent => Ok(()),
        Rules::Unsure => nat::sweep(&state.bridge, state.subnet),
        Rules::Applied => nat::remove(&state.bridge, state.subnet),
    };
    if let Some(mark) = bridge.and_then(|link| Mark::read(link.group)) {
        if !mark.forwarded() {
            stop_forwarding(&socket, mark)?;
        }
        link::delete_group(&socket, mark.group())?;
    }
    rules?;
    ledger.remove()
}

/// Whether the host forwarded packets before the first of all bridges. They are asked first: whoever ends puts
/// `ip_forward` back before its bridge goes.
fn forwarded(socket: &Socket, own: Mark) -> Result<bool> {
    let others = others(socket, own)?;
    let now = file::read_text(Path::new(IP_FORWARD))?.trim() != "0";
    Ok(now && others.into_iter().all(Mark::forwarded))
}

/// Stop it unless another bridge needs it, also one that was made at this very moment.
fn stop_forwarding(socket: &Socket, own: Mark) -> Result<()> {
    if !others(socket, own)?.is_empty() {
        return Ok(());
    }
    set_ip_forward(false)?;
    if others(socket, own)?.is_empty() { Ok(()) } else { set_ip_forward(true) }
}

fn set_ip_forward(on: bool) -> Result<()> {
    file::write(Path::new(IP_FORWARD), if on { "1" } else { "0" })
}
