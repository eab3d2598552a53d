//! `NotResource` lists: what counts unless one of their patterns matches.
//!
//! The patterns that match cancel entries; what the others bring is asked for in as few
//! rows as there are: a tree has the joint row of every stretch of entries that none is
//! cancelled of. So the cost is in the cancelled ones, of which a request has few, and
//! not in the lists, of which a policy may have thousands.

use core::ops::ControlFlow;

use super::decide::Walk;
use super::lane::FIND_FROM;
use crate::image::{MANY_ROWS, NO_ROW, OPEN_LANE, View, WithheldLane};
use crate::util::extent::Extent;
use crate::util::int::AsUsize;

/// How many words of entries are kept at hand; most policies need no more.
const FEW_WORDS: usize = 8;

/// How many words there are room for; entries past them are asked about anew.
const WORDS: usize = 1024;

/// How deep a tree over 2^32 entries can be, and one.
const DEPTH: usize = 34;

/// Decides, with the patterns that match and the lists of which none does.
pub(super) fn decide(walk: &Walk<'_, '_>, allowed: &mut bool) -> ControlFlow<()> {
    if walk.image.withheld.len() <= FEW_WORDS * 64 {
        decide_with(walk, &mut [0; FEW_WORDS], allowed)
    } else {
        decide_with(walk, &mut [0; WORDS], allowed)
    }
}

fn decide_with(walk: &Walk<'_, '_>, words: &mut [u64], allowed: &mut bool) -> ControlFlow<()> {
    let mut cancelled = Cancelled { words };
    walk.for_each(|pattern| walk.pattern(pattern, allowed, Some(&mut cancelled)))?;
    let lanes = &walk.image.withheld_lanes;
    let mut of_lane = |lane: &WithheldLane| {
        Lane {
            walk,
            cancelled: &cancelled,
            lane,
        }
        .decide(allowed)
    };
    if walk.open {
        return match lanes.last() {
            Some(open) if open.lane == OPEN_LANE => of_lane(open),
            _ => ControlFlow::Continue(()),
        };
    }
    let found = if lanes.len() < FIND_FROM {
        None
    } else {
        walk.lanes.found()
    };
    match found {
        Some(found) => found.iter().try_for_each(|number| {
            match lanes.binary_search_by_key(number, |lane| lane.lane) {
                Ok(at) => lanes.get(at).map_or(ControlFlow::Break(()), &mut of_lane),
                Err(_) => ControlFlow::Continue(()),
            }
        }),
        None => lanes
            .iter()
            .filter(|lane| lane.lane != OPEN_LANE && walk.lanes.contains(lane.lane))
            .try_for_each(of_lane),
    }
}

/// The entries of which a pattern matches: bits by index.
pub(super) struct Cancelled<'w> {
    words: &'w mut [u64],
}

impl Cancelled<'_> {
    /// Cancels an entry; one past the room is asked about when its turn comes.
    #[inline]
    pub(super) fn insert(&mut self, entry: u32) {
        if let Some(word) = self.words.get_mut((entry / 64).as_usize()) {
            *word |= 1 << (entry % 64);
        }
    }

    /// Returns whether an entry is cancelled.
    fn contains(&self, image: &View<'_>, walk: &Walk<'_, '_>, entry: u32) -> bool {
        match self.words.get((entry / 64).as_usize()) {
            Some(word) => word >> (entry % 64) & 1 == 1,
            None => {
                let complement = image.withheld.get(entry.as_usize());
                let complement =
                    complement.and_then(|e| image.complements.get(e.complement.as_usize()));
                // One that is not there must not open the door, and not count as cancelled.
                complement.is_some_and(|complement| {
                    let patterns = complement.patterns.of(image.complement_patterns);
                    patterns
                        .iter()
                        .any(|&pattern| walk.matches_pattern(pattern))
                })
            }
        }
    }

    /// Returns how many of a stretch are cancelled, or `None` where that is not known.
    fn count(&self, stretch: Extent) -> Option<u32> {
        let end = stretch.start.checked_add(stretch.len)?;
        let (first, last) = ((stretch.start / 64).as_usize(), end.div_ceil(64).as_usize());
        let words = self.words.get(first..last)?;
        let mut count = words.iter().map(|word| word.count_ones()).sum::<u32>();
        // What of the first and last word lies outside.
        if let Some(word) = words.first() {
            count -= (word & !(u64::MAX << (stretch.start % 64))).count_ones();
        }
        if let Some(word) = words.last()
            && end % 64 != 0
        {
            count -= (word & u64::MAX << (end % 64)).count_ones();
        }
        Some(count)
    }
}

/// The entries of one lane.
struct Lane<'d, 'i, 'r> {
    walk: &'d Walk<'i, 'r>,
    cancelled: &'d Cancelled<'d>,
    lane: &'d WithheldLane,
}

impl Lane<'_, '_, '_> {
    fn decide(&self, allowed: &mut bool) -> ControlFlow<()> {
        let mut open = [(0_u32, Extent::default()); DEPTH];
        open[0] = (0, self.lane.entries);
        let mut depth = 1_usize;
        // A node and its stretch; the second half waits while the first is looked at.
        while let Some(next) = depth.checked_sub(1) {
            depth = next;
            let Some(&(node, stretch)) = open.get(depth) else {
                break;
            };
            let count = self.cancelled.count(stretch);
            if count == Some(stretch.len) {
                continue;
            }
            if stretch.len <= 1 {
                self.entry(stretch.start, allowed)?;
                continue;
            }
            let rows = self.lane.tree.of(self.walk.image.withheld_rows);
            let row = rows.get(node.as_usize()).copied().unwrap_or(MANY_ROWS);
            if count == Some(0) && row != MANY_ROWS {
                self.walk.rows(row, allowed)?;
                continue;
            }
            let half = stretch.len / 2;
            let first = Extent {
                start: stretch.start,
                len: half,
            };
            let second = Extent {
                start: stretch.start.saturating_add(half),
                len: stretch.len - half,
            };
            // In preorder the first child follows its parent, and the second all of the first.
            let second_node = node.saturating_add(half.saturating_mul(2));
            let children = [(second_node, second), (node.saturating_add(1), first)];
            match open.get_mut(depth..depth + 2) {
                Some(slots) => slots.copy_from_slice(&children),
                None => return ControlFlow::Break(()),
            }
            depth += 2;
        }
        ControlFlow::Continue(())
    }

    fn entry(&self, entry: u32, allowed: &mut bool) -> ControlFlow<()> {
        let image = self.walk.image;
        if self.cancelled.contains(image, self.walk, entry) {
            return ControlFlow::Continue(());
        }
        let row = image.withheld.get(entry.as_usize()).map(|entry| entry.row);
        match row {
            Some(row) if row != NO_ROW => self.walk.rows(row, allowed),
            _ => ControlFlow::Break(()),
        }
    }
}
