//! The policy document as written: every element with its position in the text.
//!
//! ```text
//! text ──source──▶ Source ──json──▶ tree with spans ──parse──▶ Policy | ParseError (all faults)
//!      unescape once or twice        duplicate keys kept        Policy ──display, layout──▶ text
//! ```
//!
//! This is the only place that knows JSON. What is accepted follows the IAM policy
//! grammar; what is refused is refused with line, column, path and a remedy, because
//! a statement that silently matches nothing either locks out or lets in.
//!
//! Decisions read operators and values too; all else is under the feature `build`.
//!
//! See also: [`crate::reference`], which evaluates these types as they stand, and
//! `crate::ir`, which lowers them.

mod operator;
pub(crate) mod value;

#[cfg(feature = "build")]
mod display;
#[cfg(feature = "build")]
mod error;
#[cfg(feature = "build")]
mod json;
#[cfg(feature = "build")]
mod layout;
#[cfg(feature = "build")]
mod model;
#[cfg(feature = "build")]
pub(crate) mod names;
#[cfg(feature = "build")]
mod options;
#[cfg(feature = "build")]
mod parse;
#[cfg(feature = "build")]
mod short_hand;
#[cfg(feature = "build")]
mod source;
#[cfg(feature = "build")]
mod text;

pub use self::operator::{ConditionOperator, Operator, OperatorFamily, Qualifier};
#[cfg(feature = "build")]
pub(crate) use self::source::Positions;
#[cfg(feature = "build")]
pub use self::{
    error::{Fault, ParseError},
    layout::Layout,
    model::{
        Action, Condition, Located, Policy, PolicyKind, PrincipalElement, PrincipalEntry, Resource,
        Statement, Values, Version,
    },
    options::{Limits, ParseOptions},
    source::Span,
    text::{PartRef, Text, VariableError},
};
