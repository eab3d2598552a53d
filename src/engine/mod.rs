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
//! - `decide`: the hot path, over rows and cells;
//! - `scope`: an engine bound to the start of its resources;
//! - `withheld`: what `NotResource` brings;
//! - `lane`: is the request in a lane (action and principal);
//! - `condition`: residual conditions;
//! - `context`: reading the request's condition keys;
//! - `template`: texts with policy variables;
//! - `handle`: an engine that can be replaced while it is used;
//! - `map`: engines of mapped files;
//! - `inspect`: what the engine is made of;
//! - `explain`: the same question asked of every rule, with what matched.

mod condition;
mod context;
mod decide;
mod explain;
mod handle;
mod inspect;
mod lane;
#[cfg(feature = "mmap")]
mod map;
mod scope;
mod template;
mod withheld;

use core::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use self::handle::{Current, Handle};
pub use self::inspect::{Inspection, Section};
pub use self::scope::Scope;
use crate::decision::{Decision, Explanation};
use crate::image::bytes::Bytes;
use crate::image::{self, Config, ImageError, ImageErrorKind, Loaded};
use crate::ir::{self, BuildError, BuildErrorKind};
use crate::policy::{Policy, PolicyKind};
use crate::request::{Api, Request};

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
}

impl Engine {
    /// Starts with no policies.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Decides.
    ///
    /// Never panics and never allocates. Without any policy everything is denied implicitly.
    #[inline]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        decide::decide(self.image.view(), request)
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
        decide::decide_batch(self.image.view(), requests, decisions)
    }

    /// Binds the engine to the start of its resources, such as
    /// `arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/`: per request only what
    /// follows is read.
    ///
    /// Reads every pattern and keeps what is left of each in eight tables, one for each common
    /// method and one for all others: not for every request. Mostly that takes time linear in the
    /// patterns, about as much as building them eight times; a pattern whose literal behind a
    /// star repeats what the start repeats takes up to the square of the start's length.
    ///
    /// # Errors
    ///
    /// Reading the patterns would take more than 2^29 steps, which stand for seconds; or the tables
    /// of what is left would pass 2^32 entries. The engine itself can be asked all the same.
    pub fn scope(&self, start: &str) -> Result<Scope<'_>, BuildError> {
        Scope::new(self, start)
    }

    /// Returns the decision with the statements that caused it.
    ///
    /// Looks at every statement, so it takes time linear in them; not for every request.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        explain::explain(self.image.view(), request)
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

    /// Makes the engine of the image in a file, of which a copy is kept.
    ///
    /// # Errors
    ///
    /// As [`Self::from_image`], and a file that cannot be read.
    pub fn read_image(path: impl AsRef<Path>) -> Result<Self, ImageError> {
        let file = File::open(path).map_err(ImageErrorKind::Read)?;
        Loaded::read(&file).map(Self::of)
    }

    fn of(image: Loaded) -> Self {
        Self {
            image: Arc::new(image),
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

/// Collects policies for an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    policies: Vec<Policy>,
    /// What is wrong already.
    refused: Option<BuildError>,
    api: Option<Api>,
    config: Config,
}

impl Builder {
    /// Adds a policy of either kind.
    ///
    /// Policies count in the order they are added; an allow needs one statement of any of
    /// them that allows and none in all of them that denies.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Adds a policy that is attached to the API; [`Self::build`] refuses one of the other kind.
    #[must_use]
    pub fn resource_policy(self, policy: Policy) -> Self {
        self.policy_of(PolicyKind::Resource, policy)
    }

    /// Adds a policy that is attached to the caller of every request this engine is asked
    /// about; [`Self::build`] refuses one of the other kind.
    #[must_use]
    pub fn identity_policy(self, policy: Policy) -> Self {
        self.policy_of(PolicyKind::Identity, policy)
    }

    fn policy_of(mut self, expected: PolicyKind, policy: Policy) -> Self {
        if policy.kind() != expected {
            let policy = self.policies.len();
            let kind = BuildErrorKind::Kind { policy, expected };
            self.refused.get_or_insert(BuildError { kind });
        }
        self.policy(policy)
    }

    /// Sets the API that short-hand resources (`execute-api:/stage/METHOD/path`) belong to.
    #[must_use]
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    /// Sets limits and strategy.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Compiles the policies.
    ///
    /// # Errors
    ///
    /// A policy of the other kind than it was given as, a short-hand resource without [`Self::api`], more policy variables in one text than
    /// the engine resolves, or a limit of [`Config`] passed.
    pub fn build(mut self) -> Result<Engine, BuildError> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        if let Some(api) = &self.api {
            for policy in &mut self.policies {
                if policy.short_hand().is_some() {
                    *policy = policy.with_short_hand_expanded(api);
                }
            }
        }
        let rules = ir::lower(&self.policies, self.config.statement_limit)?;
        let image = image::build(&rules, &self.config)?;
        Ok(Engine::of(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_the_other_kind_is_refused() {
        let identity = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let resource =
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
        let [identity, resource] =
            [identity, resource].map(|text| Policy::from_json(text).unwrap());
        let both = |builder: Builder| builder.policy(identity.clone()).policy(resource.clone());
        assert!(both(Engine::builder()).build().is_ok());
        let error = both(Engine::builder())
            .resource_policy(identity.clone())
            .build()
            .unwrap_err();
        assert_eq!(error.policy(), Some(2));
        let error = Engine::builder()
            .identity_policy(resource)
            .build()
            .unwrap_err();
        assert_eq!(error.policy(), Some(0));
    }
}
