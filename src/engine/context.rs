//! Reading a request's condition keys.
//!
//! The rules are those of the header of `request`: ASCII case ignored, the first of equal
//! names counts, a list of one is its value, nothing is absent. Nothing is allocated: an
//! address's text is written into the value itself.

use core::fmt::{self, Write};
use core::net::IpAddr;

use crate::request::{Address, Request, Value, is_address_key};

/// The value of a key for a condition that compares text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Texts<'a> {
    /// The key is not in the request, or has no value.
    Absent,
    /// One value.
    One(Text<'a>),
    /// Two or more values.
    Several(List<'a>),
}

/// Two or more values of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    texts: &'a [&'a str],
    /// Whether the key is one of addresses, whose texts are canonical.
    addresses: bool,
}

impl<'a> List<'a> {
    /// Returns the values.
    pub(super) fn iter(self) -> impl Iterator<Item = Text<'a>> {
        self.texts
            .iter()
            .map(move |text| Text::new(text, self.addresses))
    }
}

/// A text of the request, or an address in canonical form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a> {
    /// As the request has it.
    Borrowed(&'a str),
    /// An address.
    Address(AddressText),
}

impl<'a> Text<'a> {
    /// Returns a value; that of an address key is canonical where it is an address.
    fn new(text: &'a str, of_address_key: bool) -> Self {
        if of_address_key && let Address::Known(ip) = Address::read(text) {
            return Self::Address(AddressText::new(ip));
        }
        Self::Borrowed(text)
    }

    /// Returns the text.
    #[inline]
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Address(text) => text.as_str(),
        }
    }
}

/// The value of a key for a condition that compares addresses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Addresses<'a> {
    /// The key is not in the request, or is an empty list.
    Absent,
    /// One address; never an IPv4-mapped one.
    One(IpAddr),
    /// Two or more values, each an address.
    Several(&'a [&'a str]),
    /// Some value is no address.
    Unreadable,
}

/// Returns the value of `key`, which is in ASCII lower case, as text.
pub(super) fn texts<'a>(request: &Request<'a>, key: &str) -> Texts<'a> {
    match find(request, key) {
        None => Texts::Absent,
        Some(Found::Address(ip)) => Texts::One(Text::Address(AddressText::new(ip))),
        Some(Found::Unreadable(text)) => Texts::One(Text::Borrowed(text)),
        Some(Found::Texts([])) => Texts::Absent,
        Some(Found::Text("")) if !is_address_key(key) => Texts::Absent,
        Some(Found::Text(text)) => Texts::One(Text::new(text, is_address_key(key))),
        Some(Found::Texts(texts)) => Texts::Several(List {
            texts,
            addresses: is_address_key(key),
        }),
    }
}

/// Returns the value of `key`, which is in ASCII lower case, as addresses.
#[inline]
pub(super) fn addresses<'a>(request: &Request<'a>, key: &str) -> Addresses<'a> {
    match find(request, key) {
        None | Some(Found::Texts([])) => Addresses::Absent,
        Some(Found::Address(ip)) => Addresses::One(ip.to_canonical()),
        Some(Found::Unreadable(_)) => Addresses::Unreadable,
        Some(Found::Text(text)) => match Address::read(text) {
            Address::Known(ip) => Addresses::One(ip),
            Address::Absent | Address::Unreadable(_) => Addresses::Unreadable,
        },
        Some(Found::Texts(several)) => {
            let readable = |text: &&str| matches!(Address::read(text), Address::Known(_));
            match several.iter().all(readable) {
                true => Addresses::Several(several),
                false => Addresses::Unreadable,
            }
        }
    }
}

/// What stands in the request under a key.
enum Found<'a> {
    Address(IpAddr),
    Unreadable(&'a str),
    Text(&'a str),
    /// None, or two or more.
    Texts(&'a [&'a str]),
}

#[inline]
fn find<'a>(request: &Request<'a>, key: &str) -> Option<Found<'a>> {
    if key == "aws:sourceip" {
        match request.source_ip() {
            Address::Known(ip) => return Some(Found::Address(ip)),
            Address::Unreadable(text) => return Some(Found::Unreadable(text)),
            Address::Absent => {}
        }
    }
    let (_, value) = request
        .context()
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))?;
    Some(match *value {
        Value::Text(text) => Found::Text(text),
        Value::Texts([text]) => Found::Text(text),
        Value::Texts(texts) => Found::Texts(texts),
        Value::Address(ip) => Found::Address(ip),
    })
}

/// The canonical text of an address, without a heap.
#[derive(Clone, Copy)]
pub(super) struct AddressText {
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl AddressText {
    /// Eight groups of four and seven colons.
    const LONGEST: usize = 39;

    fn new(ip: IpAddr) -> Self {
        let mut text = Self {
            bytes: [0; Self::LONGEST],
            len: 0,
        };
        // Cannot fail: no canonical address is longer, the mapped ones being IPv4.
        let _ = write!(text, "{}", ip.to_canonical());
        text
    }

    fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(written).unwrap_or_default()
    }
}

impl Write for AddressText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl fmt::Debug for AddressText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_address_is_canonical_and_fits() {
        for (address, expected) in [
            ("255.255.255.255", "255.255.255.255"),
            ("::ffff:255.255.255.255", "255.255.255.255"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            (
                "1111:2222:3333:4444:5555:6666:7777:8888",
                "1111:2222:3333:4444:5555:6666:7777:8888",
            ),
            ("::255.255.255.255", "::ffff:ffff"),
            ("::", "::"),
        ] {
            let text = AddressText::new(address.parse().unwrap());
            assert_eq!(text.as_str(), expected);
        }
    }
}
