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
//! dozen patterns already take seconds). Instead the literal heads make a radix tree that
//! the text walks once; whatever hangs at a node of that walk has a matching head. A
//! pattern that ends there needs the text to end, one that goes on with a lone `*` is
//! accepted at once, and the others are verified by a glob matcher, filtered by their
//! literal tails in a second radix tree, over reversed text, where many share a head.
//! Building is linear in the patterns' bytes, whatever their wildcards.
//!
//! - `glob`: does one pattern match one text; the verifier, and all there is for
//!   actions and condition values;
//! - `automaton`: the flat tables and the walk;
//! - `build`: patterns → tables.

pub(crate) mod automaton;
pub(crate) mod build;
pub(crate) mod glob;
mod radix;

pub(crate) use self::automaton::Automaton;
pub(crate) use self::glob::{ANY, ONE, program};
