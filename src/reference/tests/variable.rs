//! Policy variables in resources and in the values of conditions.

use super::*;

fn by_resource(
    version: &str,
    element: &str,
    resource: &str,
    context: &[(&str, Value<'_>)],
) -> bool {
    let text = format!(
        r#"{{{version} "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "*", {element}}}}}"#
    );
    let request = Request::invoke(Address::Absent, resource).with_context(context);
    decide(&[policy(&text)], &request).is_allow()
}

const V2012: &str = r#""Version": "2012-10-17","#;
const V2008: &str = r#""Version": "2008-10-17","#;

#[track_caller]
fn check_resource(
    version: &str,
    pattern: &str,
    rows: &[(&str, bool)],
    context: &[(&str, Value<'_>)],
) {
    for &(path, expected) in rows {
        let (pattern, path) = (arn(pattern), arn(path));
        let listed = by_resource(
            version,
            &format!(r#""Resource": "{pattern}""#),
            &path,
            context,
        );
        assert_eq!(listed, expected, "{pattern} on {path}");
        let others = by_resource(
            version,
            &format!(r#""NotResource": "{pattern}""#),
            &path,
            context,
        );
        assert_eq!(others, !expected, "not {pattern} on {path}");
    }
}

#[test]
fn a_variable_stands_for_its_value() {
    let alice = [("aws:username", Value::Text("alice"))];
    let rows = [
        ("p/GET/alice/x", true),
        ("p/GET/bob/x", false),
        ("p/GET/${aws:username}/x", false),
    ];
    check_resource(V2012, "p/GET/${aws:username}/*", &rows, &alice);
    check_resource(V2012, "p/GET/${AWS:UserName}/*", &rows, &alice);
}

#[test]
fn a_variable_without_value_matches_no_resource() {
    for context in [
        &[][..],
        &[("k", Value::Text(""))],
        &[("k", Value::Texts(&[]))],
        &[("k", Value::Texts(&["a", "b"]))],
    ] {
        check_resource(
            V2012,
            "p/GET/${k}*",
            &[("p/GET/", false), ("p/GET/a", false), ("p/GET/${k}", false)],
            context,
        );
    }
}

#[test]
fn a_list_of_one_is_a_value() {
    check_resource(
        V2012,
        "p/GET/${k}",
        &[("p/GET/a", true)],
        &[("k", Value::Texts(&["a"]))],
    );
}

#[test]
fn a_default_stands_in_for_no_value_and_for_several() {
    let rows = [
        ("p/GET/company wide", true),
        ("p/GET/a", false),
        ("p/GET/", false),
    ];
    for context in [
        &[][..],
        &[("k", Value::Text(""))],
        &[("k", Value::Texts(&["a", "b"]))],
    ] {
        check_resource(V2012, "p/GET/${k, 'company wide'}", &rows, context);
    }
    check_resource(
        V2012,
        "p/GET/${k, 'company wide'}",
        &[("p/GET/a", true), ("p/GET/company wide", false)],
        &[("k", Value::Text("a"))],
    );
}

#[test]
fn what_a_variable_stands_for_has_no_wildcards() {
    check_resource(
        V2012,
        "p/GET/${k}",
        &[("p/GET/*", true), ("p/GET/x", false)],
        &[("k", Value::Text("*"))],
    );
    check_resource(
        V2012,
        "p/GET/${k, 'a?'}",
        &[("p/GET/a?", true), ("p/GET/ab", false)],
        &[],
    );
    // Nor is it read again for variables.
    check_resource(
        V2012,
        "p/GET/${k}",
        &[("p/GET/${k}", true)],
        &[("k", Value::Text("${k}"))],
    );
}

#[test]
fn escaped_characters_are_plain() {
    check_resource(
        V2012,
        "p/GET/a${*}b",
        &[("p/GET/a*b", true), ("p/GET/axb", false)],
        &[],
    );
    check_resource(
        V2012,
        "p/GET/a${?}b",
        &[("p/GET/a?b", true), ("p/GET/axb", false)],
        &[],
    );
    check_resource(
        V2012,
        "p/GET/a${$}b*",
        &[
            ("p/GET/a$b", true),
            ("p/GET/a$bc", true),
            ("p/GET/ab", false),
        ],
        &[],
    );
}

#[test]
fn without_version_2012_a_variable_is_text_with_wildcards() {
    let alice = [("aws:username", Value::Text("alice"))];
    for version in [V2008, ""] {
        check_resource(
            version,
            "p/GET/${aws:username}",
            &[("p/GET/${aws:username}", true), ("p/GET/alice", false)],
            &alice,
        );
        check_resource(
            version,
            "p/GET/${*}",
            &[
                ("p/GET/${}", true),
                ("p/GET/${anything}", true),
                ("p/GET/*", false),
                ("p/GET/x", false),
            ],
            &[],
        );
    }
}

#[test]
fn conditions_take_variables() {
    let context = [("k", Value::Text("dev-7")), ("team", Value::Text("dev"))];
    for (conditions, expected) in [
        (r#"{"StringEquals": {"k": "${team}-7"}}"#, true),
        (r#"{"StringEquals": {"k": "${team}-8"}}"#, false),
        (r#"{"StringNotEquals": {"k": "${team}-7"}}"#, false),
        (r#"{"StringEqualsIgnoreCase": {"k": "${TEAM}-7"}}"#, true),
        (r#"{"StringLike": {"k": "${team}-*"}}"#, true),
        (r#"{"StringLike": {"k": "${k}"}}"#, true),
        // No value.
        (r#"{"StringEquals": {"k": "${none}"}}"#, false),
        (r#"{"StringNotEquals": {"k": "${none}"}}"#, true),
        (r#"{"StringLike": {"k": "${none}*"}}"#, false),
        (r#"{"StringNotLike": {"k": "${none}*"}}"#, true),
        (r#"{"StringEquals": {"k": ["${none}", "dev-7"]}}"#, true),
        (r#"{"StringEquals": {"k": "${none, 'dev'}-7"}}"#, true),
        (r#"{"StringEquals": {"k": "${team, 'x'}-7"}}"#, true),
    ] {
        assert_eq!(holds(conditions, &context), expected, "{conditions}");
    }
}

#[test]
fn escaped_characters_are_plain_in_conditions() {
    check_values(&[
        ("StringLike", r#""a${*}""#, "a*", true),
        ("StringLike", r#""a${*}""#, "ab", false),
        ("StringLike", r#""${?}*""#, "?x", true),
        ("StringEquals", r#""a${*}b${?}c${$}""#, "a*b?c$", true),
        ("StringEquals", r#""a${*}""#, "a${*}", false),
        ("ArnLike", r#""arn:aws:s3:::${*}""#, "arn:aws:s3:::*", true),
        ("ArnLike", r#""arn:aws:s3:::${*}""#, "arn:aws:s3:::x", false),
    ]);
}

#[test]
fn a_value_with_colons_takes_components_of_its_own() {
    let context = [
        ("role", Value::Text("arn:aws:iam::1:role/r")),
        ("k", Value::Text("arn:aws:iam::1:role/r")),
        ("star", Value::Text("*")),
    ];
    for (conditions, expected) in [
        (r#"{"ArnEquals": {"k": "${role}"}}"#, true),
        (r#"{"ArnEquals": {"k": "${role}s"}}"#, false),
        (r#"{"ArnEquals": {"k": "${role}*"}}"#, true),
        (
            r#"{"ArnLike": {"k": "arn:aws:iam::${star}:role/r"}}"#,
            false,
        ),
        (
            r#"{"ArnNotLike": {"k": "arn:aws:iam::${none}:role/r"}}"#,
            true,
        ),
    ] {
        assert_eq!(holds(conditions, &context), expected, "{conditions}");
    }
}

#[test]
fn bool_takes_variables() {
    for (flag, value, expected) in [
        ("true", "true", true),
        ("false", "false", true),
        ("true", "false", false),
        ("True", "True", false),
        ("x", "x", false),
    ] {
        let context = [("flag", Value::Text(flag)), ("k", Value::Text(value))];
        let holds = holds(r#"{"Bool": {"k": "${flag}"}}"#, &context);
        assert_eq!(holds, expected, "{flag} and {value}");
    }
    assert!(!holds(
        r#"{"Bool": {"k": "${none}"}}"#,
        &[("k", Value::Text("true"))]
    ));
    assert!(holds(
        r#"{"Bool": {"k": "${none, 'true'}"}}"#,
        &[("k", Value::Text("true"))]
    ));
}

#[test]
fn the_variable_of_an_address_is_its_canonical_text() {
    for (source_ip, expected) in [
        (Address::read("203.0.113.7"), "203.0.113.7"),
        (
            Address::Known("::ffff:203.0.113.7".parse().unwrap()),
            "203.0.113.7",
        ),
        (Address::read("2001:DB8:0:0::1"), "2001:db8::1"),
        (Address::Unreadable("unknown"), "unknown"),
    ] {
        let context = [("k", Value::Text(expected))];
        let conditions = r#"{"StringEquals": {"k": "${aws:sourceip}"}}"#;
        assert_eq!(
            holds_by_effect(conditions, source_ip, &context),
            (true, true),
            "{expected}"
        );
    }
    assert!(!holds(
        r#"{"StringEquals": {"k": "${aws:SourceIp}"}}"#,
        &[("k", Value::Text("x"))]
    ));
}
