//! Statements taken together, actions and resources.

use super::*;

const A: &str = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
const D: &str = r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#;
/// Match nothing that the tests ask for.
const A_OTHER: &str =
    r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#;
const D_OTHER: &str =
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#;

fn invoke(policies: &[Policy], resource: &str) -> Decision {
    decide(policies, &Request::invoke(Address::Absent, resource))
}

/// Decides under one Allow with this `Resource` or `NotResource` element.
fn by_resource(element: &str, resource: &str) -> bool {
    let statement = format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", {element}}}"#);
    invoke(&[statements(&statement)], resource).is_allow()
}

#[test]
fn a_deny_wins_then_an_allow_then_nothing() {
    for (list, expected) in [
        (vec![A], ALLOW),
        (vec![D], EXPLICIT),
        (vec![A_OTHER], IMPLICIT),
        (vec![D_OTHER], IMPLICIT),
        (vec![A, D], EXPLICIT),
        (vec![D, A], EXPLICIT),
        (vec![A, A], ALLOW),
        (vec![A_OTHER, D_OTHER], IMPLICIT),
        (vec![A, D_OTHER], ALLOW),
        (vec![D_OTHER, A], ALLOW),
        (vec![A_OTHER, A], ALLOW),
        (vec![A_OTHER, D], EXPLICIT),
    ] {
        let list = list.join(",");
        assert_eq!(
            invoke(&[statements(&list)], &arn("p/GET/")),
            expected,
            "{list}"
        );
    }
}

#[test]
fn policies_are_taken_together_whatever_their_order() {
    let (allow, deny, other) = (statements(A), statements(D), statements(A_OTHER));
    let resource = arn("p/GET/");
    for (policies, expected) in [
        (vec![], IMPLICIT),
        (vec![&allow], ALLOW),
        (vec![&allow, &other], ALLOW),
        (vec![&other, &allow], ALLOW),
        (vec![&allow, &deny], EXPLICIT),
        (vec![&deny, &allow], EXPLICIT),
        (vec![&other, &other], IMPLICIT),
    ] {
        let policies: Vec<Policy> = policies.into_iter().cloned().collect();
        assert_eq!(invoke(&policies, &resource), expected);
    }
}

#[test]
fn an_identity_policy_matches_whoever_calls() {
    let identity = policy(
        r#"{"Statement": {"Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": "arn:aws:execute-api:*:*:*"}}"#,
    );
    let resource = arn("p/GET/");
    for caller in [
        crate::Principal::Anonymous,
        crate::Principal::Aws("arn:aws:iam::123456789012:user/u"),
        crate::Principal::Service("x.amazonaws.com"),
    ] {
        let request = Request::invoke(Address::Absent, &resource).with_principal(caller);
        assert_eq!(
            decide(core::slice::from_ref(&identity), &request),
            ALLOW,
            "{caller:?}"
        );
    }
}

#[test]
fn a_lone_statement_and_a_list_of_one_are_the_same() {
    let lone = policy(&format!(r#"{{"Statement": {A}}}"#));
    let list = policy(&format!(r#"{{"Statement": [{A}]}}"#));
    assert_eq!(invoke(&[lone], &arn("p/GET/")), ALLOW);
    assert_eq!(invoke(&[list], &arn("p/GET/")), ALLOW);
}

#[test]
fn an_empty_condition_block_is_no_condition() {
    assert!(holds("{}", &[]));
}

#[test]
fn all_elements_of_a_statement_must_match() {
    let statement = r#"{"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "a:B",
        "Resource": "arn:r", "Condition": {"StringEquals": {"k": "v"}}}"#;
    let policies = [statements(statement)];
    let service = crate::Principal::Service("x.amazonaws.com");
    let with = [("k", Value::Text("v"))];
    for (caller, action, resource, context, expected) in [
        (service, "a:B", "arn:r", &with[..], ALLOW),
        (crate::Principal::Anonymous, "a:B", "arn:r", &with, IMPLICIT),
        (service, "a:C", "arn:r", &with, IMPLICIT),
        (service, "a:B", "arn:s", &with, IMPLICIT),
        (service, "a:B", "arn:r", &[], IMPLICIT),
    ] {
        let request = Request::invoke(Address::Absent, resource)
            .with_principal(caller)
            .with_action(action)
            .with_context(context);
        assert_eq!(decide(&policies, &request), expected, "{request:?}");
    }
}

#[test]
fn actions_match_by_wildcards_and_without_regard_to_ascii_case() {
    for (element, action, expected) in [
        (r#""Action": "*""#, "execute-api:Invoke", true),
        (
            r#""Action": "execute-api:Invoke""#,
            "execute-api:Invoke",
            true,
        ),
        (
            r#""Action": "EXECUTE-API:invoke""#,
            "execute-api:Invoke",
            true,
        ),
        (
            r#""Action": "execute-api:Invoke""#,
            "Execute-Api:INVOKE",
            true,
        ),
        (r#""Action": "execute-api:*""#, "execute-api:Invoke", true),
        (
            r#""Action": "execute-api:Inv*""#,
            "execute-api:InvalidateCache",
            true,
        ),
        (
            r#""Action": "execute-api:inv?ke""#,
            "execute-api:Invoke",
            true,
        ),
        (
            r#""Action": "execute-api:inv?ke""#,
            "execute-api:Invke",
            false,
        ),
        (
            r#""Action": "execute-api:Invoke""#,
            "execute-api:InvalidateCache",
            false,
        ),
        (
            r#""Action": "execute-api:Invoke""#,
            "execute-api:Invoke2",
            false,
        ),
        (
            r#""Action": ["s3:*", "execute-api:Invoke"]"#,
            "execute-api:Invoke",
            true,
        ),
        (
            r#""Action": ["s3:*", "sqs:*"]"#,
            "execute-api:Invoke",
            false,
        ),
        (r#""NotAction": "s3:*""#, "execute-api:Invoke", true),
        (
            r#""NotAction": "execute-api:invoke""#,
            "execute-api:Invoke",
            false,
        ),
        (
            r#""NotAction": ["s3:*", "execute-api:*"]"#,
            "execute-api:Invoke",
            false,
        ),
        (r#""NotAction": "*""#, "execute-api:Invoke", false),
    ] {
        let statement =
            format!(r#"{{"Effect": "Allow", "Principal": "*", {element}, "Resource": "*"}}"#);
        let request = Request::invoke(Address::Absent, "r").with_action(action);
        let decision = decide(&[statements(&statement)], &request);
        assert_eq!(decision.is_allow(), expected, "{element} on {action}");
    }
}

#[test]
fn resources_match_by_one_pattern_over_the_whole_arn() {
    for (pattern, path, expected) in [
        ("*/GET/pets", "prod/GET/pets", true),
        ("*/GET/pets", "prod/GET/Pets", false),
        ("*/GET/pets", "prod/GET/pets/1", false),
        ("*/GET/pets/*", "prod/GET/pets/", true),
        ("*/GET/pets/*", "prod/GET/pets/1/2", true),
        ("*/GET/pets/*", "prod/GET/pets", false),
        ("*/GET/*", "prod/POST/x/GET/y", true),
        ("prod/*/*", "prod/GET/", true),
        ("prod/get/pets", "prod/GET/pets", false),
        ("prod/GET/a:b", "prod/GET/a:b", true),
        ("prod/GET/*", "prod/GET/a:b", true),
        ("prod/*/test/*", "prod/1/2/test/3/x", true),
        ("prod/*/test/*", "prod//test/x", true),
        ("prod/*/test/*", "prod/1/test/", true),
        ("prod/*/test/*", "prod/test/x", false),
        ("*/*/*", "prod/GET/", true),
        ("", "prod/GET/", false),
        ("prod/GET/p?ts", "prod/GET/pets", true),
        ("prod/GET/p?ts", "prod/GET/pts", false),
        ("prod/GET/?", "prod/GET/ü", true),
        ("prod/GET/?", "prod/GET//", true),
        ("prod/GET/[a-z]", "prod/GET/b", false),
    ] {
        let element = format!(r#""Resource": "{}""#, arn(pattern));
        assert_eq!(
            by_resource(&element, &arn(path)),
            expected,
            "{pattern} on {path}"
        );
    }
}

#[test]
fn resource_patterns_may_leave_fields_of_the_arn_to_a_star() {
    for (element, expected) in [
        (r#""Resource": "*""#, true),
        (r#""Resource": "arn:aws:execute-api:us-east-1:*:*""#, true),
        (r#""Resource": "arn:aws:execute-api:*:*:*""#, true),
        (
            r#""Resource": "arn:aws:execute-api:us-east-1:123456789012:*""#,
            true,
        ),
        (
            r#""Resource": "arn:aws:execute-api:us-east-1:*:abc/*""#,
            true,
        ),
        (r#""Resource": "arn:aws:execute-api:*""#, true),
        (r#""Resource": "arn:*/GET/pets""#, true),
        (r#""Resource": "arn:aws:execute-api:eu-west-1:*:*""#, false),
        (r#""Resource": "arn:aws:execute-api""#, false),
        (
            r#""Resource": "arn:aws:execute-api:us-east-1:123456789012:abc/""#,
            false,
        ),
        (
            r#""Resource": ["arn:aws:s3:::x", "arn:aws:execute-api:*"]"#,
            true,
        ),
        (r#""NotResource": "arn:aws:s3:::x""#, true),
        (
            r#""NotResource": ["arn:aws:s3:::x", "arn:aws:execute-api:*"]"#,
            false,
        ),
        (r#""NotResource": "*""#, false),
    ] {
        assert_eq!(
            by_resource(element, &arn("prod/GET/pets")),
            expected,
            "{element}"
        );
    }
}

#[test]
fn short_hand_that_was_not_expanded_is_plain_text() {
    assert!(!by_resource(
        r#""Resource": "execute-api:/*""#,
        &arn("prod/GET/pets")
    ));
    assert!(by_resource(
        r#""Resource": "execute-api:/*""#,
        "execute-api:/prod/GET/pets"
    ));
    assert!(by_resource(
        r#""NotResource": "execute-api:/*""#,
        &arn("prod/GET/pets")
    ));
}

#[test]
fn hostile_patterns_take_bounded_time() {
    let stars = format!("{}b", "*a".repeat(1000));
    let resource = format!("arn:aws:execute-api:r:1:{}", "a".repeat(1600));
    assert!(!by_resource(
        &format!(r#""Resource": "arn:{stars}""#),
        &resource
    ));
    let list = vec![format!("\"arn:{stars}\""); 20].join(",");
    assert!(!by_resource(&format!(r#""Resource": [{list}]"#), &resource));
}

#[test]
fn any_text_may_be_asked_for() {
    let policies = [statements(A)];
    for (action, resource) in [
        ("", ""),
        ("\u{0}", "\u{ffff}"),
        (":::::::", "/////"),
        ("${", "}"),
    ] {
        let request = Request::invoke(Address::Absent, resource).with_action(action);
        assert_eq!(decide(&policies, &request), ALLOW, "{action} {resource}");
    }
}
