//! What an image may be called, and the file name that its record has.

use std::fmt;

/// A checked name: `REPOSITORY[:TAG]`. It can be used in a path: no part of it is empty or starts with a dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    repository: String,
    tag: String,
}

/// The tag of a name that was given without one.
const LATEST: &str = "latest";

/// Longest repository and tag; with `.json` and a prefix they fit into a file name (NAME_MAX is 255).
const LONGEST: (usize, usize) = (160, 64);

impl Name {
    /// Read what a person typed: lower-case letters, digits, `.`, `_` and `-` in parts separated by `/`, and
    /// a tag after `:`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (repository, tag) = text.split_once(':').unwrap_or((text, LATEST));
        let fits = repository.len() <= LONGEST.0 && tag.len() <= LONGEST.1;
        let lower_case = !repository.contains(|letter: char| letter.is_ascii_uppercase());
        let parts = repository.split('/').chain([tag]);
        (fits && lower_case && parts.into_iter().all(is_part))
            .then(|| Name { repository: repository.to_owned(), tag: tag.to_owned() })
    }

    /// The name of the embedded default image.
    pub fn base() -> Self {
        Name { repository: "base".to_owned(), tag: LATEST.to_owned() }
    }

    /// The name of its record: one file, so `/` becomes `+`, which no name contains.
    pub(super) fn file_name(&self) -> String {
        format!("{}:{}.json", self.repository.replace('/', "+"), self.tag)
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

/// Whether `part` is a word of letters, digits, `.`, `_` and `-` that starts with a letter or digit.
fn is_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tag_is_latest() {
        assert_eq!(Name::parse("base"), Some(Name::base()));
        assert_eq!(Name::parse("base:latest"), Some(Name::base()));
        assert_ne!(Name::parse("base:1"), Some(Name::base()));
        assert_eq!(Name::parse("base").expect("a name").short(), "base");
        assert_eq!(Name::parse("a/b-c_d.e:V1").expect("a name").to_string(), "a/b-c_d.e:V1");
    }

    #[test]
    fn what_could_leave_the_directory_is_no_name() {
        for text in [
            "", ":", "base:", ":latest", "/", "/etc", "a/", "a//b", ".", "..", "../x", "a/../b", "a/.b",
            "a:..", "a:b:c", "a:b/c", "Base", "a b", "a+b", "a\0b", "a\n", "bäse", "-a", "base:.x",
        ] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
        assert_eq!(Name::parse(&"a".repeat(161)), None);
    }

    #[test]
    fn a_file_name_leads_back_to_the_name() {
        for text in ["base", "library/debian:12", "a/b/c:x.y"] {
            let name = Name::parse(text).expect("a name");
            assert!(!name.file_name().contains('/'));
            assert_eq!(Name::of_file(&name.file_name()), Some(name));
        }
        assert_eq!(Name::of_file(".new-base:latest.json"), None);
    }
}
