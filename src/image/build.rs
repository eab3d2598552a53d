//! Rules → tables of an image: the steps in their order, and what of a rule the classes answer.

use super::address_set::{AddressCondition, AddressSet, Overlay};
use super::config::{Config, Strategy};
use super::programs::Programs;
use super::rows::{RowRule, Rows};
use super::tables::{Image, KeyClasses};
use super::writer::Writer;
use super::{ahead, conditions, lanes, resources, statements};
use crate::decision::Effect;
use crate::ir::{self, BuildError, ConditionValues, RuleSet};
use crate::prefix::{LookupV4, LookupV6};
use crate::util::beside::both;
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

/// From this many ranges on the steps that have to do with addresses only run beside the others.
const BESIDE_FROM: usize = 4096;

/// Builds the tables of `rules`.
///
/// What addresses are told apart by does not need what else is written, up to the rows, which need
/// both. Nothing but the image needs the look-ups, nor the prefixes as they are written. So first two
/// steps are done at once, and then three.
pub(crate) fn build(rules: &RuleSet<'_>, config: &Config) -> Result<Image, BuildError> {
    let ranges = rules
        .lists
        .iter()
        .map(|set| set.v4().len() + set.v6().len());
    let pays = ranges.sum::<usize>() >= BESIDE_FROM;
    let (mut writer, (overlays, budget)) = both(
        pays,
        || {
            let mut writer = Writer::default();
            conditions::write_lists(&mut writer, rules)?;
            conditions::write(&mut writer, rules)?;
            let lanes = lanes::write(&mut writer, rules)?;
            statements::write(&mut writer, rules, &lanes)?;
            resources::write_patterns(&mut writer, rules)?;
            Ok(writer)
        },
        || overlays(rules, config),
    )?;
    // Behind the rows, so that a build that fails there, alone, does not pay for what follows.
    let rows = || write_rows(&mut writer, rules, &overlays, budget, config);
    let rows_and_prefixes = || both(pays, rows, || statements::prefixes(rules));
    let classes = || {
        overlays
            .iter()
            .map(key_classes)
            .collect::<Result<Vec<_>, _>>()
    };
    let (((), prefixes), classes) = both(pays, rows_and_prefixes, classes)?;
    prefixes.write(&mut writer.image);
    let mut classes = overlays.iter().map(|overlay| &*overlay.key).zip(classes);
    // Where the rows are lists, which ask for no classes, there is a key all the same.
    let (key, primary) = classes.next().unwrap_or((SOURCE_IP, KeyClasses::default()));
    writer.image.primary = with_key(&mut writer, primary, key)?;
    if let Some((key, second)) = classes.next() {
        writer.image.second = with_key(&mut writer, second, key)?;
    }
    ahead::write(&mut writer.image);
    Ok(writer.finish())
}

/// Writes the rows, and what each pattern brings.
fn write_rows(
    writer: &mut Writer,
    rules: &RuleSet<'_>,
    overlays: &[Overlay],
    budget: usize,
    config: &Config,
) -> Result<(), BuildError> {
    let mut budget = budget;
    let image = &mut writer.image;
    let mut programs = Programs::new(rules, image);
    let (sets, row_rules) = address_sets(image, rules, overlays, &mut budget, &mut programs)?;
    if config.strategy == Strategy::Cells && row_rules.iter().any(|rule| rule.set.is_none()) {
        return Err(over_class_budget(config));
    }
    let budget = (config.strategy, config.cell_budget);
    let rows = Rows::new(overlays, &sets, &row_rules, programs, budget);
    resources::write(writer, rules, rows)
}

/// Lays the look-ups of a key out.
fn key_classes(overlay: &Overlay) -> Result<KeyClasses, BuildError> {
    let too_large = BuildError::too_large("address classes");
    let count = overlay.v4.count.checked_add(overlay.v6.count);
    Ok(KeyClasses {
        v4: LookupV4::new(&overlay.v4).ok_or(too_large.clone())?,
        v6: LookupV6::new(&overlay.v6).ok_or(too_large.clone())?,
        v6_class_base: overlay.v4.count,
        class_count: count.ok_or(too_large)?,
        ..KeyClasses::default()
    })
}

fn with_key(writer: &mut Writer, classes: KeyClasses, key: &str) -> Result<KeyClasses, BuildError> {
    Ok(KeyClasses {
        key: vec![writer.text(key.as_bytes())?],
        is_source_ip: u32::from(key == SOURCE_IP),
        ..classes
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

/// Overlays the lists on each key that has classes, none where the strategy wants none; and what is
/// left of the budget.
///
/// Where the lists on the first key pass the budget there are no classes at all.
fn overlays(rules: &RuleSet<'_>, config: &Config) -> Result<(Vec<Overlay>, usize), BuildError> {
    let (mut overlays, mut budget) = (Vec::new(), config.class_budget);
    if config.strategy == Strategy::Lists {
        return Ok((overlays, budget));
    }
    for key in keys(rules) {
        let used = rules
            .conditions
            .iter()
            .filter_map(|condition| on_key(condition, key));
        let mut ids: Vec<ListId> = used.map(|condition| condition.list).collect();
        ids.sort_unstable();
        ids.dedup();
        match Overlay::new(key, &rules.lists, ids, &mut budget) {
            Ok(overlay) => overlays.push(overlay),
            Err(_) if config.strategy == Strategy::Cells => return Err(over_class_budget(config)),
            Err(_) => break,
        }
    }
    Ok((overlays, budget))
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
