//! What a container says: attach and logs.

use crate::console::log::{self, Selection};
use crate::error::Result;
use crate::narrate;
use crate::state::Root;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show what a container has said.
    Logs(LogsOptions),
}

#[derive(Debug, Args)]
pub struct LogsOptions {
    /// Show extra details of each line (there are none here).
    #[arg(long)]
    details: bool,
    /// Go on with what is said from now on, until the container ends.
    #[arg(short, long)]
    follow: bool,
    /// Only so many lines, the last ones.
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all", allow_negative_numbers = true)]
    tail: String,
    /// Begin each line with the time when it was said.
    #[arg(short, long)]
    timestamps: bool,
    /// Only what was said since then: 2026-11-29T14:30:00Z, or 42m for so long ago.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what was said before that.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Name or id.
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// What Docker's daemon refuses is 1.
const REFUSED: u8 = 1;

pub fn obey(verb: Verb, root: &Root) -> Result<u8> {
    let done = match verb {
        Verb::Logs(options) => logs(&options, root),
    };
    Ok(done.map_or_else(
        |error| {
            narrate::report(&error);
            REFUSED
        },
        |()| 0,
    ))
}

fn logs(options: &LogsOptions, root: &Root) -> Result<()> {
    let time = |text: &Option<String>| text.as_deref().map(log::show::parse_time).transpose();
    let selection = Selection {
        tail: log::show::parse_tail(&options.tail)?,
        since: time(&options.since)?,
        until: time(&options.until)?,
        timestamps: options.timestamps,
    };
    let id = root.find(&options.container)?;
    log::show(&root.container(&id), &selection, options.follow)
}
