//! A part → the ways in which conditions, caller and action can be as it asks for.
//!
//! ```text
//! conditions   all of Z's that x and y do not ask for are false, but that of opposites one is true
//! callers      one of each kind that the principal elements can tell apart
//! actions      one for each combination of patterns that some text matches
//! ```
//!
//! Of each way it is known which of Z is left, for the resource to evade.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use core::ops::Bound;

use super::callers;
use super::example::Caller;
use super::probe::{Probe, Prober};
use super::solve::{Part, Solver};
use super::texts;
use crate::analysis::globs::Glob;
use crate::analysis::guard::{Guard, Table};
use crate::analysis::search;
use crate::request::Request;

/// A way to be in x and y, with what of Z is left to be evaded by the resource.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) caller: Caller,
    pub(super) action: String,
    pub(super) left: Vec<u32>,
}

/// Finds ways, and remembers what parts share.
#[derive(Debug)]
pub(super) struct Ways<'t> {
    solver: &'t Solver<'t>,
    prober: Prober<'t>,
    whos: HashMap<u32, Rc<Probe>>,
    callers: HashMap<Vec<u32>, Rc<Choice<Caller>>>,
    actions: HashMap<Vec<u32>, Rc<Choice<String>>>,
}

/// The values of one dimension that are worth trying.
#[derive(Debug)]
struct Choice<T> {
    values: Vec<T>,
    /// Whether every value there is is like one of these.
    is_complete: bool,
}

/// Which conditions can be true together.
struct Truths {
    /// What x and y ask for.
    asked: BTreeSet<u32>,
    /// Conditions of Z of which exactly one holds, whatever the request.
    pairs: Vec<(u32, u32)>,
    /// Whether these are all such pairs.
    is_complete: bool,
}

impl Truths {
    /// Returns what can be true, or `None` where x and y ask for opposites.
    fn new(table: &Table, required: &[&Guard], excluded: &[&Guard]) -> Option<Self> {
        let conditions = |guards: &[&Guard]| -> BTreeSet<u32> {
            let all = guards.iter().flat_map(|guard| &guard.conditions);
            all.copied().collect()
        };
        let asked = conditions(required);
        let is_opposed = |id: &u32| asked.iter().any(|other| table.are_opposite(*id, *other));
        if asked.iter().any(is_opposed) {
            return None;
        }
        let mut free = conditions(excluded);
        free.retain(|id| !asked.contains(id) && !is_opposed(id));
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for one in &free {
            let other = free
                .range((Bound::Excluded(*one), Bound::Unbounded))
                .find(|other| table.are_opposite(*one, **other));
            pairs.extend(other.map(|other| (*one, *other)));
        }
        let is_complete = pairs.len() <= PAIR_LIMIT;
        pairs.truncate(PAIR_LIMIT);
        Some(Self {
            asked,
            pairs,
            is_complete,
        })
    }

    /// Returns for each choice from the pairs what is true.
    fn choices(&self) -> impl Iterator<Item = BTreeSet<u32>> {
        (0..1_u32 << self.pairs.len()).map(|choice| {
            let chosen = self
                .pairs
                .iter()
                .enumerate()
                .map(
                    move |(bit, (one, other))| {
                        if choice >> bit & 1 == 0 { *other } else { *one }
                    },
                );
            self.asked.iter().copied().chain(chosen).collect()
        })
    }
}

impl<'t> Ways<'t> {
    pub(super) fn new(solver: &'t Solver<'t>, prober: Prober<'t>) -> Self {
        Self {
            solver,
            prober,
            whos: HashMap::new(),
            callers: HashMap::new(),
            actions: HashMap::new(),
        }
    }

    /// Returns the ways, and whether these are all; `None` where there is none.
    ///
    /// `required` are the guards of x and y.
    pub(super) fn of(&mut self, part: &Part, required: &[&Guard]) -> Option<(Vec<Way>, bool)> {
        let solver = self.solver;
        let numbered = |z: &u32| solver.guard(*z).map(|guard| (*z, guard));
        let excluded: Vec<(u32, &Guard)> = part.z.iter().filter_map(numbered).collect();
        let guards: Vec<&Guard> = excluded.iter().map(|(_, guard)| *guard).collect();
        let truths = Truths::new(solver.table, required, &guards)?;
        let elements = |of: fn(&Guard) -> u32| -> Vec<u32> {
            let all = required.iter().chain(&guards);
            let distinct: BTreeSet<u32> = all.map(|guard| of(guard)).collect();
            distinct.into_iter().collect()
        };
        let whos = elements(|guard| guard.who);
        let callers = self.callers(&whos);
        let actions = self.actions(&elements(|guard| guard.action));
        let mut seen: HashSet<Vec<u32>> = HashSet::new();
        let mut ways: Vec<Way> = Vec::new();
        for caller in &callers.values {
            let matched: HashSet<u32> = (whos.iter().copied())
                .filter(|who| self.who_holds(*who, caller))
                .collect();
            for action in &actions.values {
                let is_met = |guard: &Guard| {
                    matched.contains(&guard.who)
                        && (solver.table.action(guard.action))
                            .is_some_and(|(actions, _)| actions.matches(action))
                };
                if !required.iter().all(|guard| is_met(guard)) {
                    continue;
                }
                let met = excluded.iter().filter(|(_, guard)| is_met(guard));
                let met: Vec<_> = met.collect();
                for truths in truths.choices() {
                    let is_left =
                        |guard: &Guard| guard.conditions.iter().all(|id| truths.contains(id));
                    let left = met.iter().filter(|(_, guard)| is_left(guard));
                    let left: Vec<u32> = left.map(|(z, _)| *z).collect();
                    if seen.insert(left.clone()) {
                        ways.push(Way {
                            caller: caller.clone(),
                            action: action.clone(),
                            left,
                        });
                    }
                }
            }
        }
        // The fewer are to be evaded, the easier. The order of callers is kept among equals.
        ways.sort_by_key(|way| way.left.len());
        let is_complete = truths.is_complete && callers.is_complete && actions.is_complete;
        Some((ways, is_complete))
    }

    fn who_holds(&mut self, who: u32, caller: &Caller) -> bool {
        let prober = &self.prober;
        let probe = (self.whos.entry(who)).or_insert_with(|| Rc::new(prober.who(who)));
        let request = Request::invoke(None, "").with_principal(caller.as_principal());
        probe.holds(&request)
    }

    fn callers(&mut self, whos: &[u32]) -> Rc<Choice<Caller>> {
        if let Some(known) = self.callers.get(whos) {
            return Rc::clone(known);
        }
        let entries = (whos.iter())
            .filter_map(|who| self.solver.table.who(*who))
            .flat_map(|(who, _)| &who.entries);
        let values = callers::kinds(entries);
        let choice = Rc::new(match values {
            Some(values) => Choice {
                values,
                is_complete: true,
            },
            None => Choice {
                values: vec![Caller::Anonymous],
                is_complete: false,
            },
        });
        self.callers.insert(whos.to_vec(), Rc::clone(&choice));
        choice
    }

    fn actions(&mut self, ids: &[u32]) -> Rc<Choice<String>> {
        if let Some(known) = self.actions.get(ids) {
            return Rc::clone(known);
        }
        let mut globs: Vec<&Glob> = (ids.iter())
            .filter_map(|id| self.solver.table.action(*id))
            .flat_map(|(actions, _)| &actions.patterns)
            .collect();
        globs.sort_unstable();
        globs.dedup();
        let mut values: Vec<String> = texts::ACTIONS.iter().map(|&text| text.to_owned()).collect();
        let mut budget = ACTION_BUDGET;
        let combinations = search::combinations(&globs, &mut budget);
        let is_complete = combinations.is_some();
        values.extend(combinations.into_iter().flatten().map(|(_, text)| text));
        let choice = Rc::new(Choice {
            values,
            is_complete,
        });
        self.actions.insert(ids.to_vec(), Rc::clone(&choice));
        choice
    }
}

/// Steps of one pattern by one character, for the combinations of actions.
const ACTION_BUDGET: usize = 300_000;
/// Pairs of opposite conditions, each of which doubles the ways.
const PAIR_LIMIT: usize = 6;
