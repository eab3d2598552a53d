//! Patterns → the automaton's tables, in time linear in their bytes but for sorting.

use super::automaton::{Accept, Automaton, Body, END, GRAMS, Piece, STAR, Tail};
use super::glob::{ANY, ONE};
use super::tree::{Ending, Tree};
use crate::util::bytes::Needle;
use crate::util::extent::Extent;
use crate::util::hash::HashTable;
use crate::util::ids::{Id, PatternId};
use crate::util::int::to_u32;
use crate::util::keyed::Map;

/// From this many tails on at one head they are found by their grams.
///
/// Verifying a tail costs about as much as eight places of looking for grams.
const GRAMS_FROM: usize = 8;

/// A pattern behind its head.
type Open<'p> = (&'p [u8], PatternId);

/// The bodies stored so far, by their pattern bytes.
type Known<'p> = Map<&'p [u8], u32>;

/// Builds the automaton of `programs`, whose indices are the ids of the patterns.
///
/// `None` where a table passes 2^32 items.
pub(crate) fn build(programs: &[&[u8]]) -> Option<Automaton> {
    let heads: Vec<&[u8]> = programs.iter().map(|program| head(program)).collect();
    let (tree, endings) = Tree::new(&heads)?;
    let mut automaton = Automaton {
        heads: tree,
        ..Automaton::default()
    };
    let mut gram_entries = Vec::new();
    let mut known = Known::default();
    for (node, Ending { depth, keys }) in endings.iter().enumerate() {
        let mut tails = Vec::new();
        let mut open = Vec::new();
        for &item in keys {
            let id = PatternId::new(item)?;
            let tail = |body| {
                let id = id.as_u32();
                Tail { id, body }
            };
            match programs.get(item)?.get(*depth..)? {
                [] => tails.push(tail(END)),
                [ANY] => tails.push(tail(STAR)),
                program => open.push((program, id)),
            }
        }
        if open.len() < GRAMS_FROM {
            tails.extend(automaton.tails(open, &mut known)?);
        } else {
            let (id, rest) = automaton.add_grams(&open, &mut gram_entries, &mut known)?;
            tails.extend(automaton.tails(rest, &mut known)?);
            tails.push(Tail { id, body: GRAMS });
        }
        let mut tails = tails.into_iter();
        let first = [(); 2].map(|()| tails.next().unwrap_or(Tail::NONE));
        automaton.heads.nodes.get_mut(node)?.accept = Accept {
            first,
            others: Extent::append(&mut automaton.tails, tails)?,
        };
    }
    automaton.grams.table = HashTable::new(&gram_entries)?;
    Some(automaton)
}

impl Automaton {
    /// Returns tails with their bodies, which are stored once each.
    fn tails<'p>(
        &mut self,
        tails: impl IntoIterator<Item = Open<'p>>,
        known: &mut Known<'p>,
    ) -> Option<Vec<Tail>> {
        let stored = tails.into_iter().map(|(program, id)| {
            let body = match known.get(program) {
                Some(&known) => known,
                None => {
                    let body = self.body(program)?;
                    let number = to_u32(self.bodies.len()).filter(|&number| number < GRAMS)?;
                    self.bodies.push(body);
                    known.insert(program, number);
                    number
                }
            };
            let id = id.as_u32();
            Some(Tail { id, body })
        });
        stored.collect()
    }

    /// Takes a tail apart at its stars, for any pattern.
    fn body(&mut self, program: &[u8]) -> Option<Body> {
        let from = to_u32(self.programs.len())?;
        let stored = Extent::append(&mut self.programs, program.iter().copied())?;
        let kind = if program.contains(&ONE) {
            Body::KIND_ANY
        } else if program.contains(&ANY) {
            Body::KIND_STARS
        } else {
            Body::KIND_LITERAL
        };
        let mut literals = Vec::new();
        let mut start = from;
        for literal in program.split(|&byte| byte == ANY) {
            let len = to_u32(literal.len())?;
            literals.push((Extent { start, len }, literal));
            start = start.checked_add(len)?.checked_add(1)?;
        }
        let (before, between, behind) = match literals.as_slice() {
            [] => (0, &[][..], 0),
            [(only, _)] => (only.len, &[][..], 0),
            [(first, _), between @ .., (last, _)] => (first.len, between, last.len),
        };
        let pieces = between.iter().filter(|(extent, _)| !extent.is_empty());
        let pieces = pieces.map(|&(extent, literal)| Piece {
            needle: Needle::new(literal),
            literal: extent,
        });
        Some(Body {
            program: stored,
            pieces: Extent::append(&mut self.pieces, pieces)?,
            start: before,
            ending: behind,
            kind,
            reserved: 0,
            first: word(head(program)),
            mask: low_bytes(head(program).len()),
        })
    }

    /// Stores the tails of one head by their grams; returns the set and the tails that have none.
    fn add_grams<'p>(
        &mut self,
        tails: &[Open<'p>],
        entries: &mut Vec<(u64, u32)>,
        known: &mut Known<'p>,
    ) -> Option<(u32, Vec<Open<'p>>)> {
        let programs: Vec<&[u8]> = tails.iter().map(|&(program, _)| program).collect();
        let mut grams = core::mem::take(&mut self.grams);
        let pick = |indices: &[usize]| -> Vec<Open<'p>> {
            indices
                .iter()
                .filter_map(|&at| tails.get(at).copied())
                .collect()
        };
        let added = grams.add(&programs, entries, |indices| {
            let tails = self.tails(pick(indices), known)?;
            Extent::append(&mut self.tails, tails)
        });
        self.grams = grams;
        added.map(|(set, rest)| (set, pick(&rest)))
    }
}

/// Returns the first eight bytes, the first the lowest; 0 for those that are not there.
fn word(bytes: &[u8]) -> u64 {
    let first = bytes.iter().take(8).rev();
    first.fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Returns all bits of the lowest `len` bytes of a word, of all of them from eight on.
fn low_bytes(len: usize) -> u64 {
    (0..len.min(8)).fold(0, |mask, _| mask << 8 | 0xff)
}

/// Returns what stands before the first wildcard of a program.
fn head(program: &[u8]) -> &[u8] {
    let is_wildcard = |byte: &u8| matches!(*byte, ANY | ONE);
    program.split(is_wildcard).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use core::ops::ControlFlow;

    use proptest::prelude::*;

    use super::super::automaton::Matches;
    use super::super::glob::{self, program};
    use super::*;
    use crate::util::table::Tables;

    fn matching(patterns: &[&str], text: &str) -> Vec<u32> {
        let programs: Vec<Vec<u8>> = patterns.iter().map(|p| program(p)).collect();
        let slices: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
        let automaton = build(&slices).unwrap();
        let mut found = Vec::new();
        let _ = automaton.view().for_each(text, |id| {
            found.push(id.as_u32());
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found.dedup();
        // What decides most requests reads the same tables in its own way.
        let mut matches = Matches::NONE;
        automaton.view().collect(text, &mut matches);
        if let Some(collected) = matches.get() {
            let mut collected = collected.to_vec();
            collected.sort_unstable();
            collected.dedup();
            assert_eq!(collected, found, "{patterns:?} {text}");
        } else {
            // Fewer are found once each, and there is room for them.
            assert!(patterns.len() >= GRAMS_FROM, "{patterns:?} {text}");
        }
        found
    }

    fn scan(patterns: &[&str], text: &str) -> Vec<u32> {
        let matches = |p: &str| glob::matches(&program(p), text);
        (0..)
            .zip(patterns)
            .filter(|(_, p)| matches(p))
            .map(|(i, _)| i)
            .collect()
    }

    #[test]
    fn every_kind_of_pattern_is_found() {
        let patterns = [
            "", "*", "a*", "ab", "ab*", "a?", "*b", "ab", "a*b*", "?*", "abc",
        ];
        for text in ["", "a", "ab", "abc", "b", "é", "xab"] {
            assert_eq!(matching(&patterns, text), scan(&patterns, text), "{text}");
        }
        assert_eq!(matching(&patterns, "ab"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn many_tails_of_one_head_are_found() {
        let patterns: Vec<String> = (0..2000)
            .map(|i| format!("arn:*:api{}/*/p{}", i % 7, i))
            .collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        for text in [
            "arn:x:api3/y/p10",
            "arn:x:api3/y/p1",
            "arn::api1//p1337",
            "arn:x",
        ] {
            assert_eq!(matching(&patterns, text), scan(&patterns, text), "{text}");
        }
    }

    #[test]
    fn tails_that_contain_one_another() {
        let endings: Vec<String> = (0..100).map(|i| format!("*{}", "a".repeat(i))).collect();
        let patterns: Vec<&str> = endings.iter().map(String::as_str).collect();
        let text = "a".repeat(60);
        assert_eq!(matching(&patterns, &text), scan(&patterns, &text));
        assert_eq!(matching(&patterns, &text).len(), 61);
    }

    #[test]
    fn no_patterns_match_nothing() {
        assert_eq!(matching(&[], ""), [0_u32; 0]);
        assert_eq!(matching(&[], "a"), [0_u32; 0]);
    }

    #[test]
    fn a_visit_can_stop_the_walk() {
        let programs = [program("*"), program("a*")];
        let automaton = build(&[&programs[0], &programs[1]]).unwrap();
        let mut seen = 0;
        let flow = automaton.view().for_each("a", |_| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((flow, seen), (ControlFlow::Break(()), 1));
    }

    proptest! {
        #[test]
        fn agrees_with_matching_each(
            patterns in prop::collection::vec("[ab/*?é]{0,6}|(a|ab/)?\\*[ab/?]{2,12}\\*?", 0..40),
            text in "[ab/é]{0,24}",
        ) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            prop_assert_eq!(matching(&patterns, &text), scan(&patterns, &text));
        }
    }
}
