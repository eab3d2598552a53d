//! Rules → image: the steps in their order, and what of a rule the classes answer.

use super::address_set::{AddressCondition, AddressSet, Overlay};
use super::config::{Config, Strategy};
use super::loaded::Loaded;
use super::programs::Programs;
use super::rows::{RowRule, Rows};
use super::tables::{Image, KeyClasses};
use super::writer::Writer;
use super::{ahead, conditions, lanes, resources, statements};
use crate::decision::Effect;
use crate::ir::{self, BuildError, ConditionValues, RuleSet};
use crate::prefix::{LookupV4, LookupV6};
use crate::util::ids::{Id, ListId};
use crate::util::int::AsUsize;
use crate::util::keyed::Map;
use core::cmp::Reverse;

use smallvec::SmallVec;

/// The key that has classes where no rule says otherwise.
const SOURCE_IP: &str = "aws:sourceip";

/// How many keys have classes: requests have the address of the caller, and that in a private
/// network. Conditions on further ones are residual.
const KEYS: usize = 2;

/// Builds the image of `rules`.
pub(crate) fn build(rules: &RuleSet<'_>, config: &Config) -> Result<Loaded, BuildError> {
    let mut writer = Writer::default();
    conditions::write_lists(&mut writer, rules)?;
    conditions::write(&mut writer, rules)?;
    let lanes = lanes::write(&mut writer, rules)?;
    statements::write(&mut writer, rules, &lanes)?;

    let mut budget = config.class_budget;
    let overlays = overlays(rules, config, &mut budget)?;
    let mut programs = Programs::new(rules, &writer.image);
    let image = &mut writer.image;
    let (sets, row_rules) = address_sets(image, rules, &overlays, &mut budget, &mut programs)?;
    if config.strategy == Strategy::Cells && row_rules.iter().any(|rule| rule.set.is_none()) {
        return Err(over_class_budget(config));
    }
    let budget = (config.strategy, config.cell_budget);
    let rows = Rows::new(&overlays, &sets, &row_rules, programs, budget);
    resources::write(&mut writer, rules, rows)?;
    let mut classes = overlays
        .iter()
        .map(|overlay| key_classes(&mut writer, overlay));
    let primary = classes.next().transpose()?;
    let second = classes.next().transpose()?;
    writer.image.primary = match primary {
        Some(primary) => primary,
        None => without_classes(&mut writer)?,
    };
    writer.image.second = second.unwrap_or_default();
    ahead::write(&mut writer.image);
    Loaded::new(writer.finish(), config.image_size_limit)
}

/// Lays the look-ups of a key out. The last step: a build that fails before does not pay for them.
fn key_classes(writer: &mut Writer, overlay: &Overlay) -> Result<KeyClasses, BuildError> {
    let too_large = BuildError::too_large("address classes");
    let count = overlay.v4.count.checked_add(overlay.v6.count);
    Ok(KeyClasses {
        v4: LookupV4::new(&overlay.v4).ok_or(too_large.clone())?,
        v6: LookupV6::new(&overlay.v6).ok_or(too_large.clone())?,
        v6_class_base: overlay.v4.count,
        class_count: count.ok_or(too_large)?,
        key: vec![writer.text(overlay.key.as_bytes())?],
        is_source_ip: u32::from(*overlay.key == *SOURCE_IP),
    })
}

/// Returns what stands for a key with classes where the rows are lists, which ask for none.
fn without_classes(writer: &mut Writer) -> Result<KeyClasses, BuildError> {
    Ok(KeyClasses {
        key: vec![writer.text(SOURCE_IP.as_bytes())?],
        is_source_ip: 1,
        ..KeyClasses::default()
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

/// Chooses the keys with the most prefixes under plain address operators, at most [`KEYS`].
fn keys<'r>(rules: &'r RuleSet<'_>) -> Vec<&'r str> {
    let mut prefixes: Map<&str, usize> = Map::default();
    for condition in &rules.conditions {
        if let Some(on_key) = on_key(condition, &condition.key)
            && let Some(set) = rules.lists.get(on_key.list.as_usize())
        {
            *prefixes.entry(&condition.key).or_default() += 1 + set.v4().len() + set.v6().len();
        }
    }
    let mut keys: Vec<(&str, usize)> = prefixes.into_iter().collect();
    // Of equal counts the key that is always at hand, then the first by name.
    keys.sort_unstable_by_key(|&(key, count)| (Reverse(count), key != SOURCE_IP, key));
    let mut keys: Vec<&str> = keys.into_iter().map(|(key, _)| key).take(KEYS).collect();
    if keys.is_empty() {
        keys.push(SOURCE_IP);
    }
    keys
}

/// Overlays the lists on each key that has classes; none where the strategy wants none.
///
/// Where the lists on the first key pass the budget there are no classes at all.
fn overlays(
    rules: &RuleSet<'_>,
    config: &Config,
    budget: &mut usize,
) -> Result<Vec<Overlay>, BuildError> {
    let mut overlays = Vec::new();
    if config.strategy == Strategy::Lists {
        return Ok(overlays);
    }
    for key in keys(rules) {
        let used = rules
            .conditions
            .iter()
            .filter_map(|condition| on_key(condition, key));
        let mut ids: Vec<ListId> = used.map(|condition| condition.list).collect();
        ids.sort_unstable();
        ids.dedup();
        match Overlay::new(key, &rules.lists, ids, budget) {
            Ok(overlay) => overlays.push(overlay),
            Err(_) if config.strategy == Strategy::Cells => return Err(over_class_budget(config)),
            Err(_) => break,
        }
    }
    Ok(overlays)
}

fn over_class_budget(config: &Config) -> BuildError {
    let limit = u64::try_from(config.class_budget).unwrap_or(u64::MAX);
    BuildError::limit(
        "steps of overlaying the prefix lists",
        "class_budget",
        limit,
    )
}

/// The conditions of one rule on one key.
type Addresses = SmallVec<[AddressCondition; 1]>;

/// Splits each rule's conditions into an address set and the residual ones.
///
/// The set is on the first key that the rule has a condition on; those on others are residual.
fn address_sets<'o>(
    image: &mut Image,
    rules: &RuleSet<'_>,
    overlays: &'o [Overlay],
    budget: &mut usize,
    programs: &mut Programs,
) -> Result<(Vec<AddressSet<'o>>, Vec<RowRule>), BuildError> {
    let mut sets = Vec::new();
    let mut row_rules = Vec::with_capacity(rules.rules.len());
    let mut known: Map<(Addresses, usize, Effect), Option<usize>> = Map::default();
    let on = |id: &u32, key: &str| on_key(rules.conditions.get(id.as_usize())?, key);
    for rule in &rules.rules {
        let is_on = |overlay: &Overlay| {
            rule.conditions
                .iter()
                .any(|id| on(id, &overlay.key).is_some())
        };
        let key = overlays.iter().position(is_on).unwrap_or_default();
        let Some(overlay) = overlays.get(key) else {
            break;
        };
        let (mut addresses, mut residual) = (Addresses::new(), Vec::new());
        for id in &rule.conditions {
            match on(id, &overlay.key) {
                Some(address) => addresses.push(address),
                None => residual.push(*id),
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        let next = sets.len();
        let set = *known
            .entry((addresses, key, rule.effect))
            .or_insert_with_key(|(addresses, _, effect)| {
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
            key,
            set,
            residual,
        });
    }
    Ok((sets, row_rules))
}
