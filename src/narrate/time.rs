//! Points in time and how long ago they are, as Docker writes them. All times are UTC.

/// `2026-11-29T14:27:54Z`, with nine digits behind the second if there are `nanoseconds`.
pub fn rfc3339(seconds: u64, nanoseconds: u32) -> String {
    let (days, rest) = (seconds / 86400, seconds % 86400);
    let (year, month, day) = civil(days as i64);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let fraction = if nanoseconds == 0 { String::new() } else { format!(".{nanoseconds:09}") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// The same of nanoseconds since 1970, with all nine digits behind the second.
pub fn with_nanoseconds(nanoseconds: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let text = rfc3339(nanoseconds / SECOND, 0);
    format!("{}.{:09}Z", text.trim_end_matches('Z'), nanoseconds % SECOND)
}

/// `2026-11-29 14:27:54 +0000 UTC`: the same in tables.
pub fn in_tables(seconds: u64) -> String {
    let text = rfc3339(seconds, 0);
    format!("{} +0000 UTC", text.trim_end_matches('Z').replace('T', " "))
}

/// Year, month and day of the day that is so many after the first of January 1970, in the Gregorian calendar.
fn civil(days: i64) -> (i64, u32, u32) {
    // Years are counted from the first of March: the leap day is the last of its year, and 400 years have 146097 days.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The number of days from the first of January 1970 to a day of the Gregorian calendar.
fn days_until(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let shifted = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A time that a person gave, in nanoseconds since 1970: `2006-01-02T15:04:05.5Z` or a part of it, seconds since 1970
/// (`1700000000.5`), or how long before `now` (also in nanoseconds): `10m`, `1h30m`.
pub fn parse(text: &str, now: u64) -> Option<u64> {
    if let Some(ago) = duration(text) {
        return Some(now.saturating_sub(ago));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        return seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanoseconds(fraction)?);
    }
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let numbers =
        |text: &str, by: char| text.split(by).map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>();
    let [year, month @ 1..=12, day @ 1..=31] = numbers(date, '-')?[..] else { return None };
    let (clock, offset) = offset(clock)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let (hour, minute, second) = match numbers(clock, ':')?[..] {
        [hour] => (hour, 0, 0),
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 60 || !(1970..=9999).contains(&year) {
        return None;
    }
    let of_day = i64::from(hour * 3600 + minute * 60 + second);
    let seconds = days_until(i64::from(year), month, day) * 86400 + of_day - offset;
    u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?.checked_add(nanoseconds(fraction)?)
}

/// The clock's time without what stands behind it, `Z` or `+02:00`, and how many seconds that is ahead of UTC.
fn offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, 0)) };
    let (hours, minutes) = clock[at + 1..].split_once(':')?;
    let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some((&clock[..at], if clock.as_bytes()[at] == b'-' { -seconds } else { seconds }))
}

fn nanoseconds(fraction: &str) -> Option<u64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    format!("{fraction:0<9}").parse().ok().filter(|_| digits)
}

/// `1h30m`, `10s`, `1.5h`, `100ms` in nanoseconds.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let letters = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        total += number
            * match &after[..letters] {
                "h" => 3600e9,
                "m" => 60e9,
                "s" => 1e9,
                "ms" => 1e6,
                "us" | "µs" => 1e3,
                "ns" => 1.0,
                _ => return None,
            };
        rest = &after[letters..];
    }
    (!text.is_empty()).then_some(total as u64)
}

/// So many seconds in words, as Docker says them: `Less than a second`, `3 seconds`, `About an hour`, `2 weeks`.
pub fn in_words(seconds: u64) -> String {
    let hours = (seconds as f64 / 3600.0).round() as u64;
    match (seconds, seconds / 60) {
        (0, _) => "Less than a second".to_owned(),
        (1, _) => "1 second".to_owned(),
        (2..60, _) => format!("{seconds} seconds"),
        (_, 1) => "About a minute".to_owned(),
        (_, minutes @ 2..60) => format!("{minutes} minutes"),
        _ => match hours {
            1 => "About an hour".to_owned(),
            2..48 => format!("{hours} hours"),
            48..336 => format!("{} days", hours / 24),
            336..1440 => format!("{} weeks", hours / 24 / 7),
            1440..17520 => format!("{} months", hours / 24 / 30),
            _ => format!("{} years", hours / 24 / 365),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_written_and_read() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (1_795_962_474, 5, "2026-11-29T14:27:54.000000005Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds, nanoseconds), text);
            assert_eq!(parse(text, 0), Some(seconds * 1_000_000_000 + u64::from(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn people_give_times_in_many_ways() {
        let now = 100_000_000_000_000;
        for (text, nanoseconds) in [
            ("10s", now - 10_000_000_000),
            ("1h30m", now - 5400 * 1_000_000_000),
            ("1.5m", now - 90_000_000_000),
            ("7", 7_000_000_000),
            ("7.25", 7_250_000_000),
            ("1970-01-02", 86_400_000_000_000),
            ("1970-01-02T01:00+01:00", 86_400_000_000_000),
            ("1970-01-01T23:59:59.5", 86_399_500_000_000),
        ] {
            assert_eq!(parse(text, now), Some(nanoseconds), "{text}");
        }
        for bad in ["", "x", "10", "1970-13-01", "1970-01-01T25:00", "yesterday", "-5m", "1.2.3", "5d"] {
            assert_eq!(parse(bad, now).is_none(), bad != "10", "{bad}");
        }
    }

    #[test]
    fn how_long_ago_in_dockers_words() {
        for (seconds, words) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (3600, "About an hour"),
            (2 * 3600, "2 hours"),
            (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"),
            (14 * 86400, "2 weeks"),
            (60 * 86400, "2 months"),
            (800 * 86400, "2 years"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
