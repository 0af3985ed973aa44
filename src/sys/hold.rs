//! A port of this network namespace, held: socket(2), bind(2), listen(2), getsockname(2).
//!
//! The socket is never read from. It keeps others from the port for as long as it is open, and whoever looks (ss(8))
//! sees whose it is.

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// tcp(7)
    Tcp,
    /// udp(7)
    Udp,
}

#[derive(Debug)]
struct Bind {
    transport: Transport,
    address: SocketAddrV4,
}

impl Request for Bind {
    fn name(&self) -> &'static str {
        if self.transport == Transport::Tcp { "listen" } else { "bind" }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        let kind = if self.transport == Transport::Tcp { "SOCK_STREAM" } else { "SOCK_DGRAM" };
        each("type", Value::Symbol(kind));
        each("sin_addr", Value::Address(*self.address.ip()));
        each("sin_port", Value::Number(self.address.port().into()));
    }
}

/// Hold the port of `address`; 0 is any free one. The socket, and the port. `EADDRINUSE` when somebody has it, be it at
/// `0.0.0.0` or at that address alone; `EADDRNOTAVAIL` for an address that is not this host's; `EACCES` for a port that
/// only root may have.
pub fn port(transport: Transport, address: SocketAddrV4) -> Result<(OwnedFd, u16)> {
    let mut held = None;
    ask(Call::Other(&Bind { transport, address }), || {
        // Of TCP, one that has just been closed counts as free (SO_REUSEADDR), as long as nobody listens.
        let bound = match transport {
            Transport::Tcp => {
                TcpListener::bind(address).and_then(|socket| Ok((socket.local_addr()?, socket.into())))
            }
            Transport::Udp => {
                UdpSocket::bind(address).and_then(|socket| Ok((socket.local_addr()?, socket.into())))
            }
        };
        let (name, socket): (SocketAddr, OwnedFd) = bound.map_err(|error| super::file::errno(&error))?;
        held = Some((socket, name.port()));
        Ok(())
    })?;
    held.ok_or_else(|| crate::error::Error::new(crate::error::Problem::Refused))
}

/// Every address of this host's.
pub const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::errno::EADDRINUSE;

    #[test]
    fn a_port_is_held_until_its_socket_is_closed() {
        for transport in [Transport::Tcp, Transport::Udp] {
            let (socket, number) = port(transport, SocketAddrV4::new(ANY, 0)).unwrap();
            assert_ne!(number, 0);
            for ip in [ANY, Ipv4Addr::LOCALHOST] {
                let again = port(transport, SocketAddrV4::new(ip, number));
                assert!(again.unwrap_err().is(EADDRINUSE), "{transport:?} {ip}");
            }
            drop(socket);
            port(transport, SocketAddrV4::new(Ipv4Addr::LOCALHOST, number)).unwrap();
        }
    }
}
