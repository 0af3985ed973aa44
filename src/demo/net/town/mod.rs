//! The small town in which the walks about packets play: a host, containers on its bridge, and somebody outside.
//!
//! ```text
//!  web  eth0 172.30.0.2 ─── mdweb ┐
//!                                 ├─ minidocker0 172.30.0.1 · host · eth0 203.0.113.1 ─── 203.0.113.2 eth0  outside
//!  db   eth0 172.30.0.3 ─── mddb  ┘
//! ```
//!
//! Bridge, subnet, veth pairs, addresses, routes and rules are made by `network`, as for `minidocker run`. Outside
//! knows a route to its own subnet only, as the rest of the world does: nothing leads back to 172.30.0.0/16.
//!
//! The host of the town is a network namespace that dies with the walk: that of the throw-away host or, on the real
//! one, a new one, so that a walk which breaks the host's network breaks that of the town alone.

mod resident;

pub use resident::{Meeting, Question, Resident, Verdict, View, meet};

use crate::demo::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::namespace;
use crate::network::lease::host_link;
use crate::network::subnet::{self, Subnet};
use crate::network::{Endpoint, Network, Wish, attach, bridge, configure, link, nat};
use crate::sys::file;
use crate::sys::netlink::{Netns, Socket};
use crate::sys::process;
use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

/// The bridge.
pub const BRIDGE: &str = "minidocker0";
/// The link by which the host reaches outside, and by which outside reaches the host.
pub const UPLINK: &str = "eth0";
/// The host's address there: in a subnet that RFC 5737 sets aside for examples.
pub const HOST: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Outside's address.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
const PREFIX: u8 = 24;

/// A port at which nobody in town listens: the answer is a refusal at once, by whoever is reached.
const CLOSED: u16 = 9;
/// How long the first packet on a new cable may take, in milliseconds: the kernel tells the ports of a bridge of their
/// carrier in its own time, and asks again for a link-layer address after a second.
const FIRST: u16 = 5000;

/// A host with its network, in the network namespace of the caller.
#[derive(Debug)]
pub struct Town {
    /// The host: this process.
    pub host: Resident,
    /// The subnet of the bridge; none until there is a bridge.
    subnet: Cell<Option<Subnet>>,
    last: Cell<Ipv4Addr>,
    quiet: Cell<bool>,
    socket: Socket,
}

impl Town {
    /// A host with `lo` alone.
    pub fn found() -> Result<Self> {
        // On a throw-away host the walk is pid 1, and has its network to itself.
        if process::pid() != 1 {
            namespace::net::enter()?;
            configure::configure(&Network::None)?;
        }
        Ok(Self {
            host: Resident::here("host"),
            subnet: Cell::new(None),
            last: Cell::new(Ipv4Addr::UNSPECIFIED),
            quiet: Cell::new(false),
            socket: Socket::open()?,
        })
    }

    /// Let there be no IPv6 in town from now on: a link that comes up speaks it unasked, which disturbs counters.
    pub fn quiet(&self) -> Result<()> {
        self.quiet.set(true);
        self.host.ask(Question::Quiet)
    }

    fn newcomer(&self, name: &'static str) -> Result<Resident> {
        let resident = Resident::start(name)?;
        if self.quiet.get() {
            resident.ask::<()>(Question::Quiet)?;
        }
        Ok(resident)
    }

    /// The whole town: bridge, the containers named, outside, forwarding, and the rules.
    ///
    /// Errors: `NoIptables` and `NatRefused` where there are no rules to be had; everything else is done by then.
    pub fn whole(names: &[&'static str]) -> Result<(Self, Vec<Resident>, Resident)> {
        let town = Self::found()?;
        town.build_bridge()?;
        let containers = names.iter().map(|name| town.container(name)).collect::<Result<_>>()?;
        let outside = town.outside()?;
        town.forward(true)?;
        town.rules()?;
        Ok((town, containers, outside))
    }

    /// The subnet of the bridge.
    pub fn subnet(&self) -> Result<Subnet> {
        self.subnet.get().ok_or_else(|| Error::new(Problem::NoBridge))
    }

    /// Make the bridge, up, with the first address of a free subnet.
    pub fn build_bridge(&self) -> Result<()> {
        let routes = link::routes(&self.socket)?;
        let subnet = subnet::choose(&routes).ok_or_else(|| Error::new(Problem::NoSubnet))?;
        link::add_bridge(&self.socket, BRIDGE, 0)?;
        let index = self.index(BRIDGE)?;
        link::add_address(&self.socket, index, BRIDGE, subnet.gateway(), subnet.prefix)?;
        link::set_up(&self.socket, index, BRIDGE)?;
        self.subnet.set(Some(subnet));
        self.last.set(subnet.gateway());
        Ok(())
    }

    fn index(&self, name: &str) -> Result<u32> {
        link::find(&self.socket, name)?.map(|link| link.index).ok_or_else(|| Error::new(Problem::NoBridge))
    }

    /// A container named `name` on the bridge, with the next free address. On return the way to the bridge works: the
    /// host has refused a connection from there.
    pub fn container(&self, name: &'static str) -> Result<Resident> {
        let resident = self.newcomer(name)?;
        let endpoint = self.endpoint(name)?;
        self.plug(&resident, &endpoint)?;
        resident.configure(Network::Bridge(vec![endpoint]))?;
        self.await_cable(&resident)?;
        Ok(resident)
    }

    /// Wait until the way from `resident` to the bridge works: the host refuses a connection from there.
    pub fn await_cable(&self, resident: &Resident) -> Result<()> {
        resident.connect(SocketAddrV4::new(self.subnet()?.gateway(), CLOSED), FIRST).map(drop)
    }

    /// The address of a container on the bridge.
    pub fn address_of(&self, resident: &Resident) -> Result<Ipv4Addr> {
        let addresses = resident.look()?.addresses.unwrap_or_default();
        let mut addresses = addresses.split(' ').filter_map(|address| address.parse().ok());
        let own = addresses.find(|address: &Ipv4Addr| !address.is_loopback());
        own.ok_or_else(|| Error::new(Problem::NoSubnet))
    }

    /// The next free place on the bridge.
    pub fn endpoint(&self, name: &str) -> Result<Endpoint> {
        let subnet = self.subnet()?;
        let last = self.last.get();
        let address = subnet
            .next_free(last, |address| address <= last)
            .ok_or_else(|| Error::new(Problem::NoAddress { subnet: subnet.to_string() }))?;
        self.last.set(address);
        Ok(Endpoint {
            wish: Wish::default(),
            bridge: BRIDGE.to_owned(),
            host_link: host_link(name),
            address,
            prefix: subnet.prefix,
            gateway: subnet.gateway(),
            link: attach::CONTAINER_LINK.to_owned(),
            default_route: true,
            hairpin: false,
        })
    }

    /// Lay a veth pair from the bridge into the namespace of `resident`.
    pub fn plug(&self, resident: &Resident, endpoint: &Endpoint) -> Result<()> {
        attach::attach(endpoint, resident.pid())
    }

    /// Somebody outside, on another subnet, at the other end of the host's uplink. On return the way there works.
    pub fn outside(&self) -> Result<Resident> {
        let outside = self.newcomer("outside")?;
        let pid = outside.pid();
        let cable = link::Veth { name: UPLINK, group: 0, master: 0, peer: UPLINK, netns: Netns::Of(pid) };
        link::add_veth(&self.socket, cable)?;
        let index = self.index(UPLINK)?;
        link::add_address(&self.socket, index, UPLINK, HOST, PREFIX)?;
        outside.configure(Network::None)?;
        outside.address(UPLINK, OUTSIDE, PREFIX)?;
        // Strict checks of the sender's address (RFC 3704), which a distribution may ask for, would drop a packet
        // earlier than the missing route does.
        for name in ["all", UPLINK] {
            outside.write(&format!("/proc/sys/net/ipv4/conf/{name}/rp_filter"), "0")?;
        }
        outside.connect(SocketAddrV4::new(HOST, CLOSED), FIRST)?;
        Ok(outside)
    }

    /// Let the host forward packets between its links, or not: `net.ipv4.ip_forward`.
    pub fn forward(&self, on: bool) -> Result<()> {
        file::write(Path::new(bridge::IP_FORWARD), if on { "1" } else { "0" })
    }

    /// The three rules that `minidocker run` writes.
    pub fn rules(&self) -> Result<()> {
        nat::apply(BRIDGE, self.subnet()?)
    }
}

/// Whether an error means that this machine has no packet filter to be ruled: a scene is lacking then, not the demo.
pub fn lacks_rules(error: &Error) -> bool {
    matches!(error.problem, Problem::NoIptables { .. } | Problem::NatRefused { .. })
}

/// The questions that residents understand, at work: see [`Resident`].
type Neighbour = Actor<Question, serde_json::Value>;
