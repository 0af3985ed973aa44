//! `/proc/PID/status`: ids, capabilities and locks of a process. See proc(5).

use super::Who;

/// One field of the file: `0000003fffffffff` for `CapEff`, `4242 1` for `NSpid`.
pub fn status(who: Who, field: &str) -> Option<String> {
    find(&std::fs::read_to_string(format!("{}/status", who.directory())).ok()?, field)
}

/// Each line is `Field:\tvalue`; several values are parted by tabs or blanks, of which we show one.
fn find(status: &str, field: &str) -> Option<String> {
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(if field.starts_with("Cap") { capabilities(&value) } else { value })
}

/// A set of capabilities, with their number: `00000000a80425fb (14)`.
fn capabilities(set: &str) -> String {
    match u64::from_str_radix(set, 16) {
        Ok(bits) => format!("{set} ({})", bits.count_ones()),
        Err(_) => set.to_owned(),
    }
}

/// The pid of the reader as the owner of the mounted `/proc` sees it: right after a clone into a new pid
/// namespace that is still the host's view, where getpid(2) already says 1.
pub fn host_pid() -> Option<u32> {
    std::fs::read_link("/proc/self").ok()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "Name:\tsh\nNSpid:\t4242\t1\nUid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n";
        assert_eq!(find(status, "NSpid").as_deref(), Some("4242 1"));
        assert_eq!(find(status, "CapEff").as_deref(), Some("00000000a80425fb (14)"));
        assert_eq!(find(status, "Cap"), None);
    }

    #[test]
    fn proc_knows_this_process() {
        assert_eq!(host_pid(), Some(std::process::id()));
    }
}
