//! Where a demo tells its story: on standard output, scene by scene.
//!
//! A scene is a heading, a few sentences, the command a person would type, and the evidence. A demo ends with an
//! [`Ending`]: what was seen, each claim with whether the kernel bore it out, and what to try next. What the demo
//! asks of the kernel is told beside it, by the same observer as for `minidocker` (`--explain`, `--trace`).

use super::page::{Ink, Page, columns};
use super::step::Gate;
use super::words::{Label, Lang};
use super::{Options, voice};
use crate::error::Result;
use std::cell::{Cell, RefCell};
use std::io::IsTerminal;

/// Where prose begins; where commands and facts do, and the rest of a long one.
const MARGIN: usize = 3;
const INDENT: usize = 5;
const HANG: usize = 7;

/// Columns between those of a table.
const GAP: usize = 2;

/// A piece of a line, and what it is.
pub type Piece<'a> = (Ink, &'a str);

/// The stage of one program.
#[derive(Debug)]
pub struct Stage {
    page: Page,
    lang: Lang,
    gate: RefCell<Option<Gate>>,
    /// A claim was not borne out.
    failed: Cell<bool>,
    /// Nothing was said yet.
    fresh: Cell<bool>,
}

impl Stage {
    /// The stage that standard output is. With `--step` each scene waits for Enter.
    pub fn new(options: &Options) -> Result<Self> {
        let gate = options.step.then(Gate::new).transpose()?;
        let (page, lang) = (Page::of_stdout(options.color), voice().lang);
        Ok(Self { page, lang, gate: RefCell::new(gate), failed: Cell::new(false), fresh: Cell::new(true) })
    }

    /// Columns that a picture may take, from the margin to the edge.
    pub fn width(&self) -> usize {
        self.page.width() - INDENT
    }

    /// Whether it can be wiped and written again.
    pub fn is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Wipe it, for what is shown again and again: cursor to the upper left corner, and nothing below it.
    pub fn wipe(&self) {
        self.fresh.set(true);
        if self.is_terminal() {
            self.page.raw("\x1b[H\x1b[2J");
        }
    }

    /// Whether every claim of every demo so far was borne out.
    pub fn all_held(&self) -> bool {
        !self.failed.get()
    }

    /// The heading of a demo: `══ uts  A host name of its own ══`.
    pub fn title(&self, word: &str, title: &str) {
        if !self.fresh.replace(false) {
            self.page.blank();
        }
        self.page.rule_of("═", word, title, "");
    }

    /// The heading of a scene. With `--step`, wait there.
    pub fn scene(&self, title: &str) {
        self.page.blank();
        self.page.set(0, MARGIN, &[(Ink::Faint, "── "), (Ink::Title, title)]);
        if let Some(gate) = self.gate.borrow_mut().as_mut() {
            gate.pause(&self.page, self.lang);
        }
    }

    /// A paragraph.
    pub fn say(&self, sentence: &str) {
        self.page.set(MARGIN, MARGIN, &[(Ink::Plain, sentence)]);
    }

    /// The classic command for what is done or shown: `$ lsns -t uts`.
    pub fn command(&self, command: &str) {
        self.page.set(INDENT, HANG, &[(Ink::Faint, "$ "), (Ink::Command, command)]);
    }

    /// What the kernel says: a name and a value.
    pub fn fact(&self, name: &str, value: &str) {
        self.page.set(
            INDENT,
            INDENT + columns(name) + GAP,
            &[(Ink::Faint, name), (Ink::Plain, "  "), (Ink::Fact, value)],
        );
    }

    /// What the kernel said before, and says now; `None` is nothing.
    pub fn change(&self, name: &str, before: Option<&str>, after: Option<&str>) {
        let nothing = Label::Nothing.get(self.lang);
        let (before, after) = (before.unwrap_or(nothing), after.unwrap_or(nothing));
        self.page.set(
            INDENT,
            INDENT + columns(name) + GAP,
            &[
                (Ink::Faint, name),
                (Ink::Plain, "  "),
                (Ink::Plain, before),
                (Ink::Faint, " → "),
                (Ink::Fact, after),
            ],
        );
    }

    /// Lines as they are, in one ink: the text of a file, the output of a command.
    pub fn quote(&self, text: &str) {
        text.lines().for_each(|line| self.line(&[(Ink::Plain, line)]));
    }

    /// One line of a picture, made of coloured pieces.
    pub fn line(&self, pieces: &[Piece<'_>]) {
        self.page.set(INDENT, HANG, pieces);
    }

    /// A line for a program to read: as it is, from the first column, never broken.
    pub fn plain(&self, line: &str) {
        self.page.set_unbroken(&[(Ink::Plain, line)]);
    }

    /// An empty line.
    pub fn blank(&self) {
        self.page.blank();
    }

    /// A table. Each column is as wide as its widest cell; what does not fit on the page wraps in the last one.
    pub fn table(&self, heads: &[&str], rows: &[Vec<Entry>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|entry| columns(&entry.text));
            cells.chain([columns(heads[column])]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let heads: Vec<Entry> =
            heads.iter().map(|head| Entry { ink: Ink::Faint, text: (*head).to_owned() }).collect();
        if heads.iter().any(|head| !head.text.is_empty()) {
            self.row(&heads, &widths);
        }
        rows.iter().for_each(|row| self.row(row, &widths));
    }

    fn row(&self, row: &[Entry], widths: &[usize]) {
        let hang: usize = INDENT + widths.iter().rev().skip(1).map(|width| width + GAP).sum::<usize>();
        // A last column that would be too narrow to read starts further left on its next lines.
        let hang = if hang + 16 > self.page.width() { HANG } else { hang };
        let pads: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(entry, width)| " ".repeat(width - columns(&entry.text) + GAP))
            .collect();
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for (index, (entry, pad)) in row.iter().zip(&pads).enumerate() {
            pieces.push((entry.ink, &entry.text));
            if index + 1 < row.len() {
                pieces.push((Ink::Plain, pad));
            }
        }
        self.page.set(INDENT, hang, &pieces);
    }

    /// Say what cannot be shown here, and why.
    pub fn lacks(&self, why: &str) {
        self.page.set(
            MARGIN,
            HANG,
            &[(Ink::Refused, Label::Lacking.get(self.lang)), (Ink::Plain, " "), (Ink::Plain, why)],
        );
    }

    /// End a demo: what was seen, and what to try next.
    pub fn end(&self, ending: &Ending) {
        self.page.blank();
        if !ending.saw.is_empty() {
            self.page.set(0, MARGIN, &[(Ink::Faint, "── "), (Ink::Title, Label::Saw.get(self.lang))]);
        }
        for (holds, claim) in &ending.saw {
            let mark = if *holds { (Ink::Fact, "✓ ") } else { (Ink::Refused, "✗ ") };
            self.page.set(MARGIN, INDENT, &[mark, (Ink::Plain, claim)]);
            self.failed.set(self.failed.get() || !holds);
        }
        self.page.set(0, MARGIN, &[(Ink::Faint, "── "), (Ink::Title, Label::TryNext.get(self.lang))]);
        ending.next.iter().for_each(|command| self.command(command));
    }
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its colour.
    pub ink: Ink,
    /// Its text, of one line.
    pub text: String,
}

impl<T: Into<String>> From<T> for Entry {
    fn from(text: T) -> Self {
        Self { ink: Ink::Plain, text: text.into() }
    }
}

impl Entry {
    /// A cell in that ink.
    pub fn of(ink: Ink, text: impl Into<String>) -> Self {
        Self { ink, text: text.into() }
    }
}

/// How a demo ends: what was seen, and what to try next.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    saw: Vec<(bool, String)>,
    next: Vec<String>,
}

impl Ending {
    /// One thing that was seen, in a sentence; `holds` is whether the evidence bore it out. One that does not hold
    /// is marked, and makes the program end with status 1.
    pub fn saw(mut self, holds: bool, claim: String) -> Self {
        self.saw.push((holds, claim));
        self
    }

    /// A command to try next.
    pub fn next(mut self, command: &str) -> Self {
        self.next.push(command.to_owned());
        self
    }
}
