//! What no trial is made of: the programs that build a lesson, and what is good to know of this machine.

use super::signs::{self, Signs};
use super::{Blocker, Concern};
use crate::error::{Error, Result};
use crate::lab::verdict::Said;
use crate::sys::file;
use crate::sys::flags::O_RDWR;
use std::path::Path;

/// What came of running the programs that are needed, and of opening what is opened now and then.
#[derive(Debug, Default)]
pub struct Tools {
    /// `cargo`, which builds the student's program.
    pub cargo: Option<Error>,
    /// `cc`, which Rust links by.
    pub linker: Option<Error>,
    /// `/dev/net/tun`, by which an ordinary user's containers reach the network outside.
    pub tun: Option<Error>,
}

impl Tools {
    /// Try each.
    pub fn try_them() -> Self {
        let tun: Result<_> = file::open_file(Path::new("/dev/net/tun"), O_RDWR, 0);
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Self { cargo: signs::runs(&cargo).err(), linker: signs::runs("cc").err(), tun: tun.err() }
    }
}

/// A row that stands for no need.
fn row(name: &'static str, title: (&str, &str), error: Option<&Error>, fix: String) -> Blocker {
    let refusal = error.and_then(|error| error.refusal.as_ref());
    Blocker {
        name,
        title: Said { en: title.0.to_owned(), zh: title.1.to_owned() },
        refused: refusal.map(ToString::to_string),
        errno: refusal.map(|refusal| refusal.name.clone()),
        sign: None,
        fix,
        stops: false,
        needs: Vec::new(),
        lessons: Vec::new(),
    }
}

/// Without these nothing of the course can be built.
pub fn tools(signs: &Signs, tools: &Tools, concerns: &[Concern]) -> Vec<Blocker> {
    let all: Vec<String> = concerns.iter().map(|concern| concern.lesson.clone()).collect();
    let install = format!("{} {}", signs.packages.install, signs.packages.linker);
    let cargo = tools.cargo.as_ref().map(|error| {
        let title =
            ("cargo does not run, which builds your program", "cargo 不能运行，而你的程序要由它来编译");
        let fix = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh".to_owned();
        row("no-cargo", title, Some(error), fix)
    });
    let linker = tools.linker.as_ref().map(|error| {
        let title = (
            "there is no linker (cc), by which Rust makes a program",
            "没有链接器（cc），Rust 生成程序时需要它",
        );
        row("no-linker", title, Some(error), install)
    });
    let found = [cargo, linker].into_iter().flatten();
    found.map(|row| Blocker { stops: true, lessons: all.clone(), ..row }).collect()
}

/// Good to know: no lesson fails by it, since each is played on a throw-away host; the product on this machine may.
pub fn remarks(signs: &Signs, tools: &Tools, concerns: &[Concern]) -> Vec<Blocker> {
    let net =
        || concerns.iter().map(|concern| &concern.lesson).filter(|name| *name == "net").cloned().collect();
    let forward = signs.forward.as_ref().filter(|policy| *policy == "DROP").map(|policy| {
        let title = (
            "this machine forwards no packet that no rule lets through (dockerd sets that): rules of your own must stand \
             before others. The throw-away host has a policy of its own",
            "本机不转发没有规则放行的包（dockerd 会这样设置）：你自己的规则必须排在别的规则之前。一次性主机有自己的策略",
        );
        let sign = Some(format!("iptables -S FORWARD: -P FORWARD {policy}"));
        let fix = "sudo iptables -P FORWARD ACCEPT".to_owned();
        Blocker { sign, lessons: net(), ..row("forward-drop", title, None, fix) }
    });
    let tun = tools.tun.as_ref().map(|error| {
        let title = (
            "/dev/net/tun cannot be opened, by which the containers of an ordinary user reach the network outside",
            "不能打开 /dev/net/tun，普通用户的容器要靠它访问外部网络",
        );
        let fix = "sudo modprobe tun && sudo chmod 0666 /dev/net/tun".to_owned();
        Blocker { lessons: net(), ..row("no-tun", title, Some(error), fix) }
    });
    [forward, tun].into_iter().flatten().collect()
}
