//! The narrator's own small words.

use super::{Lang, Text};

/// A word or short phrase between the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The container's parent, or the only process there is.
    Runtime,
    /// The process that the person started.
    Client,
    /// The container's first process.
    Init,
    /// A process of a demo.
    Process,
    /// The heading of what a demo has proved.
    Saw,
    /// The heading of the commands to go on with.
    TryNext,
    /// Before what a demo cannot show here.
    Lacking,
    /// Before a list of a program's demos.
    Menu,
    /// A fact that was or is not there.
    Nothing,
    /// Before the structure of the kernel that a step changes.
    Kernel,
    /// Before the commands by which a step can be looked at.
    Look,
    /// The prompt of `--step`.
    Enter,
    /// After a count of calls that are not shown one by one.
    More,
    /// After a count of facts that are not shown.
    MoreFacts,
    /// Before the other arguments with which the last call was made again.
    SameFor,
    /// Before a call that no shell command makes.
    NoCommand,
    /// Before what an earlier command of the script has done already.
    Covered,
    /// At the end of a script that a failure broke off.
    Incomplete,
    /// The title under which the child shows its own answer of clone3.
    AnsweredTwice,
    /// Why it does.
    AnsweredTwiceWhy,
}

impl Label {
    /// The words in `lang`.
    pub fn get(self, lang: Lang) -> &'static str {
        let text = match self {
            Label::Runtime => Text { en: "runtime", zh: "运行时" },
            Label::Client => Text { en: "client", zh: "客户端" },
            Label::Init => Text { en: "init", zh: "容器 init" },
            Label::Process => Text { en: "process", zh: "进程" },
            Label::Saw => Text { en: "What you saw", zh: "你看到了什么" },
            Label::TryNext => Text { en: "Try next", zh: "接下来试试" },
            Label::Lacking => Text { en: "not on this machine:", zh: "本机做不到：" },
            Label::Menu => Text { en: "The tour, stop by stop", zh: "导览，一站一站" },
            Label::Nothing => Text { en: "nothing", zh: "无" },
            Label::Kernel => Text { en: "kernel", zh: "内核" },
            Label::Look => Text {
                en: "Look from a second terminal, before and after:",
                zh: "在另一个终端里观察，之前与之后：",
            },
            Label::Enter => Text { en: "Enter goes on: ", zh: "按回车继续：" },
            Label::More => Text { en: "more requests", zh: "个请求" },
            Label::MoreFacts => Text { en: "more facts changed", zh: "项事实也变了" },
            Label::SameFor => Text { en: "… and the same for", zh: "……同样还有" },
            Label::NoCommand => Text { en: "no command of its own", zh: "没有对应的命令" },
            Label::Covered => {
                Text { en: "done by unshare --map-root-user", zh: "unshare --map-root-user 已经做了" }
            }
            Label::Incomplete => Text {
                en: "the run failed here, so this script is incomplete",
                zh: "运行在这里失败，脚本不完整",
            },
            Label::AnsweredTwice => {
                Text { en: "One call, two answers", zh: "一次调用，两个返回值" }
            }
            Label::AnsweredTwiceWhy => Text {
                en: "The runtime got the pid of its child; the child, a copy of it that runs on from the same line, gets 0.",
                zh: "运行时得到子进程的 pid；子进程是它的副本，从同一行代码继续执行，得到的是 0。",
            },
        };
        text.get(lang)
    }
}
