//! What is drawn over the cells: lines and labels of shorter prefixes, and special-use addresses.

use ipnet::IpNet;

use super::caption;
use super::window::{Rect, Window};

/// Lines between blocks of one prefix length.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Each block, and what it is labelled with; empty where that would not fit.
    pub(super) blocks: Vec<(Rect, String)>,
}

impl Grid {
    /// Returns the grid of a window whose cells have `zoom` pixels a side: of octets for IPv4, of
    /// hexadecimal digits for IPv6, or of something coarser where those would be too small to label.
    ///
    /// `None` where there is nothing to tell apart.
    pub(super) fn new(window: &Window, zoom: u32) -> Option<Self> {
        let length = u32::from(window.within.prefix_len());
        let (step, least) = match window.within {
            IpNet::V4(_) => (8, 3),
            IpNet::V6(_) => (4, 5),
        };
        let mut block_length = (length + least)
            .next_multiple_of(step)
            .min(window.cell_length);
        while zoom << ((window.cell_length - block_length) / 2) < BLOCK && block_length > length + 2
        {
            block_length -= 2;
        }
        if block_length <= length {
            return None;
        }
        let count = 1_u64 << (window.cell_length - block_length);
        let mut blocks: Vec<(Rect, [String; 2])> = (0..window.cells / count)
            .filter_map(|index| {
                let cell = index * count;
                let labels = caption::labels(window.prefix(cell, count)?);
                Some((window.block(cell, count), labels))
            })
            .collect();
        // All are labelled in one way.
        let side = blocks.first().map_or(0, |(rect, _)| rect.width * zoom);
        let kind = (0..2).find(|&kind| {
            let width = |(_, labels): &(Rect, [String; 2])| labels.get(kind).map_or(0, String::len);
            let most = blocks.iter().map(width).max().unwrap_or(0);
            u32::try_from(most).is_ok_and(|most| most * LETTER + 5 <= side) && side >= 14
        });
        Some(Self {
            blocks: blocks
                .iter_mut()
                .map(|(rect, labels)| {
                    let label = kind.and_then(|kind| labels.get_mut(kind));
                    (*rect, label.map(core::mem::take).unwrap_or_default())
                })
                .collect(),
        })
    }
}

/// Pixels a side that a block should have at least.
const BLOCK: u32 = 32;
/// Pixels from one letter of a label to the next.
const LETTER: u32 = 6;

/// Returns where the special-use addresses of a window are, with their prefix and purpose.
pub(super) fn special_use(window: &Window) -> Vec<(Rect, IpNet, &'static str)> {
    SPECIAL_USE
        .iter()
        .filter_map(|&(prefix, purpose)| {
            let prefix: IpNet = prefix.parse().ok()?;
            Some((window.rect(prefix)?, prefix, purpose))
        })
        .collect()
}

/// The IANA special-purpose address registries and the multicast blocks; of nested ones the widest.
static SPECIAL_USE: [(&str, &str); 30] = [
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "shared by carriers (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link local"),
    ("172.16.0.0/12", "private use"),
    ("192.0.0.0/24", "IETF protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT"),
    ("192.88.99.0/24", "6to4 relay anycast, deprecated"),
    ("192.168.0.0/16", "private use"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/96", "unspecified, loopback and IPv4-compatible"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("64:ff9b::/96", "IPv4 to IPv6 translation"),
    ("64:ff9b:1::/48", "IPv4 to IPv6 translation, local"),
    ("100::/64", "discard only"),
    ("2001::/23", "IETF protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link local"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn window(within: &str, levels: u32) -> Window {
        Window::new(within.parse().unwrap(), levels)
    }

    #[test]
    fn the_grid_of_the_address_space_is_of_first_octets() {
        let grid = Grid::new(&window("0.0.0.0/0", 10), 1).unwrap();
        assert_eq!(grid.blocks.len(), 256);
        let (rect, label) = &grid.blocks[16];
        assert_eq!(label, "16");
        assert_eq!((rect.x, rect.y, rect.width, rect.height), (256, 0, 64, 64));
    }

    #[test]
    fn grids_of_zooms() {
        for (within, levels, zoom, side, blocks, last) in [
            ("203.0.0.0/8", 10, 1, 64, 256, "203.255"),
            ("203.0.0.0/8", 9, 1, 32, 256, ".255"),
            ("203.0.0.0/8", 8, 1, 32, 64, ".252"),
            ("203.0.0.0/9", 10, 1, 64, 128, "203.127"),
            ("203.0.113.0/24", 10, 64, 1, 256, ".255"),
            ("203.0.112.0/23", 10, 16, 2, 128, ".252"),
            ("203.0.113.0/30", 10, 512, 1, 4, "203.0.113.3"),
            ("203.0.113.6/31", 10, 512, 1, 2, "203.0.113.7"),
            ("2001:db8::/32", 10, 1, 64, 256, ":ff"),
            ("::/0", 6, 16, 4, 256, "ff00::/8"),
            ("0.0.0.0/0", 6, 1, 32, 4, "192"),
        ] {
            let grid = Grid::new(&window(within, levels), zoom).unwrap();
            let (rect, label) = grid.blocks.last().unwrap();
            let found = (rect.width, grid.blocks.len(), label.as_str());
            assert_eq!(found, (side, blocks, last), "{within}");
        }
        assert!(Grid::new(&window("203.0.113.1/32", 10), 1024).is_none());
    }

    #[test]
    fn special_use_is_cut_to_the_window() {
        for (prefix, _) in SPECIAL_USE {
            let net: IpNet = prefix.parse().unwrap();
            assert_eq!(net.trunc(), net, "{prefix}");
        }
        let names = |within| -> Vec<String> {
            let found = special_use(&window(within, 6));
            found
                .iter()
                .map(|(_, prefix, _)| prefix.to_string())
                .collect()
        };
        assert_eq!(names("10.1.0.0/16"), ["10.0.0.0/8"]);
        assert_eq!(names("172.0.0.0/8"), ["172.16.0.0/12"]);
        assert_eq!(names("9.0.0.0/8"), [""; 0]);
        assert_eq!(names("0.0.0.0/0").len(), 18);
        assert_eq!(names("::/0").len(), 12);
        let all = special_use(&window("10.1.0.0/16", 3));
        assert_eq!((all[0].0.width, all[0].0.height), (8, 8));
    }
}
