//! What an image may be called, and the file name that its record has.

use super::Digest;
use std::fmt;

/// A checked name: `[HOST[:PORT]/]PATH[:TAG]`. It can be used in a path: no part of it is empty or starts with a dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    repository: String,
    tag: String,
}

/// The tag of a name that was given without one.
const LATEST: &str = "latest";

/// What Docker's own registry may be called in front of a name: it is left away, as Docker does.
const DOCKERS_OWN: &[&str] =
    &["docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"];

/// Longest tag, and longest name: with `.json` and a prefix it fits into a file name (NAME_MAX is 255).
const LONGEST: (usize, usize) = (128, 240);

impl Name {
    /// Read what a person typed: lower-case letters, digits, `.`, `_` and `-` in parts separated by `/`, of which the
    /// first may be a registry with a port, and a tag after `:`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = DOCKERS_OWN.iter().find_map(|own| text.strip_prefix(own)).unwrap_or(text);
        // A colon before the last slash is the one of a port.
        let (repository, tag) = match text.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (text, LATEST),
        };
        let fits = tag.len() <= LONGEST.0 && repository.len() + tag.len() <= LONGEST.1;
        (fits && is_repository(repository) && is_tag(tag))
            .then(|| Name { repository: repository.to_owned(), tag: tag.to_owned() })
    }

    /// The name of the embedded default image.
    pub fn base() -> Self {
        Name { repository: "base".to_owned(), tag: LATEST.to_owned() }
    }

    /// All before the tag: `localhost:5000/a/b`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag: `latest` where none was given.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The name of its record: one file, so `/` becomes `+`, which no name contains.
    pub(super) fn file_name(&self) -> String {
        format!("{}.json", self.to_string().replace('/', "+"))
    }

    /// The name whose record is called `file_name`.
    pub(super) fn of_file(file_name: &str) -> Option<Self> {
        Name::parse(&file_name.strip_suffix(".json")?.replace('+', "/"))
    }

    /// The shortest text that means this name: without `:latest`.
    pub fn short(&self) -> String {
        if self.tag == LATEST { self.repository.clone() } else { self.to_string() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

/// What a person can mean by the word for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A name, or, as Docker has it, the beginning of an id that looks like one.
    Name(Name),
    /// `REPOSITORY@sha256:…`: the manifest of that digest, under whatever tag.
    Manifest(String, Digest),
    /// `sha256:` and an id or its beginning.
    Id(String),
}

impl Word {
    /// Read what a person typed; `None` for what can mean no image.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(hex) = text.strip_prefix("sha256:") {
            return is_id(hex).then(|| Word::Id(hex.to_owned()));
        }
        match text.split_once('@') {
            // A tag beside a digest says nothing more.
            Some((name, digest)) => Some(Word::Manifest(Name::parse(name)?.repository, digest.parse().ok()?)),
            None => Name::parse(text).map(Word::Name),
        }
    }

    /// The beginning of an id that this may be.
    pub fn id(&self) -> Option<&str> {
        match self {
            Word::Id(hex) => Some(hex),
            Word::Name(name) if name.tag == LATEST && is_id(&name.repository) => Some(&name.repository),
            _ => None,
        }
    }
}

fn is_id(hex: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (1..=64).contains(&hex.len()) && hex.bytes().all(digit)
}

fn is_repository(text: &str) -> bool {
    let (host, path) = match text.split_once('/') {
        Some((host, path)) if host.contains(':') => (Some(host), path),
        _ => (None, text),
    };
    let lower_case = !text.contains(|letter: char| letter.is_ascii_uppercase());
    lower_case && host.is_none_or(is_host) && path.split('/').all(is_part)
}

fn is_host(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, port)| {
        is_part(host) && (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether `part` is a word of letters, digits, `.`, `_` and `-` that starts with a letter or digit.
fn is_part(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.bytes().all(is_allowed)
}

fn is_tag(tag: &str) -> bool {
    let begins_well = |first: char| first.is_ascii_alphanumeric() || first == '_';
    tag.starts_with(begins_well) && tag.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).expect(text)
    }

    #[test]
    fn a_missing_tag_is_latest() {
        assert_eq!(Name::parse("base"), Some(Name::base()));
        assert_eq!(Name::parse("base:latest"), Some(Name::base()));
        assert_ne!(Name::parse("base:1"), Some(Name::base()));
        assert_eq!(name("base").short(), "base");
        assert_eq!(name("a/b-c_d.e:V1").to_string(), "a/b-c_d.e:V1");
    }

    #[test]
    fn a_registry_may_have_a_port() {
        let with_port = name("localhost:5000/a/b");
        assert_eq!((with_port.repository(), with_port.tag()), ("localhost:5000/a/b", "latest"));
        assert_eq!(name("localhost:5000/a/b:1").tag(), "1");
        assert_eq!(name("registry.example.org/a:_x").repository(), "registry.example.org/a");
    }

    #[test]
    fn dockers_own_registry_is_left_away() {
        for text in
            ["docker.io/library/busybox:1", "docker.io/busybox:1", "index.docker.io/library/busybox:1"]
        {
            assert_eq!(name(text).to_string(), "busybox:1");
        }
        assert_eq!(name("docker.io/me/it").to_string(), "me/it:latest");
    }

    #[test]
    fn what_could_leave_the_directory_is_no_name() {
        for text in [
            "",
            ":",
            "base:",
            ":latest",
            "/",
            "/etc",
            "a/",
            "a//b",
            ".",
            "..",
            "../x",
            "a/../b",
            "a/.b",
            "a:..",
            "a:b:c",
            "a:b/c",
            "Base",
            "a b",
            "a+b",
            "a\0b",
            "a\n",
            "bäse",
            "-a",
            "base:.x",
            "a:/b",
            "a:123456/b",
            "a@b",
            "docker.io/library/",
            "a:5000/",
        ] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
        assert_eq!(Name::parse(&"a".repeat(240)), None);
        assert_eq!(Name::parse(&format!("a:{}", "b".repeat(129))), None);
    }

    #[test]
    fn a_file_name_leads_back_to_the_name() {
        for text in ["base", "library/debian:12", "a/b/c:x.y", "localhost:5000/a", "h:1/a:2"] {
            let name = name(text);
            assert!(!name.file_name().contains('/'));
            assert_eq!(Name::of_file(&name.file_name()), Some(name));
        }
        for other in [".new-base:latest.json", "@sha256:00.json", ".lock"] {
            assert_eq!(Name::of_file(other), None);
        }
    }

    #[test]
    fn a_word_may_be_a_name_a_digest_or_an_id() {
        let digest = Digest::of(b"");
        assert_eq!(Word::parse(&format!("a/b:1@{digest}")), Some(Word::Manifest("a/b".into(), digest)));
        assert_eq!(Word::parse(&digest.to_string()), Some(Word::Id(digest.hex())));
        assert_eq!(Word::parse("sha256:e3").unwrap().id(), Some("e3"));
        assert_eq!(Word::parse("e3b0c44298fc").unwrap().id(), Some("e3b0c44298fc"));
        assert_eq!(Word::parse("base").unwrap().id(), None);
        assert_eq!(Word::parse("e3:1").unwrap().id(), None);
        for bad in ["", "sha256:", "sha256:x", "a@b", "A"] {
            assert_eq!(Word::parse(bad), None, "{bad}");
        }
    }
}
