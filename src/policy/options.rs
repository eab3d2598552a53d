//! How a policy's text is read.

use super::model::PolicyKind;

/// How a policy's text is read; see [`super::Policy::from_json_with`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ParseOptions {
    /// What the policy must be; `None` takes a document without principals for an identity policy.
    pub kind: Option<PolicyKind>,
    /// What hostile input may cost.
    pub limits: Limits,
}

impl ParseOptions {
    /// Returns the options with a kind that the policy must be of.
    #[must_use]
    pub const fn with_kind(mut self, kind: Option<PolicyKind>) -> Self {
        self.kind = kind;
        self
    }

    /// Returns the options with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// What reading a text may cost; past a limit it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The length of the text in bytes; 64 MiB, and never 4 GiB or more.
    pub text_bytes: usize,
    /// How deep containers may be nested; 64.
    pub depth: usize,
    /// How many statements there may be; 200 000.
    pub statements: usize,
    /// How many values and keys there may be in all; 4 000 000.
    pub values: usize,
    /// How many faults are told, the others being counted; 1 000.
    pub faults: usize,
}

impl Default for Limits {
    /// Returns limits that hold a million CIDRs with room to spare.
    fn default() -> Self {
        Self {
            text_bytes: 64 << 20,
            depth: 64,
            statements: 200_000,
            values: 4_000_000,
            faults: 1_000,
        }
    }
}

impl Limits {
    /// Returns the limits with another length of the text, in bytes.
    #[must_use]
    pub const fn with_text_bytes(mut self, bytes: usize) -> Self {
        self.text_bytes = bytes;
        self
    }

    /// Returns the limits with another depth.
    #[must_use]
    pub const fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Returns the limits with another number of statements.
    #[must_use]
    pub const fn with_statements(mut self, statements: usize) -> Self {
        self.statements = statements;
        self
    }

    /// Returns the limits with another number of values and keys.
    #[must_use]
    pub const fn with_values(mut self, values: usize) -> Self {
        self.values = values;
        self
    }

    /// Returns the limits with another number of faults that are told.
    #[must_use]
    pub const fn with_faults(mut self, faults: usize) -> Self {
        self.faults = faults;
        self
    }
}
