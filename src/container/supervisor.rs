//! The supervisor's half: make what stands outside the container, give birth to it, wait, clear up, begin again.
//!
//! Which process: a child of the `minidocker run` or `start` that the person typed ([`client`](super::client)), in a
//! session of its own, in the host's namespaces, as the person. It is the container's parent until the end and holds the
//! lock on its directory, so as long as it lives the container is in somebody's care, and when it is killed the kernel
//! kills the container ([`init`] asks for that). It does not need the client: that may detach, or be killed.

use super::claim::{self, Claimed, Task};
use super::init::{self, Inheritance};
use super::parts::Parts;
use super::plan::{self, Neighbour};
use super::record::{Config, Phase, Status, Wish};
use super::report::{Outcome, Reporter};
use super::restart::Pauses;
use super::spec::Spec;
use super::tell::tell;
use super::{cable, shared, volumes};
use crate::cgroup::Group;
use crate::cgroup::accounting::{self, Memory};
use crate::console::ends::{Ends, Outside};
use crate::console::relay::Relay;
use crate::console::{self, Console, message};
use crate::error::Result;
use crate::namespace::user::Map;
use crate::network::port::{Binding, Holds};
use crate::network::{self, Network};
use crate::process::apart::{self, Companion};
use crate::process::handshake::{Handshake, ParentSide};
use crate::process::supervise::{self, Signals};
use crate::process::{Child, Ended, Forked, command};
use crate::rootfs::volume;
use crate::state::{Claim, Root};
use crate::step::{Step, take};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// The client that made this supervisor, if it stays.
#[derive(Debug)]
pub struct Guest {
    /// This process's end of the connection to it.
    pub socket: OwnedFd,
    /// What it wants.
    pub wish: message::Wish,
    /// How large its terminal is.
    pub size: Option<console::Size>,
}

/// Run a container, from its claim to its end, and tell who waits for that; the exit status of this process.
///
/// Whatever happens, when this returns nothing of a new container is left but, unless `--rm` was asked or it never
/// started, its directory.
pub fn supervise(
    root: &Root,
    task: &Task<'_>,
    parts: &Parts,
    before: &Signals,
    mut reporter: Reporter,
    guest: Option<Guest>,
) -> u8 {
    let mut relay = None;
    let mut result = carry(root, task, parts, before, &mut reporter, guest, &mut relay);
    let Some(mut relay) = relay else { return reporter.end(result) };
    if let Ok(outcome) = &mut result {
        outcome.unlogged = relay.unlogged();
    }
    let outcome = match &result {
        Ok(outcome) => outcome.clone(),
        Err(error) => Outcome::of(error.exit_status()),
    };
    let status = reporter.end(result);
    let dismissed = relay.dismiss(&outcome.to_json(), before.blocked());
    dismissed.map_or(OWN_FAILURE, |()| status)
}

/// The exit status of a failure of this program's own.
const OWN_FAILURE: u8 = 125;

/// The same up to the last word: the container's lock is free when this returns.
fn carry(
    root: &Root,
    task: &Task<'_>,
    parts: &Parts,
    before: &Signals,
    reporter: &mut Reporter,
    guest: Option<Guest>,
    relay: &mut Option<Relay>,
) -> Result<Outcome> {
    command::leave_session()?;
    // What is made here is for the container's users too, whatever the person keeps from others elsewhere.
    command::set_umask(0o022)?;
    // Until there is something of the container to clear up, a signal simply ends this process, wherever it waits.
    before.unblock()?;
    let Claimed { claim, spec, status, neighbour, signals, left } = match task {
        Task::New { request, wishes, image } => claim::new(root, request, wishes, image)?,
        Task::Old { id } => claim::old(root, id)?,
    };
    reporter.left(left);
    let size = guest.as_ref().and_then(|guest| guest.size);
    let relay = relay.insert(Relay::new(&spec.id, spec.stdin_once));
    if let Some(Guest { socket, wish, .. }) = guest {
        relay.add(socket, wish);
    }
    let mut life = Life {
        root,
        parts,
        signals: &signals,
        claim: &claim,
        spec,
        neighbour,
        group: Group::default(),
        holds: Holds::default(),
        map: None,
        moved: None,
        status,
        relay,
        size,
        new: matches!(task, Task::New { .. }),
    };
    life.lives(reporter)
}

/// This process has moved to the namespaces that the person's bridged containers share.
struct Moved {
    /// The ports that were held before.
    bindings: Vec<Binding>,
    /// What carries across to them.
    #[allow(dead_code, reason = "there as long as this is")]
    relay: Option<Companion>,
}

/// One container, from its claim to its end.
struct Life<'a> {
    root: &'a Root,
    parts: &'a Parts,
    signals: &'a Signals,
    claim: &'a Claim,
    spec: Spec,
    neighbour: Option<Neighbour>,
    group: Group,
    /// Its published ports are held.
    holds: Holds,
    /// The ids that are mapped in its user namespace, when those are more than the person's own.
    map: Option<Map>,
    moved: Option<Moved>,
    status: Status,
    /// What passes between it and everybody else.
    relay: &'a mut Relay,
    /// How large its terminal is to be at first.
    size: Option<console::Size>,
    /// It was claimed by this supervisor and has not started yet: if it never does, nothing of it stays.
    new: bool,
}

impl Life<'_> {
    /// One life after the other, as its restart policy says.
    fn lives(&mut self, reporter: &mut Reporter) -> Result<Outcome> {
        let mut pauses = Pauses::default();
        loop {
            let began = Instant::now();
            let ended = self.live(reporter);
            let out_of_memory = ended.as_ref().ok().and_then(|_| self.out_of_memory());
            // Whoever cannot find out what is wished clears up all the same.
            let again = self.again(&ended, began.elapsed(), &mut pauses);
            let pause = again.as_ref().ok().copied().flatten();
            let cleared =
                take(Step::Cleanup, || self.clear_up(&ended, out_of_memory.is_some(), pause.is_some()));
            let cleared = again.and(cleared);
            match (pause, ended, cleared) {
                (Some(pause), _, Ok(())) => {
                    if self.signals.pause(pause)? && Wish::load(&self.claim.directory)?.is_some() {
                        take(Step::Cleanup, || self.give_up())?;
                        return Ok(Outcome { out_of_memory, ..Outcome::of(self.status.exit) });
                    }
                    self.status.restarts += 1;
                }
                (_, ended, cleared) => {
                    let status = ended?.status();
                    return cleared.map(|()| Outcome { out_of_memory, ..Outcome::of(status) });
                }
            }
        }
    }

    /// Whether it is to be started again, and after which pause.
    fn again(&self, ended: &Result<Ended>, ran: Duration, pauses: &mut Pauses) -> Result<Option<Duration>> {
        let status = match ended {
            Ok(ended) => ended.status(),
            // What never ran will not run the next time either.
            Err(_) if self.status.restarts == 0 => return Ok(None),
            Err(error) => error.exit_status(),
        };
        let wanted = self.spec.restart.wants(status, self.status.restarts)
            && Wish::load(&self.claim.directory)?.is_none();
        Ok(wanted.then(|| pauses.after(ran)))
    }

    fn out_of_memory(&self) -> Option<Memory> {
        let kills = (self.parts.oom)(&self.group).ok().filter(|kills| *kills > 0)?;
        Some(accounting::memory(&self.group, kills))
    }

    /// Make everything, give birth, wait until the end. On failure what was made is still there.
    fn live(&mut self, reporter: &mut Reporter) -> Result<Ended> {
        if self.spec.shared && self.moved.is_none() {
            take(Step::Shared, || self.move_in(reporter))?;
        }
        take(Step::State, || self.prepare_directory().and_then(|()| self.relay.open(&self.claim.directory)))?;
        take(Step::Cgroup, || self.ration())?;
        if let Network::Bridge(_) = self.spec.network {
            let raise = || network::bridge::raise(self.root.path(), &self.spec.id, self.parts.making());
            take(Step::Bridge, raise)?;
        }
        if let Some(Neighbour { user: Some(owner), .. }) = &self.neighbour {
            take(Step::UserMap, || owner.join_owner())?;
        }
        self.map = self.own_map()?;
        let (child, handshake, console) = self.give_birth()?;
        let ended = self
            .start(&child, handshake, reporter)
            .and_then(|()| console.ends())
            .and_then(|ends| {
                tell(self.root, &self.spec, "start", &[]);
                reporter.started(&self.spec.id).map(|()| ends)
            })
            .and_then(|ends| {
                self.new = false;
                take(Step::Wait, || self.attend(ends, &child))
            });
        if ended.is_err() {
            supervise::kill(&child)?;
        }
        ended
    }

    /// Its cgroup and its limits. A group that cannot be limited is removed with all else.
    fn ration(&mut self) -> Result<()> {
        self.group = (self.parts.cgroup)(&self.spec)?;
        (self.parts.memory)(&self.spec, &self.group)?;
        (self.parts.cpu)(&self.spec, &self.group)
    }

    fn attend(&mut self, ends: Ends, child: &Child) -> Result<Ended> {
        self.relay.until_end(ends, child, self.signals.blocked(), self.signals.take_kept())
    }

    /// An ordinary user's container on a bridge: its ports are held here, before this process moves to where the bridge
    /// is; there it stays.
    fn move_in(&mut self, reporter: &Reporter) -> Result<()> {
        let (holds, bindings) = cable::hold(&self.spec)?;
        shared::enter(self.root)?.into_iter().for_each(|why| reporter.lacking(why));
        let moved = self.moved.insert(Moved { bindings, relay: None });
        moved.relay = shared::relay(self.root, &self.spec.id, holds, &moved.bindings)?;
        Ok(())
    }

    /// The layers' directories, and the files of /etc that say who and where the container is.
    fn prepare_directory(&mut self) -> Result<()> {
        // It may have been renamed, connected and disconnected while it waited to be started again.
        if let Some(config) = Config::load(&self.claim.directory)? {
            self.spec.name = config.spec.name;
            if let (Network::Bridge(now), Network::Bridge(then)) =
                (config.spec.network, &mut self.spec.network)
            {
                *then = now;
            }
        }
        if !self.new {
            apart::when_refused("remover", || crate::overlay::remove_work(&self.spec.layers))?;
        }
        crate::overlay::make_directories(&self.spec.layers)?;
        volumes::prepare(self.root, &self.spec)?;
        let files = match &self.spec.network {
            Network::Container(join) => Some(join.files.clone()),
            _ => None,
        };
        let bindings = match &self.moved {
            Some(Moved { bindings, .. }) => bindings.clone(),
            None => {
                let (holds, bindings) = cable::hold(&self.spec)?;
                self.holds = holds;
                bindings
            }
        };
        cable::prepare(self.root.path(), &mut self.spec, bindings, files.as_deref())?;
        self.spec.volumes = volume::in_order(std::mem::take(&mut self.spec.volumes))?;
        Ok(())
    }

    /// The map of a user namespace of its own, if it takes a hand from outside to write it.
    fn own_map(&self) -> Result<Option<Map>> {
        let own =
            self.spec.user_namespace && !matches!(&self.neighbour, Some(Neighbour { user: Some(_), .. }));
        if own { Ok(Some(Map::own()?).filter(Map::is_full)) } else { Ok(None) }
    }

    /// Two processes leave the step of birth, and one leaves this function.
    fn give_birth(&self) -> Result<(Child, ParentSide, Outside)> {
        let handshake = Handshake::new()?;
        let shape = console::Shape { terminal: self.spec.tty, input: self.spec.stdin };
        let console = Console::open(shape, self.size)?;
        let ids = plan::ids();
        match take(Step::Clone, || (self.parts.birth)(&self.spec, &self.group))? {
            Forked::Parent(child) => Ok((child, handshake.parent(), console.outside())),
            Forked::Child => init::main(&Inheritance {
                spec: &self.spec,
                neighbour: self.neighbour.as_ref(),
                parts: self.parts,
                group: &self.group,
                ids,
                mapped: self.map.is_some(),
                signals: self.signals,
                console: console.inside(),
                parent: handshake.child(),
            }),
        }
    }

    /// The supervisor's part of a container that is born: connect it, remember it, let it go.
    fn start(&mut self, child: &Child, handshake: ParentSide, reporter: &Reporter) -> Result<()> {
        if let Some(map) = &self.map
            && let Some(why) = take(Step::UserMap, || map.write(child.pid))?
        {
            reporter.lacking(why);
        }
        let attach = || network::attach::connect(&self.spec.network, child.pid, self.parts.attach);
        take(Step::Attach, attach)?;
        take(Step::Record, || {
            self.status.run(child.pid, supervise::started(child.pid)?);
            self.status.save(&self.claim.directory)
        })?;
        handshake.go(self.signals)
    }

    /// Take away everything that stands outside the container; it has ended. What cannot be taken away does not
    /// stop the rest; the first error is returned. The directory goes, or says that the container has ended, only
    /// when its cgroup is gone: else the next minidocker command finds it as it is, and tries again.
    fn clear_up(&mut self, ended: &Result<Ended>, oom_killed: bool, again: bool) -> Result<()> {
        let network = match self.spec.network {
            Network::Bridge(_) => network::bridge::release(self.root.path(), &self.spec.id),
            _ => Ok(()),
        };
        let network = match again {
            false if self.moved.is_some() => network.and(shared::leave(self.root)),
            _ => network,
        };
        self.holds = Holds::default();
        if oom_killed {
            tell(self.root, &self.spec, "oom", &[]);
        }
        if let Ok(ended) = ended {
            tell(self.root, &self.spec, "die", &[("exitCode", &ended.status().to_string())]);
        }
        let closed = if again { Ok(()) } else { self.relay.close() };
        let state = self.group.remove_by(&self.spec.id, self.parts.kill).and_then(|()| {
            let never_ran = self.new && ended.is_err();
            let kept = !self.spec.remove || Wish::load(&self.claim.directory)? == Some(Wish::Restart);
            if never_ran || !(kept || again) {
                apart::when_refused("remover", || crate::overlay::remove_work(&self.spec.layers))?;
                return self.forget();
            }
            self.status.end(if again { Phase::Restarting } else { Phase::Exited }, ended, oom_killed);
            self.status.save(&self.claim.directory)?;
            if again { Ok(()) } else { self.root.finish(&self.spec.id) }
        });
        network.and(closed).and(state)
    }

    /// Nothing of it is to stay.
    fn forget(&self) -> Result<()> {
        volumes::remove_anonymous(self.root, &self.spec)?;
        self.root.forget(self.claim, Some(&self.spec.name))?;
        tell(self.root, &self.spec, "destroy", &[]);
        Ok(())
    }

    /// It was stopped while it waited to be started again.
    fn give_up(&mut self) -> Result<()> {
        if self.moved.is_some() {
            shared::leave(self.root)?;
        }
        self.relay.close()?;
        if self.spec.remove {
            return self.forget();
        }
        self.status.phase = Phase::Exited;
        self.status.save(&self.claim.directory)?;
        self.root.finish(&self.spec.id)
    }
}
