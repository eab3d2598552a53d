//! What is drawn over the cells: lines and labels of shorter prefixes, and special-use addresses.

use ipnet::IpNet;

use super::picture::{Rect, Window};

/// Lines between blocks of one prefix length.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Cells a side of a block.
    pub(super) side: u32,
    /// Each block and its prefix.
    pub(super) blocks: Vec<(Rect, IpNet)>,
}

impl Grid {
    /// Returns the grid of a window: of octets for IPv4, of hexadecimal digits for IPv6.
    ///
    /// `None` where cells are too few to have blocks.
    pub(super) fn new(window: &Window) -> Option<Self> {
        let length = u32::from(window.within.prefix_len());
        let (step, least) = match window.within {
            IpNet::V4(_) => (8, 3),
            IpNet::V6(_) => (4, 5),
        };
        let block_length = (length + least).next_multiple_of(step);
        let log = window.cell_length.checked_sub(block_length)?;
        let count = 1_u64 << log;
        let blocks = (0..window.cells / count)
            .filter_map(|index| {
                let cell = index * count;
                Some((window.block(cell, count), window.prefix(cell, count)?))
            })
            .collect();
        Some(Self {
            side: 1 << (log / 2),
            blocks,
        })
    }
}

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
        let grid = Grid::new(&window("0.0.0.0/0", 10)).unwrap();
        assert_eq!((grid.side, grid.blocks.len()), (64, 256));
        let (rect, prefix) = grid.blocks[16];
        assert_eq!(prefix.to_string(), "16.0.0.0/8");
        assert_eq!((rect.x, rect.y, rect.width, rect.height), (256, 0, 64, 64));
    }

    #[test]
    fn grids_of_zooms() {
        for (within, levels, side, blocks, last) in [
            ("203.0.0.0/8", 10, 64, 256, "203.255.0.0/16"),
            ("203.0.0.0/9", 10, 64, 128, "203.127.0.0/16"),
            ("203.0.113.0/24", 10, 1, 256, "203.0.113.255/32"),
            ("2001:db8::/32", 10, 64, 256, "2001:db8:ff00::/40"),
            ("::/0", 6, 4, 256, "ff00::/8"),
        ] {
            let grid = Grid::new(&window(within, levels)).unwrap();
            let found = grid.blocks.last().unwrap().1.to_string();
            assert_eq!(
                (grid.side, grid.blocks.len(), &*found),
                (side, blocks, last),
                "{within}"
            );
        }
        assert!(Grid::new(&window("203.0.113.0/30", 10)).is_none());
        assert!(Grid::new(&window("0.0.0.0/0", 2)).is_none());
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
