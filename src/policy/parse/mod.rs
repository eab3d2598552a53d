//! Tree → [`Policy`], collecting every fault.
//!
//! A reader of an element returns `None` after it has told a fault, so the others go on;
//! a policy comes out only if nothing was told. What is refused beyond the grammar is
//! what could not be meant: lists without values, texts that are no address, names that
//! are nearly right.
//!
//! By file: `statement` reads statements and their lists, `principal` callers, `resource`
//! resources, `condition` operators, keys and values, `cidr` addresses and prefixes.

pub(super) mod cidr;
mod condition;
mod principal;
mod resource;
mod statement;
#[cfg(test)]
mod tests;

use core::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::error::{Fault, ParseError, Quoted, shorten, tame};
use super::json::{self, Json, Members, Value};
use super::model::{Located, Policy, PolicyKind, Version};
use super::options::{Limits, ParseOptions};
use super::source::{Source, Span, position_in};
use crate::decision::Position;
use crate::policy::names::nearest;
use crate::util::keyed::Map;

impl Policy {
    /// Reads a policy document: JSON, or a JSON string that holds it, escaped once or twice.
    ///
    /// A document whose statements have no principal is an identity policy.
    ///
    /// # Errors
    ///
    /// Every fault of the document, each with line, column, path and remedy. Never panics.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::Policy;
    ///
    /// let text = r#"{"Version": "2012-10-17", "Statement": [{
    ///     "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*",
    ///     "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}
    /// }]}"#;
    /// let error = Policy::from_json(text).unwrap_err();
    /// assert_eq!((error.line(), error.column()), (3, 49));
    /// assert_eq!(error.path(), "Statement[0].Condition.IpAddress.aws:SourceIp");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ParseError> {
        Self::from_json_with(text, &ParseOptions::default())
    }

    /// Reads a policy document that must be of this kind.
    ///
    /// # Errors
    ///
    /// As [`Self::from_json`]; besides, a principal too many or too few for the kind.
    pub fn from_json_as(text: &str, kind: PolicyKind) -> Result<Self, ParseError> {
        Self::from_json_with(text, &ParseOptions::default().with_kind(Some(kind)))
    }

    /// Reads a policy document from bytes, which must be UTF-8; a byte order mark is skipped.
    ///
    /// # Errors
    ///
    /// As [`Self::from_json`]; besides, bytes that are no UTF-8.
    pub fn from_json_bytes(bytes: &[u8], options: &ParseOptions) -> Result<Self, ParseError> {
        let error = match core::str::from_utf8(bytes) {
            Ok(text) => return Self::from_json_with(text, options),
            Err(error) => error,
        };
        let offset = error.valid_up_to();
        let before = bytes
            .get(..offset)
            .and_then(|valid| core::str::from_utf8(valid).ok());
        let fault = Fault {
            position: position_in(before.unwrap_or_default(), offset),
            range: offset..offset,
            path: String::new(),
            message: match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                    "the text begins with the byte order mark of UTF-16, and is not UTF-8"
                }
                _ => "the text is not UTF-8",
            }
            .to_owned(),
            help: Some("save the file as UTF-8".to_owned()),
        };
        Err(ParseError {
            faults: vec![fault],
            suppressed: 0,
        })
    }

    /// Reads a policy document with a kind that it must be of, or with other limits.
    ///
    /// # Errors
    ///
    /// As [`Self::from_json`].
    pub fn from_json_with(text: &str, options: &ParseOptions) -> Result<Self, ParseError> {
        let source = source(text, &options.limits)?;
        let limits = &options.limits;
        let tree = json::read(source.text(), limits.depth, limits.values).map_err(|fault| {
            let start = u32::try_from(fault.offset).unwrap_or(u32::MAX);
            let help = fault.help.map(str::to_owned);
            let span = Span { start, end: start };
            single(&source, span, fault.path, fault.what, help)
        })?;
        let mut reader = Reader {
            source: &source,
            limits,
            variables: false,
            faults: Vec::new(),
            suppressed: 0,
        };
        let document = reader.document(tree.root(), options.kind);
        let (mut faults, suppressed) = (reader.faults, reader.suppressed);
        faults.sort_by_key(|fault| fault.range.start);
        match document {
            Some(document) if faults.is_empty() => {
                let Document {
                    kind,
                    version,
                    id,
                    statements,
                } = document;
                Ok(Self {
                    source: Arc::new(source),
                    kind,
                    version,
                    id,
                    statements,
                })
            }
            _ => Err(ParseError { faults, suppressed }),
        }
    }
}

fn source(text: &str, limits: &Limits) -> Result<Source, ParseError> {
    // Spans count in 32 bits.
    let limit = limits.text_bytes.min(0xffff_fffe);
    if text.len() > limit {
        let message = format!(
            "the text has {} bytes, more than the limit of {limit}",
            text.len()
        );
        let help = Some("split the policy, or raise the limit".to_owned());
        let position = Position { line: 1, column: 1 };
        let fault = Fault {
            position,
            range: 0..0,
            path: String::new(),
            message,
            help,
        };
        return Err(ParseError {
            faults: vec![fault],
            suppressed: 0,
        });
    }
    Source::new(text).map_err(|fault| {
        let fault = Fault {
            position: position_in(text, fault.offset),
            range: fault.offset..fault.offset,
            path: String::new(),
            message: format!("the document {}", fault.what),
            help: None,
        };
        ParseError {
            faults: vec![fault],
            suppressed: 0,
        }
    })
}

fn single(
    source: &Source,
    span: Span,
    path: String,
    message: String,
    help: Option<String>,
) -> ParseError {
    let range = source.given_range(span);
    let position = source.given_position(range.start);
    ParseError {
        faults: vec![Fault {
            position,
            range,
            path,
            message,
            help,
        }],
        suppressed: 0,
    }
}

/// What a document says, before it has its source.
struct Document {
    kind: PolicyKind,
    version: Option<Version>,
    id: Option<Located<Box<str>>>,
    statements: Vec<super::model::Statement>,
}

/// The elements of a document, in the order of AWS's documentation.
pub(super) const DOCUMENT: [&str; 3] = ["Version", "Id", "Statement"];
/// The elements of a statement, in the order of AWS's documentation.
pub(super) const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// As many members as nearly all objects have at most.
const FEW: usize = 8;

/// A member of an object.
#[derive(Clone, Copy)]
struct Member<'d> {
    key: &'d str,
    /// Where the key stands.
    span: Span,
    json: Json<'d>,
}

/// The members of an object with known keys; of those that stand twice, each.
struct Known<'d> {
    members: SmallVec<[Member<'d>; FEW]>,
    /// The known keys that others were told to be near: these are not missed as well.
    near: Vec<&'static str>,
}

/// Reads elements and collects faults.
struct Reader<'s> {
    source: &'s Source,
    limits: &'s Limits,
    /// Whether `${…}` are policy variables.
    variables: bool,
    faults: Vec<Fault>,
    suppressed: usize,
}

/// Where an element stands in the document, for the paths of faults.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            // A key may be as long as the text, and under it may be many faults.
            Self::Key(Self::Root, key) => f.write_str(&shorten(key)),
            Self::Key(parent, key) => write!(f, "{parent}.{}", shorten(key)),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Reader<'_> {
    /// Counts a fault without telling it, if no more are told: then the caller need not find its words.
    fn suppress(&mut self) -> bool {
        let full = self.faults.len() >= self.limits.faults.max(1);
        self.suppressed += usize::from(full);
        full
    }

    /// Tells a fault.
    fn fault(
        &mut self,
        path: &Path<'_>,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        if self.suppress() {
            return;
        }
        let range = self.source.given_range(span);
        let position = self.source.given_position(range.start);
        // A path is made of the document's own keys, which can hold anything.
        let path = tame(&path.to_string());
        self.faults.push(Fault {
            position,
            range,
            path,
            message: message.into(),
            help: help.into(),
        });
    }

    fn document(&mut self, root: Json<'_>, forced: Option<PolicyKind>) -> Option<Document> {
        let path = Path::Root;
        let Value::Object(members) = root.value() else {
            let message = format!("a policy is an object, not {}", root.type_name());
            let help = match root.value() {
                Value::Array(_) => {
                    "write `{\"Version\": \"2012-10-17\", \"Statement\": […]}` around the statements"
                }
                _ => "write `{\"Version\": \"2012-10-17\", \"Statement\": [{…}]}`",
            };
            self.fault(&path, root.span(), message, help.to_owned());
            return None;
        };
        let Known { members, near } =
            self.members(&path, members, &DOCUMENT, "element of a policy");
        let get = |name: &str| members.iter().find(|member| member.key == name).copied();

        // What stands twice is told, and read for its own faults; the first counts.
        let mut version = None;
        let mut id = None;
        for member in &members {
            let path = Path::Key(&path, member.key);
            match member.key {
                "Version" => drop(version.get_or_insert(self.version(&path, member.json))),
                "Id" => drop(id.get_or_insert(self.string(&path, member.json))),
                _ => {}
            }
        }
        // A version that is wrong was hardly meant to be the old one.
        self.variables = version.is_some_and(|version| version != Some(Version::V2008));
        let Some(first) = get("Statement") else {
            if !near.contains(&"Statement") {
                let help = "add `\"Statement\": [{…}]`".to_owned();
                self.fault(&path, root.span(), "the policy has no `Statement`", help);
            }
            return None;
        };
        let kind = forced.unwrap_or_else(|| statement::kind(first.json));
        if let (Some(id), PolicyKind::Identity) = (get("Id"), kind) {
            let help = "remove it, or give every statement a `Principal`".to_owned();
            self.fault(
                &Path::Key(&path, "Id"),
                id.span,
                "an identity policy has no `Id`",
                help,
            );
        }
        let mut statements = None;
        for member in members.iter().filter(|member| member.key == "Statement") {
            let path = Path::Key(&path, "Statement");
            statements.get_or_insert(self.statements(&path, member.json, kind));
        }
        Some(Document {
            kind,
            version: version.flatten(),
            id: id.flatten(),
            statements: statements.flatten()?,
        })
    }

    fn version(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Version> {
        let message = match json.value() {
            Value::String("2012-10-17") => return Some(Version::V2012),
            Value::String("2008-10-17") => return Some(Version::V2008),
            Value::String(other) => {
                format!("{} is no version of the policy language", Quoted(other))
            }
            _ => format!("a version is a string, not {}", json.type_name()),
        };
        self.fault(
            path,
            json.span(),
            message,
            "write `\"2012-10-17\"`".to_owned(),
        );
        None
    }

    /// Reads the members of an object whose keys are `names`: tells keys that are not, and
    /// keys that stand twice.
    fn members<'d>(
        &mut self,
        path: &Path<'_>,
        members: Members<'d>,
        names: &[&'static str],
        what: &str,
    ) -> Known<'d> {
        let mut known = Known {
            members: SmallVec::new(),
            near: Vec::new(),
        };
        for (key, span, json, _) in self.distinct(path, members) {
            if names.contains(&key) {
                known.members.push(Member { key, span, json });
                continue;
            }
            let near = self.unknown(&Path::Key(path, key), span, key, names, what);
            known.near.extend(near);
        }
        known
    }

    /// Tells that a key is none of `names`, and returns the one that was perhaps meant.
    fn unknown(
        &mut self,
        path: &Path<'_>,
        span: Span,
        key: &str,
        names: &[&'static str],
        what: &str,
    ) -> Option<&'static str> {
        if self.suppress() {
            return None;
        }
        let near = nearest(key, names.iter().copied());
        let message = format!("{} is no {what}", Quoted(key));
        let help = match near {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("there are {}", Listed(names)),
        };
        self.fault(path, span, message, help);
        near
    }

    /// Returns the members of an object, each with whether its key stood before; tells those.
    fn distinct<'d>(
        &mut self,
        path: &Path<'_>,
        members: Members<'d>,
    ) -> SmallVec<[(&'d str, Span, Json<'d>, bool); FEW]> {
        let mut distinct: SmallVec<[(&str, Span, Json<'_>, bool); FEW]> = SmallVec::new();
        let mut first: Option<Map<&str, Span>> = None;
        for (key, span, value) in members {
            // Few keys are compared one by one, without a map.
            let earlier = match distinct.len() {
                0..FEW => distinct
                    .iter()
                    .find(|member| member.0 == key)
                    .map(|member| member.1),
                _ => first.as_ref().and_then(|first| first.get(key)).copied(),
            };
            if let Some(earlier) = earlier {
                let position = self.source.position(earlier.start);
                let message = format!("the key {} stands twice, first at {position}", Quoted(key));
                let help = "keep one of them".to_owned();
                self.fault(&Path::Key(path, key), span, message, help);
            }
            distinct.push((key, span, value, earlier.is_some()));
            match (&mut first, distinct.len()) {
                (_, 0..FEW) => {}
                (Some(first), _) => drop(first.entry(key).or_insert(span)),
                (None, _) => {
                    // Of equal keys the first stays.
                    let members = distinct.iter().rev();
                    first = Some(members.map(|member| (member.0, member.1)).collect());
                }
            }
        }
        distinct
    }

    /// Reads a string.
    fn string(&mut self, path: &Path<'_>, json: Json<'_>) -> Option<Located<Box<str>>> {
        let text = self.text(path, json)?;
        Some(Located::new(text.into(), json.span()))
    }

    /// Reads a string that is not kept.
    fn text<'d>(&mut self, path: &Path<'_>, json: Json<'d>) -> Option<&'d str> {
        match json.value() {
            Value::String(text) => Some(text),
            Value::Number(text) | Value::Bool(text) => {
                let message = format!(
                    "expected a string, found {}, {}",
                    json.type_name(),
                    Quoted(text)
                );
                let help = format!("write {}", Quoted(&format!("\"{text}\"")));
                self.fault(path, json.span(), message, help);
                None
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let message = format!("expected a string, found {}", json.type_name());
                self.fault(path, json.span(), message, flatten(path, json));
                None
            }
        }
    }

    /// Reads one value or a list of them, none of which may be a list itself, by `read`.
    ///
    /// `None` after a fault; otherwise there is at least one value.
    fn list<T>(
        &mut self,
        path: &Path<'_>,
        json: Json<'_>,
        mut read: impl FnMut(&mut Self, &Path<'_>, Json<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = json.value() else {
            return read(self, path, json).map(|value| vec![value]);
        };
        let count = items.count();
        let mut values = Vec::with_capacity(count);
        let mut whole = true;
        for (index, item) in items.enumerate() {
            let path = Path::Index(path, index);
            match read(self, &path, item) {
                Some(value) => values.push(value),
                None => whole = false,
            }
        }
        if count == 0 {
            let help = "give at least one value, or remove the statement".to_owned();
            self.fault(path, json.span(), "the list is empty", help);
        }
        (whole && count > 0).then_some(values)
    }
}

/// Returns what to do about a list where one value should stand.
fn flatten(path: &Path<'_>, json: Json<'_>) -> Option<String> {
    let help = match (path, json.value()) {
        (Path::Index(..), Value::Array(_)) => "put its values into the list itself",
        (_, Value::Array(_)) => "give one value, without brackets",
        _ => return None,
    };
    Some(help.to_owned())
}

/// Returns whether a character is one that names do not have.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// Names in backticks, with commas.
struct Listed<'n>(&'n [&'n str]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let separator = match index {
                0 => "",
                last if last + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{separator}`{name}`")?;
        }
        Ok(())
    }
}
