//! Processes as ps(1) lists them: `/proc/PID/stat`, `/proc/PID/status` and `/proc/PID/cmdline`.

use super::census::command;
use super::process::status;
use super::{Who, namespaces};

/// One process, as `ps -ef` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its pid in the reader's `/proc`.
    pub pid: i32,
    /// That of its parent.
    pub parent: i32,
    /// Its effective user id.
    pub uid: u32,
    /// How much of one processor it has used since it began, in percent.
    pub share: u64,
    /// When it began: seconds since 1970.
    pub began: i64,
    /// Its terminal, below `/dev`.
    pub terminal: Option<String>,
    /// Time on processors, in seconds.
    pub time: u64,
    /// Its command line; of one that has none, its name in brackets.
    pub command: String,
}

/// Clock ticks a second in `/proc`: `USER_HZ`, which is 100 on every architecture that we run on.
const HZ: u64 = 100;

/// The process `pid`, if there is one.
pub fn process(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let boot = std::fs::read_to_string("/proc/stat").ok()?;
    let uid = status(Who::Pid(pid), "Uid")?.split(' ').nth(1)?.parse().ok()?;
    let command = Some(command(pid)).filter(|_| has_arguments(pid));
    parse(&stat, &uptime, &boot, uid, command)
}

fn has_arguments(pid: i32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| !arguments.is_empty())
}

/// Fields are counted as in proc_pid_stat(5): the second is the name, in parentheses, and may hold anything.
fn parse(stat: &str, uptime: &str, boot: &str, uid: u32, command: Option<String>) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let (pid, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let since_boot: f64 = uptime.split(' ').next()?.parse().ok()?;
    let booted: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let (ticks, began) = (number(14)? + number(15)?, number(22)?);
    let lived = ((since_boot * HZ as f64) as u64).saturating_sub(began);
    let end = if fields.first() == Some(&"Z") { " <defunct>" } else { "" };
    Some(Process {
        pid: pid.parse().ok()?,
        parent: number(4)? as i32,
        uid,
        share: (ticks * 100).checked_div(lived).unwrap_or(0).min(99),
        began: booted + (began / HZ) as i64,
        terminal: terminal(number(7)?),
        time: ticks / HZ,
        command: command.unwrap_or_else(|| format!("[{name}]{end}")),
    })
}

/// The name of a terminal from its device number: those of a devpts, and consoles.
fn terminal(device: u64) -> Option<String> {
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
    match major {
        136..=143 => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        5 if minor == 1 => Some("console".to_owned()),
        _ => None,
    }
}

/// The processes in the pid namespace of process `first`, of those whose namespaces may be read; and itself.
pub fn companions(first: i32) -> Vec<i32> {
    let own = namespaces::link(Who::Pid(first), "pid");
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.retain(|pid| *pid == first || own.is_some() && namespaces::link(Who::Pid(*pid), "pid") == own);
    pids.sort_unstable();
    pids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_ps() {
        let mut fields: Vec<String> = (4..=52).map(|_| "0".to_owned()).collect();
        for (field, value) in [(4, "17"), (7, "34817"), (14, "250"), (15, "50"), (22, "1000")] {
            fields[field - 4] = value.to_owned();
        }
        let stat = format!("42 (a) b (c) S {}\n", fields.join(" "));
        let found = parse(&stat, "20.00 3.0\n", "cpu 1\nbtime 1000\n", 7, None).unwrap();
        let expected = Process {
            pid: 42,
            parent: 17,
            uid: 7,
            share: 30,
            began: 1010,
            terminal: Some("pts/1".to_owned()),
            time: 3,
            command: "[a) b (c]".to_owned(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn this_process_is_among_its_companions() {
        let own = std::process::id() as i32;
        assert!(companions(own).contains(&own));
        assert_eq!(process(own).map(|process| process.pid), Some(own));
    }
}
