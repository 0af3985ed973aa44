//! Parts of /proc and /sys that no container needs: hidden, or shown without the right to write.
//!
//! Most of what the kernel shows there belongs to no namespace, so what root writes in a container would act on
//! the whole machine (`/proc/sys/kernel/core_pattern` names a program that the *host* runs), and some of what it
//! reads tells of others. The lists are Docker's.

use super::{target, tree};
use crate::error::Result;
use crate::sys::file::{self, Kind};
use crate::sys::flags::MS_RDONLY;
use crate::sys::mount::mount;
use std::os::fd::AsFd;
use std::path::Path;

/// Hidden: a file reads as `/dev/null`, a directory as empty.
pub const HIDDEN: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// One directory for each processor holds counters that leak other people's load.
const THERMAL: &str = "/sys/devices/system/cpu";

/// To be read only.
pub const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Hide and protect what the lists name. On entry /proc, /sys and /dev are mounted; a path that this kernel does
/// not have is passed over.
pub fn mask() -> Result<()> {
    for path in HIDDEN {
        hide(Path::new(path))?;
    }
    for (name, kind) in file::if_there(file::list(Path::new(THERMAL)))?.unwrap_or_default() {
        let rest = name.to_str().and_then(|name| name.strip_prefix("cpu"));
        let number = rest.is_some_and(|rest| rest.parse::<u32>().is_ok());
        if kind == Kind::Directory && number {
            hide(&Path::new(THERMAL).join(name).join("thermal_throttle"))?;
        }
    }
    for path in READ_ONLY {
        let path = Path::new(path);
        if let Some(place) = target::find(path)? {
            let itself = tree::take(path)?;
            itself.make_read_only()?;
            itself.attach_on(&place, path)?;
        }
    }
    Ok(())
}

fn hide(path: &Path) -> Result<()> {
    let Some(place) = target::find(path)? else { return Ok(()) };
    if file::descriptor_status(place.as_fd(), path)?.kind == Kind::Directory {
        mount("tmpfs", path, "tmpfs", MS_RDONLY, Some("size=4k"))
    } else {
        tree::take(Path::new("/dev/null"))?.attach_on(&place, path)
    }
}
