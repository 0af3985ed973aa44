//! Names for containers that nobody named: two words, drawn by lot.

use crate::error::Result;
use crate::process;

const HOW: [&str; 32] = [
    "able", "bold", "brave", "bright", "busy", "calm", "clever", "cosy", "curious", "daring", "eager",
    "easy", "fair", "gentle", "happy", "honest", "humble", "jolly", "keen", "kind", "lively", "lucky",
    "merry", "neat", "patient", "proud", "quick", "quiet", "sharp", "steady", "swift", "warm",
];

/// People without whom there would be no such thing as a container.
const WHO: [&str; 32] = [
    "aho",
    "allman",
    "babbage",
    "bach",
    "cerf",
    "cox",
    "cutler",
    "dijkstra",
    "engelbart",
    "floyd",
    "hamilton",
    "hopper",
    "joy",
    "kahn",
    "kernighan",
    "knuth",
    "lamport",
    "liskov",
    "lions",
    "lovelace",
    "mcilroy",
    "mckusick",
    "ossanna",
    "perlman",
    "pike",
    "postel",
    "ritchie",
    "stevens",
    "tanenbaum",
    "thompson",
    "torvalds",
    "wirth",
];

/// A name; whoever finds it taken draws again.
pub fn draw() -> Result<String> {
    let lot = process::random(2)?;
    let word = |words: &[&'static str; 32], byte: u8| words[usize::from(byte) % words.len()];
    Ok(format!("{}_{}", word(&HOW, lot[0]), word(&WHO, lot[1])))
}
