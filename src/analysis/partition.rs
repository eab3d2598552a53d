//! One question for every source address: the address space cut where the answer changes.
//!
//! ```text
//! policies + request without its address ──▶ live statements ──sweep──▶ Region, Region, Region …
//!
//! Allow from 192.0.2.0/24     ────────┬──────────────┬────────
//! Deny  from 192.0.2.128/25           │      ┌───────┤
//! region                      implicit│allow │explicit deny│implicit
//! ```
//!
//! With all but the address fixed, a statement either cannot match, or it matches exactly where
//! its conditions on `aws:SourceIp` hold. Which statements are of the second kind is asked of the
//! reference evaluator; their address conditions are lists of prefixes. One sweep over the sorted
//! ends of all prefixes then holds which lists are open, how many conditions of each statement
//! fail, and which statements match. Between two ends nothing changes, so that every address is
//! covered though only the ends are looked at.
//!
//! A list's open prefixes are nested, so they are a stack, and the longest is on top.
//!
//! # Invariants
//!
//! The regions of a [`Partition`] are in ascending order, without gap or overlap, and together
//! they are all of [`Partition::within`]. No two neighbours are alike.

use core::fmt;
use core::iter;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

use crate::decision::{Decision, Effect};
use crate::policy::{
    Condition, Located, Operator, OperatorFamily, PartRef, Policy, Span, Text, Values,
};
use crate::reference;
use crate::request::{Address, Request};
use crate::util::int::{AsUsize, to_u32};

/// Cuts the addresses of `within` into the regions that share a decision and its cause.
///
/// The source address of `request` does not count: each address of `within` takes its place, as
/// [`Address::Known`]. Everything else is asked as it stands. Short-hand resources must be expanded,
/// as for the reference evaluator. A prefix below `::ffff:0:0/96` is the IPv4 prefix that it maps,
/// and in a prefix around it that block gets the answers of IPv4.
///
/// # Complexity
///
/// The statements, and n log n in the prefixes of those that the address can decide about. A million prefixes
/// take about a second.
///
/// # Errors
///
/// A statement that otherwise matches compares the text of `aws:SourceIp`, by a wildcard or a policy
/// variable: the addresses it matches are no list of prefixes.
///
/// # Example
///
/// ```
/// use portcullis::analysis::partition;
/// use portcullis::{Address, Decision, Policy, Request};
///
/// let policy = Policy::from_json(
///     r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
///         "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}"#,
/// )?;
/// let request = Request::invoke(Address::Absent, "arn:aws:execute-api:eu-central-1:1:abc/prod/GET/");
/// let partition = partition(&[policy], &request, "0.0.0.0/0".parse()?)?;
///
/// let firsts: Vec<String> = partition.regions().iter().map(|r| r.first.to_string()).collect();
/// assert_eq!(firsts, ["0.0.0.0", "203.0.113.0", "203.0.114.0"]);
/// assert_eq!(partition.count(Decision::Allow), 256);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn partition(
    policies: &[Policy],
    request: &Request<'_>,
    within: IpNet,
) -> Result<Partition, PartitionError> {
    let within = canonical(within);
    let live = live_statements(policies, request)?;
    let regions = match within {
        IpNet::V6(net) if net.contains(&MAPPED) => {
            let mut regions = sweep(&live, within)?;
            let mapped = sweep(&live, IpNet::V4(Ipv4Net::default()))?;
            splice_mapped(&mut regions, mapped);
            regions
        }
        _ => sweep(&live, within)?,
    };
    Ok(Partition { within, regions })
}

/// The addresses of a prefix, cut where the decision or its cause changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    within: IpNet,
    regions: Vec<Region>,
}

impl Partition {
    /// Returns the prefix whose addresses these are, host bits cleared.
    pub const fn within(&self) -> IpNet {
        self.within
    }

    /// Returns the regions, ascending; never none.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Returns the region of an address, or `None` where it is not within.
    pub fn region(&self, ip: IpAddr) -> Option<&Region> {
        let ip = match self.within {
            IpNet::V4(_) => ip.to_canonical(),
            IpNet::V6(_) => ip,
        };
        let after = self.regions.partition_point(|region| region.first <= ip);
        let region = self.regions.get(after.checked_sub(1)?)?;
        (region.first.is_ipv4() == ip.is_ipv4() && ip <= region.last).then_some(region)
    }

    /// Returns how many addresses get a decision.
    ///
    /// All 2^128 addresses of IPv6 are one more than is counted: the count stays at `u128::MAX`.
    pub fn count(&self, decision: Decision) -> u128 {
        (self.regions.iter())
            .filter(|region| region.decision == decision)
            .fold(0, |count: u128, region| count.saturating_add(region.size()))
    }

    /// Returns the stretches on which neither partition changes, in ascending order: first
    /// address, last address, and the region of each that it lies in.
    ///
    /// Only of what both are within.
    pub fn overlay<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (IpAddr, IpAddr, &'a Region, &'a Region)> + 'a {
        let (mut ours, mut theirs) = (
            self.regions.iter().peekable(),
            other.regions.iter().peekable(),
        );
        iter::from_fn(move || {
            loop {
                let (a, b) = (*ours.peek()?, *theirs.peek()?);
                if a.last <= b.last {
                    ours.next();
                }
                if b.last <= a.last {
                    theirs.next();
                }
                let (first, last) = (a.first.max(b.first), a.last.min(b.last));
                if first <= last {
                    return Some((first, last, a, b));
                }
            }
        })
    }
}

/// Neighbouring addresses that share a decision and its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Region {
    /// The lowest address.
    pub first: IpAddr,
    /// The highest address.
    pub last: IpAddr,
    /// What a request from here gets.
    pub decision: Decision,
    /// What caused it; `None` for an implicit deny.
    pub cause: Option<Cause>,
}

impl Region {
    /// Returns the number of addresses; `u128::MAX` for all of IPv6, which is one more.
    pub fn size(&self) -> u128 {
        (to_bits(self.last) - to_bits(self.first)).saturating_add(1)
    }

    /// Returns the fewest prefixes that are the region, ascending: each as wide as the region lets it be.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> {
        prefixes(self.first, self.last)
    }
}

/// The statement that caused a decision: of several the first, as [`crate::Explanation`] has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// Which policy, in the order they were given, from 0.
    pub policy: usize,
    /// Which statement of that policy, from 0.
    pub statement: usize,
    /// The longest prefix that contains the region, in the statement's first `IpAddress` condition
    /// on `aws:SourceIp`; `None` where it has none, set operators not counted.
    pub prefix: Option<Located<IpNet>>,
}

/// Returns the fewest prefixes that are the addresses from `first` to `last`, ascending.
///
/// None where the two are of different families or in the wrong order.
pub fn prefixes(first: IpAddr, last: IpAddr) -> impl Iterator<Item = IpNet> {
    let is_v4 = first.is_ipv4();
    let width: u32 = if is_v4 { 32 } else { 128 };
    let (start, end) = (to_bits(first), to_bits(last));
    let mut next = (is_v4 == last.is_ipv4() && start <= end).then_some(start);
    iter::from_fn(move || {
        let at = next?;
        let span = end - at;
        // As many host bits as the start is aligned to, and as fit before the end.
        let fitting = span
            .checked_add(1)
            .map_or(128, |count| 127 - count.leading_zeros());
        let host = at.trailing_zeros().min(fitting).min(width);
        next = match 1_u128.checked_shl(host) {
            Some(size) if span >= size => Some(at + size),
            _ => None,
        };
        let length = u8::try_from(width - host).ok()?;
        IpNet::new(from_bits(is_v4, at), length).ok()
    })
}

/// Why an address space cannot be cut exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionError {
    policy: usize,
    statement: usize,
    span: Span,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A wildcard or a variable beside the text of the address.
    ConditionText(Box<str>),
    /// `${aws:SourceIp}` in a value of a condition on another key.
    ConditionVariable,
    /// `${aws:SourceIp}` in a resource.
    ResourceVariable,
    /// More than 2^32 prefixes.
    TooMany,
}

impl PartitionError {
    /// Returns which policy is at fault, in the order they were given, from 0.
    pub const fn policy(&self) -> usize {
        self.policy
    }

    /// Returns which statement of that policy is at fault, from 0.
    pub const fn statement(&self) -> usize {
        self.statement
    }

    /// Returns what in the statement is at fault: a value, a pattern.
    pub const fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for PartitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            policy, statement, ..
        } = self;
        write!(f, "policy {policy}, statement {statement}: ")?;
        match &self.kind {
            Kind::ConditionText(operator) => write!(
                f,
                "`{operator}` compares the text of `aws:SourceIp` with a wildcard or a policy variable, \
                 so the addresses that it matches are no list of prefixes; write it with `IpAddress`"
            ),
            Kind::ConditionVariable => f.write_str(
                "a condition compares another key with `${aws:SourceIp}`, \
                 so the addresses that it matches are no list of prefixes",
            ),
            Kind::ResourceVariable => f.write_str(
                "a resource holds `${aws:SourceIp}`, so every address has a resource of its own",
            ),
            Kind::TooMany => f.write_str("the policies have more than 2^32 prefixes"),
        }
    }
}

impl core::error::Error for PartitionError {}

/// A statement that matches where its lists say so.
struct Live<'p> {
    policy: usize,
    statement: usize,
    effect: Effect,
    span: Span,
    lists: Vec<List<'p>>,
}

/// A condition on the source address.
struct List<'p> {
    prefixes: Prefixes<'p>,
    /// The condition holds for addresses that are in none of the prefixes.
    negated: bool,
    /// An explanation names the prefix that matched.
    names: bool,
}

enum Prefixes<'p> {
    /// As the condition has them.
    Listed(&'p [Located<IpNet>]),
    /// Single addresses, from conditions that compare text.
    Texts(Vec<IpNet>),
}

impl Prefixes<'_> {
    fn iter(&self) -> impl Iterator<Item = IpNet> {
        let (listed, texts) = match self {
            Self::Listed(list) => (Some(*list), None),
            Self::Texts(list) => (None, Some(list)),
        };
        let listed = listed.into_iter().flatten().map(|located| located.value);
        listed.chain(texts.into_iter().flatten().copied())
    }
}

/// Returns the statements that match from some addresses or from all.
fn live_statements<'p>(
    policies: &'p [Policy],
    request: &Request<'_>,
) -> Result<Vec<Live<'p>>, PartitionError> {
    // Any known address: what its value decides is read from the statement below, and what is
    // left is the same for all of them.
    let somewhere = Request::invoke(Address::from(Ipv4Addr::UNSPECIFIED), request.resource())
        .with_action(request.action())
        .with_principal(request.principal())
        .with_context(request.context());
    let mut live = Vec::new();
    for trace in reference::trace(policies, &somewhere) {
        let policy = policies.get(trace.policy);
        let Some(statement) = policy.and_then(|p| p.statements().get(trace.statement)) else {
            continue;
        };
        let error = |span, kind| PartitionError {
            policy: trace.policy,
            statement: trace.statement,
            span,
            kind,
        };
        let mut resource_patterns = statement.resource.patterns.iter();
        let by_resource = resource_patterns.find(|pattern| names_source_ip(&pattern.value));
        let constant = |(condition, &holds): (&Condition, &bool)| holds || depends(condition);
        if !(trace.principal
            && trace.action
            && (trace.resource || by_resource.is_some())
            && (statement.conditions.iter().zip(&trace.conditions)).all(constant))
        {
            continue;
        }
        if let Some(pattern) = by_resource {
            return Err(error(pattern.span, Kind::ResourceVariable));
        }
        let conditions = statement.conditions.iter();
        let lists = conditions
            .filter(|condition| depends(condition))
            .map(|condition| list(condition).map_err(|(span, kind)| error(span, kind)));
        live.push(Live {
            policy: trace.policy,
            statement: trace.statement,
            effect: trace.effect,
            span: statement.span,
            lists: lists.collect::<Result<_, _>>()?,
        });
    }
    Ok(live)
}

/// Returns whether the value of a known source address decides about the condition.
///
/// The text of an address is no number, date, boolean or base64, whatever the address, and it is
/// never missing.
fn depends(condition: &Condition) -> bool {
    use OperatorFamily::{Arn, Ip, String};
    let family = condition.operator.value.operator.family();
    let on_source_ip = is_source_ip(&condition.key.value) && matches!(family, Arn | Ip | String);
    on_source_ip
        || matches!(&condition.values, Values::Texts(texts)
            if texts.iter().any(|text| names_source_ip(&text.value)))
}

/// Reads a condition that depends on the address as a list of prefixes.
fn list(condition: &Condition) -> Result<List<'_>, (Span, Kind)> {
    let operator = condition.operator.value;
    let prefixes = match &condition.values {
        Values::Prefixes(prefixes) => Prefixes::Listed(prefixes),
        Values::Texts(texts) => {
            let mut addresses = Vec::new();
            for text in texts {
                if !is_source_ip(&condition.key.value) {
                    return Err((condition.key.span, Kind::ConditionVariable));
                }
                let literal = literal(&text.value, operator.operator).ok_or_else(|| {
                    let operator = operator.to_string().into();
                    (text.span, Kind::ConditionText(operator))
                })?;
                addresses.extend(address_of(&literal, operator.operator).map(IpNet::from));
            }
            Prefixes::Texts(addresses)
        }
    };
    Ok(List {
        prefixes,
        negated: operator.operator.is_negated(),
        names: operator.operator == Operator::IpAddress && operator.qualifier.is_none(),
    })
}

/// Returns a text that stands for itself alone, or `None` for one with variables or wildcards.
fn literal(text: &Text, operator: Operator) -> Option<String> {
    let has_wildcards = matches!(operator, Operator::StringLike | Operator::StringNotLike)
        || operator.family() == OperatorFamily::Arn;
    let mut literal = String::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) if has_wildcards && raw.contains(['*', '?']) => return None,
            PartRef::Raw(raw) => literal.push_str(raw),
            PartRef::Escaped(character) => literal.push(character),
            PartRef::Variable { .. } => return None,
        }
    }
    Some(literal)
}

/// Returns the one address whose text matches a literal value, if there is one.
fn address_of(literal: &str, operator: Operator) -> Option<IpAddr> {
    let ignores_case = matches!(
        operator,
        Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase
    );
    // An ARN has six components; most addresses have fewer.
    if operator.family() == OperatorFamily::Arn && literal.splitn(6, ':').count() < 6 {
        return None;
    }
    let literal = if ignores_case {
        literal.chars().flat_map(char::to_lowercase).collect()
    } else {
        literal.to_owned()
    };
    let ip: IpAddr = literal.parse().ok()?;
    // Only the canonical text is what a request has.
    (ip.to_canonical() == ip && ip.to_string() == literal).then_some(ip)
}

fn names_source_ip(text: &Text) -> bool {
    text.parts()
        .any(|part| matches!(part, PartRef::Variable { key, .. } if is_source_ip(key)))
}

fn is_source_ip(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:SourceIp")
}

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
fn sweep(live: &[Live<'_>], within: IpNet) -> Result<Vec<Region>, PartitionError> {
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

/// Puts the answers of IPv4 where IPv6 maps it.
fn splice_mapped(regions: &mut Vec<Region>, mapped: Vec<Region>) {
    let (from, to) = (MAPPED.to_bits(), MAPPED.to_bits() | u128::from(u32::MAX));
    let before = regions.iter().filter(|region| to_bits(region.first) < from);
    let before = before.map(|region| Region {
        last: from_bits(false, to_bits(region.last).min(from - 1)),
        ..*region
    });
    let inside = mapped.into_iter().map(|region| Region {
        first: from_bits(false, from | to_bits(region.first)),
        last: from_bits(false, from | to_bits(region.last)),
        ..region
    });
    let after = regions.iter().filter(|region| to_bits(region.last) > to);
    let after = after.map(|region| Region {
        first: from_bits(false, to_bits(region.first).max(to + 1)),
        ..*region
    });
    let mut spliced: Vec<Region> = Vec::new();
    for region in before.chain(inside).chain(after) {
        match spliced.last_mut() {
            Some(last) if (last.decision, last.cause) == (region.decision, region.cause) => {
                last.last = region.last;
            }
            _ => spliced.push(region),
        }
    }
    *regions = spliced;
}

/// Returns the prefix without host bits, and as IPv4 what maps IPv4.
fn canonical(prefix: IpNet) -> IpNet {
    let prefix = prefix.trunc();
    let v4 = match (
        prefix.addr().to_canonical(),
        prefix.prefix_len().checked_sub(96),
    ) {
        (IpAddr::V4(ip), Some(length)) if prefix.addr().is_ipv6() => Ipv4Net::new(ip, length).ok(),
        _ => None,
    };
    v4.map_or(prefix, IpNet::V4)
}

fn to_bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Returns the address with these bits; an IPv4 one has 32.
fn from_bits(is_v4: bool, bits: u128) -> IpAddr {
    if is_v4 {
        Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)).into()
    } else {
        Ipv6Addr::from_bits(bits).into()
    }
}

/// The lowest of the IPv6 addresses that stand for IPv4.
const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
