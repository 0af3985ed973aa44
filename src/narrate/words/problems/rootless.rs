//! The sentences about ordinary users.

use super::super::{Lang, both};
use super::problems;
use crate::error::RootlessProblem;

problems! { RootlessProblem;
    NoMapper { program } => {
        what: "{program} is not on this machine, so only your own id is mapped, to root", "本机没有 {program}，所以只映射了你自己的 id（映射为 root）";
        todo: "`apt install uidmap` has it", "`apt install uidmap` 可以装上";
    }
    MapRefused { program, said } => {
        what: "{program} would not map the ids that you have been given, so only your own is mapped, to root: {said}", "{program} 不肯映射分配给你的 id，所以只映射了你自己的 id（映射为 root）：{said}";
        todo: "compare the line for you in /etc/subuid and /etc/subgid with subuid(5); the program must belong to root and be set-user-id", "请对照 subuid(5) 检查 /etc/subuid 和 /etc/subgid 里属于你的行；该程序必须属于 root 并带 set-user-id 位";
    }
}
