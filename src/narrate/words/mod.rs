//! WORDS: all prose, in one table, in both languages.
//!
//! A [`Text`] has an English and a Chinese half and [`both!`] formats one of two sentences; neither can be
//! made without its other half, and every `match` here is exhaustive, so a missing word does not compile.
//! Names of calls, files, flags and structures are the kernel's in both languages, and stay as they are.

mod advice;
mod labels;
mod notes;
mod problems;
mod questions;
mod steps;

pub use labels::Label;
pub use notes::Note;
pub use problems::sentence;
pub use questions::Question;
pub use steps::{StepWords, step, step_word};

use std::fmt;

/// A language that the narrator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The language that the environment asks for: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set.
    pub fn of_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        if locale.is_some_and(|locale| locale.starts_with("zh")) { Lang::Zh } else { Lang::En }
    }
}

/// A text in both languages.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

impl Text {
    /// The half for `lang`.
    pub fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

/// Format one of two sentences, the English or the Chinese one.
macro_rules! both {
    ($lang:expr, $en:literal, $zh:literal $(,)?) => {
        match $lang {
            $crate::narrate::words::Lang::En => format!($en),
            $crate::narrate::words::Lang::Zh => format!($zh),
        }
    };
}
use both;

/// A number of bytes as people write it: `64 MiB`.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let mut unit = 0;
        let mut value = self.0 as f64;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let digits = usize::from(value.fract() >= 0.05);
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_largest_unit_that_fits() {
        assert_eq!(Bytes(64 << 20).to_string(), "64 MiB");
        assert_eq!(Bytes(1536).to_string(), "1.5 KiB");
        assert_eq!(Bytes(7).to_string(), "7 B");
    }
}
