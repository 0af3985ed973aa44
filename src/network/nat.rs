//! The three packet filter rules of the bridge, written and removed by iptables-restore(8).
//!
//! In the table `nat`, what leaves the subnet by another way than the bridge gets the host's own address
//! (MASQUERADE), since nobody outside knows a route back to the subnet. In `filter`, what comes from the bridge
//! is forwarded, and what goes to it if it belongs to a connection that was made from there. These two stand at
//! the head of FORWARD: dockerd sets that chain's policy to DROP, and rules after its own would come too late.
//!
//! One script changes everything, in one commit a table, without a subprocess a rule. Each rule names the
//! bridge; that is how a rule of unknown origin is recognised as ours.

use super::subnet::Subnet;
use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::{command, file};
use std::path::PathBuf;

/// Read the script on standard input, keep the rules of others, wait for others' changes to end.
const RESTORE: &[&str] = &["--noflush", "--wait=5"];

/// Whether this machine has the programs that write packet filter rules.
pub fn iptables_available() -> bool {
    find("iptables-restore").is_ok()
}

/// Write the rules for `bridge` with `subnet`. They must not be there yet: a second set would stand beside the first.
pub fn apply(bridge: &str, subnet: Subnet) -> Result<()> {
    restore(&script(bridge, subnet, "-A", "-I"))
}

/// Remove what [`apply`] wrote; where that is not all there, whatever of it is.
pub fn remove(bridge: &str, subnet: Subnet) -> Result<()> {
    restore(&script(bridge, subnet, "-D", "-D")).or_else(|_| sweep(bridge, subnet))
}

/// Look for rules that are ours, and remove just those: for a host of which only the ledger is known.
pub fn sweep(bridge: &str, subnet: Subnet) -> Result<()> {
    let rules = run("iptables-save", &[], "")?;
    match deletions(&rules, bridge, subnet) {
        script if script.is_empty() => Ok(()),
        script => restore(&script),
    }
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

/// `table` without remarks, counters, and chains of which there is nothing to say.
fn essence(table: &str) -> String {
    let speaks = |line: &&str| {
        let mut words = line.split(' ');
        match line.strip_prefix(':') {
            Some(chain) => {
                let rule = format!("-A {} ", chain.split(' ').next().unwrap_or_default());
                words.nth(1) != Some("ACCEPT") || table.contains(&rule)
            }
            None => line.starts_with(['*', '-']),
        }
    };
    let lines = table.lines().filter(speaks);
    lines.flat_map(|line| [line.split(" [").next().unwrap_or_default(), "\n"]).collect()
}

/// The rules, each begun with the command `nat` or `filter` according to its table.
fn script(bridge: &str, subnet: Subnet, nat: &str, filter: &str) -> String {
    format!(
        "*nat\n\
         {nat} POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE\n\
         COMMIT\n\
         *filter\n\
         {filter} FORWARD -i {bridge} -j ACCEPT\n\
         {filter} FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
         COMMIT\n"
    )
}

/// The script that deletes our rules from `saved`, the output of iptables-save(8); empty when there are none.
fn deletions(saved: &str, bridge: &str, subnet: Subnet) -> String {
    let mut script = String::new();
    for table in saved.split("COMMIT") {
        let Some(name) = table.lines().find(|line| line.starts_with('*')) else { continue };
        let rules = table
            .lines()
            .filter_map(|line| line.strip_prefix("-A "))
            .filter(|rule| ours(rule, bridge, subnet));
        let deletions: String = rules.map(|rule| format!("-D {rule}\n")).collect();
        if !deletions.is_empty() {
            script += &format!("{name}\n{deletions}COMMIT\n");
        }
    }
    script
}

fn ours(rule: &str, bridge: &str, subnet: Subnet) -> bool {
    let has = |word: &str| rule.split_whitespace().any(|part| part == word);
    has(bridge) || has("MASQUERADE") && has(&subnet.to_string())
}

/// Let iptables-restore(8) carry out `script`, beside the rules that are there. Errors: `NoIptables` where the program is
/// missing, `NatRefused` where it or the kernel does not take the script.
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

    const BRIDGE: &str = "minidocker0";
    const SAVED: &str = "\
# Generated by iptables-save
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
-A FORWARD -o minidocker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -i minidocker01 -j ACCEPT
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.30.0.0/16 ! -o minidocker0 -j MASQUERADE
COMMIT
";

    fn subnet() -> Subnet {
        "172.30.0.0/16".parse().unwrap()
    }

    #[test]
    fn only_our_rules_are_swept() {
        let expected = "\
*filter
-D FORWARD -o minidocker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
-D POSTROUTING -s 172.30.0.0/16 ! -o minidocker0 -j MASQUERADE
COMMIT
";
        assert_eq!(deletions(SAVED, BRIDGE, subnet()), expected);
        assert_eq!(deletions("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n", BRIDGE, subnet()), "");
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
    fn what_is_applied_and_what_is_removed_differ_in_the_command_alone() {
        let applied = script(BRIDGE, subnet(), "-A", "-I");
        assert!(applied.contains("\n-A POSTROUTING -s 172.30.0.0/16 ! -o minidocker0 -j MASQUERADE\n"));
        let removed = applied.replace("-A P", "-D P").replace("-I F", "-D F");
        assert_eq!(removed, script(BRIDGE, subnet(), "-D", "-D"));
    }

    #[test]
    fn the_verdict_is_the_line_that_says_why() {
        let said = "# Warning: iptables-legacy tables present\niptables-restore: line 2 failed: No chain.\n";
        assert_eq!(verdict(said), "iptables-restore: line 2 failed: No chain.");
        assert_eq!(verdict(""), "");
    }
}
