//! Lab `net`: a network for a container, from the bridge on the host to the default route inside.
//!
//! Five functions, each a few requests to the kernel. The first three run on the host, the last two inside. `socket`
//! is an open netlink socket that speaks for the namespace you are to work on. What helps: `link::add_bridge`,
//! `link::find`, `link::add_address`, `link::set_up`, `link::add_veth`, `link::add_default_route`;
//! `make::heed_no_advertisement`; `Script::line`. The handout is `README.md` beside this file.

#![allow(clippy::todo, unused_imports, unused_variables, dead_code)] // it is yours to fill in

use minidocker::container::parts::Parts;
use minidocker::error::{Error, Problem, Result};
use minidocker::network::Endpoint;
use minidocker::network::configure::LOOPBACK_INDEX;
use minidocker::network::iptables::Script;
use minidocker::network::link::{self, Netns, Socket, Veth};
use minidocker::network::make::{self, Plan};
use minidocker::network::subnet::Subnet;
use std::process::ExitCode;

/// On the host: make the bridge of `plan`, up, with its address; and let it heed no router advertisement.
pub fn bridge(socket: &Socket, plan: &Plan<'_>) -> Result<()> {
    todo!("make {} (link group {}) with the address {}/{}", plan.name, plan.group, plan.gateway, plan.prefix)
}

/// On the host: say the rules by which what leaves `subnet` by another way than `bridge` finds its way, and back.
pub fn way_out(script: &mut Script, bridge: &str, subnet: Subnet) {
    todo!("let {subnet} out, {} lines after {script:?}; the bridge is {bridge}", 3)
}

/// On the host: lay the cable of `endpoint`: one end a port of the bridge, the other in the namespace `netns`.
pub fn attach(socket: &Socket, endpoint: &Endpoint, netns: Netns<'_>) -> Result<()> {
    todo!("from {} to {} in {netns:?}", endpoint.host_link, endpoint.link)
}

/// Inside: set `lo` up.
pub fn loopback(socket: &Socket) -> Result<()> {
    todo!("set link {LOOPBACK_INDEX} up")
}

/// Inside: give the cable's end its address, set it up, and send everything out by the gateway if that is its duty.
pub fn ethernet(socket: &Socket, endpoint: &Endpoint) -> Result<()> {
    todo!("{} gets {}/{}", endpoint.link, endpoint.address, endpoint.prefix)
}

fn main() -> ExitCode {
    minidocker::main(Parts { bridge, way_out, attach, loopback, ethernet, ..Parts::REFERENCE })
}
