//! What the kernel says of a container's network: what the ledger has decided, and whether it stands.
//!
//! Each question is asked by rtnetlink(7) in the namespace that it is about; a mistake that leaves a trace of its own is
//! told by its name.

use crate::demo::net::topology::map::{Link, Space};
use crate::demo::net::topology::survey;
use crate::error::{Error, Problem, Result};
use crate::lab::bench::Bench;
use crate::lab::host::STATE;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::network::ledger::Ledger;
use crate::said;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

const IFF_UP: u32 = 1;

/// A container's place on the bridge, and what stands on both sides of the cable.
#[derive(Debug)]
pub struct Place {
    bridge: String,
    host_link: String,
    link: String,
    prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
    /// The container's address.
    pub address: Ipv4Addr,
    host: Space,
    inside: Space,
}

/// A link as ip(8) lists it.
fn line(link: &Link) -> String {
    let up = if is_up(link) { "UP" } else { "DOWN" };
    let addresses: Vec<String> =
        link.addresses.iter().map(|(address, prefix)| format!(" {address}/{prefix}")).collect();
    format!("{}: {} {up}{}", link.index, link.name, addresses.concat())
}

fn is_up(link: &Link) -> bool {
    link.flags & IFF_UP != 0
}

fn list(space: &Space) -> String {
    space.links.iter().map(line).collect::<Vec<_>>().join("; ")
}

impl Place {
    /// That of the container `name`, whose command is process `pid`.
    pub fn of(name: &str, pid: i32) -> Result<Self> {
        let missing = || Error::new(Problem::NoBridge);
        let book = Ledger::look(Path::new(STATE))?;
        let (id, _) = book.tenants.iter().find(|(_, tenant)| tenant.name == name).ok_or_else(missing)?;
        let (_, net, lease) = book.networks_of(id).into_iter().next().ok_or_else(missing)?;
        Ok(Self {
            bridge: net.bridge.clone(),
            host_link: lease.host_link.clone(),
            link: lease.link.clone(),
            prefix: net.subnet.prefix,
            gateway: net.gateway,
            address: lease.address,
            host: survey::look(1)?,
            inside: survey::look(pid)?,
        })
    }

    /// The name of the bridge.
    pub fn bridge(&self) -> &str {
        &self.bridge
    }

    fn on_host(&self, name: &str) -> Option<&Link> {
        self.host.links.iter().find(|link| link.name == name)
    }

    fn own(&self) -> Option<&Link> {
        self.inside.links.iter().find(|link| link.name == self.link)
    }

    /// The host's end of the container's cable, whatever its name.
    fn other_end(&self) -> Option<&Link> {
        let own = self.own()?;
        self.host.links.iter().find(|link| link.kind == "veth" && Some(link.index) == own.link)
    }

    /// The bridge is there, up, and has its address and the subnet.
    pub fn has_bridge(&self) -> Outcome {
        let (name, gateway, prefix) = (&self.bridge, self.gateway, self.prefix);
        let wanted =
            || said!("{name}, a bridge, UP, {gateway}/{prefix}", "{name}：网桥，UP，{gateway}/{prefix}");
        let Some(bridge) = self.on_host(name).filter(|link| link.kind == "bridge") else {
            let links = list(&self.host);
            return ensure(false, said!("on the host: {links}", "主机上：{links}"), wanted());
        };
        let saw = || Said::plain(line(bridge));
        ensure(is_up(bridge), saw(), wanted()).known_as("bridge-left-down")?;
        let length = bridge.addresses.iter().find(|(address, _)| *address == IpAddr::from(gateway));
        ensure(length.is_some(), saw(), wanted())?;
        ensure(length.is_some_and(|(_, length)| *length == prefix), saw(), wanted())
            .known_as("address-without-subnet")
    }

    /// The host's end of the cable is a port of the bridge, up.
    pub fn is_plugged_in(&self) -> Outcome {
        let (bridge, eth0) = (&self.bridge, &self.link);
        let wanted = || {
            said!(
                "the host's end of {eth0} is a port of {bridge}, UP",
                "{eth0} 在主机的一端是 {bridge} 的端口，UP"
            )
        };
        let Some(end) = self.other_end() else {
            let (host, inside) = (list(&self.host), list(&self.inside));
            return ensure(
                false,
                said!("inside: {inside}. On the host: {host}", "容器里：{inside}。主机上：{host}"),
                wanted(),
            );
        };
        let text = line(end);
        let index = self.on_host(bridge).map(|link| link.index);
        let saw = match end.master {
            None => said!("{text}, a port of no bridge", "{text}，不是任何网桥的端口"),
            Some(master) => said!("{text}, a port of link {master}", "{text}，是链路 {master} 的端口"),
        };
        ensure(end.master.is_some(), saw.clone(), wanted()).known_as("plugged-nowhere")?;
        ensure(end.master == index && is_up(end), saw, wanted())
    }

    /// The host's end bears the name that was decided, by which it is found again and which no other has.
    pub fn is_named(&self) -> Outcome {
        let (end, wanted) = (self.other_end().map(line).unwrap_or_default(), &self.host_link);
        let holds = self.other_end().is_some_and(|link| link.name == self.host_link);
        ensure(holds, Said::plain(end), Said::plain(wanted.as_str())).known_as("one-name-for-all")
    }

    /// Inside, the link is up and has its address.
    pub fn has_address(&self) -> Outcome {
        let (name, address, prefix) = (&self.link, self.address, self.prefix);
        let wanted = || Said::plain(format!("{name} UP {address}/{prefix}"));
        let Some(own) = self.own() else {
            let links = list(&self.inside);
            return ensure(false, said!("inside: {links}", "容器里：{links}"), wanted());
        };
        let there = own.addresses.contains(&(address.into(), prefix));
        ensure(there, Said::plain(line(own)), wanted())?;
        ensure(is_up(own), Said::plain(line(own)), wanted()).known_as("eth0-left-down")
    }

    /// Inside, a default route leads to the bridge.
    pub fn has_route(&self) -> Outcome {
        let (gateway, name) = (self.gateway, &self.link);
        let routes: Vec<String> = self
            .inside
            .ways_out
            .iter()
            .map(|(via, index)| format!("default via {via:?} dev {index}"))
            .collect();
        let routes = routes.join("; ");
        let index = self.own().map_or(0, |link| link.index);
        ensure(
            self.inside.ways_out.contains(&(Some(gateway), index)),
            if routes.is_empty() {
                said!("no default route inside", "容器里没有默认路由")
            } else {
                said!("inside: {routes}", "容器里：{routes}")
            },
            Said::plain(format!("default via {gateway} dev {name}")),
        )
        .known_as("no-way-out")
    }

    /// Everything that a packet to a neighbour needs.
    pub fn reaches_bridge(&self) -> Outcome {
        self.has_bridge()?;
        self.is_plugged_in()?;
        self.has_address()
    }
}

/// Let `name` be a container on the bridge of which the kernel was asked: for `bench.run(&ON_BRIDGE)`.
pub const ON_BRIDGE: [&str; 2] = ["--network", "bridge"];

/// The place of the container that [`Bench::run`] started.
pub fn place(bench: &Bench, pid: i32) -> Outcome<Place> {
    Ok(Place::of(&bench.nonce(), pid)?)
}
