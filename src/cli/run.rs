//! The options of `minidocker run`, named as Docker's.

use crate::container::plan::Request;
use clap::Args;

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
    /// Show a file or directory of the host inside the container.
    #[arg(short, long, value_name = "HOST:CONTAINER[:ro]")]
    volume: Vec<String>,
    /// Network: none (or null), host, container:NAME, bridge. Default: bridge for root, else none.
    #[arg(long, visible_alias = "net", value_name = "MODE")]
    network: Option<String>,
    /// Most memory, with unit b, k, m or g; as much again of swap.
    #[arg(short, long, value_name = "BYTES")]
    memory: Option<String>,
    /// Most processor time, in processors.
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
    #[arg(long)]
    read_only: bool,
    /// Add a capability (ALL for all).
    #[arg(long, value_name = "CAP")]
    cap_add: Vec<String>,
    /// Drop a capability (ALL for all).
    #[arg(long, value_name = "CAP")]
    cap_drop: Vec<String>,
    /// All capabilities, all devices, no seccomp filter, nothing masked.
    #[arg(long)]
    privileged: bool,
    /// Run a small init as pid 1 that reaps processes and passes signals on.
    #[arg(long)]
    init: bool,
    /// Let the command read this standard input (else it reads /dev/null).
    #[arg(short, long)]
    interactive: bool,
    /// Delete the container when it ends.
    #[arg(long)]
    rm: bool,
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

impl From<RunOptions> for Request {
    fn from(options: RunOptions) -> Self {
        Self {
            image: options.image,
            command: options.command,
            name: options.name,
            hostname: options.hostname,
            env: options.env,
            workdir: options.workdir,
            user: options.user,
            volumes: options.volume,
            network: options.network,
            memory: options.memory,
            cpus: options.cpus,
            cpu_shares: options.cpu_shares,
            cpuset_cpus: options.cpuset_cpus,
            pids_limit: options.pids_limit,
            device_read_bps: options.device_read_bps,
            device_write_bps: options.device_write_bps,
            read_only: options.read_only,
            cap_add: options.cap_add,
            cap_drop: options.cap_drop,
            privileged: options.privileged,
            init: options.init,
            interactive: options.interactive,
            rm: options.rm,
        }
    }
}
