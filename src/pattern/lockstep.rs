//! Finds the literals of one segment all at once, each with a search of its own.
//!
//! A place fits if its literals stand one behind another, `?` between them or nothing. So
//! where the first of them stands somewhere, it is told where each other must; these places
//! grow with the first, and so each search only ever goes forward.
//!
//! ```text
//! segment   ab ? ba c          every occurrence of `ab`, overlapping ones included;
//! text      abxbaabybac…       behind it one character; does `ba` stand there; does `c` behind
//! ```
//!
//! The search is Two-Way (Crochemore and Perrin, 1991): it finds all occurrences, reads no
//! byte of the text more than a few times whatever repeats, and keeps four numbers. One
//! search a literal, kept from place to place, makes the whole linear in the text for each;
//! asking anew at every place would compare a literal at every place.

use super::glob::ONE;
use super::row::{Row, fold, skip, starts_with};

/// How many literals of a segment have a search; 33 are the most without `?`.
const STEPS: usize = 48;

/// Returns where the first match of `segment`, which starts with a literal and has no `*`, ends
/// in `text` between `from` and `end`.
#[inline(never)]
pub(super) fn find<const IGNORE_CASE: bool>(
    segment: Row<'_>,
    text: Row<'_>,
    from: usize,
    end: usize,
) -> Option<usize> {
    let mut steps = [Step::default(); STEPS];
    let (count, behind) = read::<IGNORE_CASE>(segment, from, &mut steps)?;
    let (first, others) = steps.get_mut(..count)?.split_first_mut()?;
    let mut from = from;
    loop {
        let start = first
            .search
            .next::<IGNORE_CASE>(first.literal, text, end, from)?;
        let fits = fit::<IGNORE_CASE>(others, text, start + first.literal.len(), end)?;
        if let Some(at) = fits
            && let Some(at) = starts_with::<IGNORE_CASE>(behind, text, at)
        {
            // A later place would end later still.
            return (at <= end).then_some(at);
        }
        from = start + 1;
    }
}

/// Returns where `steps` end if all stand where they must behind `at`; `None` where nothing
/// behind a later place could.
fn fit<const IGNORE_CASE: bool>(
    steps: &mut [Step<'_>],
    text: Row<'_>,
    at: usize,
    end: usize,
) -> Option<Option<usize>> {
    let mut at = at;
    for step in steps {
        for _ in 0..step.ones {
            at = skip(text, at, end)?;
        }
        if step
            .search
            .next::<IGNORE_CASE>(step.literal, text, end, at)?
            != at
        {
            return Some(None);
        }
        at += step.literal.len();
    }
    Some(Some(at))
}

/// Takes a segment apart; returns how many steps it has and what is behind them.
fn read<'p, const IGNORE_CASE: bool>(
    segment: Row<'p>,
    from: usize,
    steps: &mut [Step<'p>],
) -> Option<(usize, Row<'p>)> {
    let (mut behind, mut count) = (segment, 0_usize);
    let (mut left, mut ones) = (segment, 0_usize);
    let mut slots = steps.iter_mut();
    while let Some((slice, others)) = left.split_first() {
        if let [ONE, rest @ ..] = slice {
            (ones, left) = (ones + 1, others.with_first(rest));
            continue;
        }
        let Some(slot) = slots.next() else {
            break;
        };
        let len = memchr::memchr(ONE, slice).unwrap_or(slice.len());
        let (literal, rest) = slice.split_at_checked(len)?;
        *slot = Step {
            ones,
            literal,
            search: Search::new::<IGNORE_CASE>(literal, from),
        };
        (left, ones) = (others.with_first(rest), 0);
        (behind, count) = (left, count + 1);
    }
    Some((count, behind))
}

/// A literal, and what stands before it.
#[derive(Clone, Copy, Debug, Default)]
struct Step<'p> {
    /// How many `?`.
    ones: usize,
    literal: &'p [u8],
    search: Search,
}

/// A search for all places of one literal, under way.
#[derive(Clone, Copy, Debug, Default)]
struct Search {
    /// Where the literal is cut in two: the second part is compared first, and from left to right.
    cut: usize,
    /// How far the next place is behind one that fits: the period, or less where that is long.
    shift: usize,
    /// How much of the literal stands at `at` already after one that fits; 0 where the period is long.
    keep: usize,
    /// How much of the literal is known to stand at `at`.
    known: usize,
    /// Where the literal is compared next.
    at: usize,
    /// The last place that was found.
    found: Option<usize>,
}

impl Search {
    /// Prepares the search from `from` on; linear in the literal, which is not empty.
    fn new<const IGNORE_CASE: bool>(literal: &[u8], from: usize) -> Self {
        let up = maximal_suffix::<IGNORE_CASE>(literal, |a, b| a < b);
        let down = maximal_suffix::<IGNORE_CASE>(literal, |a, b| a > b);
        let (cut, period) = if up.0 > down.0 { up } else { down };
        let mut pairs = literal.iter().zip(literal.iter().skip(period)).take(cut);
        let is_period = pairs.all(|(&a, &b)| fold::<IGNORE_CASE>(a) == fold::<IGNORE_CASE>(b));
        let (shift, keep) = if is_period {
            (period, literal.len().saturating_sub(period))
        } else {
            (cut.max(literal.len() - cut) + 1, 0)
        };
        Self {
            cut,
            shift,
            keep,
            known: 0,
            at: from,
            found: None,
        }
    }

    /// Returns the first place at or behind `from` where `literal` stands in `text` before `end`.
    ///
    /// All but `from` are the same each time, and `from` never goes back.
    #[inline]
    fn next<const IGNORE_CASE: bool>(
        &mut self,
        literal: &[u8],
        text: Row<'_>,
        end: usize,
        from: usize,
    ) -> Option<usize> {
        while self.found.is_none_or(|found| found < from) {
            self.found = Some(self.step::<IGNORE_CASE>(literal, text, end)?);
        }
        self.found
    }

    /// Returns the next place.
    fn step<const IGNORE_CASE: bool>(
        &mut self,
        literal: &[u8],
        text: Row<'_>,
        end: usize,
    ) -> Option<usize> {
        while self.at + literal.len() <= end {
            let same = |place: usize| match (literal.get(place), text.rest(self.at + place)) {
                (Some(&wanted), [found, ..]) => {
                    fold::<IGNORE_CASE>(wanted) == fold::<IGNORE_CASE>(*found)
                }
                _ => false,
            };
            let from = self.cut.max(self.known);
            if let Some(differs) = (from..literal.len()).find(|&place| !same(place)) {
                self.at += differs - self.cut + 1;
                self.known = 0;
                continue;
            }
            let fits = (self.known..self.cut).rev().all(same);
            let at = self.at;
            self.at += self.shift;
            self.known = self.keep;
            if fits {
                return Some(at);
            }
        }
        None
    }
}

/// Returns where the greatest suffix of `literal` starts, and its period; `less` says what is greater.
fn maximal_suffix<const IGNORE_CASE: bool>(
    literal: &[u8],
    less: impl Fn(u8, u8) -> bool,
) -> (usize, usize) {
    // The greatest so far, the suffix that is compared with it, how far, and the period so far.
    let (mut greatest, mut start, mut len, mut period) = (0_usize, 1_usize, 0_usize, 1_usize);
    while let (Some(&a), Some(&b)) = (literal.get(start + len), literal.get(greatest + len)) {
        let (a, b) = (fold::<IGNORE_CASE>(a), fold::<IGNORE_CASE>(b));
        if less(a, b) {
            start += len + 1;
            (len, period) = (0, start - greatest);
        } else if a == b {
            len += 1;
            if len == period {
                (start, len) = (start + period, 0);
            }
        } else {
            greatest = start;
            (start, len, period) = (start + 1, 0, 1);
        }
    }
    (greatest, period)
}
