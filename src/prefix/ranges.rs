//! Is an address in one list's sorted ranges.

use core::net::IpAddr;

/// Returns whether a sorted, disjoint list of ranges, given by both ends, contains `address`.
#[inline]
pub(crate) fn contains<T: Copy + Ord, R: Copy + Into<[T; 2]>>(ranges: &[R], address: T) -> bool {
    let after = ranges.partition_point(|&range| range.into()[0] <= address);
    after
        .checked_sub(1)
        .and_then(|at| ranges.get(at))
        .is_some_and(|&range| address <= range.into()[1])
}

/// Returns whether either family's ranges contain `address`.
#[inline]
pub(crate) fn contains_ip<R4, R6>(v4: &[R4], v6: &[R6], address: IpAddr) -> bool
where
    R4: Copy + Into<[u32; 2]>,
    R6: Copy + Into<[u128; 2]>,
{
    match address {
        IpAddr::V4(ip) => contains(v4, ip.to_bits()),
        IpAddr::V6(ip) => contains(v6, ip.to_bits()),
    }
}
