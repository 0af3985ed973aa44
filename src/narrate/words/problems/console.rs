//! The sentences about terminals and logs.

use super::super::{Lang, both};
use super::problems;
use crate::error::ConsoleProblem;

problems! { ConsoleProblem;
    NotATerminal => {
        what: "the input device is not a TTY", "输入设备不是终端";
        todo: "leave out -t, or run it in a terminal", "请去掉 -t，或在终端里运行";
    }
}
