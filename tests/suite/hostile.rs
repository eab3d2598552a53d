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
    let ((policy, engine), memory) = build_measured(text);
    let policies = [policy];
    for resource in resources {
        let expected = reference::explain(&policies, &request(resource));
        assert_eq!(engine.decide(&request(resource)), expected.decision);
        assert_eq!(engine.explain(&request(resource)), expected);
    }
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    memory
}

/// Returns what building allocated at its peak, with the image, which may be kept in pages that no
/// allocator counts.
fn build_measured(text: &str) -> ((Policy, Engine), AllocationInfo) {
    let mut built = None;
    let mut memory = measure(|| built = Some(build(text)));
    let built = built.unwrap();
    memory.bytes_max += u64::try_from(built.1.image().len()).unwrap();
    (built, memory)
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

/// The prefixes that hold the IPv4 addresses whose bit is set, counted from the left.
fn with_bit(bit: u32) -> String {
    let prefixes: Vec<String> = (0..1_u32 << bit)
        .map(|high| {
            let address = high.checked_shl(32 - bit).unwrap_or(0) | 1 << (31 - bit);
            format!(
                "\"{}/{}\"",
                core::net::Ipv4Addr::from_bits(address),
                bit + 1
            )
        })
        .collect();
    prefixes.join(",")
}

/// Builds within bounds on time and memory, and compares with the reference for some addresses.
fn hold_for_addresses(text: &str, most: Duration, most_mib: u64, resource: &str) {
    let start = Instant::now();
    let ((policy, engine), memory) = build_measured(text);
    assert!(start.elapsed() < most, "took {:?}", start.elapsed());
    assert!(mib(memory.bytes_max) < most_mib, "{memory:?}");
    let policies = [policy];
    for address in [
        "0.0.0.0",
        "255.255.255.255",
        "170.170.170.170",
        "10.0.0.9",
        "10.0.79.1",
        "::1",
        "x",
    ] {
        for k in ["0", "3", "none"] {
            let context = [("x:k", portcullis::Value::Text(k))];
            let request = Request::invoke(Address::read(address), resource).with_context(&context);
            let expected = reference::decide(&policies, &request);
            assert_eq!(engine.decide(&request), expected, "{address} {k}");
        }
    }
}

#[test]
fn lists_by_address_bit_in_every_combination() {
    // The lists of the first bits are short, and each holds half of as many classes as the last
    // bit makes: four of them a statement, and one condition that no class answers.
    let lists: Vec<String> = (0..18).map(with_bit).collect();
    let operators = [
        "IpAddress",
        "NotIpAddress",
        "IpAddressIfExists",
        "NotIpAddressIfExists",
    ];
    let mut statements: Vec<String> = lists
        .iter()
        .map(|list| {
            let condition = format!(r#","Condition":{{"IpAddress":{{"aws:SourceIp":[{list}]}}}}"#);
            statement("Allow", r#""arn:rare""#, &condition)
        })
        .collect();
    for i in 0..3_000 {
        let blocks: Vec<String> = operators
            .iter()
            .enumerate()
            .map(|(at, operator)| {
                let bit = (i * 7 + at * (1 + i / 7 % 6)) % 7;
                format!(r#""{operator}":{{"aws:SourceIp":[{}]}}"#, lists[bit])
            })
            .collect();
        let effect = if i % 2 == 0 { "Allow" } else { "Deny" };
        let own = format!(r#","StringEquals":{{"x:k":"{}"}}"#, i % 500);
        let own = if i % 3 == 0 { &own } else { "" };
        let condition = format!(r#","Condition":{{{}{own}}}"#, blocks.join(","));
        let resource = ["\"*\"", "\"arn:a*\""][i % 2];
        statements.push(statement(effect, resource, &condition));
    }
    let text = document(statements);
    assert!((2..8).contains(&(text.len() >> 20)), "{}", text.len());
    hold_for_addresses(&text, BOUND, SCALE_MIB, "arn:abc");
}

#[test]
fn lists_each_an_address_deeper_in_one() {
    // The addresses from the i-th on to the end of a /16, as prefixes.
    let text = document((0..20_000_u32).map(|i| {
        let (mut from, mut prefixes) = (i, Vec::new());
        while from < 1 << 16 {
            let size = if from == 0 { 16 } else { from.trailing_zeros() };
            let address = core::net::Ipv4Addr::from_bits(0x0a00_0000 | from);
            prefixes.push(format!("\"{address}/{}\"", 32 - size));
            from += 1 << size;
        }
        let list = prefixes.join(",");
        let operator = ["IpAddress", "NotIpAddress"][usize::from(i % 100 == 7)];
        let own = format!(r#""StringEquals":{{"x:k":"{i}"}}"#);
        let condition =
            format!(r#","Condition":{{"{operator}":{{"aws:SourceIp":[{list}]}},{own}}}"#);
        statement(
            ["Allow", "Deny"][usize::from(i % 3 == 0)],
            r#""*""#,
            &condition,
        )
    }));
    hold_for_addresses(&text, BOUND, 512, "arn:abc");
}

#[test]
fn many_lists_of_nested_prefixes() {
    // Thirty-two prefixes around one address of each list; the outer ones are common to all.
    let text = document((0..10_000_u32).map(|i| {
        let address = core::net::Ipv4Addr::from_bits(i.wrapping_mul(2_654_435_761));
        let prefixes: Vec<String> = (1..=32)
            .step_by(3)
            .map(|length| format!("\"{address}/{length}\""))
            .collect();
        let key = ["aws:SourceIp", "aws:VpcSourceIp"][usize::from(i % 9 == 0)];
        let condition = format!(
            r#","Condition":{{"NotIpAddress":{{"{key}":[{}]}}}}"#,
            prefixes[1 + usize::try_from(i % 8).unwrap()..].join(",")
        );
        statement("Allow", r#""*""#, &condition)
    }));
    hold_for_addresses(&text, BOUND, 512, "arn:abc");
}

/// Decides `count` times, and returns how long one decision took.
fn pace(engine: &Engine, request: &Request<'_>, expected: Decision, count: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..count {
        assert_eq!(engine.decide(request), expected);
    }
    start.elapsed() / count
}

#[test]
fn ten_thousand_values_of_one_key() {
    for operator in ["StringEquals", "StringLike", "ForAnyValue:StringEquals"] {
        let text = document((0..10_000).map(|i| {
            let values: Vec<String> = (0..=i % 16)
                .map(|j| format!("\"v{}\"", i + j * 10_000))
                .collect();
            let condition = format!(
                r#","Condition":{{"{operator}":{{"x:k":[{}]}}}}"#,
                values.join(",")
            );
            statement(["Allow", "Deny"][i % 2], r#""*""#, &condition)
        }));
        let (policy, engine) = build(&text);
        let policies = [policy];
        for (value, expected) in [
            ("v4242", Decision::Allow),
            ("v9999", Decision::ExplicitDeny),
            ("v159999", Decision::ExplicitDeny),
            ("v160000", Decision::ImplicitDeny),
            ("", Decision::ImplicitDeny),
        ] {
            let context = [("X:K", portcullis::Value::Text(value))];
            let request = request("arn:x").with_context(&context);
            assert_eq!(reference::decide(&policies, &request), expected, "{value}");
            let keyed = !operator.starts_with("For");
            let took = pace(&engine, &request, expected, if keyed { 200 } else { 2 });
            let most = Duration::from_micros(if keyed { 150 } else { 100_000 });
            assert!(took < most, "{operator} {value}: {took:?}");
        }
    }
}

#[test]
fn many_tails_at_each_of_many_nested_heads() {
    let api = "arn:aws:execute-api:us-east-1:123456789012:abc/";
    let text = document((0..64_usize).flat_map(|depth| {
        (0..24_usize).map(move |tail| {
            let pattern = format!("\"{api}{}*/p{tail:02}/*/x{depth:02}\"", "a/".repeat(depth));
            statement("Deny", &pattern, "")
        })
    }));
    let (policy, engine) = build(&text);
    let policies = [policy];
    let head = format!("{api}{}", "a/".repeat(70));
    let all: String = (0..24).map(|tail| format!("/p{tail:02}/")).collect();
    for (middle, end, expected) in [
        ("/p01/".repeat(1_000), "none", Decision::ImplicitDeny),
        (all.repeat(50), "none", Decision::ImplicitDeny),
        (all.repeat(50), "x6", Decision::ImplicitDeny),
        (all.repeat(50), "x63", Decision::ExplicitDeny),
        ("/p0".repeat(1_000), "/x63", Decision::ImplicitDeny),
        ("/p23/".repeat(1_000), "/x00", Decision::ExplicitDeny),
    ] {
        let resource = format!("{head}{middle}/{end}");
        let request = request(&resource);
        assert_eq!(reference::decide(&policies, &request), expected, "{end}");
        let took = pace(&engine, &request, expected, 3);
        assert!(took < Duration::from_millis(500), "{end}: {took:?}");
    }
}

#[test]
fn texts_of_the_request_that_repeat_themselves() {
    // Each is the value of one variable, and all of the rest of another text: a comparison at
    // every place would be the square of them.
    let resource = format!("arn:aws:s3:::{}", "a".repeat(64 << 10));
    let (half, with_end) = ("a".repeat(32 << 10), "a".repeat(32 << 10) + "b");
    let action = format!("s3:{}", "a".repeat(256 << 10));
    let own = format!("s3:*{}b*", "aA".repeat(500));
    let like = r#","Condition":{"StringLike":{"x:a":"*${x:b}*"}}"#;
    let arn = r#","Condition":{"ArnLike":{"x:a":"*:*:*:*:*:*${x:h}?${x:b}*"}}"#;
    for statement in [
        statement("Allow", r#""*""#, like),
        statement("Allow", r#""*""#, arn),
        statement("Allow", r#""arn:aws:s3:::*${x:b}*""#, ""),
        statement("Allow", r#""arn:aws:s3:::*${x:h}b${x:h}*""#, ""),
        statement("Allow", r#""arn:aws:s3:::*a?${x:h}?b*${x:h}*""#, ""),
        statement("Allow", r#""*""#, "")
            .replace(r#""Action":"*""#, &format!(r#""Action":"{own}""#)),
    ] {
        let (_, engine) = build(&document([statement.clone()]));
        let context = [
            ("x:a", portcullis::Value::Text(&resource)),
            ("x:b", portcullis::Value::Text(&with_end)),
            ("x:h", portcullis::Value::Text(&half)),
        ];
        let request = request(&resource)
            .with_context(&context)
            .with_action(&action);
        let took = pace(&engine, &request, Decision::ImplicitDeny, 1);
        assert!(took < Duration::from_millis(1_000), "{statement}: {took:?}");
    }
}

#[test]
fn methods_and_paths_of_any_length() {
    let api = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/";
    let text = document((0..10_000).map(|i| statement("Allow", &format!(r#""{api}*/p{i}""#), "")));
    let (_, engine) = build(&text);
    let scope = engine.scope(api).unwrap();
    for len in [10, 1_100, 8_000, 60_000, 200_000] {
        for (end, expected) in [("/p77", Decision::Allow), ("/p", Decision::ImplicitDeny)] {
            let path = "x".repeat(len) + end;
            let request = request(&path);
            for (method, path) in [("GET", &*path), ("BREW", &path), (&path, "p77")] {
                let whole = format!("{api}{method}/{path}");
                let request = request.with_resource(path);
                let start = Instant::now();
                let decision = scope.decide_method(method, &request);
                let took = start.elapsed();
                assert_eq!(decision, engine.decide(&request.with_resource(&whole)));
                assert!(path == "p77" || decision == expected, "{method}");
                assert!(
                    took < Duration::from_millis(200),
                    "{len} {method}: {took:?}"
                );
            }
        }
    }
}

#[test]
fn a_scope_whose_start_repeats_what_the_patterns_repeat() {
    let a = "a".repeat(200);
    let text = document((0..3_000).map(|i| statement("Allow", &format!(r#""arn:*{a}{i}""#), "")));
    let (_, engine) = build(&text);
    let start = Instant::now();
    let from = format!("arn:{a}");
    let mut scope = None;
    let memory = measure(|| scope = Some(engine.scope(&from).unwrap()));
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    assert!(mib(memory.bytes_max) < 64, "{memory:?}");
    let scope = scope.unwrap();
    for (rest, expected) in [
        ("7", Decision::Allow),
        ("a7", Decision::Allow),
        ("b7", Decision::ImplicitDeny),
        ("3000", Decision::ImplicitDeny),
    ] {
        assert_eq!(scope.decide(&request(rest)), expected, "{rest}");
        let whole = format!("{from}{rest}");
        assert_eq!(engine.decide(&request(&whole)), expected, "{rest}");
    }
    let error = engine.scope(&"a".repeat(100_000)).err();
    assert!(error.is_none(), "no pattern starts so");
    let error = engine.scope(&format!("arn:{}", "a".repeat(100_000)));
    let message = error.unwrap_err().to_string();
    assert!(message.contains("ask the engine itself"), "{message}");
}
