//! `base`, the image that needs no download: made from the host's own programs and the libraries they need.
//!
//! - `layout`: the directories, as the host lays them out
//! - `programs`, `elf`, `libraries`: which programs, which loader they want, what that loader would load
//! - `files`: users, terminals and the like
//! - `host`, `tree`: where all this is read from, and the plan it is written into
//!
//! Nothing is guessed by the distribution's name. A file keeps its real path, and a name that was a link on the
//! host is a link in the image, so that programs find what they expect wherever the host had it.

mod elf;
mod files;
mod host;
mod layout;
mod libraries;
mod programs;
mod tree;

use super::Config;
use crate::error::{Error, Problem, Result};
use crate::sys::file;
use elf::Linkage;
use host::Host;
use programs::Program;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use tree::Tree;

/// The PATH of every container that is not told otherwise.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Fill the empty directory `layer` from the machine whose root directory is `root`. `NoShell` when that has
/// no shell we can copy.
pub fn build(root: &Path, layer: &Path) -> Result<Config> {
    plan(&Host::open(root)?)?.write(layer)?;
    Ok(Config {
        env: vec![PATH.to_owned()],
        cmd: vec!["sh".to_owned()],
        working_dir: "/".to_owned(),
        ..Config::default()
    })
}

/// Fill the empty directory `layer` with what the program at `program` needs to run, and with these `tools` of the
/// machine where it has them: much less than [`build`] takes, and much sooner. The program itself is not brought.
pub fn build_around(program: &Path, tools: &[&'static str], layer: &Path) -> Result<Config> {
    /// The headers of an executable stand at its beginning.
    const HEADERS: u64 = 1 << 16;
    let host = Host::open(Path::new("/"))?;
    let mut tree = Tree::default();
    layout::plan(&mut tree, &host)?;
    files::plan(&mut tree, &host)?;
    let mut linked: Vec<(PathBuf, Linkage)> = elf::linkage(&file::read(program, HEADERS)?)
        .map(|one| (program.to_owned(), one))
        .into_iter()
        .collect();
    for tool in tools {
        if let Some(tool) = programs::named(&host, tool)? {
            tree.bring_as(&host, &tool.found, &tool.place);
            linked.push((tool.found.path, tool.linkage));
        }
    }
    for (path, linkage) in &linked {
        for library in libraries::needed_by(&host, path, linkage)? {
            tree.bring(&host, &library)?;
        }
    }
    tree.write(layer)?;
    Ok(Config { env: vec![PATH.to_owned()], working_dir: "/".to_owned(), ..Config::default() })
}

/// All that is to be in the image.
fn plan(host: &Host) -> Result<Tree> {
    let mut tree = Tree::default();
    layout::plan(&mut tree, host)?;
    let programs = programs::find(host)?;
    if !programs.iter().any(|program| program.name == SHELL) {
        return Err(Error::new(Problem::NoShell { looked: programs::LOOKED.to_owned() }));
    }
    let mut complete = HashSet::new();
    for program in &programs {
        if !complete.contains(&program.found.path) {
            match libraries::needed_by(host, &program.found.path, &program.linkage) {
                Err(error) if can_be_spared(program, &error) => continue,
                needed => needed?.iter().try_for_each(|library| tree.bring(host, library).map(drop))?,
            }
            complete.insert(&program.found.path);
        }
        tree.bring_as(host, &program.found, &program.place);
        if program.name == SHELL {
            // Scripts begin with `#!/bin/sh`, wherever the shell itself is.
            tree.bring_as(host, &program.found, &host.place(Path::new("bin/sh"))?);
        }
    }
    files::plan(&mut tree, host)?;
    Ok(tree)
}

/// The one program that the image cannot do without.
const SHELL: &str = "sh";

/// Whether the image is made without `program`, since it would not run on the host either. Anything else that
/// goes wrong is an error: an image must not be poorer because the machine was short of memory for a moment.
fn can_be_spared(program: &Program, error: &Error) -> bool {
    program.name != SHELL && matches!(error.problem, Problem::LoaderFailed { .. })
}

#[cfg(test)]
mod tests;
