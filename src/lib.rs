//! Decides whether a request from an IP address may reach an API.

pub mod decision;
pub mod policy;
pub mod reference;
pub mod request;

pub mod engine;
mod image;
mod ir;
mod pattern;
mod prefix;
mod util;

pub use crate::decision::{Decision, Effect, Explanation, Position};
pub use crate::engine::{Builder, Engine, Inspection};
pub use crate::image::{Config, Strategy};
pub use crate::ir::BuildError;
pub use crate::policy::{ParseError, ParseOptions, Policy, PolicyKind};
pub use crate::request::{Address, Api, Principal, Request, Value, is_address_key};
