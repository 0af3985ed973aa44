//! Whether a container that has ended is started again, and after which pause: `--restart`.

use crate::error::{Error, LifeProblem, Problem, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    #[default]
    No,
    /// When it ended with another status than 0; so often at most, if a number is given.
    OnFailure(Option<u32>),
    /// Whenever it ends by itself.
    Always,
    /// The same: what differs with Docker is what its daemon does when the machine starts, and there is no daemon here.
    UnlessStopped,
}

/// The first pause; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST: Duration = Duration::from_secs(60);
/// Who has run so long is healthy: the pauses begin anew.
const HEALTHY: Duration = Duration::from_secs(10);

impl Restart {
    /// Read `no`, `on-failure`, `on-failure:3`, `always` or `unless-stopped`.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = || Error::new(Problem::Life(LifeProblem::BadRestart { text: text.to_owned() }));
        match text.split_once(':') {
            None => match text {
                "" | "no" => Ok(Restart::No),
                "on-failure" => Ok(Restart::OnFailure(None)),
                "always" => Ok(Restart::Always),
                "unless-stopped" => Ok(Restart::UnlessStopped),
                _ => Err(bad()),
            },
            Some(("on-failure", number)) => {
                let most: u32 = number.parse().map_err(|_| bad())?;
                Ok(Restart::OnFailure(Some(most).filter(|most| *most > 0)))
            }
            Some(_) => Err(bad()),
        }
    }

    /// Whether a container that ended by itself with `status`, and was started again `restarts` times, is to be
    /// started once more.
    pub fn wants(self, status: u8, restarts: u32) -> bool {
        match self {
            Restart::No => false,
            Restart::OnFailure(most) => status != 0 && most.is_none_or(|most| restarts < most),
            Restart::Always | Restart::UnlessStopped => true,
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Restart::No => f.write_str("no"),
            Restart::OnFailure(None) => f.write_str("on-failure"),
            Restart::OnFailure(Some(most)) => write!(f, "on-failure:{most}"),
            Restart::Always => f.write_str("always"),
            Restart::UnlessStopped => f.write_str("unless-stopped"),
        }
    }
}

/// The pauses between one run and the next.
#[derive(Debug)]
pub struct Pauses(Duration);

impl Default for Pauses {
    /// None was made yet.
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pauses {
    /// The pause after a run that took `ran`.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= HEALTHY {
            self.0 = FIRST;
        }
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_written_as_it_is_read() {
        for text in ["no", "on-failure", "on-failure:3", "always", "unless-stopped"] {
            assert_eq!(Restart::parse(text).unwrap().to_string(), text);
        }
        for text in ["never", "on-failure:", "on-failure:x", "always:2", "on-failure:-1"] {
            assert!(Restart::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn who_fails_is_started_again_so_often_at_most() {
        let twice = Restart::OnFailure(Some(2));
        assert_eq!([0, 1, 2].map(|restarts| twice.wants(1, restarts)), [true, true, false]);
        assert!(!twice.wants(0, 0) && Restart::Always.wants(0, 1000) && !Restart::No.wants(1, 0));
    }

    #[test]
    fn pauses_grow_and_a_healthy_run_ends_that() {
        let mut pauses = Pauses::default();
        let short = Duration::from_secs(1);
        let made = [short, short, HEALTHY, short].map(|ran| pauses.after(ran).as_millis());
        assert_eq!(made, [100, 200, 100, 200]);
        assert_eq!((0..20).map(|_| pauses.after(short)).last(), Some(LONGEST));
    }
}
