//! TCP over IPv4: socket(2), bind(2), listen(2), connect(2), accept4(2). See tcp(7).
//!
//! A socket belongs to the network namespace in which it was made, wherever its owner goes. Every wait has an end:
//! where a packet is dropped without a word, nobody ever answers.
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// What is asked of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the arguments of the manual pages")]
pub enum Tcp {
    Listen { address: SocketAddrV4 },
    Connect { address: SocketAddrV4 },
    Accept,
}

impl Request for Tcp {
    fn name(&self) -> &'static str {
        match self {
            Tcp::Listen { .. } => "listen",
            Tcp::Connect { .. } => "connect",
            Tcp::Accept => "accept4",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        if let Tcp::Listen { address } | Tcp::Connect { address } = *self {
            each("sin_addr", Value::Address(*address.ip()));
            each("sin_port", Value::Number(address.port().into()));
        }
    }
}

/// The longest that an answer is waited for, in milliseconds. Between namespaces of one machine one takes less than a
/// millisecond.
pub const PATIENCE: u16 = 300;

fn tcp() -> nix::Result<OwnedFd> {
    // SAFETY: the call takes three integers.
    let answer = unsafe {
        libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
    };
    let descriptor = Errno::result(answer)?;
    // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

const LENGTH: libc::socklen_t = size_of::<libc::sockaddr_in>() as libc::socklen_t;

fn to_kernel(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    }
}

fn from_kernel(address: libc::sockaddr_in) -> SocketAddrV4 {
    let ip = Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes());
    SocketAddrV4::new(ip, u16::from_be(address.sin_port))
}

/// Wait for `events` on a socket, at most `patience` milliseconds; `ETIMEDOUT` when nothing happens.
fn wait(socket: BorrowedFd<'_>, events: PollFlags, patience: u16) -> nix::Result<()> {
    let mut one = [PollFd::new(socket, events)];
    match retry(|| poll(&mut one, PollTimeout::from(patience)))? {
        0 => Err(Errno::ETIMEDOUT),
        _ => Ok(()),
    }
}

/// Listen at `address` (`0.0.0.0` is every address of this network namespace; port 0 is any free port). `EADDRINUSE`
/// when somebody in this namespace does already.
pub fn listen_tcp(address: SocketAddrV4) -> Result<OwnedFd> {
    ask(Call::Other(&Tcp::Listen { address }), || {
        let socket = tcp()?;
        let kernel = to_kernel(address);
        // SAFETY: the address is a sockaddr_in of the length passed.
        Errno::result(unsafe { libc::bind(socket.as_raw_fd(), (&raw const kernel).cast(), LENGTH) })?;
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::listen(socket.as_raw_fd(), 8) })?;
        Ok(socket)
    })
}

/// Connect to `address`, and wait for the answer of the other side. `ECONNREFUSED` when nobody listens there,
/// `ENETUNREACH` when no route leads there, `ETIMEDOUT` when no answer comes.
pub fn connect_tcp(address: SocketAddrV4) -> Result<OwnedFd> {
    connect_tcp_within(address, PATIENCE)
}

/// The same, with another end to the patience, in milliseconds. After a second the kernel asks once more.
pub fn connect_tcp_within(address: SocketAddrV4, patience: u16) -> Result<OwnedFd> {
    ask(Call::Other(&Tcp::Connect { address }), || {
        let socket = tcp()?;
        let kernel = to_kernel(address);
        // SAFETY: the address is a sockaddr_in of the length passed.
        let begun =
            Errno::result(unsafe { libc::connect(socket.as_raw_fd(), (&raw const kernel).cast(), LENGTH) });
        match begun {
            Err(Errno::EINPROGRESS) => {
                wait(socket.as_fd(), PollFlags::POLLOUT, patience)?;
                verdict(socket.as_fd())?;
            }
            answer => drop(answer?),
        }
        Ok(socket)
    })
}

/// How a connection that was begun has ended: SO_ERROR of socket(7).
fn verdict(socket: BorrowedFd<'_>) -> nix::Result<()> {
    match socket_error(socket)? {
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno)),
    }
}

fn socket_error(socket: BorrowedFd<'_>) -> nix::Result<i32> {
    let mut errno: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `errno` is an int of the length passed.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ERROR,
            (&raw mut errno).cast(),
            &raw mut length,
        )
    };
    Errno::result(answer).map(|_| errno)
}

/// Take the next connection that somebody made to `listener`, and who it was as seen from here: the address after all
/// translation on the way. `ETIMEDOUT` when nobody did.
pub fn accept_tcp(listener: BorrowedFd<'_>) -> Result<(OwnedFd, SocketAddrV4)> {
    let mut peer = to_kernel(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
    let socket = ask(Call::Other(&Tcp::Accept), || {
        wait(listener, PollFlags::POLLIN, PATIENCE)?;
        let mut length = LENGTH;
        // SAFETY: `peer` has room for `length` bytes.
        let answer = unsafe {
            libc::accept4(listener.as_raw_fd(), (&raw mut peer).cast(), &raw mut length, libc::SOCK_CLOEXEC)
        };
        let descriptor = Errno::result(answer)?;
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    })?;
    Ok((socket, from_kernel(peer)))
}
