//! Policies from files: all that are good, or everything that is wrong with the others.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use portcullis::policy::ParseError;
use portcullis::{Api, Policy, PolicyKind};

use crate::args::Kind;
use crate::failure::{BrokenPolicy, Failure, PolicyFault};

/// A policy and the file it came from.
#[derive(Clone, Debug)]
pub(crate) struct LoadedPolicy {
    /// The file's name as given; `<stdin>` for `-`.
    pub(crate) file: String,
    /// The policy.
    pub(crate) policy: Policy,
}

/// Reads and parses `files` in order; the faults of all of them are one failure.
pub(crate) fn load(files: &[PathBuf], kind: Option<Kind>) -> Result<Vec<LoadedPolicy>, Failure> {
    if files.iter().filter(|file| is_stdin(file)).count() > 1 {
        return Err(Failure::usage(
            "stdin is given as a policy twice",
            "give `-` once, and files for the other policies",
        ));
    }
    let mut loaded = Vec::new();
    let mut broken = Vec::new();
    for path in files {
        let file = if is_stdin(path) {
            "<stdin>".to_owned()
        } else {
            path.display().to_string()
        };
        let text = match read(path) {
            Ok(text) => text,
            Err(error) => return Err(Failure::File { file, error }),
        };
        match parse(&text, kind) {
            Ok(policy) => loaded.push(LoadedPolicy { file, policy }),
            Err(error) => broken.push(BrokenPolicy {
                file,
                faults: faults(&error),
                text,
            }),
        }
    }
    if broken.is_empty() {
        Ok(loaded)
    } else {
        Err(Failure::Policies(broken))
    }
}

/// Parses a document, of this kind if one is given.
pub(crate) fn parse(text: &str, kind: Option<Kind>) -> Result<Policy, ParseError> {
    match kind {
        None => Policy::from_json(text),
        Some(Kind::Resource) => Policy::from_json_as(text, PolicyKind::Resource),
        Some(Kind::Identity) => Policy::from_json_as(text, PolicyKind::Identity),
    }
}

/// Returns all faults of a document, in the order of the text; never none.
pub(crate) fn faults(error: &ParseError) -> Vec<PolicyFault> {
    error
        .faults()
        .iter()
        .map(|fault| PolicyFault {
            message: fault.to_string(),
            position: fault.position(),
            path: fault.path().to_owned(),
            range: fault.range(),
        })
        .collect()
}

/// Rewrites the short-hand resources of `policies` to those of `api`.
pub(crate) fn expand(policies: &mut [LoadedPolicy], api: &Api) {
    for loaded in policies {
        if has_short_hand(&loaded.policy) {
            loaded.policy = loaded.policy.with_short_hand_expanded(api);
        }
    }
}

/// Returns whether a resource of the policy is written in short-hand.
pub(crate) fn has_short_hand(policy: &Policy) -> bool {
    policy.short_hand().is_some()
}

/// Returns whether a file's name means stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read(path: &Path) -> io::Result<String> {
    if is_stdin(path) {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path)
}
