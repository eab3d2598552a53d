//! What is answered: the three outcomes, and why.
//!
//! [`Decision`] is what a request gets. [`Explanation`] names the statements that
//! caused it, in the words of the AWS documentation: a *determining statement* is a
//! matching Deny for an explicit deny, a matching Allow for an allow; an implicit
//! deny has none.
//!
//! Both evaluators answer with these types, and tests hold that they answer the same.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ipnet::IpNet;

/// The outcome of a request.
///
/// Exhaustive on purpose: a fourth outcome should break every caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// At least one statement allows and none denies.
    Allow,
    /// At least one matching statement denies; final whatever else allows.
    ExplicitDeny,
    /// No matching statement at all: denied by default.
    ImplicitDeny,
}

impl Decision {
    /// Returns whether the request may pass.
    #[inline]
    pub const fn is_allow(self) -> bool {
        matches!(self, Self::Allow)
    }

    /// Returns the stable spelling used in JSON: `allow`, `explicit_deny`, `implicit_deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
        }
    }
}

impl fmt::Display for Decision {
    /// Writes the words of the documentation: `allow`, `explicit deny`, `implicit deny`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit deny",
            Self::ImplicitDeny => "implicit deny",
        })
    }
}

/// What a matching statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Lets the request pass unless something denies it.
    Allow,
    /// Refuses the request, whatever allows it.
    Deny,
}

impl Effect {
    /// Returns the spelling of the policy language: `Allow` or `Deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a policy's text; both numbers start at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, counted by line feeds.
    pub line: u32,
    /// Column, counted in characters (Unicode scalar values).
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a request got its decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The outcome; always what `decide` answers for the same request.
    pub decision: Decision,
    /// The statements that caused it, by policy and index; empty for an implicit deny.
    pub determining: Vec<Determining>,
}

impl Explanation {
    /// Returns an explanation from its parts.
    pub const fn new(decision: Decision, determining: Vec<Determining>) -> Self {
        Self {
            decision,
            determining,
        }
    }
}

/// A statement that caused a decision, and what in it matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Determining {
    /// Which policy, in the order they were given, from 0.
    pub policy: usize,
    /// Which statement of that policy, from 0.
    pub statement: usize,
    /// The statement's Sid, if it has one (it may be empty).
    pub sid: Option<String>,
    /// The statement's effect.
    pub effect: Effect,
    /// Where the statement starts.
    pub position: Position,
    /// The first `Resource` pattern, in document order, that matches; `None` under `NotResource`.
    pub resource: Option<MatchedPattern>,
    /// For each `IpAddress` condition satisfied by a known address, in document order: the
    /// longest prefix of its list that contains the address.
    ///
    /// `NotIpAddress`, set operators and conditions satisfied by a missing key have no prefix.
    pub prefixes: Vec<MatchedPrefix>,
}

/// A resource pattern that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedPattern {
    /// The pattern as the policy has it, short-hand expanded.
    pub pattern: String,
    /// Where it stands.
    pub position: Position,
}

/// A prefix that contains the request's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedPrefix {
    /// The condition key, as written.
    pub key: String,
    /// The prefix, host bits cleared; of equal prefixes the first in document order.
    pub prefix: IpNet,
    /// Where it stands.
    pub position: Position,
}
