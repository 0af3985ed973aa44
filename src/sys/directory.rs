//! getcwd(2): where a process stands, as the kernel sees it from the process's root.

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use std::path::PathBuf;

#[derive(Debug)]
struct Getcwd;

impl Request for Getcwd {
    fn name(&self) -> &'static str {
        "getcwd"
    }

    fn arguments(&self, _each: &mut dyn FnMut(&'static str, Value<'_>)) {}

    fn only_looks(&self) -> bool {
        true
    }
}

/// The working directory. One that lies outside of this process's root is no absolute path: `(unreachable)/…`.
pub fn working_directory() -> Result<PathBuf> {
    ask(Call::Other(&Getcwd), nix::unistd::getcwd)
}
