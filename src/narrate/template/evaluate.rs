//! From pieces and a value to text. What cannot be is a sentence without an end.

use super::{Operand, Piece, Pipeline};
use serde_json::{Map, Value};
use std::cmp::Ordering;

type Evaluated<T> = Result<T, String>;

/// The text of all `pieces` for `value`.
pub(super) fn text(pieces: &[Piece], value: &Value) -> Evaluated<String> {
    let mut scope = Scope { variables: vec![(String::new(), value.clone())], out: String::new() };
    scope.pieces(pieces, value)?;
    Ok(scope.out)
}

struct Scope {
    /// The innermost last; the first, without a name, is the whole value.
    variables: Vec<(String, Value)>,
    out: String,
}

impl Scope {
    fn pieces(&mut self, pieces: &[Piece], dot: &Value) -> Evaluated<()> {
        pieces.iter().try_for_each(|piece| self.piece(piece, dot))
    }

    fn piece(&mut self, piece: &Piece, dot: &Value) -> Evaluated<()> {
        match piece {
            Piece::Text(text) => self.out += text,
            Piece::Show(pipeline) => self.out += &shown(&self.pipeline(pipeline, dot)?),
            Piece::If { condition, then, otherwise } => {
                let chosen = if is_true(&self.pipeline(condition, dot)?) { then } else { otherwise };
                self.pieces(chosen, dot)?;
            }
            Piece::With { value, then, otherwise } => match self.pipeline(value, dot)? {
                value if is_true(&value) => self.pieces(then, &value)?,
                _ => self.pieces(otherwise, dot)?,
            },
            Piece::Range { key, name, over, body, otherwise } => {
                let elements = elements(self.pipeline(over, dot)?)?;
                if elements.is_empty() {
                    return self.pieces(otherwise, dot);
                }
                for (index, element) in elements {
                    let depth = self.variables.len();
                    self.variables.extend(key.clone().map(|key| (key, index)));
                    self.variables.extend(name.clone().map(|name| (name, element.clone())));
                    self.pieces(body, &element)?;
                    self.variables.truncate(depth);
                }
            }
        }
        Ok(())
    }

    fn pipeline(&self, pipeline: &Pipeline, dot: &Value) -> Evaluated<Value> {
        let mut before = None;
        for command in pipeline {
            before = Some(self.command(command, before, dot)?);
        }
        before.ok_or_else(|| "missing value for command".to_owned())
    }

    fn command(&self, command: &[Operand], before: Option<Value>, dot: &Value) -> Evaluated<Value> {
        let Some((first, rest)) = command.split_first() else {
            return Err("missing value for command".to_owned());
        };
        let Operand::Function(name) = first else {
            return match rest.is_empty() && before.is_none() {
                true => self.operand(first, dot),
                false => Err("can't give argument to non-function".to_owned()),
            };
        };
        let mut arguments = rest.iter().map(|one| self.operand(one, dot)).collect::<Evaluated<Vec<_>>>()?;
        arguments.extend(before);
        function(name, &arguments)
    }

    fn operand(&self, operand: &Operand, dot: &Value) -> Evaluated<Value> {
        match operand {
            Operand::Literal(value) => Ok(value.clone()),
            Operand::Group(pipeline) => self.pipeline(pipeline, dot),
            Operand::Function(name) => function(name, &[]),
            Operand::Path { variable, fields } => {
                let start = match variable {
                    None => dot,
                    Some(name) => {
                        let known = self.variables.iter().rev().find(|(known, _)| known == name);
                        &known.ok_or_else(|| format!("undefined variable \"${name}\""))?.1
                    }
                };
                fields.iter().try_fold(start.clone(), |value, field| self::field(&value, field))
            }
        }
    }
}

fn field(value: &Value, field: &str) -> Evaluated<Value> {
    let found = value.as_object().and_then(|object| object.get(field));
    found.cloned().ok_or_else(|| format!("can't evaluate field {field}"))
}

fn elements(value: Value) -> Evaluated<Vec<(Value, Value)>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => {
            Ok(list.into_iter().enumerate().map(|(index, one)| (index.into(), one)).collect())
        }
        Value::Object(map) => Ok(map.into_iter().map(|(key, one)| (key.into(), one)).collect()),
        other => Err(format!("range can't iterate over {}", shown(&other))),
    }
}

/// Whether a condition holds: not for what is empty, zero or nothing.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A value as Go prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => format!("map[{}]", pairs(map).join(" ")),
        other => other.to_string(),
    }
}

fn pairs(map: &Map<String, Value>) -> Vec<String> {
    map.iter().map(|(key, value)| format!("{key}:{}", shown(value))).collect()
}

fn function(name: &str, arguments: &[Value]) -> Evaluated<Value> {
    let text = |index: usize| arguments.get(index).map(shown).unwrap_or_default();
    let wrong = || Err(format!("wrong arguments for {name}"));
    Ok(match (name, arguments) {
        ("json", [value]) => value.to_string().into(),
        ("join", [Value::Array(list), _]) => list.iter().map(shown).collect::<Vec<_>>().join(&text(1)).into(),
        ("split", [_, _]) => text(0).split(&text(1)).map(str::to_owned).collect::<Vec<_>>().into(),
        ("upper", [_]) => text(0).to_uppercase().into(),
        ("lower", [_]) => text(0).to_lowercase().into(),
        ("title", [_]) => title(&text(0)).into(),
        ("truncate", [_, Value::Number(length)]) => {
            text(0).chars().take(length.as_u64().unwrap_or_default() as usize).collect::<String>().into()
        }
        ("pad", [_, Value::Number(before), Value::Number(after)]) => {
            let blanks = |number: &serde_json::Number| {
                " ".repeat(number.as_u64().unwrap_or_default().min(1000) as usize)
            };
            format!("{}{}{}", blanks(before), text(0), blanks(after)).into()
        }
        ("len", [Value::Array(list)]) => list.len().into(),
        ("len", [Value::Object(map)]) => map.len().into(),
        ("len", [Value::String(text)]) => text.len().into(),
        ("index", [value, keys @ ..]) => {
            keys.iter().try_fold(value.clone(), |value, key| element(&value, key))?
        }
        ("print", values) => values.iter().map(shown).collect::<Vec<_>>().join(" ").into(),
        ("println", values) => (values.iter().map(shown).collect::<Vec<_>>().join(" ") + "\n").into(),
        ("printf", [Value::String(format), values @ ..]) => printf(format, values).into(),
        ("not", [value]) => (!is_true(value)).into(),
        ("and", [.., last]) => arguments.iter().find(|value| !is_true(value)).unwrap_or(last).clone(),
        ("or", [.., last]) => arguments.iter().find(|value| is_true(value)).unwrap_or(last).clone(),
        ("eq", [value, others @ ..]) if !others.is_empty() => others.contains(value).into(),
        ("ne", [one, other]) => (one != other).into(),
        ("lt", [one, other]) => (compare(one, other) == Ordering::Less).into(),
        ("le", [one, other]) => (compare(one, other) != Ordering::Greater).into(),
        ("gt", [one, other]) => (compare(one, other) == Ordering::Greater).into(),
        ("ge", [one, other]) => (compare(one, other) != Ordering::Less).into(),
        (known, _) if FUNCTIONS.contains(&known) => return wrong(),
        _ => return Err(format!("function \"{name}\" not defined")),
    })
}

const FUNCTIONS: [&str; 20] = [
    "json", "join", "split", "upper", "lower", "title", "truncate", "pad", "len", "index", "printf", "not",
    "and", "or", "eq", "ne", "lt", "le", "gt", "ge",
];

fn title(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn element(value: &Value, key: &Value) -> Evaluated<Value> {
    match (value, key) {
        (Value::Object(map), Value::String(key)) => Ok(map.get(key).cloned().unwrap_or_default()),
        (Value::Array(list), Value::Number(index)) => {
            let element = index.as_u64().and_then(|index| list.get(index as usize));
            element.cloned().ok_or_else(|| format!("index out of range: {index}"))
        }
        _ => Err(format!("can't index item of {}", shown(value))),
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
        _ => shown(one).cmp(&shown(other)),
    }
}

/// The verbs without widths: `%s`, `%d`, `%v`, `%q`, `%%`.
fn printf(format: &str, values: &[Value]) -> String {
    let mut values = values.iter();
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match (letter == '%').then(|| letters.next()).flatten() {
            None => out.push(letter),
            Some('%') => out.push('%'),
            Some('q') => {
                out += &values.next().map(|value| Value::from(shown(value)).to_string()).unwrap_or_default()
            }
            Some(_) => out += &values.next().map(shown).unwrap_or_default(),
        }
    }
    out
}
