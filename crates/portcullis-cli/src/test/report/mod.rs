//! Outcome → text, in each of the forms.

mod human;
mod json;
mod junit;
mod tap;

pub(super) use self::human::human;
pub(super) use self::json::json;
pub(super) use self::junit::junit;
pub(super) use self::tap::tap;

use super::coverage::{Count, Coverage};
use super::suite;
use super::{FileOutcome, Verdict};
use crate::terminal::visible;

/// Returns `1 case`, `2 cases`.
fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns where a case stands: `cases.yaml:14`.
fn place(file: &FileOutcome<'_>, verdict: &Verdict<'_>) -> String {
    format!(
        "{}:{}",
        visible(file.name),
        suite::line(&verdict.case.place)
    )
}

/// Returns `3 of 4 statements (75 %), 2 of 9 CIDR blocks (22 %)`.
fn coverage_line(coverage: &Coverage) -> String {
    let share = |count: Count, names: &str| {
        let Count { covered, total } = count;
        format!("{covered} of {total} {names} ({} %)", count.percent())
    };
    let statements = share(coverage.statements(), "statements");
    format!("{statements}, {}", share(coverage.blocks(), "CIDR blocks"))
}
