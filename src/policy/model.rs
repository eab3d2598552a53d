//! The elements of a policy document.
//!
//! Equality compares meaning as written and ignores positions ([`Located`]), so that
//! a document and its printed form are equal.

use core::hash::{Hash, Hasher};
use std::sync::Arc;

use ipnet::IpNet;

use super::operator::ConditionOperator;
use super::source::{Positions, Source, Span};
use super::text::Text;
use crate::decision::{Effect, Position};

/// A parsed, valid policy document.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) source: Arc<Source>,
    pub(super) kind: PolicyKind,
    pub(super) version: Option<Version>,
    pub(super) id: Option<Located<Box<str>>>,
    pub(super) statements: Vec<Statement>,
}

impl Policy {
    /// Returns whether this is a resource policy or an identity policy.
    pub const fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// Returns the `Version` element, if there is one.
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Returns the `Id` element, if there is one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| &*id.value)
    }

    /// Returns the statements in document order; never empty.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Returns a policy of the same kind and version with other statements; places are those of this one's source.
    pub(crate) fn with_statements(&self, statements: Vec<Statement>) -> Self {
        Self {
            statements,
            ..self.clone()
        }
    }

    /// Returns the text the policy was read from, as given (escaped, if it was).
    pub fn source_text(&self) -> &str {
        self.source.given()
    }

    /// Returns a policy of one statement, at places of this one's text.
    pub(crate) fn with_only(&self, statement: Statement) -> Self {
        Self {
            source: Arc::clone(&self.source),
            kind: self.kind,
            version: self.version,
            id: None,
            statements: vec![statement],
        }
    }

    /// Returns the JSON text that spans are ranges of: the source text, unescaped.
    pub(crate) fn document(&self) -> &str {
        self.source.text()
    }

    /// Returns the byte range of `span` in [`Self::source_text`].
    pub fn source_range(&self, span: Span) -> core::ops::Range<usize> {
        self.source.given_range(span)
    }

    /// Returns where `span` starts in [`Self::source_text`].
    pub fn position(&self, span: Span) -> Position {
        self.source.position(span.start)
    }

    /// Returns what finds the positions of many spans, best in the order of the text.
    pub(crate) fn positions(&self) -> Positions<'_> {
        self.source.positions()
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.version == other.version
            && self.id == other.id
            && self.statements == other.statements
    }
}

impl Eq for Policy {}

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// Attached to an API: every statement names the callers it is for.
    Resource,
    /// Attached to a caller: no statement has a principal.
    Identity,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`; the same as no `Version` at all: policy variables are plain text.
    V2008,
    /// `2012-10-17`: policy variables work.
    V2012,
}

impl Version {
    /// Returns the spelling of the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// A value and where it stands. Equality is of the values alone.
#[derive(Clone, Copy, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands; for a string with its quotes.
    pub span: Span,
}

impl<T> Located<T> {
    /// Returns a value at a place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T: Hash> Hash for Located<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

/// One statement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Statement {
    /// Where the statement's object stands.
    pub span: Span,
    /// The statement's name; may be empty.
    pub sid: Option<Located<Box<str>>>,
    /// What the statement does when it matches.
    pub effect: Located<Effect>,
    /// `Principal` or `NotPrincipal`; `None` in an identity policy, where every caller matches.
    pub principal: Option<PrincipalElement>,
    /// `Action` or `NotAction`.
    pub action: Action,
    /// `Resource` or `NotResource`.
    pub resource: Resource,
    /// The conditions, all of which must hold; one entry for each operator and key, in document order.
    pub conditions: Vec<Condition>,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.sid == other.sid
            && self.effect == other.effect
            && self.principal == other.principal
            && self.action == other.action
            && self.resource == other.resource
            && self.conditions == other.conditions
    }
}

impl Eq for Statement {}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug)]
pub struct PrincipalElement {
    /// Whether it is `NotPrincipal`.
    pub negated: bool,
    /// Where the element's value stands.
    pub span: Span,
    /// The callers listed, in document order; never empty.
    pub entries: Vec<Located<PrincipalEntry>>,
}

impl PartialEq for PrincipalElement {
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.entries == other.entries
    }
}

impl Eq for PrincipalElement {}

/// One caller, or kind of callers, of a principal element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalEntry {
    /// `"*"` or `{"AWS": "*"}`: everyone, anonymous callers included.
    Everyone,
    /// `"123456789012"` or `"arn:aws:iam::123456789012:root"`: every caller of the account.
    Account {
        /// The ARN's partition; `None` for the bare number, which names the account in any.
        partition: Option<Box<str>>,
        /// Twelve digits.
        account: Box<str>,
    },
    /// Any other ARN under `AWS`: a user, role, role session or federated session.
    Arn(Box<str>),
    /// A service's name, or `*` for any service.
    Service(Box<str>),
    /// A federated provider, or `*` for any.
    Federated(Box<str>),
    /// A canonical user id, or `*` for any.
    CanonicalUser(Box<str>),
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug)]
pub struct Action {
    /// Whether it is `NotAction`.
    pub negated: bool,
    /// Where the element's value stands.
    pub span: Span,
    /// The patterns, in document order; never empty. `*` and `?` are wildcards, ASCII case is ignored.
    pub patterns: Vec<Located<Box<str>>>,
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.patterns == other.patterns
    }
}

impl Eq for Action {}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Whether it is `NotResource`.
    pub negated: bool,
    /// Where the element's value stands.
    pub span: Span,
    /// The patterns, in document order; never empty. `*` and `?` are wildcards over the whole ARN.
    pub patterns: Vec<Located<Text>>,
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.patterns == other.patterns
    }
}

impl Eq for Resource {}

/// One key under one operator of a `Condition` block.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The operator; its span is that of the operator's name.
    pub operator: Located<ConditionOperator>,
    /// The condition key as written; names are compared without regard to ASCII case.
    pub key: Located<Box<str>>,
    /// The values.
    pub values: Values,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.operator == other.operator && self.key == other.key && self.values == other.values
    }
}

impl Eq for Condition {}

/// The values of a condition, typed by its operator; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// For `IpAddress` and `NotIpAddress`: host bits cleared, IPv4-mapped prefixes as IPv4.
    Prefixes(Vec<Located<IpNet>>),
    /// For every other operator: the text, valid for the operator's type unless it has variables.
    Texts(Vec<Located<Text>>),
}

impl Values {
    /// Returns the number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Prefixes(list) => list.len(),
            Self::Texts(list) => list.len(),
        }
    }

    /// Returns whether there are none; a parsed policy has no such condition.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
