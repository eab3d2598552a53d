//! One value against the values of each operator.

use super::*;

#[test]
fn string_equals_is_exact() {
    check_values(&[
        ("StringEquals", r#""v""#, "v", true),
        ("StringEquals", r#""v""#, "V", false),
        ("StringEquals", r#""v""#, "vv", false),
        ("StringEquals", r#"["u", "v"]"#, "v", true),
        ("StringEquals", r#"["u", "w"]"#, "v", false),
        ("StringEquals", r#""*""#, "v", false),
        ("StringEquals", r#""*""#, "*", true),
        ("StringEquals", r#""a?""#, "ab", false),
        ("StringEquals", "10", "10", true),
        ("StringEquals", "10", "10.0", false),
        ("StringEquals", "1e2", "1e2", true),
        ("StringEquals", "true", "true", true),
        ("StringEquals", r#"["a", 1, true]"#, "1", true),
        ("StringNotEquals", r#""v""#, "v", false),
        ("StringNotEquals", r#""v""#, "V", true),
        ("StringNotEquals", r#"["u", "v"]"#, "v", false),
        ("StringNotEquals", r#"["u", "w"]"#, "v", true),
    ]);
}

#[test]
fn ignoring_case_folds_each_character() {
    check_values(&[
        ("StringEqualsIgnoreCase", r#""Value""#, "vALUE", true),
        ("StringEqualsIgnoreCase", r#""Value""#, "values", false),
        ("StringEqualsIgnoreCase", r#""ÄÖ""#, "äö", true),
        ("StringEqualsIgnoreCase", r#""*""#, "v", false),
        // A final sigma is another character than a sigma: no context is looked at.
        ("StringEqualsIgnoreCase", r#""ΟΣ""#, "οσ", true),
        ("StringEqualsIgnoreCase", r#""ΟΣ""#, "ος", false),
        // Lower case of the dotted capital I is two characters; upper case is not taken.
        ("StringEqualsIgnoreCase", r#""İ""#, "i\u{307}", true),
        ("StringEqualsIgnoreCase", r#""ß""#, "SS", false),
        ("StringNotEqualsIgnoreCase", r#""Value""#, "vALUE", false),
        ("StringNotEqualsIgnoreCase", r#""Value""#, "other", true),
    ]);
}

#[test]
fn string_like_takes_wildcards_over_the_whole_text() {
    check_values(&[
        ("StringLike", r#""v*""#, "value", true),
        ("StringLike", r#""v*""#, "Value", false),
        ("StringLike", r#""v*""#, "a value", false),
        ("StringLike", r#""*a*""#, "value", true),
        ("StringLike", r#""v?lue""#, "value", true),
        ("StringLike", r#""v?lue""#, "vlue", false),
        ("StringLike", r#"["x*", "v*"]"#, "value", true),
        ("StringLike", r#""*""#, "a:b/c d", true),
        ("StringNotLike", r#""v*""#, "value", false),
        ("StringNotLike", r#""x*""#, "value", true),
        ("StringNotLike", r#"["x*", "v*"]"#, "value", false),
    ]);
}

#[test]
fn numbers_compare_with_the_request_on_the_left() {
    check_values(&[
        ("NumericEquals", "10", "10.0", true),
        ("NumericEquals", r#""10""#, "1e1", true),
        ("NumericEquals", "[1, 2]", "2", true),
        ("NumericEquals", "[1, 3]", "2", false),
        ("NumericEquals", "-0", "0", true),
        ("NumericNotEquals", "10", "10.0", false),
        ("NumericNotEquals", "[1, 3]", "2", true),
        ("NumericLessThan", "10", "9.99", true),
        ("NumericLessThan", "10", "10", false),
        ("NumericLessThan", "10", "11", false),
        ("NumericLessThanEquals", "10", "10", true),
        ("NumericLessThanEquals", "10", "10.01", false),
        ("NumericGreaterThan", "10", "11", true),
        ("NumericGreaterThan", "10", "10", false),
        ("NumericGreaterThanEquals", "10", "10", true),
        ("NumericGreaterThanEquals", "10", "9", false),
        ("NumericGreaterThan", "-3", "-2", true),
        // Any of the values.
        ("NumericLessThan", "[1, 10]", "5", true),
        ("NumericGreaterThan", "[1, 10]", "5", true),
        ("NumericLessThan", "[1, 2]", "5", false),
        // No float: these are the same `f64`.
        (
            "NumericEquals",
            "9007199254740993",
            "9007199254740992",
            false,
        ),
        (
            "NumericLessThan",
            "9007199254740993",
            "9007199254740992",
            true,
        ),
    ]);
}

#[test]
fn a_request_value_that_is_no_number_matches_nothing() {
    for value in ["x", "+1", "1.", ".5", " 1", "NaN", "0x1"] {
        check_values(&[
            ("NumericEquals", "1", value, false),
            ("NumericNotEquals", "1", value, true),
            ("NumericLessThan", "1", value, false),
            ("NumericGreaterThanEquals", "1", value, false),
            ("NumericEqualsIfExists", "1", value, false),
            ("ForAllValues:NumericEquals", "1", value, false),
            ("ForAnyValue:NumericNotEquals", "1", value, true),
        ]);
    }
}

#[test]
fn dates_compare_in_every_mix_of_forms() {
    check_values(&[
        (
            "DateEquals",
            r#""2020-07-15T10:20:30Z""#,
            "1594808430",
            true,
        ),
        (
            "DateEquals",
            "1594808430",
            "2020-07-15T12:20:30+02:00",
            true,
        ),
        ("DateEquals", r#""2020""#, "2020-01-01T00:00:00Z", true),
        ("DateEquals", "2020", "1577836800", true),
        ("DateEquals", r#""2020""#, "2020.0", false),
        ("DateNotEquals", r#""2020""#, "2020-01-01", false),
        ("DateNotEquals", r#""2020""#, "2021", true),
        (
            "DateLessThan",
            r#""2020-07-15""#,
            "2020-07-14T23:59:59.999999999Z",
            true,
        ),
        (
            "DateLessThan",
            r#""2020-07-15""#,
            "2020-07-15T00:00Z",
            false,
        ),
        (
            "DateLessThan",
            r#""2020-07-15""#,
            "2020-07-15T00:30+01:00",
            true,
        ),
        (
            "DateLessThanEquals",
            r#""2020-07-15""#,
            "2020-07-15T00:00Z",
            true,
        ),
        (
            "DateGreaterThan",
            r#""2020-07-15""#,
            "2020-07-15T00:00:00.000000001Z",
            true,
        ),
        ("DateGreaterThan", r#""2020-07-15""#, "2020-07-15", false),
        (
            "DateGreaterThanEquals",
            r#""2020-07-15""#,
            "2020-07-15",
            true,
        ),
        ("DateGreaterThan", "-1.5", "-1.4", true),
        ("DateLessThan", r#"["2019", "2021"]"#, "2020", true),
    ]);
}

#[test]
fn a_request_value_that_is_no_date_matches_nothing() {
    for value in [
        "now",
        "2020-13",
        "2021-02-29",
        "2020-07-15T10:20:30",
        "2020-07-15 10:20Z",
    ] {
        check_values(&[
            ("DateEquals", r#""2020""#, value, false),
            ("DateNotEquals", r#""2020""#, value, true),
            ("DateGreaterThan", r#""1970""#, value, false),
        ]);
    }
}

#[test]
fn bool_takes_exactly_true_and_false() {
    check_values(&[
        ("Bool", r#""true""#, "true", true),
        ("Bool", "true", "true", true),
        ("Bool", r#""true""#, "false", false),
        ("Bool", "false", "false", true),
        ("Bool", "false", "true", false),
        ("Bool", r#"["true", "false"]"#, "false", true),
        ("Bool", "true", "True", false),
        ("Bool", "true", "1", false),
        ("Bool", "false", "x", false),
        ("Bool", "false", "0", false),
    ]);
}

#[test]
fn binary_compares_bytes() {
    check_values(&[
        ("BinaryEquals", r#""Zm9v""#, "Zm9v", true),
        ("BinaryEquals", r#""Zg==""#, "Zg==", true),
        ("BinaryEquals", r#""Zg==""#, "Zg", false),
        ("BinaryEquals", r#""Zg==""#, "Zh==", false),
        ("BinaryEquals", r#""Zm9v""#, "zm9v", false),
        ("BinaryEquals", r#"["Zg==", "Zm9v"]"#, "Zm9v", true),
        ("BinaryEquals", r#""Zm9v""#, "foo", false),
        ("BinaryEquals", r#""Zm9v""#, "?", false),
    ]);
}

const EXAMPLE: &str = r#""arn:aws:someservice:*:111122223333:finance/*""#;
const EXAMPLE_VALUE: &str =
    "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";

#[test]
fn arn_operators_compare_six_components() {
    check_values(&[
        ("StringLike", EXAMPLE, EXAMPLE_VALUE, true),
        ("ArnLike", EXAMPLE, EXAMPLE_VALUE, false),
        ("ArnEquals", EXAMPLE, EXAMPLE_VALUE, false),
        ("ArnNotLike", EXAMPLE, EXAMPLE_VALUE, true),
        ("ArnNotEquals", EXAMPLE, EXAMPLE_VALUE, true),
        (
            "ArnLike",
            r#""arn:aws:iam::*:role/dev*""#,
            "arn:aws:iam::1:role/developer",
            true,
        ),
        (
            "ArnEquals",
            r#""arn:aws:iam::*:role/dev*""#,
            "arn:aws:iam::1:role/developer",
            true,
        ),
        (
            "ArnNotLike",
            r#""arn:aws:iam::*:role/dev*""#,
            "arn:aws:iam::1:role/developer",
            false,
        ),
        (
            "ArnNotEquals",
            r#""arn:aws:iam::*:role/dev*""#,
            "arn:aws:iam::1:role/developer",
            false,
        ),
        (
            "ArnLike",
            r#""arn:aws:iam::1:role/?""#,
            "arn:aws:iam::1:role/r",
            true,
        ),
        (
            "ArnLike",
            r#""arn:aws:iam::1:role/r""#,
            "arn:aws:iam::1:role/R",
            false,
        ),
        (
            "ArnLike",
            r#""arn:aws:iam::1:role/r""#,
            "arn:AWS:iam::1:role/r",
            false,
        ),
        // The sixth component has all that is left.
        (
            "ArnLike",
            r#""arn:aws:logs:r:1:*""#,
            "arn:aws:logs:r:1:group:g:*",
            true,
        ),
        (
            "ArnLike",
            r#""arn:aws:logs:r:1:group:?""#,
            "arn:aws:logs:r:1:group:g",
            true,
        ),
        (
            "ArnLike",
            r#""arn:aws:logs:r:1:group:?""#,
            "arn:aws:logs:r:1:group:gg",
            false,
        ),
        ("ArnLike", r#""*:*:*:*:*:*""#, "arn:aws:s3:::", true),
        // Fewer components match nothing.
        ("ArnLike", r#""*""#, "arn:aws:iam::1:role/r", false),
        (
            "ArnLike",
            r#""arn:aws:iam::*""#,
            "arn:aws:iam::1:role/r",
            false,
        ),
        ("ArnLike", r#""*:*:*:*:*:*""#, "arn:aws:iam::1", false),
        ("ArnNotLike", r#""*""#, "arn:aws:iam::1:role/r", true),
        (
            "ArnLike",
            r#"["*", "arn:*:*:*:*:*"]"#,
            "arn:aws:iam::1:role/r",
            true,
        ),
    ]);
}
