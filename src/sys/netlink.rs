//! rtnetlink(7): one request and its answer over a netlink socket.
//!
//! The bytes of a request are built by `network::message`, where the layout is the lesson; here they are sent.
#![allow(unsafe_code)]

use super::call::Value;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// A network namespace, as a request names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Netns<'a> {
    /// That of a process, by its pid as seen from here: IFLA_NET_NS_PID.
    Of(i32),
    /// One that is held open: IFLA_NET_NS_FD. Whatever becomes of its processes and their pids, it stays that one.
    #[allow(missing_docs, reason = "the descriptor, and the path by which it was opened")]
    Open { descriptor: i32, path: &'a Path },
}

/// What is asked of rtnetlink, in its own terms. The message is encoded from this very value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the attributes of rtnetlink(7)")]
pub enum Rtnetlink<'a> {
    /// RTM_GETLINK: what is known of the link called `name`?
    GetLink { name: &'a str },
    /// RTM_NEWLINK of kind `bridge`, in link group `group`.
    NewBridge { name: &'a str, group: u32 },
    /// RTM_NEWLINK of kind `veth`: one end here, a port of the bridge `master`, up; the other end born in the
    /// network namespace `netns`.
    NewVeth { name: &'a str, group: u32, master: u32, peer: &'a str, netns: Netns<'a> },
    /// RTM_SETLINK: set IFF_UP.
    SetUp { index: u32, name: &'a str },
    /// RTM_SETLINK of the family AF_BRIDGE: let a port of a bridge send frames back to where they came from.
    SetHairpin { index: u32, name: &'a str },
    /// RTM_DELLINK of one link.
    DelLink { name: &'a str },
    /// RTM_DELLINK of every link in a group, in one pass.
    DelGroup { group: u32 },
    /// RTM_NEWADDR.
    NewAddress { index: u32, name: &'a str, address: Ipv4Addr, prefix: u8 },
    /// RTM_NEWROUTE: everything unknown goes to `gateway`.
    NewDefaultRoute { gateway: Ipv4Addr },
    /// RTM_GETROUTE with NLM_F_DUMP: all routes.
    DumpRoutes,
    /// RTM_GETLINK with NLM_F_DUMP: all bridges.
    DumpBridges,
}

impl Rtnetlink<'_> {
    /// The message type.
    pub fn name(&self) -> &'static str {
        use Rtnetlink::*;
        match self {
            GetLink { .. } | DumpBridges => "RTM_GETLINK",
            NewBridge { .. } | NewVeth { .. } => "RTM_NEWLINK",
            SetUp { .. } | SetHairpin { .. } => "RTM_SETLINK",
            DelLink { .. } | DelGroup { .. } => "RTM_DELLINK",
            NewAddress { .. } => "RTM_NEWADDR",
            NewDefaultRoute { .. } => "RTM_NEWROUTE",
            DumpRoutes => "RTM_GETROUTE",
        }
    }

    /// The attributes, by their names in linux/if_link.h and its neighbours.
    pub fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        use Rtnetlink::*;
        use Value as V;
        let number = |number: u32| V::Number(number.into());
        match *self {
            GetLink { name } | DelLink { name } => each("IFLA_IFNAME", V::Text(name)),
            NewBridge { name, group } => {
                each("IFLA_IFNAME", V::Text(name));
                each("IFLA_INFO_KIND", V::Text("bridge"));
                each("IFLA_GROUP", number(group));
            }
            NewVeth { name, group, master, peer, netns } => {
                each("IFLA_IFNAME", V::Text(name));
                each("IFLA_INFO_KIND", V::Text("veth"));
                each("IFLA_GROUP", number(group));
                each("IFLA_MASTER", number(master));
                each("VETH_INFO_PEER", V::Text(peer));
                match netns {
                    Netns::Of(pid) => each("IFLA_NET_NS_PID", V::Number(pid.into())),
                    Netns::Open { path, .. } => each("IFLA_NET_NS_FD", V::Path(path)),
                }
            }
            SetUp { name, .. } => {
                each("IFLA_IFNAME", V::Text(name));
                each("ifi_flags", V::Symbol("IFF_UP"));
            }
            SetHairpin { name, .. } => {
                each("IFLA_IFNAME", V::Text(name));
                each("IFLA_BRPORT_MODE", V::Number(1));
            }
            DelGroup { group } => each("IFLA_GROUP", number(group)),
            NewAddress { name, address, prefix, .. } => {
                each("ifa_index", V::Text(name));
                each("IFA_LOCAL", V::Address(address));
                each("ifa_prefixlen", V::Number(prefix.into()));
            }
            NewDefaultRoute { gateway } => {
                each("RTA_DST", V::Symbol("default"));
                each("RTA_GATEWAY", V::Address(gateway));
            }
            DumpRoutes => each("nlmsg_flags", V::Symbol("NLM_F_DUMP")),
            DumpBridges => {
                each("nlmsg_flags", V::Symbol("NLM_F_DUMP"));
                each("IFLA_INFO_KIND", V::Text("bridge"));
            }
        }
    }
}

/// The kernel fills no block of a dump beyond this (netlink_dump, net/netlink/af_netlink.c).
pub(super) const LARGEST: usize = 32 * 1024;

/// A netlink socket. It speaks for the network namespace in which it was opened, wherever its owner goes.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    /// Open one: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE).
    pub fn open() -> Result<Self> {
        let descriptor = ask(Call::NetlinkSocket, || {
            // SAFETY: the call takes three integers.
            let answer = unsafe {
                libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE)
            };
            let descriptor = Errno::result(answer)?;
            // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
            Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
        })?;
        Ok(Self(descriptor))
    }

    /// Send `message`, which must encode `request`, and return the bytes that answer it: every message up to
    /// and including NLMSG_DONE, or up to the acknowledgement. A negative acknowledgement is the error.
    pub fn ask(&self, request: Rtnetlink<'_>, message: &[u8]) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        ask(Call::Rtnetlink(request), || {
            send(&self.0, message)?;
            let mut block = vec![0u8; LARGEST];
            loop {
                let length = receive(&self.0, &mut block)?;
                answer.extend_from_slice(&block[..length]);
                if let Some(verdict) = verdict(&block[..length]) {
                    return verdict;
                }
            }
        })?;
        Ok(answer)
    }
}

pub(super) fn send(socket: &OwnedFd, message: &[u8]) -> nix::Result<()> {
    super::pipe::retry(|| {
        // SAFETY: the slice is valid for its length.
        let answer = unsafe { libc::send(socket.as_raw_fd(), message.as_ptr().cast(), message.len(), 0) };
        Errno::result(answer).map(drop)
    })
}

pub(super) fn receive(socket: &OwnedFd, block: &mut [u8]) -> nix::Result<usize> {
    super::pipe::retry(|| {
        // SAFETY: the slice is valid and writable for its length.
        let answer = unsafe { libc::recv(socket.as_raw_fd(), block.as_mut_ptr().cast(), block.len(), 0) };
        Errno::result(answer).map(|length| length as usize)
    })
}

/// The kernel's verdict in a block of messages: NLMSG_ERROR carries an errno (0 is an acknowledgement), and so
/// does NLMSG_DONE, which ends a dump; `None` when more is to come.
pub(super) fn verdict(mut block: &[u8]) -> Option<nix::Result<()>> {
    const HEADER: usize = 16;
    let number = |block: &[u8], at: usize| Some(i32::from_ne_bytes(block.get(at..at + 4)?.try_into().ok()?));
    while block.len() >= HEADER {
        let length = number(block, 0).unwrap_or(0).max(0) as usize;
        let kind = i32::from(u16::from_ne_bytes([block[4], block[5]]));
        if kind == libc::NLMSG_DONE || kind == libc::NLMSG_ERROR {
            let errno = number(block, HEADER).unwrap_or(0).wrapping_neg();
            return Some(if errno > 0 { Err(Errno::from_raw(errno)) } else { Ok(()) });
        }
        let next = length.max(HEADER).next_multiple_of(4);
        block = block.get(next..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: i32, payload: i32) -> Vec<u8> {
        let mut bytes = 20u32.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&(kind as u16).to_ne_bytes());
        bytes.resize(16, 0);
        bytes.extend_from_slice(&payload.to_ne_bytes());
        bytes
    }

    #[test]
    fn acknowledgement_refusal_end_of_dump_and_more_to_come() {
        assert_eq!(verdict(&message(libc::NLMSG_ERROR, 0)), Some(Ok(())));
        assert_eq!(verdict(&message(libc::NLMSG_ERROR, -libc::ENODEV)), Some(Err(Errno::ENODEV)));
        assert_eq!(verdict(&message(libc::NLMSG_DONE, 0)), Some(Ok(())));
        assert_eq!(verdict(&message(libc::NLMSG_DONE, -libc::EINTR)), Some(Err(Errno::EINTR)));
        assert_eq!(verdict(&message(16, 0)), None);
        assert_eq!(verdict(&[message(16, 0), message(libc::NLMSG_ERROR, 0)].concat()), Some(Ok(())));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = verdict(&bytes);
        }
    }
}
