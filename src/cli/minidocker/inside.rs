//! Into a container that is there: exec, cp, top.

use super::run::{Teller, Truth, finish};
use crate::container::client::End;
use crate::container::{Parts, cp, exec, running};
use crate::error::Result;
use crate::narrate::{self, Note};
use crate::observe;
use crate::overlay::carry::unpack::Made;
use crate::process::ps;
use crate::state::Root;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a command in a running container.
    Exec(ExecOptions),
    /// Copy files between a container and this machine.
    Cp {
        /// Keep owner and group (here only root can), set-user-id and set-group-id.
        #[arg(short, long)]
        archive: bool,
        /// If the source is a link, copy what it leads to.
        #[arg(short = 'L', long)]
        follow_link: bool,
        /// Say nothing on a terminal about what was copied.
        #[arg(short, long)]
        quiet: bool,
        /// CONTAINER:PATH, or a path here, or - for an archive on standard input.
        #[arg(value_name = "SOURCE", allow_hyphen_values = true)]
        source: String,
        /// CONTAINER:PATH, or a path here, or - for an archive on standard output.
        #[arg(value_name = "DESTINATION", allow_hyphen_values = true)]
        destination: String,
    },
    /// Show the processes of a container.
    Top {
        /// The container, by its name, its id or the beginning of that.
        #[arg(value_name = "CONTAINER")]
        container: String,
        /// Options of the host's ps, for other columns. Default: those of ps -ef.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ps OPTIONS")]
        options: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub struct ExecOptions {
    /// Do not wait for the command, and let nobody see what it writes.
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    detach: Option<Truth>,
    /// Set a variable in the environment (NAME alone: take its value from here).
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Set the variables that a file has, one a line.
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Let the command read this standard input (else it reads /dev/null).
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    interactive: Option<Truth>,
    /// Give the command a terminal.
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    tty: Option<Truth>,
    /// The keys to leave by, and let the command go on. Default: ctrl-p,ctrl-q.
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Give the command every capability.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    privileged: Option<Truth>,
    /// User to run as: names or numbers. Default: the container's.
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Directory in which the command starts. Default: the container's.
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// The container, by its name, its id or the beginning of that.
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl From<ExecOptions> for exec::Request {
    fn from(options: ExecOptions) -> Self {
        let given = |word: Option<String>| word.filter(|word| !word.is_empty());
        let truth = |word| word == Some(Truth(true));
        Self {
            container: options.container,
            command: options.command,
            env: options.env,
            env_file: options.env_file,
            workdir: given(options.workdir),
            user: given(options.user),
            privileged: truth(options.privileged),
            interactive: truth(options.interactive),
            tty: truth(options.tty),
            detach: truth(options.detach),
            detach_keys: given(options.detach_keys),
        }
    }
}

/// Say what was copied, to whoever sits at a terminal; and to everybody what was not.
fn tell_copied(request: &cp::Request, made: &Made, quiet: bool) {
    if made.left_out > 0 {
        narrate::note(&Note::DevicesLeftOut { count: made.left_out });
    }
    let to_stream = request.destination == "-";
    if !quiet && !to_stream && narrate::is_seen() {
        narrate::note(&Note::Copied { bytes: made.bytes, to: request.destination.clone() });
    }
}

/// Print the processes of a container: as ps(1) does it by itself, or as the host's does it with `options`.
fn top(root: &Root, container: &str, options: &[String]) -> Result<()> {
    let (first, mut pids) = running::processes(root, container)?;
    if pids.is_empty() {
        pids = observe::companions(first);
    }
    if options.is_empty() {
        let processes: Vec<_> = pids.into_iter().filter_map(observe::process).collect();
        narrate::ps::processes(&processes);
        return Ok(());
    }
    let (heads, rows) = ps::list(options, &pids)?;
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    narrate::table::table(&heads, &rows);
    Ok(())
}

pub fn obey(verb: Verb, root: &Root, parts: &Parts) -> Result<u8> {
    match verb {
        Verb::Exec(options) => match exec::exec(root, &options.into(), parts, &Teller::default()) {
            // Nobody needs to be told the id of a container that he has named.
            Ok(End::Detached(_)) => Ok(0),
            Ok(end) => finish(end),
            Err(error) => {
                narrate::report(&error);
                Ok(exec::exit_status(&error))
            }
        },
        Verb::Cp { archive, follow_link, quiet, source, destination } => {
            let request = cp::Request { archive, follow_link, source, destination };
            match cp::cp(root, &request, parts) {
                Ok(made) => {
                    tell_copied(&request, &made, quiet);
                    Ok(0)
                }
                Err(error) => {
                    narrate::report(&error);
                    Ok(1)
                }
            }
        }
        Verb::Top { container, options } => top(root, &container, &options).map(|()| 0).or_else(|error| {
            narrate::report(&error);
            Ok(1)
        }),
    }
}
