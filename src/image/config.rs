//! What a build may use.

/// How rows are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// Cells over address classes within the budget, lists of rules past it.
    #[default]
    Auto,
    /// Cells over address classes only; past the budget the build fails.
    Cells,
    /// Lists of rules only: smallest, and slow where many rules share a resource.
    Lists,
}

/// Limits and choices of a build. None of them changes a decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    pub(crate) strategy: Strategy,
    pub(crate) statement_limit: usize,
    pub(crate) class_budget: usize,
    pub(crate) cell_budget: usize,
    pub(crate) image_size_limit: u64,
}

impl Default for Config {
    /// Returns the limits that hold a million CIDRs or tens of thousands of statements.
    fn default() -> Self {
        Self {
            strategy: Strategy::Auto,
            statement_limit: 1_000_000,
            class_budget: 1 << 25,
            cell_budget: 1 << 24,
            image_size_limit: 1 << 30,
        }
    }
}

impl Config {
    /// Returns the default limits and strategy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how rows are kept.
    #[must_use]
    pub const fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets how many statements all policies together may have; default 1 000 000.
    #[must_use]
    pub const fn with_statement_limit(mut self, statements: usize) -> Self {
        self.statement_limit = statements;
        self
    }

    /// Sets how many steps overlaying the prefix lists may take; default 2^25.
    ///
    /// A step is one prefix's end, or one list that is open at such an end. Lists that
    /// overlap little need about two steps a prefix. Past it there are no classes.
    #[must_use]
    pub const fn with_class_budget(mut self, steps: usize) -> Self {
        self.class_budget = steps;
        self
    }

    /// Sets how many cells all rows together may have; default 2^24 (8 bytes each).
    #[must_use]
    pub const fn with_cell_budget(mut self, cells: usize) -> Self {
        self.cell_budget = cells;
        self
    }

    /// Sets how many bytes the compiled policies may take; default 1 GiB.
    #[must_use]
    pub const fn with_image_size_limit(mut self, bytes: u64) -> Self {
        self.image_size_limit = bytes;
        self
    }
}
