//! What an engine is made of.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::image::{Loaded, Row, file};

/// What an engine is made of: counts, sizes and the strategy that the build chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    strategy: &'static str,
    lookups: Vec<(&'static str, String)>,
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

    /// Returns how each address family's classes are looked up, by name; of each key with classes.
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

pub(super) fn inspect(loaded: &Loaded) -> Inspection {
    let image = loaded.view();
    let of_kind = |kind| count(image.rows.iter().filter(|row| row.kind == kind).count());
    let lists = of_kind(Row::KIND_LIST);
    let strategy = match (count(image.rows.len()), lists) {
        (0, _) => "empty",
        (_, 0) => "cells",
        (rows, lists) if rows == lists => "lists",
        _ => "cells and lists",
    };
    let primary = &image.primary;
    let v4_classes = u64::from(primary.v6_class_base);
    let second = &image.second;
    let second_v4 = u64::from(second.v6_class_base);
    let mut counts = vec![
        ("statements", count(image.rules.len())),
        ("prefix lists", count(image.lists.len())),
        ("IPv4 ranges", count(image.ranges_v4.len())),
        ("IPv6 ranges", count(image.ranges_v6.len())),
        ("IPv4 classes", v4_classes),
        (
            "IPv6 classes",
            u64::from(primary.class_count).saturating_sub(v4_classes),
        ),
        ("IPv4 stretches", u64::from(primary.v4.stretches)),
        ("IPv6 stretches", u64::from(primary.v6.stretches)),
        ("resource patterns", count(image.patterns.len())),
        ("automaton nodes", count(image.automaton.heads.node_count())),
        ("NotResource lists", count(image.complements.len())),
        ("lanes", count(image.lanes.len())),
        ("rows, uniform", of_kind(Row::KIND_UNIFORM)),
        (
            "rows, sparse",
            of_kind(Row::KIND_SET) + of_kind(Row::KIND_SPARSE),
        ),
        ("rows, dense", of_kind(Row::KIND_DENSE)),
        ("rows, lists of rules", lists),
        ("residual programs", count(image.programs.len())),
        ("conditions", count(image.conditions.len())),
    ];
    if !second.key.is_empty() {
        let second_v6 = u64::from(second.class_count).saturating_sub(second_v4);
        counts.push(("IPv4 classes, second key", second_v4));
        counts.push(("IPv6 classes, second key", second_v6));
    }
    let items = |group| match group {
        "classes" => u64::from(primary.class_count) + u64::from(second.class_count),
        "automaton" => count(image.patterns.len()),
        "lanes" => count(image.lanes.len()),
        "rows" => count(image.rows.len()),
        "programs" => count(image.programs.len()),
        "conditions" => count(image.conditions.len()),
        "prefix lists" => count(image.lists.len()),
        "explanations" => count(image.rules.len()),
        _ => count(image.text.len()),
    };
    let mut sections: Vec<Section> = Vec::new();
    for (table, len) in file::sizes(loaded.bytes()) {
        let size = len.saturating_mul(count(table.record_size));
        match sections.iter_mut().find(|known| known.name == table.group) {
            Some(known) => known.bytes += size,
            None => sections.push(Section {
                name: table.group,
                items: items(table.group),
                bytes: size,
            }),
        }
    }
    let mut lookups = vec![
        ("IPv4 look-up", primary.v4.shape().to_string()),
        ("IPv6 look-up", primary.v6.shape().to_string()),
    ];
    if !second.key.is_empty() {
        lookups.push(("IPv4 look-up, second key", second.v4.shape().to_string()));
        lookups.push(("IPv6 look-up, second key", second.v6.shape().to_string()));
    }
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
