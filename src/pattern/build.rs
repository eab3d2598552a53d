//! Patterns → the automaton's tables, in time linear in their bytes but for sorting.

use smallvec::SmallVec;

use super::automaton::{Accept, Automaton, Body, Piece, Tail};
use super::glob::{ANY, ONE};
use super::tree::{Ending, Tree};
use crate::util::bytes::{Lanes, Needle};
use crate::util::extent::Extent;
use crate::util::hash::HashTable;
use crate::util::ids::{Id, PatternId};
use crate::util::int::to_u32;
use crate::util::keyed::Map;
use crate::util::limits::SHARED_BODIES;
use crate::util::vector::WIDE;

/// From this many tails on at one head they are found by their grams.
///
/// Verifying a tail costs about as much as eight places of looking for grams.
const GRAMS_FROM: usize = 8;

/// A pattern behind its head.
type Open<'p> = (&'p [u8], PatternId);

/// What was stored so far, by its pattern bytes.
#[derive(Default)]
struct Known<'p> {
    bodies: Map<&'p [u8], Body>,
    /// The sets of bodies of one node, and where they stand.
    sets: Map<SmallVec<[&'p [u8]; 4]>, Extent>,
}

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
        let (mut tails, mut open) = (Vec::new(), Vec::new());
        for &item in keys {
            let id = PatternId::new(item)?;
            match programs.get(item)?.get(*depth..)? {
                program @ ([] | [ANY]) => tails.push((program, id)),
                program => open.push((program, id)),
            }
        }
        let mut accept = Accept {
            kind: Accept::KIND_BODIES,
            ..Accept::NOTHING
        };
        if open.len() < GRAMS_FROM {
            tails.extend(open);
        } else {
            let (set, rest) = automaton.add_grams(&open, &mut gram_entries, &mut known)?;
            tails.extend(rest);
            (accept.kind, accept.grams) = (Accept::KIND_GRAMS, set);
        }
        match (accept.kind, tails.as_slice()) {
            (Accept::KIND_BODIES, []) => accept.kind = Accept::KIND_NOTHING,
            (Accept::KIND_BODIES, [([ANY], _)]) => accept.kind = Accept::KIND_STAR,
            _ => {
                // In one order, so that equal sets are one; literals come before stars.
                tails.sort_unstable();
                accept.bodies = automaton.set(&tails, &mut known)?;
            }
        }
        let ids = tails.iter().map(|&(_, id)| id);
        accept.ids = Extent::append(&mut automaton.ids, ids)?.start;
        automaton.heads.nodes.get_mut(node)?.accept = accept;
    }
    automaton.grams.table = HashTable::new(&gram_entries)?;
    Some(automaton)
}

impl Automaton {
    /// Returns where the bodies of one node stand; equal sets stand once, but for long ones.
    fn set<'p>(&mut self, tails: &[Open<'p>], known: &mut Known<'p>) -> Option<Extent> {
        let programs = || tails.iter().map(|&(program, _)| program);
        let key: SmallVec<[&[u8]; 4]> = programs().take(SHARED_BODIES + 1).collect();
        if let Some(&set) = known.sets.get(&key) {
            return Some(set);
        }
        let bodies: Option<Vec<Body>> = programs()
            .map(|program| self.known_body(program, known))
            .collect();
        let set = Extent::append(&mut self.bodies, bodies?)?;
        if tails.len() <= SHARED_BODIES {
            known.sets.insert(key, set);
        }
        Some(set)
    }

    fn known_body<'p>(&mut self, program: &'p [u8], known: &mut Known<'p>) -> Option<Body> {
        if let Some(&body) = known.bodies.get(program) {
            return Some(body);
        }
        let body = self.body(program)?;
        known.bodies.insert(program, body);
        Some(body)
    }

    /// Takes a tail apart at its stars, for any pattern.
    fn body(&mut self, program: &[u8]) -> Option<Body> {
        let from = to_u32(self.programs.len())?;
        let mut body = Body {
            program: Extent::append(&mut self.programs, program.iter().copied())?,
            ..Body::default()
        };
        let start = head(program);
        body.start = Lanes::first(start);
        body.start_len = to_u32(start.len())?;
        if program.contains(&ONE) {
            body.shape = Body::ONES;
            return Some(body);
        }
        let mut literals = Vec::new();
        let mut place = from;
        for literal in program.split(|&byte| byte == ANY) {
            let len = to_u32(literal.len())?;
            literals.push((Extent { start: place, len }, literal));
            place = place.checked_add(len)?.checked_add(1)?;
        }
        let [_, between @ .., (_, ending)] = literals.as_slice() else {
            let is_long = start.len() > WIDE;
            body.shape = Body::LITERAL | if is_long { Body::LONG } else { 0 };
            return Some(body);
        };
        let pieces = between.iter().filter(|(extent, _)| !extent.is_empty());
        let pieces = pieces.map(|&(extent, literal)| Piece {
            needle: Needle::new(literal),
            literal: extent,
            ..Piece::default()
        });
        body.pieces = Extent::append(&mut self.pieces, pieces)?;
        body.ending = Lanes::last(ending);
        body.ending_len = to_u32(ending.len())?;
        let shapes = [
            (Body::PIECES, !body.pieces.is_empty()),
            (Body::ENDING, !ending.is_empty()),
            (Body::LONG, ending.len().max(start.len()) > WIDE),
        ];
        let shapes = shapes.iter().filter(|(_, holds)| *holds);
        body.shape = shapes.map(|(shape, _)| shape).sum();
        Some(body)
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
            let tails = pick(indices).into_iter().map(|(program, id)| {
                let set = self.set(&[(program, id)], known)?;
                Some(Tail {
                    id: id.as_u32(),
                    body: set.start,
                })
            });
            let tails: Option<Vec<Tail>> = tails.collect();
            Extent::append(&mut self.tails, tails?)
        });
        self.grams = grams;
        added.map(|(set, rest)| (set, pick(&rest)))
    }
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

    use super::super::automaton::AutomatonView;
    use super::super::glob::{self, program};
    use super::super::tree::Step;
    use super::*;
    use crate::util::table::Tables;
    use crate::util::vector::{Least, Level, Vectors, Work};

    /// Asks each node on the way whether it has a pattern that matches.
    struct Any<'a>(&'a AutomatonView<'a>, &'a str);

    impl Work for Any<'_> {
        type Output = bool;

        #[inline(always)]
        fn run<V: Vectors>(self) -> bool {
            let Self(automaton, text) = self;
            let mut walk = automaton.heads.root(text.as_bytes());
            let mut found = false;
            while let Some(Step { node, rest, .. }) = walk {
                found |= match node.accept.kind {
                    Accept::KIND_NOTHING => false,
                    Accept::KIND_STAR => true,
                    Accept::KIND_BODIES => {
                        automaton.any_at::<V>(&node.accept, text.as_bytes(), rest)
                    }
                    _ => automaton
                        .for_each_at::<V>(&node.accept, (text.as_bytes(), rest), &mut |_| {
                            ControlFlow::Break(())
                        })
                        .is_break(),
                };
                walk = automaton.heads.step(node, rest);
            }
            found
        }
    }

    fn matching(patterns: &[&str], text: &str) -> Vec<u32> {
        let programs: Vec<Vec<u8>> = patterns.iter().map(|p| program(p)).collect();
        let slices: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
        let automaton = build(&slices).unwrap();
        let mut found = Vec::new();
        let _ = automaton.view().for_each::<Least>(text, |id| {
            found.push(id.as_u32());
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found.dedup();
        // What decides most requests reads the same tables in its own way.
        for level in [Level::LEAST, Level::detect()] {
            let any = level.run(Any(&automaton.view(), text));
            assert_eq!(any, !found.is_empty(), "{patterns:?} {text} {level:?}");
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
        let flow = automaton.view().for_each::<Least>("a", |_| {
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
