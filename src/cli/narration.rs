//! The flags that every binary has: how to tell what is done.

use crate::narrate::{self, Options};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const HEADING: &str = "Narration";

// How to tell what is done. Accepted before and after a subcommand. (No doc comment: clap would print it as the
// description of the whole program.)
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, Args)]
pub struct Narration {
    /// Explain each step: the requests, the kernel's answers, the evidence before and after
    #[arg(long, global = true, help_heading = HEADING)]
    explain: bool,
    /// Write each request as a line of JSON to FILE (- is standard error)
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Explain, and wait for Enter before each step
    #[arg(long, global = true, help_heading = HEADING)]
    step: bool,
    /// Language of all prose [default: by LC_ALL, LC_MESSAGES, LANG]
    #[arg(long, global = true, help_heading = HEADING, value_enum, value_name = "LANG")]
    lang: Option<Lang>,
    /// When to colour
    #[arg(long, global = true, help_heading = HEADING, value_enum, value_name = "WHEN", default_value_t)]
    color: Color,
}

// The form of narration that only minidocker has: a demo says the classic command of each scene by itself.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, Args)]
pub struct Script {
    /// Print the equivalent shell commands, as a script
    #[arg(long, global = true, help_heading = HEADING)]
    shell: bool,
}

impl Script {
    /// `options` with what was asked for here.
    pub fn with(&self, options: Options) -> Options {
        Options { shell: self.shell, ..options }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Narration {
    /// The same, as the narrator takes it.
    pub fn options(&self) -> Options {
        Options {
            explain: self.explain,
            trace: self.trace.clone(),
            shell: false,
            step: self.step,
            lang: self.lang.map(|lang| match lang {
                Lang::En => narrate::Lang::En,
                Lang::Zh => narrate::Lang::Zh,
            }),
            color: match self.color {
                Color::Auto => narrate::Color::Auto,
                Color::Always => narrate::Color::Always,
                Color::Never => narrate::Color::Never,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        narration: Narration,
        #[command(subcommand)]
        command: Command,
    }

    #[derive(clap::Subcommand)]
    enum Command {
        Run,
    }

    #[test]
    fn the_flags_stand_before_and_after_the_subcommand() {
        for line in [["p", "--explain", "--lang=zh", "run"], ["p", "run", "--explain", "--lang=zh"]] {
            let program = Program::parse_from(line);
            assert!(matches!(program.command, Command::Run));
            let options = program.narration.options();
            assert!(options.explain && !options.step);
            assert_eq!(options.lang, Some(narrate::Lang::Zh));
        }
    }
}
