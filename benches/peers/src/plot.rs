//! The plots: both axes logarithmic, a line for each contender, named at its end.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::contender::{BATCH, Column, LOOP};

const SIZE: (u32, u32) = (900, 560);
/// Between two names, in pixels.
const LINE: i32 = 16;

/// One contender: name, and `(size, nanoseconds)` in order of size.
type Series = (String, Vec<(f64, f64)>);

/// Draws the latency of generated IPv4 tables.
pub(crate) fn prefixes(path: &Path, tables: &[Column]) -> Result<(), Box<dyn Error>> {
    let columns: Vec<&Column> = tables
        .iter()
        .filter(|column| !column.label.contains("IPv"))
        .collect();
    let title = "One address in a table of IPv4 prefixes: latency in ns";
    let mut series = series(&columns);
    // The loop needs a thousand times as long, and would flatten all others.
    series.retain(|(name, _)| name != LOOP);
    draw(path, title, "prefixes", &series)
}

/// Draws the latency of whole decisions.
pub(crate) fn statements(path: &Path, decisions: &[Column]) -> Result<(), Box<dyn Error>> {
    let columns: Vec<&Column> = decisions.iter().collect();
    let title = "One decision on a policy: latency in ns";
    draw(path, title, "statements", &series(&columns))
}

fn series(columns: &[&Column]) -> Vec<Series> {
    let names = columns.first().map_or(&[][..], |column| &column.measured);
    let points = |name: &str| -> Vec<(f64, f64)> {
        let point = |column: &&Column| Some((column.size as f64, column.of(name)?.latency?));
        columns.iter().filter_map(point).collect()
    };
    names
        .iter()
        .filter(|measured| measured.name != BATCH)
        .map(|measured| (measured.name.replace("**", ""), points(measured.name)))
        .filter(|(_, points)| !points.is_empty())
        .collect()
}

fn draw(path: &Path, title: &str, axis: &str, series: &[Series]) -> Result<(), Box<dyn Error>> {
    let points = || series.iter().flat_map(|(_, points)| points);
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let values = points().map(of);
        values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let (from, to) = ends(|point| point.0);
    let (low, high) = ends(|point| point.1);
    let decade = |value: f64, round: fn(f64) -> f64| 10_f64.powf(round(value.log10()));

    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(16)
        .margin_right(230)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(
            (from..to).log_scale(),
            (decade(low, f64::floor)..decade(high, f64::ceil)).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .x_label_formatter(&|value| spaced(*value))
        .y_label_formatter(&|value| spaced(*value))
        .bold_line_style(BLACK.mix(0.15))
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 14))
        .draw()?;

    let mut names = Vec::new();
    for (at, (name, points)) in series.iter().enumerate() {
        let is_engine = name.starts_with("portcullis");
        let color = color(at, name, is_engine);
        let style = color.stroke_width(if is_engine { 4 } else { 2 });
        chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        chart.draw_series(
            points
                .iter()
                .map(|&point| Circle::new(point, 3, color.filled())),
        )?;
        if let Some(last) = points.last() {
            names.push((chart.backend_coord(last), name.as_str(), color));
        }
    }
    drop(chart);
    label(&area, names)?;
    area.present()?;
    Ok(())
}

/// Writes each name beside the end of its line, moved down where two would overlap.
fn label(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    mut names: Vec<((i32, i32), &str, RGBColor)>,
) -> Result<(), Box<dyn Error>> {
    names.sort_by_key(|name| name.0.1);
    let mut free = i32::MIN;
    for ((x, y), name, color) in names {
        let top = (y - LINE / 2).max(free);
        free = top + LINE;
        let style = ("sans-serif", 14).into_font().color(&color);
        area.draw_text(name, &style, (x + 10, top))?;
    }
    Ok(())
}

/// The engine is red, the loop black, the others apart for all kinds of eyes.
fn color(at: usize, name: &str, is_engine: bool) -> RGBColor {
    const OTHERS: [RGBColor; 6] = [
        RGBColor(0, 114, 178),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(146, 96, 0),
        RGBColor(86, 150, 220),
        RGBColor(120, 94, 160),
    ];
    match name {
        _ if name.ends_with("alone") => RGBColor(240, 140, 0),
        _ if is_engine => RGBColor(213, 50, 0),
        LOOP => BLACK,
        _ => OTHERS[at % OTHERS.len()],
    }
}

fn spaced(value: f64) -> String {
    crate::report::figure(value)
        .trim_end_matches(".0")
        .to_owned()
}
