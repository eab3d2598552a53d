//! A picture as a PNG.
//!
//! ```text
//! title, what was asked
//! the cells, 2^n pixels a side, with grid and labels over them
//! legend, counts, notes
//! ```

use super::caption::Caption;
use super::font::{ADVANCE, LINE, glyph};
use super::grid::{Grid, special_use};
use super::marks::{RADIUS, marks};
use super::palette::Rgb;
use super::picture::Picture;
use super::svg::{description, ring};
use super::window::Rect;

/// Returns the PNG of a picture whose longer side is `size` pixels.
pub(super) fn png(picture: &Picture<'_, '_>, caption: &Caption, size: u32, hatch: bool) -> Vec<u8> {
    let sheet = sheet(picture, caption, size, hatch);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, sheet.width, sheet.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    // Read aloud where the picture cannot be seen. A text of any characters can be added.
    let _ = encoder.add_itxt_chunk("Title".to_owned(), caption.title.clone());
    let _ = encoder.add_itxt_chunk("Description".to_owned(), description(caption));
    // Writing to a Vec does not fail, and the sheet has as many dots as it says.
    let _ = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&sheet.dots));
    bytes
}

fn sheet(picture: &Picture<'_, '_>, caption: &Caption, size: u32, hatch: bool) -> Sheet {
    let window = &picture.window;
    let zoom = (size / window.columns.max(window.rows)).max(1);
    let (columns, rows) = (window.columns * zoom, window.rows * zoom);
    let letters = if size >= 1024 { 2 } else { 1 };
    let width = columns.max(LEAST_WIDTH) + 2 * MARGIN;
    let fits = (width - 2 * MARGIN) / (ADVANCE * letters);
    let head: Vec<String> = core::iter::once(&caption.title)
        .chain(&caption.lines)
        .flat_map(|line| wrapped(line, fits))
        .collect();
    let notes: Vec<String> = (caption.notes.iter())
        .flat_map(|note| wrapped(note, fits))
        .collect();
    let line = LINE * letters;
    let height_of = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX) * line;
    let top = MARGIN + height_of(head.len()) + MARGIN / 2;
    let below = height_of(caption.legend.len() + notes.len());
    let mut sheet = Sheet::new(width, top + rows + MARGIN + below + MARGIN);

    let mut y = MARGIN;
    for text in &head {
        sheet.text(MARGIN, y, letters, text, Ink::Solid(INK));
        y += line;
    }
    let left = (width - columns) / 2;
    let at = |rect: Rect| Rect {
        x: left + rect.x * zoom,
        y: top + rect.y * zoom,
        width: rect.width * zoom,
        height: rect.height * zoom,
    };
    for run in &picture.runs {
        let color = picture.color(run);
        for cell in run.cell..run.cell + run.count {
            let (x, y) = window.point(cell);
            let (width, height) = (1, 1);
            sheet.fill(
                at(Rect {
                    x,
                    y,
                    width,
                    height,
                }),
                color,
            );
        }
    }
    if hatch {
        for (rect, ..) in special_use(window) {
            sheet.hatch(at(rect));
        }
    }
    if let Some(grid) = Grid::new(window, zoom) {
        for (rect, label) in &grid.blocks {
            let block = at(*rect);
            sheet.corner(block);
            sheet.text(block.x + 3, block.y + 3, 1, label, Ink::Over);
        }
    }
    for mark in marks(picture, zoom) {
        let color = picture
            .survey
            .classes
            .get(mark.class)
            .map_or(INK, |class| class.color);
        sheet.ring(left + mark.x, top + mark.y, ring(color));
    }
    sheet.frame(Rect {
        x: left,
        y: top,
        width: columns,
        height: rows,
    });

    let mut y = top + rows + MARGIN;
    for entry in &caption.legend {
        let swatch = Rect {
            x: MARGIN,
            y,
            width: 3 * 7 * letters / 2,
            height: 8 * letters,
        };
        sheet.fill(swatch, entry.color);
        sheet.frame(swatch);
        let text = format!("{}: {} addresses", entry.label, entry.count);
        let x = MARGIN + swatch.width + ADVANCE * letters;
        sheet.text(x, y, letters, &text, Ink::Solid(INK));
        y += line;
    }
    for note in &notes {
        sheet.text(MARGIN, y, letters, note, Ink::Solid(FAINT));
        y += line;
    }
    sheet
}

/// Cuts a text into lines of at most `limit` characters, between words where it can.
fn wrapped(text: &str, limit: u32) -> Vec<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(8);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let letters: Vec<char> = word.chars().collect();
        if used > 0 && used + letters.len() > limit {
            lines.push(String::new());
            used = 0;
        }
        for piece in letters.chunks(limit) {
            if used + piece.len() > limit {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.extend(piece);
            }
            used += piece.len();
        }
    }
    lines
}

/// Dots, from the top left.
struct Sheet {
    width: u32,
    height: u32,
    dots: Vec<u8>,
}

/// How letters are drawn.
#[derive(Clone, Copy)]
enum Ink {
    /// In one colour.
    Solid(Rgb),
    /// Dark on light ground and light on dark.
    Over,
}

impl Sheet {
    fn new(width: u32, height: u32) -> Self {
        let dots = u64::from(width) * u64::from(height) * 3;
        Self {
            width,
            height,
            dots: vec![0xff; usize::try_from(dots).unwrap_or(0)],
        }
    }

    /// Changes one dot; nothing outside.
    fn dot(&mut self, x: u32, y: u32, change: impl Fn(Rgb) -> Rgb) {
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (u64::from(y) * u64::from(self.width) + u64::from(x)) * 3;
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let dot = self.dots.get_mut(at..at.saturating_add(3));
        if let Some(dot) = dot.and_then(|dot| <&mut Rgb>::try_from(dot).ok()) {
            *dot = change(*dot);
        }
    }

    fn fill(&mut self, rect: Rect, color: Rgb) {
        for y in rect.y..rect.y + rect.height {
            for x in rect.x..rect.x + rect.width {
                self.dot(x, y, |_| color);
            }
        }
    }

    /// Draws lines along the left and upper side.
    fn corner(&mut self, rect: Rect) {
        for x in rect.x..rect.x + rect.width {
            self.dot(x, rect.y, |dot| mixed(dot, INK, 56));
        }
        for y in rect.y + 1..rect.y + rect.height {
            self.dot(rect.x, y, |dot| mixed(dot, INK, 56));
        }
    }

    /// Draws lines around.
    fn frame(&mut self, rect: Rect) {
        let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
        for x in rect.x - 1..=right {
            self.dot(x, rect.y - 1, |_| FAINT);
            self.dot(x, bottom, |_| FAINT);
        }
        for y in rect.y..bottom {
            self.dot(rect.x - 1, y, |_| FAINT);
            self.dot(right, y, |_| FAINT);
        }
    }

    /// Draws thin slanted lines over an area.
    fn hatch(&mut self, rect: Rect) {
        for y in rect.y..rect.y + rect.height {
            for x in rect.x..rect.x + rect.width {
                if (x + y).is_multiple_of(8) {
                    self.dot(x, y, |dot| mixed(dot, contrast(dot), 80));
                }
            }
        }
    }

    /// Draws a circle with a light edge on both sides.
    fn ring(&mut self, x: u32, y: u32, color: Rgb) {
        let reach = RADIUS + 3;
        for row in 0..=2 * reach {
            for column in 0..=2 * reach {
                let (right, down) = (column.abs_diff(reach), row.abs_diff(reach));
                // In quarters of a dot, so that the circle is round.
                let distance = (16 * (right * right + down * down)).isqrt();
                let ink = match distance.abs_diff(4 * RADIUS) {
                    0..=4 => color,
                    5..=8 => [0xff; 3],
                    _ => continue,
                };
                let at = |middle: u32, offset: u32| (middle + offset).checked_sub(reach);
                if let (Some(x), Some(y)) = (at(x, column), at(y, row)) {
                    self.dot(x, y, |_| ink);
                }
            }
        }
    }

    fn text(&mut self, x: u32, y: u32, letters: u32, text: &str, ink: Ink) {
        let mut left = x;
        for character in text.chars() {
            for (column, bits) in (0..).zip(glyph(character)) {
                for row in (0..8).filter(|row| bits >> row & 1 == 1) {
                    for (dx, dy) in square(letters) {
                        let (x, y) = (left + column * letters + dx, y + row * letters + dy);
                        self.dot(x, y, |dot| match ink {
                            Ink::Solid(color) => color,
                            Ink::Over => mixed(dot, contrast(dot), 225),
                        });
                    }
                }
            }
            left += ADVANCE * letters;
        }
    }
}

fn square(side: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..side).flat_map(move |y| (0..side).map(move |x| (x, y)))
}

/// Returns a colour `share` of 255 on the way to another.
fn mixed(from: Rgb, to: Rgb, share: u16) -> Rgb {
    let [red, green, blue] = [0, 1, 2].map(|channel: usize| {
        let of = |color: Rgb| color.get(channel).copied().map_or(0, u16::from);
        let value = (of(from) * (255 - share) + of(to) * share) / 255;
        u8::try_from(value).unwrap_or(u8::MAX)
    });
    [red, green, blue]
}

/// Returns black or white, whichever is seen on a colour.
fn contrast([red, green, blue]: Rgb) -> Rgb {
    let light = u32::from(red) * 3 + u32::from(green) * 6 + u32::from(blue);
    if light > 1280 { INK } else { [0xff; 3] }
}

const INK: Rgb = [0x1c, 0x1f, 0x23];
const FAINT: Rgb = [0x5b, 0x62, 0x6a];
/// Dots around everything.
const MARGIN: u32 = 16;
/// Dots that text has room in.
const LEAST_WIDTH: u32 = 480;
