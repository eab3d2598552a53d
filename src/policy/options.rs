//! How a policy's text is read.

use super::model::PolicyKind;

/// How a policy's text is read; see [`super::Policy::from_json_with`].
#[derive(Clone, Debug, Default)]
pub struct ParseOptions {
    pub(super) kind: Option<PolicyKind>,
    pub(super) limits: Limits,
}

impl ParseOptions {
    /// Sets what the policy must be; `None`, the default, takes a document without principals
    /// for an identity policy.
    #[must_use]
    pub const fn with_kind(mut self, kind: Option<PolicyKind>) -> Self {
        self.kind = kind;
        self
    }

    /// Sets what hostile input may cost.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns what hostile input may cost.
    pub const fn limits(&self) -> Limits {
        self.limits
    }
}

/// What reading a text may cost; past a limit it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(super) text_bytes: usize,
    pub(super) depth: usize,
    pub(super) statements: usize,
    pub(super) values: usize,
    pub(super) faults: usize,
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
    /// Sets how long the text may be, in bytes; default 64 MiB, and never 4 GiB or more.
    #[must_use]
    pub const fn with_text_bytes(mut self, bytes: usize) -> Self {
        self.text_bytes = bytes;
        self
    }

    /// Sets how deep containers may be nested; default 64.
    #[must_use]
    pub const fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Sets how many statements there may be; default 200 000.
    #[must_use]
    pub const fn with_statements(mut self, statements: usize) -> Self {
        self.statements = statements;
        self
    }

    /// Sets how many values and keys there may be in all; default 4 000 000.
    #[must_use]
    pub const fn with_values(mut self, values: usize) -> Self {
        self.values = values;
        self
    }

    /// Sets how many faults are told, the others being counted; default 1 000.
    #[must_use]
    pub const fn with_faults(mut self, faults: usize) -> Self {
        self.faults = faults;
        self
    }

    /// Returns how long the text may be, so that no more of a file need be read.
    pub const fn text_bytes(&self) -> usize {
        self.text_bytes
    }
}
