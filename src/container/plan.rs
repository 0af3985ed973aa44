//! From the words of a command line to a [`Spec`]: everything is checked and settled before anything is done.

use super::record::{self, Phase};
use super::restart::Restart;
use super::spec::{self, Spec};
use super::{cable, environment, limits, names, volumes};
use crate::cgroup::Limits;
use crate::error::{Error, LifeProblem, Problem, Result, RootlessProblem};
use crate::image::{self, Image, Store};
use crate::namespace::net::Door;
use crate::network::outbound::Way;
use crate::network::{self, Join, Network};
use crate::overlay::Layers;
use crate::process::{signals, supervise};
use crate::rootfs::target;
use crate::rootfs::volume::{self, Volume};
use crate::security::capabilities::{self, Capabilities};
use crate::state::Root;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was asked for, in the person's own words: the options of `minidocker run`.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each field is the option of that name; see `minidocker run --help`")]
pub struct Request {
    pub image: String,
    pub command: Vec<String>,
    pub name: Option<String>,
    pub hostname: Option<String>,
    pub env: Vec<String>,
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub volumes: Vec<String>,
    pub mounts: Vec<String>,
    pub tmpfs: Vec<String>,
    pub shm_size: Option<String>,
    pub net: cable::Request,
    pub memory: Option<String>,
    pub cpus: Option<String>,
    pub cpu_shares: Option<u64>,
    pub cpuset_cpus: Option<String>,
    pub pids_limit: Option<i64>,
    pub device_read_bps: Vec<String>,
    pub device_write_bps: Vec<String>,
    pub read_only: bool,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub privileged: bool,
    pub init: bool,
    pub interactive: bool,
    pub rm: bool,
    pub tty: bool,
    pub detach_keys: Option<String>,
    pub sig_proxy: bool,
    pub detach: bool,
    pub restart: Option<String>,
    pub stop_signal: Option<String>,
    pub stop_timeout: Option<i64>,
    pub label: Vec<String>,
    pub entrypoint: Option<String>,
}

/// The request with every word understood; nothing but the image and the network is still open.
#[derive(Debug)]
pub struct Wishes {
    limits: Limits,
    capabilities: Capabilities,
    volumes: Vec<Volume>,
    shm_size: u64,
    environment: Vec<String>,
    workdir: Option<PathBuf>,
    net: cable::Wishes,
    restart: Restart,
    stop_signal: Option<i32>,
    labels: BTreeMap<String, String>,
}

impl Wishes {
    /// Understand `request`; the first word that makes no sense is the error.
    pub fn of(request: &Request) -> Result<Self> {
        if let Some(name) = &request.name {
            check_name(name)?;
        }
        if let Some(hostname) = &request.hostname {
            check_hostname(hostname)?;
        }
        let capabilities = match request.privileged {
            true => Capabilities::ALL,
            false => Capabilities::DEFAULT.adjusted(&request.cap_add, &request.cap_drop)?,
        };
        let volumes = volume::parse_all(&request.volumes, &request.mounts, &request.tmpfs)?;
        let shm_size = volume::shm_size(request.shm_size.as_deref())?;
        let environment = environment::asked(&[], &request.env)?;
        let workdir = request.workdir.as_ref().map(PathBuf::from);
        if let Some(path) = workdir.as_ref().filter(|path| !path.is_absolute()) {
            return Err(Error::new(Problem::BadWorkdir { path: path.display().to_string() }));
        }
        let restart = Restart::parse(request.restart.as_deref().unwrap_or_default())?;
        if restart != Restart::No && request.rm {
            return Err(Error::new(Problem::Life(LifeProblem::RestartAndRemove)));
        }
        let stop_signal = request.stop_signal.as_deref().map(signals::parse).transpose()?;
        let labels = request.label.iter().map(|text| label(text)).collect::<Result<_>>()?;
        let net = cable::Wishes::of(&request.net)?;
        let limits = limits::of(request)?;
        Ok(Self {
            limits,
            capabilities,
            volumes,
            shm_size,
            environment,
            workdir,
            net,
            restart,
            stop_signal,
            labels,
        })
    }
}

/// `NAME=VALUE`, or `NAME` with nothing as its value.
fn label(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() {
        return Err(Error::new(Problem::Life(LifeProblem::BadLabel { text: text.to_owned() })));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `BadName` for what cannot be a container's name.
pub fn check_name(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins_well && (2..=128).contains(&name.len()) && name.bytes().all(good) {
        return Ok(());
    }
    Err(Error::new(Problem::BadName { name: name.to_owned() }))
}

fn check_hostname(text: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(good) {
        return Ok(());
    }
    Err(Error::new(Problem::BadHostname { text: text.to_owned() }))
}

/// The image that `request` names; `base` is made now if it is not there yet.
pub fn image(root: &Root, request: &Request) -> Result<Image> {
    image::find(root.path(), &request.image)
}

/// Whether [`image()`] will have to make `base` first, which takes a moment.
pub fn makes_base(root: &Root, request: &Request) -> bool {
    matches!(request.image.as_str(), "base" | "base:latest") && !image::is_built(root.path(), &request.image)
}

/// The person's user and group id on the host.
pub fn ids() -> (u32, u32) {
    crate::process::identity::own()
}

/// Whether this process must make a user namespace first, since it has no CAP_SYS_ADMIN here.
pub fn is_rootless() -> bool {
    !capabilities::is_privileged()
}

/// Whether this process, or the container it starts, is in another user namespace than the machine's first.
fn is_confined() -> Result<bool> {
    Ok(is_rootless() || !crate::process::identity::in_first_user_namespace()?)
}

/// The network of a container for which none was asked, and why that is less than it could be: a bridge where
/// something leads out of it, for which it takes an iptables and, for an ordinary user, a program that plays the rest of
/// the world; else none.
pub fn default_network() -> Result<(&'static str, Option<Error>)> {
    if !is_rootless() && is_confined()? {
        return Ok(("none", None));
    }
    if !network::iptables::available() {
        return Ok(("none", Some(Error::new(no_iptables()))));
    }
    if is_rootless() && !Way::ALL.into_iter().any(Way::is_usable) {
        return Ok(("none", Some(Error::new(Problem::Rootless(RootlessProblem::NoNetwork)))));
    }
    Ok(("bridge", None))
}

fn no_iptables() -> Problem {
    Problem::NoIptables { program: "iptables-restore".to_owned() }
}

/// The namespaces of a running container that another one joins.
#[derive(Debug)]
pub struct Neighbour {
    /// Its network namespace.
    pub net: Door,
    /// Its user namespace, if it has one of its own.
    pub user: Option<Door>,
}

/// The spec of a new container `id`, and whose network it is to share. On entry the lock on the whole is held.
pub fn settle(
    root: &Root,
    request: &Request,
    wishes: &Wishes,
    image: &Image,
    id: String,
) -> Result<(Spec, Option<Neighbour>)> {
    // It may have been removed since it was found; from here on, what a container stands on stays.
    if !image.is_whole()? {
        return Err(image::unknown(&Store::open(root.path()), &image.name));
    }
    let (user_namespace, confined) = (is_rootless(), is_confined()?);
    let directory = root.container(&id);
    let (network, neighbour) = settle_network(root, &wishes.net)?;
    let cable::Settled { ports, exposed, lookup } = wishes.net.settle(image.config.exposed_ports.keys());
    let shared = user_namespace && matches!(network, Network::Bridge(_));
    let hostname = match &request.hostname {
        Some(hostname) => hostname.clone(),
        None => default_hostname(&network, &id)?,
    };
    let named = format!("HOSTNAME={hostname}");
    let terminal = request.tty.then(|| "TERM=xterm".to_owned());
    let ours = [Some(&named), terminal.as_ref()].into_iter().flatten();
    let environment = environment::merge(image.config.env.iter().chain(ours).chain(&wishes.environment));
    let workdir = wishes.workdir.clone().unwrap_or_else(|| image.config.working_dir.clone().into());
    let spec = Spec {
        name: match &request.name {
            Some(name) => name.clone(),
            None => made_up_name(root, &id)?,
        },
        image: image.name.clone(),
        image_id: Some(image.id),
        hostname,
        argv: argv(request, image)?,
        environment,
        workdir: target::clean(&if workdir.is_absolute() { workdir } else { "/".into() }),
        user: request.user.clone().unwrap_or_else(|| image.config.user.clone()),
        layers: layers(image, &directory, request.rm, confined),
        shm_size: wishes.shm_size,
        volumes: volumes::settle(root, &wishes.volumes, image.config.volumes.keys())?,
        network,
        ports,
        exposed,
        lookup,
        limits: wishes.limits.clone(),
        capabilities: wishes.capabilities,
        user_namespace: user_namespace && !shared,
        shared,
        confined,
        privileged: request.privileged,
        read_only: request.read_only,
        init: request.init,
        stdin: request.interactive,
        tty: request.tty,
        stdin_once: request.interactive && !request.detach,
        remove: request.rm,
        restart: wishes.restart,
        stop_signal: wishes.stop_signal.unwrap_or(spec::default_stop_signal()),
        stop_timeout: request.stop_timeout.unwrap_or(spec::default_stop_timeout()),
        labels: wishes.labels.clone(),
        directory,
        id,
    };
    Ok((spec, neighbour))
}

/// The layers of a container whose directory is `directory`.
fn layers(image: &Image, directory: &Path, volatile: bool, confined: bool) -> Layers {
    Layers {
        lower: image.layers.clone(),
        upper: directory.join("upper"),
        work: directory.join("work"),
        merged: directory.join("merged"),
        volatile,
        userxattr: confined,
        // Whatever this machine's default is, the upper layer says all by itself: it can be made a layer of an image.
        redirect_dir: (!confined).then_some(false),
        metacopy: (!confined).then_some(false),
    }
}

/// A name that no container has. When the lot falls on taken ones again and again, the id makes the difference.
fn made_up_name(root: &Root, id: &str) -> Result<String> {
    for _ in 0..4 {
        let name = names::draw()?;
        if !root.has_name(&name)? {
            return Ok(name);
        }
    }
    Ok(format!("{}_{id}", names::draw()?))
}

/// With the host's network goes the host's name, as with Docker, and with another container's that one's.
fn default_hostname(network: &Network, id: &str) -> Result<String> {
    match network {
        Network::Host => crate::process::identity::hostname(),
        Network::Container(join) => Ok(join.hostname.clone()),
        _ => Ok(id.to_owned()),
    }
}

/// What `--entrypoint` asks for takes the place of the image's, and of the image's command, too.
fn argv(request: &Request, image: &Image) -> Result<Vec<String>> {
    let argv: Vec<String> = match &request.entrypoint {
        Some(entrypoint) => {
            let entrypoint = Some(entrypoint).filter(|word| !word.is_empty());
            entrypoint.into_iter().chain(&request.command).cloned().collect()
        }
        None => {
            let command = if request.command.is_empty() { &image.config.cmd } else { &request.command };
            image.config.entrypoint.iter().chain(command).cloned().collect()
        }
    };
    if argv.is_empty() {
        return Err(Error::new(Problem::NoCommand { image: image.name.clone() }));
    }
    Ok(argv)
}

fn settle_network(root: &Root, wishes: &cable::Wishes) -> Result<(Network, Option<Neighbour>)> {
    let word = match wishes.networks.first() {
        Some(wish) => &wish.network,
        None => default_network()?.0,
    };
    let network = match word {
        "none" | "null" => Network::None,
        "host" => Network::Host,
        other => match other.strip_prefix("container:") {
            Some(name) => {
                let (join, neighbour) = join(root, name)?;
                return Ok((Network::Container(join), Some(neighbour)));
            }
            None => {
                let places = wishes.places(root.path())?;
                if !network::iptables::available() {
                    return Err(Error::new(no_iptables()));
                }
                Network::Bridge(places)
            }
        },
    };
    Ok((network, None))
}

/// Whose network a container shares that is started again: the other may have been started again, too.
pub fn meet_again(root: &Root, spec: &mut Spec) -> Result<Option<Neighbour>> {
    let Network::Container(old) = &spec.network else { return Ok(None) };
    let (join, neighbour) = join(root, &old.name)?;
    spec.network = Network::Container(join);
    Ok(Some(neighbour))
}

/// Where the running container `name` can be joined, and its namespaces, opened.
///
/// Whether the pid is still that of its first process is asked when the namespaces are open: opened later, by the pid
/// alone, they could be those of whoever has got that pid.
fn join(root: &Root, name: &str) -> Result<(Join, Neighbour)> {
    let id = root.find(name)?;
    let not_running = || Error::new(Problem::NotRunning { name: name.to_owned() });
    let (config, status) = record::load(root, &id)?;
    let Phase::Running { pid, started } = status.phase else { return Err(not_running()) };
    if !root.is_running(&id)? {
        return Err(not_running());
    }
    let join = Join {
        name: name.to_owned(),
        net: format!("/proc/{pid}/ns/net").into(),
        user: config.spec.is_of_user().then(|| format!("/proc/{pid}/ns/user").into()),
        files: match &config.spec.network {
            Network::Container(join) => join.files.clone(),
            _ => config.spec.directory.clone(),
        },
        hostname: config.spec.hostname.clone(),
    };
    let net = Door::open(&join.net, name)?;
    let user = join.user.as_deref().map(|path| Door::open(path, name)).transpose()?;
    if !root.is_running(&id)? || !supervise::started(pid).is_ok_and(|now| now == started) {
        return Err(not_running());
    }
    Ok((join, Neighbour { net, user }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(check_name("web-1.a_b").is_ok());
        for bad in ["", "a", "-a", "../x", "a b", "ä1"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
