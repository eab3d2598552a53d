//! Resources and condition keys that can match nothing, told with what was meant.

use super::*;

#[test]
fn a_resource_that_no_arn_matches_is_told_with_what_was_meant() {
    let general = "write an ARN, short-hand such as `execute-api:/*`, or `*`";
    for (resource, help) in [
        ("execute-api/*", "write `execute-api:/*`"),
        (
            "execute-api:/*".to_ascii_uppercase().as_str(),
            "write `execute-api:/*`",
        ),
        ("Execute-api:/prod/*", "write `execute-api:/prod/*`"),
        (
            "execute-api:prod/GET/a:b",
            "write `execute-api:/prod/GET/a:b`",
        ),
        ("execute-api:*", "write `execute-api:/*`"),
        ("execute-api*", "write `execute-api:/*`"),
        ("excute-api:/*", "write `execute-api:/*`"),
        ("ARN:aws:s3:::b", "write `arn:aws:s3:::b`"),
        ("Arn:", "write `arn:`"),
        ("anr:aws:s3:::b", "write `arn:aws:s3:::b`"),
        ("arn/1", "an ARN begins with `arn:`"),
        ("arn", "an ARN begins with `arn:`"),
        ("arn;aws;*", general),
        ("/prod/GET/x", "write `execute-api:/prod/GET/x`"),
        ("/*", "write `execute-api:/*`"),
        ("prod/GET/x", "write `execute-api:/prod/GET/x`"),
        ("s3:bucket/x", general),
        ("1", general),
        ("arx*", "an ARN begins with `arn:`"),
        ("exit*", general),
        (":*", general),
    ] {
        let found = fault(&document(&format!("Resource={resource:?}")));
        let message = format!("`{resource}` can match no request: requests are for ARNs");
        let path = "Statement.Resource".to_owned();
        assert_eq!(found, (path, message, Some(help.to_owned())));
        let meant = help
            .strip_prefix("write `")
            .and_then(|meant| meant.split('`').next());
        if let Some(meant) = meant.filter(|_| help != general) {
            Policy::from_json(&document(&format!("Resource={meant:?}"))).unwrap();
        }
    }
    for (resource, what, help) in [
        (" *", "has white space at its start", "remove it"),
        (
            "execute-api:/*\\n",
            "has white space at its end",
            "remove it",
        ),
        (
            "\\tarn:a\\u0000",
            "has white space at its start",
            "remove it",
        ),
        (
            "arn:a: b:",
            "has white space before its fifth colon",
            "remove it: only the last field of an ARN can have any",
        ),
        (
            "arn:a\\u0007",
            "has a control character at its end",
            "remove it",
        ),
    ] {
        let (path, message, told) = fault(&document(&format!("NotResource=\"{resource}\"")));
        assert_eq!(path, "Statement.NotResource");
        assert!(message.ends_with(what), "{resource}: {message}");
        assert_eq!(told.as_deref(), Some(help));
    }
}

#[test]
fn resources_that_an_arn_may_match_are_taken() {
    for resource in [
        "*",
        "?",
        "?*",
        "* *",
        "**x",
        "*:abc/prod",
        "a*",
        "ar?:aws:*",
        "arn?",
        "arn*",
        "ar*/GET/my path",
        "arn:",
        "arn:aws:execute-api",
        "arn:*",
        "arn::::::",
        "arn:*/GET/my path",
        "arn:aws:execute-api:*/GET/my path",
        "arn:a:b:c:d:e f",
        "execute-api:/",
        "execute-api:/a b",
    ] {
        let policy = Policy::from_json(&document(&format!("Resource={resource:?}"))).unwrap();
        let pattern = &policy.statements()[0].resource.patterns[0];
        assert_eq!(pattern.value.raw(), resource);
    }
}

#[test]
fn a_condition_key_that_no_request_has_is_told_with_what_was_meant() {
    let blank = "has white space or a control character in it";
    let general = "write one such as `aws:SourceIp`";
    for (key, what, help) in [
        (" aws:SourceIp", blank, "write `aws:SourceIp`"),
        ("aws:SourceIp\\n", blank, "write `aws:SourceIp`"),
        ("aws: SourceIp", blank, "write `aws:SourceIp`"),
        ("aws :SourceIp", blank, "write `aws:SourceIp`"),
        ("aws:Source\\u0000Ip", blank, "write `aws:SourceIp`"),
        (
            "aws:PrincipalTag/ Cost Center ",
            blank,
            "write `aws:PrincipalTag/Cost Center`",
        ),
        (
            "aws:PrincipalTag/a\\u0007b",
            blank,
            "write `aws:PrincipalTag/ab`",
        ),
        (
            "aws:Principal Tag/a b",
            blank,
            "write `aws:PrincipalTag/a b`",
        ),
        (" ", blank, general),
        ("a b", blank, general),
        (":SourceIp", "has nothing before its colon", general),
        (
            ":aws:SourceIp",
            "has nothing before its colon",
            "write `aws:SourceIp`",
        ),
        ("aws:", "has nothing behind its colon", general),
        (":", "has nothing before its colon", general),
        (
            "aws::SourceIp",
            "has a colon too many",
            "write `aws:SourceIp`",
        ),
        (
            "aws:SourceIp:",
            "has a colon too many",
            "write `aws:SourceIp`",
        ),
    ] {
        for operator in ["StringEquals", "IpAddress"] {
            let (path, message, told) = fault(&document(&format!(
                r#"Condition={{"{operator}":{{"{key}":"10.0.0.1"}}}}"#
            )));
            assert!(
                path.starts_with(&format!("Statement.Condition.{operator}.")),
                "{path}"
            );
            assert_eq!(
                message,
                format!("the condition key `{}` {what}", tamed(key))
            );
            assert_eq!(told.as_deref(), Some(help), "{key}");
        }
    }
    let empty = fault(&document(r#"Condition={"StringEquals":{"":"x"}}"#));
    let expected = (
        "an empty text is no condition key".to_owned(),
        Some(general.to_owned()),
    );
    assert_eq!((empty.1, empty.2), expected);
    for key in [
        "k",
        "aws:SourceIP",
        "aws:SuorceIp",
        "aws:PrincipalTag/Cost Center",
        "oidc.eks.r.amazonaws.com/id/A:sub",
        "localhost:8080/x:sub",
    ] {
        let text = document(&format!(r#"Condition={{"StringEquals":{{"{key}":"x"}}}}"#));
        let policy = Policy::from_json(&text).unwrap();
        assert_eq!(&*policy.statements()[0].conditions[0].key.value, key);
    }
}

/// A key as JSON has it, as messages show it.
fn tamed(key: &str) -> String {
    let key: String = serde_json::from_str(&format!("\"{key}\"")).unwrap();
    tame(&key)
}
