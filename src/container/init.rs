//! The child's half: what the container's first process does between its birth and becoming the command.
//!
//! Which process: pid 1 of a new pid namespace; in a network namespace of its own unless it shares one, and in
//! a user namespace if the person is not root. As which user: root, there or on the host. Open descriptors:
//! the standard three, its ends of the handshake, and whatever the runtime had open, all close-on-exec.
//! On entry all signals are blocked. Nobody reads what it prints, so it prints nothing: an error goes to the
//! parent, and whatever was made dies with this process.

use super::parts::{Held, Parts};
use super::plan::Neighbour;
use super::spec::Spec;
use crate::cgroup::Group;
use crate::console::inside::Inside;
use crate::error::{Meaning, Problem, Result};
use crate::network::Network;
use crate::overlay;
use crate::process::handshake::ChildSide;
use crate::process::supervise::Signals;
use crate::process::{command, identity};
use crate::rootfs::{devices, target};
use crate::security::{self, capabilities};
use crate::step::{Step, take};
use std::convert::Infallible;

/// Everything the child has been given.
pub struct Inheritance<'a> {
    /// The plan.
    pub spec: &'a Spec,
    /// Whose network it shares.
    pub neighbour: Option<&'a Neighbour>,
    /// The steps.
    pub parts: &'a Parts,
    /// The cgroup the runtime made.
    pub group: &'a Group,
    /// The person's user and group id on the host.
    pub ids: (u32, u32),
    /// The parent maps more ids than these, from outside.
    pub mapped: bool,
    /// The runtime's signals, to be let go before exec.
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
    isolate(given)?;
    let held = build_root(given)?;
    furnish(given, &held)?;
    drop(held);
    execute(given)
}

/// Into the namespaces, one by one. The user namespace first, since the rights over the others come from it;
/// the cgroup namespace right after joining the cgroup, which becomes its root.
fn isolate(given: &Inheritance<'_>) -> Result<()> {
    let Inheritance { spec, parts, .. } = given;
    if let Some(neighbour) = given.neighbour {
        take(Step::Network, || neighbour.net.join())?;
    } else if spec.user_namespace && !given.mapped {
        take(Step::UserMap, || (parts.user)(spec, given.ids))?;
    }
    take(Step::CgroupJoin, || (parts.join)(spec, given.group))?;
    take(Step::Time, || (parts.time)(spec))?;
    take(Step::Ipc, || (parts.ipc)(spec))?;
    take(Step::Uts, || (parts.uts)(spec))?;
    take(Step::Mount, || (parts.mount)(spec))
}

/// The root file system: united, furnished with the kernel's windows, and entered.
fn build_root(given: &Inheritance<'_>) -> Result<Held> {
    let Inheritance { spec, parts, .. } = given;
    let held = take(Step::Overlay, || {
        overlay::understood(&spec.layers, (parts.overlay)(spec))?;
        (parts.hold)(spec)
    })?;
    take(Step::Root, || {
        (parts.root)(spec)?;
        (parts.proc)(spec)?;
        (parts.sys)(spec, given.group, &held)?;
        (parts.leave)(spec)
    })?;
    Ok(held)
}

fn furnish(given: &Inheritance<'_>, held: &Held) -> Result<()> {
    let Inheritance { spec, parts, .. } = given;
    // Device nodes and directories get just the modes they are made with.
    command::set_umask(0)?;
    take(Step::Devices, || {
        devices::require_dev()?;
        (parts.devices)(spec, held)?;
        devices::mount_queues()
    })?;
    take(Step::Volumes, || {
        (parts.volumes)(spec, held)?;
        let workdir = || Problem::WorkdirMissing { path: spec.workdir.display().to_string() };
        target::make(&spec.workdir, true).map(drop).meaning(workdir)
    })?;
    if !spec.privileged {
        take(Step::Mask, || (parts.mask)(spec))?;
    }
    if matches!(spec.network, Network::None | Network::Bridge(_)) {
        take(Step::Network, || parts.inside().configure(&spec.network))?;
    }
    if spec.read_only { take(Step::Mask, crate::rootfs::make_root_read_only) } else { Ok(()) }
}

/// Give up rights, in the order the kernel dictates: the bounding set while CAP_SETPCAP is held; the user id
/// while CAP_SETUID is; what is left of the capabilities; and last the filter, which everything after must pass.
fn execute(given: &Inheritance<'_>) -> Result<Infallible> {
    let Inheritance { spec, parts, .. } = given;
    let command = take(Step::Harden, || {
        command::leave_session()?;
        let who = identity::resolve(&spec.user)?;
        (parts.limit)(spec)?;
        given.console.take(who.uid)?;
        (parts.assume)(spec, &who)?;
        capabilities::hold(spec.capabilities)?;
        // A change of user id has cleared this.
        given.parent.die_with_parent()?;
        command::stand_in(&spec.workdir)?;
        let command = command::find(&spec.argv, &spec.environment_for(&who))?;
        command::keep_no_descriptors()?;
        command::set_umask(0o022)?;
        if spec.init {
            become_reaper(given)?;
            given.console.lead_foreground()?;
            given.signals.release()?;
        } else {
            given.signals.release()?;
            filter(given)?;
        }
        Ok(command)
    })?;
    take(Step::Exec, || command.execute())
}

/// The last thing before exec: from here on nothing is asked of the kernel but to write and to exec.
fn filter(given: &Inheritance<'_>) -> Result<()> {
    if given.spec.privileged { Ok(()) } else { (given.parts.filter)(given.spec) }
}

/// With `--init`: split. The child returns and becomes the command; the parent stays pid 1, reaps, and ends
/// with the command's status. Both are hidden and filtered before there is a command that could look.
fn become_reaper(given: &Inheritance<'_>) -> Result<()> {
    security::hide_from_container()?;
    filter(given)?;
    let Some(child) = command::fork()? else { return Ok(()) };
    // From here on there is nobody to tell of an error: the parent takes this for the success of the exec.
    given.parent.hang_up();
    command::close_descriptors()?;
    let ended = (given.parts.reap)(child)?;
    command::exit_now(ended.status())
}
