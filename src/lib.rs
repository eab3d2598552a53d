//! Decides whether a request from an IP address may reach an API.

pub mod decision;
pub mod policy;
pub mod reference;
pub mod request;

mod util;

pub use crate::decision::{Decision, Effect, Explanation, Position};
pub use crate::policy::{Policy, PolicyKind};
pub use crate::request::{Address, Api, Principal, Request, Value, is_address_key};
