//! An engine bound to the start of its resources: only the rest is read per request.
//!
//! A gateway knows API and stage when it starts; per request there are method and path. A
//! scope reads the start once, with every pattern, and keeps what is left of each pattern
//! in an automaton of its own. For the common methods it goes one step further, so that
//! method and path can be given apart and nothing is joined.

use core::fmt;
use core::ops::ControlFlow;

use self_cell::self_cell;

use super::Engine;
use super::decide::{self, Asked};
use crate::decision::Decision;
use crate::image::{Part, View};
use crate::pattern::derive::derive;
use crate::pattern::{self, ANY, Automaton, AutomatonView, ONE, Row, glob, row};
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::table::Tables;

/// The methods that have automata of their own.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The longest method and path together that are joined, for other methods.
const JOINED: usize = 1024;

/// The longest that are joined at all, in room that shorter ones are spared. Few servers take longer
/// request lines; what is longer is matched with one pattern after the other.
const JOINED_LONG: usize = 64 << 10;

/// An [`Engine`] bound to the start of its resources; see [`Engine::scope`].
pub struct Scope<'e> {
    engine: &'e Engine,
    start: Box<str>,
    left: Left,
    /// What is left behind each of [`METHODS`] and a slash.
    methods: Vec<Left>,
}

impl<'e> Scope<'e> {
    /// Reads `start` with all patterns; `None` where the tables cannot count what is left.
    pub(super) fn new(engine: &'e Engine, start: &str) -> Option<Self> {
        let image = engine.image.view();
        let programs = image.patterns.iter().map(|p| program(image, p.parts));
        let whole: Vec<(Vec<u8>, PatternId)> = programs
            .enumerate()
            .map(|(at, program)| Some((program, PatternId::new(at)?)))
            .collect::<Option<_>>()?;
        let left = behind(&whole, start);
        let methods = METHODS.iter().map(|method| {
            let left = behind(&left, &format!("{method}/"));
            Left::new(left)
        });
        Some(Self {
            engine,
            start: start.into(),
            methods: methods.collect::<Option<_>>()?,
            left: Left::new(left)?,
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
            .field("patterns", &self.left.ids.len())
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
    /// The pattern of each id of the automaton.
    ids: Vec<PatternId>,
    /// The same patterns' bytes, for a text in pieces.
    programs: Vec<Vec<u8>>,
}

impl Left {
    fn new(left: Vec<(Vec<u8>, PatternId)>) -> Option<Self> {
        let (programs, ids): (Vec<Vec<u8>>, Vec<PatternId>) = left.into_iter().unzip();
        let slices: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
        Some(Self {
            automaton: Cell::new(pattern::build::build(&slices)?, Tables::view),
            ids,
            programs,
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
            return automaton.for_each(asked.text, |left| match self.ids.get(left.as_usize()) {
                Some(&id) => visit(id),
                None => ControlFlow::Break(()),
            });
        }
        let rest = asked.pieces.get(1..).unwrap_or_default();
        let all = self.programs.iter().zip(&self.ids);
        all.filter(|(program, _)| row::matches(Row::of(program), Row::new(rest)))
            .try_for_each(|(_, &id)| visit(id))
    }
}

/// Returns what is left of these patterns behind `start`.
fn behind(patterns: &[(Vec<u8>, PatternId)], start: &str) -> Vec<(Vec<u8>, PatternId)> {
    let left = |(program, id): &(Vec<u8>, PatternId)| {
        let id = *id;
        derive(program, start)
            .into_iter()
            .map(move |left| (left, id))
    };
    patterns.iter().flat_map(left).collect()
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
