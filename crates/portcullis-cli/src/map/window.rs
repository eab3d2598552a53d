//! Where the cells of a prefix are on the map.
//!
//! A window is cut out of the whole map: the curve in it is turned as it is there, so that a zoom
//! looks like the part that it is of.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::hilbert::Turn;

/// A prefix as a square, or as two side by side, of cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// The prefix.
    pub(super) within: IpNet,
    /// How the curve is turned in the square that the window is, or is half of.
    pub(super) turn: Turn,
    /// The levels of quarters in that square.
    pub(super) order: u32,
    /// The prefix length of a cell.
    pub(super) cell_length: u32,
    /// The first cell's number in that square.
    pub(super) first_cell: u64,
    /// The number of cells.
    pub(super) cells: u64,
    /// The window's top left corner in that square.
    pub(super) origin: (u32, u32),
    /// Cells from left to right.
    pub(super) columns: u32,
    /// Cells from top to bottom.
    pub(super) rows: u32,
}

/// Cells that lie side by side, in cells from the window's top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Window {
    /// Returns the window on `within` whose longer side has 2^`levels` cells, or fewer where that
    /// would be less than an address a cell.
    pub(super) fn new(within: IpNet, levels: u32) -> Self {
        let width = u32::from(within.max_prefix_len());
        let length = u32::from(within.prefix_len());
        let even = length & !1;
        let order = levels.min((width - even) / 2);
        let cell_length = even + 2 * order;
        let bits = to_bits(within.network());
        let mut turn = Turn::Up;
        for level in (0..even / 2).rev() {
            let digit = bits.checked_shr(width - even + 2 * level).unwrap_or(0);
            turn = turn.quarter(low(digit & 3)).1;
        }
        let cells = 1 << (cell_length - length);
        let first_cell = if even == length {
            0
        } else {
            low(bits.checked_shr(width - length).unwrap_or(0) & 1) * cells
        };
        let mut window = Self {
            within,
            turn,
            order,
            cell_length,
            first_cell,
            cells,
            origin: (0, 0),
            columns: 1 << order,
            rows: 1 << order,
        };
        let whole = window.block(0, cells);
        window.origin = (whole.x, whole.y);
        (window.columns, window.rows) = (whole.width, whole.height);
        window
    }

    /// Returns the column and row of a cell, counted from the window's first along the curve.
    pub(super) fn point(&self, cell: u64) -> (u32, u32) {
        let (x, y) = self.turn.point(self.order, self.first_cell + cell);
        (x - self.origin.0, y - self.origin.1)
    }

    /// Returns where a prefix's cells are: `count`, a power of two, from `cell`, a multiple of it.
    pub(super) fn block(&self, cell: u64, count: u64) -> Rect {
        let log = count.trailing_zeros();
        let side = 1_u32 << (log / 2);
        let corner = |cell| {
            let (x, y) = self.point(cell);
            // The square is aligned where the curve's own square is.
            let align = |at: u32, origin: u32| ((at + origin) & !(side - 1)) - origin;
            (align(x, self.origin.0), align(y, self.origin.1))
        };
        let (x, y) = corner(cell);
        if log.is_multiple_of(2) {
            return Rect {
                x,
                y,
                width: side,
                height: side,
            };
        }
        let (a, b) = corner(cell + count / 2);
        Rect {
            x: x.min(a),
            y: y.min(b),
            width: side + x.abs_diff(a),
            height: side + y.abs_diff(b),
        }
    }

    /// Returns where a prefix is, cut to the window and no smaller than a cell; `None` outside.
    pub(super) fn rect(&self, prefix: IpNet) -> Option<Rect> {
        if prefix.addr().is_ipv4() != self.within.addr().is_ipv4() {
            return None;
        }
        if prefix.contains(&self.within) {
            return Some(self.block(0, self.cells));
        }
        if !self.within.contains(&prefix) {
            return None;
        }
        let (shift, start) = (self.shift(), to_bits(self.within.network()));
        let cell = low((to_bits(prefix.network()) - start)
            .checked_shr(shift)
            .unwrap_or(0));
        let more = self.cell_length.saturating_sub(prefix.prefix_len().into());
        Some(self.block(cell, 1 << more))
    }

    /// Returns the prefix that some cells are: `count`, a power of two, from `cell`, a multiple of it.
    pub(super) fn prefix(&self, cell: u64, count: u64) -> Option<IpNet> {
        let bits = to_bits(self.within.network())
            + u128::from(cell).checked_shl(self.shift()).unwrap_or(0);
        let ip = match self.within {
            IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).ok()?)),
            IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        let length = self.cell_length.checked_sub(count.trailing_zeros())?;
        IpNet::new(ip, u8::try_from(length).ok()?).ok()
    }

    /// Returns the number of addresses of some cells.
    pub(super) fn addresses(&self, count: u64) -> u128 {
        // All of IPv6 is one more than there are numbers.
        match self.shift() + count.trailing_zeros() {
            bits @ ..128 => 1 << bits,
            _ => u128::MAX,
        }
    }

    /// Returns the number of host bits of a cell.
    pub(super) fn shift(&self) -> u32 {
        u32::from(self.within.max_prefix_len()) - self.cell_length
    }
}

pub(super) fn to_bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Returns a number that is known to have no more than 64 bits.
pub(super) fn low(bits: u128) -> u64 {
    u64::try_from(bits).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_parts_of_the_whole_map() {
        let whole = Window::new("0.0.0.0/0".parse().unwrap(), 12);
        for within in [
            "0.0.0.0/0",
            "64.0.0.0/2",
            "192.0.0.0/2",
            "200.0.0.0/5",
            "203.0.0.0/8",
            "128.0.0.0/1",
            "10.128.0.0/9",
        ] {
            let net: IpNet = within.parse().unwrap();
            let even = u32::from(net.prefix_len()) & !1;
            // As fine as the whole map, so that the cells are the same.
            let window = Window::new(net, 12 - even / 2);
            let corner = whole.rect(net).unwrap();
            assert_eq!(
                (corner.width, corner.height),
                (window.columns, window.rows),
                "{within}"
            );
            let start = to_bits(net.network()) >> 8;
            for cell in
                (0..window.cells).step_by(usize::try_from(window.cells / 64).unwrap().max(1))
            {
                let (x, y) = whole.point(low(start) + cell);
                assert_eq!(
                    window.point(cell),
                    (x - corner.x, y - corner.y),
                    "{within} {cell}"
                );
            }
        }
    }

    #[test]
    fn a_block_holds_the_points_of_its_cells_and_no_others() {
        for within in ["0.0.0.0/0", "128.0.0.0/1", "64.0.0.0/3"] {
            let window = Window::new(within.parse().unwrap(), 5);
            for log in 0..=window.cells.ilog2() {
                let count = 1_u64 << log;
                for cell in (0..window.cells).step_by(usize::try_from(count).unwrap()) {
                    let block = window.block(cell, count);
                    assert_eq!(u64::from(block.width * block.height), count);
                    for inner in cell..cell + count {
                        let (x, y) = window.point(inner);
                        assert!(
                            (block.x..block.x + block.width).contains(&x)
                                && (block.y..block.y + block.height).contains(&y),
                            "{within} {cell}+{count}"
                        );
                    }
                }
            }
        }
    }
}
