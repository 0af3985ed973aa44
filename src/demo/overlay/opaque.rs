//! opaque: a directory that was deleted and made again does not show what it held before.

use super::ground::Ground;
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::overlay::mark::is_whiteout;
use crate::sys::remove::remove_all;
use crate::sys::{attribute, file, inode};
use std::ffi::CString;

/// `overlay-demo opaque`.
pub const WALK: Walk = Walk {
    name: "opaque",
    title: Text { en: "A directory made again starts empty", zh: "opaque：重新创建的目录是空的" },
    place: Place::ThrowAway,
    show,
};

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A directory is deleted", "删除一个目录"));
    legend(stage);
    stage.blank();
    let ground = Ground::make(stage, &["lower"])?;
    stage.command("mkdir lower/dir");
    file::mkdir(&ground.path("lower/dir"), 0o755)?;
    for name in ["lower/dir/a", "lower/dir/b"] {
        ground.echo(stage, "from lower", name)?;
    }
    ground.mount(stage)?;
    stage.command("rm -r merged/dir");
    remove_all(&ground.path("merged/dir"))?;
    draw(stage, &ground.layers)?;
    let whole = is_whiteout(&file::link_status(&ground.path("upper/dir"))?);
    stage.say(&text!(
        "One whiteout for the whole directory: what was in it needs none.",
        "整个目录只需一个 whiteout，里面的内容不再需要。"
    ));
    let mut ending = Ending::default().saw(
        whole,
        text!(
            "A deleted directory is one whiteout, however much it held.",
            "删除一个目录只留下一个 whiteout，不论里面有多少东西。"
        ),
    );
    if ground.keeps_marks(stage)? {
        let empty = remake(stage, &ground)?;
        let back = unmark(stage, &ground)?;
        let name = ground.marks().name("opaque");
        ending = ending
            .saw(empty, text!(
                "Made again, the directory has the attribute {name} = y in upper, and shows nothing of lower's.",
                "重新创建后，upper 里的目录带有扩展属性 {name} = y，lower 里的内容不再显示。"
            ))
            .saw(back, text!(
                "Without that attribute the old files are back: it was all that hid them.",
                "去掉这个属性，旧文件就又出现了：之前隐藏它们的正是它。"
            ));
    }
    Ok(ending.next("overlay-demo whiteout").next("overlay-demo diff").next("minidocker run --rm -it base sh"))
}

/// Make the directory again. Whether it is opaque and empty.
fn remake(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("… and made again", "……再创建它"));
    stage.command("mkdir merged/dir");
    file::mkdir(&ground.path("merged/dir"), 0o755)?;
    let agrees = draw(stage, &ground.layers)?;
    stage.blank();
    let opaque = note(stage, ground)?;
    Ok(agrees && opaque.as_deref() == Some("y") && file::list(&ground.path("merged/dir"))?.is_empty())
}

/// Say what the attribute says.
fn note(stage: &Stage, ground: &Ground) -> Result<Option<String>> {
    let name = ground.marks().name("opaque");
    stage.command(&format!("getfattr -n {name} upper/dir"));
    let value = inode::attribute(&ground.path("upper/dir"), &name)?;
    let value = value.map(|value| String::from_utf8_lossy(&value).into_owned());
    stage.fact(&name, value.as_deref().unwrap_or("-"));
    Ok(value)
}

/// Take the attribute away while nothing is mounted. Whether what it hid is seen again.
fn unmark(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("Without the attribute", "去掉这个属性"));
    ground.unmount(stage)?;
    let name = ground.marks().name("opaque");
    stage.command(&format!("setfattr -x {name} upper/dir"));
    let name = CString::new(name).unwrap_or_default();
    attribute::removexattr(&ground.path("upper/dir"), &name)?;
    ground.mount(stage)?;
    let agrees = draw(stage, &ground.layers)?;
    Ok(agrees && file::list(&ground.path("merged/dir"))?.len() == 2)
}
