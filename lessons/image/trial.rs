//! An image of lab `image`: packed by the check, taken in by the student's program, and looked at from a container of it.

use crate::error::Result;
use crate::lab::bench::{Bench, Subject, no_probe};
use crate::lab::host::PLACE;
use crate::lab::lesson::Act;
use crate::lab::order::{self, directory, file_of};
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure, wrong};
use crate::overlay::tree::Node;
use crate::said;
use crate::sys::file;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// What the process inside can be told to do.
pub const ACTS: &[Act] = &[Act { name: "tree", act: tree }];

/// So long may the program take for one archive of a few files.
const SOON: Duration = Duration::from_secs(5);

/// One archive, and what must not change for it.
pub struct Trial<'a> {
    bench: &'a Bench,
    /// The image's name.
    pub image: String,
    /// The directory of the check's own files, from the top of the layers. The host has one of the same path, the canary.
    pub own: String,
    /// The canary as it was: what is in it, and its inode.
    before: Canary,
}

/// A directory of the host's: all that is in it, and its identity.
type Canary = (Vec<String>, (u64, u64));

/// What became of an archive.
pub enum Taken {
    /// The store has the image.
    Image,
    /// It was refused, and the store is as before.
    Refused,
}

impl<'a> Trial<'a> {
    /// Pack `layers`, the lowest first, as the image `purpose`. Each has a member that an unpacker without a root
    /// directory of its own puts on the host.
    pub fn pack(bench: &'a Bench, purpose: &str, layers: &[Vec<Node>]) -> Outcome<Self> {
        let (own, image) = (place(bench), bench.another_nonce(purpose));
        let canary = Path::new("/").join(&own);
        file::mkdir_all(&canary, 0o755)?;
        file::write_new(&canary.join("canary"), &own, 0o644)?;
        let marked: Vec<Vec<Node>> = layers
            .iter()
            .map(|layer| {
                let mut members = way(&own);
                members.push(file_of(format!("{own}/mark"), purpose));
                members.extend(layer.iter().cloned());
                members
            })
            .collect();
        order::archive(&image, &marked)?;
        Ok(Self { bench, image, own, before: look(&canary)? })
    }

    /// Let the student's program take the archive in.
    pub fn load(&self) -> Outcome<Taken> {
        let path = Path::new(PLACE).join(format!("{}.tar", self.image)).display().to_string();
        let program = self.bench.start(&["load", "-i", &path])?;
        let Some(finished) = program.wait(SOON)? else {
            let (seconds, places) = (SOON.as_secs(), program.places());
            let places: Vec<String> = places.iter().map(|(pid, place)| format!("{pid}: {place}")).collect();
            let places = places.join(", ");
            let saw = said!(
                "load did not end within {seconds} s; its processes: {places}",
                "load 在 {seconds} 秒内没有结束；它的进程：{places}"
            );
            let endless: Outcome<Taken> =
                Err(wrong(saw, said!("an end, whatever the layer holds", "无论层里有什么都会结束")));
            return endless.known_as("links-without-end");
        };
        self.nothing_outside()?;
        match (finished.status, order::is_there(&self.image)?) {
            (0, true) => Ok(Taken::Image),
            (status, false) if status != 0 && !finished.stderr.contains("not yet implemented") => {
                Ok(Taken::Refused)
            }
            _ => Err(no_probe(&finished)),
        }
    }

    /// Let it take the archive in, as it must, and start a container of the image. One that is refused is the `mistake`.
    pub fn run(&self, mistake: &str) -> Outcome<Subject> {
        self.run_as(mistake, &self.bench.nonce())
    }

    /// The same with another name for the container.
    pub fn run_as(&self, mistake: &str, name: &str) -> Outcome<Subject> {
        if let Taken::Refused = self.load()? {
            let refused = Err(wrong(
                said!("load refused the archive", "load 拒绝了这个归档"),
                said!("an image", "一个镜像"),
            ));
            return if mistake.is_empty() { refused } else { refused.known_as(mistake) };
        }
        self.bench.run_of(&self.image, &["--name", name])
    }

    /// Whether the host's directory is as it was.
    pub fn nothing_outside(&self) -> Outcome {
        let canary = Path::new("/").join(&self.own);
        let (now, identity) = look(&canary)?;
        let added: Vec<&String> = now.iter().filter(|line| !self.before.0.contains(line)).collect();
        let (path, added) = (canary.display(), format!("{added:?}"));
        ensure(
            (&now, identity) == (&self.before.0, self.before.1),
            said!("the layer wrote on the host, in {path}: {added}", "层写到了主机上，在 {path}：{added}"),
            said!("{path} as it was", "{path} 和原来一样"),
        )
        .known_as("not-confined")
    }

    /// Whether the container of `subject` sees below the check's own directory just what is `wanted`. `mistake` says
    /// which one shows what is seen instead.
    pub fn sees(
        &self,
        subject: &Subject,
        wanted: &[&str],
        mistake: impl Fn(&str) -> Option<&'static str>,
    ) -> Outcome {
        let path = format!("/{}", self.own);
        let mut seen: Vec<String> = subject.probe.ask("tree", json!(path))??;
        seen.retain(|line| !line.contains(" mark: "));
        let shown = seen.join("; ");
        let outcome = ensure(
            seen == wanted,
            said!("in {path} of the container: {shown}", "容器的 {path} 里：{shown}"),
            Said::plain(wanted.join("; ")),
        );
        match mistake(&shown) {
            Some(mistake) => outcome.known_as(mistake),
            None => outcome,
        }
    }
}

/// The directory of the check's own files: the grader's own, so that the host has room for it, too.
pub fn place(bench: &Bench) -> String {
    format!("{}/{}", &PLACE[1..], bench.nonce())
}

fn look(canary: &Path) -> Result<Canary> {
    Ok((order::lines(canary)?, file::status(canary)?.identity))
}

/// The directories from the top to the check's own, as members.
pub fn way(own: &str) -> Vec<Node> {
    let mut paths: Vec<&Path> = Path::new(own).ancestors().filter(|path| *path != Path::new("")).collect();
    paths.reverse();
    paths.into_iter().map(|path| directory(path, 0o755)).collect()
}

/// Inside: all that is below the directory, a line for each name.
fn tree(path: Value) -> Result<Value> {
    order::lines(Path::new(path.as_str().unwrap_or_default())).map(|lines| json!(lines))
}
