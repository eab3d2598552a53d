//! The engine: policies in, decisions out.
//!
//! ```text
//! Policy… ──Builder::build──▶ Engine ──decide(&Request)──▶ Decision
//!                                    ──explain(&Request)──▶ Explanation
//!                                    ──inspect()──▶ Inspection
//! ```
//!
//! A decision reads the image and the request, and nothing else: it does not allocate,
//! lock, log or panic, and cannot fail. What cannot be told at request time denies.
//!
//! - `decide`: which way a request takes, and the general way;
//! - `open`: the way of nearly all of them;
//! - `batch`: many of them at once;
//! - `place`: request → where it stands in the rows;
//! - `row`: rows → answers;
//! - `withheld`: what `NotResource` brings;
//! - `lane`: is the request in a lane (action and principal);
//! - `condition`: residual conditions;
//! - `context`: reading the request's condition keys;
//! - `template`: texts with policy variables;
//! - `inspect`: what the engine is made of;
//! - `explain`: the same question asked of every rule, with what matched.
//!
//! With the feature `build`:
//!
//! - `builder`: engines of policies;
//! - `scope`: an engine bound to the start of its resources; without, `unscoped` stands in its place.
//!
//! With the feature `std`:
//!
//! - `file`: engines of files;
//! - `map`: engines of mapped files, with the feature `mmap`;
//! - `handle`: an engine that can be replaced while it is used.

mod batch;
mod condition;
mod context;
mod decide;
mod explain;
mod inspect;
mod lane;
mod open;
mod place;
mod row;
mod template;
mod withheld;

// What compiles.
#[cfg(feature = "build")]
mod builder;
#[cfg(feature = "build")]
mod scope;
#[cfg(not(feature = "build"))]
#[path = "unscoped.rs"]
mod scope;

// What needs a system.
#[cfg(feature = "std")]
mod file;
#[cfg(feature = "std")]
mod handle;
#[cfg(feature = "mmap")]
mod map;

use alloc::sync::Arc;
use core::fmt;

#[cfg(feature = "build")]
pub use self::builder::Builder;
#[cfg(feature = "std")]
pub use self::handle::{Current, Handle};
pub use self::inspect::{Inspection, Section};
#[cfg(feature = "build")]
pub use self::scope::Scope;
use crate::decision::{Decision, Explanation};
use crate::image::bytes::Bytes;
use crate::image::{self, ImageError, Loaded};
use crate::request::Request;
use crate::util::vector::Level;

/// A compiled set of policies.
///
/// It is an image: a stretch of bytes that can be saved, and decided by where it is. A clone
/// shares the image.
///
/// # Example
///
/// ```
/// use portcullis::{Address, Decision, Engine, Policy, Request};
///
/// let policy = Policy::from_json(
///     r#"{
///         "Version": "2012-10-17",
///         "Statement": {
///             "Effect": "Allow",
///             "Principal": "*",
///             "Action": "execute-api:Invoke",
///             "Resource": "arn:aws:execute-api:us-east-1:123456789012:abc123/*",
///             "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
///         }
///     }"#,
/// )?;
/// let engine = Engine::builder().resource_policy(policy).build()?;
/// let resource = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets";
/// let decision = engine.decide(&Request::invoke(Address::read("203.0.113.7"), resource));
/// assert_eq!(decision, Decision::Allow);
/// let decision = engine.decide(&Request::invoke(Address::read("198.51.100.1"), resource));
/// assert_eq!(decision, Decision::ImplicitDeny);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    image: Arc<Loaded>,
    level: Level,
}

impl Engine {
    /// Decides.
    ///
    /// Never panics and never allocates. Without any policy everything is denied implicitly.
    #[inline]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        decide::decide(self.level, self.image.view(), request)
    }

    /// Decides each of `requests` into the place of the same index, and returns how many that were:
    /// as many as the shorter slice has.
    ///
    /// The answers are those of [`Self::decide`]; look-ups of several requests overlap.
    ///
    /// ```
    /// use portcullis::{Address, Decision, Engine, Request};
    ///
    /// let engine = Engine::builder().build()?;
    /// let requests = [Request::invoke(Address::Absent, "arn:a"), Request::invoke(Address::Absent, "arn:b")];
    /// let mut decisions = [Decision::Allow; 2];
    /// assert_eq!(engine.decide_batch(&requests, &mut decisions), 2);
    /// assert_eq!(decisions, [Decision::ImplicitDeny; 2]);
    /// # Ok::<(), portcullis::BuildError>(())
    /// ```
    pub fn decide_batch(&self, requests: &[Request<'_>], decisions: &mut [Decision]) -> usize {
        batch::decide_batch(self.level, self.image.view(), requests, decisions)
    }

    /// Returns the decision with the statements that caused it.
    ///
    /// Looks at every statement, so it takes time linear in them; not for every request.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        explain::explain(self.image.view(), request)
    }

    /// Returns what of the processor the decisions use: `AVX2` (with BMI, LZCNT and POPCNT), `SSE2`, or
    /// `portable`. It is asked when an engine is made, where there is `std`.
    pub const fn instructions(&self) -> &'static str {
        self.level.name()
    }

    /// Returns an engine of the same image that uses nothing that not every processor of the target has.
    ///
    /// Its answers are the same; it is for those who compare.
    ///
    /// ```
    /// use portcullis::Engine;
    ///
    /// let engine = Engine::builder().build()?.with_least_instructions();
    /// assert!(["SSE2", "portable"].contains(&engine.instructions()));
    /// # Ok::<(), portcullis::BuildError>(())
    /// ```
    #[must_use]
    pub fn with_least_instructions(&self) -> Self {
        Self {
            image: Arc::clone(&self.image),
            level: Level::LEAST,
        }
    }

    /// Returns what the engine is made of.
    pub fn inspect(&self) -> Inspection {
        inspect::inspect(&self.image)
    }

    /// Returns the image, to be saved: [`Self::from_image`] makes the same engine of it.
    ///
    /// ```
    /// use portcullis::Engine;
    ///
    /// let engine = Engine::builder().build()?;
    /// let loaded = Engine::from_image(engine.image())?;
    /// assert_eq!(loaded.image(), engine.image());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn image(&self) -> &[u8] {
        self.image.bytes()
    }

    /// Returns whether bytes start as images do, rather than as a policy; the first eight are enough.
    pub fn is_image(bytes: &[u8]) -> bool {
        bytes.starts_with(&image::file::MAGIC)
    }

    /// Makes the engine of an image, of which a copy is kept.
    ///
    /// # Errors
    ///
    /// The bytes are no image, of another release, or damaged.
    pub fn from_image(bytes: &[u8]) -> Result<Self, ImageError> {
        Loaded::copy(bytes).map(Self::of)
    }

    /// Makes the engine of an image that is part of the program; nothing is copied.
    ///
    /// The bytes must start at a multiple of 64, as those of a
    /// `#[repr(C, align(64))] struct Aligned<T: ?Sized>(T)` around `include_bytes!` do.
    ///
    /// # Errors
    ///
    /// As [`Self::from_image`], and bytes that are not aligned.
    pub fn from_static_image(bytes: &'static [u8]) -> Result<Self, ImageError> {
        Loaded::open(Bytes::Static(bytes)).map(Self::of)
    }

    fn of(image: Loaded) -> Self {
        Self {
            image: Arc::new(image),
            level: Level::detect(),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("statements", &self.image.view().rules.len())
            .finish_non_exhaustive()
    }
}
