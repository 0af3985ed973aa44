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

use super::lease::host_link;
use super::ledger::{Ledger, Rules, State};
use super::subnet::Subnet;
use super::{link, nat};
use crate::error::{Error, Problem, Result};
use crate::sys::file;
use crate::sys::netlink::Socket;
use std::path::Path;

/// The bridge.
pub const BRIDGE: &str = "minidocker0";

/// The link group (`md`) of the bridge and of every veth on it, which are deleted in one request.
pub const GROUP: u32 = 0x6d64;

const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

/// Make sure that the bridge is there and complete. Whoever asks holds a lease.
pub fn raise(root: &Path) -> Result<()> {
    let ledger = Ledger::open(root)?;
    let Some(mut state) = ledger.read()? else {
        return Err(Error::new(Problem::StateUnusable { path: root.join("network").display().to_string() }));
    };
    let socket = Socket::open()?;
    let there = link::index_of(&socket, BRIDGE)?.is_some();
    if there && state.rules == Rules::Applied {
        return Ok(());
    }
    if !there || state.ip_forward_was.is_none() {
        state.ip_forward_was = Some(ip_forward()?);
    }
    let untouched = state.rules == Rules::Absent;
    state.rules = Rules::Unsure;
    if untouched {
        make(&socket, state.subnet)?;
        ledger.write(&state)?;
    } else {
        ledger.write(&state)?;
        nat::sweep(state.subnet)?;
        make(&socket, state.subnet)?;
    }
    if state.ip_forward_was == Some(false) {
        set_ip_forward(true)?;
    }
    nat::apply(state.subnet)?;
    state.rules = Rules::Applied;
    ledger.write(&state)
}

/// Make the bridge, up, with the gateway's address. Each part may be there already.
fn make(socket: &Socket, subnet: Subnet) -> Result<()> {
    link::add_bridge(socket, BRIDGE, GROUP)?;
    let index = link::index_of(socket, BRIDGE)?.ok_or_else(|| Error::new(Problem::NoBridge))?;
    link::add_address(socket, index, BRIDGE, subnet.gateway(), subnet.prefix)?;
    link::set_up(socket, index, BRIDGE)
}

/// End the lease of the container `id`. After the last one, nothing of the bridge is left.
pub fn release(root: &Path, id: &str) -> Result<()> {
    retain(Ledger::open(root)?, &|leased| leased != id)
}

/// End the leases of all containers that are not `alive`: what a killed `minidocker` could not do itself.
/// Without a ledger this costs a look into one directory.
pub fn reclaim(root: &Path, alive: &dyn Fn(&str) -> bool) -> Result<()> {
    if !Ledger::is_written(root)? {
        return Ok(());
    }
    retain(Ledger::open(root)?, alive)
}

/// Keep the leases that are to be kept. When others remain, delete the veths of those that end: mostly the
/// kernel has done so, since a veth dies with its namespace, but a container that joined that namespace may
/// keep it alive, and must not keep an address that is given to the next.
fn retain(ledger: Ledger, keep: &dyn Fn(&str) -> bool) -> Result<()> {
    let Some(mut state) = ledger.read()? else { return ledger.remove() };
    let ended: Vec<String> = state.leases.keys().filter(|id| !keep(id)).cloned().collect();
    state.leases.retain(|id, _| !ended.contains(id));
    if state.leases.is_empty() {
        return tear_down(ledger, &state);
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
fn tear_down(ledger: Ledger, state: &State) -> Result<()> {
    let rules = match state.rules {
        Rules::Absent => Ok(()),
        Rules::Unsure => nat::sweep(state.subnet),
        Rules::Applied => nat::remove(state.subnet),
    };
    let socket = Socket::open()?;
    if link::index_of(&socket, BRIDGE)?.is_some() {
        if state.ip_forward_was == Some(false) {
            set_ip_forward(false)?;
        }
        link::delete_group(&socket, GROUP)?;
    }
    rules?;
    ledger.remove()
}

fn ip_forward() -> Result<bool> {
    file::read_text(Path::new(IP_FORWARD)).map(|text| text.trim() != "0")
}

fn set_ip_forward(on: bool) -> Result<()> {
    file::write(Path::new(IP_FORWARD), if on { "1" } else { "0" })
}
