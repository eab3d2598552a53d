//! Crowds at one resource: callers, actions and `NotResource` lists, around the numbers at which
//! the engine goes another way.
//!
//! Each statement has an address of its own where it can, so that every lane and every list is
//! seen to count, or not to, by itself.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::time::Instant;

use portcullis::{
    Address, Config, Decision, Engine, Policy, Principal, Request, Strategy, reference,
};
use serde_json::{Value as Json, json};

const API: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/";

/// The numbers at which lanes are found, and are too many to be collected, and one beside each.
const CROWDS: [usize; 6] = [7, 8, 63, 64, 65, 200];

fn own_address(i: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(i).unwrap())
}

/// Addresses of the first statements, of those around the sixty-fourth, of the last and of none.
fn addresses(crowd: usize) -> impl Iterator<Item = Ipv4Addr> {
    let near = move |i: &usize| *i < 10 || (62..67).contains(i) || i + 3 > crowd;
    (0..=crowd).filter(near).map(own_address)
}

fn load(statements: &[Json]) -> Policy {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    Policy::from_json(&document.to_string()).unwrap()
}

fn engines(policy: &Policy) -> [Engine; 3] {
    [
        Config::new(),
        Config::new().with_strategy(Strategy::Lists),
        Config::new().with_cell_budget(100),
    ]
    .map(|config| {
        let builder = Engine::builder().policy(policy.clone());
        builder.config(config).build().unwrap()
    })
}

/// Compares all engines with the reference and counts the three decisions.
fn agree<'r>(
    policy: &Policy,
    engines: &[Engine],
    requests: impl IntoIterator<Item = Request<'r>>,
) -> [usize; 3] {
    let mut counts = [0; 3];
    let policies = core::slice::from_ref(policy);
    for (index, request) in requests.into_iter().enumerate() {
        let expected = reference::decide(policies, &request);
        counts[match expected {
            Decision::Allow => 0,
            Decision::ExplicitDeny => 1,
            Decision::ImplicitDeny => 2,
        }] += 1;
        for (which, engine) in engines.iter().enumerate() {
            assert_eq!(
                engine.decide(&request),
                expected,
                "engine {which}: {request:?}"
            );
            // Explanations take the way of the reference; a few of them do.
            if index % 16 == 0 {
                let explanation = reference::explain(policies, &request);
                assert_eq!(
                    engine.explain(&request),
                    explanation,
                    "engine {which}: {request:?}"
                );
            }
        }
    }
    counts
}

fn count(engine: &Engine, name: &str) -> u64 {
    let inspection = engine.inspect();
    let mut counts = inspection.counts().iter();
    counts.find(|(known, _)| *known == name).unwrap().1
}

/// Makes a statement with an address of its own; every fifth denies.
fn own(i: usize, principal: (&str, Json), action: (&str, Json), resource: (&str, Json)) -> Json {
    json!({
        "Effect": if i % 5 == 4 { "Deny" } else { "Allow" },
        principal.0: principal.1,
        action.0: action.1,
        resource.0: resource.1,
        "Condition": { "IpAddress": { "aws:SourceIp": own_address(i).to_string() } },
    })
}

/// What the statements are about, in both ways to reach one resource.
fn resources() -> [(&'static str, Json); 2] {
    [
        ("Resource", json!(format!("{API}*"))),
        ("NotResource", json!(format!("{API}none"))),
    ]
}

#[test]
fn a_crowd_of_callers() {
    const COMMON: &str = "arn:aws:iam::123456789012:role/team/common";
    let user = |i: usize| format!("arn:aws:iam::123456789012:user/u{i}");
    let resource = format!("{API}prod/GET/pets");
    for crowd in CROWDS {
        // Alone; beside one that all have in common; all but one.
        for (shape, element) in [(0, "Principal"), (1, "Principal"), (2, "NotPrincipal")] {
            for about in resources() {
                let statements: Vec<Json> = (0..crowd)
                    .map(|i| {
                        let entries = match shape {
                            0 => json!(user(i)),
                            1 => json!([user(i), COMMON]),
                            _ => json!([user(i), "123456789012"]),
                        };
                        let principal = (element, json!({ "AWS": entries }));
                        own(i, principal, ("Action", json!("*")), about.clone())
                    })
                    .collect();
                let policy = load(&statements);
                let engines = engines(&policy);
                let lanes = u64::try_from(crowd).unwrap();
                assert!(count(&engines[0], "lanes") >= lanes, "one each");
                let callers: Vec<String> = [0, 4, 7, crowd - 1, crowd]
                    .into_iter()
                    .map(user)
                    .chain([
                        COMMON.to_owned(),
                        "arn:aws:sts::123456789012:assumed-role/common/s".to_owned(),
                        "arn:aws:sts::123456789012:assumed-role/common/".to_owned(),
                        "arn:aws:iam::210987654321:user/u0".to_owned(),
                        "u0".to_owned(),
                    ])
                    .collect();
                let mut principals: Vec<Principal<'_>> = callers
                    .iter()
                    .map(|caller| Principal::Aws(caller))
                    .collect();
                principals.extend([Principal::Anonymous, Principal::Service("s")]);
                let requests = principals.iter().flat_map(|&principal| {
                    addresses(crowd).map(move |address| (principal, address))
                });
                let requests = requests.map(|(principal, address)| {
                    Request::invoke(address, &resource).with_principal(principal)
                });
                let counts = agree(&policy, &engines, requests);
                assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
            }
        }
    }
}

#[test]
fn a_crowd_of_actions() {
    let resource = format!("{API}prod/GET/pets");
    // Of 126 to 130 bytes: hashed up to 128.
    let name = |i: usize| match i {
        3..8 => format!("s3:{}", "a".repeat(120 + i)),
        _ => format!("s3:Op{i}"),
    };
    for crowd in CROWDS {
        for (shape, element) in [
            (0, "Action"),
            (1, "Action"),
            (2, "Action"),
            (3, "NotAction"),
        ] {
            for about in resources() {
                for principal in [json!("*"), json!({ "AWS": "123456789012" })] {
                    let statements: Vec<Json> = (0..crowd)
                        .map(|i| {
                            let actions = match shape {
                                0 | 3 => json!(name(i)),
                                1 => json!([name(i), "execute-api:Invoke"]),
                                _ => json!([name(i), "execute-api:Inv?ke"]),
                            };
                            let principal = ("Principal", principal.clone());
                            own(i, principal, (element, actions), about.clone())
                        })
                        .collect();
                    let policy = load(&statements);
                    let engines = engines(&policy);
                    let lanes = u64::try_from(crowd).unwrap();
                    assert_eq!(count(&engines[0], "lanes"), lanes, "one each");
                    let mut actions: Vec<String> = [0, 3, 4, 5, 6, 7, crowd - 1, crowd]
                        .into_iter()
                        .map(name)
                        .collect();
                    actions.push(name(5).to_uppercase());
                    actions.push(name(6).to_uppercase());
                    actions.push("execute-api:invoke".to_owned());
                    actions.push(Request::INVOKE.to_owned());
                    let caller = Principal::Aws("arn:aws:iam::123456789012:user/u0");
                    let requests = actions
                        .iter()
                        .flat_map(|action| addresses(crowd).map(move |address| (action, address)));
                    let requests = requests.flat_map(|(action, address)| {
                        let request = Request::invoke(address, &resource).with_action(action);
                        [request, request.with_principal(caller)]
                    });
                    let counts = agree(&policy, &engines, requests);
                    assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
                }
            }
        }
    }
}

/// Makes statements with distinct lists: one pattern of each is its own, one is shared with a
/// seventh of all, one with all. The address is one of `addresses`.
fn lists(count: usize, addresses: usize, callers: usize) -> Vec<Json> {
    (0..count)
        .map(|i| {
            let patterns = json!([
                format!("{API}own{i}"),
                format!("{API}*/some{}/*", i % 7),
                format!("{API}all*"),
            ]);
            let principal = match i % callers {
                0 => json!("*"),
                n => json!({ "AWS": [format!("arn:aws:iam::123456789012:user/u{n}"), "210987654321"] }),
            };
            let principal = ("Principal", principal);
            own(i % addresses, principal, ("Action", json!("*")), ("NotResource", patterns))
        })
        .collect()
}

/// Resources that cancel none, one, many and all of [`lists`].
fn cancelling(count: usize) -> Vec<String> {
    let mut resources = vec![
        format!("{API}none"),
        format!("{API}own{count}"),
        format!("{API}all/some0/x"),
        format!("{API}x/some1/x"),
        // All but a seventh, and all.
        format!(
            "{API}{}",
            (0..6).map(|n| format!("/some{n}/x")).collect::<String>()
        ),
        format!(
            "{API}{}",
            (0..7).map(|n| format!("/some{n}/x")).collect::<String>()
        ),
    ];
    let ends = [
        0,
        1,
        63,
        64,
        65,
        255,
        256,
        511,
        512,
        65_535,
        65_536,
        count / 2,
        count - 1,
    ];
    resources.extend(
        ends.into_iter()
            .filter(|&i| i < count)
            .map(|i| format!("{API}own{i}")),
    );
    resources
}

#[test]
fn hundreds_of_distinct_not_resource_lists() {
    // Signed and anonymous callers have entries each: 256 lists are the 512 at hand.
    for (total, callers) in [(255, 1), (256, 1), (257, 1), (700, 1), (700, 5), (700, 70)] {
        let policy = load(&lists(total, total, callers));
        let engines = engines(&policy);
        let lists = u64::try_from(total).unwrap();
        assert_eq!(count(&engines[0], "NotResource lists"), lists);
        let resources = cancelling(total);
        let principals = [
            Principal::Anonymous,
            Principal::Aws("arn:aws:iam::123456789012:user/u3"),
            Principal::Aws("arn:aws:iam::210987654321:user/u3"),
        ];
        let mut requests = Vec::new();
        for resource in &resources {
            let of_resource = resource.strip_prefix(API).unwrap().strip_prefix("own");
            let at = of_resource.map_or(0, |number| number.parse().unwrap());
            for principal in principals {
                for i in [at, at + 1, 4, 255, 256, total - 1] {
                    let request = Request::invoke(own_address(i), resource);
                    requests.push(request.with_principal(principal));
                }
                for address in [Address::Absent, Address::Unreadable("x")] {
                    let request = Request::invoke(address, resource);
                    requests.push(request.with_principal(principal));
                }
            }
        }
        let counts = agree(&policy, &engines, requests);
        assert!(counts.iter().all(|&count| count > 20), "{counts:?}");
    }
}

#[test]
fn tens_of_thousands_of_distinct_not_resource_lists() {
    const TOTAL: usize = 70_000;
    let start = Instant::now();
    // Each address has so few lists that cancelling some of them shows.
    let policy = load(&lists(TOTAL, 50_000, 1));
    let engine = Engine::builder().policy(policy.clone()).build().unwrap();
    assert_eq!(count(&engine, "NotResource lists"), 70_000);
    let resources = cancelling(TOTAL);
    let caller = Principal::Aws("arn:aws:iam::210987654321:user/u3");
    let mut requests = Vec::new();
    for resource in &resources {
        let of_resource = resource.strip_prefix(API).unwrap().strip_prefix("own");
        let at: usize = of_resource.map_or(1, |number| number.parse().unwrap());
        let request = Request::invoke(own_address(at % 50_000), resource);
        requests.extend([request, request.with_principal(caller)]);
    }
    let before = Instant::now();
    let decisions: Vec<Decision> = requests.iter().map(|r| engine.decide(r)).collect();
    let took = before.elapsed();
    assert!(
        took < Duration::from_secs(5),
        "{} decisions took {took:?}",
        decisions.len()
    );
    let policies = [policy];
    // The reference looks at every list every time, so a sample must do.
    for (request, decision) in requests.iter().zip(&decisions).step_by(5) {
        assert_eq!(
            reference::decide(&policies, request),
            *decision,
            "{request:?}"
        );
    }
    assert!(decisions.contains(&Decision::ImplicitDeny) && decisions.contains(&Decision::Allow));
    assert!(
        start.elapsed() < Duration::from_secs(120),
        "took {:?}",
        start.elapsed()
    );
}
