//! A container of lab `overlay`, its image of three layers, and what the process inside can be told to do.

use crate::container::record::Config;
use crate::error::{Error, Problem, Result};
use crate::lab::bench::{Bench, Subject};
use crate::lab::host::STATE;
use crate::lab::lesson::Act;
use crate::lab::order::{self, directory, file_of};
use crate::lab::verdict::{Diagnosis, Outcome, Said, Stop, wrong};
use crate::lab::witness;
use crate::narrate::words::{Lang, sentence};
use crate::overlay::Layers;
use crate::overlay::tree::Node;
use crate::said;
use crate::sys::file::Kind;
use crate::sys::remove::remove_all;
use crate::sys::{file, inode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the process inside can be told to do.
pub const ACTS: &[Act] = &[
    Act { name: "read", act: read },
    Act { name: "write", act: write },
    Act { name: "append", act: append },
    Act { name: "remove", act: remove },
    Act { name: "replace", act: replace },
    Act { name: "names", act: names },
];

/// A container of an image made for this check, and what is known of its layers from outside.
pub struct Trial {
    /// The container.
    pub subject: Subject,
    /// The image's name.
    pub image: String,
    /// The directory of the check's own files, from the top of the tree.
    pub own: String,
    /// What its plan says.
    pub planned: Layers,
    /// What the kernel says: the options of the mount at `/`.
    pub options: BTreeMap<String, String>,
}

impl Trial {
    /// Start one.
    pub fn start(bench: &Bench) -> Outcome<Self> {
        let (own, image) = (bench.nonce(), bench.another_nonce("image"));
        order::load(&image, &layers(&own))?;
        let subject = bench.run_of(&image, &[])?;
        let planned = planned(&own)?;
        let options = options(subject.probe.pid())?;
        Ok(Self { subject, image, own, planned, options })
    }

    /// Let the process inside do `act` with the path `name` of the check's own directory: the kernel must let it.
    pub fn does(&self, act: &str, name: &str, text: &str) -> Outcome<Value> {
        let path = format!("/{}/{name}", self.own);
        let done: Result<Value> = self.subject.probe.ask(act, json!({"path": path, "text": text}))?;
        let error = match done {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let [en, zh] = [Lang::En, Lang::Zh].map(|lang| sentence(&error, lang));
        let saw = said!("{act} {path}: {en}", "{act} {path}：{zh}");
        let refused = Err(wrong(saw, said!("the kernel lets the container do it", "内核允许容器这样做")));
        if self.options.contains_key("userxattr") { refused } else { refused.known_as("no-userxattr") }
    }

    /// The upper layer that the kernel goes by.
    pub fn upper(&self, name: &str) -> PathBuf {
        Path::new(self.options.get("upperdir").map_or("", String::as_str)).join(&self.own).join(name)
    }

    /// What is wrong with the upper layer when what was written is not in it.
    pub fn astray(&self) -> &'static str {
        let upper = Path::new(self.options.get("upperdir").map_or("", String::as_str));
        match upper {
            upper if self.planned.lower.iter().any(|lower| lower == upper) => "writes-into-the-image",
            upper if !file::exists(upper).unwrap_or(true) => "upper-out-of-sight",
            _ => "shared-upper",
        }
    }

    /// What is mounted at `/`.
    pub fn mount(&self) -> Said {
        let options: Vec<String> =
            self.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Said::plain(options.join(","))
    }
}

/// Three layers: what each check finds in the container's image, below the directory `own`.
fn layers(own: &str) -> [Vec<Node>; 3] {
    let at = |name: &str| format!("{own}/{name}");
    let lowest = vec![
        directory(own, 0o755),
        directory(at("deep"), 0o755),
        file_of(at("deep/file"), "deep"),
        file_of(at("gone"), "to be deleted"),
        file_of(at("hidden"), "hidden by the middle layer"),
        file_of(at("low"), "from below\n"),
        directory(at("old"), 0o755),
        file_of(at("old/a"), "a"),
        file_of(at("old/b"), "b"),
        file_of(at("who"), "lowest"),
    ];
    let middle = vec![directory(own, 0o755), file_of(at(".wh.hidden"), ""), file_of(at("who"), "middle")];
    let top = vec![directory(own, 0o755), file_of(at("who"), &at("topmost"))];
    [lowest, middle, top]
}

/// The layers in the plan of the container called `name`.
fn planned(name: &str) -> Outcome<Layers> {
    let containers = Path::new(STATE).join("containers");
    for (id, _) in file::list(&containers)? {
        if let Some(config) = Config::load(&containers.join(id))? {
            if config.spec.name == name {
                return Ok(config.spec.layers);
            }
        }
    }
    Err(Stop::Broken(Error::new(Problem::NoSuchContainer { name: name.to_owned() })))
}

/// The options of what is mounted at `/` for process `pid`, and its type as `type`: the end of a line of mountinfo.
fn options(pid: i32) -> Outcome<BTreeMap<String, String>> {
    let lines = witness::mounts(pid)?;
    let root = lines.iter().rev().find(|line| line.split(' ').nth(4) == Some("/"));
    let (_, end) = root.and_then(|line| line.split_once(" - ")).unwrap_or_default();
    let words: Vec<&str> = end.split(' ').collect();
    let mut options = BTreeMap::from([("type".to_owned(), (*words.first().unwrap_or(&"")).to_owned())]);
    for option in words.last().unwrap_or(&"").split(',') {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        // Some kernels show layers one by one.
        let known = options.entry(name.trim_end_matches('+').to_owned()).or_default();
        if !known.is_empty() {
            known.push(':');
        }
        known.push_str(value);
    }
    Ok(options)
}

fn argument(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Inside: what the file says.
fn read(with: Value) -> Result<Value> {
    file::read_text(Path::new(&argument(&with, "path"))).map(|text| json!(text))
}

/// Inside: make the file, or empty it, and write the text; the directory is made if it is not there.
fn write(with: Value) -> Result<Value> {
    let path = PathBuf::from(argument(&with, "path"));
    path.parent().map_or(Ok(()), |parent| file::mkdir_all(parent, 0o755))?;
    file::write_new(&path, &argument(&with, "text"), 0o644).map(|()| Value::Null)
}

/// Inside: write behind the end of the file.
fn append(with: Value) -> Result<Value> {
    inode::append(Path::new(&argument(&with, "path")), argument(&with, "text").as_bytes())
        .map(|()| Value::Null)
}

/// Inside: `rm -r`.
fn remove(with: Value) -> Result<Value> {
    let path = PathBuf::from(argument(&with, "path"));
    match file::link_status(&path)?.kind {
        Kind::Directory => remove_all(&path)?,
        _ => file::unlink(&path)?,
    }
    Ok(Value::Null)
}

/// Inside: delete the directory, make it again, and write the files `a` and `new` in it.
fn replace(with: Value) -> Result<Value> {
    let path = PathBuf::from(argument(&with, "path"));
    remove_all(&path)?;
    file::mkdir(&path, 0o755)?;
    ["a", "new"]
        .iter()
        .try_for_each(|name| file::write_new(&path.join(name), &argument(&with, "text"), 0o644))?;
    Ok(Value::Null)
}

/// Inside: the names in the directory.
fn names(with: Value) -> Result<Value> {
    let names = file::list(Path::new(&argument(&with, "path")))?;
    let names: Vec<String> = names.into_iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    Ok(json!(names))
}
