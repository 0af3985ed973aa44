//! The numbers in a header: octal digits, GNU tar's binary ones, and the decimal ones of extended headers.

use super::BLOCK;
use super::read::bad;
use crate::error::Result;

/// A field of octal digits, or of GNU tar's binary ones, which begin with a set bit. A negative one is an error.
pub fn number(header: &[u8; BLOCK], (start, room): (usize, usize)) -> Result<u64> {
    let text = &header[start..start + room];
    if text[0] & 0x80 != 0 {
        let (high, low) = text.split_at(room - 8);
        let too_large = match high.split_first() {
            // The bit that says that it is binary is in front of the number.
            Some((first, rest)) => first & 0x7f != 0 || rest.iter().any(|byte| *byte != 0),
            None => false,
        };
        let first = if high.is_empty() { low[0] & 0x7f } else { low[0] };
        let value = low[1..].iter().fold(u64::from(first), |number, byte| number << 8 | u64::from(*byte));
        return match too_large || value > i64::MAX as u64 {
            true => Err(bad("a number beyond all bounds")),
            false => Ok(value),
        };
    }
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(room);
    let digits = String::from_utf8_lossy(&text[..end]);
    match digits.trim_matches(' ') {
        "" => Ok(0),
        digits if digits.bytes().all(|byte| (b'0'..b'8').contains(&byte)) => {
            u64::from_str_radix(digits, 8).map_err(|_| bad("a number beyond all bounds"))
        }
        _ => Err(bad("a number is none")),
    }
}

/// A decimal number of an extended header.
pub fn parse(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Seconds, with or without a fraction: see `time` of the writer.
pub fn parse_time(text: &[u8]) -> Option<(i64, i64)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let seconds: i64 = whole.parse().ok()?;
    Some(match text.starts_with('-') && nanoseconds > 0 {
        true => (seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds),
        false => (seconds, nanoseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<u64> {
        let mut header = [0; BLOCK];
        header[..bytes.len()].copy_from_slice(bytes);
        number(&header, (0, bytes.len())).ok()
    }

    #[test]
    fn digits_are_octal() {
        assert_eq!(
            (of(b"0000644\0"), of(b"   644 \0"), of(b"\0\0\0\0\0\0\0\0")),
            (Some(0o644), Some(0o644), Some(0))
        );
        assert_eq!(
            (of(b"0000648\0"), of(b"-000644\0"), of(b"+0000644"), of(b"6 4\0\0\0\0\0")),
            (None, None, None, None)
        );
    }

    #[test]
    fn binary_numbers_are_bounded() {
        assert_eq!(of(&[0x80, 0, 0, 0, 0, 0, 1, 0]), Some(256));
        assert_eq!(of(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]), Some(256));
        assert_eq!(of(&[0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255]), Some(i64::MAX as u64));
        for beyond in
            [[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0], [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], [255; 12]]
        {
            assert_eq!(of(&beyond), None, "{beyond:?}");
        }
    }

    #[test]
    fn times_may_have_fractions() {
        assert_eq!((parse_time(b"5"), parse_time(b"5.25")), (Some((5, 0)), Some((5, 250_000_000))));
        assert_eq!(parse_time(b"-1.75"), Some((-2, 250_000_000)));
        for bad in [&b""[..], b"x", b"1.x", b"1.5.5", b"-9223372036854775808.5"] {
            assert_eq!(parse_time(bad), None);
        }
    }
}
