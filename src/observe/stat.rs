//! `/proc/PID/stat` and the processors of a process: what it does, and where. See proc_pid_stat(5).

use super::{Who, process};

/// What the scheduler says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// `R` running, `S` sleeping, `D` sleeping where no signal wakes it, `Z` ended.
    pub state: char,
    /// Time on processors, in clock ticks (hundredths of a second).
    pub ticks: u64,
    /// The processor that it was on last.
    pub processor: u32,
}

/// Look at a process.
pub fn stat(pid: i32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields are counted from the one after the name, which is in parentheses and may hold anything: field 3, the state.
fn parse(stat: &str) -> Option<Stat> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        ticks: number(14)? + number(15)?,
        processor: number(39)? as u32,
    })
}

/// The processors that a process may use, as a list `0-2,4`: those of its cpuset that it has not given up itself.
pub fn allowed_processors(who: Who) -> Option<String> {
    process::status(who, "Cpus_allowed_list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let rest: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
        let line = format!("42 (a) b (c) S {}\n", rest.join(" "));
        assert_eq!(parse(&line), Some(Stat { state: 'S', ticks: 14 + 15, processor: 39 }));
        assert_eq!(parse("42 (x) S 1"), None);
    }

    #[test]
    fn this_process_runs() {
        assert!(stat(std::process::id() as i32).is_some_and(|stat| stat.state != 'Z'));
        assert!(allowed_processors(Who::Myself).is_some());
    }
}
