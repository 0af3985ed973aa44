//! What the kernel must say of the parts of lab `image`.

mod mistakes;
mod trial;

use crate::lab::bench::{Bench, Subject};
use crate::lab::host::STATE;
use crate::lab::lesson::{Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::order::{self, directory, file_of, link};
use crate::lab::verdict::{Diagnosis, Outcome, Stop, ensure};
use crate::narrate::words::Text;
use crate::overlay::mark::Marks;
use crate::said;
use mistakes::MISTAKES;
use std::path::Path;
use trial::{ACTS, Taken, Trial, place};

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "image",
    title: Text {
        en: "a layer that a stranger packed, applied and nothing else touched",
        zh: "应用陌生人打包的一层，别的什么也不碰",
    },
    parts: &[
        Part { function: "confine", field: "confine", ours: &[("src/image/unpack/mod.rs", "confine")] },
        Part { function: "member", field: "member", ours: &[("src/image/unpack/member.rs", "member")] },
        Part { function: "place", field: "place", ours: &[("src/image/unpack/place.rs", "place")] },
    ],
    needs: &[Need::UserNamespaces, Need::Overlay],
    checks: CHECKS,
    mistakes: MISTAKES,
    hints: &[
        Text {
            en: "`confine`: pivot_root(2) wants a mount point, and a directory is none until something is mounted on it: \
                 itself, with MS_BIND. Then chdir there, pivot_root(\".\", \".\"), detach(\".\"), chdir(\"/\").",
            zh: "`confine`：pivot_root(2) 要的是挂载点，而目录要先被挂载过才是：用 MS_BIND 把它挂到自己身上。然后 chdir 进去，\
                 pivot_root(\".\", \".\")，detach(\".\")，chdir(\"/\")。",
        },
        Text {
            en: "`member`: look at the last name as bytes, and ask in this order: none at all? `.wh..wh..opq`? begins with \
                 `.wh..wh.`? begins with `.wh.`, and what is left? But first see whether a directory on the way is called so.",
            zh: "`member`：把最后一个名字当字节看，按这个顺序问：根本没有名字？是 `.wh..wh..opq`？以 `.wh..wh.` 开头？以 `.wh.` 开头，\
                 剩下的是什么？不过要先看看路上有没有目录是这样命名的。",
        },
        Text {
            en: "`place`: keep where you are (`/` at first) and a queue of the names still to come: names(parent). Take one; \
                 `..` goes up one; else places.go(&here.join(name)) says whether it is a directory, a link or an end.",
            zh: "`place`：记住你在哪里（一开始是 `/`），还有一个待走的名字队列：names(parent)。取一个出来；`..` 就往上退一级；否则 \
                 places.go(&here.join(name)) 告诉你它是目录、链接还是死路。",
        },
        Text {
            en: "A link's names go to the front of the queue, in their order; if it is absolute, you are back at `/`. Count the \
                 links: after 40 it is TooManyLinks.",
            zh: "链接里的名字按顺序插到队列最前；如果是绝对路径，就回到 `/`。数一数链接：超过 40 个就是 TooManyLinks。",
        },
    ],
    acts: ACTS,
    page: "overlay/images",
};

const CHECKS: &[Check] = &[
    Check {
        name: "layer-becomes-a-directory",
        title: Text {
            en: "what was packed is what a container sees, with the directories that the archive left out",
            zh: "打包的是什么，容器看到的就是什么，归档里省略的目录也在",
        },
        points: 2,
        about: &["confine", "place"],
        needs: &[],
        look: "minidocker save -o a.tar lab; tar -tf a.tar; minidocker load -i a.tar; find $MINIDOCKER_ROOT/layers",
        run: layer_becomes_a_directory,
    },
    Check {
        name: "whiteout-hides",
        title: Text {
            en: "`.wh.NAME` hides NAME of the layers below, and is itself no file",
            zh: "`.wh.NAME` 遮住下面各层的 NAME，自己并不是文件",
        },
        points: 1,
        about: &["member"],
        needs: &[],
        look: "find $MINIDOCKER_ROOT/layers -type c -ls",
        run: whiteout_hides,
    },
    Check {
        name: "opaque-directory-starts-anew",
        title: Text {
            en: "`.wh..wh..opq` hides all that the layers below have in its directory",
            zh: "`.wh..wh..opq` 遮住下面各层在它所在目录里的一切",
        },
        points: 1,
        about: &["member"],
        needs: &[],
        look: "find $MINIDOCKER_ROOT/layers -type d -exec getfattr -m user.overlay {} +",
        run: opaque_directory_starts_anew,
    },
    Check {
        name: "reserved-names-refused",
        title: Text {
            en: "a whiteout of `.`, of `..` or of nothing is refused, and so is a file in a whiteout",
            zh: "`.`、`..` 或空名字的 whiteout 被拒绝，whiteout 里面的文件也一样",
        },
        points: 2,
        about: &["member"],
        needs: &[],
        look: "mkdir d; touch d/.wh...; tar -cf evil.tar d; minidocker import evil.tar evil",
        run: reserved_names_refused,
    },
    Check {
        name: "links-stay-in-the-image",
        title: Text {
            en: "a link leads to the same place as in a container, and the host is as before",
            zh: "链接通向的地方和容器里一样，主机原封不动",
        },
        points: 2,
        about: &["confine", "place"],
        needs: &[],
        look: "ln -s /tmp way; tar -cf evil.tar way; rm way; mkdir way; touch way/x; tar -rf evil.tar way/x; minidocker import evil.tar evil; ls /tmp",
        run: links_stay_in_the_image,
    },
    Check {
        name: "links-below-are-followed",
        title: Text {
            en: "a link that only a layer below has is followed too, as /bin is where it leads to /usr/bin",
            zh: "只有下面的层才有的链接也会跟随，比如通向 /usr/bin 的 /bin",
        },
        points: 1,
        about: &["place"],
        needs: &[],
        look: "ls -ld /bin",
        run: links_below_are_followed,
    },
    Check {
        name: "links-that-lead-round",
        title: Text {
            en: "links that lead to each other are refused, and soon",
            zh: "互相指向的链接被拒绝，而且很快",
        },
        points: 1,
        about: &["place"],
        needs: &[],
        look: "ln -s b a; ln -s a b; cat a/x",
        run: links_that_lead_round,
    },
];

fn layer_becomes_a_directory(bench: &Bench) -> Outcome {
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let nonce = bench.nonce();
    let below = vec![directory(at("a"), 0o750), file_of(at("a/one"), "1")];
    let top =
        vec![file_of(at("a/two"), &nonce), file_of(at("new/deep/file"), "3"), link(at("link"), "a/one")];
    let trial = Trial::pack(bench, "image", &[below, top])?;
    let subject = trial.run("way-not-made")?;
    let two = format!("f 0644 a/two: {nonce}");
    let wanted = [
        "d 0750 a",
        "f 0644 a/one: 1",
        &two,
        "l link -> a/one",
        "d 0755 new",
        "d 0755 new/deep",
        "f 0644 new/deep/file: 3",
    ];
    trial.sees(&subject, &wanted, |seen| seen.contains("d 0755 a;").then_some("way-made-by-hand"))
}

fn whiteout_hides(bench: &Bench) -> Outcome {
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let below = vec![
        file_of(at(".hidden"), "h"),
        directory(at("dir"), 0o755),
        file_of(at("dir/file"), "f"),
        file_of(at("gone"), "g"),
        file_of(at("kept"), "k"),
    ];
    let notes = [".wh..hidden", ".wh.dir", ".wh.gone", ".wh..wh.plnk"];
    let mut top: Vec<_> = notes.iter().map(|name| file_of(at(name), "")).collect();
    top.push(file_of(at(".whale"), "w"));
    let trial = Trial::pack(bench, "image", &[below, top])?;
    let subject = trial.run("")?;
    trial.sees(&subject, &["f 0644 .whale: w", "f 0644 kept: k"], made_a_file)
}

/// The mistake that is to be seen when a name that begins with `.wh.` is seen.
fn made_a_file(seen: &str) -> Option<&'static str> {
    seen.contains(".wh.").then_some("whiteout-made-a-file")
}

fn opaque_directory_starts_anew(bench: &Bench) -> Outcome {
    if !Marks::new(true).are_kept(Path::new(STATE))? {
        return Err(Stop::Cannot(said!(
            "a tmpfs keeps the attribute user.overlay.opaque since Linux 6.6",
            "tmpfs 从 Linux 6.6 起才能保存属性 user.overlay.opaque"
        )));
    }
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let below = vec![directory(at("d"), 0o755), file_of(at("d/one"), "1"), file_of(at("d/two"), "2")];
    let top = vec![file_of(at("d/.wh..wh..opq"), ""), directory(at("d"), 0o755), file_of(at("d/two"), "new")];
    let trial = Trial::pack(bench, "image", &[below, top])?;
    let subject = trial.run("")?;
    trial.sees(&subject, &["d 0755 d", "f 0644 d/two: new"], |seen| made_a_file(seen).or(Some("not-opaque")))
}

fn reserved_names_refused(bench: &Bench) -> Outcome {
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let below = || vec![directory(at("d"), 0o755), file_of(at("d/file"), "f")];
    let good = Trial::pack(bench, "good", &[below()])?;
    let subject = good.run("")?;
    for (number, name) in ["d/.wh.", "d/.wh..", "d/.wh...", "d/.wh.e/file"].iter().enumerate() {
        let evil = Trial::pack(bench, &format!("evil{number}"), &[below(), vec![file_of(at(name), "")]])?;
        if let Taken::Refused = evil.load()? {
            continue;
        }
        let layers = order::layers_of(&evil.image)?;
        let lines =
            layers.first().map(|layer| order::lines(layer)).transpose()?.unwrap_or_default().join("; ");
        ensure(
            false,
            said!(
                "a layer with {name:?} was taken in, as: {lines}",
                "含有 {name:?} 的层被接受了，成了：{lines}"
            ),
            said!("load refuses it, and the store is as before", "load 拒绝它，镜像库和原来一样"),
        )
        .known_as(made_a_file(&lines).unwrap_or("dots-believed"))?;
    }
    good.sees(&subject, &["d 0755 d", "f 0644 d/file: f"], |_| None)
}

fn links_stay_in_the_image(bench: &Bench) -> Outcome {
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let up = format!("../../../../../../../../{own}/side");
    let target = format!("/{own}/target");
    let layer = vec![
        directory(at("d"), 0o755),
        link(at("d/near"), "../side"),
        link(at("d/up"), &up),
        directory(at("side"), 0o755),
        directory(at("target"), 0o755),
        link(at("way"), &target),
        file_of(at("d/near/z"), "z"),
        file_of(at("d/up/y"), "y"),
        file_of(at("way/x"), "x"),
    ];
    let trial = Trial::pack(bench, "image", &[layer])?;
    let subject = trial.run("")?;
    let (up, way) = (format!("l d/up -> {up}"), format!("l way -> {target}"));
    let wanted = [
        "d 0755 d",
        "l d/near -> ../side",
        &up,
        "d 0755 side",
        "f 0644 side/y: y",
        "f 0644 side/z: z",
        "d 0755 target",
        "f 0644 target/x: x",
        &way,
    ];
    let has = |seen: &str, line: &str| seen.split("; ").any(|one| one == line);
    let mistake = |seen: &str| {
        if !has(seen, "f 0644 target/x: x") {
            return Some("absolute-taken-relative");
        }
        (!has(seen, "f 0644 side/y: y") || !has(seen, "f 0644 side/z: z")).then_some("dots-dropped")
    };
    trial.sees(&subject, &wanted, mistake)
}

fn links_below_are_followed(bench: &Bench) -> Outcome {
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let below = || {
        vec![
            link(at("bin"), "usr/bin"),
            directory(at("usr"), 0o755),
            directory(at("usr/bin"), 0o755),
            file_of(at("usr/bin/old"), "o"),
        ]
    };
    // Whether directories of the layer below are found without a link.
    Trial::pack(bench, "plain", &[below(), vec![file_of(at("usr/bin/new"), "n")]])?
        .run("way-not-made")?
        .probe
        .end(0)?;
    let trial = Trial::pack(bench, "image", &[below(), vec![file_of(at("bin/new"), "n")]])?;
    let subject: Subject = trial.run_as("links-left-to-the-kernel", &bench.another_nonce("second"))?;
    let wanted = [
        "l bin -> usr/bin",
        "d 0755 usr",
        "d 0755 usr/bin",
        "f 0644 usr/bin/new: n",
        "f 0644 usr/bin/old: o",
    ];
    trial.sees(&subject, &wanted, |seen| seen.contains("d 0755 bin;").then_some("way-made-by-hand"))
}

fn links_that_lead_round(bench: &Bench) -> Outcome {
    let own = place(bench);
    let at = |name: &str| format!("{own}/{name}");
    let round = vec![link(at("a"), "b"), link(at("b"), "a"), file_of(at("a/x"), "x")];
    let evil = Trial::pack(bench, "evil", &[round])?;
    if let Taken::Image = evil.load()? {
        return ensure(
            false,
            said!(
                "a layer with a → b, b → a and a file a/x was taken in",
                "含有 a → b、b → a 和文件 a/x 的层被接受了"
            ),
            said!("load refuses it: there is no such place", "load 拒绝它：没有这样的地方"),
        );
    }
    let straight = vec![link(at("a"), "b"), directory(at("b"), 0o755), file_of(at("a/x"), "x")];
    let good = Trial::pack(bench, "good", &[straight])?;
    let subject = good.run("")?;
    good.sees(&subject, &["l a -> b", "d 0755 b", "f 0644 b/x: x"], |_| None)
}
