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
//! | [`analysis`] | what policies mean for all requests at once: how two sets of them differ, what is probably not meant, what every address gets |
//! | [`policy`] | the document as written, with positions; parsing and its errors; printing |
//! | [`request`] | what is asked |
//! | [`engine`] | the compiled policies: decide, explain, inspect |
//! | [`decision`] | what is answered |
//! | [`mod@reference`] | the executable specification, slow and plain |
//!
//! # Features
//!
//! All of them only add.
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | none | what decides: requests, and an [`Engine`] of an image ([`Engine::from_image`], [`Engine::from_static_image`]) to decide, explain and inspect; `no_std`, with `alloc` for the engine, for copies and for explanations | |
//! | `std` | what needs a system: [`Engine::read_image`] and [`Handle`] | yes |
//! | `build` | what compiles: [`policy`] with its parser, [`Builder`], [`Scope`], [`mod@reference`], [`analysis`]; needs `std` | yes |
//! | `huge-pages` | engines that are built, read or copied are kept in huge pages from two megabytes on, on Linux where it gives any; they decide faster there; needs `std` | |
//! | `mmap` | `Engine::map_image`, which maps a file instead of reading it; needs `std` | |

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "build")]
pub mod analysis;
pub mod decision;
pub mod engine;
pub mod policy;
#[cfg(feature = "build")]
pub mod reference;
pub mod request;

mod image;
#[cfg(feature = "build")]
mod ir;
mod pattern;
mod prefix;
mod util;

pub use crate::decision::{Decision, Effect, Explanation, Position};
#[cfg(feature = "std")]
pub use crate::engine::Handle;
#[cfg(feature = "build")]
pub use crate::engine::{Builder, Scope};
pub use crate::engine::{Engine, Inspection};
pub use crate::image::ImageError;
#[cfg(feature = "build")]
pub use crate::image::{Config, Strategy};
#[cfg(feature = "build")]
pub use crate::ir::BuildError;
#[cfg(feature = "build")]
pub use crate::policy::{ParseError, ParseOptions, Policy, PolicyKind};
pub use crate::request::{Address, Api, ApiError, Principal, Request, Value, is_address_key};
