//! copy-up: what a write to a file of a lower layer costs. Documentation/filesystems/overlayfs.rst, "Non-directories".

use super::ground::{Ground, STAT_HEADS, stat_row};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::overlay;
use crate::sys::errno::{EINVAL, EPERM};
use crate::sys::file;
use crate::sys::inode::{self, Inode};
use std::time::Instant;

/// `overlay-demo copy-up`.
pub const WALK: Walk = Walk {
    name: "copy-up",
    title: Text {
        en: "Copy on write, a whole file at a time", zh: "写时复制：以整个文件为单位"
    },
    place: Place::ThrowAway,
    show,
};

/// The size of the files: enough to be seen, little enough for memory.
const SIZE: u64 = 4 << 20;

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("Before: nothing in upper", "之前：upper 是空的"));
    let mut ground = Ground::make(stage, &["lower"])?;
    ground.layers.metacopy = (!ground.layers.userxattr).then_some(false);
    for name in ["big", "other"] {
        stage.command(&format!("head -c {SIZE} /dev/zero | tr '\\0' x > lower/{name}"));
        inode::create(&ground.path("lower").join(name), &vec![b'x'; SIZE as usize], 0o644)?;
    }
    ground.mount(stage)?;
    let before = inode::inode(&ground.path("lower/big"))?;
    table(stage, &ground, "big")?;
    stage.say(&text!(
        "merged/big is lower/big: the same inode number, the same blocks (of 512 bytes). Reading it copies nothing.",
        "merged/big 就是 lower/big：inode 号相同，数据块（每块 512 字节）也相同。读取它不会复制任何东西。"
    ));
    let copied = append(stage, &ground)?;
    let mode_copied = chmod(stage, &ground)?;
    let unchanged = inode::inode(&ground.path("lower/big"))? == before;
    metacopy(stage)?;
    Ok(Ending::default()
        .saw(copied, text!(
            "One byte more took all {SIZE} bytes to upper first: overlayfs copies files, not blocks. The second byte \
             copied nothing.",
            "追加一个字节，先把全部 {SIZE} 字节复制到了 upper：OverlayFS 复制的是文件，不是块。第二个字节就不再复制。"
        ))
        .saw(mode_copied, text!(
            "A new mode alone has the same price.",
            "只改权限，代价也一样。"
        ))
        .saw(unchanged, text!(
            "The file in lower has its old inode, size, blocks and time: whoever else uses that layer sees no change.",
            "lower 里的文件 inode、大小、块数、时间都没变：共用这一层的其他容器看不到任何变化。"
        ))
        .next("overlay-demo share")
        .next("overlay-demo allocate"))
}

/// The three places of one file.
fn table(stage: &Stage, ground: &Ground, name: &str) -> Result<()> {
    let rows = ["lower", "upper", "merged"].map(|place| stat_row(ground, &format!("{place}/{name}")));
    stage.table(&STAT_HEADS, &rows.into_iter().collect::<Result<Vec<_>>>()?);
    Ok(())
}

/// Whether the whole file is there, in blocks of its own.
fn is_whole(inode: &Inode) -> bool {
    inode.status.size >= SIZE && inode.blocks * 512 >= SIZE
}

/// Append a byte, and another. Whether the first copied the whole file, and the second nothing.
fn append(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("One byte more", "追加一个字节"));
    let (merged, top) = (ground.path("merged/big"), ground.path(""));
    let mut rows = Vec::new();
    let mut taken = Vec::new();
    for text in ["1", "2"] {
        stage.command(&format!("printf {text} >> merged/big"));
        let (used, start) = (inode::used_bytes(&top)?, Instant::now());
        inode::append(&merged, text.as_bytes())?;
        let microseconds = start.elapsed().as_micros();
        taken.push(inode::used_bytes(&top)?.saturating_sub(used));
        rows.push(vec![
            format!("printf {text}").into(),
            format!("{microseconds} µs").into(),
            format!("{} KiB", taken[taken.len() - 1] / 1024).into(),
        ]);
    }
    let heads =
        [String::new(), text!("time taken", "用时"), text!("space taken (statfs)", "占用的空间（statfs）")];
    stage.table(&heads.each_ref().map(String::as_str), &rows);
    stage.blank();
    table(stage, ground, "big")?;
    let upper = inode::inode(&ground.path("upper/big"))?;
    let origin = ground.marks().name("origin");
    stage.say(&text!(
        "The union still shows the old inode number, so that programs do not take it for another file; the attribute \
         {origin} of upper/big is how overlayfs remembers.",
        "合并视图里 inode 号没有变，程序不会误以为换了文件；OverlayFS 靠 upper/big 的扩展属性 {origin} 记住这一点。"
    ));
    Ok(is_whole(&upper)
        && taken[0] >= SIZE
        && taken[1] < SIZE
        && ground.marks().is_copied(&ground.path("upper/big"))?)
}

/// Change the mode of the other file. Whether that copied it.
fn chmod(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("A new mode, and nothing else", "只改权限"));
    stage.command("chmod 600 merged/other");
    file::chmod(&ground.path("merged/other"), 0o600)?;
    table(stage, ground, "other")?;
    let upper = file::if_there(inode::inode(&ground.path("upper/other")))?;
    Ok(upper.is_some_and(|upper| is_whole(&upper)))
}

/// The same with the option metacopy, where it is allowed.
fn metacopy(stage: &Stage) -> Result<()> {
    stage.scene(&text!("With metacopy=on", "加上 metacopy=on"));
    let mut ground = Ground::make_in(stage, "meta", &["lower"])?;
    ground.layers.metacopy = Some(true);
    inode::create(&ground.path("lower/other"), &vec![b'x'; SIZE as usize], 0o644)?;
    match ground.mount(stage) {
        Err(error) if error.is(EINVAL) || error.is(EPERM) => {
            stage.lacks(&text!(
                "metacopy believes the attributes in upper, which with userxattr anybody may write; so the kernel \
                 refuses the two together. As root, --on-host shows it.",
                "metacopy 依赖 upper 里的扩展属性，而 userxattr 的属性任何人都能写，所以内核拒绝同时使用两者。以 root 加 \
                 --on-host 可以看到。"
            ));
            return Ok(());
        }
        answer => answer?,
    }
    stage.command("chmod 600 meta/merged/other");
    file::chmod(&ground.path("merged/other"), 0o600)?;
    table(stage, &ground, "other")?;
    stage.say(&text!(
        "upper/other is all metadata: full size, no blocks. The contents follow with the first write.",
        "upper/other 只有元数据：大小是完整的，却不占块。第一次写入时才复制内容。"
    ));
    overlay::unmount(&ground.layers)
}
