//! The sentences about images.

use super::super::{Lang, both};
use super::problems;
use crate::error::ImageProblem;

problems! { ImageProblem;
    BadDigest { text } => {
        what: "{text:?} is no digest", "{text:?} 不是摘要";
        todo: "a digest is sha256: and 64 hexadecimal digits", "摘要是 sha256: 加 64 位十六进制数字";
    }
}
