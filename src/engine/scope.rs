//! An engine bound to the start of its resources: only the rest is read per request.
//!
//! A gateway knows API and stage when it starts; per request there are method and path. A
//! scope reads the start once, with every pattern, and keeps what is left of each pattern
//! in an automaton of its own. For the common methods it goes one step further, so that
//! method and path can be given apart and nothing is joined.
//!
//! Of one pattern much may be left: a literal that repeats itself may have begun at any place of
//! the start. Of more than a few such the automaton gets one that says too much, and the whole
//! pattern is asked again where that matches. So the tables are linear in the patterns.

use alloc::sync::Arc;
use core::fmt;
use core::ops::ControlFlow;

use self_cell::self_cell;

use super::Engine;
use super::decide::{self, Asked};
use crate::decision::Decision;
use crate::image::{Part, View};
use crate::ir::{BuildError, BuildErrorKind};
use crate::pattern::derive::{Budget, Places, Rest};
use crate::pattern::{self, ANY, Automaton, AutomatonView, ONE, Row, glob, row};
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::table::Tables;
use crate::util::vector::Least;

/// The methods that have automata of their own.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The longest method and path together that are joined, for other methods.
const JOINED: usize = 1024;

/// The longest that are joined at all, in room that shorter ones are spared. Few servers take longer
/// request lines; what is longer is matched with one pattern after the other.
const JOINED_LONG: usize = 64 << 10;

/// What reading the start may take: places in patterns, and bytes that are left of them.
const BUDGET: u64 = 1 << 29;

/// An [`Engine`] bound to the start of its resources; see [`Engine::scope`].
pub struct Scope<'e> {
    engine: &'e Engine,
    start: Box<str>,
    left: Left,
    /// What is left behind each of [`METHODS`] and a slash.
    methods: Vec<Left>,
}

impl Engine {
    /// Binds the engine to the start of its resources, such as
    /// `arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/`: per request only what
    /// follows is read.
    ///
    /// Reads every pattern and keeps what is left of each in eight tables, one for each common
    /// method and one for all others: not for every request. Mostly that takes time linear in the
    /// patterns, about as much as building them eight times; a pattern whose literal behind a
    /// star repeats what the start repeats takes up to the square of the start's length.
    ///
    /// # Errors
    ///
    /// Reading the patterns would take more than 2^29 steps, which stand for seconds; or the tables
    /// of what is left would pass 2^32 entries. The engine itself can be asked all the same.
    pub fn scope(&self, start: &str) -> Result<Scope<'_>, BuildError> {
        Scope::new(self, start)
    }
}

impl<'e> Scope<'e> {
    /// Reads `start` with all patterns.
    pub(super) fn new(engine: &'e Engine, start: &str) -> Result<Self, BuildError> {
        Self::within(engine, start, BUDGET)
    }

    fn within(engine: &'e Engine, start: &str, limit: u64) -> Result<Self, BuildError> {
        let image = engine.image.view();
        let mut budget = Budget(limit);
        let spent = || BuildError {
            kind: BuildErrorKind::Scope { limit },
        };
        let wholes: Arc<[Vec<u8>]> = image
            .patterns
            .iter()
            .map(|pattern| program(image, pattern.parts))
            .collect();
        let mut places = Vec::new();
        for whole in wholes.iter() {
            let read = Places::start().read(whole, start, &mut budget);
            places.push(read.ok_or_else(spent)?);
        }
        let mut left_behind = |text: &str| -> Result<Left, BuildError> {
            let mut left = Vec::new();
            for (at, (whole, places)) in wholes.iter().zip(&places).enumerate() {
                let id = PatternId::new(at).ok_or(BuildError::too_large("patterns"))?;
                let rest = places
                    .read(whole, text, &mut budget)
                    .and_then(|places| places.rest(whole, &mut budget));
                left.extend(rest.ok_or_else(spent)?.into_iter().map(|rest| (rest, id)));
            }
            Left::new(left, &wholes).ok_or(BuildError::too_large("patterns"))
        };
        Ok(Self {
            engine,
            start: start.into(),
            left: left_behind("")?,
            methods: METHODS
                .iter()
                .map(|method| left_behind(&format!("{method}/")))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Decides; the request's resource is what follows the start of the scope.
    ///
    /// The answer is that of [`Engine::decide`] about start and resource joined.
    #[inline]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let asked = Asked {
            text: request.resource(),
            left: Some(&self.left),
            pieces: &[self.start.as_bytes(), request.resource().as_bytes()],
            is_joined: true,
        };
        decide::decide_scoped(self.engine.image.view(), request, asked)
    }

    /// Decides; the request's resource is the path, without its leading slash.
    ///
    /// The answer is that of [`Engine::decide`] about start, method, `/` and path joined. Never
    /// allocates.
    ///
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` and `OPTIONS` are read ahead. With any other
    /// method, method and path are joined on the stack first, up to 64 KiB of them; a longer one is
    /// matched with one pattern after the other, so that takes time linear in the patterns too.
    ///
    /// ```
    /// use portcullis::{Address, Decision, Engine, Policy, Request};
    ///
    /// let policy = Policy::from_json(
    ///     r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*",
    ///         "Resource": "arn:aws:execute-api:us-east-1:123456789012:abc123/*/GET/pets/*"}}"#,
    /// )?;
    /// let engine = Engine::builder().policy(policy).build()?;
    /// let scope = engine.scope("arn:aws:execute-api:us-east-1:123456789012:abc123/prod/")?;
    /// let request = Request::invoke(Address::read("203.0.113.7"), "pets/1");
    /// assert_eq!(scope.decide_method("GET", &request), Decision::Allow);
    /// assert_eq!(scope.decide_method("PUT", &request), Decision::ImplicitDeny);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decide_method(&self, method: &str, request: &Request<'_>) -> Decision {
        let path = request.resource();
        let pieces = [&*self.start, method, "/", path].map(str::as_bytes);
        let known = METHODS.iter().position(|known| *known == method);
        if let Some(left) = known.and_then(|at| self.methods.get(at)) {
            let asked = Asked {
                text: path,
                left: Some(left),
                pieces: &pieces,
                is_joined: true,
            };
            return decide::decide_scoped(self.engine.image.view(), request, asked);
        }
        // Other methods are rare: joined where there is room, else matched in pieces.
        match method.len().saturating_add(path.len()) {
            0..JOINED => self.decide_joined::<JOINED>(request, &pieces),
            JOINED..JOINED_LONG => self.decide_joined::<JOINED_LONG>(request, &pieces),
            _ => self.decide_other(request, &pieces, None),
        }
    }

    /// Decides with what is behind the start joined in a buffer.
    #[inline(never)]
    fn decide_joined<const ROOM: usize>(
        &self,
        request: &Request<'_>,
        pieces: &[&[u8]; 4],
    ) -> Decision {
        let mut joined = [0; ROOM];
        let [_, rest @ ..] = pieces;
        self.decide_other(request, pieces, join(&mut joined, rest))
    }

    fn decide_other(
        &self,
        request: &Request<'_>,
        pieces: &[&[u8]; 4],
        joined: Option<&str>,
    ) -> Decision {
        let asked = Asked {
            text: joined.unwrap_or_default(),
            left: Some(&self.left),
            pieces,
            is_joined: joined.is_some(),
        };
        decide::decide_scoped(self.engine.image.view(), request, asked)
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("start", &self.start)
            .field("patterns", &self.left.entries.len())
            .finish_non_exhaustive()
    }
}

self_cell!(
    /// An automaton as it was built, with the view that decisions read.
    struct Cell {
        owner: Automaton,
        #[covariant]
        dependent: AutomatonView,
    }
);

/// What is left of the patterns behind a start.
pub(super) struct Left {
    automaton: Cell,
    /// By the ids of the automaton; those of one pattern follow one another.
    entries: Vec<Entry>,
    /// All patterns, whole; by their ids.
    wholes: Arc<[Vec<u8>]>,
}

/// What one id of the automaton stands for.
struct Entry {
    pattern: PatternId,
    /// Whether what is left says all; else the whole pattern has to be asked, too.
    is_exact: bool,
}

impl Left {
    fn new(left: Vec<(Rest, PatternId)>, wholes: &Arc<[Vec<u8>]>) -> Option<Self> {
        let slices: Vec<&[u8]> = left.iter().map(|(rest, _)| &rest.program[..]).collect();
        let automaton = pattern::build::build(&slices)?;
        let entry = |&(Rest { is_exact, .. }, pattern): &_| Entry { pattern, is_exact };
        Some(Self {
            automaton: Cell::new(automaton, Tables::view),
            entries: left.iter().map(entry).collect(),
            wholes: Arc::clone(wholes),
        })
    }

    /// Calls `visit` for each pattern of which the rest matches.
    #[inline]
    pub(super) fn for_each(
        &self,
        asked: Asked<'_, '_>,
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if asked.is_joined {
            let automaton = self.automaton.borrow_dependent();
            return automaton.for_each::<Least>(asked.text, |left| {
                match self.entries.get(left.as_usize()) {
                    Some(entry) if entry.is_exact || self.matches(entry, asked.pieces) => {
                        visit(entry.pattern)
                    }
                    Some(_) => ControlFlow::Continue(()),
                    None => ControlFlow::Break(()),
                }
            });
        }
        self.entries
            .chunk_by(|a, b| a.pattern == b.pattern)
            .filter_map(<[Entry]>::first)
            .filter(|entry| self.matches(entry, asked.pieces))
            .try_for_each(|entry| visit(entry.pattern))
    }

    /// Returns whether the whole pattern of an entry matches the whole resource.
    #[inline(never)]
    fn matches(&self, entry: &Entry, resource: &[&[u8]]) -> bool {
        let whole = self.wholes.get(entry.pattern.as_usize());
        whole.is_some_and(|whole| row::matches(Row::of(whole), Row::new(resource)))
    }
}

/// Returns a pattern's bytes, each variable as a `*`.
fn program(image: &View<'_>, parts: Extent) -> Vec<u8> {
    let mut program = Vec::new();
    for part in parts.of(image.parts) {
        if part.kind != Part::KIND_LITERAL {
            glob::push(&mut program, ANY);
            continue;
        }
        for &byte in part.bytes.of(image.text) {
            match byte {
                ANY | ONE => glob::push(&mut program, byte),
                byte => program.push(byte),
            }
        }
    }
    program
}

/// Joins pieces in a buffer; `None` where it is too short.
fn join<'b>(buffer: &'b mut [u8], pieces: &[&[u8]]) -> Option<&'b str> {
    let mut len = 0_usize;
    for piece in pieces {
        let end = len.checked_add(piece.len())?;
        buffer.get_mut(len..end)?.copy_from_slice(piece);
        len = end;
    }
    core::str::from_utf8(buffer.get(..len)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Policy};

    fn engine(resources: &[&str]) -> Engine {
        let statements: Vec<String> = resources
            .iter()
            .enumerate()
            .map(|(at, resource)| {
                let (effect, element) = [("Allow", "Resource"), ("Deny", "NotResource")][at % 2];
                format!(r#"{{"Effect":"{effect}","Principal":"*","Action":"*","{element}":["{resource}","arn:none"]}}"#)
            })
            .collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",")
        );
        Engine::builder()
            .policy(Policy::from_json(&text).unwrap())
            .build()
            .unwrap()
    }

    #[test]
    fn the_budget_is_named() {
        let engine = engine(&["arn:*aaaaaaaab"]);
        assert!(Scope::within(&engine, "arn:aaaaaaaa", 1_000).is_ok());
        let error = Scope::within(&engine, "arn:aaaaaaaa", 100).unwrap_err();
        assert_eq!(error.size_limit(), Some(100));
    }

    #[test]
    fn a_scope_decides_as_the_engine_does() {
        let patterns = [
            "arn:x:e:r:1:a/prod/GET/*",
            "*",
            "arn:x:e:r:1:a/*/pets/*",
            "arn:x:e:r:1:a/*",
            "arn:*T/pets",
            "arn:x:e:r:1:a/prod/*",
            "arn:x:e:r:1:a/prod/GET/pets",
            "arn:x:e:r:1:b/*",
            "arn:x:e:r:1:a/${aws:username}/GET/*",
            "arn:x:e:r:1:?/prod/?ET/é*",
            "arn:x:e:r:1:*aaaaaaaaGET/*s",
            "arn:x:e:r:1:*aaaaaaa?${aws:username}*/pets",
        ];
        let mut seen = Vec::new();
        for pair in patterns
            .iter()
            .flat_map(|a| patterns.iter().map(move |b| [*a, *b]))
        {
            let engine = engine(&pair);
            let context = [("aws:username", crate::Value::Text("prod"))];
            let [long, longer] = [JOINED, JOINED_LONG].map(|len| "x".repeat(len) + "/pets");
            for start in [
                "",
                "arn:",
                "arn:x:e:r:1:a/",
                "arn:x:e:r:1:a/prod/",
                "arn:x:e:r:1:a/prod/GE",
                "arn:x:e:r:1:b/prod/",
                "arn:x:e:r:1:aaaaaaaaa",
            ] {
                let scope = engine.scope(start).unwrap();
                for (method, path) in [
                    ("GET", "pets"),
                    ("GET", "é"),
                    ("PET", "é"),
                    ("POST", "pets/1"),
                    ("BREW", ""),
                    ("BREW", &long),
                    ("BREW", &longer),
                    ("prodGET", "pets"),
                    ("aGET", &long),
                    ("T", "pets"),
                    ("", ""),
                    ("GET", "GET/pets"),
                ] {
                    let request = |resource| {
                        Request::invoke(Address::Absent, resource).with_context(&context)
                    };
                    let rest = format!("{method}/{path}");
                    let whole = format!("{start}{rest}");
                    let expected = engine.decide(&request(&whole));
                    assert_eq!(
                        scope.decide(&request(&rest)),
                        expected,
                        "{pair:?} {start} {rest}"
                    );
                    let got = scope.decide_method(method, &request(path));
                    assert_eq!(got, expected, "{pair:?} {start} {method} {path}");
                    seen.push(expected);
                }
            }
        }
        for decision in [
            Decision::Allow,
            Decision::ExplicitDeny,
            Decision::ImplicitDeny,
        ] {
            assert!(seen.contains(&decision));
        }
    }
}
