//! A picture as an SVG by itself: an area for each prefix, with a tooltip.
//!
//! No script and nothing to load. What is drawn over the cells is also what a page has over them.

use core::fmt::Write;

use super::caption::Caption;
use super::grid::{Grid, special_use};
use super::marks::{RADIUS, marks};
use super::palette::{DECISIONS, hex};
use super::picture::{Picture, blocks};
use super::story::Story;
use crate::escape::xml;

/// Returns the SVG of a picture whose longer side is `size` pixels.
pub(super) fn svg(
    picture: &Picture<'_, '_>,
    caption: &Caption,
    story: Story<'_>,
    size: u32,
    hatch: bool,
) -> String {
    let zoom = zoom(picture, size);
    let window = &picture.window;
    let (columns, rows) = (window.columns * zoom, window.rows * zoom);
    let width = columns.max(640) + 2 * MARGIN;
    let lines = u32::try_from(caption.lines.len()).unwrap_or(u32::MAX);
    let below = u32::try_from(caption.legend.len() + caption.notes.len()).unwrap_or(u32::MAX);
    let top = MARGIN + 24 + lines * LINE + 4;
    let height = top + rows + MARGIN + below * LINE + MARGIN;
    let left = (width - columns) / 2;

    let mut text = String::new();
    // Writing to a String does not fail, here and below.
    let _ = write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n",
        xml(&caption.title),
        xml(&description(caption)),
    );
    let mut y = MARGIN + 14;
    let _ = writeln!(
        text,
        "<text x=\"{MARGIN}\" y=\"{y}\" class=\"title\">{}</text>",
        xml(&caption.title)
    );
    y += 4;
    for line in &caption.lines {
        y += LINE;
        let _ = writeln!(text, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", xml(line));
    }
    let _ = writeln!(
        text,
        "<g transform=\"translate({left} {top})\">\n<g shape-rendering=\"crispEdges\">"
    );
    areas(&mut text, picture, story, zoom);
    text.push_str("</g>\n");
    text.push_str(&overlay(picture, size, hatch));
    text.push_str("</g>\n");

    let mut y = top + rows + MARGIN;
    for entry in &caption.legend {
        let _ = writeln!(
            text,
            "<rect x=\"{MARGIN}\" y=\"{y}\" width=\"18\" height=\"13\" fill=\"{}\" class=\"frame\"/>\
             <text x=\"{}\" y=\"{}\">{}: {} addresses</text>",
            hex(entry.color),
            MARGIN + 26,
            y + 11,
            entry.label,
            entry.count,
        );
        y += LINE;
    }
    for note in &caption.notes {
        let _ = writeln!(
            text,
            "<text x=\"{MARGIN}\" y=\"{}\" class=\"note\">{}</text>",
            y + 11,
            xml(note)
        );
        y += LINE;
    }
    text.push_str("</svg>\n");
    text
}

/// Returns the number of areas that a picture has as an SVG.
pub(super) fn areas_of(picture: &Picture<'_, '_>) -> usize {
    let first = picture.window.first_cell;
    picture
        .runs
        .iter()
        .map(|run| blocks(run, first).count())
        .sum()
}

/// Returns pixels a side of a cell.
pub(super) fn zoom(picture: &Picture<'_, '_>, size: u32) -> u32 {
    (size / picture.window.columns.max(picture.window.rows)).max(1)
}

fn areas(text: &mut String, picture: &Picture<'_, '_>, story: Story<'_>, zoom: u32) {
    for run in &picture.runs {
        let color = hex(picture.color(run));
        // Cells that are mixed are told apart by themselves.
        let _ = writeln!(text, "<g fill=\"{color}\">");
        for (cell, count) in blocks(run, picture.window.first_cell) {
            let rect = picture.window.block(cell, count);
            let told = story.lines(picture, run, (cell, count)).join("\n");
            let _ = writeln!(
                text,
                "<path d=\"M{} {}h{}v{}h-{2}z\"><title>{}</title></path>",
                rect.x * zoom,
                rect.y * zoom,
                rect.width * zoom,
                rect.height * zoom,
                xml(&told),
            );
        }
        text.push_str("</g>\n");
    }
}

/// Returns what is drawn over the cells: hatching, lines, labels and rings, in pixels from their
/// top left corner.
pub(super) fn overlay(picture: &Picture<'_, '_>, size: u32, hatch: bool) -> String {
    let (window, zoom) = (&picture.window, zoom(picture, size));
    let mut text = String::from("<g pointer-events=\"none\">\n");
    if hatch {
        text.push_str(
            "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
             <path d=\"M-1 1l2-2M0 6l6-6M5 7l2-2\" stroke=\"#1c1f23\" stroke-opacity=\".45\"/></pattern></defs>\n",
        );
        for (rect, ..) in special_use(window) {
            let _ = writeln!(
                text,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"url(#hatch)\"/>",
                rect.x * zoom,
                rect.y * zoom,
                rect.width * zoom,
                rect.height * zoom
            );
        }
    }
    let (columns, rows) = (window.columns * zoom, window.rows * zoom);
    if let Some(grid) = Grid::new(window, zoom) {
        let (mut lines, mut labels) = (String::new(), String::new());
        for (rect, label) in &grid.blocks {
            let (x, y) = (rect.x * zoom, rect.y * zoom);
            let (right, down) = (rect.width * zoom, rect.height * zoom);
            let _ = write!(lines, "M{x} {}V{y}h{right}", y + down);
            if !label.is_empty() {
                let _ = writeln!(
                    labels,
                    "<text x=\"{}\" y=\"{}\">{label}</text>",
                    x + 3,
                    y + 11
                );
            }
        }
        let _ = writeln!(
            text,
            "<path class=\"grid\" d=\"{lines}\"/>\n<g class=\"labels\">\n{labels}</g>"
        );
    }
    for mark in marks(picture, zoom) {
        let color = picture
            .survey
            .classes
            .get(mark.class)
            .map_or([0; 3], |class| class.color);
        let [halo, ink] = [("#fff", 5), (&*hex(ring(color)), 2)].map(|(color, width)| {
            format!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{RADIUS}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"/>",
                mark.x, mark.y
            )
        });
        let _ = writeln!(text, "{halo}{ink}");
    }
    let _ = writeln!(
        text,
        "<rect width=\"{columns}\" height=\"{rows}\" class=\"frame\"/>\n</g>"
    );
    text
}

/// Returns the colour of a ring around a class: its own, but for grey, which a ring is lost in.
pub(super) fn ring(color: super::palette::Rgb) -> super::palette::Rgb {
    let [.., implicit] = &DECISIONS;
    if color == implicit.color {
        [0x5b, 0x62, 0x6a]
    } else {
        color
    }
}

/// Returns the caption as one text.
pub(super) fn description(caption: &Caption) -> String {
    let legend = caption.legend.iter();
    let counts = legend.map(|entry| format!("{}: {} addresses", entry.label, entry.count));
    let lines = caption.lines.iter().cloned();
    lines.chain(counts).collect::<Vec<_>>().join("; ")
}

const MARGIN: u32 = 16;
const LINE: u32 = 19;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1c1f23}.title{font-weight:700;font-size:16px}.note{fill:#5b626a}\
.paper{fill:#fff}.frame{stroke:#5b626a;fill-opacity:1}rect.frame:not([fill]){fill:none}\
.grid{fill:none;stroke:#1c1f23;stroke-opacity:.22;shape-rendering:crispEdges}\
.labels text{font:10px ui-monospace,monospace;fill:#1c1f23;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-opacity:.8}\
path:hover{filter:brightness(.8)}\
@media(prefers-color-scheme:dark){text{fill:#e6e8ea}.note{fill:#a3abb3}.paper{fill:#16191c}}";
