//! The options that choose for whom a report is.

use crate::error::Result;
use crate::lab::lesson::Lesson;
use crate::lab::report::{self, Report};
use crate::narrate::{lang, table};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const HEADING: &str = "Report";

// For whom the report is. (No doc comment: clap would print it as the description of the whole program.)
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, Args)]
pub struct Form {
    /// Report for a program, in this form
    #[arg(long, global = true, help_heading = HEADING, value_enum, value_name = "FORM")]
    report: Option<Format>,
    /// Put that report into FILE, and tell the person as usual
    #[arg(short, long, global = true, help_heading = HEADING, value_name = "FILE", requires = "report")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// All that is known, in both languages
    Json,
    /// JUnit XML
    Junit,
    /// Gradescope's results.json
    Gradescope,
    /// Annotations of GitHub Actions, with `Points X/Y`
    Github,
}

impl Form {
    /// Whether nothing is to be told to the person, since standard output is the program's.
    pub fn is_silent(&self) -> bool {
        self.report.is_some() && self.output.is_none()
    }

    /// Write the report where it was asked for, if it was.
    pub fn write(&self, report: &Report, lessons: &[Lesson]) -> Result<()> {
        let Some(format) = self.report else { return Ok(()) };
        let text = report.render(format.into(), lessons, lang());
        match &self.output {
            Some(path) => report::save(path, &text),
            None => table::deliver(&text),
        }
    }
}

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Json => Self::Json,
            Format::Junit => Self::Junit,
            Format::Gradescope => Self::Gradescope,
            Format::Github => Self::Github,
        }
    }
}
