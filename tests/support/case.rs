//! Data cases: `tests/testdata/*.toml` read into questions with their literal answers.
//!
//! ```toml
//! base = "arn:…:abc/"             # optional; what `path` of a request is appended to
//!
//! [[case]]
//! name = "…"
//! policy = '''{…}'''              # or policies = [{ kind = "identity", document = '''…''' }], [] for none
//! api = "arn:…:abc/"              # optional; whose short-hand it is, else that of the request's ARN
//! requests = [{ principal, action, resource or path, source_ip, context, decision, determining, prefixes }]
//! ```
//!
//! Everything of a request but `decision` may be left out: the caller is then anonymous, the
//! action `execute-api:Invoke`, the path `prod/GET/pets`, and the address absent.
//!
//! Two more forms of a case:
//! - `condition = '''{…}'''` with `holds = true | false` in its requests stands for two cases: the
//!   condition in an Allow that stands alone, and in a Deny beside an Allow for all.
//! - `parse_error = { line, column, path, message_contains }`, or a list `parse_errors` of all
//!   faults in order, for a document that must not load.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::request::{Caller, OwnedRequest, OwnedValue, in_order, invoke};

/// What `path` is appended to where a file names no `base`.
const BASE: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/";

/// A case, ready to run.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file's name, without extension.
    pub(crate) file: String,
    pub(crate) name: String,
    /// The documents; the kind is forced where the case says so.
    pub(crate) documents: Vec<CaseDocument>,
    /// An ARN of the API whose short-hand the documents have, where it is not the request's.
    pub(crate) api: Option<String>,
    pub(crate) questions: Vec<Question>,
    /// Every fault of the document, in order; empty where it must load.
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseDocument {
    /// `resource` or `identity`; `None` to tell from the document.
    pub(crate) kind: Option<String>,
    #[serde(rename = "document")]
    pub(crate) text: String,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) request: OwnedRequest,
    /// `allow`, `explicit_deny` or `implicit_deny`.
    pub(crate) decision: String,
    /// Policy and statement of every determining statement.
    pub(crate) determining: Option<Vec<[usize; 2]>>,
    /// The prefixes that matched, of all determining statements, in order.
    pub(crate) prefixes: Option<Vec<String>>,
}

/// An expected parse error; what is left out is not checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) path: Option<String>,
    pub(crate) message_contains: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default = "base")]
    base: String,
    case: Vec<RawCase>,
}

fn base() -> String {
    BASE.to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    policy: Option<String>,
    policies: Option<Vec<CaseDocument>>,
    condition: Option<String>,
    api: Option<String>,
    #[serde(default)]
    requests: Vec<RawRequest>,
    parse_error: Option<Fault>,
    #[serde(default)]
    parse_errors: Vec<Fault>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    principal: Option<Caller>,
    action: Option<String>,
    resource: Option<String>,
    path: Option<String>,
    source_ip: Option<String>,
    #[serde(default, deserialize_with = "in_order")]
    context: Vec<(String, OwnedValue)>,
    decision: Option<String>,
    holds: Option<bool>,
    determining: Option<Vec<[usize; 2]>>,
    prefixes: Option<Vec<String>>,
}

/// Reads the cases of one file.
///
/// # Panics
///
/// Where the file cannot be read or is not of the form above: test data has no excuse.
pub(crate) fn load(path: &Path) -> Vec<Case> {
    let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        text.starts_with("# "),
        "{file}: opens with a paragraph on what it covers"
    );
    let raw: RawFile =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Case> = raw
        .case
        .into_iter()
        .flat_map(|case| case.expand(&file, &raw.base))
        .collect();
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1], "{file}: two cases of this name");
    }
    cases
}

impl RawCase {
    /// Turns the written form into one case, or two for a lone condition.
    fn expand(self, file: &str, base: &str) -> Vec<Case> {
        let whose = format!("{file}: {}", self.name);
        let Some(condition) = &self.condition else {
            let documents = match (&self.policy, &self.policies) {
                (Some(text), None) => vec![CaseDocument {
                    kind: None,
                    text: text.clone(),
                }],
                (None, Some(documents)) => documents.clone(),
                _ => panic!("{whose}: one of policy, policies and condition"),
            };
            let questions: Vec<Question> = self
                .requests
                .iter()
                .map(|r| r.question(base, r.decision(&whose)))
                .collect();
            let faults = self
                .parse_error
                .into_iter()
                .chain(self.parse_errors)
                .collect::<Vec<_>>();
            assert_ne!(
                questions.is_empty(),
                faults.is_empty(),
                "{whose}: requests or parse errors, not both"
            );
            return vec![Case {
                file: file.to_owned(),
                name: self.name,
                documents,
                api: self.api,
                questions,
                faults,
            }];
        };
        assert!(
            !self.requests.is_empty() && self.policy.is_none() && self.policies.is_none(),
            "{whose}"
        );
        let alone = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*",
 "Action": "execute-api:Invoke", "Resource": "*", "Condition": {condition}}}}}"#
        );
        let beside = format!(
            r#"{{"Version": "2012-10-17", "Statement": [
 {{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
 {{"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*", "Condition": {condition}}}]}}"#
        );
        [
            ("in an Allow", alone, ["implicit_deny", "allow"]),
            ("in a Deny", beside, ["allow", "explicit_deny"]),
        ]
        .into_iter()
        .map(|(place, text, outcomes)| Case {
            file: file.to_owned(),
            name: format!("{} ({place})", self.name),
            documents: vec![CaseDocument { kind: None, text }],
            api: None,
            questions: self
                .requests
                .iter()
                .map(|r| r.question(base, outcomes[usize::from(r.holds(&whose))].to_owned()))
                .collect(),
            faults: Vec::new(),
        })
        .collect()
    }
}

impl RawRequest {
    fn decision(&self, whose: &str) -> String {
        let decision = self.decision.clone().unwrap_or_default();
        assert!(
            matches!(&*decision, "allow" | "explicit_deny" | "implicit_deny")
                && self.holds.is_none(),
            "{whose}: `{decision}` is no decision"
        );
        decision
    }

    fn holds(&self, whose: &str) -> bool {
        assert!(
            self.decision.is_none() && self.determining.is_none(),
            "{whose}: a condition holds or not"
        );
        self.holds
            .unwrap_or_else(|| panic!("{whose}: a request without `holds`"))
    }

    fn question(&self, base: &str, decision: String) -> Question {
        let path = self.path.as_deref().unwrap_or("prod/GET/pets");
        Question {
            request: OwnedRequest {
                principal: self.principal.clone(),
                action: self.action.clone().unwrap_or_else(invoke),
                resource: self
                    .resource
                    .clone()
                    .unwrap_or_else(|| format!("{base}{path}")),
                source_ip: self.source_ip.clone(),
                context: self.context.clone(),
            },
            decision,
            determining: self.determining.clone(),
            prefixes: self.prefixes.clone(),
        }
    }
}
