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
//! - `glob`: does one pattern match one text; the verifier, and all there is for
//!   actions and condition values;
//! - `tree`: the literal heads;
//! - `grams`: many tails of one head;
//! - `automaton`: the tables together, and the walk;
//! - `build`: patterns → tables;
//! - `derive`: what is left of a pattern behind the start of a text.

pub(crate) mod automaton;
pub(crate) mod build;
pub(crate) mod derive;
pub(crate) mod glob;
pub(crate) mod grams;
pub(crate) mod tree;

pub(crate) use self::automaton::{Automaton, AutomatonView};
pub(crate) use self::glob::{ANY, ONE, program};
