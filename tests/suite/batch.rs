//! Decisions in batches of every length are those of one by one.

use portcullis::{Address, Decision, Engine, Policy, Request};

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
