//! The sentences about terminals and logs.

use super::super::{Lang, both};
use super::problems;
use crate::error::ConsoleProblem;

problems! { ConsoleProblem;
    NotATerminal => {
        what: "the input device is not a TTY", "输入设备不是终端";
        todo: "leave out -t, or run it in a terminal", "请去掉 -t，或在终端里运行";
    }
    BadDetachKeys { text } => {
        what: "{text:?} is no sequence of keys", "{text:?} 不是按键序列";
        todo: "give letters, or ctrl- and one of a-z @ [ \\ ] ^ _, with commas between: --detach-keys ctrl-p,ctrl-q", "请给出字母，或 ctrl- 加上 a-z @ [ \\ ] ^ _ 之一，用逗号隔开，例如 --detach-keys ctrl-p,ctrl-q";
    }
    BadTail { text } => {
        what: "{text:?} is no number of lines", "{text:?} 不是行数";
        todo: "give a number, or all: --tail 20", "请给出数字或 all，例如 --tail 20";
    }
    BadTime { text } => {
        what: "{text:?} is no point in time", "{text:?} 不是时间";
        todo: "give a date (2026-11-29T14:30:00Z), seconds after 1970, or how long ago (42m, 1h30m)", "请给出日期（2026-11-29T14:30:00Z）、自 1970 年起的秒数，或多久以前（42m、1h30m）";
    }
    LogDamaged { path } => {
        what: "the log {path} is damaged", "日志 {path} 已损坏";
        todo: "what was shown came before the damage; remove the file to begin a new log", "已显示的内容位于损坏之前；删除该文件即可开始新的日志";
    }
    OneToAttach => {
        what: "only one container can be started and attached to at once", "一次只能启动并连接一个容器";
        todo: "start the others without -a", "其他容器请不加 -a 启动";
    }
    Paused { name } => {
        what: "the container {name} is paused, and says nothing", "容器 {name} 处于暂停状态，没有输出";
        todo: "let it go on first: minidocker unpause {name}", "请先让它继续：minidocker unpause {name}";
    }
    OutputLost => {
        what: "not all that the container said has arrived here", "容器的输出没有全部到达这里";
        todo: "the container has ended; see minidocker logs", "容器已经结束；请用 minidocker logs 查看";
    }
    OutputBroken => {
        what: "nobody reads what the container says here any more", "这里已经没有人读取容器的输出";
        todo: "the container goes on: see minidocker logs, attach and stop", "容器仍在运行：请用 minidocker logs、attach 或 stop";
    }
    SupervisorGone => {
        what: "the container's supervisor has ended without saying how the container did", "容器的监管进程已结束，没有说明容器如何结束";
        todo: "it was killed, and the kernel killed the container with it; the next command clears up", "它被杀死，内核也随之杀死了容器；下一条命令会清理";
    }
}
