//! The life of a container, from create to rm.

use crate::common::Test;
use crate::common::as_both;
use crate::common::space::{Space, Who};

pub fn tests() -> Vec<Test> {
    [as_both(&[], an_unknown_container_is_one_sentence)].into_iter().flatten().collect()
}

fn an_unknown_container_is_one_sentence(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["rm", "nobody"]).assert_failed(&["nobody"]);
}
