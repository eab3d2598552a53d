//! Rings around what is too small to be seen.
//!
//! One address among four billion is one dot among a million. Where few such dots lie together a
//! ring says where to look; where there are many the picture says it itself.

use std::collections::BTreeMap;

use super::palette::CLASSES;
use super::picture::{Content, Picture, Run};

/// The middle of a ring, in pixels from the top left corner of the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) x: u32,
    pub(super) y: u32,
    /// The index of the class that is ringed.
    pub(super) class: usize,
}

/// Returns the rings of a picture whose cells have `zoom` pixels a side; none where there would be
/// too many.
///
/// The cells are looked at in squares. What most addresses of a square have is its ground, and of
/// the rest what touches a few pixels only is ringed; of changes, only what did change.
pub(super) fn marks(picture: &Picture<'_, '_>, zoom: u32) -> Vec<Mark> {
    let side = (TILE / zoom).clamp(1, 1 << picture.window.order);
    let tile_cells = u64::from(side * side);
    let first = picture.window.first_cell;
    let mut tiles: BTreeMap<u64, Tile> = BTreeMap::new();
    for run in &picture.runs {
        let end = run.cell + run.count;
        let mut cell = run.cell;
        while cell < end {
            let tile = (first + cell) / tile_cells;
            let left = (tile + 1) * tile_cells - (first + cell);
            let count = left.min(end - cell);
            // A square that is alike all over has nothing to ring.
            if count == tile_cells {
                cell += (end - cell) / tile_cells * tile_cells;
                continue;
            }
            tiles
                .entry(tile)
                .or_default()
                .add(picture, run, cell, count);
            cell += count;
        }
    }
    let eligible: &[usize] = if picture.survey.is_diff() {
        &[0, 1]
    } else {
        &[0, 1, 2]
    };
    let marks: Vec<Mark> = tiles
        .values()
        .filter_map(|tile| tile.mark(eligible, zoom))
        .collect();
    if marks.len() > MOST {
        Vec::new()
    } else {
        marks
    }
}

/// A square of cells.
#[derive(Default)]
struct Tile {
    parts: [Part; CLASSES],
}

/// What of a square has one class.
#[derive(Clone, Copy, Default)]
struct Part {
    addresses: u128,
    /// The cells with any such address, and the sums of the columns and rows of the first few.
    cells: u64,
    x: u32,
    y: u32,
}

impl Tile {
    fn add(&mut self, picture: &Picture<'_, '_>, run: &Run, cell: u64, count: u64) {
        let counts = match run.content {
            Content::Whole(index) => {
                let mut counts = [0; CLASSES];
                let class = picture.stretch(index).map_or(0, |stretch| stretch.class);
                if let Some(of_class) = counts.get_mut(class) {
                    *of_class = picture.window.addresses(1).saturating_mul(count.into());
                }
                counts
            }
            Content::Mixed(index) => picture.counts(index),
        };
        let touched = self
            .parts
            .iter_mut()
            .zip(counts)
            .filter(|(_, count)| *count > 0);
        for (part, addresses) in touched {
            part.addresses = part.addresses.saturating_add(addresses);
            part.cells += count;
            // What has more cells than this is seen without a ring.
            for cell in (cell..cell + count).take(usize::try_from(SMALL).unwrap_or(0)) {
                let (x, y) = picture.window.point(cell);
                part.x += x;
                part.y += y;
            }
        }
    }

    /// Returns the ring around the rarest class that is too small to be seen.
    fn mark(&self, eligible: &[usize], zoom: u32) -> Option<Mark> {
        let ground = self.parts.iter().map(|part| part.addresses).max()?;
        let small = |part: &Part| {
            let pixels = part.cells.saturating_mul(u64::from(zoom * zoom));
            part.cells > 0 && part.addresses < ground && pixels <= u64::from(SMALL)
        };
        let parts = self.parts.iter().enumerate();
        let (class, part) = parts
            .filter(|(class, part)| eligible.contains(class) && small(part))
            .min_by_key(|(_, part)| part.addresses)?;
        let cells = u32::try_from(part.cells).ok()?;
        let middle = |sum: u32| (2 * sum + cells) * zoom / (2 * cells);
        Some(Mark {
            x: middle(part.x),
            y: middle(part.y),
            class,
        })
    }
}

/// Pixels a side of the squares in which dots are counted.
const TILE: u32 = 32;
/// Pixels that are overlooked.
const SMALL: u32 = 16;
/// Rings beyond which there are none.
const MOST: usize = 128;
/// The radius of a ring, in pixels.
pub(super) const RADIUS: u32 = 9;

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::super::picture::Survey;
    use super::super::picture::tests::allowing;
    use super::*;

    fn rings(prefixes: &[&str], levels: u32, zoom: u32) -> Vec<(u32, u32, usize)> {
        let partition = allowing(prefixes, "0.0.0.0/0");
        let survey = Survey::decisions(&partition);
        let found = marks(&Picture::new(&survey, levels), zoom);
        found
            .iter()
            .map(|mark| (mark.x, mark.y, mark.class))
            .collect()
    }

    #[test]
    fn what_is_small_is_ringed() {
        assert_eq!(rings(&["0.0.0.1/32"], 10, 1), [(0, 0, 0)]);
        assert_eq!(
            rings(&["0.0.0.1/32", "255.255.255.0/24"], 8, 2),
            [(1, 1, 0), (511, 1, 0)]
        );
        assert_eq!(rings(&["0.0.0.0/8"], 10, 1), []);
        // A hole is ringed as well.
        let hole: Vec<String> = (0..32)
            .map(|bit| format!("{}/{}", Ipv4Addr::from_bits(1 << (31 - bit)), bit + 1))
            .collect();
        let hole: Vec<&str> = hole.iter().map(String::as_str).collect();
        assert_eq!(rings(&hole, 10, 1), [(0, 0, 2)]);
        let both = [&["255.0.0.0/8"][..], &hole[..1]].concat();
        assert_eq!(rings(&both, 10, 1), []);
        assert_eq!(rings(&["0.0.0.0/1"], 10, 1), []);
    }

    #[test]
    fn many_dots_need_no_rings() {
        let prefixes: Vec<String> = (0..200).map(|octet| format!("{octet}.0.0.0/24")).collect();
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        assert_eq!(rings(&prefixes, 10, 1), []);
        assert_eq!(rings(&prefixes[..100], 10, 1).len(), 100);
    }
}
