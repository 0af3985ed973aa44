//! The command line of `net-demo`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use crate::demo::net;
use clap::Subcommand;

/// The subcommands of `net-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// One message to the kernel, built by hand and read byte by byte
    Netlink,
}

impl Program for Demo {
    const NAME: &'static str = "net-demo";
    const ABOUT: &'static str =
        "Container networks: null, host, container and bridge, one packet followed hop by hop";
    const TOUR: &'static [&'static Walk] = &[&net::netlink::WALK];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Netlink => Plan::Walk(&net::netlink::WALK),
        }
    }
}
