//! What a container is to be: everything decided, nothing done yet.
//!
//! A [`Spec`] is complete before the fork. Both halves read it and neither changes it, so what the parent
//! planned and what the child does cannot differ.

use super::restart::Restart;
use crate::cgroup::Limits;
use crate::image::Digest;
use crate::network::Network;
use crate::network::files::Lookup;
use crate::network::port::{Port, Wanted};
use crate::overlay::Layers;
use crate::process::identity::Identity;
use crate::rootfs::volume::Volume;
use crate::security::capabilities::Capabilities;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The plan of one container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// Twelve hexadecimal digits, in the name of everything the container leaves for others to see.
    pub id: String,
    /// Its name: the one the person gave, or one made up.
    pub name: String,
    /// The image it starts from.
    pub image: String,
    /// That image's id: its name may mean another by now.
    #[serde(default)]
    pub image_id: Option<Digest>,
    /// Its own directory under the state root.
    pub directory: PathBuf,
    /// The host name inside.
    pub hostname: String,
    /// The command and its arguments; never empty.
    pub argv: Vec<String>,
    /// Its environment, `NAME=value`.
    pub environment: Vec<String>,
    /// Where the command starts, inside.
    pub workdir: PathBuf,
    /// Whom it runs as: `USER[:GROUP]`, each a name of the container's own passwd and group files or a number.
    pub user: String,
    /// The layers of its root file system.
    pub layers: Layers,
    /// Directories and files of the host that are seen inside.
    pub volumes: Vec<Volume>,
    /// How many bytes /dev/shm may hold.
    #[serde(default = "default_shm_size")]
    pub shm_size: u64,
    /// Its place in the network; on the bridge the address is leased when the container is claimed.
    pub network: Network,
    /// The ports that are to be published.
    pub ports: Vec<Wanted>,
    /// The ports that it says it serves.
    pub exposed: Vec<Port>,
    /// What the resolver inside is to know besides what the host's knows.
    pub lookup: Lookup,
    /// Its resource limits.
    pub limits: Limits,
    /// What root may do inside.
    pub capabilities: Capabilities,
    /// Whether it is born in a user namespace of its own, because the person has no CAP_SYS_ADMIN where they are.
    pub user_namespace: bool,
    /// Whether it is born in the user namespace that all bridged containers of its person share, since that owns the
    /// network namespace in which the bridges are; then it has none of its own.
    #[serde(default)]
    pub shared: bool,
    /// Whether it runs in any other user namespace than the machine's first: there, even root may not make device
    /// nodes, write `trusted` attributes or rule over devices.
    pub confined: bool,
    /// No masks, no seccomp filter, every capability, every device.
    pub privileged: bool,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Whether pid 1 is ours, reaping orphans and passing signals on, with the command as its child.
    pub init: bool,
    /// Whether the command reads our standard input rather than `/dev/null`.
    pub stdin: bool,
    /// Whether it has a terminal.
    #[serde(default)]
    pub tty: bool,
    /// Whether what it reads ends with the first client that had something for it to read.
    #[serde(default)]
    pub stdin_once: bool,
    /// Whether everything of it is deleted when it ends.
    pub remove: bool,
    /// Whether it is started again when it has ended.
    #[serde(default)]
    pub restart: Restart,
    /// The signal by which it is asked to end.
    #[serde(default = "default_stop_signal")]
    pub stop_signal: i32,
    /// Seconds until it is killed if it does not.
    #[serde(default = "default_stop_timeout")]
    pub stop_timeout: i64,
    /// What the person wants remembered of it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// SIGTERM, which is 15 on every Linux.
pub const fn default_stop_signal() -> i32 {
    15
}

/// Docker's.
pub const fn default_stop_timeout() -> i64 {
    10
}

/// Docker's.
pub const fn default_shm_size() -> u64 {
    64 << 20
}

impl Spec {
    /// Whether its files belong to ids of an ordinary user: her own, and those that she has been given.
    pub fn is_of_user(&self) -> bool {
        self.user_namespace || self.shared
    }

    /// The command's environment: the plan's, with `HOME` from the container's passwd file where none was given.
    pub fn environment_for(&self, who: &Identity) -> Vec<String> {
        let mut environment = self.environment.clone();
        if !environment.iter().any(|variable| variable.starts_with("HOME=")) {
            environment.push(format!("HOME={}", who.home));
        }
        environment
    }
}
