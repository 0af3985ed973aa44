//! The sentences about going into a container that is there.

use super::super::{Lang, both};
use super::problems;
use crate::error::InsideProblem;

problems! { InsideProblem;
    NoPs => {
        what: "options of ps need the host's ps, which this machine does not have", "ps 的选项需要主机的 ps，本机没有";
        todo: "leave them out, or install it: `sudo apt install procps`", "去掉这些选项，或安装它：`sudo apt install procps`";
    }
    PsRefused { said } => {
        what: "ps did not take these options ({said})", "ps 不接受这些选项（{said}）";
        todo: "`ps --help all` lists them", "`ps --help all` 列出所有选项";
    }
    NoPidColumn => {
        what: "what ps lists with these options has no column PID, by which a container's processes are known", "用这些选项时 ps 的输出没有 PID 列，无法认出容器的进程";
        todo: "ask for it too: -o pid,…", "请加上它：-o pid,…";
    }
    NothingThere { path } => {
        what: "could not find {path:?}", "找不到 {path:?}";
        todo: "check the path; missing directories are not made", "请检查路径；缺少的目录不会自动创建";
    }
    NotInContainer { path, name } => {
        what: "could not find the file {path} in container {name}", "容器 {name} 里找不到文件 {path}";
        todo: "check the path; missing directories are not made", "请检查路径；缺少的目录不会自动创建";
    }
    NoSuchDirectory { path } => {
        what: "a file cannot be copied to {path:?}, which asks for a directory: no such directory", "无法把文件复制到 {path:?}：它要求是目录，而没有这个目录";
        todo: "make the directory first, or leave the / at the end away", "请先创建目录，或去掉末尾的 /";
    }
    DirectoryOverFile { path } => {
        what: "cannot copy a directory over {path:?}, which is none", "无法用目录覆盖 {path:?}：它不是目录";
        todo: "choose another destination, or remove what is there", "请换一个目的地，或先删除那里的文件";
    }
    FileOverDirectory { path } => {
        what: "cannot copy over the directory {path:?} what is none", "无法用非目录覆盖目录 {path:?}";
        todo: "choose another destination, or remove what is there", "请换一个目的地，或先删除那个目录";
    }
    MustBeDirectory { path } => {
        what: "the destination {path:?} must be a directory", "目的地 {path:?} 必须是目录";
        todo: "name one that is there: an archive is unpacked into it", "请给出已有的目录：归档会解包到其中";
    }
    BetweenContainers => {
        what: "copying between containers is not supported", "不支持在容器之间复制";
        todo: "copy to this machine first, or: minidocker cp A:/x - | minidocker cp - B:/y", "请先复制到本机，或：minidocker cp A:/x - | minidocker cp - B:/y";
    }
    NoContainerNamed => {
        what: "one of both must be in a container", "两者之一必须在容器里";
        todo: "write it as CONTAINER:PATH", "请写成 容器:路径";
    }
    EnvFile { path } => {
        what: "the variables in {path} cannot be read", "无法读取 {path} 里的变量";
        todo: "name a text file with a line NAME=VALUE for each", "请给出文本文件，每行一个 NAME=VALUE";
    }
    Ended { name } => {
        what: "container {name} ended before the command began: it is not running", "容器 {name} 在命令开始之前已结束：它没有在运行";
        todo: "`minidocker ps` lists those that are running", "`minidocker ps` 列出正在运行的容器";
    }
    CommandVanished => {
        what: "the process that was to become the command was killed before that", "将要变成命令的进程在那之前就被杀死了";
        todo: "the container may be short of memory: see `dmesg` for the OOM killer", "容器可能内存不足：OOM Killer 的记录见 `dmesg`";
    }
}
