//! Changes of an image's configuration, said as in a Dockerfile: `CMD ["sh"]`, `ENV A=1`, `EXPOSE 80/tcp`.
//!
//! See <https://docs.docker.com/reference/dockerfile/>; of its instructions, those that only change the configuration.

use super::Config;
use crate::error::{Error, ImageProblem, Problem, Result};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// The configuration that the instructions `changes` say, on top of `under`: what they do not speak of is as there.
/// `BadChange` for the first that is none.
pub fn apply(changes: &[String], under: &Config) -> Result<Config> {
    let mut config = Config::default();
    for change in changes {
        let bad = || Error::new(Problem::Image(ImageProblem::BadChange { text: change.clone() }));
        instruct(&mut config, change.trim()).ok_or_else(bad)?;
    }
    Ok(merge(config, under))
}

/// Carry out one instruction; `None` when it is none.
fn instruct(config: &mut Config, text: &str) -> Option<()> {
    let (word, rest) = text.split_once(char::is_whitespace)?;
    let rest = Some(rest.trim()).filter(|rest| !rest.is_empty())?;
    match word.to_ascii_uppercase().as_str() {
        "CMD" => config.cmd = command(rest)?,
        "ENTRYPOINT" => config.entrypoint = command(rest)?,
        "ENV" => {
            for (name, value) in pairs(rest)? {
                config.env.retain(|earlier| name_of(earlier) != name);
                config.env.push(format!("{name}={value}"));
            }
        }
        "LABEL" => config.labels.extend(pairs(rest)?),
        "EXPOSE" => {
            for word in words(rest)? {
                config.exposed_ports.insert(port(&word)?, Value::Object(serde_json::Map::new()));
            }
        }
        "VOLUME" => {
            let paths = if rest.starts_with('[') { list(rest)? } else { words(rest)? };
            let entry = |path| (path, Value::Object(serde_json::Map::new()));
            config.volumes.extend(paths.into_iter().filter(|path| !path.is_empty()).map(entry));
        }
        "USER" => config.user = one(rest)?,
        "WORKDIR" => config.working_dir = absolute(&config.working_dir, &one(rest)?)?,
        "STOPSIGNAL" => config.stop_signal = Some(one(rest)?).filter(|word| is_signal(word))?,
        _ => return None,
    }
    Some(())
}

/// `changed`, and of what it does not say, what `under` says. Of a command, it is all or nothing: a new entry point
/// makes the old arguments meaningless.
fn merge(mut changed: Config, under: &Config) -> Config {
    if changed.entrypoint.is_empty() {
        if changed.cmd.is_empty() {
            changed.cmd.clone_from(&under.cmd);
        }
        changed.entrypoint.clone_from(&under.entrypoint);
    }
    for (own, below) in [
        (&mut changed.user, &under.user),
        (&mut changed.working_dir, &under.working_dir),
        (&mut changed.stop_signal, &under.stop_signal),
    ] {
        if own.is_empty() {
            own.clone_from(below);
        }
    }
    let kept = |variable: &&String| changed.env.iter().all(|own| name_of(own) != name_of(variable));
    changed.env = under.env.iter().filter(kept).chain(&changed.env).cloned().collect();
    for (key, value) in &under.labels {
        changed.labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    changed.exposed_ports.extend(under.exposed_ports.clone());
    changed.volumes.extend(under.volumes.clone());
    changed.rest.extend(under.rest.clone());
    changed
}

fn name_of(variable: &str) -> &str {
    variable.split('=').next().unwrap_or_default()
}

/// A list in JSON as it is; anything else is a line for a shell.
fn command(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[')
        && let Some(words) = list(text)
    {
        return Some(words);
    }
    Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()])
}

fn list(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

fn one(text: &str) -> Option<String> {
    let mut words = words(text)?.into_iter();
    words.next().filter(|word| !word.is_empty() && words.next().is_none())
}

/// `NAME=VALUE …`, or, in the old way, `NAME VALUE` where the value is the rest of the line.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let all = words(text)?;
    if !all.first()?.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace)?;
        return Some(vec![(name.to_owned(), value.trim().to_owned())]);
    }
    let pair = |word: &String| {
        let (name, value) = word.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some((name.to_owned(), value.to_owned()))
    };
    all.iter().map(pair).collect()
}

/// The words of a line, in which quotes and backslashes mean what they mean to a shell.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), letter) if open == letter => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().push(letters.next()?),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// `80` is `80/tcp`.
fn port(text: &str) -> Option<String> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let number = number.parse::<u16>().ok().filter(|number| *number > 0)?;
    ["tcp", "udp", "sctp"].contains(&protocol.as_str()).then(|| format!("{number}/{protocol}"))
}

/// `path`, seen from `from`, without `.` and `..`.
fn absolute(from: &str, path: &str) -> Option<String> {
    let mut whole = PathBuf::from("/");
    for part in Path::new(from).components().chain(Path::new(path).components()) {
        match part {
            Component::RootDir => whole = PathBuf::from("/"),
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(part) => whole.push(part),
            _ => {}
        }
    }
    whole.into_os_string().into_string().ok()
}

fn is_signal(word: &str) -> bool {
    let name = word.strip_prefix("SIG").unwrap_or(word);
    word.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number))
        || (!name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-".contains(&byte)))
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(changes: &[&str], under: &Config) -> Config {
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        apply(&changes, under).unwrap()
    }

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn instructions_change_what_they_speak_of() {
        let under = Config {
            cmd: own(&["old"]),
            entrypoint: own(&["entry"]),
            env: own(&["A=0", "PATH=/bin"]),
            user: "me".into(),
            ..Config::default()
        };
        let config = applied(
            &[
                "CMD [\"sh\", \"-l\"]",
                "env A=1 B=\"two words\" C='x'",
                "ENV D the rest",
                "EXPOSE 80 53/udp",
                "LABEL a.b=c\\ d",
                "WORKDIR /a",
                "WORKDIR b/../c",
                "STOPSIGNAL SIGRTMIN+3",
            ],
            &under,
        );
        assert_eq!(config.cmd, ["sh", "-l"]);
        assert_eq!(config.entrypoint, ["entry"]);
        assert_eq!(config.env, ["PATH=/bin", "A=1", "B=two words", "C=x", "D=the rest"]);
        assert_eq!(config.exposed_ports.keys().collect::<Vec<_>>(), ["53/udp", "80/tcp"]);
        assert_eq!(config.labels["a.b"], "c d");
        assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/a/c", "me"));
        assert_eq!(config.stop_signal, "SIGRTMIN+3");
        assert_eq!(applied(&["VOLUME [\"/a b\"]"], &under).volumes.keys().collect::<Vec<_>>(), ["/a b"]);
        assert_eq!(applied(&[], &under), under);
    }

    #[test]
    fn a_new_entry_point_forgets_the_old_arguments() {
        let under = Config { cmd: own(&["old"]), entrypoint: own(&["entry"]), ..Config::default() };
        let config = applied(&["ENTRYPOINT exec top"], &under);
        assert_eq!((config.entrypoint, config.cmd), (own(&["/bin/sh", "-c", "exec top"]), Vec::new()));
    }

    #[test]
    fn what_is_no_instruction_is_refused() {
        for bad in [
            "",
            "CMD",
            "FROM base",
            "RUN true",
            "ENV",
            "ENV A",
            "ENV =x",
            "ENV A=\"open",
            "EXPOSE 0",
            "EXPOSE x",
            "EXPOSE 1/icmp",
            "USER a b",
            "STOPSIGNAL -1",
            "HEALTHCHECK NONE",
            "LABEL \"\"",
        ] {
            let problem = apply(&[bad.to_owned()], &Config::default()).unwrap_err().problem;
            assert_eq!(problem, Problem::Image(ImageProblem::BadChange { text: bad.into() }), "{bad:?}");
        }
    }
}
