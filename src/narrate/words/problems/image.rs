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
}
