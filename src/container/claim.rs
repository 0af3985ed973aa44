//! The supervisor's first act: take possession of a container's directory.

use super::plan::{self, Neighbour, Request, Wishes};
use super::reclaim;
use super::record::{self, Config, Status, Wish};
use super::spec::Spec;
use super::tell::tell;
use crate::error::{Error, LifeProblem, Problem, Result};
use crate::image::Image;
use crate::process::supervise::Signals;
use crate::state::{self, Claim, Root};
use crate::step::{Step, take};

/// Which container a supervisor is for.
pub enum Task<'a> {
    /// A new one.
    New {
        /// What was asked for.
        request: &'a Request,
        /// The same, understood.
        wishes: &'a Wishes,
        /// What it is made from.
        image: &'a Image,
    },
    /// One that was created, or has run before.
    Old {
        /// Its id.
        id: String,
    },
}

/// What a container is after its claim: planned, in possession of a directory, and nothing yet in the kernel.
#[derive(Debug)]
pub struct Claimed {
    /// The directory, locked.
    pub claim: Claim,
    /// The plan.
    pub spec: Spec,
    /// Where it is in its life.
    pub status: Status,
    /// Whose network it is to share.
    pub neighbour: Option<Neighbour>,
    /// This process's signals, held back.
    pub signals: Signals,
    /// What of earlier containers could not be cleared away.
    pub left: Vec<Error>,
}

/// Under the lock on the whole: clear up after the dead, settle the plan, and take a directory for it.
///
/// Signals are held back from just before there is something of the container to clear up.
pub fn new(root: &Root, request: &Request, wishes: &Wishes, image: &Image) -> Result<Claimed> {
    let held = root.lock()?;
    let left = take(Step::Reclaim, || reclaim::all(root, &held))?;
    take(Step::Claim, || {
        let (spec, neighbour) = plan::settle(root, request, wishes, image, state::new_id()?)?;
        let signals = Signals::hold()?;
        let claim = root.claim(&held, &spec.id, &spec.name)?;
        let (config, status) = (Config::new(spec), Status::created());
        let saved = config.save().and_then(|()| status.save(&claim.directory));
        if let Err(error) = saved {
            root.forget(&claim, Some(&config.spec.name))?;
            return Err(error);
        }
        tell(root, &config.spec, "create", &[]);
        Ok(Claimed { claim, spec: config.spec, status, neighbour, signals, left })
    })
}

/// The same for a container that is there already; `AlreadyRunning` when another supervisor has it.
pub fn old(root: &Root, id: &str) -> Result<Claimed> {
    let held = root.lock()?;
    let left = take(Step::Reclaim, || reclaim::all(root, &held))?;
    take(Step::Claim, || {
        let (config, status) = record::load(root, id)?;
        let mut spec = config.spec;
        let neighbour = plan::meet_again(root, &mut spec)?;
        let signals = Signals::hold()?;
        let running = || Error::new(Problem::Life(LifeProblem::AlreadyRunning { name: spec.name.clone() }));
        let claim = root.adopt(&held, id)?.ok_or_else(running)?;
        root.begin(id)?;
        Wish::clear(&claim.directory)?;
        Ok(Claimed { claim, spec, status, neighbour, signals, left })
    })
}
