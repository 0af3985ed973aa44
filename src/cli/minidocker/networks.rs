//! The group network, and port.

use super::each;
use crate::container::connect::{self, Wanted};
use crate::error::{Error, Result};
use crate::narrate::listing::{self, Columns, Row};
use crate::narrate::{self, Question, time};
use crate::network::define::{self, Told};
use crate::state::{Root, events};
use crate::step::{Step, take};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Manage networks.
    #[command(subcommand)]
    Network(Group),
    /// List the published ports of a container.
    Port {
        /// Name or id.
        #[arg(value_name = "CONTAINER")]
        container: String,
        /// A port of the container.
        #[arg(value_name = "PRIVATE_PORT[/PROTO]")]
        port: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Group {
    /// Connect a container to a network.
    Connect(Connect),
    /// Create a network.
    Create(Create),
    /// Disconnect a container from a network.
    Disconnect {
        /// Do it although the container is not there any more.
        #[arg(short, long)]
        force: bool,
        /// Name or id.
        #[arg(value_name = "NETWORK")]
        network: String,
        /// Name or id.
        #[arg(value_name = "CONTAINER")]
        container: String,
    },
    /// Display detailed information on one or more networks.
    Inspect {
        /// json, or a template.
        #[arg(short, long, value_name = "FORMAT")]
        format: Option<String>,
        /// Names or ids.
        #[arg(required = true, value_name = "NETWORK")]
        networks: Vec<String>,
    },
    /// List networks.
    #[command(visible_alias = "list")]
    Ls(Ls),
    /// Remove all unused networks.
    Prune {
        /// Do not ask for confirmation.
        #[arg(short, long)]
        force: bool,
    },
    /// Remove one or more networks.
    #[command(visible_alias = "remove")]
    Rm {
        /// Do not complain of networks that are not there.
        #[arg(short, long)]
        force: bool,
        /// Names or ids.
        #[arg(required = true, value_name = "NETWORK")]
        networks: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    /// The driver: there is only bridge.
    #[arg(short, long, value_name = "DRIVER")]
    driver: Option<String>,
    /// Its subnet, such as 10.1.2.0/24 (default: one that is free).
    #[arg(long, value_name = "SUBNET")]
    subnet: Option<String>,
    /// The address of its bridge (default: the first).
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// Let nothing lead out of it.
    #[arg(long)]
    internal: bool,
    /// Its name.
    #[arg(value_name = "NETWORK")]
    name: String,
}

#[derive(Debug, Args)]
pub struct Connect {
    /// The address that the container is to have there.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// Another name for the container there.
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Name or id.
    #[arg(value_name = "NETWORK")]
    network: String,
    /// Name or id.
    #[arg(value_name = "CONTAINER")]
    container: String,
}

#[derive(Debug, Args)]
pub struct Ls {
    /// Only some: name=PART, id=BEGINNING, driver=NAME.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// table, table TEMPLATE, json or TEMPLATE.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Do not shorten the ids (they are short).
    #[arg(long)]
    no_trunc: bool,
    /// Only ids.
    #[arg(short, long)]
    quiet: bool,
}

pub fn obey(verb: Verb, root: &Root) -> Result<u8> {
    let group = match verb {
        Verb::Network(group) => group,
        Verb::Port { container, port } => return plainly(ports(root, &container, port.as_deref())),
    };
    match group {
        Group::Create(options) => plainly(create(root, options)),
        Group::Connect(Connect { ip, alias, network, container }) => {
            let wanted = Wanted { network, ip, aliases: alias };
            plainly(connect::connect(root, &container, &wanted).map(|()| {
                note(root, "connect", &wanted.network, &[("container", &container)]);
            }))
        }
        Group::Disconnect { force, network, container } => {
            plainly(connect::disconnect(root, &container, &network, force).map(|()| {
                note(root, "disconnect", &network, &[("container", &container)]);
            }))
        }
        Group::Inspect { format, networks } => {
            let described =
                networks.iter().map(|word| define::find(root.path(), word).map(describe)).collect();
            super::describe::print(described, format.as_deref())
        }
        Group::Ls(options) => plainly(list(root, &options)),
        Group::Prune { force } => plainly(prune(root, force)),
        Group::Rm { force, networks } => take(Step::Networks, || {
            each(&networks, |word| match connect::remove(root, word) {
                Err(error) if force && connect::is_unknown(&error) => Ok(None),
                answer => answer.map(|name| {
                    note(root, "destroy", &name, &[]);
                    Some(name)
                }),
            })
        }),
    }
}

/// As with Docker, the exit status of these verbs is 1 when they fail.
fn plainly(answer: Result<()>) -> Result<u8> {
    if let Err(error) = &answer {
        narrate::report(error);
    }
    Ok(u8::from(answer.is_err()))
}

fn create(root: &Root, options: Create) -> Result<()> {
    let Create { driver, subnet, gateway, internal, name } = options;
    let request = define::Request { name, driver, subnet, gateway, internal };
    let id = take(Step::Networks, || define::create(root.path(), &request))?;
    note(root, "create", &request.name, &[]);
    narrate::print(&id);
    Ok(())
}

/// Note what happened to a network, by its name.
fn note(root: &Root, action: &str, network: &str, more: &[(&str, &str)]) {
    let attributes = [&[("name", network)], more].concat();
    events::record(root, events::Kind::Network, action, network, &attributes);
}

fn prune(root: &Root, force: bool) -> Result<()> {
    if !force && !narrate::confirm(Question::PruneNetworks) {
        return Ok(());
    }
    let names = take(Step::Networks, || connect::prune(root))?;
    names.iter().for_each(|name| note(root, "destroy", name, &[]));
    if !names.is_empty() {
        narrate::print(&format!("Deleted Networks:\n{}\n", names.join("\n")));
    }
    Ok(())
}

const COLUMNS: Columns = Columns {
    all: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
    shown: 4,
};

fn list(root: &Root, options: &Ls) -> Result<()> {
    let filters = options.filter.iter().map(|text| filter(text)).collect::<Result<Vec<_>>>()?;
    let rows: Vec<Row> = define::list(root.path())?
        .iter()
        .filter(|told| filters.iter().all(|(key, value)| takes(told, key, value)))
        .map(row)
        .collect();
    let format = if options.quiet { Some("{{.ID}}") } else { options.format.as_deref() };
    listing::list(COLUMNS, &rows, format)
}

fn row(told: &Told) -> Row {
    let internal = told.net.as_ref().is_some_and(|net| net.internal).to_string();
    let [scope, no, none] = ["local", "false", ""].map(str::to_owned);
    let (id, name, driver) = (told.id.clone(), told.name.clone(), told.driver.to_owned());
    listing::row(COLUMNS, [id, name, driver, scope, no, internal, none, created(told)])
}

fn created(told: &Told) -> String {
    told.net
        .as_ref()
        .filter(|net| net.is_defined())
        .map(|net| time::rfc3339(net.created, 0))
        .unwrap_or_default()
}

fn filter(text: &str) -> Result<(&str, &str)> {
    let known = |(key, _): &(&str, &str)| ["name", "id", "driver", "scope"].contains(key);
    let bad = || {
        Error::new(crate::error::Problem::Net(crate::error::NetProblem::BadFilter { text: text.to_owned() }))
    };
    text.split_once('=').filter(known).ok_or_else(bad)
}

fn takes(told: &Told, key: &str, value: &str) -> bool {
    match key {
        "name" => told.name.contains(value),
        "id" => told.id.starts_with(value),
        "driver" => told.driver == value,
        _ => value == "local",
    }
}

/// A network, as Docker describes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Description {
    name: String,
    id: String,
    created: String,
    scope: &'static str,
    driver: &'static str,
    #[serde(rename = "EnableIPv4")]
    enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    ipam: Value,
    internal: bool,
    attachable: bool,
    ingress: bool,
    config_from: Value,
    config_only: bool,
    containers: Map<String, Value>,
    options: Map<String, Value>,
    labels: Map<String, Value>,
}

/// What there is to say of a network.
pub fn describe(told: Told) -> Description {
    let created = created(&told);
    let net = told.net;
    let subnets = net.iter().map(|net| json!({ "Subnet": net.subnet.to_string(), "Gateway": net.gateway }));
    let config: Vec<Value> = subnets.collect();
    let mut containers = Map::new();
    let mut options = Map::new();
    if let Some(net) = &net {
        for (id, lease) in &net.leases {
            let name = told.names.get(id).unwrap_or(id);
            let address = format!("{}/{}", lease.address, net.subnet.prefix);
            let place = json!({ "Name": name, "EndpointID": lease.host_link, "MacAddress": "", "IPv4Address": address, "IPv6Address": "" });
            containers.insert(id.clone(), place);
        }
        options.insert("com.docker.network.bridge.name".to_owned(), Value::from(net.bridge.clone()));
    }
    Description {
        name: told.name,
        id: told.id,
        created,
        scope: "local",
        driver: told.driver,
        enable_ipv4: true,
        enable_ipv6: false,
        ipam: json!({ "Driver": "default", "Options": null, "Config": config }),
        internal: net.is_some_and(|net| net.internal),
        attachable: false,
        ingress: false,
        config_from: json!({ "Network": "" }),
        config_only: false,
        containers,
        options,
        labels: Map::new(),
    }
}

fn ports(root: &Root, container: &str, port: Option<&str>) -> Result<()> {
    for binding in connect::ports(root, container, port)? {
        let at = format!("{}:{}", binding.host, binding.host_port);
        narrate::print(&if port.is_some() { at } else { format!("{} -> {at}", binding.port) });
    }
    Ok(())
}
