//! Does a pattern in slices match a text in slices: nothing is joined, nothing allocated.
//!
//! A pattern with policy variables is a [`Row`]: the policy's bytes and the values of the
//! request in turn. Values hold no byte of a wildcard, so what they hold is literal. A text
//! may be a row too, such as the start of a scope, method and path.
//!
//! ```text
//! pattern    arn:aws:s3:::home/  *  /${aws:username}/a?b  *  .txt
//!            └──── start ─────┘     └───── segment ────┘     └end┘
//! ```
//!
//! Start and end are compared in place, each segment takes the first place where it fits.
//! Candidates for it are compared one by one as long as that is cheap: the budget for all
//! of them is a small multiple of the text. Behind it a segment is found
//! [in lockstep](super::lockstep), whatever pattern and text repeat.
//!
//! So a match takes at most `text × (literals and ? of a segment) + pattern` steps, where
//! literals are parted by `?`, variables and stars: the policy alone decides how many there are,
//! not the length of what the request has in their place. (Past the first 48 literals of one
//! segment, which takes `?` between them, each of their bytes counts for one.)

use super::glob::{ANY, ONE, char_len, is_continuation};
use super::lockstep;

/// Bytes in slices that follow one another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row<'b> {
    first: &'b [u8],
    middle: &'b [&'b [u8]],
    last: &'b [u8],
}

/// How many bytes of candidates are compared before segments are found in lockstep, for each
/// byte of the text.
const CHEAP: usize = 8;

/// What is added to that, so that short texts, which are nearly all, never come to it.
const ALWAYS_CHEAP: usize = 1024;

/// Returns whether `pattern` matches the whole of `text`.
pub(crate) fn matches(pattern: Row<'_>, text: Row<'_>) -> bool {
    matches_within::<false>(pattern, text, cheap(text)).is_some()
}

/// Returns whether `program` matches the whole of `text`, ASCII case ignored.
pub(crate) fn matches_ignore_case(program: &[u8], text: &str) -> bool {
    let text = Row::of(text.as_bytes());
    matches_within::<true>(Row::of(program), text, cheap(text)).is_some()
}

/// Returns how many bytes may be compared before segments are found in lockstep.
#[inline]
fn cheap(text: Row<'_>) -> usize {
    text.len()
        .saturating_mul(CHEAP)
        .saturating_add(ALWAYS_CHEAP)
}

#[inline]
fn matches_within<const IGNORE_CASE: bool>(
    pattern: Row<'_>,
    text: Row<'_>,
    budget: usize,
) -> Option<()> {
    let end = text.len();
    let Some((start, floating)) = pattern.split(ANY) else {
        return (starts_with::<IGNORE_CASE>(pattern, text, 0)? == end).then_some(());
    };
    let mut at = starts_with::<IGNORE_CASE>(start, text, 0)?;
    let (mut segments, ending) = floating
        .rsplit(ANY)
        .map_or((None, floating), |(segments, ending)| {
            (Some(segments), ending)
        });
    let end = ends_with::<IGNORE_CASE>(ending, text, end)?;
    if end < at {
        return None;
    }
    let mut budget = budget;
    while let Some(left) = segments {
        let (segment, behind) = left
            .split(ANY)
            .map_or((left, None), |(segment, behind)| (segment, Some(behind)));
        at = find_from::<IGNORE_CASE>(segment, text, at, end, &mut budget)?;
        segments = behind;
    }
    Some(())
}

/// Returns where the first match of `segment`, which has no `*`, ends in `text`.
#[inline(never)]
pub(super) fn find(segment: Row<'_>, text: Row<'_>) -> Option<usize> {
    find_from::<false>(segment, text, 0, text.len(), &mut 0)
}

/// Returns where the first match of `segment`, which has no `*`, ends in `text` between `from` and `end`.
#[inline]
fn find_from<const IGNORE_CASE: bool>(
    mut segment: Row<'_>,
    text: Row<'_>,
    from: usize,
    end: usize,
    budget: &mut usize,
) -> Option<usize> {
    let mut at = from;
    // What `?` in front take is there before any later place, too.
    let lead = loop {
        match segment.split_first() {
            None => return Some(at),
            Some(([ONE, behind @ ..], rest)) => {
                (at, segment) = (skip(text, at, end)?, rest.with_first(behind));
            }
            Some((&[lead, ..], _)) => break fold::<IGNORE_CASE>(lead),
            // Not a slice that is not empty.
            Some(([], _)) => return None,
        }
    };
    let len = segment.len();
    let mut window = text.rest(at);
    while at < end {
        let Some((&found, behind)) = window.split_first() else {
            window = text.rest(at);
            if window.is_empty() {
                return None;
            }
            continue;
        };
        if fold::<IGNORE_CASE>(found) == lead {
            *budget = match budget.checked_sub(len) {
                Some(budget) => budget,
                None => return lockstep::find::<IGNORE_CASE>(segment, text, at, end),
            };
            if let Some(behind) = starts_with::<IGNORE_CASE>(segment, text, at) {
                // A later place would end later still.
                return (behind <= end).then_some(behind);
            }
        }
        (at, window) = (at + 1, behind);
    }
    None
}

/// Returns the place behind the character at `at`, none at or behind `end`.
#[inline]
pub(super) fn skip(text: Row<'_>, at: usize, end: usize) -> Option<usize> {
    let first = text.rest(at).first()?;
    Some(at + char_len(*first)).filter(|&behind| behind <= end)
}

/// Returns where the match of `pattern`, which has no `*`, that starts at `at` in `text` ends.
#[inline]
pub(super) fn starts_with<const IGNORE_CASE: bool>(
    pattern: Row<'_>,
    text: Row<'_>,
    at: usize,
) -> Option<usize> {
    let mut at = at;
    for slice in pattern.slices() {
        for (nth, literal) in slice.split(|&byte| byte == ONE).enumerate() {
            if nth > 0 {
                at += char_len(*text.rest(at).first()?);
            }
            if !stands_at::<IGNORE_CASE>(literal, text, at) {
                return None;
            }
            at += literal.len();
        }
    }
    Some(at)
}

/// Returns where the match of `pattern`, which has no `*`, that ends at `end` in `text` starts.
#[inline]
fn ends_with<const IGNORE_CASE: bool>(
    pattern: Row<'_>,
    text: Row<'_>,
    end: usize,
) -> Option<usize> {
    let mut at = end;
    for slice in pattern.slices().rev() {
        for (nth, literal) in slice.rsplit(|&byte| byte == ONE).enumerate() {
            if nth > 0 {
                at = at.checked_sub(1)?;
                while is_continuation(*text.rest(at).first()?) {
                    at = at.checked_sub(1)?;
                }
            }
            at = at.checked_sub(literal.len())?;
            if !stands_at::<IGNORE_CASE>(literal, text, at) {
                return None;
            }
        }
    }
    Some(at)
}

/// Returns whether `literal` stands at `at` in `text`.
#[inline]
fn stands_at<const IGNORE_CASE: bool>(literal: &[u8], text: Row<'_>, at: usize) -> bool {
    let (mut literal, mut at) = (literal, at);
    while !literal.is_empty() {
        let found = text.rest(at);
        let len = found.len().min(literal.len());
        let (Some(found), Some((wanted, behind))) =
            (found.get(..len), literal.split_at_checked(len))
        else {
            return false;
        };
        let same = if IGNORE_CASE {
            found.eq_ignore_ascii_case(wanted)
        } else {
            found == wanted
        };
        // Nothing is left of the text, or something else is there.
        if len == 0 || !same {
            return false;
        }
        (literal, at) = (behind, at + len);
    }
    true
}

/// Returns what stands for the byte in comparisons.
#[inline(always)]
pub(super) const fn fold<const IGNORE_CASE: bool>(byte: u8) -> u8 {
    if IGNORE_CASE {
        byte.to_ascii_lowercase()
    } else {
        byte
    }
}

impl<'b> Row<'b> {
    /// Makes a row of one slice.
    #[inline]
    pub(crate) const fn of(bytes: &'b [u8]) -> Self {
        Self {
            first: bytes,
            middle: &[],
            last: &[],
        }
    }

    /// Makes a row of slices.
    #[inline]
    pub(crate) fn new(slices: &'b [&'b [u8]]) -> Self {
        match slices {
            [] => Self::default(),
            [first, middle @ ..] => Self {
                first,
                middle,
                last: &[],
            },
        }
    }

    /// Returns the slices in order; some may be empty.
    #[inline]
    pub(crate) fn slices(self) -> impl DoubleEndedIterator<Item = &'b [u8]> {
        core::iter::once(self.first)
            .chain(self.middle.iter().copied())
            .chain(core::iter::once(self.last))
    }

    /// Returns what stands before and behind the first `byte`.
    pub(crate) fn split(self, byte: u8) -> Option<(Self, Self)> {
        if let Some(at) = memchr::memchr(byte, self.first) {
            return self.split_in_first(at);
        }
        for (nth, slice) in self.middle.iter().enumerate() {
            if let Some(at) = memchr::memchr(byte, slice) {
                return self.split_in_middle(nth, at);
            }
        }
        self.split_in_last(memchr::memchr(byte, self.last)?)
    }

    /// Returns what stands before and behind the last `byte`.
    fn rsplit(self, byte: u8) -> Option<(Self, Self)> {
        if let Some(at) = memchr::memrchr(byte, self.last) {
            return self.split_in_last(at);
        }
        for (nth, slice) in self.middle.iter().enumerate().rev() {
            if let Some(at) = memchr::memrchr(byte, slice) {
                return self.split_in_middle(nth, at);
            }
        }
        self.split_in_first(memchr::memrchr(byte, self.first)?)
    }

    fn split_in_first(self, at: usize) -> Option<(Self, Self)> {
        let (before, behind) = around(self.first, at)?;
        let behind = Self {
            first: behind,
            ..self
        };
        Some((Self::of(before), behind))
    }

    fn split_in_middle(self, nth: usize, at: usize) -> Option<(Self, Self)> {
        let (before, behind) = around(self.middle.get(nth)?, at)?;
        let before = Self {
            first: self.first,
            middle: self.middle.get(..nth)?,
            last: before,
        };
        let behind = Self {
            first: behind,
            middle: self.middle.get(nth + 1..)?,
            last: self.last,
        };
        Some((before, behind))
    }

    fn split_in_last(self, at: usize) -> Option<(Self, Self)> {
        let (before, behind) = around(self.last, at)?;
        let before = Self {
            last: before,
            ..self
        };
        Some((before, Self::of(behind)))
    }

    /// Returns the first slice that is not empty, and the row behind it.
    pub(super) fn split_first(self) -> Option<(&'b [u8], Self)> {
        if !self.first.is_empty() {
            return Some((self.first, Self { first: &[], ..self }));
        }
        let mut middle = self.middle;
        while let Some((slice, behind)) = middle.split_first() {
            middle = behind;
            if !slice.is_empty() {
                let last = self.last;
                return Some((
                    slice,
                    Self {
                        first: &[],
                        middle,
                        last,
                    },
                ));
            }
        }
        (!self.last.is_empty()).then_some((self.last, Self::default()))
    }

    /// Returns this row with `first`, which replaces an empty first slice.
    pub(super) const fn with_first(self, first: &'b [u8]) -> Self {
        Self { first, ..self }
    }

    fn len(self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// Returns the bytes from `at` to the end of the slice that has them; none behind the end.
    #[inline]
    pub(super) fn rest(self, at: usize) -> &'b [u8] {
        match self.first.get(at..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => self.rest_of_middle(at - self.first.len()),
        }
    }

    fn rest_of_middle(self, at: usize) -> &'b [u8] {
        let mut at = at;
        for slice in self.middle {
            match slice.get(at..) {
                Some(rest) if !rest.is_empty() => return rest,
                _ => at -= slice.len(),
            }
        }
        self.last.get(at..).unwrap_or_default()
    }
}

/// Returns what stands before and behind the byte at `at`.
fn around(slice: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    Some((slice.get(..at)?, slice.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::glob::program;
    use super::super::glob::tests::naive;
    use super::*;

    /// A part of a pattern: as the policy has it, or a value of the request.
    #[derive(Clone, Debug)]
    enum Part {
        Policy(String),
        Value(String),
    }

    impl Part {
        fn text(&self) -> &str {
            match self {
                Self::Policy(text) | Self::Value(text) => text,
            }
        }

        /// The bytes as the image has them: not always in their one form.
        fn bytes(&self) -> Vec<u8> {
            match self {
                Self::Policy(text) => as_written(text),
                Self::Value(text) => text.clone().into_bytes(),
            }
        }
    }

    fn as_written(pattern: &str) -> Vec<u8> {
        let byte = |byte| match byte {
            b'*' => ANY,
            b'?' => ONE,
            byte => byte,
        };
        pattern.bytes().map(byte).collect()
    }

    /// Asks with the usual budget, with none, and with one that ends on the way.
    fn matches_all_ways<const IGNORE_CASE: bool>(pattern: &[Part], text: &[&str]) -> bool {
        let bytes: Vec<Vec<u8>> = pattern.iter().map(Part::bytes).collect();
        let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
        let texts: Vec<&[u8]> = text.iter().map(|text| text.as_bytes()).collect();
        let (pattern, text) = (Row::new(&slices), Row::new(&texts));
        let all = [cheap(text), 0, 1, 2, 5, 9, 20]
            .map(|budget| matches_within::<IGNORE_CASE>(pattern, text, budget).is_some());
        assert_eq!(all, [all[0]; 7]);
        all[0]
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            2 => "[abé*?]{0,5}|\\*|\\?|/|\\*[ab]{0,4}\\?".prop_map(Part::Policy),
            3 => "[ab]{0,9}|(ab|aab){0,4}|[abé]{0,3}|a{0,9}b?|".prop_map(Part::Value),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn slices_match_as_the_joined_text_does(
            pattern in prop::collection::vec(part(), 0..9),
            text in prop::collection::vec("[abé/]{0,12}|(ab|aab){0,9}|a{0,30}", 0..5),
        ) {
            let joined: String = pattern.iter().map(Part::text).collect();
            let texts: Vec<&str> = text.iter().map(String::as_str).collect();
            prop_assert_eq!(matches_all_ways::<false>(&pattern, &texts), naive(&joined, &text.concat()));
        }

        #[test]
        fn a_text_made_of_the_pattern_matches(
            pattern in prop::collection::vec(part(), 0..12),
            runs in prop::collection::vec("[abé]{0,6}|(ab|aab){0,5}", 12 * 5),
            cut in 0_usize..100,
        ) {
            let mut runs = runs.iter();
            let mut text = String::new();
            let joined: String = pattern.iter().map(Part::text).collect();
            for character in joined.chars() {
                match character {
                    '*' => text += runs.next().unwrap(),
                    '?' => text += ["a", "b", "é"][cut % 3],
                    other => text.push(other),
                }
            }
            let cut = (cut.min(text.len())..).find(|&at| text.is_char_boundary(at)).unwrap();
            let (before, behind) = text.split_at(cut);
            prop_assert!(matches_all_ways::<false>(&pattern, &[before, behind]));
            prop_assert!(naive(&joined, &text));
        }

        #[test]
        fn case_is_ignored_as_if_lowered(pattern in "[aAbBé*?]{0,9}", text in "[aAbBéÉ]{0,12}|[aA]{0,30}") {
            let part = [Part::Policy(pattern.clone())];
            let expected = naive(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase());
            prop_assert_eq!(matches_all_ways::<true>(&part, &[&text]), expected);
            prop_assert_eq!(matches_ignore_case(&program(&pattern), &text), expected);
        }

        #[test]
        fn splits_are_those_of_the_joined_bytes(row in prop::collection::vec("[ab]{0,3}", 0..5)) {
            let slices: Vec<&[u8]> = row.iter().map(|slice| slice.as_bytes()).collect();
            let row = Row::new(&slices);
            let bytes = |row: Row<'_>| row.slices().flatten().copied().collect::<Vec<u8>>();
            let joined = bytes(row);
            prop_assert_eq!(row.len(), joined.len());
            let both = |(before, behind)| (bytes(before), bytes(behind));
            let at = |place: Option<usize>| {
                place.map(|at| (joined[..at].to_vec(), joined[at + 1..].to_vec()))
            };
            prop_assert_eq!(row.split(b'b').map(both), at(joined.iter().position(|&byte| byte == b'b')));
            prop_assert_eq!(row.rsplit(b'b').map(both), at(joined.iter().rposition(|&byte| byte == b'b')));
            // What was split is split again where its first or last slice is trimmed.
            if let Some((before, behind)) = row.split(b'b') {
                prop_assert_eq!(bytes(before).len() + bytes(behind).len() + 1, joined.len());
                prop_assert!(before.split(b'b').is_none());
                let last = bytes(behind).iter().rposition(|&byte| byte == b'b');
                prop_assert_eq!(behind.rsplit(b'b').map(|(before, _)| before.len()), last);
            }
        }
    }

    #[test]
    fn more_literals_than_have_a_search() {
        let pattern = Part::Policy("*".to_owned() + &"a?".repeat(60) + "bb*");
        for (middle, expected) in [("bb", true), ("ba", false), ("", false)] {
            let text = "a".repeat(200) + middle + "a";
            assert_eq!(
                matches_all_ways::<false>(core::slice::from_ref(&pattern), &[&text]),
                expected
            );
        }
    }

    #[test]
    fn case_is_ignored_for_ascii_only() {
        assert!(matches_ignore_case(
            &program("execute-api:Inv*"),
            "EXECUTE-API:invoke"
        ));
        assert!(!matches_ignore_case(&program("é"), "É"));
        let a = Row::of(b"a");
        assert!(matches(a, a) && !matches(a, Row::of(b"A")));
    }

    #[test]
    fn what_repeats_itself_takes_linear_time() {
        let a = "a".repeat(1 << 17);
        let (quarter, half) = (&a[..a.len() / 4], &a[..a.len() / 2]);
        let value = |text: &str| Part::Value(text.to_owned());
        let policy = |text: &str| Part::Policy(text.to_owned());
        let with_end = half.to_owned() + "b";
        let inner = quarter.to_owned() + "b" + quarter;
        let alternating = "ab".repeat(1 << 15);
        for pattern in [
            vec![policy("*"), value(&with_end), policy("*")],
            vec![policy("*"), value(half), policy("b*")],
            vec![
                policy("*"),
                value(half),
                policy("?"),
                value(half),
                policy("a*"),
            ],
            vec![
                policy("*"),
                value(quarter),
                policy("?b"),
                value(quarter),
                policy("*"),
            ],
            vec![policy("*?*"), value(&inner), value(&with_end), policy("*")],
            vec![
                policy("*a?"),
                value(&alternating),
                policy("??"),
                value(quarter),
                policy("*"),
            ],
        ] {
            let bytes: Vec<Vec<u8>> = pattern.iter().map(Part::bytes).collect();
            let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            let start = std::time::Instant::now();
            assert!(!matches(Row::new(&slices), Row::of(a.as_bytes())));
            let pieces = [quarter.as_bytes(), half.as_bytes(), quarter.as_bytes()];
            assert!(!matches(Row::new(&slices), Row::new(&pieces)));
            assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
        }
        let action =
            program(&("s3:*".to_owned() + &"aA".repeat(1000) + "?" + &"a".repeat(1000) + "b*"));
        let start = std::time::Instant::now();
        assert!(!matches_ignore_case(&action, &("S3:".to_owned() + &a)));
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}
