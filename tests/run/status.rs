//! The exit status is the command's own, or says why there was no command.

use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [as_both(&[], the_commands_own)].into_iter().flatten().collect()
}

fn the_commands_own(who: Who) {
    let space = Space::new(who);
    for status in [0, 1, 42, 255] {
        let outcome = space.run(&["--network", "none", "base", "sh", "-c", &format!("exit {status}")]);
        assert_eq!((outcome.status, outcome.err.as_str()), (status, ""));
    }
}
