//! Other evaluators' test suites, read into questions in the form of the data cases.
//!
//! The folder is named by `PORTCULLIS_VECTORS`. Each file of it holds `vectors`, each of which is
//! turned into documents and a request:
//!
//! | type | becomes |
//! |---|---|
//! | `policy` | its own policies and request; profiles other than those below need policies of other kinds |
//! | `condition` | one Allow with this condition: allow or implicit deny |
//! | `match` | one Allow with this pattern as resource, action or `StringLike` value |
//! | `parse` | its own document: loads or does not |

use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::request::{Caller, Document, OwnedRequest, OwnedValue, in_order, invoke};

/// The environment variable that names the folder.
pub(crate) const FOLDER: &str = "PORTCULLIS_VECTORS";

/// Vectors whose answer the semantics of this project contradict: id, section, why.
pub(crate) const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "politest-0032",
        "9, row 16",
        "a list of one value is that value",
    ),
    (
        "politest-0072",
        "1.1",
        "`Id` is forbidden in an identity policy",
    ),
    (
        "politest-0073",
        "1.1",
        "`Id` is forbidden in an identity policy",
    ),
    (
        "politest-0074",
        "1.1",
        "`Id` is forbidden in an identity policy",
    ),
    (
        "politest-0075",
        "1.1",
        "`Id` is forbidden in an identity policy",
    ),
    (
        "scality-policy-0101",
        "9, row 25",
        "an empty list of statements is an error",
    ),
    (
        "seaweedfs-unit-0003",
        "3.5",
        "an empty value is no value, and `StringLike` without a value is false",
    ),
];

/// A question taken from another evaluator's tests.
#[derive(Debug)]
pub(crate) struct Vector {
    pub(crate) id: String,
    /// `policy`, `condition`, `match` or `parse`.
    pub(crate) kind: String,
    pub(crate) documents: Vec<Document>,
    pub(crate) request: OwnedRequest,
    pub(crate) expect: Expect,
}

/// The answer of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One of these decisions, in the spelling of `eval`.
    Decision(&'static [&'static str]),
    /// The document does not load; a document that does may get any decision.
    ParseError,
    /// The document loads, whatever it then decides.
    Loads,
}

/// The vectors of a folder, and how many of each type were not counted.
#[derive(Debug, Default)]
pub(crate) struct Vectors {
    pub(crate) counted: Vec<Vector>,
    pub(crate) left_out: Vec<String>,
}

#[derive(Deserialize)]
struct RawFile {
    vectors: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    r#type: String,
    expect: Json,
    oracle: Option<RawOracle>,
    profile: Option<String>,
    policies: Option<Vec<RawPolicy>>,
    request: Option<RawRequest>,
    kind: Option<String>,
    #[serde(rename = "policyKind")]
    policy_kind: Option<String>,
    document: Option<Json>,
    operator: Option<String>,
    key: Option<String>,
    values: Option<Json>,
    #[serde(default, deserialize_with = "in_order")]
    context: Vec<(String, OwnedValue)>,
    pattern: Option<String>,
    patterns: Option<Vec<String>>,
    value: Option<String>,
    #[serde(default)]
    not: bool,
}

#[derive(Deserialize)]
struct RawOracle {
    raw: Option<String>,
}

#[derive(Deserialize)]
struct RawPolicy {
    kind: String,
    document: Json,
}

#[derive(Deserialize)]
struct RawRequest {
    principal: Option<Caller>,
    action: String,
    resource: String,
    #[serde(default, deserialize_with = "in_order")]
    context: Vec<(String, OwnedValue)>,
}

/// Reads the folder that [`FOLDER`] names; `None` where it names none.
///
/// # Panics
///
/// Where the folder is missing or holds no vector, or a vector cannot be read: a run that was
/// asked for must not pass by doing nothing.
pub(crate) fn load() -> Option<Vectors> {
    let folder = PathBuf::from(env::var_os(FOLDER)?);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{FOLDER} is {}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort_unstable();
    let mut vectors = Vectors::default();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let file: RawFile = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for raw in file.vectors {
            let kind = raw.r#type.clone();
            match raw.question() {
                Some(vector) => vectors.counted.push(vector),
                None => vectors.left_out.push(kind),
            }
        }
    }
    assert!(
        !vectors.counted.is_empty(),
        "{FOLDER} is {}, which holds no vector",
        folder.display()
    );
    Some(vectors)
}

impl Raw {
    /// Returns the question, or `None` where this vector does not count.
    fn question(self) -> Option<Vector> {
        let mut request = OwnedRequest {
            principal: None,
            action: invoke(),
            resource: "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets".to_owned(),
            source_ip: None,
            context: self.context,
        };
        let (documents, expect) = match &*self.r#type {
            "policy" => {
                if !matches!(
                    self.profile.as_deref()?,
                    "resource-only" | "identity-only" | "identity+resource"
                ) {
                    return None;
                }
                let asked = self.request.unwrap();
                request = OwnedRequest {
                    principal: asked.principal,
                    action: asked.action,
                    resource: asked.resource,
                    source_ip: None,
                    context: asked.context,
                };
                let documents = self
                    .policies
                    .unwrap()
                    .iter()
                    .map(|p| document(&p.kind, &p.document))
                    .collect();
                let raw = self.oracle.and_then(|oracle| oracle.raw);
                let expected = raw.as_deref().or_else(|| self.expect.as_str()).unwrap();
                (documents, decision(expected))
            }
            "condition" => {
                let condition =
                    json!({ self.operator.unwrap(): { self.key.unwrap(): self.values.unwrap() } });
                (
                    vec![allow("Condition", condition, "resource")],
                    holds(&self.expect),
                )
            }
            "match" => {
                let patterns = self
                    .patterns
                    .unwrap_or_else(|| self.pattern.into_iter().collect());
                let value = self.value.unwrap();
                let policy_kind = self.policy_kind.as_deref().unwrap_or("resource");
                let (element, patterns) = match &*self.kind? {
                    "resource-arn" => {
                        request.resource = value;
                        (
                            if self.not { "NotResource" } else { "Resource" },
                            json!(patterns),
                        )
                    }
                    "action" => {
                        request.action = value;
                        (
                            if self.not { "NotAction" } else { "Action" },
                            json!(patterns),
                        )
                    }
                    "string-like" => {
                        request
                            .context
                            .push(("x:value".to_owned(), OwnedValue::Text(value)));
                        let operator = if self.not {
                            "StringNotLike"
                        } else {
                            "StringLike"
                        };
                        ("Condition", json!({ operator: { "x:value": patterns } }))
                    }
                    _ => return None,
                };
                (
                    vec![allow(element, patterns, policy_kind)],
                    holds(&self.expect),
                )
            }
            "parse" => {
                let kind = self.kind?;
                if !matches!(&*kind, "identity" | "resource") {
                    return None;
                }
                let expect = match self.expect.as_str().unwrap() {
                    "OK" => Expect::Loads,
                    "ParseError" => Expect::ParseError,
                    other => panic!("{}: `{other}` is no outcome of parsing", self.id),
                };
                (vec![document(&kind, &self.document.unwrap())], expect)
            }
            other => panic!("{}: `{other}` is no type of vector", self.id),
        };
        Some(Vector {
            id: self.id,
            kind: self.r#type,
            documents,
            request,
            expect,
        })
    }
}

fn document(kind: &str, document: &Json) -> Document {
    Document {
        kind: match kind {
            "resource" => "resource",
            "identity" => "identity",
            other => panic!("`{other}` is no kind of policy"),
        },
        // A document that is a string is the text of one.
        text: document
            .as_str()
            .map_or_else(|| document.to_string(), str::to_owned),
    }
}

/// Returns a policy of one Allow for everything, but for the given element.
fn allow(element: &str, value: Json, kind: &str) -> Document {
    let mut statement = json!({ "Effect": "Allow" });
    let not_given = |default: &str| element.strip_prefix("Not").unwrap_or(element) != default;
    for default in ["Action", "Resource"] {
        if not_given(default) {
            statement[default] = json!("*");
        }
    }
    if kind == "resource" {
        statement["Principal"] = json!("*");
    }
    statement[element] = value;
    document(
        kind,
        &json!({ "Version": "2012-10-17", "Statement": [statement] }),
    )
}

fn decision(expected: &str) -> Expect {
    Expect::Decision(match expected {
        "Allow" => &["allow"],
        "ExplicitDeny" => &["explicit_deny"],
        "ImplicitDeny" => &["implicit_deny"],
        "Denied" => &["explicit_deny", "implicit_deny"],
        other => panic!("`{other}` is no decision"),
    })
}

fn holds(expected: &Json) -> Expect {
    decision(if expected.as_bool().unwrap() {
        "Allow"
    } else {
        "ImplicitDeny"
    })
}
