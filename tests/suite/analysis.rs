//! `analysis::diff` and `analysis::fit` by hand: what must be told, and what must not.

use core::fmt::Write;

use portcullis::analysis::{self, Difference};
use portcullis::{Address, Api, Decision, Policy, Request, reference};

const API: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/";

fn read(text: &str) -> Policy {
    let api = Api::from_arn(API).unwrap();
    Policy::from_json(text)
        .unwrap()
        .with_short_hand_expanded(&api)
}

/// A statement for everyone in short notation: effect, resource, conditions as JSON.
fn statement(effect: &str, resource: &str, conditions: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":"*","Action":"execute-api:Invoke","Resource":{resource},"Condition":{conditions}}}"#
    )
}

fn policy(statements: &[String]) -> Policy {
    read(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    ))
}

fn ip(list: &str) -> String {
    format!(r#"{{"IpAddress":{{"aws:SourceIp":{list}}}}}"#)
}

fn difference(old: &Policy, new: &Policy) -> Difference {
    let difference =
        analysis::diff(core::slice::from_ref(old), core::slice::from_ref(new)).unwrap();
    for region in difference.regions() {
        let example = region
            .example()
            .unwrap_or_else(|| panic!("unproven: {region:#?}"));
        example.with_request(|request| {
            assert_eq!(
                reference::decide(core::slice::from_ref(old), request),
                region.before()
            );
            assert_eq!(
                reference::decide(core::slice::from_ref(new), request),
                region.after()
            );
        });
    }
    difference
}

/// Each region as one line: decisions, CIDRs, states, terms, exceptions.
fn lines(old: &Policy, new: &Policy) -> Vec<String> {
    (difference(old, new).regions().iter())
        .map(|region| {
            let mut line = format!(
                "{} > {}:",
                region.before().as_str(),
                region.after().as_str()
            );
            let addresses = region.addresses();
            for net in addresses.v4() {
                write!(line, " {net}").unwrap();
            }
            for net in addresses.v6() {
                write!(line, " {net}").unwrap();
            }
            for (is_in, name) in [
                (addresses.absent(), "absent"),
                (addresses.unreadable(), "unreadable"),
                (addresses.several(), "several"),
            ] {
                line.push_str(if is_in { " " } else { "" });
                line.push_str(if is_in { name } else { "" });
            }
            for term in region.terms() {
                let term = term.to_string().replace(API, "");
                if !term.starts_with("action") {
                    write!(line, "; {term}").unwrap();
                }
            }
            for exception in region.exceptions() {
                let terms: Vec<String> = exception
                    .iter()
                    .map(|t| t.to_string().replace(API, ""))
                    .collect();
                write!(line, "; unless {}", terms.join(" and ")).unwrap();
            }
            line
        })
        .collect()
}

/// The allow list of an office, and changes of it.
#[test]
fn the_office_allow_list() {
    let office = |effect: &str, list: &str| {
        policy(&[statement(effect, r#""execute-api:/*/*/*""#, &ip(list))])
    };
    let old = office(
        "Allow",
        r#"["203.0.113.7","198.51.100.0/24","2001:db8:7::/48"]"#,
    );
    let everyone = "resource matches `*/*/*`";
    for (new, expected) in [
        // One more, one less, one wider.
        (
            office(
                "Allow",
                r#"["203.0.113.7","198.51.100.0/23","2001:db8:7::/48"]"#,
            ),
            vec![format!(
                "implicit_deny > allow: 198.51.101.0/24; {everyone}"
            )],
        ),
        (
            office("Allow", r#"["203.0.113.7","198.51.100.0/24"]"#),
            vec![format!(
                "allow > implicit_deny: 2001:db8:7::/48; {everyone}"
            )],
        ),
        (
            office(
                "Allow",
                r#"["203.0.113.6/31","198.51.100.0/25","2001:db8:7::/48"]"#,
            ),
            vec![
                format!("implicit_deny > allow: 203.0.113.6/32; {everyone}"),
                format!("allow > implicit_deny: 198.51.100.128/25; {everyone}"),
            ],
        ),
        // The same in other words.
        (
            office(
                "Allow",
                r#"["2001:db8:7::/49","2001:db8:7:8000::/49","198.51.100.128/25","198.51.100.0/25","203.0.113.7/32"]"#,
            ),
            vec![],
        ),
        // A Deny, which an unreadable address meets too.
        (
            office("Deny", r#"["203.0.113.7"]"#),
            vec![
                format!("allow > implicit_deny: 198.51.100.0/24 2001:db8:7::/48; {everyone}"),
                format!("allow > explicit_deny: 203.0.113.7/32; {everyone}"),
                format!("implicit_deny > explicit_deny: unreadable; {everyone}"),
            ],
        ),
    ] {
        assert_eq!(lines(&old, &new), expected, "{}", new.to_json_compact());
    }
}

/// The block list, and changes of it.
#[test]
fn the_block_list() {
    let allow = || statement("Allow", r#""execute-api:/*""#, "{}");
    let deny = |list: &str| statement("Deny", r#""execute-api:/*""#, &ip(list));
    let old = policy(&[allow(), deny(r#"["198.51.100.0/24","2001:db8:bad::/48"]"#)]);
    let all = "resource matches `*`";
    for (new, expected) in [
        (
            policy(&[deny(r#"["2001:db8:bad::/48","198.51.100.0/24"]"#), allow()]),
            vec![],
        ),
        (
            policy(&[
                deny(r#""2001:db8:bad::/48""#),
                allow(),
                deny(r#""198.51.100.0/24""#),
            ]),
            vec![],
        ),
        (
            policy(&[allow(), deny(r#"["198.51.100.0/25","2001:db8:bad::/48"]"#)]),
            vec![format!("explicit_deny > allow: 198.51.100.128/25; {all}")],
        ),
        (
            policy(&[allow()]),
            vec![format!(
                "explicit_deny > allow: 198.51.100.0/24 2001:db8:bad::/48 unreadable; {all}"
            )],
        ),
        // The whole list moved to one path: the rest of the API is open to it.
        (
            policy(&[
                allow(),
                statement(
                    "Deny",
                    r#""execute-api:/*/POST/orders""#,
                    &ip(r#"["198.51.100.0/24","2001:db8:bad::/48"]"#),
                ),
            ]),
            vec![format!(
                "explicit_deny > allow: 198.51.100.0/24 2001:db8:bad::/48 unreadable; {all}; unless resource matches `*/POST/orders`"
            )],
        ),
        // `NotIpAddress` on the same list turns it round, and an absent address falls into it.
        (
            policy(&[
                allow(),
                statement(
                    "Deny",
                    r#""execute-api:/*""#,
                    r#"{"NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#,
                ),
            ]),
            vec![
                format!("explicit_deny > allow: 198.51.100.0/24; {all}"),
                format!(
                    "allow > explicit_deny: {} absent several; {all}",
                    "::/3 2000::/16 2001::/21 2001:800::/22 2001:c00::/24 2001:d00::/25 2001:d80::/27"
                ),
            ],
        ),
    ] {
        let found = lines(&old, &new);
        if expected.iter().any(|line| line.contains("absent")) {
            // The complement of a /48 is long: its ends will do.
            assert_eq!(found.len(), 2);
            assert_eq!(found[0], expected[0]);
            assert!(
                found[1].starts_with("allow > explicit_deny: ::/3 2000::/16 "),
                "{}",
                found[1]
            );
            assert!(
                found[1].ends_with(" absent several; resource matches `*`"),
                "{}",
                found[1]
            );
            continue;
        }
        assert_eq!(found, expected, "{}", new.to_json_compact());
    }
}

#[test]
fn conditions_principals_and_not_resource_are_told() {
    let list = ip(r#""203.0.113.0/24""#);
    let with = |more: &str| list.replacen('{', &format!("{{{more},"), 1);
    let plain = policy(&[statement("Allow", r#""execute-api:/*""#, &list)]);
    let tls = policy(&[statement(
        "Allow",
        r#""execute-api:/*""#,
        &with(r#""Bool":{"aws:SecureTransport":"true"}"#),
    )]);
    assert_eq!(
        lines(&plain, &tls),
        [
            "allow > implicit_deny: 203.0.113.0/24; resource matches `*`; unless Bool aws:SecureTransport `true`",
        ]
    );
    assert_eq!(
        lines(&tls, &plain),
        [
            "implicit_deny > allow: 203.0.113.0/24; resource matches `*`; unless Bool aws:SecureTransport `true`",
        ]
    );
    let other = plain
        .to_json_compact()
        .replace(r#""Resource""#, r#""NotResource""#)
        .replace("abc123/*", "abc123/prod/*");
    let other = read(&other);
    let [opened, closed] = &lines(&plain, &other)[..] else {
        panic!("{:?}", lines(&plain, &other));
    };
    assert_eq!(
        opened,
        "implicit_deny > allow: 203.0.113.0/24; resource does not match `prod/*`; unless resource matches `*`"
    );
    assert_eq!(
        closed,
        "allow > implicit_deny: 203.0.113.0/24; resource matches `*`; unless resource does not match `prod/*`"
    );
    let alice = read(&plain.to_json_compact().replace(
        r#""Principal":"*""#,
        r#""Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"}"#,
    ));
    assert_eq!(
        lines(&alice, &plain),
        [
            "implicit_deny > allow: 203.0.113.0/24; resource matches `*`; unless principal is `arn:aws:iam::123456789012:user/alice`",
        ]
    );
}

/// A pattern that others cover together is proven covered by a search, not by a comparison of two.
#[test]
fn what_several_say_together_is_equal() {
    let list = ip(r#""203.0.113.0/24""#);
    let one = policy(&[statement("Allow", r#""execute-api:/a*""#, &list)]);
    let several = policy(&[
        statement("Allow", r#""execute-api:/a""#, &list),
        statement("Allow", r#""execute-api:/a?*""#, &list),
    ]);
    assert_eq!(lines(&one, &several), Vec::<String>::new());
    let opposite = |condition: &str| {
        let both = format!(
            r#"{{"{condition}":{{"aws:UserAgent":"curl"}},{}"#,
            &list[1..]
        );
        statement("Allow", r#""execute-api:/a*""#, &both)
    };
    let halves = policy(&[opposite("StringEquals"), opposite("StringNotEquals")]);
    assert_eq!(lines(&one, &halves), Vec::<String>::new());
}

/// Ten thousand statements; what changed is told, and nothing else.
#[test]
fn ten_thousand_statements() {
    let make = |change: bool| {
        let statements: Vec<String> = (0..10_000)
            .filter(|i| !(change && *i == 4_000))
            .map(|i| {
                let mut list = format!(
                    r#"["10.{}.{}.0/24","2001:db8:{i:x}::/48""#,
                    i / 256,
                    i % 256
                );
                if change && i == 77 {
                    list.push_str(r#","192.0.2.0/24""#);
                }
                list.push(']');
                let effect = if i % 3 == 0 { "Deny" } else { "Allow" };
                statement(
                    effect,
                    &format!(r#"["execute-api:/prod/GET/p{i}/*","execute-api:/*/POST/q{i}"]"#),
                    &ip(&list),
                )
            })
            .collect();
        policy(&statements)
    };
    let (old, new) = (make(false), make(true));
    assert_eq!(
        lines(&old, &new),
        [
            "implicit_deny > allow: 192.0.2.0/24; resource matches `prod/GET/p77/*` or `*/POST/q77`",
            "allow > implicit_deny: 10.15.160.0/24 2001:db8:fa0::/48; resource matches `prod/GET/p4000/*` or `*/POST/q4000`",
        ]
    );
    let gained = difference(&old, &new).gained();
    assert_eq!(
        (gained.v4.as_u128(), gained.v6.as_u128()),
        (Some(256), Some(0))
    );
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let short = Policy::from_json(&format!(
        r#"{{"Statement":{}}}"#,
        statement("Allow", r#""execute-api:/*""#, "{}")
    ))
    .unwrap();
    let error = analysis::diff(&[short], &[]).unwrap_err();
    assert_eq!(error.policy(), Some(0));
    assert!(error.to_string().contains("is short-hand"), "{error}");
    assert!(analysis::diff(&[], &[]).unwrap().is_empty());
}

#[test]
fn statements_that_can_change_nothing() {
    let deny = |list: &str| statement("Deny", r#""execute-api:/*""#, &ip(list));
    let allow = |resource: &str, list: &str| statement("Allow", resource, &ip(list));
    let cases: [(&[String], &[usize], &[usize]); 4] = [
        // An Allow that a Deny covers.
        (
            &[
                deny(r#""10.0.0.0/8""#),
                allow(r#""execute-api:/*/GET/*""#, r#""10.1.0.0/16""#),
            ],
            &[1],
            &[1],
        ),
        // Near miss: one address more.
        (
            &[
                deny(r#""10.0.0.0/8""#),
                allow(r#""execute-api:/*/GET/*""#, r#"["10.1.0.0/16","11.0.0.0"]"#),
            ],
            &[],
            &[],
        ),
        // Twice the same: either can go, not both.
        (
            &[
                allow(r#""execute-api:/*""#, r#""10.0.0.0/8""#),
                allow(r#""execute-api:/*""#, r#""10.0.0.0/8""#),
            ],
            &[0, 1],
            &[1],
        ),
        // A list that two others hold between them.
        (
            &[
                allow(r#""execute-api:/*""#, r#""10.0.0.0/9""#),
                allow(r#""execute-api:/*""#, r#""10.64.0.0/10""#),
                allow(r#""execute-api:/*""#, r#""10.128.0.0/9""#),
            ],
            &[1],
            &[1],
        ),
    ];
    for (statements, each, together) in cases {
        let policies = [policy(statements)];
        let places =
            |list: &[usize]| -> Vec<(usize, usize)> { list.iter().map(|i| (0, *i)).collect() };
        assert_eq!(
            analysis::dead_statements(&policies, false).unwrap(),
            places(each),
            "{statements:?}"
        );
        assert_eq!(
            analysis::dead_statements(&policies, true).unwrap(),
            places(together),
            "{statements:?}"
        );
    }
}

/// As the serverless transforms write it: the whole list again for each path.
#[test]
fn fit_takes_a_repeated_list_below_the_limit() {
    let cidrs: Vec<String> = (0..300)
        .map(|i| format!("\"203.{}.{}.0/24\"", i / 100, (i % 100) * 2))
        .collect();
    let list = format!("[{}]", cidrs.join(","));
    let statements: Vec<String> = ["GET/pets", "POST/pets", "GET/orders/*"]
        .into_iter()
        .map(|path| {
            statement(
                "Allow",
                &format!("[\"execute-api:/prod/{path}\"]"),
                &ip(&list),
            )
        })
        .collect();
    let old = policy(&statements);
    let fit = analysis::fit(&old).unwrap();
    assert!(
        fit.characters_before() > 8_192,
        "{}",
        fit.characters_before()
    );
    assert!(fit.characters() < 8_192, "{}", fit.characters());
    assert!(fit.is_proven());
    let again = Policy::from_json(&fit.text()).unwrap();
    assert_eq!(again.statements().len(), 1);
    assert!(difference(&old, &again).is_empty());
}

#[test]
fn fit_merges_nothing_that_means_more_together() {
    let not = |list: &str| format!(r#"{{"NotIpAddress":{{"aws:SourceIp":{list}}}}}"#);
    for statements in [
        // Lists of which none may match.
        [
            statement("Deny", r#""execute-api:/*""#, &not(r#""10.0.0.0/8""#)),
            statement("Deny", r#""execute-api:/*""#, &not(r#""11.0.0.0/8""#)),
        ],
        // List and resource both differ: a cross product.
        [
            statement("Allow", r#""execute-api:/a""#, &ip(r#""10.0.0.0/8""#)),
            statement("Allow", r#""execute-api:/b""#, &ip(r#""11.0.0.0/8""#)),
        ],
        // Another effect.
        [
            statement("Allow", r#""execute-api:/a""#, &ip(r#""10.0.0.0/8""#)),
            statement("Deny", r#""execute-api:/b""#, &ip(r#""10.0.0.0/8""#)),
        ],
        [
            statement(
                "Allow",
                r#""execute-api:/a""#,
                r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
            ),
            statement(
                "Allow",
                r#""execute-api:/a""#,
                r#"{"ForAllValues:StringEquals":{"k":"b"}}"#,
            ),
        ],
    ] {
        let old = policy(&statements);
        let fit = analysis::fit(&old).unwrap();
        assert!(fit.is_proven());
        assert_eq!(fit.policy().statements().len(), 2, "{}", fit.text());
    }
    let merged = policy(&[
        statement(
            "Deny",
            r#""execute-api:/*""#,
            &ip(r#"["10.0.0.0/9","10.1.2.3/32"]"#),
        ),
        statement("Deny", r#""execute-api:/*""#, &ip(r#""10.128.0.0/9""#)),
        statement("Allow", r#"["execute-api:/a*","execute-api:/ab"]"#, "{}"),
    ]);
    let fit = analysis::fit(&merged).unwrap();
    let text = fit.text().replace(API, "");
    assert_eq!(
        text,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"a*"}]}"#
    );
}

/// Each within the limit, and together the same; a list of which none may match stays whole.
#[test]
fn a_split_is_within_the_limit_and_equal() {
    let list = |third: &str, count: usize| -> String {
        let cidrs: Vec<String> = (0..count)
            .map(|i| format!("\"203.0.{third}.{}\"", i * 2))
            .collect();
        format!("[{}]", cidrs.join(","))
    };
    let paths: Vec<String> = (0..40)
        .map(|i| format!("\"execute-api:/prod/GET/p{i}\""))
        .collect();
    let cut = policy(&[
        statement(
            "Allow",
            &format!("[{}]", paths.join(",")),
            &ip(&list("113", 100)),
        ),
        statement("Deny", r#""execute-api:/prod/*""#, &ip(&list("114", 20))),
        statement("Allow", r#""execute-api:/test/*""#, "{}"),
    ]);
    let fit = analysis::fit(&cut).unwrap();
    for limit in [400, 700, 1_000, 2_500, 20_000] {
        let split = fit.split(limit).unwrap();
        assert!(split.is_whole(), "{limit}");
        assert!(
            split
                .texts()
                .iter()
                .all(|text| text.chars().count() <= limit),
            "{limit}"
        );
        assert!(
            analysis::diff(core::slice::from_ref(&cut), split.policies())
                .unwrap()
                .is_empty()
        );
    }
    let long = policy(&[statement(
        "Allow",
        r#""execute-api:/*""#,
        &ip(&list("113", 120)),
    )]);
    let fit = analysis::fit(&long).unwrap();
    for limit in [500, 800, 1_500] {
        let count = fit.split(limit).unwrap().policies().len();
        let repeated = characters_without_list(&fit);
        let least = (fit.characters() - repeated).div_ceil(limit - repeated);
        assert!(
            count <= least + 1,
            "{count} of {limit}, where {least} may do"
        );
    }
    let not = format!(
        r#"{{"NotIpAddress":{{"aws:SourceIp":{}}}}}"#,
        list("113", 100)
    );
    let whole = policy(&[
        statement("Allow", r#""execute-api:/*""#, "{}"),
        statement("Deny", r#""execute-api:/*""#, &not),
    ]);
    let split = analysis::fit(&whole).unwrap().split(500).unwrap();
    assert_eq!((split.too_long(), split.is_whole()), (&[1][..], false));
}

/// Returns the characters of a fitted policy of one list without that list.
fn characters_without_list(fit: &analysis::Fit) -> usize {
    let text = fit.text();
    text.rfind(":[").unwrap() + text.len() - text.find(']').unwrap()
}

#[test]
fn the_parts_of_a_statement_have_names_of_their_own() {
    let named = |sid: &str, path: &str| {
        statement("Allow", path, &ip(r#"["10.0.0.1","10.0.1.1"]"#)).replacen(
            '{',
            &format!("{{\"Sid\":\"{sid}\","),
            1,
        )
    };
    let old = policy(&[
        named("One", r#"["execute-api:/a","execute-api:/b"]"#),
        named("One", r#""execute-api:/c""#).replace("10.0.0.1", "10.0.2.1"),
    ]);
    let split = analysis::fit(&old).unwrap().split(1_000).unwrap();
    for policy in split.policies() {
        let mut sids: Vec<&str> = (policy.statements().iter())
            .map(|s| &*s.sid.as_ref().unwrap().value)
            .collect();
        let all = sids.len();
        sids.dedup();
        assert_eq!(sids.len(), all, "{sids:?}");
    }
}

#[test]
fn an_example_is_a_request_like_any_other() {
    let old = policy(&[statement(
        "Allow",
        r#""execute-api:/*""#,
        &ip(r#""203.0.113.0/24""#),
    )]);
    let difference = difference(
        &old,
        &policy(&[statement(
            "Allow",
            r#""execute-api:/*""#,
            &ip(r#""203.0.113.0/25""#),
        )]),
    );
    let region = &difference.regions()[0];
    let inside = Request::invoke(
        Address::read("203.0.113.200"),
        "arn:aws:execute-api:us-east-1:123456789012:abc123/x",
    );
    assert!(region.contains(&inside));
    assert!(!region.contains(&Request::invoke(
        Address::read("203.0.113.100"),
        inside.resource()
    )));
    assert_eq!(region.after(), Decision::ImplicitDeny);
}
