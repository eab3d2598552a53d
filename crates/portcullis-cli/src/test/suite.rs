//! Tree → suites: the policies that are asked, and the cases, each one request.
//!
//! ```text
//! policy: office.json                          a suite is a YAML document; a file may hold several
//! defaults: {method: GET, path: /pets}
//! cases:
//!   - source-ip: [192.0.2.1, missing]          two source addresses and
//!     method: [GET, POST]                      two methods are four cases
//!     expect: deny
//! ```
//!
//! What a field means, and what may be left out, is what the command line of `check` says
//! of the flag of the same name: a case becomes the arguments of `check`. All faults of a
//! file are told together.
//!
//! By file: `fields` is what is said of a request and what lists make of it, `reader` reads
//! all of it from the tree.

mod fields;
mod reader;
#[cfg(test)]
mod tests;

use core::fmt::Write;
use std::path::PathBuf;

use portcullis::{Decision, Position, Request};

pub(super) use self::reader::read;

use super::yaml::{Place, fault};
use crate::args::{Kind, QuestionArgs};
use crate::failure::PolicyFault;

/// Cases about the same policies.
#[derive(Debug)]
pub(super) struct Suite {
    /// The policies, as the file names them, from the folder that the file is in.
    pub(super) policies: Vec<PathBuf>,
    /// What the policies are attached to.
    pub(super) kind: Option<Kind>,
    /// Where the suite begins.
    pub(super) place: Place,
    /// The cases, in the order of the text.
    pub(super) cases: Vec<Case>,
}

/// A request and the decision that is expected.
#[derive(Debug)]
pub(super) struct Case {
    /// Its name, if it has one.
    pub(super) name: Option<String>,
    /// Whether lists made several cases of what stands in the text once.
    pub(super) one_of_several: bool,
    /// Where it stands.
    pub(super) place: Place,
    /// Which number it has in its suite's list, from 0.
    pub(super) index: usize,
    /// What is expected.
    pub(super) expected: Expected,
    /// The request, as `check` takes it; without policies.
    pub(super) args: QuestionArgs,
}

/// What is expected of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This decision.
    Exactly(Decision),
    /// A deny, explicit or implicit.
    Deny,
}

impl Expected {
    /// Returns whether a decision is what is expected.
    pub(super) fn accepts(self, decision: Decision) -> bool {
        match self {
            Self::Exactly(expected) => decision == expected,
            Self::Deny => !decision.is_allow(),
        }
    }

    /// Returns the words for a reader: `allow`, `explicit deny`, `implicit deny`, `deny`.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Exactly(Decision::Allow) => "allow",
            Self::Exactly(Decision::ExplicitDeny) => "explicit deny",
            Self::Exactly(Decision::ImplicitDeny) => "implicit deny",
            Self::Deny => "deny",
        }
    }

    /// Returns the spelling of JSON: `allow`, `explicit_deny`, `implicit_deny`, `deny`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exactly(decision) => decision.as_str(),
            Self::Deny => "deny",
        }
    }
}

impl Case {
    /// Returns what tells the case from others: its name, its request, or both.
    pub(super) fn title(&self) -> String {
        match &self.name {
            None => self.request(),
            Some(name) if self.one_of_several => format!("{name}: {}", self.request()),
            Some(name) => name.clone(),
        }
    }

    /// Returns the request in one line: `GET /pets from 203.0.113.7`.
    pub(super) fn request(&self) -> String {
        let args = &self.args;
        let mut line = String::new();
        if args.action != Request::INVOKE {
            line = format!("{} on ", args.action);
        }
        match (&args.resource, &args.method, &args.path) {
            (Some(resource), ..) => line.push_str(resource),
            (None, method, path) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                line.push_str(&format!("{} {}", part(method), part(path)));
            }
        }
        // Writing to a String does not fail.
        let _ = match &args.stage {
            Some(stage) => write!(line, " in stage {stage}"),
            None => Ok(()),
        };
        let _ = match &args.source_ip {
            Some(address) => write!(line, " from {address}"),
            None => write!(line, " without a source address"),
        };
        if let Some(principal) = &args.principal {
            let _ = write!(line, " as {principal}");
        }
        for (index, entry) in args.context.iter().enumerate() {
            let link = if index == 0 { " with" } else { "," };
            let _ = write!(line, "{link} {entry}");
        }
        line
    }
}

/// Returns a fault of a case that only its policies could tell.
pub(super) fn fault_of(case: &Case, message: &str, help: Option<&str>) -> PolicyFault {
    PolicyFault {
        path: format!("cases[{}]", case.index),
        ..fault(
            &case.place,
            in_fields(message),
            help.map(in_fields).as_deref(),
        )
    }
}

/// Says in the words of a file what is said in those of the command line.
pub(super) fn in_fields(message: &str) -> String {
    let mut said = message.to_owned();
    for (flag, field) in FLAGS {
        said = said.replace(flag, field);
    }
    said
}

/// Returns the line of a place.
pub(super) const fn line(place: &Place) -> u32 {
    let Position { line, .. } = place.position;
    line
}

/// The flags of `check` and the fields that stand for them.
const FLAGS: [(&str, &str); 13] = [
    ("--source-ip", "`source-ip`"),
    ("--method", "`method`"),
    ("--path", "`path`"),
    ("--stage", "`stage`"),
    ("--resource", "`resource`"),
    ("--action", "`action`"),
    ("--principal", "`principal`"),
    ("--context", "`context`"),
    ("--partition", "`api.partition`"),
    ("--region", "`api.region`"),
    ("--account", "`api.account`"),
    ("--api-id", "`api.id`"),
    ("--kind", "`kind`"),
];
