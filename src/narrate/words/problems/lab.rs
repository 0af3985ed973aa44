//! The sentences about the grader and its probe.

use super::super::{Lang, both};
use super::problems;
use crate::error::LabProblem;

problems! { LabProblem;
    Unreadable { what } => {
        what: "{what} is not what the grader understands", "评分程序看不懂 {what}";
        todo: "this is a fault of the grader or of the lesson's check, not of your part", "这是评分程序或课程检查的错，不是你的代码的错";
    }
    NoSuchAct { name } => {
        what: "the probe knows no act {name}", "探针没有叫 {name} 的动作";
        todo: "list it in `acts` of the lesson", "请把它列在该课的 `acts` 里";
    }
    OutOfTurn { act } => {
        what: "the probe was told to {act} before what must come first", "探针收到 {act} 的时候，它的前一步还没有做";
        todo: "this is a fault of the lesson's check", "这是课程检查的错";
    }
    ProbeVanished => {
        what: "the probe has gone", "探针已经不在了";
        todo: "see why the container ended: `cargo lab NAME --shell`", "看看容器为什么结束：`cargo lab 名字 --shell`";
    }
    NotOnOwnHost => {
        what: "the grader is not on a host of its own", "评分程序不在自己的主机上";
        todo: "this is a fault of the grader: it refuses to end processes that are not its own", "这是评分程序的错：不是自己的进程，它拒绝去结束";
    }
}
