//! The limits of a container, from the words of its command line.

use super::plan::Request;
use crate::cgroup::{Limits, parse};
use crate::error::Result;

/// The limits that `request` asks for; the first word that makes no sense is the error.
pub fn of(request: &Request) -> Result<Limits> {
    let mut rates = Vec::new();
    for (texts, write) in [(&request.device_read_bps, false), (&request.device_write_bps, true)] {
        for text in texts {
            rates.push(parse::rate(text, write)?);
        }
    }
    Ok(Limits {
        memory: request.memory.as_deref().map(parse::memory).transpose()?.flatten(),
        millicpus: request.cpus.as_deref().map(parse::cpus).transpose()?.flatten(),
        shares: request.cpu_shares,
        cpus: request.cpuset_cpus.as_deref().map(parse::cpuset).transpose()?,
        pids: parse::pids(request.pids_limit)?,
        rates,
    })
}
