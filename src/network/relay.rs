//! Published ports of containers whose bridge is in another network namespace than the ports: a process that carries
//! each connection across.
//!
//! Rules turn packets within one namespace, and what arrives at the host's ports never is in that of an ordinary user's
//! bridges. But a socket stays in the namespace in which it was made. So the ports are held before the supervisor moves,
//! and a process of its own accepts at those sockets and connects from where it is.

use super::ledger::Ledger;
use super::port::{Binding, Holds, Protocol};
use crate::error::Result;
use crate::sys::hold::Transport;
use crate::sys::relay::{Mouth, serve};
use crate::sys::security;
use std::net::SocketAddrV4;
use std::path::Path;
use std::sync::Arc;

/// From now on, carry what arrives at the held ports to container `id`, wherever the ledger of the state root `root` says
/// that it is when it arrives, for as long as this process lives. It gives up all rights, and has several threads from
/// here on.
pub fn run(root: &Path, id: &str, holds: Holds, bindings: Vec<Binding>) -> Result<()> {
    security::capset(0, 0, 0)?;
    let transports = bindings.iter().map(|binding| match binding.port.protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
    });
    let sockets = holds.into_sockets().into_iter().zip(transports);
    let mouths = sockets.map(|(socket, transport)| Mouth { socket, transport }).collect();
    let (root, id) = (root.to_owned(), id.to_owned());
    let target = move |number: usize| {
        let book = Ledger::look(&root).ok()?;
        let (_, _, lease) = book.way_out(&id)?;
        let binding = bindings.get(number)?;
        Some(SocketAddrV4::new(lease.address, binding.port.number))
    };
    serve(mouths, Arc::new(target))
}
