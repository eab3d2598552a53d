//! Wildcard patterns compared as sets of texts: does one hold another, do two meet.
//!
//! Both are exact, but that patterns of more than 127 different characters behind their
//! common start are said not to hold one another, and two of more than 4 096 to meet: that
//! costs a proof and no answer. What several patterns hold together is for `search`.

use core::fmt;

use crate::policy::{PartRef, Text};

/// A pattern, token by token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Glob {
    tokens: Box<[Token]>,
}

/// A token of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any run of characters.
    Any,
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            match token {
                Token::Char(character) => write!(f, "{character}")?,
                Token::One => f.write_str("?")?,
                Token::Any => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

impl Glob {
    /// Returns the pattern, runs of wildcards in one form: all `?` first, then at most one `*`.
    pub(super) fn new(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut normal: Vec<Token> = Vec::new();
        for token in tokens {
            match (normal.last(), token) {
                (Some(Token::Any), Token::Any) => {}
                (Some(Token::Any), Token::One) => {
                    let at = normal.len() - 1;
                    normal.insert(at, Token::One);
                }
                _ => normal.push(token),
            }
        }
        Self {
            tokens: normal.into(),
        }
    }

    /// Reads a text in which `*` and `?` are wildcards.
    pub(super) fn read(text: &str) -> Self {
        Self::new(tokens(text))
    }

    /// Reads a text in which `*` and `?` are wildcards, in ASCII lower case.
    pub(super) fn without_case(text: &str) -> Self {
        Self::read(&text.to_ascii_lowercase())
    }

    /// Reads a text with a `*` for each variable: what it may match at most.
    pub(super) fn with_any_values(text: &Text) -> Self {
        let mut all = Vec::with_capacity(text.raw().len());
        for part in text.parts() {
            match part {
                PartRef::Raw(raw) => all.extend(tokens(raw)),
                PartRef::Escaped(character) => all.push(Token::Char(character)),
                PartRef::Variable { .. } => all.push(Token::Any),
            }
        }
        Self::new(all)
    }

    /// Returns the pattern with `start`, taken as it stands, in place of its first `count` tokens.
    pub(super) fn with_start_replaced(&self, count: usize, start: &str) -> Self {
        let rest = self.tokens.iter().skip(count).copied();
        Self::new(start.chars().map(Token::Char).chain(rest))
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Returns whether the pattern is longer than any that a call could match, by far.
    pub(super) fn is_long(&self) -> bool {
        self.tokens.len() > LONG
    }

    /// Returns whether this is `*`.
    pub(super) fn is_any(&self) -> bool {
        *self.tokens == [Token::Any]
    }

    /// Returns the characters in front of the first wildcard.
    pub(super) fn head(&self) -> String {
        let literals = self.tokens.iter().map_while(|token| match token {
            Token::Char(character) => Some(*character),
            Token::One | Token::Any => None,
        });
        literals.collect()
    }

    /// Returns a text that the pattern matches, with `run` for each `*` and its first character for
    /// each `?`.
    pub(super) fn example(&self, run: &str) -> String {
        let one = run.chars().next().unwrap_or('x');
        let mut text = String::new();
        for token in &self.tokens {
            match token {
                Token::Char(character) => text.push(*character),
                Token::One => text.push(one),
                Token::Any => text.push_str(run),
            }
        }
        text
    }

    /// Returns whether the pattern matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut pattern = &*self.tokens;
        let mut text = text.chars();
        // What stands behind the last `*`, and the text from where that was tried.
        let mut retry: Option<(&[Token], core::str::Chars<'_>)> = None;
        loop {
            let before = text.clone();
            match (pattern.split_first(), text.next()) {
                (None, None) => return true,
                (Some((Token::Any, rest)), _) => {
                    pattern = rest;
                    text = before.clone();
                    retry = Some((rest, before));
                    continue;
                }
                (Some((Token::One, rest)), Some(_)) => {
                    pattern = rest;
                    continue;
                }
                (Some((Token::Char(wanted), rest)), Some(found)) if *wanted == found => {
                    pattern = rest;
                    continue;
                }
                _ => {}
            }
            // The last `*` takes one character more.
            let Some((rest, from)) = &mut retry else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            (pattern, text) = (*rest, from.clone());
        }
    }

    /// Returns whether every text that `other` matches is matched by this.
    pub(super) fn covers(&self, other: &Self) -> bool {
        if self.is_any() || self == other {
            return true;
        }
        let Some((wide, narrow)) = without_common_ends(&self.tokens, &other.tokens) else {
            return false;
        };
        covers(wide, narrow)
    }

    /// Returns whether no text is matched by both; of two long ones it is not known, so `false`.
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        !(self.is_long() && other.is_long()) && disjoint(&self.tokens, &other.tokens)
    }
}

/// Returns the tokens of a text in which `*` and `?` are wildcards.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token> {
    text.chars().map(|character| match character {
        '*' => Token::Any,
        '?' => Token::One,
        _ => Token::Char(character),
    })
}

/// Strips what both start and end with; `None` where their literal ends cannot fit.
fn without_common_ends<'t>(
    wide: &'t [Token],
    narrow: &'t [Token],
) -> Option<(&'t [Token], &'t [Token])> {
    let (mut wide, mut narrow) = (wide, narrow);
    while let (Some((Token::Char(w), wide_rest)), Some((n, narrow_rest))) =
        (wide.split_first(), narrow.split_first())
    {
        if *n != Token::Char(*w) {
            return None;
        }
        (wide, narrow) = (wide_rest, narrow_rest);
    }
    while let (Some((Token::Char(w), wide_rest)), Some((n, narrow_rest))) =
        (wide.split_last(), narrow.split_last())
    {
        if *n != Token::Char(*w) {
            return None;
        }
        (wide, narrow) = (wide_rest, narrow_rest);
    }
    Some((wide, narrow))
}

/// Runs `wide` on the worst text of `narrow`.
///
/// A wildcard of `narrow` may be a character that stands nowhere in `wide`, which leaves
/// `wide` the fewest states, so only that one is tried; of a `*` every length is, until
/// more of it changes nothing. Of two sets of states the smaller is the worse.
fn covers(wide: &[Token], narrow: &[Token]) -> bool {
    if wide.len() > 127 {
        return false;
    }
    let mut open = vec![closure(wide, 1)];
    for token in narrow {
        let mut next = Vec::new();
        for states in open {
            match token {
                Token::Char(character) => {
                    add(&mut next, step(wide, states, Some(*character)));
                }
                Token::One => _ = add(&mut next, step(wide, states, None)),
                Token::Any => {
                    // Until one is not taken: a worse set is there, and so are all it becomes.
                    let mut states = states;
                    while add(&mut next, states) {
                        states = step(wide, states, None);
                    }
                }
            }
        }
        if next.contains(&0) || next.len() > 256 {
            return false;
        }
        open = next;
    }
    open.iter().all(|states| states >> wide.len() & 1 == 1)
}

/// Adds a set of states unless a subset is there, and drops those it is a subset of.
fn add(sets: &mut Vec<u128>, states: u128) -> bool {
    if sets.iter().any(|set| set & states == *set) {
        return false;
    }
    sets.retain(|set| set & states != states);
    sets.push(states);
    true
}

/// Returns the states behind one character; `None` is one that stands in no pattern.
fn step(pattern: &[Token], states: u128, character: Option<char>) -> u128 {
    let mut next = 0_u128;
    let mut left = states;
    while left != 0 {
        let at = left.trailing_zeros();
        left &= left - 1;
        next |= match pattern.get(crate::util::int::AsUsize::as_usize(at)) {
            Some(Token::Char(wanted)) if Some(*wanted) == character => 1 << (at + 1),
            Some(Token::One) => 1 << (at + 1),
            Some(Token::Any) => 1 << at,
            Some(Token::Char(_)) | None => 0,
        };
    }
    closure(pattern, next)
}

/// Adds the states behind each `*` that is reached.
fn closure(pattern: &[Token], states: u128) -> u128 {
    let mut closed = states;
    for (at, token) in pattern.iter().enumerate() {
        if *token == Token::Any && closed >> at & 1 == 1 {
            closed |= 1 << (at + 1);
        }
    }
    closed
}

fn disjoint(left: &[Token], right: &[Token]) -> bool {
    let (mut left, mut right) = (left, right);
    while let (Some((l, left_rest)), Some((r, right_rest))) =
        (left.split_first(), right.split_first())
    {
        match (l, r) {
            (Token::Any, _) | (_, Token::Any) => break,
            (Token::Char(l), Token::Char(r)) if l != r => return true,
            _ => (left, right) = (left_rest, right_rest),
        }
    }
    while let (Some((l, left_rest)), Some((r, right_rest))) =
        (left.split_last(), right.split_last())
    {
        match (l, r) {
            (Token::Any, _) | (_, Token::Any) => break,
            (Token::Char(l), Token::Char(r)) if l != r => return true,
            _ => (left, right) = (left_rest, right_rest),
        }
    }
    // Both begin and end with a `*`, or one is used up, or one is a lone `*`.
    match (left, right) {
        ([], []) => return false,
        ([], rest) | (rest, []) => return rest.iter().any(|token| *token != Token::Any),
        ([Token::Any], _) | (_, [Token::Any]) => return false,
        _ => {}
    }
    // Row by row: which places of `right` can be reached with so much of `left` matched.
    let mut row = vec![false; right.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    spread(&mut row, right);
    for token in left {
        let mut next = vec![false; right.len() + 1];
        for (at, reached) in row.iter().enumerate() {
            if !reached {
                continue;
            }
            match token {
                // Takes nothing, one more of `right`, or many.
                Token::Any => {
                    if let Some(places) = next.get_mut(at..) {
                        places.fill(true);
                    }
                    break;
                }
                Token::One | Token::Char(_) => {
                    let fits = match right.get(at) {
                        Some(Token::Any) => {
                            set(&mut next, at);
                            continue;
                        }
                        Some(Token::One) => true,
                        Some(other) => *token == Token::One || token == other,
                        None => false,
                    };
                    if fits {
                        set(&mut next, at + 1);
                    }
                }
            }
        }
        spread(&mut next, right);
        row = next;
    }
    row.last() != Some(&true)
}

fn set(row: &mut [bool], at: usize) {
    if let Some(place) = row.get_mut(at) {
        *place = true;
    }
}

/// A `*` of `right` may take nothing.
fn spread(row: &mut [bool], right: &[Token]) {
    for (at, token) in right.iter().enumerate() {
        if *token == Token::Any && row.get(at) == Some(&true) {
            set(row, at + 1);
        }
    }
}

/// The places of a pattern that a text so far may have brought it to, for patterns of any length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct States(smallvec::SmallVec<[u64; 2]>);

impl States {
    /// Returns the states in front of any text.
    pub(super) fn start(glob: &Glob) -> Self {
        let words = (glob.tokens.len() + 1).div_ceil(64);
        let mut states = Self(smallvec::smallvec![0; words]);
        states.reach(glob, 0);
        states
    }

    /// Marks a place, and those behind a `*` there.
    fn reach(&mut self, glob: &Glob, place: usize) {
        let mut place = place;
        loop {
            if let Some(word) = self.0.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
            if glob.tokens.get(place) != Some(&Token::Any) {
                return;
            }
            place += 1;
        }
    }

    fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            let mut left = word;
            core::iter::from_fn(move || {
                let at = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(index * 64 + crate::util::int::AsUsize::as_usize(at))
            })
        })
    }

    /// Returns the states behind one more character; `None` is one that stands in no pattern.
    pub(super) fn step(&self, glob: &Glob, character: Option<char>) -> Self {
        let mut next = Self(smallvec::smallvec![0; self.0.len()]);
        for place in self.places() {
            match glob.tokens.get(place) {
                Some(Token::Char(wanted)) if Some(*wanted) == character => {
                    next.reach(glob, place + 1)
                }
                Some(Token::One) => next.reach(glob, place + 1),
                Some(Token::Any) => next.reach(glob, place),
                Some(Token::Char(_)) | None => {}
            }
        }
        next
    }

    pub(super) fn is_dead(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Returns whether the text so far is matched.
    pub(super) fn accepts(&self, glob: &Glob) -> bool {
        let end = glob.tokens.len();
        self.0
            .get(end / 64)
            .is_some_and(|word| word >> (end % 64) & 1 == 1)
    }

    /// Returns whether everything is matched from here on.
    pub(super) fn accepts_all(&self, glob: &Glob) -> bool {
        glob.tokens.last() == Some(&Token::Any) && self.accepts(glob)
    }

    /// Adds the characters that some state waits for.
    pub(super) fn wanted(&self, glob: &Glob, characters: &mut Vec<char>) {
        for place in self.places() {
            if let Some(Token::Char(character)) = glob.tokens.get(place)
                && !characters.contains(character)
            {
                characters.push(*character);
            }
        }
    }
}

/// Tokens of a long pattern; the resource of a call has 1 600 bytes at most.
const LONG: usize = 4_096;

/// What no pattern has: three characters of the private use area.
pub(super) const STRANGE: &str = "\u{e0f0}\u{e0f0}\u{e0f0}";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_holds_what() {
        for (wide, narrow, covers, disjoint) in [
            ("*", "a", true, false),
            ("a", "*", false, false),
            ("a*", "ab*", true, false),
            ("ab*", "a*", false, false),
            ("*a", "*ba", true, false),
            ("*a*", "*ba", true, false),
            ("?*", "*", false, false),
            ("*", "?*", true, false),
            ("*?", "?*", true, false),
            ("a?c", "abc", true, false),
            ("a?c", "a*c", false, false),
            ("a*c", "a?c", true, false),
            ("*/GET/*", "api/*/GET/pets", true, false),
            ("*/GET/*", "api/*/POST/x", false, false),
            ("api/*/GET/pets", "api/*/POST/pets", false, true),
            ("api/GET/*", "api/POST/*", false, true),
            ("a*b", "a*c", false, true),
            ("*ab*", "*ba*", false, false),
            ("", "", true, false),
            ("", "*", false, false),
            ("", "a", false, true),
            ("??", "?", false, true),
            ("?*b", "a", false, true),
        ] {
            let (w, n) = (Glob::read(wide), Glob::read(narrow));
            assert_eq!(w.covers(&n), covers, "{wide} covers {narrow}");
            assert_eq!(w.is_disjoint(&n), disjoint, "{wide} and {narrow}");
            assert_eq!(n.is_disjoint(&w), disjoint, "{narrow} and {wide}");
        }
    }

    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..6 {
            last = last
                .iter()
                .flat_map(|t| ["a", "b", "z"].map(|c| format!("{t}{c}")))
                .collect();
            texts.extend(last.iter().cloned());
        }
        texts
    }

    /// What the places of a pattern say of a text, read to its end.
    fn matches_by_places(glob: &Glob, text: &str) -> bool {
        let step = |states: States, character| states.step(glob, Some(character));
        text.chars().fold(States::start(glob), step).accepts(glob)
    }

    proptest! {
        /// Against all texts of up to six characters, which tell patterns of up to four apart.
        #[test]
        fn by_all_short_texts(left in "[ab?*]{0,4}", right in "[ab?*]{0,4}") {
            let (l, r) = (Glob::read(&left), Glob::read(&right));
            let texts = texts();
            for text in &texts {
                prop_assert_eq!(l.matches(text), matches_by_places(&l, text), "{} {}", left, text);
            }
            let both: Vec<(bool, bool)> = texts.iter().map(|text| (l.matches(text), r.matches(text))).collect();
            prop_assert_eq!(l.covers(&r), both.iter().all(|(l, r)| *l || !*r), "{} {}", left, right);
            prop_assert_eq!(l.is_disjoint(&r), both.iter().all(|(l, r)| !*l || !*r), "{} {}", left, right);
        }
    }
}
