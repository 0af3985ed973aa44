//! What holds for every demo that a menu names: it plays to its end, and leaves nothing.

use super::told::play;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, test};
use std::collections::BTreeSet;
use std::path::Path;

pub fn tests() -> Vec<Test> {
    [as_both(&[], every_stop_of_every_tour_plays), test(&[], the_readmes_name_every_command_and_no_other)]
        .into_iter()
        .flatten()
        .collect()
}

/// The programs. (`cgroup-demo` needs cgroups, and has tests of its own.)
const PROGRAMS: [&str; 3] = ["ns-demo", "overlay-demo", "net-demo"];

/// The demos that a menu names.
fn stops(space: &Space, program: &str) -> Vec<String> {
    let menu = play(space, program, &[]);
    let named = menu.lines().filter_map(|line| line.trim().strip_prefix(program)?.split_whitespace().next());
    named.map(str::to_owned).collect()
}

fn every_stop_of_every_tour_plays(who: Who) {
    let space = Space::new(who);
    for program in PROGRAMS {
        for stop in stops(&space, program) {
            let told = play(&space, program, &[&stop]);
            let (_, ending) =
                told.split_once("── What you saw").unwrap_or_else(|| panic!("{program} {stop}: {told}"));
            let (saw, next) = ending.split_once("── Try next").unwrap();
            let least = if told.contains("not on this machine:") { 0 } else { 1 };
            assert!((least..=3).contains(&saw.matches('✓').count()), "{program} {stop}: {told}");
            assert!(next.contains("$ "), "{program} {stop}: {told}");
        }
    }
}

/// The row of a README's table about a program says all that `--help` lists.
fn the_readmes_name_every_command_and_no_other() {
    let space = Space::new(Who::User);
    for readme in ["README.md", "README.zh.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(readme)).unwrap();
        for program in ["ns-demo", "cgroup-demo", "overlay-demo", "net-demo"] {
            let row = text.lines().find_map(|line| line.strip_prefix(&format!("| `{program}` | ")));
            let row = row.unwrap_or_else(|| panic!("{readme} has no row about {program}"));
            let quoted = row.split('`').skip(1).step_by(2).filter_map(|word| word.split_whitespace().next());
            let named: BTreeSet<&str> = quoted.filter(|word| !word.starts_with('-')).collect();
            let named: BTreeSet<&str> = named.into_iter().filter(|word| !word.ends_with(".svg")).collect();
            let help = play(&space, program, &["--help"]);
            let (_, listed) = help.split_once("Commands:").unwrap();
            let listed = listed.lines().skip(1).take_while(|line| !line.is_empty());
            let commands = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
            let commands = commands.filter_map(|line| line.split_whitespace().next());
            let commands: BTreeSet<&str> = commands.filter(|word| !["tour", "help"].contains(word)).collect();
            assert_eq!(named, commands, "{readme}, {program}");
        }
    }
}
