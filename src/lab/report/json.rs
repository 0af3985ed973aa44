//! The report as it is: JSON.

use super::Report;

/// One document, of one line.
pub fn write(report: &Report) -> String {
    serde_json::to_string(report).unwrap_or_default()
}
