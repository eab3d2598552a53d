//! What is left of a pattern behind the start of a text.
//!
//! The pattern is read by the start once, so that only the rest of a text is left to be
//! read for each request. Mostly one pattern is left; a literal that may have begun at the
//! end of the start leaves one more for each place where it may have.

use std::collections::BTreeSet;

use super::glob::{ANY, ONE};

/// Returns the pattern bytes that match a text exactly if `program` matches `start` and then that text.
///
/// Any of them may match; none is left where nothing that starts so is matched.
pub(crate) fn derive(program: &[u8], start: &str) -> Vec<Vec<u8>> {
    let mut places = BTreeSet::from([0_usize]);
    let mut buffer = [0; 4];
    for character in start.chars() {
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        let mut next = BTreeSet::new();
        for &place in &with_stars_passed(program, &places) {
            match program.get(place) {
                Some(&ANY) => drop(next.insert(place)),
                Some(&ONE) => drop(next.insert(place + 1)),
                Some(_)
                    if program
                        .get(place..)
                        .is_some_and(|rest| rest.starts_with(bytes)) =>
                {
                    next.insert(place + bytes.len());
                }
                _ => {}
            }
        }
        places = prune(program, next);
        if places.is_empty() {
            return Vec::new();
        }
    }
    places
        .iter()
        .filter_map(|&place| program.get(place..).map(<[u8]>::to_vec))
        .collect()
}

/// Adds the places behind stars, which may match nothing.
fn with_stars_passed(program: &[u8], places: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for &place in places {
        let mut at = place;
        while all.insert(at) && program.get(at) == Some(&ANY) {
            at += 1;
        }
    }
    all
}

/// Leaves out the places before the last star: it takes whatever they could.
fn prune(program: &[u8], places: BTreeSet<usize>) -> BTreeSet<usize> {
    let last_star = places
        .iter()
        .rev()
        .find(|&&place| program.get(place) == Some(&ANY))
        .copied();
    match last_star {
        Some(last) => places.into_iter().filter(|&place| place >= last).collect(),
        None => places,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::glob::{matches, program};
    use super::*;

    fn left(pattern: &str, start: &str) -> Vec<String> {
        let text = |program: Vec<u8>| -> String {
            let char_of = |byte| match byte {
                ANY => '*',
                ONE => '?',
                byte => char::from(byte),
            };
            program.into_iter().map(char_of).collect()
        };
        derive(&program(pattern), start)
            .into_iter()
            .map(text)
            .collect()
    }

    #[test]
    fn what_is_left_by_example() {
        assert_eq!(left("api/prod/GET/*", "api/prod/"), ["GET/*"]);
        assert_eq!(left("api/*", "api/prod/"), ["*"]);
        assert_eq!(
            left("api/*/GET/pets/*", "api/prod/"),
            ["*/GET/pets/*", "GET/pets/*"]
        );
        assert_eq!(left("api/prod", "api/prod/"), [""; 0]);
        assert_eq!(left("api/prod/", "api/prod/"), [""]);
        assert_eq!(left("*a*b*", "xay"), ["*b*"]);
        assert_eq!(left("a?c", "aé"), ["c"]);
    }

    proptest! {
        #[test]
        fn what_is_left_matches_the_rest(
            pattern in "[ab/*?é]{0,8}",
            start in "[ab/é]{0,6}",
            rest in "[ab/é]{0,6}",
        ) {
            let program = program(&pattern);
            let whole = start.clone() + &rest;
            let left = derive(&program, &start);
            prop_assert_eq!(left.iter().any(|left| matches(left, &rest)), matches(&program, &whole));
        }
    }
}
