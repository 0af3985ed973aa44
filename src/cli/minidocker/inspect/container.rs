//! A container, as Docker describes it.

use super::super::ps;
use super::GraphDriver;
use crate::container::Spec;
use crate::container::look::{Seen, State};
use crate::error::Result;
use crate::image::Store;
use crate::narrate::{self, time};
use crate::network::Network;
use crate::rootfs::volume::{Kind, Volume};
use crate::security::capabilities::Capabilities;
use crate::state::Root;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// All that is said of a container.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Description {
    id: String,
    created: String,
    path: String,
    args: Vec<String>,
    state: StateOf,
    image: String,
    resolv_conf_path: PathBuf,
    hostname_path: PathBuf,
    hosts_path: PathBuf,
    log_path: PathBuf,
    name: String,
    restart_count: u32,
    driver: &'static str,
    platform: &'static str,
    host_config: HostConfig,
    graph_driver: GraphDriver<GraphData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_root_fs: Option<u64>,
    mounts: Vec<Mount>,
    config: Config,
    network_settings: NetworkSettings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StateOf {
    status: &'static str,
    running: bool,
    paused: bool,
    restarting: bool,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    dead: bool,
    pid: i32,
    exit_code: u8,
    error: String,
    started_at: String,
    finished_at: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    binds: Option<Vec<String>>,
    network_mode: String,
    port_bindings: BTreeMap<String, Vec<HostPort>>,
    restart_policy: RestartPolicy,
    auto_remove: bool,
    cap_add: Option<Vec<String>>,
    cap_drop: Option<Vec<String>>,
    privileged: bool,
    readonly_rootfs: bool,
    tmpfs: Option<BTreeMap<String, String>>,
    init: bool,
    cpu_shares: u64,
    memory: u64,
    nano_cpus: u64,
    cpuset_cpus: String,
    pids_limit: Option<u64>,
    shm_size: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RestartPolicy {
    name: String,
    maximum_retry_count: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphData {
    lower_dir: String,
    merged_dir: PathBuf,
    upper_dir: PathBuf,
    work_dir: PathBuf,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Mount {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    source: PathBuf,
    destination: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<&'static str>,
    mode: String,
    #[serde(rename = "RW")]
    rw: bool,
    propagation: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    hostname: String,
    user: String,
    open_stdin: bool,
    env: Vec<String>,
    cmd: Vec<String>,
    image: String,
    working_dir: PathBuf,
    labels: BTreeMap<String, String>,
    stop_signal: String,
    stop_timeout: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    ports: BTreeMap<String, Option<Vec<HostPort>>>,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    networks: BTreeMap<String, Endpoint>,
}

/// A port of the host.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HostPort {
    #[serde(rename = "HostIp")]
    host_ip: String,
    host_port: String,
}

/// A container's place in one network.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    #[serde(rename = "NetworkID")]
    network_id: String,
    aliases: Vec<String>,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    #[serde(rename = "IPPrefixLen")]
    ip_prefix_len: u8,
    gateway: String,
}

/// The point in time of what has not happened.
const NEVER: &str = "0001-01-01T00:00:00Z";

fn when(nanoseconds: Option<u64>) -> String {
    const SECOND: u64 = 1_000_000_000;
    nanoseconds.map_or_else(|| NEVER.to_owned(), |at| time::rfc3339(at / SECOND, (at % SECOND) as u32))
}

/// What there is to say of `seen`; with `sizes`, how much it has written too.
pub fn describe(root: &Root, seen: &Seen, sizes: bool) -> Result<Description> {
    let spec = &seen.config.spec;
    let sizes = sizes.then(|| seen.sizes()).transpose()?;
    let image = Store::open(root.path()).find(&spec.image).ok().flatten();
    let file = |name: &str| spec.directory.join(name);
    Ok(Description {
        id: spec.id.clone(),
        created: when(Some(seen.config.created)),
        path: spec.argv.first().cloned().unwrap_or_default(),
        args: spec.argv.iter().skip(1).cloned().collect(),
        state: state(seen),
        image: image.map(|image| image.id.to_string()).unwrap_or_default(),
        resolv_conf_path: file("resolv.conf"),
        hostname_path: file("hostname"),
        hosts_path: file("hosts"),
        log_path: file("log"),
        name: format!("/{}", spec.name),
        restart_count: seen.status.restarts,
        driver: "overlay2",
        platform: "linux",
        host_config: host_config(spec),
        graph_driver: graph_driver(spec),
        size_rw: sizes.map(|sizes| sizes.0),
        size_root_fs: sizes.map(|sizes| sizes.1),
        mounts: spec.volumes.iter().map(mount).collect(),
        config: config(spec),
        network_settings: NetworkSettings {
            ports: ports(seen),
            ip_address: seen.places.first().map(|place| place.address.to_string()).unwrap_or_default(),
            networks: networks(seen),
        },
    })
}

fn state(seen: &Seen) -> StateOf {
    let status = &seen.status;
    StateOf {
        status: seen.state.word(),
        running: matches!(seen.state, State::Running | State::Paused),
        paused: seen.state == State::Paused,
        restarting: seen.state == State::Restarting,
        oom_killed: status.oom_killed,
        dead: false,
        pid: seen.pid,
        exit_code: if seen.pid == 0 { status.exit } else { 0 },
        error: status
            .error
            .as_ref()
            .map(|error| narrate::words::sentence(error, narrate::lang()))
            .unwrap_or_default(),
        started_at: when(status.started_at),
        finished_at: when(status.finished_at),
    }
}

fn host_config(spec: &Spec) -> HostConfig {
    let limits = &spec.limits;
    let policy = spec.restart.to_string();
    let (name, most) = policy.split_once(':').unwrap_or((&policy, "0"));
    let (has, usual) = (spec.capabilities.0, Capabilities::DEFAULT.0);
    let (added, dropped) = if spec.privileged { (0, 0) } else { (has & !usual, usual & !has) };
    HostConfig {
        binds: some(spec.volumes.iter().filter_map(bind).collect()),
        network_mode: network_mode(spec),
        port_bindings: port_bindings(spec),
        restart_policy: RestartPolicy {
            name: name.to_owned(),
            maximum_retry_count: most.parse().unwrap_or(0),
        },
        auto_remove: spec.remove,
        cap_add: some(Capabilities(added).names().collect()),
        cap_drop: some(Capabilities(dropped).names().collect()),
        privileged: spec.privileged,
        readonly_rootfs: spec.read_only,
        tmpfs: some_map(spec.volumes.iter().filter_map(tmpfs).collect()),
        init: spec.init,
        cpu_shares: limits.shares.unwrap_or(0),
        memory: limits.memory.unwrap_or(0),
        nano_cpus: limits.millicpus.unwrap_or(0) * 1_000_000,
        cpuset_cpus: limits.cpus.clone().unwrap_or_default(),
        pids_limit: limits.pids,
        shm_size: spec.shm_size,
    }
}

fn some(list: Vec<String>) -> Option<Vec<String>> {
    Some(list).filter(|list| !list.is_empty())
}

fn some_map(map: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    Some(map).filter(|map| !map.is_empty())
}

fn bind(volume: &Volume) -> Option<String> {
    let source = match &volume.kind {
        Kind::Bind { .. } => volume.source.display().to_string(),
        Kind::Volume { name, anonymous: false, .. } => name.clone(),
        _ => return None,
    };
    let mode = if volume.read_only { ":ro" } else { "" };
    Some(format!("{source}:{}{mode}", volume.target.display()))
}

fn tmpfs(volume: &Volume) -> Option<(String, String)> {
    let Kind::Tmpfs(memory) = &volume.kind else { return None };
    Some((volume.target.display().to_string(), memory.options.join(",")))
}

fn mount(volume: &Volume) -> Mount {
    let r#type = match &volume.kind {
        Kind::Bind { .. } => "bind",
        Kind::Volume { .. } => "volume",
        Kind::Tmpfs(_) => "tmpfs",
    };
    Mount {
        r#type,
        name: volume.name().map(str::to_owned),
        source: volume.source.clone(),
        destination: volume.target.clone(),
        driver: volume.name().map(|_| "local"),
        mode: if volume.read_only { "ro" } else { "" }.to_owned(),
        rw: !volume.read_only,
        propagation: if r#type == "bind" { "rprivate" } else { "" },
    }
}

fn graph_driver(spec: &Spec) -> GraphDriver<GraphData> {
    let layers = &spec.layers;
    let lower: Vec<String> = layers.lower.iter().map(|layer| layer.display().to_string()).collect();
    GraphDriver::new(GraphData {
        lower_dir: lower.join(":"),
        merged_dir: layers.merged.clone(),
        upper_dir: layers.upper.clone(),
        work_dir: layers.work.clone(),
    })
}

fn config(spec: &Spec) -> Config {
    Config {
        hostname: spec.hostname.clone(),
        user: spec.user.clone(),
        open_stdin: spec.stdin,
        env: spec.environment.clone(),
        cmd: spec.argv.clone(),
        image: ps::short(&spec.image).to_owned(),
        working_dir: spec.workdir.clone(),
        labels: spec.labels.clone(),
        stop_signal: spec.stop_signal.to_string(),
        stop_timeout: spec.stop_timeout,
    }
}

fn network_mode(spec: &Spec) -> String {
    ps::networks(spec).into_iter().next().unwrap_or_default()
}

/// The networks that it is in, with its addresses while it runs.
fn networks(seen: &Seen) -> BTreeMap<String, Endpoint> {
    let spec = &seen.config.spec;
    let names = match &spec.network {
        Network::Container(_) => Vec::new(),
        _ => ps::networks(spec),
    };
    let mut networks: BTreeMap<String, Endpoint> =
        names.into_iter().map(|name| (name, Endpoint::default())).collect();
    for place in &seen.places {
        let endpoint = Endpoint {
            network_id: place.network_id.clone(),
            aliases: place.aliases.clone(),
            ip_address: place.address.to_string(),
            ip_prefix_len: place.prefix,
            gateway: place.gateway.to_string(),
        };
        networks.insert(place.network.clone(), endpoint);
    }
    networks
}

/// Each port that it serves, with the places on the host where it is published.
fn ports(seen: &Seen) -> BTreeMap<String, Option<Vec<HostPort>>> {
    let exposed = seen.config.spec.exposed.iter().map(|port| (port.to_string(), None));
    let mut ports: BTreeMap<String, Option<Vec<HostPort>>> = exposed.collect();
    for binding in &seen.bindings {
        let host = HostPort { host_ip: binding.host.to_string(), host_port: binding.host_port.to_string() };
        ports.entry(binding.port.to_string()).or_default().get_or_insert_default().push(host);
    }
    ports
}

/// The same, as it was asked for.
fn port_bindings(spec: &Spec) -> BTreeMap<String, Vec<HostPort>> {
    let mut ports: BTreeMap<String, Vec<HostPort>> = BTreeMap::new();
    for wanted in &spec.ports {
        let host_port = match (wanted.first, wanted.last) {
            (0, _) => String::new(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let host = HostPort { host_ip: wanted.host.to_string(), host_port };
        ports.entry(wanted.port.to_string()).or_default().push(host);
    }
    ports
}
