//! iptables(8): scripts for iptables-restore(8), and what iptables-save(8) says.
//!
//! One script changes everything, in one commit a table, without a subprocess a rule.
//!
//! Linux has two packet filters behind the same commands: `iptables-nft` writes to nf_tables, `iptables-legacy` to the
//! older tables, and a packet meets both. On a machine whose rules stand in the older tables, leave to pass that is
//! given in the newer ones changes nothing, since a policy of DROP in the others still holds. So the rules go where
//! the machine's are: see [`Backend::of_machine`].

use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::{command, file};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Read the script on standard input, keep the rules of others, wait for others' changes to end.
const RESTORE: &[&str] = &["--noflush", "--wait=5"];

/// The tables in the kernel's older packet filter of this network namespace, one a line.
const LEGACY_TABLES: &str = "/proc/net/ip_tables_names";

/// By which programs rules are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// `iptables-restore`, whichever of the two that is here.
    #[default]
    Usual,
    /// `iptables-legacy-restore`.
    Legacy,
}

impl Backend {
    /// Where this machine's rules stand: in the older tables if there are any rules in them, or a chain whose policy
    /// is not ACCEPT; else wherever `iptables-restore` writes to.
    pub fn of_machine() -> Result<Self> {
        let tables = file::if_there(file::read_text(Path::new(LEGACY_TABLES)));
        if tables.ok().flatten().is_none_or(|tables| tables.trim().is_empty())
            || find("iptables-legacy-restore").is_err()
        {
            return Ok(Self::Usual);
        }
        // Whoever is root in a user namespace alone may not list them; then they are no affair of theirs.
        let saved = run("iptables-legacy-save", &[], "").unwrap_or_default();
        Ok(if essence(&saved).lines().any(|line| !line.starts_with('*')) {
            Self::Legacy
        } else {
            Self::Usual
        })
    }

    fn program(self, what: &str) -> String {
        match self {
            Self::Usual => format!("iptables-{what}"),
            Self::Legacy => format!("iptables-legacy-{what}"),
        }
    }

    /// Carry out `script`, beside the rules that are there. An empty one is not worth a process. Errors: `NoIptables`
    /// where the program is missing, `NatRefused` where it or the kernel does not take the script.
    pub fn restore(self, script: &Script) -> Result<()> {
        if script.is_empty() {
            return Ok(());
        }
        run(&self.program("restore"), RESTORE, &script.text()).map(drop)
    }

    /// Delete every rule that is `ours`.
    pub fn sweep(self, ours: &dyn Fn(&str) -> bool) -> Result<()> {
        let saved = run(&self.program("save"), &[], "")?;
        self.restore(&deletions(&saved, ours))
    }
}

/// Rules to be added or deleted, in the order in which they were said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script(Vec<(&'static str, String)>);

impl Script {
    /// One line more for `table`, which is `nat`, `filter` or `mangle`: `-A FORWARD …`.
    pub fn line(&mut self, table: &'static str, line: String) {
        self.0.push((table, line));
    }

    /// The lines of `other` after these.
    pub fn append(&mut self, other: Script) {
        self.0.extend(other.0);
    }

    /// The script that deletes the rules that this one adds (`-A`, `-I`).
    pub fn undone(self) -> Self {
        let undo = |line: String| match line.strip_prefix("-A ").or_else(|| line.strip_prefix("-I ")) {
            Some(rule) => format!("-D {rule}"),
            None => line,
        };
        Self(self.0.into_iter().map(|(table, line)| (table, undo(line))).collect())
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As iptables-restore(8) reads it: each table once.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for table in TABLES {
            let mut lines = self.0.iter().filter(|(of, _)| *of == table).peekable();
            if lines.peek().is_some() {
                let lines: String = lines.flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
                let _ = write!(text, "*{table}\n{lines}COMMIT\n");
            }
        }
        text
    }
}

/// The tables that hold rules of ours.
const TABLES: [&str; 3] = ["nat", "filter", "mangle"];

/// The script that deletes the rules that are `ours` from `saved`, the output of iptables-save(8).
fn deletions(saved: &str, ours: &dyn Fn(&str) -> bool) -> Script {
    let mut script = Script::default();
    let mut table = None;
    for line in saved.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = TABLES.into_iter().find(|table| *table == name);
        }
        if let (Some(table), Some(rule)) = (table, line.strip_prefix("-A ").filter(|rule| ours(rule))) {
            script.line(table, format!("-D {rule}"));
        }
    }
    script
}

/// Whether this machine has the programs that write packet filter rules.
pub fn available() -> bool {
    find("iptables-restore").is_ok()
}

/// The rules of this network namespace in the tables `filter` and `nat`, as iptables-save(8) writes them: each table
/// with the policies of its chains that hold rules or have another policy than ACCEPT.
pub fn listing() -> Result<String> {
    // A table at a time: whoever is root in a user namespace alone may not list the tables of iptables-legacy.
    let saved = [run("iptables-save", &["-t", "filter"], "")?, run("iptables-save", &["-t", "nat"], "")?];
    Ok(saved.iter().map(|table| essence(table)).collect())
}

/// How many packets each rule of the table `table` has met, in the order of the rules, with the rule itself.
pub fn counters(table: &str) -> Result<Vec<(u64, String)>> {
    Ok(run("iptables-save", &["-c", "-t", table], "")?.lines().filter_map(counted).collect())
}

/// `[3:180] -A FORWARD -i docker0 -j ACCEPT`.
fn counted(line: &str) -> Option<(u64, String)> {
    let (counts, rule) = line.strip_prefix('[')?.split_once("] -A ")?;
    Some((counts.split(':').next()?.parse().ok()?, rule.to_owned()))
}

/// `saved` without remarks, counters, and chains of which there is nothing to say.
fn essence(saved: &str) -> String {
    let speaks = |table: &str, line: &&str| {
        let mut words = line.split(' ');
        match line.strip_prefix(':') {
            Some(chain) => {
                let rule = format!("-A {} ", chain.split(' ').next().unwrap_or_default());
                words.nth(1) != Some("ACCEPT") || table.contains(&rule)
            }
            None => line.starts_with(['*', '-']),
        }
    };
    let of_table = |table: &str| -> String {
        let lines = table.lines().filter(|line| speaks(table, line));
        lines.flat_map(|line| [line.split(" [").next().unwrap_or_default(), "\n"]).collect()
    };
    saved.split_inclusive("COMMIT\n").map(of_table).collect()
}

/// Carry out the text of a script by `iptables-restore`.
pub fn restore(script: &str) -> Result<()> {
    run("iptables-restore", RESTORE, script).map(drop)
}

/// Run one of the iptables programs; what it wrote to standard output.
pub fn run(name: &str, arguments: &[&str], stdin: &str) -> Result<String> {
    let program = find(name)?;
    let output = command::run(&program, arguments, stdin)
        .meaning(|| Problem::NoIptables { program: name.to_owned() })?;
    if output.status != 0 {
        return Err(Error::new(Problem::NatRefused {
            program: name.to_owned(),
            said: verdict(&output.stderr),
        }));
    }
    Ok(output.stdout)
}

/// The first line that is not a remark about the machine's other tables.
fn verdict(stderr: &str) -> String {
    let mut lines = stderr.lines().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default().to_owned()
}

/// Look for a program where root's programs are, which a person's PATH may leave out, then in PATH.
fn find(name: &str) -> Result<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    ["/usr/sbin", "/sbin"]
        .into_iter()
        .chain(path.split(':').filter(|directory| directory.starts_with('/')))
        .map(|directory| PathBuf::from(directory).join(name))
        .find(|program| file::access(program, true).is_ok())
        .ok_or_else(|| Error::new(Problem::NoIptables { program: name.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_said_once_and_nothing_else_than_ours_is_deleted() {
        let saved = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i one -j ACCEPT\n-A FORWARD -i two -j ACCEPT\nCOMMIT\n\
                     *raw\n-A PREROUTING -i one -j ACCEPT\nCOMMIT\n\
                     *nat\n-A POSTROUTING -o one -j MASQUERADE\n-A OUTPUT -o one -j ACCEPT\nCOMMIT\n";
        let script = deletions(saved, &|rule| rule.contains(" one "));
        let expected = "*nat\n-D POSTROUTING -o one -j MASQUERADE\n-D OUTPUT -o one -j ACCEPT\nCOMMIT\n\
                        *filter\n-D FORWARD -i one -j ACCEPT\nCOMMIT\n";
        assert_eq!(script.text(), expected);
        assert!(deletions("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n", &|_| true).is_empty());
    }

    #[test]
    fn a_listing_tells_of_chains_with_rules_or_a_policy() {
        let expected = "*filter\n:FORWARD DROP\n-A FORWARD -i docker0 -j ACCEPT\n";
        let table = "# Generated\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [3:180]\n-A FORWARD -i docker0 -j ACCEPT\nCOMMIT\n";
        assert_eq!(essence(table), expected);
        assert_eq!(
            essence("*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j X\n"),
            "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -j X\n"
        );
    }

    #[test]
    fn a_rule_has_its_packets_before_it() {
        assert_eq!(counted("[3:180] -A FORWARD -j ACCEPT"), Some((3, "FORWARD -j ACCEPT".to_owned())));
        assert_eq!(counted(":FORWARD DROP [3:180]"), None);
    }

    #[test]
    fn the_verdict_is_the_line_that_says_why() {
        let said = "# Warning: iptables-legacy tables present\niptables-restore: line 2 failed: No chain.\n";
        assert_eq!(verdict(said), "iptables-restore: line 2 failed: No chain.");
        assert_eq!(verdict(""), "");
    }
}
