//! What the C library's resolver reads inside a container: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`.
//!
//! These functions only make texts; the composition puts them into the container's root file system.

use crate::error::{Error, NetProblem, Problem, Result};
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Where systemd-resolved keeps the nameservers it asks itself. On its machines `/etc/resolv.conf` names only
/// its own address on the loopback link, which no other network namespace can reach.
pub const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// What the person asked the resolver inside to know: `--add-host`, `--dns`, `--dns-search`, `--dns-option`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lookup {
    /// Names, each with its address; without one, that of the host as seen from inside.
    pub hosts: Vec<(String, Option<IpAddr>)>,
    /// Nameservers, in the place of the host's.
    pub servers: Vec<IpAddr>,
    /// Domains to be searched, in the place of the host's.
    pub search: Vec<String>,
    /// Options, in the place of the host's.
    pub options: Vec<String>,
}

impl Lookup {
    /// Understand the words of these options. Errors: `BadExtraHost`, `BadNameserver`.
    pub fn parse(
        hosts: &[String],
        servers: &[String],
        search: &[String],
        options: &[String],
    ) -> Result<Self> {
        let server = |text: &String| {
            let wrong = |_| Error::new(Problem::Net(NetProblem::BadNameserver { text: text.clone() }));
            text.parse().map_err(wrong)
        };
        Ok(Self {
            hosts: hosts.iter().map(|text| extra_host(text)).collect::<Result<_>>()?,
            servers: servers.iter().map(server).collect::<Result<_>>()?,
            search: search.to_vec(),
            options: options.to_vec(),
        })
    }
}

/// `NAME:ADDRESS` or `NAME=ADDRESS`; the address may stand in brackets, or be `host-gateway`.
fn extra_host(text: &str) -> Result<(String, Option<IpAddr>)> {
    let parse = || {
        let (name, address) = text.split_once(['=', ':'])?;
        let good = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '#');
        let address = address.trim_start_matches('[').trim_end_matches(']');
        let address = if address == "host-gateway" { None } else { Some(address.parse().ok()?) };
        good.then(|| (name.to_owned(), address))
    };
    parse().ok_or_else(|| Error::new(Problem::Net(NetProblem::BadExtraHost { text: text.to_owned() })))
}

/// The head of `/etc/hosts` (hosts(5)): the names of this machine itself, and those that were asked for. `gateway` is the
/// host's address, if it has one that can be reached from inside.
pub fn hosts(lookup: &Lookup, gateway: Option<Ipv4Addr>) -> String {
    let text = String::from(
        "127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\n\
         ff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n",
    );
    text + &extra(lookup, gateway)
}

/// The same in the host's own network namespace: the host's file, and what was asked for.
pub fn hosts_of_host(lookup: &Lookup) -> Result<String> {
    let text = own("/etc/hosts")?;
    Ok(text + &extra(lookup, Some(Ipv4Addr::LOCALHOST)))
}

fn extra(lookup: &Lookup, gateway: Option<Ipv4Addr>) -> String {
    let line = |(name, address): &(String, Option<IpAddr>)| {
        let address = address.or(gateway.map(IpAddr::V4));
        address.map(|address| format!("{address}\t{name}\n")).unwrap_or_default()
    };
    lookup.hosts.iter().map(line).collect()
}

/// The text of a file of the host's; empty where there is none.
fn own(path: &str) -> Result<String> {
    Ok(file::if_there(file::read_text(Path::new(path)))?.unwrap_or_default())
}

/// `/etc/resolv.conf` for a container in the host's own network namespace, or in another. What it needs to know of the
/// host's is read now.
pub fn resolver(lookup: &Lookup, host_network: bool) -> Result<String> {
    let text = own("/etc/resolv.conf")?;
    let text = match () {
        () if host_network => text,
        () if only_loopback(&text) => resolv_conf(&own(RESOLVED)?),
        () => resolv_conf(&text),
    };
    Ok(adjusted(&text, lookup))
}

/// `text` with what was asked for in the place of its own lines of the kind.
fn adjusted(text: &str, lookup: &Lookup) -> String {
    let Lookup { servers, search, options, .. } = lookup;
    let replaced = |line: &&str| match line.split_whitespace().next() {
        Some("nameserver") => !servers.is_empty(),
        Some("search" | "domain") => !search.is_empty(),
        Some("options") => !options.is_empty(),
        _ => false,
    };
    let mut new: String = text.lines().filter(|line| !replaced(line)).flat_map(|line| [line, "\n"]).collect();
    servers.iter().for_each(|server| new += &format!("nameserver {server}\n"));
    // As for Docker, a single dot stands for no domain at all.
    for (word, values) in [("search", search), ("options", options)] {
        let values: Vec<&str> = values.iter().map(String::as_str).filter(|value| *value != ".").collect();
        if !values.is_empty() {
            new += &format!("{word} {}\n", values.join(" "));
        }
    }
    new
}

/// `/etc/hostname` (hostname(5)).
pub fn hostname(hostname: &str) -> String {
    format!("{hostname}\n")
}

/// `/etc/resolv.conf` for a network namespace other than the host's: the host's text without the nameservers
/// on its loopback link (resolv.conf(5)). A container in the host's own namespace gets the text as it is.
pub fn resolv_conf(host: &str) -> String {
    host.lines().filter(|line| !on_loopback(line)).flat_map(|line| [line, "\n"]).collect()
}

/// Whether a text names nameservers of which none can be reached from another network namespace: then
/// [`RESOLVED`], where there is one, is the better source.
pub fn only_loopback(host: &str) -> bool {
    let mut servers = host.lines().filter(|line| nameserver(line).is_some()).peekable();
    servers.peek().is_some() && servers.all(on_loopback)
}

fn on_loopback(line: &str) -> bool {
    nameserver(line).is_some_and(|server| server.is_loopback())
}

/// The address in a `nameserver` line. An IPv6 address may have a scope: `fe80::1%eth0`.
fn nameserver(line: &str) -> Option<IpAddr> {
    let mut words = line.split_whitespace();
    let server = words.next().filter(|word| *word == "nameserver").and_then(|_| words.next())?;
    server.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn names_that_are_asked_for_follow_those_of_the_machine() {
        let lookup = Lookup::parse(
            &words(&["db:10.0.0.5", "six=::1", "six2:[::2]", "host:host-gateway"]),
            &[],
            &[],
            &[],
        );
        let text = hosts(&lookup.unwrap(), Some(Ipv4Addr::new(172, 30, 0, 1)));
        assert!(text.starts_with("127.0.0.1\tlocalhost\n"));
        assert!(text.ends_with("\n10.0.0.5\tdb\n::1\tsix\n::2\tsix2\n172.30.0.1\thost\n"), "{text}");
        for bad in ["db", "db:", ":1.2.3.4", "a b:1.2.3.4", "db:1.2.3", "a#:1.2.3.4"] {
            assert!(Lookup::parse(&words(&[bad]), &[], &[], &[]).is_err(), "{bad}");
        }
        assert_eq!(hostname("web"), "web\n");
    }

    #[test]
    fn what_is_asked_for_replaces_the_hosts_lines_of_that_kind() {
        let host = "nameserver 9.9.9.9\nsearch lan\noptions edns0\n";
        let lookup =
            Lookup::parse(&[], &words(&["1.1.1.1", "2606:4700::1"]), &words(&["."]), &words(&["ndots:2"]));
        let expected = "nameserver 1.1.1.1\nnameserver 2606:4700::1\noptions ndots:2\n";
        assert_eq!(adjusted(host, &lookup.unwrap()), expected);
        assert_eq!(adjusted(host, &Lookup::default()), host);
        assert!(Lookup::parse(&[], &words(&["dns.example"]), &[], &[]).is_err());
    }

    #[test]
    fn nameservers_of_the_hosts_loopback_are_left_out() {
        let host = "# by hand\nnameserver 127.0.0.53\n nameserver ::1\nnameserver 9.9.9.9\nsearch lan\noptions edns0";
        assert_eq!(resolv_conf(host), "# by hand\nnameserver 9.9.9.9\nsearch lan\noptions edns0\n");
        assert_eq!(resolv_conf(""), "");
    }

    #[test]
    fn another_source_is_needed_only_when_all_are_on_the_loopback() {
        assert!(only_loopback("nameserver 127.0.0.53\noptions edns0\n"));
        assert!(!only_loopback("nameserver 127.0.0.53\nnameserver fe80::1%eth0\n"));
        assert!(!only_loopback("search lan\n"));
    }
}
