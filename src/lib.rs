//! Decides whether a request from an IP address may reach an API.

pub mod decision;
pub mod policy;
pub mod request;

mod pattern;
mod prefix;
mod util;

pub use crate::decision::{Decision, Effect, Explanation, Position};
pub use crate::policy::{Policy, PolicyKind};
pub use crate::request::{Address, Api, Principal, Request, Value, is_address_key};
