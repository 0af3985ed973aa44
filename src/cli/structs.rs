//! The options of `ns-demo structs` and `cgroup-demo structs`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use crate::demo::structs::show;
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
    /// What these options ask of the program `P`: one structure, the pointers of live processes, or the story `walk`.
    pub fn plan<P: Program>(self, walk: &'static Walk, live: fn(Vec<i32>) -> Plan) -> Plan {
        match (self.name, self.live) {
            (Some(name), _) => Plan::here(move |stage| show::one(stage, P::NAME, &name, self.all)),
            (None, Some(pids)) => live(pids),
            (None, None) => Plan::Walk(walk),
        }
    }
}
