//! Patterns → the automaton's tables, in time linear in their bytes but for sorting.

use std::collections::HashMap;

use super::automaton::{Accept, Automaton, Group, NO_ENDING, Node, Tail, Tree};
use super::glob::{ANY, ONE};
use super::radix;
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::int::to_u32;

/// From this many tails on at one head they are grouped by their endings.
const GROUP_FROM: usize = 8;

/// Builds the automaton of `programs`, whose indices are the ids of the patterns.
///
/// `None` where a table passes 2^32 items.
pub(crate) fn build(programs: &[&[u8]]) -> Option<Automaton> {
    let mut automaton = Automaton::default();
    let split: Vec<(&[u8], &[u8])> = programs.iter().map(|program| split_head(program)).collect();
    let heads: Vec<&[u8]> = split.iter().map(|(head, _)| *head).collect();
    let nodes = radix::build(&heads);
    let mut endings = Endings::default();
    for node in &nodes {
        let (mut ends, mut stars, mut tails) = (Vec::new(), Vec::new(), Vec::new());
        for &item in &node.items {
            let id = PatternId::new(item)?;
            match split.get(item).map_or(&[][..], |(_, tail)| tail) {
                [] => ends.push(id),
                [ANY] => stars.push(id),
                tail => tails.push((tail, id)),
            }
        }
        let ends = Extent::append(&mut automaton.ids, ends)?;
        let stars = Extent::append(&mut automaton.ids, stars)?;
        let (tails, groups) = automaton.append_tails(tails, &mut endings)?;
        automaton.accepts.push(Accept {
            ends,
            stars,
            tails,
            groups,
        });
    }
    automaton.heads = flatten(&nodes)?;
    automaton.set_endings(&endings)?;
    Some(automaton)
}

impl Automaton {
    /// Stores the tails of one head and, where they are many, their groups.
    fn append_tails<'p>(
        &mut self,
        tails: Vec<(&'p [u8], PatternId)>,
        endings: &mut Endings<'p>,
    ) -> Option<(Extent, Extent)> {
        let grouped = tails.len() >= GROUP_FROM;
        let mut keyed = Vec::with_capacity(tails.len());
        for (program, id) in tails {
            let ending = if grouped {
                endings.number(ending_of(program))?
            } else {
                0
            };
            keyed.push((ending, program, id));
        }
        keyed.sort_by_key(|&(ending, _, _)| ending);
        let start = to_u32(self.tails.len())?;
        let mut groups = Vec::new();
        for chunk in keyed.chunk_by(|a, b| a.0 == b.0) {
            let from = to_u32(self.tails.len())?;
            for &(_, program, id) in chunk {
                let program = Extent::append(&mut self.programs, program.iter().copied())?;
                self.tails.push(Tail { program, id });
            }
            let Some(&(ending, _, _)) = chunk.first() else {
                continue;
            };
            let tails = Extent {
                start: from,
                len: to_u32(chunk.len())?,
            };
            groups.push(Group { ending, tails });
        }
        let len = to_u32(self.tails.len())? - start;
        let groups = Extent::append(&mut self.groups, groups.into_iter().filter(|_| grouped))?;
        Some((Extent { start, len }, groups))
    }

    fn set_endings(&mut self, endings: &Endings<'_>) -> Option<()> {
        let keys: Vec<&[u8]> = endings.reversed.iter().map(Vec::as_slice).collect();
        let nodes = radix::build(&keys);
        for node in &nodes {
            self.ending_ids.push(match node.items.first() {
                Some(&item) => to_u32(item)?,
                None => NO_ENDING,
            });
        }
        self.endings = flatten(&nodes)?;
        Some(())
    }
}

/// The distinct endings, numbered in the order they came.
#[derive(Default)]
struct Endings<'p> {
    numbers: HashMap<&'p [u8], u32>,
    reversed: Vec<Vec<u8>>,
}

impl<'p> Endings<'p> {
    fn number(&mut self, ending: &'p [u8]) -> Option<u32> {
        if let Some(&number) = self.numbers.get(ending) {
            return Some(number);
        }
        let number = to_u32(self.reversed.len()).filter(|&number| number != NO_ENDING)?;
        self.numbers.insert(ending, number);
        self.reversed.push(ending.iter().rev().copied().collect());
        Some(number)
    }
}

/// Splits a program before its first wildcard.
fn split_head(program: &[u8]) -> (&[u8], &[u8]) {
    let at = program
        .iter()
        .position(is_wildcard)
        .unwrap_or(program.len());
    program.split_at_checked(at).unwrap_or((program, &[]))
}

/// Returns what is behind the last wildcard of a program.
fn ending_of(program: &[u8]) -> &[u8] {
    program.rsplit(is_wildcard).next().unwrap_or_default()
}

fn is_wildcard(byte: &u8) -> bool {
    matches!(*byte, ANY | ONE)
}

/// Lays a tree out flat, in the order of `nodes`.
fn flatten(nodes: &[radix::Node]) -> Option<Tree> {
    let mut tree = Tree::default();
    for node in nodes {
        let label = Extent::append(&mut tree.labels, node.label.iter().copied())?;
        let start = node.children.first().copied().map_or(Some(0), to_u32)?;
        // INVARIANT: `radix::build` numbers the children of one node in a row.
        let children = Extent {
            start,
            len: to_u32(node.children.len())?,
        };
        tree.nodes.push(Node { label, children });
        tree.firsts
            .push(node.label.first().copied().unwrap_or_default());
    }
    Some(tree)
}

#[cfg(test)]
mod tests {
    use core::ops::ControlFlow;

    use proptest::prelude::*;

    use super::super::glob::{self, program};
    use super::*;

    fn matching(patterns: &[&str], text: &str) -> Vec<u32> {
        let programs: Vec<Vec<u8>> = patterns.iter().map(|p| program(p)).collect();
        let slices: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
        let automaton = build(&slices).unwrap();
        let mut found = Vec::new();
        let _ = automaton.for_each(text, |id| {
            found.push(id.as_u32());
            ControlFlow::Continue(())
        });
        found.sort_unstable();
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
    fn every_kind_of_pattern_is_found_once() {
        let patterns = [
            "", "*", "a*", "ab", "ab*", "a?", "*b", "ab", "a*b*", "?*", "abc",
        ];
        for text in ["", "a", "ab", "abc", "b", "é", "xab"] {
            assert_eq!(matching(&patterns, text), scan(&patterns, text), "{text}");
        }
        assert_eq!(matching(&patterns, "ab"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn many_tails_of_one_head_are_found_by_their_endings() {
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
    fn more_endings_than_are_remembered() {
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
        let flow = automaton.for_each("a", |_| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((flow, seen), (ControlFlow::Break(()), 1));
    }

    proptest! {
        #[test]
        fn agrees_with_matching_each(
            patterns in prop::collection::vec("[ab/*?é]{0,6}", 0..40),
            text in "[ab/é]{0,8}",
        ) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            prop_assert_eq!(matching(&patterns, &text), scan(&patterns, &text));
        }
    }
}
