//! One sweep over the ends of all prefixes, with what is open and what matches.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::live::{List, Live, Prefixes};
use super::{Cause, Kind, PartitionError, Region, from_bits, to_bits};
use crate::decision::{Decision, Effect};
use crate::util::int::{AsUsize, to_u32};

/// Where a prefix of a list starts, or has ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    at: u128,
    /// 0: the innermost open prefix has ended. Else one more than the length of a prefix that
    /// starts: those that have ended come first, then the widest.
    order: u8,
    list: u32,
    /// Counts down from `u32::MAX`, so that of equal prefixes the first written ends up on top.
    value: u32,
}

/// Cuts `within`, an IPv4 or IPv6 prefix, as if there were no mapped addresses.
pub(super) fn sweep(live: &[Live<'_>], within: IpNet) -> Result<Vec<Region>, PartitionError> {
    let (first, last) = (to_bits(within.network()), to_bits(within.broadcast()));
    let mut ends = Vec::new();
    let mut state = State::new(live);
    for (index, (owner, list)) in lists(live).enumerate() {
        let too_many = || PartitionError {
            policy: owner.policy,
            statement: owner.statement,
            span: owner.span,
            kind: Kind::TooMany,
        };
        let list_id = to_u32(index).ok_or_else(too_many)?;
        for (value, prefix) in list.prefixes.iter().enumerate() {
            if prefix.addr().is_ipv4() != within.addr().is_ipv4() {
                continue;
            }
            let (from, to) = (to_bits(prefix.network()), to_bits(prefix.broadcast()));
            if to < first || from > last {
                continue;
            }
            let start = End {
                at: from.max(first),
                order: prefix.prefix_len() + 1,
                list: list_id,
                value: u32::MAX - to_u32(value).ok_or_else(too_many)?,
            };
            ends.push(start);
            if to < last {
                ends.push(End {
                    at: to + 1,
                    order: 0,
                    ..start
                });
            }
        }
    }
    ends.sort_unstable();
    let mut answers = vec![(first, state.answer())];
    for chunk in ends.chunk_by(|a, b| a.at == b.at) {
        for end in chunk {
            state.pass(*end);
        }
        let Some(at) = chunk.first().map(|end| end.at) else {
            continue;
        };
        let answer = state.answer();
        match answers.last_mut() {
            Some(last) if last.0 == at => last.1 = answer,
            Some(last) if last.1 == answer => {}
            _ => answers.push((at, answer)),
        }
    }
    let is_v4 = within.addr().is_ipv4();
    let nexts = answers.iter().skip(1).map(|&(start, _)| start - 1);
    Ok(answers
        .iter()
        .zip(nexts.chain([last]))
        .map(|(&(start, answer), end)| Region {
            first: from_bits(is_v4, start),
            last: from_bits(is_v4, end),
            decision: answer.decision,
            cause: state.cause(answer),
        })
        .collect())
}

/// Returns every list with its statement, in order.
fn lists<'a, 'p>(live: &'a [Live<'p>]) -> impl Iterator<Item = (&'a Live<'p>, &'a List<'p>)> {
    live.iter()
        .flat_map(|owner| owner.lists.iter().map(move |list| (owner, list)))
}

/// What is open, and what matches, at one address of the sweep.
struct State<'a, 'p> {
    live: &'a [Live<'p>],
    lists: Vec<OpenList<'a, 'p>>,
    /// For each statement, how many of its conditions fail.
    unmet: Vec<usize>,
    /// For each statement, the first list whose prefix an explanation names.
    named: Vec<Option<usize>>,
    allowing: BTreeSet<usize>,
    denying: BTreeSet<usize>,
}

struct OpenList<'a, 'p> {
    owner: usize,
    list: &'a List<'p>,
    /// The prefixes that are open, the longest last.
    stack: Vec<u32>,
}

/// What an address gets; equal for addresses of one region.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Answer {
    decision: Decision,
    /// The statement, and the list and prefix that an explanation names.
    cause: Option<(usize, Option<(usize, u32)>)>,
}

impl<'a, 'p> State<'a, 'p> {
    fn new(live: &'a [Live<'p>]) -> Self {
        let mut state = Self {
            live,
            lists: Vec::new(),
            unmet: Vec::new(),
            named: Vec::new(),
            allowing: BTreeSet::new(),
            denying: BTreeSet::new(),
        };
        for (owner, statement) in live.iter().enumerate() {
            let named = statement.lists.iter().position(|list| list.names);
            state.named.push(named.map(|at| state.lists.len() + at));
            // Nothing is open yet: what wants to be in a list fails.
            let unmet = statement.lists.iter().filter(|list| !list.negated).count();
            state.unmet.push(unmet);
            if unmet == 0 {
                state.matching(owner).insert(owner);
            }
            state
                .lists
                .extend(statement.lists.iter().map(|list| OpenList {
                    owner,
                    list,
                    stack: Vec::new(),
                }));
        }
        state
    }

    /// Goes past an end of a prefix.
    fn pass(&mut self, end: End) {
        let Some(open) = self.lists.get_mut(end.list.as_usize()) else {
            return;
        };
        let was_inside = !open.stack.is_empty();
        if end.order == 0 {
            open.stack.pop();
        } else {
            open.stack.push(u32::MAX - end.value);
        }
        let is_inside = !open.stack.is_empty();
        if was_inside == is_inside {
            return;
        }
        let (owner, holds) = (open.owner, is_inside != open.list.negated);
        let Some(unmet) = self.unmet.get_mut(owner) else {
            return;
        };
        if holds {
            *unmet -= 1;
            if *unmet == 0 {
                self.matching(owner).insert(owner);
            }
        } else {
            *unmet += 1;
            if *unmet == 1 {
                self.matching(owner).remove(&owner);
            }
        }
    }

    /// Returns the matching statements with the effect of this one.
    fn matching(&mut self, owner: usize) -> &mut BTreeSet<usize> {
        match self.live.get(owner).map(|statement| statement.effect) {
            Some(Effect::Allow) => &mut self.allowing,
            Some(Effect::Deny) | None => &mut self.denying,
        }
    }

    fn answer(&self) -> Answer {
        let (decision, first) = match (self.denying.first(), self.allowing.first()) {
            (Some(&owner), _) => (Decision::ExplicitDeny, Some(owner)),
            (None, Some(&owner)) => (Decision::Allow, Some(owner)),
            (None, None) => (Decision::ImplicitDeny, None),
        };
        let cause = first.map(|owner| {
            let named = self.named.get(owner).copied().flatten();
            let longest = named.and_then(|list| {
                let value = self.lists.get(list)?.stack.last()?;
                Some((list, *value))
            });
            (owner, longest)
        });
        Answer { decision, cause }
    }

    fn cause(&self, answer: Answer) -> Option<Cause> {
        let (owner, longest) = answer.cause?;
        let statement = self.live.get(owner)?;
        let prefix = longest.and_then(|(list, value)| match &self.lists.get(list)?.list.prefixes {
            Prefixes::Listed(prefixes) => prefixes.get(value.as_usize()).copied(),
            Prefixes::Texts(_) => None,
        });
        Some(Cause {
            policy: statement.policy,
            statement: statement.statement,
            prefix,
        })
    }
}
