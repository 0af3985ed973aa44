//! The parent's half: make what stands outside the container, give birth to it, wait, clear up.
//!
//! Which process: the `minidocker` that the person started, in the host's namespaces, as the person. It is the
//! container's parent until the end and holds the lock on its directory, so as long as it lives the container
//! is in somebody's care, and when it is killed the kernel kills the container ([`init`] asks for that).

use super::init::{self, Inheritance};
use super::parts::Parts;
use super::plan::{Neighbour, Request, Wishes};
use super::spec::Spec;
use super::{cable, plan, reclaim, volumes};
use crate::cgroup::Group;
use crate::cgroup::accounting::{self, Memory};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::namespace::user::Map;
use crate::network::port::Holds;
use crate::network::{self, Network};
use crate::process::handshake::{Handshake, ParentSide};
use crate::process::supervise::{self, Signals};
use crate::process::{Child, Ended, Forked};
use crate::process::{apart, command};
use crate::rootfs::volume;
use crate::state::{self, Claim, Root};
use crate::step::{Step, take};
use serde::{Deserialize, Serialize};

/// What is remembered of a container on disk.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub version: u32,
    /// The plan.
    pub spec: Spec,
    /// Where it is in its life.
    pub status: Status,
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It runs, or its runtime was killed: whether the container's lock is held tells which. While it is, `pid`
    /// cannot have been given to another process, since the runtime has not reaped it.
    Running {
        /// Its first process, by its pid on the host.
        pid: i32,
        /// When that process was started (proc_pid_stat(5), field 22): with the pid, its identity.
        started: u64,
    },
    /// It has ended, with this exit status.
    Exited {
        /// As a shell would report it.
        status: u8,
    },
}

/// How a container ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status of `minidocker run`.
    pub status: u8,
    /// What its memory was, if the OOM killer came.
    pub out_of_memory: Option<Memory>,
    /// What of earlier containers could not be cleared away.
    pub left: Vec<Error>,
    /// Why the person's other ids could not be mapped.
    pub unmapped: Option<Error>,
}

/// Run a container in the foreground, from request to end.
///
/// Whatever happens, when this returns nothing of the container is left but, unless `--rm` was asked or it
/// never started, its directory.
pub fn run(root: &Root, request: &Request, parts: &Parts) -> Result<Outcome> {
    // What is made here is for the container's users too, whatever the person keeps from others elsewhere.
    command::set_umask(0o022)?;
    let wishes = Wishes::of(request)?;
    let image = take(Step::Image, || plan::image(root, request))?;
    let Claimed { claim, spec, neighbour, signals, left } = claim(root, request, &wishes, &image)?;
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
        unmapped: None,
    };
    let ended = life.live();
    let out_of_memory = match ended {
        Ok(_) => accounting::memory(&life.group).ok().filter(|memory| memory.oom_kills > 0),
        Err(_) => None,
    };
    let cleared = take(Step::Cleanup, || life.clear_up(&ended));
    let status = ended?.status();
    cleared.map(|()| Outcome { status, out_of_memory, left, unmapped: life.unmapped })
}

/// What a container is after its claim: planned, in possession of a directory, and nothing yet in the kernel.
struct Claimed {
    claim: Claim,
    spec: Spec,
    neighbour: Option<Neighbour>,
    signals: Signals,
    /// What of earlier containers could not be cleared away.
    left: Vec<Error>,
}

/// Under the lock on the whole: clear up after the dead, settle the plan, and take a directory for it.
///
/// Signals are held back from just before there is something of the container to clear up. Until then one simply
/// ends this process, wherever it waits: for another's image, or for the lock.
fn claim(root: &Root, request: &Request, wishes: &Wishes, image: &Image) -> Result<Claimed> {
    let held = root.lock()?;
    let left = take(Step::Reclaim, || reclaim::all(root, &held))?;
    take(Step::Claim, || {
        let (spec, neighbour) = plan::settle(root, request, wishes, image, state::new_id()?)?;
        let signals = Signals::hold()?;
        let claim = root.claim(&held, &spec.id, spec.given_name())?;
        Ok(Claimed { claim, spec, neighbour, signals, left })
    })
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
    /// Why they could not be.
    unmapped: Option<Error>,
}

impl Life<'_> {
    /// Make everything, give birth, wait until the end. On failure what was made is still there.
    fn live(&mut self) -> Result<Ended> {
        take(Step::State, || self.prepare_directory())?;
        self.group = take(Step::Cgroup, || (self.parts.cgroup)(&self.spec))?;
        if let Network::Bridge(_) = self.spec.network {
            take(Step::Bridge, || (self.parts.bridge)(self.root.path(), &self.spec))?;
        }
        if let Some(Neighbour { user: Some(owner), .. }) = &self.neighbour {
            take(Step::UserMap, || owner.join_owner())?;
        }
        self.map = self.own_map()?;
        let (child, handshake) = self.give_birth()?;
        let started = self.start(&child, handshake);
        if let Err(error) = started {
            supervise::kill(&child)?;
            return Err(error);
        }
        take(Step::Wait, || self.signals.forward_until_end(&child))
    }

    /// The layers' directories, and the files of /etc that say who and where the container is.
    fn prepare_directory(&mut self) -> Result<()> {
        crate::overlay::make_directories(&self.spec.layers)?;
        volumes::make(self.root, &self.spec)?;
        let files = match &self.spec.network {
            Network::Container(join) => Some(join.files.clone()),
            _ => None,
        };
        self.holds = cable::prepare(self.root.path(), &mut self.spec, files.as_deref())?;
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
    fn give_birth(&self) -> Result<(Child, ParentSide)> {
        let handshake = Handshake::new()?;
        let ids = plan::ids();
        match take(Step::Clone, || (self.parts.birth)(&self.spec, &self.group))? {
            Forked::Parent(child) => Ok((child, handshake.parent())),
            Forked::Child => init::main(&Inheritance {
                spec: &self.spec,
                neighbour: self.neighbour.as_ref(),
                parts: self.parts,
                group: &self.group,
                ids,
                mapped: self.map.is_some(),
                signals: self.signals,
                parent: handshake.child(),
            }),
        }
    }

    /// The runtime's part of a container that is born: connect it, remember it, let it go.
    fn start(&mut self, child: &Child, handshake: ParentSide) -> Result<()> {
        if let Some(map) = &self.map {
            self.unmapped = take(Step::UserMap, || map.write(child.pid))?;
        }
        take(Step::Attach, || (self.parts.attach)(&self.spec, child.pid))?;
        take(Step::Record, || {
            self.remember(Status::Running { pid: child.pid, started: supervise::started(child.pid)? })
        })?;
        handshake.go(self.signals)
    }

    fn remember(&self, status: Status) -> Result<()> {
        state::save(&self.claim.directory, &Record { version: 1, spec: self.spec.clone(), status })
    }

    /// Take away everything that stands outside the container; it has ended. What cannot be taken away does not
    /// stop the rest; the first error is returned. The directory goes, or says that the container has ended, only
    /// when its cgroup is gone: else the next minidocker command finds it as it is, and tries again.
    fn clear_up(&self, ended: &Result<Ended>) -> Result<()> {
        let network = match self.spec.network {
            Network::Bridge(_) => network::bridge::release(self.root.path(), &self.spec.id),
            _ => Ok(()),
        };
        let state = self.group.remove(&self.spec.id).and_then(|()| match ended {
            Ok(ended) if !self.spec.remove => self
                .remember(Status::Exited { status: ended.status() })
                .and_then(|()| self.root.finish(&self.spec.id)),
            _ => apart::when_refused("remover", || crate::overlay::remove_work(&self.spec.layers))
                .and_then(|()| volumes::remove_anonymous(self.root, &self.spec))
                .and_then(|()| self.root.forget(self.claim, self.spec.given_name())),
        });
        network.and(state)
    }
}
