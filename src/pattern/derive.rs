//! What is left of a pattern behind the start of a text.
//!
//! The pattern is read by the start once, so that only the rest of a text is left to be
//! read for each request. What was read is a set of places in the pattern. Mostly there is one; a
//! literal that may have begun at the end of the start makes one more for each character of the
//! start where it may have.
//!
//! ```text
//! pattern  api/*/GET/pets     start  api/prod/     left  */GET/pets     the star goes on
//!                                                        GET/pets       its `/` was the last one
//! ```

use super::glob::{ANY, ONE};

/// How many places are left one by one; of more than that one pattern is left that says too much.
const EXACT: usize = 4;

/// What a pattern costs to be read and kept; when it is spent, reading ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(pub(crate) u64);

impl Budget {
    fn spend(&mut self, steps: usize) -> Option<()> {
        self.0 = self.0.checked_sub(u64::try_from(steps).ok()?)?;
        Some(())
    }
}

/// The places of a pattern at which what is left of it may start, ascending.
///
/// Before the last of them that is a star there is none: that star takes whatever they could.
#[derive(Clone, Debug)]
pub(crate) struct Places(Vec<usize>);

/// What is left of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Its pattern bytes.
    pub(crate) program: Vec<u8>,
    /// Whether all that it matches is matched; else the whole pattern has to be asked.
    pub(crate) is_exact: bool,
}

impl Places {
    /// Nothing was read.
    pub(crate) fn start() -> Self {
        Self(vec![0])
    }

    /// Reads `text` with `program`, a step for each place and character; `None` where the budget is spent.
    pub(crate) fn read(&self, program: &[u8], text: &str, budget: &mut Budget) -> Option<Self> {
        let (mut places, mut next) = (self.0.clone(), Vec::new());
        let mut buffer = [0; 4];
        for character in text.chars() {
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            step(program, &places, bytes, &mut next);
            budget.spend(places.len() + 1)?;
            core::mem::swap(&mut places, &mut next);
            next.clear();
            if places.is_empty() {
                break;
            }
        }
        Some(Self(places))
    }

    /// Returns what is left of `program`; a text that goes on matches if any of it does. `None` where
    /// the budget is spent.
    pub(crate) fn rest(&self, program: &[u8], budget: &mut Budget) -> Option<Vec<Rest>> {
        let rest = |&place: &usize| program.get(place..).unwrap_or_default();
        let left = match self.0.as_slice() {
            // What others have before the last place, a star takes, too.
            [_, .., last] if self.0.len() > EXACT => vec![Rest {
                program: [&[ANY], rest(last)].concat(),
                is_exact: false,
            }],
            places => {
                let exact = |place| Rest {
                    program: rest(place).to_vec(),
                    is_exact: true,
                };
                places.iter().map(exact).collect()
            }
        };
        // A byte is held by several tables.
        let kept = left.iter().map(|rest| 2 * rest.program.len() + 1);
        budget.spend(kept.sum())?;
        Some(left)
    }
}

/// Adds the places behind `character` to `next`, ascending as `places` are.
fn step(program: &[u8], places: &[usize], character: &[u8], next: &mut Vec<usize>) {
    // Behind the last place that was looked at: a star may have come upon those that follow it.
    let mut open = 0;
    for &place in places {
        if place < open {
            continue;
        }
        let mut at = place;
        while program.get(at) == Some(&ANY) {
            // It goes on, or has matched nothing.
            add(program, at, next);
            at += 1;
        }
        open = at + 1;
        match program.get(at) {
            Some(&ONE) => add(program, at + 1, next),
            // PERF: the rest of a character is seldom there, and comparing it is a call.
            Some(first) if Some(first) == character.first() => {
                let behind = at + character.len();
                if character.len() == 1 || program.get(at..behind) == Some(character) {
                    add(program, behind, next);
                }
            }
            _ => {}
        }
    }
}

/// Adds a place, none being behind it.
fn add(program: &[u8], place: usize, places: &mut Vec<usize>) {
    if program.get(place) == Some(&ANY) {
        places.clear();
    }
    if places.last() != Some(&place) {
        places.push(place);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::glob::{matches, program};
    use super::*;

    /// Reads `start`, at once and in two goes, which must not differ.
    fn left(program: &[u8], start: &str) -> Vec<Rest> {
        let mut budget = Budget(u64::MAX);
        let mut read =
            |places: &Places, text: &str| places.read(program, text, &mut budget).unwrap();
        let places = read(&Places::start(), start);
        for at in (0..start.len()).filter(|&at| start.is_char_boundary(at)) {
            let (before, behind) = start.split_at(at);
            let before = read(&Places::start(), before);
            assert_eq!(read(&before, behind).0, places.0);
        }
        assert!(places.0.is_sorted_by(|a, b| a < b), "{places:?}");
        places.rest(program, &mut budget).unwrap()
    }

    fn left_by_text(pattern: &str, start: &str) -> Vec<String> {
        let text = |rest: Rest| -> String {
            let char_of = |byte| match byte {
                ANY => '*',
                ONE => '?',
                byte => char::from(byte),
            };
            rest.program.into_iter().map(char_of).collect()
        };
        left(&program(pattern), start)
            .into_iter()
            .map(text)
            .collect()
    }

    #[test]
    fn what_is_left_by_example() {
        for (pattern, start, expected) in [
            ("api/prod/GET/*", "api/prod/", &["GET/*"][..]),
            ("api/*", "api/prod/", &["*"]),
            (
                "api/*/GET/pets/*",
                "api/prod/",
                &["*/GET/pets/*", "GET/pets/*"],
            ),
            ("api/prod", "api/prod/", &[]),
            ("api/prod/", "api/prod/", &[""]),
            ("*a*b*", "xay", &["*b*"]),
            ("a?c", "aé", &["c"]),
            ("*aab", "aaa", &["*aab", "ab", "b"]),
            // Five are too many.
            ("*aaaab/x", "aaaa", &["*b/x"]),
            ("*aaaab/x", "aaaab", &["*aaaab/x", "/x"]),
        ] {
            assert_eq!(left_by_text(pattern, start), expected, "{pattern} {start}");
        }
    }

    #[test]
    fn a_budget_ends_reading() {
        let program = program(&("*".to_owned() + &"a".repeat(100)));
        let start = "a".repeat(100);
        let read = |budget| Places::start().read(&program, &start, &mut Budget(budget));
        // One more place for each character.
        assert!(read(100 * 102 / 2).is_none());
        assert!(read(100 * 103 / 2).is_some());
        assert!(Places::start().rest(&program, &mut Budget(202)).is_none());
        assert!(Places::start().rest(&program, &mut Budget(203)).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn what_is_left_matches_the_rest(
            pattern in "[ab/*?é]{0,8}|\\*?[a?]{3,9}[ab*]{0,3}",
            start in "[ab/é]{0,6}|a{0,9}",
            rest in "[ab/é]{0,6}|a{0,6}b?",
        ) {
            let program = program(&pattern);
            let expected = matches(&program, &(start.clone() + &rest));
            let left = left(&program, &start);
            prop_assert!(left.len() <= EXACT);
            let found = left.iter().any(|left| matches(&left.program, &rest));
            if left.iter().all(|left| left.is_exact) {
                prop_assert_eq!(found, expected);
            } else {
                prop_assert!(found || !expected);
            }
        }
    }
}
