//! Input made to cost: bounded time and memory, an error or a right answer.
//!
//! The bounds are generous, for slow machines and debug builds; what they catch is growth of
//! another order.

use core::time::Duration;
use std::time::Instant;

use allocation_counter::{AllocationInfo, measure};
use portcullis::policy::ParseOptions;
use portcullis::{Address, Config, Decision, Engine, Policy, Request, reference};

const BOUND: Duration = Duration::from_secs(60);

fn statement(effect: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":{resource}{condition}}}"#
    )
}

fn document(statements: impl IntoIterator<Item = String>) -> String {
    let statements: Vec<String> = statements.into_iter().collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    )
}

fn build(text: &str) -> (Policy, Engine) {
    let policy = Policy::from_json(text).unwrap();
    let engine = Engine::builder().policy(policy.clone()).build().unwrap();
    (policy, engine)
}

fn request(resource: &str) -> Request<'_> {
    Request::invoke(Address::read("203.0.113.7"), resource)
}

/// Builds, compares with the reference on `resources`, and returns what building allocated at its peak.
fn hold(text: &str, resources: &[&str]) -> AllocationInfo {
    let start = Instant::now();
    let mut built = None;
    let memory = measure(|| built = Some(build(text)));
    let (policy, engine) = built.unwrap();
    let policies = [policy];
    for resource in resources {
        let expected = reference::explain(&policies, &request(resource));
        assert_eq!(engine.decide(&request(resource)), expected.decision);
        assert_eq!(engine.explain(&request(resource)), expected);
    }
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    memory
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

#[test]
fn ten_thousand_open_statements() {
    let open = r#","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#;
    let text = document((0..10_000).map(|_| statement("Allow", r#""*""#, open)));
    let memory = hold(&text, &["arn:x"]);
    assert!(mib(memory.bytes_max) < 64, "{memory:?}");
}

#[test]
fn ten_thousand_lists_that_all_overlap() {
    // Each list has a prefix of its own inside all the others' common one.
    let text = document((0..10_000).map(|i| {
        let own = format!("10.{}.{}.0/24", i / 256, i % 256);
        statement(
            "Allow",
            r#""*""#,
            &format!(r#","Condition":{{"IpAddress":{{"aws:SourceIp":["8.0.0.0/7","{own}"]}}}}"#),
        )
    }));
    let memory = hold(&text, &["arn:x"]);
    assert!(mib(memory.bytes_max) < 512, "{memory:?}");
}

#[test]
fn negated_lists_that_differ() {
    let text = document((0..3_000).map(|i| {
        let own = format!("10.{}.{}.0/24", i / 256, i % 256);
        statement("Deny", r#""*""#, &format!(r#","Condition":{{"NotIpAddress":{{"aws:SourceIp":["{own}"]}},"StringEquals":{{"x:k":"{i}"}}}}"#))
    }));
    let memory = hold(&text, &["arn:x"]);
    assert!(mib(memory.bytes_max) < 512, "{memory:?}");
}

#[test]
fn patterns_of_stars() {
    let stars = "*".repeat(5_000);
    let questions = "?".repeat(5_000);
    let mixed = "*?".repeat(2_500);
    let text =
        document([&stars, &questions, &mixed].map(|p| statement("Allow", &format!("\"{p}\""), "")));
    hold(
        &text,
        &["", "arn:x", &"x".repeat(5_000), &"x".repeat(2_500)],
    );
}

#[test]
fn a_thousand_patterns_of_ten_stars() {
    let pattern = |i: usize| {
        format!(
            "\"{}\"",
            (0..10)
                .map(|j| format!("*{:x}", (i * 31 + j * 7) % 64))
                .collect::<String>()
        )
    };
    let text = document((0..1_000).map(|i| statement("Deny", &pattern(i), "")));
    let hard = "0123456789abcdef".repeat(100);
    let memory = hold(&text, &["arn:x", &hard]);
    assert!(mib(memory.bytes_max) < 64, "{memory:?}");
}

#[test]
fn a_thousand_patterns_that_nearly_match_everywhere() {
    let run = "a".repeat(800);
    let text = document((0..1_000).map(|i| statement("Deny", &format!("\"*{run}b{i}*\""), "")));
    let (_, engine) = build(&text);
    let start = Instant::now();
    let resource = "a".repeat(1_600);
    assert_eq!(engine.decide(&request(&resource)), Decision::ImplicitDeny);
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_millis(100), "{elapsed:?}");
    let resource = run + "b7";
    assert_eq!(engine.decide(&request(&resource)), Decision::ExplicitDeny);
}

#[test]
fn a_hundred_megabytes_are_refused_at_once() {
    let text = " ".repeat(100 << 20);
    let start = Instant::now();
    let mut error = None;
    let memory = measure(|| error = Some(Policy::from_json(&text).unwrap_err()));
    assert_eq!(
        error.unwrap().faults()[0].message(),
        "the text has 104857600 bytes, more than the limit of 67108864"
    );
    assert!(
        mib(memory.bytes_max) < 1 && start.elapsed() < Duration::from_secs(1),
        "{memory:?}"
    );
}

#[test]
fn depth_bombs() {
    for bomb in ["[", "{\"a\":", "{\"Statement\":[", "\"\\\"", "{\\\""] {
        let text = bomb.repeat(10_000_000 / bomb.len());
        let mut error = None;
        let memory = measure(|| error = Some(Policy::from_json(&text).unwrap_err()));
        assert_eq!(error.unwrap().faults().len(), 1);
        assert!(mib(memory.bytes_max) < 256, "{bomb} {memory:?}");
    }
}

#[test]
fn a_million_faults_are_counted_and_not_kept() {
    let list = vec!["\"x\""; 1_000_000].join(",");
    let text = document([statement(
        "Deny",
        r#""*""#,
        &format!(r#","Condition":{{"IpAddress":{{"aws:SourceIp":[{list}]}}}}"#),
    )]);
    let error = Policy::from_json_with(&text, &ParseOptions::default()).unwrap_err();
    assert_eq!((error.faults().len(), error.suppressed()), (1_000, 999_000));
}

#[test]
fn limits_refuse_by_name() {
    let text = document((0..3).map(|_| statement("Allow", r#""*""#, "")));
    let policy = Policy::from_json(&text).unwrap();
    let build = |config| {
        Engine::builder()
            .policy(policy.clone())
            .config(config)
            .build()
    };
    let error = build(Config::new().with_statement_limit(2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "statements pass the limit of 2 (`statement_limit`)"
    );
    assert!(build(Config::new().with_statement_limit(3)).is_ok());
}

#[test]
fn decisions_do_not_allocate() {
    // Every kind of row, condition and value that a decision can come across.
    let conditions = [
        r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}"#,
        r#""NotIpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"},"ForAnyValue:IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
        r#""StringLike":{"aws:SourceIp":"*.0.113.*","aws:UserAgent":"${aws:username}*"}"#,
        r#""StringEqualsIgnoreCase":{"aws:UserAgent":"${aws:username, 'ÉTÉ'}"}"#,
        r#""NumericLessThan":{"x:n":10.5},"DateGreaterThan":{"x:d":"2024-01-01T00:00:00Z"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:username}"},"Null":{"x:none":true}"#,
        r#""ForAllValues:StringLike":{"x:list":["a*","b"]},"Bool":{"aws:SecureTransport":true}"#,
    ];
    let mut statements: Vec<String> = conditions
        .iter()
        .map(|c| {
            statement(
                "Allow",
                r#"["arn:a:b:c:d:${aws:username}/*","arn:*:x"]"#,
                &format!(r#","Condition":{{{c}}}"#),
            )
        })
        .collect();
    statements.push(
        statement("Deny", r#""arn:denied*""#, "")
            .replace("Resource", "NotResource")
            .replace("Deny", "Allow"),
    );
    let policy = Policy::from_json(&document(statements)).unwrap();
    for config in [Config::new(), Config::new().with_cell_budget(2)] {
        let engine = Engine::builder()
            .policy(policy.clone())
            .config(config)
            .build()
            .unwrap();
        let mut decisions = Vec::with_capacity(100);
        for address in [
            "203.0.113.7",
            "2001:db8::1",
            "::ffff:203.0.113.7",
            "no address",
        ] {
            for resource in ["arn:a:b:c:d:alice/x", "arn:denied", ""] {
                let list = ["abc", "b"];
                let context = [
                    ("aws:username", portcullis::Value::Text("alice")),
                    ("aws:UserAgent", portcullis::Value::Text("alice/1")),
                    ("aws:VpcSourceIp", portcullis::Value::Text("192.0.2.1")),
                    (
                        "aws:PrincipalArn",
                        portcullis::Value::Text("arn:aws:iam::1:user/alice"),
                    ),
                    ("aws:SecureTransport", portcullis::Value::Text("true")),
                    ("x:n", portcullis::Value::Text("3")),
                    ("x:d", portcullis::Value::Text("1735689600")),
                    ("x:list", portcullis::Value::Texts(&list)),
                ];
                let request =
                    Request::invoke(Address::read(address), resource).with_context(&context);
                let info = measure(|| decisions.push(engine.decide(&request)));
                assert_eq!(info.count_total, 0, "{address} {resource}");
            }
        }
        assert!(
            decisions.contains(&Decision::Allow) && decisions.contains(&Decision::ImplicitDeny)
        );
    }
}

/// The memory that text, policy and engine may take at their peak.
const SCALE_MIB: u64 = 256;

#[test]
fn ten_thousand_statements_with_twenty_thousand_patterns_and_a_hundred_thousand_cidrs() {
    let text = document((0..10_000_u32).map(|i| {
        let api = format!("arn:aws:execute-api:eu-central-1:123456789012:a{i:05}");
        let cidrs: Vec<String> = (0..10)
            .map(|j| {
                format!(
                    "\"{}/24\"",
                    core::net::Ipv4Addr::from_bits(
                        (i * 10 + j).wrapping_mul(2_654_435_761) | 0x0100_0000
                    )
                )
            })
            .collect();
        let condition = format!(
            r#","Condition":{{"IpAddress":{{"aws:SourceIp":[{}]}}}}"#,
            cidrs.join(",")
        );
        statement(
            "Allow",
            &format!(r#"["{api}/*/GET/pets/*","{api}/prod/POST/pets"]"#),
            &condition,
        )
    }));
    let memory = hold(
        &text,
        &["arn:aws:execute-api:eu-central-1:123456789012:a00007/prod/GET/pets/1"],
    );
    assert!(mib(memory.bytes_max) < SCALE_MIB, "{memory:?}");
}

#[test]
fn a_million_cidrs() {
    let cidrs: Vec<String> = (0..1_000_000_u32)
        .map(|i| {
            format!(
                "\"{}\"",
                core::net::Ipv4Addr::from_bits(i.wrapping_mul(2_654_435_761))
            )
        })
        .collect();
    let condition = format!(
        r#","Condition":{{"IpAddress":{{"aws:SourceIp":[{}]}}}}"#,
        cidrs.join(",")
    );
    let text = document([
        statement("Allow", r#""*""#, ""),
        statement("Deny", r#""*""#, &condition),
    ]);
    let memory = hold(&text, &["arn:x"]);
    assert!(mib(memory.bytes_max) < SCALE_MIB, "{memory:?}");
}
