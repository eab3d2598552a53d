//! A policy → the smallest text found that decides every request alike.
//!
//! ```text
//! statements ──drop dead──▶ ──shrink: CIDRs, patterns──▶ ──merge──▶ ──drop dead──▶ ──diff──▶ proven equal
//!                                                                     └──split──▶ several policies, for a limit
//! ```
//!
//! Statements become one where they differ in one list of alternatives only: resources,
//! actions, principals, or the values of one condition. That is an "or" of what they say,
//! and so it must not be done to lists of which none may match (`NotResource`,
//! `NotIpAddress`), to `ForAllValues`, or to two lists at once: the result would also
//! match the first of one with the second of the other.
//!
//! # Invariants
//!
//! What is returned has been compared with the policy by [`diff()`](crate::analysis::diff()) and found equal.

mod merge;
mod shrink;
mod split;

use super::diff::{dead_statements, diff};
use super::error::AnalysisError;
use crate::policy::{Policy, Statement};

pub use self::split::Split;

/// A policy and the smaller one that was found for it.
#[derive(Clone, Debug)]
pub struct Fit {
    before: usize,
    policy: Policy,
    dead: usize,
    is_proven: bool,
}

/// Returns the smallest policy found that decides every request as `policy` does.
///
/// # Errors
///
/// As [`diff()`](crate::analysis::diff()): short-hand is to be expanded first, as the limit counts it expanded.
pub fn fit(policy: &Policy) -> Result<Fit, AnalysisError> {
    let before = characters(&policy.to_json_compact());
    let mut found = Fit {
        before,
        policy: policy.clone(),
        dead: 0,
        is_proven: false,
    };
    // What goes furthest is the hardest to prove.
    for steps in [Steps::All, Steps::WithoutDead, Steps::WithinStatements] {
        let (statements, dead) = shortened(policy, steps)?;
        let shorter = policy.with_statements(statements);
        if diff(
            core::slice::from_ref(policy),
            core::slice::from_ref(&shorter),
        )?
        .is_empty()
        {
            found.is_proven = true;
            if characters(&compact(&shorter)) <= before {
                found.policy = shorter;
                found.dead = dead;
            }
            break;
        }
    }
    Ok(found)
}

/// How much is done to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    All,
    WithoutDead,
    WithinStatements,
}

/// Returns statements that say the same in less, and how many were dropped.
fn shortened(policy: &Policy, steps: Steps) -> Result<(Vec<Statement>, usize), AnalysisError> {
    let mut statements: Vec<Statement> = policy.statements().to_vec();
    let mut dead = 0;
    if steps == Steps::All {
        dead += drop_dead(policy, &mut statements)?;
    }
    statements.iter_mut().for_each(shrink::statement);
    if steps != Steps::WithinStatements {
        merge::statements(&mut statements);
        statements.iter_mut().for_each(shrink::statement);
    }
    if steps == Steps::All {
        dead += drop_dead(policy, &mut statements)?;
    }
    Ok((statements, dead))
}

impl Fit {
    /// Returns the policy that was found.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the text, without white space.
    pub fn text(&self) -> String {
        compact(&self.policy)
    }

    /// Returns the characters of the policy as it was, without white space.
    pub const fn characters_before(&self) -> usize {
        self.before
    }

    /// Returns the characters of the text.
    pub fn characters(&self) -> usize {
        characters(&self.text())
    }

    /// Returns how many statements could change no decision.
    pub const fn dead_statements(&self) -> usize {
        self.dead
    }

    /// Returns the same without Sids, which no decision hangs on.
    #[must_use]
    pub fn without_sids(&self) -> Self {
        let mut statements = self.policy.statements().to_vec();
        for statement in &mut statements {
            statement.sid = None;
        }
        Self {
            policy: self.policy.with_statements(statements),
            ..self.clone()
        }
    }

    /// Returns whether something was found that is proven equal; if not, the policy is as it was given.
    pub const fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Returns policies of at most `limit` characters that together decide every request alike.
    ///
    /// That is of use where several policies are in force together, as those of one identity are. An API
    /// has one resource policy.
    ///
    /// # Errors
    ///
    /// As [`diff()`](crate::analysis::diff()), by which the policies are compared.
    pub fn split(&self, limit: usize) -> Result<Split, AnalysisError> {
        Split::new(&self.policy, limit)
    }
}

/// Drops the statements that can change no decision, but for the last there is.
fn drop_dead(policy: &Policy, statements: &mut Vec<Statement>) -> Result<usize, AnalysisError> {
    let now = policy.with_statements(statements.clone());
    let mut dead = dead_statements(core::slice::from_ref(&now), true)?;
    if dead.len() == statements.len() {
        dead.pop();
    }
    for (_, index) in dead.iter().rev() {
        statements.remove(*index);
    }
    Ok(dead.len())
}

/// Returns the text without white space, single IPv4 addresses without a length where that reads back the same.
fn compact(policy: &Policy) -> String {
    let text = policy.to_json_compact();
    let mut short = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/32\"") {
        short.push_str(before);
        let address = before.rsplit('"').next().unwrap_or_default();
        let is_single = address.parse::<core::net::Ipv4Addr>().is_ok();
        short.push_str(if is_single { "\"" } else { "/32\"" });
        rest = after;
    }
    short.push_str(rest);
    // A text condition may hold what looks like a prefix.
    match Policy::from_json_as(&short, policy.kind()) {
        Ok(read) if read == *policy => short,
        _ => text,
    }
}

fn characters(text: &str) -> usize {
    text.chars().count()
}
