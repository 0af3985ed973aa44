//! `cgroup-demo`.

use crate::common::Test;

pub fn tests() -> Vec<Test> {
    Vec::new()
}
