//! Wrong answers that people write: each function is a whole wrong part.

use minidocker::container::parts::Parts;
use minidocker::error::{Error, Problem, Result};
use minidocker::lab::mutant::Mutant;
use minidocker::network::iptables::Script;
use minidocker::network::link::{self, Netns, Socket, Veth};
use minidocker::network::make::{self, Plan};
use minidocker::network::subnet::Subnet;
use minidocker::network::{Endpoint, attach, configure};
use std::net::Ipv4Addr;

/// The checks in which packets go beyond the bridge.
const BEYOND: &[&str] = &["outside-sees-the-host", "passes-where-forward-drops"];

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "lo-left-down",
        parts: Parts { loopback: leave_lo_down, ..Parts::REFERENCE },
        fails: &["loopback-works"],
        mistake: Some("lo-left-down"),
    },
    Mutant {
        name: "bridge-left-down",
        parts: Parts { bridge: leave_bridge_down, ..Parts::REFERENCE },
        fails: &["bridge-is-up", "neighbours-talk", BEYOND[0], BEYOND[1]],
        mistake: Some("bridge-left-down"),
    },
    Mutant {
        name: "address-without-subnet",
        parts: Parts { bridge: forget_subnet, ..Parts::REFERENCE },
        fails: &["bridge-is-up", "neighbours-talk", BEYOND[0], BEYOND[1]],
        mistake: Some("address-without-subnet"),
    },
    Mutant {
        name: "hears-advertisements",
        parts: Parts { bridge: hear_advertisements, ..Parts::REFERENCE },
        fails: &["bridge-heeds-nobody"],
        mistake: Some("hears-advertisements"),
    },
    Mutant {
        name: "plugged-nowhere",
        parts: Parts { attach: plug_nowhere, ..Parts::REFERENCE },
        fails: &["cable-is-laid", "neighbours-talk", BEYOND[0], BEYOND[1]],
        mistake: Some("plugged-nowhere"),
    },
    Mutant {
        name: "one-name-for-all",
        parts: Parts { attach: call_them_alike, ..Parts::REFERENCE },
        fails: &["cable-is-laid", "neighbours-talk"],
        mistake: Some("one-name-for-all"),
    },
    Mutant {
        name: "eth0-left-down",
        parts: Parts { ethernet: leave_eth0_down, ..Parts::REFERENCE },
        fails: &["address-and-route", "neighbours-talk", BEYOND[0], BEYOND[1]],
        mistake: Some("eth0-left-down"),
    },
    Mutant {
        name: "no-way-out",
        parts: Parts { ethernet: forget_route, ..Parts::REFERENCE },
        fails: &["address-and-route", BEYOND[0], BEYOND[1]],
        mistake: Some("no-way-out"),
    },
    Mutant {
        name: "unknown-sender",
        parts: Parts { way_out: keep_sender, ..Parts::REFERENCE },
        fails: &["outside-sees-the-host"],
        mistake: Some("unknown-sender"),
    },
    Mutant {
        name: "left-to-the-policy",
        parts: Parts { way_out: trust_policy, ..Parts::REFERENCE },
        fails: &["passes-where-forward-drops"],
        mistake: Some("left-to-the-policy"),
    },
    Mutant {
        name: "one-way",
        parts: Parts { way_out: forget_answers, ..Parts::REFERENCE },
        fails: &["passes-where-forward-drops"],
        mistake: Some("one-way"),
    },
];

/// A namespace of its own is believed to have `lo` at work.
fn leave_lo_down(_socket: &Socket) -> Result<()> {
    Ok(())
}

/// A bridge with an address is believed to be up.
fn leave_bridge_down(socket: &Socket, plan: &Plan<'_>) -> Result<()> {
    let index = born(socket, plan)?;
    make::heed_no_advertisement(plan.name)?;
    link::add_address(socket, index, plan.name, plan.gateway, plan.prefix)
}

/// One address, so one address long.
fn forget_subnet(socket: &Socket, plan: &Plan<'_>) -> Result<()> {
    make::make(socket, &Plan { prefix: 32, ..*plan })
}

/// All of it but what nobody sees.
fn hear_advertisements(socket: &Socket, plan: &Plan<'_>) -> Result<()> {
    let index = born(socket, plan)?;
    link::add_address(socket, index, plan.name, plan.gateway, plan.prefix)?;
    link::set_up(socket, index, plan.name)
}

fn born(socket: &Socket, plan: &Plan<'_>) -> Result<u32> {
    link::add_bridge(socket, plan.name, plan.group)?;
    Ok(plan.own(link::find(socket, plan.name)?)?.index)
}

/// A veth pair of which nobody told the bridge.
fn plug_nowhere(socket: &Socket, endpoint: &Endpoint, netns: Netns<'_>) -> Result<()> {
    let Some(bridge) = link::find(socket, &endpoint.bridge)? else {
        return Err(Error::new(Problem::NoBridge));
    };
    let (name, peer) = (&endpoint.host_link, &endpoint.link);
    link::add_veth(socket, Veth { name, group: bridge.group, master: 0, peer, netns })
}

/// The name that every tutorial gives to it.
fn call_them_alike(socket: &Socket, endpoint: &Endpoint, netns: Netns<'_>) -> Result<()> {
    let alike = Endpoint { host_link: "veth0".to_owned(), ..endpoint.clone() };
    attach::lay(socket, &alike, netns)
}

/// A link with an address is believed to be up; and since no gateway can be reached by it, there is no route either.
fn leave_eth0_down(socket: &Socket, endpoint: &Endpoint) -> Result<()> {
    let Some(eth0) = link::find(socket, &endpoint.link)? else { return Err(Error::new(Problem::NoBridge)) };
    link::add_address(socket, eth0.index, &endpoint.link, endpoint.address, endpoint.prefix)
}

/// Address and link, and nothing that leads farther.
fn forget_route(socket: &Socket, endpoint: &Endpoint) -> Result<()> {
    let here = Endpoint { default_route: false, gateway: Ipv4Addr::UNSPECIFIED, ..endpoint.clone() };
    configure::ethernet(socket, &here)
}

/// Leave to pass, under an address that nobody outside can answer.
fn keep_sender(script: &mut Script, bridge: &str, _subnet: Subnet) {
    script.line("filter", format!("-I FORWARD -i {bridge} -j ACCEPT"));
    script.line(
        "filter",
        format!("-I FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
    );
}

/// The rule of which every text speaks, and no other.
fn trust_policy(script: &mut Script, bridge: &str, subnet: Subnet) {
    script.line("nat", format!("-A POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE"));
}

/// Out may go whatever likes to; the answers are forgotten.
fn forget_answers(script: &mut Script, bridge: &str, subnet: Subnet) {
    trust_policy(script, bridge, subnet);
    script.line("filter", format!("-I FORWARD -i {bridge} -j ACCEPT"));
}
