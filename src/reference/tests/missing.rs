//! What a key holds: nothing, one value or several, under every shape of operator.

use super::*;

/// What the request has for the key `k`.
const HELD: [(&str, Option<Value<'_>>); 10] = [
    ("no key", None),
    ("empty text", Some(Value::Text(""))),
    ("empty list", Some(Value::Texts(&[]))),
    ("list of an empty text", Some(Value::Texts(&[""]))),
    ("v", Some(Value::Text("v"))),
    ("[v]", Some(Value::Texts(&["v"]))),
    ("x", Some(Value::Text("x"))),
    ("[v, w]", Some(Value::Texts(&["v", "w"]))),
    ("[v, x]", Some(Value::Texts(&["v", "x"]))),
    ("[x, y]", Some(Value::Texts(&["x", "y"]))),
];

/// Checks an operator with the policy values `v` and `w` against each of [`HELD`]; `T` is true.
#[track_caller]
fn check(operator: &str, expected: &str) {
    let conditions = format!(r#"{{"{operator}": {{"k": ["v", "w"]}}}}"#);
    let answers: String = HELD
        .iter()
        .map(|(_, value)| {
            let context: Vec<_> = value.iter().map(|value| ("k", *value)).collect();
            if holds(&conditions, &context) {
                'T'
            } else {
                '-'
            }
        })
        .collect();
    let names = HELD.map(|(name, _)| name);
    assert_eq!(
        answers,
        expected.replace(' ', ""),
        "{operator} on {names:?}"
    );
}

#[test]
fn positive_operators_need_a_single_value() {
    //                     absent, one, several
    check("StringEquals", "---- TT- ---");
    check("StringLike", "---- TT- ---");
}

#[test]
fn negated_operators_hold_for_no_value_and_for_several() {
    check("StringNotEquals", "TTTT --T TTT");
    check("StringNotLike", "TTTT --T TTT");
}

#[test]
fn if_exists_holds_for_no_value() {
    check("StringEqualsIfExists", "TTTT TT- ---");
    check("StringNotEqualsIfExists", "TTTT --T TTT");
}

#[test]
fn for_all_values_asks_every_value() {
    check("ForAllValues:StringEquals", "TTTT TT- T--");
    check("ForAllValues:StringNotEquals", "TTTT --T --T");
    check("ForAllValues:StringEqualsIfExists", "TTTT TT- T--");
    check("ForAllValues:StringNotEqualsIfExists", "TTTT --T --T");
}

#[test]
fn for_any_value_asks_for_one_value() {
    check("ForAnyValue:StringEquals", "---- TT- TT-");
    check("ForAnyValue:StringNotEquals", "---- --T -TT");
}

#[test]
fn for_any_value_with_if_exists_holds_for_no_value() {
    check("ForAnyValue:StringEqualsIfExists", "TTTT TT- TT-");
    check("ForAnyValue:StringNotEqualsIfExists", "TTTT --T -TT");
}

#[test]
fn a_missing_key_answers_alike_for_every_operator() {
    for (operator, value) in [
        ("StringEquals", "v"),
        ("StringEqualsIgnoreCase", "v"),
        ("StringLike", "*"),
        ("NumericEquals", "1"),
        ("NumericLessThan", "1"),
        ("NumericLessThanEquals", "1"),
        ("NumericGreaterThan", "1"),
        ("NumericGreaterThanEquals", "1"),
        ("DateEquals", "2020"),
        ("DateLessThan", "2020"),
        ("DateLessThanEquals", "2020"),
        ("DateGreaterThan", "2020"),
        ("DateGreaterThanEquals", "2020"),
        ("Bool", "false"),
        ("BinaryEquals", "Zg=="),
        ("IpAddress", "0.0.0.0/0"),
        ("ArnEquals", "arn:*:*:*:*:*"),
        ("ArnLike", "*:*:*:*:*:*"),
    ] {
        let holds = |name: &str| holds(&format!(r#"{{"{name}": {{"k": "{value}"}}}}"#), &[]);
        assert!(!holds(operator), "{operator}");
        assert!(holds(&format!("{operator}IfExists")), "{operator}");
        assert!(holds(&format!("ForAllValues:{operator}")), "{operator}");
        assert!(!holds(&format!("ForAnyValue:{operator}")), "{operator}");
        assert!(
            holds(&format!("ForAnyValue:{operator}IfExists")),
            "{operator}"
        );
    }
    for (operator, value) in [
        ("StringNotEquals", "v"),
        ("StringNotEqualsIgnoreCase", "v"),
        ("StringNotLike", "*"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "2020"),
        ("NotIpAddress", "0.0.0.0/0"),
        ("ArnNotEquals", "*:*:*:*:*:*"),
        ("ArnNotLike", "*:*:*:*:*:*"),
    ] {
        let holds = |name: &str| holds(&format!(r#"{{"{name}": {{"k": "{value}"}}}}"#), &[]);
        assert!(holds(operator), "{operator}");
        assert!(holds(&format!("{operator}IfExists")), "{operator}");
        assert!(holds(&format!("ForAllValues:{operator}")), "{operator}");
        assert!(!holds(&format!("ForAnyValue:{operator}")), "{operator}");
        assert!(
            holds(&format!("ForAnyValue:{operator}IfExists")),
            "{operator}"
        );
    }
}

#[test]
fn null_asks_whether_the_key_is_there() {
    for (values, absent, present) in [
        (r#""true""#, true, false),
        (r#""false""#, false, true),
        ("true", true, false),
        (r#"["true"]"#, true, false),
        (r#"["true", "false"]"#, true, true),
    ] {
        let conditions = format!(r#"{{"Null": {{"k": {values}}}}}"#);
        for (name, value) in HELD {
            let context: Vec<_> = value.iter().map(|value| ("k", *value)).collect();
            let is_present = !matches!(
                name,
                "no key" | "empty text" | "empty list" | "list of an empty text"
            );
            let expected = if is_present { present } else { absent };
            assert_eq!(holds(&conditions, &context), expected, "{values} on {name}");
        }
    }
}

#[test]
fn null_with_a_qualifier_does_not_look_at_the_key() {
    for value in ["true", "false"] {
        for context in [&[][..], &[("k", Value::Text("v"))]] {
            assert!(holds(
                &format!(r#"{{"ForAllValues:Null": {{"k": "{value}"}}}}"#),
                context
            ));
            assert!(!holds(
                &format!(r#"{{"ForAnyValue:Null": {{"k": "{value}"}}}}"#),
                context
            ));
        }
    }
}

#[test]
fn several_operators_and_keys_must_all_hold() {
    let both = [("a", Value::Text("1")), ("b", Value::Text("2"))];
    for (conditions, expected) in [
        (r#"{"StringEquals": {"a": "1", "b": "2"}}"#, true),
        (r#"{"StringEquals": {"a": "1", "b": "1"}}"#, false),
        (
            r#"{"StringEquals": {"a": "1"}, "StringLike": {"b": "?"}}"#,
            true,
        ),
        (
            r#"{"StringEquals": {"a": "1"}, "StringNotEquals": {"b": "2"}}"#,
            false,
        ),
        (r#"{"StringNotEquals": {"a": "x", "b": "y"}}"#, true),
        // Both must differ.
        (r#"{"StringNotEquals": {"a": "1", "b": "y"}}"#, false),
    ] {
        assert_eq!(holds(conditions, &both), expected, "{conditions}");
    }
}

#[test]
fn key_names_have_no_case_and_the_first_counts() {
    let twice = [
        ("AWS:Key", Value::Text("first")),
        ("aws:key", Value::Text("second")),
    ];
    assert!(holds(r#"{"StringEquals": {"aws:KEY": "first"}}"#, &twice));
    assert!(!holds(r#"{"StringEquals": {"aws:key": "second"}}"#, &twice));
    // An empty first entry is an absent key, not a reason to look further.
    let empty = [("K", Value::Texts(&[])), ("k", Value::Text("v"))];
    assert!(holds(r#"{"Null": {"k": "true"}}"#, &empty));
    // Only ASCII case is ignored.
    assert!(holds(
        r#"{"Null": {"ä": "true"}}"#,
        &[("Ä", Value::Text("v"))]
    ));
}
