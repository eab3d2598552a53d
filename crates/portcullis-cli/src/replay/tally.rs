//! What is counted, in bounded memory.

use std::collections::HashMap;

use core::hash::Hash;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis::Decision;

/// The decision before, if any policies were given for it, and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Outcome {
    /// The place of the decision before in [`DECISIONS`], or their number where there is none.
    before: usize,
    now: usize,
}

impl Outcome {
    /// How many there are.
    const COUNT: usize = 12;

    /// Returns the outcome of a request.
    pub(crate) fn new(before: Option<Decision>, now: Decision) -> Self {
        Self {
            before: before.map_or(DECISIONS.len(), place),
            now: place(now),
        }
    }

    /// Returns all outcomes: what was let in or refused first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|number| Self {
            before: number / 3,
            now: number % 3,
        })
    }

    /// Returns the decision before.
    pub(crate) fn before(self) -> Option<Decision> {
        DECISIONS.get(self.before).copied()
    }

    /// Returns the decision now.
    pub(crate) fn now(self) -> Decision {
        DECISIONS
            .get(self.now)
            .copied()
            .unwrap_or(Decision::ImplicitDeny)
    }

    /// Returns whether the answer lists such requests.
    pub(crate) fn is_listed(self) -> bool {
        match self.before() {
            Some(before) => before != self.now(),
            None => !self.now().is_allow(),
        }
    }

    /// Returns a number of its own, below [`Self::COUNT`].
    pub(crate) const fn number(self) -> usize {
        self.before * 3 + self.now
    }
}

const DECISIONS: [Decision; 3] = [
    Decision::Allow,
    Decision::ExplicitDeny,
    Decision::ImplicitDeny,
];

const fn place(decision: Decision) -> usize {
    match decision {
        Decision::Allow => 0,
        Decision::ExplicitDeny => 1,
        Decision::ImplicitDeny => 2,
    }
}

/// All counts of a run, or of a thread's part of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    counts: [u64; Outcome::COUNT],
    groups: [Group; Outcome::COUNT],
    /// Requests whose path is a template.
    pub(crate) templates: u64,
}

impl Tally {
    /// Counts a request.
    pub(crate) fn count(&mut self, outcome: Outcome) {
        if let Some(count) = self.counts.get_mut(outcome.number()) {
            *count += 1;
        }
    }

    /// Returns the counts of the details of such requests.
    pub(crate) fn group_mut(&mut self, outcome: Outcome) -> Option<&mut Group> {
        self.groups.get_mut(outcome.number())
    }

    /// Returns how many such requests there were.
    pub(crate) fn of(&self, outcome: Outcome) -> u64 {
        self.counts.get(outcome.number()).copied().unwrap_or(0)
    }

    /// Returns how many requests meet a condition.
    pub(crate) fn sum(&self, condition: impl Fn(Outcome) -> bool) -> u64 {
        let met = Outcome::all().filter(|&outcome| condition(outcome));
        met.map(|outcome| self.of(outcome)).sum()
    }

    /// Returns the details of such requests.
    pub(crate) fn group(&self, outcome: Outcome) -> Option<&Group> {
        self.groups.get(outcome.number())
    }

    /// Adds the counts of another part.
    pub(crate) fn add(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        for (group, more) in self.groups.iter_mut().zip(other.groups) {
            group.prefixes.add(more.prefixes);
            group.resources.add(more.resources);
            for (key, count) in more.statements {
                *group.statements.entry(key).or_default() += count;
            }
            group.explained += more.explained;
        }
        self.templates += other.templates;
    }
}

/// The details of requests with one outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// By address prefix.
    pub(crate) prefixes: Heavy<Prefix>,
    /// By method and path.
    pub(crate) resources: Heavy<Box<str>>,
    /// By determining statement.
    pub(crate) statements: HashMap<Cause, u64>,
    /// How many of the requests the statements were asked for.
    pub(crate) explained: u64,
}

/// A statement that caused, or used to cause, an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cause {
    /// Whether it is one of the policies before.
    pub(crate) is_before: bool,
    /// Which policy.
    pub(crate) policy: usize,
    /// Which statement of it.
    pub(crate) statement: usize,
}

/// An IPv4 /24 or an IPv6 /48.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Prefix {
    /// The network's bits.
    V4(u32),
    /// The upper half of the network's bits.
    V6(u64),
}

impl Prefix {
    /// Returns the prefix that an address is in.
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip.to_bits() & 0xffff_ff00),
            IpAddr::V6(ip) => {
                let upper = u64::try_from(ip.to_bits() >> 64).unwrap_or(0);
                Self::V6(upper & !0xffff)
            }
        }
    }
}

impl core::fmt::Display for Prefix {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::V4(bits) => write!(f, "{}/24", Ipv4Addr::from_bits(bits)),
            Self::V6(upper) => write!(f, "{}/48", Ipv6Addr::from_bits(u128::from(upper) << 64)),
        }
    }
}

/// Counts of the most frequent of many keys (Misra and Gries, 1982, in batches).
///
/// Exact up to [`MOST`] keys. Where there are more, all counts are lowered until a half of them
/// is left: a count is then too low by at most [`Self::error`], never too high, and a key with
/// more than that many is never lost. Parts add up to the same guarantee (Agarwal and others,
/// 2012, "Mergeable summaries").
#[derive(Clone, Debug)]
pub(crate) struct Heavy<K> {
    counts: HashMap<K, u64>,
    error: u64,
}

impl<K> Default for Heavy<K> {
    fn default() -> Self {
        Self {
            counts: HashMap::new(),
            error: 0,
        }
    }
}

impl<K: Eq + Hash + Ord + Clone> Heavy<K> {
    /// Counts a key.
    pub(crate) fn count<Q>(&mut self, key: &Q)
    where
        K: core::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        for<'a> K: From<&'a Q>,
    {
        if let Some(count) = self.counts.get_mut(key) {
            *count += 1;
            return;
        }
        self.counts.insert(K::from(key), 1);
        self.shrink();
    }

    /// Adds the counts of another part.
    fn add(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        self.error += other.error;
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.counts.len() <= MOST {
            return;
        }
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let (_, &mut taken, _) = counts.select_nth_unstable_by(MOST / 2, |a, b| b.cmp(a));
        self.error += taken;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(taken);
            *count > 0
        });
    }

    /// Returns by how much counts may be too low; 0 where all are exact.
    pub(crate) const fn error(&self) -> u64 {
        self.error
    }

    /// Returns the most frequent keys, and of equally frequent ones the least.
    pub(crate) fn top(&self, limit: usize) -> Vec<(&K, u64)> {
        let mut all: Vec<(&K, u64)> = self
            .counts
            .iter()
            .map(|(key, &count)| (key, count))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(limit);
        all
    }

    /// Returns how many keys are known.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }
}

impl From<&Self> for Prefix {
    fn from(prefix: &Self) -> Self {
        *prefix
    }
}

/// Keys that are counted exactly.
const MOST: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_addresses() {
        for (ip, expected) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ] {
            assert_eq!(Prefix::of(ip.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn heavy_keys_survive_a_flood_of_rare_ones() {
        let mut parts = [Heavy::<Box<str>>::default(), Heavy::default()];
        let mut rare = 0_u64;
        for round in 0..30_000 {
            for part in &mut parts {
                part.count("heavy");
                if round % 3 == 0 {
                    part.count("third");
                }
                part.count(&*format!("rare {rare}"));
                rare += 1;
            }
        }
        let [mut all, other] = parts;
        all.add(other);
        assert!(all.error() > 0 && all.len() <= MOST);
        let top = all.top(2);
        for ((key, count), (name, real)) in top.iter().zip([("heavy", 60_000), ("third", 20_000)]) {
            assert_eq!(&***key, name);
            assert!(
                *count <= real && count + all.error() >= real,
                "{count} {}",
                all.error()
            );
        }
    }

    #[test]
    fn few_keys_are_exact() {
        let mut heavy = Heavy::<Prefix>::default();
        for n in 0..u32::try_from(MOST).unwrap() * 3 {
            heavy.count(&Prefix::V4((n % 16_384) << 8));
        }
        assert_eq!((heavy.error(), heavy.len()), (0, MOST));
        assert!(heavy.top(MOST).iter().all(|&(_, count)| count == 3));
    }
}
