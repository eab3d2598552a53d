//! Action and principal elements → lanes, and the tables that find them by request.

use std::collections::BTreeSet;

use super::caller::{self, Arn};
use super::tables::{Action, Lane, OPEN_LANE, Principal, PrincipalEntry};
use super::writer::{Writer, append, index};
use crate::ir::{BuildError, Principals, RuleSet};
use crate::pattern::{ANY, ONE, row};
use crate::policy;
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::hash::{self, HashTable};
use crate::util::int::AsUsize;
use crate::util::keyed::Map;

/// Writes actions, principals and lanes; returns the lane of each rule.
pub(super) fn write(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<Vec<u32>, BuildError> {
    write_actions(writer, rules)?;
    write_principals(writer, rules)?;
    let pairs: BTreeSet<(u32, u32)> = rules
        .rules
        .iter()
        .map(|rule| (rule.principal, rule.action))
        .collect();
    // The last number is that of all open lanes together.
    if index(pairs.len(), "lanes")? == OPEN_LANE {
        return Err(BuildError::too_large("lanes"));
    }
    let mut numbers: Map<(u32, u32), u32> = Map::default();
    for (principal, action) in pairs {
        let lane = index(writer.image.lanes.len(), "lanes")?;
        numbers.insert((principal, action), lane);
        let invokes = writer.image.actions.get(action.as_usize());
        let invokes = invokes.is_some_and(|action| action.matches_invoke == 1);
        let mut anonymous = false;
        if let Some(element) = writer.image.principals.get_mut(principal.as_usize()) {
            // Sorted by principal, so an element's lanes are neighbours.
            if element.lanes.is_empty() {
                element.lanes.start = lane;
            }
            element.lanes.len += 1;
            // Nobody unknown is ever listed.
            anonymous = !matches!(
                element.mode,
                Principal::MODE_NOBODY | Principal::MODE_LISTED
            );
        }
        writer.image.lanes.push(Lane {
            action,
            principal,
            open: u32::from(invokes && anonymous),
        });
    }
    let lane_of = |rule: &crate::ir::Rule<'_>| {
        let lane = numbers.get(&(rule.principal, rule.action)).copied();
        lane.unwrap_or_default()
    };
    Ok(rules.rules.iter().map(lane_of).collect())
}

fn write_actions(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    let mut entries = Vec::new();
    for action in &rules.actions {
        let number = index(writer.image.actions.len(), "actions")?;
        let mut programs = Vec::with_capacity(action.programs.len());
        for program in &action.programs {
            programs.push(writer.text(program)?);
        }
        let matches = |program: &[u8]| row::matches_ignore_case(program, Request::INVOKE);
        let invoke = action.programs.iter().any(|program| matches(program)) != action.negated;
        let is_literal = |program: &[u8]| !program.iter().any(|byte| matches!(*byte, ANY | ONE));
        if !action.negated && action.programs.iter().all(|program| is_literal(program)) {
            let lower = action.programs.iter().map(|p| p.to_ascii_lowercase());
            entries.extend(lower.map(|action| (hash::bytes(0, &action), number)));
        } else {
            writer.image.actions_open.push(number);
        }
        let programs = append(&mut writer.image.action_programs, programs, "actions")?;
        writer.image.actions.push(Action {
            negated: u32::from(action.negated),
            matches_invoke: u32::from(invoke),
            programs,
        });
    }
    writer.image.action_table = HashTable::new(&entries).ok_or(BuildError::too_large("actions"))?;
    Ok(())
}

fn write_principals(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    let mut entries = Vec::new();
    for principals in &rules.principals {
        let number = index(writer.image.principals.len(), "principals")?;
        let (mode, listed) = match principals {
            Principals::Everyone => (Principal::MODE_EVERYONE, &[][..]),
            Principals::Nobody => (Principal::MODE_NOBODY, &[][..]),
            Principals::Listed(entries) => (Principal::MODE_LISTED, &entries[..]),
            Principals::NotListed(entries) => (Principal::MODE_NOT_LISTED, &entries[..]),
            Principals::NotExempt(entries) => (Principal::MODE_NOT_EXEMPT, &entries[..]),
        };
        let mut records = Vec::with_capacity(listed.len());
        for entry in listed {
            // `Everyone` has become a mode of its own.
            let Some((kind, name, partition)) = parts(entry) else {
                continue;
            };
            if mode == Principal::MODE_LISTED {
                entry_hashes(kind, name, |hash| entries.push((hash, number)));
            }
            records.push(PrincipalEntry {
                kind,
                has_partition: u32::from(partition.is_some()),
                name: writer.text(name.as_bytes())?,
                partition: writer.text(partition.unwrap_or_default().as_bytes())?,
            });
        }
        if !matches!(mode, Principal::MODE_LISTED | Principal::MODE_NOBODY) {
            writer.image.principals_open.push(number);
        }
        writer.image.principals.push(Principal {
            mode,
            entries: append(&mut writer.image.principal_entries, records, "principals")?,
            lanes: Extent::default(),
        });
    }
    writer.image.principal_table =
        HashTable::new(&entries).ok_or(BuildError::too_large("principals"))?;
    Ok(())
}

/// Returns the kind, the name and an account's partition.
fn parts(entry: &policy::PrincipalEntry) -> Option<(u32, &str, Option<&str>)> {
    use policy::PrincipalEntry as Entry;
    Some(match entry {
        Entry::Everyone => return None,
        Entry::Account { partition, account } => {
            (PrincipalEntry::KIND_ACCOUNT, account, partition.as_deref())
        }
        Entry::Arn(arn) => (PrincipalEntry::KIND_ARN, arn, None),
        Entry::Service(name) => (PrincipalEntry::KIND_SERVICE, name, None),
        Entry::Federated(name) => (PrincipalEntry::KIND_FEDERATED, name, None),
        Entry::CanonicalUser(id) => (PrincipalEntry::KIND_CANONICAL_USER, id, None),
    })
}

/// Calls `visit` with the hashes by which an entry of a list is found.
fn entry_hashes(kind: u32, name: &str, mut visit: impl FnMut(u64)) {
    visit(caller::name_hash(kind, name.as_bytes()));
    if kind == PrincipalEntry::KIND_ARN
        && let Some(arn) = Arn::read(name)
        && let Some(role) = arn.role()
    {
        visit(caller::role_hash(&arn, role));
    }
}
