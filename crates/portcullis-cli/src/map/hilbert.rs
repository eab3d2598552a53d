//! The Hilbert curve, turned as the known maps of the address space have it.
//!
//! The curve goes through every cell of a square from neighbour to neighbour, and through each
//! quarter of it before it enters the next. Every two bits of an address choose a quarter, so a
//! prefix of even length is a square, and one of odd length two squares side by side.
//!
//! ```text
//! 0.0.0.0/0 at /2       at /4                 at /8 (the corner of the known maps)
//!
//!   0   192             0   16  224 240        0   1  14  15 …
//!  64   128            48   32  208 192        3   2  13  12 …
//!                      64  112  128 176        4   7   8  11 …
//!                      80   96  144 160        5   6   9  10 …
//! ```
//!
//! `0.0.0.0` is at the top left and `255.255.255.255` at the top right, whatever the resolution.

/// How the curve is turned in a square: the order in which it goes through the quarters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Top left, bottom left, bottom right, top right: the whole address space.
    Up,
    /// Top left, top right, bottom right, bottom left.
    Left,
    /// Bottom right, bottom left, top left, top right.
    Right,
    /// Bottom right, top right, top left, bottom left.
    Down,
}

impl Turn {
    /// Returns the column and row, 0 or 1, of the quarter that the curve enters as number
    /// `digit` (of which the last two bits count), and how it is turned there.
    pub(super) const fn quarter(self, digit: u64) -> ((u32, u32), Self) {
        use Turn::{Down, Left, Right, Up};
        match (self, digit & 3) {
            (Up, 0) => ((0, 0), Left),
            (Up, 1) => ((0, 1), Up),
            (Up, 2) => ((1, 1), Up),
            (Up, _) => ((1, 0), Right),
            (Left, 0) => ((0, 0), Up),
            (Left, 1) => ((1, 0), Left),
            (Left, 2) => ((1, 1), Left),
            (Left, _) => ((0, 1), Down),
            (Right, 0) => ((1, 1), Down),
            (Right, 1) => ((0, 1), Right),
            (Right, 2) => ((0, 0), Right),
            (Right, _) => ((1, 0), Up),
            (Down, 0) => ((1, 1), Right),
            (Down, 1) => ((1, 0), Down),
            (Down, 2) => ((0, 0), Down),
            (Down, _) => ((0, 1), Left),
        }
    }

    /// Returns the column and row of the cell with number `index` of a square with `order`
    /// levels of quarters; at most 31.
    pub(super) fn point(self, order: u32, index: u64) -> (u32, u32) {
        let (mut x, mut y, mut turn) = (0, 0, self);
        for level in (0..order).rev() {
            let ((right, down), inner) = turn.quarter(index >> (2 * level));
            (x, y, turn) = (2 * x + right, 2 * y + down, inner);
        }
        (x, y)
    }

    /// Returns the number of the cell in a column and row, where [`Self::point`] has it.
    #[cfg(test)]
    pub(super) fn index(self, order: u32, (x, y): (u32, u32)) -> u64 {
        let (mut index, mut turn) = (0, self);
        for level in (0..order).rev() {
            let wanted = ((x >> level) & 1, (y >> level) & 1);
            let (digit, inner) = (0..4)
                .map(|digit| (digit, turn.quarter(digit)))
                .find_map(|(digit, (at, inner))| (at == wanted).then_some((digit, inner)))
                .unwrap();
            (index, turn) = (4 * index + digit, inner);
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Turn; 4] = [Turn::Up, Turn::Left, Turn::Right, Turn::Down];

    #[test]
    fn points_and_numbers_are_one_to_one_and_neighbours_are_neighbours() {
        for turn in ALL {
            for order in 0..6 {
                let mut before = None;
                for index in 0..1_u64 << (2 * order) {
                    let (x, y) = turn.point(order, index);
                    assert!(x < 1 << order && y < 1 << order);
                    assert_eq!(turn.index(order, (x, y)), index);
                    if let Some((a, b)) = before.replace((x, y)) {
                        assert_eq!(x.abs_diff(a) + y.abs_diff(b), 1, "{turn:?} {order} {index}");
                    }
                }
            }
        }
    }

    /// The first rows of the map of the Internet that everybody knows, one cell a /8.
    #[test]
    fn the_turn_is_that_of_the_known_maps() {
        let row = |y| {
            (0..16)
                .map(|x| Turn::Up.index(4, (x, y)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            row(0),
            [
                0, 1, 14, 15, 16, 19, 20, 21, 234, 235, 236, 239, 240, 241, 254, 255
            ]
        );
        assert_eq!(
            row(1),
            [
                3, 2, 13, 12, 17, 18, 23, 22, 233, 232, 237, 238, 243, 242, 253, 252
            ]
        );
        assert_eq!(row(15)[0], 85);
        let corners = [(0, 0), (0, 15), (15, 15), (15, 0)].map(|at| Turn::Up.index(4, at));
        assert_eq!(corners, [0, 85, 170, 255]);
    }

    #[test]
    fn an_even_prefix_is_a_square_and_stays_where_it_is_at_a_finer_resolution() {
        for index in 0..1_u64 << 12 {
            let (x, y) = Turn::Up.point(6, index);
            for up in 1..=6 {
                assert_eq!(
                    Turn::Up.point(6 - up, index >> (2 * up)),
                    (x >> up, y >> up)
                );
            }
        }
    }
}
