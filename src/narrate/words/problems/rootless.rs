//! The sentences about ordinary users.

use super::super::{Lang, both};
use super::problems;
use crate::error::RootlessProblem;

problems! { RootlessProblem;
    NoMapper { program } => {
        what: "{program} is not on this machine, so only your own id is mapped, to root", "本机没有 {program}，所以只映射了你自己的 id（映射为 root）";
        todo: "`apt install uidmap` has it", "`apt install uidmap` 可以装上";
    }
    NoWayOut => {
        what: "your containers on this network reach each other and nothing else: neither pasta nor slirp4netns is on this machine", "你在这个网络上的容器只能彼此连通，不能连到外面：本机没有 pasta，也没有 slirp4netns";
        todo: "`apt install passt` or `apt install slirp4netns` gives them a way out", "`apt install passt` 或 `apt install slirp4netns` 之后就能连到外面";
    }
    NoNetwork => {
        what: "this container has no network: nothing here can lead out of one of yours", "这个容器没有网络：这里没有程序能把你的网络连到外面";
        todo: "`apt install passt` (or slirp4netns) and a /dev/net/tun of mode 0666 give it one; --network bridge connects your containers with each other all the same, --network none silences this line", "`apt install passt`（或 slirp4netns），并让 /dev/net/tun 的权限为 0666，就会有网络；用 --network bridge 仍可让你的容器彼此连通，用 --network none 就不再提示";
    }
    WayOutFailed { program, said } => {
        what: "your containers on this network reach each other and nothing else: {program} could not connect them: {said}", "你在这个网络上的容器只能彼此连通，不能连到外面：{program} 无法连接它们：{said}";
        todo: "it needs /dev/net/tun to be open to you (mode 0666), and the machine a default route", "它要求你能打开 /dev/net/tun（权限 0666），并且本机有默认路由";
    }
    MapRefused { program, said } => {
        what: "{program} would not map the ids that you have been given, so only your own is mapped, to root: {said}", "{program} 不肯映射分配给你的 id，所以只映射了你自己的 id（映射为 root）：{said}";
        todo: "compare the line for you in /etc/subuid and /etc/subgid with subuid(5); the program must belong to root and be set-user-id", "请对照 subuid(5) 检查 /etc/subuid 和 /etc/subgid 里属于你的行；该程序必须属于 root 并带 set-user-id 位";
    }
}
