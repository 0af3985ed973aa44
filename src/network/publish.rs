//! A published port: what arrives at the host's port is sent on to a container's, by rules of iptables-restore(8).
//!
//! No rule does it alone. Packets take different ways through the kernel, and each way meets other chains:
//!
//! | from | meets | needs |
//! |---|---|---|
//! | another machine | nat PREROUTING, filter FORWARD | [`Part::Arriving`], and [`Part::Passing`] where FORWARD drops |
//! | the host, to one of its addresses | nat OUTPUT | [`Part::Local`] |
//! | the host, to 127.0.0.1 | nat OUTPUT, nat POSTROUTING | besides, [`route_loopback`] and [`Part::Loopback`] |
//! | a container, to an address of the host | nat PREROUTING, nat POSTROUTING | as another machine, and [`Part::Hairpin`] on the same bridge |
//!
//! DNAT changes where a packet goes before the routing decision; the answers are changed back by the connection's own
//! entry in the table of connections (conntrack), with no rule.
//!
//! What is published at 127.0.0.1 has no rule for what arrives: a packet to that address on a wire is no more than a
//! martian, and whoever rewrote it before the kernel looks would let a neighbour on the same wire in.
//!
//! Each rule bears the id of the container that it is for, in a comment: so it is found when nobody knows any more
//! whether it was written.

use super::iptables::Script;
use super::port::Binding;
use super::subnet::Subnet;
use crate::error::Result;
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::path::Path;

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The bridge that the container is on.
    pub bridge: String,
    /// The bridge's subnet.
    pub subnet: Subnet,
    /// The port of the host, and that of the container.
    pub binding: Binding,
    /// The container's address.
    pub address: Ipv4Addr,
    /// The container's id; nobody's rules bear no comment.
    pub owner: String,
}

/// One of the rules, in the order of the ways above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What arrives from elsewhere for an address of the host goes to the container.
    Arriving,
    /// It may pass, also where the policy of FORWARD is DROP.
    Passing,
    /// What the host itself sends to one of its addresses goes to the container, too.
    Local,
    /// What it sends from 127.0.0.1 bears the bridge's address, since every machine calls itself 127.0.0.1.
    Loopback,
    /// What comes from the same bridge bears the bridge's address, or the answer would take the short way back, past
    /// whoever knows that the address was another.
    Hairpin,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 5] = [Part::Arriving, Part::Passing, Part::Local, Part::Loopback, Part::Hairpin];

    /// The table that it belongs to.
    pub fn table(self) -> &'static str {
        if self == Part::Passing { "filter" } else { "nat" }
    }
}

impl Published {
    /// The rule `part`, as iptables(8) takes it after `-A` or `-D`.
    pub fn rule(&self, part: Part) -> String {
        let Self { bridge, subnet, binding, address, owner } = self;
        let (host_port, port, protocol) =
            (binding.host_port, binding.port.number, binding.port.protocol.name());
        let comment = match owner.as_str() {
            "" => String::new(),
            _ => format!(" -m comment --comment {}", mark(owner)),
        };
        let host =
            if binding.host.is_unspecified() { String::new() } else { format!("-d {} ", binding.host) };
        let translate = format!(
            "{host}-p {protocol} -m addrtype --dst-type LOCAL -m {protocol} --dport {host_port}{comment} -j DNAT --to-destination {address}:{port}"
        );
        let there = format!("-d {address} -o {bridge} -p {protocol} -m {protocol} --dport {port}{comment}");
        match part {
            Part::Arriving => format!("PREROUTING {translate}"),
            Part::Passing => format!("FORWARD {there} -j ACCEPT"),
            Part::Local => format!("OUTPUT {translate}"),
            Part::Loopback => format!("POSTROUTING -s 127.0.0.0/8 {there} -j MASQUERADE"),
            Part::Hairpin => {
                format!("POSTROUTING -s {subnet} {there} -m conntrack --ctstate DNAT -j MASQUERADE")
            }
        }
    }

    /// Whether nobody but the host itself is to reach it.
    fn is_local(&self) -> bool {
        self.binding.host.is_loopback()
    }

    /// All rules that it needs into `script`, to be added or to be deleted. Leave to pass goes to the head of its chain.
    pub fn rules(&self, script: &mut Script, add: bool) {
        let outside = [Part::Arriving, Part::Hairpin];
        for part in Part::ALL.into_iter().filter(|part| !self.is_local() || !outside.contains(part)) {
            let command = match (add, part) {
                (false, _) => "-D",
                (true, Part::Passing) => "-I",
                (true, _) => "-A",
            };
            script.line(part.table(), format!("{command} {}", self.rule(part)));
        }
    }

    /// These rules alone, to be added with `-A` or removed with `-D`.
    pub fn script(&self, parts: &[Part], command: &str) -> Script {
        let mut script = Script::default();
        parts.iter().for_each(|part| script.line(part.table(), format!("{command} {}", self.rule(*part))));
        script
    }
}

/// The comment on the rules of container `id`.
fn mark(id: &str) -> String {
    format!("minidocker-{id}")
}

/// Whether `rule`, as iptables-save(8) writes it, is for a port of container `id`.
pub fn owns(id: &str, rule: &str) -> bool {
    let mut words = rule.split_whitespace().skip_while(|word| *word != "--comment").skip(1);
    words.next().is_some_and(|comment| comment.trim_matches('"') == mark(id))
}

/// Let packets from and to 127.0.0.0/8 be routed by the bridge. They are dropped as martians otherwise, before any rule
/// could change their source.
pub fn route_loopback(bridge: &str) -> Result<()> {
    // See ip-sysctl in the kernel's documentation.
    file::write(Path::new(&format!("/proc/sys/net/ipv4/conf/{bridge}/route_localnet")), "1")
}

#[cfg(test)]
mod tests {
    use super::super::port::{Port, Protocol};
    use super::*;

    fn published(host: Ipv4Addr) -> Published {
        let port = Port { number: 80, protocol: Protocol::Tcp };
        Published {
            bridge: "minidocker0".to_owned(),
            subnet: "172.30.0.0/16".parse().unwrap(),
            binding: Binding { port, host, host_port: 8080 },
            address: Ipv4Addr::new(172, 30, 0, 2),
            owner: "0123456789ab".to_owned(),
        }
    }

    fn text(published: &Published, add: bool) -> String {
        let mut script = Script::default();
        published.rules(&mut script, add);
        script.text()
    }

    #[test]
    fn what_is_removed_is_what_was_added_and_bears_the_id() {
        let published = published(Ipv4Addr::UNSPECIFIED);
        let added = text(&published, true);
        let arriving = "-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -m comment --comment \
                        minidocker-0123456789ab -j DNAT --to-destination 172.30.0.2:80\n";
        assert!(added.starts_with(&format!("*nat\n{arriving}")), "{added}");
        assert_eq!(added.replace("\n-A ", "\n-D ").replace("\n-I ", "\n-D "), text(&published, false));
        let rules: Vec<&str> = added.lines().filter(|line| line.starts_with('-')).collect();
        assert_eq!(rules.len(), 5);
        assert!(rules.iter().all(|rule| owns("0123456789ab", rule) && !owns("0123456789a", rule)));
        assert!(owns("0123456789ab", "X --comment \"minidocker-0123456789ab\" -j DNAT"));
    }

    #[test]
    fn what_is_the_hosts_alone_has_no_rule_for_what_arrives() {
        let added = text(&published(Ipv4Addr::LOCALHOST), true);
        assert!(!added.contains("PREROUTING"), "{added}");
        assert!(added.contains("-A OUTPUT -d 127.0.0.1 -p tcp "), "{added}");
        let one = text(&published(Ipv4Addr::new(203, 0, 113, 1)), true);
        assert!(one.contains("-A PREROUTING -d 203.0.113.1 -p tcp "), "{one}");
    }
}
