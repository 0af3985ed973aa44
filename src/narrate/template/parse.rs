//! From the text of a template to its pieces. What makes no sense is a sentence without an end.

use super::{Operand, Piece, Pipeline};
use serde_json::Value;
use std::iter::Peekable;
use std::vec::IntoIter;

type Parsed<T> = Result<T, String>;

/// What stands in the text: something as it is, or the inside of `{{…}}`.
enum Part {
    Text(String),
    Action(String),
}

/// The pieces of a whole template.
pub(super) fn pieces(text: &str) -> Parsed<Vec<Piece>> {
    let mut parts = parts(text)?.into_iter().peekable();
    let (pieces, end) = until_end(&mut parts)?;
    match end {
        None => Ok(pieces),
        Some(word) => Err(format!("unexpected {{{{{word}}}}}")),
    }
}

fn parts(text: &str) -> Parsed<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, after) = (&rest[..start], &rest[start + 2..]);
        let end = action_length(after).ok_or("unclosed action")?;
        let (mut inside, mut behind) = (&after[..end], &after[end + 2..]);
        let mut before = before;
        if let Some(trimmed) = inside.strip_prefix("- ") {
            (inside, before) = (trimmed, before.trim_end());
        }
        if let Some(trimmed) = inside.strip_suffix(" -") {
            (inside, behind) = (trimmed, behind.trim_start());
        }
        parts.push(Part::Text(before.to_owned()));
        let inside = inside.trim();
        if !(inside.starts_with("/*") && inside.ends_with("*/")) {
            parts.push(Part::Action(inside.to_owned()));
        }
        rest = behind;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

/// How long the inside of an action is: up to the `}}` that stands in no string.
fn action_length(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (index, letter) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter == '"' || letter == '`' => quote = Some(letter),
            None if text[index..].starts_with("}}") => return Some(index),
            None => {}
        }
    }
    None
}

/// The pieces up to the `end` or `else` that is not theirs, and that.
fn until_end(parts: &mut Peekable<IntoIter<Part>>) -> Parsed<(Vec<Piece>, Option<String>)> {
    let mut pieces = Vec::new();
    while let Some(part) = parts.next() {
        let action = match part {
            Part::Text(text) if text.is_empty() => continue,
            Part::Text(text) => {
                pieces.push(Piece::Text(text));
                continue;
            }
            Part::Action(action) => action,
        };
        let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((action.as_str(), ""));
        match word {
            "end" | "else" => return Ok((pieces, Some(action))),
            "if" | "with" | "range" => pieces.push(block(word, rest, parts)?),
            _ => pieces.push(Piece::Show(pipeline(&action)?)),
        }
    }
    Ok((pieces, None))
}

fn block(word: &str, rest: &str, parts: &mut Peekable<IntoIter<Part>>) -> Parsed<Piece> {
    let (variables, expression) = match rest.split_once(":=") {
        Some((variables, expression)) if word == "range" => (variables, expression),
        _ => ("", rest),
    };
    let value = pipeline(expression)?;
    let (then, end) = until_end(parts)?;
    let otherwise = match end.as_deref() {
        Some("end") => Vec::new(),
        Some("else") => match until_end(parts)? {
            (otherwise, Some(end)) if end == "end" => otherwise,
            _ => return Err("unexpected EOF".to_owned()),
        },
        Some(other) => match other.strip_prefix("else if ") {
            Some(condition) => vec![block("if", condition, parts)?],
            None => return Err(format!("unexpected {{{{{other}}}}}")),
        },
        None => return Err("unexpected EOF".to_owned()),
    };
    Ok(match word {
        "if" => Piece::If { condition: value, then, otherwise },
        "with" => Piece::With { value, then, otherwise },
        _ => {
            let mut names = variables.split(',').map(|name| name.trim().trim_start_matches('$').to_owned());
            let names: Vec<String> = names.by_ref().filter(|name| !name.is_empty()).collect();
            let (key, name) = match &names[..] {
                [] => (None, None),
                [name] => (None, Some(name.clone())),
                [key, name] => (Some(key.clone()), Some(name.clone())),
                _ => return Err("too many variables in range".to_owned()),
            };
            Piece::Range { key, name, over: value, body: then, otherwise }
        }
    })
}

/// A word of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Pipe,
    Open,
    Close,
    /// A field directly behind a parenthesis.
    Field(String),
    Operand(Operand),
}

fn pipeline(text: &str) -> Parsed<Pipeline> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let pipeline = commands(&mut tokens, false)?;
    if pipeline.iter().any(Vec::is_empty) {
        Err("missing value for command".to_owned())
    } else {
        Ok(pipeline)
    }
}

fn commands(tokens: &mut Peekable<IntoIter<Token>>, inside: bool) -> Parsed<Pipeline> {
    let mut pipeline = vec![Vec::new()];
    while let Some(token) = tokens.next() {
        let operand = match token {
            Token::Pipe => {
                pipeline.push(Vec::new());
                continue;
            }
            Token::Close if inside => return Ok(pipeline),
            Token::Close | Token::Field(_) => return Err("unexpected right paren".to_owned()),
            Token::Open => {
                let group = commands(tokens, true)?;
                match tokens.next_if(|token| matches!(token, Token::Field(_))) {
                    Some(Token::Field(path)) => field_of_group(group, &path),
                    _ => Operand::Group(group),
                }
            }
            Token::Operand(operand) => operand,
        };
        if let Some(command) = pipeline.last_mut() {
            command.push(operand);
        }
    }
    if inside { Err("unclosed left paren".to_owned()) } else { Ok(pipeline) }
}

/// `(…).A.B`: one `index` in another.
fn field_of_group(group: Pipeline, path: &str) -> Operand {
    path.split('.').filter(|field| !field.is_empty()).fold(Operand::Group(group), |inner, field| {
        let field = Operand::Literal(Value::from(field));
        Operand::Group(vec![vec![Operand::Function("index".to_owned()), inner, field]])
    })
}

fn tokens(text: &str) -> Parsed<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '|' | '(' => {
                tokens.push(if first == '|' { Token::Pipe } else { Token::Open });
                1
            }
            ')' => {
                tokens.push(Token::Close);
                let path = word(&rest[1..]);
                if path.starts_with('.') {
                    tokens.push(Token::Field(path.to_owned()));
                    1 + path.len()
                } else {
                    1
                }
            }
            '"' | '`' => {
                let (value, length) = string(rest)?;
                tokens.push(Token::Operand(Operand::Literal(Value::from(value))));
                length
            }
            _ => {
                let word = word(rest);
                if word.is_empty() {
                    return Err(format!("unexpected {first:?} in command"));
                }
                tokens.push(Token::Operand(operand(word)));
                word.len()
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The word at the beginning.
fn word(text: &str) -> &str {
    let end = text.find(|letter: char| letter.is_whitespace() || "|()\"`".contains(letter));
    &text[..end.unwrap_or(text.len())]
}

/// The string at the beginning, and how long it is written.
fn string(text: &str) -> Parsed<(String, usize)> {
    let unterminated = || "unterminated quoted string".to_owned();
    if let Some(raw) = text.strip_prefix('`') {
        let end = raw.find('`').ok_or_else(unterminated)?;
        return Ok((raw[..end].to_owned(), end + 2));
    }
    // JSON's strings are written as Go's.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next().and_then(Result::ok).ok_or_else(unterminated)?;
    Ok((value, values.byte_offset()))
}

fn operand(word: &str) -> Operand {
    let fields = |path: &str| path.split('.').filter(|field| !field.is_empty()).map(str::to_owned).collect();
    if let Some(path) = word.strip_prefix('.') {
        return Operand::Path { variable: None, fields: fields(path) };
    }
    if let Some(path) = word.strip_prefix('$') {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        return Operand::Path { variable: Some(name.to_owned()), fields: fields(rest) };
    }
    match word {
        "true" | "false" => Operand::Literal(Value::Bool(word == "true")),
        "nil" => Operand::Literal(Value::Null),
        _ => match word.parse::<i64>() {
            Ok(number) => Operand::Literal(Value::from(number)),
            Err(_) => Operand::Function(word.to_owned()),
        },
    }
}
