//! A radix tree under construction: byte strings in, nodes with labels out.
//!
//! Used for the heads of patterns, and for their tails over reversed bytes. Both are
//! sorted first and cut into nodes recursively over sub-slices, without recursion on the
//! stack: a head can be as long as a text.

/// A node of the finished tree, in depth-first order, the root first.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The bytes between the parent and this node; empty for the root only.
    pub(super) label: Vec<u8>,
    /// The children, by the first byte of their labels, ascending.
    pub(super) children: Vec<usize>,
    /// The items whose key ends here, as given.
    pub(super) items: Vec<usize>,
}

/// Builds the tree of `keys`; item `i` is the index of a key.
pub(super) fn build(keys: &[&[u8]]) -> Vec<Node> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let key = |item: usize| keys.get(item).copied().unwrap_or_default();
    order.sort_by_key(|&item| key(item));

    let mut nodes = vec![Node {
        label: Vec::new(),
        children: Vec::new(),
        items: Vec::new(),
    }];
    // (the node, how many bytes lead to it, the items below it)
    let mut open: Vec<(usize, usize, &[usize])> = vec![(0, 0, &order)];
    while let Some((node, depth, below)) = open.pop() {
        let here = below.partition_point(|&item| key(item).len() == depth);
        let (ends, deeper) = below.split_at_checked(here).unwrap_or((below, &[]));
        let mut children = Vec::new();
        for group in deeper.chunk_by(|&a, &b| key(a).get(depth) == key(b).get(depth)) {
            let (Some(&first), Some(&last)) = (group.first(), group.last()) else {
                continue;
            };
            // Sorted, so what the first and the last share they all share.
            let shared = common(key(first), key(last));
            let child = nodes.len();
            nodes.push(Node {
                label: key(first).get(depth..shared).unwrap_or_default().to_vec(),
                children: Vec::new(),
                items: Vec::new(),
            });
            children.push(child);
            open.push((child, shared, group));
        }
        if let Some(node) = nodes.get_mut(node) {
            node.items = ends.to_vec();
            node.children = children;
        }
    }
    nodes
}

/// Returns the length of the common prefix.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_where_they_should() {
        let keys: [&[u8]; 6] = [b"abc", b"", b"ab", b"abd", b"x", b"ab"];
        let nodes = build(&keys);
        let mut found = vec![Vec::new(); keys.len()];
        let mut open = vec![(0, Vec::new())];
        while let Some((at, path)) = open.pop() {
            let path = [path, nodes[at].label.clone()].concat();
            for &item in &nodes[at].items {
                found[item] = path.clone();
            }
            let firsts: Vec<u8> = nodes[at]
                .children
                .iter()
                .map(|&c| nodes[c].label[0])
                .collect();
            assert!(firsts.is_sorted() && !nodes[at].children.contains(&at));
            open.extend(nodes[at].children.iter().map(|&c| (c, path.clone())));
        }
        assert_eq!(found, keys.map(<[u8]>::to_vec));
        assert_eq!(nodes.len(), 5, "root, ab, c, d, x");
    }
}
