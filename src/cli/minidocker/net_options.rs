//! The options of `minidocker run` and `create` that concern the network, named as Docker's.

use super::run::Truth;
use crate::container::cable::Request;
use clap::Args;

#[derive(Debug, Args)]
pub struct NetOptions {
    /// Network: none (or null), host, container:NAME, bridge, or one that was created (may be repeated). Default:
    /// bridge, where one can lead out of this machine; else none.
    #[arg(long, visible_alias = "net", value_name = "NETWORK")]
    network: Vec<String>,
    /// The address in a network that was created.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// Another name for the container in a network that was created.
    #[arg(long, visible_alias = "net-alias", value_name = "NAME")]
    network_alias: Vec<String>,
    /// Publish a port, or a range, of the container at the host.
    #[arg(short, long, value_name = "[IP:][HOST:]CONTAINER[/udp]")]
    publish: Vec<String>,
    /// Publish all exposed ports at free ports of the host.
    #[arg(short = 'P', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    publish_all: Option<Truth>,
    /// A port, or a range, that the container serves.
    #[arg(long, value_name = "PORT[/udp]")]
    expose: Vec<String>,
    /// A line for /etc/hosts; the address host-gateway is the host's.
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,
    /// A name server, in the place of the host's.
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,
    /// A domain to be searched, in the place of the host's.
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// An option of resolv.conf, in the place of the host's.
    #[arg(long, visible_alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<String>,
}

impl From<NetOptions> for Request {
    fn from(options: NetOptions) -> Self {
        Self {
            networks: options.network.into_iter().filter(|word| !word.is_empty()).collect(),
            ip: options.ip.filter(|word| !word.is_empty()),
            aliases: options.network_alias,
            publish: options.publish,
            publish_all: options.publish_all == Some(Truth(true)),
            expose: options.expose,
            add_host: options.add_host,
            dns: options.dns,
            dns_search: options.dns_search,
            dns_option: options.dns_option,
        }
    }
}
