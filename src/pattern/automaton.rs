//! The automaton's flat tables and the walk over them.
//!
//! # Invariants
//!
//! - The nodes of a [`Tree`] are in an order in which a node's children are neighbours;
//!   node 0 is the root and has no label.
//! - A node of the heads that accepts anything is at a character boundary of every text
//!   that reaches it, because heads are whole texts.

use core::ops::ControlFlow;

use super::glob;
use crate::util::extent::Extent;
use crate::util::ids::PatternId;
use crate::util::int::AsUsize;

/// How many endings of one text are remembered; a text with more is verified without them.
const ENDINGS: usize = 32;

/// All patterns of a policy set, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Automaton {
    /// The literal heads.
    pub(crate) heads: Tree,
    /// What each head accepts, by node.
    pub(crate) accepts: Vec<Accept>,
    /// The literal endings of the tails that are grouped by them, reversed.
    pub(crate) endings: Tree,
    /// The ending's number by node, or [`NO_ENDING`].
    pub(crate) ending_ids: Vec<u32>,
    /// Patterns, as [`Accept::ends`] and [`Accept::stars`] name them.
    pub(crate) ids: Vec<PatternId>,
    /// Patterns with more behind their head.
    pub(crate) tails: Vec<Tail>,
    /// Tails of one head with one ending.
    pub(crate) groups: Vec<Group>,
    /// The pattern bytes of the tails.
    pub(crate) programs: Vec<u8>,
}

/// A node of the endings at which none ends.
pub(crate) const NO_ENDING: u32 = u32::MAX;

/// A radix tree over bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// The nodes.
    pub(crate) nodes: Vec<Node>,
    /// The first byte of each node's label.
    pub(crate) firsts: Vec<u8>,
    /// The labels.
    pub(crate) labels: Vec<u8>,
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Node {
    /// The bytes between parent and node, in [`Tree::labels`].
    pub(crate) label: Extent,
    /// The children, in [`Tree::nodes`].
    pub(crate) children: Extent,
}

impl Tree {
    /// Returns the child of `node` whose label starts with `byte`, and its label.
    #[inline]
    fn child(&self, node: usize, byte: u8) -> Option<(usize, &[u8])> {
        let children = self.nodes.get(node)?.children;
        let at = children
            .of(&self.firsts)
            .iter()
            .position(|&first| first == byte)?;
        let child = children.start.as_usize() + at;
        Some((child, self.nodes.get(child)?.label.of(&self.labels)))
    }
}

/// What hangs at a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Accept {
    /// Patterns that end here, in [`Automaton::ids`].
    pub(crate) ends: Extent,
    /// Patterns that end in `*` here, in [`Automaton::ids`].
    pub(crate) stars: Extent,
    /// All other patterns with this head, in [`Automaton::tails`]; those of a group are neighbours.
    pub(crate) tails: Extent,
    /// The same by ending, in [`Automaton::groups`], ascending; empty where the tails are few.
    pub(crate) groups: Extent,
}

/// A pattern behind its head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Tail {
    /// The pattern bytes behind the head, in [`Automaton::programs`].
    pub(crate) program: Extent,
    /// The pattern.
    pub(crate) id: PatternId,
}

/// The tails of one head that have one ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Group {
    /// The ending's number.
    pub(crate) ending: u32,
    /// The tails, in [`Automaton::tails`].
    pub(crate) tails: Extent,
}

impl Automaton {
    /// Calls `visit` once for each pattern that matches the whole of `text`, in no particular order.
    #[inline]
    pub(crate) fn for_each(
        &self,
        text: &str,
        mut visit: impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let bytes = text.as_bytes();
        let mut endings = None;
        let (mut node, mut at) = (0_usize, 0_usize);
        loop {
            if let Some(accept) = self.accepts.get(node) {
                if at == bytes.len() {
                    accept
                        .ends
                        .of(&self.ids)
                        .iter()
                        .try_for_each(|&id| visit(id))?;
                }
                accept
                    .stars
                    .of(&self.ids)
                    .iter()
                    .try_for_each(|&id| visit(id))?;
                if !accept.tails.is_empty() {
                    let rest = text.get(at..).unwrap_or_default();
                    self.visit_tails(accept, text, rest, &mut endings, &mut visit)?;
                }
            }
            let Some(&byte) = bytes.get(at) else {
                return ControlFlow::Continue(());
            };
            let Some((child, label)) = self.heads.child(node, byte) else {
                return ControlFlow::Continue(());
            };
            // The child was found by the first byte of its label. PERF: most labels have no other,
            // which saves calling a comparison.
            let matches = match label {
                [_] => true,
                _ => bytes.get(at..).is_some_and(|rest| rest.starts_with(label)),
            };
            if !matches {
                return ControlFlow::Continue(());
            }
            (node, at) = (child, at + label.len());
        }
    }

    fn visit_tails(
        &self,
        accept: &Accept,
        text: &str,
        rest: &str,
        endings: &mut Option<Endings>,
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut verify = |tails: Extent| {
            tails.of(&self.tails).iter().try_for_each(|tail| {
                if glob::matches(tail.program.of(&self.programs), rest) {
                    visit(tail.id)?;
                }
                ControlFlow::Continue(())
            })
        };
        if accept.groups.is_empty() {
            return verify(accept.tails);
        }
        match endings.get_or_insert_with(|| self.endings_of(text)).found() {
            None => verify(accept.tails),
            Some(found) => {
                let groups = accept.groups.of(&self.groups);
                found.iter().try_for_each(|ending| {
                    match groups.binary_search_by_key(ending, |group| group.ending) {
                        Ok(at) => groups
                            .get(at)
                            .map_or(ControlFlow::Continue(()), |g| verify(g.tails)),
                        Err(_) => ControlFlow::Continue(()),
                    }
                })
            }
        }
    }

    /// Walks the endings backwards over `text`.
    fn endings_of(&self, text: &str) -> Endings {
        let mut found = Endings {
            count: 0,
            ids: [0; ENDINGS],
        };
        let mut rest = text.as_bytes();
        let mut node = 0_usize;
        loop {
            if let Some(&id) = self.ending_ids.get(node).filter(|&&id| id != NO_ENDING) {
                if let Some(slot) = found.ids.get_mut(found.count) {
                    *slot = id;
                }
                found.count += 1;
            }
            let Some(&byte) = rest.last() else {
                return found;
            };
            let Some((child, label)) = self.endings.child(node, byte) else {
                return found;
            };
            let Some((before, ending)) = rest
                .len()
                .checked_sub(label.len())
                .and_then(|at| rest.split_at_checked(at))
            else {
                return found;
            };
            if !label.iter().eq(ending.iter().rev()) {
                return found;
            }
            (node, rest) = (child, before);
        }
    }
}

/// The endings that a text has.
struct Endings {
    /// How many there are, also past the room for them.
    count: usize,
    ids: [u32; ENDINGS],
}

impl Endings {
    /// Returns the endings, or `None` where there are too many to tell.
    fn found(&self) -> Option<&[u32]> {
        self.ids.get(..self.count)
    }
}
