//! Typical wrong answers of lab `image`.

use minidocker::container::parts::Parts;
use minidocker::error::{Error, ImageProblem, Problem, Result};
use minidocker::image::unpack::{self, Member, Places, Way, names};
use minidocker::lab::mutant::Mutant;
use minidocker::sys::file;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "not-confined",
        parts: Parts { confine: not_confined, ..Parts::REFERENCE },
        fails: &[
            "layer-becomes-a-directory",
            "whiteout-hides",
            "opaque-directory-starts-anew",
            "reserved-names-refused",
            "links-stay-in-the-image",
            "links-below-are-followed",
            "links-that-lead-round",
        ],
        mistake: Some("not-confined"),
    },
    Mutant {
        name: "whiteout-made-a-file",
        parts: Parts { member: whiteout_made_a_file, ..Parts::REFERENCE },
        fails: &["whiteout-hides", "opaque-directory-starts-anew", "reserved-names-refused"],
        mistake: Some("whiteout-made-a-file"),
    },
    Mutant {
        name: "opaque-taken-for-a-whiteout",
        parts: Parts { member: opaque_taken_for_a_whiteout, ..Parts::REFERENCE },
        fails: &["opaque-directory-starts-anew"],
        mistake: Some("not-opaque"),
    },
    Mutant {
        name: "dots-believed",
        parts: Parts { member: dots_believed, ..Parts::REFERENCE },
        fails: &["reserved-names-refused"],
        mistake: Some("dots-believed"),
    },
    Mutant {
        name: "way-not-made",
        parts: Parts { place: way_not_made, ..Parts::REFERENCE },
        fails: &["layer-becomes-a-directory", "links-below-are-followed"],
        mistake: Some("way-not-made"),
    },
    Mutant {
        name: "way-made-by-hand",
        parts: Parts { place: way_made_by_hand, ..Parts::REFERENCE },
        fails: &["layer-becomes-a-directory", "links-below-are-followed"],
        mistake: Some("way-made-by-hand"),
    },
    Mutant {
        name: "links-left-to-the-kernel",
        parts: Parts { place: links_left_to_the_kernel, ..Parts::REFERENCE },
        fails: &["links-below-are-followed"],
        mistake: Some("links-left-to-the-kernel"),
    },
    Mutant {
        name: "absolute-taken-relative",
        parts: Parts { place: absolute_taken_relative, ..Parts::REFERENCE },
        fails: &["links-stay-in-the-image"],
        mistake: Some("absolute-taken-relative"),
    },
    Mutant {
        name: "dots-dropped",
        parts: Parts { place: dots_dropped, ..Parts::REFERENCE },
        fails: &["links-stay-in-the-image"],
        mistake: Some("dots-dropped"),
    },
    Mutant {
        name: "links-without-end",
        parts: Parts { place: links_without_end, ..Parts::REFERENCE },
        fails: &["links-that-lead-round"],
        mistake: Some("links-without-end"),
    },
];

/// Goes there, and thinks that to be enough.
fn not_confined(directory: &Path) -> Result<()> {
    file::chdir(directory)
}

/// Every name is a name.
fn whiteout_made_a_file(path: &Path) -> Result<Member> {
    Ok(if path.as_os_str().is_empty() { Member::Top } else { Member::Node })
}

/// Looks for `.wh.` first: what is left of `.wh..wh..opq` is a name like any other.
fn opaque_taken_for_a_whiteout(path: &Path) -> Result<Member> {
    match unpack::member(path)? {
        Member::Opaque => Ok(Member::Whiteout(path.with_file_name(".wh..opq"))),
        member => Ok(member),
    }
}

/// Hides whatever the rest of the name says.
fn dots_believed(path: &Path) -> Result<Member> {
    let gone = path.file_name().and_then(|name| name.as_bytes().strip_prefix(b".wh."));
    match gone {
        Some(b"." | b"..") => {
            Ok(Member::Whiteout(path.with_file_name(OsStr::from_bytes(gone.unwrap_or_default()))))
        }
        _ => unpack::member(path),
    }
}

/// The layer is the root directory: what could be simpler?
fn way_not_made(_: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    Ok(Path::new("/").join(path))
}

/// Makes directories as `mkdir -p` does.
fn way_made_by_hand(_: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    let full = Path::new("/").join(path);
    if let Some(parent) = full.parent() {
        file::mkdir_all(parent, 0o755)?;
    }
    Ok(full)
}

/// What a walk does with a link: where it goes on, and what is put before the rest.
type Follow = fn(&mut PathBuf, &mut VecDeque<OsString>, &Path, &OsStr);

/// The walk, with `follow` for a link, of which it meets `most`.
fn walk(places: &mut Places<'_>, path: &Path, follow: Follow, most: u32) -> Result<PathBuf> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok("/".into()) };
    let (mut here, mut rest, mut links) = (PathBuf::from("/"), names(parent), 0);
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        match places.go(&next)? {
            Way::Directory => here = next,
            Way::Link(_) if links == most => {
                let path = path.display().to_string();
                return Err(Error::new(Problem::Image(ImageProblem::TooManyLinks { path })));
            }
            Way::Link(target) => {
                links += 1;
                follow(&mut here, &mut rest, &target, &name);
            }
            Way::Blocked => {
                let path = next.display().to_string();
                return Err(Error::new(Problem::Image(ImageProblem::NotADirectoryInLayer { path })));
            }
        }
    }
    Ok(here.join(name))
}

/// A link to a directory is as good as a directory.
fn links_left_to_the_kernel(places: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    walk(places, path, |here, _, _, name| here.push(name), 40)
}

/// Goes on from where it is, whatever the link begins with.
fn absolute_taken_relative(places: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    let follow: Follow =
        |_, rest, target, _| names(target).into_iter().rev().for_each(|name| rest.push_front(name));
    walk(places, path, follow, 40)
}

/// Drops `..` so that nothing can lead out.
fn dots_dropped(places: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    let follow: Follow = |here, rest, target, _| {
        if target.is_absolute() {
            *here = "/".into();
        }
        names(target).into_iter().rev().filter(|name| name != "..").for_each(|name| rest.push_front(name));
    };
    walk(places, path, follow, 40)
}

/// Follows as long as there is something to follow.
fn links_without_end(places: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    let follow: Follow = |here, rest, target, _| {
        if target.is_absolute() {
            *here = "/".into();
        }
        names(target).into_iter().rev().for_each(|name| rest.push_front(name));
    };
    walk(places, path, follow, u32::MAX)
}
