//! The words of `--volume`: `HOST:CONTAINER[:OPTIONS]`, `NAME:CONTAINER[:OPTIONS]`, or `CONTAINER` alone.

use super::{Kind, Volume, check_name, source_of, target_of};
use crate::error::{Error, Problem, Result};
use std::path::PathBuf;

/// Understand one word. What begins with `/` or `.` is a place on the host, where a directory is made if nothing is
/// there; anything else is the name of a volume, which is made too.
pub fn parse(text: &str) -> Result<Volume> {
    let bad = || Error::new(Problem::BadVolume { text: text.to_owned() });
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts[..] {
        [target] if !target.is_empty() => return Ok(Volume::anonymous(target_of(target, text)?)),
        ["", ..] => return Err(bad()),
        [source, target] => (source, target, ""),
        [source, target, options] if !options.is_empty() => (source, target, options),
        _ => return Err(bad()),
    };
    let Options { read_only, copy } = options_of(options).ok_or_else(bad)?;
    let target = target_of(target, text)?;
    if source.starts_with('/') || source.starts_with('.') {
        let kind = Kind::Bind { make: true };
        return Ok(Volume { kind, source: source_of(source, text)?, target, read_only });
    }
    check_name(source)?;
    let kind = Kind::Volume { name: source.to_owned(), anonymous: false, copy };
    Ok(Volume { kind, source: PathBuf::new(), target, read_only })
}

struct Options {
    read_only: bool,
    copy: bool,
}

/// The options behind the second colon. How mounts travel is always `rprivate` here; the words about caches and
/// labels of other machines ask for nothing that this one has.
fn options_of(text: &str) -> Option<Options> {
    let mut options = Options { read_only: false, copy: true };
    let mut access = None;
    for word in text.split(',').filter(|_| !text.is_empty()) {
        match word {
            "ro" | "rw" if access.is_none_or(|earlier| earlier == word) => access = Some(word),
            "nocopy" => options.copy = false,
            "z" | "Z" | "private" | "rprivate" | "consistent" | "cached" | "delegated" => {}
            _ => return None,
        }
    }
    options.read_only = access == Some("ro");
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_place_on_the_host_is_shown() {
        let volume = parse("/tmp:/data:ro").unwrap();
        assert_eq!((volume.target.as_path(), volume.read_only), (Path::new("/data"), true));
        assert_eq!((volume.kind, volume.source.as_path()), (Kind::Bind { make: true }, Path::new("/tmp")));
        assert_eq!(parse("/tmp:/a/../b/").unwrap().target, Path::new("/b"));
        assert_eq!(parse("/tmp:/process").unwrap().target, Path::new("/process"));
        assert!(parse("./here:/a:rw,z").unwrap().source.is_absolute());
        assert_eq!(parse("/no/such/thing:/a").unwrap().source, Path::new("/no/such/thing"));
    }

    #[test]
    fn any_other_word_is_a_name() {
        let volume = parse("web.data-1:/a:ro,nocopy").unwrap();
        let kind = Kind::Volume { name: "web.data-1".to_owned(), anonymous: false, copy: false };
        assert_eq!((volume.kind, volume.read_only), (kind, true));
        let volume = parse("/a/b/").unwrap();
        assert_eq!(volume, Volume::anonymous("/a/b".into()));
        assert!(volume.is_anonymous());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let bad = [
            "",
            "data",
            "/tmp:data",
            "/tmp:/",
            "/tmp:/a:rx",
            "/tmp:/a:",
            "/tmp:/a/../..",
            ":/a",
            "/",
            "/tmp::ro",
            "a/b:/x",
            "x:/a",
            "/tmp:/a:ro,rw",
            "/tmp:/a:ro:ro",
            "/tmp:/a:,",
            "/tmp:/a:shared",
        ];
        for bad in bad {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for inside in ["/tmp:/proc", "/tmp:/proc/sys", "/tmp:/a/../proc/1", "name:/proc", "/proc/1"] {
            let problem = parse(inside).unwrap_err().problem;
            assert!(matches!(problem, Problem::VolumeInProc { .. }), "{inside}");
        }
    }
}
