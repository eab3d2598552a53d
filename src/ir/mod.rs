//! The normal form between document and image: rules over interned parts.
//!
//! ```text
//! Policy ── lower ──▶ RuleSet
//!   statement          rule: effect, lane parts, pattern ids, condition ids
//!   CIDR list          PrefixSet, one for each distinct list of addresses
//!   Resource text      PatternSource, one for each distinct text
//!   Condition entry    Condition, one for each distinct operator, key and values
//! ```
//!
//! Lowering changes no decision: a rule is a statement with its parts replaced by ids.
//! Equal parts get equal ids, so that ten thousand statements that say the same thing
//! cost the tables no more than one.

mod error;
mod lower;
mod rule;

pub use self::error::BuildError;
pub(crate) use self::error::BuildErrorKind;
pub(crate) use self::lower::lower;
pub(crate) use self::rule::{
    Condition, ConditionValues, Note, Principals, Rule, RuleSet, TextPart,
};
