//! Tables of prefixes, each prefix with a value, and the addresses they are asked about.
//!
//! Half of the addresses are in a prefix, half are in none. Values are 1 for "listed" or
//! the number of a country; 0 is "in no prefix".

use core::net::IpAddr;
use std::path::PathBuf;

use crate::ADDRESSES;
use crate::workload::{self, Rng};

/// Both families' addresses fit; an IPv4 address is its 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix {
    pub(crate) first: u128,
    pub(crate) length: u8,
    pub(crate) value: u16,
}

/// An inclusive range, all of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) first: u128,
    pub(crate) last: u128,
    pub(crate) value: u16,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) label: String,
    pub(crate) v6: bool,
    /// In no order; those of equal values may nest.
    pub(crate) prefixes: Vec<Prefix>,
    /// The same as sorted, disjoint ranges.
    pub(crate) ranges: Vec<Range>,
    pub(crate) addresses: Vec<u128>,
    /// Whether values are countries, of which the even ones are to be denied.
    pub(crate) countries: bool,
}

impl Table {
    fn new(label: &str, v6: bool, prefixes: Vec<Prefix>, rng: &mut Rng, countries: bool) -> Self {
        let ranges = union(&prefixes, v6);
        let addresses = (0..ADDRESSES)
            .map(|at| match at % 2 {
                0 => {
                    let prefix = prefixes[rng.below(prefixes.len() as u64) as usize];
                    prefix.first | random(rng) & host_mask(v6, prefix.length)
                }
                // Near a prefix, as a scan of the neighbourhood would be; no one asks about 0.0.0.0.
                _ => loop {
                    let near = prefixes[rng.below(prefixes.len() as u64) as usize].first;
                    let address = near ^ random(rng) & host_mask(v6, if v6 { 24 } else { 8 });
                    if value(&ranges, address) == 0 {
                        break address;
                    }
                },
            })
            .collect();
        Self {
            label: label.to_owned(),
            v6,
            prefixes,
            ranges,
            addresses,
            countries,
        }
    }

    pub(crate) fn ip(&self, bits: u128) -> IpAddr {
        if self.v6 {
            IpAddr::V6(bits.into())
        } else {
            IpAddr::V4((bits as u32).into())
        }
    }
}

/// Returns the value of `address` in sorted ranges.
pub(crate) fn value(ranges: &[Range], address: u128) -> u16 {
    let after = ranges.partition_point(|range| range.first <= address);
    match after.checked_sub(1).map(|at| ranges[at]) {
        Some(range) if address <= range.last => range.value,
        _ => 0,
    }
}

fn random(rng: &mut Rng) -> u128 {
    u128::from(rng.next()) << 64 | u128::from(rng.next())
}

/// The bits of an address which a prefix of `length` leaves open.
pub(crate) fn host_mask(v6: bool, length: u8) -> u128 {
    let bits = if v6 { 128 } else { 32 };
    let open = bits - u32::from(length);
    u128::MAX.checked_shr(128 - open).unwrap_or(0)
}

/// A list of `size` different prefixes.
pub(crate) fn generated(label: &str, size: usize, v6: bool) -> Table {
    let mut rng = Rng::new(size as u64);
    let mut seen = std::collections::HashSet::with_capacity(size);
    while seen.len() < size {
        let prefix = if v6 {
            workload::Prefix::random(&mut rng, true)
        } else {
            prefix_v4(&mut rng)
        };
        let first = match prefix.address {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        seen.insert((first, prefix.length));
    }
    let mut prefixes: Vec<Prefix> = seen
        .into_iter()
        .map(|(first, length)| Prefix {
            first,
            length,
            value: 1,
        })
        .collect();
    // A set has no order of its own, and runs must be equal.
    prefixes.sort_by_key(|prefix| (prefix.first, prefix.length));
    Table::new(label, v6, prefixes, &mut rng, false)
}

/// A prefix of a length as frequent as in the global routing table, 1/10000 each.
///
/// The short ones are kept as rare as they are there: a percent of /12 would cover nearly
/// the whole space at a million prefixes, and there were no misses left to ask about.
fn prefix_v4(rng: &mut Rng) -> workload::Prefix {
    const SHARES: [(u8, u64); 16] = [
        (24, 6_000),
        (23, 1_000),
        (22, 1_150),
        (21, 520),
        (20, 450),
        (19, 250),
        (18, 140),
        (17, 80),
        (16, 140),
        (15, 20),
        (14, 12),
        (13, 6),
        (12, 3),
        (11, 1),
        (28, 28),
        (32, 200),
    ];
    let mut at = rng.below(10_000);
    let mut length = 24;
    for (candidate, share) in SHARES {
        if at < share {
            length = candidate;
            break;
        }
        at -= share;
    }
    let bits = (1 + rng.below(222) as u32) << 24 | rng.next() as u32 & 0x00ff_ffff;
    workload::Prefix {
        address: IpAddr::V4((bits & u32::MAX << (32 - u32::from(length))).into()),
        length,
    }
}

/// The countries of Debian's package `tor-geoipdb`.
pub(crate) fn countries(directory: PathBuf, v6: bool) -> Result<Table, String> {
    let path = directory.join(if v6 { "geoip6" } else { "geoip" });
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("No table of countries: `{}`: {error}. It comes with Debian's package `tor-geoipdb`; the script `run` gets it.", path.display())
    })?;
    let malformed = |line: &str| format!("`{}`: malformed line `{line}`", path.display());
    let mut codes = std::collections::BTreeSet::new();
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split(',');
        let (Some(first), Some(last), Some(code)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(malformed(line));
        };
        let bits = |field: &str| match v6 {
            true => field.parse().ok().map(core::net::Ipv6Addr::to_bits),
            false => field.parse::<u32>().ok().map(u128::from),
        };
        let (Some(first), Some(last)) = (bits(first), bits(last)) else {
            return Err(malformed(line));
        };
        // `??` is what the table knows nothing of.
        if code != "??" {
            codes.insert(code);
            lines.push((first, last, code));
        }
    }
    let codes: Vec<&str> = codes.into_iter().collect();
    let mut prefixes = Vec::new();
    for &(first, last, code) in &lines {
        let at = codes.binary_search(&code).unwrap_or_default();
        let value = u16::try_from(at + 1).map_err(|_| malformed(code))?;
        split(Range { first, last, value }, v6, &mut prefixes);
    }
    let (label, mut rng) = (if v6 { "Tor IPv6" } else { "Tor IPv4" }, Rng::new(1));
    Ok(Table::new(label, v6, prefixes, &mut rng, true))
}

/// Appends the fewest prefixes that make up `range`.
fn split(range: Range, v6: bool, prefixes: &mut Vec<Prefix>) {
    let width = if v6 { 128 } else { 32 };
    let mut first = range.first;
    while first <= range.last {
        let fits = (range.last - first + 1).ilog2();
        let open = first.trailing_zeros().min(fits).min(width);
        prefixes.push(Prefix {
            first,
            length: (width - open) as u8,
            value: range.value,
        });
        first += 1 << open;
    }
}

/// Returns prefixes as sorted ranges, joined where they overlap or touch with one value.
fn union(prefixes: &[Prefix], v6: bool) -> Vec<Range> {
    let mut ranges: Vec<Range> = prefixes
        .iter()
        .map(|prefix| Range {
            first: prefix.first,
            last: prefix.first | host_mask(v6, prefix.length),
            value: prefix.value,
        })
        .collect();
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        let joins = later.value == earlier.value && later.first <= earlier.last.saturating_add(1);
        if joins {
            earlier.last = earlier.last.max(later.last);
        }
        joins
    });
    ranges
}
