//! JSON, written straight into a [`Line`]: no allocation, and no line longer than the buffer.

use super::line::Line;
use crate::sys::Value;
use std::fmt::{self, Write};

/// How much of long values to write: bytes of a text, elements of a list.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes of one text.
    pub text: usize,
    /// Elements of one list.
    pub elements: usize,
}

impl Budget {
    /// From everything down to a glimpse; a line is written with the first that makes it fit.
    pub const LADDER: [Budget; 7] = [
        Budget { text: 4096, elements: 512 },
        Budget { text: 2048, elements: 64 },
        Budget { text: 1024, elements: 32 },
        Budget { text: 512, elements: 16 },
        Budget { text: 192, elements: 8 },
        Budget { text: 64, elements: 4 },
        Budget { text: 16, elements: 1 },
    ];
}

/// Writes one JSON value after the other.
pub struct Json<'a> {
    line: &'a mut Line,
    budget: Budget,
    /// A comma is due before the next element.
    comma: bool,
}

impl<'a> Json<'a> {
    /// A writer that appends to `line`.
    pub fn new(line: &'a mut Line, budget: Budget) -> Self {
        Self { line, budget, comma: false }
    }

    /// `{ … }`, the members written by `inside`.
    pub fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.between("{", "}", inside);
    }

    /// `[ … ]`, at most as many elements as the budget allows, then `"…"`.
    pub fn array<T>(&mut self, elements: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        let most = self.budget.elements;
        self.between("[", "]", |json| {
            for (at, element) in elements.into_iter().enumerate() {
                if at == most {
                    return json.text("…");
                }
                each(json, element);
            }
        });
    }

    fn between(&mut self, open: &str, close: &str, inside: impl FnOnce(&mut Self)) {
        self.separate();
        self.line.push(open);
        self.comma = false;
        inside(self);
        self.line.push(close);
        self.comma = true;
    }

    /// The name of the member whose value comes next.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.line.push(":");
        self.comma = false;
        self
    }

    /// A number, or whatever displays as a JSON token.
    pub fn token(&mut self, token: impl fmt::Display) {
        self.separate();
        let _ = write!(self.line, "{token}");
    }

    /// A text, cut with `…` where the budget ends.
    pub fn text(&mut self, text: &str) {
        self.displayed(text);
    }

    /// A text, or null.
    pub fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.token("null"),
        }
    }

    /// What a value displays as, as a text.
    pub fn displayed(&mut self, value: impl fmt::Display) {
        self.separate();
        self.line.push("\"");
        let mut escape = Escape { line: self.line, room: self.budget.text };
        let whole = write!(escape, "{value}").is_ok();
        self.line.push(if whole { "\"" } else { "…\"" });
    }

    /// An argument of a call.
    pub fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Null => self.token("null"),
            Value::Number(number) => self.token(number),
            Value::Octal(_) | Value::Hexadecimal(_) | Value::Flags(_) | Value::Address(_) => {
                self.displayed(value)
            }
            Value::Text(text) | Value::Symbol(text) => self.text(text),
            Value::Path(path) => self.displayed(path.display()),
            Value::Texts(texts) => self.array(texts, |json, text| json.text(text)),
            Value::Strings(texts) => self.array(texts, |json, text| json.text(text)),
            Value::Numbers(numbers) => self.array(numbers, |json, number| json.token(number)),
            Value::Environment(variables) => self.token(variables.len()),
        }
    }

    fn separate(&mut self) {
        if self.comma {
            self.line.push(",");
        }
        self.comma = true;
    }
}

/// Escapes what passes through, and refuses when its room is used up.
struct Escape<'a> {
    line: &'a mut Line,
    room: usize,
}

impl Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let length = character.len_utf8();
            if length > self.room {
                return Err(fmt::Error);
            }
            self.room -= length;
            match character {
                '"' => self.line.push("\\\""),
                '\\' => self.line.push("\\\\"),
                '\n' => self.line.push("\\n"),
                '\t' => self.line.push("\\t"),
                control if u32::from(control) < 0x20 => write!(self.line, "\\u{:04x}", u32::from(control))?,
                other => self.line.push(other.encode_utf8(&mut [0; 4])),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(budget: Budget, write: impl FnOnce(&mut Json<'_>)) -> String {
        let mut line = Line::new();
        write(&mut Json::new(&mut line, budget));
        line.as_str().to_owned()
    }

    #[test]
    fn what_is_written_is_json() {
        let text = written(Budget::LADDER[0], |json| {
            json.object(|json| {
                json.name("a").text("q\"b\\s\nn\u{1}界");
                json.name("b").array([1, 2], |json, number| json.token(number));
                json.name("c").object(|_| {});
                json.name("d").text_or_null(None);
            });
        });
        let value: serde_json::Value = serde_json::from_str(&text).expect(&text);
        assert_eq!(value, serde_json::json!({"a": "q\"b\\s\nn\u{1}界", "b": [1, 2], "c": {}, "d": null}));
    }

    #[test]
    fn long_values_are_cut_visibly() {
        let budget = Budget { text: 4, elements: 2 };
        assert_eq!(written(budget, |json| json.text("abcdef")), "\"abcd…\"");
        assert_eq!(written(budget, |json| json.text("ab界c")), "\"ab…\"");
        assert_eq!(written(budget, |json| json.array([1, 2, 3], |json, one| json.token(one))), "[1,2,\"…\"]");
    }
}
