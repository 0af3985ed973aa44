//! A digest: the name that contents give themselves. `sha256:` and 64 hexadecimal digits, as the OCI image
//! specification writes it.

use crate::error::{Error, ImageProblem, Problem, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

/// What every digest here begins with.
const ALGORITHM: &str = "sha256:";

/// The SHA-256 of some contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// That of `contents`.
    pub fn of(contents: &[u8]) -> Self {
        Self(Sha256::digest(contents).into())
    }

    /// The 64 digits: the name of a blob's file.
    pub fn hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
    }

    /// The first twelve digits, as in lists.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }

    /// The digest of 64 lower-case digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        if hex.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// The id of a chain of layers: what this layer looks like on top of the chain `below`. OCI image specification,
    /// "Layer ChainID".
    pub fn on_top_of(&self, below: Option<&Digest>) -> Digest {
        below.map_or(*self, |below| Digest::of(format!("{below} {self}").as_bytes()))
    }
}

impl FromStr for Digest {
    type Err = Error;

    /// `BadDigest` for everything else, another algorithm too.
    fn from_str(text: &str) -> Result<Self> {
        let digest = text.strip_prefix(ALGORITHM).and_then(Self::from_hex);
        digest.ok_or_else(|| Error::new(Problem::Image(ImageProblem::BadDigest { text: text.to_owned() })))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("{text:?} is no sha256 digest")))
    }
}

/// A reader or writer that takes the digest, and the length, of all that passes.
#[derive(Debug)]
pub struct Digesting<T> {
    inner: T,
    hash: Sha256,
    length: u64,
}

impl<T> Digesting<T> {
    /// Nothing has passed yet.
    pub fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), length: 0 }
    }

    /// The digest and the length in bytes of what has passed.
    pub fn finish(self) -> (Digest, u64) {
        (Digest(self.hash.finalize().into()), self.length)
    }

    /// How many bytes have passed.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
    }
}

impl<T: Read> Read for Digesting<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.passed(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Digesting<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.passed(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_written_and_read() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), OF_NOTHING);
        assert_eq!(OF_NOTHING.parse(), Ok(digest));
        assert_eq!(digest.short(), "e3b0c44298fc");
        assert_eq!(serde_json::from_str::<Digest>(&format!("{OF_NOTHING:?}")).ok(), Some(digest));
        let upper = OF_NOTHING.to_uppercase();
        for bad in
            ["", "sha256:", &OF_NOTHING[7..], &OF_NOTHING[..70], &upper, "sha256:../../etc", "sha512:00"]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_passes_is_counted_and_digested() {
        let mut through = Digesting::new(&b"contents"[..]);
        io::copy(&mut through, &mut io::sink()).unwrap();
        assert_eq!(through.finish(), (Digest::of(b"contents"), 8));
        let mut into = Digesting::new(Vec::new());
        into.write_all(b"contents").unwrap();
        assert_eq!(into.finish(), (Digest::of(b"contents"), 8));
    }

    #[test]
    fn a_chain_begins_with_its_lowest_layer() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        assert_eq!(a.on_top_of(None), a);
        assert_eq!(b.on_top_of(Some(&a)), Digest::of(format!("{a} {b}").as_bytes()));
    }
}
