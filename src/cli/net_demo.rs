//! The command line of `net-demo`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use crate::demo::net;
use crate::demo::net::topology::Form;
use clap::Subcommand;
use std::path::PathBuf;

/// The subcommands of `net-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// A network namespace with nothing in it, and a cable plugged in by hand
    Null,
    /// The host's own network
    Host,
    /// The network of another container
    Container,
    /// A bridge, cables, three rules: who reaches whom
    Bridge,
    /// One packet, hop by hop, from a container to outside and back
    Follow,
    /// A published port, rule by rule
    Publish,
    /// Three ways to break the way out, and where the packet dies
    BreakIt,
    /// A drawing of what is here, read from the kernel
    Topology(Drawing),
    /// One message to the kernel, built by hand and read byte by byte
    Netlink,
}

/// How `topology` draws.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct Drawing {
    /// Write an SVG picture into FILE too
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print a Mermaid flow chart instead, for a page of Markdown
    #[arg(long)]
    mermaid: bool,
    /// Draw a small town on a throw-away host instead
    #[arg(long)]
    town: bool,
}

impl Drawing {
    fn plan(self) -> Plan {
        let form = match self {
            Drawing { town: true, .. } => return Plan::Walk(&net::topology::WALK),
            Drawing { mermaid: true, .. } => Form::Mermaid,
            Drawing { svg: Some(file), .. } => Form::Svg(file),
            _ => Form::Text,
        };
        Plan::here(move |stage| net::topology::show(stage, &form))
    }
}

impl Program for Demo {
    const NAME: &'static str = "net-demo";
    const ABOUT: &'static str =
        "Container networks: null, host, container and bridge, one packet followed hop by hop";
    const TOUR: &'static [&'static Walk] = &[
        &net::null::WALK,
        &net::host::WALK,
        &net::container::WALK,
        &net::bridge::WALK,
        &net::follow::WALK,
        &net::publish::WALK,
        &net::break_it::WALK,
        &net::topology::WALK,
        &net::netlink::WALK,
    ];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Null => Plan::Walk(&net::null::WALK),
            Demo::Host => Plan::Walk(&net::host::WALK),
            Demo::Container => Plan::Walk(&net::container::WALK),
            Demo::Bridge => Plan::Walk(&net::bridge::WALK),
            Demo::Follow => Plan::Walk(&net::follow::WALK),
            Demo::Publish => Plan::Walk(&net::publish::WALK),
            Demo::BreakIt => Plan::Walk(&net::break_it::WALK),
            Demo::Topology(drawing) => drawing.plan(),
            Demo::Netlink => Plan::Walk(&net::netlink::WALK),
        }
    }
}
