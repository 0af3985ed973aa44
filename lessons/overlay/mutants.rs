//! Typical wrong answers of lab `overlay`.

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::overlay::Layers;
use minidocker::overlay::diff::{Change, What, below};
use minidocker::overlay::mark::{Marks, is_whiteout};
use minidocker::sys::file::{self, Kind};
use minidocker::sys::mount::mount;
use std::path::{Path, PathBuf};

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "lowest-first",
        parts: Parts { overlay: lowest_first, ..Parts::REFERENCE },
        fails: &["topmost-layer-wins"],
        mistake: Some("lowest-first"),
    },
    Mutant {
        name: "no-userxattr",
        parts: Parts { overlay: no_userxattr, ..Parts::REFERENCE },
        fails: &["replaced-directory-is-opaque", "diff-tells-each-change", "diff-of-a-replaced-directory"],
        mistake: Some("no-userxattr"),
    },
    Mutant {
        name: "shared-upper",
        parts: Parts { overlay: shared_upper, ..Parts::REFERENCE },
        fails: &[
            "layers-as-planned",
            "containers-apart",
            "diff-tells-each-change",
            "diff-of-a-replaced-directory",
        ],
        mistake: Some("shared-upper"),
    },
    Mutant {
        name: "writes-into-the-image",
        parts: Parts { overlay: writes_into_the_image, ..Parts::REFERENCE },
        fails: &[
            "layers-as-planned",
            "changes-land-above",
            "containers-apart",
            "diff-tells-each-change",
            "diff-of-a-replaced-directory",
        ],
        mistake: Some("writes-into-the-image"),
    },
    Mutant {
        name: "upper-out-of-sight",
        parts: Parts { overlay: upper_out_of_sight, ..Parts::REFERENCE },
        fails: &[
            "layers-as-planned",
            "changes-land-above",
            "deleted-is-a-whiteout",
            "replaced-directory-is-opaque",
            "diff-tells-each-change",
            "diff-of-a-replaced-directory",
        ],
        mistake: Some("upper-out-of-sight"),
    },
    Mutant {
        name: "reads-the-union",
        parts: Parts { changes: reads_the_union, ..Parts::REFERENCE },
        fails: &["diff-tells-each-change", "diff-of-a-replaced-directory"],
        mistake: Some("reads-the-union"),
    },
    Mutant {
        name: "top-only",
        parts: Parts { changes: top_only, ..Parts::REFERENCE },
        fails: &["diff-tells-each-change", "diff-of-a-replaced-directory"],
        mistake: Some("top-only"),
    },
    Mutant {
        name: "whiteout-told-as-file",
        parts: Parts { changes: whiteout_told_as_file, ..Parts::REFERENCE },
        fails: &["diff-tells-each-change"],
        mistake: Some("whiteout-told-as-file"),
    },
    Mutant {
        name: "first-layer-only",
        parts: Parts { changes: first_layer_only, ..Parts::REFERENCE },
        fails: &["diff-tells-each-change", "diff-of-a-replaced-directory"],
        mistake: Some("first-layer-only"),
    },
    Mutant {
        name: "below-by-name",
        parts: Parts { changes: below_by_name, ..Parts::REFERENCE },
        fails: &["diff-tells-each-change"],
        mistake: Some("below-by-name"),
    },
    Mutant {
        name: "opaque-not-read",
        parts: Parts { changes: opaque_not_read, ..Parts::REFERENCE },
        fails: &["diff-of-a-replaced-directory"],
        mistake: Some("opaque-not-read"),
    },
];

/// Mounts what `layers` says, with these options.
fn mount_with(layers: &Layers, lower: &[&Path], upper: &Path, rest: &str) -> Result<()> {
    let lower: Vec<String> = lower.iter().map(|path| path.display().to_string()).collect();
    let (lower, upper, work) = (lower.join(":"), upper.display(), layers.work.display());
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}{rest}");
    mount("overlay", &layers.merged, "overlay", 0, Some(&options))
}

fn topmost_first(layers: &Layers) -> Vec<&Path> {
    layers.lower.iter().map(PathBuf::as_path).collect()
}

/// As an archive lists them.
fn lowest_first(spec: &Spec) -> Result<()> {
    let lower: Vec<&Path> = topmost_first(&spec.layers).into_iter().rev().collect();
    mount_with(&spec.layers, &lower, &spec.layers.upper, ",userxattr")
}

/// As on a host where one is root.
fn no_userxattr(spec: &Spec) -> Result<()> {
    mount_with(&spec.layers, &topmost_first(&spec.layers), &spec.layers.upper, "")
}

/// One upper layer for all containers.
fn shared_upper(spec: &Spec) -> Result<()> {
    let upper = spec.directory.with_file_name("upper-of-all");
    file::mkdir_all(&upper, 0o755)?;
    mount_with(&spec.layers, &topmost_first(&spec.layers), &upper, ",userxattr")
}

/// The image's topmost layer is on top, so that is what is written to.
fn writes_into_the_image(spec: &Spec) -> Result<()> {
    let lower = topmost_first(&spec.layers);
    mount_with(&spec.layers, &lower[1..], lower[0], ",userxattr")
}

/// A file system of its own for upper and work: the kernel is content, and nobody else ever sees it.
fn upper_out_of_sight(spec: &Spec) -> Result<()> {
    let layers = &spec.layers;
    mount("tmpfs", &layers.upper, "tmpfs", 0, None)?;
    let (upper, work) = (layers.upper.join("upper"), layers.upper.join("work"));
    [&upper, &work].iter().try_for_each(|path| file::mkdir(path, 0o755))?;
    let apart = Layers { work, ..layers.clone() };
    mount_with(&apart, &topmost_first(layers), &upper, ",userxattr")
}

/// Reads where the container's process would see its root.
fn reads_the_union(layers: &Layers) -> Result<Vec<Change>> {
    walk(layers, &layers.merged, &|layers, path| below(layers, path).map(|one| one.is_some()))
}

/// Does not go into directories.
fn top_only(layers: &Layers) -> Result<Vec<Change>> {
    let mut changes = minidocker::overlay::diff::changes(layers)?;
    changes.retain(|(path, _)| path.components().count() == 1);
    Ok(changes)
}

/// A character device is just another file.
fn whiteout_told_as_file(layers: &Layers) -> Result<Vec<Change>> {
    let mut changes = minidocker::overlay::diff::changes(layers)?;
    for (path, what) in &mut changes {
        let whiteout =
            file::if_there(file::link_status(&layers.upper.join(path)))?.is_some_and(|one| is_whiteout(&one));
        if whiteout {
            *what = What::Changed;
        }
    }
    Ok(changes)
}

/// Asks the topmost of the layers below and no other.
fn first_layer_only(layers: &Layers) -> Result<Vec<Change>> {
    let first = Layers { lower: layers.lower[..1].to_vec(), ..layers.clone() };
    minidocker::overlay::diff::changes(&first)
}

/// Whoever has the name, has it: a whiteout in a layer below hides nothing from this.
fn below_by_name(layers: &Layers) -> Result<Vec<Change>> {
    walk(layers, &layers.upper, &|layers, path| {
        for lower in &layers.lower {
            if file::if_there(file::link_status(&lower.join(path)))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// What stands in the upper layer is all there is to read.
fn opaque_not_read(layers: &Layers) -> Result<Vec<Change>> {
    let mut changes = minidocker::overlay::diff::changes(layers)?;
    let mut told = Vec::new();
    for (path, what) in changes.drain(..) {
        if file::if_there(file::link_status(&layers.upper.join(&path)))?.is_some() {
            told.push((path, what));
        }
    }
    Ok(told)
}

/// All names below `top`; `is_below` says whether the layers below have one.
fn walk(
    layers: &Layers,
    top: &Path,
    is_below: &dyn Fn(&Layers, &Path) -> Result<bool>,
) -> Result<Vec<Change>> {
    let (mut changes, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(directory) = open.pop() {
        for (name, kind) in file::list(&top.join(&directory))? {
            let path = directory.join(name);
            let whiteout = is_whiteout(&file::link_status(&top.join(&path))?);
            match (whiteout, is_below(layers, &path)?) {
                (true, true) => changes.push((path.clone(), What::Deleted)),
                (true, false) => {}
                (false, true) => changes.push((path.clone(), What::Changed)),
                (false, false) => changes.push((path.clone(), What::Added)),
            }
            if kind == Kind::Directory {
                if Marks::of(layers).is_opaque(&top.join(&path))? {
                    for name in minidocker::overlay::diff::names_below(layers, &path)? {
                        let gone = path.join(name);
                        if file::if_there(file::link_status(&top.join(&gone)))?.is_none() {
                            changes.push((gone, What::Deleted));
                        }
                    }
                }
                open.push(path);
            }
        }
    }
    Ok(changes)
}
