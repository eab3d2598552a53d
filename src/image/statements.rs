//! Rules as written: what an explanation tells, and what a rule kept in a list is tested by.

use ipnet::IpNet;

use super::keys::v6_words;
use super::tables::{
    EFFECT_ALLOW, EFFECT_DENY, Image, Note, Noted, NotedV4, NotedV6, Rule, RulePattern,
};
use super::writer::{Writer, append, behind};
use crate::decision::Effect;
use crate::ir::{self, BuildError, RuleSet};
use crate::policy::Located;
use crate::util::extent::Extent;

/// Returns the number of an effect.
pub(super) const fn effect_number(effect: Effect) -> u32 {
    match effect {
        Effect::Deny => EFFECT_DENY,
        Effect::Allow => EFFECT_ALLOW,
    }
}

/// Writes all rules, the prefixes of their notes apart; `lanes` has the lane of each.
pub(super) fn write(
    writer: &mut Writer,
    rules: &RuleSet<'_>,
    lanes: &[u32],
) -> Result<(), BuildError> {
    let image = &mut writer.image;
    image.rules.reserve_exact(rules.rules.len());
    image.notes.reserve_exact(notes(rules).count());
    for (rule, &lane) in rules.rules.iter().zip(lanes) {
        let patterns = rule
            .patterns
            .iter()
            .map(|&(pattern, position)| RulePattern {
                pattern,
                line: position.line,
                column: position.column,
            });
        let before = writer.image.notes.len();
        for note in &rule.notes {
            let note = Note {
                condition: note.condition,
                key: writer.text(note.key.as_bytes())?,
                v4: Extent::default(),
                v6: Extent::default(),
            };
            writer.image.notes.push(note);
        }
        let notes = behind(&writer.image.notes, before, "prefix lists")?;
        let conditions = rule.conditions.iter().copied();
        let record = Rule {
            policy: rule.policy,
            statement: rule.statement,
            line: rule.position.line,
            column: rule.position.column,
            effect: effect_number(rule.effect),
            lane,
            has_sid: u32::from(rule.sid.is_some()),
            sid: writer.text(rule.sid.unwrap_or_default().as_bytes())?,
            not_resource: u32::from(rule.not_resource),
            patterns: append(&mut writer.image.rule_patterns, patterns, "resources")?,
            conditions: append(&mut writer.image.rule_conditions, conditions, "conditions")?,
            notes,
        };
        writer.image.rules.push(record);
    }
    Ok(())
}

fn notes<'r, 'p>(rules: &'r RuleSet<'p>) -> impl Iterator<Item = &'r ir::Note<'p>> + Clone {
    rules.rules.iter().flat_map(|rule| &rule.notes)
}

/// The prefixes of all notes.
#[derive(Debug)]
pub(super) struct Prefixes {
    v4: Vec<NotedV4>,
    v6: Vec<NotedV6>,
    /// Those of each note, of IPv4 and of IPv6.
    extents: Vec<[Extent; 2]>,
}

/// Returns the prefixes of the notes as the image has them.
pub(super) fn prefixes(rules: &RuleSet<'_>) -> Result<Prefixes, BuildError> {
    let notes = notes(rules);
    let written = notes.clone().flat_map(|note| note.prefixes);
    let is_v4 = |prefix: &&Located<IpNet>| matches!(prefix.value, IpNet::V4(_));
    let v4_count = written.clone().filter(is_v4).count();
    let (mut v4, mut v6) = (
        Vec::with_capacity(v4_count),
        Vec::with_capacity(written.count() - v4_count),
    );
    let mut extents = Vec::with_capacity(notes.clone().count());
    for note in notes {
        let (v4_before, v6_before) = (v4.len(), v6.len());
        let mut positions = note.policy.positions();
        for prefix in note.prefixes {
            let position = positions.of(prefix.span);
            let noted = Noted {
                length: u32::from(prefix.value.prefix_len()),
                line: position.line,
                column: position.column,
            };
            match prefix.value {
                IpNet::V4(net) => v4.push(NotedV4 {
                    first: net.network().to_bits(),
                    prefix: noted,
                }),
                IpNet::V6(net) => v6.push(NotedV6 {
                    first: v6_words(net.network().to_bits()),
                    prefix: noted,
                }),
            }
        }
        extents.push([sorted(&mut v4, v4_before)?, sorted(&mut v6, v6_before)?]);
    }
    Ok(Prefixes { v4, v6, extents })
}

impl Prefixes {
    /// Puts them into the image, whose notes are those of the same rules.
    pub(super) fn write(self, image: &mut Image) {
        (image.noted_v4, image.noted_v6) = (self.v4, self.v6);
        for (note, extents) in image.notes.iter_mut().zip(self.extents) {
            [note.v4, note.v6] = extents;
        }
    }
}

/// Sorts what a table has from `from` on, and returns where it is.
fn sorted<T: Ord>(table: &mut [T], from: usize) -> Result<Extent, BuildError> {
    table.get_mut(from..).unwrap_or_default().sort_unstable();
    behind(table, from, "prefixes")
}
