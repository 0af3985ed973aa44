//! whiteout: how a deletion is written down. Documentation/filesystems/overlayfs.rst, "Whiteouts and opaque directories".

use super::ground::{Ground, mknod_whiteout, mode_string};
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::overlay;
use crate::overlay::mark::is_whiteout;
use crate::sys::file::{self, Kind};
use crate::sys::inode;

/// `overlay-demo whiteout`.
pub const WALK: Walk = Walk {
    name: "whiteout",
    title: Text { en: "A deletion is a thing that stands there", zh: "whiteout：删除也要写下来" },
    place: Place::ThrowAway,
    show,
};

fn show(stage: &Stage) -> Result<Ending> {
    let (ground, deleted) = delete(stage)?;
    let by_hand = by_hand(stage, &ground)?;
    let remade = remake(stage, &ground)?;
    let mut ending = Ending::default().saw(
        deleted,
        text!(
            "rm put a character device 0:0 into upper; lower still has the file, and the union has none.",
            "rm 在 upper 里放了一个 0:0 字符设备；lower 里文件还在，合并视图里没有了。"
        ),
    );
    if let Some(hidden) = by_hand {
        ending = ending.saw(
            hidden,
            text!(
                "A whiteout made by hand, with mknod, hides just as well: there is nothing else to it.",
                "用 mknod 手工创建的 whiteout 同样有效：它就是这么简单。"
            ),
        );
    }
    Ok(ending
        .saw(remade, text!(
            "A file made again replaced the whiteout; the old contents below stayed hidden, for whoever has upper.",
            "重新创建的文件取代了 whiteout；对拥有这个 upper 的人来说，下面的旧内容依然不可见。"
        ))
        .next("overlay-demo opaque")
        .next("overlay-demo diff"))
}

/// Delete a file of lower, and look at what upper has.
fn delete(stage: &Stage) -> Result<(Ground, bool)> {
    stage.scene(&text!("rm, in the union", "在合并视图里 rm"));
    legend(stage);
    stage.blank();
    let ground = Ground::make(stage, &["lower"])?;
    for name in ["first", "second"] {
        ground.echo(stage, "from lower", &format!("lower/{name}"))?;
    }
    ground.mount(stage)?;
    draw(stage, &ground.layers)?;
    stage.blank();
    stage.command("rm merged/first");
    file::unlink(&ground.path("merged/first"))?;
    let agrees = draw(stage, &ground.layers)?;
    stage.blank();
    stage.command("ls -l upper/first");
    let marked = fact(stage, &ground, "upper/first")?;
    let kept = file::exists(&ground.path("lower/first"))?;
    Ok((ground, marked && agrees && kept))
}

/// Say what stands at `name`; whether it is a whiteout.
fn fact(stage: &Stage, ground: &Ground, name: &str) -> Result<bool> {
    let inode = inode::inode(&ground.path(name))?;
    let (major, minor) = inode.status.device;
    stage.fact(name, &format!("{} {major}, {minor}", mode_string(&inode.status)));
    Ok(is_whiteout(&inode.status))
}

/// Make a whiteout while nothing is mounted; whether it hides. `None` where the kernel does not allow it.
fn by_hand(stage: &Stage, ground: &Ground) -> Result<Option<bool>> {
    stage.scene(&text!("The same by hand", "手工创建"));
    stage.say(&text!(
        "Whoever changes the layers of a mounted overlay gets what the kernel happens to remember. So: unmount first.",
        "overlay 挂载期间直接改各层，结果取决于内核当时缓存了什么。所以先卸载。"
    ));
    ground.unmount(stage)?;
    stage.command("sudo mknod upper/second c 0 0");
    if !mknod_whiteout(stage, &ground.path("upper/second"))? {
        overlay::mount(&ground.layers)?;
        return Ok(None);
    }
    ground.mount(stage)?;
    let agrees = draw(stage, &ground.layers)?;
    Ok(Some(agrees && file::list(&ground.layers.merged)?.is_empty()))
}

/// Make a deleted file again.
fn remake(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("Deleted, and made again", "删除之后再创建"));
    ground.echo(stage, "made again", "merged/first")?;
    let agrees = draw(stage, &ground.layers)?;
    stage.blank();
    stage.command("cat lower/first upper/first merged/first");
    let contents =
        ["lower", "upper", "merged"].map(|place| file::read_text(&ground.path(place).join("first")));
    let contents = contents.into_iter().collect::<Result<Vec<_>>>()?;
    stage.quote(&contents.concat());
    let kind = file::link_status(&ground.path("upper/first"))?.kind;
    Ok(agrees && kind == Kind::File && contents == ["from lower\n", "made again\n", "made again\n"])
}
