//! Which statements and which CIDR blocks the cases were decided by.
//!
//! A statement is covered when it caused a decision. A block is covered when such a
//! statement matched by it, as the longest that holds the address. A block of a
//! `NotIpAddress` works the other way: it is covered when it is what kept a statement,
//! all else of which matched, from matching. Under `ForAllValues` and `ForAnyValue` no
//! single block decides, so these are not counted.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use portcullis::decision::Determining;
use portcullis::policy::{Condition, Operator, Statement, Values};
use portcullis::reference::{self, StatementTrace};
use portcullis::{Explanation, Policy, Position, Request};

use crate::nearest::address_of;
use crate::policies::LoadedPolicy;

/// What the cases were decided by, for every policy they were asked of.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    policies: Vec<PolicyCoverage>,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// How many are covered.
    pub(super) covered: usize,
    /// How many there are.
    pub(super) total: usize,
}

impl Count {
    /// Returns the share in percent, rounded down; 100 where there is nothing to cover.
    pub(super) fn percent(self) -> usize {
        (self.covered * 100).checked_div(self.total).unwrap_or(100)
    }

    const fn add(self, other: Self) -> Self {
        Self {
            covered: self.covered + other.covered,
            total: self.total + other.total,
        }
    }
}

/// A policy and what of it is covered.
#[derive(Debug)]
pub(super) struct PolicyCoverage {
    loaded: LoadedPolicy,
    /// Which file it is, whatever name it goes by.
    path: PathBuf,
    statements: Vec<StatementCoverage>,
    /// The statements with blocks that keep them from matching.
    excepting: Vec<usize>,
}

#[derive(Debug, Default)]
struct StatementCoverage {
    covered: bool,
    /// For each block, in the order of the conditions that count and their lists.
    blocks: Vec<bool>,
    /// Where each block stands, made when the first is covered; of a million blocks most
    /// statements never need it.
    places: Option<HashMap<Position, usize>>,
}

/// A statement that no case was decided by.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenStatement<'c> {
    /// Its number, from 0.
    pub(super) index: usize,
    /// The statement.
    pub(super) statement: &'c Statement,
    /// Where it stands.
    pub(super) position: Position,
}

/// A block that no case was decided by.
#[derive(Clone, Debug)]
pub(super) struct OpenBlock<'c> {
    /// The number of its statement, from 0.
    pub(super) index: usize,
    /// Its statement.
    pub(super) statement: &'c Statement,
    /// The condition's key.
    pub(super) key: &'c str,
    /// The block.
    pub(super) block: String,
    /// Where it stands.
    pub(super) position: Position,
}

impl Coverage {
    /// Takes policies in, with nothing covered, and returns which of all it keeps they are.
    ///
    /// Those known already, by whatever path, stay as they are.
    pub(super) fn add(&mut self, loaded: &[LoadedPolicy]) -> Vec<usize> {
        let mut places = Vec::with_capacity(loaded.len());
        for loaded in loaded {
            let path = PathBuf::from(&loaded.file);
            let path = fs::canonicalize(&path).unwrap_or(path);
            let kind = loaded.policy.kind();
            let mut known = self.policies.iter();
            let place =
                known.position(|known| known.path == path && known.loaded.policy.kind() == kind);
            places.push(place.unwrap_or_else(|| {
                self.policies.push(PolicyCoverage::new(loaded, path));
                self.policies.len() - 1
            }));
        }
        places
    }

    /// Notes what a case was decided by.
    ///
    /// `policies` are those asked, short-hand expanded, and `places` what [`Self::add`] said of them.
    pub(super) fn record(
        &mut self,
        places: &[usize],
        policies: &[LoadedPolicy],
        request: &Request<'_>,
        explanation: &Explanation,
    ) {
        for determining in &explanation.determining {
            let place = places.get(determining.policy);
            if let Some(known) = place.and_then(|&place| self.policies.get_mut(place)) {
                known.record(determining);
            }
        }
        for (&place, loaded) in places.iter().zip(policies) {
            if let Some(known) = self.policies.get_mut(place) {
                known.record_excepted(loaded.policy.statements(), request);
            }
        }
    }

    /// Returns the policies.
    pub(super) fn policies(&self) -> &[PolicyCoverage] {
        &self.policies
    }

    /// Returns how many statements are covered.
    pub(super) fn statements(&self) -> Count {
        self.policies
            .iter()
            .map(PolicyCoverage::statements)
            .fold(Count::default(), Count::add)
    }

    /// Returns how many blocks are covered.
    pub(super) fn blocks(&self) -> Count {
        self.policies
            .iter()
            .map(PolicyCoverage::blocks)
            .fold(Count::default(), Count::add)
    }

    /// Returns whether of the statements, and of the blocks, this share is covered.
    pub(super) fn reaches(&self, percent: u8) -> bool {
        let enough = |count: Count| count.percent() >= usize::from(percent);
        enough(self.statements()) && enough(self.blocks())
    }
}

impl PolicyCoverage {
    fn new(loaded: &LoadedPolicy, path: PathBuf) -> Self {
        let statements = loaded.policy.statements();
        let is_excepting = |statement: &Statement| statement.conditions.iter().any(is_excepting);
        let excepting = (statements.iter().enumerate())
            .filter(|(_, statement)| is_excepting(statement))
            .map(|(index, _)| index)
            .collect();
        Self {
            loaded: loaded.clone(),
            path,
            statements: statements
                .iter()
                .map(|statement| StatementCoverage {
                    blocks: vec![false; statement.conditions.iter().map(counted).sum()],
                    ..StatementCoverage::default()
                })
                .collect(),
            excepting,
        }
    }

    fn record(&mut self, determining: &Determining) {
        let Some(coverage) = self.statements.get_mut(determining.statement) else {
            return;
        };
        coverage.covered = true;
        for matched in &determining.prefixes {
            cover(
                coverage,
                &self.loaded.policy,
                determining.statement,
                matched.position,
            );
        }
    }

    /// Notes the blocks that kept statements from matching; `asked` are the policy's, short-hand expanded.
    fn record_excepted(&mut self, asked: &[Statement], request: &Request<'_>) {
        // PERF: of ten thousand statements most have no such blocks, and to trace all takes 40 ms.
        for index in self.excepting.clone() {
            let open = self
                .statements
                .get(index)
                .is_some_and(|coverage| coverage.blocks.contains(&false));
            if let Some(statement) = asked.get(index).filter(|_| open) {
                let trace = reference::trace_statement(statement, request);
                self.record_traced(index, &trace, request);
            }
        }
    }

    /// Notes the block that kept a statement from matching.
    fn record_traced(&mut self, index: usize, trace: &StatementTrace, request: &Request<'_>) {
        if trace.matches || !(trace.principal && trace.action && trace.resource) {
            return;
        }
        let policy = &self.loaded.policy;
        let Some(statement) = policy.statements().get(index) else {
            return;
        };
        let mut unmet = statement
            .conditions
            .iter()
            .zip(&trace.conditions)
            .filter(|(_, holds)| !**holds);
        // Where a second condition fails too, no block alone makes the difference.
        let (Some((condition, _)), None) = (unmet.next(), unmet.next()) else {
            return;
        };
        if !is_excepting(condition) {
            return;
        }
        let Values::Prefixes(list) = &condition.values else {
            return;
        };
        let Some(address) = address_of(request, &condition.key.value) else {
            return;
        };
        let holding = list.iter().filter(|prefix| prefix.value.contains(&address));
        // Of equal ones the first, as explanations have it.
        let longest = holding.min_by_key(|prefix| core::cmp::Reverse(prefix.value.prefix_len()));
        if let (Some(longest), Some(coverage)) = (longest, self.statements.get_mut(index)) {
            cover(coverage, policy, index, policy.position(longest.span));
        }
    }

    /// Returns the policy's file.
    pub(super) fn file(&self) -> &str {
        &self.loaded.file
    }

    fn statements(&self) -> Count {
        Count {
            covered: self
                .statements
                .iter()
                .filter(|statement| statement.covered)
                .count(),
            total: self.statements.len(),
        }
    }

    fn blocks(&self) -> Count {
        let blocks = || {
            self.statements
                .iter()
                .flat_map(|statement| &statement.blocks)
        };
        Count {
            covered: blocks().filter(|covered| **covered).count(),
            total: blocks().count(),
        }
    }

    /// Returns the statements that are not covered.
    pub(super) fn open_statements(&self) -> impl Iterator<Item = OpenStatement<'_>> {
        let policy = &self.loaded.policy;
        let statements = policy.statements().iter().enumerate().zip(&self.statements);
        statements
            .filter(|(_, coverage)| !coverage.covered)
            .map(|((index, statement), _)| OpenStatement {
                index,
                statement,
                position: policy.position(statement.span),
            })
    }

    /// Returns the blocks that are not covered.
    pub(super) fn open_blocks(&self) -> impl Iterator<Item = OpenBlock<'_>> {
        let policy = &self.loaded.policy;
        let statements = policy.statements().iter().enumerate().zip(&self.statements);
        statements.flat_map(move |((index, statement), coverage)| {
            blocks(statement)
                .zip(&coverage.blocks)
                .filter(|(_, covered)| !**covered)
                .map(move |((condition, prefix), _)| OpenBlock {
                    index,
                    statement,
                    key: &condition.key.value,
                    block: prefix.value.to_string(),
                    position: policy.position(prefix.span),
                })
        })
    }
}

/// Returns whether blocks of the condition keep its statement from matching.
fn is_excepting(condition: &Condition) -> bool {
    condition.operator.value.operator == Operator::NotIpAddress && counted(condition) > 0
}

/// Notes that the block at a place is covered.
fn cover(coverage: &mut StatementCoverage, policy: &Policy, statement: usize, position: Position) {
    let places = coverage.places.get_or_insert_with(|| {
        let statement = policy.statements().get(statement);
        let positions = statement
            .into_iter()
            .flat_map(blocks)
            .map(|(_, prefix)| policy.position(prefix.span));
        positions.zip(0..).collect()
    });
    if let Some(block) = places
        .get(&position)
        .and_then(|&at| coverage.blocks.get_mut(at))
    {
        *block = true;
    }
}

/// Returns the blocks of a statement that are counted, with their conditions.
fn blocks(
    statement: &Statement,
) -> impl Iterator<Item = (&Condition, &portcullis::policy::Located<ipnet::IpNet>)> {
    statement.conditions.iter().flat_map(|condition| {
        let list = match &condition.values {
            Values::Prefixes(list) if counted(condition) > 0 => list.as_slice(),
            _ => &[],
        };
        list.iter().map(move |prefix| (condition, prefix))
    })
}

/// Returns how many blocks of a condition are counted.
fn counted(condition: &Condition) -> usize {
    match &condition.values {
        Values::Prefixes(list) if condition.operator.value.qualifier.is_none() => list.len(),
        _ => 0,
    }
}
