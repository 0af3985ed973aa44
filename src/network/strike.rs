//! Leases are struck out: whatever stood in the kernel for them alone goes, then they go from the book.

use super::book::{Book, DEFAULT, Lease, Net, Rules};
use super::bridge::{lower, own};
use super::iptables::{Backend, Script};
use super::ledger::Ledger;
use super::mark::Mark;
use super::{link, names, publish};
use crate::error::{Problem, Result};
use crate::sys::netlink::Socket;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is over.
#[derive(Debug)]
pub enum Gone {
    /// These containers; and whatever lease was about to be given to one that runs, by somebody who was killed.
    Containers(BTreeSet<String>),
    /// The place of container `id` in `network`. The container goes on.
    #[allow(missing_docs, reason = "said above")]
    Place { network: String, id: String },
}

impl Gone {
    fn lease(&self, of: &str, whose: &str, lease: &Lease) -> bool {
        match self {
            Gone::Containers(ids) => ids.contains(whose) || lease.plugging,
            Gone::Place { network, id } => network == of && id == whose,
        }
    }

    fn tenant(&self, whose: &str) -> bool {
        matches!(self, Gone::Containers(ids) if ids.contains(whose))
    }
}

/// Strike out what is `gone`.
///
/// A network without leases loses its bridge and its rules; a container without a way out loses its ports. The veths of
/// leases that end are deleted: mostly the kernel has done so, since a veth dies with its namespace, but a container
/// that joined that namespace may keep it alive, and must not keep an address that is given to the next. The neighbours'
/// hosts files forget who has gone.
///
/// The book is written last, and stays as it was if a part cannot be put back, so that the next `minidocker` tries again;
/// one refusal does not keep the other parts from being tried. The ledger goes when nothing is left to be said.
pub fn strike(root: &Path, ledger: Ledger, mut book: Book, gone: &Gone) -> Result<()> {
    if !strike_in(root, &mut book, gone)? {
        return ledger.remove_unfinished();
    }
    if book.is_blank() { ledger.remove() } else { ledger.write(&book) }
}

/// The same by whoever writes the book; whether there was anything to be struck out. A container that keeps leases and
/// has lost the one by which its ports were published has none published any more: `raise` does it anew.
pub(super) fn strike_in(root: &Path, book: &mut Book, gone: &Gone) -> Result<bool> {
    let ended = take_ended(book, gone);
    if ended.is_empty() && !book.tenants.keys().any(|id| gone.tenant(id)) {
        return Ok(false);
    }
    let socket = Socket::open()?;
    let mut rules = Removal::default();
    let mut outcome = Ok(());
    let mut marks = Vec::new();
    for net in book.networks.values().filter(|net| net.leases.is_empty() && ended.contains_key(&net.bridge)) {
        match own(&socket, root, &net.bridge) {
            // Since the machine was started anew, say, somebody else has the name, and the rules with it.
            Err(error) if matches!(error.problem, Problem::BridgeTaken { .. }) => {}
            Err(error) => outcome = outcome.and(Err(error)),
            Ok(link) => {
                rules.add_bridge(net);
                marks.extend(link.and_then(|link| Mark::read(link.group)));
            }
        }
    }
    rules.unpublish(book);
    outcome = outcome.and(rules.carry_out());
    let left =
        |bridge: &str| book.networks.values().any(|net| net.bridge == bridge && !net.leases.is_empty());
    for (bridge, leases) in &ended {
        for lease in leases.iter().filter(|_| left(bridge)) {
            outcome = outcome.and(link::delete(&socket, &lease.host_link));
        }
    }
    for mark in marks {
        outcome = outcome.and(lower(&socket, mark));
    }
    outcome = outcome.and(forget(book, &ended, gone));
    outcome.map(|()| true)
}

/// Take the leases that are `gone` out of the book: by the name of their bridge.
fn take_ended(book: &mut Book, gone: &Gone) -> BTreeMap<String, Vec<Lease>> {
    let mut ended: BTreeMap<String, Vec<Lease>> = BTreeMap::new();
    for (name, net) in &mut book.networks {
        let ids: Vec<String> = net
            .leases
            .iter()
            .filter(|(id, lease)| gone.lease(name, id, lease))
            .map(|(id, _)| id.clone())
            .collect();
        let leases = ids.iter().filter_map(|id| net.leases.remove(id));
        ended.entry(net.bridge.clone()).or_default().extend(leases);
    }
    ended.retain(|_, leases| !leases.is_empty());
    ended
}

/// Strike out who and what has no lease any more, and let the neighbours know.
fn forget(book: &mut Book, ended: &BTreeMap<String, Vec<Lease>>, gone: &Gone) -> Result<()> {
    book.tenants.retain(|id, _| !gone.tenant(id));
    let affected = book.networks.iter().filter(|(_, net)| ended.contains_key(&net.bridge));
    let affected: BTreeSet<String> = affected.map(|(name, _)| name.clone()).collect();
    let refreshed = names::refresh(book, &names::neighbours(book, &affected, ""));
    for net in book.networks.values_mut().filter(|net| net.leases.is_empty()) {
        net.rules = Rules::Absent;
    }
    book.networks.retain(|name, net| name != DEFAULT || !net.leases.is_empty());
    refreshed
}

/// Rules that are to go.
#[derive(Default)]
struct Removal {
    scripts: BTreeMap<Backend, Script>,
    /// Where it is not known which of them stand.
    unsure: BTreeSet<Backend>,
    bridges: Vec<Net>,
    owners: BTreeSet<String>,
}

impl Removal {
    fn note(&mut self, rules: Rules, backend: Backend, write: impl FnOnce(&mut Script)) {
        match rules {
            Rules::Absent => return,
            Rules::Unsure => drop(self.unsure.insert(backend)),
            Rules::Applied => {}
        }
        write(self.scripts.entry(backend).or_default());
    }

    fn add_bridge(&mut self, net: &Net) {
        self.note(net.rules, net.backend, |script| net.fence().remove(script));
        self.bridges.push(net.clone());
    }

    /// The rules of ports that lead to an address which their container does not have any more.
    fn unpublish(&mut self, book: &mut Book) {
        let ids: Vec<String> = book.tenants.keys().cloned().collect();
        for id in ids {
            let now = book.publications(&id);
            let Some(tenant) = book.tenants.get_mut(&id).filter(|tenant| tenant.ports != now) else {
                continue;
            };
            self.note(tenant.rules, tenant.backend, |script| {
                tenant.ports.iter().for_each(|port| port.rules(script, false));
            });
            (tenant.ports, tenant.rules) = (now, Rules::Absent);
            self.owners.insert(id);
        }
    }

    /// Delete them: where all are there, just these; else whatever of them is found.
    fn carry_out(&self) -> Result<()> {
        let ours = |rule: &str| {
            self.bridges.iter().any(|net| net.fence().owns(rule))
                || self.owners.iter().any(|id| publish::owns(id, rule))
        };
        let mut outcome = Ok(());
        for (backend, script) in &self.scripts {
            let done = match self.unsure.contains(backend) {
                true => backend.sweep(&ours),
                false => backend.restore(script).or_else(|_| backend.sweep(&ours)),
            };
            outcome = outcome.and(done);
        }
        outcome
    }
}
