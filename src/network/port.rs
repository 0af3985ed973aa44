//! The ports to be published: the words of `-p`, and the sockets that hold them.
//!
//! A published port is reached by rules ([`publish`](super::publish)), which know nothing of who else is at that port
//! of the host. So the container's supervisor holds each one with a listening socket, as docker-proxy does: a port in
//! use is refused by the kernel itself (`EADDRINUSE`), `ss -l` shows whose it is, and it is free again the moment the
//! supervisor ends, however it ends. Nothing ever arrives there, since the rules turn the packets first. The sockets
//! are of IPv4; whoever tries `::1` is refused at once.

use crate::error::{Error, NetProblem, Problem, Result};
use crate::sys::errno::EADDRINUSE;
use crate::sys::hold::{self, ANY, Transport};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::str::FromStr;

/// A protocol whose ports can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "their own names")]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// `tcp` or `udp`: as iptables(8) and Docker write it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

/// A port inside a container: `80/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Port {
    /// The number.
    pub number: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// A port that is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The port of the container.
    pub port: Port,
    /// The address of the host; `0.0.0.0` for all.
    pub host: Ipv4Addr,
    /// The first port of the host that will do; 0 for any.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// A port that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Binding {
    /// The port of the container.
    pub port: Port,
    /// The address of the host.
    pub host: Ipv4Addr,
    /// The port of the host.
    pub host_port: u16,
}

impl FromStr for Port {
    type Err = Error;

    /// `80`, `80/tcp`, `53/udp`.
    fn from_str(text: &str) -> Result<Self> {
        let (number, protocol) = protocol(text).ok_or_else(|| bad(text))?;
        range(number)
            .filter(|(first, last)| first == last)
            .map(|(number, _)| Port { number, protocol })
            .ok_or_else(|| bad(text))
    }
}

impl TryFrom<String> for Port {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse().map_err(|_| format!("not a port: {text}"))
    }
}

impl From<Port> for String {
    fn from(port: Port) -> String {
        port.to_string()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol.name())
    }
}

/// The ports that `--expose` names: `80`, `8000-8002`, each with or without `/tcp` or `/udp`.
pub fn exposed(text: &str) -> Result<Vec<Port>> {
    let (numbers, protocol) = protocol(text).ok_or_else(|| bad(text))?;
    let (first, last) = range(numbers).ok_or_else(|| bad(text))?;
    Ok((first..=last).map(|number| Port { number, protocol }).collect())
}

/// The ports that `-p` names: `[IP:][HOST]:CONTAINER[/udp|/tcp]` or `CONTAINER`; `HOST` and `CONTAINER` may be ranges.
/// Errors: `BadPort`; `PortRanges` for two ranges of different length; `BadHostAddress`.
pub fn published(text: &str) -> Result<Vec<Wanted>> {
    let (rest, protocol) = protocol(text).ok_or_else(|| bad(text))?;
    let mut parts = rest.rsplitn(3, ':');
    let container = range(parts.next().unwrap_or_default()).ok_or_else(|| bad(text))?;
    let on_host = match parts.next() {
        None | Some("") => None,
        Some(word) => Some(range(word).ok_or_else(|| bad(text))?),
    };
    let host = match parts.next() {
        None | Some("") => ANY,
        Some(word) => {
            let wrong = || Error::new(Problem::Net(NetProblem::BadHostAddress { text: word.to_owned() }));
            word.parse().map_err(|_| wrong())?
        }
    };
    let one = |number, first, last| Wanted { port: Port { number, protocol }, host, first, last };
    let count = |(first, last): (u16, u16)| last - first;
    match on_host {
        None => Ok((container.0..=container.1).map(|number| one(number, 0, 0)).collect()),
        // Any of a range of the host's will do for a single port of the container's.
        Some((first, last)) if count(container) == 0 => Ok(vec![one(container.0, first, last)]),
        Some(on_host) if count(on_host) == count(container) => {
            let pairs = (container.0..=container.1).zip(on_host.0..=on_host.1);
            Ok(pairs.map(|(number, host)| one(number, host, host)).collect())
        }
        Some(_) => Err(Error::new(Problem::Net(NetProblem::PortRanges { text: text.to_owned() }))),
    }
}

/// A text without the protocol at its end, which is TCP where none is named.
fn protocol(text: &str) -> Option<(&str, Protocol)> {
    match text.split_once('/') {
        None => Some((text, Protocol::Tcp)),
        Some((rest, "tcp" | "TCP")) => Some((rest, Protocol::Tcp)),
        Some((rest, "udp" | "UDP")) => Some((rest, Protocol::Udp)),
        Some(_) => None,
    }
}

/// `80` or `8000-8002`: the first and the last.
fn range(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| {
        text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match text.split_once('-') {
        None => number(text).map(|number| (number, number)),
        Some((first, last)) => Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last),
    }
}

fn bad(text: &str) -> Error {
    Error::new(Problem::Net(NetProblem::BadPort { text: text.to_owned() }))
}

/// Sockets that hold ports, for as long as this value lives.
#[derive(Debug, Default)]
pub struct Holds(#[allow(dead_code, reason = "held open")] Vec<OwnedFd>);

impl Holds {
    /// The sockets, in the order of the bindings.
    pub fn into_sockets(self) -> Vec<OwnedFd> {
        self.0
    }
}

/// Hold every port that is wanted, and say which were found. When one cannot be had, none is held. Errors: `PortTaken`
/// when somebody has it.
pub fn hold(wanted: &[Wanted]) -> Result<(Holds, Vec<Binding>)> {
    let mut sockets = Vec::new();
    let mut bindings = Vec::new();
    for one in wanted {
        let (socket, host_port) = first_free(one)?;
        sockets.push(socket);
        let binding = Binding { port: one.port, host: one.host, host_port };
        bindings.push(binding);
    }
    Ok((Holds(sockets), bindings))
}

fn first_free(wanted: &Wanted) -> Result<(OwnedFd, u16)> {
    let Wanted { port, host, first, last } = *wanted;
    let transport = match port.protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
    };
    let mut answer = hold::port(transport, SocketAddrV4::new(host, first));
    for number in first.saturating_add(1)..=last {
        match answer {
            Err(error) if error.is(EADDRINUSE) => {}
            answer => return answer,
        }
        answer = hold::port(transport, SocketAddrV4::new(host, number));
    }
    answer.map_err(|error| {
        let ports = if first == last { first.to_string() } else { format!("{first}-{last}") };
        let (address, protocol) = (host.to_string(), port.protocol.name().to_owned());
        match error.is(EADDRINUSE) {
            true => error.meaning(Problem::Net(NetProblem::PortTaken { address, ports, protocol })),
            false => error.meaning(Problem::Net(NetProblem::PortRefused { address, ports, protocol })),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let one = |wanted: &Wanted| {
            let Wanted { port, host, first, last } = wanted;
            format!("{host}:{first}-{last}>{port}")
        };
        published(text).unwrap().iter().map(one).collect()
    }

    #[test]
    fn the_forms_of_a_published_port() {
        assert_eq!(said("80"), ["0.0.0.0:0-0>80/tcp"]);
        assert_eq!(said(":80"), ["0.0.0.0:0-0>80/tcp"]);
        assert_eq!(said("8080:80"), ["0.0.0.0:8080-8080>80/tcp"]);
        assert_eq!(said("127.0.0.1:8080:80/udp"), ["127.0.0.1:8080-8080>80/udp"]);
        assert_eq!(said("127.0.0.1::80"), ["127.0.0.1:0-0>80/tcp"]);
        assert_eq!(said("8000-8001:80-81"), ["0.0.0.0:8000-8000>80/tcp", "0.0.0.0:8001-8001>81/tcp"]);
        assert_eq!(said("8000-8010:80"), ["0.0.0.0:8000-8010>80/tcp"]);
        assert_eq!(said("80-81"), ["0.0.0.0:0-0>80/tcp", "0.0.0.0:0-0>81/tcp"]);
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for text in [
            "",
            "0",
            "65536",
            "80/sctp",
            "a:80",
            "80:",
            "8:9:10:11",
            "+80",
            "82-80",
            "1.2.3:80:80",
            "-80",
            "8000-8002:80-81",
            "[::1]:80:80",
        ] {
            assert!(published(text).is_err(), "{text}");
        }
        assert_eq!(exposed("53/udp").unwrap()[0].to_string(), "53/udp");
        assert_eq!(exposed("8000-8002").unwrap().len(), 3);
        assert!("80-81".parse::<Port>().is_err() && "80/tcp".parse::<Port>().is_ok());
    }

    #[test]
    fn what_is_held_cannot_be_had_and_a_range_goes_on() {
        let local = |first, last| {
            let port = Port { number: 80, protocol: Protocol::Tcp };
            [Wanted { port, host: Ipv4Addr::LOCALHOST, first, last }]
        };
        let (held, bindings) = hold(&local(0, 0)).unwrap();
        let number = bindings[0].host_port;
        let problem = hold(&local(number, number)).unwrap_err().problem;
        assert!(matches!(problem, Problem::Net(NetProblem::PortTaken { .. })), "{problem:?}");
        let next = hold(&local(number, number + 20)).unwrap().1[0].host_port;
        assert!(next > number);
        drop(held);
        assert_eq!(hold(&local(number, number)).unwrap().1[0].host_port, number);
    }
}
