use super::*;

const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/pets";

fn policy(statements: &str) -> Policy {
    Policy::from_json(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ))
    .unwrap()
}

fn statement(effect: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"{resource}","Condition":{{{condition}}}}}"#
    )
}

fn cut(policies: &[Policy], within: &str) -> Result<Partition, PartitionError> {
    let request = Request::invoke(crate::Address::Absent, ARN);
    partition(policies, &request, within.parse().unwrap())
}

/// Each region's first address and decision, in order.
fn told(partition: &Partition) -> Vec<String> {
    let one = |region: &Region| format!("{} {}", region.first, region.decision);
    partition.regions().iter().map(one).collect()
}

#[test]
fn regions_of_the_header() {
    let allow = statement(
        "Allow",
        "*",
        r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#,
    );
    let deny = statement(
        "Deny",
        "*",
        r#""IpAddress":{"aws:sourceip":"192.0.2.128/25"}"#,
    );
    let policy = policy(&format!("{allow},{deny}"));
    let partition = cut(core::slice::from_ref(&policy), "0.0.0.0/0").unwrap();
    assert_eq!(
        told(&partition),
        [
            "0.0.0.0 implicit deny",
            "192.0.2.0 allow",
            "192.0.2.128 explicit deny",
            "192.0.3.0 implicit deny",
        ]
    );
    let counts = [
        Decision::Allow,
        Decision::ExplicitDeny,
        Decision::ImplicitDeny,
    ]
    .map(|decision| partition.count(decision));
    assert_eq!(counts, [128, 128, (1 << 32) - 256]);
    let denied = partition.region("192.0.2.200".parse().unwrap()).unwrap();
    let cause = denied.cause.unwrap();
    assert_eq!((cause.policy, cause.statement), (0, 1));
    let prefix = cause.prefix.unwrap();
    assert_eq!(prefix.value.to_string(), "192.0.2.128/25");
    assert_eq!(
        policy.source_text().get(policy.source_range(prefix.span)),
        Some("\"192.0.2.128/25\"")
    );
    assert_eq!(partition.region("::1".parse().unwrap()), None);
    assert_eq!(
        partition.region("::ffff:192.0.2.200".parse().unwrap()),
        Some(denied)
    );
}

#[test]
fn the_longest_prefix_is_named_and_of_equal_ones_the_first() {
    let list = r#""IpAddress":{"aws:SourceIp":["10.0.0.0/8","10.1.0.0/16","10.9.9.9/8","10.1.2.3","10.1.2.3/32"]}"#;
    let policy = policy(&statement("Allow", "*", list));
    let partition = cut(core::slice::from_ref(&policy), "10.0.0.0/8").unwrap();
    let named: Vec<String> = (partition.regions().iter())
        .map(|region| {
            let prefix = region.cause.unwrap().prefix.unwrap();
            let text = policy.source_text().get(policy.source_range(prefix.span));
            format!("{} {}", region.first, text.unwrap())
        })
        .collect();
    assert_eq!(
        named,
        [
            "10.0.0.0 \"10.0.0.0/8\"",
            "10.1.0.0 \"10.1.0.0/16\"",
            "10.1.2.3 \"10.1.2.3\"",
            "10.1.2.4 \"10.1.0.0/16\"",
            "10.2.0.0 \"10.0.0.0/8\"",
        ]
    );
}

/// IPv4-mapped addresses are IPv4 addresses, wherever they are asked about.
#[test]
fn mapped_addresses_get_the_answers_of_ipv4() {
    let policies = [policy(&statement(
        "Allow",
        "*",
        r#""IpAddress":{"aws:SourceIp":["::/0","192.0.2.0/24"]}"#,
    ))];
    let partition = cut(&policies, "::/0").unwrap();
    assert_eq!(
        told(&partition),
        [
            ":: allow",
            "::ffff:0.0.0.0 implicit deny",
            "::ffff:192.0.2.0 allow",
            "::ffff:192.0.3.0 implicit deny",
            "::1:0:0:0 allow",
        ]
    );
    let mapped = cut(&policies, "::ffff:192.0.0.0/112").unwrap();
    assert_eq!(mapped, cut(&policies, "192.0.0.0/16").unwrap());
    assert_eq!(mapped.within().to_string(), "192.0.0.0/16");
}

#[test]
fn text_without_wildcards_is_one_address() {
    for (condition, expected) in [
        (
            r#""StringEquals":{"aws:SourceIp":["10.0.0.1","::1","x","10.0.0.01"]}"#,
            "10.0.0.1 allow,10.0.0.2 implicit deny",
        ),
        (
            r#""StringLike":{"aws:SourceIp":"10.0.0.1"}"#,
            "10.0.0.1 allow,10.0.0.2 implicit deny",
        ),
        (
            r#""StringNotEquals":{"aws:SourceIp":"10.0.0.1"}"#,
            "10.0.0.1 implicit deny,10.0.0.2 allow",
        ),
        (r#""ArnEquals":{"aws:SourceIp":"10.0.0.1"}"#, ""),
        (r#""StringEquals":{"aws:SourceIp":"10.0.0.*"}"#, ""),
        (r#""StringEquals":{"aws:SourceIp":"::ffff:10.0.0.1"}"#, ""),
        (r#""DateLessThan":{"aws:SourceIp":"2020-01-01"}"#, ""),
        (r#""Null":{"aws:SourceIp":"true"}"#, ""),
    ] {
        let partition = cut(
            &[policy(&statement("Allow", "*", condition))],
            "10.0.0.0/24",
        );
        let told = told(&partition.unwrap());
        assert_eq!(told.get(1..).unwrap().join(","), expected, "{condition}");
    }
    let v6 = r#""StringEqualsIgnoreCase":{"aws:SourceIp":["2001:DB8::1","2001:db8::0001"]},"ArnNotEquals":{"aws:SourceIp":["2001:db8::2","2001:db8:1:1:1:1:1:1"]}"#;
    let partition = cut(&[policy(&statement("Allow", "*", v6))], "2001:db8::/32").unwrap();
    assert_eq!(
        told(&partition),
        [
            "2001:db8:: implicit deny",
            "2001:db8::1 allow",
            "2001:db8::2 implicit deny"
        ]
    );
}

#[test]
fn what_is_no_list_of_prefixes_is_an_error_unless_it_cannot_matter() {
    let like = r#""StringLike":{"aws:SourceIp":"10.*"}"#;
    let variable = r#""StringEquals":{"aws:UserAgent":"${aws:SourceIp}"}"#;
    let constant = r#""StringEquals":{"aws:UserAgent":"x"}"#;
    for (statement, expected) in [
        (
            statement("Allow", "*", like),
            "policy 0, statement 0: `StringLike` compares the text of `aws:SourceIp` with a wildcard or a policy variable, \
             so the addresses that it matches are no list of prefixes; write it with `IpAddress`",
        ),
        (
            statement("Deny", "*", variable),
            "policy 0, statement 0: a condition compares another key with `${aws:SourceIp}`, \
             so the addresses that it matches are no list of prefixes",
        ),
        (
            statement("Deny", "arn:aws:execute-api:*:*:abc/${aws:SourceIp}", ""),
            "policy 0, statement 0: a resource holds `${aws:SourceIp}`, so every address has a resource of its own",
        ),
        (
            statement("Allow", "arn:aws:execute-api:*:*:other/*", like),
            "",
        ),
        (statement("Allow", "*", &format!("{like},{constant}")), ""),
    ] {
        let message = cut(&[policy(&statement)], "0.0.0.0/0")
            .map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(message, expected, "{statement}");
    }
}

#[test]
fn prefixes_are_as_few_as_can_be() {
    for (first, last, expected) in [
        ("0.0.0.0", "255.255.255.255", "0.0.0.0/0"),
        (
            "0.0.0.1",
            "0.0.0.6",
            "0.0.0.1/32 0.0.0.2/31 0.0.0.4/31 0.0.0.6/32",
        ),
        ("255.255.255.255", "255.255.255.255", "255.255.255.255/32"),
        ("0.0.0.1", "255.255.255.255", "31 more than 0.0.0.1/32"),
        ("128.0.0.0", "255.255.255.254", "30 more than 128.0.0.0/2"),
        ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
        ("::1", "::1", "::1/128"),
        ("0.0.0.2", "0.0.0.1", ""),
        ("0.0.0.2", "::3", ""),
    ] {
        let found: Vec<IpNet> = prefixes(first.parse().unwrap(), last.parse().unwrap()).collect();
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        let text = match text.as_slice() {
            [first, more @ ..] if more.len() > 3 => format!("{} more than {first}", more.len()),
            all => all.join(" "),
        };
        assert_eq!(text, expected);
    }
}

#[test]
fn overlays_cut_at_the_edges_of_both() {
    let from = |prefix: &str| {
        let condition = format!(r#""IpAddress":{{"aws:SourceIp":"{prefix}"}}"#);
        cut(
            &[policy(&statement("Allow", "*", &condition))],
            "10.0.0.0/8",
        )
        .unwrap()
    };
    let (before, after) = (from("10.0.0.0/16"), from("10.0.128.0/17"));
    let stretches: Vec<String> = before
        .overlay(&after)
        .map(|(first, last, a, b)| format!("{first} {last} {} {}", a.decision, b.decision))
        .collect();
    assert_eq!(
        stretches,
        [
            "10.0.0.0 10.0.127.255 allow implicit deny",
            "10.0.128.0 10.0.255.255 allow allow",
            "10.1.0.0 10.255.255.255 implicit deny implicit deny",
        ]
    );
}
