//! The sentences about volumes.

use super::super::{Lang, both};
use super::problems;
use crate::error::VolumeProblem;

problems! { VolumeProblem;
    BadName { name } => {
        what: "{name:?} includes invalid characters for a local volume name", "{name:?} 不能作卷名";
        todo: "begin with a letter or digit, then at least one letter, digit, _ . or -; for a directory of the host give its absolute path", "以字母或数字开头，后面至少再有一个字母、数字、_ . 或 -；若是主机目录，请给出绝对路径";
    }
    BadMount { text, detail } => {
        what: "{text:?} is no mount: {detail}", "{text:?} 不是有效的挂载：{detail}";
        todo: "write it as type=bind|volume|tmpfs,source=...,target=..., with readonly, volume-nocopy, tmpfs-size or tmpfs-mode", "写成 type=bind|volume|tmpfs,source=...,target=...，可加 readonly、volume-nocopy、tmpfs-size 或 tmpfs-mode";
    }
    BadTmpfs { text } => {
        what: "{text:?} is no file system in memory", "{text:?} 不是有效的内存文件系统";
        todo: "write it as /path or /path:size=64m,mode=1777,exec", "写成 /路径 或 /路径:size=64m,mode=1777,exec";
    }
    BadLabel { text } => {
        what: "{text:?} is no label", "{text:?} 不是标签";
        todo: "write it as KEY=value", "写成 键=值";
    }
    BadShmSize { text } => {
        what: "{text:?} is no size of /dev/shm", "{text:?} 不是 /dev/shm 的大小";
        todo: "give a number above 0 with b, k, m or g: --shm-size 64m", "请给出大于 0、带 b、k、m 或 g 的数字，例如 --shm-size 64m";
    }
    BadFilter { text } => {
        what: "invalid filter {text:?}", "过滤条件 {text:?} 无效";
        todo: "see the option --filter in the help of this command", "见此命令帮助里的选项 --filter";
    }
    UnknownDriver { name } => {
        what: "there is no volume driver {name:?}", "没有名为 {name:?} 的卷驱动";
        todo: "leave --driver out: volumes are directories of this machine, the driver local", "去掉 --driver：卷就是本机的目录，即驱动 local";
    }
    NoSuchVolume { name } => {
        what: "get {name}: no such volume", "get {name}：没有这个卷";
        todo: "`minidocker volume ls` lists them", "`minidocker volume ls` 列出所有卷";
    }
    InUse { name, by } => {
        what: "remove {name}: volume is in use - {by:?}", "remove {name}：卷正在使用 - {by:?}";
        todo: "remove those containers first: minidocker rm", "请先删除这些容器：minidocker rm";
    }
}
