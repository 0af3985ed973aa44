//! Words as a POSIX shell reads them back.

use std::path::Path;

/// A text as one word: bare when nothing in it means anything to a shell, else in single quotes.
///
/// No line of the word is the mark of a here-document, which would end it: a line that could be one begins with a
/// pair of quotes that say nothing.
pub fn word(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "%+,-./:=@_".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let is_mark = |line: &str| line.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let mut quoted = String::from("'");
    for (at, line) in text.split('\n').enumerate() {
        quoted.push_str(if at == 0 { "" } else { "\n" });
        quoted.push_str(if at > 0 && !line.is_empty() && is_mark(line) { "''" } else { "" });
        quoted.push_str(&line.replace('\'', r"'\''"));
    }
    quoted + "'"
}

/// A path as one word; one that begins with a hyphen is kept from being read as an option.
pub fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') { word(&format!("./{text}")) } else { word(&text) }
}

/// The command that puts exactly `contents` into the file `target`, which is a quoted word.
pub fn write(target: &str, contents: &str, kernel: bool) -> String {
    let line = contents.strip_suffix('\n').unwrap_or(contents);
    let ends = kernel || contents.ends_with('\n');
    if line.contains('\n') && contents.ends_with('\n') {
        return format!("cat > {target} {}", here_document(contents));
    }
    // `echo` of some shells takes backslashes and a leading hyphen for itself.
    match ends && !line.contains(['\\', '\n']) && !line.starts_with('-') {
        true => format!("echo {} > {target}", word(line)),
        false if ends => format!("printf '%s\\n' {} > {target}", word(line)),
        false => format!("printf %s {} > {target}", word(contents)),
    }
}

/// `contents`, which ends in a newline, as a here-document taken literally.
pub fn here_document(contents: &str) -> String {
    let mut mark = "EOF".to_owned();
    while contents.lines().any(|line| line == mark) {
        mark.push('_');
    }
    let newline = if contents.ends_with('\n') { "" } else { "\n" };
    format!("<<'{mark}'\n{contents}{newline}{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_when_they_must_be() {
        assert_eq!(word("/plain/path-1"), "/plain/path-1");
        assert_eq!(word(""), "''");
        assert_eq!(word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(path(Path::new("-x")), "./-x");
        assert_eq!(word("a b\nUTS\nx\n"), "'a b\n''UTS\nx\n'");
    }

    #[test]
    fn files_are_written_exactly() {
        assert_eq!(write("/f", "0 1000 1", true), "echo '0 1000 1' > /f");
        assert_eq!(write("/f", "web\n", false), "echo web > /f");
        assert_eq!(write("/f", "no newline", false), "printf %s 'no newline' > /f");
        assert_eq!(write("/f", "-n\n", false), "printf '%s\\n' -n > /f");
        assert_eq!(write("/f", "a\nEOF\n", false), "cat > /f <<'EOF_'\na\nEOF\nEOF_");
    }
}
