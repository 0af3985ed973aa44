//! What a stream is compressed by, found by its first bytes, and what it holds.
//!
//! A few bytes can stand for any number of zeros. What a stream gives is bounded by what went into it.

use super::store::{failed, image_problem};
use crate::error::{ImageProblem, Result};
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

/// A stream may give this many bytes whatever went in, …
const ALLOWED: u64 = 128 << 20;
/// … and beyond that this many for each byte that went in. Programs compress to a third; gzip gives at most 1032.
const RATIO: u64 = 200;

/// How much is asked of a file at once.
const BUFFER: usize = 1 << 18;

/// What is in `stream`: what gzip or zstd compressed, or the stream itself. `UnknownCompression` for bzip2 and xz; an
/// error while reading for a stream that gives too much.
pub fn open<'a>(mut stream: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let (form, first) = form(&mut stream)?;
    let whole = Cursor::new(first).chain(stream);
    if let Form::Plain = form {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, whole)));
    }
    let taken = Rc::new(Cell::new(0));
    let counted = BufReader::with_capacity(BUFFER, Counted { inner: whole, taken: Rc::clone(&taken) });
    let inner: Box<dyn Read + 'a> = match form {
        Form::Zstd => Box::new(Frames { source: counted, frame: None }),
        _ => Box::new(MultiGzDecoder::new(counted)),
    };
    Ok(Box::new(Bounded { inner, taken, given: 0 }))
}

/// The media type of the layer that `stream` holds.
pub fn media_type(mut stream: impl Read) -> Result<&'static str> {
    Ok(match form(&mut stream)?.0 {
        Form::Plain => "application/vnd.oci.image.layer.v1.tar",
        Form::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
        Form::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
    })
}

enum Form {
    Plain,
    Gzip,
    Zstd,
}

/// The form of a stream, and its first bytes, which are read now.
fn form(stream: &mut impl Read) -> Result<(Form, Vec<u8>)> {
    let mut first = Vec::new();
    stream.take(6).read_to_end(&mut first).map_err(failed)?;
    let unknown = |name: &str| Err(image_problem(ImageProblem::UnknownCompression { name: name.to_owned() }));
    let form = match first.as_slice() {
        [0x1f, 0x8b, ..] => Form::Gzip,
        // A frame of zstd, or one that it skips.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Form::Zstd,
        [b'B', b'Z', b'h', ..] => return unknown("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return unknown("xz"),
        _ => Form::Plain,
    };
    Ok((form, first))
}

/// Counts what is taken from a stream.
struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(room)?;
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

/// Gives no more than what was taken allows.
struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    taken: Rc<Cell<u64>>,
    given: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(room)?;
        self.given += count as u64;
        let taken = self.taken.get();
        if self.given > ALLOWED.saturating_add(taken.saturating_mul(RATIO)) {
            return Err(io::Error::other(image_problem(ImageProblem::Bomb { taken, given: self.given })));
        }
        Ok(count)
    }
}

/// The frames of zstd, one after another. Those that it skips hold notes of other programs.
struct Frames<R> {
    source: R,
    /// The frame that was begun.
    frame: Option<FrameDecoder>,
}

impl<R: BufRead> Frames<R> {
    /// Begin the next frame that holds something. `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            let mut decoder = FrameDecoder::new();
            match decoder.init(&mut self.source) {
                Ok(()) => {
                    self.frame = Some(decoder);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !room.is_empty() && (self.frame.is_some() || self.begin()?) {
            let Some(frame) = &mut self.frame else { break };
            while frame.can_collect() < room.len() && !frame.is_finished() {
                let more = BlockDecodingStrategy::UptoBytes(room.len() - frame.can_collect());
                frame.decode_blocks(&mut self.source, more).map_err(io::Error::other)?;
            }
            match frame.read(room)? {
                0 if frame.is_finished() => self.frame = None,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Problem};
    use std::io::Write;

    fn gzip(contents: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(contents).unwrap();
        encoder.finish().unwrap()
    }

    /// "contents" and a newline by zstd(1) without a checksum, whose blocks may be raw.
    fn zstd(contents: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, contents.len() as u8];
        let header = (contents.len() as u32) << 3 | 1;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(contents);
        frame
    }

    fn read(stream: &[u8]) -> io::Result<Vec<u8>> {
        let mut contents = Vec::new();
        open(stream).map_err(io::Error::other)?.read_to_end(&mut contents)?;
        Ok(contents)
    }

    #[test]
    fn the_first_bytes_tell() {
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        for stream in [
            b"contents".to_vec(),
            gzip(b"contents"),
            [gzip(b"con"), gzip(b"tents")].concat(),
            zstd(b"contents"),
            [&zstd(b"con")[..], &skipped, &zstd(b"tents")].concat(),
            [&skipped[..], &zstd(b"contents")].concat(),
        ] {
            assert_eq!(read(&stream).unwrap(), b"contents");
        }
        assert_eq!(read(b"").unwrap(), b"");
        assert_eq!(read(&[0x1f]).unwrap(), [0x1f]);
        for other in [&b"BZh91AY"[..], b"\xfd7zXZ\0"] {
            assert!(open(other).is_err());
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        for whole in [gzip(&[7; 1000]), zstd(&[7; 100])] {
            for length in 7..whole.len() {
                assert!(read(&whole[..length]).is_err(), "{length} of {}", whole.len());
            }
        }
        let mut changed = gzip(b"contents");
        changed[12] ^= 1;
        assert!(read(&changed).is_err());
    }

    #[test]
    fn a_few_bytes_do_not_become_any_number() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::copy(&mut io::repeat(0).take(ALLOWED * 2), &mut encoder).unwrap();
        let bomb = encoder.finish().unwrap();
        let error = io::copy(&mut open(bomb.as_slice()).unwrap(), &mut io::sink()).unwrap_err();
        let problem = error.downcast::<Error>().unwrap().problem;
        assert!(matches!(problem, Problem::Image(ImageProblem::Bomb { .. })), "{problem:?}");
    }
}
