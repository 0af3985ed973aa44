//! readonly: layers without an upper one, one put on top, and that one read-only in its turn.

use super::ground::Ground;
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::overlay;
use crate::sys::errno::EROFS;
use crate::sys::{file, inode};

/// `overlay-demo readonly`.
pub const WALK: Walk = Walk {
    name: "readonly",
    title: Text {
        en: "Read-only layers, and a writable one put on top",
        zh: "只读的层，以及叠加在上面的可写层",
    },
    place: Place::ThrowAway,
    show,
};

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("No upper: nothing can be written", "没有 upper：什么也写不了"));
    stage.say(&text!(
        "Other union file systems let each branch be read-only, read-write or whiteout-able. In \
         overlayfs the roles are fixed: a lower layer is read-only; upper is written to, and takes the whiteouts.",
        "别的 UnionFS 可以给每个分支（branch）设定 readonly、readwrite 或 whiteout-able。OverlayFS 的分工是固定的：\
         lower 层只读；upper 层可写，whiteout 也放在那里。"
    ));
    legend(stage);
    stage.blank();
    let mut ground = Ground::make(stage, &["b", "a"])?;
    for name in ["a/one", "b/two"] {
        ground.echo(stage, &format!("from {}", &name[..1]), name)?;
    }
    stage.command(&ground.command_with(&ground.layers.read_only_options()));
    overlay::mount_read_only(&ground.layers)?;
    draw(stage, &ground.layers)?;
    let read = file::read_text(&ground.path("merged/one"))? == "from a\n";
    let refused = refusals(stage, &ground)?;
    ground.unmount(stage)?;
    let granted = on_top(stage, &ground)?;
    let stacked = stacked(stage, &mut ground)?;
    Ok(Ending::default()
        .saw(read && refused, text!(
            "Without upperdir the union can be read, and every change is refused with EROFS, for root too.",
            "没有 upperdir 时，合并视图只能读；任何修改都返回 EROFS，root 也不例外。"
        ))
        .saw(granted, text!(
            "With an upper layer over the same directories all of it is granted, and they are as they were: so a \
             container starts, from an image that nobody may write to.",
            "在同样的目录上加一个 upper 层，修改就都成功了，而原来的目录没有变：容器正是这样从只读的镜像启动的。"
        ))
        .saw(stacked, text!(
            "That upper layer became a read-only layer under a new one: so an image grows by a layer.",
            "这个 upper 层又成了新 upper 层下面的只读层：镜像就是这样一层一层长出来的。"
        ))
        .next("overlay-demo layers")
        .next("overlay-demo bootfs"))
}

/// Three changes, and what the kernel answers to each.
fn attempts(ground: &Ground) -> [(&'static str, Result<()>); 3] {
    let path = |name: &str| ground.path("merged").join(name);
    [
        ("echo new > merged/new", file::write_new(&path("new"), "new\n", 0o644)),
        ("chmod 600 merged/one", file::chmod(&path("one"), 0o600)),
        ("rm merged/two", file::unlink(&path("two"))),
    ]
}

/// Try the changes; whether all were refused with EROFS.
fn refusals(stage: &Stage, ground: &Ground) -> Result<bool> {
    let attempts = attempts(ground);
    report(stage, &attempts);
    Ok(attempts.iter().all(|(_, answer)| answer.as_ref().is_err_and(|error| error.is(EROFS))))
}

fn report(stage: &Stage, attempts: &[(&'static str, Result<()>)]) {
    let row = |(command, answer): &(&'static str, Result<()>)| {
        let answer = match answer {
            Ok(()) => Entry::of(Ink::Granted, "0"),
            Err(error) => {
                let said = error.refusal.as_ref().map(|said| format!("-1 {} ({})", said.name, said.message));
                Entry::of(Ink::Refused, said.unwrap_or_default())
            }
        };
        vec![Entry::of(Ink::Command, *command), answer]
    };
    stage.blank();
    stage.table(&["", ""], &attempts.iter().map(row).collect::<Vec<_>>());
}

/// The same layers with an upper one; whether the changes are granted, and the layers stay as they are.
fn on_top(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("A writable layer on top", "在上面叠加可写层"));
    let below = [ground.path("a/one"), ground.path("b/two")];
    let look = || below.iter().map(|path| inode::inode(path)).collect::<Result<Vec<_>>>();
    let before = look()?;
    ground.mount(stage)?;
    let attempts = attempts(ground);
    report(stage, &attempts);
    let agrees = draw(stage, &ground.layers)?;
    Ok(agrees && attempts.iter().all(|(_, answer)| answer.is_ok()) && look()? == before)
}

/// The upper layer as one more lower layer below a new one.
fn stacked(stage: &Stage, ground: &mut Ground) -> Result<bool> {
    stage.scene(&text!("… and read-only in its turn", "……再把它也变成只读"));
    ground.unmount(stage)?;
    stage.command("mkdir upper2 work2");
    let new = ground.path("upper2");
    let upper = std::mem::replace(&mut ground.layers.upper, new);
    ground.layers.work = ground.path("work2");
    ground.layers.lower.insert(0, upper.clone());
    file::mkdir(&ground.layers.upper, 0o755)?;
    file::mkdir(&ground.layers.work, 0o700)?;
    ground.mount(stage)?;
    ground.echo(stage, "newer", "merged/new")?;
    let agrees = draw(stage, &ground.layers)?;
    let kept = file::read_text(&upper.join("new"))? == "new\n";
    let newer = file::read_text(&ground.path("merged/new"))? == "newer\n";
    Ok(agrees && kept && newer && !file::exists(&ground.path("merged/two"))?)
}
