//! What the data cases do not hold: exact messages, limits, kinds, escaped documents, hostile texts.

use proptest::prelude::*;

use super::super::{Limits, ParseOptions, PolicyKind};
use super::*;

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
fn every_message_by_its_text() {
    let condition =
        |operator: &str, value: &str| format!(r#"Condition={{"{operator}":{{"x:k":{value}}}}}"#);
    let cases = [
        (
            "Effect=\"allow\"".to_owned(),
            "Statement.Effect",
            "`allow` is no effect",
            "write `Allow`",
        ),
        (
            "Effect=\"Permit\"".to_owned(),
            "Statement.Effect",
            "`Permit` is no effect",
            "write `Allow` or `Deny`",
        ),
        (
            "Sid=7".to_owned(),
            "Statement.Sid",
            "expected a string, found a number, `7`",
            "write `\"7\"`",
        ),
        (
            "Action=\"\"".to_owned(),
            "Statement.Action",
            "an empty text is no action",
            "write `*` or `service:Name`, such as `execute-api:Invoke`",
        ),
        (
            "Action=\"Invoke\"".to_owned(),
            "Statement.Action",
            "`Invoke` is no action",
            "write `*` or `service:Name`, such as `execute-api:Invoke`",
        ),
        (
            "Action=\"a:b:c\"".to_owned(),
            "Statement.Action",
            "`a:b:c` is no action",
            "write `*` or `service:Name`, such as `execute-api:Invoke`",
        ),
        (
            "Action=\"a: b\"".to_owned(),
            "Statement.Action",
            "`a: b` has white space in it",
            "write `*` or `service:Name`, such as `execute-api:Invoke`",
        ),
        (
            "Action=\"a:${b}\"".to_owned(),
            "Statement.Action",
            "`a:${b}` has a policy variable, which actions do not take",
            "write `*` or `service:Name`, such as `execute-api:Invoke`",
        ),
        (
            "Resource=[]".to_owned(),
            "Statement.Resource",
            "the list is empty",
            "give at least one value, or remove the statement",
        ),
        (
            "Resource=\"\"".to_owned(),
            "Statement.Resource",
            "an empty text is no resource",
            "write an ARN, short-hand such as `execute-api:/*`, or `*`",
        ),
        (
            "Resource=[[\"*\"]]".to_owned(),
            "Statement.Resource[0]",
            "expected a string, found an array",
            "put its values into the list itself",
        ),
        (
            "Resource=\"arn:${x:y}:s:r:a:b\"".to_owned(),
            "Statement.Resource",
            "`arn:${x:y}:s:r:a:b` has a policy variable before its fifth colon",
            "variables stand in the last field of an ARN only",
        ),
        (
            "Resource=\"arn:p:s:r:a:${x\"".to_owned(),
            "Statement.Resource",
            "a policy variable is not closed by `}`",
            "write `${key}` or `${key, 'default'}`; `${$}` is a plain `$`",
        ),
        (
            "Resource=\"execute-api:/${}\"".to_owned(),
            "Statement.Resource",
            "a policy variable names no condition key",
            "write `${key}` or `${key, 'default'}`; `${$}` is a plain `$`",
        ),
        (
            "Resource=\"execute-api:/${a b}\"".to_owned(),
            "Statement.Resource",
            "a policy variable has a character in its key that no condition key has",
            "write `${key}` or `${key, 'default'}`; `${$}` is a plain `$`",
        ),
        (
            "Resource=\"execute-api:/${a,'b'}\"".to_owned(),
            "Statement.Resource",
            "a policy variable has a default that is not written `, 'text'`",
            "write `${key}` or `${key, 'default'}`; `${$}` is a plain `$`",
        ),
        (
            "Resource=\"execute-api:/${a, 'b}\"".to_owned(),
            "Statement.Resource",
            "a policy variable has a default that is not closed by `'}`",
            "write `${key}` or `${key, 'default'}`; `${$}` is a plain `$`",
        ),
        (
            "Principal=\"123456789012\"".to_owned(),
            "Statement.Principal",
            "`123456789012` is no principal",
            "write `\"*\"` or `{\"AWS\": \"123456789012\"}`",
        ),
        (
            "Principal=7".to_owned(),
            "Statement.Principal",
            "a principal is `\"*\"` or an object, not a number",
            "write `{\"AWS\": […]}`",
        ),
        (
            "Principal={}".to_owned(),
            "Statement.Principal",
            "the principal is empty: it names nobody",
            "write `\"*\"` for everyone, or `{\"AWS\": \"…\"}`",
        ),
        (
            "Principal={\"Aws\":\"*\"}".to_owned(),
            "Statement.Principal.Aws",
            "`Aws` is no type of principal",
            "did you mean `AWS`?",
        ),
        (
            "Principal={\"AWS\":\"arn:aws:iam::1:user/*\"}".to_owned(),
            "Statement.Principal.AWS",
            "`arn:aws:iam::1:user/*` has a wildcard, which principals do not take",
            "write a lone `*`, or compare `aws:PrincipalArn` with `ArnLike` in a condition",
        ),
        (
            "Principal={\"AWS\":\"alice\"}".to_owned(),
            "Statement.Principal.AWS",
            "`alice` is neither an account nor an ARN",
            "write `*`, an account's twelve digits, or an ARN such as `arn:aws:iam::123456789012:user/alice`",
        ),
        (
            "Principal={\"AWS\":\"\"}".to_owned(),
            "Statement.Principal.AWS",
            "an empty text is no principal",
            "name a caller, or write `*` for all",
        ),
        (
            "Principal={\"AWS\":\"${aws:x}\"}".to_owned(),
            "Statement.Principal.AWS",
            "`${aws:x}` has a policy variable, which principals do not take",
            "compare `aws:PrincipalArn` in a condition instead",
        ),
        (
            "Condition=[]".to_owned(),
            "Statement.Condition",
            "a condition block is an object, not an array",
            "write `{\"IpAddress\": {\"aws:SourceIp\": […]}}`",
        ),
        (
            "Condition={\"IpAdress\":{\"a\":\"b\"}}".to_owned(),
            "Statement.Condition.IpAdress",
            "`IpAdress` is no condition operator",
            "did you mean `IpAddress`?",
        ),
        (
            "Condition={\"foranyvalue:stringlikeifexists\":{\"a\":\"b\"}}".to_owned(),
            "Statement.Condition.foranyvalue:stringlikeifexists",
            "`foranyvalue:stringlikeifexists` is no condition operator",
            "did you mean `ForAnyValue:StringLikeIfExists`?",
        ),
        (
            condition("Bool", "\"${*}\""),
            "Statement.Condition.Bool.x:k",
            "`${*}` can never be a boolean",
            "write `true` or `false`",
        ),
        (
            "Condition={\"NullIfExists\":{\"a\":\"true\"}}".to_owned(),
            "Statement.Condition.NullIfExists",
            "`NullIfExists` is no condition operator",
            "`Null` asks whether the key exists and takes no `IfExists`",
        ),
        (
            "Condition={\"Bool\":{}}".to_owned(),
            "Statement.Condition.Bool",
            "the operator's block is empty",
            "remove the operator, or compare a key",
        ),
        (
            "Condition={\"Bool\":7}".to_owned(),
            "Statement.Condition.Bool",
            "the keys of an operator are an object, not a number",
            "write `{\"aws:SourceIp\": […]}`",
        ),
        (
            "Condition={\"Bool\":{\"A\":true,\"a\":true}}".to_owned(),
            "Statement.Condition.Bool.a",
            "`a` is the key `A` in other case",
            "join their values under one key",
        ),
        (
            condition("NumericEquals", "\"1x\""),
            "Statement.Condition.NumericEquals.x:k",
            "`1x` is no value for `NumericEquals`",
            "write a number, such as `10` or `-0.5`",
        ),
        (
            condition("DateLessThan", "\"2024-13-01\""),
            "Statement.Condition.DateLessThan.x:k",
            "`2024-13-01` is no value for `DateLessThan`",
            "write a date, such as `2026-01-31T12:00:00Z`, or seconds since 1970",
        ),
        (
            condition("Bool", "\"yes\""),
            "Statement.Condition.Bool.x:k",
            "`yes` is no value for `Bool`",
            "write `true` or `false`",
        ),
        (
            condition("Null", "\"True\""),
            "Statement.Condition.Null.x:k",
            "`True` is no value for `Null`",
            "write `true` or `false`",
        ),
        (
            condition("BinaryEquals", "\"YQ\""),
            "Statement.Condition.BinaryEquals.x:k",
            "`YQ` is no value for `BinaryEquals`",
            "write base64 with its padding, such as `YQ==`",
        ),
        (
            condition("NumericEquals", "\"${x:y}\""),
            "Statement.Condition.NumericEquals.x:k",
            "`${x:y}` has a policy variable, which `NumericEquals` does not take",
            "string, ARN and `Bool` operators take variables",
        ),
        (
            condition("IpAddress", "[\"10.0.0.1\",\"\"]"),
            "Statement.Condition.IpAddress.x:k[1]",
            "an empty text is no address",
            "write an address such as `203.0.113.7` or a prefix such as `203.0.113.0/24`, or remove the entry",
        ),
        (
            "NotPrincipal=\"*\",\"Principal\":\"*\"".to_owned(),
            "Statement.NotPrincipal",
            "`Principal` and `NotPrincipal` stand in one statement",
            "keep one of them, or make two statements",
        ),
    ];
    for (part, path, message, help) in cases {
        let found = fault(&document(&part));
        assert_eq!(
            found,
            (path.to_owned(), message.to_owned(), Some(help.to_owned())),
            "{part}"
        );
    }
    let found = fault(&document(&condition("StringEquals", "null")));
    assert_eq!(
        found.1,
        "a condition value is a text, a number or a boolean, not null"
    );
}

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

#[test]
fn what_is_missing_is_told_at_its_object() {
    let error = Policy::from_json("{\n \"Statement\": [\n  {\"Principal\": \"*\"}]}").unwrap_err();
    let told: Vec<String> = error.faults().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 3, column 3: Statement[0]: the statement has no `Effect`; add `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`",
            "line 3, column 3: Statement[0]: the statement has neither `Action` nor `NotAction`; add `\"Action\": …`",
            "line 3, column 3: Statement[0]: the statement has neither `Resource` nor `NotResource`; add `\"Resource\": …`",
        ]
    );
}

/// What is there under another name is told once.
#[test]
fn what_is_nearly_written_is_not_missing() {
    let told = |text: &str| -> Vec<String> {
        let error = Policy::from_json(text).expect_err(text);
        error.faults().iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        told(r#"{"statement": []}"#),
        [
            "line 1, column 2: statement: `statement` is no element of a policy; did you mean `Statement`?"
        ]
    );
    assert_eq!(told(r#"{"Stuff": [], "Version": "2012-10-17"}"#).len(), 2);
    let statement = r#"{"effect":"Deny","NotPrincipals":"*","actions":"*","notresource":"*"}"#;
    assert_eq!(
        told(&format!(
            r#"{{"Statement":[{statement},{{"Principal":"*"}}]}}"#
        )),
        [
            "line 1, column 16: Statement[0].effect: `effect` is no element of a statement; did you mean `Effect`?",
            "line 1, column 32: Statement[0].NotPrincipals: `NotPrincipals` is no element of a statement; did you mean `NotPrincipal`?",
            "line 1, column 52: Statement[0].actions: `actions` is no element of a statement; did you mean `Action`?",
            "line 1, column 66: Statement[0].notresource: `notresource` is no element of a statement; did you mean `NotResource`?",
            "line 1, column 85: Statement[1]: the statement has no `Effect`; add `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`",
            "line 1, column 85: Statement[1]: the statement has neither `Action` nor `NotAction`; add `\"Action\": …`",
            "line 1, column 85: Statement[1]: the statement has neither `Resource` nor `NotResource`; add `\"Resource\": …`",
        ]
    );
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

/// What is wrong in one place hides nothing of what is wrong in another.
#[test]
fn a_fault_hides_no_other() {
    let faults = |text: &str| -> Vec<String> {
        let error = Policy::from_json(text).expect_err(text);
        let path = |fault: &Fault| fault.path().to_owned();
        error.faults().iter().map(path).collect()
    };
    let unknown_operator = document(r#"Condition={"Bol":{"":1,"a":1,"A":1},"Bool":{"":1}}"#);
    assert_eq!(
        faults(&unknown_operator),
        [
            "Statement.Condition.Bol",
            "Statement.Condition.Bol.",
            "Statement.Condition.Bol.A",
            "Statement.Condition.Bool.",
            "Statement.Condition.Bool.",
        ]
    );
    assert_eq!(
        faults(&document(r#"Condition={"Bol":7}"#)),
        ["Statement.Condition.Bol"; 2]
    );
    let twins = r#"{"Statement":{"Effect":"Deny","Action":"a","NotAction":"b:c","Resource":"*"}}"#;
    assert_eq!(faults(twins), ["Statement.Action", "Statement.NotAction"]);
    let both = r#"{"Statement":{"Effect":"Deny","Action":"*","NotAction":["a",null],"Resource":"*","NotResource":"x"}}"#;
    assert_eq!(
        faults(both),
        [
            "Statement.NotAction",
            "Statement.NotAction[0]",
            "Statement.NotAction[1]",
            "Statement.NotResource",
            "Statement.NotResource",
        ]
    );
    let callers = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*","NotPrincipal":{"AWS":["a"]}}}"#;
    assert_eq!(
        faults(callers),
        ["Statement.NotPrincipal", "Statement.NotPrincipal.AWS[0]"]
    );
    let types =
        r#"Principal={"Aws":["x",null,"",["*"],"a*","*"],"Service":"","Service":["s","b*"]}"#;
    assert_eq!(
        faults(&document(types)),
        [
            "Statement.Principal.Aws",
            "Statement.Principal.Aws[1]",
            "Statement.Principal.Aws[2]",
            "Statement.Principal.Aws[3]",
            "Statement.Principal.Aws[4]",
            "Statement.Principal.Service",
            "Statement.Principal.Service",
            "Statement.Principal.Service[1]",
        ]
    );
    let values =
        r#"Condition={"Bol":{"a":[null,[1],{},"x","${",7],"b":[],"b":["c",null],"B":null}}"#;
    assert_eq!(
        faults(&document(values)),
        [
            "Statement.Condition.Bol",
            "Statement.Condition.Bol.a[0]",
            "Statement.Condition.Bol.a[1]",
            "Statement.Condition.Bol.a[2]",
            "Statement.Condition.Bol.a[4]",
            "Statement.Condition.Bol.b",
            "Statement.Condition.Bol.b",
            "Statement.Condition.Bol.b[1]",
            "Statement.Condition.Bol.B",
            "Statement.Condition.Bol.B",
        ]
    );
    let again = r#"Condition={"Bool":{"a":true},"Bool":{"a":"x","A":"y","a":"z"}}"#;
    assert_eq!(
        faults(&document(again)),
        [
            "Statement.Condition.Bool",
            "Statement.Condition.Bool.a",
            "Statement.Condition.Bool.A",
            "Statement.Condition.Bool.A",
            "Statement.Condition.Bool.a",
            "Statement.Condition.Bool.a",
        ]
    );
    let elements = r#"{"Version":"2012-10-17","Version":"x","Id":"a","Id":7,"Statement":{
        "Sid":"a","Sid":7,"Effect":"Deny","Effect":"deny","Principal":"*","Principal":"x",
        "Action":"*","Action":"x","Resource":"*","Resource":"x","Condition":{},"Condition":7
    },"Statement":[{}]}"#;
    assert_eq!(
        faults(elements),
        [
            "Version",
            "Version",
            "Id",
            "Id",
            "Statement.Sid",
            "Statement.Sid",
            "Statement.Effect",
            "Statement.Effect",
            "Statement.Principal",
            "Statement.Principal",
            "Statement.Action",
            "Statement.Action",
            "Statement.Resource",
            "Statement.Resource",
            "Statement.Condition",
            "Statement.Condition",
            "Statement",
            "Statement[0]",
            "Statement[0]",
            "Statement[0]",
            "Statement[0]",
        ]
    );
    let wrong_version = document(r#"Resource="${a""#).replace("2012", "2013");
    assert_eq!(faults(&wrong_version), ["Version", "Statement.Resource"]);
}

#[test]
fn no_remedy_means_the_opposite() {
    let help = |operator: &str| {
        fault(&document(&format!(
            r#"Condition={{"{operator}":{{"a":"b"}}}}"#
        )))
        .2
    };
    assert_ne!(
        help("BinaryNotEquals").as_deref(),
        Some("did you mean `BinaryEquals`?")
    );
    assert_eq!(
        help("NotIPAddress").as_deref(),
        Some("did you mean `NotIpAddress`?")
    );
    assert_eq!(
        help("StringNotEqual").as_deref(),
        Some("did you mean `StringNotEquals`?")
    );
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
