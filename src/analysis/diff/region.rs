//! Regions: where two sets of policies decide differently, described and countable.

use core::fmt;

use ipnet::{Ipv4Net, Ipv6Net};

use super::example::Example;
use super::probe::Probe;
use crate::analysis::line::{AddressSet, States};
use crate::decision::Decision;
use crate::policy::{PrincipalEntry, Statement, Values};
use crate::request::{Address, Request, Value};

/// Requests that one set of policies decides one way and the other another.
///
/// A request is in it when its `aws:SourceIp` is in [`Self::addresses`], all of
/// [`Self::terms`] hold, and of each of [`Self::exceptions`] some term does not.
#[derive(Clone, Debug)]
pub struct Region {
    pub(super) before: Decision,
    pub(super) after: Decision,
    pub(super) terms: Vec<Term>,
    pub(super) exceptions: Vec<Vec<Term>>,
    pub(super) addresses: Addresses,
    pub(super) example: Option<Example>,
    pub(super) requires: Vec<Probe>,
    pub(super) excludes: Vec<Probe>,
}

impl Region {
    /// Returns what the old policies decide.
    pub const fn before(&self) -> Decision {
        self.before
    }

    /// Returns what the new policies decide.
    pub const fn after(&self) -> Decision {
        self.after
    }

    /// Returns what a request must satisfy beside its address; none where that is all.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Returns what a request must not satisfy: of each list, not all terms.
    pub fn exceptions(&self) -> &[Vec<Term>] {
        &self.exceptions
    }

    /// Returns the states of `aws:SourceIp`.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Returns a request of the region, on which both reference decisions were taken.
    ///
    /// `None`: it is not known whether any request is in the region.
    pub const fn example(&self) -> Option<&Example> {
        self.example.as_ref()
    }

    /// Returns whether the region is known to have a request in it.
    pub const fn is_proven(&self) -> bool {
        self.example.is_some()
    }

    /// Returns whether a request is in the region.
    ///
    /// Exact, as the reference evaluator reads requests, whether the region is proven or not.
    pub fn contains(&self, request: &Request<'_>) -> bool {
        self.addresses.contains(request)
            && self.requires.iter().all(|probe| probe.holds(request))
            && !self.excludes.iter().any(|probe| probe.holds(request))
    }
}

/// One thing asked of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Term {
    /// The caller is one of these; negated, none of these, as `NotPrincipal` has it.
    Principal {
        /// Whether it is `NotPrincipal`.
        negated: bool,
        /// Account numbers, ARNs, names.
        entries: Vec<String>,
    },
    /// The action matches one of these; negated, none.
    Action {
        /// Whether it is `NotAction`.
        negated: bool,
        /// The patterns.
        patterns: Vec<String>,
    },
    /// The resource matches one of these; negated, none.
    Resource {
        /// Whether it is `NotResource`.
        negated: bool,
        /// The patterns.
        patterns: Vec<String>,
    },
    /// A condition holds.
    Condition {
        /// The operator with qualifier and suffix.
        operator: String,
        /// The key as written.
        key: String,
        /// The values as written.
        values: Vec<String>,
    },
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, list) = match self {
            Self::Principal { negated, entries } => (
                if *negated {
                    "principal is not"
                } else {
                    "principal is"
                },
                entries,
            ),
            Self::Action { negated, patterns } => (
                if *negated {
                    "action does not match"
                } else {
                    "action matches"
                },
                patterns,
            ),
            Self::Resource { negated, patterns } => (
                if *negated {
                    "resource does not match"
                } else {
                    "resource matches"
                },
                patterns,
            ),
            Self::Condition {
                operator,
                key,
                values,
            } => {
                write!(f, "{operator} {key} ")?;
                return or(f, values);
            }
        };
        write!(f, "{what} ")?;
        or(f, list)
    }
}

fn or(f: &mut fmt::Formatter<'_>, list: &[String]) -> fmt::Result {
    for (index, item) in list.iter().enumerate() {
        let link = match index {
            0 => "",
            _ if index + 1 == list.len() => " or ",
            _ => ", ",
        };
        write!(f, "{link}`{item}`")?;
    }
    Ok(())
}

impl Term {
    /// Returns what a statement asks, but for what matches everything.
    pub(super) fn of(statement: &Statement) -> Vec<Self> {
        let mut terms = Vec::new();
        if let Some(element) = &statement.principal {
            let everyone =
                (element.entries.iter()).any(|entry| entry.value == PrincipalEntry::Everyone);
            if element.negated || !everyone {
                terms.push(Self::Principal {
                    negated: element.negated,
                    entries: (element.entries.iter())
                        .map(|entry| name(&entry.value))
                        .collect(),
                });
            }
        }
        let (action, resource) = (&statement.action, &statement.resource);
        if action.negated || !action.patterns.iter().any(|pattern| &*pattern.value == "*") {
            terms.push(Self::Action {
                negated: action.negated,
                patterns: (action.patterns.iter())
                    .map(|pattern| pattern.value.to_string())
                    .collect(),
            });
        }
        if resource.negated || !resource.patterns.iter().any(|text| text.value.raw() == "*") {
            terms.push(Self::Resource {
                negated: resource.negated,
                patterns: (resource.patterns.iter())
                    .map(|text| text.value.raw().to_owned())
                    .collect(),
            });
        }
        terms.extend(statement.conditions.iter().map(|condition| {
            Self::Condition {
                operator: condition.operator.value.to_string(),
                key: condition.key.value.to_string(),
                values: match &condition.values {
                    Values::Prefixes(prefixes) => prefixes
                        .iter()
                        .map(|prefix| prefix.value.to_string())
                        .collect(),
                    Values::Texts(texts) => texts
                        .iter()
                        .map(|text| text.value.raw().to_owned())
                        .collect(),
                },
            }
        }));
        terms
    }
}

fn name(entry: &PrincipalEntry) -> String {
    match entry {
        PrincipalEntry::Everyone => "*".to_owned(),
        PrincipalEntry::Account {
            partition: None,
            account,
        } => account.to_string(),
        PrincipalEntry::Account {
            partition: Some(partition),
            account,
        } => format!("arn:{partition}:iam::{account}:root"),
        PrincipalEntry::Arn(arn) => arn.to_string(),
        PrincipalEntry::Service(name) => format!("Service={name}"),
        PrincipalEntry::Federated(name) => format!("Federated={name}"),
        PrincipalEntry::CanonicalUser(id) => format!("CanonicalUser={id}"),
    }
}

/// States of `aws:SourceIp`: addresses, and the states without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    set: AddressSet,
    v4: Vec<Ipv4Net>,
    v6: Vec<Ipv6Net>,
}

impl Addresses {
    pub(super) fn new(set: AddressSet) -> Self {
        Self {
            v4: set.v4(),
            v6: set.v6(),
            set,
        }
    }

    pub(super) const fn set(&self) -> &AddressSet {
        &self.set
    }

    /// Returns the IPv4 addresses as the fewest prefixes, ascending.
    pub fn v4(&self) -> &[Ipv4Net] {
        &self.v4
    }

    /// Returns the IPv6 addresses as the fewest prefixes, ascending.
    ///
    /// The IPv4-mapped block, which no request comes from, is in where that makes them fewer.
    pub fn v6(&self) -> &[Ipv6Net] {
        &self.v6
    }

    /// Returns the number of IPv4 addresses.
    pub fn v4_count(&self) -> AddressCount {
        AddressCount::of(self.v4.iter().map(|net| (net.prefix_len(), 32)))
    }

    /// Returns the number of IPv6 addresses.
    pub fn v6_count(&self) -> AddressCount {
        AddressCount::of(self.v6.iter().map(|net| (net.prefix_len(), 128)))
    }

    /// Returns the addresses that are not in, without other states: of "all but a few", the few.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::new(self.set.complement(States::NONE))
    }

    /// Returns whether requests without the key are in.
    pub const fn absent(&self) -> bool {
        self.set.states.contains(States::ABSENT)
    }

    /// Returns whether requests are in whose value is no address.
    pub const fn unreadable(&self) -> bool {
        self.set.states.contains(States::UNREADABLE)
    }

    /// Returns whether requests with several addresses are in.
    pub const fn several(&self) -> bool {
        self.set.states.contains(States::SEVERAL)
    }

    /// Returns whether every request is in, whatever its `aws:SourceIp`.
    pub fn is_everything(&self) -> bool {
        self.absent()
            && self.unreadable()
            && self.several()
            && self.set.complement(States::NONE).is_empty()
    }

    fn contains(&self, request: &Request<'_>) -> bool {
        match state(request) {
            State::Known(ip) => self.set.contains(ip),
            State::Other(state) => self.set.states.contains(state),
        }
    }
}

/// A number of addresses, up to all of IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressCount {
    /// 2^128.
    is_all: bool,
    below: u128,
}

impl AddressCount {
    fn of(lengths: impl Iterator<Item = (u8, u8)>) -> Self {
        let mut count = Self::default();
        for (length, width) in lengths {
            let one = 1_u128.checked_shl(u32::from(width - length));
            match one.and_then(|one| count.below.checked_add(one)) {
                Some(sum) => count.below = sum,
                None => {
                    count = Self {
                        is_all: true,
                        below: 0,
                    }
                }
            }
        }
        count
    }

    /// Returns whether there are none.
    pub const fn is_zero(self) -> bool {
        !self.is_all && self.below == 0
    }

    /// Returns the number, or `None` for 2^128, which all of IPv6 has.
    pub const fn as_u128(self) -> Option<u128> {
        if self.is_all { None } else { Some(self.below) }
    }
}

impl fmt::Display for AddressCount {
    /// Writes all digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all {
            f.pad("340282366920938463463374607431768211456")
        } else {
            fmt::Display::fmt(&self.below, f)
        }
    }
}

/// What a request has as `aws:SourceIp`.
enum State {
    Known(core::net::IpAddr),
    Other(States),
}

/// Reads it as the header of `request` says.
fn state(request: &Request<'_>) -> State {
    let read = |text: &str| match Address::read(text) {
        Address::Known(ip) => State::Known(ip),
        Address::Absent | Address::Unreadable(_) => State::Other(States::UNREADABLE),
    };
    match request.source_ip() {
        Address::Known(ip) => return State::Known(ip.to_canonical()),
        Address::Unreadable(_) => return State::Other(States::UNREADABLE),
        Address::Absent => {}
    }
    let found =
        (request.context().iter()).find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceIp"));
    match found.map(|(_, value)| *value) {
        None | Some(Value::Texts([])) => State::Other(States::ABSENT),
        Some(Value::Address(ip)) => State::Known(ip.to_canonical()),
        Some(Value::Text(text)) => read(text),
        Some(Value::Texts([text])) => read(text),
        Some(Value::Texts(texts)) => {
            let readable = |text: &&str| matches!(Address::read(text), Address::Known(_));
            State::Other(if texts.iter().all(readable) {
                States::SEVERAL
            } else {
                States::UNREADABLE
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_reach_all_of_ipv6() {
        let of = |prefixes: &[&str]| {
            let set = AddressSet::of_prefixes(prefixes.iter().map(|p| p.parse().unwrap()));
            let addresses = Addresses::new(set);
            (
                addresses.v4_count().to_string(),
                addresses.v6_count().to_string(),
            )
        };
        let pair = |v4: &str, v6: &str| (v4.to_owned(), v6.to_owned());
        assert_eq!(of(&[]), pair("0", "0"));
        assert_eq!(of(&["0.0.0.0/0"]), pair("4294967296", "0"));
        assert_eq!(
            of(&["::/0"]),
            pair("0", "340282366920938463463374607431768211456")
        );
        assert_eq!(
            of(&["8000::/1", "10.0.0.0/31"]),
            pair("2", "170141183460469231731687303715884105728")
        );
    }
}
