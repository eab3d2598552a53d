//! Whether one wildcard pattern holds all that another matches, or anything at all of it.
//!
//! ```text
//! meets   execute-api:/*/GET/*    execute-api:/prod/*     yes: /prod/GET/…
//! within  execute-api:/prod/GET/* execute-api:/prod/*     yes
//! within  execute-api:/prod/*     GET/* POST/* …          by subsets, as far as a budget goes
//! ```
//!
//! Both are exact for all texts, not for likely ones. [`within`] may run out of its budget
//! and then says `None`; whoever asks takes that for "not known" and never for an answer.

use std::collections::{BTreeSet, HashSet};

use crate::policy::{PartRef, Text};

/// One symbol of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Symbol {
    /// This character.
    Char(char),
    /// `?`: one character, whichever it is.
    One,
    /// `*`: any run of characters.
    Run,
}

/// A pattern as symbols; several `*` in a row are one, and stand behind the `?` beside them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Glob {
    symbols: Vec<Symbol>,
}

impl Glob {
    /// Reads a text in which every `*` and `?` is a wildcard.
    pub(super) fn new(text: &str) -> Self {
        Self::of(text.chars().map(symbol))
    }

    /// Reads a text without regard to ASCII case.
    pub(super) fn without_case(text: &str) -> Self {
        Self::of(text.chars().map(|c| symbol(c.to_ascii_lowercase())))
    }

    /// Reads a text whose variables may have any value: the pattern of all it could match.
    pub(super) fn with_any_values(text: &Text) -> Self {
        let mut symbols = Vec::new();
        for part in text.parts() {
            match part {
                PartRef::Raw(raw) => symbols.extend(raw.chars().map(symbol)),
                PartRef::Escaped(character) => symbols.push(Symbol::Char(character)),
                PartRef::Variable { .. } => symbols.push(Symbol::Run),
            }
        }
        Self::of(symbols)
    }

    /// Returns the pattern with `start`, taken as it stands, in place of its first `count` symbols.
    pub(super) fn with_start_replaced(&self, count: usize, start: &str) -> Self {
        let rest = self.symbols.iter().skip(count).copied();
        Self::of(start.chars().map(Symbol::Char).chain(rest))
    }

    fn of(symbols: impl IntoIterator<Item = Symbol>) -> Self {
        let mut normal: Vec<Symbol> = Vec::new();
        for symbol in symbols {
            match (normal.last(), symbol) {
                (Some(Symbol::Run), Symbol::Run) => {}
                // `*?` and `?*` are one language; with one spelling they compare equal.
                (Some(Symbol::Run), Symbol::One) => {
                    normal.pop();
                    normal.extend([Symbol::One, Symbol::Run]);
                }
                _ => normal.push(symbol),
            }
        }
        Self { symbols: normal }
    }

    /// Returns whether the pattern is longer than any that a call could match, by far.
    pub(super) fn is_long(&self) -> bool {
        self.symbols.len() > LONG
    }

    /// Returns whether everything matches.
    pub(super) fn is_everything(&self) -> bool {
        self.symbols == [Symbol::Run]
    }

    /// Returns the text up to the first wildcard.
    pub(super) fn head(&self) -> String {
        let literal = self.symbols.iter().map_while(|symbol| match symbol {
            Symbol::Char(character) => Some(*character),
            Symbol::One | Symbol::Run => None,
        });
        literal.collect()
    }

    /// Returns a text that the pattern matches, with `run` for each `*` and its first character for each `?`.
    pub(super) fn example(&self, run: &str) -> String {
        let one = run.chars().next().unwrap_or('x');
        let mut text = String::new();
        for symbol in &self.symbols {
            match symbol {
                Symbol::Char(character) => text.push(*character),
                Symbol::One => text.push(one),
                Symbol::Run => text.push_str(run),
            }
        }
        text
    }

    /// Returns whether the pattern matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<Symbol> = text.chars().map(Symbol::Char).collect();
        covers(&self.symbols, &text)
    }

    /// Returns whether some text matches both patterns; of two long ones it is taken for true.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (a, b) = (&self.symbols, &other.symbols);
        if self.is_long() && other.is_long() {
            return true;
        }
        // reached[j]: some text leads to the current place in `a` and to `j` in `b`.
        let mut reached = vec![false; b.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        skip_runs(b, &mut reached);
        for symbol in a {
            let mut next = vec![false; b.len() + 1];
            if *symbol == Symbol::Run {
                // Any further text: every place behind the first one reached.
                let mut seen = false;
                for (to, from) in next.iter_mut().zip(&reached) {
                    seen |= *from;
                    *to = seen;
                }
            } else {
                for (at, _) in reached.iter().enumerate().filter(|(_, is)| **is) {
                    match (b.get(at), symbol) {
                        (Some(Symbol::Run), _) => mark(&mut next, at),
                        (Some(Symbol::One), _) | (Some(Symbol::Char(_)), Symbol::One) => {
                            mark(&mut next, at + 1);
                        }
                        (Some(Symbol::Char(there)), Symbol::Char(here)) if there == here => {
                            mark(&mut next, at + 1);
                        }
                        _ => {}
                    }
                }
            }
            skip_runs(b, &mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }
}

/// Returns whether every text of `pattern` is matched by one of `others`, or `None` past the budget.
pub(super) fn within(pattern: &Glob, others: &[&Glob], budget: usize) -> Option<bool> {
    if others
        .iter()
        .any(|other| covers(&other.symbols, &pattern.symbols))
    {
        return Some(true);
    }
    // The text with a strange run for each wildcard needs a wildcard to match it.
    let strange = pattern.example(STRANGE);
    if !others.iter().any(|other| other.matches(&strange)) {
        return Some(false);
    }
    by_subsets(&pattern.symbols, others, budget)
}

/// Returns whether `pattern`, read along `text`, takes every symbol of it: enough for containment.
///
/// A `*` of the text needs one of the pattern, and a `?` a wildcard. The other way round it is
/// not needed: `by_subsets` decides what is left.
fn covers(pattern: &[Symbol], text: &[Symbol]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), text.get(from)) {
            (None, None) => return true,
            (Some(Symbol::Run), _) => {
                back = Some((at + 1, from));
                at += 1;
                continue;
            }
            (Some(Symbol::One), Some(Symbol::Char(_) | Symbol::One)) => {
                (at, from) = (at + 1, from + 1);
                continue;
            }
            (Some(Symbol::Char(wanted)), Some(Symbol::Char(found))) if wanted == found => {
                (at, from) = (at + 1, from + 1);
                continue;
            }
            _ => {}
        }
        // The last `*` takes one symbol more.
        match back {
            Some((after, taken)) if taken < text.len() => {
                back = Some((after, taken + 1));
                (at, from) = (after, taken + 1);
            }
            _ => return false,
        }
    }
}

/// Decides containment by walking `pattern` and the sets of places that `others` can be at.
fn by_subsets(pattern: &[Symbol], others: &[&Glob], budget: usize) -> Option<bool> {
    type Places = BTreeSet<(usize, usize)>;
    let mut alphabet: BTreeSet<char> = others
        .iter()
        .flat_map(|other| &other.symbols)
        .chain(pattern)
        .filter_map(|symbol| match symbol {
            Symbol::Char(character) => Some(*character),
            Symbol::One | Symbol::Run => None,
        })
        .collect();
    alphabet.extend(STRANGE.chars().next());
    let settle = |places: &mut Places| {
        let mut open: Vec<(usize, usize)> = places.iter().copied().collect();
        while let Some((which, at)) = open.pop() {
            let run = others.get(which).and_then(|other| other.symbols.get(at));
            if run == Some(&Symbol::Run) && places.insert((which, at + 1)) {
                open.push((which, at + 1));
            }
        }
    };
    let ended = |places: &Places| {
        places.iter().any(|&(which, at)| {
            others
                .get(which)
                .is_some_and(|other| at == other.symbols.len())
        })
    };
    let takes_all = |places: &Places| {
        places.iter().any(|&(which, at)| {
            let rest = others.get(which).and_then(|other| other.symbols.get(at..));
            rest == Some(&[Symbol::Run])
        })
    };
    let step = |places: &Places, character: char| {
        let mut next = Places::new();
        for &(which, at) in places {
            match others.get(which).and_then(|other| other.symbols.get(at)) {
                Some(Symbol::Run) => {
                    next.insert((which, at));
                }
                Some(Symbol::One) => {
                    next.insert((which, at + 1));
                }
                Some(Symbol::Char(wanted)) if *wanted == character => {
                    next.insert((which, at + 1));
                }
                _ => {}
            }
        }
        settle(&mut next);
        next
    };
    let mut start: Places = (0..others.len()).map(|which| (which, 0)).collect();
    settle(&mut start);
    let mut seen: HashSet<(usize, Places)> = HashSet::new();
    let mut open = vec![(0, start)];
    let mut left = budget;
    while let Some((at, places)) = open.pop() {
        if takes_all(&places) {
            continue;
        }
        if places.is_empty() {
            return Some(false);
        }
        left = left.checked_sub(places.len())?;
        if !seen.insert((at, places.clone())) {
            continue;
        }
        match pattern.get(at) {
            None if !ended(&places) => return Some(false),
            None => {}
            Some(Symbol::Char(character)) => open.push((at + 1, step(&places, *character))),
            Some(wildcard) => {
                let stays = *wildcard == Symbol::Run;
                left = left.checked_sub(alphabet.len())?;
                for &character in &alphabet {
                    let to = if stays { at } else { at + 1 };
                    open.push((to, step(&places, character)));
                }
                if stays {
                    open.push((at + 1, places));
                }
            }
        }
    }
    Some(true)
}

fn symbol(character: char) -> Symbol {
    match character {
        '*' => Symbol::Run,
        '?' => Symbol::One,
        other => Symbol::Char(other),
    }
}

fn mark(places: &mut [bool], at: usize) {
    if let Some(place) = places.get_mut(at) {
        *place = true;
    }
}

/// A `*` can be passed without a character.
fn skip_runs(pattern: &[Symbol], reached: &mut [bool]) {
    for (at, symbol) in pattern.iter().enumerate() {
        if *symbol == Symbol::Run && reached.get(at).copied().unwrap_or(false) {
            mark(reached, at + 1);
        }
    }
}

/// Symbols of a long pattern; the resource of a call has 1 600 bytes at most.
const LONG: usize = 4_096;

/// What no pattern has: three characters of the private use area.
pub(super) const STRANGE: &str = "\u{e0f0}\u{e0f0}\u{e0f0}";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUDGET: usize = 100_000;

    fn inside(pattern: &str, others: &[&str]) -> Option<bool> {
        let others: Vec<Glob> = others.iter().map(|text| Glob::new(text)).collect();
        within(
            &Glob::new(pattern),
            &others.iter().collect::<Vec<_>>(),
            BUDGET,
        )
    }

    #[test]
    fn containment() {
        for (pattern, others, expected) in [
            ("a", vec!["a"], true),
            ("a", vec!["b"], false),
            ("/prod/GET/*", vec!["/prod/*"], true),
            ("/prod/*", vec!["/prod/GET/*"], false),
            ("/*", vec!["/*/*"], false),
            ("*?", vec!["?*"], true),
            ("?", vec!["*"], true),
            ("*", vec!["?"], false),
            ("*", vec!["?*", ""], true),
            ("a*", vec!["a?*", "a"], true),
            ("a*", vec!["a?*"], false),
            ("*a*", vec!["*a", "*a?*"], true),
            ("*ab", vec!["*b", "*c"], true),
            ("*", vec!["*a*", "*b*"], false),
        ] {
            assert_eq!(
                inside(pattern, &others),
                Some(expected),
                "{pattern} {others:?}"
            );
        }
    }

    #[test]
    fn a_budget_is_kept() {
        let (a, b) = (Glob::new("a?*"), Glob::new("a"));
        let both = [&a, &b];
        assert_eq!(within(&Glob::new("a*"), &both, 2), None);
        assert_eq!(within(&Glob::new("a*"), &both, 200), Some(true));
    }

    proptest! {
        /// Against all short texts over a small alphabet.
        #[test]
        fn as_by_trying_every_text(
            pattern in "[ab*?]{0,5}",
            others in prop::collection::vec("[ab*?]{0,5}", 1..4),
        ) {
            let letters = ['a', 'b', 'c'];
            let mut texts = vec![String::new()];
            let mut last = 0;
            for _ in 0..7 {
                let end = texts.len();
                for at in last..end {
                    for letter in letters {
                        let text = format!("{}{letter}", texts[at]);
                        texts.push(text);
                    }
                }
                last = end;
            }
            let glob = Glob::new(&pattern);
            let globs: Vec<Glob> = others.iter().map(|text| Glob::new(text)).collect();
            let outside = texts.iter().find(|text| glob.matches(text) && !globs.iter().any(|g| g.matches(text)));
            let refs: Vec<&Glob> = globs.iter().collect();
            prop_assert_eq!(within(&glob, &refs, BUDGET), Some(outside.is_none()), "{:?}", outside);
            let common = texts.iter().any(|text| glob.matches(text) && globs[0].matches(text));
            prop_assert_eq!(glob.meets(&globs[0]), common);
        }
    }
}
