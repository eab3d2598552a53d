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
//! See also: [`crate::reference`], which evaluates these types as they stand, and
//! `crate::ir`, which lowers them.

mod display;
mod error;
mod json;
mod layout;
mod model;
mod operator;
mod options;
mod parse;
mod short_hand;

mod source;
mod text;
pub(crate) mod value;

pub use self::error::{Fault, ParseError};
pub use self::layout::Layout;
pub use self::model::{
    Action, Condition, Located, Policy, PolicyKind, PrincipalElement, PrincipalEntry, Resource,
    Statement, Values, Version,
};
pub use self::operator::{ConditionOperator, Operator, OperatorFamily, Qualifier};
pub use self::options::{Limits, ParseOptions};
pub use self::source::Span;
pub use self::text::{PartRef, Text, VariableError};
