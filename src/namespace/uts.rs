//! The UTS namespace: a host name of its own. uts_namespaces(7).
//!
//! "UTS" is the structure that uname(2) fills (`struct utsname`, "UNIX Time-sharing System").

use crate::error::Result;
use crate::sys::flags::{CLONE_NEWUTS, clone};
use crate::sys::namespace::{sethostname, unshare};

/// Move this process to a new UTS namespace and name it there. The host's name stays as it is: the new
/// namespace starts as a copy, and only the copy is written to.
///
/// On failure of the second call the process is in the new namespace under the old name.
pub fn enter(hostname: &str) -> Result<()> {
    unshare(clone(CLONE_NEWUTS))?;
    sethostname(hostname)
}
