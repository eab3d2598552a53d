//! Patterns → a text that some match and others do not, or the proof that there is none.
//!
//! A breadth-first walk over the places that a text may have brought all patterns to at
//! once. Of the characters only those that some place waits for can make a difference, and
//! all others are alike, so one stands for them. The walk ends: the places are finite, and
//! a walk that has seen them all without an answer is a proof. It has a budget, because
//! each `*` alive multiplies them.

use std::collections::{HashSet, VecDeque};

use super::globs::{Glob, STRANGE, States, Token};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// A text as asked for, as short as can be.
    Found(String),
    /// There is none.
    Empty,
    /// Not known.
    OverBudget,
}

/// Looks for a text that of each list in `required` some pattern matches, and none in `forbidden`.
///
/// `budget` counts steps of one pattern by one character.
pub(super) fn find(required: &[Vec<&Glob>], forbidden: &[&Glob], budget: &mut usize) -> Search {
    let mut globs: Vec<&Glob> = Vec::new();
    let mut index = |glob| match globs.iter().position(|known| *known == glob) {
        Some(at) => at,
        None => {
            globs.push(glob);
            globs.len() - 1
        }
    };
    let clauses: Vec<Vec<usize>> = (required.iter())
        .map(|list| list.iter().map(|glob| index(*glob)).collect())
        .collect();
    let no: Vec<usize> = forbidden.iter().map(|glob| index(*glob)).collect();
    if no
        .iter()
        .any(|glob| clauses.iter().any(|clause| clause == &[*glob]))
    {
        return Search::Empty;
    }
    let asked = Asked {
        globs: &globs,
        clauses: &clauses,
        no: &no,
    };
    let Some(mut walk) = Walk::new(&globs) else {
        return Search::OverBudget;
    };
    while let Some((at, states)) = walk.next() {
        if asked.is_met(&states) {
            return Search::Found(walk.text(at));
        }
        for character in asked.characters(&states, walk.other) {
            let Some(left) = budget.checked_sub(globs.len()) else {
                return Search::OverBudget;
            };
            *budget = left;
            let next = step(&globs, &states, character);
            if !asked.is_lost(&next) {
                walk.reach(at, character, next);
            }
        }
    }
    Search::Empty
}

/// Returns whether every text of `glob` is matched by one of `others`, or `None` past the budget.
pub(super) fn is_within(glob: &Glob, others: &[&Glob], mut budget: usize) -> Option<bool> {
    if others.iter().any(|other| other.covers(glob)) {
        return Some(true);
    }
    // The text with a strange run for each wildcard needs a wildcard to match it.
    let strange = glob.example(STRANGE);
    if !others.iter().any(|other| other.matches(&strange)) {
        return Some(false);
    }
    let near = others.iter().filter(|other| !other.is_disjoint(glob));
    let near: Vec<&Glob> = near.copied().collect();
    match find(&[vec![glob]], &near, &mut budget) {
        Search::Found(_) => Some(false),
        Search::Empty => Some(true),
        Search::OverBudget => None,
    }
}

/// Returns a shortest text for each set of `globs` that some text matches exactly, or `None` past the budget.
pub(super) fn combinations(
    globs: &[&Glob],
    budget: &mut usize,
) -> Option<Vec<(Vec<bool>, String)>> {
    let mut found: Vec<(Vec<bool>, String)> = Vec::new();
    let mut walk = Walk::new(globs)?;
    while let Some((at, states)) = walk.next() {
        let matched: Vec<bool> = (states.iter().zip(globs))
            .map(|(states, glob)| states.accepts(glob))
            .collect();
        if !found.iter().any(|(known, _)| *known == matched) {
            found.push((matched, walk.text(at)));
        }
        let mut characters = vec![walk.other];
        for (states, glob) in states.iter().zip(globs) {
            states.wanted(glob, &mut characters);
        }
        for character in characters {
            *budget = budget.checked_sub(globs.len())?;
            walk.reach(at, character, step(globs, &states, character));
        }
    }
    Some(found)
}

fn step(globs: &[&Glob], states: &[States], character: char) -> Vec<States> {
    (states.iter().zip(globs))
        .map(|(states, glob)| states.step(glob, Some(character)))
        .collect()
}

/// What is asked of a text.
struct Asked<'a> {
    globs: &'a [&'a Glob],
    clauses: &'a [Vec<usize>],
    no: &'a [usize],
}

impl Asked<'_> {
    fn is_met(&self, states: &[States]) -> bool {
        let accepts = |at: &usize| {
            (states.get(*at).zip(self.globs.get(*at)))
                .is_some_and(|(states, glob)| states.accepts(glob))
        };
        (self.clauses.iter()).all(|clause| clause.iter().any(accepts))
            && !self.no.iter().any(accepts)
    }

    /// Returns whether no longer text can be as asked for.
    fn is_lost(&self, states: &[States]) -> bool {
        let is_dead = |at: &usize| states.get(*at).is_none_or(States::is_dead);
        let accepts_all = |at: &usize| {
            (states.get(*at).zip(self.globs.get(*at)))
                .is_some_and(|(states, glob)| states.accepts_all(glob))
        };
        (self.clauses.iter()).any(|clause| clause.iter().all(is_dead))
            || self.no.iter().any(accepts_all)
    }

    /// Returns the characters worth trying: all that a list waits for, where it waits for some.
    fn characters(&self, states: &[States], other: char) -> Vec<char> {
        for clause in self.clauses {
            let mut wanted = Vec::new();
            let mut open = false;
            for at in clause {
                if let (Some(states), Some(glob)) = (states.get(*at), self.globs.get(*at)) {
                    states.wanted(glob, &mut wanted);
                    // A wildcard takes the one that nobody waits for.
                    open |= !states.step(glob, Some(other)).is_dead();
                }
            }
            if !open {
                return wanted;
            }
        }
        let mut characters = vec![other];
        for (states, glob) in states.iter().zip(self.globs) {
            states.wanted(glob, &mut characters);
        }
        characters
    }
}

/// What was reached, and from where.
struct Walk {
    seen: HashSet<Vec<States>>,
    open: VecDeque<(usize, Vec<States>)>,
    came: Vec<(usize, Option<char>)>,
    /// A character that stands in no pattern.
    other: char,
}

impl Walk {
    /// `None` where the patterns leave no such character.
    fn new(globs: &[&Glob]) -> Option<Self> {
        let is_free = |character: &char| {
            !(globs.iter()).any(|glob| glob.tokens().contains(&Token::Char(*character)))
        };
        let other = ('a'..='z')
            .rev()
            .skip(2)
            .chain('0'..='9')
            .chain('\u{100}'..'\u{d000}')
            .find(is_free)?;
        let start: Vec<States> = globs.iter().map(|glob| States::start(glob)).collect();
        Some(Self {
            seen: HashSet::from([start.clone()]),
            open: VecDeque::from([(0, start)]),
            came: vec![(0, None)],
            other,
        })
    }

    fn next(&mut self) -> Option<(usize, Vec<States>)> {
        self.open.pop_front()
    }

    fn reach(&mut self, from: usize, character: char, states: Vec<States>) {
        if self.seen.contains(&states) {
            return;
        }
        self.seen.insert(states.clone());
        self.open.push_back((self.came.len(), states));
        self.came.push((from, Some(character)));
    }

    fn text(&self, at: usize) -> String {
        let mut characters = Vec::new();
        let mut at = at;
        while let Some((from, Some(character))) = self.came.get(at) {
            characters.push(*character);
            at = *from;
        }
        characters.iter().rev().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn search(required: &[&[&str]], forbidden: &[&str]) -> Search {
        let read =
            |list: &[&str]| -> Vec<Glob> { list.iter().map(|text| Glob::read(text)).collect() };
        let required: Vec<Vec<Glob>> = required.iter().map(|list| read(list)).collect();
        let required: Vec<Vec<&Glob>> = required.iter().map(|list| list.iter().collect()).collect();
        let forbidden = read(forbidden);
        let forbidden: Vec<&Glob> = forbidden.iter().collect();
        find(&required, &forbidden, &mut 100_000)
    }

    #[test]
    fn shortest_texts_and_proofs() {
        let found = |text: &str| Search::Found(text.to_owned());
        for (required, forbidden, expected) in [
            (&[&["a*"][..]][..], &[][..], found("a")),
            (&[&["a*"]], &["a"], found("ax")),
            (&[&["a*"]], &["a", "a?*"], Search::Empty),
            (&[&["*"]], &["a*", "b*"], found("")),
            (&[&["?*"]], &["a*", "b*"], found("x")),
            (&[&["a*"], &["*b"]], &["ab"], found("axb")),
            (&[&["a*", "c"], &["*b", "c"]], &["ab", "c"], found("axb")),
            (&[&["a*", "b*"]], &["a*"], found("b")),
            (&[&["*/GET/*"]], &["*/GET/?*"], found("/GET/")),
            (&[&["a"], &["b"]], &[], Search::Empty),
            (&[&["*a*"]], &["*a*"], Search::Empty),
            (&[], &["*"], Search::Empty),
        ] {
            assert_eq!(
                search(required, forbidden),
                expected,
                "{required:?} {forbidden:?}"
            );
        }
    }

    #[test]
    fn a_budget_ends_the_search() {
        let wide = Glob::read("*a*b*c*d*e*f*g*h*");
        let narrow = Glob::read("*h*g*f*e*d*c*b*a*");
        let result = find(&[vec![&wide], vec![&narrow]], &[], &mut 50);
        assert_eq!(result, Search::OverBudget);
    }

    #[test]
    fn every_combination_that_some_text_has() {
        let globs = ["a*", "*b", "*"].map(Glob::read);
        let globs: Vec<&Glob> = globs.iter().collect();
        let mut found = combinations(&globs, &mut 10_000).unwrap();
        found.sort_unstable();
        let found: Vec<(&[bool], &str)> = found.iter().map(|(m, t)| (&m[..], &**t)).collect();
        assert_eq!(
            found,
            [
                (&[false, false, true][..], ""),
                (&[false, true, true], "b"),
                (&[true, false, true], "a"),
                (&[true, true, true], "ab"),
            ]
        );
    }

    const WITHIN_BUDGET: usize = 100_000;

    fn inside(pattern: &str, others: &[&str]) -> Option<bool> {
        let others: Vec<Glob> = others.iter().map(|text| Glob::read(text)).collect();
        is_within(
            &Glob::read(pattern),
            &others.iter().collect::<Vec<_>>(),
            WITHIN_BUDGET,
        )
    }

    #[test]
    fn within_several() {
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
    fn the_budget_of_within_is_kept() {
        let (a, b) = (Glob::read("a?*"), Glob::read("a"));
        let both = [&a, &b];
        assert_eq!(is_within(&Glob::read("a*"), &both, 2), None);
        assert_eq!(is_within(&Glob::read("a*"), &both, 200), Some(true));
    }

    proptest! {
        /// Against all short texts over a small alphabet.
        #[test]
        fn within_as_by_trying_every_text(
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
            let glob = Glob::read(&pattern);
            let globs: Vec<Glob> = others.iter().map(|text| Glob::read(text)).collect();
            let outside = texts.iter().find(|text| glob.matches(text) && !globs.iter().any(|g| g.matches(text)));
            let refs: Vec<&Glob> = globs.iter().collect();
            prop_assert_eq!(is_within(&glob, &refs, WITHIN_BUDGET), Some(outside.is_none()), "{:?}", outside);
        }
    }
}
