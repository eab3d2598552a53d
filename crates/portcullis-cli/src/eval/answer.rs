//! The answer to a line.

use std::sync::Arc;

use portcullis::{Decision, ParseOptions, Policy, PolicyKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::line::{LineError, Others, Piece, shown};
use super::pipeline::Answer;
use super::policy_set::{PolicySet, SetError};
use super::request::{LineRequest, text};
use crate::args::EngineChoice;

/// Answers lines, with the policies given for all of them or with their own.
#[derive(Debug)]
pub(super) struct Answerer<'a> {
    given: Option<&'a PolicySet>,
    choice: EngineChoice,
    /// The policies of the last few lines that had others, by their text; the last used first.
    recent: Vec<(String, Arc<PolicySet>)>,
}

impl<'a> Answerer<'a> {
    /// Returns an answerer with the policies of all lines, or `None` where each has its own.
    pub(super) const fn new(given: Option<&'a PolicySet>, choice: EngineChoice) -> Self {
        Self {
            given,
            choice,
            recent: Vec::new(),
        }
    }

    fn decide(&mut self, line: &Line<'_>) -> Result<Decision, LineError> {
        let Some(request) = line.request else {
            return Err(line.whole.error(
                "`request` is missing; give `{\"request\": {…}}` with `principal`, `action`, `resource` and `context`",
                "",
            ));
        };
        let decide = |set: &PolicySet, request: &LineRequest<'_>| {
            request
                .with_request(|request| set.decide(request))
                .map_err(|error| set_error(&error, request))
        };
        match (self.given, line.policies) {
            (Some(set), None) => decide(set, &LineRequest::read(request)?),
            (None, Some(policies)) => {
                let set = self.policy_set(policies)?;
                decide(&set, &LineRequest::read(request)?)
            }
            (Some(_), Some(policies)) => Err(policies.error(
                "the line has policies of its own beside those of --policy; leave one of them out",
                "policies",
            )),
            (None, None) => Err(line.whole.error(
                "`policies` is missing; give `[{\"kind\": …, \"document\": {…}}]`, or --policy for all lines",
                "",
            )),
        }
    }

    /// Returns the policies of a line, parsed and compiled unless a line before had the same.
    fn policy_set(&mut self, policies: Piece<'_>) -> Result<Arc<PolicySet>, LineError> {
        let known = self
            .recent
            .iter()
            .position(|(text, _)| text == policies.text);
        if let Some(index) = known {
            if let Some(before) = self.recent.get_mut(..=index) {
                before.rotate_right(1);
            }
        } else {
            let parsed = read_policies(policies)?;
            let set = PolicySet::of_line(parsed, self.choice)
                .map_err(|error| policies.error(error.to_string(), "policies"))?;
            self.recent
                .insert(0, (policies.text.to_owned(), Arc::new(set)));
            self.recent.truncate(SET_LIMIT);
        }
        match self.recent.first() {
            Some((_, set)) => Ok(Arc::clone(set)),
            None => Err(policies.error("no policies", "policies")),
        }
    }
}

impl Answer for Answerer<'_> {
    fn answer(&mut self, line: &[u8], number: u64, answers: &mut Vec<u8>) -> bool {
        let text = match core::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => {
                let valid = line.get(..error.valid_up_to()).unwrap_or_default();
                let before = core::str::from_utf8(valid).unwrap_or_default();
                let error = LineError {
                    message: "the line is not UTF-8".to_owned(),
                    at: before.len(),
                    path: String::new(),
                };
                write_error(None, &error, before, number, answers);
                return true;
            }
        };
        let read = match Line::read(text) {
            Ok(read) => read,
            Err(error) => {
                write_error(id_alone(text), &error, text, number, answers);
                return true;
            }
        };
        match self.decide(&read) {
            Ok(decision) => {
                write_id(read.id.map(|id| id.text), answers);
                answers.extend_from_slice(b",\"decision\":\"");
                answers.extend_from_slice(decision.as_str().as_bytes());
                answers.extend_from_slice(b"\"}\n");
                false
            }
            Err(error) => {
                write_error(read.id.map(|id| id.text), &error, text, number, answers);
                true
            }
        }
    }

    fn too_long(&mut self, limit: usize, number: u64, answers: &mut Vec<u8>) {
        let error = LineError {
            message: format!("the line is longer than {limit} bytes"),
            at: 0,
            path: String::new(),
        };
        write_error(None, &error, "", number, answers);
    }
}

/// A line taken apart.
struct Line<'a> {
    whole: Piece<'a>,
    id: Option<Piece<'a>>,
    policies: Option<Piece<'a>>,
    request: Option<Piece<'a>>,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Result<Self, LineError> {
        let whole = Piece::line(text);
        let [id, policies, request] = whole.fields(&LINE_FIELDS, Others::Ignored, "")?;
        Ok(Self {
            whole,
            id,
            policies,
            request,
        })
    }
}

const LINE_FIELDS: [&str; 3] = ["id", "policies", "request"];
const POLICIES: &str = "a list of `{\"kind\": …, \"document\": {…}}`";
const POLICY_FIELDS: [&str; 2] = ["kind", "document"];

/// Returns the id of a line that is JSON but no question.
fn id_alone(text: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct IdAlone<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    serde_json::from_str::<IdAlone<'_>>(text)
        .ok()?
        .id
        .map(RawValue::get)
}

fn read_policies(policies: Piece<'_>) -> Result<Vec<Policy>, LineError> {
    let mut parsed = Vec::new();
    for (index, entry) in policies
        .items(POLICIES, "policies")?
        .into_iter()
        .enumerate()
    {
        let path = format!("policies[{index}]");
        let [kind, document] = entry.fields(&POLICY_FIELDS, Others::Ignored, &path)?;
        let document = document
            .ok_or_else(|| entry.error("`document` is missing; give the policy", &*path))?;
        let kind = kind
            .map(|kind| read_kind(kind, &format!("{path}.kind")))
            .transpose()?;
        let options = ParseOptions::default().with_kind(kind);
        let policy = Policy::from_json_with(document.text, &options).map_err(|error| {
            let Some(fault) = error.faults().first() else {
                return document.error(error.to_string(), format!("{path}.document"));
            };
            let mut message = without_position(fault.message()).to_owned();
            if let Some(help) = fault.help() {
                message = format!("{message}; {help}");
            }
            match error.faults().len() + error.suppressed() {
                0 | 1 => {}
                all => message = format!("{message} (the first of {all} faults)"),
            }
            let dot = if fault.path().is_empty() { "" } else { "." };
            LineError {
                message,
                at: document.at + fault.range().start,
                path: format!("{path}.document{dot}{}", fault.path()),
            }
        })?;
        parsed.push(policy);
    }
    Ok(parsed)
}

/// Returns a fault's message without the second place at its end, which counts in the document.
fn without_position(message: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match message.rsplit_once(", first at line ") {
        Some((said, place)) => match place.split_once(", column ") {
            Some((line, column)) if digits(line) && digits(column) => said,
            _ => message,
        },
        None => message,
    }
}

fn read_kind(piece: Piece<'_>, path: &str) -> Result<PolicyKind, LineError> {
    match &*text(piece, path)? {
        "resource" => Ok(PolicyKind::Resource),
        "identity" => Ok(PolicyKind::Identity),
        other => Err(piece.error(
            format!(
                "`{}` is no kind of policy; write `resource` or `identity`",
                shown(other)
            ),
            path,
        )),
    }
}

fn set_error(error: &SetError, request: &LineRequest<'_>) -> LineError {
    let piece = request.resource_piece();
    let message = match error {
        SetError::NoApi => {
            "the policies have short-hand resources (`execute-api:/…`), which belong to the API of the request, \
             and this is no ARN of one"
                .to_owned()
        }
        SetError::Build(error) => error.to_string(),
    };
    piece.error(message, "request.resource")
}

fn write_id(id: Option<&str>, answers: &mut Vec<u8>) {
    answers.extend_from_slice(b"{\"id\":");
    answers.extend_from_slice(id.unwrap_or("null").as_bytes());
}

fn write_error(
    id: Option<&str>,
    error: &LineError,
    text: &str,
    number: u64,
    answers: &mut Vec<u8>,
) {
    #[derive(Serialize)]
    struct Report<'a> {
        message: &'a str,
        line: u64,
        column: usize,
        path: &'a str,
    }
    let before = text.as_bytes().get(..error.at).unwrap_or(text.as_bytes());
    let report = Report {
        message: &error.message,
        line: number,
        // A byte that does not start a character does not start a column.
        column: 1 + before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count(),
        path: &error.path,
    };
    write_id(id, answers);
    answers.extend_from_slice(b",\"error\":");
    // Writing to a Vec does not fail, and all keys are strings.
    let _ = serde_json::to_writer(&mut *answers, &report);
    answers.extend_from_slice(b"}\n");
}

/// Sets of policies that are kept.
const SET_LIMIT: usize = 4;
