//! Rules → image.

use std::collections::HashMap;

use super::address_set::{AddressCondition, AddressSet, Overlay};
use super::config::{Config, Strategy};
use super::rows::{RowRule, Rows};
use super::tables::{
    Action, Complement, Condition, EFFECT_ALLOW, EFFECT_DENY, Hit, Image, Lane, List, Note,
    NotedPrefix, Pattern, Principal, PrincipalEntry, Rule, RulePattern,
};
use super::writer::{Writer, append, index};
use crate::decision::Effect;
use crate::ir::{self, BuildError, ConditionValues, Principals, RuleSet};
use crate::pattern::{self, glob};
use crate::policy::{self, Operator, Qualifier};
use crate::prefix::Lookup;
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::ids::{Id, ListId, PatternId, RuleId};

/// The key that has classes where no rule says otherwise.
const SOURCE_IP: &str = "aws:sourceip";

/// Builds the image of `rules`.
pub(crate) fn build(rules: &RuleSet<'_>, config: &Config) -> Result<Image, BuildError> {
    let mut writer = Writer::default();
    write_lists(&mut writer, rules)?;
    write_conditions(&mut writer, rules)?;
    write_lanes(&mut writer, rules)?;
    write_rules(&mut writer, rules)?;

    let primary = primary_key(rules);
    writer.image.primary = writer.text(primary.as_bytes())?;
    writer.image.primary_is_source_ip = primary == SOURCE_IP;
    let overlay = overlay(rules, primary, config)?;
    if let Some(overlay) = &overlay {
        let too_large = BuildError::too_large("address classes");
        writer.image.v4 = Lookup::new(&overlay.v4).ok_or(too_large.clone())?;
        writer.image.v6 = Lookup::new(&overlay.v6).ok_or(too_large.clone())?;
        writer.image.v6_class_base = overlay.v4.count;
        writer.image.class_count = overlay
            .v4
            .count
            .checked_add(overlay.v6.count)
            .ok_or(too_large)?;
    }
    let (sets, row_rules) = address_sets(&mut writer, rules, primary, overlay.as_ref())?;
    let rows = Rows::new(
        overlay.as_ref(),
        &sets,
        &row_rules,
        config.strategy,
        config.cell_budget,
    );
    write_resources(&mut writer, rules, rows)?;
    Ok(writer.image)
}

fn write_lists(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    for set in &rules.lists {
        let v4 = append(
            &mut writer.image.ranges_v4,
            set.v4().iter().copied(),
            "prefixes",
        )?;
        let v6 = append(
            &mut writer.image.ranges_v6,
            set.v6().iter().copied(),
            "prefixes",
        )?;
        writer.image.lists.push(List { v4, v6 });
    }
    Ok(())
}

fn write_conditions(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    for condition in &rules.conditions {
        let operator = Operator::ALL
            .iter()
            .position(|&o| o == condition.operator)
            .unwrap_or_default();
        let (list, values) = match &condition.values {
            ConditionValues::List(list) => (*list, Vec::new()),
            ConditionValues::Texts(texts) => {
                let parts = texts.iter().map(|parts| writer.parts(parts));
                (
                    ListId::default(),
                    parts.collect::<Result<Vec<Extent>, _>>()?,
                )
            }
        };
        let record = Condition {
            operator: index(operator, "operators")?,
            qualifier: match condition.qualifier {
                None => 0,
                Some(Qualifier::ForAllValues) => 1,
                Some(Qualifier::ForAnyValue) => 2,
            },
            if_exists: u32::from(condition.if_exists),
            key: writer.text(condition.key.as_bytes())?,
            values: append(&mut writer.image.values, values, "condition values")?,
            list,
        };
        writer.image.conditions.push(record);
    }
    Ok(())
}

fn write_lanes(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    for action in &rules.actions {
        let mut programs = Vec::with_capacity(action.programs.len());
        for program in &action.programs {
            programs.push(writer.text(program)?);
        }
        let matches = |program: &[u8]| glob::matches_ignore_case(program, Request::INVOKE);
        let invoke = action.programs.iter().any(|program| matches(program)) != action.negated;
        let programs = append(&mut writer.image.action_programs, programs, "actions")?;
        let negated = u32::from(action.negated);
        writer.image.actions.push(Action {
            negated,
            matches_invoke: u32::from(invoke),
            programs,
        });
    }
    for principals in &rules.principals {
        let (mode, entries) = match principals {
            Principals::Everyone => (Principal::MODE_EVERYONE, &[][..]),
            Principals::Nobody => (Principal::MODE_NOBODY, &[][..]),
            Principals::Listed(entries) => (Principal::MODE_LISTED, &entries[..]),
            Principals::NotListed(entries) => (Principal::MODE_NOT_LISTED, &entries[..]),
            Principals::NotExempt(entries) => (Principal::MODE_NOT_EXEMPT, &entries[..]),
        };
        let mut records = Vec::with_capacity(entries.len());
        for entry in entries {
            // `Everyone` has become a mode of its own.
            records.extend(principal_entry(writer, entry)?);
        }
        let entries = append(&mut writer.image.principal_entries, records, "principals")?;
        writer.image.principals.push(Principal { mode, entries });
    }
    Ok(())
}

fn principal_entry(
    writer: &mut Writer,
    entry: &policy::PrincipalEntry,
) -> Result<Option<PrincipalEntry>, BuildError> {
    use policy::PrincipalEntry as Entry;
    let (kind, name, partition) = match entry {
        Entry::Everyone => return Ok(None),
        Entry::Account { partition, account } => {
            (PrincipalEntry::KIND_ACCOUNT, account, partition.as_deref())
        }
        Entry::Arn(arn) => (PrincipalEntry::KIND_ARN, arn, None),
        Entry::Service(name) => (PrincipalEntry::KIND_SERVICE, name, None),
        Entry::Federated(name) => (PrincipalEntry::KIND_FEDERATED, name, None),
        Entry::CanonicalUser(id) => (PrincipalEntry::KIND_CANONICAL_USER, id, None),
    };
    Ok(Some(PrincipalEntry {
        kind,
        has_partition: u32::from(partition.is_some()),
        name: writer.text(name.as_bytes())?,
        partition: writer.text(partition.unwrap_or_default().as_bytes())?,
    }))
}

fn write_rules(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    let mut lanes: HashMap<Lane, u32> = HashMap::new();
    for rule in &rules.rules {
        let lane = Lane {
            action: rule.action,
            principal: rule.principal,
        };
        let next = index(lanes.len(), "lanes")?;
        let lane = *lanes.entry(lane).or_insert_with(|| {
            writer.image.lanes.push(lane);
            next
        });
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
        let record = Rule {
            policy: rule.policy,
            statement: rule.statement,
            line: rule.position.line,
            column: rule.position.column,
            effect: match rule.effect {
                Effect::Deny => EFFECT_DENY,
                Effect::Allow => EFFECT_ALLOW,
            },
            lane,
            has_sid: u32::from(rule.sid.is_some()),
            sid: writer.text(rule.sid.unwrap_or_default().as_bytes())?,
            not_resource: u32::from(rule.not_resource),
            patterns: append(&mut writer.image.rule_patterns, patterns, "resources")?,
            conditions: append(
                &mut writer.image.rule_conditions,
                rule.conditions.iter().copied(),
                "conditions",
            )?,
            notes: append(&mut writer.image.notes, notes, "prefix lists")?,
        };
        writer.image.rules.push(record);
    }
    Ok(())
}

fn write_note(writer: &mut Writer, note: &ir::Note<'_>) -> Result<Note, BuildError> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for prefix in note.prefixes {
        let position = note.policy.position(prefix.span);
        let (line, column) = (position.line, position.column);
        let length = u32::from(prefix.value.prefix_len());
        match prefix.value {
            ipnet::IpNet::V4(net) => {
                v4.push(NotedPrefix {
                    first: net.network().to_bits(),
                    length,
                    line,
                    column,
                });
            }
            ipnet::IpNet::V6(net) => {
                v6.push(NotedPrefix {
                    first: net.network().to_bits(),
                    length,
                    line,
                    column,
                });
            }
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

/// Returns the list of a plain address condition on `key`, which classes can answer.
fn on_key(condition: &ir::Condition, key: &str) -> Option<AddressCondition> {
    match condition.values {
        ConditionValues::List(list) if condition.qualifier.is_none() && *condition.key == *key => {
            Some(AddressCondition {
                list,
                negated: condition.operator.is_negated(),
                if_exists: condition.if_exists,
            })
        }
        _ => None,
    }
}

/// Chooses the key with the most prefixes under plain address operators.
fn primary_key<'r>(rules: &'r RuleSet<'_>) -> &'r str {
    let mut prefixes: HashMap<&str, usize> = HashMap::new();
    for condition in &rules.conditions {
        if let Some(on_key) = on_key(condition, &condition.key)
            && let Some(set) = rules.lists.get(on_key.list.as_usize())
        {
            *prefixes.entry(&condition.key).or_default() += 1 + set.v4().len() + set.v6().len();
        }
    }
    // Of equal counts the key that is always at hand, then the first by name.
    let most = prefixes
        .into_iter()
        .max_by_key(|&(key, count)| (count, key == SOURCE_IP, core::cmp::Reverse(key)));
    most.map_or(SOURCE_IP, |(key, _)| key)
}

fn overlay(
    rules: &RuleSet<'_>,
    primary: &str,
    config: &Config,
) -> Result<Option<Overlay>, BuildError> {
    if config.strategy == Strategy::Lists {
        return Ok(None);
    }
    let used = rules
        .conditions
        .iter()
        .filter_map(|condition| on_key(condition, primary));
    let mut ids: Vec<ListId> = used.map(|condition| condition.list).collect();
    ids.sort_unstable();
    ids.dedup();
    match Overlay::new(&rules.lists, &ids, config.class_budget) {
        Ok(overlay) => Ok(Some(overlay)),
        Err(_) if config.strategy == Strategy::Cells => {
            let limit = u64::try_from(config.class_budget).unwrap_or(u64::MAX);
            Err(BuildError::limit(
                "steps of overlaying the prefix lists",
                "class_budget",
                limit,
            ))
        }
        Err(_) => Ok(None),
    }
}

/// Splits each rule's conditions into an address set and the residual ones.
fn address_sets(
    writer: &mut Writer,
    rules: &RuleSet<'_>,
    primary: &str,
    overlay: Option<&Overlay>,
) -> Result<(Vec<AddressSet>, Vec<RowRule>), BuildError> {
    let mut sets = Vec::new();
    let mut row_rules = Vec::with_capacity(rules.rules.len());
    let Some(overlay) = overlay else {
        return Ok((sets, row_rules));
    };
    let mut set_ids: HashMap<(Vec<AddressCondition>, Effect), usize> = HashMap::new();
    let mut residual_ids: HashMap<Vec<u32>, u32> = HashMap::new();
    for rule in &rules.rules {
        let (mut addresses, mut residual) = (Vec::new(), Vec::new());
        for &id in &rule.conditions {
            let at = usize::try_from(id).unwrap_or(usize::MAX);
            match rules
                .conditions
                .get(at)
                .and_then(|condition| on_key(condition, primary))
            {
                Some(address) => addresses.push(address),
                None => residual.push(id),
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        residual.sort_unstable();
        residual.dedup();
        let next = sets.len();
        let set =
            *set_ids
                .entry((addresses, rule.effect))
                .or_insert_with_key(|(addresses, effect)| {
                    sets.push(overlay.address_set(addresses, *effect));
                    next
                });
        let residual = if residual.is_empty() {
            None
        } else if let Some(&known) = residual_ids.get(&residual) {
            Some(known)
        } else {
            let id = index(writer.image.residuals.len(), "residual conditions")?;
            let stored = append(
                &mut writer.image.residual_conditions,
                residual.iter().copied(),
                "residual conditions",
            )?;
            writer.image.residuals.push(stored);
            residual_ids.insert(residual, id);
            Some(id)
        };
        let effect = match rule.effect {
            Effect::Deny => EFFECT_DENY,
            Effect::Allow => EFFECT_ALLOW,
        };
        row_rules.push(RowRule {
            effect,
            set,
            residual,
        });
    }
    Ok((sets, row_rules))
}

/// Builds the automaton and what each pattern and complement brings.
fn write_resources(
    writer: &mut Writer,
    rules: &RuleSet<'_>,
    mut rows: Rows<'_>,
) -> Result<(), BuildError> {
    let programs: Vec<&[u8]> = rules
        .patterns
        .iter()
        .map(|pattern| &*pattern.program)
        .collect();
    writer.image.automaton =
        pattern::build::build(&programs).ok_or(BuildError::too_large("patterns"))?;

    // (pattern or complement, lane, effect with deny first, rule): the order of the tables.
    let mut brought: Vec<(PatternId, u32, u32, RuleId)> = Vec::new();
    let mut withheld: Vec<(u32, u32, u32, RuleId)> = Vec::new();
    let mut complements: HashMap<Vec<PatternId>, u32> = HashMap::new();
    let mut cancels: Vec<(PatternId, u32)> = Vec::new();
    for (at, rule) in rules.rules.iter().enumerate() {
        let id = RuleId::new(at).ok_or(BuildError::too_large("statements"))?;
        let Some(record) = writer.image.rules.get(at).copied() else {
            continue;
        };
        let mut patterns: Vec<PatternId> =
            rule.patterns.iter().map(|&(pattern, _)| pattern).collect();
        patterns.sort_unstable();
        patterns.dedup();
        if !rule.not_resource {
            brought.extend(
                patterns
                    .iter()
                    .map(|&p| (p, record.lane, record.effect, id)),
            );
            continue;
        }
        let complement = match complements.get(&patterns) {
            Some(&known) => known,
            None => {
                let new = index(writer.image.complements.len(), "NotResource lists")?;
                let stored = append(
                    &mut writer.image.complement_patterns,
                    patterns.iter().copied(),
                    "NotResource lists",
                )?;
                writer.image.complements.push(Complement {
                    patterns: stored,
                    hits: Extent::default(),
                });
                cancels.extend(patterns.iter().map(|&pattern| (pattern, new)));
                complements.insert(patterns, new);
                new
            }
        };
        withheld.push((complement, record.lane, record.effect, id));
    }

    for source in &rules.patterns {
        let raw = writer.text(source.raw.as_bytes())?;
        let parts = writer.parts(&source.parts)?;
        let has_variables = u32::from(source.has_variables);
        writer.image.patterns.push(Pattern {
            raw,
            parts,
            has_variables,
            ..Pattern::default()
        });
    }
    brought.sort_unstable();
    for chunk in brought.chunk_by(|a, b| a.0 == b.0) {
        let hits = write_hits(writer, chunk, &mut rows)?;
        let pattern = chunk
            .first()
            .and_then(|first| writer.image.patterns.get_mut(first.0.as_usize()));
        if let Some(pattern) = pattern {
            pattern.hits = hits;
        }
    }
    withheld.sort_unstable();
    for chunk in withheld.chunk_by(|a, b| a.0 == b.0) {
        let hits = write_hits(writer, chunk, &mut rows)?;
        let at = chunk
            .first()
            .and_then(|first| usize::try_from(first.0).ok());
        if let Some(complement) = at.and_then(|at| writer.image.complements.get_mut(at)) {
            complement.hits = hits;
        }
    }
    cancels.sort_unstable();
    for chunk in cancels.chunk_by(|a, b| a.0 == b.0) {
        let stored = append(
            &mut writer.image.cancels,
            chunk.iter().map(|c| c.1),
            "NotResource lists",
        )?;
        let pattern = chunk
            .first()
            .and_then(|first| writer.image.patterns.get_mut(first.0.as_usize()));
        if let Some(pattern) = pattern {
            pattern.cancels = stored;
        }
    }
    Ok(())
}

/// Stores the rows of one pattern or complement, by lane.
fn write_hits<K>(
    writer: &mut Writer,
    sorted: &[(K, u32, u32, RuleId)],
    rows: &mut Rows<'_>,
) -> Result<Extent, BuildError> {
    let mut hits = Vec::new();
    for chunk in sorted.chunk_by(|a, b| a.1 == b.1) {
        let rules: Vec<RuleId> = chunk.iter().map(|entry| entry.3).collect();
        let row = rows.row(&rules, &mut writer.image)?;
        if let Some(&(_, lane, _, _)) = chunk.first() {
            hits.push(Hit { lane, row });
        }
    }
    append(&mut writer.image.hits, hits, "rows")
}
