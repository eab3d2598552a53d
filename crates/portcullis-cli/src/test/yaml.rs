//! YAML, of which JSON is a part → a tree in which every value knows its place.
//!
//! ```text
//! text ──events of the parser──▶ Node per document ──suite──▶ cases
//! ```
//!
//! A value that YAML would turn into a number or a truth stays the text that it is
//! written as: an account `012345678901` keeps its zero. Only a plain `null`, `~` or
//! nothing at all is no text. Keys are texts, none of them twice in one mapping. An alias
//! is a copy of what it names; how much all copies may be is limited.

use core::ops::Range;
use std::collections::{HashMap, HashSet};

use portcullis::Position;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::failure::PolicyFault;
use crate::terminal::{shortened, visible};

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// What it is.
    pub(super) value: Value,
    /// Where it stands.
    pub(super) place: Place,
}

/// A place in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The bytes; of a list or mapping written over several lines only its first character.
    pub(super) range: Range<usize>,
    /// Where they begin.
    pub(super) position: Position,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A plain `null` or `~`, or nothing at all.
    Null,
    /// Any other scalar, as it is written.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The key.
    pub(super) text: String,
    /// Where it stands.
    pub(super) place: Place,
}

impl Node {
    /// Returns what the value is, in a sentence.
    pub(super) const fn type_name(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Reads all documents of a text; those that hold nothing are left out.
pub(super) fn read(text: &str) -> Result<Vec<Node>, PolicyFault> {
    let mark = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let plain = text.get(mark..).unwrap_or_default();
    let mut reader = Reader {
        offsets: Offsets::new(plain, mark),
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: Vec::new(),
        nodes: 0,
    };
    for event in Parser::new_from_str(plain) {
        let (event, span) = event.map_err(|error| reader.syntax(&error))?;
        reader.event(event, &span)?;
    }
    reader
        .documents
        .retain(|document| document.value != Value::Null);
    Ok(reader.documents)
}

struct Reader {
    offsets: Offsets,
    /// The containers that are not closed yet, the innermost last.
    open: Vec<Open>,
    /// What has an anchor, with the number of its nodes.
    anchors: HashMap<usize, (Node, usize)>,
    documents: Vec<Node>,
    /// How many nodes there are, copies included.
    nodes: usize,
}

/// A container that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    /// How many nodes there were before it.
    before: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map {
        members: Vec<(Key, Node)>,
        keys: HashSet<String>,
        /// A key whose value has not come yet.
        key: Option<Key>,
    },
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), PolicyFault> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                check_tag(tag.as_deref(), &place)?;
                let null = style == ScalarStyle::Plain && tag.is_none();
                let value = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if null => Value::Null,
                    text => Value::Text(text.to_owned()),
                };
                self.count(1, &place)?;
                let node = Node { value, place };
                self.anchor(anchor, &node, 1);
                self.put(node)
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), &place)?;
                self.begin(Items::List(Vec::new()), anchor, place)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), &place)?;
                let items = Items::Map {
                    members: Vec::new(),
                    keys: HashSet::new(),
                    key: None,
                };
                self.begin(items, anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let value = match open.items {
                    Items::List(items) => Value::List(items),
                    Items::Map { members, .. } => Value::Map(members),
                };
                let node = Node {
                    value,
                    place: open.place,
                };
                self.anchor(open.anchor, &node, self.nodes - open.before);
                self.put(node)
            }
            Event::Alias(anchor) => {
                let Some((_, size)) = self.anchors.get(&anchor) else {
                    return Err(fault(
                        &place,
                        "the alias stands inside of what it names",
                        None,
                    ));
                };
                // Before the copy is made.
                self.count(*size, &place)?;
                let copy = self.anchors.get(&anchor).map(|(node, _)| node.clone());
                copy.map_or(Ok(()), |node| self.put(node))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, items: Items, anchor: usize, place: Place) -> Result<(), PolicyFault> {
        if self.open.len() == DEPTH {
            let message = format!("lists and mappings are nested more than {DEPTH} deep");
            return Err(fault(&place, message, None));
        }
        let before = self.nodes;
        self.count(1, &place)?;
        self.open.push(Open {
            place,
            anchor,
            before,
            items,
        });
        Ok(())
    }

    /// Puts a value where it belongs: into the container around it, or among the documents.
    fn put(&mut self, node: Node) -> Result<(), PolicyFault> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.items {
            Items::List(items) => items.push(node),
            Items::Map { members, keys, key } => match key.take() {
                Some(key) => members.push((key, node)),
                None => {
                    let Value::Text(text) = node.value else {
                        let message = format!("a key is a text, not {}", node.type_name());
                        return Err(fault(&node.place, message, None));
                    };
                    if !keys.insert(text.clone()) {
                        let shown = shortened(&text, SHOWN).into_owned();
                        return Err(fault(
                            &node.place,
                            format!("`{}` stands here twice", visible(&shown)),
                            Some("keep one of the two"),
                        ));
                    }
                    *key = Some(Key {
                        text,
                        place: node.place,
                    });
                }
            },
        }
        Ok(())
    }

    fn anchor(&mut self, anchor: usize, node: &Node, size: usize) {
        // Anchors are numbered from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
    }

    fn count(&mut self, nodes: usize, place: &Place) -> Result<(), PolicyFault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES {
            let message =
                format!("the file has more than {NODES} values, those of aliases counted");
            return Err(fault(place, message, Some("split it into several files")));
        }
        Ok(())
    }

    fn place(&self, span: &Span) -> Place {
        let start = self.offsets.byte(span.start.index());
        let end = if span.end.line() == span.start.line() {
            self.offsets.byte(span.end.index()).max(start)
        } else {
            start + 1
        };
        Place {
            range: start..end,
            position: position(&span.start),
        }
    }

    fn syntax(&self, error: &ScanError) -> PolicyFault {
        let at = self.offsets.byte(error.marker().index());
        let place = Place {
            range: at..at,
            position: position(error.marker()),
        };
        // What an address such as `2001:db8::` is taken for.
        let colon = error.info().contains("mapping values");
        let message = format!("this is no YAML: {}", error.info());
        fault(&place, message, colon.then_some(COLON_HELP))
    }
}

/// Returns a fault that has no path yet.
pub(super) fn fault(place: &Place, message: impl Into<String>, help: Option<&str>) -> PolicyFault {
    PolicyFault {
        message: message.into(),
        help: help.map(str::to_owned),
        position: place.position,
        path: String::new(),
        range: place.range.clone(),
    }
}

/// Refuses tags, which would say what a value is: the field it stands in does.
fn check_tag(tag: Option<&Tag>, place: &Place) -> Result<(), PolicyFault> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == "str") => Err(fault(
            place,
            format!("the tag `{}` means nothing here", visible(&tag.to_string())),
            Some("leave it out"),
        )),
        _ => Ok(()),
    }
}

fn position(marker: &Marker) -> Position {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position {
        line: number(marker.line()),
        column: number(marker.col()).saturating_add(1),
    }
}

/// Where the characters of a text are, in bytes: the parser counts characters.
struct Offsets {
    /// `None`: every character is one byte.
    table: Option<Vec<usize>>,
    end: usize,
    /// What stands before the text.
    before: usize,
}

impl Offsets {
    fn new(text: &str, before: usize) -> Self {
        let table = || text.char_indices().map(|(offset, _)| offset).collect();
        Self {
            table: (!text.is_ascii()).then(table),
            end: text.len(),
            before,
        }
    }

    fn byte(&self, character: usize) -> usize {
        let byte = match &self.table {
            None => character.min(self.end),
            Some(table) => table.get(character).copied().unwrap_or(self.end),
        };
        byte + self.before
    }
}

/// What to do about a text that YAML takes for a key.
pub(super) const COLON_HELP: &str =
    "a text that ends in a colon, or has one and a space in it, stands in quotes: \"2001:db8::\"";
/// How deep lists and mappings may be nested; cases are five deep.
const DEPTH: usize = 32;
/// How many values a file may have.
const NODES: usize = 4_000_000;
/// Characters of a user's text in a message.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        let mut documents = read(text).unwrap();
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    fn leaves<'n>(node: &'n Node, found: &mut Vec<(&'n str, &'n Place)>) {
        match &node.value {
            Value::Null => {}
            Value::Text(text) => found.push((text, &node.place)),
            Value::List(items) => items.iter().for_each(|item| leaves(item, found)),
            Value::Map(members) => {
                for (key, value) in members {
                    found.push((&key.text, &key.place));
                    leaves(value, found);
                }
            }
        }
    }

    /// Line, column and bytes by hand for every leaf, whatever stands before it.
    #[test]
    fn every_text_knows_its_place() {
        let lines = "größe: [ü, 東京]\r\nb:\r\n  - x: 012\r\n    y: {k: v}\n  # ö\n  - true\n";
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{lines}");
            let node = one(&text);
            let mut found = Vec::new();
            leaves(&node, &mut found);
            assert_eq!(found.len(), 10);
            for (leaf, place) in found {
                assert_eq!(&text[place.range.clone()], leaf);
                let before = &text[mark.len()..place.range.start];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                let position = Position {
                    line: line.try_into().unwrap(),
                    column: column.try_into().unwrap(),
                };
                assert_eq!(place.position, position, "{leaf}");
            }
        }
    }

    #[test]
    fn json_is_yaml() {
        let yaml = one("a: [x, null, '~', \"1\"]\nb: {c: {}, d: []}\n");
        let json = one(r#"{"a": ["x", null, "~", "1"], "b": {"c": {}, "d": []}}"#);
        let strip = |node: &Node| format!("{:?}", without_places(node));
        assert_eq!(strip(&yaml), strip(&json));
    }

    fn without_places(node: &Node) -> Node {
        let value = match &node.value {
            Value::List(items) => Value::List(items.iter().map(without_places).collect()),
            Value::Map(members) => {
                let bare = |(key, value): &(Key, Node)| {
                    let place = Place::default();
                    let text = key.text.clone();
                    (Key { text, place }, without_places(value))
                };
                Value::Map(members.iter().map(bare).collect())
            }
            plain => plain.clone(),
        };
        Node {
            value,
            place: Place::default(),
        }
    }

    #[test]
    fn documents_without_anything_are_left_out() {
        assert_eq!(read("").unwrap(), []);
        assert_eq!(read("# nothing\n---\n---\n").unwrap(), []);
        assert_eq!(read("a: 1\n---\n# none\n---\nb: 2\n").unwrap().len(), 2);
    }

    #[test]
    fn an_alias_is_a_copy_and_copies_are_limited() {
        let node = one("a: &x [1, 2]\nb: *x\n");
        let Value::Map(members) = &node.value else {
            panic!("a mapping");
        };
        assert_eq!(members[0].1.value, members[1].1.value);

        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..20 {
            let list = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert!(read(&bomb).unwrap_err().message.contains("values"));
    }

    #[test]
    fn faults_by_their_text_and_place() {
        for (text, message, line, column) in [
            ("a: 1\nb: 2\na: 3\n", "`a` stands here twice", 3, 1),
            ("? [a]\n: 1\n", "a key is a text, not a list", 1, 3),
            ("a: !env X\n", "the tag `!env` means nothing here", 1, 4),
            (
                "a: &x [*x]\n",
                "the alias stands inside of what it names",
                1,
                8,
            ),
        ] {
            let fault = read(text).unwrap_err();
            let place = (fault.position.line, fault.position.column);
            assert_eq!((fault.message.as_str(), place), (message, (line, column)));
        }
        let deep = "[".repeat(100);
        assert!(read(&deep).unwrap_err().message.contains("nested"));
        for broken in ["a: [1\n", "a: \"x\n", "a: b: c\n", "- *y\n"] {
            let fault = read(broken).unwrap_err();
            assert!(fault.message.starts_with("this is no YAML: "), "{fault:?}");
        }
    }
}
