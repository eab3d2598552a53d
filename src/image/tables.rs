//! The tables, by type. Every record is `repr(C)`, of integers, without padding.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::pattern::AutomatonView;
use crate::prefix::{LookupV4View, LookupV6View};
use crate::util::extent::Extent;
use crate::util::hash::HashTableView;
use crate::util::ids::{ClassId, ListId, PatternId, RuleId};
use crate::util::table::tables;
#[cfg(feature = "build")]
use crate::{
    pattern::Automaton,
    prefix::{LookupV4, LookupV6},
    util::hash::HashTable,
};

/// The ends of a range of IPv4 addresses.
pub(crate) type RangeV4 = [u32; 2];

/// The ends of a range of IPv6 addresses.
pub(crate) type RangeV6 = [u128; 2];

tables! {
    /// The classes of the values of one condition key.
    struct KeyClasses / KeyClassesView {
        "classes" {
            /// IPv4 address → class.
            part v4: LookupV4, LookupV4View;
            /// IPv6 address → class, from 0; `v6_class_base` is to be added.
            part v6: LookupV6, LookupV6View;
            /// The number of IPv4 classes: where the IPv6 classes start in the rows.
            scalar v6_class_base: u32;
            /// The number of classes of both families.
            scalar class_count: u32;
            /// The condition key, in ASCII lower case, in `text`; none where there are no classes.
            table key: Extent;
            /// 1 if that is `aws:sourceip`, which requests have at hand.
            scalar is_source_ip: u32;
        }
    }
}

tables! {
    /// A compiled set of policies.
    struct Image / View {
        "classes" {
            /// The key with most prefixes.
            part primary: KeyClasses, KeyClassesView;
            /// Another, where policies have one.
            part second: KeyClasses, KeyClassesView;
        }
        "automaton" {
            /// What a matching pattern brings, by [`PatternId`].
            table patterns: Pattern;
            /// What a pattern brings to the open lanes, by [`PatternId`]: its `open_row`, but
            /// [`MANY_ROWS`] where a match is to be verified.
            table open_rows: u32;
            /// Resource → patterns. The value of a node is the row of all its patterns in the open lanes,
            /// [`NO_ROW`], or [`MANY_ROWS`] where they differ or a match is to be verified.
            part automaton: Automaton, AutomatonView;
            /// By node: a copy of that row where it says all, so that it is loaded beside the node and
            /// not behind it; else one of [`Row::KIND_APART`].
            table node_rows: Row;
            /// The IPv4 class of which no open request gets an answer from any pattern, or [`NO_CLASS`].
            scalar quiet_v4: u32;
            /// The IPv6 class, numbered through both families.
            scalar quiet_v6: u32;
            /// The distinct `NotResource` lists.
            table complements: Complement;
            /// Their patterns.
            table complement_patterns: PatternId;
            /// What the complements bring, by lane.
            table withheld: Withheld;
            /// The lanes in which complements bring something, ascending; [`OPEN_LANE`] is the last.
            table withheld_lanes: WithheldLane;
            /// The rows of neighbouring complements taken together; see [`WithheldLane::tree`].
            table withheld_rows: u32;
            /// What a pattern cancels, by index in `withheld`.
            table cancels: u32;
        }
        "lanes" {
            /// The distinct pairs of action and principal, by principal.
            table lanes: Lane;
            /// The distinct action elements.
            table actions: Action;
            /// Their patterns, in `text`.
            table action_programs: Extent;
            /// Action elements that name an action without wildcards, by that action in lower case.
            part action_table: HashTable, HashTableView;
            /// All other action elements.
            table actions_open: u32;
            /// The distinct principal elements.
            table principals: Principal;
            /// Their entries.
            table principal_entries: PrincipalEntry;
            /// Principal elements that list callers, by caller.
            part principal_table: HashTable, HashTableView;
            /// Principal elements that callers match without being listed.
            table principals_open: u32;
        }
        "rows" {
            /// The rows.
            table rows: Row;
            /// The answers of each row where the key has no address, or several.
            table row_states: [Cell; Base::STATES];
            /// Rows by lane.
            table hits: Hit;
            /// The classes of the rows that are sets, behind those that the rows have themselves.
            table set_classes: ClassGroup;
            /// The cells of the sparse rows, by class.
            table sparse_cells: SparseCell;
            /// The cells of the dense rows, by class.
            table dense_cells: Cell;
            /// The rules of the rows kept as lists, deny first.
            table row_rules: RuleId;
        }
        "programs" {
            /// The programs.
            table programs: Program;
            /// Their items.
            table program_items: ProgramItem;
            /// The keys that items of a program are found by, in `text`.
            table program_keys: Extent;
            /// Indices in `program_items`, by program, key and value.
            part program_table: HashTable, HashTableView;
            /// The residual conditions of a rule, in `residual_conditions`.
            table residuals: Extent;
            /// Indices in `conditions`.
            table residual_conditions: u32;
        }
        "conditions" {
            /// The distinct conditions.
            table conditions: Condition;
            /// Their values: parts of a text.
            table values: Extent;
            /// Indices in `values` of those that are found by what they equal, by condition and value.
            part value_table: HashTable, HashTableView;
            /// The parts of texts.
            table parts: Part;
        }
        "prefix lists" {
            /// The prefix lists as ranges, by [`ListId`].
            table lists: List;
            /// IPv4 ranges.
            table ranges_v4: RangeV4;
            /// IPv6 ranges.
            table ranges_v6: RangeV6;
        }
        "explanations" {
            /// The rules.
            table rules: Rule;
            /// Their resource patterns in document order.
            table rule_patterns: RulePattern;
            /// Their conditions in document order, by index.
            table rule_conditions: u32;
            /// The CIDR lists as written, for explanations.
            table notes: Note;
            /// IPv4 prefixes of the notes, by first address, then length, then place.
            table noted_v4: NotedV4;
            /// IPv6 prefixes of the notes; an address is four words, the highest first.
            table noted_v6: NotedV6;
        }
        "texts" {
            /// Keys, values, patterns, Sids: whatever is bytes.
            table text: u8;
        }
    }
}

/// What a request gets from one row: see [`Cell::IMPLICIT`], [`Cell::ALLOW`], [`Cell::DENY`];
/// any other is a program.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub(crate) struct Cell(pub(crate) u32);

impl Cell {
    /// No rule of the row matches.
    pub(crate) const IMPLICIT: Self = Self(0);
    /// A rule allows and none denies.
    pub(crate) const ALLOW: Self = Self(1);
    /// A rule denies.
    pub(crate) const DENY: Self = Self(2);
    /// The first number that is a program's.
    pub(crate) const FIRST_PROGRAM: u32 = 3;
}

/// What a pattern brings when it matches.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Pattern {
    /// As written, in `text`.
    pub(crate) raw: Extent,
    /// Its parts, in `parts`.
    pub(crate) parts: Extent,
    /// 1 if it has policy variables: the automaton takes them for `*`, so a match is to be verified.
    pub(crate) has_variables: u32,
    /// The row of all its lanes that are open, or [`NO_ROW`] or [`MANY_ROWS`].
    pub(crate) open_row: u32,
    /// Its rows, in `hits`, by lane.
    pub(crate) hits: Extent,
    /// The complements it cancels, in `cancels`.
    pub(crate) cancels: Extent,
}

/// In place of a row: no rule, so no answer.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// In place of a row of several parts: it was not made, the parts are to be asked one by one.
pub(crate) const MANY_ROWS: u32 = u32::MAX - 1;

/// In place of a class: there is none.
pub(crate) const NO_CLASS: u32 = u32::MAX;

/// In place of a lane: all lanes that are open, taken together.
pub(crate) const OPEN_LANE: u32 = u32::MAX;

/// A row that counts for requests in a lane.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Hit {
    /// Index in `lanes`.
    pub(crate) lane: u32,
    /// Index in `rows`.
    pub(crate) row: u32,
}

/// A `NotResource` list.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Complement {
    /// Its patterns, in `complement_patterns`.
    pub(crate) patterns: Extent,
}

/// What a complement brings in a lane.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Withheld {
    /// Index in `complements`.
    pub(crate) complement: u32,
    /// Index in `rows`.
    pub(crate) row: u32,
}

/// The complements that bring something in one lane.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct WithheldLane {
    /// Index in `lanes`, or [`OPEN_LANE`].
    pub(crate) lane: u32,
    /// In `withheld`.
    pub(crate) entries: Extent,
    /// In `withheld_rows`: a binary tree in preorder. A node stands for a stretch of the entries
    /// and has their row, or [`MANY_ROWS`]; its children stand for the halves, the first the
    /// shorter. Empty where there is one entry.
    pub(crate) tree: Extent,
}

/// An action element with a principal element.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Lane {
    /// Index in `actions`.
    pub(crate) action: u32,
    /// Index in `principals`.
    pub(crate) principal: u32,
    /// 1 if an anonymous caller who invokes is in it.
    pub(crate) open: u32,
}

/// `Action` or `NotAction`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Action {
    /// 1 for `NotAction`.
    pub(crate) negated: u32,
    /// 1 if the element matches `execute-api:Invoke`.
    pub(crate) matches_invoke: u32,
    /// The patterns, in `action_programs`.
    pub(crate) programs: Extent,
}

/// Which callers: a mode and entries.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Principal {
    /// One of the `MODE_…` constants.
    pub(crate) mode: u32,
    /// In `principal_entries`.
    pub(crate) entries: Extent,
    /// The lanes of this principal element, in `lanes`, by action element.
    pub(crate) lanes: Extent,
}

impl Principal {
    /// Everyone.
    pub(crate) const MODE_EVERYONE: u32 = 0;
    /// Nobody.
    #[cfg(feature = "build")]
    pub(crate) const MODE_NOBODY: u32 = 1;
    /// Whom an entry names.
    pub(crate) const MODE_LISTED: u32 = 2;
    /// Whom no entry names.
    pub(crate) const MODE_NOT_LISTED: u32 = 3;
    /// Who is not named with all identities.
    pub(crate) const MODE_NOT_EXEMPT: u32 = 4;
}

/// One caller or kind of callers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct PrincipalEntry {
    /// One of the `KIND_…` constants.
    pub(crate) kind: u32,
    /// 1 if an account entry names the partition.
    pub(crate) has_partition: u32,
    /// The account, ARN, name or id, in `text`.
    pub(crate) name: Extent,
    /// An account's partition, in `text`.
    pub(crate) partition: Extent,
}

impl PrincipalEntry {
    /// An account.
    pub(crate) const KIND_ACCOUNT: u32 = 0;
    /// An ARN.
    pub(crate) const KIND_ARN: u32 = 1;
    /// A service, or `*`.
    pub(crate) const KIND_SERVICE: u32 = 2;
    /// A federated provider, or `*`.
    pub(crate) const KIND_FEDERATED: u32 = 3;
    /// A canonical user, or `*`.
    pub(crate) const KIND_CANONICAL_USER: u32 = 4;
}

/// The answers of a set of rules by address: a cache line, with what most of them are decided by.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Row {
    /// One of the `KIND_…` constants.
    pub(crate) kind: u32,
    /// The answers outside of the exceptions, IPv4 and IPv6; else see `row_states`.
    pub(crate) base: [Cell; 2],
    /// Set: the answer of all exceptions.
    pub(crate) inside: Cell,
    /// A row that counts as well, or [`NO_ROW`].
    pub(crate) next: u32,
    /// Set: further classes, in `set_classes`. Sparse: in `sparse_cells`. Dense: in `dense_cells`. List:
    /// in `row_rules`.
    pub(crate) cells: Extent,
    /// Whose classes the cells are by: 0 those of the primary key, 1 those of the second.
    pub(crate) key: u32,
    /// Set: the first classes.
    pub(crate) classes: ClassGroup,
}

const _: () = assert!(size_of::<Row>() == 64);

impl Row {
    /// No exceptions.
    pub(crate) const KIND_UNIFORM: u32 = 0;
    /// Exceptions that all have one answer, ascending; the first in the row itself.
    pub(crate) const KIND_SET: u32 = 1;
    /// Exceptions by class, ascending.
    pub(crate) const KIND_SPARSE: u32 = 2;
    /// A cell for every class.
    pub(crate) const KIND_DENSE: u32 = 3;
    /// Rules to be tested one by one; `base` says nothing.
    pub(crate) const KIND_LIST: u32 = 4;
    /// Of a node: there is more to be asked; nothing else of the row says anything.
    #[cfg(feature = "build")]
    pub(crate) const KIND_APART: u32 = 5;
}

/// Classes of a set, numbered through both families, ascending; the last is repeated to fill it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct ClassGroup(pub(crate) [u32; Self::LEN]);

impl ClassGroup {
    /// How many are compared together: two vectors.
    pub(crate) const LEN: usize = 8;

    /// PERF: without a branch, so that it becomes vectors.
    #[inline(always)]
    pub(crate) fn contains(&self, class: u32) -> bool {
        let is_there = |found, &other| found | (other == class);
        self.0.iter().fold(false, is_there)
    }
}

/// A cell of a sparse row.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct SparseCell {
    /// The class, numbered through both families.
    pub(crate) class: ClassId,
    /// Its answer.
    pub(crate) cell: Cell,
}

/// The states of a key with classes that are no exceptional class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// An IPv4 address.
    V4,
    /// An IPv6 address.
    V6,
    /// The key is absent.
    Absent,
    /// There is a value that is no address.
    Unreadable,
    /// There are several addresses.
    Several,
}

impl Base {
    /// How many there are.
    #[cfg(feature = "build")]
    pub(crate) const COUNT: usize = 5;
    /// How many of them are no address.
    pub(crate) const STATES: usize = 3;
    /// All of them, by index.
    #[cfg(feature = "build")]
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::V4,
        Self::V6,
        Self::Absent,
        Self::Unreadable,
        Self::Several,
    ];

    /// Returns the index, by which [`Row::base`] has the first, and `row_states` the others.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::V4 => 0,
            Self::V6 => 1,
            Self::Absent => 2,
            Self::Unreadable => 3,
            Self::Several => 4,
        }
    }
}

/// Residual conditions that decide a cell.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Program {
    /// In `program_items`, deny first; an allow only where `otherwise` is not one.
    pub(crate) items: Extent,
    /// Keys, in `program_keys`, whose values in the request name further items.
    pub(crate) keys: Extent,
    /// What it is where no item holds.
    pub(crate) otherwise: Cell,
}

/// A rule's residual conditions and effect.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub(crate) struct ProgramItem {
    /// [`Cell::ALLOW`] or [`Cell::DENY`] as a number; see [`EFFECT_DENY`].
    pub(crate) effect: u32,
    /// Index in `residuals`.
    pub(crate) residual: u32,
}

/// The number of the effect Deny; it sorts before Allow.
pub(crate) const EFFECT_DENY: u32 = 0;
/// The number of the effect Allow.
pub(crate) const EFFECT_ALLOW: u32 = 1;

/// An operator on a key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Condition {
    /// Index in `Operator::ALL`, whose order is fixed.
    pub(crate) operator: u32,
    /// 0 none, 1 `ForAllValues`, 2 `ForAnyValue`.
    pub(crate) qualifier: u32,
    /// 1 with the suffix `IfExists`.
    pub(crate) if_exists: u32,
    /// The key in ASCII lower case, in `text`.
    pub(crate) key: Extent,
    /// In `values`; for address operators empty.
    pub(crate) values: Extent,
    /// How many of the values, from the first on, are found by `value_table`.
    pub(crate) indexed: u32,
    /// For address operators.
    pub(crate) list: ListId,
}

/// A piece of a text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Part {
    /// One of the `KIND_…` constants.
    pub(crate) kind: u32,
    /// The bytes, or the variable's key in ASCII lower case, in `text`.
    pub(crate) bytes: Extent,
    /// The variable's default, in `text`.
    pub(crate) default: Extent,
}

impl Part {
    /// Bytes.
    pub(crate) const KIND_LITERAL: u32 = 0;
    /// A variable without default.
    #[cfg(feature = "build")]
    pub(crate) const KIND_VARIABLE: u32 = 1;
    /// A variable with a default.
    pub(crate) const KIND_VARIABLE_OR: u32 = 2;
}

/// A prefix list as sorted, disjoint ranges.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct List {
    /// In `ranges_v4`.
    pub(crate) v4: Extent,
    /// In `ranges_v6`.
    pub(crate) v6: Extent,
}

/// A statement.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Rule {
    /// Which policy.
    pub(crate) policy: u32,
    /// Which statement of it.
    pub(crate) statement: u32,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Column, from 1.
    pub(crate) column: u32,
    /// [`EFFECT_DENY`] or [`EFFECT_ALLOW`].
    pub(crate) effect: u32,
    /// Index in `lanes`.
    pub(crate) lane: u32,
    /// 1 if there is a Sid.
    pub(crate) has_sid: u32,
    /// The Sid, in `text`.
    pub(crate) sid: Extent,
    /// 1 for `NotResource`.
    pub(crate) not_resource: u32,
    /// In `rule_patterns`.
    pub(crate) patterns: Extent,
    /// In `rule_conditions`.
    pub(crate) conditions: Extent,
    /// In `notes`.
    pub(crate) notes: Extent,
}

/// A resource pattern of a statement.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct RulePattern {
    /// The pattern.
    pub(crate) pattern: PatternId,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Column, from 1.
    pub(crate) column: u32,
}

/// A CIDR list as written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Note {
    /// Index in `conditions`.
    pub(crate) condition: u32,
    /// The key as written, in `text`.
    pub(crate) key: Extent,
    /// In `noted_v4`.
    pub(crate) v4: Extent,
    /// In `noted_v6`.
    pub(crate) v6: Extent,
}

/// An IPv4 prefix as written.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub(crate) struct NotedV4 {
    /// The lowest address.
    pub(crate) first: u32,
    /// The rest of it.
    pub(crate) prefix: Noted,
}

/// An IPv6 prefix as written.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub(crate) struct NotedV6 {
    /// The lowest address, as words.
    pub(crate) first: [u32; 4],
    /// The rest of it.
    pub(crate) prefix: Noted,
}

/// What is told of a prefix besides its lowest address.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub(crate) struct Noted {
    /// The prefix length in bits.
    pub(crate) length: u32,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Column, from 1.
    pub(crate) column: u32,
}
