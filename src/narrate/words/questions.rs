//! Questions, before something is removed for good.

use super::{Lang, Text};

/// A question, and what is about to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// All volumes that nobody uses.
    PruneVolumes,
    /// Of them, those without a name.
    PruneAnonymousVolumes,
    /// All images without a name.
    PruneImages,
    /// All images without a container.
    PruneAllImages,
    /// All networks that nobody is in.
    PruneNetworks,
}

impl Question {
    /// The warning, and the question itself.
    pub fn words(self, lang: Lang) -> (&'static str, &'static str) {
        let warning = match self {
            Question::PruneVolumes => Text {
                en: "WARNING! This will remove all local volumes not used by at least one container.",
                zh: "警告！这将删除所有没有容器使用的卷。",
            },
            Question::PruneAnonymousVolumes => Text {
                en: "WARNING! This will remove anonymous local volumes not used by at least one container.",
                zh: "警告！这将删除所有没有容器使用的匿名卷。",
            },
            Question::PruneImages => Text {
                en: "WARNING! This will remove all dangling images.",
                zh: "警告！这将删除所有没有名字的镜像。",
            },
            Question::PruneAllImages => Text {
                en: "WARNING! This will remove all images without at least one container associated to them.",
                zh: "警告！这将删除所有没有容器的镜像。",
            },
            Question::PruneNetworks => Text {
                en: "WARNING! This will remove all custom networks not used by at least one container.",
                zh: "警告！这将删除所有没有容器使用的自定义网络。",
            },
        };
        let ask = Text { en: "Are you sure you want to continue?", zh: "确定要继续吗？" };
        (warning.get(lang), ask.get(lang))
    }
}
