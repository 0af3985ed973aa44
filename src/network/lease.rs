//! A container's addresses, leased before anything is made for it.

use super::book::{Book, DEFAULT, Net, Rules, Tenant};
use super::files::{self, Lookup};
use super::ledger::Ledger;
use super::port::Binding;

use super::{Endpoint, bridge, link, names, subnet};
use crate::error::{Error, NetProblem, Problem, Result};
use crate::sys::file;
use crate::sys::netlink::Socket;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A container that is about to start.
#[derive(Debug)]
pub struct Newcomer<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name, or the id.
    pub name: &'a str,
    /// Its host name.
    pub hostname: &'a str,
    /// The file that it is to see as `/etc/hosts`; none when it brings one of its own.
    pub hosts: Option<PathBuf>,
    /// What is to stand there before the lines that are kept up to date.
    pub lookup: &'a Lookup,
    /// The ports that are held for it.
    pub bindings: Vec<Binding>,
}

/// Lease an address in the network of each of `endpoints` to the container; the ledger of the state root `root` holds
/// them from now on, until [`release`](super::bridge::release) or, should this process die, until
/// [`reclaim`](super::bridge::reclaim) finds the container dead. Its hosts file is written, those of its neighbours are
/// brought up to date. On entry the ledger has no lease of this container's.
///
/// The first lease on the default network chooses its bridge's name and the subnet. Nothing is made in the kernel yet.
///
/// Errors: `NoSuchNetwork`, `NoAddress`, `NoSubnet`; `AddressTaken` and `AddressOutside` for one that was asked for;
/// `NothingLeadsOut` where ports are to be published and every network is internal.
pub fn lease(root: &Path, newcomer: &Newcomer<'_>, endpoints: &mut [Endpoint]) -> Result<()> {
    let ledger = Ledger::open(root)?;
    let mut book = ledger.read()?.unwrap_or_default();
    let id = newcomer.id;
    for endpoint in &mut *endpoints {
        need(root, &mut book, &endpoint.wish.network)?;
        *endpoint = book.admit(id, &endpoint.wish)?;
    }
    settle(&mut book, newcomer, endpoints)?;
    ledger.write(&book)?;
    let networks: BTreeSet<String> = endpoints.iter().map(|endpoint| endpoint.wish.network.clone()).collect();
    if let Some(path) = &newcomer.hosts {
        let gateway = book.way_out(id).map(|(_, net, _)| net.gateway);
        let text = files::hosts(newcomer.lookup, gateway);
        file::write_new(path, &names::splice(&text, &names::section(&book, id)), 0o644)?;
    }
    names::refresh(&book, &names::neighbours(&book, &networks, id))
}

/// Note who the newcomer is, which way leads out, and what is to be published there.
fn settle(book: &mut Book, newcomer: &Newcomer<'_>, endpoints: &mut [Endpoint]) -> Result<()> {
    let id = newcomer.id;
    let tenant = Tenant {
        name: newcomer.name.to_owned(),
        hostname: newcomer.hostname.to_owned(),
        hosts: newcomer.hosts.clone(),
        bindings: newcomer.bindings.clone(),
        ports: Vec::new(),
        rules: Rules::Absent,
        backend: Default::default(),
    };
    book.tenants.insert(id.to_owned(), tenant);
    book.find_way_out(id);
    let way_out = book.way_out(id).map(|(_, _, lease)| lease.link.clone());
    if way_out.is_none() && !newcomer.bindings.is_empty() {
        return Err(Error::new(Problem::Net(NetProblem::NothingLeadsOut)));
    }
    for endpoint in endpoints {
        endpoint.default_route = way_out.as_ref() == Some(&endpoint.link);
        endpoint.hairpin = !newcomer.bindings.is_empty();
    }
    Ok(())
}

/// The name of the host's end of a container's first veth pair: 14 of the 15 bytes that a link's name may have.
pub fn host_link(id: &str) -> String {
    format!("md{id}")
}

/// If `network` is the default network, let `book` have it.
pub(super) fn need(root: &Path, book: &mut Book, network: &str) -> Result<()> {
    if network == DEFAULT && !book.networks.contains_key(DEFAULT) {
        let fresh = fresh(root, book)?;
        book.networks.insert(DEFAULT.to_owned(), fresh);
    }
    Ok(())
}

/// The default network, to be made beside the networks of `book`.
fn fresh(root: &Path, book: &Book) -> Result<Net> {
    let socket = Socket::open()?;
    let bridge = bridge::choose(&socket, root)?;
    let others: Vec<_> = book.networks.values().map(|net| net.subnet).collect();
    let subnet = subnet::choose_beside(&link::routes(&socket)?, &others);
    let subnet = subnet.ok_or_else(|| Error::new(Problem::NoSubnet))?;
    Ok(Net {
        id: String::new(),
        bridge,
        subnet,
        gateway: subnet.gateway(),
        internal: false,
        created: 0,
        rules: Rules::Absent,
        backend: Default::default(),
        last: subnet.gateway(),
        leases: BTreeMap::new(),
    })
}
