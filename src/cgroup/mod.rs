//! cgroup
use serde::{Deserialize, Serialize};
/// The limits that the command line asks for; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// CPU time: thousandths of one processor.
    pub millicpus: Option<u64>,
    /// Weight under contention, 2–262144, 1024 by default (v1 `cpu.shares`).
    pub shares: Option<u64>,
    /// Which processors, as `0-1,3`.
    pub cpus: Option<String>,
    /// Number of processes and threads.
    pub pids: Option<u64>,
}
