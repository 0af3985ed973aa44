//! chroot(2): another directory for absolute paths to begin at. `rootfs` uses pivot_root(2) instead; demos show why.

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use std::path::Path;

#[derive(Debug)]
struct Chroot<'a>(&'a Path);

impl Request for Chroot<'_> {
    fn name(&self) -> &'static str {
        "chroot"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("path", Value::Path(self.0));
    }
}

/// Let this process's absolute paths begin at `path`. The working directory stays where it is, inside or outside, and
/// the mounts too. Needs CAP_SYS_CHROOT.
pub fn chroot(path: &Path) -> Result<()> {
    ask(Call::Other(&Chroot(path)), || nix::unistd::chroot(path))
}
