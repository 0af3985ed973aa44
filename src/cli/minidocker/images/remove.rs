//! Images taken away: rmi, image prune.

use super::super::each;
use crate::container::images::{self, Line};
use crate::error::Result;
use crate::image::Store;
use crate::narrate::{self, Question, units};
use crate::state::Root;
use crate::step::{Step, take};
use clap::Args;

#[derive(Debug, Args)]
pub struct Rm {
    /// Remove also what has several names, or containers that do not run.
    #[arg(short, long)]
    force: bool,
    /// Names or ids.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Prune {
    /// Remove all images that have no container, not just those without a name.
    #[arg(short, long)]
    all: bool,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    force: bool,
}

/// `minidocker rmi`.
pub fn rmi(options: &Rm, root: &Root) -> Result<u8> {
    each(&options.images, |word| {
        let lines = take(Step::Discard, || images::remove(root, word, options.force))?;
        lines.iter().for_each(|line| note_line(root, line));
        let text = |line| match line {
            Line::Untagged(name) => format!("Untagged: {name}"),
            Line::Deleted(digest) => format!("Deleted: {digest}"),
        };
        Ok(Some(lines.into_iter().map(text).collect::<Vec<_>>().join("\n")))
    })
}

fn note_line(root: &Root, line: &Line) {
    match line {
        Line::Untagged(name) => super::note(root, "untag", &name.to_string()),
        Line::Deleted(digest) => super::note(root, "delete", &digest.to_string()),
    }
}

/// `minidocker image prune`.
pub fn prune(options: &Prune, root: &Root) -> Result<u8> {
    let question = if options.all { Question::PruneAllImages } else { Question::PruneImages };
    if !options.force && !narrate::confirm(question) {
        return Ok(0);
    }
    let (lines, bytes) = take(Step::Discard, || {
        let mut change = Store::open(root.path()).change()?;
        let held = root.lock()?;
        images::prune(root, &held, &mut change, options.all)
    })?;
    if !lines.is_empty() {
        narrate::print("Deleted Images:");
    }
    for line in lines {
        note_line(root, &line);
        narrate::print(&match line {
            Line::Untagged(name) => format!("untagged: {name}"),
            Line::Deleted(digest) => format!("deleted: {digest}"),
        });
    }
    narrate::print(&format!("\nTotal reclaimed space: {}", units::decimal(bytes)));
    Ok(0)
}
