#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! ```text
//! text ──parse──▶ policy::Policy ──Builder::build──▶ Engine ──decide(&Request)──▶ Decision
//!                        └──────── reference::decide(&[Policy], &Request) ═ must be equal ═┘
//! ```
//!
//! | module | what is in it |
//! |---|---|
//! | [`analysis`] | what policies mean for all requests at once: how two sets of them differ; what is probably not meant |
//! | [`policy`] | the document as written, with positions; parsing and its errors; printing |
//! | [`request`] | what is asked |
//! | [`engine`] | the compiled policies: decide, explain, inspect |
//! | [`decision`] | what is answered |
//! | [`mod@reference`] | the executable specification, slow and plain |

pub mod analysis;
pub mod decision;
pub mod engine;
pub mod policy;
pub mod reference;
pub mod request;

mod image;
mod ir;
mod pattern;
mod prefix;
mod util;

pub use crate::decision::{Decision, Effect, Explanation, Position};
pub use crate::engine::{Builder, Engine, Handle, Inspection, Scope};
pub use crate::image::{Config, Strategy};
pub use crate::ir::BuildError;
pub use crate::policy::{ParseError, ParseOptions, Policy, PolicyKind};
pub use crate::request::{Address, Api, ApiError, Principal, Request, Value, is_address_key};
