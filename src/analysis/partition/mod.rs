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
//! - `live`: the statements that the address decides about, and their lists;
//! - `sweep`: the sweep.
//!
//! # Invariants
//!
//! The regions of a [`Partition`] are in ascending order, without gap or overlap, and together
//! they are all of [`Partition::within`]. No two neighbours are alike.

mod live;
mod sweep;
#[cfg(test)]
mod tests;

use core::fmt;
use core::iter;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, IpSubnets, Ipv4Net, Ipv4Subnets, Ipv6Subnets};

use self::live::live_statements;
use self::sweep::sweep;
use crate::decision::Decision;
use crate::policy::{Located, Policy, Span};
use crate::request::Request;

/// Cuts the addresses of `within` into the regions that share a decision and its cause.
///
/// The source address of `request` does not count: each address of `within` takes its place, as
/// [`crate::Address::Known`]. Everything else is asked as it stands. Short-hand resources must be expanded,
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
    let subnets = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Some(IpSubnets::V4(Ipv4Subnets::new(first, last, 0)))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Some(IpSubnets::V6(Ipv6Subnets::new(first, last, 0)))
        }
        _ => None,
    };
    subnets.into_iter().flatten()
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
