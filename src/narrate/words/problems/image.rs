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
    UnknownCompression { name } => {
        what: "the archive is compressed by {name}", "归档是用 {name} 压缩的";
        todo: "minidocker reads gzip, zstd and what is not compressed: unpack it first", "minidocker 能读 gzip、zstd 和未压缩的归档：请先解压";
    }
    Bomb { taken, given } => {
        what: "{taken} bytes of the archive stand for more than {given}", "归档中的 {taken} 字节解压后超过 {given} 字节";
        todo: "such an archive fills a disk on purpose; nothing was added. If you trust it, decompress it yourself and load that", "这样的归档是用来填满磁盘的；没有添加任何东西。如果信任它，请先自行解压再装入";
    }
    LayersDiffer { named, described } => {
        what: "the image names {named} layers, and its configuration describes {described}", "镜像列出 {named} 层，而配置描述了 {described} 层";
        todo: "an image needs at least one layer, and a diff id for each; make it again", "镜像至少要有一层，每层一个 diff id；请重新制作";
    }
    LayerTooLarge { entries, bytes } => {
        what: "a layer has more than is allowed ({entries} names, {bytes} bytes)", "一层的内容超过上限（{entries} 个名字，{bytes} 字节）";
        todo: "the bounds are a million names and 64 GiB; nothing was added", "上限是一百万个名字和 64 GiB；没有添加任何东西";
    }
    ReservedName { path } => {
        what: "a layer may not have {path:?}: it is, or would be, the mark of something deleted", "层里不能有 {path:?}：它是（或会成为）删除标记";
        todo: "no tool makes such a layer by accident: do not trust that image; nothing was added", "没有工具会无意中做出这样的层：不要信任那个镜像；没有添加任何东西";
    }
    NotADirectoryInLayer { path } => {
        what: "{path} is not a directory, and a layer has something in it", "{path} 不是目录，而层里有东西位于其下";
        todo: "make the image again; nothing was added", "请重新制作镜像；没有添加任何东西";
    }
    TooManyLinks { path } => {
        what: "too many links lead to {path} in a layer", "层里通向 {path} 的链接太多";
        todo: "they lead round in a circle: make the image again; nothing was added", "它们绕成了圈：请重新制作镜像；没有添加任何东西";
    }
    LinkToNothing { path, first } => {
        what: "{path} in a layer is another name for {first}, which is no file of that layer", "层里的 {path} 是 {first} 的另一个名字，但后者不是该层中的文件";
        todo: "make the image again; nothing was added", "请重新制作镜像；没有添加任何东西";
    }
    OwnerNotMapped { path, uid, gid } => {
        what: "{path} in a layer belongs to {uid}:{gid}, which you have not been given", "层里的 {path} 属于 {uid}:{gid}，而你没有被分配这个 id";
        todo: "give yourself more ids in /etc/subuid and /etc/subgid, or load the image as root", "请在 /etc/subuid 和 /etc/subgid 中分配更多 id，或以 root 装入镜像";
    }
    ArchiveUnreadable { path } => {
        what: "the archive {path} cannot be read", "无法读取归档 {path}";
        todo: "see whether it is there: ls -l {path}", "看看它是否存在：ls -l {path}";
    }
    NotAnImage => {
        what: "there is no image in it: neither index.json nor manifest.json names one", "里面没有镜像：index.json 和 manifest.json 都没有列出";
        todo: "load takes what `docker save` or `skopeo copy` writes; `minidocker import` takes the files of a root file system", "load 接受 `docker save` 或 `skopeo copy` 写下的归档；根文件系统的归档请用 `minidocker import`";
    }
    NoSuchPlatform { there } => {
        what: "the image is for other machines ({there:?})", "这个镜像是给其他机器的（{there:?}）";
        todo: "get the one for this machine: skopeo copy --override-arch", "请获取适合本机的版本：skopeo copy --override-arch";
    }
    BlobMissing { digest } => {
        what: "the archive names {digest} and does not have it", "归档提到 {digest}，但里面没有";
        todo: "it was cut off, or written for somebody who has the rest: get the whole; nothing was added", "它被截断，或者是写给已有其余部分的人的：请获取完整的归档；没有添加任何东西";
    }
    BrokenStream { detail } => {
        what: "the archive cannot be read to its end ({detail})", "无法把归档读到结尾（{detail}）";
        todo: "it was cut off or damaged: get it again; nothing was added", "它被截断或损坏了：请重新获取；没有添加任何东西";
    }
    ToTerminal => {
        what: "cowardly refusing to save to a terminal", "不愿把归档写到终端";
        todo: "use -o FILE, or redirect standard output", "请用 -o FILE，或重定向标准输出";
    }
    FromTerminal => {
        what: "load reads an archive from standard input, and that is a terminal", "load 从标准输入读取归档，而标准输入是终端";
        todo: "use -i FILE, or let a file or a pipe be standard input", "请用 -i FILE，或让文件或管道作为标准输入";
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
