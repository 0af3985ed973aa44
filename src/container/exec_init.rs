//! The child's half of `exec`: what a new process in a running container does between its birth and becoming the command.
//!
//! Which process: in the container's pid namespace, and in its user namespace if it has one, from birth; in its v2
//! cgroup too. All other namespaces are still the host's. As which user: root, there or on the host. Open descriptors:
//! the standard three, its ends of the handshake, the container's namespaces, all close-on-exec. Nobody may look into it
//! (`PR_SET_DUMPABLE`). On entry all signals are blocked. An error goes to the parent, and nothing has to be undone.

use super::parts::Parts;
use super::running::Running;
use super::spec::Spec;
use crate::console::inside::Inside;
use crate::error::Result;
use crate::process::handshake::ChildSide;
use crate::process::supervise::Signals;
use crate::process::{command, identity};
use crate::security::capabilities;
use crate::step::{Step, take};
use std::convert::Infallible;

/// Everything the child has been given.
pub struct Inheritance<'a> {
    /// The container's plan, with the command in place of the container's own.
    pub spec: &'a Spec,
    /// The container, and the ways into it.
    pub running: &'a Running,
    /// The steps.
    pub parts: &'a Parts,
    /// The parent's signals, to be let go before exec.
    pub signals: &'a Signals,
    /// Its ends of what it reads and writes.
    pub console: Inside,
    /// The way to the parent.
    pub parent: ChildSide,
}

/// Become the command, or tell the parent why not, and end.
pub fn main(given: &Inheritance<'_>) -> ! {
    match become_command(given) {
        Ok(never) => match never {},
        Err(error) => given.parent.fail(&error),
    }
}

fn become_command(given: &Inheritance<'_>) -> Result<Infallible> {
    given.parent.die_with_parent()?;
    given.parent.wait_for_go()?;
    // The files of the cgroups are the host's: first join the groups, then leave the host.
    take(Step::CgroupJoin, || given.running.group.join())?;
    take(Step::Join, || given.running.enter_inner(given.parts.enter))?;
    execute(given)
}

/// Give up rights, in the order the kernel dictates: as the container's first process did.
fn execute(given: &Inheritance<'_>) -> Result<Infallible> {
    let Inheritance { spec, parts, .. } = given;
    let command = take(Step::Harden, || {
        command::leave_session()?;
        let who = identity::resolve(&spec.user)?;
        (parts.limit)(spec)?;
        given.console.take_beside(who.uid)?;
        (parts.assume)(spec, &who)?;
        capabilities::hold(spec.capabilities)?;
        // A change of user id has cleared this.
        given.parent.die_with_parent()?;
        command::stand_in(&spec.workdir)?;
        let command = command::find(&spec.argv, &spec.environment_for(&who))?;
        command::keep_no_descriptors()?;
        command::set_umask(0o022)?;
        given.signals.release()?;
        if !spec.privileged {
            (parts.filter)(spec)?;
        }
        Ok(command)
    })?;
    take(Step::Exec, || {
        given.parent.announce()?;
        command.execute()
    })
}
