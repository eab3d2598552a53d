//! Rules as written: what an explanation tells, and what a rule kept in a list is tested by.

use super::keys::v6_words;
use super::tables::{EFFECT_ALLOW, EFFECT_DENY, Note, Noted, NotedV4, NotedV6, Rule, RulePattern};
use super::writer::{Writer, append};
use crate::decision::Effect;
use crate::ir::{self, BuildError, RuleSet};

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
    for (rule, &lane) in rules.rules.iter().zip(lanes) {
        let patterns = rule
            .patterns
            .iter()
            .map(|&(pattern, position)| RulePattern {
                pattern,
                line: position.line,
                column: position.column,
            });
        let mut notes = Vec::with_capacity(rule.notes.len());
        for note in &rule.notes {
            notes.push(write_note(writer, note)?);
        }
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
            notes: append(&mut writer.image.notes, notes, "prefix lists")?,
        };
        writer.image.rules.push(record);
    }
    Ok(())
}

fn write_note(writer: &mut Writer, note: &ir::Note<'_>) -> Result<Note, BuildError> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    let mut positions = note.policy.positions();
    for prefix in note.prefixes {
        let position = positions.of(prefix.span);
        let noted = Noted {
            length: u32::from(prefix.value.prefix_len()),
            line: position.line,
            column: position.column,
        };
        match prefix.value {
            ipnet::IpNet::V4(net) => v4.push(NotedV4 {
                first: net.network().to_bits(),
                prefix: noted,
            }),
            ipnet::IpNet::V6(net) => v6.push(NotedV6 {
                first: v6_words(net.network().to_bits()),
                prefix: noted,
            }),
        }
    }
    v4.sort_unstable();
    v6.sort_unstable();
    Ok(Note {
        condition: note.condition,
        key: writer.text(note.key.as_bytes())?,
        v4: append(&mut writer.image.noted_v4, v4, "prefixes")?,
        v6: append(&mut writer.image.noted_v6, v6, "prefixes")?,
    })
}
