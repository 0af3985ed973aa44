//! How much time on processors a group may have: at most (a quota), and beside others (a weight).
//!
//! The controller is `cpu`. Documentation/scheduler/sched-bwc.rst, and cgroup-v2.rst.

use super::group::Group;
use super::hierarchy::Version;
use super::limits::{Limits, set};
use crate::error::Result;

/// The period over which the quota is rationed: a tenth of a second, the kernel's and Docker's default.
const PERIOD_US: u64 = 100_000;

/// Limit the time on processors of `group`, and weigh it against others, as far as `limits` says.
///
/// On entry the group is empty. The quota is so many microseconds of running in each period, on all processors together: whoever
/// has used them waits for the next period. A new v1 group has the period already.
pub fn limit(limits: &Limits, group: &Group) -> Result<()> {
    let Some((directory, version)) = group.directory_of("cpu") else { return Ok(()) };
    if let Some(thousandths) = limits.millicpus {
        let quota = thousandths * PERIOD_US / 1000;
        match version {
            Version::V1 => set(directory, "cpu.cfs_quota_us", &quota.to_string())?,
            Version::V2 => set(directory, "cpu.max", &format!("{quota} {PERIOD_US}"))?,
        }
    }
    if let Some(shares) = limits.shares {
        match version {
            Version::V1 => set(directory, "cpu.shares", &shares.to_string())?,
            Version::V2 => set(directory, "cpu.weight", &weight(shares).to_string())?,
        }
    }
    Ok(())
}

/// The v2 weight (1 to 10000, where 100 is everybody's) of v1 shares (2 to 262144, where 1024 is).
///
/// The curve through these three points that runc and crun use; a straight line would make a group that asks
/// for everybody's share weaker than one that asks for nothing.
pub fn weight(shares: u64) -> u64 {
    let log = (shares.clamp(2, 262_144) as f64).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    (10_f64.powf(exponent) - 1e-6).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybodys_shares_are_everybodys_weight() {
        assert_eq!([2, 512, 1024, 2048, 262_144].map(weight), [1, 59, 100, 174, 10_000]);
    }
}
