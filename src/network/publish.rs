//! A published port: what arrives at the host's port is sent on to a container's, by rules of iptables-restore(8).
//!
//! No rule does it alone. Packets take different ways through the kernel, and each way meets other chains:
//!
//! | from | meets | needs |
//! |---|---|---|
//! | another machine | nat PREROUTING, filter FORWARD | [`Part::Arriving`], and [`Part::Passing`] where FORWARD drops |
//! | the host, to one of its addresses | nat OUTPUT | [`Part::Local`] |
//! | the host, to 127.0.0.1 | nat OUTPUT, nat POSTROUTING | besides, [`route_loopback`] and [`Part::Loopback`] |
//!
//! DNAT changes where a packet goes before the routing decision; the answers are changed back by the connection's own
//! entry in the table of connections (conntrack), with no rule.

use super::nat;
use crate::error::Result;
use crate::sys::file;
use std::net::Ipv4Addr;
use std::path::Path;

/// One published port, of TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The bridge that the container is on.
    pub bridge: String,
    /// The port of the host.
    pub host_port: u16,
    /// The container's address.
    pub address: Ipv4Addr,
    /// The port of the container.
    pub port: u16,
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
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Arriving, Part::Passing, Part::Local, Part::Loopback];

    /// The table that it belongs to.
    pub fn table(self) -> &'static str {
        if self == Part::Passing { "filter" } else { "nat" }
    }
}

impl Published {
    /// The rule `part`, as iptables(8) takes it after `-A` or `-D`.
    pub fn rule(&self, part: Part) -> String {
        let Self { bridge, host_port, address, port } = self;
        let translate = format!(
            "-p tcp -m addrtype --dst-type LOCAL -m tcp --dport {host_port} -j DNAT --to-destination {address}:{port}"
        );
        match part {
            Part::Arriving => format!("PREROUTING {translate}"),
            Part::Passing => {
                format!("FORWARD -d {address} -o {bridge} -p tcp -m tcp --dport {port} -j ACCEPT")
            }
            Part::Local => format!("OUTPUT {translate}"),
            Part::Loopback => {
                format!(
                    "POSTROUTING -s 127.0.0.0/8 -d {address} -o {bridge} -p tcp -m tcp --dport {port} -j MASQUERADE"
                )
            }
        }
    }

    /// Add these rules, which must not be there yet. Errors: `NoIptables`, `NatRefused`.
    pub fn add(&self, parts: &[Part]) -> Result<()> {
        nat::restore(&self.script(parts, "-A"))
    }

    /// Remove these rules, which must be there.
    pub fn remove(&self, parts: &[Part]) -> Result<()> {
        nat::restore(&self.script(parts, "-D"))
    }

    fn script(&self, parts: &[Part], command: &str) -> String {
        let table = |part: &Part| format!("*{}\n{command} {}\nCOMMIT\n", part.table(), self.rule(*part));
        parts.iter().map(table).collect()
    }
}

/// Let packets from and to 127.0.0.0/8 be routed by the bridge. They are dropped as martians otherwise, before any rule
/// could change their source.
pub fn route_loopback(bridge: &str) -> Result<()> {
    // See ip-sysctl in the kernel's documentation.
    file::write(Path::new(&format!("/proc/sys/net/ipv4/conf/{bridge}/route_localnet")), "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_what_was_added() {
        let published = Published {
            bridge: "minidocker0".to_owned(),
            host_port: 8080,
            address: Ipv4Addr::new(172, 30, 0, 2),
            port: 80,
        };
        let added = published.script(&Part::ALL, "-A");
        assert_eq!(added.matches("COMMIT").count(), 4);
        assert!(added.starts_with(
            "*nat\n-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -j DNAT --to-destination 172.30.0.2:80\nCOMMIT\n*filter\n-A FORWARD -d 172.30.0.2 -o minidocker0 "
        ));
        assert_eq!(added.replace("\n-A ", "\n-D "), published.script(&Part::ALL, "-D"));
    }
}
