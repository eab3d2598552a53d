//! Where a request stands in the rows: the class of its address, or the state of the key.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::condition;
use super::context::{self, Addresses};
use crate::image::{Base, KeyClassesView, NO_CLASS, View};
use crate::request::{Address, Request};
use crate::util::ids::Id;

/// Where in the rows a request stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The state, or the family of the class.
    pub(super) base: Base,
    /// The class, numbered through both families; 0 where there is none.
    pub(super) class: u32,
}

#[inline(always)]
pub(super) fn place(image: &View<'_>, request: &Request<'_>) -> Place {
    let classes = &image.primary;
    // PERF: the usual case in a few instructions, all others in a call.
    match request.source_ip() {
        Address::Known(IpAddr::V4(ip)) if classes.is_source_ip == 1 => place_v4(classes, ip),
        Address::Known(IpAddr::V6(ip)) if classes.is_source_ip == 1 => place_v6(classes, ip),
        _ => place_apart(image, classes, request),
    }
}

/// Where a request stands by the second key: seldom asked for, so not kept.
#[inline(never)]
pub(super) fn second_place(image: &View<'_>, request: &Request<'_>) -> Place {
    place_apart(image, &image.second, request)
}

#[inline(always)]
fn place_v4(classes: &KeyClassesView<'_>, ip: Ipv4Addr) -> Place {
    Place {
        base: Base::V4,
        class: classes.v4.class(ip.to_bits()).as_u32(),
    }
}

#[inline(never)]
fn place_v6(classes: &KeyClassesView<'_>, ip: Ipv6Addr) -> Place {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return place_v4(classes, ip);
    }
    let class = classes.v6.class(ip.to_bits()).as_u32();
    Place {
        base: Base::V6,
        class: classes.v6_class_base.saturating_add(class),
    }
}

/// Where a request stands by a key that is looked for in it.
#[inline(never)]
fn place_apart(image: &View<'_>, classes: &KeyClassesView<'_>, request: &Request<'_>) -> Place {
    let state = |base| Place { base, class: 0 };
    match context::addresses(request, key(image, classes)) {
        Addresses::One(IpAddr::V4(ip)) => place_v4(classes, ip),
        Addresses::One(IpAddr::V6(ip)) => place_v6(classes, ip),
        Addresses::Absent => state(Base::Absent),
        Addresses::Unreadable => state(Base::Unreadable),
        Addresses::Several(_) => state(Base::Several),
    }
}

/// Returns the key that the classes are of.
fn key<'i>(image: &View<'i>, classes: &KeyClassesView<'i>) -> &'i str {
    let key = classes.key.first().copied().unwrap_or_default();
    condition::text(image, key)
}

/// Returns whether open requests from a place get nothing, whatever their resource.
#[inline(always)]
pub(super) const fn is_quiet(image: &View<'_>, place: Place) -> bool {
    let quiet = match place.base {
        Base::V4 => image.quiet_v4,
        Base::V6 => image.quiet_v6,
        _ => NO_CLASS,
    };
    place.class == quiet
}
