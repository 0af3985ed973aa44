//! Make a container without starting it: its directory, its name and its record. Nothing is in the kernel yet.

use super::plan::{self, Request, Wishes};
use super::reclaim;
use super::record::{Config, Status};
use super::tell::tell;
use super::volumes;
use crate::error::{Error, Result};
use crate::overlay;
use crate::process::command;
use crate::state::{self, Root};
use crate::step::{Step, take};

/// Create what `request` asks for; its id, and what of earlier containers could not be cleared away.
pub fn create(root: &Root, request: &Request) -> Result<(String, Vec<Error>)> {
    let wishes = Wishes::of(request)?;
    command::set_umask(0o022)?;
    let image = take(Step::Image, || plan::image(root, request))?;
    let held = root.lock()?;
    let left = take(Step::Reclaim, || reclaim::all(root, &held))?;
    take(Step::Claim, || {
        let (spec, _) = plan::settle(root, request, &wishes, &image, state::new_id()?)?;
        let claim = root.claim(&held, &spec.id, &spec.name)?;
        let config = Config::new(spec);
        let saved = config
            .save()
            // Whoever copies to it, or asks what it changed, finds its layers from now on.
            .and_then(|()| overlay::make_directories(&config.spec.layers))
            .and_then(|()| Status::created().save(&claim.directory))
            .and_then(|()| volumes::make(root, &held, &config.spec))
            .and_then(|()| root.finish(&claim.id));
        if let Err(error) = saved {
            root.forget(&claim, Some(&config.spec.name))?;
            return Err(error);
        }
        tell(root, &config.spec, "create", &[]);
        Ok((claim.id.clone(), left))
    })
}
