//! packet(7): what passes over the links of a network namespace, as it passes.
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

#[derive(Debug)]
enum Asked {
    Open,
    Receive,
}

impl Request for Asked {
    fn name(&self) -> &'static str {
        match self {
            Asked::Open => "socket",
            Asked::Receive => "recvfrom",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        if let Asked::Open = self {
            each("domain", Value::Symbol("AF_PACKET"));
            each("type", Value::Symbol("SOCK_RAW|SOCK_CLOEXEC|SOCK_NONBLOCK"));
            each("protocol", Value::Symbol("htons(ETH_P_ALL)"));
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Asked::Receive)
    }
}

/// One frame that passed over a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The link, by its index.
    pub link: u32,
    /// It left by the link; else it came in.
    pub outgoing: bool,
    /// From the Ethernet header on. What is longer than [`SNAPPED`] is cut off.
    pub bytes: Vec<u8>,
}

/// The bytes that are kept of a frame: all headers, and more.
pub const SNAPPED: usize = 256;

/// A socket to which the kernel gives a copy of every frame that passes over any link of one network namespace, in
/// order, from when it was opened.
#[derive(Debug)]
pub struct Tap(OwnedFd);

impl Tap {
    /// Open one in the network namespace of this process; it stays there wherever its owner goes. Needs CAP_NET_RAW in
    /// the user namespace that owns that network namespace, else `EPERM`.
    pub fn open() -> Result<Self> {
        ask(Call::Other(&Asked::Open), || {
            let everything = i32::from((libc::ETH_P_ALL as u16).to_be());
            let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
            // SAFETY: the call takes three integers.
            let descriptor = Errno::result(unsafe { libc::socket(libc::AF_PACKET, kind, everything) })?;
            // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
            Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
        })
        .map(Self)
    }

    /// The next frame that has passed; `None` when there is none yet. Does not wait.
    pub fn next(&self) -> Result<Option<Frame>> {
        let mut frame = None;
        ask(Call::Other(&Asked::Receive), || {
            frame = match retry(|| receive(&self.0)) {
                Err(Errno::EAGAIN) => None,
                answer => Some(answer?),
            };
            Ok(frame.is_some())
        })?;
        Ok(frame)
    }
}

fn receive(socket: &OwnedFd) -> nix::Result<Frame> {
    let mut bytes = vec![0u8; SNAPPED];
    // SAFETY: sockaddr_ll is made of integers, for which zero is a value.
    let mut from: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: both buffers are writable for the lengths passed.
    let answer = unsafe {
        libc::recvfrom(
            socket.as_raw_fd(),
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            0,
            (&raw mut from).cast(),
            &raw mut length,
        )
    };
    bytes.truncate(Errno::result(answer)? as usize);
    let outgoing = from.sll_pkttype == libc::PACKET_OUTGOING;
    Ok(Frame { link: from.sll_ifindex as u32, outgoing, bytes })
}
