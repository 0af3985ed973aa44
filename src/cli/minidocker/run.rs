//! The options of `minidocker run`, named as Docker's.

use super::net_options::NetOptions;
use super::tell_left;
use crate::container::client::{self, End, Host};
use crate::container::plan::Request;
use crate::container::report::Outcome;
use crate::container::{Parts, create, plan};
use crate::error::{Error, Problem, Result};
use crate::narrate::{self, Note};
use crate::state::Root;
use clap::Args;
use std::cell::RefCell;
use std::str::FromStr;

/// Run a command in a new container, in the foreground.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Give the container a name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Host name inside the container.
    #[arg(short = 'h', long, value_name = "NAME")]
    hostname: Option<String>,
    /// Set a variable in the environment (NAME alone: take its value from here).
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Directory in which the command starts.
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// User to run as: names or numbers.
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Show a directory of the host, or a volume by its name, inside the container.
    #[arg(short, long, value_name = "[HOST|NAME:]CONTAINER[:ro]")]
    volume: Vec<String>,
    /// The same, said by words: type=bind|volume|tmpfs,source=...,target=...,readonly.
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,
    /// Mount a file system in memory.
    #[arg(long, value_name = "CONTAINER[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// How much /dev/shm may hold, with unit b, k, m or g (default: 64m).
    #[arg(long, value_name = "BYTES")]
    shm_size: Option<String>,
    #[command(flatten)]
    net: NetOptions,
    /// Most memory, with unit b, k, m or g; as much again of swap (0: no limit).
    #[arg(short, long, value_name = "BYTES")]
    memory: Option<String>,
    /// Most processor time, in processors (0: no limit).
    #[arg(long, value_name = "NUMBER")]
    cpus: Option<String>,
    /// Share of processor time under contention (1024 is everybody's).
    #[arg(long, value_name = "WEIGHT", value_parser = clap::value_parser!(u64).range(2..=262144))]
    cpu_shares: Option<u64>,
    /// Processors that may be used.
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Most processes and threads (-1: no limit).
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pids_limit: Option<i64>,
    /// Most bytes a second read from a block device.
    #[arg(long, value_name = "DEVICE:RATE")]
    device_read_bps: Vec<String>,
    /// Most bytes a second written to a block device.
    #[arg(long, value_name = "DEVICE:RATE")]
    device_write_bps: Vec<String>,
    /// Make the container's root file system read-only.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    read_only: Option<Truth>,
    /// Add a capability (ALL for all).
    #[arg(long, value_name = "CAP")]
    cap_add: Vec<String>,
    /// Drop a capability (ALL for all).
    #[arg(long, value_name = "CAP")]
    cap_drop: Vec<String>,
    /// All capabilities, no seccomp filter, nothing masked or read-only in /proc and /sys; every device node may
    /// be made and opened, but /dev has only the usual ones.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    privileged: Option<Truth>,
    /// Run a small init as pid 1 that reaps processes and passes signals on.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    init: Option<Truth>,
    /// Let the command read what comes on this standard input (else it reads /dev/null).
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    interactive: Option<Truth>,
    /// Give the container a terminal.
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    tty: Option<Truth>,
    /// The keys by which to leave a container with a terminal (default: ctrl-p,ctrl-q).
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Pass signals on to the container (default), if it has no terminal.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    sig_proxy: Option<Truth>,
    /// Delete the container when it ends.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    rm: Option<Truth>,
    /// Run in the background, and print the container's id.
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    detach: Option<Truth>,
    /// Start it again when it has ended: no, on-failure, on-failure:MOST, always, unless-stopped.
    #[arg(long, value_name = "POLICY")]
    restart: Option<String>,
    /// The signal by which `stop` asks it to end.
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Seconds until `stop` kills it (-1: never).
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    stop_timeout: Option<i64>,
    /// Something to be remembered of it.
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// What is put before the command in the image's place.
    #[arg(long, value_name = "COMMAND")]
    entrypoint: Option<String>,
    /// Print this help.
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// The image, for instance `base`, which is made from this machine's own programs.
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The command and its arguments (default: the image's).
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// A truth value, in any of the words that Docker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth(pub bool);

impl FromStr for Truth {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Self(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Self(false)),
            _ => Err("true or false"),
        }
    }
}

impl From<RunOptions> for Request {
    fn from(options: RunOptions) -> Self {
        // An empty word is, as for Docker, one that was not given.
        let given = |word: Option<String>| word.filter(|word| !word.is_empty());
        Self {
            image: options.image,
            command: options.command,
            name: given(options.name),
            hostname: given(options.hostname),
            env: options.env,
            workdir: given(options.workdir),
            user: given(options.user),
            volumes: options.volume,
            mounts: options.mount,
            tmpfs: options.tmpfs,
            shm_size: given(options.shm_size),
            net: options.net.into(),
            memory: options.memory,
            cpus: options.cpus,
            cpu_shares: options.cpu_shares,
            cpuset_cpus: given(options.cpuset_cpus),
            pids_limit: options.pids_limit,
            device_read_bps: options.device_read_bps,
            device_write_bps: options.device_write_bps,
            read_only: options.read_only == Some(Truth(true)),
            cap_add: options.cap_add,
            cap_drop: options.cap_drop,
            privileged: options.privileged == Some(Truth(true)),
            init: options.init == Some(Truth(true)),
            interactive: options.interactive == Some(Truth(true)),
            rm: options.rm == Some(Truth(true)),
            tty: options.tty == Some(Truth(true)),
            detach_keys: given(options.detach_keys),
            sig_proxy: options.sig_proxy != Some(Truth(false)),
            detach: options.detach == Some(Truth(true)),
            restart: given(options.restart),
            stop_signal: given(options.stop_signal),
            stop_timeout: options.stop_timeout,
            label: options.label,
            entrypoint: options.entrypoint,
        }
    }
}

/// Run a new container; the exit status is its command's.
pub fn obey(options: RunOptions, root: &Root, parts: &Parts) -> Result<u8> {
    let (request, without_network) = prepare(options, root)?;
    let teller = Teller { without_network: RefCell::new(without_network) };
    finish(client::run(root, &request, parts, &teller)?)
}

/// Create one.
pub fn create(options: RunOptions, root: &Root) -> Result<u8> {
    let (request, without_network) = prepare(options, root)?;
    let (id, left) = create::create(root, &request)?;
    tell_left(left);
    tell_lacking(without_network);
    narrate::print(&id);
    Ok(0)
}

fn tell_lacking(why: Option<Error>) {
    if let Some(why) = why {
        narrate::note(&Note::Lacking(why));
    }
}

/// The request, with the network that is the default here, and why that is none; and a word about what will take a
/// moment.
fn prepare(options: RunOptions, root: &Root) -> Result<(Request, Option<Error>)> {
    let mut request: Request = options.into();
    let mut without_network = None;
    if request.net.networks.is_empty() {
        let (network, poorer) = plan::default_network()?;
        match poorer {
            Some(Error { problem: Problem::NoIptables { .. }, .. }) => narrate::note(&Note::NoIptables),
            poorer => without_network = poorer,
        }
        request.net.networks.push(network.to_owned());
    }
    if plan::makes_base(root, &request) {
        narrate::note(&Note::BuildingBase);
    }
    Ok((request, without_network))
}

/// Who tells the person what the supervisor says meanwhile.
#[derive(Default)]
pub struct Teller {
    /// Why the container has no network although none was asked for; told when it has started.
    without_network: RefCell<Option<Error>>,
}

impl Host for Teller {
    fn left(&self, errors: Vec<Error>) {
        tell_left(errors);
    }

    fn lacking(&self, why: Error) {
        narrate::note(&Note::Lacking(why));
    }

    fn started(&self) {
        tell_lacking(self.without_network.take());
    }
}

/// Say how it ended, or which container it is that goes on; the exit status.
pub fn finish(end: End) -> Result<u8> {
    match end {
        End::Detached(id) => {
            narrate::print(&id);
            Ok(0)
        }
        End::Ended(outcome) => Ok(tell_end(&outcome)),
        End::Left(status) => Ok(status),
    }
}

/// Say why a container ended, where the kernel had a hand in it; the exit status.
pub fn tell_end(outcome: &Outcome) -> u8 {
    if let Some(memory) = outcome.out_of_memory {
        let peak = Some(memory.peak).filter(|peak| *peak > 0);
        narrate::note(&Note::OomKilled { limit: memory.limit, peak, whole: outcome.status == 137 });
    }
    if let Some(error) = &outcome.unlogged {
        narrate::note(&Note::NotLogged(error.clone()));
    }
    outcome.status
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    #[command(disable_help_flag = true, args_override_self = true)]
    struct Line {
        #[command(flatten)]
        options: RunOptions,
    }

    fn request(words: &[&str]) -> std::result::Result<Request, clap::Error> {
        let line = Line::try_parse_from([&["run"], words, &["base", "true"]].concat())?;
        Ok(line.options.into())
    }

    #[test]
    fn the_last_of_a_repeated_option_wins() {
        let asked =
            request(&["--name", "a1", "--rm", "--name=b2", "--net", "host", "--network=none", "--rm"]);
        let asked = asked.unwrap();
        assert_eq!(
            (asked.name.as_deref(), asked.net.networks.as_slice()),
            (Some("b2"), ["host".to_owned(), "none".to_owned()].as_slice())
        );
        assert!(asked.rm);
        assert_eq!(request(&["-e", "A", "-e", "B"]).unwrap().env, ["A", "B"]);
    }

    #[test]
    fn truth_values_are_dockers() {
        let asked =
            request(&["--rm=true", "--init=0", "--read-only=F", "--privileged=1", "-ih", "box"]).unwrap();
        assert!(asked.rm && !asked.init && !asked.read_only && asked.privileged && asked.interactive);
        assert_eq!(asked.hostname.as_deref(), Some("box"));
        assert!(!request(&["-i=false"]).unwrap().interactive);
        assert!(!request(&["--rm", "--rm=false"]).unwrap().rm);
        let plain = request(&["--rm"]).unwrap();
        assert_eq!((plain.rm, plain.image.as_str(), plain.command), (true, "base", vec!["true".to_owned()]));
        assert!(request(&["--rm=maybe"]).is_err());
    }

    #[test]
    fn an_empty_word_is_none() {
        let asked = request(&["--name=", "--hostname=", "--workdir=", "--user="]).unwrap();
        assert_eq!((asked.name, asked.hostname, asked.workdir, asked.user), (None, None, None, None));
    }
}
