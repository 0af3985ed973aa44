//! What a container is to be: everything decided, nothing done yet.
//!
//! A [`Spec`] is complete before the fork. Both halves read it and neither changes it, so what the parent
//! planned and what the child does cannot differ.

use crate::cgroup::Limits;
use crate::network::Network;
use crate::overlay::Layers;
use crate::security::capabilities::Capabilities;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The plan of one container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// Twelve hexadecimal digits, in the name of everything the container leaves for others to see.
    pub id: String,
    /// The name the person gave, or the id.
    pub name: String,
    /// The image it starts from.
    pub image: String,
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
    /// Its place in the network.
    pub network: Network,
    /// Its resource limits.
    pub limits: Limits,
    /// What root may do inside.
    pub capabilities: Capabilities,
    /// Whether it runs in a user namespace, because the person who started it has no CAP_SYS_ADMIN.
    pub rootless: bool,
    /// No masks, no seccomp filter, every capability, every device.
    pub privileged: bool,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Whether pid 1 is ours, reaping orphans and passing signals on, with the command as its child.
    pub init: bool,
    /// Whether the command reads our standard input rather than `/dev/null`.
    pub stdin: bool,
    /// Whether everything of it is deleted when it ends.
    pub remove: bool,
}

/// Something of the host's, seen inside the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// On the host: an existing file or directory.
    pub source: PathBuf,
    /// In the container: an absolute path, made if missing.
    pub target: PathBuf,
    /// Whether the container may only read it.
    pub read_only: bool,
}
