//! The sentences about the life of containers.

use super::super::{Lang, both};
use super::problems;
use crate::error::LifeProblem;

problems! { LifeProblem;
    Paused { name } => {
        what: "container {name} is paused", "容器 {name} 已暂停";
        todo: "unpause it first: minidocker unpause {name}", "请先恢复：minidocker unpause {name}";
    }
}
