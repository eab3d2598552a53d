//! Reading the request: what a condition key holds, and what a policy variable stands for.
//!
//! ```text
//! key ──look up──▶ members ──▶ absent | one | several            for conditions that compare text
//!                          ──▶ absent | known | several | unreadable     for address conditions
//! ```

use core::net::IpAddr;

use super::wildcard::{self, Symbol};
use crate::policy::{PartRef, Text};
use crate::request::{Address, Request, Value, is_address_key};

/// What a key holds, for conditions that compare text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextState {
    /// Nothing.
    Absent,
    /// One value.
    One(String),
    /// Two values or more.
    Several(Vec<String>),
}

/// What a key holds, for conditions that compare addresses, which are all canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddressState {
    /// Nothing.
    Absent,
    /// One address.
    Known(IpAddr),
    /// Two addresses or more.
    Several(Vec<IpAddr>),
    /// At least one value that is no address.
    Unreadable,
}

/// Missing keys and several values, for text: an empty text is a missing key, but for address keys.
pub(super) fn texts(request: &Request<'_>, key: &str) -> TextState {
    let members = look_up(request, key);
    match members.as_slice() {
        [] => TextState::Absent,
        [Member::Text("")] if !is_address_key(key) => TextState::Absent,
        [one] => TextState::One(text_of(*one, key)),
        several => TextState::Several(several.iter().map(|one| text_of(*one, key)).collect()),
    }
}

/// Missing keys and several values, for addresses: an empty text is an address that cannot be read.
///
/// One value that cannot be read makes the whole key unreadable.
pub(super) fn addresses(request: &Request<'_>, key: &str) -> AddressState {
    let mut read = Vec::new();
    for member in look_up(request, key) {
        let Some(address) = address_of(member) else {
            return AddressState::Unreadable;
        };
        read.push(address);
    }
    match read.as_slice() {
        [] => AddressState::Absent,
        [one] => AddressState::Known(*one),
        _ => AddressState::Several(read),
    }
}

/// Policy variables in a pattern: what they stand for is plain text, in which nothing is a wildcard.
///
/// `None` where a variable has neither value nor default.
pub(super) fn pattern(text: &Text, request: &Request<'_>) -> Option<Vec<Symbol>> {
    let mut symbols = Vec::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) => symbols.extend(wildcard::read(raw)),
            PartRef::Escaped(character) => symbols.push(Symbol::Char(character)),
            PartRef::Variable { key, default } => {
                symbols.extend(variable(request, key, default)?.chars().map(Symbol::Char));
            }
        }
    }
    Some(symbols)
}

/// Policy variables where there are no wildcards.
///
/// `None` where a variable has neither value nor default.
pub(super) fn substituted(text: &Text, request: &Request<'_>) -> Option<String> {
    let mut whole = String::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) => whole.push_str(raw),
            PartRef::Escaped(character) => whole.push(character),
            PartRef::Variable { key, default } => {
                whole.push_str(&variable(request, key, default)?);
            }
        }
    }
    Some(whole)
}

/// The value of a variable: the key's, if it has exactly one, otherwise the default.
fn variable(request: &Request<'_>, key: &str, default: Option<&str>) -> Option<String> {
    match texts(request, key) {
        TextState::One(value) => Some(value),
        TextState::Absent | TextState::Several(_) => default.map(str::to_owned),
    }
}

/// One value of a key, as the request has it.
#[derive(Clone, Copy)]
enum Member<'a> {
    Text(&'a str),
    Address(IpAddr),
    /// Text that the request itself says is no address.
    Unreadable(&'a str),
}

/// Key names: ASCII case does not count, the first of several equal names does, and the
/// request's own source address wins over an entry of that name.
fn look_up<'a>(request: &Request<'a>, key: &str) -> Vec<Member<'a>> {
    if key.eq_ignore_ascii_case("aws:SourceIp") {
        match request.source_ip() {
            Address::Absent => {}
            Address::Known(address) => return vec![Member::Address(address)],
            Address::Unreadable(text) => return vec![Member::Unreadable(text)],
        }
    }
    for (name, value) in request.context() {
        if name.eq_ignore_ascii_case(key) {
            return match *value {
                Value::Text(text) => vec![Member::Text(text)],
                Value::Texts(list) => list.iter().map(|text| Member::Text(text)).collect(),
                Value::Address(address) => vec![Member::Address(address)],
            };
        }
    }
    Vec::new()
}

/// The address that a value is: IPv4-mapped IPv6 addresses are IPv4 addresses.
fn address_of(member: Member<'_>) -> Option<IpAddr> {
    let address = match member {
        Member::Text(text) => text.parse().ok()?,
        Member::Address(address) => address,
        Member::Unreadable(_) => return None,
    };
    Some(address.to_canonical())
}

/// The text that a value is: an address, and the value of an address key that is one, in canonical form.
fn text_of(member: Member<'_>, key: &str) -> String {
    match member {
        Member::Text(text) if !is_address_key(key) => text.to_owned(),
        Member::Unreadable(text) => text.to_owned(),
        Member::Text(text) => {
            address_of(member).map_or_else(|| text.to_owned(), |address| address.to_string())
        }
        Member::Address(address) => address.to_canonical().to_string(),
    }
}
