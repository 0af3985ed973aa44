//! The words of `--mount`: `type=bind|volume|tmpfs,source=…,target=…` and what else each type has.

use super::{Kind, Memory, Volume, bytes, check_name, source_of, target_of};
use crate::error::{Error, Meaning, Problem, Result, VolumeProblem};
use crate::sys::file;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Understand one word. Unlike `--volume`, this makes nothing on the host: the source of a bind must be there.
pub fn parse(text: &str) -> Result<Volume> {
    let bad = |detail: &str| bad(text, detail);
    let mut fields = Fields::of(text)?;
    let target = fields.take("target").ok_or_else(|| bad("target is required"))?;
    let target = target_of(&target, text)?;
    let read_only = fields.truth("readonly")?;
    let source = fields.take("source");
    let volume = match fields.take("type").as_deref().unwrap_or("volume") {
        "bind" => {
            let source =
                source.filter(|source| !source.is_empty()).ok_or_else(|| bad("source is required"))?;
            let make = fields.truth("bind-create-src")?;
            let shown = source_of(&source, text)?;
            if !make {
                file::status(&shown).meaning(|| Problem::VolumeSourceMissing { path: source })?;
            }
            Volume { kind: Kind::Bind { make }, source: shown, target, read_only }
        }
        "volume" => {
            let copy = !fields.truth("volume-nocopy")?;
            let name = source.unwrap_or_default();
            if !name.is_empty() {
                check_name(&name)?;
            }
            let kind = Kind::Volume { anonymous: name.is_empty(), name, copy };
            Volume { kind, source: PathBuf::new(), target, read_only }
        }
        "tmpfs" if source.is_some() => return Err(bad("a tmpfs has no source")),
        "tmpfs" => Volume { kind: Kind::Tmpfs(fields.memory()?), source: PathBuf::new(), target, read_only },
        _ => return Err(bad("the type is bind, volume or tmpfs")),
    };
    match fields.left.into_keys().next() {
        None => Ok(volume),
        Some(key) => Err(bad(&format!("no option {key:?} here"))),
    }
}

fn bad(text: &str, detail: &str) -> Error {
    Error::new(Problem::Volume(VolumeProblem::BadMount { text: text.to_owned(), detail: detail.to_owned() }))
}

/// What was said of a mount, by its usual name, and not looked at yet.
struct Fields<'a> {
    text: &'a str,
    left: BTreeMap<String, String>,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Result<Self> {
        let mut left = BTreeMap::new();
        for field in text.split(',') {
            let (key, value) = field.split_once('=').unwrap_or((field, "true"));
            let key = match key.trim().to_ascii_lowercase().as_str() {
                "src" => "source".to_owned(),
                "dst" | "destination" => "target".to_owned(),
                "ro" => "readonly".to_owned(),
                // Nothing else is had here.
                "consistency" => continue,
                "bind-propagation" if matches!(value, "private" | "rprivate") => continue,
                "volume-driver" if value == "local" => continue,
                other => other.to_owned(),
            };
            if left.insert(key.clone(), value.to_owned()).is_some() {
                return Err(bad(text, &format!("{key:?} is given twice")));
            }
        }
        Ok(Self { text, left })
    }

    fn take(&mut self, key: &str) -> Option<String> {
        self.left.remove(key)
    }

    fn truth(&mut self, key: &str) -> Result<bool> {
        match self.take(key).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(bad(self.text, &format!("{key} is true or false, not {other:?}"))),
        }
    }

    fn memory(&mut self) -> Result<Memory> {
        let mut memory = Memory::default();
        if let Some(size) = self.take("tmpfs-size") {
            let size = bytes(&size).ok_or_else(|| bad(self.text, "tmpfs-size is a number of bytes: 64m"))?;
            memory.options.push(format!("size={size}"));
        }
        if let Some(mode) = self.take("tmpfs-mode") {
            let mode = u32::from_str_radix(&mode, 8).ok().filter(|mode| *mode <= 0o7777);
            let mode = mode.ok_or_else(|| bad(self.text, "tmpfs-mode is an octal number: 1770"))?;
            memory.options.push(format!("mode={mode:o}"));
        }
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_type_has_its_words() {
        let volume = parse("type=bind,src=/tmp,dst=/a/,ro").unwrap();
        assert_eq!((volume.kind, volume.read_only), (Kind::Bind { make: false }, true));
        assert_eq!((volume.source.as_path(), volume.target.as_path()), (Path::new("/tmp"), Path::new("/a")));
        let volume = parse("source=my.data,target=/a,volume-nocopy,readonly=false").unwrap();
        let kind = Kind::Volume { name: "my.data".to_owned(), anonymous: false, copy: false };
        assert_eq!((volume.kind, volume.read_only), (kind, false));
        assert!(parse("destination=/a").unwrap().is_anonymous());
        let volume = parse("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700").unwrap();
        let Kind::Tmpfs(memory) = volume.kind else { panic!("{volume:?}") };
        assert_eq!(memory.data().as_deref(), Some("size=1048576,mode=700"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let bad = [
            "",
            "type=bind,source=/tmp",
            "type=bind,target=/a",
            "type=nfs,target=/a",
            "target=a",
            "target=/",
            "type=tmpfs,source=x,target=/a",
            "type=tmpfs,target=/a,tmpfs-size=many",
            "target=/a,dst=/b",
            "type=tmpfs,target=/a,tmpfs-mode=9",
            "target=/a,tmpfs-size=1m",
            "target=/a,readonly=maybe",
            "type=bind,source=/tmp,target=/a,volume-nocopy",
            "source=a/b,target=/a",
            "type=bind,source=,target=/a",
            "type=bind,source=/tmp,target=/a,bind-propagation=shared",
            "target=/a,what",
        ];
        for bad in bad {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let problem = parse("type=bind,source=/no/such,target=/a").unwrap_err().problem;
        assert_eq!(problem, Problem::VolumeSourceMissing { path: "/no/such".to_owned() });
        assert!(parse("type=bind,source=/no/such,target=/a,bind-create-src").is_ok());
    }
}
