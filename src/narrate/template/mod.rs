//! A small part of Go's text/template: as much as people write behind `--format`.
//!
//! `{{.Names}}`, `{{json .}}`, `{{.State.Status}}`, `{{index .Labels "a"}}`, `{{join .Args " "}}`, `{{len .Mounts}}`,
//! `{{upper .Name}}`, pipes, `{{if}}…{{else}}…{{end}}`, `{{range $key, $value := .Labels}}…{{end}}`, `{{with}}`, and
//! the blanks that `{{-` and `-}}` take away. Values are JSON's.
//!
//! - this file: a template is read and set
//! - `parse`: from text to pieces
//! - `evaluate`: from pieces and a value to text

mod evaluate;
mod parse;

use crate::error::{Error, LookProblem, Problem, Result};
use serde_json::Value;

/// A template that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    /// Text as it is.
    Text(String),
    /// The value of an expression.
    Show(Pipeline),
    /// One of two.
    If { condition: Pipeline, then: Vec<Piece>, otherwise: Vec<Piece> },
    /// The value as the dot, if there is any.
    With { value: Pipeline, then: Vec<Piece>, otherwise: Vec<Piece> },
    /// Each element of a list or object as the dot, and as the variables, if those have names.
    Range {
        key: Option<String>,
        name: Option<String>,
        over: Pipeline,
        body: Vec<Piece>,
        otherwise: Vec<Piece>,
    },
}

/// Commands of which each is given the value of the one before as its last argument.
type Pipeline = Vec<Vec<Operand>>;

/// One word of a command.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    /// `.A.B`, or `$name.A` with the name of a variable (empty for `$` alone, the whole).
    Path { variable: Option<String>, fields: Vec<String> },
    /// A value written out.
    Literal(Value),
    /// The name of a function.
    Function(String),
    /// Something in parentheses.
    Group(Pipeline),
}

impl Template {
    /// Understand `text`; `\t` and `\n` in it are a tab and the end of a line, as Docker reads them in a table.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |detail: String| bad(text, detail);
        let pieces = parse::pieces(&text.replace("\\t", "\t").replace("\\n", "\n")).map_err(bad)?;
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The text for `value`. A field that is not there is an error.
    pub fn set(&self, value: &Value) -> Result<String> {
        evaluate::text(&self.pieces, value).map_err(|detail| bad(&self.text, detail))
    }
}

fn bad(text: &str, detail: String) -> Error {
    Error::new(Problem::Look(LookProblem::BadTemplate { text: text.to_owned(), detail }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let value = json!({
            "Name": "web", "Count": 3, "Yes": true, "None": null, "Empty": [], "List": ["a", "b"],
            "State": {"Status": "running", "Pid": 7}, "Labels": {"x.y": "1", "z": "2"},
            "Mounts": [{"Source": "/s"}, {"Source": "/t"}],
        });
        assert_eq!(
            Template::parse(text).and_then(|template| template.set(&value)).unwrap(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn fields_and_functions() {
        for (text, expected) in [
            ("{{.Name}}: {{ .Count }}", "web: 3"),
            ("{{.State.Status}}/{{.State.Pid}}", "running/7"),
            ("{{json .State}}", r#"{"Pid":7,"Status":"running"}"#),
            ("{{json .Name}} {{.Name | json}}", r#""web" "web""#),
            ("{{index .Labels \"x.y\"}} {{index .List 1}} {{.List}}", "1 b [a b]"),
            ("{{(index .Mounts 1).Source}}", "/t"),
            (
                "{{join .List \",\"}} {{len .List}} {{upper .Name}} {{title .Name}} {{.Name | upper | lower}}",
                "a,b 2 WEB Web web",
            ),
            ("{{.Labels}} {{.None}} {{.Yes}}", "map[x.y:1 z:2] <no value> true"),
            (
                "{{println .Name}}{{print `raw`}} {{truncate .Name 2}} {{join (split \"a.b\" \".\") \"-\"}}",
                "web\nraw we a-b",
            ),
            ("a {{- .Name -}}  b {{/* nothing */}}", "awebb "),
            (r"{{.Name}}\t{{.Count}}\n", "web\t3\n"),
            ("{{printf \"%s=%d %q %v\" .Name .Count .Name .Yes}}", "web=3 \"web\" true"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn choices_and_repetitions() {
        for (text, expected) in [
            (
                "{{if .Yes}}a{{else}}b{{end}}{{if .Empty}}a{{else if .Yes}}c{{end}}{{if not .None}}d{{end}}",
                "acd",
            ),
            (
                "{{if eq .Name \"web\"}}y{{end}}{{if ne .Count 3}}n{{end}}{{if and .Yes (gt .Count 2)}}g{{end}}",
                "yg",
            ),
            ("{{range .List}}<{{.}}>{{end}}{{range .Empty}}x{{else}}none{{end}}", "<a><b>none"),
            ("{{range $k, $v := .Labels}}{{$k}}={{$v}} {{$.Name}};{{end}}", "x.y=1 web;z=2 web;"),
            ("{{range .Mounts}}{{.Source}}{{end}}{{range $m := .Mounts}}{{$m.Source}}{{end}}", "/s/t/s/t"),
            ("{{with .State}}{{.Pid}}{{end}}{{with .None}}x{{else}}y{{end}}", "7y"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "{{",
            "{{.A",
            "{{end}}",
            "{{if .A}}",
            "{{nothing .}}",
            "{{.}} {{else}}",
            "{{\"a}}",
            "{{(.A}}",
            "{{.A)}}",
            "{{$x}}",
            "{{}}",
        ] {
            let answer = Template::parse(bad).and_then(|template| template.set(&json!({"A": 1})));
            assert!(answer.is_err(), "{bad}");
        }
        for bad in ["{{.Nope}}", "{{.A.B}}", "{{range .A}}{{end}}", "{{index .A 1}}", "{{len .A}}"] {
            let template = Template::parse(bad).unwrap();
            assert!(template.set(&json!({"A": 1})).is_err(), "{bad}");
        }
    }
}
