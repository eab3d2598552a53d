//! Rules → image: the steps in their order, and what of a rule the classes answer.

use std::collections::HashMap;

use super::address_set::{AddressCondition, AddressSet, Overlay};
use super::config::{Config, Strategy};
use super::loaded::Loaded;
use super::programs::Programs;
use super::rows::{RowRule, Rows};
use super::tables::Image;
use super::writer::Writer;
use super::{conditions, lanes, resources, statements};
use crate::decision::Effect;
use crate::ir::{self, BuildError, ConditionValues, RuleSet};
use crate::prefix::{LookupV4, LookupV6};
use crate::util::ids::{Id, ListId};
use crate::util::int::AsUsize;

/// The key that has classes where no rule says otherwise.
const SOURCE_IP: &str = "aws:sourceip";

/// Builds the image of `rules`.
pub(crate) fn build(rules: &RuleSet<'_>, config: &Config) -> Result<Loaded, BuildError> {
    let mut writer = Writer::default();
    conditions::write_lists(&mut writer, rules)?;
    conditions::write(&mut writer, rules)?;
    let lanes = lanes::write(&mut writer, rules)?;
    statements::write(&mut writer, rules, &lanes)?;

    let primary = primary_key(rules);
    let key = writer.text(primary.as_bytes())?;
    writer.image.primary.push(key);
    writer.image.primary_is_source_ip = u32::from(primary == SOURCE_IP);
    let mut budget = config.class_budget;
    let overlay = overlay(rules, primary, config, &mut budget)?;
    let mut programs = Programs::new(rules, &writer.image);
    let (sets, row_rules) = match &overlay {
        Some(overlay) => {
            let image = &mut writer.image;
            address_sets(image, rules, primary, (overlay, &mut budget), &mut programs)?
        }
        None => Default::default(),
    };
    if config.strategy == Strategy::Cells && row_rules.iter().any(|rule| rule.set.is_none()) {
        return Err(over_class_budget(config));
    }
    let budget = (config.strategy, config.cell_budget);
    let rows = Rows::new(overlay.as_ref(), &sets, &row_rules, programs, budget);
    resources::write(&mut writer, rules, rows)?;
    if let Some(overlay) = &overlay {
        write_classes(&mut writer.image, overlay)?;
    }
    Loaded::new(writer.finish(), config.image_size_limit)
}

/// Lays the look-ups out. The last step: a build that fails before does not pay for them.
fn write_classes(image: &mut Image, overlay: &Overlay) -> Result<(), BuildError> {
    let too_large = BuildError::too_large("address classes");
    image.v4 = LookupV4::new(&overlay.v4).ok_or(too_large.clone())?;
    image.v6 = LookupV6::new(&overlay.v6).ok_or(too_large.clone())?;
    image.v6_class_base = overlay.v4.count;
    let count = overlay.v4.count.checked_add(overlay.v6.count);
    image.class_count = count.ok_or(too_large)?;
    Ok(())
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
    budget: &mut usize,
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
    match Overlay::new(&rules.lists, &ids, budget) {
        Ok(overlay) => Ok(Some(overlay)),
        Err(_) if config.strategy == Strategy::Cells => Err(over_class_budget(config)),
        Err(_) => Ok(None),
    }
}

fn over_class_budget(config: &Config) -> BuildError {
    let limit = u64::try_from(config.class_budget).unwrap_or(u64::MAX);
    BuildError::limit(
        "steps of overlaying the prefix lists",
        "class_budget",
        limit,
    )
}

/// Splits each rule's conditions into an address set and the residual ones.
fn address_sets(
    image: &mut Image,
    rules: &RuleSet<'_>,
    primary: &str,
    (overlay, budget): (&Overlay, &mut usize),
    programs: &mut Programs,
) -> Result<(Vec<AddressSet>, Vec<RowRule>), BuildError> {
    let mut sets = Vec::new();
    let mut row_rules = Vec::with_capacity(rules.rules.len());
    let mut known: HashMap<(Vec<AddressCondition>, Effect), Option<usize>> = HashMap::new();
    for rule in &rules.rules {
        let (mut addresses, mut residual) = (Vec::new(), Vec::new());
        for &id in &rule.conditions {
            match rules
                .conditions
                .get(id.as_usize())
                .and_then(|condition| on_key(condition, primary))
            {
                Some(address) => addresses.push(address),
                None => residual.push(id),
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        let next = sets.len();
        let set =
            *known
                .entry((addresses, rule.effect))
                .or_insert_with_key(|(addresses, effect)| {
                    // Past the budget the rule is tested by its lists, in rows that are lists.
                    *budget = budget.checked_sub(overlay.steps(addresses))?;
                    sets.push(overlay.address_set(addresses, *effect));
                    Some(next)
                });
        let residual = match residual.is_empty() {
            true => None,
            false => Some(programs.residual(residual, image)?),
        };
        row_rules.push(RowRule {
            effect: statements::effect_number(rule.effect),
            set,
            residual,
        });
    }
    Ok((sets, row_rules))
}
