//! A policy too long for one document → several documents, each within the limit.
//!
//! ```text
//! statements ──cut: those too long──▶ ──pack: first document with room──▶ ──diff──▶ proven equal together
//! ```
//!
//! Policies that are in force together are one list of statements. A statement that is too long
//! for a document of its own is cut at a list of alternatives, which is what `merge` joins: where
//! one may match, either half of the list is a statement. Lists of which none may match cannot be cut.

use core::ops::Range;
use std::collections::HashSet;

use super::{characters, compact, merge};
use crate::analysis::diff::diff;
use crate::analysis::error::AnalysisError;
use crate::policy::{Policy, Statement, Values};

/// Policies that a policy was split into.
#[derive(Clone, Debug)]
pub struct Split {
    policies: Vec<Policy>,
    too_long: Vec<usize>,
    is_proven: bool,
}

impl Split {
    pub(super) fn new(policy: &Policy, limit: usize) -> Result<Self, AnalysisError> {
        // Cloned for each measure, so without its statements.
        let bare = policy.with_statements(Vec::new());
        let size = |list: &[Statement]| characters(&compact(&bare.with_statements(list.to_vec())));
        let frame = size(&[]);
        let mut too_long = Vec::new();
        let mut pieces = Vec::new();
        for (index, statement) in policy.statements().iter().enumerate() {
            if size(core::slice::from_ref(statement)) <= limit {
                pieces.push(statement.clone());
            } else if !cut(statement, limit, size, &mut pieces) {
                too_long.push(index);
            }
        }
        let mut documents: Vec<(usize, Vec<Statement>)> = Vec::new();
        for piece in pieces {
            let own = size(core::slice::from_ref(&piece)).saturating_sub(frame);
            // With the comma before it.
            match documents.iter_mut().find(|(held, _)| held + own < limit) {
                Some((held, statements)) => {
                    *held += own + 1;
                    statements.push(piece);
                }
                None => documents.push((frame + own, vec![piece])),
            }
        }
        let policies: Vec<Policy> = (documents.into_iter())
            .map(|(_, mut statements)| {
                // Parts of a list that lie in one document again.
                merge::statements(&mut statements);
                name_apart(&mut statements);
                bare.with_statements(statements)
            })
            .collect();
        let is_proven = diff(core::slice::from_ref(policy), &policies)?.is_empty();
        Ok(Self {
            policies,
            too_long,
            is_proven,
        })
    }

    /// Returns the policies.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Returns the text of each policy, without white space.
    pub fn texts(&self) -> Vec<String> {
        self.policies.iter().map(compact).collect()
    }

    /// Returns the statements of the policy that cannot be cut into parts within the limit, by index.
    pub fn too_long(&self) -> &[usize] {
        &self.too_long
    }

    /// Returns whether the policies were proven to decide every request alike, together.
    pub const fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Returns whether every policy is within the limit, and all are proven equal together.
    pub fn is_whole(&self) -> bool {
        self.too_long.is_empty() && self.is_proven
    }
}

/// Cuts a statement into parts within the limit; returns whether all are.
fn cut(
    statement: &Statement,
    limit: usize,
    size: impl Fn(&[Statement]) -> usize,
    pieces: &mut Vec<Statement>,
) -> bool {
    let size = |piece: &Statement| size(core::slice::from_ref(piece));
    let most = pieces.len() + PIECES;
    let mut all_fit = true;
    let mut open = vec![statement.clone()];
    while let Some(piece) = open.pop() {
        let length = size(&piece);
        let lists = lists(&piece);
        let longest = lists.iter().max_by_key(|list| list.length);
        let Some(&list) = longest.filter(|_| length > limit && pieces.len() < most) else {
            all_fit &= length <= limit;
            pieces.push(piece);
            continue;
        };
        let others: usize = lists.iter().map(|list| list.length).sum::<usize>() - list.length;
        let half = list.count / 2;
        // Where another list takes much of each document, that is to be cut as well.
        let at = if others > limit / 2 || length > FAR * limit {
            half
        } else {
            // A document holds hardly more values than that.
            let most = list.count.min(limit / VALUE + 2);
            let counts: Vec<usize> = (1..most).collect();
            let fill =
                counts.partition_point(|count| size(&part(&piece, list, 0..*count)) <= limit);
            if fill == 0 { half } else { fill }
        };
        open.push(part(&piece, list, at..list.count));
        open.push(part(&piece, list, 0..at));
    }
    all_fit
}

/// A list of alternatives of a statement.
#[derive(Clone, Copy, Debug)]
struct List {
    element: Element,
    count: usize,
    /// The characters of its text, about.
    length: usize,
}

#[derive(Clone, Copy, Debug)]
enum Element {
    Principal,
    Action,
    Resource,
    /// The values of a condition, by index.
    Condition(usize),
}

/// Returns the lists that can be cut.
fn lists(statement: &Statement) -> Vec<List> {
    let mut found = Vec::new();
    if let Some(element) = statement.principal.as_ref().filter(|e| !e.negated) {
        let lengths = element.entries.iter().map(|_| NAME);
        found.push(List::of(Element::Principal, lengths));
    }
    if !statement.action.negated {
        let lengths = statement.action.patterns.iter().map(|p| p.value.len());
        found.push(List::of(Element::Action, lengths));
    }
    if !statement.resource.negated {
        let patterns = &statement.resource.patterns;
        let lengths = patterns.iter().map(|text| text.value.raw().len());
        found.push(List::of(Element::Resource, lengths));
    }
    for (index, condition) in statement.conditions.iter().enumerate() {
        if !merge::is_alternatives(condition) {
            continue;
        }
        let element = Element::Condition(index);
        found.push(match &condition.values {
            Values::Prefixes(prefixes) => List::of(element, prefixes.iter().map(|_| PREFIX)),
            Values::Texts(texts) => {
                List::of(element, texts.iter().map(|text| text.value.raw().len()))
            }
        });
    }
    found.retain(|list| list.count > 1);
    found
}

impl List {
    fn of(element: Element, lengths: impl ExactSizeIterator<Item = usize>) -> Self {
        Self {
            element,
            count: lengths.len(),
            length: lengths.map(|length| length + MARKS).sum(),
        }
    }
}

/// Returns a statement with a part of one list.
fn part(statement: &Statement, list: List, kept: Range<usize>) -> Statement {
    let mut part = statement.clone();
    match list.element {
        Element::Principal => {
            if let Some(element) = &mut part.principal {
                keep(&mut element.entries, kept);
            }
        }
        Element::Action => keep(&mut part.action.patterns, kept),
        Element::Resource => keep(&mut part.resource.patterns, kept),
        Element::Condition(index) => match part.conditions.get_mut(index).map(|c| &mut c.values) {
            Some(Values::Prefixes(prefixes)) => keep(prefixes, kept),
            Some(Values::Texts(texts)) => keep(texts, kept),
            None => {}
        },
    }
    part
}

fn keep<T>(list: &mut Vec<T>, kept: Range<usize>) {
    list.truncate(kept.end);
    list.drain(..kept.start);
}

/// Gives each statement a name of its own: a document takes each Sid once.
fn name_apart(statements: &mut [Statement]) {
    let mut taken: HashSet<Box<str>> = HashSet::new();
    for statement in statements {
        let Some(sid) = &mut statement.sid else {
            continue;
        };
        let mut number = 1_usize;
        let mut name = sid.value.clone();
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{}Part{number}", sid.value).into();
        }
        sid.value = name;
    }
}

/// Parts that a statement is cut into at most.
const PIECES: usize = 10_000;
/// Documents that a statement takes up from which on it is halved, for measuring it costs more.
const FAR: usize = 8;
/// Characters of a short value with its quotes and comma.
const VALUE: usize = 4;
/// Characters of a prefix, about.
const PREFIX: usize = 16;
/// Characters of a caller, about.
const NAME: usize = 40;
/// Characters around a text in a list.
const MARKS: usize = 3;
