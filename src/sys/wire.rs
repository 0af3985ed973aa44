//! netlink(7) byte by byte: a message of any family, and the answer as it came, refusals included.
//!
//! The mechanisms speak to rtnetlink through [`super::netlink`], for which a refusal is an error. Here the bytes of a
//! refusal are what is to be seen.
#![allow(unsafe_code)]

use super::call::Value;
use super::netlink::{LARGEST, receive, send, verdict};
use super::{Call, Request, ask};
use crate::error::{Error, Result};
use nix::errno::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A family of netlink, which is a part of the kernel that is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Links, addresses, routes: rtnetlink(7).
    Route,
    /// The packet filter and its table of connections: linux/netfilter/nfnetlink.h.
    Netfilter,
}

impl Family {
    fn number(self) -> i32 {
        match self {
            Family::Route => libc::NETLINK_ROUTE,
            Family::Netfilter => libc::NETLINK_NETFILTER,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Family::Route => "NETLINK_ROUTE",
            Family::Netfilter => "NETLINK_NETFILTER",
        }
    }
}

#[derive(Debug)]
struct Open(Family);

impl Request for Open {
    fn name(&self) -> &'static str {
        "socket"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("domain", Value::Symbol("AF_NETLINK"));
        each("type", Value::Symbol("SOCK_RAW|SOCK_CLOEXEC"));
        each("protocol", Value::Symbol(self.0.name()));
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// A question, by the name of its message type: `RTM_GETLINK`.
#[derive(Debug)]
pub enum Query {
    /// For everything of its kind: with NLM_F_DUMP.
    Dump(&'static str),
    /// For one thing.
    One(&'static str),
}

impl Request for Query {
    fn name(&self) -> &'static str {
        match self {
            Query::Dump(name) | Query::One(name) => name,
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        if let Query::Dump(_) = self {
            each("nlmsg_flags", Value::Symbol("NLM_F_DUMP"));
        }
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The messages, one after the other, up to and including the one that ends the answer.
    pub bytes: Vec<u8>,
    /// The refusal that the answer is, if it is one.
    pub refusal: Option<Error>,
}

/// A netlink socket. It speaks for the network namespace in which it was opened, wherever its owner goes.
#[derive(Debug)]
pub struct Wire(OwnedFd);

impl Wire {
    /// Open one, and ask the kernel to say more about a refusal than its number (`NETLINK_EXT_ACK`, Linux 4.12; an
    /// older kernel says no more). `EPROTONOSUPPORT` where the kernel lacks the family.
    pub fn open(family: Family) -> Result<Self> {
        let socket = ask(Call::Other(&Open(family)), || {
            // SAFETY: the call takes three integers.
            let answer = unsafe {
                libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, family.number())
            };
            let descriptor = Errno::result(answer)?;
            // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
            Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
        })?;
        explain_refusals(&socket);
        Ok(Self(socket))
    }

    /// Send `message`, which must be what `call` describes, and take the answer: up to NLMSG_DONE, or up to the
    /// acknowledgement. An error means that nothing could be sent or nothing came.
    pub fn exchange(&self, call: Call<'_>, message: &[u8]) -> Result<Reply> {
        let mut bytes = Vec::new();
        let verdict = ask(call, || {
            send(&self.0, message)?;
            let mut block = vec![0u8; LARGEST];
            loop {
                let length = receive(&self.0, &mut block)?;
                bytes.extend_from_slice(&block[..length]);
                if let Some(verdict) = verdict(&block[..length]) {
                    return verdict;
                }
            }
        });
        match verdict {
            Err(error) if bytes.is_empty() => Err(error),
            verdict => Ok(Reply { bytes, refusal: verdict.err() }),
        }
    }
}

/// NETLINK_EXT_ACK: a reason; NETLINK_CAP_ACK: without the whole request back. Refusals are refusals without them too.
fn explain_refusals(socket: &OwnedFd) {
    let on: libc::c_int = 1;
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK] {
        let value = (&raw const on).cast();
        // SAFETY: the value is an int of the length passed.
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, value, length) };
    }
}
