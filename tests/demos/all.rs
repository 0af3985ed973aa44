//! What holds for every demo that a menu names: it plays to its end, and leaves nothing.

use super::told::play;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [as_both(&[], every_stop_of_every_tour_plays)].into_iter().flatten().collect()
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
