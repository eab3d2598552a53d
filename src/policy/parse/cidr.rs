//! Addresses and prefixes as text.
//!
//! Strict, since an address that is read otherwise than meant opens or closes the door:
//! no leading zeros (some read them as octal), no spaces, zones, ports or ranges. Host
//! bits are ignored, as AWS does. An IPv4-mapped prefix is the IPv4 prefix.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::policy::error::Quoted;

/// Why a text is no prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct CidrFault {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

fn fault<T>(message: String, help: impl Into<String>) -> Result<T, CidrFault> {
    Err(CidrFault {
        message,
        help: Some(help.into()),
    })
}

/// The bits of the part of an IPv4-mapped address before the IPv4 address.
const MAPPED: u8 = 96;

/// Reads an address or a prefix; a bare address is the prefix of itself alone.
pub(in crate::policy) fn read(text: &str) -> Result<IpNet, CidrFault> {
    match read_plain_v4(text) {
        Some(prefix) => Ok(prefix),
        None => read_any(text),
    }
}

/// Reads an IPv4 address or prefix in its one legal form; `None` of any other text.
///
/// PERF: one pass, two fifths of the steps of [`read_any`].
fn read_plain_v4(text: &str) -> Option<IpNet> {
    let mut rest = text.as_bytes();
    let mut octets = [0; 4];
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        *octet = read_number(&mut rest)?;
    }
    let length = if rest.is_empty() {
        32
    } else {
        rest = rest.strip_prefix(b"/")?;
        read_number(&mut rest).filter(|&length| length <= 32)?
    };
    rest.is_empty().then(|| v4(octets.into(), length))
}

/// Reads up to three digits, the first of several no zero, up to 255.
fn read_number(text: &mut &[u8]) -> Option<u8> {
    let digit = |byte: &u8| byte.wrapping_sub(b'0');
    let (number, rest) = match text {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            let tens = digit(a) * 10 + digit(b);
            (tens.checked_mul(10)?.checked_add(digit(c))?, rest)
        }
        [a @ b'1'..=b'9', b @ b'0'..=b'9', rest @ ..] => (digit(a) * 10 + digit(b), rest),
        [a @ b'0'..=b'9', rest @ ..] => (digit(a), rest),
        _ => return None,
    };
    *text = rest;
    Some(number)
}

/// Reads an address or a prefix of either family, or tells what is wrong with it.
fn read_any(text: &str) -> Result<IpNet, CidrFault> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    if let Ok(ip) = address.parse::<Ipv4Addr>() {
        let length = read_length(text, length, 32)?;
        return Ok(v4(ip, length));
    }
    match address.parse::<Ipv6Addr>() {
        Ok(ip) => {
            let length = read_length(text, length, 128)?;
            match (ip.to_ipv4_mapped(), length.checked_sub(MAPPED)) {
                (None, _) => Ok(v6(ip, length)),
                (Some(ip), Some(length)) => Ok(v4(ip, length)),
                (Some(ip), None) => fault(
                    format!("{} is an IPv4-mapped prefix shorter than /96", Quoted(text)),
                    format!("write the IPv4 prefix, such as `{ip}/24`, or `::/0` for all of IPv6"),
                ),
            }
        }
        Err(_) => no_address(text, address),
    }
}

fn v4(ip: Ipv4Addr, length: u8) -> IpNet {
    // The length was checked, so the fallback is never taken.
    Ipv4Net::new(ip, length)
        .map_or_else(|_| Ipv4Net::from(ip), |net| net.trunc())
        .into()
}

fn v6(ip: Ipv6Addr, length: u8) -> IpNet {
    Ipv6Net::new(ip, length)
        .map_or_else(|_| Ipv6Net::from(ip), |net| net.trunc())
        .into()
}

fn read_length(text: &str, length: Option<&str>, longest: u8) -> Result<u8, CidrFault> {
    let Some(length) = length else {
        return Ok(longest);
    };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = length.len() > 1 && length.starts_with('0');
    if digits
        && !leading_zero
        && let Ok(length) = length.parse()
        && length <= longest
    {
        return Ok(length);
    }
    let whole = || format!("write a number from 0 to {longest} behind the slash");
    if length.parse::<IpAddr>().is_ok() {
        return fault(
            format!("{} has a mask and no prefix length", Quoted(text)),
            whole(),
        );
    }
    if !digits {
        return fault(
            format!("{} has a prefix length that is no number", Quoted(text)),
            whole(),
        );
    }
    if leading_zero {
        return fault(
            format!("{} has a prefix length with a leading zero", Quoted(text)),
            whole(),
        );
    }
    fault(
        format!("{} has a prefix length above {longest}", Quoted(text)),
        whole(),
    )
}

/// Tells what is wrong with a text that is no address, as exactly as can be.
fn no_address(text: &str, address: &str) -> Result<IpNet, CidrFault> {
    const EXAMPLE: &str =
        "write an address such as `203.0.113.7` or a prefix such as `203.0.113.0/24`";
    let quoted = Quoted(text);
    if text.is_empty() {
        return fault(
            "an empty text is no address".to_owned(),
            format!("{EXAMPLE}, or remove the entry"),
        );
    }
    if text.contains(char::is_whitespace) {
        return fault(
            format!("{quoted} has white space in it"),
            "give one address or prefix in each text",
        );
    }
    if text.contains("${") {
        return fault(
            format!("{quoted} has a policy variable, which address operators do not take"),
            EXAMPLE,
        );
    }
    if address.contains('%') {
        return fault(
            format!("{quoted} has a zone"),
            "remove the `%` and what follows",
        );
    }
    if address.contains('-') && address.split('-').any(|end| end.parse::<IpAddr>().is_ok()) {
        return fault(
            format!("{quoted} is a range"),
            "write the prefixes that make it up",
        );
    }
    if address.contains(['*', '?']) {
        return fault(
            format!("{quoted} has a wildcard"),
            "write a prefix, such as `10.0.0.0/16` for `10.0.*`",
        );
    }
    if address.starts_with('[')
        || address
            .split_once(':')
            .is_some_and(|(ip, _)| ip.parse::<Ipv4Addr>().is_ok())
    {
        return fault(
            format!("{quoted} has a port or brackets"),
            "write the address alone",
        );
    }
    if address.contains(':') {
        return fault(
            format!("{quoted} is no IPv6 address"),
            "write a prefix such as `2001:db8::/32`",
        );
    }
    // One more than there can be: the text may be long.
    let octets: Vec<&str> = address.split('.').take(5).collect();
    let numeric = octets
        .iter()
        .all(|octet| !octet.is_empty() && octet.bytes().all(|byte| byte.is_ascii_digit()));
    if !numeric {
        return fault(
            format!("{quoted} is no address"),
            format!("{EXAMPLE} in place of the placeholder"),
        );
    }
    if let Some(octet) = octets
        .iter()
        .find(|octet| octet.len() > 1 && octet.starts_with('0'))
    {
        return fault(
            format!(
                "{quoted} has an octet with a leading zero, {}",
                Quoted(octet)
            ),
            "some programs read it as octal: write it without",
        );
    }
    if octets.len() != 4 {
        let count = address.split('.').count();
        let plural = if count == 1 { "" } else { "s" };
        let message = format!("{quoted} has {count} octet{plural}, not 4");
        return fault(message, EXAMPLE);
    }
    fault(format!("{quoted} has an octet above 255"), EXAMPLE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_way_reads_the_same(
            text in "[0-9./]{0,20}|(([0-9]|[1-9][0-9]|[12][0-9][0-9])[.]){3}[0-9]{1,3}(/[0-9]{1,3})?",
        ) {
            let v4 = |prefix: &IpNet| matches!(prefix, IpNet::V4(_));
            prop_assert_eq!(read_plain_v4(&text), read_any(&text).ok().filter(v4));
        }
    }

    #[test]
    fn every_octet_and_length_is_read_the_quick_way() {
        for number in 0..=u8::MAX {
            for text in [
                format!("{number}.0.0.0"),
                format!("0.{number}.{number}.0/24"),
                format!("1.2.3.{number}/32"),
                format!("1.2.3.4/{number}"),
            ] {
                let read = read_any(&text).ok();
                assert!(read.is_some() || number > 32, "{text}");
                assert_eq!(read_plain_v4(&text), read, "{text}");
            }
        }
    }

    #[test]
    fn what_is_read() {
        for (text, expected) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("255.255.255.255/1", "128.0.0.0/1"),
            ("2001:DB8::1", "2001:db8::1/128"),
            ("2001:db8::ffff/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::1.2.3.4", "::102:304/128"),
            ("::fffe:0:0/95", "::fffe:0:0/95"),
        ] {
            assert_eq!(read(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_refused_and_how() {
        for (text, message) in [
            ("", "an empty text is no address"),
            ("sourceIpOrCIDRBlock", "`sourceIpOrCIDRBlock` is no address"),
            ("xxx.xx.xx.xx/32", "`xxx.xx.xx.xx/32` is no address"),
            ("10.0.0.0/33", "`10.0.0.0/33` has a prefix length above 32"),
            (
                "10.0.0.0/999999999999",
                "`10.0.0.0/999999999999` has a prefix length above 32",
            ),
            ("::/129", "`::/129` has a prefix length above 128"),
            (
                "10.0.0.0/",
                "`10.0.0.0/` has a prefix length that is no number",
            ),
            (
                "10.0.0.0/+8",
                "`10.0.0.0/+8` has a prefix length that is no number",
            ),
            (
                "10.0.0.0/08",
                "`10.0.0.0/08` has a prefix length with a leading zero",
            ),
            (
                "10.0.0.0/255.0.0.0",
                "`10.0.0.0/255.0.0.0` has a mask and no prefix length",
            ),
            (
                "10.0.0.0/8/8",
                "`10.0.0.0/8/8` has a prefix length that is no number",
            ),
            (
                "010.0.0.1",
                "`010.0.0.1` has an octet with a leading zero, `010`",
            ),
            ("10.0.0", "`10.0.0` has 3 octets, not 4"),
            ("10.0.0.256", "`10.0.0.256` has an octet above 255"),
            ("167772160", "`167772160` has 1 octet, not 4"),
            ("10.0.0.0.0.0.0", "`10.0.0.0.0.0.0` has 7 octets, not 4"),
            (" 10.0.0.1", "` 10.0.0.1` has white space in it"),
            ("10.0.0.1,10.0.0.2", "`10.0.0.1,10.0.0.2` is no address"),
            ("10.0.0.1-10.0.0.9", "`10.0.0.1-10.0.0.9` is a range"),
            ("10.0.*", "`10.0.*` has a wildcard"),
            ("10.0.0.1:443", "`10.0.0.1:443` has a port or brackets"),
            ("[::1]:443", "`[::1]:443` has a port or brackets"),
            ("fe80::1%eth0", "`fe80::1%eth0` has a zone"),
            ("2001:db8::1::", "`2001:db8::1::` is no IPv6 address"),
            (
                "::ffff:10.0.0.0/95",
                "`::ffff:10.0.0.0/95` is an IPv4-mapped prefix shorter than /96",
            ),
            (
                "${aws:SourceIp}",
                "`${aws:SourceIp}` has a policy variable, which address operators do not take",
            ),
            ("example.com", "`example.com` is no address"),
            ("１0.0.0.1", "`１0.0.0.1` is no address"),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!(fault.message, message);
            assert!(fault.help.is_some_and(|help| !help.is_empty()), "{text}");
        }
    }
}
