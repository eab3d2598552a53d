//! Is there a request with "x, perhaps y, and none of Z"? Finds one, or proves that there is none.
//!
//! ```text
//! part ──ways──▶ conditions, caller and action, and which of Z is left
//!                  └─▶ a resource that x and y match and these do not ──▶ a request
//! ```
//!
//! Taking conditions for independent, and a variable for anything at all, only adds
//! requests, so "none" is a proof. A request found this way is then asked of the reference
//! evaluator, with a context made up for it; where no context is found, nothing is proven.

use std::collections::HashMap;
use std::rc::Rc;

use super::context;
use super::example::{Example, Source};
use super::probe::{Probe, Prober, effect};
use super::solve::{Part, Solver};
use super::sources;
use super::texts;
use super::ways::{Way, Ways};
use crate::analysis::globs::Glob;
use crate::analysis::guard::{Guard, Place};
use crate::analysis::search::{self, Search};
use crate::policy::Policy;
use crate::request::Request;

/// What is known about a part.
#[derive(Debug)]
pub(super) enum Verdict {
    /// No request is in it.
    Empty,
    /// This one is.
    Proven(Box<Example>),
    /// Not known.
    Unproven,
}

/// Finds witnesses, and remembers what they share.
#[derive(Debug)]
pub(super) struct Witness<'t> {
    solver: &'t Solver<'t>,
    prober: Prober<'t>,
    ways: Ways<'t>,
    guards: HashMap<u32, Rc<Probe>>,
    budget: usize,
    attempts: usize,
}

impl<'t> Witness<'t> {
    pub(super) fn new(solver: &'t Solver<'t>, model: &'t Policy) -> Self {
        let prober = Prober {
            table: solver.table,
            model,
        };
        Self {
            solver,
            prober,
            ways: Ways::new(solver, prober),
            guards: HashMap::new(),
            budget: TOTAL_BUDGET,
            attempts: TOTAL_ATTEMPTS,
        }
    }

    pub(super) const fn prober(&self) -> &Prober<'t> {
        &self.prober
    }

    /// Returns whether the part is proven empty, at less cost than [`Self::verdict`].
    pub(super) fn is_empty(&mut self, part: &Part) -> bool {
        matches!(self.look(part, false), Verdict::Empty)
    }

    pub(super) fn verdict(&mut self, part: &Part) -> Verdict {
        self.look(part, true)
    }

    fn look(&mut self, part: &Part, with_example: bool) -> Verdict {
        let Some(required) = self.required(part) else {
            return Verdict::Unproven;
        };
        let Some((ways, mut is_complete)) = self.ways.of(part, &required) else {
            return Verdict::Empty;
        };
        for (tried, way) in ways.iter().enumerate() {
            let mut budget = SEARCH_BUDGET.min(self.budget);
            let given = budget;
            let resource = self.resource(&required, way, &mut budget);
            self.budget -= given - budget;
            match resource {
                Search::Empty => {}
                Search::OverBudget => is_complete = false,
                Search::Found(_) if !with_example => return Verdict::Unproven,
                Search::Found(resource) => {
                    if let Some(example) = self.example(part, way, resource) {
                        return Verdict::Proven(Box::new(example));
                    }
                    is_complete = false;
                    if tried >= WAY_LIMIT {
                        break;
                    }
                }
            }
        }
        if is_complete {
            Verdict::Empty
        } else {
            Verdict::Unproven
        }
    }

    /// Returns the guards of x and y.
    fn required(&self, part: &Part) -> Option<Vec<&'t Guard>> {
        let mut required = vec![self.solver.guard(part.x)?];
        if let Some(y) = part.y {
            required.push(self.solver.guard(y)?);
        }
        Some(required)
    }

    /// Looks for a resource in the places of `required` and in none of what is left to evade.
    fn resource(&self, required: &[&Guard], way: &Way, budget: &mut usize) -> Search {
        let table = self.solver.table;
        let mut clauses: Vec<Vec<&Glob>> = Vec::new();
        let mut forbidden: Vec<&Glob> = Vec::new();
        let glob = |id: &u32| table.pattern(*id).map(|(pattern, _)| &pattern.glob);
        // What a pattern with a variable does not match is not known, so it forbids nothing.
        let plain = |id: &u32| {
            (table.pattern(*id))
                .filter(|(pattern, _)| pattern.variable.is_none())
                .map(|(pattern, _)| &pattern.glob)
        };
        for guard in required {
            match &guard.resource {
                Place::In(id) => clauses.push(glob(id).into_iter().collect()),
                Place::NotIn(ids) => forbidden.extend(ids.iter().filter_map(plain)),
            }
        }
        for guard in way.left.iter().filter_map(|z| self.solver.guard(*z)) {
            match &guard.resource {
                Place::In(id) => forbidden.extend(plain(id)),
                Place::NotIn(ids) => clauses.push(ids.iter().filter_map(glob).collect()),
            }
        }
        forbidden.sort_unstable();
        forbidden.dedup();
        match texts::likely(&clauses, &forbidden) {
            Some(text) => Search::Found(text),
            None => search::find(&clauses, &forbidden, budget),
        }
    }

    /// Completes a way and a resource to a request that is in the part, asked of the reference.
    fn example(&mut self, part: &Part, way: &Way, resource: String) -> Option<Example> {
        let mut ids: Vec<u32> = vec![part.x];
        ids.extend(part.y);
        let required = ids.len();
        ids.extend(&part.z);
        let probes: Vec<Rc<Probe>> = ids.iter().filter_map(|id| self.guard_probe(*id)).collect();
        let is_in = |request: &Request<'_>| {
            (probes.iter().enumerate())
                .all(|(index, probe)| probe.holds(request) == (index < required))
        };
        let mut conditions: Vec<(u32, crate::decision::Effect)> = Vec::new();
        for guard in ids.iter().filter_map(|id| self.solver.guard(*id)) {
            for id in &guard.conditions {
                if !conditions.iter().any(|(known, _)| known == id) {
                    conditions.push((*id, effect(guard)));
                }
            }
        }
        let written: Vec<&crate::policy::Condition> = (conditions.iter())
            .filter_map(|(id, _)| self.solver.table.condition(*id))
            .collect();
        let variables = self.variables(&ids, &written);
        let mut resources = vec![resource];
        // A variable of a resource is tried with a value of its own.
        resources.extend(self.substituted(&ids, required));
        let mut keys = context::choices(&written, &variables);
        for guard in ids
            .iter()
            .take(required)
            .filter_map(|id| self.solver.guard(*id))
        {
            for id in &guard.conditions {
                if let Some(condition) = self.solver.table.condition(*id) {
                    let probe = self.prober.condition(*id, effect(guard));
                    context::keep(&mut keys, condition, &|request| probe.holds(request));
                }
            }
        }
        let mut attempts = ATTEMPT_LIMIT.min(self.attempts);
        let given = attempts;
        let mut found = None;
        for source in sources::of(&part.addresses, &written) {
            let fixed = match &source {
                Source::Known(ip) => Some(ip.to_string()),
                Source::Absent | Source::Unreadable | Source::Several(_) => None,
            };
            for resource in &resources {
                let resource = match &fixed {
                    Some(ip) => resource.replace(context::SOURCE_IP_MARK, ip),
                    None => resource.clone(),
                };
                let mut example = Example {
                    caller: way.caller.clone(),
                    action: way.action.clone(),
                    resource,
                    source: source.clone(),
                    context: Vec::new(),
                };
                if context::complete(&mut example, &keys, &is_in, &mut attempts) {
                    found = Some(example);
                    break;
                }
            }
            if found.is_some() {
                break;
            }
        }
        self.attempts -= given - attempts;
        found
    }

    fn guard_probe(&mut self, id: u32) -> Option<Rc<Probe>> {
        let guard = self.solver.guard(id)?;
        let prober = &self.prober;
        let probe = (self.guards.entry(id)).or_insert_with(|| Rc::new(prober.guard(guard)));
        Some(Rc::clone(probe))
    }

    /// Returns the keys of the variables in resources and conditions.
    fn variables(&self, ids: &[u32], conditions: &[&crate::policy::Condition]) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        let guards = ids.iter().filter_map(|id| self.solver.guard(*id));
        for guard in guards {
            let patterns = match &guard.resource {
                Place::In(id) => core::slice::from_ref(id),
                Place::NotIn(ids) => ids,
            };
            for (_, text) in patterns
                .iter()
                .filter_map(|id| self.solver.table.pattern(*id))
            {
                context::add_variables(&text.value, &mut keys);
            }
        }
        for condition in conditions {
            if let crate::policy::Values::Texts(texts) = &condition.values {
                texts
                    .iter()
                    .for_each(|text| context::add_variables(&text.value, &mut keys));
            }
        }
        keys
    }

    /// Returns resources of the required patterns with variables, each variable by a stand-in.
    fn substituted(&self, ids: &[u32], required: usize) -> Vec<String> {
        let guards = ids
            .iter()
            .take(required)
            .filter_map(|id| self.solver.guard(*id));
        let mut resources = Vec::new();
        for guard in guards {
            if let Place::In(id) = &guard.resource
                && let Some((pattern, text)) = self.solver.table.pattern(*id)
                && pattern.variable.is_some()
            {
                resources.extend(texts::with_stand_ins(&text.value));
            }
        }
        resources
    }
}

/// Steps of one pattern by one character: for one search for a resource, for all together.
const SEARCH_BUDGET: usize = 200_000;
const TOTAL_BUDGET: usize = 40_000_000;
/// Requests that are made up for one way, and for all together.
const ATTEMPT_LIMIT: usize = 300;
const TOTAL_ATTEMPTS: usize = 30_000;
/// Ways for which a context is made up.
const WAY_LIMIT: usize = 3;
