//! Who lives in the town: processes that listen, connect and look around, each in its network namespace.
//!
//! The host is the process of the walk itself; the others are actors. All understand the same [`Question`]s.

use super::Neighbour;
use crate::demo::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::namespace::{self, net::Door};
use crate::network::{Network, configure, link};
use crate::observe::{self, Subject, Who};
use crate::sys::errno::ETIMEDOUT;
use crate::sys::netlink::Socket;
use crate::sys::{file, process, socket};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What a resident is asked to do, where it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Question {
    /// What do you see? A [`View`].
    Look,
    /// Configure your namespace, as `minidocker` does.
    Configure(Network),
    /// Move to the network namespace that this path stands for.
    Join(PathBuf),
    /// Give your link an address and set it up.
    Address(String, Ipv4Addr, u8),
    /// Send everything unknown there.
    DefaultRoute(Ipv4Addr),
    /// Listen there, from now on. A [`Verdict`].
    Listen(SocketAddrV4),
    /// Connect there, and wait so many milliseconds for an answer. A [`Verdict`].
    Connect(SocketAddrV4, u16),
    /// Take the next connection to that port of yours: whose is it? `None` when nobody came.
    Accept(u16),
    /// Write a file.
    Write(PathBuf, String),
    /// Speak no IPv6.
    Quiet,
    /// How many packets passed your links?
    Links,
    /// A counter of your IP stack, if the kernel has it: protocol and name in `/proc/net/snmp`.
    Counter(String, String),
}

/// What the kernel answered: the name of the errno, or `None` when it granted.
pub type Verdict = Option<String>;

/// What a resident sees of its network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its network namespace: `net:[4026531840]`.
    pub namespace: Option<String>,
    /// The names of its links.
    pub links: Option<String>,
    /// Its addresses.
    pub addresses: Option<String>,
    /// Its routes.
    pub routes: Option<String>,
}

/// One who lives in the town.
#[derive(Debug)]
pub struct Resident {
    /// Its name.
    pub name: &'static str,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Here(RefCell<Stand>),
    There(Neighbour),
}

impl Resident {
    /// This very process.
    pub fn here(name: &'static str) -> Self {
        Self { name, body: Body::Here(RefCell::default()) }
    }

    /// A new process in a new network namespace, in which nothing is configured.
    pub fn start(name: &'static str) -> Result<Self> {
        Self::start_in(name, namespace::NET)
    }

    /// A new process in the network namespace of this one.
    pub fn start_beside(name: &'static str) -> Result<Self> {
        Self::start_in(name, 0)
    }

    fn start_in(name: &'static str, flags: u64) -> Result<Self> {
        let mut stand = Stand::default();
        let actor = Actor::start(name, flags, move |question| stand.obey(question))?;
        Ok(Self { name, body: Body::There(actor) })
    }

    /// Its pid, as the walk sees it.
    pub fn pid(&self) -> i32 {
        match &self.body {
            Body::Here(_) => process::pid(),
            Body::There(actor) => actor.pid(),
        }
    }

    /// Kill it. Its namespace goes with it, unless somebody else is in it.
    pub fn end(self) -> Result<()> {
        match self.body {
            Body::Here(_) => Ok(()),
            Body::There(actor) => actor.end().map(drop),
        }
    }

    /// Ask, and wait for the answer, which must be of the type that the question calls for.
    pub fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T> {
        let answer = match &self.body {
            Body::Here(stand) => stand.borrow_mut().obey(question)?,
            Body::There(actor) => actor.ask(question)?,
        };
        serde_json::from_value(answer).map_err(|_| Error::new(Problem::ChildVanished))
    }

    /// What it sees.
    pub fn look(&self) -> Result<View> {
        self.ask(Question::Look)
    }

    /// Let it configure its namespace.
    pub fn configure(&self, network: Network) -> Result<()> {
        self.ask(Question::Configure(network))
    }

    /// Let it move to the network namespace of `other`.
    pub fn join(&self, other: &Resident) -> Result<()> {
        self.ask(Question::Join(format!("/proc/{}/ns/net", other.pid()).into()))
    }

    /// Give its link an address, and set it up.
    pub fn address(&self, link: &str, address: Ipv4Addr, prefix: u8) -> Result<()> {
        self.ask(Question::Address(link.to_owned(), address, prefix))
    }

    /// Let it listen at `port` of all its addresses.
    pub fn listen(&self, port: u16) -> Result<Verdict> {
        self.ask(Question::Listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)))
    }

    /// Let it connect to `address`, and wait at most `patience` milliseconds for the answer.
    pub fn connect(&self, address: SocketAddrV4, patience: u16) -> Result<Verdict> {
        self.ask(Question::Connect(address, patience))
    }

    /// Let it write a file.
    pub fn write(&self, path: &str, contents: &str) -> Result<()> {
        self.ask(Question::Write(path.into(), contents.to_owned()))
    }
}

/// How it went when one wanted to reach another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// What the kernel told the one who connected.
    pub verdict: Verdict,
    /// Who that was, as the one who accepted sees it; `None` when nobody came.
    pub peer: Option<SocketAddrV4>,
}

impl Meeting {
    /// Whether they met.
    pub fn took_place(&self) -> bool {
        self.verdict.is_none() && self.peer.is_some()
    }

    /// The address of the one who connected, as the other saw it.
    pub fn seen(&self) -> Option<Ipv4Addr> {
        self.peer.map(|peer| *peer.ip())
    }
}

/// Let `from` connect to `address`, and `to`, who must be listening at that port, or at `port`, accept.
pub fn meet(from: &Resident, to: &Resident, address: SocketAddrV4, port: u16) -> Result<Meeting> {
    let verdict = from.connect(address, socket::PATIENCE)?;
    let peer = match verdict {
        None => to.ask(Question::Accept(port))?,
        Some(_) => None,
    };
    Ok(Meeting { verdict, peer })
}

/// For all links of a network namespace: see ip-sysctl, `disable_ipv6`. Absent where the kernel has no IPv6.
const NO_IPV6: &str = "/proc/sys/net/ipv6/conf/all/disable_ipv6";

/// What a resident holds: a listening socket a port, and all connections, so that no packet of an ending one disturbs
/// the counters.
#[derive(Debug, Default)]
struct Stand {
    listening: Vec<(u16, OwnedFd)>,
    connections: Vec<OwnedFd>,
}

impl Stand {
    fn obey(&mut self, question: Question) -> Result<Value> {
        match question {
            Question::Look => json(look()),
            Question::Configure(network) => json(configure::configure(&network)?),
            Question::Join(path) => json(Door::open(&path, "")?.join()?),
            Question::Address(name, address, prefix) => json(set_address(&name, address, prefix)?),
            Question::DefaultRoute(gateway) => json(link::add_default_route(&Socket::open()?, gateway)?),
            Question::Listen(address) => {
                let port = address.port();
                let listen = socket::listen_tcp(address).map(|it| self.listening.push((port, it)));
                json(verdict(listen)?)
            }
            Question::Connect(address, patience) => {
                let connect = socket::connect_tcp_within(address, patience);
                json(verdict(connect.map(|connection| self.connections.push(connection)))?)
            }
            Question::Accept(port) => json(self.accept(port)?),
            Question::Write(path, contents) => json(file::write(Path::new(&path), &contents)?),
            Question::Quiet => json(file::if_there(file::write(Path::new(NO_IPV6), "1"))?),
            Question::Links => json(observe::link_counters()),
            Question::Counter(protocol, name) => json(observe::snmp(&protocol, &name)),
        }
    }

    fn accept(&mut self, port: u16) -> Result<Option<SocketAddrV4>> {
        let listening = self.listening.iter().find(|(own, _)| *own == port);
        let Some((_, listener)) = listening else { return Ok(None) };
        match socket::accept_tcp(listener.as_fd()) {
            Ok((connection, peer)) => {
                self.connections.push(connection);
                Ok(Some(peer))
            }
            Err(error) if error.is(ETIMEDOUT) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn json(value: impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|_| Error::new(Problem::ChildVanished))
}

/// A refusal by the kernel is an answer; any other error is one.
fn verdict(answer: Result<()>) -> Result<Verdict> {
    match answer {
        Ok(()) => Ok(None),
        Err(error) => match error.refusal {
            Some(refusal) => Ok(Some(refusal.name)),
            None => Err(error),
        },
    }
}

fn look() -> View {
    View {
        namespace: observe::read(&Subject::Namespace(Who::Myself, "net")),
        links: observe::read(&Subject::Links),
        addresses: observe::read(&Subject::Addresses),
        routes: observe::read(&Subject::Routes),
    }
}

fn set_address(name: &str, address: Ipv4Addr, prefix: u8) -> Result<()> {
    let socket = Socket::open()?;
    let index = link::find(&socket, name)?.ok_or_else(|| Error::new(Problem::NoBridge))?.index;
    link::add_address(&socket, index, name, address, prefix)?;
    link::set_up(&socket, index, name)
}
