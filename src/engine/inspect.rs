//! What an engine is made of.

use core::fmt;

use crate::image::{Image, Row};
use crate::util::hash::HashTable;
use crate::util::int::AsUsize;

/// What an engine is made of: counts, sizes and the strategy that the build chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    strategy: &'static str,
    lookups: [(&'static str, String); 2],
    counts: Vec<(&'static str, u64)>,
    sections: Vec<Section>,
}

/// A group of tables of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// What the tables are for.
    pub name: &'static str,
    /// The number of entries of the main table.
    pub items: u64,
    /// The size of all its tables, in bytes.
    pub bytes: u64,
}

impl Inspection {
    /// Returns how the rows are kept: `cells`, `lists`, `cells and lists`, or `empty`.
    pub const fn strategy(&self) -> &'static str {
        self.strategy
    }

    /// Returns how each address family's classes are looked up, by name.
    pub fn lookups(&self) -> &[(&'static str, String)] {
        &self.lookups
    }

    /// Returns what there is how many of, by name.
    pub fn counts(&self) -> &[(&'static str, u64)] {
        &self.counts
    }

    /// Returns the tables' sizes.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Returns the size of all tables, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.sections.iter().map(|section| section.bytes).sum()
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28}{}", "strategy", self.strategy)?;
        for (name, lookup) in &self.lookups {
            writeln!(f, "{name:<28}{lookup}")?;
        }
        for (name, count) in &self.counts {
            writeln!(f, "{name:<28}{count}")?;
        }
        writeln!(f)?;
        writeln!(f, "{:<16}{:>12}{:>14}", "section", "items", "bytes")?;
        for Section { name, items, bytes } in &self.sections {
            writeln!(f, "{name:<16}{items:>12}{bytes:>14}")?;
        }
        write!(f, "{:<16}{:>12}{:>14}", "total", "", self.total_bytes())
    }
}

pub(super) fn inspect(image: &Image) -> Inspection {
    let of_kind = |kind| count(image.rows.iter().filter(|row| row.kind == kind).count());
    let lists = of_kind(Row::KIND_LIST);
    let strategy = match (count(image.rows.len()), lists) {
        (0, _) => "empty",
        (_, 0) => "cells",
        (rows, lists) if rows == lists => "lists",
        _ => "cells and lists",
    };
    let v4_classes = u64::from(image.v6_class_base);
    let counts = vec![
        ("statements", count(image.rules.len())),
        ("prefix lists", count(image.lists.len())),
        ("IPv4 ranges", count(image.ranges_v4.len())),
        ("IPv6 ranges", count(image.ranges_v6.len())),
        ("IPv4 classes", v4_classes),
        ("IPv6 classes", u64::from(image.class_count) - v4_classes),
        ("IPv4 stretches", u64::from(image.v4.stretches())),
        ("IPv6 stretches", u64::from(image.v6.stretches())),
        ("resource patterns", count(image.patterns.len())),
        ("automaton nodes", count(image.automaton.heads.nodes.len())),
        ("NotResource lists", count(image.complements.len())),
        ("lanes", count(image.lanes.len())),
        ("rows, uniform", of_kind(Row::KIND_UNIFORM)),
        ("rows, sparse", of_kind(Row::KIND_SPARSE)),
        ("rows, dense", of_kind(Row::KIND_DENSE)),
        ("rows, lists of rules", lists),
        ("residual programs", count(image.programs.len())),
        ("conditions", count(image.conditions.len())),
    ];
    let automaton = &image.automaton;
    let section = |name, items: usize, sizes: &[usize]| Section {
        name,
        items: count(items),
        bytes: sizes.iter().map(|&size| count(size)).sum(),
    };
    let sections = vec![
        section(
            "classes",
            image.class_count.as_usize(),
            &[image.v4.bytes(), image.v6.bytes()],
        ),
        section(
            "automaton",
            image.patterns.len(),
            &[
                size(&automaton.heads.nodes),
                size(&automaton.heads.labels),
                hash_size(&automaton.heads.children),
                size(&automaton.ids),
                size(&automaton.tails),
                size(&automaton.pieces),
                size(&automaton.grams.sets),
                size(&automaton.grams.filters),
                hash_size(&automaton.grams.table),
                size(&automaton.grams.groups),
                size(&automaton.programs),
                size(&image.patterns),
                size(&image.cancels),
                size(&image.complements),
                size(&image.complement_patterns),
                size(&image.withheld),
                size(&image.withheld_lanes),
                size(&image.withheld_rows),
            ],
        ),
        section(
            "lanes",
            image.lanes.len(),
            &[
                size(&image.lanes),
                size(&image.actions),
                size(&image.action_programs),
                size(&image.principals),
                size(&image.principal_entries),
                hash_size(&image.action_table),
                size(&image.actions_open),
                hash_size(&image.principal_table),
                size(&image.principals_open),
            ],
        ),
        section(
            "rows",
            image.rows.len(),
            &[
                size(&image.hits),
                size(&image.rows),
                size(&image.sparse_cells),
                size(&image.dense_cells),
                size(&image.row_rules),
            ],
        ),
        section(
            "programs",
            image.programs.len(),
            &[
                size(&image.programs),
                size(&image.program_items),
                size(&image.program_keys),
                hash_size(&image.program_table),
                size(&image.residuals),
                size(&image.residual_conditions),
            ],
        ),
        section(
            "conditions",
            image.conditions.len(),
            &[
                size(&image.conditions),
                size(&image.values),
                size(&image.parts),
                hash_size(&image.value_table),
            ],
        ),
        section(
            "prefix lists",
            image.lists.len(),
            &[
                size(&image.lists),
                size(&image.ranges_v4),
                size(&image.ranges_v6),
            ],
        ),
        section(
            "explanations",
            image.rules.len(),
            &[
                size(&image.rules),
                size(&image.rule_patterns),
                size(&image.rule_conditions),
                size(&image.notes),
                size(&image.noted_v4),
                size(&image.noted_v6),
            ],
        ),
        section("texts", image.text.len(), &[size(&image.text)]),
    ];
    let lookups = [
        ("IPv4 look-up", image.v4.shape().to_string()),
        ("IPv6 look-up", image.v6.shape().to_string()),
    ];
    Inspection {
        strategy,
        lookups,
        counts,
        sections,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn hash_size(table: &HashTable) -> usize {
    size(&table.buckets) + size(&table.slots)
}

fn size<T>(table: &[T]) -> usize {
    size_of_val(table)
}
