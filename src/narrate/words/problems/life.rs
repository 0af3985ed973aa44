//! The sentences about the life of containers.

use super::super::{Lang, both};
use super::problems;
use crate::error::LifeProblem;

problems! { LifeProblem;
    Paused { name } => {
        what: "container {name} is paused", "容器 {name} 已暂停";
        todo: "unpause it first: minidocker unpause {name}", "请先恢复：minidocker unpause {name}";
    }
    AlreadyPaused { name } => {
        what: "container {name} is already paused", "容器 {name} 已经暂停了";
        todo: "minidocker unpause {name} lets it go on", "minidocker unpause {name} 让它继续运行";
    }
    NotPaused { name } => {
        what: "container {name} is not paused", "容器 {name} 没有暂停";
        todo: "there is nothing to do", "不需要做什么";
    }
    CannotFreeze { name } => {
        what: "container {name} has no cgroup that could be frozen", "容器 {name} 没有可以冻结的 Cgroup";
        todo: "as an ordinary user start it in a delegated cgroup: systemd-run --user --scope -p Delegate=yes minidocker run …", "普通用户请在委派的 Cgroup 里启动：systemd-run --user --scope -p Delegate=yes minidocker run …";
    }
    AlreadyRunning { name } => {
        what: "container {name} is running already", "容器 {name} 已经在运行";
        todo: "minidocker attach {name} shows it", "用 minidocker attach {name} 查看";
    }
    BadRestart { text } => {
        what: "{text:?} is no restart policy", "{text:?} 不是重启策略";
        todo: "choose from no, on-failure, on-failure:3, always, unless-stopped", "可选的有 no、on-failure、on-failure:3、always、unless-stopped";
    }
    RestartAndRemove => {
        what: "--restart and --rm contradict each other", "--restart 与 --rm 互相矛盾";
        todo: "give one of them", "请只用其中一个";
    }
    BadSignal { text } => {
        what: "{text:?} is no signal", "{text:?} 不是信号";
        todo: "give a name or a number, such as TERM or 15; `kill -l` lists them", "请给出名字或编号，例如 TERM 或 15；`kill -l` 列出全部";
    }
    BadStopTimeout { text } => {
        what: "{text:?} is no number of seconds", "{text:?} 不是秒数";
        todo: "give a whole number, or -1 to wait for ever", "请给出整数，-1 表示一直等待";
    }
    BadLabel { text } => {
        what: "{text:?} is no label", "{text:?} 不是标签";
        todo: "write it as NAME=VALUE", "写成 名字=值";
    }
    SupervisorVanished => {
        what: "the container's supervisor was killed", "容器的守护进程被杀死了";
        todo: "the kernel has ended the container with it; `dmesg` tells whether the OOM killer did it", "内核已随之结束了容器；用 `dmesg` 查看是不是 OOM Killer 所为";
    }
}
