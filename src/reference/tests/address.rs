//! Address conditions, and addresses under other conditions.

use core::net::IpAddr;

use super::*;

fn known(text: &str) -> Address<'_> {
    Address::Known(text.parse().unwrap())
}

#[track_caller]
fn check(operator: &str, prefixes: &str, rows: &[(&str, bool)]) {
    let conditions = format!(r#"{{"{operator}": {{"aws:SourceIp": {prefixes}}}}}"#);
    for &(address, expected) in rows {
        let both = (expected, expected);
        let answer = holds_by_effect(&conditions, known(address), &[]);
        assert_eq!(answer, both, "{conditions} on {address}");
        // The same by the context, as text and as an address.
        for value in [
            Value::Text(address),
            Value::Texts(&[address]),
            Value::Address(address.parse().unwrap()),
        ] {
            let answer = holds_by_effect(&conditions, Address::Absent, &[("AWS:sourceip", value)]);
            assert_eq!(answer, both, "{conditions} on {value:?}");
        }
    }
}

#[test]
fn an_address_is_in_any_prefix_of_the_list_or_in_none() {
    let list = r#"["203.0.113.0/24", "198.51.100.0/25", "2001:DB8::/32"]"#;
    let rows = [
        ("203.0.113.0", true),
        ("203.0.113.255", true),
        ("203.0.112.255", false),
        ("203.0.114.0", false),
        ("198.51.100.127", true),
        ("198.51.100.128", false),
        ("2001:db8::", true),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true),
        ("2001:db7:ffff::1", false),
        ("2001:db9::", false),
    ];
    check("IpAddress", list, &rows);
    check(
        "NotIpAddress",
        list,
        &rows.map(|(address, inside)| (address, !inside)),
    );
}

#[test]
fn a_bare_address_is_itself_alone() {
    check(
        "IpAddress",
        r#""203.0.113.7""#,
        &[
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("203.0.113.6", false),
        ],
    );
    check(
        "IpAddress",
        r#""2001:db8::1""#,
        &[
            ("2001:db8::1", true),
            ("2001:db8::", false),
            ("2001:db8:ffff::1", false),
        ],
    );
}

#[test]
fn host_bits_are_ignored() {
    check(
        "IpAddress",
        r#""123.4.5.6/24""#,
        &[("123.4.5.200", true), ("123.4.6.6", false)],
    );
    check(
        "IpAddress",
        r#""2001:db8::1/64""#,
        &[("2001:db8::2", true), ("2001:db8:0:1::1", false)],
    );
}

#[test]
fn the_families_do_not_mix() {
    check(
        "IpAddress",
        r#""0.0.0.0/0""#,
        &[
            ("0.0.0.0", true),
            ("255.255.255.255", true),
            ("2001:db8::1", false),
            ("::", false),
        ],
    );
    check(
        "IpAddress",
        r#""::/0""#,
        &[("2001:db8::1", true), ("::", true), ("203.0.113.7", false)],
    );
    check(
        "NotIpAddress",
        r#""203.0.113.0/24""#,
        &[("2001:db8::1", true)],
    );
    check("NotIpAddress", r#""203.0.113.7""#, &[("2001:db8::1", true)]);
}

#[test]
fn mapped_addresses_are_ipv4() {
    check(
        "IpAddress",
        r#""203.0.113.0/24""#,
        &[
            ("::ffff:203.0.113.5", true),
            ("::ffff:cb00:7105", true),
            ("::ffff:203.0.114.5", false),
            ("::203.0.113.5", false),
        ],
    );
    check(
        "IpAddress",
        r#""::ffff:203.0.113.0/120""#,
        &[
            ("203.0.113.5", true),
            ("::ffff:203.0.113.5", true),
            ("203.0.114.5", false),
        ],
    );
    check(
        "IpAddress",
        r#""::ffff:0:0/96""#,
        &[("203.0.113.5", true), ("::1", false)],
    );
    check("IpAddress", r#""::/0""#, &[("::ffff:203.0.113.5", false)]);
    check("NotIpAddress", r#""::/0""#, &[("::ffff:203.0.113.5", true)]);
}

#[test]
fn boundaries_of_the_lengths() {
    check(
        "IpAddress",
        r#""128.0.0.0/1""#,
        &[("128.0.0.0", true), ("127.255.255.255", false)],
    );
    check(
        "IpAddress",
        r#""10.0.0.2/31""#,
        &[
            ("10.0.0.2", true),
            ("10.0.0.3", true),
            ("10.0.0.1", false),
            ("10.0.0.4", false),
        ],
    );
    check(
        "IpAddress",
        r#""10.0.0.2/32""#,
        &[("10.0.0.2", true), ("10.0.0.3", false)],
    );
    check(
        "IpAddress",
        r#""2001:db8::2/127""#,
        &[
            ("2001:db8::3", true),
            ("2001:db8::4", false),
            ("2001:db8::1", false),
        ],
    );
    check(
        "IpAddress",
        r#""8000::/1""#,
        &[("ffff::", true), ("7fff::", false)],
    );
}

#[test]
fn in_one_list_and_not_in_the_other() {
    let conditions = r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "NotIpAddress": {"aws:SourceIp": "10.1.0.0/16"}}"#;
    for (address, expected) in [("10.0.0.1", true), ("10.1.0.1", false), ("11.0.0.1", false)] {
        assert_eq!(
            holds_by_effect(conditions, known(address), &[]),
            (expected, expected),
            "{address}"
        );
    }
}

/// Every address operator that a policy can have, and what it answers for a missing key.
const SHAPES: [(&str, bool); 12] = [
    ("IpAddress", false),
    ("IpAddressIfExists", true),
    ("ForAllValues:IpAddress", true),
    ("ForAllValues:IpAddressIfExists", true),
    ("ForAnyValue:IpAddress", false),
    ("ForAnyValue:IpAddressIfExists", true),
    ("NotIpAddress", true),
    ("NotIpAddressIfExists", true),
    ("ForAllValues:NotIpAddress", true),
    ("ForAllValues:NotIpAddressIfExists", true),
    ("ForAnyValue:NotIpAddress", false),
    ("ForAnyValue:NotIpAddressIfExists", true),
];

#[test]
fn a_missing_address() {
    for (operator, expected) in SHAPES {
        let conditions = format!(r#"{{"{operator}": {{"aws:SourceIp": "203.0.113.0/24"}}}}"#);
        assert_eq!(holds(&conditions, &[]), expected, "{operator}");
        let empty = [("aws:SourceIp", Value::Texts(&[]))];
        assert_eq!(holds(&conditions, &empty), expected, "{operator}");
    }
}

#[test]
fn an_unreadable_address_satisfies_a_deny_and_no_allow() {
    for (operator, _) in SHAPES {
        for prefix in ["203.0.113.0/24", "0.0.0.0/0", "::/0"] {
            let conditions = format!(r#"{{"{operator}": {{"aws:SourceIp": "{prefix}"}}}}"#);
            for text in [
                "",
                "unknown",
                "203.0.113.007",
                "203.0.113.7:80",
                "fe80::1%eth0",
                " 203.0.113.7",
                "203.0.113.0/24",
            ] {
                let answer = holds_by_effect(&conditions, Address::read(text), &[]);
                assert_eq!(answer, (true, false), "{conditions} on `{text}`");
                for value in [
                    Value::Text(text),
                    Value::Texts(&[text]),
                    Value::Texts(&["203.0.113.7", text]),
                ] {
                    let answer =
                        holds_by_effect(&conditions, Address::Absent, &[("aws:SourceIp", value)]);
                    assert_eq!(answer, (true, false), "{conditions} on {value:?}");
                }
            }
        }
    }
}

#[test]
fn under_an_address_condition_any_key_with_an_empty_text_is_unreadable() {
    for value in [Value::Text(""), Value::Texts(&[""])] {
        for key in ["aws:VpcSourceIp", "custom"] {
            let conditions = format!(r#"{{"IpAddressIfExists": {{"{key}": "0.0.0.0/0"}}}}"#);
            let answer = holds_by_effect(&conditions, Address::Absent, &[(key, value)]);
            assert_eq!(answer, (true, false), "{key} {value:?}");
        }
    }
}

#[test]
fn several_addresses() {
    let (inside, across, outside): (&[&str], &[&str], &[&str]) = (
        &["10.0.0.1", "::ffff:10.0.0.2"],
        &["10.0.0.1", "192.0.2.1"],
        &["192.0.2.1", "2001:db8::1"],
    );
    for (operator, expected) in [
        ("IpAddress", [false, false, false]),
        ("IpAddressIfExists", [false, false, false]),
        ("ForAllValues:IpAddress", [true, false, false]),
        ("ForAnyValue:IpAddress", [true, true, false]),
        ("NotIpAddress", [true, true, true]),
        ("NotIpAddressIfExists", [true, true, true]),
        ("ForAllValues:NotIpAddress", [false, false, true]),
        ("ForAnyValue:NotIpAddress", [false, true, true]),
    ] {
        let conditions = format!(r#"{{"{operator}": {{"custom": "10.0.0.0/8"}}}}"#);
        let answers = [inside, across, outside]
            .map(|list| holds(&conditions, &[("custom", Value::Texts(list))]));
        assert_eq!(answers, expected, "{operator}");
    }
}

#[test]
fn the_source_address_wins_over_the_context() {
    let conditions = r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#;
    let context = [("aws:SourceIp", Value::Text("10.0.0.1"))];
    for (source_ip, expected) in [
        (Address::Absent, (true, true)),
        (known("192.0.2.1"), (false, false)),
        (Address::Unreadable("10.0.0.1"), (true, false)),
    ] {
        assert_eq!(
            holds_by_effect(conditions, source_ip, &context),
            expected,
            "{source_ip:?}"
        );
    }
    // It is no other key.
    let other = r#"{"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}"#;
    assert_eq!(
        holds_by_effect(other, known("10.0.0.1"), &[]),
        (false, false)
    );
}

#[test]
fn other_conditions_see_the_canonical_text() {
    let mapped: IpAddr = "::ffff:203.0.113.7".parse().unwrap();
    for (conditions, source_ip, expected) in [
        (
            r#"{"StringEquals": {"aws:SourceIp": "203.0.113.7"}}"#,
            known("203.0.113.7"),
            true,
        ),
        (
            r#"{"StringEquals": {"aws:SourceIp": "203.0.113.7"}}"#,
            Address::Known(mapped),
            true,
        ),
        (
            r#"{"StringLike": {"aws:SourceIp": "203.0.113.*"}}"#,
            Address::Known(mapped),
            true,
        ),
        (
            r#"{"StringEquals": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            known("203.0.113.7"),
            false,
        ),
        (
            r#"{"StringEquals": {"aws:SourceIp": "2001:db8::1"}}"#,
            known("2001:DB8:0::1"),
            true,
        ),
        (
            r#"{"StringEquals": {"aws:SourceIp": "unknown"}}"#,
            Address::read("unknown"),
            true,
        ),
        (
            r#"{"StringNotEquals": {"aws:SourceIp": "x"}}"#,
            Address::read("unknown"),
            true,
        ),
        (
            r#"{"Null": {"aws:SourceIp": "true"}}"#,
            Address::Absent,
            true,
        ),
        (
            r#"{"Null": {"aws:SourceIp": "false"}}"#,
            known("203.0.113.7"),
            true,
        ),
        (
            r#"{"Null": {"aws:SourceIp": "false"}}"#,
            Address::read("unknown"),
            true,
        ),
        (
            r#"{"Null": {"aws:SourceIp": "true"}}"#,
            Address::read(""),
            false,
        ),
        (
            r#"{"StringEquals": {"aws:SourceIp": ""}}"#,
            Address::read(""),
            true,
        ),
    ] {
        let answer = holds_by_effect(conditions, source_ip, &[]);
        assert_eq!(
            answer,
            (expected, expected),
            "{conditions} on {source_ip:?}"
        );
    }
}

#[test]
fn other_conditions_see_the_canonical_text_of_the_context_too() {
    for (key, value, expected) in [
        ("aws:VpcSourceIp", Value::Text("2001:DB8::1"), "2001:db8::1"),
        ("aws:SourceIp", Value::Text("::ffff:10.0.0.1"), "10.0.0.1"),
        (
            "custom",
            Value::Address("::ffff:10.0.0.1".parse().unwrap()),
            "10.0.0.1",
        ),
        // Text of another key is text.
        ("custom", Value::Text("2001:DB8::1"), "2001:DB8::1"),
        ("aws:VpcSourceIp", Value::Text("unknown"), "unknown"),
        // An empty text of an address key is there.
        ("aws:VpcSourceIp", Value::Text(""), ""),
        ("aws:SourceIp", Value::Texts(&[""]), ""),
    ] {
        let conditions = format!(r#"{{"StringEquals": {{"{key}": "{expected}"}}}}"#);
        assert!(holds(&conditions, &[(key, value)]), "{key} {value:?}");
    }
}

/// Allow everyone, and deny by one condition.
fn block(conditions: &str) -> Policy {
    statements(&format!(
        "{},{}",
        conditioned("Allow", "{}"),
        conditioned("Deny", conditions)
    ))
}

#[test]
fn block_lists_and_allow_lists_by_deny() {
    let not_office = r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#;
    let guarded = r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Null": {"aws:SourceIp": "false"}}"#;
    let office = r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#;
    let two = r#"{"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}}"#;
    for (conditions, source_ip, expected) in [
        (not_office, known("203.0.113.9"), ALLOW),
        (not_office, known("198.51.100.1"), EXPLICIT),
        (not_office, Address::Absent, EXPLICIT),
        (not_office, Address::read("unknown"), EXPLICIT),
        (guarded, Address::Absent, ALLOW),
        (guarded, known("198.51.100.1"), EXPLICIT),
        (guarded, Address::read("unknown"), EXPLICIT),
        (office, known("203.0.113.9"), EXPLICIT),
        (office, known("198.51.100.1"), ALLOW),
        (office, Address::Absent, ALLOW),
        (office, Address::read("unknown"), EXPLICIT),
        (two, known("198.51.100.1"), ALLOW),
        (two, known("192.0.2.1"), EXPLICIT),
    ] {
        let request = Request::invoke(source_ip, "r");
        assert_eq!(
            decide(&[block(conditions)], &request),
            expected,
            "{conditions} on {source_ip:?}"
        );
    }
}

#[test]
fn block_lists_by_endpoint() {
    let endpoint = r#"{"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}"#;
    let both = r#"{"StringNotEquals": {"aws:SourceVpc": ["vpc-1"], "aws:SourceVpce": ["vpce-1"]}}"#;
    let insecure = r#"{"Bool": {"aws:SecureTransport": false}}"#;
    let vpc = ("aws:SourceVpc", Value::Text("vpc-1"));
    for (conditions, context, expected) in [
        (endpoint, vec![], EXPLICIT),
        (
            endpoint,
            vec![("aws:SourceVpce", Value::Text("vpce-1"))],
            ALLOW,
        ),
        (
            endpoint,
            vec![("aws:SourceVpce", Value::Text("vpce-2"))],
            EXPLICIT,
        ),
        (
            both,
            vec![vpc, ("aws:SourceVpce", Value::Text("vpce-2"))],
            ALLOW,
        ),
        (both, vec![], EXPLICIT),
        (
            insecure,
            vec![("aws:SecureTransport", Value::Text("true"))],
            ALLOW,
        ),
        (
            insecure,
            vec![("aws:SecureTransport", Value::Text("false"))],
            EXPLICIT,
        ),
    ] {
        let request = Request::invoke(Address::Absent, "r").with_context(&context);
        assert_eq!(
            decide(&[block(conditions)], &request),
            expected,
            "{conditions} {context:?}"
        );
    }
}
