//! The rules of `lint`: their examples, their pages, their fixes.

use std::fs;
use std::path::Path;

use portcullis::Policy;
use portcullis::analysis::lint::{self, Finding, Options, Report, Rule};

fn read(text: &str) -> Policy {
    Policy::from_json(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn of_text(text: &str) -> Report {
    lint::lint(&[read(text)], &Options::default())
}

fn fires(rule: &Rule, report: &Report) -> bool {
    (report.findings.iter()).any(|finding| finding.rule.id == rule.id)
}

#[test]
fn every_rule_fires_on_its_bad_example_alone() {
    for rule in lint::rules() {
        let [bad, good, near_miss] = rule.examples();
        assert!(fires(rule, &of_text(&bad)), "{}: bad", rule.id);
        assert!(!fires(rule, &of_text(&good)), "{}: good", rule.id);
        assert!(!fires(rule, &of_text(&near_miss)), "{}: near miss", rule.id);
        let off = Options::default().without(rule.id);
        assert!(
            !fires(rule, &lint::lint(&[read(&bad)], &off)),
            "{}",
            rule.id
        );
    }
}

/// What a page calls good has no finding that counts, or the page would teach another mistake.
#[test]
fn good_examples_are_good() {
    for rule in lint::rules() {
        let [_, good, _] = rule.examples();
        for finding in of_text(&good).findings {
            assert_eq!(
                finding.rule.severity,
                lint::Severity::Note,
                "{}: {}: {}",
                rule.id,
                finding.rule.id,
                finding.message
            );
        }
    }
}

#[test]
fn ids_are_distinct_and_kebab_case() {
    let mut ids: Vec<&str> = lint::rules().iter().map(|rule| rule.id).collect();
    for id in &ids {
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id}"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), lint::rules().len());
    assert_eq!(lint::nearest_rule("dead-statment"), Some("dead-statement"));
    assert_eq!(lint::nearest_rule("banana"), None);
}

/// `PORTCULLIS_BLESS=1` writes the pages; without it they must be as the rules say.
#[test]
fn pages_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint");
    let mut pages: Vec<(String, String)> = (lint::rules().iter())
        .map(|rule| (format!("{}.md", rule.id), rule.page()))
        .collect();
    pages.push(("README.md".to_owned(), lint::index_page()));
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let stored = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            stored == *text,
            "{name} is stale: run with PORTCULLIS_BLESS=1"
        );
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        pages.len(),
        "a page without a rule"
    );
}

#[test]
fn a_rule_says_enough() {
    for rule in lint::rules() {
        assert!(
            rule.summary.len() < 110 && !rule.summary.ends_with('.'),
            "{}",
            rule.id
        );
        for text in [rule.why, rule.mend, rule.quiet] {
            assert!(text.len() > 20, "{}: {text}", rule.id);
        }
    }
}

/// A document of these statements, each `effect principal? resource condition?`.
fn document(statements: &[(&str, &str, &str)]) -> String {
    let statements: Vec<String> = statements
        .iter()
        .map(|(effect, resource, condition)| {
            let condition = if condition.is_empty() {
                String::new()
            } else {
                format!(r#","Condition":{{{condition}}}"#)
            };
            format!(
                r#"{{"Effect":"{effect}","Principal":"*","Action":"execute-api:Invoke","Resource":{resource}{condition}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    )
}

/// The dead statements and what stands for them.
fn dead(statements: &[(&str, &str, &str)]) -> Vec<(usize, Vec<usize>)> {
    let report = of_text(&document(statements));
    assert_eq!(report.unexamined, [], "{:?}", statements.first());
    let dead = report
        .findings
        .iter()
        .filter(|f| f.rule.id == "dead-statement");
    dead.map(|finding| {
        let names = finding.message.split("statement ").skip(1);
        let covers = names.filter_map(|name| name.split([' ', ',']).next()?.parse().ok());
        (finding.statement.unwrap(), covers.collect())
    })
    .collect()
}

#[test]
fn dead_statements() {
    const ALL: &str = r#""execute-api:/*""#;
    const PROD: &str = r#""execute-api:/prod/*""#;
    const BOTH: &str = r#"["execute-api:/prod/GET/a","execute-api:/dev/GET/a"]"#;
    let ip = |operator: &str, list: &str| format!(r#""{operator}":{{"aws:SourceIp":[{list}]}}"#);
    let eight = ip("IpAddress", r#""10.0.0.0/8""#);
    let lower = ip("IpAddress", r#""10.0.0.0/9""#);
    let upper = ip("IpAddress", r#""10.128.0.0/9","2001:db8::/32""#);
    let most = ip("IpAddress", r#""10.0.0.0/9","10.128.0.0/10""#);
    let not_eight = ip("NotIpAddress", r#""10.0.0.0/8""#);
    let none = format!("{eight},{not_eight}");
    let if_exists = ip("IpAddressIfExists", r#""10.0.0.0/8""#);
    let known = r#""Null":{"aws:SourceIp":"false"}"#;
    let known_eight = format!("{if_exists},{known}");
    let red = r#""StringEquals":{"aws:PrincipalTag/team":"red"}"#;
    let red_blue = r#""StringEquals":{"AWS:PrincipalTag/team":["blue","red"]}"#;
    let not_red = r#""StringNotEquals":{"aws:PrincipalTag/team":"red"}"#;
    let like = r#""StringLike":{"aws:UserAgent":["b*","a?*"]}"#;
    let like_more = r#""StringLike":{"aws:UserAgent":["ab*c","b"]}"#;
    let not_like = r#""StringNotLike":{"aws:UserAgent":["b*","a?*"]}"#;
    let not_like_more = r#""StringNotLike":{"aws:UserAgent":["ab*c","b"]}"#;
    for (what, statements, expected) in [
        ("one alone", vec![("Allow", ALL, "")], vec![]),
        (
            "a twin",
            vec![("Allow", ALL, ""), ("Allow", ALL, "")],
            vec![(1, vec![0])],
        ),
        (
            "the wider is kept",
            vec![("Allow", PROD, ""), ("Allow", ALL, "")],
            vec![(0, vec![1])],
        ),
        (
            "an Allow under a Deny",
            vec![("Deny", ALL, ""), ("Allow", PROD, "")],
            vec![(1, vec![0])],
        ),
        (
            "a Deny is no Allow",
            vec![("Allow", ALL, ""), ("Deny", PROD, "")],
            vec![],
        ),
        (
            "a Deny without an Allow denies explicitly",
            vec![("Deny", PROD, "")],
            vec![],
        ),
        (
            "addresses",
            vec![("Allow", ALL, &eight), ("Allow", PROD, &lower)],
            vec![(1, vec![0])],
        ),
        (
            "two lists cover one",
            vec![
                ("Allow", ALL, &lower),
                ("Allow", PROD, &eight),
                ("Allow", ALL, &upper),
            ],
            vec![(1, vec![0, 2])],
        ),
        (
            "all but a quarter",
            vec![("Allow", ALL, &most), ("Allow", PROD, &eight)],
            vec![],
        ),
        (
            "a list and the others",
            vec![
                ("Deny", ALL, &not_eight),
                ("Deny", ALL, &eight),
                ("Allow", ALL, ""),
            ],
            vec![(2, vec![0, 1])],
        ),
        (
            "each resource by another",
            vec![
                ("Allow", r#""execute-api:/prod/*""#, ""),
                ("Allow", r#""execute-api:/*/GET/a""#, ""),
                ("Allow", BOTH, ""),
            ],
            vec![(2, vec![0, 1])],
        ),
        (
            "one resource by none",
            vec![("Allow", PROD, ""), ("Allow", BOTH, "")],
            vec![],
        ),
        (
            "no call",
            vec![("Allow", ALL, ""), ("Allow", ALL, &none)],
            vec![(1, vec![])],
        ),
        // An address that cannot be read meets both conditions of a Deny.
        (
            "unreadable counts",
            vec![("Allow", ALL, ""), ("Deny", ALL, &none)],
            vec![],
        ),
        (
            "absent counts",
            vec![("Allow", ALL, &eight), ("Allow", ALL, &if_exists)],
            vec![(0, vec![1])],
        ),
        (
            "absent excluded",
            vec![("Allow", ALL, &eight), ("Allow", ALL, &known_eight)],
            vec![(1, vec![0])],
        ),
        (
            "a longer list",
            vec![("Allow", ALL, red_blue), ("Allow", ALL, red)],
            vec![(1, vec![0])],
        ),
        (
            "a shorter list",
            vec![("Allow", ALL, red), ("Allow", PROD, red_blue)],
            vec![],
        ),
        (
            "other conditions",
            vec![("Allow", ALL, red), ("Allow", ALL, &eight)],
            vec![],
        ),
        (
            "negated",
            vec![("Deny", ALL, not_red), ("Allow", ALL, red)],
            vec![],
        ),
        (
            "a wider pattern",
            vec![("Allow", ALL, like), ("Allow", PROD, like_more)],
            vec![(1, vec![0])],
        ),
        (
            "a narrower pattern",
            vec![("Allow", ALL, like_more), ("Allow", PROD, like)],
            vec![],
        ),
        (
            "not like a narrower pattern",
            vec![("Deny", ALL, not_like_more), ("Deny", PROD, not_like)],
            vec![(1, vec![0])],
        ),
        (
            "a chain",
            vec![
                ("Allow", PROD, &lower),
                ("Allow", PROD, &eight),
                ("Allow", ALL, ""),
            ],
            vec![(0, vec![2]), (1, vec![2])],
        ),
    ] {
        assert_eq!(dead(&statements), expected, "{what}");
    }
}

/// Thousands of statements that differ by a text alone are told apart without comparing each with each; in a
/// debug build that would take minutes.
#[test]
fn dead_statements_of_many_with_one_pattern() {
    const MANY: usize = 2_000;
    let conditions: Vec<String> = (0..MANY)
        .map(|i| {
            // Each thirtieth shares a text with the one before.
            let name = if i % 30 == 29 { i - 1 } else { i };
            format!(r#""StringEquals":{{"aws:UserAgent":["agent {name}.","spare {i}."]}}"#)
        })
        .collect();
    let mut statements: Vec<(&str, &str, &str)> = (conditions.iter())
        .map(|condition| ("Allow", r#""execute-api:/*""#, condition.as_str()))
        .collect();
    assert!(dead(&statements).is_empty());
    let wide = r#""StringEquals":{"aws:UserAgent":["own.","spare 8.","agent 8."]}"#;
    statements.push(("Allow", r#""execute-api:/*""#, wide));
    assert!(dead(&statements) == [(8, vec![MANY])]);
}

#[test]
fn short_hand_is_of_no_api_unless_it_is_known() {
    let full = r#""arn:aws:execute-api:eu-central-1:123456789012:abc/*""#;
    let text = document(&[
        ("Allow", full, ""),
        ("Allow", r#""execute-api:/prod/*""#, ""),
    ]);
    let fires_with = |options: &Options| {
        let report = lint::lint(&[read(&text)], options);
        report
            .findings
            .iter()
            .any(|f| f.rule.id == "dead-statement")
    };
    let api = |id| portcullis::Api::new("aws", "eu-central-1", "123456789012", id).unwrap();
    assert!(!fires_with(&Options::default()));
    assert!(fires_with(&Options::default().with_api(api("abc"))));
    assert!(!fires_with(&Options::default().with_api(api("other"))));
    // Wildcards hold it whichever it is.
    let any = document(&[
        ("Allow", r#""arn:aws:execute-api:*:*:*""#, ""),
        ("Allow", r#""execute-api:/prod/*""#, ""),
    ]);
    assert!(
        !fires(lint::rule("dead-statement").unwrap(), &of_text(&any)),
        "the partition may differ"
    );
    let any = any.replace("arn:aws:", "arn:*:");
    assert!(fires(lint::rule("dead-statement").unwrap(), &of_text(&any)));
}

/// The message of the only finding of a rule.
fn message(id: &str, statements: &[(&str, &str, &str)]) -> String {
    let report = of_text(&document(statements));
    let mut found = report
        .findings
        .iter()
        .filter(|finding| finding.rule.id == id);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("{id}: {statements:?}"));
    assert!(found.next().is_none(), "{id} twice: {statements:?}");
    first.message.clone()
}

#[test]
fn messages_have_the_values() {
    let all = r#""execute-api:/*""#;
    let list = |operator: &str, list: &str| format!(r#""{operator}":{{"aws:SourceIp":[{list}]}}"#);
    for (id, effect, resource, condition, expected) in [
        (
            "host-bits-set",
            "Allow",
            all,
            list("IpAddress", r#""10.1.2.3/8""#),
            "`10.1.2.3/8` is read as `10.0.0.0/8`, which is 16777216 addresses",
        ),
        (
            "host-bits-set",
            "Allow",
            all,
            list("IpAddress", r#""2001:db8::1/32""#),
            "`2001:db8::1/32` is read as `2001:db8::/32`, which is 2^96 addresses",
        ),
        (
            "host-bits-set",
            "Allow",
            all,
            list("IpAddress", r#""::ffff:10.1.2.3/104""#),
            "`::ffff:10.1.2.3/104` is read as `10.0.0.0/8`, which is 16777216 addresses",
        ),
        (
            "duplicate-cidr",
            "Allow",
            all,
            list("IpAddress", r#""203.0.113.7","203.0.113.7/32""#),
            "`203.0.113.7/32` is in this list already",
        ),
        (
            "shadowed-cidr",
            "Deny",
            all,
            list("NotIpAddress", r#""203.0.113.7","203.0.113.0/24""#),
            "`203.0.113.7` is inside of `203.0.113.0/24`, which is in the same list",
        ),
        (
            "private-source-range",
            "Allow",
            all,
            list("IpAddress", r#""10.0.0.0/8""#),
            "`10.0.0.0/8` is a private range: no call arrives from there, so the condition holds for nobody",
        ),
        (
            "private-source-range",
            "Deny",
            all,
            list("NotIpAddress", r#""192.168.1.0/24","203.0.113.7""#),
            "`192.168.1.0/24` is a private range: no call arrives from there, so it exempts nobody",
        ),
        (
            "private-source-range",
            "Allow",
            all,
            list("IpAddress", r#""fd12:3456::/32","203.0.113.7""#),
            "`fd12:3456::/32` is a private range: no call arrives from there, so it matches nobody",
        ),
        (
            "any-ipv4-without-ipv6",
            "Allow",
            all,
            list("IpAddress", r#""0.0.0.0/0""#),
            "the list holds every IPv4 address, and no IPv6 address: `0.0.0.0/0` stands without `::/0`",
        ),
        (
            "star-crosses-slash",
            "Allow",
            r#""execute-api:/*/GET/*""#,
            String::new(),
            "`execute-api:/*/GET/*` also allows POST to `/x/GET/x`: a `*` takes slashes too",
        ),
        (
            "star-crosses-slash",
            "Deny",
            r#""execute-api:/prod/*/admin""#,
            String::new(),
            "`execute-api:/prod/*/admin` also denies GET to `/x/admin`: a `*` takes slashes too",
        ),
        (
            "resource-matches-no-call",
            "Allow",
            r#""arn:aws:execute-api:eu-central-1:123456789012:abc""#,
            String::new(),
            "`arn:aws:execute-api:eu-central-1:123456789012:abc` matches no call: it leaves no room for stage, method and path",
        ),
        (
            "resource-matches-no-call",
            "Allow",
            r#""execute-api:/prod/GET""#,
            String::new(),
            "`execute-api:/prod/GET` matches no call: the path of a call begins with a slash behind the method, even if it is the root",
        ),
        (
            "resource-matches-no-call",
            "Allow",
            r#""arn:aws:s3:::bucket/a/b/c""#,
            String::new(),
            "`arn:aws:s3:::bucket/a/b/c` matches no call: it is not of the form of a call's ARN",
        ),
        (
            "method-misplaced",
            "Allow",
            r#""execute-api:/prod/ANY/pets""#,
            String::new(),
            "`execute-api:/prod/ANY/pets` matches no call: no call has the method `ANY`",
        ),
        (
            "method-misplaced",
            "Allow",
            r#""execute-api:/prod/pets/*""#,
            String::new(),
            "`execute-api:/prod/pets/*` has `pets` where the method stands",
        ),
        (
            "unknown-condition-key",
            "Allow",
            all,
            r#""StringEquals":{"aws:SoureVpce":"vpce-1"}"#.to_owned(),
            "`aws:SoureVpce` is no condition key that AWS knows",
        ),
        ("variable-without-2012", "Allow", all, String::new(), ""),
    ] {
        if expected.is_empty() {
            continue;
        }
        assert_eq!(message(id, &[(effect, resource, &condition)]), expected);
    }
}

#[test]
fn lists_that_share_no_address_let_nobody_in() {
    let list = |list: &str| format!(r#""NotIpAddress":{{"aws:SourceIp":[{list}]}}"#);
    let all = r#""execute-api:/*""#;
    let one = list(r#""203.0.113.0/24""#);
    let apart = message(
        "deny-lists-intersect",
        &[
            ("Allow", all, ""),
            ("Deny", all, &one),
            ("Deny", all, &list(r#""198.51.100.0/24""#)),
        ],
    );
    assert!(
        apart.starts_with("nobody gets in: no address is in this list and in that of statement 1")
    );
    let some = message(
        "deny-lists-intersect",
        &[
            ("Allow", all, ""),
            ("Deny", all, &one),
            ("Deny", all, &list(r#""203.0.113.9","198.51.100.0/24""#)),
        ],
    );
    assert!(some.starts_with("only who is in this list and in that of statement 1 gets in"));
}

#[test]
fn an_allowance_is_for_its_statement_alone() {
    let text = document(&[
        ("Allow", r#""execute-api:/*/GET/a""#, ""),
        ("Allow", r#""execute-api:/*/GET/b""#, ""),
    ])
    .replacen(r#""Effect""#, r#""Sid":"A","Effect""#, 1);
    let id = "star-crosses-slash";
    let both = lint::lint(&[read(&text)], &Options::default());
    let both: Vec<&Finding> = both.findings.iter().filter(|f| f.rule.id == id).collect();
    assert_eq!(both.len(), 1, "told once");
    assert!(both[0].message.ends_with("(and so in 1 more place)"));
    let one = lint::lint(&[read(&text)], &Options::default().without_for("A", id));
    let left: Vec<&Finding> = one.findings.iter().filter(|f| f.rule.id == id).collect();
    assert_eq!((left.len(), left[0].statement), (1, Some(1)));
    assert_eq!((one.allowed.len(), one.allowed[0].statement), (1, Some(0)));
}

#[test]
fn edits_leave_the_rest_of_the_text_alone() {
    for (before, after) in [
        (r#"["10.0.0.1/8"]"#, r#"["10.0.0.0/8"]"#),
        (r#""10.0.0.1/8""#, r#""10.0.0.0/8""#),
        (r#"["203.0.113.7" , "203.0.113.7"]"#, r#"["203.0.113.7"]"#),
        (
            r#"["203.0.113.0/25", "203.0.113.0/24"]"#,
            r#"["203.0.113.0/24"]"#,
        ),
        (
            "[\n  \"203.0.113.1\",\n  \"203.0.113.0/24\",\n  \"203.0.113.2\",\n  \"203.0.113.3\",\n  \"198.51.100.1\"\n]",
            "[\n  \"203.0.113.0/24\",\n  \"198.51.100.1\"\n]",
        ),
        (
            "[ \"198.51.100.1\",\n  \"203.0.113.9/24\",\n  \"203.0.113.2\",\"203.0.113.0\\/24\" ]",
            "[ \"198.51.100.1\",\n  \"203.0.113.0/24\" ]",
        ),
    ] {
        let text = |list: &str| {
            format!(
                "\u{feff}{{ \"Statement\" : {{\"Effect\":\"Allow\", \"Principal\":\"*\",\t\"Action\":\"*\",\"Resource\":\"*\",\r\n\"Condition\":{{\"IpAddress\":{{\"aws:SourceIp\": {list} }}}}}}}}\n"
            )
        };
        let policy = read(&text(before));
        let report = lint::lint(core::slice::from_ref(&policy), &Options::default());
        let edits = lint::edits(&policy, 0, &report.findings);
        assert_eq!(
            lint::apply(policy.source_text(), &edits),
            text(after),
            "{before}"
        );
    }
}

/// Texts made to take long; each took for ever, or its square, at some time of its making.
#[test]
fn hostile_policies_take_no_time() {
    let quoted = |text: &str| format!("\"{text}\"");
    let many = |count: usize, pattern: &str| {
        let list: Vec<String> = (0..count)
            .map(|at| quoted(&pattern.replace('#', &at.to_string())))
            .collect();
        format!("[{}]", list.join(","))
    };
    let long = quoted(&"*a?".repeat(50_000));
    let wild = many(2_000, "*#*a*");
    let list = r#""NotIpAddress":{"aws:SourceIp":["203.0.113.0/24"]}"#;
    let other = r#""NotIpAddress":{"aws:SourceIp":["198.51.100.0/24"]}"#;
    for (what, statements) in [
        (
            "long resources",
            vec![
                ("Deny", long.as_str(), list),
                ("Deny", long.as_str(), other),
                ("Allow", long.as_str(), ""),
            ],
        ),
        (
            "many resources",
            vec![
                ("Allow", wild.as_str(), list),
                ("Allow", wild.as_str(), other),
            ],
        ),
        ("many statements", vec![("Deny", r#""*a*b*""#, list); 1_500]),
    ] {
        let started = std::time::Instant::now();
        let report = of_text(&document(&statements));
        let took = started.elapsed();
        assert!(
            took.as_secs() < 120,
            "{what}: {took:?}, {} findings",
            report.findings.len()
        );
    }
}
