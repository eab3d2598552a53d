//! Resource patterns and `NotResource` lists → the automaton and what each of them brings.

use smallvec::SmallVec;

use super::rows::Rows;
use super::tables::{Complement, Hit, OPEN_LANE, Pattern, Withheld, WithheldLane};
use super::writer::{Writer, append, behind, index};
use crate::ir::{BuildError, RuleSet};
use crate::pattern;
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId, RuleId};
use crate::util::int::AsUsize;
use crate::util::keyed::Map;

/// A rule by what brings it: a pattern or a complement, then its lane and effect, deny first.
type Brought<K> = (K, u32, u32, RuleId);

/// The patterns of one element; most have a few.
type Patterns = SmallVec<[PatternId; 4]>;

/// The rules of one row; most rows have one.
type RuleIds = SmallVec<[RuleId; 4]>;

/// Writes what each pattern and complement brings; the patterns are written.
pub(super) fn write(
    writer: &mut Writer,
    rules: &RuleSet<'_>,
    mut rows: Rows<'_>,
) -> Result<(), BuildError> {
    let mut brought: Vec<Brought<PatternId>> = Vec::new();
    let mut withheld: Vec<Brought<u32>> = Vec::new();
    let mut complements: Map<Patterns, u32> = Map::default();
    for (at, rule) in rules.rules.iter().enumerate() {
        let id = RuleId::new(at).ok_or(BuildError::too_large("statements"))?;
        let Some(record) = writer.image.rules.get(at).copied() else {
            continue;
        };
        let patterns = rule.patterns.iter().map(|&(pattern, _)| pattern);
        let mut patterns: Patterns = patterns.collect();
        patterns.sort_unstable();
        patterns.dedup();
        let (lane, effect) = (record.lane, record.effect);
        if rule.not_resource {
            let complement = complement(writer, &mut complements, patterns)?;
            withheld.push((complement, lane, effect, id));
        } else {
            brought.extend(patterns.iter().map(|&pattern| (pattern, lane, effect, id)));
        }
    }
    brought.sort_unstable();
    for chunk in brought.chunk_by(|a, b| a.0 == b.0) {
        let hits = write_hits(writer, chunk, &mut rows)?;
        let open = rows.joined(&open_rules(writer, chunk), &mut writer.image)?;
        let pattern = chunk
            .first()
            .and_then(|first| writer.image.patterns.get_mut(first.0.as_usize()));
        if let Some(pattern) = pattern {
            (pattern.hits, pattern.open_row) = (hits, open);
        }
    }
    write_withheld(writer, withheld, &mut rows)?;
    rows.finish(&mut writer.image)
}

/// Writes the patterns, which bring nothing yet, and their automaton.
pub(super) fn write_patterns(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    let programs = rules.patterns.iter().map(|pattern| pattern.program());
    let programs: Vec<&[u8]> = programs.collect();
    writer.image.automaton =
        pattern::build::build(&programs).ok_or(BuildError::too_large("patterns"))?;
    writer.image.patterns.reserve_exact(rules.patterns.len());
    for source in &rules.patterns {
        let pattern = Pattern {
            raw: writer.text(source.raw.as_bytes())?,
            parts: writer.parts(&source.parts)?,
            has_variables: u32::from(source.has_variables),
            open_row: super::NO_ROW,
            hits: Extent::default(),
            cancels: Extent::default(),
        };
        writer.image.patterns.push(pattern);
    }
    Ok(())
}

/// Returns the number of a `NotResource` list.
fn complement(
    writer: &mut Writer,
    known: &mut Map<Patterns, u32>,
    patterns: Patterns,
) -> Result<u32, BuildError> {
    if let Some(&number) = known.get(&patterns) {
        return Ok(number);
    }
    let number = index(writer.image.complements.len(), "NotResource lists")?;
    let stored = append(
        &mut writer.image.complement_patterns,
        patterns.iter().copied(),
        "NotResource lists",
    )?;
    writer
        .image
        .complements
        .push(Complement { patterns: stored });
    known.insert(patterns, number);
    Ok(number)
}

/// Stores the rows of one pattern, by lane.
fn write_hits(
    writer: &mut Writer,
    sorted: &[Brought<PatternId>],
    rows: &mut Rows<'_>,
) -> Result<Extent, BuildError> {
    let before = writer.image.hits.len();
    for chunk in sorted.chunk_by(|a, b| a.1 == b.1) {
        let row = rows.row(&rule_ids(chunk), &mut writer.image)?;
        if let Some(&(_, lane, _, _)) = chunk.first() {
            writer.image.hits.push(Hit { lane, row });
        }
    }
    behind(&writer.image.hits, before, "rows")
}

/// Returns the rules of these that are for an anonymous caller who invokes, deny first.
fn open_rules<K>(writer: &Writer, brought: &[Brought<K>]) -> RuleIds {
    let lanes = &writer.image.lanes;
    let is_open = |lane: u32| {
        lanes
            .get(lane.as_usize())
            .is_some_and(|lane| lane.open == 1)
    };
    let open = brought.iter().filter(|entry| is_open(entry.1));
    let mut open: SmallVec<[(u32, RuleId); 4]> = open.map(|entry| (entry.2, entry.3)).collect();
    open.sort_unstable();
    open.into_iter().map(|(_, rule)| rule).collect()
}

fn rule_ids<K>(brought: &[Brought<K>]) -> RuleIds {
    brought.iter().map(|entry| entry.3).collect()
}

/// Stores what the complements bring by lane, and which pattern cancels what.
fn write_withheld(
    writer: &mut Writer,
    withheld: Vec<Brought<u32>>,
    rows: &mut Rows<'_>,
) -> Result<(), BuildError> {
    let lanes = &writer.image.lanes;
    let is_open = |lane: u32| {
        lanes
            .get(lane.as_usize())
            .is_some_and(|lane| lane.open == 1)
    };
    let mut entries: Vec<(u32, u32, u32, RuleId)> = Vec::with_capacity(withheld.len() * 2);
    for (complement, lane, effect, rule) in withheld {
        entries.push((lane, complement, effect, rule));
        if is_open(lane) {
            entries.push((OPEN_LANE, complement, effect, rule));
        }
    }
    entries.sort_unstable();
    for of_lane in entries.chunk_by(|a, b| a.0 == b.0) {
        let mut records = Vec::new();
        let mut rules: Vec<Vec<(u32, RuleId)>> = Vec::new();
        for chunk in of_lane.chunk_by(|a, b| a.1 == b.1) {
            let Some(&(_, complement, _, _)) = chunk.first() else {
                continue;
            };
            let row = rows.row(&rule_ids(chunk), &mut writer.image)?;
            records.push(Withheld { complement, row });
            rules.push(chunk.iter().map(|entry| (entry.2, entry.3)).collect());
        }
        let Some(&(lane, ..)) = of_lane.first() else {
            continue;
        };
        let mut tree = Vec::new();
        if records.len() > 1 {
            grow(&rules, &mut tree, rows, writer)?;
        }
        let record = WithheldLane {
            lane,
            entries: append(&mut writer.image.withheld, records, "NotResource lists")?,
            tree: append(&mut writer.image.withheld_rows, tree, "NotResource lists")?,
        };
        writer.image.withheld_lanes.push(record);
    }
    write_cancels(writer)
}

/// Appends the tree over the rules of neighbouring entries, in preorder.
fn grow(
    entries: &[Vec<(u32, RuleId)>],
    tree: &mut Vec<u32>,
    rows: &mut Rows<'_>,
    writer: &mut Writer,
) -> Result<(), BuildError> {
    let mut open = vec![entries];
    while let Some(stretch) = open.pop() {
        let mut rules: Vec<(u32, RuleId)> = stretch.concat();
        rules.sort_unstable();
        let rules: Vec<RuleId> = rules.into_iter().map(|(_, rule)| rule).collect();
        tree.push(rows.joined(&rules, &mut writer.image)?);
        if let Some((first, second)) = stretch.split_at_checked(stretch.len() / 2)
            && !first.is_empty()
        {
            open.extend([second, first]);
        }
    }
    Ok(())
}

/// Stores for each pattern the entries that do not count where it matches.
fn write_cancels(writer: &mut Writer) -> Result<(), BuildError> {
    let image = &mut writer.image;
    let mut cancels: Vec<(PatternId, u32)> = Vec::new();
    for (at, entry) in image.withheld.iter().enumerate() {
        let at = index(at, "NotResource lists")?;
        let complement = image.complements.get(entry.complement.as_usize());
        let patterns = complement.copied().unwrap_or_default().patterns;
        let patterns = patterns.of(&image.complement_patterns).iter();
        cancels.extend(patterns.map(|&pattern| (pattern, at)));
    }
    cancels.sort_unstable();
    for chunk in cancels.chunk_by(|a, b| a.0 == b.0) {
        let entries = chunk.iter().map(|cancel| cancel.1);
        let stored = append(&mut image.cancels, entries, "NotResource lists")?;
        let pattern = chunk
            .first()
            .and_then(|first| image.patterns.get_mut(first.0.as_usize()));
        if let Some(pattern) = pattern {
            pattern.cancels = stored;
        }
    }
    Ok(())
}
