//! A service that asks before every request: `cargo run --example embedded -- 203.0.113.7 GET pets/1`.
//!
//! Load and build once, at start; decide per request. What cannot be read at start is
//! refused there, so that a decision cannot fail.

use core::error::Error;
use std::env;
use std::process::ExitCode;

use portcullis::{Address, Api, Decision, Engine, Policy, Request};

const POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Everyone", "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/GET/*"},
        {"Sid": "Blocked", "Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
         "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}}
    ]
}"#;

#[expect(clippy::print_stdout, reason = "the example's answer")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let api = Api::new("aws", "eu-central-1", "123456789012", "io75qg1rvf")?;
    let engine = Engine::builder()
        .resource_policy(Policy::from_json(POLICY)?)
        .api(api.clone())
        .build()?;

    let mut arguments = env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let (peer, method, path) = (next("203.0.113.7"), next("GET"), next("pets/1"));

    let resource = format!("{api}prod/{method}/{path}");
    let request = Request::invoke(Address::read(&peer), &resource);
    let decision = engine.decide(&request);
    println!("{peer} {method} /{path}: {decision}");
    for statement in engine.explain(&request).determining {
        println!(
            "  by statement {} `{}`, {}",
            statement.statement,
            statement.sid.unwrap_or_default(),
            statement.position
        );
    }
    Ok(match decision {
        Decision::Allow => ExitCode::SUCCESS,
        Decision::ExplicitDeny | Decision::ImplicitDeny => ExitCode::FAILURE,
    })
}
