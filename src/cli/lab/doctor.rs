//! `lab doctor`: what keeps this machine from the lessons.

use crate::lab::doctor::{self, Concern};
use crate::lab::lesson::Lesson;
use crate::narrate::{lang, table};
use clap::Args;

/// The options.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Tell it as a JSON object
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Try everything and tell; the exit status: 3 when something is in the way.
    pub fn look(&self, lessons: &[Lesson]) -> u8 {
        let found = doctor::look(&Concern::of_all(lessons));
        table::print(&if self.json { found.json() } else { found.page(lang()) });
        if found.is_healthy() { 0 } else { 3 }
    }
}
