//! The sentences about looking at containers.

use super::super::{Lang, both};
use super::problems;
use crate::error::LookProblem;

problems! { LookProblem;
    BadTemplate { text, detail } => {
        what: "template parsing error: {text:?}: {detail}", "模板 {text:?} 有错：{detail}";
        todo: "`--format json` shows all fields; `{{{{.Name}}}}` is the value of one", "`--format json` 列出所有字段；`{{{{.Name}}}}` 表示其中一个的值";
    }
    BadFilter { text, known } => {
        what: "invalid filter {text:?}", "过滤条件 {text:?} 无效";
        todo: "write it as NAME=value; the names are {known:?}", "写成 名字=值，可用的名字有 {known:?}";
    }
    BadTime { text } => {
        what: "{text:?} is no time", "{text:?} 不是时间";
        todo: "give a time such as 2006-01-02T15:04:05Z, seconds since 1970, or how long ago: 10m, 1h30m", "请给出时间，例如 2006-01-02T15:04:05Z、自 1970 年起的秒数，或多久以前：10m、1h30m";
    }
    BadType { text } => {
        what: "{text:?} is not a valid value for --type", "--type 不能是 {text:?}";
        todo: "choose container, image, network or volume", "可选 container、image、network 或 volume";
    }
    NoSuchObject { name } => {
        what: "no such object: {name}", "没有这个对象：{name}";
        todo: "`minidocker ps -a`, `images`, `volume ls` and `network ls` list what there is", "用 `minidocker ps -a`、`images`、`volume ls` 和 `network ls` 查看都有什么";
    }
}
