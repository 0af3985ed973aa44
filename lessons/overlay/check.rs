//! What the kernel must say of the parts of lab `overlay`.

mod mistakes;
mod trial;

use crate::error::Result;
use crate::lab::bench::{Bench, no_probe};
use crate::lab::lesson::{Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::order;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::narrate::words::Text;
use crate::overlay::Layers;
use crate::overlay::mark::{Marks, is_whiteout};
use crate::said;
use crate::sys::file;
use mistakes::MISTAKES;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use trial::{ACTS, Trial};

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "overlay",
    title: Text {
        en: "layers seen as one tree: copy-up, whiteouts, diff",
        zh: "许多层，一棵树：写时复制、whiteout、diff",
    },
    parts: &[
        Part {
            function: "unite",
            field: "overlay",
            ours: &[("src/overlay/mod.rs", "mount"), ("src/overlay/mod.rs", "options")],
        },
        Part {
            function: "changes",
            field: "changes",
            ours: &[("src/overlay/diff.rs", "changes"), ("src/overlay/diff.rs", "name")],
        },
    ],
    needs: &[Need::UserNamespaces, Need::Overlay],
    checks: CHECKS,
    mistakes: MISTAKES,
    hints: &[
        Text {
            en: "One mount(2) of the type `overlay` at layers.merged. All the rest is in its last argument, the options.",
            zh: "在 layers.merged 上做一次类型为 `overlay` 的 mount(2)。其余的一切都在最后一个参数，也就是选项里。",
        },
        Text {
            en: "lowerdir=…:…,upperdir=…,workdir=… with the topmost layer first, as in layers.lower; and userxattr if layers.userxattr.",
            zh: "lowerdir=…:…,upperdir=…,workdir=…，最上层在前，和 layers.lower 一样；layers.userxattr 为真时再加 userxattr。",
        },
        Text {
            en: "For `changes`: keep a list of directories still to look into, beginning with the empty path. For each name in \
                 one of them ask two things: what is it in upper, and what do the layers below show (`below`)?",
            zh: "`changes`：准备一个待查看目录的列表，从空路径开始。对其中每个名字问两件事：它在 upper 里是什么？下面的层显示什么（`below`）？",
        },
        Text {
            en: "An opaque directory deletes what `names_below` tells of it and upper does not have, though no whiteout stands there.",
            zh: "opaque 目录删掉了 `names_below` 所列而 upper 里没有的名字，尽管那里没有 whiteout。",
        },
    ],
    acts: ACTS,
    page: "overlay/layers",
};

const CHECKS: &[Check] = &[
    Check {
        name: "layers-as-planned",
        title: Text {
            en: "the root is an overlay of the image's layers and of the container's own upper layer",
            zh: "根是一个 overlay：镜像的各层，加上容器自己的上层",
        },
        points: 1,
        about: &["unite"],
        needs: &[],
        look: "minidocker run --rm lab cat /proc/self/mountinfo",
        run: layers_as_planned,
    },
    Check {
        name: "topmost-layer-wins",
        title: Text {
            en: "of a file that several layers have, the topmost layer's is seen",
            zh: "几层都有的文件，看到的是最上层的那个",
        },
        points: 1,
        about: &["unite"],
        needs: &[],
        look: "cargo run -q --bin overlay-demo -- layers",
        run: topmost_layer_wins,
    },
    Check {
        name: "changes-land-above",
        title: Text {
            en: "what is written is in upperdir, and the layers of the image are as before",
            zh: "写下的东西在 upperdir 里，镜像的各层和原来一样",
        },
        points: 2,
        about: &["unite"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'echo hi >/new; cat /dev/zero >/dev/null'; find $MINIDOCKER_ROOT -name new",
        run: changes_land_above,
    },
    Check {
        name: "deleted-is-a-whiteout",
        title: Text {
            en: "a file deleted inside is a character device 0:0 in upperdir, and still in its layer",
            zh: "在容器里删掉的文件，在 upperdir 里是 0:0 号字符设备，在原来的层里还在",
        },
        points: 1,
        about: &["unite"],
        needs: &[],
        look: "cargo run -q --bin overlay-demo -- whiteout",
        run: deleted_is_a_whiteout,
    },
    Check {
        name: "replaced-directory-is-opaque",
        title: Text {
            en: "a directory that was deleted and made again is empty, and marked so in upperdir",
            zh: "删掉又重建的目录是空的，upperdir 里记着这一点",
        },
        points: 1,
        about: &["unite"],
        needs: &[],
        look: "cargo run -q --bin overlay-demo -- opaque",
        run: replaced_directory_is_opaque,
    },
    Check {
        name: "containers-apart",
        title: Text {
            en: "two containers of one image do not see each other's changes",
            zh: "同一镜像的两个容器看不到彼此的改动",
        },
        points: 1,
        about: &["unite"],
        needs: &[],
        look: "cargo run -q --bin overlay-demo -- share",
        run: containers_apart,
    },
    Check {
        name: "diff-tells-each-change",
        title: Text {
            en: "`diff` tells what was added, changed and deleted, and nothing else",
            zh: "`diff` 说出增加、改动和删除的，不多不少",
        },
        points: 2,
        about: &["changes"],
        needs: &[],
        look: "minidocker run --name moon lab sh -c 'echo hi >/new'; minidocker diff moon",
        run: diff_tells_each_change,
    },
    Check {
        name: "diff-of-a-replaced-directory",
        title: Text {
            en: "`diff` tells what a directory lost when it was deleted and made again",
            zh: "目录被删掉又重建，`diff` 说出其中少了什么",
        },
        points: 1,
        about: &["changes"],
        needs: &[],
        look: "cargo run -q --bin overlay-demo -- diff",
        run: diff_of_a_replaced_directory,
    },
];

fn layers_as_planned(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    let Layers { lower, upper, .. } = &trial.planned;
    let listed: BTreeSet<&Path> = lower.iter().map(PathBuf::as_path).collect();
    let found = trial.options.get("lowerdir").map(String::as_str).unwrap_or_default();
    let found: BTreeSet<&Path> = found.split(':').map(Path::new).collect();
    let same_upper = trial.options.get("upperdir").map(Path::new) == Some(upper.as_path());
    let is_overlay = trial.options.get("type").is_some_and(|kind| kind == "overlay");
    let lower: Vec<String> = lower.iter().map(|path| path.display().to_string()).collect();
    let (lower, upper) = (lower.join(":"), upper.display());
    ensure(
        is_overlay && same_upper && found == listed,
        trial.mount(),
        Said::plain(format!("type=overlay,lowerdir={lower},upperdir={upper},workdir=…")),
    )
    .known_as(trial.astray())
}

fn topmost_layer_wins(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    let who = trial.does("read", "who", "")?;
    let names = trial.does("names", "", "")?;
    let (path, hidden) = (format!("/{}/who", trial.own), json!("hidden"));
    let wanted = format!("{}/topmost", trial.own);
    ensure(
        who == wanted.as_str() && !names.as_array().is_some_and(|names| names.contains(&hidden)),
        said!("{path} says {who}; beside it: {names}", "{path} 的内容是 {who}；旁边有：{names}"),
        said!(
            "{wanted:?}, as the topmost layer has it, and no \"hidden\"",
            "{wanted:?}，即最上层的内容；没有 \"hidden\""
        ),
    )
    .known_as("lowest-first")
}

fn changes_land_above(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    let below = order::layers_of(&trial.image)?;
    let look = || below.iter().map(|layer| order::lines(layer)).collect::<Result<Vec<_>>>();
    let before = look()?;
    trial.does("write", "new", &trial.image)?;
    trial.does("append", "low", &trial.image)?;
    let after = look()?;
    let image = &trial.image;
    let changed = before.iter().flatten().zip(after.iter().flatten()).find(|(before, after)| before != after);
    let (line, now) = changed.map(|(before, after)| (before.as_str(), after.as_str())).unwrap_or_default();
    ensure(
        before == after,
        said!(
            "a layer of the image was {line:?} and is {now:?}",
            "镜像的一层原来是 {line:?}，现在是 {now:?}"
        ),
        said!("the layers of the image as before", "镜像的各层和原来一样"),
    )
    .known_as(trial.astray())?;
    for (name, wanted) in [("new", image.clone()), ("low", format!("from below\n{image}"))] {
        let path = trial.upper(name);
        let found = file::if_there(file::read_text(&path))?;
        let path = path.display();
        ensure(
            found.as_ref() == Some(&wanted),
            match &found {
                Some(text) => said!("{path}: {text:?}", "{path}：{text:?}"),
                None => said!("{path} is not there", "没有 {path}"),
            },
            Said::plain(format!("{path}: {wanted:?}")),
        )
        .known_as(trial.astray())?;
    }
    Ok(())
}

fn deleted_is_a_whiteout(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    trial.does("remove", "gone", "")?;
    let path = trial.upper("gone");
    let status = file::if_there(file::link_status(&path))?;
    let path = path.display();
    ensure(
        status.as_ref().is_some_and(is_whiteout),
        match status {
            Some(found) => said!("{path}: {found:?}", "{path}：{found:?}"),
            None => said!("{path} is not there", "没有 {path}"),
        },
        said!("{path}: a character device 0:0", "{path}：0:0 号字符设备"),
    )
    .known_as(trial.astray())?;
    let lowest = order::layers_of(&trial.image)?.pop().unwrap_or_default().join(&trial.own).join("gone");
    let (kept, path) = (file::exists(&lowest)?, lowest.display());
    ensure(kept, said!("{path} is gone", "{path} 没了"), said!("{path}, as before", "{path} 和原来一样"))
}

fn replaced_directory_is_opaque(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    replaced(&trial)?;
    let path = trial.upper("old");
    let opaque = file::exists(&path)? && Marks::new(true).is_opaque(&path)?;
    let path = path.display();
    ensure(
        opaque,
        said!("{path} has no user.overlay.opaque", "{path} 没有 user.overlay.opaque"),
        Said::plain(format!("{path}: user.overlay.opaque=\"y\"")),
    )
    .known_as(trial.astray())
}

/// Inside, the directory `old` was deleted and made again, with one new file and one of the old ones in it.
fn replaced(trial: &Trial) -> Outcome {
    trial.does("replace", "old", "anew")?;
    let own = &trial.own;
    let names = trial.does("names", "old", "")?;
    ensure(
        names == json!(["a", "new"]),
        said!("/{own}/old, made again, holds {names}", "重建的 /{own}/old 里有 {names}"),
        said!("just [\"a\",\"new\"]", "只有 [\"a\",\"new\"]"),
    )
}

fn containers_apart(bench: &Bench) -> Outcome {
    let one = Trial::start(bench)?;
    let name = bench.another_nonce("other");
    let other = bench.run_of(&one.image, &["--name", &name])?;
    let path = format!("/{}", one.own);
    one.does("write", "mine", "one")?;
    one.does("remove", "gone", "")?;
    let found: Vec<String> = other.probe.ask("names", json!({"path": path}))??;
    let (mine, gone) = (found.iter().any(|name| name == "mine"), !found.iter().any(|name| name == "gone"));
    let shown = found.join(" ");
    ensure(
        !mine && !gone,
        said!(
            "one wrote {path}/mine and deleted {path}/gone; the other sees: {shown}",
            "一个写了 {path}/mine，删了 {path}/gone；另一个看到：{shown}"
        ),
        said!("the other sees what the image has", "另一个看到的是镜像原有的"),
    )
    .known_as(one.astray())
}

fn diff_tells_each_change(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    for (act, name) in [
        ("write", "new"),
        ("write", "dir/inner"),
        ("append", "low"),
        ("append", "deep/file"),
        ("remove", "gone"),
        ("remove", "old"),
        ("write", "hidden"),
    ] {
        trial.does(act, name, "more")?;
    }
    let wanted = [
        "C ",
        "A /dir",
        "A /dir/inner",
        "A /hidden",
        "A /new",
        "C /deep",
        "C /deep/file",
        "C /low",
        "D /gone",
        "D /old",
    ];
    compare(bench, &trial, &wanted)
}

fn diff_of_a_replaced_directory(bench: &Bench) -> Outcome {
    let trial = Trial::start(bench)?;
    replaced(&trial)?;
    compare(bench, &trial, &["C ", "C /old", "C /old/a", "D /old/b", "A /old/new"])
}

/// Whether `diff` tells of the check's own directory just what is `wanted`, each path from that directory.
fn compare(bench: &Bench, trial: &Trial, wanted: &[&str]) -> Outcome {
    let own = format!("/{}", trial.own);
    let told = bench.minidocker(&["diff", &bench.nonce()])?;
    if told.status != 0 {
        return Err(no_probe(&told));
    }
    let line = |line: &str| {
        let (letter, path) = line.split_once(' ')?;
        Some((path.strip_prefix(&own)?.to_owned(), letter.to_owned()))
    };
    let told: Vec<(String, String)> = told.stdout.lines().filter_map(line).collect();
    let wanted: BTreeMap<String, String> = wanted
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(letter, path)| (path.to_owned(), letter.to_owned()))
        .collect();
    let found: BTreeMap<String, String> = told.iter().cloned().collect();
    let all = |names: &BTreeMap<String, String>| {
        let lines: Vec<String> = names.iter().map(|(path, letter)| format!("{letter} {own}{path}")).collect();
        lines.join(", ")
    };
    let saw = if found.is_empty() { said!("nothing", "什么也没有") } else { Said::plain(all(&found)) };
    let outcome = ensure(found == wanted && told.len() == found.len(), saw, Said::plain(all(&wanted)));
    match mistake(trial, &found, &wanted) {
        Some(mistake) => outcome.known_as(mistake),
        None => outcome,
    }
}

/// Which mistake tells `found` instead of `wanted`.
fn mistake(
    trial: &Trial,
    found: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Option<&'static str> {
    if found.is_empty() {
        let written = file::exists(&trial.planned.upper.join(&trial.own)).unwrap_or(true);
        return Some(if written { "reads-the-union" } else { trial.astray() });
    }
    if found.keys().all(String::is_empty) {
        return Some("top-only");
    }
    wanted.iter().find_map(|(path, letter)| match (letter.as_str(), found.get(path).map(String::as_str)) {
        (letter, Some(told)) if letter == told => None,
        ("D", Some(_)) => Some("whiteout-told-as-file"),
        ("C", Some("A")) => Some("first-layer-only"),
        ("A", Some("C")) => Some("below-by-name"),
        ("D", None) if path.starts_with("/old/") => Some("opaque-not-read"),
        _ => None,
    })
}
