//! Typical wrong answers, to prove that the checks catch them.

use crate::container::parts::Parts;

/// A wrong answer.
#[derive(Debug)]
pub struct Mutant {
    /// Its name, unique in the lesson.
    pub name: &'static str,
    /// The parts, with the wrong one among them.
    pub parts: Parts,
    /// The checks that it fails: these and no others.
    pub fails: &'static [&'static str],
    /// The mistake that each of these failures must be told as.
    pub mistake: Option<&'static str>,
}
