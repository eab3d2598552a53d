//! Callers: `Principal` and `NotPrincipal`.

use super::*;
use crate::Principal::{self, Anonymous, Aws, CanonicalUser, Federated, Service};

const USER: Principal<'_> = Aws("arn:aws:iam::123456789012:user/u");
const ROOT: Principal<'_> = Aws("arn:aws:iam::123456789012:root");
const ROLE: Principal<'_> = Aws("arn:aws:iam::123456789012:role/R");
const SESSION: Principal<'_> = Aws("arn:aws:sts::123456789012:assumed-role/R/S");
const FEDERATED_USER: Principal<'_> = Aws("arn:aws:sts::123456789012:federated-user/U");
const CHINA: Principal<'_> = Aws("arn:aws-cn:iam::123456789012:user/u");
const STRANGER: Principal<'_> = Aws("arn:aws:iam::999999999999:user/u");
const SERVICE: Principal<'_> = Service("x.amazonaws.com");

/// Returns whether one statement with this principal element matches.
fn matches(effect: &str, element: &str, caller: Principal<'_>) -> bool {
    let statement =
        format!(r#"{{"Effect": "{effect}", {element}, "Action": "*", "Resource": "*"}}"#);
    let request = Request::invoke(Address::Absent, "r").with_principal(caller);
    decide(&[statements(&statement)], &request) != IMPLICIT
}

#[track_caller]
fn check(effect: &str, element: &str, rows: &[(Principal<'_>, bool)]) {
    for &(caller, expected) in rows {
        assert_eq!(
            matches(effect, element, caller),
            expected,
            "{effect} {element} on {caller:?}"
        );
    }
}

/// `Principal` means the same under both effects.
#[track_caller]
fn check_principal(value: &str, rows: &[(Principal<'_>, bool)]) {
    let element = format!(r#""Principal": {value}"#);
    check("Allow", &element, rows);
    check("Deny", &element, rows);
}

#[test]
fn a_star_is_everyone() {
    for value in [r#""*""#, r#"{"AWS": "*"}"#, r#"{"AWS": ["*"]}"#] {
        check_principal(
            value,
            &[
                (Anonymous, true),
                (USER, true),
                (SESSION, true),
                (SERVICE, true),
                (Federated("accounts.google.com"), true),
                (CanonicalUser("79a5"), true),
                (Aws("not an arn"), true),
                (Aws(""), true),
            ],
        );
    }
}

#[test]
fn an_account_is_all_its_callers() {
    let rows = [
        (USER, true),
        (ROOT, true),
        (ROLE, true),
        (SESSION, true),
        (FEDERATED_USER, true),
        (STRANGER, false),
        (Anonymous, false),
        (SERVICE, false),
        (Service("123456789012"), false),
        (CanonicalUser("123456789012"), false),
        (Aws("123456789012"), false),
        (Aws("arn:aws:iam::123456789012"), false),
        (Aws("xrn:aws:iam::123456789012:user/u"), false),
        (Aws("arn:aws:iam:123456789012::user/u"), false),
        (Aws("arn:aws:iam::123456789012:user/a:b"), true),
    ];
    check_principal(r#"{"AWS": "123456789012"}"#, &rows);
    check_principal(r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, &rows);
}

#[test]
fn the_bare_account_number_is_of_any_partition() {
    check_principal(r#"{"AWS": "123456789012"}"#, &[(CHINA, true)]);
    check_principal(
        r#"{"AWS": "arn:aws:iam::123456789012:root"}"#,
        &[(CHINA, false)],
    );
    check_principal(
        r#"{"AWS": "arn:aws-cn:iam::123456789012:root"}"#,
        &[(CHINA, true), (USER, false)],
    );
}

#[test]
fn a_user_is_exactly_that_user() {
    check_principal(
        r#"{"AWS": "arn:aws:iam::123456789012:user/u"}"#,
        &[
            (USER, true),
            (Aws("arn:aws:iam::123456789012:user/U"), false),
            (Aws("arn:aws:iam::123456789012:user/path/u"), false),
            (ROOT, false),
            (STRANGER, false),
            (CHINA, false),
            (Anonymous, false),
            (Service("arn:aws:iam::123456789012:user/u"), false),
            (Federated("arn:aws:iam::123456789012:user/u"), false),
        ],
    );
}

#[test]
fn a_role_is_itself_and_its_sessions() {
    check_principal(
        r#"{"AWS": "arn:aws:iam::123456789012:role/R"}"#,
        &[
            (ROLE, true),
            (SESSION, true),
            (
                Aws("arn:aws:sts::123456789012:assumed-role/R/another"),
                true,
            ),
            (Aws("arn:aws:sts::123456789012:assumed-role/r/S"), false),
            (Aws("arn:aws:sts::123456789012:assumed-role/Q/S"), false),
            (Aws("arn:aws:sts::123456789012:assumed-role/R"), false),
            (Aws("arn:aws:sts::123456789012:assumed-role/R/"), false),
            (Aws("arn:aws:sts::123456789012:assumed-role/R/S/T"), false),
            (Aws("arn:aws:sts::999999999999:assumed-role/R/S"), false),
            (Aws("arn:aws-cn:sts::123456789012:assumed-role/R/S"), false),
            (Aws("arn:aws:iam::123456789012:assumed-role/R/S"), false),
            (FEDERATED_USER, false),
            (Anonymous, false),
        ],
    );
}

#[test]
fn sessions_of_a_role_with_a_path_have_no_path() {
    check_principal(
        r#"{"AWS": "arn:aws:iam::123456789012:role/team/x/R"}"#,
        &[
            (Aws("arn:aws:iam::123456789012:role/team/x/R"), true),
            (ROLE, false),
            (SESSION, true),
            (
                Aws("arn:aws:sts::123456789012:assumed-role/team/x/R/S"),
                false,
            ),
            (Aws("arn:aws:sts::123456789012:assumed-role/x/S"), false),
        ],
    );
}

#[test]
fn a_session_is_that_session_only() {
    check_principal(
        r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/R/S"}"#,
        &[
            (SESSION, true),
            (ROLE, false),
            (Aws("arn:aws:sts::123456789012:assumed-role/R/T"), false),
        ],
    );
    check_principal(
        r#"{"AWS": "arn:aws:sts::123456789012:federated-user/U"}"#,
        &[(FEDERATED_USER, true), (SESSION, false)],
    );
}

#[test]
fn other_kinds_compare_name_and_kind() {
    check_principal(
        r#"{"Service": ["y.amazonaws.com", "x.amazonaws.com"]}"#,
        &[
            (SERVICE, true),
            (Service("X.amazonaws.com"), false),
            (Federated("x.amazonaws.com"), false),
            (Aws("x.amazonaws.com"), false),
            (Anonymous, false),
        ],
    );
    check_principal(
        r#"{"Federated": "accounts.google.com"}"#,
        &[
            (Federated("accounts.google.com"), true),
            (Service("accounts.google.com"), false),
        ],
    );
    check_principal(
        r#"{"CanonicalUser": "79a5"}"#,
        &[
            (CanonicalUser("79a5"), true),
            (CanonicalUser("79a6"), false),
        ],
    );
}

#[test]
fn a_star_of_another_kind_is_everyone_of_that_kind() {
    check_principal(
        r#"{"Service": "*"}"#,
        &[
            (SERVICE, true),
            (Anonymous, false),
            (USER, false),
            (Federated("x"), false),
        ],
    );
    check_principal(
        r#"{"Federated": "*"}"#,
        &[(Federated("x"), true), (SERVICE, false)],
    );
    check_principal(
        r#"{"CanonicalUser": "*"}"#,
        &[(CanonicalUser("x"), true), (SERVICE, false)],
    );
}

#[test]
fn one_of_several_entries_is_enough() {
    check_principal(
        r#"{"AWS": ["999999999999", "arn:aws:iam::123456789012:role/R"], "Service": "x.amazonaws.com"}"#,
        &[
            (STRANGER, true),
            (SESSION, true),
            (SERVICE, true),
            (USER, false),
            (Anonymous, false),
        ],
    );
}

#[test]
fn not_principal_in_an_allow_is_everyone_not_listed() {
    check(
        "Allow",
        r#""NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/R"}"#,
        &[
            (ROLE, false),
            (SESSION, false),
            (USER, true),
            (Anonymous, true),
            (SERVICE, true),
        ],
    );
    check(
        "Allow",
        r#""NotPrincipal": {"AWS": "123456789012"}"#,
        &[
            (USER, false),
            (SESSION, false),
            (STRANGER, true),
            (Anonymous, true),
        ],
    );
    check(
        "Allow",
        r#""NotPrincipal": "*""#,
        &[(Anonymous, false), (USER, false), (SERVICE, false)],
    );
}

#[test]
fn not_principal_in_a_deny_spares_a_user_only_with_its_account() {
    check(
        "Deny",
        r#""NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/u"}"#,
        &[(USER, true), (ROOT, true), (Anonymous, true)],
    );
    check(
        "Deny",
        r#""NotPrincipal": {"AWS": ["arn:aws:iam::123456789012:user/u", "123456789012"]}"#,
        &[
            (USER, false),
            (ROOT, false),
            (ROLE, true),
            (SESSION, true),
            (CHINA, true),
            (STRANGER, true),
            (Anonymous, true),
            (SERVICE, true),
        ],
    );
}

#[test]
fn not_principal_in_a_deny_on_an_account_spares_its_root_only() {
    check(
        "Deny",
        r#""NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}"#,
        &[
            (ROOT, false),
            (USER, true),
            (ROLE, true),
            (SESSION, true),
            (Anonymous, true),
        ],
    );
}

#[test]
fn not_principal_in_a_deny_spares_a_session_only_with_account_and_role() {
    let [account, role, session] = [
        r#""arn:aws:iam::123456789012:root""#,
        r#""arn:aws:iam::123456789012:role/R""#,
        r#""arn:aws:sts::123456789012:assumed-role/R/S""#,
    ];
    for (list, denied) in [
        (vec![account, role, session], false),
        (vec![session, role, account], false),
        (vec![account, role], true),
        (vec![account, session], true),
        (vec![role, session], true),
        (vec![session], true),
        (vec![account], true),
    ] {
        let element = format!(r#""NotPrincipal": {{"AWS": [{}]}}"#, list.join(","));
        check("Deny", &element, &[(SESSION, denied)]);
    }
    // The role itself needs no session entry.
    let element = format!(r#""NotPrincipal": {{"AWS": [{account}, {role}]}}"#);
    check("Deny", &element, &[(ROLE, false)]);
}

#[test]
fn not_principal_in_a_deny_spares_what_is_no_arn_by_a_star_only() {
    for caller in [
        Aws(""),
        Aws("u"),
        Aws("arn:aws:iam::123456789012"),
        Aws("x:aws:iam::123456789012:user/u"),
    ] {
        check(
            "Deny",
            r#""NotPrincipal": {"AWS": "123456789012"}"#,
            &[(caller, true)],
        );
        check(
            "Deny",
            r#""NotPrincipal": {"AWS": "*"}"#,
            &[(caller, false)],
        );
    }
}

#[test]
fn not_principal_in_a_deny_spares_other_kinds_by_their_entry() {
    check(
        "Deny",
        r#""NotPrincipal": {"Service": "x.amazonaws.com"}"#,
        &[
            (SERVICE, false),
            (Service("y.amazonaws.com"), true),
            (USER, true),
            (Anonymous, true),
        ],
    );
    check(
        "Deny",
        r#""NotPrincipal": {"Federated": "*"}"#,
        &[(Federated("x"), false), (SERVICE, true), (Anonymous, true)],
    );
}

#[test]
fn not_principal_of_a_star_matches_nobody() {
    for value in [
        r#""*""#,
        r#"{"AWS": "*"}"#,
        r#"{"AWS": ["123456789012", "*"]}"#,
    ] {
        let element = format!(r#""NotPrincipal": {value}"#);
        let nobody = [
            (Anonymous, false),
            (USER, false),
            (SESSION, false),
            (SERVICE, false),
        ];
        check("Deny", &element, &nobody);
        check("Allow", &element, &nobody);
    }
}
