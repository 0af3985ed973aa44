//! walkthrough: four directories, four files, one mount, three deletions; after each a picture of what is where.

use super::ground::{Ground, mode_string};
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::overlay::mark;
use crate::sys::file;
use crate::sys::inode::{self, Inode};

/// `overlay-demo walkthrough`.
pub const WALK: Walk = Walk {
    name: "walkthrough",
    title: Text {
        en: "Upper, lower, merged: a union step by step",
        zh: "upper、lower、merged：一步一步看联合挂载",
    },
    place: Place::ThrowAway,
    show,
};

/// The files of the lower layer.
const BELOW: [&str; 2] = ["lower/in_both.txt", "lower/in_lower.txt"];
/// Which are deleted in the union, one after the other.
const DELETED: [&str; 3] = ["in_both.txt", "in_lower.txt", "in_upper.txt"];

fn show(stage: &Stage) -> Result<Ending> {
    let ground = Ground::plan(&["lower"])?;
    make(stage, &ground)?;
    let before = remember(&ground)?;
    let mut agrees = mount(stage, &ground)?;
    let read = file::read_text(&ground.path("merged/in_both.txt"))?;
    stage.blank();
    stage.command("cat merged/in_both.txt");
    stage.quote(&read);

    stage.scene(&text!("Three deletions", "三次删除"));
    stage.say(&text!(
        "`delete` is rm(1), which is unlink(2). The upper layer cannot take a name out of a layer below it, so it \
         writes down that the name is gone: a whiteout.",
        "delete 就是 rm(1)，也就是 unlink(2)。upper 层不能从下面的层里拿走一个名字，于是记下“这个名字没有了”：\
         whiteout。"
    ));
    for (index, name) in DELETED.iter().enumerate() {
        if index > 0 {
            stage.blank();
        }
        stage.command(&format!("rm merged/{name}"));
        file::unlink(&ground.path("merged").join(name))?;
        agrees &= draw(stage, &ground.layers)?;
    }
    let marked = upper(stage, &ground)?;
    let untouched = lower(stage, &ground, &before)?;
    Ok(Ending::default()
        .saw(read == "from upper\n" && agrees, text!(
            "Each name has one owner, the topmost layer that has it: every picture of the union is what follows from the \
             layers by that rule.",
            "每个名字由含有它的最上面一层决定：每一幅图里，内核给出的合并结果都与按此规则从各层推出的一致。"
        ))
        .saw(marked, text!(
            "What was deleted from below left a whiteout in upper, a character device 0:0; what was only in upper is \
             simply gone.",
            "从 lower 删除的名字在 upper 里留下 whiteout，即 0:0 字符设备；只在 upper 里的文件则直接消失。"
        ))
        .saw(untouched, text!(
            "Lower is untouched: the same inodes, times and contents as before the mount.",
            "lower 原封未动：inode、时间和内容都与挂载前相同。"
        ))
        .next("overlay-demo walkthrough --explain")
        .next("overlay-demo whiteout")
        .next("minidocker run --rm -it base sh"))
}

/// The directories and the files.
fn make(stage: &Stage, ground: &Ground) -> Result<()> {
    stage.scene(&text!("Four directories, four files", "四个目录，四个文件"));
    stage.say(&text!(
        "A line for each name, a column for each directory. The sign before a name says what became of it:",
        "每行一个名字，每列一个目录。名字前的符号说明它的状态："
    ));
    legend(stage);
    stage.blank();
    stage.command("mkdir upper lower merged work");
    for name in ["upper", "lower", "merged", "work"] {
        file::mkdir(&ground.path(name), 0o755)?;
    }
    draw(stage, &ground.layers)?;
    for (text, path) in [
        ("from lower", "lower/in_lower.txt"),
        ("from upper", "upper/in_upper.txt"),
        ("from lower", "lower/in_both.txt"),
        ("from upper", "upper/in_both.txt"),
    ] {
        stage.blank();
        ground.echo(stage, text, path)?;
        draw(stage, &ground.layers)?;
    }
    Ok(())
}

/// The mount, with its picture.
fn mount(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("The mount", "挂载"));
    stage.command(
        "sudo mount -t overlay overlay -o \
         lowerdir=`pwd`/lower,upperdir=`pwd`/upper,workdir=`pwd`/work `pwd`/merged",
    );
    if ground.layers.userxattr {
        stage.say(&text!(
            "(Here with the option userxattr too: this root is one of a user namespace.)",
            "（这里还加上了选项 userxattr：此处的 root 只是 User Namespace 里的 root。）"
        ));
    }
    crate::overlay::mount(&ground.layers)?;
    draw(stage, &ground.layers)
}

/// A file as it is below: its inode, and its contents.
type Remembered = (Inode, String);

fn remember(ground: &Ground) -> Result<Vec<Remembered>> {
    let one = |name: &&str| Ok((inode::inode(&ground.path(name))?, file::read_text(&ground.path(name))?));
    BELOW.iter().map(one).collect()
}

/// What stands in upper; whether it is the two whiteouts, and nothing else.
fn upper(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("What stands in upper", "upper 里有什么"));
    stage.command("ls -li upper");
    let mut rows = Vec::new();
    let mut whiteouts = Vec::new();
    for (name, _) in file::list(&ground.layers.upper)? {
        let inode = inode::inode(&ground.layers.upper.join(&name))?;
        let (major, minor) = inode.status.device;
        if mark::is_whiteout(&inode.status) {
            whiteouts.push(name.clone());
        }
        let cells = [
            mode_string(&inode.status),
            format!("{major}:{minor}"),
            inode.number().to_string(),
            inode.links.to_string(),
        ];
        let cells = cells.map(|cell| Entry::of(Ink::Fact, cell));
        rows.push(std::iter::once(name.to_string_lossy().into_owned().into()).chain(cells).collect());
    }
    stage.table(&["upper/", "st_mode", "st_rdev", "st_ino", "st_nlink"], &rows);
    stage.say(&text!(
        "No driver has the number 0:0, so no real device can be taken for one. Where whiteouts share an inode, the kernel \
         has made one in work and linked it.",
        "没有驱动使用 0:0 这个设备号，所以不会与真实设备混淆。几个 whiteout 若共用一个 inode，是因为内核在 work 里只造了\
         一个，再做硬链接。"
    ));
    Ok(rows.len() == 2 && whiteouts == ["in_both.txt", "in_lower.txt"])
}

/// Lower, then and now; whether it is the same.
fn lower(stage: &Stage, ground: &Ground, before: &[Remembered]) -> Result<bool> {
    stage.scene(&text!("What stands in lower", "lower 里有什么"));
    stage.command("stat -c '%n %i %.Y' lower/*; cat lower/*");
    let after = remember(ground)?;
    let mut rows = Vec::new();
    for (when, files) in [(text!("before", "之前"), before), (text!("after", "之后"), &after)] {
        for (name, (inode, contents)) in BELOW.iter().zip(files) {
            let (seconds, nanoseconds) = inode.modified;
            let cells = [
                inode.number().to_string(),
                format!("{seconds}.{nanoseconds:09}"),
                contents.trim_end().to_owned(),
            ];
            let cells = cells.map(|cell| Entry::of(Ink::Fact, cell));
            rows.push([when.clone().into(), (*name).into()].into_iter().chain(cells).collect());
        }
    }
    stage.table(&["", "", "st_ino", "st_mtime", &text!("contents", "内容")], &rows);
    Ok(before == after)
}
