//! What the kernel must say of the part of lab `time`.

use minidocker::error::Result;
use minidocker::lab::bench::Bench;
use minidocker::lab::lesson::{Act, Check, Lesson, Mistake, Part};
use minidocker::lab::need::Need;
use minidocker::lab::verdict::{Diagnosis, Outcome, ensure};
use minidocker::lab::witness;
use minidocker::narrate::words::Text;
use minidocker::said;
use minidocker::sys::process;
use serde_json::{Value, json};

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "time",
    title: Text { en: "clocks of one's own: time namespaces", zh: "自己的时钟：time Namespace" },
    parts: &[Part { function: "enter", field: "time", ours: &[("src/namespace/time.rs", "enter")] }],
    needs: &[Need::UserNamespaces],
    checks: &[
        Check {
            name: "own-time-namespace",
            title: Text {
                en: "the command is in a time namespace of its own",
                zh: "命令在自己的 time Namespace 里",
            },
            points: 4,
            about: &[],
            needs: &[],
            look: "readlink /proc/self/ns/time; minidocker run --rm lab ls -l /proc/self/ns/time",
            run: own_time_namespace,
        },
        Check {
            name: "booted-just-now",
            title: Text {
                en: "inside, the machine has booted just now", zh: "在容器里看，机器刚刚启动"
            },
            points: 3,
            about: &[],
            needs: &[],
            look: "cat /proc/uptime; minidocker run --rm lab cat /proc/uptime",
            run: booted_just_now,
        },
        Check {
            name: "monotonic-too",
            title: Text {
                en: "CLOCK_MONOTONIC, by which programs measure, begins anew as well",
                zh: "程序用来计时的 CLOCK_MONOTONIC 也重新开始",
            },
            points: 3,
            about: &[],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/timens_offsets",
            run: monotonic_too,
        },
    ],
    mistakes: &[
        Mistake {
            name: "no-namespace",
            why: Text {
                en: "the process is still in the host's time namespace: unshare(CLONE_NEWTIME) is missing.",
                zh: "进程还在主机的 time Namespace 里：少了 unshare(CLONE_NEWTIME)。",
            },
        },
        Mistake {
            name: "no-offset",
            why: Text {
                en: "a new time namespace begins with the clocks of the old one. They are set by a write to \
                     /proc/self/timens_offsets, while nobody is in it.",
                zh: "新的 time Namespace 沿用旧的时钟。要在还没有人进入时写 /proc/self/timens_offsets 来设置。",
            },
        },
    ],
    hints: &[Text {
        en: "unshare, write, open, setns: in the order in which time_namespaces(7) speaks of them.",
        zh: "unshare、写文件、open、setns：顺序就是 time_namespaces(7) 里的顺序。",
    }],
    acts: &[Act { name: "clocks", act: clocks }],
    page: "namespaces/time",
};

/// So many seconds may pass between the student's calls and the probe's look.
const MOMENT: i64 = 60;

fn own_time_namespace(bench: &Bench) -> Outcome {
    let subject = bench.run(&[])?;
    let (host, inside) = (witness::namespace(1, "time")?, witness::namespace(subject.probe.pid(), "time")?);
    ensure(
        host != inside,
        said!("time:[{inside}] inside and on the host", "容器内外都是 time:[{inside}]"),
        said!("another one inside than the host's time:[{host}]", "容器里不同于主机的 time:[{host}]"),
    )
    .known_as("no-namespace")
}

fn booted_just_now(bench: &Bench) -> Outcome {
    begins_anew(bench, "CLOCK_BOOTTIME", |(boottime, _)| boottime)
}

fn monotonic_too(bench: &Bench) -> Outcome {
    begins_anew(bench, "CLOCK_MONOTONIC", |(_, monotonic)| monotonic)
}

fn begins_anew(bench: &Bench, clock: &str, of: fn((i64, i64)) -> i64) -> Outcome {
    let subject = bench.run(&[])?;
    let separate = witness::namespace(1, "time")? != witness::namespace(subject.probe.pid(), "time")?;
    let inside = of(subject.probe.ask("clocks", Value::Null)??);
    let host = of(process::clocks());
    // On a host that has just booted there is little to tell apart.
    let want = MOMENT.min(host / 2);
    ensure(
        inside <= want,
        said!(
            "{clock} is {inside} s inside, and {host} s on the host",
            "{clock} 在容器里是 {inside} 秒，在主机上是 {host} 秒"
        ),
        said!("at most {want} s inside", "容器里不超过 {want} 秒"),
    )
    .known_as(if separate { "no-offset" } else { "no-namespace" })
}

/// Inside: seconds of CLOCK_BOOTTIME and CLOCK_MONOTONIC.
fn clocks(_: Value) -> Result<Value> {
    Ok(json!(process::clocks()))
}
