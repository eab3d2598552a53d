//! One statement, said in fewer characters: CIDRs joined, covered patterns left out.

use ipnet::IpNet;

use crate::analysis::globs::{Glob, Token};
use crate::analysis::line::AddressSet;
use crate::policy::{Located, PrincipalEntry, Span, Statement, Text, Values};

/// Shrinks every list of the statement.
pub(super) fn statement(statement: &mut Statement) {
    for condition in &mut statement.conditions {
        if let Values::Prefixes(prefixes) = &mut condition.values {
            shrink_prefixes(prefixes);
        } else if let Values::Texts(texts) = &mut condition.values {
            drop_equal(texts);
        }
    }
    let patterns = &mut statement.resource.patterns;
    patterns.iter_mut().for_each(normalise);
    drop_covered(patterns, |text| plain(&text.value));
    drop_covered(&mut statement.action.patterns, |pattern| {
        Some(Glob::without_case(&pattern.value))
    });
    if let Some(element) = &mut statement.principal {
        let everyone =
            (element.entries.iter()).position(|entry| entry.value == PrincipalEntry::Everyone);
        if let Some(at) = everyone {
            element.entries.swap(0, at);
            element.entries.truncate(1);
        }
        drop_equal(&mut element.entries);
    }
}

fn shrink_prefixes(prefixes: &mut Vec<Located<IpNet>>) {
    let set = AddressSet::of_prefixes(prefixes.iter().map(|prefix| prefix.value));
    let v4 = set.v4().into_iter().map(IpNet::V4);
    let v6 = set.v6().into_iter().map(IpNet::V6);
    let fewer: Vec<Located<IpNet>> = v4
        .chain(v6)
        .map(|net| Located::new(net, Span::default()))
        .collect();
    // A list of mapped prefixes that cover nothing else is never empty: they are IPv4.
    if !fewer.is_empty() && fewer.len() < prefixes.len() {
        *prefixes = fewer;
    }
}

/// Returns the pattern, where the text has no variables.
fn plain(text: &Text) -> Option<Glob> {
    let is_plain = text
        .parts()
        .all(|part| matches!(part, crate::policy::PartRef::Raw(_)));
    is_plain.then(|| Glob::read(text.raw()))
}

/// Writes runs of wildcards in the shortest way: `**` is `*`.
fn normalise(text: &mut Located<Text>) {
    let Some(glob) = plain(&text.value).filter(|_| !text.value.raw().contains("${")) else {
        return;
    };
    let short: String = (glob.tokens().iter())
        .map(|token| match token {
            Token::Char(character) => *character,
            Token::One => '?',
            Token::Any => '*',
        })
        .collect();
    if short.len() < text.value.raw().len() {
        text.value = Text::plain(short);
    }
}

/// Drops patterns that another of the list covers; of equal ones the first stays.
fn drop_covered<T>(list: &mut Vec<T>, glob: impl Fn(&T) -> Option<Glob>) {
    let globs: Vec<Option<Glob>> = list.iter().map(glob).collect();
    let mut index = 0;
    list.retain(|_| {
        let at = index;
        index += 1;
        let Some(Some(own)) = globs.get(at) else {
            return true;
        };
        !globs.iter().enumerate().any(|(other, wide)| {
            let Some(wide) = wide else { return false };
            other != at && wide.covers(own) && (other < at || !own.covers(wide))
        })
    });
}

/// Drops what stands in the list before.
fn drop_equal<T: PartialEq>(list: &mut Vec<T>) {
    let mut index = 0;
    while let Some(item) = list.get(index) {
        if list.get(..index).unwrap_or_default().contains(item) {
            list.remove(index);
        } else {
            index += 1;
        }
    }
}
