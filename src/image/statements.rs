//! Rules as written: what an explanation tells, and what a rule kept in a list is tested by.

use ipnet::IpNet;

use super::keys::v6_words;
use super::tables::{EFFECT_ALLOW, EFFECT_DENY, Note, Noted, NotedV4, NotedV6, Rule, RulePattern};
use super::writer::{Writer, append, behind};
use crate::decision::Effect;
use crate::ir::{self, BuildError, RuleSet};
use crate::util::extent::Extent;

/// Returns the number of an effect.
pub(super) const fn effect_number(effect: Effect) -> u32 {
    match effect {
        Effect::Deny => EFFECT_DENY,
        Effect::Allow => EFFECT_ALLOW,
    }
}

/// Writes all rules; `lanes` has the lane of each.
pub(super) fn write(
    writer: &mut Writer,
    rules: &RuleSet<'_>,
    lanes: &[u32],
) -> Result<(), BuildError> {
    let image = &mut writer.image;
    let notes = || rules.rules.iter().flat_map(|rule| &rule.notes);
    let prefixes = || notes().flat_map(|note| note.prefixes);
    let v4_count = prefixes()
        .filter(|p| matches!(p.value, IpNet::V4(_)))
        .count();
    image.rules.reserve_exact(rules.rules.len());
    image.notes.reserve_exact(notes().count());
    image.noted_v4.reserve_exact(v4_count);
    image.noted_v6.reserve_exact(prefixes().count() - v4_count);
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
            let note = write_note(writer, note)?;
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

fn write_note(writer: &mut Writer, note: &ir::Note<'_>) -> Result<Note, BuildError> {
    let key = writer.text(note.key.as_bytes())?;
    let (v4, v6) = (&mut writer.image.noted_v4, &mut writer.image.noted_v6);
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
    Ok(Note {
        condition: note.condition,
        key,
        v4: sorted(v4, v4_before)?,
        v6: sorted(v6, v6_before)?,
    })
}

/// Sorts what a table has from `from` on, and returns where it is.
fn sorted<T: Ord>(table: &mut [T], from: usize) -> Result<Extent, BuildError> {
    table.get_mut(from..).unwrap_or_default().sort_unstable();
    behind(table, from, "prefixes")
}
