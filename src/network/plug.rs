//! A container that runs is connected to one more network, or disconnected from one, from outside.
//!
//! Its network namespace is held open, and a netlink socket was opened by somebody who stood in it for a moment: such a
//! socket speaks for the namespace of its birth, so nobody need go in again, nor a process be started there. The far end
//! of the cable is born there; its address and its route are then set by that socket.
//!
//! Everything is done under the ledger's lock. While it is, the lease is marked, be the cable about to be laid or to be
//! taken away: whoever comes to the ledger later and finds the mark knows that it was left by somebody who was killed,
//! and takes the cable away.

use super::book::{Book, Lease};
use super::ledger::Ledger;
use super::make::Making;
use super::strike::{Gone, strike_in};
use super::{Endpoint, Wish, attach, bridge, configure, lease, link, names};
use crate::error::{Error, NetProblem, Problem, Result};
use crate::sys::netlink::{Netns, Socket};
use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

/// The network namespace of a container that runs.
#[derive(Debug)]
pub struct Inside<'a> {
    /// A socket that was opened in it.
    pub socket: Socket,
    /// The namespace itself, held open.
    pub netns: BorrowedFd<'a>,
    /// The path by which it was opened.
    pub path: &'a Path,
}

/// A socket that speaks for the network namespace in which this process stands.
pub fn speak() -> Result<Socket> {
    Socket::open()
}

/// Connect the running container `id` to the network that `wish` names. Errors: `AlreadyConnected`, and those of
/// [`lease`](super::lease::lease) and [`raise`](super::bridge::raise); nothing is left then.
pub fn connect(root: &Path, id: &str, wish: &Wish, inside: &Inside<'_>) -> Result<Endpoint> {
    let ledger = Ledger::open(root)?;
    let mut book = ledger.read()?.unwrap_or_default();
    let place = Gone::Place { network: wish.network.clone(), id: id.to_owned() };
    match book.lease_mut(&wish.network, id) {
        Some(Lease { plugging: true, .. }) => drop(strike_in(root, &mut book, &place)?),
        Some(_) => return Err(already(&book, id, wish)),
        None => {}
    }
    lease::need(root, &mut book, &wish.network)?;
    let mut endpoint = book.admit(id, wish)?;
    endpoint.default_route = book.find_way_out(id).is_some();
    endpoint.hairpin = book.tenants.get(id).is_some_and(|tenant| !tenant.bindings.is_empty());
    set_plugging(&mut book, &wish.network, id, true);
    ledger.write(&book)?;
    let laid = lay(root, &ledger, &mut book, id, &endpoint, inside);
    set_plugging(&mut book, &wish.network, id, false);
    let done = laid.and_then(|()| ledger.write(&book)).and_then(|()| refresh(&book, &wish.network, id));
    if let Err(error) = done {
        // The first error is the one to tell. What cannot be put back now is left, marked, to the next minidocker.
        let _ = strike_in(root, &mut book, &place).and_then(|_| close(ledger, &book));
        return Err(error);
    }
    Ok(endpoint)
}

fn lay(
    root: &Path,
    ledger: &Ledger,
    book: &mut Book,
    id: &str,
    endpoint: &Endpoint,
    inside: &Inside<'_>,
) -> Result<()> {
    bridge::raise_in(root, ledger, book, id, Making::REFERENCE)?;
    let netns = Netns::Open { descriptor: inside.netns.as_raw_fd(), path: inside.path };
    attach::plug_in(&Socket::open()?, endpoint, netns, attach::lay)?;
    configure::ethernet(&inside.socket, endpoint)
}

fn set_plugging(book: &mut Book, network: &str, id: &str, plugging: bool) {
    if let Some(lease) = book.lease_mut(network, id) {
        lease.plugging = plugging;
    }
}

fn already(book: &Book, id: &str, wish: &Wish) -> Error {
    let container = book.tenants.get(id).map_or_else(|| id.to_owned(), |tenant| tenant.name.clone());
    Error::new(Problem::Net(NetProblem::AlreadyConnected { container, network: wish.network.clone() }))
}

/// Disconnect container `id` from `network`; whether it was connected. If it went out by that network, it goes out by
/// another from now on, if it is in any that leads out; without `inside` (it is not there any more) nothing is routed.
/// What an earlier attempt that failed half-way has left is completed, too.
pub fn disconnect(root: &Path, id: &str, network: &str, inside: Option<&Inside<'_>>) -> Result<bool> {
    let ledger = Ledger::open(root)?;
    let mut book = ledger.read()?.unwrap_or_default();
    let place = Gone::Place { network: network.to_owned(), id: id.to_owned() };
    if book.lease_mut(network, id).is_some() {
        set_plugging(&mut book, network, id, true);
        ledger.write(&book)?;
    }
    let was_there = strike_in(root, &mut book, &place)?;
    book.find_way_out(id);
    if book.is_blank() {
        return ledger.remove().map(|()| was_there);
    }
    ledger.write(&book)?;
    let gateway = book.way_out(id).map(|(_, net, _)| net.gateway);
    if let (Some(gateway), Some(inside)) = (gateway, inside) {
        link::add_default_route(&inside.socket, gateway)?;
        bridge::raise_in(root, &ledger, &mut book, id, Making::REFERENCE)?;
    }
    names::refresh(&book, &BTreeSet::from([id.to_owned()]))?;
    Ok(was_there)
}

/// Container `id` has a new name: let its neighbours know.
pub fn rename(root: &Path, id: &str, name: &str) -> Result<()> {
    if !Ledger::is_written(root)? {
        return Ok(());
    }
    let ledger = Ledger::open(root)?;
    let Some(mut book) = ledger.read()? else { return ledger.remove() };
    let Some(tenant) = book.tenants.get_mut(id) else { return Ok(()) };
    name.clone_into(&mut tenant.name);
    ledger.write(&book)?;
    let networks: BTreeSet<String> =
        book.networks_of(id).iter().map(|(name, ..)| (*name).to_owned()).collect();
    let mut files = names::neighbours(&book, &networks, id);
    files.insert(id.to_owned());
    names::refresh(&book, &files)
}

fn refresh(book: &Book, network: &str, id: &str) -> Result<()> {
    let mut files = names::neighbours(book, &BTreeSet::from([network.to_owned()]), id);
    files.insert(id.to_owned());
    names::refresh(book, &files)
}

fn close(ledger: Ledger, book: &Book) -> Result<()> {
    if book.is_blank() { ledger.remove() } else { ledger.write(book) }
}
