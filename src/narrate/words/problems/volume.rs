//! The sentences about volumes.

use super::super::{Lang, both};
use super::problems;
use crate::error::VolumeProblem;

problems! { VolumeProblem;
    NoSuchVolume { name } => {
        what: "there is no volume {name}", "没有名为 {name} 的卷";
        todo: "`minidocker volume ls` lists them", "用 `minidocker volume ls` 查看";
    }
}
