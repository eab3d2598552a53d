//! The exact text of each message about one fault, and its remedy.

use super::*;

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
