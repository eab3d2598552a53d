//! The answer for reading: one region a paragraph.

use core::fmt::Write;

use anstyle::{AnsiColor, Style};
use portcullis::analysis::Difference;

use super::words::{Danger, Names, change, counted, is_telling, origins, sum};

pub(super) fn answer(difference: &Difference, names: &Names, all: bool) -> String {
    if difference.is_empty() {
        return "equal: every request is decided alike\n".to_owned();
    }
    let mut text = String::new();
    let count = difference.regions().len();
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "different in {count} {}; {}",
        if count == 1 { "region" } else { "regions" },
        sum(difference.gained(), difference.lost()),
    );
    for region in difference.regions() {
        let (headline, danger) = change(region);
        let color = match danger {
            Danger::Gained => AnsiColor::Red,
            Danger::Lost => AnsiColor::Yellow,
            Danger::Neither => AnsiColor::Cyan,
        };
        let style = Style::new().bold().fg_color(Some(color.into()));
        let addresses = region.addresses();
        let _ = writeln!(
            text,
            "\n{style}{headline}{style:#} ({})",
            counted(addresses.v4_count(), addresses.v6_count()),
        );
        for (index, line) in origins(addresses, all).iter().enumerate() {
            let _ = writeln!(
                text,
                "  {:<8} {line}",
                if index == 0 { "from" } else { "or" }
            );
        }
        for term in region.terms().iter().filter(|term| is_telling(term)) {
            let _ = writeln!(text, "  {:<8} {}", "where", names.term(term));
        }
        for exception in region.exceptions().iter().take(limit(all)) {
            let _ = writeln!(text, "  {:<8} {}", "unless", names.exception(exception));
        }
        if let Some(more) = region
            .exceptions()
            .len()
            .checked_sub(limit(all))
            .filter(|&more| more > 0)
        {
            let _ = writeln!(text, "  {:<8} … {more} more exceptions (--all)", "");
        }
        let proof = match region.example() {
            None => "none found: unproven, the region may be empty".to_owned(),
            Some(example) => names
                .command(example)
                .unwrap_or_else(|| Names::described(example)),
        };
        let _ = writeln!(text, "  {:<8} {proof}", "example");
    }
    text
}

const fn limit(all: bool) -> usize {
    if all { usize::MAX } else { EXCEPTION_LIMIT }
}

/// Exceptions of a region that are shown.
const EXCEPTION_LIMIT: usize = 10;
