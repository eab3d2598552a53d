use std::path::Path;

use super::*;
use crate::test::yaml;

fn read_text(text: &str) -> Result<Suite, Vec<PolicyFault>> {
    let documents = yaml::read(text).unwrap();
    read(&documents[0], Path::new("dir/cases.yaml"))
}

fn requests(text: &str) -> Vec<String> {
    let suite = read_text(text).unwrap();
    suite.cases.iter().map(Case::request).collect()
}

#[test]
fn lists_stand_for_every_combination() {
    let text = "\
policy: p.json
cases:
  - source-ip: [192.0.2.1, missing]
    method: [GET, POST]
    path: /pets
    expect: deny
  - {method: GET, path: /, expect: allow}
";
    let suite = read_text(text).unwrap();
    assert_eq!(suite.policies, [Path::new("dir/p.json")]);
    let rows: Vec<(usize, bool, u32)> = (suite.cases.iter())
        .map(|case| (case.index, case.one_of_several, line(&case.place)))
        .collect();
    assert_eq!(rows[..4], [(0, true, 3); 4]);
    assert_eq!(rows[4..], [(1, false, 7)]);
    assert_eq!(
        requests(text),
        [
            "GET /pets from 192.0.2.1",
            "GET /pets without a source address",
            "POST /pets from 192.0.2.1",
            "POST /pets without a source address",
            "GET / without a source address",
        ]
    );
}

#[test]
fn defaults_fill_in_and_give_way() {
    let defaults = "\
policies: [p.json]
defaults:
  source-ip: 192.0.2.1
  method: GET
  path: /pets
  principal: arn:aws:iam::123456789012:user/a
  context: {aws:UserAgent: curl, aws:SecureTransport: true}
  api: {region: eu-central-1, id: abc}
cases:
";
    for (case, expected) in [
        (
            "{}",
            "GET /pets from 192.0.2.1 as arn:aws:iam::123456789012:user/a \
             with aws:UserAgent=curl, aws:SecureTransport=true",
        ),
        (
            "{path: /x, stage: test, source-ip: missing, principal: anonymous, action: 'a:B', \
             context: {AWS:useragent: ~, aws:SecureTransport: [x, y]}}",
            "a:B on GET /x in stage test without a source address \
             with aws:SecureTransport=x, aws:SecureTransport=y",
        ),
        (
            "{resource: 'arn:x', principal: anonymous, context: {aws:UserAgent: ~, aws:SecureTransport: null}}",
            "arn:x from 192.0.2.1",
        ),
    ] {
        let case = case.replacen('}', if case == "{}" { "expect: deny}" } else { "}" }, 1);
        let case = if case.contains("expect") {
            case
        } else {
            format!("{}, expect: deny}}", &case[..case.len() - 1])
        };
        let text = format!("{defaults}  - {case}\n");
        assert_eq!(requests(&text), [expected]);
    }
    let suite = read_text(&format!(
        "{defaults}  - {{api: {{id: xyz}}, expect: allow}}\n"
    ))
    .unwrap();
    let api = &suite.cases[0].args.api;
    assert_eq!(api.region.as_deref(), Some("eu-central-1"));
    assert_eq!(api.api_id.as_deref(), Some("xyz"));
}

/// Values that YAML would read as numbers and truths are the texts that stand there.
#[test]
fn texts_stay_as_they_are_written() {
    let text = "\
cases:
  - method: GET
    path: /
    api: {account: 012345678901}
    context: {a: 1.50, b: yes, c: 2024-01-01, d: 'null', e: [0x10, False]}
    expect: allow
";
    let suite = read_text(text).unwrap();
    let args = &suite.cases[0].args;
    assert_eq!(args.api.account.as_deref(), Some("012345678901"));
    let context = [
        "a=1.50",
        "b=yes",
        "c=2024-01-01",
        "d=null",
        "e=0x10",
        "e=False",
    ];
    assert_eq!(args.context, context);
}

#[test]
fn what_is_expected() {
    for (text, accepts) in [
        ("allow", [true, false, false]),
        ("explicit deny", [false, true, false]),
        ("implicit_deny", [false, false, true]),
        ("deny", [false, true, true]),
    ] {
        let text = format!("cases:\n  - {{method: GET, path: /, expect: {text}}}\n");
        let expected = read_text(&text).unwrap().cases[0].expected;
        let decisions = [
            Decision::Allow,
            Decision::ExplicitDeny,
            Decision::ImplicitDeny,
        ];
        assert_eq!(
            decisions.map(|decision| expected.accepts(decision)),
            accepts
        );
    }
}

/// Each fault by its path, message, place and (a part of) its help.
#[test]
fn faults_say_what_and_where() {
    for (text, path, message, place, help) in [
        (
            "x",
            "",
            "a file of cases is a mapping, not a text",
            (1, 1),
            "`cases`",
        ),
        (
            "policy: p",
            "",
            "there are no `cases`",
            (1, 1),
            "write `cases:`",
        ),
        ("cases: []", "cases", "`cases` is empty", (1, 8), ""),
        (
            "cases: {}",
            "cases",
            "`cases` is a list of requests, not a mapping",
            (1, 8),
            "",
        ),
        (
            "cases:\n  - 1",
            "cases[0]",
            "cases[0] is a mapping, not a text",
            (2, 5),
            "`expect`",
        ),
        (
            "cases:\n  - method: GET",
            "cases[0]",
            "the case has no `expect`",
            (2, 5),
            "`expect: allow`",
        ),
        (
            "cases:\n  - expect: denied",
            "cases[0].expect",
            "`denied` is no decision",
            (2, 13),
            "`explicit deny`",
        ),
        (
            "policy: p\npolicies: [q]\ncases: [{expect: deny}]",
            "policies",
            "the policies stand here twice",
            (2, 1),
            "`policies`",
        ),
        (
            "kind: api\ncases: [{expect: deny}]",
            "kind",
            "`api` is no kind of policy",
            (1, 7),
            "`resource` or `identity`",
        ),
        (
            "cases:\n  - expect: deny\n    source_ip: x",
            "cases[0]",
            "there is no field `source_ip`",
            (3, 5),
            "is `source-ip` meant?",
        ),
        (
            "cases: [{expected: deny, expect: deny}]",
            "cases[0]",
            "there is no field `expected`",
            (1, 10),
            "is `expect` meant?",
        ),
        (
            "defaults: {pth: /}\ncases: [{expect: deny}]",
            "defaults",
            "there is no field `pth`",
            (1, 12),
            "is `path` meant?",
        ),
        (
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "x"}]}"#,
            "",
            "this is a policy, and no table of cases",
            (1, 1),
            "by --policy",
        ),
        (
            "cases: [{expect: deny}]\nzebra: 1",
            "",
            "there is no field `zebra`",
            (2, 1),
            "the fields here are `policy`",
        ),
        (
            "zebra: 1\ncases: [{expect: deny}]",
            "",
            "there is no field `zebra`",
            (1, 1),
            "the fields here are `policy`",
        ),
        (
            "cases: [{expect: deny, api: {api-id: x}}]",
            "cases[0].api",
            "there is no field `api-id`",
            (1, 30),
            "is `id` meant?",
        ),
        (
            "cases: [{expect: deny, source-ip: [192.0.2.1, 192.0.2.0/24]}]",
            "cases[0].source-ip",
            "`192.0.2.0/24` is a block, and a case asks about one address",
            (1, 47),
            "list addresses",
        ),
        (
            "cases: [{expect: deny, source-ip: 192.0.2.01}]",
            "cases[0].source-ip",
            "`192.0.2.01` is no IP address",
            (1, 35),
            "`missing`",
        ),
        (
            "cases: [{expect: deny, source-ip: }]",
            "cases[0].source-ip",
            "the value is missing",
            (1, 33),
            "leave the field out",
        ),
        (
            "cases: [{expect: deny, path: ''}]",
            "cases[0].path",
            "the text is empty",
            (1, 30),
            "fill it in",
        ),
        (
            "cases: [{expect: deny, path: []}]",
            "cases[0].path",
            "the list is empty",
            (1, 30),
            "leave the field out",
        ),
        (
            "cases: [{expect: deny, path: [{}]}]",
            "cases[0].path",
            "the value is a text, not a mapping",
            (1, 31),
            "in quotes",
        ),
        (
            "cases: [{expect: deny, source-ip: [2001:db8::, ::1]}]",
            "cases[0].source-ip",
            "the value is a text, not a mapping",
            (1, 36),
            "in quotes: \"2001:db8::\"",
        ),
        (
            "cases: [{expect: deny, path: /, resource: x}]",
            "cases[0].resource",
            "`resource` stands beside `path`",
            (1, 33),
            "`resource` with the full ARN",
        ),
        (
            "cases: [{expect: deny, context: {a: b, A: c}}]",
            "cases[0].context",
            "`A` is `a`: case does not count in condition keys",
            (1, 40),
            "keep one",
        ),
        (
            "cases: [{expect: deny, context: {a=: b}}]",
            "cases[0].context",
            "`a=` is no condition key",
            (1, 34),
            "`aws:UserAgent`",
        ),
        (
            "cases: [{expect: deny, context: x}]",
            "cases[0].context",
            "`context` is a mapping, not a text",
            (1, 33),
            "`aws:UserAgent: curl/8.5`",
        ),
    ] {
        let faults = read_text(text).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        let fault = &faults[0];
        assert_eq!(
            (fault.path.as_str(), fault.message.as_str()),
            (path, message),
            "{text}"
        );
        let at = (fault.position.line, fault.position.column);
        assert_eq!(at, place, "{text}");
        let said = fault.help.as_deref().unwrap_or_default();
        assert!(said.contains(help), "{text}: {said}");
    }
}

#[test]
fn all_faults_are_told_in_order() {
    let text = "cases:\n  - {expect: x, source-ip: y}\n  - {path: /}\n";
    let faults = read_text(text).unwrap_err();
    let lines: Vec<u32> = faults.iter().map(|fault| fault.position.line).collect();
    assert_eq!(lines, [2, 2, 3]);
}

#[test]
fn lists_make_no_more_cases_than_the_limit() {
    let addresses = vec!["192.0.2.1"; 600].join(", ");
    let paths = vec!["/"; 600].join(", ");
    let text = format!(
        "cases: [{{expect: deny, method: GET, source-ip: [{addresses}], path: [{paths}]}}]"
    );
    let faults = read_text(&text).unwrap_err();
    assert_eq!(faults[0].message, "the lists make more than 200000 cases");
}

#[test]
fn flags_are_said_as_fields() {
    assert_eq!(
        in_fields("--stage, --api-id must be given beside --method and --path"),
        "`stage`, `api.id` must be given beside `method` and `path`"
    );
}
