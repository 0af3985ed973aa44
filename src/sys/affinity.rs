//! On which processors a process may run: sched_getaffinity(2), sched_setaffinity(2).

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

#[derive(Debug)]
struct SetAffinity<'a>(&'a [usize]);

impl Request for SetAffinity<'_> {
    fn name(&self) -> &'static str {
        "sched_setaffinity"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("pid", Value::Number(0));
        let bit = |cpu: &usize| 1u64.checked_shl(*cpu as u32).unwrap_or(0);
        each("mask", Value::Hexadecimal(self.0.iter().map(bit).fold(0, |mask, bit| mask | bit)));
    }
}

#[derive(Debug)]
struct GetAffinity;

impl Request for GetAffinity {
    fn name(&self) -> &'static str {
        "sched_getaffinity"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("pid", Value::Number(0));
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// The processors on which this process may run, in order.
pub fn allowed_processors() -> Result<Vec<usize>> {
    let mut found = Vec::new();
    ask(Call::Other(&GetAffinity), || {
        let set = sched_getaffinity(Pid::from_raw(0))?;
        found = (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).collect();
        Ok(())
    })?;
    Ok(found)
}

/// Let this process run on processor `cpu` only. `EINVAL` when it may not.
pub fn pin(cpu: usize) -> Result<()> {
    choose(&[cpu])
}

/// Let this process run on `cpus` only. The kernel takes from them what is outside its cpuset; `EINVAL` when nothing is
/// left.
pub fn choose(cpus: &[usize]) -> Result<()> {
    ask(Call::Other(&SetAffinity(cpus)), || {
        let mut set = CpuSet::new();
        cpus.iter().try_for_each(|cpu| set.set(*cpu)).map_err(|_| Errno::EINVAL)?;
        sched_setaffinity(Pid::from_raw(0), &set)
    })
}
