//! A container's network, from the words of a command line to what its supervisor prepares before the birth.

use super::spec::Spec;
use crate::error::{Error, NetProblem, Problem, Result};
use crate::network::book::DEFAULT;
use crate::network::define;
use crate::network::files::{self, Lookup};
use crate::network::lease::{self, Newcomer};
use crate::network::port::{self, Binding, Holds, Port, Wanted};
use crate::network::{Endpoint, Network, Wish};
use crate::rootfs::volume::Volume;
use crate::state;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// What was asked for, in the person's own words: the options of `minidocker run` that concern the network.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each field is the option of that name; see `minidocker run --help`")]
pub struct Request {
    pub networks: Vec<String>,
    pub ip: Option<String>,
    pub aliases: Vec<String>,
    pub publish: Vec<String>,
    pub publish_all: bool,
    pub expose: Vec<String>,
    pub add_host: Vec<String>,
    pub dns: Vec<String>,
    pub dns_search: Vec<String>,
    pub dns_option: Vec<String>,
}

/// The request with every word understood. Which networks there are is still open.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The mode, or the networks; none when nothing was said.
    pub networks: Vec<Wish>,
    published: Vec<Wanted>,
    publish_all: bool,
    exposed: Vec<Port>,
    lookup: Lookup,
}

/// What of the spec it decides.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// The ports to be published.
    pub ports: Vec<Wanted>,
    /// The ports that the container says it serves.
    pub exposed: Vec<Port>,
    /// What the resolver inside is to know besides.
    pub lookup: Lookup,
}

fn problem(problem: NetProblem) -> Error {
    Error::new(Problem::Net(problem))
}

/// Whether `word` names a mode in which the container has no links of its own to be connected.
fn is_mode(word: &str) -> bool {
    matches!(word, "none" | "null" | "host") || word.starts_with("container:")
}

impl Wishes {
    /// Understand `request`; the first word that makes no sense is the error.
    pub fn of(request: &Request) -> Result<Self> {
        let mut networks = request.networks.iter().map(|text| wish(text)).collect::<Result<Vec<_>>>()?;
        if let Some(text) = &request.ip {
            let address = parse_address(text)?;
            first_of_user(&mut networks, "--ip")?.address = Some(address);
        }
        if !request.aliases.is_empty() {
            first_of_user(&mut networks, "--network-alias")?.aliases.extend(request.aliases.iter().cloned());
        }
        let published: Vec<Vec<Wanted>> =
            request.publish.iter().map(|text| port::published(text)).collect::<Result<_>>()?;
        let exposed: Vec<Vec<Port>> =
            request.expose.iter().map(|text| port::exposed(text)).collect::<Result<_>>()?;
        let Request { add_host, dns, dns_search, dns_option, .. } = request;
        let wishes = Self {
            networks,
            published: published.concat(),
            publish_all: request.publish_all,
            exposed: exposed.concat(),
            lookup: Lookup::parse(add_host, dns, dns_search, dns_option)?,
        };
        wishes.check_modes(request)?;
        Ok(wishes)
    }

    /// What cannot go together.
    fn check_modes(&self, request: &Request) -> Result<()> {
        let Some(mode) = self.networks.iter().map(|wish| &wish.network).find(|word| is_mode(word)) else {
            return Ok(());
        };
        let conflict = |option: &str| {
            problem(NetProblem::ModeConflict { option: option.to_owned(), mode: mode.clone() })
        };
        if self.networks.len() > 1 {
            return Err(conflict("--network"));
        }
        if !mode.starts_with("container:") {
            return Ok(());
        }
        let said = [
            ("--publish", !request.publish.is_empty() || request.publish_all),
            ("--expose", !request.expose.is_empty()),
            ("--add-host", !request.add_host.is_empty()),
            (
                "--dns",
                !(request.dns.is_empty() && request.dns_search.is_empty() && request.dns_option.is_empty()),
            ),
        ];
        said.into_iter().find(|(_, said)| *said).map_or(Ok(()), |(option, _)| Err(conflict(option)))
    }

    /// Settle the ports, of which `image` says that it serves some.
    pub fn settle<'a>(&self, image: impl Iterator<Item = &'a String>) -> Settled {
        let mut exposed: Vec<Port> = image.filter_map(|text| text.parse().ok()).collect();
        exposed.extend(&self.exposed);
        exposed.extend(self.published.iter().map(|wanted| wanted.port));
        exposed.sort_unstable();
        exposed.dedup();
        let mut ports = self.published.clone();
        if self.publish_all {
            let any = |port: &Port| Wanted { port: *port, host: Ipv4Addr::UNSPECIFIED, first: 0, last: 0 };
            let rest =
                exposed.iter().filter(|port| !self.published.iter().any(|wanted| wanted.port == **port));
            ports.extend(rest.map(any));
        }
        Settled { ports, exposed, lookup: self.lookup.clone() }
    }

    /// The places of a container that is in networks, which must be there: of a user network, its name is what is kept.
    /// Errors: `NoSuchNetwork`, and `AlreadyConnected` for one that is named twice.
    pub fn places(&self, root: &Path) -> Result<Vec<Endpoint>> {
        let mut places: Vec<Endpoint> = Vec::new();
        for wish in &self.networks {
            let network = network_name(root, &wish.network)?;
            if places.iter().any(|place| place.wish.network == network) {
                return Err(problem(NetProblem::AlreadyConnected { container: String::new(), network }));
            }
            places.push(Endpoint::wished(Wish { network, ..wish.clone() }));
        }
        Ok(places)
    }
}

/// The name of the network that `word` means. That it is no mode has been seen before.
pub fn network_name(root: &Path, word: &str) -> Result<String> {
    match word {
        DEFAULT | "default" => Ok(DEFAULT.to_owned()),
        word => define::find(root, word).map(|told| told.name),
    }
}

/// `NAME`, or `name=NAME,ip=ADDRESS,alias=ALIAS,…`.
fn wish(text: &str) -> Result<Wish> {
    if !text.contains('=') {
        return Ok(Wish { network: text.to_owned(), ..Wish::default() });
    }
    let mut wish = Wish::default();
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("name", name)) => name.clone_into(&mut wish.network),
            Some(("alias", alias)) => wish.aliases.push(alias.to_owned()),
            Some(("ip", address)) => wish.address = Some(parse_address(address)?),
            _ => return Err(Error::new(Problem::UnknownNetwork { name: text.to_owned() })),
        }
    }
    Ok(wish)
}

/// An address, as `--ip` gives it.
pub fn parse_address(text: &str) -> Result<Ipv4Addr> {
    text.parse().map_err(|_| problem(NetProblem::BadAddress { text: text.to_owned() }))
}

/// The network that an option is about which only networks that somebody defined know.
fn first_of_user<'a>(networks: &'a mut [Wish], option: &str) -> Result<&'a mut Wish> {
    let only = || problem(NetProblem::OnlyOnUserNetworks { option: option.to_owned() });
    let first = networks.first_mut().ok_or_else(only)?;
    let predefined = is_mode(&first.network) || [DEFAULT, "default"].contains(&first.network.as_str());
    if predefined { Err(only()) } else { Ok(first) }
}

/// The three files of `/etc` that say who and where a container is, by name.
const FILES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];

/// Hold the ports of a container on a bridge, in the network namespace that this process is in, for as long as what is
/// returned is kept.
pub fn hold(spec: &Spec) -> Result<(Holds, Vec<Binding>)> {
    match spec.network {
        Network::Bridge(_) => port::hold(&spec.ports),
        _ => Ok(Default::default()),
    }
}

/// Lease the container's addresses, write its files of `/etc` and note them among its volumes. `bindings` are the ports
/// that are held for it; `neighbour` is the directory of the container whose network is shared.
pub fn prepare(root: &Path, spec: &mut Spec, bindings: Vec<Binding>, neighbour: Option<&Path>) -> Result<()> {
    let own = spec.directory.clone();
    let directory = neighbour.unwrap_or(&own);
    if neighbour.is_none() {
        let hosts = match spec.network {
            Network::Host => Some(files::hosts_of_host(&spec.lookup)?),
            Network::None | Network::Container(_) => Some(files::hosts(&spec.lookup, None)),
            Network::Bridge(_) => None,
        };
        match hosts {
            Some(text) => drop(state::put(&own, "hosts", &text)?),
            None => move_in(root, spec, bindings)?,
        }
        state::put(&own, "hostname", &files::hostname(&spec.hostname))?;
        let host_network = spec.network == Network::Host;
        state::put(&own, "resolv.conf", &files::resolver(&spec.lookup, host_network)?)?;
    }
    for name in FILES {
        let target = PathBuf::from("/etc").join(name);
        spec.volumes.retain(|volume| volume.source != own.join(name));
        if !spec.volumes.iter().any(|volume| volume.target == target) {
            spec.volumes.insert(0, Volume::bind(directory.join(name), target));
        }
    }
    Ok(())
}

/// Lease the addresses.
fn move_in(root: &Path, spec: &mut Spec, bindings: Vec<Binding>) -> Result<()> {
    let Network::Bridge(endpoints) = &mut spec.network else { return Ok(()) };
    let hosts = spec.directory.join("hosts");
    let brings_own =
        spec.volumes.iter().any(|volume| volume.target == Path::new("/etc/hosts") && volume.source != hosts);
    let newcomer = Newcomer {
        id: &spec.id,
        name: &spec.name,
        hostname: &spec.hostname,
        hosts: (!brings_own).then_some(hosts),
        lookup: &spec.lookup,
        bindings,
    };
    lease::lease(root, &newcomer, endpoints)
}
