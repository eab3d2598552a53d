//! The tree of literal heads: flat tables, the step from node to node, and the build.
//!
//! A node is left by the next `stride` bytes of the text all at once: as many as every
//! key below it still has, sixteen at most. Ten thousand API ids of ten characters thus
//! hang at one node, one look into a hash table away, where a tree by single bytes would
//! be walked ten nodes down. A node with a single child needs no table, and what all keys
//! share is the root's own label.
//!
//! # Invariants
//!
//! - Node 0 is the root; every other label is not empty, so a walk ends.
//! - A child is found by the first bytes of its label and counts only if the text has all
//!   of it: the tree is exact whatever the hash.

#[cfg(feature = "build")]
use std::collections::hash_map::Entry;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::automaton::Accept;
use crate::util::bytes;
use crate::util::extent::Extent;
#[cfg(feature = "build")]
use crate::util::hash::HashTable;
use crate::util::hash::{self, HashTableView};
use crate::util::int::AsUsize;
#[cfg(feature = "build")]
use crate::util::int::to_u32;
#[cfg(feature = "build")]
use crate::util::keyed::Map;
use crate::util::table::tables;

/// The most bytes that a node looks at to choose a child: two words.
const STRIDE_MAX: usize = 16;

/// In place of a child: there is none, or more than one.
#[cfg(feature = "build")]
const NO_CHILD: u32 = u32::MAX;

tables! {
    /// A tree over byte strings.
    struct Tree / TreeView {
        "automaton" {
            /// The nodes.
            table nodes: Node;
            /// The labels.
            table labels: u8;
            /// The children of the nodes with more than one, by node and the first bytes of their labels.
            part children: HashTable, HashTableView;
        }
    }
}

/// A node of a [`Tree`]: half a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Node {
    /// The bytes between parent and node, in [`Tree::labels`]; equal labels are one.
    pub(crate) label: Extent,
    /// How many bytes choose a child; 0 where there are no children to choose from.
    pub(crate) stride: u32,
    /// Without a stride: the only child, or [`NO_CHILD`]. With one: the seed of the hash by
    /// which the children are found, the node's own number.
    pub(crate) only_child: u32,
    /// What hangs at it.
    pub(crate) accept: Accept,
}

impl<'a> TreeView<'a> {
    /// Returns the root, and what is behind its label.
    #[inline(always)]
    pub(crate) fn root<'t>(&self, text: &'t [u8]) -> Option<(&'a Node, &'t [u8])> {
        let root = self.nodes.first()?;
        let label = root.label.get(self.labels)?;
        let (start, behind) = text.split_at_checked(label.len())?;
        bytes::equal(start, label).then_some((root, behind))
    }

    /// Returns the child of `node` whose label starts `rest`, and what is behind the label.
    #[inline(always)]
    pub(crate) fn step<'t>(&self, node: &Node, rest: &'t [u8]) -> Option<(&'a Node, &'t [u8])> {
        if node.stride == 0 {
            return self.enter(node.only_child, rest);
        }
        let (first, second) = key(rest, node.stride.as_usize())?;
        // The nodes choose apart by what leads to them.
        let hash = hash::words(node.only_child, first, second);
        self.children
            .candidates(hash)
            .find_map(|child| self.enter(child, rest))
    }

    #[inline(always)]
    fn enter<'t>(&self, child: u32, rest: &'t [u8]) -> Option<(&'a Node, &'t [u8])> {
        let child = self.nodes.get(child.as_usize())?;
        let label = child.label.get(self.labels)?;
        // An empty label, which no build makes, would let a walk stand still.
        let (start, behind) = rest.split_at_checked(label.len())?;
        (!label.is_empty() && bytes::equal(start, label)).then_some((child, behind))
    }
}

#[cfg(feature = "build")]
impl Tree {
    /// Builds the tree of `keys`, and returns for each node the indices of the keys that end there.
    ///
    /// `None` where a table passes 2^32 entries. Takes time in the bytes of all keys, and sorting.
    pub(crate) fn new(keys: &[&[u8]]) -> Option<(Self, Vec<Vec<usize>>)> {
        let key_of = |item: usize| keys.get(item).copied().unwrap_or_default();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&item| key_of(item));

        let mut tree = Self::default();
        let mut ends = Vec::new();
        let mut children: Vec<(u64, u32)> = Vec::new();
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
            match parent {
                None => {}
                Some((parent, 0)) => tree.nodes.get_mut(parent.as_usize())?.only_child = at,
                Some((parent, stride)) => {
                    let (first, second) = key(label, stride)?;
                    children.push((hash::words(parent, first, second), at));
                }
            }
            let here = below.partition_point(|&item| key_of(item).len() == depth);
            let (ending, deeper) = below.split_at_checked(here).unwrap_or((below, &[]));
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
                label,
                stride: to_u32(stride)?,
                only_child: if stride == 0 { NO_CHILD } else { at },
                accept: Accept::NOTHING,
            });
            ends.push(ending.to_vec());
        }
        tree.children = HashTable::new(&children)?;
        Some((tree, ends))
    }
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

/// Returns the first `stride` bytes as two words, or `None` where `rest` is shorter.
#[inline(always)]
fn key(rest: &[u8], stride: usize) -> Option<(u64, u64)> {
    match rest.first_chunk() {
        Some(bytes) => masked(bytes, stride),
        None => key_of_short(rest, stride),
    }
}

#[inline(always)]
fn masked(bytes: &[u8; STRIDE_MAX], stride: usize) -> Option<(u64, u64)> {
    let &(first_mask, second_mask) = MASKS.get(stride)?;
    let (&[first, second], _) = bytes.as_chunks::<8>().0.split_first_chunk::<2>()?;
    let (first, second) = (u64::from_le_bytes(first), u64::from_le_bytes(second));
    Some((first & first_mask, second & second_mask))
}

/// PERF: apart, as it hardly ever occurs and costs the walk its registers.
#[inline(never)]
fn key_of_short(rest: &[u8], stride: usize) -> Option<(u64, u64)> {
    let start = rest.get(..stride)?;
    let mut bytes = [0; STRIDE_MAX];
    bytes.get_mut(..stride)?.copy_from_slice(start);
    masked(&bytes, stride)
}

/// The bits of the first so many bytes.
#[expect(
    clippy::indexing_slicing,
    reason = "done by the compiler, which would refuse"
)]
const MASKS: [(u64, u64); STRIDE_MAX + 1] = {
    let mut masks = [(0_u64, 0_u64); STRIDE_MAX + 1];
    let mut stride = 1;
    while stride <= STRIDE_MAX {
        let (first, second) = masks[stride - 1];
        masks[stride] = if stride <= 8 {
            (first << 8 | 0xff, 0)
        } else {
            (first, second << 8 | 0xff)
        };
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

    /// The keys that start `text`, by walking.
    fn starts(tree: &Tree, ends: &[Vec<usize>], text: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let view = tree.view();
        let mut here = view.root(text);
        while let Some((node, rest)) = here {
            let at = tree
                .nodes
                .iter()
                .position(|other| core::ptr::eq(other, node));
            found.extend(&ends[at.unwrap()]);
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
        assert_eq!(tree.nodes.len(), 5001, "what all share, one for each");
        assert_eq!(tree.labels.len(), 14 + 5000 * 5);
        assert_eq!(starts(&tree, &ends, b"arn:aws:0000004321/prod"), [4321]);
        assert_eq!(starts(&tree, &ends, b"arn:aws:0000005000/"), [0; 0]);
        assert_eq!(starts(&tree, &ends, b"arn:aws:00"), [0; 0]);
    }

    #[test]
    fn no_keys_and_the_empty_key() {
        let (tree, ends) = Tree::new(&[]).unwrap();
        assert_eq!(starts(&tree, &ends, b"a"), [0; 0]);
        let (tree, ends) = Tree::new(&[b"", b""]).unwrap();
        assert_eq!(starts(&tree, &ends, b""), [0, 1]);
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
                prop_assert_eq!(starts(&tree, &ends, text.as_bytes()), expected);
            }
        }
    }
}
