//! WORDS: what passes the door, told to a person or a program.
//!
//! [`install`] puts a narrator at the door ([`crate::sys::observer`]) with the forms of output that were asked
//! for: an explanation, a JSON trace, the equivalent shell commands, a pause before each step. If none was, no
//! observer is installed and the door costs nothing. [`report`] and [`note`] say errors and notes in the same
//! language. All prose stands in [`words`], but for the demos': they tell their own stories on a [`Stage`], each
//! sentence beside the evidence that it speaks of, in both languages by [`text!`].

mod calls;
mod chapter;
mod confirm;
mod evidence;
mod explain;
mod json;
mod line;
pub mod listing;
mod narrator;
mod page;
pub mod plot;
pub mod ps;
mod shell;
pub mod stage;
mod step;
pub mod svg;
pub mod table;
pub mod template;
pub mod time;
pub mod trace;
pub mod units;
pub mod words;

pub use confirm::confirm;
pub use page::{Color, Ink, Page, columns};
pub use shell::word;
pub use stage::{Ending, Stage};
pub use table::print;
pub use words::{Lang, Note, Question};

use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::{file, flags, observer};
use line::Out;
use narrator::{Narrator, Sink};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What is to be told, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Explain each step on standard error.
    pub explain: bool,
    /// Write each request as a line of JSON into this file; `-` is standard error. See [`trace`].
    pub trace: Option<PathBuf>,
    /// Print the equivalent shell script on standard error.
    pub shell: bool,
    /// Explain, and wait for Enter before each step.
    pub step: bool,
    /// The language; by default the environment's.
    pub lang: Option<Lang>,
    /// Whether to colour.
    pub color: Color,
}

/// How this process speaks.
struct Voice {
    lang: Lang,
    page: Page,
    /// A person reads: break lines to the terminal's width.
    terminal: bool,
}

static VOICE: OnceLock<Voice> = OnceLock::new();

fn voice() -> &'static Voice {
    VOICE.get_or_init(|| Voice::new(&Options::default()))
}

impl Voice {
    fn new(options: &Options) -> Self {
        let lang = options.lang.unwrap_or_else(Lang::of_environment);
        Self { lang, page: Page::of_stderr(options.color), terminal: std::io::stderr().is_terminal() }
    }

    fn say(&self, ink: Ink, sentence: &str) {
        let name = format!("{}: ", program());
        let pieces = [(ink, &*name), (Ink::Plain, sentence)];
        match self.terminal {
            true => self.page.set(0, 2, &pieces),
            false => self.page.set_unbroken(&pieces),
        }
    }
}

/// The name under which this program was started.
fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    Path::new(&path)
        .file_name()
        .map_or_else(|| "minidocker".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Remember how to speak, and put a narrator at the door if anything is to be told. To be called once, before
/// anything is asked of the kernel.
pub fn install(options: &Options) -> Result<()> {
    let voice = VOICE.get_or_init(|| Voice::new(options));
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if options.explain || options.step {
        let gate = options.step.then(step::Gate::new).transpose()?;
        sinks.push(Box::new(explain::Explain::new(Page::of_stderr(options.color), voice.lang, gate)));
    }
    if options.shell {
        sinks.push(Box::new(shell::Shell::new(voice.lang)));
    }
    if let Some(path) = &options.trace {
        sinks.push(Box::new(trace::Trace::new(open_trace(path)?)));
    }
    if !sinks.is_empty() {
        observer::install(Box::new(Narrator::new(sinks)));
    }
    Ok(())
}

fn open_trace(path: &Path) -> Result<Out> {
    if path == "-" {
        return Ok(Out::Stderr);
    }
    let flags = flags::O_WRONLY | flags::O_CREAT | flags::O_TRUNC | flags::O_APPEND;
    let file = file::open_file(path, flags, 0o644)
        .meaning(|| Problem::TraceUnusable { path: path.display().to_string() })?;
    Ok(Out::File(file.into()))
}

/// Format one of two sentences, the English or the Chinese one, as the person wants: `text!("{n} files", "{n} 个文件")`.
macro_rules! text {
    ($en:literal, $zh:literal $(,)?) => {
        match $crate::narrate::lang() {
            $crate::narrate::Lang::En => format!($en),
            $crate::narrate::Lang::Zh => format!($zh),
        }
    };
}
pub(crate) use text;

/// The language in use.
pub fn lang() -> Lang {
    voice().lang
}

/// Say on standard error what went wrong, what the kernel said and what to do, in one sentence.
pub fn report(error: &Error) {
    voice().say(Ink::Refused, &words::sentence(error, voice().lang));
}

/// Whether a person sees at once what is said: standard error is a terminal.
pub fn is_seen() -> bool {
    voice().terminal
}

/// Say something worth knowing on standard error.
pub fn note(note: &Note) {
    voice().say(Ink::Title, &note.sentence(voice().lang));
}

impl std::fmt::Display for Error {
    /// The sentence in English, for logs and tests; people are told by [`report`].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&words::sentence(self, Lang::En))
    }
}
