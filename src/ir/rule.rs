//! The types of the normal form.

use core::hash::{Hash, Hasher};

use ipnet::IpNet;
use smallvec::SmallVec;

use crate::decision::{Effect, Position};
use crate::policy::{Located, Operator, Policy, PrincipalEntry, Qualifier};
use crate::prefix::PrefixSet;
use crate::util::ids::{ListId, PatternId};

/// Everything that the policies say, in normal form; borrows the CIDR lists as written.
#[derive(Debug, Default)]
pub(crate) struct RuleSet<'p> {
    /// One rule for each statement, in order.
    pub(crate) rules: Vec<Rule<'p>>,
    /// The distinct prefix lists, by [`ListId`].
    pub(crate) lists: Vec<PrefixSet>,
    /// The distinct resource patterns, by [`PatternId`].
    pub(crate) patterns: Vec<PatternSource<'p>>,
    /// The distinct action elements.
    pub(crate) actions: Vec<ActionSet>,
    /// The distinct principal elements.
    pub(crate) principals: Vec<Principals>,
    /// The distinct conditions.
    pub(crate) conditions: Vec<Condition>,
}

/// One statement in normal form.
#[derive(Debug)]
pub(crate) struct Rule<'p> {
    /// Which policy, from 0.
    pub(crate) policy: u32,
    /// Which statement of it, from 0.
    pub(crate) statement: u32,
    /// The statement's Sid.
    pub(crate) sid: Option<&'p str>,
    /// The statement's effect.
    pub(crate) effect: Effect,
    /// Where the statement stands.
    pub(crate) position: Position,
    /// Index in [`RuleSet::actions`].
    pub(crate) action: u32,
    /// Index in [`RuleSet::principals`].
    pub(crate) principal: u32,
    /// Whether the patterns are those of `NotResource`.
    pub(crate) not_resource: bool,
    /// The resource patterns in document order, and where they stand.
    pub(crate) patterns: SmallVec<[(PatternId, Position); 2]>,
    /// Indices in [`RuleSet::conditions`], in document order.
    pub(crate) conditions: SmallVec<[u32; 4]>,
    /// The lists of the `IpAddress` conditions as written, for explanations.
    pub(crate) notes: SmallVec<[Note<'p>; 1]>,
}

/// The prefix list of a positive address condition as it stands in the document.
#[derive(Debug)]
pub(crate) struct Note<'p> {
    /// The document, which knows the positions.
    pub(crate) policy: &'p Policy,
    /// The index of the condition in [`RuleSet::conditions`].
    pub(crate) condition: u32,
    /// The condition key as written.
    pub(crate) key: &'p str,
    /// The prefixes in document order.
    pub(crate) prefixes: &'p [Located<IpNet>],
}

/// A resource pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternSource<'p> {
    /// As written, short-hand expanded.
    pub(crate) raw: &'p str,
    /// The exact parts.
    pub(crate) parts: TextParts,
    /// What [`Self::program`] is where that is not the only part.
    pub(crate) joined: Option<Box<[u8]>>,
    /// Whether it has variables, so that a match of the program is to be verified.
    pub(crate) has_variables: bool,
}

impl PatternSource<'_> {
    /// Returns it as the automaton sees it: pattern bytes, each variable as a `*`.
    pub(crate) fn program(&self) -> &[u8] {
        match (&self.joined, &*self.parts) {
            (None, [TextPart::Literal(program)]) => program,
            (joined, _) => joined.as_deref().unwrap_or_default(),
        }
    }
}

impl Hash for PatternSource<'_> {
    /// PERF: the other fields follow from the text, but for the version of its policy.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ActionSet {
    /// Whether it is `NotAction`.
    pub(crate) negated: bool,
    /// Pattern bytes, matched with ASCII case ignored.
    pub(crate) programs: Vec<Box<[u8]>>,
}

/// Which callers a statement is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Principals {
    /// Everyone: `*`, or an identity policy.
    Everyone,
    /// Nobody: `NotPrincipal` with `*`.
    Nobody,
    /// Those that an entry names.
    Listed(Vec<PrincipalEntry>),
    /// Those that no entry names: `NotPrincipal` of an Allow.
    NotListed(Vec<PrincipalEntry>),
    /// Those whose identities are not all named: `NotPrincipal` of a Deny.
    NotExempt(Vec<PrincipalEntry>),
}

/// One condition: an operator, a key, values. Keys are in ASCII lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Condition {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub(crate) qualifier: Option<Qualifier>,
    /// The operator.
    pub(crate) operator: Operator,
    /// Whether an absent key satisfies it.
    pub(crate) if_exists: bool,
    /// The condition key.
    pub(crate) key: Box<str>,
    /// What it compares with.
    pub(crate) values: ConditionValues,
}

/// What a condition compares with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ConditionValues {
    /// A prefix list.
    List(ListId),
    /// Texts by their parts.
    Texts(Vec<TextParts>),
}

/// The parts of a text, of which nearly every one has one.
pub(crate) type TextParts = SmallVec<[TextPart; 1]>;

/// A piece of a text with policy variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextPart {
    /// Bytes: pattern bytes where the place has wildcards, else UTF-8 text.
    Literal(Box<[u8]>),
    /// The value of a key, in ASCII lower case, or the default.
    Variable {
        /// The key.
        key: Box<str>,
        /// What stands in for an absent key.
        default: Option<Box<str>>,
    },
}
