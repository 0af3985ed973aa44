//! The table of a container's processes, as `ps -ef` prints it.

use super::table;
use crate::observe::{self, Process};
use crate::sys::local::local;

const HEADS: [&str; 8] = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

/// Print `processes`.
pub fn processes(processes: &[Process]) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let rows: Vec<Vec<String>> = processes.iter().map(|one| row(one, now.as_secs() as i64)).collect();
    table::table(&HEADS, &rows);
}

fn row(process: &Process, now: i64) -> Vec<String> {
    let time = process.time;
    vec![
        observe::user_name(process.uid),
        process.pid.to_string(),
        process.parent.to_string(),
        process.share.to_string(),
        began(process.began, now),
        process.terminal.clone().unwrap_or_else(|| "?".to_owned()),
        format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60),
        process.command.clone(),
    ]
}

/// The hour of the last day, the day of this year, or the year.
fn began(began: i64, now: i64) -> String {
    const DAY: i64 = 86400;
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (then, today) = (local(began), local(now));
    if now - began < DAY {
        format!("{:02}:{:02}", then.hour, then.minute)
    } else if then.year == today.year {
        format!("{}{:02}", MONTHS[then.month], then.day)
    } else {
        then.year.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_the_less_exact() {
        let year = 366 * 86400;
        assert_eq!(began(10 * year, 11 * year).len(), 4);
        assert_eq!(began(10 * year, 10 * year + 60).as_bytes()[2], b':');
    }
}
