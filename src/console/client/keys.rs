//! The keys by which a person leaves a container that goes on.

use crate::error::{ConsoleProblem, Error, Problem, Result};

/// A sequence of keys, and how much of it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    sequence: Vec<u8>,
    typed: usize,
}

impl Default for Keys {
    /// `ctrl-p ctrl-q`.
    fn default() -> Self {
        Self { sequence: vec![16, 17], typed: 0 }
    }
}

impl Keys {
    /// Keys from the words of `--detach-keys`: each a character or `ctrl-` and one of `a-z @ [ \ ] ^ _`, with commas
    /// between. No words are the usual keys.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bad = || Error::new(Problem::Console(ConsoleProblem::BadDetachKeys { text: text.to_owned() }));
        let sequence: Option<Vec<u8>> = text.split(',').map(key).collect();
        Ok(Self { sequence: sequence.ok_or_else(bad)?, typed: 0 })
    }

    /// Of `bytes`, which were typed, what is to go to the container, and whether the sequence is complete. What may be its
    /// beginning is kept back until the next key decides.
    pub(super) fn filter(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if *byte != self.sequence[self.typed] {
                passed.extend_from_slice(&self.sequence[..self.typed]);
                self.typed = 0;
            }
            if *byte == self.sequence[self.typed] {
                self.typed += 1;
            } else {
                passed.push(*byte);
            }
            if self.typed == self.sequence.len() {
                self.typed = 0;
                return (passed, true);
            }
        }
        (passed, false)
    }
}

fn key(word: &str) -> Option<u8> {
    match word.strip_prefix("ctrl-").map(str::as_bytes) {
        Some([letter @ b'a'..=b'z']) => Some(letter - b'a' + 1),
        Some([b'@']) => Some(0),
        Some([sign @ b'['..=b'_']) => Some(sign - b'[' + 27),
        Some(_) => None,
        None => match word.as_bytes() {
            [one] if one.is_ascii() => Some(*one),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_dockers() {
        assert_eq!(Keys::parse("").unwrap(), Keys::default());
        assert_eq!(Keys::parse("ctrl-p,ctrl-q").unwrap(), Keys::default());
        assert_eq!(Keys::parse("a,ctrl-@,ctrl-[,ctrl-_,ctrl-z").unwrap().sequence, [b'a', 0, 27, 31, 26]);
        for bad in ["ctrl-", "ctrl-A", "ctrl-1", "ab", "a,", "ä"] {
            assert!(Keys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_the_whole_sequence_is_passed_on() {
        let mut keys = Keys::default();
        assert_eq!(keys.filter(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(keys.filter(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(keys.filter(b"\x10\x10"), (b"\x10".to_vec(), false));
        assert_eq!(keys.filter(b"\x11rest"), (b"".to_vec(), true));
        assert_eq!(keys.filter(b"\x11"), (b"\x11".to_vec(), false));
    }
}
