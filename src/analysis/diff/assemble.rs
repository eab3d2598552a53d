//! Parts → regions: joined where only the resource patterns differ, described, proven.

use std::collections::HashMap;

use super::probe::{Prober, effect};
use super::region::{Addresses, Region, Term};
use super::solve::{Part, Solver};
use super::witness::{Verdict, Witness};
use crate::analysis::guard::Place;
use crate::analysis::line::AddressSet;
use crate::decision::{Decision, Effect};

/// A part's x and y as one: each list is what must hold, all of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scope {
    before: Decision,
    after: Decision,
    whos: Vec<u32>,
    actions: Vec<u32>,
    conditions: Vec<(u32, bool)>,
    /// Places that stay apart, beside the one in which patterns are joined.
    places: Vec<Place>,
    z: Vec<u32>,
    addresses: AddressSet,
}

/// Parts of one scope.
struct Group {
    /// Patterns of which one must match; `NotResource` stands alone.
    main: Vec<Place>,
    /// The parts in it, as indices.
    parts: Vec<usize>,
}

/// Turns parts into regions, the most dangerous first; empty parts are dropped where that is proven.
pub(super) fn regions(
    solver: &Solver<'_>,
    parts: Vec<Part>,
    witness: &mut Witness<'_>,
) -> Vec<Region> {
    let parts = without_covered(solver, parts);
    let mut verdicts = Vec::with_capacity(parts.len());
    let mut kept: Vec<Part> = Vec::new();
    for part in parts {
        match witness.verdict(&part) {
            Verdict::Empty => {}
            Verdict::Proven(example) => {
                kept.push(part);
                verdicts.push(Some(*example));
            }
            Verdict::Unproven => {
                kept.push(part);
                verdicts.push(None);
            }
        }
    }
    let mut groups: Vec<(Scope, Group)> = Vec::new();
    let mut known: HashMap<Scope, usize> = HashMap::new();
    for (index, part) in kept.iter().enumerate() {
        let Some((scope, main)) = scope(solver, part) else {
            continue;
        };
        let at = *known.entry(scope.clone()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, group)) => {
                if !group.main.contains(&main) {
                    group.main.push(main);
                }
                group.parts.push(index);
            }
            None => groups.push((
                scope,
                Group {
                    main: vec![main],
                    parts: vec![index],
                },
            )),
        }
    }
    let mut regions: Vec<Region> = groups
        .into_iter()
        .map(|(scope, group)| {
            let example =
                (group.parts.iter()).find_map(|index| verdicts.get(*index).cloned().flatten());
            region(solver, witness.prober(), scope, &group.main, example)
        })
        .collect();
    regions.sort_by_cached_key(|region| {
        let danger = match (region.after, region.before) {
            (Decision::Allow, _) => 0,
            (_, Decision::Allow) => 1,
            _ => 2,
        };
        let addresses = region.addresses();
        let count = (addresses.v4_count(), addresses.v6_count());
        (danger, !region.is_proven(), core::cmp::Reverse(count))
    });
    regions
}

/// Drops parts that lie in another.
fn without_covered(solver: &Solver<'_>, parts: Vec<Part>) -> Vec<Part> {
    if parts.len() > PART_LIMIT {
        return parts;
    }
    let mut relations = Relations {
        solver,
        covers: HashMap::new(),
        disjoint: HashMap::new(),
    };
    let mut kept: Vec<Part> = Vec::new();
    for part in parts {
        if kept.iter().any(|other| relations.holds(other, &part)) {
            continue;
        }
        kept.retain(|other| !relations.holds(&part, other));
        kept.push(part);
    }
    kept
}

/// How guards lie to one another, each pair asked once.
struct Relations<'s, 't> {
    solver: &'s Solver<'t>,
    covers: HashMap<(u32, u32), bool>,
    disjoint: HashMap<(u32, u32), bool>,
}

impl Relations<'_, '_> {
    /// Returns whether `narrow` is known to lie in `wide`.
    fn holds(&mut self, wide: &Part, narrow: &Part) -> bool {
        if (wide.before, wide.after) != (narrow.before, narrow.after)
            || !narrow.addresses.is_within(&wide.addresses)
        {
            return false;
        }
        let inside = [Some(narrow.x), narrow.y];
        let mut is_asked = |wide: u32| {
            inside
                .iter()
                .flatten()
                .any(|narrow| self.covers(wide, *narrow))
        };
        if !is_asked(wide.x) || !wide.y.is_none_or(is_asked) {
            return false;
        }
        wide.z.iter().all(|z| {
            narrow.z.binary_search(z).is_ok()
                || inside
                    .iter()
                    .flatten()
                    .any(|inside| self.are_disjoint(*z, *inside))
                || narrow.z.iter().any(|other| self.covers(*other, *z))
        })
    }

    fn covers(&mut self, wide: u32, narrow: u32) -> bool {
        let solver = self.solver;
        *self.covers.entry((wide, narrow)).or_insert_with(|| {
            (solver.guard(wide).zip(solver.guard(narrow)))
                .is_some_and(|(wide, narrow)| solver.table.covers(wide, narrow))
        })
    }

    fn are_disjoint(&mut self, one: u32, other: u32) -> bool {
        let solver = self.solver;
        *self.disjoint.entry((one, other)).or_insert_with(|| {
            (solver.guard(one).zip(solver.guard(other)))
                .is_some_and(|(one, other)| solver.table.are_disjoint(one, other))
        })
    }
}

/// Returns the scope of a part, and the place in which it can be joined with others.
fn scope(solver: &Solver<'_>, part: &Part) -> Option<(Scope, Place)> {
    let table = solver.table;
    let x = solver.guard(part.x)?;
    let y = part.y.and_then(|y| solver.guard(y));
    let both = |x: u32, y: Option<u32>, covers: &dyn Fn(u32, u32) -> bool| match y {
        None => vec![x],
        Some(y) if covers(x, y) => vec![y],
        Some(y) if covers(y, x) => vec![x],
        Some(y) => vec![x, y],
    };
    let whos = both(x.who, y.map(|y| y.who), &|a, b| table.who_covers(a, b));
    let actions = both(x.action, y.map(|y| y.action), &|a, b| {
        table.action_covers(a, b)
    });
    let mut places = match y {
        None => vec![x.resource.clone()],
        Some(y) if table.place_covers(&x.resource, &y.resource) => vec![y.resource.clone()],
        Some(y) if table.place_covers(&y.resource, &x.resource) => vec![x.resource.clone()],
        Some(y) => vec![x.resource.clone(), y.resource.clone()],
    };
    let main = places
        .iter()
        .position(|place| matches!(place, Place::In(_)))
        .unwrap_or(0);
    let main = places.remove(main);
    let mut conditions: Vec<(u32, bool)> = Vec::new();
    for guard in [Some(x), y].into_iter().flatten() {
        conditions.extend(guard.conditions.iter().map(|id| (*id, guard.is_deny)));
    }
    conditions.sort_unstable();
    conditions.dedup_by_key(|(id, _)| *id);
    // `NotResource` is not joined with anything: it stands in the key too.
    if matches!(main, Place::NotIn(_)) {
        places.push(main.clone());
    }
    let scope = Scope {
        before: part.before,
        after: part.after,
        whos,
        actions,
        conditions,
        places,
        z: part.z.clone(),
        addresses: part.addresses.clone(),
    };
    Some((scope, main))
}

fn region(
    solver: &Solver<'_>,
    prober: &Prober<'_>,
    scope: Scope,
    main: &[Place],
    example: Option<super::example::Example>,
) -> Region {
    let table = solver.table;
    let mut requires = vec![prober.probe(
        Effect::Allow,
        None,
        None,
        Some(prober.resource(main)),
        Vec::new(),
    )];
    for place in scope.places.iter().filter(|place| !main.contains(place)) {
        let resource = prober.resource(core::slice::from_ref(place));
        requires.push(prober.probe(Effect::Allow, None, None, Some(resource), Vec::new()));
    }
    requires.extend(scope.whos.iter().map(|who| prober.who(*who)));
    for action in &scope.actions {
        requires.push(prober.probe(
            Effect::Allow,
            None,
            prober.action(*action),
            None,
            Vec::new(),
        ));
    }
    for (id, is_deny) in &scope.conditions {
        let effect = if *is_deny && prober.is_of_addresses(*id) {
            Effect::Deny
        } else {
            Effect::Allow
        };
        requires.push(prober.condition(*id, effect));
    }
    let mut excludes = Vec::new();
    for guard in scope.z.iter().filter_map(|z| solver.guard(*z)) {
        let who = (!scope
            .whos
            .iter()
            .any(|who| table.who_covers(guard.who, *who)))
        .then_some(guard.who);
        let action = (!scope
            .actions
            .iter()
            .any(|action| table.action_covers(guard.action, *action)))
        .then_some(guard.action);
        let place = (!main
            .iter()
            .all(|place| table.place_covers(&guard.resource, place)))
        .then_some(&guard.resource);
        let conditions: Vec<u32> = (guard.conditions.iter().copied())
            .filter(|id| !scope.conditions.iter().any(|(asked, _)| asked == id))
            .collect();
        excludes.push(prober.probe(
            effect(guard),
            who.and_then(|who| prober.principal(who)),
            action.and_then(|action| prober.action(action)),
            place.map(|place| prober.resource(core::slice::from_ref(place))),
            prober.conditions(&conditions),
        ));
    }
    let terms = |probe: &super::probe::Probe| probe.statement().map(Term::of).unwrap_or_default();
    Region {
        before: scope.before,
        after: scope.after,
        terms: requires.iter().flat_map(terms).collect(),
        exceptions: excludes.iter().map(terms).collect(),
        addresses: Addresses::new(scope.addresses),
        example,
        requires,
        excludes,
    }
}

/// Above this many parts, those that lie in another are not looked for.
const PART_LIMIT: usize = 600;
