//! Statements that can change no decision.
//!
//! A statement is dead if every call it matches is matched by others that give the same
//! decision without it: for a Deny other Denys, for an Allow Allows or Denys. Two questions
//! are asked of each, and what neither answers is left open:
//!
//! ```text
//! is there a call that it alone decides?           try one ──▶ another matches it ──▶ take that one's
//!                                                   ▲          addresses away, try one of the rest
//!                                                   └──────────────────┘
//! do those that were met hold all that it holds?   by containment of callers, actions, resources,
//!                                                  addresses and conditions
//! ```
//!
//! What both leave open is asked of [`dead_statements`], which overlays all statements and is slower.
//!
//! A call tried is as strange as the statement lets it be (`*` becomes characters that no
//! pattern has), so that only what holds the whole pattern matches it. Most statements are
//! alive by their first call; so the work is that of a few look-ups for each, not of pairs.
//!
//! Statements are judged from the last to the first, and a dead one counts no more for those
//! before it: all that are found can be removed together.
//!
//! - `case`: a statement in the form that both questions need;
//! - `cover`: containment;
//! - `call`: calls to try, and who matches them.

mod call;
mod case;
mod cover;

use core::hash::{Hash, Hasher};
use core::ops::ControlFlow;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;

use self::call::{Calls, Index};
use self::case::{Case, Point};
use super::subject::{SOURCE_IP, Subject};
use crate::analysis::dead_statements;
use crate::analysis::globs::STRANGE;
use crate::decision::Effect;
use crate::policy::{PartRef, Statement, Values};
use crate::request::{Api, is_address_key};

/// What became of the statements.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Those that change no decision, in document order.
    pub(super) dead: Vec<Dead>,
    /// Those about which nothing could be told.
    pub(super) open: Vec<usize>,
}

/// A statement that changes no decision.
#[derive(Debug)]
pub(super) struct Dead {
    pub(super) statement: usize,
    pub(super) covers: Covers,
}

/// What decides the calls of a dead statement without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Covers {
    /// It matches no call.
    Nothing,
    /// These.
    By(Vec<usize>),
    /// The others, in a way that was not taken apart.
    Together,
}

/// Looks for dead statements.
pub(super) fn find(subject: &Subject<'_>) -> Verdict {
    let Some(api) = subject.api().cloned().or_else(unknown_api) else {
        return Verdict::default();
    };
    let policy = subject.policy();
    let statements = policy.statements();
    let mixed = subject.api().is_none() && is_mixed(statements);
    let cases: Vec<Case<'_>> = (0..statements.len())
        .filter_map(|at| Case::new(subject, at, &api, mixed))
        .collect();
    if cases.len() < statements.len() || cases.iter().any(Case::is_long) {
        return Verdict {
            dead: Vec::new(),
            open: (0..statements.len()).collect(),
        };
    }
    let key = swept_key(&cases);
    let mut verdict = Verdict::default();
    let mut alive = vec![true; cases.len()];
    let mut first: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, case) in cases.iter().enumerate() {
        let same = first.entry(fingerprint(case.statement)).or_default();
        let twin = same.iter().copied().find(|&other| {
            statements
                .get(other)
                .is_some_and(|s| is_twin(s, case.statement))
        });
        let covers = match twin {
            Some(twin) => Covers::By(vec![twin]),
            None if case.matches_nothing() => Covers::Nothing,
            None => {
                same.push(at);
                continue;
            }
        };
        kill(&mut alive, at);
        verdict.dead.push(Dead {
            statement: at,
            covers,
        });
    }
    let index = Index::new(&cases, &key);
    let mut budget = BUDGET;
    for at in (0..cases.len()).rev() {
        if !alive.get(at).copied().unwrap_or(false) {
            continue;
        }
        match judge(&cases, at, &alive, &index, &key, &mut budget) {
            Judged::Alive => {}
            Judged::Open => verdict.open.push(at),
            Judged::Dead(covers) => {
                kill(&mut alive, at);
                verdict.dead.push(Dead {
                    statement: at,
                    covers: Covers::By(covers),
                });
            }
        }
    }
    let left: Vec<usize> = (alive.iter().enumerate())
        .filter_map(|(at, alive)| alive.then_some(at))
        .collect();
    if !verdict.open.is_empty() && !mixed && left.len() <= OVERLAID {
        let kept = left.iter().filter_map(|&at| statements.get(at).cloned());
        let rest = policy
            .with_statements(kept.collect())
            .with_short_hand_expanded(&api);
        // Too much overlap for the overlay leaves them open.
        for (_, index) in dead_statements(&[rest], true).unwrap_or_default() {
            let Some(&at) = left.get(index) else { continue };
            verdict.open.retain(|&open| open != at);
            verdict.dead.push(Dead {
                statement: at,
                covers: Covers::Together,
            });
        }
    }
    verdict.dead.sort_by_key(|dead| dead.statement);
    verdict.open.sort_unstable();
    // NOTE: who stands for a dead statement may itself be found dead later, because what stands
    // for that one stands for both. Those that stay are named.
    let all: HashMap<usize, Covers> = (verdict.dead.iter())
        .map(|dead| (dead.statement, dead.covers.clone()))
        .collect();
    for dead in &mut verdict.dead {
        if let Covers::By(covers) = &dead.covers {
            dead.covers = staying(covers, &all).map_or(Covers::Together, Covers::By);
        }
    }
    verdict
}

enum Judged {
    Alive,
    Open,
    Dead(Vec<usize>),
}

/// Judges one statement by those that are alive.
fn judge(
    cases: &[Case<'_>],
    at: usize,
    alive: &[bool],
    index: &Index,
    key: &str,
    budget: &mut usize,
) -> Judged {
    let Some(case) = cases.get(at) else {
        return Judged::Open;
    };
    let mut covers: Vec<usize> = Vec::new();
    for part in 0..case.parts() {
        let mut proven = false;
        for call in Calls::new(case, part) {
            let candidates = index.candidates(&call.resource);
            let mut left = case.states(key);
            let mut met: Vec<usize> = Vec::new();
            let mut known: HashMap<usize, bool> = HashMap::new();
            let mut rounds = 0;
            while let Some(point) = Point::of(&left) {
                rounds += 1;
                if rounds > ROUNDS {
                    return Judged::Open;
                }
                let mut matched = None;
                let mut looked = 0;
                index.near(&candidates, &call, point, &mut |other| {
                    looked += 1;
                    if other == at || !alive.get(other).copied().unwrap_or(false) {
                        return ControlFlow::Continue(());
                    }
                    let Some(other_case) = cases.get(other) else {
                        return ControlFlow::Continue(());
                    };
                    let counts =
                        case.effect() == Effect::Allow || other_case.effect() == Effect::Deny;
                    let fits = counts
                        && other_case.holds_at(key, point)
                        && !call.is_refused_by(other_case)
                        && *known.entry(other).or_insert_with(|| {
                            looked += ASKED;
                            call.is_matched_by(other_case, key)
                        });
                    if !fits {
                        return ControlFlow::Continue(());
                    }
                    matched = Some((other, other_case));
                    ControlFlow::Break(())
                });
                let Some(rest) = budget.checked_sub(looked) else {
                    return Judged::Open;
                };
                *budget = rest;
                let Some((other, other_case)) = matched else {
                    return if call.is_matched_by(case, key) {
                        Judged::Alive
                    } else {
                        Judged::Open
                    };
                };
                met.push(other);
                let taken = other_case.states(key);
                *budget = budget.saturating_sub(taken.ranges().len() + left.ranges().len());
                left = left.difference(&taken);
            }
            // All addresses are taken for this call; are they for all calls of the part?
            let all = (met.iter().filter_map(|&other| cases.get(other)))
                .all(|other| cover::covers_but(other, case, part, key, budget));
            if all {
                covers.extend(met);
                proven = true;
                break;
            }
        }
        if !proven {
            return Judged::Open;
        }
    }
    covers.sort_unstable();
    covers.dedup();
    Judged::Dead(covers)
}

/// Follows the dead to those that stay, as far as they are known.
fn staying(covers: &[usize], dead: &HashMap<usize, Covers>) -> Option<Vec<usize>> {
    let mut open: Vec<usize> = covers.to_vec();
    let mut seen = Vec::new();
    let mut stay = Vec::new();
    while let Some(at) = open.pop() {
        if seen.contains(&at) {
            continue;
        }
        if seen.len() > ROUNDS {
            return None;
        }
        seen.push(at);
        match dead.get(&at) {
            Some(Covers::By(further)) => open.extend(further),
            Some(_) => return None,
            None => stay.push(at),
        }
    }
    stay.sort_unstable();
    Some(stay)
}

fn kill(alive: &mut [bool], at: usize) {
    if let Some(flag) = alive.get_mut(at) {
        *flag = false;
    }
}

/// Returns an API of which nothing is known but that it is one.
fn unknown_api() -> Option<Api> {
    let strange = |last: char| format!("{STRANGE}{last}");
    let [partition, region, account, id] = ['p', 'r', 'a', 'i'].map(strange);
    Api::new(&partition, &region, &account, &id).ok()
}

/// Returns whether some resources are short-hand and others are not: of which API the short-hand
/// is cannot be told, so that it may be the one of the others.
fn is_mixed(statements: &[Statement]) -> bool {
    let short = |statement: &Statement| {
        let patterns = statement.resource.patterns.iter();
        patterns
            .map(|text| text.value.raw().starts_with(super::subject::SHORT_HAND))
            .collect::<Vec<_>>()
    };
    let all: Vec<bool> = statements.iter().flat_map(short).collect();
    all.contains(&true) && all.contains(&false)
}

/// Returns the key whose addresses are taken away bit by bit: the one most statements compare.
fn swept_key(cases: &[Case<'_>]) -> String {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for key in cases.iter().flat_map(Case::keys) {
        *uses.entry(key).or_default() += 1;
    }
    let source_ip = SOURCE_IP.to_ascii_lowercase();
    let most = uses
        .into_iter()
        .max_by_key(|(key, uses)| (*uses, *key == source_ip, *key));
    most.map_or(source_ip, |(key, _)| key.to_owned())
}

/// Returns whether two statements are equal but for their Sids.
fn is_twin(one: &Statement, other: &Statement) -> bool {
    one.effect == other.effect
        && one.principal == other.principal
        && one.action == other.action
        && one.resource == other.resource
        && one.conditions == other.conditions
}

/// Returns a number that twins have in common.
fn fingerprint(statement: &Statement) -> u64 {
    let mut hasher = DefaultHasher::new();
    statement.effect.value.hash(&mut hasher);
    for entry in statement.principal.iter().flat_map(|p| &p.entries) {
        entry.value.hash(&mut hasher);
    }
    for pattern in &statement.action.patterns {
        pattern.value.hash(&mut hasher);
    }
    for pattern in &statement.resource.patterns {
        pattern.value.hash(&mut hasher);
    }
    for condition in &statement.conditions {
        condition.operator.value.hash(&mut hasher);
        match &condition.values {
            Values::Prefixes(list) => list.iter().for_each(|p| p.value.hash(&mut hasher)),
            Values::Texts(list) => list.iter().for_each(|t| t.value.hash(&mut hasher)),
        }
    }
    hasher.finish()
}

/// Returns whether a text is `*` alone.
fn is_star(text: &crate::policy::Text) -> bool {
    let mut parts = text.parts();
    matches!(
        (parts.next(), parts.next()),
        (Some(PartRef::Raw("*")), None)
    )
}

/// Returns whether a key's addresses can be told apart from its texts; see `case`.
fn is_typed(key: &str) -> bool {
    is_address_key(key)
}

/// Statements looked at and ranges compared, in all.
const BUDGET: usize = 100_000_000;
/// What it costs to ask whether a statement matches a call, in looks at a statement.
const ASKED: usize = 16;
/// Statements that are overlaid to judge what is left open.
const OVERLAID: usize = 500;
/// Calls tried in a row, and statements followed.
const ROUNDS: usize = 256;
