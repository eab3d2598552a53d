//! Wildcard patterns → one automaton that names all patterns matching a text.
//!
//! A pattern is a byte string in which [`ANY`] stands for `*` and [`ONE`] for `?`; both
//! bytes occur in no UTF-8 text, so every other byte is a literal, `*` itself included.
//!
//! ```text
//! pattern    arn:aws:execute-api:eu-central-1:123456789012:abc/  *  /GET/  *  /pets
//!            └────────────── head ───────────────────────────┘  └─ middle ─┘  └tail┘
//! ```
//!
//! Subset construction is out of the question: each `*` alive multiplies the states (two
//! dozen patterns already take seconds). Instead the literal heads make a tree that the
//! text walks once; whatever hangs at a node of that walk has a matching head. A pattern
//! that ends there needs the text to end, one that goes on with a lone `*` is accepted at
//! once, and the others are verified by a glob matcher; where many share a head, only
//! those of which a few rare bytes occur in the text. Building is linear in the patterns'
//! bytes, whatever their wildcards, and nothing is left for the first request to do.
//!
//! Nanoseconds for all patterns of an ARN of 84 bytes, and milliseconds to build, of two earlier forms of
//! these tables, the least medians of six runs in turn (EPYC Genoa, two cores): nodes that are cache lines
//! with up to two tails each, behind a table of buckets; and nodes of half a line behind a table of
//! hashes, tails searched by words of eight bytes, and a node for every head. What the present form
//! takes is in `benches/README.md`.
//!
//! | patterns, and where they differ | later | | earlier | |
//! |---|---|---|---|---|
//! | 1 000, API id | 29 | 0.11 | 32 | 0.18 |
//! | 10 000, API id | 36 | 1.1 | 41 | 1.9 |
//! | 10 000, path behind a `*` | 144 | 3.5 | 165 | 5.3 |
//! | 10 000, API id behind stars | 456 | 3.4 | 457 | 4.5 |
//! | 10 000, in the middle of anything | 596 | 2.8 | 596 | 3.7 |
//!
//! Another design was measured beside the earlier of them: a radix tree by single bytes over the heads,
//! and the tails of a head grouped by their literal endings in a second tree. In that run it took
//! 52, 101, 299 000, 285 000 and 536 000 ns, where the earlier form took 40, 57, 63, 312 and 603.
//!
//! - `glob`: does one pattern match one text; the verifier, and all there is for
//!   condition values without variables;
//! - `row`: the same in slices, for policy variables and for actions, whose case is ignored;
//! - `lockstep`: the literals of one segment, however they repeat themselves;
//! - `tree`: the literal heads;
//! - `place`: where the nodes stand that are found by a hash;
//! - `grams`: many tails of one head;
//! - `automaton`: the tables together, and the walk;
//! - `build`: patterns → tables;
//! - `derive`: what is left of a pattern behind the start of a text.

pub(crate) mod automaton;
pub(crate) mod glob;
pub(crate) mod grams;
mod lockstep;
mod place;
pub(crate) mod row;
pub(crate) mod tree;

#[cfg(feature = "build")]
pub(crate) mod build;
#[cfg(feature = "build")]
pub(crate) mod derive;

pub(crate) use self::automaton::AutomatonView;
pub(crate) use self::row::Row;
#[cfg(feature = "build")]
pub(crate) use self::{
    automaton::Automaton,
    glob::{ANY, ONE, program},
};
