//! The words of `--filter`: `NAME=VALUE`, several times.

use crate::error::{Error, LookProblem, Problem, Result};
use std::collections::BTreeMap;

/// What was asked for, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Understand `texts`, of which each name is one of `known`.
    pub fn parse(texts: &[String], known: &[&str]) -> Result<Self> {
        let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for text in texts {
            let bad = || {
                let known = known.iter().map(|name| (*name).to_owned()).collect();
                Error::new(Problem::Look(LookProblem::BadFilter { text: text.clone(), known }))
            };
            let (name, value) = text.split_once('=').ok_or_else(bad)?;
            let name = name.trim().to_ascii_lowercase();
            if !known.contains(&name.as_str()) {
                return Err(bad());
            }
            filters.entry(name).or_default().push(value.trim().to_owned());
        }
        Ok(Self(filters))
    }

    /// Whether there is a filter of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The values that were given for a name.
    pub fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether one of the values passes `test`, or none was given.
    pub fn any(&self, name: &str, test: impl Fn(&str) -> bool) -> bool {
        let values = self.values(name);
        values.is_empty() || values.iter().any(|value| test(value))
    }

    /// Whether all labels that were asked for, as `KEY` or `KEY=VALUE`, are among `labels`.
    pub fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        self.values("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|is| is == value),
            None => labels.contains_key(wanted),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_are_alternatives_and_labels_are_not() {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let filters = Filters::parse(&own(&["name=a", "name=b", "label=x", "label=y=1"]), &["name", "label"]);
        let filters = filters.unwrap();
        assert!(filters.any("name", |name| name == "b") && !filters.any("name", |name| name == "c"));
        assert!(filters.any("status", |_| false), "nothing was asked");
        let labels = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        assert!(filters.labels(&labels(&[("x", "7"), ("y", "1")])));
        assert!(
            !filters.labels(&labels(&[("x", "7"), ("y", "2")])) && !filters.labels(&labels(&[("y", "1")]))
        );
        for bad in ["name", "size=3"] {
            assert!(Filters::parse(&own(&[bad]), &["name", "label"]).is_err());
        }
    }
}
