//! What the C library's resolver reads inside a container: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`.
//!
//! These functions only make texts; the composition puts them into the container's root file system.

use super::Network;
use crate::error::Result;
use crate::sys::file;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Where systemd-resolved keeps the nameservers it asks itself. On its machines `/etc/resolv.conf` names only
/// its own address on the loopback link, which no other network namespace can reach.
pub const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// The three files for a container in `network`, by name. What they need to know of the host's is read now.
pub fn for_container(network: &Network, name: &str) -> Result<[(&'static str, String); 3]> {
    let own = |path: &str| Ok(file::if_there(file::read_text(Path::new(path)))?.unwrap_or_default());
    let resolver: String = own("/etc/resolv.conf")?;
    let (hosts, resolver) = match network {
        Network::Host => (own("/etc/hosts")?, resolver),
        Network::Bridge(endpoint) if only_loopback(&resolver) => {
            (hosts(name, Some(endpoint.address)), resolv_conf(&own(RESOLVED)?))
        }
        Network::Bridge(endpoint) => (hosts(name, Some(endpoint.address)), resolv_conf(&resolver)),
        Network::None | Network::Container(_) => (hosts(name, None), resolv_conf(&resolver)),
    };
    Ok([("hosts", hosts), ("hostname", hostname(name)), ("resolv.conf", resolver)])
}

/// `/etc/hosts`: the names of this machine, and the container's own name if it has an address (hosts(5)).
pub fn hosts(hostname: &str, address: Option<Ipv4Addr>) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\n\
         ff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n",
    );
    if let Some(address) = address {
        text += &format!("{address}\t{hostname}\n");
    }
    text
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

    #[test]
    fn a_container_knows_its_own_name_only_by_an_address() {
        let hosts_with = hosts("web", Some(Ipv4Addr::new(172, 30, 0, 2)));
        assert!(hosts_with.starts_with("127.0.0.1\tlocalhost\n"));
        assert!(hosts_with.ends_with("\n172.30.0.2\tweb\n"));
        assert!(!hosts("web", None).contains("web"));
        assert_eq!(hostname("web"), "web\n");
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
