//! The sentences about networks.

use super::super::{Lang, both};
use super::problems;
use crate::error::NetProblem;

problems! { NetProblem;
    NoSuchNetwork { name } => {
        what: "there is no network {name}", "没有名为 {name} 的网络";
        todo: "`minidocker network ls` lists them", "用 `minidocker network ls` 查看";
    }
}
