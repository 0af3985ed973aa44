//! What to do, where the call and the errno tell more than the problem does.

use super::{Lang, both, problems};
use crate::error::{Error, Problem, Refusal};
use crate::observe::{self, Subject};
use crate::sys::errno::{
    EACCES, EAGAIN, EBUSY, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, ENOSYS, ENOTDIR, EPERM, EROFS,
    ETXTBSY,
};

/// What to do about `error`.
pub fn for_error(error: &Error, lang: Lang) -> String {
    let refusal = error.refusal.as_ref();
    match &error.problem {
        Problem::NoUserNamespaces { sysctl } => user_namespaces(sysctl.as_deref(), lang),
        Problem::UnknownImage { known, .. } => images(known, lang),
        Problem::NoOverlay if refusal.is_some_and(|refusal| refusal.errno == EPERM) => {
            overlay_forbidden(lang)
        }
        Problem::StateUnusable { .. } | Problem::TraceUnusable { .. } | Problem::PictureUnusable { .. } => {
            refusal
                .and_then(|refusal| full(refusal, lang))
                .unwrap_or_else(|| problems::todo(&error.problem, lang))
        }
        Problem::Refused => refusal
            .and_then(|refusal| for_refusal(refusal, lang))
            .unwrap_or_else(|| problems::todo(&error.problem, lang)),
        problem => problems::todo(problem, lang),
    }
}

fn images(known: &[String], lang: Lang) -> String {
    match known {
        [] => both!(lang, "the image base is always there", "镜像 base 总是可用的"),
        known => {
            let names = known.join(", ");
            both!(lang, "known are: {names}", "已有的镜像：{names}")
        }
    }
}

/// A refusal of which nothing more is known.
fn for_refusal(refusal: &Refusal, lang: Lang) -> Option<String> {
    if refusal.call == "clone3" {
        return clone(refusal, lang);
    }
    let call = &refusal.call;
    Some(match refusal.errno {
        EPERM if call == "unshare" || call == "setns" || call == "mount" => both!(
            lang,
            "the call needs CAP_SYS_ADMIN: run as root; inside another container that one needs --privileged",
            "这个调用需要 CAP_SYS_ADMIN：请以 root 运行；如果身在另一个容器里，那个容器需要 --privileged",
        ),
        EPERM | EACCES => both!(
            lang,
            "you lack the right: run as root, or look at the owner and mode of the path and at `dmesg` for AppArmor or SELinux",
            "权限不足：请以 root 运行，或检查路径的属主和权限，以及 `dmesg` 里 AppArmor 或 SELinux 的记录",
        ),
        EROFS => both!(lang, "the file system there is read-only", "那里的文件系统是只读的"),
        ENOENT => both!(lang, "a part of that path does not exist", "路径中有一部分不存在"),
        ENOTDIR => both!(lang, "a part of that path is not a directory", "路径中有一部分不是目录"),
        EBUSY => both!(
            lang,
            "something still uses it: `fuser -vm` or `cat cgroup.procs` says who",
            "它还在被使用：用 `fuser -vm` 或 `cat cgroup.procs` 查看是谁",
        ),
        ENOSYS => both!(
            lang,
            "this kernel does not know the call, or a seccomp filter around us hides it: a newer kernel, or no filter",
            "内核没有这个调用，或外层的 seccomp 过滤器把它藏了起来：请换更新的内核，或去掉过滤器",
        ),
        EMFILE | ENFILE => both!(lang, "raise the limit: ulimit -n", "请提高上限：ulimit -n"),
        ETXTBSY => {
            both!(lang, "somebody is writing to that program: try again", "有人正在写这个程序：请重试")
        }
        ELOOP => both!(
            lang,
            "that path leads through a link which may not be followed",
            "路径经过了不允许跟随的链接"
        ),
        _ => return full(refusal, lang).or_else(|| Some(manual(refusal, lang))),
    })
}

fn full(refusal: &Refusal, lang: Lang) -> Option<String> {
    Some(match refusal.errno {
        ENOSPC => both!(
            lang,
            "free some space on that file system (`df -h`, `df -i`), or remove containers: minidocker prune",
            "请在该文件系统上腾出空间（`df -h`、`df -i`），或清理容器：minidocker prune",
        ),
        ENOMEM => both!(lang, "free some memory and try again", "请释放一些内存后重试"),
        _ => return None,
    })
}

fn manual(refusal: &Refusal, lang: Lang) -> String {
    let (call, name) = (&refusal.call, &refusal.name);
    if call == "command" || call.starts_with("RTM_") {
        return problems::todo(&Problem::Refused, lang);
    }
    both!(
        lang,
        "`man 2 {call}` says under ERRORS what {name} means",
        "`man 2 {call}` 的 ERRORS 一节说明了 {name} 的含义"
    )
}

/// clone3 makes all namespaces at once; which one was refused, the flags and the errno tell.
fn clone(refusal: &Refusal, lang: Lang) -> Option<String> {
    let user = refusal.args.contains("CLONE_NEWUSER");
    Some(match refusal.errno {
        EPERM if user => user_namespaces(None, lang),
        EPERM => both!(
            lang,
            "new namespaces need CAP_SYS_ADMIN: run as root with it; inside another container that one needs --privileged",
            "新建 Namespace 需要 CAP_SYS_ADMIN：请以具有它的 root 运行；如果身在另一个容器里，那个容器需要 --privileged",
        ),
        ENOSPC => both!(
            lang,
            "a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces",
            "Namespace 的数量达到了上限：请查看 /proc/sys/user/max_*_namespaces",
        ),
        EAGAIN => both!(
            lang,
            "a limit on processes is reached: see `ulimit -u` and pids.max",
            "进程数量达到了上限：请查看 `ulimit -u` 和 pids.max",
        ),
        ENOSYS => both!(
            lang,
            "clone3 needs Linux 5.7, and a seccomp filter that knows it if we are inside another container",
            "clone3 需要 Linux 5.7；如果身在另一个容器里，还需要认识它的 seccomp 过滤器",
        ),
        _ => return None,
    })
}

/// The settings that forbid user namespaces, with the value that forbids and the one that allows.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "10000"),
];

/// Name the setting that forbids user namespaces: `known`, or the first found that does.
fn user_namespaces(known: Option<&str>, lang: Lang) -> String {
    let forbids = |(name, bad, _): &&(&str, &str, &str)| match known {
        Some(known) => known.contains(name),
        None => {
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            observe::read(&Subject::Contents(path.into())).as_deref() == Some(*bad)
        }
    };
    match SETTINGS.iter().find(forbids) {
        Some((name, _, good)) => both!(
            lang,
            "the setting {name} forbids it: `sudo sysctl {name}={good}` allows it, or run as root",
            "是 {name} 这项设置禁止的：`sudo sysctl {name}={good}` 可以放开，或以 root 运行",
        ),
        None => both!(
            lang,
            "if this is inside another container, that one's seccomp profile forbids it (its --privileged allows it); \
             else see kernel.apparmor_restrict_unprivileged_userns, kernel.unprivileged_userns_clone and \
             user.max_user_namespaces with sysctl, or run as root",
            "如果身在另一个容器里，是那个容器的 seccomp 配置禁止的（它的 --privileged 可以放开）；否则请用 sysctl 查看 \
             kernel.apparmor_restrict_unprivileged_userns、kernel.unprivileged_userns_clone 和 \
             user.max_user_namespaces，或以 root 运行",
        ),
    }
}

fn overlay_forbidden(lang: Lang) -> String {
    both!(
        lang,
        "in a user namespace the overlay file system needs Linux 5.11: a newer kernel, or run as root",
        "在用户 Namespace 中挂载 overlay 需要 Linux 5.11：请换更新的内核，或以 root 运行",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(call: &str, args: &str, errno: i32) -> Error {
        let refusal =
            Refusal { call: call.into(), args: args.into(), errno, name: "E".into(), message: "no".into() };
        Error { problem: Problem::Refused, refusal: Some(Box::new(refusal)) }
    }

    #[test]
    fn a_forbidden_user_namespace_names_the_settings() {
        let advice = for_error(&refused("clone3", "CLONE_NEWUSER|CLONE_NEWPID, NULL", EPERM), Lang::En);
        assert!(advice.contains("user.max_user_namespaces") || advice.contains("sudo sysctl"), "{advice}");
        let known = Problem::NoUserNamespaces { sysctl: Some("kernel.unprivileged_userns_clone".into()) };
        let advice = for_error(&Error::new(known), Lang::Zh);
        assert!(advice.contains("sudo sysctl kernel.unprivileged_userns_clone=1"), "{advice}");
    }

    #[test]
    fn an_unknown_errno_leads_to_the_manual_page() {
        let advice = for_error(&refused("pivot_root", "\".\", \".\"", 22), Lang::En);
        assert!(advice.contains("man 2 pivot_root"), "{advice}");
        let advice = for_error(&refused("RTM_NEWLINK", "", 22), Lang::En);
        assert!(!advice.contains("man 2"), "{advice}");
    }
}
