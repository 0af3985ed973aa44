//! Somebody outside, to whom a check lets a container speak: another network namespace, with an address of another
//! network, at the other end of a cable of the host's.
//!
//! Nobody lives there. A socket belongs to the network namespace in which it was made, wherever its owner goes, and keeps
//! that namespace alive; so the grader goes there for a moment, makes two sockets, and comes back.

use crate::error::Result;
use crate::namespace;
use crate::network::link::{self, Netns, Socket, Veth};
use crate::sys::flags::CLONE_NEWNET;
use crate::sys::{file, namespace::setns, socket};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

/// The host's address on that cable: in a subnet that RFC 5737 sets aside for examples.
pub const HOST: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The address of outside.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
const PREFIX: u8 = 24;
/// The host's end of the cable, and the other.
const UPLINK: &str = "uplink0";
const FAR_END: &str = "eth0";

/// The port at which the listeners of a check listen.
pub const PORT: u16 = 7;

/// Outside, as long as this is kept.
#[derive(Debug)]
pub struct Outside {
    /// Speaks for the host's network namespace.
    host: Socket,
    listener: OwnedFd,
}

impl Outside {
    /// Make it, and the cable. It knows the way back to any address, which nobody in the real world does: so that an
    /// answer comes even to a sender who should not have been seen, and tells who it was.
    ///
    /// On entry this process has one thread.
    pub fn make() -> Result<Self> {
        let host = Socket::open()?;
        link::delete(&host, UPLINK)?;
        let own = Path::new("/proc/self/ns/net");
        let home = file::open_file(own, 0, 0)?;
        namespace::net::enter()?;
        let made = (|| Ok((file::open_file(own, 0, 0)?, Socket::open()?, listen()?)))();
        setns(&home, own, CLONE_NEWNET)?;
        let (namespace, far, listener) = made?;
        let outside = Self { host, listener };
        outside.lay(Netns::Open { descriptor: namespace.as_raw_fd(), path: own }, &far)?;
        Ok(outside)
    }

    fn lay(&self, netns: Netns<'_>, far: &Socket) -> Result<()> {
        link::add_veth(&self.host, Veth { name: UPLINK, group: 0, master: 0, peer: FAR_END, netns })?;
        for (socket, name, address) in [(&self.host, UPLINK, HOST), (far, FAR_END, OUTSIDE)] {
            let index = link::find(socket, name)?.map_or(0, |link| link.index);
            link::add_address(socket, index, name, address, PREFIX)?;
            link::set_up(socket, index, name)?;
        }
        link::add_default_route(far, HOST)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(OUTSIDE, PORT)
    }

    /// Who made the connection that was made.
    pub fn caller(&self) -> Result<Ipv4Addr> {
        caller(&self.listener)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // The other end, and the namespace with it, dies by itself.
        let _ = link::delete(&self.host, UPLINK);
    }
}

/// A listener at every address of this network namespace.
pub fn listen() -> Result<OwnedFd> {
    socket::listen_tcp(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT))
}

/// Who made a connection to `listener`. One has been made.
pub fn caller(listener: &OwnedFd) -> Result<Ipv4Addr> {
    socket::accept_tcp(listener.as_fd()).map(|(_, peer)| *peer.ip())
}
