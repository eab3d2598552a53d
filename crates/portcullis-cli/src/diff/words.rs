//! What human and Markdown answers have in common: regions in words.

use portcullis::analysis::diff::{AddressCount, Addresses, Example, Region, Term, Totals};
use portcullis::{Decision, Principal, Request};

use crate::escape::shell;
use crate::terminal::{shown, visible};

/// Names of the files and of the API that short-hand was expanded for.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) old: Vec<String>,
    pub(super) new: Vec<String>,
    /// What is written `execute-api:/` again.
    pub(super) api: Option<String>,
}

/// Returns the headline of a region, and how it counts.
pub(super) fn change(region: &Region) -> (&'static str, Danger) {
    match (region.before(), region.after()) {
        (Decision::ImplicitDeny, Decision::Allow) => {
            ("now allowed, was an implicit deny", Danger::Gained)
        }
        (_, Decision::Allow) => ("now allowed, was an explicit deny", Danger::Gained),
        (Decision::Allow, Decision::ImplicitDeny) => {
            ("no longer allowed, now an implicit deny", Danger::Lost)
        }
        (Decision::Allow, _) => ("no longer allowed, now an explicit deny", Danger::Lost),
        (_, Decision::ExplicitDeny) => ("still denied, now by an explicit deny", Danger::Neither),
        (_, Decision::ImplicitDeny) => (
            "still denied, no longer by an explicit deny",
            Danger::Neither,
        ),
    }
}

/// Whether a region lets in or locks out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Danger {
    Gained,
    Lost,
    Neither,
}

/// Returns `128 IPv4 and 3 IPv6 addresses`.
pub(super) fn counted(v4: AddressCount, v6: AddressCount) -> String {
    let noun = |count: AddressCount| {
        if count.as_u128() == Some(1) {
            "address"
        } else {
            "addresses"
        }
    };
    match (v4.is_zero(), v6.is_zero()) {
        (true, true) => "no address".to_owned(),
        (false, true) => format!("{} IPv4 {}", amount(v4), noun(v4)),
        (true, false) => format!("{} IPv6 {}", amount(v6), noun(v6)),
        (false, false) => format!("{} IPv4 and {} IPv6 addresses", amount(v4), amount(v6)),
    }
}

/// Returns a count, exact: `4,294,967,040`, and past 2^32 where it is so simple `2^80` or `2^128 - 2^80`.
fn amount(count: AddressCount) -> String {
    let Some(count) = count.as_u128() else {
        return "2^128".to_owned();
    };
    if count > 1 << 32 {
        // What is left to the next power of two; 2^128 is 0.
        let left = count
            .checked_next_power_of_two()
            .unwrap_or(0)
            .wrapping_sub(count);
        let bits = u128::BITS - count.leading_zeros();
        if count.is_power_of_two() {
            return format!("2^{}", count.trailing_zeros());
        }
        if left.is_power_of_two() {
            return format!("2^{bits} - 2^{}", left.trailing_zeros());
        }
    }
    let digits = count.to_string();
    let mut spaced = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            spaced.push(',');
        }
        spaced.push(digit);
    }
    spaced
}

/// Returns the sentence that sums up gains and losses.
pub(super) fn sum(gained: Totals, lost: Totals) -> String {
    format!(
        "gained: {}; lost: {}",
        counted(gained.v4, gained.v6),
        counted(lost.v4, lost.v6)
    )
}

/// Returns where a region's requests come from, as the lines of a list.
pub(super) fn origins(addresses: &Addresses, all: bool) -> Vec<String> {
    if addresses.is_everything() {
        return vec!["anywhere, whatever aws:SourceIp".to_owned()];
    }
    let mut lines = Vec::new();
    let limit = if all { usize::MAX } else { CIDR_LIMIT };
    let mut list = |prefixes: Vec<String>, total: usize, family: &str| {
        if prefixes.is_empty() {
            return;
        }
        let mut line = prefixes.join(", ");
        if total > prefixes.len() {
            line.push_str(&format!(
                ", … {} more {family} blocks (--all)",
                total - prefixes.len()
            ));
        }
        lines.push(line);
    };
    let (v4, v6) = (addresses.v4(), addresses.v6());
    let others = addresses.complement();
    let is_mostly_all = others.v4().len() + others.v6().len() <= CIDR_LIMIT
        && v4.len() + v6.len() > others.v4().len() + others.v6().len() + 2;
    let (v4, v6) = if is_mostly_all {
        (&[][..], &[][..])
    } else {
        (v4, v6)
    };
    list(
        v4.iter().take(limit).map(ToString::to_string).collect(),
        v4.len(),
        "IPv4",
    );
    list(
        v6.iter().take(limit).map(ToString::to_string).collect(),
        v6.len(),
        "IPv6",
    );
    if is_mostly_all {
        let few = others.v4().iter().map(ToString::to_string);
        let few: Vec<String> = few
            .chain(others.v6().iter().map(ToString::to_string))
            .collect();
        lines.push(format!("every address but {}", few.join(", ")));
    }
    for (is_in, what) in [
        (addresses.absent(), "requests without aws:SourceIp"),
        (
            addresses.unreadable(),
            "requests whose aws:SourceIp is no address",
        ),
        (
            addresses.several(),
            "requests with several addresses under aws:SourceIp",
        ),
    ] {
        if is_in {
            lines.push(what.to_owned());
        }
    }
    lines
}

/// Returns whether a term is worth a line: that a call is a call is not.
pub(super) fn is_telling(term: &Term) -> bool {
    !matches!(term, Term::Action { negated: false, patterns }
        if matches!(patterns.as_slice(), [one] if one.eq_ignore_ascii_case(Request::INVOKE)))
}

impl Names {
    /// Returns a term in words; patterns of the API as short-hand.
    pub(super) fn term(&self, term: &Term) -> String {
        match term {
            Term::Resource { negated, patterns } => {
                let patterns = patterns.iter().map(|pattern| self.short(pattern)).collect();
                let short = Term::Resource {
                    negated: *negated,
                    patterns,
                };
                cut(&short.to_string())
            }
            other => cut(&other.to_string()),
        }
    }

    /// Returns an exception in words.
    pub(super) fn exception(&self, terms: &[Term]) -> String {
        let terms: Vec<String> = terms.iter().map(|term| self.term(term)).collect();
        terms.join(" and ")
    }

    fn short(&self, pattern: &str) -> String {
        match self
            .api
            .as_deref()
            .and_then(|api| pattern.strip_prefix(api))
        {
            Some(rest) => format!("execute-api:/{rest}"),
            None => pattern.to_owned(),
        }
    }

    /// Returns the command that shows the decision of the new side on an example.
    pub(super) fn command(&self, example: &Example) -> Option<String> {
        if example.has_unreadable_source_ip() || self.new.iter().any(|file| file == "<stdin>") {
            return None;
        }
        let mut words = vec!["portcullis check".to_owned()];
        words.extend(self.new.iter().map(|file| format!("-p {}", quoted(file))));
        if let Some(ip) = example.source_ip() {
            words.push(format!("--source-ip {ip}"));
        }
        words.push(format!("--resource {}", quoted(example.resource())));
        if example.action() != Request::INVOKE {
            words.push(format!("--action {}", quoted(example.action())));
        }
        let principal = match example.principal() {
            Principal::Aws(arn) => Some(arn.to_owned()),
            Principal::Service(name) => Some(format!("Service={name}")),
            Principal::Federated(name) => Some(format!("Federated={name}")),
            Principal::CanonicalUser(id) => Some(format!("CanonicalUser={id}")),
            _ => None,
        };
        words.extend(principal.map(|name| format!("--principal {}", quoted(&name))));
        for (key, values) in example.context() {
            for value in values {
                words.push(format!("--context {}", quoted(&format!("{key}={value}"))));
            }
        }
        Some(words.join(" "))
    }

    /// Returns the example in words, for where no command can ask for it.
    pub(super) fn described(example: &Example) -> String {
        let source = match example.source_ip() {
            Some(ip) => format!("from {ip}"),
            None if example.has_unreadable_source_ip() => {
                "with an unreadable aws:SourceIp".to_owned()
            }
            None => "without one known address".to_owned(),
        };
        format!(
            "{} on {} {source}",
            visible(example.action()),
            visible(example.resource())
        )
    }
}

/// Returns a text that can be long, made fit for a terminal.
fn cut(text: &str) -> String {
    shown(text, TERM_LIMIT)
}

/// Returns a word as a shell reads it, and as a terminal shows it.
fn quoted(word: &str) -> String {
    shell(&visible(word))
}

/// CIDR blocks of a family that are shown.
const CIDR_LIMIT: usize = 8;
/// Characters of a term that are shown.
const TERM_LIMIT: usize = 800;
