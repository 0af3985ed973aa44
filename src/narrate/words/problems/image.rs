//! The sentences about images.

use super::super::{Lang, both};
use super::problems;
use crate::error::ImageProblem;

problems! { ImageProblem;
    BadChange { text } => {
        what: "{text:?} is no change of an image", "{text:?} 不是对镜像的修改";
        todo: "it is an instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR, and what it is to be", "应写成 Dockerfile 指令：CMD、ENTRYPOINT、ENV、EXPOSE、LABEL、STOPSIGNAL、USER、VOLUME 或 WORKDIR，后跟其值";
    }
    BadDigest { text } => {
        what: "{text:?} is no digest", "{text:?} 不是摘要";
        todo: "a digest is sha256: and 64 hexadecimal digits", "摘要是 sha256: 加 64 位十六进制数字";
    }
    ChangedMeanwhile { path } => {
        what: "{path:?} became shorter while it was read", "读取 {path:?} 的过程中，它变短了";
        todo: "let the container be paused meanwhile: leave --pause as it is, or stop it first", "读取期间请让容器暂停：不要关掉 --pause，或者先停止容器";
    }
    AmbiguousId { text } => {
        what: "several images have an id that begins with {text}", "有多个镜像的 id 以 {text} 开头";
        todo: "give more of its digits; `minidocker images --no-trunc` shows them all", "请多给几位；`minidocker images --no-trunc` 会全部显示";
    }
    WrongDigest { expected, found } => {
        what: "what should be {expected} is {found}", "应为 {expected} 的内容实际是 {found}";
        todo: "it was damaged or changed on its way: get it again; nothing was added", "它在途中损坏或被改动：请重新获取；没有添加任何东西";
    }
    WrongSize { digest, size, length } => {
        what: "{digest} should have {size} bytes and has {length}", "{digest} 应有 {size} 字节，实际有 {length}";
        todo: "it was cut off or changed on its way: get it again; nothing was added", "它在途中被截断或改动：请重新获取；没有添加任何东西";
    }
    LayerNameTaken { asked, there } => {
        what: "the layer {asked} begins with the same digits as {there}, which is here", "层 {asked} 与已有的 {there} 开头的几位数字相同";
        todo: "such layers are made on purpose: do not trust that image, or remove the one that is here", "这样的层是有意制造的：不要信任那个镜像，或删除已有的那个";
    }
    BadDocument { name, detail } => {
        what: "{name} is not the document that an image has there ({detail})", "{name} 不是镜像在那里应有的文档（{detail}）";
        todo: "see what is in the archive with tar -tvf", "用 tar -tvf 看看归档里有什么";
    }
    BrokenStream { detail } => {
        what: "the archive cannot be read to its end ({detail})", "无法把归档读到结尾（{detail}）";
        todo: "it was cut off or damaged: get it again; nothing was added", "它被截断或损坏了：请重新获取；没有添加任何东西";
    }
    ToTerminal => {
        what: "cowardly refusing to save to a terminal", "不愿把归档写到终端";
        todo: "use -o FILE, or redirect standard output", "请用 -o FILE，或重定向标准输出";
    }
    BadImageName { text } => {
        what: "{text:?} is no name of an image", "{text:?} 不是镜像名";
        todo: "it is lower-case letters, digits, ., _ and - in parts set apart by /, and a tag behind a colon: me/web:1.0", "镜像名由小写字母、数字、.、_、- 组成，各段以 / 分隔，冒号后是标签：me/web:1.0";
    }
    BadImageFilter { text } => {
        what: "{text:?} is no filter of images", "{text:?} 不是镜像过滤条件";
        todo: "there are dangling=true, reference=NAME[:TAG] and label=KEY[=VALUE]", "可用的有 dangling=true、reference=名字[:标签]、label=键[=值]";
    }
    ImageInUse { word, id, container, running: true } => {
        what: "conflict: unable to remove {word:?} (cannot be forced): image {id} is being used by running container {container}", "冲突：无法删除 {word:?}（不能强制）：镜像 {id} 正被运行中的容器 {container} 使用";
        todo: "end the container and remove it first: minidocker rm -f {container}", "先结束并删除容器：minidocker rm -f {container}";
    }
    ImageInUse { word, id, container, running: false } => {
        what: "conflict: unable to remove {word:?} (must be forced): image {id} is being used by stopped container {container}", "冲突：无法删除 {word:?}（须强制）：镜像 {id} 被已停止的容器 {container} 使用";
        todo: "minidocker rm {container} removes the container; -f removes the image all the same, and keeps the layers that the container stands on", "minidocker rm {container} 可删除该容器；-f 会照样删除镜像，但保留容器所依赖的层";
    }
    ImageHasNames { id, names } => {
        what: "conflict: unable to delete {id} (must be forced): image is referenced in multiple repositories: {names}", "冲突：无法删除 {id}（须强制）：镜像有多个名字：{names}";
        todo: "remove it by its names, or with -f", "请按名字逐个删除，或加 -f";
    }
}
