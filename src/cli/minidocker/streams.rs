//! What a container says: attach and logs.

use super::run::{self, Truth};
use crate::console::client::Keys;
use crate::console::log::{self, Selection};
use crate::console::message::Wish;
use crate::container::attach::{self, How};
use crate::error::{Problem, Result};
use crate::narrate;
use crate::process::{Role, become_role};
use crate::state::Root;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Hear a running container, and let it read what comes on this standard input.
    Attach(AttachOptions),
    /// Show what a container has said.
    Logs(LogsOptions),
}

#[derive(Debug, Args)]
pub struct AttachOptions {
    /// The keys by which to leave a container with a terminal (default: ctrl-p,ctrl-q).
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Let it read nothing from here.
    #[arg(long)]
    no_stdin: bool,
    /// Pass signals on to the container (default), if it has no terminal.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    sig_proxy: Option<Truth>,
    /// Name or id.
    #[arg(value_name = "CONTAINER")]
    container: String,
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
        Verb::Attach(options) => attach(options, root),
        Verb::Logs(options) => logs(&options, root).map(|()| 0),
    };
    Ok(done.unwrap_or_else(|error| {
        narrate::report(&error);
        match error.problem {
            // The status of the container, which the kernel killed.
            Problem::Life(_) => error.exit_status(),
            _ => REFUSED,
        }
    }))
}

fn attach(options: AttachOptions, root: &Root) -> Result<u8> {
    become_role(Role::Client);
    let wish = Wish { output: true, input: !options.no_stdin };
    let keys = Keys::parse(options.detach_keys.as_deref().unwrap_or_default())?;
    let how = How { wish, keys, proxy: options.sig_proxy != Some(Truth(false)) };
    run::finish(attach::attach(root, &options.container, how)?)
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
