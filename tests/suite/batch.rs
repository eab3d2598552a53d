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

/// What all resources share has something to say, and then what each is for: batches of whole chunks,
/// of parts of them, and of fewer answers than questions.
#[test]
fn batches_where_something_hangs_before_the_choice() {
    let mut statements: Vec<String> = (0..400)
        .map(|i| {
            format!(
                r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:e:r:1:{i:04}/*",
                    "Condition":{{"IpAddress":{{"aws:SourceIp":"{}.{}.0.0/16"}}}}}}"#,
                i % 200 + 1,
                i * 7 % 256
            )
        })
        .collect();
    // Before the choice, at a child, and behind one.
    for (effect, resource, from) in [
        ("Deny", "*", "9.0.0.0/8"),
        ("Allow", "arn:aws:*", "8.0.0.0/8"),
        ("Deny", "arn:aws:e:r:1:0007/prod/secret/*", "0.0.0.0/0"),
        ("Allow", "arn:aws:e:r:1:0008/prod/public/*", "0.0.0.0/0"),
        ("Deny", "arn:aws:e:r:1:0008/prod/public/not", "0.0.0.0/0"),
    ] {
        statements.push(format!(
            r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"{resource}",
                "Condition":{{"IpAddress":{{"aws:SourceIp":"{from}"}}}}}}"#
        ));
    }
    let text = format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
    let policies = [Policy::from_json(&text).unwrap()];
    let ends = [
        "prod/GET/x",
        "prod/secret/x",
        "prod/public/x",
        "prod/public/not",
        "",
    ];
    let resources: Vec<String> = (0..700)
        .map(|i| match i % 13 {
            0 => "arn:aws:e:r:1:".to_owned(),
            1 => "arn:other:0007/x".to_owned(),
            2 => format!("arn:aws:e:r:1:{:03}", i % 400),
            3 | 4 => format!("arn:aws:e:r:1:{:04}/{}", 7 + i % 2, ends[i / 13 % 5]),
            _ => format!("arn:aws:e:r:1:{:04}/{}", i % 420, ends[i / 3 % 5]),
        })
        .collect();
    let requests: Vec<Request<'_>> = (0_usize..)
        .zip(&resources)
        .map(|(i, resource)| {
            let octet = |i: usize| u8::try_from(i % 256).unwrap();
            let own = (octet(i % 420 % 200 + 1), octet(i % 420 * 7));
            let (a, b) = match i % 4 {
                0 => (octet(8 + i / 4 % 3), 1),
                _ => own,
            };
            Request::invoke(core::net::Ipv4Addr::new(a, b, 3, 4), resource)
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
        assert!(count > 50, "{outcome}: {count}");
    }
    let engine = Engine::builder().policy(policies[0].clone()).build();
    let engine = engine.unwrap();
    for engine in [engine.clone().with_least_instructions(), engine] {
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 700] {
            let mut decisions = vec![Decision::Allow; length];
            assert_eq!(engine.decide_batch(&requests, &mut decisions), length);
            assert_eq!(decisions, expected[..length]);
            let mut more = vec![Decision::ExplicitDeny; length + 40];
            assert_eq!(engine.decide_batch(&requests[..length], &mut more), length);
            assert_eq!(more[..length], expected[..length]);
            assert!(more[length..].iter().all(|&d| d == Decision::ExplicitDeny));
        }
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
