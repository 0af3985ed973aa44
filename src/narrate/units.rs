//! Amounts as Docker writes them, in three or four significant digits: `1.5kB` of a thousand bytes, `512KiB` of 1024.

/// Bytes in powers of 1000: sizes on disk, and what went over the network.
pub fn decimal(bytes: u64) -> String {
    amount(bytes as f64, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB"], 4)
}

/// The same in three digits, as in tables of containers and images.
pub fn decimal_short(bytes: u64) -> String {
    amount(bytes as f64, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB"], 3)
}

/// Bytes in powers of 1024: memory.
pub fn binary(bytes: u64) -> String {
    amount(bytes as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 4)
}

fn amount(mut value: f64, base: f64, units: &[&str], digits: i32) -> String {
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let before = if value < 1.0 { 1 } else { value.log10() as i32 + 1 };
    let text = format!("{value:.*}", (digits - before).max(0) as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_dockers() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (1234, "1.234kB"),
            (1_500_000, "1.5MB"),
            (123_456_789, "123.5MB"),
        ] {
            assert_eq!(decimal(bytes), text);
        }
        assert_eq!(decimal_short(123_456_789), "123MB");
        assert_eq!(decimal_short(1_234_567), "1.23MB");
        for (bytes, text) in [(0, "0B"), (1 << 20, "1MiB"), (64 << 20, "64MiB"), (1_590_000, "1.516MiB")] {
            assert_eq!(binary(bytes), text);
        }
    }
}
