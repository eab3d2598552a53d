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

/// Returns the rings of a picture whose cells have `zoom` pixels a side; none where there would be too many.
pub(super) fn marks(picture: &Picture<'_, '_>, zoom: u32) -> Vec<Mark> {
    let background = background(picture);
    let side = (TILE / zoom).max(1);
    let mut tiles: BTreeMap<(u32, u32), Tile> = BTreeMap::new();
    for run in &picture.runs {
        let Some(class) = foreground(picture, run, &background) else {
            continue;
        };
        for cell in run.cell..run.cell + run.count {
            let (x, y) = picture.window.point(cell);
            let tile = tiles.entry((x / side, y / side)).or_default();
            tile.cells += 1;
            tile.x += x;
            tile.y += y;
            tile.class = class;
        }
    }
    let small = |tile: &&Tile| tile.cells * zoom * zoom <= SMALL;
    if tiles.values().filter(small).count() > MOST {
        return Vec::new();
    }
    let middle = |sum: u32, cells: u32| (2 * sum + cells) * zoom / (2 * cells);
    let marks = tiles.values().filter(small).map(|tile| Mark {
        x: middle(tile.x, tile.cells),
        y: middle(tile.y, tile.cells),
        class: tile.class,
    });
    marks.collect()
}

/// What of a tile is no background.
#[derive(Default)]
struct Tile {
    cells: u32,
    /// The sums of columns and rows.
    x: u32,
    y: u32,
    class: usize,
}

/// Returns which classes are what the others stand out from: what did not change, or else the
/// class that most addresses have.
fn background(picture: &Picture<'_, '_>) -> [bool; CLASSES] {
    if picture.survey.is_diff() {
        return [false, false, true, true];
    }
    let counts = picture.survey.counts();
    let most = counts.iter().max().copied().unwrap_or_default();
    counts.map(|count| count == most)
}

/// Returns the class of a run that stands out most, if one does.
fn foreground(picture: &Picture<'_, '_>, run: &Run, background: &[bool; CLASSES]) -> Option<usize> {
    let stands_out = |class: &usize| background.get(*class) == Some(&false);
    match run.content {
        Content::Whole(index) => {
            let class = picture.stretch(index)?.class;
            stands_out(&class).then_some(class)
        }
        Content::Mixed(index) => {
            let counts = picture.counts(index);
            let classes = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            let classes = classes.filter(|(class, _)| stands_out(class));
            classes
                .max_by_key(|(_, count)| **count)
                .map(|(class, _)| class)
        }
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
