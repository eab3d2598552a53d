//! How two sets of policies differ, over all requests and not over text.
//!
//! ```text
//! OLD, NEW ──guard::Table──▶ changed guards ──solve──▶ parts ──witness──▶ not proven empty
//!                                                        ──assemble──▶ Region: joined, described, counted
//! ```
//!
//! - `solve` and `case`: where one changed guard counts;
//! - `witness`: is there a request at all: `ways`, `callers`, `texts`, `sources` and `context`
//!   make up its pieces, `example` is the whole;
//! - `probe`: pieces of policies as policies, to be asked of the reference evaluator;
//! - `assemble` and `region`: what the caller gets.
//!
//! # Invariants
//!
//! A request lies in some region exactly if the two reference decisions about it differ.

mod assemble;
mod callers;
mod case;
mod context;
mod example;
mod probe;
mod region;
mod solve;
mod sources;
mod texts;
mod ways;
mod witness;

use std::sync::Arc;

pub use self::example::Example;
pub use self::region::{AddressCount, Addresses, Region, Term};
use self::solve::{Overrides, Solver};
use self::witness::Witness;
use super::error::AnalysisError;
use super::guard::{EMPTY, Table};
use super::line::{AddressSet, States};
use crate::decision::Decision;
use crate::policy::Policy;
use crate::util::int::{AsUsize, to_u32};

/// Returns how the decisions of `new` differ from those of `old`, each set of policies taken together.
///
/// # Errors
///
/// A resource in short-hand (expand both sides for one API first:
/// [`Policy::with_short_hand_expanded`]), or policies whose lists overlap so much that the
/// answer would not fit into memory.
///
/// # Example
///
/// ```
/// use portcullis::{Decision, Policy, analysis};
///
/// let policy = |cidr: &str| Policy::from_json(&format!(
///     r#"{{"Statement": {{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
///         "Resource": "arn:aws:execute-api:us-east-1:123456789012:abc123/*",
///         "Condition": {{"IpAddress": {{"aws:SourceIp": "{cidr}"}}}}}}}}"#,
/// ));
/// let difference = analysis::diff(&[policy("203.0.113.0/25")?], &[policy("203.0.113.0/24")?])?;
/// let [region] = difference.regions() else { panic!("one region") };
/// assert_eq!((region.before(), region.after()), (Decision::ImplicitDeny, Decision::Allow));
/// assert_eq!(region.addresses().v4(), ["203.0.113.128/25".parse()?]);
/// assert_eq!(difference.gained().v4.as_u128(), Some(128));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn diff(old: &[Policy], new: &[Policy]) -> Result<Difference, AnalysisError> {
    let Some(model) = old.first().or_else(|| new.first()) else {
        return Ok(Difference {
            regions: Vec::new(),
        });
    };
    let table = Table::new([old, new])?;
    let solver = Solver::new(&table, false);
    let overrides = Overrides::default();
    let mut budget = BUDGET;
    let mut parts = Vec::new();
    for (index, entry) in table.entries.iter().enumerate() {
        let [before, after] = entry.sets;
        if before == after {
            continue;
        }
        let Some(x) = to_u32(index) else { break };
        solver.parts(x, &overrides, &mut budget, &mut |part| {
            parts.push(part);
            true
        })?;
    }
    let mut witness = Witness::new(&solver, model);
    Ok(Difference {
        regions: assemble::regions(&solver, parts, &mut witness),
    })
}

/// Returns the statements without each of which the policies decide every request as they do with
/// it, as (policy, statement), ascending.
///
/// Each on its own: of two equal statements both are named, and only one can go. With
/// `together`, they can all go at once: of two equal ones the later is named.
///
/// A statement of which that is not known is not named.
///
/// # Errors
///
/// As [`diff`].
pub fn dead_statements(
    policies: &[Policy],
    together: bool,
) -> Result<Vec<(usize, usize)>, AnalysisError> {
    let Some(model) = policies.first() else {
        return Ok(Vec::new());
    };
    let table = Table::new([policies, &[]])?;
    let solver = Solver::new(&table, true);
    let mut witness = Witness::new(&solver, model);
    let mut overrides = Overrides::default();
    let mut budget = BUDGET;
    let mut gone = vec![false; table.rules[0].len()];
    let mut dead = Vec::new();
    for (index, rule) in table.rules[0].iter().enumerate().rev() {
        overrides.new.clear();
        for entry in &rule.entries {
            let set = without_rule(&table, *entry, index, &gone);
            overrides.new.insert(*entry, set);
        }
        let mut is_dead = true;
        for entry in &rule.entries {
            solver.parts(*entry, &overrides, &mut budget, &mut |part| {
                is_dead = is_dead && witness.is_empty(&part);
                is_dead
            })?;
            if !is_dead {
                break;
            }
        }
        if !is_dead {
            continue;
        }
        dead.push((rule.policy, rule.statement));
        if together {
            if let Some(slot) = gone.get_mut(index) {
                *slot = true;
            }
            overrides.both.extend(overrides.new.drain());
        }
    }
    dead.reverse();
    Ok(dead)
}

/// Returns the addresses of an entry without one rule, and without those gone before.
fn without_rule(table: &Table, entry: u32, rule: usize, gone: &[bool]) -> Arc<AddressSet> {
    let parts = (table.entries.get(entry.as_usize()))
        .map(|entry| entry.parts[0].as_slice())
        .unwrap_or_default();
    let kept: Vec<u32> = (parts.iter())
        .filter(|(other, set)| {
            let other = other.as_usize();
            other != rule && gone.get(other) != Some(&true) && *set != EMPTY
        })
        .map(|(_, set)| *set)
        .collect();
    if let [one] = kept.as_slice() {
        return table.addresses(*one);
    }
    let mut ranges = Vec::new();
    let mut states = States::NONE;
    for set in kept {
        let set = table.addresses(set);
        ranges.extend_from_slice(set.ranges());
        states = states.with(set.states);
    }
    Arc::new(AddressSet::of_ranges(ranges, states))
}

/// How two sets of policies differ.
#[derive(Clone, Debug)]
pub struct Difference {
    regions: Vec<Region>,
}

impl Difference {
    /// Returns whether every request is decided alike; then this is proven.
    pub const fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// Returns where they differ: what became allowed first, then what no longer is, then the kinds of denial.
    ///
    /// Regions may overlap.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Returns how many addresses have some request that became allowed.
    pub fn gained(&self) -> Totals {
        self.totals(|region| region.after() == Decision::Allow)
    }

    /// Returns how many addresses have some request that is no longer allowed.
    pub fn lost(&self) -> Totals {
        self.totals(|region| region.before() == Decision::Allow)
    }

    fn totals(&self, counts: impl Fn(&Region) -> bool) -> Totals {
        let mut ranges = Vec::new();
        for region in self.regions.iter().filter(|region| counts(region)) {
            ranges.extend_from_slice(region.addresses().set().ranges());
        }
        let all = Addresses::new(AddressSet::of_ranges(ranges, States::NONE));
        Totals {
            v4: all.v4_count(),
            v6: all.v6_count(),
        }
    }
}

/// Numbers of addresses, by family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// IPv4 addresses.
    pub v4: AddressCount,
    /// IPv6 addresses.
    pub v6: AddressCount,
}

/// Steps of all overlays together: a guard of 8 bytes at a place on the line each.
const BUDGET: usize = 1_000_000_000;
