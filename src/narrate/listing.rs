//! Lists as Docker prints them: a table of some columns, or each row by the person's own template.

use super::table::{print, set};
use super::template::Template;
use crate::error::Result;
use serde_json::{Map, Value};

/// What can be said of each row: the field's name in a template, and the head of its column. The first `shown`
/// stand in the table that nobody asked otherwise for.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Fields and heads.
    pub all: &'static [(&'static str, &'static str)],
    /// How many of them the table has by default.
    pub shown: usize,
}

/// A row: its fields by name.
pub type Row = Map<String, Value>;

/// A row of these texts, in the order of the columns.
pub fn row(columns: Columns, texts: impl IntoIterator<Item = String>) -> Row {
    columns.all.iter().zip(texts).map(|((field, _), text)| ((*field).to_owned(), Value::from(text))).collect()
}

/// Print `rows`: as a table (no format, or `table`), as a table by a template (`table TEMPLATE`), as a line of JSON
/// each (`json`), or each by a template. `TEMPLATE` is [`Template`]'s.
pub fn list(columns: Columns, rows: &[Row], format: Option<&str>) -> Result<()> {
    let text = lay_out(columns, rows, format)?;
    if !text.is_empty() {
        print(&text);
    }
    Ok(())
}

/// The text that [`list`] prints, without the end of its last line.
pub fn lay_out(columns: Columns, rows: &[Row], format: Option<&str>) -> Result<String> {
    let format = format.map(str::trim).filter(|format| !format.is_empty()).unwrap_or("table");
    if format == "json" {
        return Ok(lines(rows.iter().map(|row| Value::from(row.clone()).to_string())));
    }
    let Some(table) = format.strip_prefix("table") else {
        let template = Template::parse(format)?;
        let texts = rows.iter().map(|row| template.set(&Value::from(row.clone())));
        return Ok(lines(texts.collect::<Result<Vec<_>>>()?.into_iter()));
    };
    let template = match table.trim() {
        "" => columns.all[..columns.shown]
            .iter()
            .map(|(field, _)| format!("{{{{.{field}}}}}"))
            .collect::<Vec<_>>()
            .join("\t"),
        template => template.to_owned(),
    };
    let template = Template::parse(&template)?;
    let heads: Row =
        columns.all.iter().map(|(field, head)| ((*field).to_owned(), Value::from(*head))).collect();
    let cells = |row: &Row| -> Result<Vec<String>> {
        Ok(template.set(&Value::from(row.clone()))?.split('\t').map(str::to_owned).collect())
    };
    let heads = cells(&heads)?;
    let rows = rows
        .iter()
        .map(|row| cells(row).map(|row| of_length(row, heads.len())))
        .collect::<Result<Vec<_>>>()?;
    Ok(set(&heads.iter().map(String::as_str).collect::<Vec<_>>(), &rows))
}

/// A value could have a tab in it.
fn of_length(mut row: Vec<String>, length: usize) -> Vec<String> {
    row.resize(length, String::new());
    row
}

fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns =
        Columns { all: &[("ID", "CONTAINER ID"), ("Names", "NAMES"), ("Size", "SIZE")], shown: 2 };

    fn rows() -> Vec<Row> {
        [["12", "web", "3B"], ["34", "database", "4B"]]
            .map(|texts| row(COLUMNS, texts.map(str::to_owned)))
            .to_vec()
    }

    #[test]
    fn a_table_has_the_columns_that_are_shown_or_asked_for() {
        let table = "CONTAINER ID   NAMES\n12             web\n34             database";
        for format in [None, Some(""), Some("table")] {
            assert_eq!(lay_out(COLUMNS, &rows(), format).unwrap(), table);
        }
        let table = "NAMES      SIZE\nweb        3B\ndatabase   4B";
        assert_eq!(lay_out(COLUMNS, &rows(), Some(r"table {{.Names}}\t{{.Size}}")).unwrap(), table);
        assert_eq!(lay_out(COLUMNS, &[], None).unwrap(), "CONTAINER ID   NAMES");
    }

    #[test]
    fn each_row_by_a_template_or_as_json() {
        assert_eq!(lay_out(COLUMNS, &rows(), Some("{{.ID}}={{.Names}}")).unwrap(), "12=web\n34=database");
        let json = lay_out(COLUMNS, &rows()[..1], Some("json")).unwrap();
        assert_eq!(json, r#"{"ID":"12","Names":"web","Size":"3B"}"#);
        assert!(lay_out(COLUMNS, &rows(), Some("{{.Nope}}")).is_err());
        assert_eq!(lay_out(COLUMNS, &[], Some("{{.ID}}")).unwrap(), "");
    }
}
