//! What the kernel must say of a `minidocker` wholly of a student's parts: one check of each lesson, on the whole.

use super::{cgroup_cpu, cgroup_memory, harden, image, mounts, net, overlay, pid, user, uts};
use crate::lab::lesson::{Check, Lesson, Mistake};
use crate::lab::need::Need;
use crate::narrate::words::Text;

/// The lesson. Its parts are those of the others.
pub const LESSON: Lesson = Lesson {
    name: "all",
    title: Text { en: "a minidocker wholly of your parts", zh: "完全由你的部件组成的 minidocker" },
    parts: &[],
    needs: &[Need::UserNamespaces, Need::Overlay],
    checks: CHECKS,
    mistakes: MISTAKES,
    hints: &[
        Text {
            en: "Nothing is to be written here. A check bears the name of its lesson: what fails alone, fails here.",
            zh: "这里没有要写的东西。每项检查都带着它所属课程的名字：单独不过的，在这里也不过。",
        },
        Text {
            en: "It passes alone and fails here? Then one of your parts leaves something in another way than the next one \
                 expects: read what must hold on return, in the handouts of both.",
            zh: "单独能过、在这里却不过？那就是你的某个部件留下的状态不是下一个部件所期待的：对照两份讲义里“返回时必须成立”的内容。",
        },
    ],
    acts: &[],
    page: "minidocker/all",
};

const CHECKS: &[Check] = &[
    uts::LESSON.lend("uts/named-inside", 2),
    pid::LESSON.lend("pid/orphans", 2),
    mounts::LESSON.lend("mounts/no-way-back", 2),
    user::LESSON.lend("user/uid-map", 2),
    cgroup_memory::LESSON.lend("cgroup-memory/hog-killed", 2),
    cgroup_cpu::LESSON.lend("cgroup-cpu/everybody-killed", 2),
    overlay::LESSON.lend("overlay/changes-land-above", 2),
    net::LESSON.lend("net/outside-sees-the-host", 2),
    image::LESSON.lend("image/links-stay-in-the-image", 2),
    harden::LESSON.lend("harden/no-new-namespaces", 2),
];

/// What these checks tell apart.
const MISTAKES: &[Mistake] = &[
    uts::LESSON.known("not-named"),
    pid::LESSON.known("waits-for-one"),
    mounts::LESSON.known("chroot"),
    user::LESSON.known("setgroups-kept"),
    cgroup_memory::LESSON.known("memory-unlimited"),
    cgroup_cpu::LESSON.known("only-the-first"),
    overlay::LESSON.known("upper-out-of-sight"),
    net::LESSON.known("unknown-sender"),
    image::LESSON.known("absolute-taken-relative"),
    harden::LESSON.known("clone3-allowed"),
];
