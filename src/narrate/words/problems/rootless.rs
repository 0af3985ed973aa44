//! The sentences about ordinary users.

use super::super::{Lang, both};
use super::problems;
use crate::error::RootlessProblem;

problems! { RootlessProblem;
    NoSubordinateIds { user } => {
        what: "{user} has no subordinate ids", "{user} 没有从属 id";
        todo: "root can give some: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}", "root 可以分配：usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}";
    }
}
