//! rename: why `mv` of a directory may copy it. Documentation/filesystems/overlayfs.rst, "Renaming directories".

use super::ground::Ground;
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::overlay::tree;
use crate::sys::errno::{EINVAL, EPERM, EXDEV};
use crate::sys::file;
use crate::sys::remove::remove_all;

/// `overlay-demo rename`.
pub const WALK: Walk = Walk {
    name: "rename",
    title: Text {
        en: "Renaming a directory: EXDEV, a copy, or a redirect",
        zh: "重命名目录：EXDEV、复制或 redirect",
    },
    place: Place::ThrowAway,
    show,
};

fn show(stage: &Stage) -> Result<Ending> {
    let (ground, refused) = off(stage)?;
    let copied = copy(stage, &ground)?;
    let redirected = on(stage)?;
    let mut ending = Ending::default()
        .saw(refused, text!(
            "rename(2) of a directory of lower is refused with EXDEV, as if it led to another file system; of a file it \
             is not.",
            "对 lower 里的目录做 rename(2) 会被拒绝，返回 EXDEV，就像跨文件系统一样；对文件则允许。"
        ))
        .saw(copied, text!(
            "So mv(1) copies: all of the directory is in upper now, and a whiteout stands at its old name.",
            "于是 mv(1) 退而复制：整个目录都进了 upper，旧名字处留下 whiteout。"
        ));
    if let Some(redirected) = redirected {
        ending = ending.saw(redirected, text!(
            "With redirect_dir=on nothing was copied: upper has an empty directory that says where its contents are.",
            "使用 redirect_dir=on 时什么都不复制：upper 里只有一个空目录，注明内容在哪里。"
        ));
    }
    Ok(ending.next("overlay-demo rename --explain").next("overlay-demo copy-up"))
}

/// A directory of lower with two files, and a file beside it.
fn fill(stage: &Stage, ground: &Ground) -> Result<()> {
    let dir = ground.path("lower/dir");
    stage.command(&format!("mkdir {}", ground.short(&dir)));
    file::mkdir(&dir, 0o755)?;
    ["lower/dir/a", "lower/dir/b", "lower/file"]
        .iter()
        .try_for_each(|name| ground.echo(stage, "from lower", name))
}

/// Without redirection. Whether the directory was refused and the file not.
fn off(stage: &Stage) -> Result<(Ground, bool)> {
    stage.scene(&text!("redirect_dir=off", "redirect_dir=off"));
    stage.say(&text!(
        "An overlay may be mounted so that directories of lower keep their names. With userxattr it always is.",
        "overlay 可以挂载成不允许重命名 lower 里的目录；使用 userxattr 时总是如此。"
    ));
    legend(stage);
    stage.blank();
    let mut ground = Ground::make(stage, &["lower"])?;
    fill(stage, &ground)?;
    ground.layers.redirect_dir = (!ground.layers.userxattr).then_some(false);
    ground.mount(stage)?;
    stage.command("mv --no-copy merged/dir merged/moved");
    let directory = file::rename(&ground.path("merged/dir"), &ground.path("merged/moved"));
    stage.fact("rename(2)", &answer(&directory));
    stage.command("mv --no-copy merged/file merged/renamed");
    let plain = file::rename(&ground.path("merged/file"), &ground.path("merged/renamed"));
    stage.fact("rename(2)", &answer(&plain));
    let agrees = draw(stage, &ground.layers)?;
    let refused = directory.is_err_and(|error| error.is(EXDEV));
    Ok((ground, agrees && refused && plain.is_ok()))
}

/// What the kernel answered, in its own words.
fn answer(answer: &Result<()>) -> String {
    match answer {
        Ok(()) => "0".to_owned(),
        Err(error) => error
            .refusal
            .as_ref()
            .map_or(String::new(), |said| format!("-1 {} ({})", said.name, said.message)),
    }
}

/// What mv(1) does when it gets EXDEV. Whether all is under the new name, in upper, and nothing under the old.
fn copy(stage: &Stage, ground: &Ground) -> Result<bool> {
    stage.scene(&text!("What mv does then", "这时 mv 怎么做"));
    stage.command("mv merged/dir merged/moved");
    let (from, to) = (ground.path("merged/dir"), ground.path("merged/moved"));
    let before = tree::read(&from)?;
    file::mkdir(&to, 0o755)?;
    tree::write(&to, &before)?;
    remove_all(&from)?;
    let agrees = draw(stage, &ground.layers)?;
    let in_upper = tree::read(&ground.path("upper/moved"))?;
    Ok(agrees && in_upper.len() == before.len() && !file::exists(&from)? && tree::read(&to)? == before)
}

/// With redirection. Whether only the note was made; `None` where it is not allowed.
fn on(stage: &Stage) -> Result<Option<bool>> {
    stage.scene(&text!("redirect_dir=on", "redirect_dir=on"));
    let mut ground = Ground::make_in(stage, "redirect", &["lower"])?;
    fill(stage, &ground)?;
    ground.layers.redirect_dir = Some(true);
    match ground.mount(stage) {
        Err(error) if error.is(EINVAL) || error.is(EPERM) => {
            stage.lacks(&text!(
                "a redirect could lead anywhere, and with userxattr anybody could write one; so the kernel refuses the \
                 two together. As root, --on-host shows it.",
                "redirect 可以指向任何地方，而 userxattr 的属性任何人都能写，所以内核拒绝同时使用两者。以 root 加 --on-host \
                 可以看到。"
            ));
            return Ok(None);
        }
        answer => answer?,
    }
    stage.command("mv redirect/merged/dir redirect/merged/moved");
    file::rename(&ground.path("merged/dir"), &ground.path("merged/moved"))?;
    draw(stage, &ground.layers)?;
    let name = ground.marks().name("redirect");
    stage.command(&format!("getfattr -n {name} redirect/upper/moved"));
    let note = ground.marks().redirect(&ground.path("upper/moved"))?;
    stage.fact(&name, note.as_deref().unwrap_or("-"));
    let empty = file::list(&ground.path("upper/moved"))?.is_empty();
    let seen = file::list(&ground.path("merged/moved"))?.len() == 2;
    Ok(Some(empty && seen && note.is_some_and(|note| note.ends_with("dir"))))
}
