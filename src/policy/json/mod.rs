//! JSON text → a flat tree that keeps spans and duplicate keys.
//!
//! No parser at hand keeps spans, duplicate keys and numbers as written, and reads a million
//! strings without a million allocations. Nodes are 16 bytes in one array, in document order;
//! a string without escapes is a range of the text.
//!
//! ```text
//! {"a": [1, 2]}   →   Object(skip 5)  String "a"  Array(skip 5)  Number 1  Number 2
//! ```
//!
//! A container's node says where the next node behind it is.

mod read;

pub(super) use self::read::read;
use super::source::Span;
use crate::util::int::AsUsize;

/// A document.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    /// The strings that had escapes, one after the other, without them.
    unescaped: String,
    /// Where each of them ends.
    ends: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    span: Span,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Null,
    Bool,
    Number,
    /// The inside of the span.
    String,
    /// An index in `ends`.
    Unescaped(u32),
    /// The index of the node behind the container.
    Array(u32),
    Object(u32),
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'d> {
    tree: &'d Tree<'d>,
    at: usize,
}

/// A value by type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'d> {
    Null,
    /// A boolean, as written.
    Bool(&'d str),
    /// A number, as written.
    Number(&'d str),
    String(&'d str),
    Array(Items<'d>),
    Object(Members<'d>),
}

/// The items of an array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'d> {
    tree: &'d Tree<'d>,
    at: usize,
    end: usize,
}

/// The members of an object, in document order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members<'d>(Items<'d>);

impl<'d> Tree<'d> {
    /// Returns the document's value.
    pub(super) const fn root(&'d self) -> Json<'d> {
        Json { tree: self, at: 0 }
    }

    fn unescaped(&self, index: u32) -> &str {
        let end = |index: usize| self.ends.get(index).map_or(0, |end| end.as_usize());
        let index = index.as_usize();
        let start = index.checked_sub(1).map_or(0, end);
        self.unescaped.get(start..end(index)).unwrap_or_default()
    }
}

impl<'d> Json<'d> {
    fn node(&self) -> Option<Node> {
        self.tree.nodes.get(self.at).copied()
    }

    /// Returns where the value stands.
    pub(super) fn span(&self) -> Span {
        self.node().map_or_else(Span::default, |node| node.span)
    }

    /// Returns the value.
    pub(super) fn value(&self) -> Value<'d> {
        let Some(Node { span, kind }) = self.node() else {
            return Value::Null;
        };
        let (tree, start) = (self.tree, self.at + 1);
        let text = |from: u32, to: u32| {
            tree.text
                .get(from.as_usize()..to.as_usize())
                .unwrap_or_default()
        };
        match kind {
            Kind::Null => Value::Null,
            Kind::Bool => Value::Bool(text(span.start, span.end)),
            Kind::Number => Value::Number(text(span.start, span.end)),
            Kind::String => Value::String(text(span.start + 1, span.end - 1)),
            Kind::Unescaped(at) => Value::String(tree.unescaped(at)),
            Kind::Array(end) => Value::Array(Items {
                tree,
                at: start,
                end: end.as_usize(),
            }),
            Kind::Object(end) => Value::Object(Members(Items {
                tree,
                at: start,
                end: end.as_usize(),
            })),
        }
    }

    /// Returns the name of the value's type, with its article.
    pub(super) fn type_name(&self) -> &'static str {
        match self.value() {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

impl<'d> Iterator for Items<'d> {
    type Item = Json<'d>;

    fn next(&mut self) -> Option<Json<'d>> {
        let node = self
            .tree
            .nodes
            .get(self.at)
            .filter(|_| self.at < self.end)?;
        let json = Json {
            tree: self.tree,
            at: self.at,
        };
        self.at = match node.kind {
            Kind::Array(end) | Kind::Object(end) => end.as_usize(),
            _ => self.at + 1,
        };
        Some(json)
    }
}

impl Members<'_> {
    /// Returns whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        { self.0 }.next().is_none()
    }
}

impl<'d> Iterator for Members<'d> {
    /// The key, where it stands, the value.
    type Item = (&'d str, Span, Json<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?;
        let name = match key.value() {
            Value::String(name) => name,
            _ => "",
        };
        Some((name, key.span(), self.0.next()?))
    }
}
