//! The host's side of the bridges: each made for its first container, taken away after its last.
//!
//! On the host stand the bridges with the gateways' addresses, `ip_forward`, and the rules of [`nat`](super::nat) and
//! [`publish`]. None of them dies with a process, so all are made and removed under the lock of the [`ledger`](super::ledger), in an order
//! that lets the next `minidocker` finish what a killed one began:
//!
//! - A lease is written before anything is made for it, and struck out when all of that is gone. A network without
//!   leases has neither bridge nor rules; what is left of it is its definition, if somebody defined it.
//! - `rules` says `unsure` from before the rules are written until all is complete. Whoever reads it looks
//!   for rules before writing or after removing any. Before the first, a bridge may be there, and nothing else: making
//!   it is the first request that needs rights.
//! - The bridge is made before `ip_forward` is set and deleted after it is put back. So without a bridge
//!   `ip_forward` is not ours, which is also true after the machine was started anew.
//!
//! Each state root has bridges of its own, and several roots may share a network namespace. A link that does not
//! bear the bridge's [`Mark`] is somebody else's and is never touched, nor are rules that name it. `ip_forward`
//! belongs to all bridges: one that joins others takes over from them what the host did before, and whoever ends
//! puts that back only when no other is left. (Two that end in the same instant may each leave it to the other.)

use super::book::{Book, Net, Rules};
use super::iptables::{Backend, Script};
use super::ledger::Ledger;
use super::make::{Making, Plan};
use super::mark::Mark;
use super::reply::Link;
use super::strike::{self, Gone};
use super::{link, publish};
use crate::error::{Error, NetProblem, Problem, Result};
use crate::sys::file;
use crate::sys::netlink::Socket;
use std::collections::BTreeSet;
use std::path::Path;

/// The names that the default network's bridge may have: `minidocker0` for the only state root, and a few more.
fn names() -> impl Iterator<Item = String> {
    (0..8).map(|number| format!("minidocker{number}"))
}

/// Whether this network namespace sends packets on that are not for itself: `0` or `1`. See ip(7).
pub const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

/// The name for the default bridge of the state root `root`, whose ledger has none: that of a bridge which is already
/// its own, else the first that no link has.
pub fn choose(socket: &Socket, root: &Path) -> Result<String> {
    let mut free = None;
    for name in names() {
        match link::find(socket, &name)? {
            Some(link) if Mark::of(root, &name)?.owns(link.group) => return Ok(name),
            None if free.is_none() => free = Some(name),
            _ => {}
        }
    }
    free.ok_or_else(|| taken(names().last().as_deref().unwrap_or_default()))
}

/// Make sure that the bridges of the networks of container `id` are there and complete, and its ports published. It
/// holds its leases. A bridge that is not there yet is made by the steps of `making`.
pub fn raise(root: &Path, id: &str, making: Making) -> Result<()> {
    let ledger = Ledger::open(root)?;
    let Some(mut book) = ledger.read()? else {
        return Err(Error::new(Problem::StateUnusable { path: root.join("network").display().to_string() }));
    };
    raise_in(root, &ledger, &mut book, id, making)
}

/// The same by whoever has the ledger open. After an error `book` may be ahead of the ledger.
pub(super) fn raise_in(
    root: &Path,
    ledger: &Ledger,
    book: &mut Book,
    id: &str,
    making: Making,
) -> Result<()> {
    let socket = Socket::open()?;
    let mut wanting = Vec::new();
    for (name, net, _) in book.networks_of(id) {
        let there = own(&socket, root, &net.bridge)?.and_then(|link| Mark::read(link.group));
        if there.is_none() || net.rules != Rules::Applied {
            wanting.push((name.to_owned(), there));
        }
    }
    let unpublished = |book: &Book| {
        book.tenants.get(id).is_some_and(|tenant| !tenant.ports.is_empty() && tenant.rules != Rules::Applied)
    };
    if wanting.is_empty() && !unpublished(book) {
        return Ok(());
    }
    let backend = Backend::of_machine()?;
    let mut work = Work::new(backend, making);
    for (name, there) in &wanting {
        if let Some(net) = book.networks.get_mut(name) {
            work.begin(&socket, root, net, *there)?;
        }
    }
    if unpublished(book) {
        work.publish(book, id);
    }
    ledger.write(book)?;
    work.finish(&socket)?;
    for (name, _) in &wanting {
        book.networks.entry(name.clone()).and_modify(|net| net.rules = Rules::Applied);
    }
    book.tenants.entry(id.to_owned()).and_modify(|tenant| tenant.rules = Rules::Applied);
    ledger.write(book)
}

/// What is to be done once the ledger says that it is under way.
struct Work {
    backend: Backend,
    making: Making,
    script: Script,
    /// Rules that may stand already.
    unsure: Vec<(Backend, Net)>,
    /// The same of the ports of a container.
    unsure_ports: Option<(Backend, String)>,
    /// Bridges that are still to be made.
    unmade: Vec<(Net, Mark)>,
    /// Bridges by which packets from and to 127.0.0.1 are to be routed.
    local: BTreeSet<String>,
    forward: bool,
}

impl Work {
    fn new(backend: Backend, making: Making) -> Self {
        Self {
            backend,
            making,
            script: Script::default(),
            unsure: Vec::new(),
            unsure_ports: None,
            unmade: Vec::new(),
            local: BTreeSet::new(),
            forward: false,
        }
    }

    /// Note what `net` wants. Where no rules can stand, its bridge is made at once.
    fn begin(&mut self, socket: &Socket, root: &Path, net: &mut Net, there: Option<Mark>) -> Result<()> {
        let mark = match there {
            Some(mark) => mark,
            None => {
                let mark = Mark::of(root, &net.bridge)?;
                mark.on_host(forwarded(socket, mark)?)
            }
        };
        if there.is_none() && net.is_defined() && net.subnet.is_routed(&link::routes(socket)?) {
            return Err(Error::new(Problem::Net(NetProblem::SubnetTaken { subnet: net.subnet.to_string() })));
        }
        if net.rules == Rules::Absent {
            (self.making.bridge)(socket, &plan(net, mark))?;
        } else {
            self.unsure.push((net.backend, net.clone()));
            self.unmade.push((net.clone(), mark));
        }
        (net.rules, net.backend) = (Rules::Unsure, self.backend);
        net.fence().add(&mut self.script, self.making.way_out);
        self.forward |= !mark.forwarded();
        Ok(())
    }

    /// Note what the ports of container `id` want.
    fn publish(&mut self, book: &mut Book, id: &str) {
        let Some(tenant) = book.tenants.get_mut(id) else { return };
        if tenant.rules == Rules::Unsure {
            self.unsure_ports = Some((tenant.backend, id.to_owned()));
        }
        (tenant.rules, tenant.backend) = (Rules::Unsure, self.backend);
        for port in &tenant.ports {
            port.rules(&mut self.script, true);
            self.local.insert(port.bridge.clone());
        }
    }

    fn finish(self, socket: &Socket) -> Result<()> {
        for (backend, net) in &self.unsure {
            backend.sweep(&|rule| net.fence().owns(rule))?;
        }
        if let Some((backend, id)) = &self.unsure_ports {
            backend.sweep(&|rule| publish::owns(id, rule))?;
        }
        for (net, mark) in &self.unmade {
            (self.making.bridge)(socket, &plan(net, *mark))?;
        }
        for bridge in &self.local {
            publish::route_loopback(bridge)?;
        }
        if self.forward {
            set_ip_forward(true)?;
        }
        self.backend.restore(&self.script)
    }
}

fn plan(net: &Net, mark: Mark) -> Plan<'_> {
    Plan { name: &net.bridge, group: mark.group(), gateway: net.gateway, prefix: net.subnet.prefix }
}

/// The link `name`, which must be that bridge of the state root if it is there.
pub(super) fn own(socket: &Socket, root: &Path, name: &str) -> Result<Option<Link>> {
    checked(name, Mark::of(root, name)?, link::find(socket, name)?)
}

fn checked(name: &str, mark: Mark, found: Option<Link>) -> Result<Option<Link>> {
    match found {
        Some(link) if !mark.owns(link.group) => Err(taken(name)),
        link => Ok(link),
    }
}

fn taken(name: &str) -> Error {
    Error::new(Problem::BridgeTaken { name: name.to_owned() })
}

/// The marks of other bridges, of this state root and of others.
fn others(socket: &Socket, own: Mark) -> Result<Vec<Mark>> {
    let marks = link::groups_of_bridges(socket)?.into_iter().filter_map(Mark::read);
    Ok(marks.filter(|mark| !own.owns(mark.group())).collect())
}

/// End the leases of the container `id`. After the last one, nothing of a bridge is left.
pub fn release(root: &Path, id: &str) -> Result<()> {
    let ledger = Ledger::open(root)?;
    match ledger.read()? {
        Some(book) => strike::strike(root, ledger, book, &Gone::Containers(BTreeSet::from([id.to_owned()]))),
        None => ledger.remove(),
    }
}

/// End the leases of all containers that are not `alive`, and those that were about to be given to one that is: what a
/// killed `minidocker` could not do itself. Without a ledger this costs a look into one directory.
pub fn reclaim(root: &Path, alive: &dyn Fn(&str) -> bool) -> Result<()> {
    if !Ledger::is_written(root)? {
        return Ok(());
    }
    let ledger = Ledger::open(root)?;
    let Some(book) = ledger.read()? else { return ledger.remove() };
    let dead = book.tenants.keys().filter(|id| !alive(id)).cloned().collect();
    strike::strike(root, ledger, book, &Gone::Containers(dead))
}

/// Whether there may be anything to [`reclaim`] or to [`forget`]: a look into one directory.
pub fn is_noted(root: &Path) -> Result<bool> {
    Ledger::is_written(root)
}

/// The network namespace that the ledger of `root` speaks of is gone, and with it all that was made there.
pub fn forget(root: &Path) -> Result<()> {
    if !Ledger::is_written(root)? {
        return Ok(());
    }
    let ledger = Ledger::open(root)?;
    let Some(mut book) = ledger.read()? else { return ledger.remove() };
    if book.forget_leases() {
        return if book.is_blank() { ledger.remove() } else { ledger.write(&book) };
    }
    ledger.remove_unfinished()
}

/// Whether the host forwarded packets before the first of all bridges. They are asked first: whoever ends puts
/// `ip_forward` back before its bridge goes.
fn forwarded(socket: &Socket, own: Mark) -> Result<bool> {
    let others = others(socket, own)?;
    let now = file::read_text(Path::new(IP_FORWARD))?.trim() != "0";
    Ok(now && others.into_iter().all(Mark::forwarded))
}

/// Delete the bridge with this mark, and every cable to it. If the host did not forward before, it stops unless another
/// bridge needs it, also one that was made at this very moment.
pub(super) fn lower(socket: &Socket, own: Mark) -> Result<()> {
    if !own.forwarded() && others(socket, own)?.is_empty() {
        set_ip_forward(false)?;
        if !others(socket, own)?.is_empty() {
            set_ip_forward(true)?;
        }
    }
    link::delete_group(socket, own.group())
}

fn set_ip_forward(on: bool) -> Result<()> {
    file::write(Path::new(IP_FORWARD), if on { "1" } else { "0" })
}
