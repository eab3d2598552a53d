//! What the data cases do not hold: exact messages, limits, kinds, escaped documents, hostile texts.

use proptest::prelude::*;

use super::super::{Limits, ParseOptions, PolicyKind};
use super::*;

mod messages;
mod names;
mod several;

/// A statement that is right but for `part`, which replaces or adds elements.
fn document(part: &str) -> String {
    let mut elements = vec![
        ("Effect", r#""Allow""#.to_owned()),
        ("Principal", r#""*""#.to_owned()),
        ("Action", r#""execute-api:Invoke""#.to_owned()),
        ("Resource", r#""*""#.to_owned()),
    ];
    if let Some((name, value)) = part.split_once('=') {
        elements.retain(|(known, _)| *known != name.trim_start_matches("Not"));
        elements.push((name, value.to_owned()));
    }
    let elements: Vec<String> = elements
        .iter()
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{{}}}}}"#,
        elements.join(",")
    )
}

/// The only fault of a document, without its position.
fn fault(text: &str) -> (String, String, Option<String>) {
    let error = Policy::from_json(text).expect_err(text);
    assert_eq!(
        (error.faults().len(), error.suppressed()),
        (1, 0),
        "{error:#?}"
    );
    let fault = &error.faults()[0];
    (
        fault.path().to_owned(),
        fault.message().to_owned(),
        fault.help().map(str::to_owned),
    )
}

#[test]
fn kinds_are_told_apart_or_forced() {
    let resource = document("");
    let identity = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    assert_eq!(
        Policy::from_json(&resource).unwrap().kind(),
        PolicyKind::Resource
    );
    assert_eq!(
        Policy::from_json(identity).unwrap().kind(),
        PolicyKind::Identity
    );
    let refused = |text: &str, kind| {
        Policy::from_json_as(text, kind).unwrap_err().faults()[0]
            .message()
            .to_owned()
    };
    assert_eq!(
        refused(&resource, PolicyKind::Identity),
        "an identity policy has no `Principal`"
    );
    assert_eq!(
        refused(identity, PolicyKind::Resource),
        "the statement has neither `Principal` nor `NotPrincipal`, of which a resource policy needs one"
    );
}

#[test]
fn a_bad_version_does_not_hide_other_faults() {
    let error =
        Policy::from_json(r#"{"Version":"2025","Statement":{"Effect":"allow"}}"#).unwrap_err();
    assert_eq!(error.faults().len(), 4, "{error:#?}");
    assert_eq!(error.faults()[0].help(), Some("write `\"2012-10-17\"`"));
}

#[test]
fn faults_of_an_escaped_document_are_where_they_stand() {
    let plain = document("Condition={\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.1\",\"\"]}}");
    let once = serde_json::to_string(&plain).unwrap();
    let twice = serde_json::to_string(&once.trim_matches('"').replace('/', "\\/")).unwrap();
    for (given, wrong) in [
        (&plain, r#""""#),
        (&once, r#"\"\""#),
        (&twice, r#"\\\"\\\""#),
    ] {
        let error = Policy::from_json(given).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{error}");
        let fault = &error.faults()[0];
        assert_eq!(&given[fault.range()], wrong, "{given}");
        let column = u32::try_from(given.find(&format!(",{wrong}]")).unwrap() + 2).unwrap();
        assert_eq!((error.line(), error.column()), (1, column));
        assert_eq!(
            error.path(),
            "Statement.Condition.IpAddress.aws:SourceIp[1]"
        );
    }
}

#[test]
fn limits_are_told_with_their_numbers() {
    let read = |text: &str, limits| {
        Policy::from_json_with(text, &ParseOptions::default().with_limits(limits))
    };
    let message = |text: &str, limits| {
        read(text, limits).unwrap_err().faults()[0]
            .message()
            .to_owned()
    };
    let text = document("");
    let default = Limits::default();
    let bytes = format!(
        "the text has {} bytes, more than the limit of 10",
        text.len()
    );
    assert_eq!(message(&text, default.with_text_bytes(10)), bytes);
    assert_eq!(
        message(&text, default.with_depth(1)),
        "containers are nested more than 1 deep"
    );
    assert_eq!(
        message(&text, default.with_values(5)),
        "the document has more than 5 values and keys"
    );
    let two = r#"{"Statement":[{},{}]}"#;
    assert_eq!(
        message(two, default.with_statements(1)),
        "2 statements, more than the limit of 1"
    );
    let error = read(two, default.with_faults(2)).unwrap_err();
    assert_eq!((error.faults().len(), error.suppressed()), (2, 4));
    assert!(error.to_string().ends_with("(and 5 more faults)"));
}

/// A long key is written once for each fault below it.
#[test]
fn paths_are_short_whatever_the_keys_are() {
    let key = "k".repeat(100_000);
    let text = document(&format!(
        r#"Condition={{"IpAddress":{{"{key}":["a","b"]}}}}"#
    ));
    let error = Policy::from_json(&text).unwrap_err();
    let path = format!("Statement.Condition.IpAddress.{}…[1]", "k".repeat(64));
    assert_eq!(error.faults()[1].path(), path);
    assert!(error.to_string().len() < 500);
}

#[test]
fn syntax_errors_have_a_path() {
    let text = r#"{"Statement": [{"Effect": "Allow"}, {"Effect": Allow}]}"#;
    assert_eq!(
        Policy::from_json(text).unwrap_err().to_string(),
        "line 1, column 48: Statement[1].Effect: expected a value, found `A`"
    );
}

#[test]
fn bytes_must_be_utf8() {
    let error = Policy::from_json_bytes(b"{\n\"\xff\"}", &ParseOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column 2: the text is not UTF-8; save the file as UTF-8"
    );
}

#[test]
fn one_byte_order_mark_is_skipped_and_others_are_told() {
    let read = |text: &str| Policy::from_json_bytes(text.as_bytes(), &ParseOptions::default());
    let text = document("");
    assert_eq!(read(&format!("\u{feff}{text}")), read(&text));
    let told =
        "expected a value, found a byte order mark; remove it: only the first of a text is skipped";
    let escaped = serde_json::to_string(&format!("\u{feff}{text}")).unwrap();
    for (text, column) in [
        (format!("\u{feff}\u{feff}{text}"), 1),
        (format!(" \u{feff}{text}"), 2),
        (escaped, 2),
    ] {
        let error = read(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 1, column {column}: {told}")
        );
    }
    for mark in [[0xff, 0xfe], [0xfe, 0xff]] {
        let error = Policy::from_json_bytes(&mark, &ParseOptions::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1, column 1: the text begins with the byte order mark of UTF-16, and is not UTF-8; save the file as UTF-8"
        );
    }
}

#[test]
fn unquoted_numbers_and_booleans_keep_their_text() {
    let text = document(
        r#"Condition={"NumericEquals":{"x:k":1.50},"Bool":{"x:k":true},"StringEquals":{"x:k":1e2}}"#,
    );
    let policy = Policy::from_json(&text).unwrap();
    let raws: Vec<&str> = policy.statements()[0]
        .conditions
        .iter()
        .flat_map(|condition| match &condition.values {
            crate::policy::Values::Texts(texts) => {
                texts.iter().map(|text| text.value.raw()).collect()
            }
            crate::policy::Values::Prefixes(_) => Vec::new(),
        })
        .collect();
    assert_eq!(raws, ["1.50", "true", "1e2"]);
}

#[test]
fn variables_are_text_under_the_older_version() {
    for version in [r#""Version":"2008-10-17","#, ""] {
        let text = format!(
            r#"{{{version}"Statement":{{"Effect":"Allow","Action":"*","Resource":"arn:${{not:closed"}}}}"#
        );
        let policy = Policy::from_json(&text).unwrap();
        assert!(
            !policy.statements()[0].resource.patterns[0]
                .value
                .has_variables()
        );
    }
}

#[test]
fn hostile_keys_are_tamed() {
    let error = Policy::from_json("{\"a\\u001b[31m\": 1}").unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'));
    let long = format!("{{\"{}\": 1}}", "k".repeat(1_000_000));
    assert!(Policy::from_json(&long).unwrap_err().to_string().len() < 2_000);
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,80}") {
        let _ = Policy::from_json(&text);
    }

    #[test]
    fn any_mutation_of_a_policy_gets_an_answer(at in 0_usize..400, byte in any::<u8>()) {
        let mut bytes = document("Condition={\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.1\"]}}").into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        match Policy::from_json_bytes(&bytes, &ParseOptions::default()) {
            Ok(policy) => prop_assert_eq!(Policy::from_json(&policy.to_string()), Ok(policy)),
            Err(error) => prop_assert!(error.line() >= 1 && error.column() >= 1),
        }
    }
}
