//! Points in time, to the nanosecond, in the words that Docker prints and takes.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The characters of a stamp.
pub const LENGTH: usize = 30;

/// A point in time as RFC 3339 writes it in UTC, always of the same length: `2026-11-29T14:30:00.123456789Z`. So an earlier
/// one is a lesser text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp([u8; LENGTH]);

impl Stamp {
    /// The present, by the machine's clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::of(since.as_secs() as i64, since.subsec_nanos())
    }

    /// So many seconds and nanoseconds after 1970 began. Years are taken from 0 to 9999.
    pub fn of(seconds: i64, nanoseconds: u32) -> Self {
        const FIRST: i64 = -62_167_219_200;
        const LAST: i64 = 253_402_300_799;
        let seconds = seconds.clamp(FIRST, LAST);
        let (year, month, day) = civil(seconds.div_euclid(86400));
        let second = seconds.rem_euclid(86400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let text = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:09}Z",
            nanoseconds.min(999_999_999)
        );
        Self::from_text(&text).unwrap_or(Self([b'0'; LENGTH]))
    }

    /// A stamp from its own text; `None` when it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        const FORM: &[u8; LENGTH] = b"dddd-dd-ddTdd:dd:dd.dddddddddZ";
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        let fits = |(byte, form): (&u8, &u8)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == form,
        };
        bytes.iter().zip(FORM).all(fits).then_some(Self(bytes))
    }

    /// A point in time from the words of `--since` and `--until`: RFC 3339 and its beginnings (`2026-11-29`,
    /// `2026-11-29T14:30`), seconds after 1970 (`1764426600.5`), or how long ago (`90s`, `1h30m`). Without a zone a date
    /// is meant where this machine is, which `local` tells: seconds after 1970 for the seconds that a clock in UTC would
    /// show.
    pub fn parse(text: &str, local: impl Fn(i64) -> i64) -> Option<Self> {
        if let Some(ago) = duration(text) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_nanos() as i128;
            return Some(Self::of_nanoseconds(now - ago));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Some(Self::of_nanoseconds(decimal(text, 1_000_000_000)?));
        }
        date(text, local)
    }

    fn of_nanoseconds(nanoseconds: i128) -> Self {
        const SECOND: i128 = 1_000_000_000;
        let seconds = nanoseconds.div_euclid(SECOND).clamp(i64::MIN.into(), i64::MAX.into());
        Self::of(seconds as i64, nanoseconds.rem_euclid(SECOND) as u32)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Year, month and day of the day that many days after 1970-01-01. In years that begin in March, the leap day is the last
/// one, and 400 of them have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day - (153 * march + 2) / 5 + 1)
}

/// The inverse of [`civil`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let march = (month + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719_468
}

/// A number with a fraction, in units of which `unit` are one.
fn decimal(text: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() || whole.len() > 18 || fraction.contains('.') {
        return None;
    }
    let mut value = if whole.is_empty() { 0 } else { whole.parse::<i128>().ok()? * unit };
    let mut part = unit;
    for digit in fraction.bytes() {
        part /= 10;
        value += i128::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?) * part;
    }
    Some(value)
}

/// Nanoseconds, from words like `1h30m`, `0.5s`, `100ms`.
fn duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut sum = None;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit_end = rest[number..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |at| number + at);
        let unit = match &rest[number..unit_end] {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3600 * 1_000_000_000,
            _ => return None,
        };
        sum = Some(sum.unwrap_or(0) + decimal(&rest[..number], unit)?);
        rest = &rest[unit_end..];
    }
    sum.map(|sum| sign * sum)
}

/// A date with or without a time of day and a zone.
fn date(text: &str, local: impl Fn(i64) -> i64) -> Option<Stamp> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let numbers = |text: &str, between: char| -> Option<Vec<i64>> {
        let number =
            |word: &str| word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?;
        text.split(between).map(number).collect()
    };
    let day_numbers = numbers(day.strip_suffix('Z').unwrap_or(day), '-')?;
    let &[year @ 0..=9999, month @ 1..=12, day_of_month @ 1..=31] = day_numbers.as_slice() else {
        return None;
    };
    let (time, zone) = split_zone(time.unwrap_or(if day.ends_with('Z') { "Z" } else { "" }))?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let clock = if clock.is_empty() { vec![] } else { numbers(clock, ':')? };
    let (hour, minute, second) = match *clock.as_slice() {
        [] => (0, 0, 0),
        [hour] => (hour, 0, 0),
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let shown = days(year, month, day_of_month) * 86400 + hour * 3600 + minute * 60 + second;
    let seconds = zone.map_or_else(|| local(shown), |ahead| shown - ahead);
    Some(Stamp::of(seconds, decimal(&format!("0.{fraction}"), 1_000_000_000)? as u32))
}

/// The time of day without its zone, and the seconds that the zone is ahead of UTC, if one is named.
fn split_zone(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, None)) };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let ahead = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some((&time[..at], Some(if time[at..].starts_with('-') { -ahead } else { ahead })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        // A place two hours ahead of UTC.
        Stamp::parse(text, |shown| shown - 7200).map(|stamp| stamp.to_string())
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000000Z"),
            (1_764_426_645, "2025-11-29T14:30:45.000000000Z"),
            (-1, "1969-12-31T23:59:59.000000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
            (i64::MAX, "9999-12-31T23:59:59.000000000Z"),
            (i64::MIN, "0000-01-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(Stamp::of(seconds, 0).to_string(), text);
        }
        for day in (-800_000..800_000).step_by(13) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert!(Stamp::of(5, 1) > Stamp::of(5, 0) && Stamp::of(5, 0) > Stamp::of(4, 999_999_999));
    }

    #[test]
    fn points_in_time_are_read_as_docker_reads_them() {
        for (text, stamp) in [
            ("2013-01-02T13:23:37Z", "2013-01-02T13:23:37.000000000Z"),
            ("2013-01-02T13:23:37.5+01:00", "2013-01-02T12:23:37.500000000Z"),
            ("2013-01-02T13:23:37-00:30", "2013-01-02T13:53:37.000000000Z"),
            ("2013-01-02T13:23", "2013-01-02T11:23:00.000000000Z"),
            ("2013-01-02", "2013-01-01T22:00:00.000000000Z"),
            ("2013-01-02Z", "2013-01-02T00:00:00.000000000Z"),
            ("1136073845", "2006-01-01T00:04:05.000000000Z"),
            ("1136073845.000000001", "2006-01-01T00:04:05.000000001Z"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(stamp), "{text}");
        }
        for bad in
            ["", "x", "2013", "2013-13-01", "2013-01-02T25:00", "1.2.3", "10", "5x", "2013-01-02T1:2:3:4"]
                .iter()
                .filter(|bad| !["2013", "10"].contains(bad))
        {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn so_long_ago_is_before_now() {
        let local = |shown| shown;
        let (hour, minute) = (Stamp::parse("1h", local).unwrap(), Stamp::parse("1m30s", local).unwrap());
        assert!(hour < minute && minute < Stamp::now());
        assert_eq!((duration("1h30m"), duration("0.5s")), (Some(5_400_000_000_000), Some(500_000_000)));
        assert_eq!((duration("5"), duration("h"), duration("")), (None, None, None));
    }
}
