//! A program without `std`, as an embedded device or a kernel would have it: the image is part of
//! the program, and what decides is all there is of the library.
#![no_std]

use portcullis::{Address, Decision, Engine, Explanation, ImageError, Request, Value};

/// Aligned as [`Engine::from_static_image`] asks.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/policy.image")));

/// What the policy is about.
pub const STAGE: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/";

/// The bytes of the policy.
pub fn image() -> &'static [u8] {
    &IMAGE.0
}

/// Loads the policy. This and explaining take memory; deciding does not.
pub fn load() -> Result<Engine, ImageError> {
    Engine::from_static_image(image())
}

/// Decides about one request.
pub fn decide(engine: &Engine, address: &str, resource: &str, time: &str) -> Decision {
    let context = [("aws:CurrentTime", Value::Text(time))];
    engine.decide(&Request::invoke(Address::read(address), resource).with_context(&context))
}

/// Decides about the same resource for each address, at a time that is not known.
pub fn decide_all<const N: usize>(
    engine: &Engine,
    addresses: [&str; N],
    resource: &str,
) -> [Decision; N] {
    let requests = addresses.map(|address| Request::invoke(Address::read(address), resource));
    let mut decisions = [Decision::ImplicitDeny; N];
    engine.decide_batch(&requests, &mut decisions);
    decisions
}

/// Says why.
pub fn explain(engine: &Engine, address: &str, resource: &str) -> Explanation {
    engine.explain(&Request::invoke(Address::read(address), resource))
}
