//! Signals by their names, as signal(7) lists them and kill(1) takes them.

use crate::error::{Error, LifeProblem, Problem, Result};
pub use crate::sys::signal::{SIGKILL, SIGTERM};

/// The number of the signal that a person calls `TERM`, `SIGTERM`, `sigterm` or `15`; real-time ones are `RTMIN+3`.
pub fn parse(text: &str) -> Result<i32> {
    let bad = || Error::new(Problem::Life(LifeProblem::BadSignal { text: text.to_owned() }));
    if let Ok(number) = text.parse() {
        return if (1..=crate::sys::signal::last()).contains(&number) { Ok(number) } else { Err(bad()) };
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    crate::sys::signal::number(name).ok_or_else(bad)
}

/// The name of a signal, without `SIG`.
pub fn name(number: i32) -> String {
    crate::sys::signal::name(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_a_name_and_a_number() {
        for text in ["TERM", "SIGTERM", "sigterm", "term", "15"] {
            assert_eq!(parse(text).unwrap(), 15, "{text}");
        }
        assert_eq!(parse("RTMIN+3").unwrap(), parse("RTMIN").unwrap() + 3);
        for text in ["", "0", "65", "NOTHING", "-9", "SIG"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(name(9), "KILL");
    }
}
