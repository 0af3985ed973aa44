//! Typesetting for the terminal: colour, columns, line breaks with a hanging indent.

use super::line::{Line, Out};
use colored::Colorize;
use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    #[default]
    Auto,
    /// Also into a pipe.
    Always,
    /// Never.
    Never,
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Ink {
    /// Prose and arguments.
    Plain,
    /// Rules, labels, what may be passed over.
    Faint,
    /// The word of a step.
    Word,
    /// The title of a step.
    Title,
    /// The name of a call.
    Call,
    /// An answer that grants.
    Granted,
    /// An answer that refuses, and errors.
    Refused,
    /// What the kernel says after a step.
    Fact,
    /// A structure of the kernel.
    Object,
    /// A command to type.
    Command,
}

const INKS: usize = 10;

/// The sequences around each ink, built once: colouring later is copying.
#[derive(Debug)]
struct Palette([(String, String); INKS]);

impl Palette {
    fn new(on: bool) -> Self {
        colored::control::set_override(on);
        let ink = |paint: fn(&str) -> colored::ColoredString| {
            let painted = paint("\0").to_string();
            let (before, after) = painted.split_once('\0').unwrap_or_default();
            (before.to_owned(), after.to_owned())
        };
        Self([
            ink(|text| text.normal()),
            ink(|text| text.bright_black()),
            ink(|text| text.cyan().bold()),
            ink(|text| text.bold()),
            ink(|text| text.blue().bold()),
            ink(|text| text.green()),
            ink(|text| text.red().bold()),
            ink(|text| text.green().bold()),
            ink(|text| text.magenta()),
            ink(|text| text.yellow()),
        ])
    }
}

/// A page of standard error or output: so wide, in these colours.
#[derive(Debug)]
pub struct Page {
    width: usize,
    palette: Palette,
    out: Out,
}

/// The widest we set: longer lines are hard to read.
const WIDEST: usize = 132;
/// The narrowest: below that, breaking lines helps nobody.
const NARROWEST: usize = 40;

impl Page {
    /// The page that standard error is now.
    pub fn of_stderr(color: Color) -> Self {
        let stderr = std::io::stderr();
        Self::of(stderr.as_fd(), stderr.is_terminal(), color, Out::Stderr)
    }

    /// The page that standard output is now.
    pub fn of_stdout(color: Color) -> Self {
        let stdout = std::io::stdout();
        Self::of(stdout.as_fd(), stdout.is_terminal(), color, Out::Stdout)
    }

    fn of(descriptor: BorrowedFd<'_>, terminal: bool, color: Color, out: Out) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !dumb && !set("NO_COLOR"),
        };
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
        let width = crate::sys::terminal::width(descriptor).or_else(columns).unwrap_or(80);
        Self { width: width.clamp(NARROWEST, WIDEST), palette: Palette::new(colored), out }
    }

    /// A page without colours.
    #[cfg(test)]
    pub fn plain(width: usize, out: Out) -> Self {
        Self { width, palette: Palette::new(false), out }
    }

    /// Set `pieces` as one paragraph: the first line begins at column `indent`, the others at `hang`.
    pub fn set(&self, indent: usize, hang: usize, pieces: &[(Ink, &str)]) {
        self.compose(indent, hang, self.width, pieces).send(&self.out, "\x1b[0m");
    }

    /// The same without line breaks, for a reader that is a program.
    pub fn set_unbroken(&self, pieces: &[(Ink, &str)]) {
        self.compose(0, 0, usize::MAX, pieces).send(&self.out, "\x1b[0m");
    }

    /// How many columns it has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A sequence of the terminal's, as it is.
    pub fn raw(&self, sequence: &str) {
        self.out.write(sequence.as_bytes());
    }

    /// An empty line.
    pub fn blank(&self) {
        Line::new().send(&self.out, "");
    }

    /// A rule across the page: `── WORD  TITLE ───── RIGHT ──`.
    pub fn rule(&self, word: &str, title: &str, right: &str) {
        self.rule_of("─", word, title, right);
    }

    /// The same, drawn with another stroke.
    pub fn rule_of(&self, stroke: &str, word: &str, title: &str, right: &str) {
        let (gap, end) = if right.is_empty() { ("", "") } else { (" ", " ") };
        let taken = 3 + columns(word) + 2 + columns(title) + 1 + gap.len() + columns(right) + end.len() + 2;
        let fill = self.width.saturating_sub(taken).max(2);
        let mut line = Line::new();
        for text in [stroke, stroke, " "] {
            self.paint(&mut line, Ink::Faint, text);
        }
        self.paint(&mut line, Ink::Word, word);
        line.push("  ");
        self.paint(&mut line, Ink::Title, title);
        line.push(" ");
        let (on, off) = &self.palette.0[Ink::Faint as usize];
        line.push(on);
        for _ in 0..fill {
            line.push(stroke);
        }
        for text in [gap, right, end, stroke, stroke, off] {
            line.push(text);
        }
        line.send(&self.out, "\x1b[0m");
    }

    /// Write a prompt, without a newline.
    pub fn prompt(&self, indent: usize, text: &str) {
        let mut line = Line::new();
        for _ in 0..indent {
            line.push(" ");
        }
        self.paint(&mut line, Ink::Faint, text);
        self.out.write(line.as_str().as_bytes());
    }

    fn paint(&self, line: &mut Line, ink: Ink, text: &str) {
        let (on, off) = &self.palette.0[ink as usize];
        for part in [on, text, off] {
            line.push(part);
        }
    }

    fn compose(&self, indent: usize, hang: usize, width: usize, pieces: &[(Ink, &str)]) -> Line {
        let mut setter = Setter { page: self, line: Line::new(), column: 0, hang, width, fresh: true };
        setter.spaces(indent);
        for (ink, text) in pieces {
            for token in tokens(text) {
                setter.place(*ink, token);
            }
        }
        setter.line
    }
}

/// Places tokens one after the other, breaking lines.
struct Setter<'a> {
    page: &'a Page,
    line: Line,
    column: usize,
    hang: usize,
    width: usize,
    /// Nothing stands on this line yet but the indent.
    fresh: bool,
}

impl Setter<'_> {
    fn spaces(&mut self, count: usize) {
        for _ in 0..count {
            self.line.push(" ");
        }
        self.column += count;
    }

    fn new_line(&mut self) {
        self.line.push("\n");
        self.column = 0;
        self.spaces(self.hang);
        self.fresh = true;
    }

    fn put(&mut self, ink: Ink, text: &str) {
        self.page.paint(&mut self.line, ink, text);
        self.column += columns(text);
        self.fresh = false;
    }

    /// Put a token here, or on a new line, or, when it is wider than a line, in parts.
    fn place(&mut self, ink: Ink, token: Token<'_>) {
        if self.column + columns(token.text) <= self.width {
            return self.put(ink, token.text);
        }
        let text = token.text.trim_start();
        if token.may_break && self.hang + columns(text) <= self.width {
            if !self.fresh {
                self.new_line();
            }
            return self.put(ink, text);
        }
        let mut glued = !token.may_break;
        if !glued {
            let first = text.split_inclusive(is_comma).next().unwrap_or_default();
            let blanks = &token.text[..token.text.len() - text.len()];
            if self.column + columns(blanks) + columns(first) <= self.width {
                self.put(ink, blanks);
                glued = true;
            } else if !self.fresh {
                self.new_line();
            }
        }
        self.place_parts(ink, text, glued, &[is_comma, is_slash, |_| true]);
    }

    /// Put a word that is wider than a line: in the parts that the first mark leaves, each here or on a new
    /// line; a part that is still too wide in the parts of the next mark. Before a `glued` word no line ends.
    fn place_parts(&mut self, ink: Ink, word: &str, mut glued: bool, marks: &[fn(char) -> bool]) {
        let Some((mark, finer)) = marks.split_first() else { return self.put(ink, word) };
        for part in word.split_inclusive(*mark) {
            let fits = |setter: &Self| setter.column + columns(part) <= setter.width;
            if !fits(self) && !glued && !self.fresh {
                self.new_line();
            }
            if fits(self) {
                self.put(ink, part);
            } else {
                self.place_parts(ink, part, glued, finer);
            }
            glued = false;
        }
    }
}

/// A piece of text that stays together: blanks and a word, or one Chinese character with its punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    /// A line may be broken before it.
    may_break: bool,
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    let mut after_wide = false;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let end = blanks + word_length(&rest[blanks..]);
        let (token, after) = rest.split_at(end);
        let first = token[blanks..].chars().next().unwrap_or(' ');
        let may_break = blanks > 0 || ((after_wide || is_wide(first)) && !CLOSING.contains(first));
        after_wide = token.chars().next_back().is_some_and(is_wide);
        rest = after;
        Some(Token { text: token, may_break })
    })
}

/// Punctuation that may not begin a line, and that may not end one.
const CLOSING: &str = "，。；：、！？）】」』》”’…";
const OPENING: &str = "（【「『《“‘";

/// How many bytes of `text`, which begins with no blank, belong to its first word.
fn word_length(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    let mut glue = true;
    while let Some((_, character)) = characters.next() {
        let wide = is_wide(character);
        glue = (glue && OPENING.contains(character)) || !wide;
        let Some((next, following)) = characters.peek() else { break };
        let stays = CLOSING.contains(*following) || (glue && OPENING.contains(character));
        let breaks = *following == ' ' || wide || is_wide(*following);
        if breaks && !stays {
            return *next;
        }
    }
    text.len()
}

/// After these a long word is broken best: between options, flags and paths.
fn is_comma(character: char) -> bool {
    matches!(character, ',' | '|' | ':' | ';')
}

/// After these if it must be: inside an option or a path.
fn is_slash(character: char) -> bool {
    matches!(character, '/' | '=')
}

/// The columns that a text takes on a terminal.
pub fn columns(text: &str) -> usize {
    text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum()
}

/// Whether a character takes two columns: the blocks of Chinese, Japanese and Korean in Unicode's
/// EastAsianWidth.txt that our texts and people's paths may hold.
fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(width: usize, indent: usize, hang: usize, text: &str) -> String {
        let page = Page::plain(width, Out::Stderr);
        page.compose(indent, hang, width, &[(Ink::Plain, text)]).as_str().to_owned()
    }

    #[test]
    fn words_wrap_with_a_hanging_indent() {
        assert_eq!(set(12, 0, 2, "one two three four"), "one two\n  three four");
        assert_eq!(set(80, 3, 5, "short"), "   short");
    }

    #[test]
    fn a_word_longer_than_a_line_breaks_at_its_separators() {
        assert_eq!(
            set(20, 0, 4, "mount lowerdir=/one/two:/three/four"),
            "mount\n    lowerdir=/one/\n    two:/three/four"
        );
        assert_eq!(set(8, 0, 2, "abcdefghijklmno"), "abcdefgh\n  ijklmn\n  o");
    }

    #[test]
    fn no_blank_is_lost_where_a_part_would_fit_without_it() {
        assert_eq!(set(12, 0, 2, "-o lower=/a,upper=/bcd"), "-o lower=/a,\n  upper=/bcd");
        assert_eq!(set(11, 0, 2, "-o lower=/a,upper=/bcd"), "-o\n  lower=/a,\n  upper=/\n  bcd");
    }

    #[test]
    fn a_call_stays_with_its_parenthesis() {
        let page = Page::plain(24, Out::Stderr);
        let pieces = [(Ink::Call, "unlink"), (Ink::Plain, "(\"/one/two/three/four/five\")")];
        assert_eq!(page.compose(0, 2, 24, &pieces).as_str(), "unlink(\"/one/two/three/\n  four/five\")");
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_closing_punctuation() {
        assert_eq!(columns("主机名"), 6);
        assert_eq!(set(10, 0, 0, "一二三四五，六七"), "一二三四\n五，六七");
        assert_eq!(set(12, 0, 0, "进入 UTS 命名空间"), "进入 UTS 命\n名空间");
    }
}
