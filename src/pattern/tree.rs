//! The tree of literal heads: flat tables, the step from node to node, and the build.
//!
//! A node is left by the next `stride` bytes of the text all at once: as many as every
//! key below it still has, sixteen at most. Ten thousand API ids of ten characters thus
//! hang at one node, one look into a hash table away, where a tree by single bytes would
//! be walked ten nodes down. A node with a single child needs no table, and what all keys
//! share is the root's own label. The last few keys of a branch stay at its node, for whoever
//! looks at them there: what follows is mostly the same in many branches.
//!
//! A node is a cache line, with the bytes that choose it: where a node has several children, a step
//! finds [the place](super::place) of the child and loads it, and a label only where those bytes are
//! not all of it.
//!
//! # Invariants
//!
//! - Node 0 is the root; every other label is not empty, so a walk ends.
//! - A child that was chosen by bytes has them and its parent's name in itself, and counts only
//!   if they and all of its label agree: the tree is exact whatever the hash.
//! - Nodes that would share a place are linked in ascending order, so the way through them ends.

#[cfg(feature = "build")]
use std::collections::hash_map::Entry;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::automaton::Accept;
#[cfg(feature = "build")]
use super::glob::is_continuation;
use super::place;
#[cfg(feature = "build")]
use super::place::Placed;
use crate::util::bytes;
use crate::util::extent::Extent;
use crate::util::hash;
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low64};
#[cfg(feature = "build")]
use crate::util::keyed::Map;
use crate::util::table::tables;

/// The most bytes that a node looks at to choose a child: two words.
const STRIDE_MAX: usize = 16;

/// In place of a node: there is none, or more than one.
pub(crate) const NO_CHILD: u32 = u32::MAX;

/// As many keys go on behind a node without nodes of their own.
#[cfg(feature = "build")]
const LEAVES: usize = 3;

tables! {
    /// A tree over byte strings.
    struct Tree / TreeView {
        "automaton" {
            /// The nodes.
            table nodes: Node;
            /// The labels.
            table labels: u8;
            /// The shifts of the nodes that are chosen by bytes, by the group of their hashes; a power
            /// of two, or empty.
            table shifts: u32;
            /// How many bits of a hash choose the group.
            scalar bits: u32;
            /// The first of the places of such nodes, in `nodes`.
            scalar first_place: u32;
            /// How many places there are.
            scalar places: u32;
        }
    }
}

/// A node of a [`Tree`]: a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Node {
    /// The start of the label by which the parent chooses: the words of its [`key`].
    pub(crate) key: [u64; 2],
    /// The bytes between parent and node, in [`Tree::labels`]; equal labels are one.
    pub(crate) label: Extent,
    /// The parent's name, where it chooses by bytes; else [`NO_CHILD`].
    pub(crate) parent: u32,
    /// The next node that would be at the same place, or [`NO_CHILD`].
    pub(crate) next: u32,
    /// How many bytes choose a child; 0 where there are no children to choose from.
    pub(crate) stride: u32,
    /// Without a stride: the only child, or [`NO_CHILD`]. With one: the node's own name, by
    /// which its children know it, a number.
    pub(crate) only_child: u32,
    /// What hangs at it.
    pub(crate) accept: Accept,
}

/// A node on the way of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a, 't> {
    /// The node's number.
    pub(crate) at: u32,
    /// The node.
    pub(crate) node: &'a Node,
    /// What of the text is behind it.
    pub(crate) rest: &'t [u8],
}

/// A child that a node chooses for a text, before anybody looked at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'t> {
    /// Where it is, or the first of those that would be there.
    pub(crate) at: u32,
    /// Whose child.
    parent: u32,
    /// The bytes that choose it, and how many they are.
    key: u128,
    stride: usize,
    /// What of the text is behind the parent.
    rest: &'t [u8],
}

impl<'a> TreeView<'a> {
    /// Returns how many nodes there are, without places that nobody has.
    pub(crate) fn node_count(&self) -> usize {
        // Only the root may have an empty label.
        let labelled = self.nodes.iter().skip(1).filter(|n| !n.label.is_empty());
        labelled.count() + self.nodes.len().min(1)
    }

    /// Returns the root, and what is behind its label.
    #[inline(always)]
    pub(crate) fn root<'t>(&self, text: &'t [u8]) -> Option<Step<'a, 't>> {
        let node = self.nodes.first()?;
        let label = node.label.get(self.labels)?;
        let (start, rest) = text.split_at_checked(label.len())?;
        bytes::equal(start, label).then_some(Step { at: 0, node, rest })
    }

    /// Returns the child of `node` whose label starts `rest`, and what is behind the label.
    #[inline(always)]
    pub(crate) fn step<'t>(&self, node: &Node, rest: &'t [u8]) -> Option<Step<'a, 't>> {
        match node.stride {
            0 => self.enter(node.only_child, rest),
            _ => self.arrive(&self.choose(node, rest)?),
        }
    }

    /// Returns where the child of a `node` that has a stride would be, without a look at it.
    #[inline(always)]
    pub(crate) fn choose<'t>(&self, node: &Node, rest: &'t [u8]) -> Option<Choice<'t>> {
        let stride = node.stride.as_usize();
        let (key, parent) = (key(rest, stride)?, node.only_child);
        Some(Choice {
            at: self.place(parent, key)?,
            parent,
            key,
            stride,
            rest,
        })
    }

    /// Returns the child that was chosen, if it is there and its label starts the text.
    #[inline(always)]
    pub(crate) fn arrive<'t>(&self, choice: &Choice<'t>) -> Option<Step<'a, 't>> {
        let &Choice {
            mut at,
            parent,
            key,
            stride,
            rest,
        } = choice;
        loop {
            let child = self.nodes.get(at.as_usize())?;
            if words(key) == child.key && child.parent == parent {
                return self.enter_chosen((at, child), stride, rest);
            }
            if child.next <= at {
                return None;
            }
            at = child.next;
        }
    }

    #[inline(always)]
    fn place(&self, name: u32, key: u128) -> Option<u32> {
        let [first, second] = words(key);
        // The nodes choose apart by what leads to them.
        let hash = hash::words(name, first, second);
        let shift = *self.shifts.get(place::group(hash, self.bits))?;
        let place = place::place(hash, shift, self.places);
        Some(self.first_place.wrapping_add(place))
    }

    /// Enters a child of which the first `stride` bytes are known to agree.
    #[inline(always)]
    fn enter_chosen<'t>(
        &self,
        (at, node): (u32, &'a Node),
        stride: usize,
        rest: &'t [u8],
    ) -> Option<Step<'a, 't>> {
        let len = node.label.len.as_usize();
        let (start, rest) = rest.split_at_checked(len)?;
        // A shorter label, which no build makes, would let a walk stand still.
        let agrees = match len.checked_sub(stride)? {
            0 => true,
            _ => bytes::equal(start, node.label.get(self.labels)?),
        };
        agrees.then_some(Step { at, node, rest })
    }

    #[inline(always)]
    fn enter<'t>(&self, at: u32, rest: &'t [u8]) -> Option<Step<'a, 't>> {
        let node = self.nodes.get(at.as_usize())?;
        let label = node.label.get(self.labels)?;
        // An empty label, which no build makes, would let a walk stand still.
        let (start, rest) = rest.split_at_checked(label.len())?;
        (!label.is_empty() && bytes::equal(start, label)).then_some(Step { at, node, rest })
    }
}

#[cfg(feature = "build")]
impl Tree {
    /// Builds the tree of `keys`, and returns for each node which keys end at it or behind it.
    ///
    /// Some nodes are places that nobody has. `None` where a table passes 2^32 entries. Takes time in the bytes of all keys, and sorting.
    pub(crate) fn new(keys: &[&[u8]]) -> Option<(Self, Vec<Ending>)> {
        let key_of = |item: usize| keys.get(item).copied().unwrap_or_default();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&item| key_of(item));

        let mut tree = Self::default();
        let mut ends = Vec::new();
        // (how many bytes lead to the node's parent and to itself, the keys below it, its parent
        // if that has to be told of it); a node's number is given when it is taken up.
        let shared = match (order.first(), order.last()) {
            (Some(&first), Some(&last)) => common(key_of(first), key_of(last)),
            _ => 0,
        };
        let mut labels: Map<&[u8], Extent> = Map::default();
        let mut open: Vec<Open<'_>> = vec![Open {
            from: 0,
            depth: shared,
            below: &order,
            parent: None,
        }];
        while let Some(Open {
            from,
            depth,
            below,
            parent,
        }) = open.pop()
        {
            let at = to_u32(tree.nodes.len()).filter(|&at| at != NO_CHILD)?;
            let label = below
                .first()
                .and_then(|&item| key_of(item).get(from..depth));
            let label = label.unwrap_or_default();
            let (key, parent) = match parent {
                None => ([0; 2], NO_CHILD),
                Some((parent, 0)) => {
                    tree.nodes.get_mut(parent.as_usize())?.only_child = at;
                    ([0; 2], NO_CHILD)
                }
                Some((parent, stride)) => (words(key(label, stride)?), parent),
            };
            let here = below.partition_point(|&item| key_of(item).len() == depth);
            let (ending, deeper) = below.split_at_checked(here).unwrap_or((below, &[]));
            let next_byte = deeper.first().and_then(|&item| key_of(item).get(depth));
            // Not within a character, so that whoever goes on reads whole ones.
            let is_within = next_byte.is_some_and(|&byte| is_continuation(byte));
            let (ending, deeper) = match deeper.len() <= LEAVES && !is_within {
                true => (below, &[][..]),
                false => (ending, deeper),
            };
            let shared = match (deeper.first(), deeper.last()) {
                // Sorted, so what the first and the last share they all share.
                (Some(&first), Some(&last)) => common(key_of(first), key_of(last)),
                _ => depth,
            };
            let mut stride = 0;
            if shared > depth {
                open.push(Open {
                    from: depth,
                    depth: shared,
                    below: deeper,
                    parent: Some((at, 0)),
                });
            } else {
                let remaining = deeper.iter().map(|&item| key_of(item).len() - depth);
                stride = remaining.min().unwrap_or(0).min(STRIDE_MAX);
                let chosen_by = |item: usize| key_of(item).get(depth..depth + stride);
                for group in deeper.chunk_by(|&a, &b| chosen_by(a) == chosen_by(b)) {
                    let (Some(&first), Some(&last)) = (group.first(), group.last()) else {
                        continue;
                    };
                    open.push(Open {
                        from: depth,
                        depth: common(key_of(first), key_of(last)),
                        below: group,
                        parent: Some((at, stride)),
                    });
                }
            }
            let label = match labels.entry(label) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    *new.insert(Extent::append(&mut tree.labels, label.iter().copied())?)
                }
            };
            tree.nodes.push(Node {
                key,
                label,
                parent,
                next: NO_CHILD,
                stride: to_u32(stride)?,
                only_child: if stride == 0 { NO_CHILD } else { at },
                accept: Accept::NOTHING,
            });
            ends.push(Ending {
                depth,
                keys: ending.to_vec(),
            });
        }
        tree.place_nodes(ends)
    }

    /// Puts the nodes that are chosen by bytes at the places of their hashes, behind all others.
    fn place_nodes(mut self, ends: Vec<Ending>) -> Option<(Self, Vec<Ending>)> {
        let is_chosen = |node: &Node| node.parent != NO_CHILD;
        let chosen = self.nodes.iter().filter(|node| is_chosen(node));
        let hash = |node: &Node| hash::words(node.parent, node.key[0], node.key[1]);
        let placed = Placed::new(&chosen.map(hash).collect::<Vec<u64>>())?;
        let others = self.nodes.len().checked_sub(placed.at.len())?;
        self.first_place = to_u32(others)?;
        (self.bits, self.places) = (placed.bits, placed.places);
        // Where each node comes to stand.
        let (mut own, mut next) = (placed.at.iter(), 0_u32..);
        let mut moved: Vec<u32> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            moved.push(match is_chosen(node) {
                true => own.next()?.checked_add(self.first_place)?,
                false => next.next()?,
            });
        }
        let len = others + placed.places.as_usize() + placed.links.len();
        to_u32(len).filter(|&len| len != NO_CHILD)?;
        let mut nodes = vec![Node::NOBODY; len];
        let mut ended: Vec<Ending> = Vec::with_capacity(len);
        ended.resize_with(len, Ending::default);
        for ((mut node, end), &at) in self.nodes.into_iter().zip(ends).zip(&moved) {
            if node.stride == 0 && node.only_child != NO_CHILD {
                node.only_child = *moved.get(node.only_child.as_usize())?;
            }
            *nodes.get_mut(at.as_usize())? = node;
            *ended.get_mut(at.as_usize())? = end;
        }
        for (behind, at) in placed.links {
            let behind = nodes.get_mut((behind + self.first_place).as_usize())?;
            behind.next = at.checked_add(self.first_place)?;
        }
        (self.nodes, self.shifts) = (nodes, placed.shifts);
        Some((self, ended))
    }
}

#[cfg(feature = "build")]
impl Node {
    /// A place that nobody has.
    const NOBODY: Self = Self {
        key: [0; 2],
        label: Extent { start: 0, len: 0 },
        parent: NO_CHILD,
        next: NO_CHILD,
        stride: 0,
        only_child: NO_CHILD,
        accept: Accept::NOTHING,
    };
}

/// The keys that a walk leads no further than to one node.
#[cfg(feature = "build")]
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// How many of their bytes lead to it.
    pub(crate) depth: usize,
    /// Their indices.
    pub(crate) keys: Vec<usize>,
}

/// A node that is still to be made.
#[cfg(feature = "build")]
struct Open<'o> {
    from: usize,
    depth: usize,
    below: &'o [usize],
    /// The parent's number, and its stride or 0 for an only child.
    parent: Option<(u32, usize)>,
}

/// Returns the first `stride` bytes, or `None` where `rest` is shorter.
///
/// PERF: as one number, as two become a vector on their way, which is taken apart in memory.
#[inline(always)]
fn key(rest: &[u8], stride: usize) -> Option<u128> {
    match rest.first_chunk() {
        Some(bytes) => masked(bytes, stride),
        None => key_of_short(rest, stride),
    }
}

#[inline(always)]
fn masked(bytes: &[u8; STRIDE_MAX], stride: usize) -> Option<u128> {
    let mask = MASKS.get(stride)?;
    Some(u128::from_le_bytes(*bytes) & mask)
}

/// PERF: apart, as it hardly ever occurs and costs the walk its registers.
#[inline(never)]
fn key_of_short(rest: &[u8], stride: usize) -> Option<u128> {
    let start = rest.get(..stride)?;
    let mut bytes = [0; STRIDE_MAX];
    bytes.get_mut(..stride)?.copy_from_slice(start);
    masked(&bytes, stride)
}

/// Returns a key as nodes have it.
#[inline(always)]
fn words(key: u128) -> [u64; 2] {
    [low64(key), low64(key >> 64)]
}

/// The bits of the first so many bytes.
#[expect(
    clippy::indexing_slicing,
    reason = "done by the compiler, which would refuse"
)]
const MASKS: [u128; STRIDE_MAX + 1] = {
    let mut masks = [0; STRIDE_MAX + 1];
    let mut stride = 1;
    while stride <= STRIDE_MAX {
        masks[stride] = masks[stride - 1] << 8 | 0xff;
        stride += 1;
    }
    masks
};

/// Returns the length of the common prefix.
#[cfg(feature = "build")]
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::util::table::Tables;

    /// How many nodes there are, without places that nobody has.
    fn nodes(tree: &Tree) -> usize {
        let nobody = tree.nodes.iter().filter(|node| **node == Node::NOBODY);
        tree.nodes.len() - nobody.count()
    }

    /// The keys that start `text`, by walking.
    fn starts(tree: &Tree, ends: &[Ending], keys: &[&[u8]], text: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let view = tree.view();
        let mut here = view.root(text);
        while let Some(Step { at, node, rest }) = here {
            let Ending { depth, keys: ended } = &ends[at.as_usize()];
            let goes_on = |&&key: &&usize| rest.starts_with(&keys[key][*depth..]);
            found.extend(ended.iter().filter(goes_on));
            here = view.step(node, rest);
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn many_keys_of_one_length_hang_at_one_node() {
        let keys: Vec<String> = (0..5000).map(|i| format!("arn:aws:{i:010}/")).collect();
        let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
        let (tree, ends) = Tree::new(&keys).unwrap();
        assert_eq!(nodes(&tree), 5001, "what all share, one for each");
        assert_eq!(
            starts(&tree, &ends, &keys, b"arn:aws:0000004321/prod"),
            [4321]
        );
        assert_eq!(starts(&tree, &ends, &keys, b"arn:aws:0000005000/"), [0; 0]);
        assert_eq!(starts(&tree, &ends, &keys, b"arn:aws:00"), [0; 0]);
    }

    #[test]
    fn exact_whatever_the_hash() {
        // Equal labels below other nodes, and all of them in one bucket.
        let keys = [
            "a/", "a/w", "a/x", "a/y", "a/z", "b/", "b/v", "b/w", "b/x", "b/y",
        ];
        let keys = keys.map(str::as_bytes);
        let (mut tree, ends) = Tree::new(&keys).unwrap();
        assert_eq!(nodes(&tree), 11, "each key has a node");
        // One place for all, and everybody behind it.
        tree.shifts.fill(0);
        tree.places = 1;
        let first = tree.first_place.as_usize();
        for at in first..tree.nodes.len() {
            tree.nodes[at].next = to_u32(at + 1).unwrap();
        }
        for text in keys.iter().chain(&[&b"a/v"[..], b"b/z", b"w", b"c/w", b""]) {
            let expected: Vec<usize> = (0..keys.len())
                .filter(|&key| text.starts_with(keys[key]))
                .collect();
            assert_eq!(starts(&tree, &ends, &keys, text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_keys_and_the_empty_key() {
        let (tree, ends) = Tree::new(&[]).unwrap();
        assert_eq!(starts(&tree, &ends, &[], b"a"), [0; 0]);
        let keys: [&[u8]; 2] = [b"", b""];
        let (tree, ends) = Tree::new(&keys).unwrap();
        assert_eq!(starts(&tree, &ends, &keys, b""), [0, 1]);
    }

    proptest! {
        #[test]
        fn finds_every_key_that_starts_the_text(
            keys in prop::collection::vec("[ab]{0,3}|[ab]{8,40}|a{0,30}b", 0..40),
            text in "[ab]{0,40}|a{0,30}b{0,3}",
        ) {
            let bytes: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
            let (tree, ends) = Tree::new(&bytes).unwrap();
            let mut texts = vec![text.clone()];
            texts.extend(keys.iter().map(|key| key.clone() + &text));
            for text in &texts {
                let expected: Vec<usize> =
                    (0..keys.len()).filter(|&i| text.starts_with(&keys[i])).collect();
                prop_assert_eq!(starts(&tree, &ends, &bytes, text.as_bytes()), expected);
            }
        }
    }
}
