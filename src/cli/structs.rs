//! The options of `ns-demo structs` and `cgroup-demo structs`.

use super::demo::Plan;
use crate::demo::Walk;
use crate::demo::structs::show;
use crate::error::Result;
use crate::narrate::Stage;
use clap::Args;

// (No doc comment: clap would print it as the description of the subcommand.)
#[allow(missing_docs)]
#[derive(Debug, Args)]
pub struct Structs {
    /// A struct, union, enum or typedef of the kernel's, as `nsproxy`; without one, the story of those concerned
    #[arg(conflicts_with = "live")]
    name: Option<String>,
    /// Show also the members that do not concern containers
    #[arg(long, requires = "name")]
    all: bool,
    /// Show what they hold now, of these processes or of two that fork and unshare (needs root)
    #[arg(long, value_name = "PID", num_args = 0..)]
    live: Option<Vec<i32>>,
}

impl Structs {
    /// What these options ask for: one structure, live pointers, or the story `walk`.
    pub fn plan(self, walk: &'static Walk, live: fn(&Stage, &[i32]) -> Result<u8>) -> Plan {
        match (self.name, self.live) {
            (Some(name), _) => Plan::here(move |stage| show::one(stage, &name, self.all)),
            (None, Some(pids)) => Plan::here(move |stage| live(stage, &pids)),
            (None, None) => Plan::Walk(walk),
        }
    }
}
