//! Decisions in batches of every length are those of one by one.

use portcullis::{Address, Decision, Engine, Policy, Principal, Request, reference};

#[test]
fn batches_of_every_length() {
    let policy = Policy::from_json(
        r#"{"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*/1*"},
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
             "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/30", "2001:db8::/127"]}}}
        ]}"#,
    )
    .unwrap();
    let engine = Engine::builder().policy(policy).build().unwrap();
    let resources: Vec<String> = (0..100).map(|i| format!("arn/{i}")).collect();
    let address = |i: usize| match i % 4 {
        0 => Address::Absent,
        1 => Address::Unreadable("x"),
        2 => Address::read("2001:db8::1"),
        _ => {
            Address::Known(core::net::Ipv4Addr::new(10, 0, 0, u8::try_from(i % 16).unwrap()).into())
        }
    };
    let requests: Vec<Request<'_>> = resources
        .iter()
        .enumerate()
        .map(|(i, resource)| Request::invoke(address(i), resource))
        .collect();
    let expected: Vec<Decision> = requests
        .iter()
        .map(|request| engine.decide(request))
        .collect();
    for outcome in [
        Decision::Allow,
        Decision::ExplicitDeny,
        Decision::ImplicitDeny,
    ] {
        assert!(expected.contains(&outcome));
    }
    for length in 0..=requests.len() {
        let mut decisions = vec![Decision::Allow; length];
        assert_eq!(engine.decide_batch(&requests, &mut decisions), length);
        assert_eq!(decisions, expected[..length]);
        let mut more = vec![Decision::ExplicitDeny; requests.len() + 5];
        assert_eq!(engine.decide_batch(&requests[..length], &mut more), length);
        assert_eq!(more[..length], expected[..length]);
        assert!(
            more[length..].iter().all(|&d| d == Decision::ExplicitDeny),
            "what is not asked is not written"
        );
    }
}

/// Of many heads; some requests match more patterns than are kept, and some are in other lanes.
#[test]
fn batches_of_a_large_engine() {
    let mut statements = Vec::new();
    // So many that loads are begun ahead.
    for i in 0..3000 {
        let effect = if i % 3 == 0 { "Deny" } else { "Allow" };
        statements.push(format!(
            r#"{{"Effect": "{effect}", "Principal": "*", "Action": "execute-api:Invoke",
                "Resource": ["arn:{i:04}/*/GET/*", "arn:{i:04}/prod/POST/pets"],
                "Condition": {{"IpAddress": {{"aws:SourceIp": "10.{}.0.0/16"}}}}}}"#,
            i % 200
        ));
    }
    // Of these the request for the longest matches all, and the last denies.
    for (at, end) in [
        "", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678",
    ]
    .into_iter()
    .enumerate()
    {
        statements.push(format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:many/{end}*",
                "Condition": {{"IpAddress": {{"aws:SourceIp": "10.{at}.0.0/16"}}}}}}"#
        ));
    }
    statements.push(
        r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "arn:many/*8"},
           {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:a:b:c:d:*${aws:username}"}"#
            .to_owned(),
    );
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
        statements.join(",")
    );
    let policies = [Policy::from_json(&text).unwrap()];
    let engine = Engine::builder().policy(policies[0].clone()).build();
    let engine = engine.unwrap();
    let resources: Vec<String> = (0..300)
        .map(|i| match i % 6 {
            0 => format!("arn:{:04}/prod/GET/x", i * 7 % 1600),
            1 => format!("arn:{:04}/prod/POST/pets", i * 7 % 1600),
            2 => format!("arn:many/12345678{}", i % 4 + 6),
            3 => format!("arn:{:04}/POST", i * 7 % 1600),
            4 => ["arn:many/1", "arn:", "", "arn:0007/"][i / 6 % 4].to_owned(),
            _ => format!("arn:a:b:c:d:{i}/p"),
        })
        .collect();
    let context = [("aws:username", portcullis::Value::Text("/p"))];
    let requests: Vec<Request<'_>> = (0_usize..)
        .zip(&resources)
        .map(|(i, resource)| {
            let octet = u8::try_from(i * 7 % 1600 % 200).unwrap();
            let ip = core::net::Ipv4Addr::new(10, if i % 2 == 0 { octet } else { 3 }, 0, 1);
            let request = Request::invoke(ip, resource).with_context(&context);
            match i % 5 {
                0 => request.with_principal(Principal::Aws("arn:aws:iam::123456789012:user/u")),
                1 => request.with_action("execute-api:Other"),
                _ => request,
            }
        })
        .collect();
    let expected: Vec<Decision> = requests
        .iter()
        .map(|request| reference::decide(&policies, request))
        .collect();
    for outcome in [
        Decision::Allow,
        Decision::ExplicitDeny,
        Decision::ImplicitDeny,
    ] {
        let count = expected.iter().filter(|&&d| d == outcome).count();
        assert!(count > 10, "{outcome}: {count}");
    }
    for length in [1, 15, 16, 17, 31, 32, 33, 64, 65, 300] {
        let mut decisions = vec![Decision::Allow; length];
        assert_eq!(engine.decide_batch(&requests, &mut decisions), length);
        assert_eq!(decisions, expected[..length]);
    }
    for (request, &decision) in requests.iter().zip(&expected) {
        assert_eq!(engine.decide(request), decision, "{request:?}");
    }
}
