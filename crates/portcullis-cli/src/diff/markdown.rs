//! The answer as a comment on a pull request: a table, and the examples folded away.

use core::fmt::Write;

use portcullis::analysis::Difference;

use super::words::{Danger, Names, change, counted, is_telling, origins, sum};

pub(super) fn answer(difference: &Difference, names: &Names, all: bool) -> String {
    if difference.is_empty() {
        return "### Policy change: none\n\nEvery request is decided alike.\n".to_owned();
    }
    let mut text = String::new();
    let count = difference.regions().len();
    let opens = (difference.regions().iter()).any(|region| change(region).1 == Danger::Gained);
    let title = if opens {
        "lets requests in"
    } else {
        "lets nothing new in"
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "### Policy change: {title}\n\n{count} {}; {}\n\n| | Change | From | Where | Addresses |\n|--:|---|---|---|--:|",
        if count == 1 { "region" } else { "regions" },
        sum(difference.gained(), difference.lost()),
    );
    for (index, region) in difference.regions().iter().enumerate() {
        let (headline, danger) = change(region);
        let addresses = region.addresses();
        let mut terms: Vec<String> = region
            .terms()
            .iter()
            .filter(|term| is_telling(term))
            .map(|term| names.term(term))
            .collect();
        terms.extend(
            (region.exceptions().iter().take(EXCEPTION_LIMIT))
                .map(|exception| format!("unless {}", names.exception(exception))),
        );
        if region.exceptions().len() > EXCEPTION_LIMIT {
            terms.push(format!(
                "… {} more exceptions",
                region.exceptions().len() - EXCEPTION_LIMIT
            ));
        }
        let marker = if danger == Danger::Gained { "**" } else { "" };
        let unproven = if region.is_proven() {
            ""
        } else {
            "<br>(unproven)"
        };
        let _ = writeln!(
            text,
            "| {} | {marker}{headline}{marker}{unproven} | {} | {} | {} |",
            index + 1,
            cell(&origins(addresses, all)),
            cell(&terms),
            counted(addresses.v4_count(), addresses.v6_count()),
        );
    }
    text.push_str("\n<details><summary>Examples</summary>\n\n```sh\n");
    for (index, region) in difference.regions().iter().enumerate() {
        let proof = match region.example() {
            None => "# none found: the region may be empty".to_owned(),
            Some(example) => (names.command(example))
                .unwrap_or_else(|| format!("# {}", Names::described(example))),
        };
        let _ = writeln!(text, "# {}: {}\n{proof}", index + 1, region.after());
    }
    text.push_str("```\n\n</details>\n");
    text
}

/// Returns the lines as one cell of a table; a wildcard is no emphasis, and a bar ends no cell.
fn cell(lines: &[String]) -> String {
    lines.join("<br>").replace('|', "\\|").replace('\n', " ")
}

/// Exceptions of a region that are shown.
const EXCEPTION_LIMIT: usize = 10;
