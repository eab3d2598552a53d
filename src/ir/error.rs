//! Why policies could not be built into an engine.

use core::fmt;

use crate::policy::PolicyKind;

/// Why policies could not be built into an engine.
///
/// Says which policy and statement are at fault where one is, and for a limit its name
/// and value. The engine that was there before is untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    pub(crate) kind: BuildErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BuildErrorKind {
    /// A policy given as of the other kind.
    Kind { policy: usize, expected: PolicyKind },
    /// A short-hand resource and no API to expand it with.
    ShortHand {
        policy: usize,
        statement: usize,
        resource: String,
    },
    /// More variables in one text than the engine resolves at once.
    Variables {
        policy: usize,
        statement: usize,
        text: String,
        limit: usize,
    },
    /// A table or count passed its limit.
    Limit {
        what: &'static str,
        option: &'static str,
        limit: u64,
    },
    /// A scope that takes too long to be made.
    Scope { limit: u64 },
}

impl BuildError {
    pub(crate) const fn limit(what: &'static str, option: &'static str, limit: u64) -> Self {
        Self {
            kind: BuildErrorKind::Limit {
                what,
                option,
                limit,
            },
        }
    }

    /// The tables count in 32 bits.
    pub(crate) const fn too_large(what: &'static str) -> Self {
        Self::limit(what, "32-bit table", 1 << 32)
    }

    /// Returns which policy is at fault, in the order they were given, from 0.
    pub const fn policy(&self) -> Option<usize> {
        match self.kind {
            BuildErrorKind::Kind { policy, .. }
            | BuildErrorKind::ShortHand { policy, .. }
            | BuildErrorKind::Variables { policy, .. } => Some(policy),
            BuildErrorKind::Limit { .. } | BuildErrorKind::Scope { .. } => None,
        }
    }

    /// Returns which statement of [`Self::policy`] is at fault, from 0.
    pub const fn statement(&self) -> Option<usize> {
        match self.kind {
            BuildErrorKind::ShortHand { statement, .. }
            | BuildErrorKind::Variables { statement, .. } => Some(statement),
            BuildErrorKind::Kind { .. }
            | BuildErrorKind::Limit { .. }
            | BuildErrorKind::Scope { .. } => None,
        }
    }

    /// Returns the limit that was passed, where that is what happened.
    pub const fn size_limit(&self) -> Option<u64> {
        match self.kind {
            BuildErrorKind::Limit { limit, .. } | BuildErrorKind::Scope { limit } => Some(limit),
            BuildErrorKind::Kind { .. }
            | BuildErrorKind::ShortHand { .. }
            | BuildErrorKind::Variables { .. } => None,
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BuildErrorKind::Kind {
                policy,
                expected: PolicyKind::Resource,
            } => write!(
                f,
                "policy {policy}: an identity policy, which matches every caller, is given as a resource policy: \
                 add a `Principal`, or give it as an identity policy"
            ),
            BuildErrorKind::Kind {
                policy,
                expected: PolicyKind::Identity,
            } => write!(
                f,
                "policy {policy}: a resource policy is given as an identity policy: \
                 remove its principals, or give it as a resource policy"
            ),
            BuildErrorKind::ShortHand {
                policy,
                statement,
                resource,
            } => write!(
                f,
                "policy {policy}: Statement[{statement}]: resource `{resource}` is short-hand: \
                 give the API it belongs to, or write the full ARN"
            ),
            BuildErrorKind::Variables {
                policy,
                statement,
                text,
                limit,
            } => write!(
                f,
                "policy {policy}: Statement[{statement}]: `{text}` has more than {limit} policy variables"
            ),
            BuildErrorKind::Limit {
                what,
                option,
                limit,
            } => {
                write!(f, "{what} pass the limit of {limit} (`{option}`)")
            }
            BuildErrorKind::Scope { limit } => write!(
                f,
                "reading the start of the scope with every pattern passes the limit of {limit} steps: \
                 give a shorter start, or ask the engine itself about whole resources"
            ),
        }
    }
}

impl core::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_place_and_the_remedy() {
        let short_hand = BuildErrorKind::ShortHand {
            policy: 0,
            statement: 2,
            resource: "execute-api:/*".to_owned(),
        };
        let variables = BuildErrorKind::Variables {
            policy: 1,
            statement: 0,
            text: "${a}".to_owned(),
            limit: 16,
        };
        let kind = |policy, expected| BuildError {
            kind: BuildErrorKind::Kind { policy, expected },
        };
        let cases = [
            (
                kind(0, PolicyKind::Resource),
                "policy 0: an identity policy, which matches every caller, is given as a resource policy: add a `Principal`, or give it as an identity policy",
                (Some(0), None, None),
            ),
            (
                kind(1, PolicyKind::Identity),
                "policy 1: a resource policy is given as an identity policy: remove its principals, or give it as a resource policy",
                (Some(1), None, None),
            ),
            (
                BuildError { kind: short_hand },
                "policy 0: Statement[2]: resource `execute-api:/*` is short-hand: give the API it belongs to, or write the full ARN",
                (Some(0), Some(2), None),
            ),
            (
                BuildError { kind: variables },
                "policy 1: Statement[0]: `${a}` has more than 16 policy variables",
                (Some(1), Some(0), None),
            ),
            (
                BuildError::limit("statements", "statement_limit", 5),
                "statements pass the limit of 5 (`statement_limit`)",
                (None, None, Some(5)),
            ),
            (
                BuildError {
                    kind: BuildErrorKind::Scope { limit: 7 },
                },
                "reading the start of the scope with every pattern passes the limit of 7 steps: give a shorter start, or ask the engine itself about whole resources",
                (None, None, Some(7)),
            ),
        ];
        for (error, message, (policy, statement, limit)) in cases {
            assert_eq!(error.to_string(), message);
            assert_eq!(
                (error.policy(), error.statement(), error.size_limit()),
                (policy, statement, limit)
            );
        }
    }
}
