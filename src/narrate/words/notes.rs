//! Notes: what a person should know although nothing failed.

use super::{Bytes, Lang, both};
use crate::error::Error;

/// Something worth a line on standard error.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The host has no iptables, so the default network became `none`.
    NoIptables,
    /// The image `base` is being made, which happens once.
    BuildingBase,
    /// Something of an earlier container could not be cleared away.
    NotCleared(Error),
    /// Something that an ordinary user could have is lacking.
    Lacking(Error),
    /// Something that a container said is not in its log.
    NotLogged(Error),
    /// Several images stand on the same layers.
    LayersShared {
        /// What the images take, as text.
        whole: String,
        /// How much more it would be if each had its own.
        saved: String,
    },
    /// This many device nodes and sockets were not copied.
    DevicesLeftOut {
        /// How many.
        count: usize,
    },
    /// Contents of so many bytes were copied.
    Copied {
        /// How many.
        bytes: u64,
        /// Where to.
        to: String,
    },
    /// The kernel's OOM killer struck inside the container's memory limit.
    OomKilled {
        /// The limit in bytes.
        limit: Option<u64>,
        /// The most that was used, in bytes.
        peak: Option<u64>,
        /// Whether it ended the container, not just one process in it.
        whole: bool,
    },
}

impl Note {
    /// The sentence in `lang`.
    pub fn sentence(&self, lang: Lang) -> String {
        match self {
            Note::NoIptables => both!(
                lang,
                "no iptables on this machine, so this container has no network; `apt install iptables` gives it one, \
                 --network none asks for none and silences this line",
                "本机没有 iptables，所以这个容器没有网络；`apt install iptables` 之后就会有，\
                 用 --network none 明确表示不要网络，就不再提示",
            ),
            Note::BuildingBase => both!(
                lang,
                "making the image base from this machine's own programs, once",
                "正在用本机自己的程序制作镜像 base，只需一次",
            ),
            Note::NotCleared(error) => {
                let why = super::sentence(error, lang);
                both!(
                    lang,
                    "an earlier container is not cleared away yet: {why}",
                    "之前的一个容器还没有清理干净：{why}"
                )
            }
            Note::Lacking(error) => super::sentence(error, lang),
            Note::NotLogged(error) => {
                let why = super::sentence(error, lang);
                both!(
                    lang,
                    "not all that the container said is in its log: {why}",
                    "容器的输出没有全部写入日志：{why}"
                )
            }
            Note::LayersShared { whole, saved } => both!(
                lang,
                "these images share layers: they take {whole}, {saved} less than if each had its own",
                "这些镜像共用了一些层：实际占用 {whole}，比各存一份少 {saved}",
            ),
            Note::DevicesLeftOut { count } => both!(
                lang,
                "left out {count} device nodes and sockets: they are no files to be copied",
                "略过了 {count} 个设备节点和套接字：它们不是可以复制的文件",
            ),
            Note::Copied { bytes, to } => {
                let bytes = Bytes(*bytes);
                both!(lang, "copied {bytes} to {to}", "已复制 {bytes} 到 {to}")
            }
            Note::OomKilled { limit, peak, whole } => oom(lang, *limit, *peak, *whole),
        }
    }
}

fn oom(lang: Lang, limit: Option<u64>, peak: Option<u64>, whole: bool) -> String {
    let what = match whole {
        true => {
            both!(lang, "the kernel's OOM killer ended the container", "内核的 OOM Killer 结束了这个容器")
        }
        false => both!(
            lang,
            "the kernel's OOM killer ended a process of the container",
            "内核的 OOM Killer 结束了容器中的一个进程"
        ),
    };
    let limit =
        limit.map(Bytes).map(|limit| both!(lang, ": its memory limit is {limit}", "：内存上限 {limit}"));
    let peak = peak.map(Bytes).map(|peak| both!(lang, ", the most it used was {peak}", "，用量最高 {peak}"));
    let todo = both!(lang, "; a larger --memory would give it more", "；可以用更大的 --memory");
    format!("{what}{}{}{todo}", limit.unwrap_or_default(), peak.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oom_note_names_limit_and_peak() {
        let note = Note::OomKilled { limit: Some(64 << 20), peak: Some(64 << 20), whole: true };
        let text = note.sentence(Lang::En);
        assert!(text.contains("limit is 64 MiB, the most it used was 64 MiB"), "{text}");
    }
}
